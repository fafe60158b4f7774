"""`attestation prove`: the theorems of `properties.proofs.theorems`, by Z3."""

from __future__ import annotations

import argparse
import json
import os
from concurrent.futures import as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from properties.commands.statuses import Status
from properties.commands.terminal import Progress
from properties.commands.usage import UsageError, checked_revision, positive, unknown

if TYPE_CHECKING:
    from properties.proofs.results import Result

MOST_ATTESTERS = 12
"""Beyond that the sums of weights take the solver minutes; the any-size proof covers them."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--revision", action="append", metavar="R", help="a revision (all); may be repeated")
    parser.add_argument(
        "--property", action="append", metavar="P", help="a property (all with theorems); may be repeated"
    )
    parser.add_argument("--attesters", type=positive, metavar="N", help="prove this number of attesters only")
    parser.add_argument(
        "--depth", type=positive, metavar="K", help="how many steps properties without a theorem are searched (10)"
    )
    parser.add_argument("--timeout", type=positive, default=60, metavar="S", help="seconds for a query or search (60)")
    parser.add_argument("--smt2", type=Path, metavar="DIR", help="write every query as SMT-LIB")
    parser.add_argument("--json", action="store_true", help="every obligation: name, result, seconds, statistics")


def run(options: argparse.Namespace) -> int:
    """Prove, and print what was proved."""
    from model.revisions import REVISIONS
    from properties.proofs.session import BOUNDED_DEPTH
    from properties.proofs.theorems import CLAIMS, left_out, shared, theorems_of

    names = list(dict.fromkeys(options.revision or REVISIONS))
    revisions = [checked_revision(name) for name in names]
    claims = _claims(options.property)
    if options.attesters and options.attesters > MOST_ATTESTERS:
        raise UsageError(
            f"--attesters {options.attesters} is too many; at most {MOST_ATTESTERS}, or leave it out for any number"
        )
    if options.smt2:
        _must_be_writable(options.smt2)
    sizes = (options.attesters,) if options.attesters else None
    depth = options.depth or BOUNDED_DEPTH
    tasks = [
        Task(about.name, claim, sizes, options.timeout, options.smt2, len(names) > 1, repeated, depth)
        for about, repeated in zip(revisions, shared(revisions), strict=True)
        for claim in (theorems_of(about) if claims is None else claims)
    ]
    results, complete = _collect(tasks)
    left = left_out(revisions, sizes, claims)
    told = Told(names, claims or list(CLAIMS), left, _command(options, names), complete, options.timeout)
    if options.json:
        print(json.dumps(told.as_json(results), indent=2))
    else:
        told.show(results)
    return status(results, complete)


def _claims(asked: list[str] | None) -> list[str] | None:
    """The properties to prove, or to search; none: those with theorems about each revision's design. Raises
    `UsageError` for a name of which neither is possible."""
    from properties.proofs.theorems import ABOUT, CLAIMS, SEARCHED

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


@dataclass(frozen=True)
class Task:
    """What one process proves at a time: the theorems about one property of one revision."""

    revision: str
    claim: str
    sizes: tuple[int, ...] | None
    seconds: int
    smt2: Path | None
    among_many: bool
    repeated: frozenset[str]
    depth: int


def prove(task: Task) -> list[Result]:
    """The results about one property of one revision."""
    from model.revisions import revision
    from properties.proofs.obligations import Budget
    from properties.proofs.theorems import DESIGNS, results

    about, budget = revision(task.revision), Budget(task.seconds, task.smt2)
    session = DESIGNS[about.design].session
    options = (task.sizes, task.seconds, task.among_many, task.repeated, task.depth)
    return list(results(session(about, budget, *options), [task.claim]))


def _collect(tasks: list[Task]) -> tuple[list[Result], bool]:
    """The results in the order of the tasks, and whether all of them ended; an interrupt leaves what is finished."""
    from properties.engines.workers import Workers

    found: dict[Task, list[Result]] = {}
    # By other processes even if there is but one task: the solver hears of no interrupt while it thinks.
    with Workers(min(os.cpu_count() or 1, len(tasks))) as workers, Progress() as progress:
        try:
            running = {workers.submit(prove, task): task for task in tasks}
            for done in as_completed(running):
                found[running[done]] = done.result()
                progress.show(f"{len(found)} of {len(tasks)}: {running[done].revision}, {running[done].claim}")
        except KeyboardInterrupt:
            workers.stop()
    return [result for task in tasks for result in found.get(task, ())], len(found) == len(tasks)


def _must_be_writable(folder: Path) -> None:
    """Raises `UsageError` unless files can be written there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".probe"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise UsageError(f"cannot write into {folder}: {error.strerror}; name a folder that can be written") from None


def _command(options: argparse.Namespace, revisions: list[str]) -> str:
    """What repeats the run."""
    words = ["attestation prove", *(f"--revision {name}" for name in revisions if options.revision)]
    words += [f"--property {name}" for name in options.property or ()]
    words += [f"--attesters {options.attesters}"] if options.attesters else []
    words += [f"--depth {options.depth}"] if options.depth else []
    return " ".join([*words, f"--timeout {options.timeout}"])


@dataclass(frozen=True)
class Told:
    """What is told of a run beside its results; `left_out` is what it did not prove of what another run would."""

    revisions: list[str]
    claims: list[str]
    left_out: list[str]
    command: str
    complete: bool
    timeout: int

    def as_json(self, results: list[Result]) -> dict[str, Any]:
        """The run for machines."""
        return {
            "format": "attestation-proofs/2",
            "command": self.command,
            "properties": self.claims,
            "left_out": self.left_out,
            "timeout": self.timeout,
            "complete": self.complete,
            "results": [result.as_json() for result in results],
        }

    def show(self, results: list[Result]) -> None:
        """Print the run."""
        for name in self.revisions:
            print(name)
            shown: dict[tuple[str, ...], str] = {}
            mine = [result for result in results if result.revision == name]
            for result in mine:
                print("\n".join(f"  {line}" for line in result.lines(shown)))
            if self.complete and not mine:
                print("  as an earlier revision, which has the same rules")
        for line in self.left_out:
            print(f"left out: {line}")
        print(f"{'' if self.complete else 'CUT SHORT; '}no random choices, so no seed")
        print(f"repeat with: {self.command}")
