"""`attestation check`: the main job."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from model.revisions import REVISIONS
from model.scope import instance
from properties.commands.usage import checked_instance, checked_revision, positive, write

if TYPE_CHECKING:
    from properties.ledger import Entry, Plan

DIFFERENT = 1
INTERRUPTED = 3


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--revision", action="append", metavar="R", help="check only this revision (may be repeated)")
    parser.add_argument("--instance", action="append", metavar="I", help="check only this instance (may be repeated)")
    parser.add_argument("--deep", action="store_true", help="the larger scopes, too: minutes")
    parser.add_argument("--out", type=Path, default=Path("evidence"), metavar="DIR", help="for the traces (evidence)")
    parser.add_argument("--workers", type=positive, default=os.cpu_count() or 1, metavar="N", help="processes to use")
    parser.add_argument("--json", action="store_true", help="the ledger for machines")
    parser.add_argument("--toml", action="store_true", help="the ledger as properties/expected.toml has it")


def run(options: argparse.Namespace) -> int:
    """Check, print the ledger, write the traces, and say what differs from what was expected."""
    revisions = [checked_revision(name).name for name in options.revision or REVISIONS]
    plans = plans_of(options)
    if not options.toml:
        _probe(options.out)
    from properties.ledger import in_order

    started = time.perf_counter()
    entries, finished = _entries(options, revisions, plans)
    entries = in_order(entries)
    if options.toml:
        from properties.ledger import as_toml

        print(as_toml(entries), end="")
        return 0 if finished else INTERRUPTED
    files = _evidence(options.out, entries, options.workers)
    differences = [(entry, *difference) for entry in entries for difference in entry.differences()]
    if options.json:
        print(json.dumps(_as_json(entries, differences, finished), indent=2))
    else:
        _print(options, entries, differences, files, finished, time.perf_counter() - started)
    if not finished:
        return INTERRUPTED
    return DIFFERENT if differences else 0


def plans_of(options: argparse.Namespace) -> list[Plan]:
    """The scopes to check: those of the ledger, or of the instances asked for. Raises `UsageError`."""
    from properties.ledger import PLANS, Plan

    named = [checked_instance(name).name for name in options.instance or []]
    plans = [plan for plan in PLANS if (options.deep or not plan.deep) and (not named or plan.instance in named)]
    known = {plan.instance for plan in PLANS}
    return plans + [Plan(name, "joined", symmetry=True) for name in named if name not in known]


def _entries(options: argparse.Namespace, revisions: list[str], plans: list[Plan]) -> tuple[list[Entry], bool]:
    """What could be checked, and whether that is all of it: an interrupt leaves what is finished."""
    from properties.ledger import check_all

    entries: list[Entry] = []
    todo = len(revisions) * len(plans)
    try:
        for entry in check_all(revisions, plans, options.workers):
            entries.append(entry)
            if sys.stderr.isatty():
                print(f"\r{len(entries)} of {todo} searches", end="\n" if len(entries) == todo else "", file=sys.stderr)
    except KeyboardInterrupt:
        return entries, False
    return entries, True


def _probe(folder: Path) -> None:
    """Refuse a folder that cannot be written before the work, not after it."""
    probe = folder / ".probe"
    write(probe, "")
    probe.unlink()


def _evidence(folder: Path, entries: list[Entry], workers: int) -> list[Path]:
    """Write a bug report for each violation, as Markdown and JSON; returns the Markdown files."""
    from properties.ledger import render_all, reports

    chosen = reports(entries)
    files = []
    for format, suffix in (("json", "json"), ("markdown", "md")):
        texts = render_all((trace for _, trace in chosen), format, workers)
        for (entry, trace), text in zip(chosen, texts, strict=True):
            name = f"{trace.claim}.{trace.kind}" if trace.kind else trace.claim
            files.append(folder / entry.revision / f"{name}.{suffix}")
            write(files[-1], text)
    return [file for file in files if file.suffix == ".md"]


def _print(
    options: argparse.Namespace,
    entries: list[Entry],
    differences: list[tuple[Entry, str, str, str]],
    files: list[Path],
    finished: bool,
    seconds: float,
) -> None:
    from properties.ledger import table

    print(table(entries, shutil.get_terminal_size((140, 24)).columns))
    print()
    states = sum(entry.states for entry in entries)
    print(f"{len(files)} reports, one for each kind of violation on each revision, are in {options.out}/")
    for entry, name, wanted, found in differences:
        print(f"DIFFERENT: {name} on {entry.revision}, {entry.plan.name}: expected {wanted}, found {found}")
    if not finished:
        print("interrupted: the scopes that are missing were not searched")
    verdict = "every verdict is the expected one" if not differences else f"{len(differences)} verdicts differ"
    print(f"{verdict}; {len(entries)} searches, {states:,} states, {seconds:.1f} s; no seed: the search is exhaustive")
    print(f"to repeat: attestation check{_arguments(options)}")


def _arguments(options: argparse.Namespace) -> str:
    """The options that matter for the result."""
    words = [f" --revision {name}" for name in options.revision or []]
    words += [f" --instance {name}" for name in options.instance or []]
    return "".join(words) + (" --deep" if options.deep else "")


def _as_json(entries: list[Entry], differences: list[tuple[Entry, str, str, str]], finished: bool) -> dict[str, object]:
    """The ledger for machines."""
    return {
        "complete": finished,
        "entries": [
            {
                "revision": entry.revision,
                "instance": entry.plan.instance,
                "byzantine": instance(entry.plan.instance).byzantine,
                "batches": entry.plan.batches,
                "detail": entry.plan.detail,
                "engine": "explorer",
                "symmetry": entry.plan.symmetry,
                "states": entry.states,
                "transitions": entry.transitions,
                "depth": entry.depth,
                "seconds": round(entry.seconds, 3),
                "verdicts": {name: verdict.as_json() for name, verdict in entry.verdicts.items()},
            }
            for entry in entries
        ],
        "differences": [
            {"revision": entry.revision, "scope": entry.plan.name, "property": name, "expected": wanted, "found": found}
            for entry, name, wanted, found in differences
        ],
    }
