"""Checks say what they found and no more: traces replay, are shortest, and vacuous claims do not pass."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from typing import cast

import pytest

from model.algebra import FALSE, TRUE, Int
from model.registry_design.system import RegistryDesign
from model.revisions import revision
from model.scope import BAD_SIGNATURE, Scope, instance
from model.system import build
from model.transitions import Action, Namespace, Step, transition, updates
from properties.claims.catalogue import CATALOGUE, claim
from properties.claims.kinds import Conjunct, Kind, Property
from properties.claims.points_of_no_return import POINTS_OF_NO_RETURN
from properties.engines import checking, confirmation
from properties.engines.checking import Check
from properties.engines.confirmation import NotConfirmed
from properties.engines.fairness import FairRuns
from properties.engines.paths import path_to
from properties.engines.stepper import State, Stepper
from properties.results.trace import BadTrace, Trace, TraceStep, as_json, from_json, replay
from properties.results.verdicts import Exhausted, Reached, Unknown, Vacuous, Violated

LAST_SEALED, GENESIS = "pr161+era2480", "pr161+era2539"


@cache
def check(name: str, committee: str, batches: int = 3, symmetry: bool = False) -> Check:
    return Check(build(revision(name), Scope(instance(committee), batches)), symmetry)


LARGE = pytest.param("n3f0b0", True, marks=pytest.mark.slow)
"""A committee, and whether permuted attesters count as one."""


def traces(done: Check) -> list[Trace]:
    verdicts = list(done.verdicts().values())
    found = [verdict.trace for verdict in verdicts if isinstance(verdict, Violated | Reached)]
    return found + [trace for verdict in verdicts if isinstance(verdict, Violated) for trace in verdict.kinds]


@pytest.mark.parametrize(("committee", "symmetry"), [("n1f0b0", False), ("n2f0b0", False), LARGE])
def test_every_trace_replays_through_the_one_step_engine(committee: str, symmetry: bool) -> None:
    done = check(LAST_SEALED, committee, 3, symmetry)
    found = traces(done)
    assert len(found) >= 10
    for trace in found:
        assert dict(done.stepper.named(replay(trace))) == trace.states[-1]


@pytest.mark.parametrize(("committee", "symmetry"), [("n2f0b0", False), LARGE])
def test_a_path_is_the_same_with_the_graph_and_without(committee: str, symmetry: bool) -> None:
    done = check(LAST_SEALED, committee, 2, symmetry)
    for level, words in enumerate(done.search.levels):
        place = (level, len(words[0]) - 1)
        assert path_to(done.search, done.stepper, place, done.graph) == path_to(done.search, done.stepper, place)


def breadth_first(stepper: Stepper, wanted: str) -> int:
    """The length of a shortest run to a violation of the `always` property, by a plain search."""
    conjuncts = claim(wanted).conjuncts(stepper.system)  # type: ignore[arg-type]  # it is the system that was built
    violated = stepper.evaluator(*(conjunct.when & ~conjunct.holds for conjunct in conjuncts))
    seen, level, depth = {stepper.initial}, [stepper.initial], 0
    while not any(any(violated(state)) for state in level):
        level = [after for state in level for _, after in stepper.successors(state)]
        level = [state for state in dict.fromkeys(level) if state not in seen]
        seen.update(level)
        depth += 1
        assert level
    return depth


@pytest.mark.parametrize("name", ["no_gaps_on_main_node", "attestation_starts_at_first_batch"])
def test_traces_are_shortest(name: str) -> None:
    done = check(LAST_SEALED, "n2f0b0")
    verdict = done.verdict(claim(name))
    assert isinstance(verdict, Violated)
    assert len(verdict.trace.steps) == breadth_first(done.stepper, name)


def certifiable(stepper: Stepper, start: State) -> set[int]:
    """Which batches can still get their certificate from this state, by a plain search."""
    system = stepper.system
    assert isinstance(system, RegistryDesign)
    flags = stepper.evaluator(*(conjunct.holds for conjunct in claim("progress_possible").conjuncts(system)))
    seen, todo, found = {start}, [start], set()
    while todo:
        state = todo.pop()
        found |= {number for number, certified in enumerate(flags(state)) if certified}
        for _, after in stepper.successors(state):
            if after not in seen:
                seen.add(after)
                todo.append(after)
    return found


def test_points_of_no_return_are_final_and_the_step_before_is_not() -> None:
    done = check(LAST_SEALED, "n2f0b0")
    verdict = done.verdict(claim("progress_possible"))
    assert isinstance(verdict, Violated)
    asked = done.stepper.evaluator(done.system.next_batch_to_attest)
    for trace in verdict.kinds:
        names = [variable.name for variable in done.system.variables]
        states = [tuple(state[name] for name in names) for state in trace.states]
        assert asked(states[-1])[0] not in certifiable(done.stepper, states[-1])
    shortest = [tuple(state[name] for name in names) for state in verdict.trace.states]
    assert asked(shortest[-2])[0] in certifiable(done.stepper, shortest[-2])


def test_the_six_step_deadlock_is_found() -> None:
    verdict = check(LAST_SEALED, "n2f0b0").verdict(claim("progress_possible"))
    assert isinstance(verdict, Violated)
    trace = next(trace for trace in verdict.kinds if trace.kind == "registry_minimum")
    last = trace.states[-1]
    assert last["M.registry.min_batch_number"] == 2
    assert [last[f"M.store.certified.{number}"] for number in range(3)] == [1, 0, 0]
    assert trace.failed == "batch 1 can still be certified when the main node asks for it"


def test_every_point_of_no_return_is_of_a_known_kind() -> None:
    known = {kind.name for kind in POINTS_OF_NO_RETURN}
    for committee, batches, symmetry in (("n1f0b0", 4, False), ("n2f0b0", 3, False), ("n3f0b0", 3, True)):
        verdict = check(LAST_SEALED, committee, batches, symmetry).verdict(claim("progress_possible"))
        assert isinstance(verdict, Violated)
        assert {trace.kind for trace in verdict.kinds} <= known


def test_a_lost_vote_is_never_the_only_reason() -> None:
    conditions = {kind.name: kind.holds for kind in POINTS_OF_NO_RETURN}
    others = [holds for name, holds in conditions.items() if name not in ("vote_lost", "attesters_lost")]

    def conjuncts(system: RegistryDesign) -> tuple[Conjunct, ...]:
        only = conditions["vote_lost"](system)
        for holds in others:
            only = only & ~holds(system)
        return tuple(
            Conjunct(each.sentence, each.holds, each.when & only)
            for each in claim("progress_possible").conjuncts(system)
        )

    alone = Property("alone", Kind.POSSIBLE, "", "", "", conjuncts)
    assert isinstance(check(LAST_SEALED, "n2f0b0").verdict(alone), Vacuous)


def test_with_the_start_rule_of_2539_there_is_no_point_of_no_return() -> None:
    assert check(GENESIS, "n2f0b0").verdict(claim("progress_possible")) == Exhausted(505, 44)


@transition("a test")
def count(record: object) -> Step[object]:
    """A counter goes up by one."""
    raise AssertionError


def counter(last: int) -> RegistryDesign:
    """A system that counts from 0 to `last`, and stops there. Claims and traces take the systems of this design, so it
    is one, with other variables and actions."""
    space = Namespace()
    number = space.number("number", 0, last, 0)
    changes = updates((number,), (number + 1,), {variable.expression: variable for variable in space.declared})
    counting = Action(count, "M", (), number < last, changes)
    real = build(revision(GENESIS), Scope(instance("n1f0b0"), 2))
    return replace(real, variables=tuple(space.declared), actions=(counting,))


def can_reach(system: RegistryDesign, numbers: Iterable[int]) -> Property:
    (variable,) = system.variables
    number = cast(Int, variable.expression)
    parts = tuple(Conjunct(f"{each} can be reached", number == each, number <= each) for each in numbers)
    return Property("numbers", Kind.POSSIBLE, "", "", "", lambda _: parts)


@pytest.mark.parametrize("size", [64, 65, 129, 300])
def test_any_number_of_conjuncts_is_right(size: int) -> None:
    """A conjunct's number was once shifted into 64 bits, and kept in eight: with 66 batches, 65 and 66 counted as out
    of reach."""
    system = counter(size)
    done = Check(system)
    assert done.verdict(can_reach(system, range(size))).word == "EXHAUSTED"
    # The number after the last is in nobody's reach. Its conjunct is the only one that fails, wherever it stands.
    for place in (0, size - 1):
        parts = list(can_reach(system, range(size)).conjuncts(system))
        parts.insert(place, Conjunct("it starts anew", number_of(system) == 0, number_of(system) == size))
        failing = Property("numbers", Kind.POSSIBLE, "", "", "", lambda _, parts=tuple(parts): parts)
        verdict = done.verdict(failing)
        assert isinstance(verdict, Violated)
        assert (verdict.trace.failed, len(verdict.trace.steps)) == ("it starts anew", size)


def number_of(system: RegistryDesign) -> Int:
    return cast(Int, system.variables[0].expression)


@pytest.mark.slow
def test_progress_with_more_batches_than_a_word_has_bits() -> None:
    verdict = check(GENESIS, "n1f0b0", 66).verdict(claim("progress_possible"))
    assert isinstance(verdict, Exhausted)
    assert len(verdict.spoken_of) == 66
    assert verdict.never_spoken_of == ()


def test_a_search_that_is_mistaken_about_a_state_reports_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    done = check(GENESIS, "n1f0b0")
    monkeypatch.setattr(Check, "_seen", lambda self, claim: ((3, 0), []))
    for name in ("no_gaps_on_main_node", "two_certificates_in_a_row"):
        with pytest.raises(NotConfirmed, match="not what it should be"):
            done.verdict(claim(name))


def test_a_search_that_misses_a_way_out_reports_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "reachable_later", lambda links, now: now)
    with pytest.raises(NotConfirmed, match="can be reached"):
        check(GENESIS, "n1f0b0").verdict(claim("progress_possible"))
    monkeypatch.setattr(confirmation, "FEW_STATES", 2)
    with pytest.raises(NotConfirmed, match="can be reached"):
        check(GENESIS, "n1f0b0").verdict(claim("progress_possible"))


def test_a_kind_that_the_last_state_is_not_of_is_not_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Check, "_by_kind", lambda self, claim, final: [("minimum_to_come", final)])
    with pytest.raises(NotConfirmed, match="is about to set a minimum"):
        check(LAST_SEALED, "n1f0b0").verdict(claim("progress_possible"))


def test_a_loop_that_is_not_fair_is_not_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FairRuns, "entries", lambda self, stay: stay)
    with pytest.raises(NotConfirmed, match="not fair to"):
        check(GENESIS, "n1f0b0").verdict(claim("every_batch_certified"))


def test_a_point_of_no_return_with_too_much_behind_it_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "is_closed", lambda *_: False)
    assert isinstance(check(LAST_SEALED, "n1f0b0").verdict(claim("progress_possible")), Unknown)


def test_a_closing_search_is_the_same_by_either_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    stepwise = check(LAST_SEALED, "n2f0b0").verdict(claim("progress_possible"))
    monkeypatch.setattr(confirmation, "FEW_STATES", 0)
    assert check(LAST_SEALED, "n2f0b0").verdict(claim("progress_possible")) == stepwise


def test_a_lasso_says_that_it_need_not_be_the_shortest() -> None:
    bad = Scope(instance("n1f0b0"), 2, topology="relay", bad_votes=BAD_SIGNATURE)
    verdict = Check(build(revision("pr169+era2539"), bad)).verdict(claim("every_batch_certified"))
    assert isinstance(verdict, Violated)
    assert (verdict.loop, verdict.is_shortest) == (2, False)
    assert verdict.detail.endswith(f": a lasso, stem {verdict.trace.loop}, loop 2, not necessarily the shortest")
    ends = check(LAST_SEALED, "n1f0b0").verdict(claim("every_batch_certified"))
    assert isinstance(ends, Violated)
    assert ends.is_shortest


def test_nothing_that_is_possible_counts_on_pruning() -> None:
    """It was once among the steps that may help, where no fault may."""
    possible = [claim for claim in CATALOGUE if claim.kind is Kind.POSSIBLE]
    assert all("prune" in claim.without for claim in possible)


def test_what_was_never_spoken_of_is_told() -> None:
    verdict = check(GENESIS, "n2f0b0").verdict(claim("at_most_one_quorum"))
    assert isinstance(verdict, Exhausted)
    assert [states > 0 for _, states in verdict.spoken_of] == [True, False, False]
    first, _ = verdict.never_spoken_of
    assert (
        verdict.detail == f"{verdict.states} states, depth {verdict.depth}; never spoken of: {first}, and 1 more of 3"
    )


def test_a_claim_that_speaks_of_no_reachable_state_does_not_pass() -> None:
    nothing = Property("nothing", Kind.ALWAYS, "", "", "", lambda _: (Conjunct("", TRUE, FALSE),))
    assert isinstance(check(GENESIS, "n1f0b0").verdict(nothing), Vacuous)


def test_one_byzantine_attester_of_six_spoils_certificates_but_makes_no_false_ones() -> None:
    done = check(GENESIS, "n6f1b1", 2, True)
    spoilt = done.verdict(claim("certificates_verify"))
    assert isinstance(spoilt, Violated)
    assert any(step.action == "forge_vote" for step in spoilt.trace.steps)
    assert isinstance(done.verdict(claim("certificates_match_batches")), Exhausted)


def test_a_trace_survives_being_written_and_read() -> None:
    for trace in traces(check(LAST_SEALED, "n1f0b0")):
        assert from_json(as_json(trace)) == trace


def test_a_trace_that_the_model_does_not_allow_is_refused_and_the_step_is_named() -> None:
    trace = check(LAST_SEALED, "n1f0b0").verdict(claim("certificate_stored"))
    assert isinstance(trace, Reached)
    steps = trace.trace.steps
    with pytest.raises(BadTrace, match=r"step [12]: .* is not enabled"):
        replay(trace.trace.about(steps=steps[1:]))
    with pytest.raises(BadTrace, match="step 1: M has no action fly"):
        replay(trace.trace.about(steps=(TraceStep("M", "fly", {}, {}),)))
    wrong = TraceStep(steps[0].node, steps[0].action, steps[0].arguments, {"sealed": (0, 2)})
    with pytest.raises(BadTrace, match=r"step 1: .* changes"):
        replay(trace.trace.about(steps=(wrong, *steps[1:])))


@pytest.mark.parametrize("name", ["pr167+era2480", "pr175+era2684"])
def test_kinds_of_two_designs_that_have_one_name_are_not_mixed_up(name: str) -> None:
    """Among the kinds of the other design it was looked for the predicate that a state must satisfy."""
    system = build(revision(name), Scope(instance("n1f0b0"), batches=3, restarts=1))
    for each in CATALOGUE:
        names = [kind.name for kind in each.kinds_in(system)]
        assert len(set(names)) == len(names), each.name
    verdict = Check(system).verdict(claim("progress_possible"))
    kinds = [trace.kind for trace in verdict.kinds] if isinstance(verdict, Violated) else []
    assert ("consensus_dead" in kinds) == (name == "pr167+era2480")


@pytest.mark.parametrize("name", ["pr167+era2480", "pr175+era2657"])
def test_a_kind_of_two_designs_is_found_in_both(name: str) -> None:
    verdict = Check(build(revision(name), Scope(instance("n1f0b0"), batches=2, errors=1))).verdict(
        claim("progress_possible")
    )
    assert isinstance(verdict, Violated)
    assert "consensus_dead" in [trace.kind for trace in verdict.kinds]
    assert "unclassified" not in [trace.kind for trace in verdict.kinds]
