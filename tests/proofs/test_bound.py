"""The exact bound: the arithmetic of the threshold, and the run at the bound."""

from __future__ import annotations

from dataclasses import replace

import pytest

from model.committee import U64_MAX, Committee
from model.registry_design.system import build
from model.revisions import REVISIONS
from properties.engines.stepper import Stepper
from properties.proofs.obligations import Answer, Budget
from properties.proofs.registry_design import bound
from properties.proofs.registry_design.session import RegistrySession
from properties.results.trace import replay
from tests.broken_models import BROKEN_MODELS

BUDGET = Budget(30)


@pytest.mark.parametrize("statement", bound.arithmetic(), ids=lambda statement: statement.name)
def test_the_arithmetic_of_the_threshold(statement: bound.Statement) -> None:
    assert statement.prove(bound.ARITHMETIC, BUDGET).answer is Answer.PROVED


@pytest.mark.parametrize("name", ["threshold_too_low", "threshold_of_half"])
def test_another_threshold_fails_the_arithmetic(name: str) -> None:
    with next(broken for broken in BROKEN_MODELS if broken.name == name).applied():
        answers = {statement.name: statement.prove(bound.ARITHMETIC, BUDGET).answer for statement in bound.arithmetic()}
    assert answers["two quorums share more than f"] is Answer.REFUTED
    assert answers["Byzantine weight up to f is below the threshold"] is not None


def test_a_false_statement_has_the_smallest_counterexample() -> None:
    """Half of the weight is not enough honest weight for a quorum of four fifths, and Z3 says where."""
    weight = bound.int_variable("total weight", 1, U64_MAX)
    wrong = bound.Statement(
        "a quorum is half", (), bound.rules.threshold(weight) + bound.rules.threshold(weight) <= weight
    )
    assert wrong.prove("x", BUDGET).answer is Answer.REFUTED
    assert wrong.counterexample(BUDGET) == {"total weight": 1}


def test_the_largest_committee_does_not_wrap() -> None:
    """What is proved of whole numbers is what the full-fidelity committee computes at the edge of u64."""
    assert Committee([("a", U64_MAX)]).threshold == U64_MAX - (U64_MAX - 1) // 5


def test_at_the_bound_there_is_a_gap_for_all_weights() -> None:
    revision = REVISIONS["pr161+era2539"]
    trace, searched = RegistrySession(revision, BUDGET).gap(bound.AT_BOUND)
    assert trace is not None
    assert searched.search.refuted == len(trace.steps) - 1 == 13
    last = replay(trace)
    system = build(revision, bound.AT_BOUND)
    assert Stepper(system).evaluator(bound.gap(system))(last)[0]
    outcomes = bound.AnyWeights.of(revision, bound.AT_BOUND).prove(trace, BUDGET)
    assert len(outcomes) == len(trace.steps) + 1
    assert {outcome.answer for outcome in outcomes} == {Answer.PROVED}


def test_below_the_bound_the_run_is_impossible() -> None:
    """The same run, without the assumption that the Byzantine attester makes a quorum, cannot find one."""
    revision = REVISIONS["pr161+era2539"]
    trace, _ = RegistrySession(revision, BUDGET).gap(bound.AT_BOUND)
    assert trace is not None
    open_weights = bound.AnyWeights.of(revision, bound.AT_BOUND)
    unbounded = replace(open_weights, at_bound=bound.TRUE)
    failed = [outcome.name for outcome in unbounded.prove(trace, BUDGET) if outcome.answer is not Answer.PROVED]
    assert any("find_quorum" in name for name in failed)
