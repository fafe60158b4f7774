"""Write parts of `properties/results/kept.json` anew, from runs that take too long for each `attestation check`:

    python -m docs.generator.kept PART…

The parts are those of `PARTS`; without any, all are written.
"""

from __future__ import annotations

import io
import json
import os
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import redirect_stdout
from functools import partial
from pathlib import Path
from typing import Any

from model.revisions import REVISIONS
from model.revisions import revision as by_name
from properties.claims.catalogue import CATALOGUE
from properties.claims.kinds import Kind
from properties.cli import main
from properties.engines.workers import Workers
from properties.proofs.obligations import Budget
from properties.proofs.results import Result
from properties.proofs.session import Session
from properties.proofs.theorems import ABOUT, DESIGNS, theorems_of
from properties.results.assurance import fired
from properties.results.dropped import judged, survey
from properties.results.kept import GROUPS, KEPT, digest, group_of
from properties.results.ledger import check_all
from properties.results.places import is_tolerated
from properties.results.verdicts import HoldsToDepth, Proved, Violated
from properties.scopes.plans import PLANS
from properties.stateful.machine import CountedMachine, drive
from properties.stateful.models import PROGRESS
from properties.stateful.profiles import MACHINES, PROFILES, SYSTEMS, Profile, parts
from properties.stateful.system import SystemMachine

RECORDINGS = Path(__file__).parents[2] / "tests" / "conformance"


def proved() -> Mapping[str, Any]:
    """For each property: the numbers of attesters for which it is proved, and how deep it was searched."""
    found = {}
    for group, (_, revision) in GROUPS.items():
        about = by_name(revision)
        session = DESIGNS[about.design].session(about, Budget())
        cells = {claim.name: (_sizes(session, claim.name), _depth(session, claim.name)) for claim in CATALOGUE}
        found[group] = {name: cell for name, cell in cells.items() if any(cell)}
    return found


def _sizes(session: Session, name: str) -> str:
    theorems = theorems_of(session.revision).get(ABOUT.get(name, name), ())
    found: list[Result] = [result for each in theorems for result in each.prove(session, each.chosen(None, False))]
    if any(isinstance(result.verdict, Violated) for result in found):
        return "fails"
    if not found or not all(isinstance(result.verdict, Proved) for result in found):
        return ""
    if any("any number" in result.theorem for result in found):
        return "any"
    sizes = [int(each) for result in found for each in re.findall(r"\d+", _named(result))]
    return f"({max(sizes)})" if name in ABOUT else str(max(sizes))


def _named(result: Result) -> str:
    """The numbers of attesters that a proof names."""
    assert isinstance(result.verdict, Proved)
    listed = re.search(r"N = ([\d, ]*\d)", result.verdict.sizes)
    return listed[1] if listed else ""


def _depth(session: Session, name: str) -> str:
    if next(claim.kind for claim in CATALOGUE if claim.name == name) is not Kind.ALWAYS:
        return ""
    verdict = session.bounded(name).verdict
    if isinstance(verdict, Violated):
        return f"{len(verdict.trace.steps)}!"
    return str(verdict.depth) if isinstance(verdict, HoldsToDepth) else ""


def driven(profile: Profile = PROFILES["ci"]) -> Mapping[str, Any]:
    """For each property: in how many runs of the system machines it was asserted, or seen, and their steps."""
    counts = Counter[str]()
    for machine in SYSTEMS.values():
        for part, settings in parts(_counting(MACHINES[machine]), profile):
            counts.update(drive(part, settings, 0))

    def figures(group: str, name: str) -> list[int]:
        return [counts[f"{what} {group} {name}"] for what in ("runs", "steps")]

    names = [claim.name for claim in CATALOGUE]
    return {group: {name: found for name in names if any(found := figures(group, name))} for group in GROUPS}


def _counting(machine: type[CountedMachine]) -> type[CountedMachine]:
    """The machine, counting for each property the runs in which it is asserted or seen."""
    assert issubclass(machine, SystemMachine)

    class Counting(machine):  # type: ignore[misc, valid-type] # a class that is not known by name
        def teardown(self) -> None:
            super().teardown()
            run = self.run
            names = {name for name, _ in run.model.invariants} | ({PROGRESS} if run.model.must_progress else set())
            seen = {claim.name for claim in CATALOGUE if run.counts[f"runs with {claim.name}"]}
            for name in (*names, *seen):
                self.count(f"runs {group_of(run.model.system.revision.name)} {name}")
                self.count(f"steps {group_of(run.model.system.revision.name)} {name}", len(run.actions))

    return Counting


def recorded() -> Mapping[str, Any]:
    """How many recorded runs of systems there are, and how many the model can follow."""
    runs, agree = Counter[str](), Counter[str]()
    for line in (line for name in ("system-logs", "controller-logs") for line in _replayed(name)):
        group = group_of(line["revision"])
        runs[group] += 1
        agree[group] += line["verdict"] == "accepted"
    return {group: {"runs": runs[group], "agree": agree[group]} for group in GROUPS}


def _replayed(name: str) -> Iterator[Mapping[str, Any]]:
    printed = io.StringIO()
    with redirect_stdout(printed):
        main(["replay", "--json", str(RECORDINGS / f"{name}.jsonl.gz")])
    return map(json.loads, printed.getvalue().splitlines())


def spoken() -> Mapping[str, Any]:
    """How often a state had what a property speaks about, in the scopes that are checked by default."""
    plans = [plan for plan in PLANS if is_tolerated(plan) and not plan.deep]
    with Workers(os.cpu_count() or 1) as workers:
        counts = fired(check_all(list(REVISIONS), plans, workers))
    return {group: {name: count for (of, name), count in sorted(counts.items()) if of == group} for group in GROUPS}


def dropped() -> Mapping[str, Any]:
    """For each property that promises something, what becomes of it without each assumption."""
    promises = [claim for claim in CATALOGUE if claim.kind is not Kind.SOMETIMES]
    with Workers(os.cpu_count() or 1) as workers:
        return survey(promises, partial(workers.map, judged))


PARTS: Mapping[str, Callable[[], Mapping[str, Any]]] = {
    "proved": proved,
    "driven": driven,
    "recorded": recorded,
    "spoken": spoken,
    "dropped": dropped,
}
"""What is kept, and how it is found out."""


def write(part: str) -> None:
    """Find one part out anew."""
    found = PARTS[part]()
    kept = json.loads(KEPT.read_text(encoding="utf-8"))
    model = {group: digest(group) for group in GROUPS}
    kept[part] = {"command": f"python -m docs.generator.kept {part}", "model": model, "found": found}
    KEPT.write_text(json.dumps(dict(sorted(kept.items())), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    for chosen in sys.argv[1:] or PARTS:
        write(chosen)
