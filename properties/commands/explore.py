"""`attestation explore`: exhaustive search of one scope."""

from __future__ import annotations

import argparse
import json
import sys

from model.revisions import idle_parts
from model.system import build
from properties.claims.catalogue import CATALOGUE, claim
from properties.commands.options import add_scope, repeating, say_idle_switches, scope_of
from properties.commands.statuses import Status
from properties.commands.terminal import Progress
from properties.commands.usage import counted
from properties.engines.checking import Check
from properties.engines.explorer import Exploration
from properties.engines.memory import taken
from properties.engines.packing import Packing
from properties.engines.workers import cores
from properties.render.command import scope_options
from properties.render.words import bounds, left_out
from properties.results.ledger import idle_in
from properties.results.trace import scope_as_json
from properties.results.verdicts import Unknown, Verdict

FORMAT = "attestation-exploration/1"
INTERRUPTED = "interrupted"


def configure(parser: argparse.ArgumentParser) -> None:
    add_scope(parser)
    parser.add_argument("--json", action="store_true", help="what was found for machines (docs/json.md)")


def run(options: argparse.Namespace) -> int:
    """Search, judge every property, and print what was found. An interrupt leaves what is finished."""
    revision, scope = scope_of(options)
    said = idle_parts(revision.name)
    for part in idle_in(revision.name, scope):
        if part not in said:
            print(f"{part} changes nothing in this scope: without it the system is the same", file=sys.stderr)
    system = build(revision, scope)
    say_idle_switches(system, options.switches)
    symmetry = not options.no_symmetry and Packing(system).has_symmetry
    with Progress() as progress:
        done = Check(system, symmetry, options.max_states, progress.watch, cores())
        verdicts, complete = _judged(done, progress)
    command = repeating("explore", revision.name, scope, options.no_symmetry, options.max_states)
    if options.json:
        print(json.dumps(as_json(done, verdicts, complete, command), indent=2))
    else:
        _print(done, verdicts, complete, command)
    if not complete:
        return Status.CUT_SHORT
    is_violated = any(verdict.word == "VIOLATED" for verdict in verdicts.values())
    return Status.FOUND if is_violated else Status.DONE


def _judged(done: Check, progress: Progress) -> tuple[dict[str, Verdict], bool]:
    """The verdict of each property, and whether nothing was cut short: after an interrupt the rest is unknown."""
    verdicts: dict[str, Verdict] = {}
    try:
        for number, (name, verdict) in enumerate(done.judged(CATALOGUE), 1):
            verdicts[name] = verdict
            progress.show(f"{counted(done.search.states, 'state')}, {number} of {len(CATALOGUE)} properties")
    except KeyboardInterrupt:
        pass
    found = {claim.name: verdicts.get(claim.name, Unknown(INTERRUPTED)) for claim in CATALOGUE}
    return found, done.search.complete and not any(isinstance(verdict, Unknown) for verdict in found.values())


def _print(done: Check, verdicts: dict[str, Verdict], complete: bool, command: str) -> None:
    search, scope = done.search, done.system.scope
    _, _, *given = (value for _, value in scope_options(scope))
    rate = search.transitions / max(search.seconds, 1e-9) / 1e6
    order = " (attesters in any order count once)" if search.symmetry else ""
    title = [done.system.revision.name, scope.instance.name, counted(scope.batches or 0, "batch"), *given]
    print(f"{', '.join(title)}: {'exhausted' if complete else 'CUT SHORT'}")
    if search.out_of_memory:
        print(memory_needed(search))
    print(
        f"{counted(search.states, 'state')}{order}, {counted(search.transitions, 'transition')}, depth {search.depth}, "
        f"{search.seconds:.2f} s, {rate:.1f} million transitions per second"
    )
    for name, verdict in verdicts.items():
        print(f"  {name.ljust(34)} {verdict}")
    design = done.system.revision.design
    print(f"bounds: {bounds(scope, design=design)}")
    print(f"left out: {'; '.join(left_out(scope, design)) or 'nothing'}")
    print(f"to repeat: {command}; no seed: the search is exhaustive")


def memory_needed(search: Exploration) -> str:
    """What is lacking, what the states that were searched take, and what the next level would take by how the last has
    grown."""
    last = len(search.levels[-1][0]) if search.levels else 0
    all_taken = taken(search.processes)
    each = all_taken / max(search.states, 1)
    return (
        f"out of memory: {search.out_of_memory}; {counted(search.states, 'state')} take {all_taken / 1e6:,.0f} MB; the "
        f"next level has about {last * search.growth:,.0f} states, which take {last * search.growth * each / 1e6:,.0f} "
        "MB more"
    )


def as_json(done: Check, verdicts: dict[str, Verdict], complete: bool, command: str) -> dict[str, object]:
    search, scope = done.search, done.system.scope
    return {
        "format": FORMAT,
        "command": command,
        "revision": done.system.revision.name,
        "instance": scope.instance.name,
        "scope": scope_as_json(scope),
        "bounds": bounds(scope, design=done.system.revision.design),
        "left_out": left_out(scope, done.system.revision.design),
        "symmetry": search.symmetry,
        "complete": complete,
        "states": search.states,
        "transitions": search.transitions,
        "depth": search.depth,
        "seconds": round(search.seconds, 3),
        "verdicts": {
            name: {**verdict.as_json(), "assumptions": claim(name).assumptions} for name, verdict in verdicts.items()
        },
    }
