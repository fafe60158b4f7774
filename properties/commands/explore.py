"""`attestation explore`: exhaustive search of one scope."""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING

from properties.commands.options import add_scope, scope_of

if TYPE_CHECKING:
    from properties.checking import Check
    from properties.engines.explorer import Exploration

VIOLATION = 1
CUT_SHORT = 3


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_scope(parser)
    parser.add_argument("--json", action="store_true", help="states, transitions, depth, seconds, symmetry, verdicts")


def run(options: argparse.Namespace) -> int:
    """Search, judge every property, and print what was found."""
    revision, scope = scope_of(options)
    from model.system import build
    from properties.checking import Check
    from properties.engines.packing import Packing

    system = build(revision, scope)
    symmetry = not options.no_symmetry and Packing(system).has_symmetry
    done = Check(system, symmetry, options.max_states, progress if sys.stderr.isatty() else None)
    verdicts = done.verdicts()
    if options.json:
        print(json.dumps(as_json(done), indent=2))
    else:
        search = done.search
        finished = "exhausted" if search.complete else "cut short"
        print(f"{revision.name}, {scope.instance.name}, {scope.name}: {finished}")
        rate = search.transitions / max(search.seconds, 1e-9) / 1e6
        order = " (attesters in any order count once)" if search.symmetry else ""
        print(
            f"{search.states:,} states{order}, {search.transitions:,} transitions, depth {search.depth}, "
            f"{search.seconds:.2f} s, {rate:.1f} million transitions per second"
        )
        for name, verdict in verdicts.items():
            print(f"  {name.ljust(34)} {verdict}")
    if not done.search.complete:
        return CUT_SHORT
    return VIOLATION if any(verdict.word == "VIOLATED" for verdict in verdicts.values()) else 0


def as_json(done: Check) -> dict[str, object]:
    """What was found, for machines."""
    search = done.search
    return {
        "revision": done.system.revision.name,
        "instance": done.system.scope.instance.name,
        "scope": done.system.scope.name,
        "states": search.states,
        "transitions": search.transitions,
        "depth": search.depth,
        "seconds": round(search.seconds, 3),
        "symmetry": search.symmetry,
        "complete": search.complete,
        "verdicts": {name: verdict.as_json() for name, verdict in done.verdicts().items()},
    }


def progress(search: Exploration) -> None:
    """Show how far the search is."""
    print(f"\rdepth {search.depth}, {search.states:,} states", end="", file=sys.stderr, flush=True)
