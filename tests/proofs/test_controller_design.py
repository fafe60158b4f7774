"""The attestation controller, proved: of the main node by itself, of one vote, of one connection; and broken, not."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import pytest

import model.controller_design.attestation
import model.controller_design.network
import model.controller_design.node
import model.controller_design.system
from model.algebra import FALSE, all_of, const, int_variable, where
from model.controller_design.attestation import Attestation
from model.controller_design.gossip import Link
from model.controller_design.system import ControllerDesign
from model.revisions import REVISIONS, compose
from model.scope import Scope, instance
from model.system import build
from properties.engines.stepper import Stepper
from properties.proofs.controller_design import certification, delivery, open_system
from properties.proofs.controller_design import session as sessions
from properties.proofs.controller_design.invariants import attester, main_node, seen_of_attester, seen_of_main, verified
from properties.proofs.controller_design.session import ControllerSession, rules
from properties.proofs.environment import confined
from properties.proofs.obligations import Answer, Budget, Outcome
from properties.proofs.projection import by_itself, deeds, projection
from properties.proofs.results import Result
from properties.results.verdicts import NotInductive, Proved
from tests.broken_models import broken_model

BUDGET = Budget(30)
FIRST, PER_BATCH, SILENT = "pr175+era2657", "pr175+era2684", "pr175+era3180"
Patch = pytest.MonkeyPatch


def session(name: str) -> ControllerSession:
    return ControllerSession(REVISIONS[name], BUDGET)


def slow_but(names: Iterable[str], *quick: str) -> list[Any]:
    """Those names for the quick suite, and all the others for the slow one."""
    return [name if name in quick else pytest.param(name, marks=pytest.mark.slow) for name in names]


def failures(outcomes: list[Outcome]) -> list[str]:
    return [outcome.name for outcome in outcomes if outcome.answer is not Answer.PROVED]


@pytest.mark.parametrize("name", [FIRST, PER_BATCH, pytest.param(SILENT, marks=pytest.mark.slow)])
def test_no_gaps_whatever_is_byzantine(name: str) -> None:
    (result,) = certification.no_gaps(session(name), (1, 2))
    assert isinstance(result.verdict, Proved)
    for words in ("any Byzantine weight", "argued by hand", "no pruning, regenesis or restored database"):
        assert words in str(result.verdict)


@pytest.mark.parametrize("name", [FIRST, pytest.param(PER_BATCH, marks=pytest.mark.slow)])
@pytest.mark.parametrize("theorem", [certification.fixed_sizes, certification.any_number, certification.match])
def test_certificates_are_sound_whatever_is_byzantine(
    name: str, theorem: Callable[[ControllerSession, tuple[int, ...]], Any]
) -> None:
    results: list[Result] = list(theorem(session(name), (2,)))
    assert [type(result.verdict) for result in results] == [Proved]


@pytest.mark.parametrize("name", [pytest.param(FIRST, marks=pytest.mark.slow), PER_BATCH])
def test_no_vote_is_lost(name: str) -> None:
    argument = delivery.of_attester(session(name), 2, "mesh", 1)
    assert failures(argument.prove(BUDGET)) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name, revision in REVISIONS.items() if name >= "pr175"])
def test_every_revision_is_proved(name: str) -> None:
    (result,) = delivery.no_vote_lost(session(name), (2,))
    assert isinstance(result.verdict, Proved)
    assert "no pruning, regenesis or restored database" in str(result.verdict)


def test_what_fails_on_the_main_node_alone_is_shown_of_it() -> None:
    with broken_model("hash_not_awaited").applied():
        (result,) = delivery.no_vote_lost(session(SILENT), (2,))
    assert isinstance(result.verdict, NotInductive)
    assert "start_attestation() of M breaks has_batch" in str(result.verdict)
    assert result.transit is not None


def test_a_task_that_begins_anew_proves_what_is_about_the_main_node_and_no_more() -> None:
    """An attester's task, too, may come to a number that its controller has left behind: a start that is refused."""
    anew = ControllerSession(compose("pr175+era3512+task_restarts"), BUDGET)
    assert failures(delivery.of_main_node(anew, one_committee=True).prove(BUDGET)) == []
    (result,) = delivery.no_vote_lost(anew, (2,))
    assert isinstance(result.verdict, NotInductive)
    assert "fail_once() of a breaks goes_on" in str(result.verdict)


def test_what_revisions_differ_in_decides_which_share_a_proof() -> None:
    known = {name: rules(revision) for name, revision in REVISIONS.items() if name >= "pr175"}
    assert len(set(known.values())) == 3
    assert known["pr175+era3040"] == known[PER_BATCH] == known["pr175+era3148"]
    assert known["pr175+era3512"] == known[SILENT]


@pytest.mark.slow
def test_the_main_node_does_the_same_with_five_attesters() -> None:
    assert failures(list(certification.alike(session(FIRST), (5,)))) == []


def test_a_main_node_that_depends_on_the_topology_is_told(monkeypatch: Patch) -> None:
    subject = session(FIRST)
    odd = subject.system(2, "relay")
    renamed = [replace(action, guard=action.guard & (odd.state.sealed > 3)) for action in odd.actions]
    monkeypatch.setattr(
        subject,
        "system",
        lambda size, topology="direct", **_: {"relay": replace(odd, actions=tuple(renamed))}.get(
            topology, session(FIRST).system(size, topology)
        ),
    )
    (result,) = certification.no_gaps(subject, (2,))
    assert result.verdict.word == "UNKNOWN"
    assert "in the topology relay" in str(result.verdict)


def test_a_part_that_depends_on_others_is_none_by_itself() -> None:
    system = session(FIRST).system(2)
    with pytest.raises(ValueError, match="is not an action of the part by itself"):
        by_itself(system, seen_of_attester(system, 0))


def test_what_is_not_seen_is_arbitrary() -> None:
    """An action of the projection reads what is not seen as open; of the part by itself, nothing of it."""
    system = session(FIRST).system(2)
    seen = set(seen_of_main(system))
    for part in (projection(system, seen), by_itself(system, seen)):
        assert {variable.expression for variable in part.variables} == seen
        assert all(variable.expression in seen for action in part.actions for variable, _ in action.updates)
    assert len(deeds(by_itself(system, seen))) == 10


ONE = Scope(instance("n1f0b0"), 3)
SMALL = {
    "calls by steps": (FIRST, replace(ONE, batches=2, late_answers=True, call_steps=True, echo=True)),
    "old answers and errors": (SILENT, replace(ONE, late_answers=True, errors=1, stale_answers=1, restarts=1)),
    "a forger": (PER_BATCH, Scope(instance("w5,1b1"), 3, certificate_steps=True, restarts=1, echo=True)),
}


@pytest.mark.parametrize("name", slow_but(SMALL, "calls by steps"))
def test_the_invariant_holds_in_every_reachable_state_of_a_small_scope(name: str) -> None:
    revision, scope = SMALL[name]
    system = build(REVISIONS[revision], scope)
    assert isinstance(system, ControllerDesign)
    honest = range(len(scope.instance.weights) - scope.instance.byzantine)
    conjuncts = [*main_node(system), *verified(system), *(each for key in honest for each in attester(system, key))]
    vain = [delivery.does_not_wait_in_vain(system, key) for key in honest]
    stepper = Stepper(system)
    holds = stepper.evaluator(all_of([*(each.holds for each in conjuncts), *vain]))
    found, todo = {stepper.initial}, [stepper.initial]
    while todo:
        state = todo.pop()
        assert holds(state)[0]
        for _, after in stepper.successors(state):
            if after not in found:
                found.add(after)
                todo.append(after)
        assert len(found) < 60_000, "the scope is exhausted"
    assert len(found) > 500


def what_fails(argument: str, name: str) -> list[str]:
    """What fails in an argument about a revision, with two attesters."""
    subject = session(name)
    match argument:
        case "main node":
            return failures(certification.of_main_node(subject).prove(BUDGET))
        case "votes":
            return failures(certification.of_votes(subject, 2).prove(BUDGET))
    return failures(delivery.of_attester(subject, 2, "direct", 0).prove(BUDGET))


BROKEN: dict[str, tuple[str, str, Callable[[Patch], None]]] = {
    "strangers are members": (
        PER_BATCH,
        "votes",
        lambda patch: patch.setattr(
            Attestation, "_arrival", lambda self, key, batch: replace(ARRIVAL(self, key, batch), is_foreign=FALSE)
        ),
    ),
    "a number is left out": (
        FIRST,
        "main node",
        lambda patch: patch.setattr(
            model.controller_design.network,
            "next_batch_from_genesis",
            lambda certified, first, _: where(certified.largest == -1, first, certified.largest + 2),
        ),
    ),
    "a certificate without a quorum": (
        FIRST,
        "votes",
        lambda patch: patch.setattr(
            Attestation, "waits_for", lambda self, number: ~self.is_on | (self.batch.number != number)
        ),
    ),
    "votes on the former batch are kept": (
        PER_BATCH,
        "votes",
        lambda patch: patch.setattr(
            Attestation,
            "started",
            lambda self, batch, committee, own_key: replace(self, batch=batch, committee=committee),
        ),
    ),
    "a batch is started before it is there": (
        FIRST,
        "main node",
        lambda patch: patch.setattr(
            model.controller_design.node.Node, "is_ready", property(lambda self: self.runs & self.task.is_in(1))
        ),
    ),
    "nothing is pulled": (
        FIRST,
        "attester",
        lambda patch: patch.setattr(Attestation, "answer", lambda self, *_: (FALSE,) * len(self.votes)),
    ),
    "nothing is asked for": (
        FIRST,
        "attester",
        lambda patch: patch.setattr(
            Link, "called", lambda self, *arguments: replace(CALLED(self, *arguments), asks=FALSE)
        ),
    ),
    "the own vote is not there at once": (
        FIRST,
        "attester",
        lambda patch: patch.setattr(
            Attestation,
            "started",
            lambda self, batch, committee, own_key: STARTED(self, batch, committee, None),
        ),
    ),
    "a new connection goes on where the old one ended": (
        FIRST,
        "attester",
        lambda patch: patch.setattr(model.controller_design.network, "reconnected", lambda system, links: system),
    ),
    "a smaller number is started": (
        FIRST,
        "attester",
        lambda patch: patch.setattr(
            model.controller_design.node.Node,
            "is_listening_to",
            lambda self, answer: self.runs & self.task.is_in(0) & (answer != -1),
        ),
    ),
}
CALLED, STARTED, ARRIVAL = Link.called, Attestation.started, Attestation._arrival


@pytest.mark.parametrize("name", slow_but(BROKEN, "a number is left out", "nothing is pulled"))
def test_a_broken_model_fails_its_proof(monkeypatch: Patch, name: str) -> None:
    revision, argument, breaks = BROKEN[name]
    breaks(monkeypatch)
    assert what_fails(argument, revision) != []


def test_an_environment_that_does_less_is_noticed(monkeypatch: Patch) -> None:
    """Fewer old answers, one committee only, votes that nobody passes on: no other obligation would tell."""

    def narrowed(name: str, low: int | None, high: int | None) -> Any:
        return int_variable(name, low, 2 if name == "old.answer" else high)

    with monkeypatch.context() as patch:
        patch.setattr(model.controller_design.system, "int_variable", narrowed)
        assert "a may read any old number" in confined(session(FIRST).environment(1))
    with monkeypatch.context() as patch:
        patch.setattr(open_system, "PLACE", const(0))
        assert "any committee may be read, or none" in confined(session(PER_BATCH).environment(1))
    with monkeypatch.context() as patch:
        patch.setattr(sessions, "ALL_DETAIL", replace(open_system.ALL_DETAIL, handed_on=False))
        assert "anybody may send M the vote of a" in confined(session(FIRST).environment(1))
    assert confined(session(FIRST).environment(2)) == ""


def test_a_restored_database_is_outside_of_the_proof() -> None:
    """It makes what is asked for fall while the main node's task goes on with what it read: then there is a gap."""
    system = build(REVISIONS[FIRST], replace(ONE, restores=1, late_answers=True, certificate_steps=True))
    assert isinstance(system, ControllerDesign)
    stepper = Stepper(system)
    has_gap = stepper.evaluator(system.main.store.certified.has_gap)
    found, todo = {stepper.initial}, [stepper.initial]
    while todo and not has_gap(todo[-1])[0]:
        for _, after in stepper.successors(todo.pop()):
            if after not in found:
                found.add(after)
                todo.append(after)
    assert todo, "a state with a gap is reached"
