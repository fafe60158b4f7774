"""`attestation check`: the main job."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import shutil
import time
from collections.abc import Iterable, Iterator
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from model.revisions import REVISIONS
from model.scope import instance
from properties.commands.options import add_max_states, repeating
from properties.commands.terminal import Progress
from properties.commands.usage import checked_instance, checked_revision, counted, must_take_files, positive, write

if TYPE_CHECKING:
    from properties.ledger import Entry
    from properties.plans import Plan
    from properties.trace import Trace
    from properties.workers import Workers

DIFFERENT = 1
CUT_SHORT = 3

FORMAT = "attestation-ledger/1"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--revision", action="append", metavar="R", help="check only this revision (may be repeated)")
    parser.add_argument("--instance", action="append", metavar="I", help="check only this instance (may be repeated)")
    parser.add_argument("--deep", action="store_true", help="the larger scopes, too: minutes")
    add_max_states(parser)
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("evidence"),
        metavar="DIR",
        help="for the reports; replaces older ones (evidence)",
    )
    parser.add_argument("--workers", type=positive, default=os.cpu_count() or 1, metavar="N", help="processes to use")
    parser.add_argument("--json", action="store_true", help="the ledger for machines (docs/json.md)")
    parser.add_argument(
        "--toml", action="store_true", help="write what was found into properties/expected.toml, to be reviewed"
    )


@dataclass(frozen=True)
class Ledger:
    """What a run has found: the entries, of so many that were planned, and the reports of their violations."""

    entries: list[Entry]
    planned: int
    stopped: str
    """Why the run ended before it was done; empty if it was not."""
    reports: list[Path]
    seconds: float

    @property
    def differences(self) -> list[tuple[Entry, str, str, str]]:
        """What is not as expected: (entry, property, expected, found)."""
        return [(entry, *difference) for entry in self.entries for difference in entry.differences()]

    @property
    def unlisted(self) -> list[Entry]:
        """The entries of which nothing is expected."""
        return [entry for entry in self.entries if not entry.is_listed]

    @property
    def bounded(self) -> list[Entry]:
        """The entries whose search was cut short by `--max-states`."""
        return [entry for entry in self.entries if not entry.complete]

    @property
    def status(self) -> int:
        """The exit status."""
        if self.stopped or self.bounded:
            return CUT_SHORT
        return DIFFERENT if self.differences else 0


def run(options: argparse.Namespace) -> int:
    """Check, print the ledger, write the reports, and say what differs from what was expected."""
    revisions = list(dict.fromkeys(checked_revision(name).name for name in options.revision or REVISIONS))
    plans = plans_of(options, revisions)
    if not options.toml:
        must_take_files(options.out)
        _remove_reports(options.out, revisions)
    done = _ledger(options, revisions, plans)
    if options.toml:
        _write_expectations(done)
        return CUT_SHORT if done.stopped or done.bounded else 0
    if options.json:
        print(json.dumps(as_json(done, options), indent=2))
    else:
        _print(done, options)
    return done.status


def plans_of(options: argparse.Namespace, revisions: list[str]) -> list[Plan]:
    """The scopes to check: those of the ledger, or of the instances asked for. Raises `UsageError`."""
    from properties.plans import PLANS

    named = list(dict.fromkeys(checked_instance(name).name for name in options.instance or []))
    plans = [plan for plan in PLANS if (options.deep or not plan.deep) and (not named or plan.instance in named)]
    for name in named:
        listed = [plan for plan in plans if plan.instance == name]
        # Whoever names a revision wants it checked; without names it is enough to check those that the ledger has.
        wanted = revisions if options.revision or not listed else []
        missing = tuple(each for each in wanted if not any(plan.is_for(each) for plan in listed))
        plans += [replace(_own_plan(name), revisions=missing)] if missing else []
    return plans


def _own_plan(name: str) -> Plan:
    """The joined scope of an instance, whether or not the ledger has one: with as many batches as there."""
    from properties.plans import PLANS, Plan

    plain = [plan for plan in PLANS if plan.instance == name and plan.detail == "joined" and not plan.switches]
    batches = min((plan.batches for plan in plain), default=3)
    return Plan(name, "joined", batches, symmetry=all(plan.symmetry for plan in plain))


def _ledger(options: argparse.Namespace, revisions: list[str], plans: list[Plan]) -> Ledger:
    """Do the work. An interrupt leaves what is finished."""
    from properties.ledger import check_all, in_order
    from properties.workers import Workers

    started = time.perf_counter()
    found: list[Entry] = []
    planned = sum(plan.is_for(name) for plan in plans for name in revisions)
    files: list[Path] = []
    stopped = ""
    with Workers(options.workers) as workers, Progress() as progress:
        try:
            for entry in check_all(revisions, plans, workers, options.max_states):
                found.append(entry)
                progress.show(f"{len(found)} of {counted(planned, 'search')}")
            for file in _write_reports(options, in_order(found), workers):
                files.append(file)
                progress.show(f"{counted(planned, 'search')}, {counted(len(files), 'file')}")
        except (KeyboardInterrupt, BrokenProcessPool) as error:
            workers.stop()
            stopped = "interrupted" if isinstance(error, KeyboardInterrupt) else "a process died, perhaps out of memory"
            files = list(_write_reports(options, in_order(found)))
    return Ledger(in_order(found), planned, stopped, files, time.perf_counter() - started)


def _remove_reports(folder: Path, revisions: Iterable[str]) -> None:
    """Remove the reports that earlier runs wrote on these revisions, and nothing else."""
    from properties.claims.catalogue import CATALOGUE

    ours = re.compile(rf"(?:{'|'.join(claim.name for claim in CATALOGUE)})(?:\.\w+)?\.(?:md|json)")
    for revision in revisions:
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            for file in list((folder / revision).iterdir()):
                if ours.fullmatch(file.name) and file.is_file():
                    file.unlink()


def _write_reports(options: argparse.Namespace, entries: list[Entry], workers: Workers | None = None) -> Iterator[Path]:
    """Write each violation as JSON and as Markdown; yields each file that is written. Without workers it is JSON only,
    which takes no time: what a report in Markdown says besides is the result of further searches."""
    from properties.ledger import render, render_all, reports

    chosen = [trace for _, trace in reports(entries)] if not options.toml else []
    for format, suffix in (("json", "json"), ("markdown", "md")) if workers else (("json", "json"),):
        texts = render_all(chosen, format, workers) if workers else (render(format, trace) for trace in chosen)
        for trace, text in zip(chosen, texts, strict=True):
            file = options.out / trace.revision / f"{_name(trace)}.{suffix}"
            write(file, text)
            yield file


def _name(trace: Trace) -> str:
    return f"{trace.claim}.{trace.kind}" if trace.kind else trace.claim


def _print(done: Ledger, options: argparse.Namespace) -> None:
    from properties.ledger import table

    print(table(done.entries, shutil.get_terminal_size((140, 24)).columns))
    print()
    count = sum(file.suffix == (".json" if done.stopped else ".md") for file in done.reports)
    what = "traces, as JSON without a report" if done.stopped else "reports"
    print(f"{count} {what}, one for each kind of violation on each revision, are in {options.out}/")
    for entry, name, wanted, found in done.differences:
        print(f"DIFFERENT: {name} on {entry.revision}, {entry.plan.name}: {found}, and the table expects {wanted}")
    if done.unlisted:
        print(f"{_verdicts(done.unlisted)} have no expectation, those of:")
        for entry in done.unlisted:
            print(f"  {entry.revision}, {entry.plan.name}")
    states = sum(entry.states for entry in done.entries)
    size = f"{counted(len(done.entries), 'search')}, {counted(states, 'state')}, {done.seconds:.1f} s"
    print(
        f"{_conclusion(done)}; {size}; no seed: {'nothing is random' if done.bounded else 'the search is exhaustive'}"
    )
    print(f"to repeat: {_command(options)}")


def _write_expectations(done: Ledger) -> None:
    """Put what was searched to its end into the table of expectations, and say how much of it that changes."""
    from properties import expected

    before, table = expected.EXPECTED.read_text(encoding="utf-8"), expected.expectations()
    rows = {(entry.revision, entry.plan.name): entry.row for entry in done.entries if entry.complete}
    planned = {place: row for place, row in rows.items() if expected.has_room(*place)}
    changed = [(name, scope) for (name, scope), row in planned.items() if table.get(name, {}).get(scope) != row]
    after = expected.merged(before, planned)
    if after != before:
        write(expected.EXPECTED, after)
    for revision, scope in changed:
        print(f"{revision}, {scope}")
    left_out = counted(done.planned - len(planned), "search") + " left out: cut short, or not of the ledger"
    print(f"{expected.EXPECTED}: {counted(len(changed), 'row')} of {len(planned)} changed; {left_out}")


def _verdicts(entries: list[Entry]) -> str:
    return counted(sum(len(entry.verdicts) for entry in entries), "verdict")


def _conclusion(done: Ledger) -> str:
    """What the run comes to, in a sentence."""
    parts = []
    if done.stopped:
        parts.append(f"CUT SHORT ({done.stopped}): {len(done.entries)} of {counted(done.planned, 'search')}")
    if done.bounded:
        parts.append(f"CUT SHORT: {len(done.bounded)} of {counted(len(done.entries), 'search')} reached --max-states")
    if not done.entries:
        parts.append("nothing was checked")
    elif done.differences:
        parts.append(f"{counted(len(done.differences), 'difference')} from what is expected")
    elif done.unlisted:
        parts.append(f"no verdict differs, but {_verdicts(done.unlisted)} have no expectation")
    elif parts:
        parts.append("their verdicts are as expected")
    else:
        parts.append("every verdict is the expected one")
    return "; ".join(parts)


def _command(options: argparse.Namespace) -> str:
    """The command line that repeats the run: the options that matter for the result."""
    words = [f"--revision {name}" for name in options.revision or []]
    words += [f"--instance {name}" for name in options.instance or []]
    words += ["--deep"] if options.deep else []
    words += [f"--max-states {options.max_states}"] if options.max_states else []
    return " ".join(["attestation check", *words])


def as_json(done: Ledger, options: argparse.Namespace) -> dict[str, object]:
    """The ledger for machines."""
    return {
        "format": FORMAT,
        "command": _command(options),
        "complete": not done.stopped and not done.bounded,
        "stopped": done.stopped or None,
        "planned": done.planned,
        "seconds": round(done.seconds, 3),
        "entries": [_entry_as_json(entry, options.max_states) for entry in done.entries],
        "differences": [
            {"revision": entry.revision, "plan": entry.plan.name, "property": name, "expected": wanted, "found": found}
            for entry, name, wanted, found in done.differences
        ],
        "unlisted": [{"revision": entry.revision, "plan": entry.plan.name} for entry in done.unlisted],
        "reports": [str(file) for file in done.reports],
    }


def _entry_as_json(entry: Entry, max_states: int | None) -> dict[str, object]:
    from properties.claims.catalogue import claim
    from properties.render.words import bounds, left_out
    from properties.trace import scope_as_json

    plan = entry.plan
    return {
        "revision": entry.revision,
        "plan": plan.name,
        "instance": plan.instance,
        "byzantine": instance(plan.instance).byzantine,
        "batches": plan.batches,
        "detail": plan.detail,
        "scope": scope_as_json(plan.scope),
        "bounds": bounds(plan.scope),
        "left_out": left_out(plan.scope),
        "engine": "explorer",
        "symmetry": plan.symmetry,
        "complete": entry.complete,
        "states": entry.states,
        "transitions": entry.transitions,
        "depth": entry.depth,
        "seconds": round(entry.seconds, 3),
        "command": repeating("explore", entry.revision, plan.scope, not plan.symmetry, max_states),
        "expected": entry.is_listed,
        "verdicts": {
            name: {**verdict.as_json(), "assumptions": claim(name).assumptions}
            for name, verdict in entry.verdicts.items()
        },
    }
