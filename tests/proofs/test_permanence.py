"""The start-up deadlock: reached, permanent, excluded by one cure and left with another."""

from __future__ import annotations

from functools import cache

import pytest

from model.algebra import const
from model.revisions import REVISIONS, compose
from model.system import build
from properties.engines.checking import Check
from properties.proofs.committees import Committee
from properties.proofs.obligations import Answer, Budget
from properties.proofs.registry_design.permanence import LOOK_AHEAD, closed, departure, kept_by, way_out
from properties.proofs.registry_design.session import RegistrySession
from properties.proofs.registry_design.start_up_deadlock import DEADLOCK_SCOPE, no_deadlock
from properties.proofs.results import Result
from properties.results.trace import replay
from properties.results.verdicts import Proved, Unknown, Violated

pytestmark = pytest.mark.slow

BUDGET = Budget(30)


@cache
def result_of(revision: str) -> Result:
    (result,) = no_deadlock(RegistrySession(compose(revision), BUDGET), (2,))
    return result


@pytest.mark.parametrize("attesters", [1, 2, 6])
def test_no_step_but_a_restart_of_the_main_node_leaves_it(attesters: int) -> None:
    system = RegistrySession(REVISIONS["pr161+era2480"], BUDGET).argument(attesters).system
    outcomes = closed(system, Committee.of(attesters), BUDGET)
    assert [outcome.name for outcome in outcomes if outcome.answer is not Answer.PROVED] == []
    acting = {outcome.subject for outcome in outcomes}
    assert "restart_node() of a" in acting, "not even the restart of an attester"
    assert "reconnect(to=M) of a" in acting, "nor a new connection"
    assert "restart_node() of M" not in acting


def test_it_is_reached_and_replays() -> None:
    result = result_of("pr161+era2480")
    assert isinstance(result.verdict, Violated)
    trace = result.verdict.trace
    assert len(trace.steps) == 17
    assert trace.kind == "registry_minimum"
    replay(trace)


def test_every_state_after_it_lacks_the_certificate() -> None:
    """What is proved is seen by enumeration: after the run no state has a certificate of batch 1."""
    result = result_of("pr161+era2480")
    assert isinstance(result.verdict, Violated)
    trace = result.verdict.trace
    check = Check(build(REVISIONS[trace.revision], trace.scope))
    stepper = check.stepper
    certified = stepper.evaluator(check.system.main.store.certified.contains(const(1)))
    seen, todo = set(), [replay(trace)]
    while todo:
        state = todo.pop()
        assert not certified(state)[0]
        fresh = [after for _, after in stepper.successors(state) if after not in seen]
        seen.update(fresh)
        todo += fresh
    assert 10 < len(seen) < LOOK_AHEAD


def test_the_restart_cures_it() -> None:
    system = RegistrySession(REVISIONS["pr161+era2480"], BUDGET).argument(2).system
    restart = next(action for action in system.actions if action.name == "restart_node" and action.node == "M")
    assert any(outcome.answer is Answer.REFUTED for outcome in kept_by(system, Committee.of(2), [restart], BUDGET))


def test_the_genesis_start_excludes_it() -> None:
    result = result_of("pr161+era2539")
    assert isinstance(result.verdict, Proved)
    assert any("is not possible: update_status() of M" in note for note in result.notes)


@pytest.mark.deep
@pytest.mark.parametrize(
    ("revision", "cure"),
    [
        ("pr167+era2480", "refuse_status() of M"),
        ("pr161+era2480+finder_listens", "set_min_batch_number() of M"),
    ],
)
def test_other_cures_leave_it(revision: str, cure: str) -> None:
    """It is reached, and left without a restart by what the revision adds; no more is claimed."""
    result = result_of(revision)
    assert isinstance(result.verdict, Unknown)
    (way,) = [note for note in result.notes if note.startswith("a way out of it: ")]
    assert cure in way


@pytest.mark.deep
def test_keeping_votes_alone_is_no_cure() -> None:
    result = result_of("pr161+era2480+votes_kept")
    assert isinstance(result.verdict, Violated)
    assert any("permanent" in note for note in result.notes)


def test_a_run_departs_where_the_revisions_differ() -> None:
    result = result_of("pr161+era2480")
    assert isinstance(result.verdict, Violated)
    same = departure(result.verdict.trace, build(REVISIONS["pr161+era2480"], DEADLOCK_SCOPE))
    assert same is None
    other = departure(result.verdict.trace, build(REVISIONS["pr161+era2539"], DEADLOCK_SCOPE))
    assert other is not None
    assert "is not possible" in other


def test_there_is_no_way_out_of_it() -> None:
    result = result_of("pr161+era2480")
    assert isinstance(result.verdict, Violated)
    system = build(REVISIONS["pr161+era2480"], DEADLOCK_SCOPE)
    assert way_out(result.verdict.trace, system) is None
