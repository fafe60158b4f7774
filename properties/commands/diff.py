"""`attestation diff`: what changes from one revision to another."""

from __future__ import annotations

import argparse
import json
from collections.abc import Collection
from concurrent.futures.process import BrokenProcessPool

from model.revisions import without_proposals
from properties.commands.check import own_plan
from properties.commands.options import add_max_states, add_workers, again, workers_of
from properties.commands.statuses import Status
from properties.commands.terminal import Progress
from properties.commands.usage import UsageError, checked_instance, checked_revision, counted
from properties.render import comparison
from properties.render.comparison import Diff
from properties.results.comparison import compare_all
from properties.scopes.plans import PLANS, Plan

FORMATS = ("text", "markdown")


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("before", metavar="R1", help="the revision as it was")
    parser.add_argument("after", metavar="R2", help="the revision as it is to be; one of your own, too")
    parser.add_argument(
        "--instance", action="append", metavar="I", help="compare only in scopes of this instance (may be repeated)"
    )
    parser.add_argument("--deep", action="store_true", help="the larger scopes, too: minutes")
    parser.add_argument("--format", choices=FORMATS, help="text, or markdown: a review comment (text)")
    parser.add_argument("--json", action="store_true", help="what was found for machines (docs/json.md)")
    add_max_states(parser)
    add_workers(parser)


def run(options: argparse.Namespace) -> int:
    """Compare, and print what differs. An interrupt leaves what is finished."""
    if options.json and options.format:
        raise UsageError("--json is a format of its own; leave out --format, or --json")
    diff = compared(options)
    if options.json:
        print(json.dumps(comparison.as_json(diff), indent=2))
    else:
        print(comparison.markdown(diff).rstrip() if options.format == "markdown" else comparison.text(diff))
    if not diff.is_complete:
        return Status.CUT_SHORT
    return Status.DONE if diff.is_equal else Status.FOUND


def compared(options: argparse.Namespace) -> Diff:
    """Both revisions, in the scopes of the ledger that both are in. Raises `UsageError`."""
    names = (checked_revision(options.before).name, checked_revision(options.after).name)
    if names[0] == names[1]:
        raise UsageError(f"both revisions are {names[0]}; name two that differ")
    instances = list(dict.fromkeys(checked_instance(name).name for name in options.instance or []))
    plans = scopes_of(names, instances, options.deep)
    found = []
    with workers_of(options, len(plans)) as workers, Progress() as progress:
        try:
            for each in compare_all(names, plans, workers, options.max_states):
                found.append(each)
                progress.show(f"{len(found)} of {counted(len(plans), 'scope')}")
        except (KeyboardInterrupt, BrokenProcessPool):
            workers.stop()
    command = again(f"diff {options.before} {options.after}", options, "instance", "deep", "max-states")
    return Diff(names, found, len(plans), command)


def scopes_of(revisions: tuple[str, str], instances: Collection[str] = (), deep: bool = False) -> list[Plan]:
    """The scopes of the ledger that both revisions are in, a revision with proposals like the one without; and of an
    instance that the ledger has not, its joined scope."""
    released = [without_proposals(name) for name in revisions]
    listed = [plan for plan in PLANS if not instances or plan.instance in instances]
    plans = [plan for plan in listed if (deep or not plan.deep) and all(map(plan.is_for, released))]
    return plans + [own_plan(name) for name in instances if not any(plan.instance == name for plan in plans)]
