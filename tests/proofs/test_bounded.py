"""Bounded search and the explorer agree on what can be reached and on the number of steps."""

from __future__ import annotations

from dataclasses import replace

import pytest

from model.algebra import TRUE, Bool, all_of, any_of, bool_variable, int_variable
from model.revisions import REVISIONS
from model.rules import threshold
from model.scope import Scope, instance
from model.system import assemble, build
from model.votes import Electorate
from properties.claims.catalogue import CATALOGUE
from properties.claims.kinds import Kind
from properties.engines.bounded import Unrolling
from properties.engines.checking import Check
from properties.engines.explorer import first_where
from properties.engines.smt import Unbounded
from properties.engines.stepper import Stepper
from properties.proofs.registry_design.permanence import target as deadlock_of
from properties.results.trace import record, replay
from tests.broken_models import BROKEN_MODELS, BrokenModel

pytestmark = pytest.mark.slow

STEPS = {"late_answers": True, "finder_steps": True, "attester_steps": True}
BROKEN = [
    broken
    for broken in BROKEN_MODELS
    if broken.name
    in ("asks_from_second_batch", "support_whatever_the_hash", "threshold_of_half", "admits_below_minimum")
]

SYSTEMS = {
    "one attester": ("pr161+era2480", Scope(instance("n1f0b0"), 2)),
    "stepwise": ("pr161+era2480", Scope(instance("n1f0b0"), 1, **STEPS)),
    "a forger": ("pr161+era2539", Scope(instance("w5,1b1"), 2)),
    "a restart": ("pr167+era2480", Scope(instance("n1f0b0"), 1, restarts=1, disconnects=1)),
}


@pytest.mark.parametrize(("revision", "scope"), SYSTEMS.values(), ids=SYSTEMS)
def test_same_depth_for_every_property(revision: str, scope: Scope) -> None:
    """Every `always` is violated, and every `sometimes` reached, after as many steps as the explorer needs; where the
    explorer finds nothing, bounded search finds nothing in the first steps."""
    check = Check(build(REVISIONS[revision], scope))
    assert check.search.complete
    compared = 0
    for claim in CATALOGUE:
        conjuncts = claim.conjuncts(check.system)
        if claim.kind is Kind.ALWAYS:
            target = any_of(part.when & ~part.holds for part in conjuncts)
        elif claim.kind is Kind.SOMETIMES:
            target = all_of(part.holds for part in conjuncts)
        else:
            continue
        compared += conjuncts != ()
        agree_on(check, target)
    assert compared >= 7


def agree_on(check: Check, target: Bool) -> int | None:
    """That both engines reach the target after the same number of steps, or not at all; how many."""
    place = first_where(check.search, target)
    expected = place[0] if place else None
    unrolled = Unrolling(check.system, target)
    found = unrolled.reaches(expected if expected is not None else min(check.search.depth, DEEP_ENOUGH))
    assert found.why is None
    assert (None if found.actions is None else len(found.actions)) == expected
    if found.actions is not None:
        assert found.refuted == expected - 1
        stepper = Stepper(check.system)
        trace = record(stepper, found.actions)
        assert stepper.evaluator(target)(replay(trace, stepper))[0], "the run ends where the target holds"
    return expected


DEEP_ENOUGH = 7
"""Refuting every depth up to the deepest level would take the solver minutes."""


@pytest.mark.parametrize(("scope", "steps"), [("n1f0b0", 13), ("n2f0b0", 17)])
def test_the_point_of_no_return_is_as_near_as_for_the_explorer(scope: str, steps: int) -> None:
    small = Scope(instance(scope), 3)
    check = Check(build(REVISIONS["pr161+era2480"], small))
    target = deadlock_of(check.system)
    found = agree_on(check, target)
    verdict = check.verdicts()["progress_possible"]
    shortest = {trace.kind: len(trace.steps) for trace in verdict.kinds}["registry_minimum"]
    assert found == shortest == steps


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: broken.name)
def test_a_broken_model_is_found_as_soon_as_by_the_explorer(broken: BrokenModel) -> None:
    with broken.applied():
        check = Check(broken.build())
        for claim in CATALOGUE:
            if claim.name in broken.violates and claim.kind is Kind.ALWAYS:
                bad = any_of(part.when & ~part.holds for part in claim.conjuncts(check.system))
                assert agree_on(check, bad) is not None


def test_open_weights_are_found_along_with_the_run() -> None:
    """Weights that nobody chose: Z3 finds a committee in which the second attester makes a quorum alone."""
    scope = Scope(instance("n2f0b0"), 1)
    weights = tuple(int_variable(f"weight {name}", 1, 7) for name in "ab")
    electorate = Electorate(weights, threshold(weights[0] + weights[1]))
    system = assemble(REVISIONS["pr161+era2539"], scope, electorate, (~TRUE, ~TRUE))
    silent = system.main.registry.votes[0].number == -1
    target = (system.main.store.certified.largest == 0) & silent & (system.state.links[0].old[0].number == -1)
    found = Unrolling(system, target).reaches(14, 60)
    assert found.actions is not None
    chosen = {variable.value[0]: value for variable, value in found.parameters.items()}
    assert chosen["weight b"] >= threshold(sum(chosen.values()))


def test_the_assumption_is_heeded() -> None:
    scope = Scope(instance("n1f0b1"), 1)
    liar = bool_variable("byzantine")
    weight = Electorate((int_variable("weight", 1, 1),), int_variable("threshold", 1, 1))
    system = assemble(REVISIONS["pr161+era2539"], scope, weight, (liar,))
    forged = system.main.registry.votes[0].variant != 0
    assert Unrolling(system, forged).reaches(3, 60).actions is not None
    assert Unrolling(system, forged, assuming=~liar).reaches(3, 60).actions is None


def test_a_scope_without_bounds_is_refused() -> None:
    system = build(REVISIONS["pr161+era2480"], replace(Scope(instance("n1f0b0")), batches=None))
    with pytest.raises(Unbounded):
        Unrolling(system, TRUE)


def test_giving_up_is_not_refuting() -> None:
    """A search that runs out of time says so, and names no depth that it did not refute."""
    system = build(REVISIONS["pr161+era2480"], Scope(instance("n2f0b0"), 3))
    target = deadlock_of(system)
    cut = Unrolling(system, target).reaches(17, seconds=0.05)
    assert cut.actions is None
    assert cut.why
    assert cut.refuted < 16
