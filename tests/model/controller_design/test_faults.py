"""What faults do to a node with an attestation controller: who is gone stays gone, and no replica answers what was
never asked for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from model.controller_design.system import ControllerDesign
from model.controller_design.task import INSERTING
from model.revisions import CONTROLLER, of_design, revision
from model.scope import Scope, instance
from model.system import build
from model.votes import NONE
from properties.engines.stepper import Stepper

Values = dict[str, int]


def edges(name: str, committee: str = "n1f0b0", **switches: Any) -> Iterator[tuple[Values, str, Values]]:
    """Every step of every reachable state: the state before, the action, the state after."""
    stepper = Stepper(build(revision(name), Scope(instance(committee), **switches)))
    seen, todo = {stepper.initial}, [stepper.initial]
    while todo:
        state = todo.pop()
        for place, after in stepper.successors(state):
            yield dict(stepper.named(state)), str(stepper.action(place)), dict(stepper.named(after))
            if after not in seen:
                seen.add(after)
                todo.append(after)


@pytest.mark.parametrize("name", of_design(CONTROLLER))
@pytest.mark.parametrize("cause", ["regeneses", "fallbacks"])
def test_whom_nobody_supervises_a_new_fork_or_configuration_ends_for_good(name: str, cause: str) -> None:
    if cause == "fallbacks" and not revision(name).has_committee_per_batch:
        pytest.skip("one committee, and no registry")
    switches: dict[str, Any] = {"astray": "a", "call_steps": True} if cause == "fallbacks" else {}
    steps = list(edges(name, batches=1, supervised="nobody", restarts=1, **{cause: 1}, **switches))
    ended = {text for before, text, after in steps if before["a.runs"] and not after["a.runs"]}
    assert ended & {"restart_on_new_genesis()", "restart_with_registry()", "restart_without_registry()"}
    revived = {text for before, text, after in steps if not before["a.runs"] and after["a.runs"]}
    assert revived <= {"restart_node()", "restart_without_registry()"}
    assert all(before["restarts_left"] > after["restarts_left"] for before, text, after in steps if text in revived)


@pytest.mark.parametrize(("name", "least"), [("pr175+era2657", 0), ("pr175+era2684", 1)])
def test_a_replica_answers_no_number_before_the_first_of_the_fork(name: str, least: int) -> None:
    for before, text, _ in edges(name, batches=3, regeneses=1, stale_answers=1):
        if text.startswith("read_old_status") and before["a.genesis"] == before["M.genesis"]:
            answer = int(text.removeprefix("read_old_status(answer=").removesuffix(")"))
            assert answer >= max(before["first_batch"], least)
    on_one_fork = {text for _, text, _ in edges(name, batches=3, stale_answers=1, restarts=1)}
    assert f"read_old_status(answer={least})" in on_one_fork
    assert f"read_old_status(answer={least - 1})" not in on_one_fork


def test_a_vote_that_is_handed_on_is_that_of_its_signer_and_no_other() -> None:
    found = set()
    for before, text, after in edges("pr175+era2684", "n2f0b0", batches=2, handed_on=True):
        if text.startswith("hand_on_vote"):
            found.add((text, *(name for name, value in after.items() if value != before[name])))
    assert found == {(f"hand_on_vote(signer={key})", f"M.attestation.votes.{key}") for key in "ab"}


def test_nobody_has_the_configuration_of_a_fallback_before_it_falls_back() -> None:
    scope = Scope(instance("n1f0b0"), 2, astray="a", call_steps=True, fallbacks=1)
    stepper = Stepper(build(revision("pr175+era3040"), scope))
    assert dict(stepper.named(stepper.initial))["a.has_fallback"] == 0


def test_a_certificate_is_on_its_way_as_long_as_it_is_inserted() -> None:
    system = build(revision("pr175+era2657"), Scope(instance("n1f0b0"), 2, certificate_steps=True))
    assert isinstance(system, ControllerDesign)
    (vote,) = system.certificates_on_their_way(system.topology.main)
    stepper = Stepper(system)
    is_on_its_way = stepper.evaluator(vote.number != NONE)
    seen, todo = {stepper.initial}, [stepper.initial]
    for state in todo:
        assert is_on_its_way(state)[0] == (dict(stepper.named(state))["M.task.phase"] == INSERTING)
        todo += (new := {after for _, after in stepper.successors(state)} - seen)
        seen |= new
    assert any(is_on_its_way(state)[0] for state in seen)


@pytest.mark.parametrize(
    ("name", "attests"), [("pr175+era2684", True), ("pr175+era3180", True), ("pr175+era3512", False)]
)
def test_without_a_registry_there_is_the_committee_of_the_genesis_and_from_pull_request_3512_on_none(
    name: str, attests: bool
) -> None:
    steps = edges(name, batches=2, astray="a", call_steps=True, fallbacks=1, restarts=1)
    assert attests == any(after["a.has_fallback"] and after["a.attestation.number"] == 1 for _, _, after in steps)
