"""Known defects stay findable: Hypothesis finds each from scratch, and what it finds shortens to about the shortest.

Which defects there are, and how short, is asked of the exhaustive search of the same small scope; a defect that is gone
there, or a new one, fails here as well.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import pytest

from model.revisions import REVISIONS
from model.scope import BAD_SIGNATURE, Scope, instance
from model.system import build
from model.topology import MAIN
from properties.checking import Check
from properties.claims.catalogue import CATALOGUE, claim
from properties.claims.kinds import Kind
from properties.engines.packing import Packing
from properties.engines.stepper import Stepper
from properties.stateful.profiles import Profile
from properties.stateful.search import Violation, search
from properties.trace import replay
from properties.verdicts import Violated

BUDGET, LONGEST, MARGIN = 20_000, 120, 2
"""How many runs at most, of how many steps; and how much longer than the shortest run the shortened one may be."""

SCOPES = {
    "two honest": Scope(instance("n2f0b0"), batches=3),
    "one, stepwise": Scope(instance("n1f0b0"), batches=3, late_answers=True, finder_steps=True, attester_steps=True),
    "one of two Byzantine": Scope(instance("w5,1b1"), batches=2),
    "one of six Byzantine": Scope(instance("n6f1b1"), batches=2),
    "main node pruned": Scope(instance("n1f0b0"), batches=2, pruned=MAIN),
    "bad signatures": Scope(instance("n1f0b0"), batches=1, topology="relay", bad_votes=BAD_SIGNATURE),
}

QUICK = ("one of two Byzantine",)
KINDS = {"one of six Byzantine": (Kind.ALWAYS,)}
"""In larger scopes, looking ahead one state at a time takes too long."""

RARE = {
    ("two honest", "progress_possible", "overtaken"): "one run in tens of thousands, where smaller numbers stop nodes"
}
"""Defects that are searched for in the other scopes only, and why."""


@dataclass(frozen=True)
class Defect:
    """A property of a revision that fails in a scope, in one way, and in how many steps."""

    revision: str
    scope: str
    claim: str
    kind: str | None
    shortest: int


@cache
def defects(revision: str, scope: str) -> list[Defect]:
    """All that the exhaustive search finds."""
    system = build(REVISIONS[revision], SCOPES[scope])
    check = Check(system, symmetry=Packing(system).has_symmetry)
    verdicts = check.verdicts(
        [claim for claim in CATALOGUE if claim.kind in KINDS.get(scope, (Kind.ALWAYS, Kind.POSSIBLE))]
    )
    return [
        Defect(revision, scope, name, trace.kind, len(trace.steps))
        for name, verdict in verdicts.items()
        if isinstance(verdict, Violated)
        for trace in verdict.kinds or (verdict.trace,)
    ]


def revisions_of(profile: Profile) -> list[str]:
    """The first revision of each rule for the start; all of them where there is time."""
    return list(REVISIONS)[:2] if profile.quick else list(REVISIONS)


@pytest.mark.parametrize("scope", SCOPES)
def test_each_defect_is_found_from_scratch_and_shortens_to_about_the_shortest_run(
    scope: str, profile: Profile, show: Callable[[str], None]
) -> None:
    if profile.quick and scope not in QUICK:
        pytest.skip(f"profile {profile.name} tries {' and '.join(QUICK)}")
    for revision in revisions_of(profile):
        stepper = Stepper(build(REVISIONS[revision], SCOPES[scope]))
        for defect in defects(revision, scope):
            if revision.startswith("pr161") or (scope, defect.claim, defect.kind) not in RARE:
                violation = Violation(stepper, claim(defect.claim), defect.kind)
                figures = [found(defect, stepper, violation, seed) for seed in range(profile.seeds)]
                show(f"{defect}: (runs, length) {figures}")


def found(defect: Defect, stepper: Stepper, violation: Violation, seed: int) -> tuple[int, int]:
    """How many runs it took, and the length after shortening."""
    finding = search(stepper, violation, seed, BUDGET, LONGEST)
    assert finding is not None, f"{defect} is not found with seed {seed}"
    assert defect.shortest <= len(finding.actions) <= defect.shortest + MARGIN, (defect, seed, len(finding.actions))
    assert violation(replay(finding.trace(stepper, defect.claim), stepper))
    return finding.runs, len(finding.actions)


def test_the_defects_of_the_first_revision_are_the_known_ones() -> None:
    kinds = {(defect.claim, defect.kind) for defect in defects("pr161+era2480", "two honest")}
    assert ("no_gaps_on_main_node", None) in kinds
    assert {("progress_possible", kind) for kind in ("registry_minimum", "newer_vote", "vote_lost")} <= kinds
    assert [defect.claim for defect in defects("pr161+era2539", "one of two Byzantine")] == ["certificates_verify"]
    assert defects("pr161+era2539", "two honest") == []


def test_what_is_not_there_is_not_found() -> None:
    stepper = Stepper(build(REVISIONS["pr161+era2539"], SCOPES["two honest"]))
    for name in ("no_gaps_on_main_node", "progress_possible"):
        assert search(stepper, Violation(stepper, claim(name)), 0, 60, LONGEST) is None


def test_the_same_seed_finds_the_same_run() -> None:
    stepper = Stepper(build(REVISIONS["pr161+era2480"], SCOPES["one of two Byzantine"]))
    first, again, other = (
        search(stepper, Violation(stepper, claim("certificates_verify")), seed, BUDGET, LONGEST) for seed in (1, 1, 2)
    )
    assert first == again != other
