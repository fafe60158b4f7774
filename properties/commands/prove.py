"""`attestation prove`: the theorems of `properties.proofs.theorems`, by Z3."""

from __future__ import annotations

import argparse
import json
import os
from concurrent.futures import as_completed

from model.revisions import REVISIONS
from properties.commands.options import again
from properties.commands.statuses import Status
from properties.commands.terminal import Progress
from properties.commands.usage import UsageError, checked_revision, folder, must_take_files, positive, unknown
from properties.engines.workers import Workers
from properties.proofs.obligations import Budget
from properties.proofs.results import Result
from properties.proofs.session import BOUNDED_DEPTH, Session
from properties.proofs.theorems import ABOUT, CLAIMS, DESIGNS, SEARCHED, left_out, results, shared, theorems_of

MOST_ATTESTERS = 12
"""Beyond that the sums of weights take the solver minutes; the any-size proof covers them."""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--revision", action="append", metavar="R", help="a revision (all); may be repeated")
    parser.add_argument(
        "--property", action="append", metavar="P", help="a property (all with theorems); may be repeated"
    )
    parser.add_argument("--attesters", type=positive, metavar="N", help="prove this number of attesters only")
    parser.add_argument(
        "--depth", type=positive, metavar="K", help="how many steps properties without a theorem are searched (10)"
    )
    parser.add_argument("--timeout", type=positive, default=60, metavar="S", help="seconds for a query or search (60)")
    parser.add_argument("--smt2", type=folder, metavar="DIR", help="write every query as SMT-LIB")
    parser.add_argument("--json", action="store_true", help="every obligation: name, result, seconds, statistics")


def run(options: argparse.Namespace) -> int:
    """Prove, and print what was proved."""
    names = list(dict.fromkeys(options.revision or REVISIONS))
    revisions = [checked_revision(name) for name in names]
    claims = _claims(options.property)
    if options.attesters and options.attesters > MOST_ATTESTERS:
        raise UsageError(
            f"--attesters {options.attesters} is too many; at most {MOST_ATTESTERS}, or leave it out for any number"
        )
    if options.smt2:
        must_take_files(options.smt2)
    sizes = (options.attesters,) if options.attesters else None
    depth, budget = options.depth or BOUNDED_DEPTH, Budget(options.timeout, options.smt2)
    sessions = [
        DESIGNS[about.design].session(about, budget, sizes, options.timeout, len(names) > 1, repeated, depth)
        for about, repeated in zip(revisions, shared(revisions), strict=True)
    ]
    tasks = [(each, claim) for each in sessions for claim in (claims or theorems_of(each.revision))]
    found, complete = _collect(tasks)
    left = left_out(revisions, sizes, claims)
    command = again("prove", options, "revision", "property", "attesters", "depth", "timeout")
    if options.json:
        printed = {
            "format": "attestation-proofs/2",
            "command": command,
            "properties": claims or list(CLAIMS),
            "left_out": left,
            "timeout": options.timeout,
            "complete": complete,
            "results": [result.as_json() for result in found],
        }
        print(json.dumps(printed, indent=2))
    else:
        for name in names:
            _show(name, [result for result in found if result.revision == name], complete)
        print("".join(f"left out: {line}\n" for line in left), end="")
        print(f"{'' if complete else 'CUT SHORT; '}no random choices, so no seed\nrepeat with: {command}")
    return status(found, complete)


def _claims(asked: list[str] | None) -> list[str] | None:
    """The properties to prove, or to search; none: those with theorems about each revision's design. Raises
    `UsageError` for a name of which neither is possible."""
    if not asked:
        return None
    for name in asked:
        if name not in (*CLAIMS, *ABOUT, *SEARCHED):
            raise unknown("property with theorems or bounded search", name, (*CLAIMS, *ABOUT, *SEARCHED))
    return list(dict.fromkeys(ABOUT.get(name, name) for name in asked))


def status(results: list[Result], complete: bool) -> int:
    """The exit status: refuted if anything is, proved only if everything is; a run that was cut short is neither."""
    words = {result.verdict.word for result in results}
    if "VIOLATED" in words and complete:
        return Status.FOUND
    return Status.DONE if complete and words == {"PROVED"} else Status.CUT_SHORT


def prove(session: Session, claim: str) -> list[Result]:
    """The results about one property of one revision, all in one process."""
    return list(results(session, [claim]))


def _collect(tasks: list[tuple[Session, str]]) -> tuple[list[Result], bool]:
    """The results in the order of the tasks, and whether all of them ended; an interrupt leaves what is finished."""
    found: dict[int, list[Result]] = {}
    # By other processes even if there is but one task: the solver hears of no interrupt while it thinks.
    with Workers(min(os.cpu_count() or 1, len(tasks))) as workers, Progress() as progress:
        try:
            running = {workers.submit(prove, *task): number for number, task in enumerate(tasks)}
            for done in as_completed(running):
                found[running[done]] = done.result()
                session, claim = tasks[running[done]]
                progress.show(f"{len(found)} of {len(tasks)}: {session.revision.name}, {claim}")
        except KeyboardInterrupt:
            workers.stop()
    return [result for number in sorted(found) for result in found[number]], len(found) == len(tasks)


def _show(revision: str, results: list[Result], complete: bool) -> None:
    print(revision)
    shown: dict[tuple[str, ...], str] = {}
    for result in results:
        print("\n".join(f"  {line}" for line in result.lines(shown)))
    if complete and not results:
        print("  as an earlier revision, which has the same rules")
