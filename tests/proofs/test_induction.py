"""No gaps by induction: proved where it holds, and not where the model is broken or an assumption is missing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from model.algebra import FALSE, TRUE, all_of
from model.revisions import CONTROLLER, PROPOSALS, REGISTRY, REVISIONS, Revision, compose, of_design
from model.scope import Scope, instance
from model.system import assemble, build
from properties.claims.catalogue import claim
from properties.engines.stepper import Stepper
from properties.proofs.committees import Committee
from properties.proofs.induction import INVARIANT, START, Induction, Invariant, describe, first_failure, is_proved
from properties.proofs.obligations import Answer, Budget, Outcome
from properties.proofs.registry_design import any_size, no_gaps, views
from properties.proofs.registry_design.certificates import none_below_minimum
from properties.proofs.registry_design.invariants import NO_GAP, no_gap_invariant
from properties.proofs.registry_design.no_gaps import any_number, fixed_sizes
from properties.proofs.registry_design.open_system import ALL_DETAIL, EVERY_WAY, open_system
from properties.proofs.registry_design.session import RegistrySession
from properties.proofs.registry_design.start_up_deadlock import no_deadlock
from properties.proofs.theorems import DESIGNS, results, theorems_of
from properties.results.trace import replay
from properties.results.verdicts import NotInductive, Proved, Violated
from tests.broken_models import BROKEN_MODELS, BrokenModel

GENESIS, LAST_SEALED = REVISIONS["pr161+era2539"], REVISIONS["pr161+era2480"]
BUDGET = Budget(30)


def argument(revision: Revision, attesters: int, scope: Scope = ALL_DETAIL) -> Induction:
    return RegistrySession(revision, BUDGET).argument(attesters, scope)


@pytest.mark.parametrize("attesters", [1, 2, *(pytest.param(many, marks=pytest.mark.slow) for many in (6, 8))])
def test_no_gaps_is_inductive(attesters: int) -> None:
    subject = argument(GENESIS, attesters)
    outcomes = subject.prove(BUDGET)
    assert [outcome.name for outcome in outcomes if outcome.answer is not Answer.PROVED] == []
    asked = {(outcome.subject, outcome.goal) for outcome in outcomes}
    for action in subject.system.actions:
        for conjunct in (*subject.invariant, "domains"):
            assert (describe(action), getattr(conjunct, "name", conjunct)) in asked
    assert "restart_node() of M" in {outcome.subject for outcome in outcomes}
    assert "forge_vote(at=M) of a" in {outcome.subject for outcome in outcomes}


@pytest.mark.slow
@pytest.mark.parametrize("topology", ["direct", "relay", "mesh"])
def test_no_gaps_is_inductive_with_votes_both_ways(topology: str) -> None:
    assert is_proved(argument(GENESIS, 2, replace(EVERY_WAY, topology=topology)).prove(BUDGET))


@pytest.mark.slow
def test_no_gaps_is_inductive_in_a_full_mesh_of_three() -> None:
    assert is_proved(argument(GENESIS, 3, replace(EVERY_WAY, topology="mesh")).prove(BUDGET))


@pytest.mark.parametrize(
    "name",
    [name if name < "pr165" else pytest.param(name, marks=pytest.mark.slow) for name in sorted(of_design(REGISTRY))],
)
def test_the_start_rule_decides(name: str) -> None:
    """Where attestation starts at the last sealed batch, inserting the first certificate breaks the induction."""
    outcomes = argument(REVISIONS[name], 1).prove(BUDGET)
    broken = {outcome.subject for outcome in outcomes if outcome.answer is Answer.REFUTED}
    assert {outcome.answer for outcome in outcomes} <= {Answer.PROVED, Answer.REFUTED}
    assert broken == ({"insert_qc() of M"} if name.endswith("era2480") else set())


def test_the_invariant_holds_in_every_reachable_state_of_a_small_scope() -> None:
    """What is proved by induction is seen by enumeration, too, where certificates are a set and not a range."""
    scope = Scope(instance("w5,1b1"), 2, late_answers=True, queue=2, restarts=1)
    system = build(GENESIS, scope)
    stepper = Stepper(system)
    invariant = all_of(conjunct.holds for conjunct in no_gap_invariant(system, (FALSE, TRUE)))
    holds = stepper.evaluator(invariant)
    found, todo = {stepper.initial}, [stepper.initial]
    while todo and len(found) < 30_000:
        state = todo.pop()
        assert holds(state)[0]
        for _, after in stepper.successors(state):
            if after not in found:
                found.add(after)
                todo.append(after)
    assert len(found) > 1000


@pytest.mark.slow
def test_a_failure_comes_with_the_smallest_counterexample_and_a_run() -> None:
    result = next(fixed_sizes(RegistrySession(LAST_SEALED, BUDGET), (2,)))
    assert result.transit is not None
    assert result.transit.action == "insert_qc() of M"
    assert "weight.b" not in result.transit.open, "one attester is enough"
    assert result.transit.open["weight.a"] == 1
    assert result.transit.changes["M.store.largest_certified"] == (-1, 1), "batch 1 is certified first"
    assert isinstance(result.verdict, Violated)
    assert result.verdict.trace.scope.instance.weights == (5, 1)
    assert len(result.verdict.trace.steps) == 19
    replay(result.verdict.trace)


def test_without_a_run_a_failure_is_possibly_unreachable() -> None:
    result = next(fixed_sizes(RegistrySession(LAST_SEALED, BUDGET, search_depth=5), (1,)))
    assert isinstance(result.verdict, NotInductive)
    assert "possibly unreachable" in str(result.verdict)
    assert any("no run to a gap within 5 steps" in note for note in result.notes)


def test_a_failure_where_nothing_happens_is_vacuous() -> None:
    """As merged, PR 165 never starts the executor: the induction fails, from a state that is never reached."""
    result = next(fixed_sizes(RegistrySession(REVISIONS["pr165+era2480"], BUDGET), (1,)))
    assert result.verdict.word == "VACUOUS"
    assert result.transit is not None


def test_any_number_of_attesters() -> None:
    (result,) = any_number(RegistrySession(GENESIS, BUDGET), (2, 3))
    assert isinstance(result.verdict, Proved)
    assert {"quorum lemma", "quorum step", "views", "environment"} < {outcome.subject for outcome in result.outcomes}
    for words in ("views compared for N = 2, 3", "argued by hand", "votes one way, no pruning or regenesis"):
        assert words in str(result.verdict)


def without_conjunct(subject: Induction, name: str) -> Induction:
    return replace(subject, invariant=tuple(part for part in subject.invariant if part.name != name))


@pytest.mark.slow
@pytest.mark.parametrize("name", NO_GAP)
def test_the_proof_needs_the_conjunct(name: str) -> None:
    outcomes = without_conjunct(argument(GENESIS, 2), name).prove(BUDGET)
    assert any(outcome.answer is Answer.REFUTED for outcome in outcomes)


def test_the_proof_needs_the_byzantine_weight_below_the_threshold() -> None:
    outcomes = replace(argument(GENESIS, 2), assuming=TRUE).prove(BUDGET)
    failure = first_failure(outcomes)
    assert failure is not None
    assert failure.subject == "find_quorum() of M"


def test_the_bound_cannot_be_relaxed_by_one() -> None:
    """At exactly the threshold the proof fails already."""
    committee = Committee.of(2)
    at_most = committee.byzantine_weight <= committee.electorate.threshold
    assert first_failure(replace(argument(GENESIS, 2), assuming=at_most).prove(BUDGET)) is not None


def test_the_any_size_proof_needs_an_honest_supporter() -> None:
    """If any vote, a Byzantine one too, counted as the quorum's honest supporter, the proof would fail."""
    subject = any_size.induction(GENESIS)
    anybody = replace(views.view_electorate(Committee.of(2).byzantine), weights=Committee.of(2).weights)
    system = assemble(
        GENESIS, replace(ALL_DETAIL, instance=subject.system.scope.instance), anybody, Committee.of(2).byzantine
    )
    invariant = no_gap_invariant(system, Committee.of(2).byzantine)
    assert first_failure(Induction(system, invariant, TRUE).prove(BUDGET)) is not None


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in PROPOSALS if "start_kept" in name])
def test_a_start_that_is_kept_leaves_no_gaps(name: str) -> None:
    """The cure of the last-sealed start has its proof: for a fixed size, and for any."""
    assert [each.name for each in argument(compose(name), 2).prove(BUDGET) if each.answer is not Answer.PROVED] == []
    assert is_proved(any_size.induction(compose(name)).prove(BUDGET))


@pytest.mark.deep
@pytest.mark.parametrize("name", sorted(PROPOSALS))
def test_every_proposal_gets_a_verdict(name: str) -> None:
    """Nothing is raised, whichever obligation fails; and a cure of the gap only is one where it is proved."""
    proposal = compose(name)
    found = list(results(DESIGNS[proposal.design].session(proposal, BUDGET, (2,))))
    assert {result.claim for result in found} == set(theorems_of(proposal))
    gaps = next(result for result in found if result.theorem.startswith("no gaps, "))
    is_cured = proposal.design == CONTROLLER or "era2539" in name or "start_kept" in name
    assert gaps.verdict.word == ("PROVED" if is_cured else "VIOLATED")


def test_keeping_votes_does_not_touch_no_gaps() -> None:
    """No gaps is judged by what it needs: a registry with votes below its minimum is another property's business."""
    kept = RegistrySession(compose("pr161+era2539+votes_kept"), BUDGET)
    assert isinstance(next(fixed_sizes(kept, (1,))).verdict, Proved)
    below = next(none_below_minimum(kept, (1,)))
    assert isinstance(below.verdict, Violated)
    replay(below.verdict.trace)


def test_an_initial_state_that_breaks_a_conjunct_is_its_counterexample() -> None:
    subject = argument(GENESIS, 1)
    wrong = Invariant(
        "certified", "The main node has a certificate.", (subject.system.main.store.certified.largest > 0,)
    )
    broken = replace(subject, invariant=(wrong,))
    failure = first_failure(broken.prove(BUDGET))
    assert failure is not None
    transit = broken.counterexample(failure, BUDGET)
    assert transit is not None
    assert (transit.action, transit.conjunct, transit.changes) == (START, "certified", {})
    assert transit.before == subject.system.initial
    assert transit.as_json()["possibly_unreachable"] is False


def test_a_goal_that_does_not_follow_has_a_counterexample() -> None:
    subject = argument(GENESIS, 1)
    hasty = replace(subject, goals={"sealed": subject.system.state.sealed > 0})
    failure = next(each for each in hasty.prove(BUDGET) if each.answer is Answer.REFUTED)
    transit = hasty.counterexample(failure, BUDGET)
    assert transit is not None
    assert (transit.action, transit.conjunct) == (INVARIANT, "sealed")
    assert transit.before["sealed"] == 0
    assert transit.is_smallest


@pytest.mark.parametrize("queue", [1, pytest.param(3, marks=pytest.mark.slow)])
def test_the_length_of_the_queue_does_not_matter(queue: int) -> None:
    assert is_proved(argument(GENESIS, 2, replace(ALL_DETAIL, queue=queue)).prove(BUDGET))


def test_every_action_is_possible_together_with_the_invariant() -> None:
    """So the proofs are not vacuous. A single attester, alone, weighs too much to lie; and no certificate that stops a
    node is ever queued."""
    for size, never in ((1, {"forge_vote", "stop_on_mismatch"}), (2, {"stop_on_mismatch"})):
        possible = argument(GENESIS, size).possible(BUDGET)
        assert {each.answer for each in possible} <= {Answer.PROVED, Answer.REFUTED}
        assert {each.subject.split("(")[0] for each in possible if each.answer is Answer.REFUTED} == never


def test_what_never_happens_is_not_proved() -> None:
    """As merged, PR 165 never starts the executor: there are no gaps, as there are no certificates."""
    proof = RegistrySession(REVISIONS["pr165+era2539"], BUDGET)
    for result in (next(fixed_sizes(proof, (1,))), *any_number(proof, (2,)), *no_deadlock(proof, (1,))):
        assert result.verdict.word == "VACUOUS"
        assert "never starts" in str(result.verdict)


@pytest.mark.slow
@pytest.mark.parametrize(("topology", "steps"), [("direct", 19), ("relay", 23), ("mesh", 19)])
def test_every_topology_has_its_own_counterexample_and_run(topology: str, steps: int) -> None:
    scope, session = replace(EVERY_WAY, topology=topology), RegistrySession(LAST_SEALED, BUDGET)
    case = session.case("no_gaps_on_main_node", "t", "s")
    result = no_gaps.one_size(case, session, 2, scope, "two")
    assert isinstance(result.verdict, Violated)
    assert result.verdict.trace.scope.topology == topology
    assert len(result.verdict.trace.steps) == steps
    replay(result.verdict.trace)
    assert result.transit is not None
    assert any(name.startswith("X.") for name in result.transit.before) == (topology == "relay")


@pytest.mark.slow
def test_views_that_do_not_cover_the_system_are_no_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    unlike = Outcome("views", "3 attesters are interchangeable", Answer.REFUTED, why="a push depends on all votes")
    monkeypatch.setattr(any_size, "compared", lambda *_: [unlike])
    (result,) = any_number(RegistrySession(GENESIS, BUDGET), (2,))
    assert result.verdict.word == "UNKNOWN"
    assert "a push depends on all votes" in str(result.verdict)


BREAKING = [broken for broken in BROKEN_MODELS if "no_gaps_on_main_node" in broken.violates]
ALSO_BREAKING = {
    "minimum_drops_nothing": none_below_minimum,
    "asks_from_second_batch": fixed_sizes,
    "admits_below_minimum": none_below_minimum,
}


@pytest.mark.slow
@pytest.mark.parametrize("broken", BREAKING, ids=lambda broken: broken.name)
def test_a_broken_model_with_gaps_fails_both_proofs(broken: BrokenModel) -> None:
    with broken.applied():
        assert first_failure(argument(REVISIONS[broken.revision], 2).prove(BUDGET)) is not None
        assert first_failure(any_size.induction(REVISIONS[broken.revision]).prove(BUDGET)) is not None


@pytest.mark.slow
@pytest.mark.parametrize("name", ALSO_BREAKING)
def test_a_broken_model_that_violates_a_goal_fails_the_proof(name: str) -> None:
    broken = next(broken for broken in BROKEN_MODELS if broken.name == name)
    with broken.applied():
        result = next(ALSO_BREAKING[name](RegistrySession(GENESIS, BUDGET, search_seconds=20), (2,)))
        assert not result.verdict.holds


def test_unknown_is_never_proved() -> None:
    """With no time, the solver knows nothing, and the verdict says so."""
    outcomes = [Outcome("x", "y", Answer.UNKNOWN, why="timeout"), Outcome("x", "z", Answer.PROVED)]
    assert not is_proved(outcomes)
    assert not is_proved([])


def test_claims_of_the_catalogue_are_what_is_proved() -> None:
    """The goal is the catalogue's property on the same system, not a copy of it."""
    committee = Committee.of(2)
    system = open_system(GENESIS, committee)
    goal = all_of(~part.when | part.holds for part in claim("no_gaps_on_main_node").conjuncts(system))
    assert argument(GENESIS, 2).goals["no_gaps_on_main_node"] is goal
