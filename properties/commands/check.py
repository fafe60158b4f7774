"""`attestation check`: the main job."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from model.revisions import REVISIONS
from properties.commands.options import add_max_states, add_workers, workers_of
from properties.commands.statuses import Status
from properties.commands.terminal import Progress
from properties.commands.usage import UsageError, checked_instance, checked_revision, counted, folder, write

if TYPE_CHECKING:
    from properties.commands.outcome import Outcome
    from properties.results.ledger import Entry
    from properties.scopes.plans import Plan

EVIDENCE = Path("evidence")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_searches(parser)
    parser.add_argument(
        "--out",
        type=folder,
        metavar="DIR",
        help=f"for the reports; replaces older ones ({EVIDENCE})",
    )
    parser.add_argument("--all", action="store_true", help="print all verdicts, too; they are in a file in any case")
    parser.add_argument("--json", action="store_true", help="the ledger for machines (docs/json.md)")
    parser.add_argument(
        "--toml", action="store_true", help="write what was found into properties/results/expected.toml, to be reviewed"
    )


def add_searches(parser: argparse.ArgumentParser) -> None:
    """Declare the options that say what is searched, and by whom."""
    parser.add_argument("--revision", action="append", metavar="R", help="check only this revision (may be repeated)")
    parser.add_argument("--instance", action="append", metavar="I", help="check only this instance (may be repeated)")
    parser.add_argument("--deep", action="store_true", help="the larger scopes, too: minutes")
    add_max_states(parser)
    add_workers(parser)


def run(options: argparse.Namespace) -> int:
    """Check, write the reports, and print what goes wrong, what holds, and what is not as expected."""
    from properties.commands.evidence import begin, write_index

    revisions, plans = chosen(options)
    if options.toml:
        if given := [f"--{name}" for name in ("out", "all", "json") if getattr(options, name)]:
            raise UsageError(f"--toml writes the table, and no reports or verdicts; leave out {' and '.join(given)}")
        return _write_expectations(search(options, revisions, plans))
    out = options.out or EVIDENCE
    begin(out, revisions, _command(options))
    done = search(options, revisions, plans, out)
    write_index(out, done)
    if options.json:
        print(json.dumps(done.as_json(), indent=2))
    else:
        _print(done, out, options.all)
    return done.status


def chosen(options: argparse.Namespace) -> tuple[list[str], list[Plan]]:
    """The revisions and the scopes that are searched. Raises `UsageError`."""
    revisions = list(dict.fromkeys(checked_revision(name).name for name in options.revision or REVISIONS))
    return revisions, plans_of(options, revisions)


def plans_of(options: argparse.Namespace, revisions: list[str]) -> list[Plan]:
    """The scopes to check: those of the ledger, or of the instances asked for. Raises `UsageError`."""
    from properties.scopes.plans import PLANS

    named = list(dict.fromkeys(checked_instance(name).name for name in options.instance or []))
    plans = [plan for plan in PLANS if (options.deep or not plan.deep) and (not named or plan.instance in named)]
    for name in named:
        listed = [plan for plan in plans if plan.instance == name]
        # Whoever names a revision wants it checked; without names it is enough to check those that the ledger has.
        wanted = revisions if options.revision or not listed else []
        missing = tuple(each for each in wanted if not any(plan.is_for(each) for plan in listed))
        plans += [replace(own_plan(name), revisions=missing)] if missing else []
    return plans


def own_plan(name: str) -> Plan:
    """The joined scope of an instance, whether or not the ledger has one: with as many batches as there."""
    from properties.scopes.plans import PLANS, Plan

    plain = [plan for plan in PLANS if plan.instance == name and plan.detail == "joined" and not plan.switches]
    batches = min((plan.batches for plan in plain), default=3)
    return Plan(name, "joined", batches, symmetry=all(plan.symmetry for plan in plain))


def search(
    options: argparse.Namespace, revisions: list[str], plans: list[Plan], reports: Path | None = None
) -> Outcome:
    """Do the work, and write the reports into a folder, if one is given. An interrupt leaves what is finished."""
    from properties.commands.evidence import write_reports
    from properties.commands.outcome import Outcome, pairs_of
    from properties.results.ledger import check_all, in_order, states_of

    started = time.perf_counter()
    found: list[Entry] = []
    sizes = [states_of(name, plan) for plan in plans for name in revisions if plan.is_for(name)]
    files: list[Path] = []
    stopped = ""
    with workers_of(options, len(sizes)) as workers, Progress() as progress:
        estimate, processes = _estimate(sizes, workers.count), counted(workers.count, "process")
        # Revisions that are the same system in a scope share a search; which do is not known yet.
        most = "at most " * (len(revisions) > 1)
        print(f"{most}{counted(len(sizes), 'search')}, {estimate} with {processes}", file=sys.stderr)

        def show() -> None:
            passed = time.perf_counter() - started
            progress.show(f"{len(found)} of {pairs_of(len(sizes))}, {passed:.0f} s")

        try:
            show()
            for entry in check_all(revisions, plans, workers, options.max_states, show):
                found.append(entry)
            for file in write_reports(reports, in_order(found), workers) if reports else ():
                files.append(file)
                progress.show(f"{pairs_of(len(sizes))}, {counted(len(files), 'file')}")
        except (KeyboardInterrupt, BrokenProcessPool) as error:
            workers.stop()
            stopped = "interrupted" if isinstance(error, KeyboardInterrupt) else "a process died, perhaps out of memory"
            files = list(write_reports(reports, in_order(found))) if reports else []
    passed = time.perf_counter() - started
    return Outcome(in_order(found), len(sizes), stopped, files, passed, _command(options), options.max_states)


def _estimate(sizes: list[int | None], workers: int) -> str:
    """About how long the searches will take, by what the table of expectations knows of them."""
    from properties.results.ledger import expected_seconds

    known = [size for size in sizes if size is not None]
    seconds = expected_seconds(known, workers)
    states = f"{sum(known) / 1e6:.1f} million states" if sum(known) > 1e5 else counted(sum(known), "state")
    about = f"about {seconds / 60:.0f} minutes" if seconds > 100 else f"about {max(seconds, 1):.0f} s"
    unknown = len(sizes) - len(known)
    return f"{states}, {about}" + (f", and {unknown} of a size that nobody knows," if unknown else "")


def _print(done: Outcome, out: Path, everything: bool) -> None:
    """What stands behind each property, and the summary; or all of both, and all verdicts between them."""
    from properties.commands.evidence import INDEX, LEDGER
    from properties.results import assurance
    from properties.results.ledger import table

    if standing := assurance.of_entries(done.entries):
        print(assurance.table(standing, everything), end="\n\n")
    if everything:
        print(table(done.entries, shutil.get_terminal_size((140, 24)).columns), end="\n\n")
    index, violations = out / INDEX, len(done.reports) // (1 if done.stopped else 2)
    what = "a trace of each, as JSON without a report," if done.stopped else "a report on each"
    print(f"{counted(violations, 'kind')} of violations; {what} is listed in {index}")
    print(f"all verdicts: {out / LEDGER}, or attestation check --all\n")
    print(done.summary())


def _write_expectations(done: Outcome) -> int:
    """Put what was searched to its end into the table of expectations, and say how much of it that changes. Returns the
    exit status."""
    from properties.results import expected

    before, table = expected.EXPECTED.read_text(encoding="utf-8"), expected.expectations()
    rows = {(entry.revision, entry.plan.name): entry.row for entry in done.entries if entry.complete}
    planned = {place: row for place, row in rows.items() if expected.plan_of(*place)}
    changed = [(name, scope) for (name, scope), row in planned.items() if table.get(name, {}).get(scope) != row]
    after = expected.merged(before, planned)
    if after != before:
        write(expected.EXPECTED, after)
    for revision, scope in changed:
        print(f"{revision}, {scope}")
    left_out = counted(done.planned - len(planned), "search") + " left out: cut short, or not of the ledger"
    print(f"{expected.EXPECTED}: {counted(len(changed), 'row')} of {len(planned)} changed; {left_out}")
    return Status.DONE if done.is_complete else Status.CUT_SHORT


def _command(options: argparse.Namespace) -> str:
    """The command line that repeats the run: the options that matter for the result."""
    words = [f"--revision {name}" for name in options.revision or []]
    words += [f"--instance {name}" for name in options.instance or []]
    words += ["--deep"] if options.deep else []
    words += [f"--max-states {options.max_states}"] if options.max_states else []
    return " ".join(["attestation check", *words])
