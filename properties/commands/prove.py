"""`attestation prove`: the theorems of `properties.proofs.theorems`, by Z3."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from properties.commands.usage import UsageError, checked_revision, positive, unknown

if TYPE_CHECKING:
    from properties.proofs.theorems import Result

PROVED, REFUTED, UNDECIDED = 0, 1, 3
MOST_ATTESTERS = 12
"""Beyond that the sums of weights take the solver minutes; the any-size proof covers them."""
PROCESSES = 2


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--revision", action="append", metavar="R", help="a revision (all); may be repeated")
    parser.add_argument("--property", action="append", metavar="P", help="a property (all); may be repeated")
    parser.add_argument("--attesters", type=positive, metavar="N", help="prove this number of attesters only")
    parser.add_argument("--timeout", type=positive, default=60, metavar="S", help="seconds for a query or search (60)")
    parser.add_argument("--smt2", type=Path, metavar="DIR", help="write every query of the proofs as SMT-LIB")
    parser.add_argument("--json", action="store_true", help="every obligation: name, result, seconds, statistics")


def run(options: argparse.Namespace) -> int:
    """Prove, and print what was proved."""
    from model.revisions import REVISIONS
    from properties.proofs.theorems import SIZES, SOME_SIZES, THEOREMS

    revisions = list(dict.fromkeys(options.revision or REVISIONS))
    for name in revisions:
        checked_revision(name)
    claims = list(dict.fromkeys(options.property or THEOREMS))
    for name in claims:
        if name not in THEOREMS:
            raise unknown("property with theorems", name, THEOREMS)
    if options.attesters and options.attesters > MOST_ATTESTERS:
        raise UsageError(
            f"--attesters {options.attesters} is too many; at most {MOST_ATTESTERS}, or leave it out for any number"
        )
    if options.smt2:
        _must_be_writable(options.smt2)
    sizes = (options.attesters,) if options.attesters else SIZES if len(revisions) == 1 else SOME_SIZES
    many = len(revisions) > 1
    tasks = [
        Task(name, claims, sizes, options.timeout, options.smt2, many, is_first=place == 0)
        for place, name in enumerate(revisions)
    ]
    results, complete = _collect(tasks)
    if options.json:
        print(json.dumps(_as_json(results, complete, options, revisions, claims, sizes), indent=2))
    else:
        _print(results, complete, options, revisions, claims, sizes)
    return status(results, complete)


def status(results: list[Result], complete: bool) -> int:
    """The exit status: refuted if anything is, proved only if everything is."""
    words = {result.verdict.word for result in results}
    if "VIOLATED" in words:
        return REFUTED
    return PROVED if complete and words == {"PROVED"} else UNDECIDED


@dataclass(frozen=True)
class Task:
    """What one process proves: the theorems for one revision."""

    revision: str
    claims: list[str]
    sizes: tuple[int, ...]
    seconds: int
    smt2: Path | None
    among_many: bool
    is_first: bool


def prove(task: Task) -> list[Result]:
    """The results for one revision."""
    return list(_stream(task))


def _stream(task: Task) -> Iterator[Result]:
    from model.revisions import revision
    from properties.proofs.obligations import Budget
    from properties.proofs.theorems import Prove

    budget = Budget(task.seconds, task.smt2)
    proof = Prove(revision(task.revision), budget, task.sizes, task.seconds, task.among_many, task.is_first)
    yield from proof.results(task.claims)


def _collect(tasks: list[Task]) -> tuple[list[Result], bool]:
    """The results in the order of the tasks, and whether all of them ended; an interrupt leaves what is finished."""
    found: dict[str, list[Result]] = {task.revision: [] for task in tasks}
    complete = False
    try:
        for result in _run(tasks):
            found[result.revision].append(result)
            if sys.stderr.isatty():
                print(f"{result.revision}: {result.theorem}", file=sys.stderr, flush=True)
        complete = True
    except KeyboardInterrupt:
        pass
    return [result for results in found.values() for result in results], complete


def _run(tasks: list[Task]) -> Iterator[Result]:
    """The results as they come, of several revisions at a time."""
    processes = min(PROCESSES, os.cpu_count() or 1, len(tasks))
    if processes == 1:
        for task in tasks:
            yield from _stream(task)
        return
    with ProcessPoolExecutor(processes) as pool:
        running = [pool.submit(prove, task) for task in tasks]
        try:
            for done in as_completed(running):
                yield from done.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _must_be_writable(folder: Path) -> None:
    """Raises `UsageError` unless files can be written there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".probe"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise UsageError(f"cannot write into {folder}: {error.strerror}; name a folder that can be written") from None


def _command(options: argparse.Namespace, revisions: list[str], claims: list[str]) -> str:
    """What repeats the run."""
    words = ["attestation prove", *(f"--revision {name}" for name in revisions if options.revision)]
    words += [f"--property {name}" for name in claims if options.property]
    words += [f"--attesters {options.attesters}"] if options.attesters else []
    return " ".join([*words, f"--timeout {options.timeout}"])


def _as_json(
    results: list[Result],
    complete: bool,
    options: argparse.Namespace,
    revisions: list[str],
    claims: list[str],
    sizes: tuple[int, ...],
) -> dict[str, Any]:
    return {
        "format": "attestation-proofs/1",
        "command": _command(options, revisions, claims),
        "sizes": list(sizes),
        "timeout": options.timeout,
        "complete": complete,
        "results": [result.as_json() for result in results],
    }


def _print(
    results: list[Result],
    complete: bool,
    options: argparse.Namespace,
    revisions: list[str],
    claims: list[str],
    sizes: tuple[int, ...],
) -> None:
    for name in revisions:
        print(name)
        for result in results:
            if result.revision == name:
                print("\n".join(f"  {line}" for line in lines(result)))
    print(f"{'' if complete else 'CUT SHORT; '}attesters {', '.join(map(str, sizes))}; no random choices, so no seed")
    print(f"repeat with: {_command(options, revisions, claims)}")


def lines(result: Result) -> Iterator[str]:
    """A result as text."""
    count = f"{len(result.outcomes)} obligations, " if result.outcomes else ""
    yield f"{result.theorem.ljust(46)} {result.verdict}  [{count}{result.seconds:.2f} s]"
    yield from (f"    {note}" for note in result.notes)
    if result.transit:
        transit = result.transit
        changes = ", ".join(f"{name}: {before} -> {after}" for name, (before, after) in transit.changes.items())
        yield f"    smallest counterexample to induction (possibly unreachable): {transit.action}, {changes}"
