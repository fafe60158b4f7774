"""The system: the machines of all nodes and connections, put together for a revision and a scope.

`build` returns one transition system: the initial state, and every action of every node as a guarded command. It is
what all engines run on. The protocol is elsewhere, all of it: what a node does is in `model.registry_design.node`, what
happens between nodes in `model.registry_design.network`. Here is only what the scope decides: for which nodes,
connections and attesters there is a transition, who is Byzantine, and which transitions are joined to one step.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from model.algebra import FALSE, TRUE, Bool, Expression, Int, any_of, const, int_variable
from model.registry_design.declaration import Declaration
from model.registry_design.network import (
    System,
    answer,
    fail_once,
    forge_vote,
    hand_on_vote,
    next_batch_to_attest,
    persist_batch,
    produce_first_block,
    provide_commitment,
    prune,
    push_bad_vote,
    push_votes,
    read_old_status,
    receive_votes,
    reconnect,
    refuse_old_genesis,
    refuse_status,
    refuse_votes,
    regenesis,
    replay_vote,
    replicate,
    restart_node,
    restart_on_new_genesis,
    seal_batch,
    stop_on_mismatch,
    store_start,
)
from model.registry_design.node import (
    Node,
    find_quorum,
    insert_qc,
    poll_status,
    publish_vote,
    read_status,
    read_status_to_attest,
    set_min_batch_number,
    store_qc,
    update_status,
)
from model.registry_design.qc_finder import WAITING_FOR_QUORUM
from model.revisions import Revision
from model.scope import Scope
from model.service import (
    AttestationSystem,
    Certificate,
    byzantine_of,
    electorate_of,
    refuse_unknown_nodes,
    topology_of,
)
from model.topology import MAIN, Topology
from model.transitions import Action, Namespace, Step, Transition, Variable, updates
from model.votes import Electorate, Vote


def build(revision: Revision, scope: Scope) -> RegistryDesign:
    """The system of a revision within a scope."""
    return assemble(revision, scope, electorate_of(scope), byzantine_of(scope))


def assemble(
    revision: Revision,
    scope: Scope,
    electorate: Electorate,
    byzantine: tuple[Bool, ...],
    topology: Topology | None = None,
) -> RegistryDesign:
    """The system for weights, a threshold and a Byzantine membership that need not be known numbers (a solver may
    leave them open), and for a topology other than the scope's (as a recorded log has it)."""
    topology = topology or topology_of(scope, byzantine)
    refuse_unknown_nodes(scope, topology)
    space = Namespace()
    declaration = Declaration(revision, scope, topology, byzantine, space)
    state = declaration.system()
    wiring = Wiring(revision, scope, topology, electorate, byzantine, state, declaration)
    return RegistryDesign(
        name=f"{revision.name} {scope.instance.name}",
        state=state,
        variables=tuple(space.declared),
        actions=tuple(wiring.actions()),
        topology=topology,
        electorate=electorate,
        revision=revision,
        scope=scope,
    )


@dataclass(frozen=True)
class RegistryDesign(AttestationSystem):
    """The service with a vote registry, a status watch and a QC finder on each node: PR 161 to PR 170."""

    state: System

    @property
    def main(self) -> Node:
        """The main node."""
        return self.state.nodes[self.topology.main]

    @cached_property
    def next_batch_to_attest(self) -> Int:
        """What the main node's database answers now."""
        return next_batch_to_attest(self.state, self.topology, self.revision)

    def is_to_attest(self, number: Int | int) -> Bool:
        return (self.state.first_batch <= number) & (self.state.start <= number)

    def runs(self, node: int) -> Bool:
        return self.state.nodes[node].runs_executor

    def told(self, node: int) -> Int:
        return self.state.nodes[node].status.next_batch_to_attest

    def votes(self, node: int) -> tuple[Vote, ...]:
        return self.state.nodes[node].registry.votes

    def is_quorum(self, node: int, subject: Vote) -> Bool:
        return self.state.nodes[node].registry.is_quorum(subject, self.electorate)

    def certificate(self, node: int) -> Certificate | None:
        here = self.state.nodes[node]
        quorum = here.registry.find_quorum(self.electorate)
        found = here.finder.is_in(WAITING_FOR_QUORUM) & quorum.found
        if found is FALSE:
            return None
        verifies = here.registry.certificate_verifies(quorum.vote, self.electorate)
        return Certificate(found, quorum.vote, verifies, quorum.vote.variant == 0)

    def certificates_on_their_way(self, node: int) -> tuple[Vote, ...]:
        here = self.state.nodes[node]
        return (here.finder.quorum, *here.store.queue.places)


@dataclass(frozen=True)
class Wiring:
    """All actions of a system: each transition, for each place where it can happen."""

    revision: Revision
    scope: Scope
    topology: Topology
    electorate: Electorate
    byzantine: tuple[Bool, ...]
    state: System
    declaration: Declaration

    @cached_property
    def variables(self) -> dict[Expression, Variable]:
        return {variable.expression: variable for variable in self.declaration.space.declared}

    def actions(self) -> Iterator[Action]:
        yield from self.sealing()
        for index in range(len(self.topology.places)):
            yield from self.of_node(index)
        for index in range(len(self.topology.links)):
            yield from self.of_link(index)
        yield from self.faults()
        yield from self.forks()

    def action(
        self,
        transition: Transition,
        node: str,
        step: Step[System],
        allowed: Bool = TRUE,
        choices: tuple[Expression, ...] = (),
        arguments: Mapping[str, int | str] | None = None,
    ) -> Iterator[Action]:
        """One action, unless it can never happen in this scope."""
        guard = step.when & allowed
        if guard is FALSE:
            return
        changes = updates(self.state, step.then, self.variables)
        if changes:
            yield Action(transition, node, tuple((arguments or {}).items()), guard, changes, choices)

    def sealing(self) -> Iterator[Action]:
        yield from self.action(produce_first_block, MAIN, produce_first_block(self.state))
        yield from self.action(seal_batch, MAIN, seal_batch(self.state, self.scope.batches))
        yield from self.action(store_start, MAIN, store_start(self.state, self.topology, self.revision))
        if self.scope.stale_answers != 0:
            yield from self.action(replicate, MAIN, replicate(self.state, self.topology, self.revision))
        if self.scope.late_batches:
            for index, place in enumerate(self.topology.places):
                yield from self.action(persist_batch, place.name, persist_batch(self.state, index))
                for number in range(len(self.state.nodes[index].store.commitments)):
                    step = provide_commitment(self.state, index, number)
                    yield from self.action(provide_commitment, place.name, step, arguments={"number": number})

    def of_node(self, index: int) -> Iterator[Action]:
        place, scope = self.topology.places[index], self.scope
        yield from self.of_status(index)
        if scope.pruned == place.name:
            pruned = prune(self.state, index, scope.prunes_after_status, scope.pruned_batches)
            yield from self.action(prune, place.name, pruned)
        if self.topology.has_finder(index, scope.own_finders):
            yield from self.of_finder(index)
        if place.key is not None:
            yield from self.of_attester(index, place.key)

    def of_status(self, index: int) -> Iterator[Action]:
        def refuse(system: System) -> Step[System]:
            refused: Step[System] = refuse_status(system, index, self.topology)
            return refused

        node, name, is_main = self.state.nodes[index], self.topology.places[index].name, index == self.topology.main
        if not self.scope.is_answered(name):
            return
        polling = poll_status(node, answer(self.state, self.topology, self.revision))
        if not is_main:
            yield from self.action(read_old_status, name, read_old_status(self.state, index))
            yield from self.action(refuse_old_genesis, name, refuse_old_genesis(self.state, index, self.topology))
        if self.scope.polls_late(is_main):
            yield from self.node_action(index, poll_status, polling)
            yield from self.action(refuse_status, name, refuse(self.state))
            yield from self.node_action(index, update_status)
        else:
            yield from self.action(refuse_status, name, self.state.on_node(index, polling).and_then(refuse))
            yield from self.node_action(index, update_status, polling.and_then(update_status))

    def of_finder(self, index: int) -> Iterator[Action]:
        node, scope = self.state.nodes[index], self.scope
        finding = find_quorum(node, self.electorate)
        if scope.finder_steps:
            yield from self.node_action(index, read_status)
            yield from self.node_action(index, set_min_batch_number)
            yield from self.node_action(index, find_quorum, finding)
            yield from self.node_action(index, store_qc, self.storing(node))
        else:
            setting = read_status(node).and_then(set_min_batch_number)
            yield from self.node_action(index, set_min_batch_number, setting)
            yield from self.node_action(index, find_quorum, finding.and_then(self.storing))
        if scope.queue > 0:
            yield from self.node_action(index, insert_qc)
            stopping = stop_on_mismatch(self.state, index, self.topology)
            yield from self.action(stop_on_mismatch, self.topology.places[index].name, stopping)

    def storing(self, node: Node) -> Step[Node]:
        """`store_qc`, and the insertion with it where the scope has no queue."""
        stored: Step[Node] = store_qc(node)
        return stored if self.scope.queue > 0 else stored.and_then(insert_qc)

    def of_attester(self, index: int, key: int) -> Iterator[Action]:
        def publish(node: Node) -> Step[Node]:
            published: Step[Node] = publish_vote(node, key)
            return published

        node, is_honest = self.state.nodes[index], ~self.byzantine[key]
        reading = read_status_to_attest(node)
        if self.scope.attester_steps:
            yield from self.node_action(index, read_status_to_attest, reading, is_honest)
            yield from self.node_action(index, publish_vote, publish(node), is_honest)
        else:
            yield from self.node_action(index, publish_vote, reading.and_then(publish), is_honest)

    def node_action(
        self,
        index: int,
        transition: Transition,
        step: Step[Node] | None = None,
        allowed: Bool = TRUE,
    ) -> Iterator[Action]:
        """An action that changes one node alone."""
        whole = self.state.on_node(index, step or transition(self.state.nodes[index]))
        yield from self.action(transition, self.topology.places[index].name, whole, allowed)

    def of_link(self, index: int) -> Iterator[Action]:
        sender, receiver = (self.topology.places[end].name for end in self.topology.links[index])
        for of, some in self.pieces(index):
            pushed = push_votes(self.state, index, self.topology, of)
            yield from self.action(push_votes, sender, pushed, arguments={"to": receiver, **some})
        if self.scope.some_bad_votes and self.state.links[index].bad_vote:
            spoilt = push_bad_vote(self.state, index, self.topology)
            yield from self.action(push_bad_vote, sender, spoilt, arguments={"to": receiver})
        for transition in (receive_votes, refuse_votes):
            arrived = transition(self.state, index, self.topology)
            yield from self.action(transition, receiver, arrived, arguments={"from": sender})

    def pieces(self, link: int) -> Iterator[tuple[tuple[int, ...], dict[str, str]]]:
        """Whose votes a message may have, and the argument that says so: everybody's, or, as is proposed, those of as
        many as there is room for."""
        yield (), {}
        possible = [key for key, vote in enumerate(self.state.links[link].old) if not vote.number.is_constant]
        limit = self.scope.message_limit if self.revision.sends_in_pieces else 0
        for of in itertools.combinations(possible, limit) if limit else ():
            yield of, {"of": "".join(self.topology.attesters[key] for key in of)}

    def faults(self) -> Iterator[Action]:
        yield from self.forgeries()
        yield from self.kept_votes()
        for index, place in enumerate(self.topology.places):
            if self.scope.restarting in ("", place.name):
                yield from self.action(restart_node, place.name, restart_node(self.state, index, self.topology))
            if self.scope.failing in ("", place.name):
                yield from self.action(fail_once, place.name, fail_once(self.state, index, self.topology))
        for links in self.topology.connections:
            ends = [self.topology.places[end].name for end in self.topology.links[links[0]]]
            yield from self.action(reconnect, ends[0], reconnect(self.state, links), arguments={"to": ends[1]})

    def forks(self) -> Iterator[Action]:
        geneses, names = self.scope.regeneses, [place.name for place in self.topology.places]
        for first in range((self.scope.batches or 0) if geneses else 0):
            step = regenesis(self.state, self.topology, self.revision, first, geneses)
            yield from self.action(regenesis, MAIN, step, arguments={"first": first})
        for index, name in enumerate(names):
            step = restart_on_new_genesis(self.state, index, self.topology)
            yield from self.action(restart_on_new_genesis, name, step)
            for key, (vote, arguments) in itertools.product(self.topology.keys_at(index), self.former_votes()):
                step = replay_vote(self.state, index, key, vote)
                signer = {"signer": self.topology.attesters[key]}
                yield from self.action(replay_vote, name, step, arguments={**signer, **arguments})

    def former_votes(self) -> Iterator[tuple[Vote, dict[str, int]]]:
        """The votes that honest attesters may have cast on forks before the last."""
        batches = self.scope.batches or 0
        for genesis, number in itertools.product(range(self.scope.regeneses), range(batches)):
            yield Vote(const(number), const(0), const(genesis)), {"number": number, "genesis": genesis}

    def forgeries(self) -> Iterator[Action]:
        for index in range(len(self.topology.places)):
            for key in sorted(self.forgers_at(index)):
                for vote, choices, arguments in self.forged_votes():
                    step = forge_vote(self.state, index, key, vote)
                    name = self.topology.attesters[key]
                    node = self.topology.places[index].name
                    # Variant number + 1 is another name of variant 0, the batch's own hash.
                    allowed = self.byzantine[key] & (vote.variant != vote.number + 1)
                    yield from self.action(forge_vote, name, step, allowed, choices, {"at": node, **arguments})

    def kept_votes(self) -> Iterator[Action]:
        """Honest attesters' votes that somebody may have kept, come to every node where such votes can be."""
        if not (self.scope.replays or self.scope.handed_on):
            return
        for index, place in enumerate(self.topology.places):
            for key in sorted(self.declaration.keys_at(index)):
                for number, choices, arguments in self.kept_numbers():
                    step = hand_on_vote(self.state, index, key, Vote(number, const(0), self.state.nodes[index].genesis))
                    allowed = ~self.byzantine[key] & self.may_be_kept(key, number)
                    told: dict[str, int | str] = {"signer": self.topology.attesters[key], **arguments}
                    yield from self.action(hand_on_vote, place.name, step, allowed, choices, told)

    def kept_numbers(self) -> Iterator[tuple[Int, tuple[Expression, ...], dict[str, int]]]:
        """Every batch number; an open one where batches have no bound."""
        if self.scope.batches is None:
            number = int_variable("kept.number", 0, None)
            yield number, (number,), {}
            return
        for batch in range(self.scope.batches):
            yield const(batch), (), {"number": batch}

    def may_be_kept(self, key: int, number: Int) -> Bool:
        """Whether the attester may have cast a vote on this number; where that is not remembered, a log says so."""
        if not self.scope.replays:
            return TRUE
        owned = zip(self.topology.places, self.state.nodes, strict=True)
        return any_of(node.cast.include(number) for place, node in owned if place.key == key and node.cast)

    def forgers_at(self, index: int) -> set[int]:
        if not self.topology.is_target(index, self.scope.echo):
            return set()
        return {key for key, flag in enumerate(self.byzantine) if flag is not FALSE}

    def forged_votes(self) -> Iterator[tuple[Vote, tuple[Expression, ...], dict[str, int]]]:
        """Every vote that a Byzantine attester can sign; one with open number and hash where batches have no bound."""
        batches = self.scope.batches
        if batches is None:
            number, variant = int_variable("forged.number", 0, None), int_variable("forged.variant", 0, None)
            yield Vote(number, variant), (number, variant), {}
            return
        for batch in range(batches):
            for other in range(-self.scope.lesser_hashes, batches + 2):
                yield Vote(const(batch), const(other)), (), {"number": batch, "variant": other}
