"""The wiring adds nothing to the protocol: an action's guard is that of its transition."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar

import pytest

from model.algebra import FALSE, TRUE, Bool, const
from model.registry_design import network, node
from model.registry_design.gossip import Link
from model.registry_design.system import RegistryDesign
from model.revisions import PROPOSALS, REGISTRY, compose, of_design
from model.scope import BAD_SIGNATURE, instance
from model.system import build
from model.topology import TOPOLOGIES
from model.votes import NO_VOTE, Vote
from properties.scopes.details import DETAILS

K = TypeVar("K")

FULL = replace(DETAILS["full"].scope(instance("n2f0b0"), 2), topology="relay", bad_votes=BAD_SIGNATURE)
"""Every step is one of its own, so that no guard is that of two transitions."""


def identities(guards: Mapping[K, Bool]) -> dict[K, int]:
    """Which expressions they are: equal ones are identical."""
    return {name: id(guard) for name, guard in guards.items()}


def of_node(system: RegistryDesign, index: int, key: int | None) -> dict[str, Bool]:
    """The guards of what one node does by itself."""
    here = system.state.nodes[index]
    asked = network.answer(system.state, system.topology, system.revision)
    steps = {
        "poll_status": node.poll_status(here, asked),
        "refuse_status": network.refuse_status(system.state, index, system.topology),
        "update_status": node.update_status(here),
        "read_status": node.read_status(here) if node.FINDER in here.status.subscribers else None,
        "set_min_batch_number": node.set_min_batch_number(here),
        "find_quorum": node.find_quorum(here, system.electorate),
        "store_qc": node.store_qc(here),
        "insert_qc": node.insert_qc(here),
        "read_status_to_attest": node.read_status_to_attest(here) if key is not None else None,
        "publish_vote": node.publish_vote(here, key) if key is not None else None,
    }
    return {name: step.when for name, step in steps.items() if step is not None and step.when is not FALSE}


def of_links(system: RegistryDesign) -> dict[tuple[str, str, str], Bool]:
    """The guards of what the connections do, by transition, receiver and sender."""
    guards = {}
    for link, (sender, receiver) in enumerate(system.topology.links):
        names = (system.topology.places[sender].name, system.topology.places[receiver].name)
        for transition in (network.push_votes, network.receive_votes, network.refuse_votes):
            step = transition(system.state, link, system.topology)
            if step.when is not FALSE:
                guards[transition.name, *names] = step.when
    return guards


@pytest.mark.parametrize(
    "revision", [*of_design(REGISTRY), *(name for name, each in PROPOSALS.items() if each.design == REGISTRY)]
)
def test_every_guard_is_in_the_transition(revision: str) -> None:
    system = build(compose(revision), FULL)
    for index, place in enumerate(system.topology.places):
        expected = of_node(system, index, place.key)
        found = {
            action.name: action.guard
            for action in system.actions
            if action.node == place.name and action.name in node.__dict__ | {"refuse_status": None}
        }
        assert identities(found) == identities(expected)
    found_on_links = {
        (action.name, *((action.node, other) if end == "to" else (other, action.node))): action.guard
        for action in system.actions
        for end, other in action.arguments
        if end in ("to", "from") and action.name in ("push_votes", "receive_votes", "refuse_votes")
    }
    assert identities(found_on_links) == identities(of_links(system))


def test_one_vote_below_the_minimum_is_enough_for_a_message_to_carry_one() -> None:
    registry = replace(build(compose("pr161+era2480"), FULL).main.registry, min_batch_number=const(3))
    low, high = (Vote(const(number), const(0), const(0)) for number in (0, 5))
    for in_flight, carries in {(low, high): TRUE, (high, NO_VOTE): FALSE}.items():
        assert Link((NO_VOTE, NO_VOTE), in_flight).carries_vote_below(registry) is carries


def test_forged_votes_come_to_every_attester_to_whom_votes_flow() -> None:
    """In a chain that is the one before another, although it does not receive on every link."""
    chain = TOPOLOGIES["chain"](("a", "b"), ("a", "b"), False)
    targets = {place.name: chain.is_target(index, echo=False) for index, place in enumerate(chain.places)}
    assert targets == {"M": True, "a": True, "b": False}
