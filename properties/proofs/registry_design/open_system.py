"""Systems of this design with an open committee, any number of batches, and what their environment may do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product

from model.algebra import TRUE, Bool, Int, const
from model.registry_design.system import RegistryDesign, assemble
from model.revisions import Revision
from model.scope import Instance, Scope
from model.topology import MAIN
from model.transitions import Action
from model.votes import Vote
from properties.proofs.committees import Committee
from properties.proofs.environment import Actions, Freedom, actions_of, any_number, of_nodes

ALL_DETAIL = Scope(
    Instance("any", (), 0),
    batches=None,
    late_answers=True,
    finder_steps=True,
    attester_steps=True,
    own_finders=True,
    late_batches=True,
    queue=2,
    restarts=None,
    disconnects=None,
    replays=True,
)
"""Every step of the protocol by itself, a QC finder on every node, any number of batches and of faults; votes flow from
the attesters to the main node only, and anybody may pass on those that were ever cast. Commitments are not told apart
from batches where these have no bound, so that a node can sign and insert earlier than the real one: it does more,
never less."""

EVERY_WAY = replace(ALL_DETAIL, echo=True)
"""The same, and votes flow in both directions of every connection."""


def open_system(revision: Revision, committee: Committee, scope: Scope = ALL_DETAIL) -> RegistryDesign:
    """The system of a revision with an open committee."""
    size = len(committee.weights)
    named = replace(scope, instance=Instance(f"any {size}", (1,) * size, 0))
    return assemble(revision, named, committee.electorate, committee.byzantine)


def liberties(system: RegistryDesign, byzantine: tuple[Bool, ...]) -> Iterator[Freedom]:
    """What the environment of such a system may do: at any time, and any number of times."""
    actions = actions_of(system)
    first_block, sealed = system.state.has_first_block, actions.get((MAIN, "seal_batch()"))
    yield Freedom("the genesis' first block may come", ~first_block, actions.get((MAIN, "produce_first_block()")))
    yield Freedom("the main node may seal a batch", first_block, sealed)
    yield from of_nodes(system, actions, "persist_batch", "batch")
    yield from _forgeries(system, byzantine, actions)
    yield from _old_votes(system, byzantine, actions)


def _forgeries(system: RegistryDesign, byzantine: tuple[Bool, ...], actions: Actions) -> Iterator[Freedom]:
    """A Byzantine attester signs any number and hash; every node that votes flow to takes from it what its registry
    admits."""
    forged = Vote(any_number("number", 0), any_number("variant", 0))
    for index, key in _flows(system):
        place, signer = system.topology.places[index].name, system.topology.attesters[key]
        allowed = byzantine[key] & (forged.variant != forged.number + 1)
        action = actions.get((signer, f"forge_vote(at={place})"))
        yield _arrives(f"{signer} may forge any vote at {place}", system, index, key, forged, action, allowed)


def _old_votes(system: RegistryDesign, byzantine: tuple[Bool, ...], actions: Actions) -> Iterator[Freedom]:
    """What an honest attester casts is kept, and may come to any node, and to its own, again."""
    places, number = system.topology.places, any_number("number", 0)
    own = {place.key: index for index, place in enumerate(places) if place.key is not None}
    for index, key in dict.fromkeys((*_flows(system), *((index, key) for key, index in own.items()))):
        place, signer, cast = places[index].name, system.topology.attesters[key], system.state.nodes[own[key]].cast
        assert cast is not None, "the scope of the proofs has replays"
        allowed = ~byzantine[key] & (cast.least >= 0) & (cast.least <= number) & (number <= cast.greatest)
        action = actions.get((place, f"hand_on_vote(signer={signer})"))
        old = Vote(number, const(0))
        yield _arrives(f"any old vote of {signer} may come to {place}", system, index, key, old, action, allowed)
    for index in own.values():
        yield from _memory(system, index, number, actions)


def _memory(system: RegistryDesign, index: int, number: Int, actions: Actions) -> Iterator[Freedom]:
    """That a node's attester never forgets what it has cast, whatever happens."""
    node, name = system.state.nodes[index], system.topology.places[index].name
    assert node.cast is not None
    publish = actions.get((name, "publish_vote()"))
    casting = publish.guard if publish else node.runs_executor
    given = casting & ((number == node.attester.number) | node.cast.include(number))
    yield Freedom(f"what {name} casts is kept", given, publish, {}, node.cast.include(number))
    for action in system.actions:
        if action is not publish and {node.cast.least, node.cast.greatest} & {
            each.expression for each, _ in action.updates
        }:
            yield Freedom(f"{action} of {action.node} does not forget what {name} cast", TRUE, None)


def _flows(system: RegistryDesign) -> Iterator[tuple[int, int]]:
    """Every node that votes flow to, with every attester."""
    topology, attesters = system.topology, range(len(system.topology.attesters))
    receivers = {topology.main, *(receiver for _, receiver in topology.links)}
    return product(sorted(receivers), attesters)


def _arrives(
    name: str, system: RegistryDesign, index: int, key: int, vote: Vote, action: Action | None, allowed: Bool
) -> Freedom:
    """That a vote is in a node's registry after the action, if it is admitted."""
    node = system.state.nodes[index]
    given = allowed & node.runs_executor & node.registry.admits(key, vote)
    there = node.registry.votes[key]
    effect = (there.number == vote.number) & (there.variant == vote.variant)
    picks = zip(action.choices if action else (), (vote.number, vote.variant), strict=False)
    return Freedom(name, given, action, dict(picks), effect)
