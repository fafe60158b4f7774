"""An environment that can do less than it should is noticed: nothing else in a proof would tell."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

import model.registry_design.network
import model.registry_design.system
from model.algebra import FALSE, TRUE, Int, bool_variable, const, int_variable
from model.registry_design import registry_with_support
from model.registry_design.network import forge_vote, restarted
from model.registry_design.qc_finder import VotesCast
from model.registry_design.system import Wiring
from model.revisions import REVISIONS
from model.transitions import Step
from properties.proofs.committees import Committee
from properties.proofs.environment import ENVIRONMENT, Freedom, Openness, any_number, confined, prove
from properties.proofs.obligations import Answer, Budget
from properties.proofs.registry_design import any_size, no_gaps, open_system, registry
from properties.proofs.registry_design.session import RegistrySession
from properties.proofs.theorems import DESIGNS, results, theorems_of

REVISION = REVISIONS["pr161+era2539"]
BUDGET = Budget(30)
Patch = pytest.MonkeyPatch


def narrowed(name: str, low: int, high: int) -> Callable[..., Int]:
    """Declares variables as the model does, but this one within these bounds."""

    def declare(declared: str, least: int | None, greatest: int | None) -> Int:
        return int_variable(declared, *((low, high) if declared == name else (least, greatest)))

    return declare


def found_confined() -> str:
    """What is missing in the environment of the proof for two attesters, and of that for any number."""
    fixed = RegistrySession(REVISION, BUDGET).argument(2)
    return confined([*fixed.environment(BUDGET), *any_size.induction(REVISION).environment(BUDGET)])


def test_the_environment_is_free() -> None:
    assert found_confined() == ""


@pytest.mark.parametrize(("name", "low", "high"), [("forged.number", 0, 1), ("forged.variant", 0, 0)])
def test_an_adversary_that_signs_less_is_noticed(monkeypatch: Patch, name: str, low: int, high: int) -> None:
    """Every obligation of the induction still holds, as a weaker environment can only help."""
    monkeypatch.setattr(model.registry_design.system, "int_variable", narrowed(name, low, high))
    assert "a may forge any vote at M" in found_confined()
    (result,) = no_gaps.fixed_sizes(RegistrySession(REVISION, BUDGET), (2,))
    assert {each.answer for each in result.outcomes if each.subject != ENVIRONMENT} == {Answer.PROVED}
    assert result.verdict.word == "UNKNOWN"
    assert "the environment may do less than it should: a may forge any vote at M" in str(result.verdict)


@pytest.mark.parametrize(("name", "low", "high"), [("kept.number", 0, 5), ("kept.number", 1, 1)])
def test_old_votes_that_are_not_all_passed_on_are_noticed(monkeypatch: Patch, name: str, low: int, high: int) -> None:
    monkeypatch.setattr(model.registry_design.system, "int_variable", narrowed(name, low, high))
    assert "any old vote of a may come to M" in found_confined()


def test_votes_that_a_restart_makes_everybody_forget_are_noticed(monkeypatch: Patch) -> None:
    def forgetful(system: Any, node: int, *arguments: Any) -> Any:
        after = restarted(system, node, *arguments)
        forgotten = VotesCast(const(-1), const(-1)) if after.nodes[node].cast else None
        return after.with_node(node, replace(after.nodes[node], cast=forgotten))

    monkeypatch.setattr(model.registry_design.network, "restarted", forgetful)
    assert "restart_node() of a does not forget what a cast" in found_confined()


def test_votes_that_are_not_kept_are_noticed(monkeypatch: Patch) -> None:
    monkeypatch.setattr(VotesCast, "including", lambda self, _: self)
    assert "what a casts is kept" in found_confined()


def test_forgeries_that_do_not_arrive_are_noticed(monkeypatch: Patch) -> None:
    def lost(system: Any, node: int, attester: int, vote: Any) -> Step[Any]:
        step: Step[Any] = forge_vote(system, node, attester, replace(vote, variant=const(0)))
        return step

    monkeypatch.setattr(model.registry_design.system, "forge_vote", replace(forge_vote, function=lost))
    assert "a may forge any vote at M" in found_confined()


@pytest.mark.parametrize(
    ("switch", "missing"), [("restarts", "a may restart"), ("disconnects", "the connection of a and M")]
)
def test_faults_that_end_are_noticed(switch: str, missing: str) -> None:
    """Any number of them is what the sentences say."""
    scope = replace(open_system.ALL_DETAIL, **{switch: 3})
    assert missing in confined(RegistrySession(REVISION, BUDGET).argument(2, scope).environment(BUDGET))


def test_a_vote_that_nobody_forges_is_noticed(monkeypatch: Patch) -> None:
    monkeypatch.setattr(Wiring, "forgers_at", lambda self, index: {0} if index == 0 else set())
    assert "b may forge any vote at M" in found_confined()


def test_a_registry_whose_operations_are_fewer_is_noticed(monkeypatch: Patch) -> None:
    monkeypatch.setattr(registry_with_support, "int_variable", narrowed("next.number", 0, 3))
    found = confined(registry.induction(2).environment(BUDGET))
    assert "any update(attester=a)" in found
    assert "any set_min_batch_number()" in found


def test_a_committee_that_is_not_any_is_noticed() -> None:
    """Where less is allowed than the sentence says, or a weight is no longer open."""
    committee = Committee.of(2)
    lighter = committee.byzantine_weight + 1 < committee.electorate.threshold
    sentence = replace(committee.lighter_liars, then=lighter)
    light = replace(committee, weights=(int_variable("weight.a", 1, 9), committee.weights[1]))
    for liberty, weights in ((sentence, committee), (light.lighter_liars, light), (light.any_liars, light)):
        open_ones = (*weights.weights, *weights.byzantine)
        assert confined(prove([liberty], [], open_ones, BUDGET)) == liberty.name


def test_what_is_open_must_be_spoken_about() -> None:
    number = int_variable("unheard.of", 0, None)
    assert "unheard.of is open" in confined(prove([], [], [number], BUDGET))


def test_a_choice_that_is_fixed_is_not_open() -> None:
    (outcome,) = prove([Openness("any", TRUE, {const(0): any_number("x", 0)})], [], [], BUDGET)
    assert outcome.answer is Answer.REFUTED


def test_an_action_that_there_is_not_is_no_freedom() -> None:
    flag = bool_variable("flag")
    (outcome,) = prove([Freedom("something", flag, None)], [flag], [], BUDGET)
    assert (outcome.answer, outcome.why) == (Answer.REFUTED, "there is no such action")
    assert prove([Freedom("where it cannot be", FALSE, None)], [flag], [], BUDGET) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", ["pr161+era2539", "pr175+era2657", "pr175+era2684"])
def test_every_theorem_says_what_its_environment_may_do(name: str) -> None:
    revision = REVISIONS[name]
    session = DESIGNS[revision.design].session(revision, BUDGET, (2,), among_many=True)
    found = list(results(session))
    assert len(found) >= len(theorems_of(revision))
    for result in found:
        free = [each for each in result.outcomes if each.subject == ENVIRONMENT]
        assert free or result.verdict.word != "PROVED", result.theorem
