"""The system: the machines of all nodes and connections, put together for a revision and a scope.

It holds no choice of its own beyond wiring: what a node does is in `model.controller_design.node`, what happens between
nodes in `model.controller_design.network`.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial

from model.algebra import FALSE, TRUE, Bool, Expression, Int, all_of, const, int_variable, where
from model.committees import GENESIS_COMMITTEE, BadCommittees, CommitteeRead, Committees
from model.controller_design.declaration import Declaration
from model.controller_design.network import (
    System,
    answer_call,
    call_peer,
    can_talk,
    diverge,
    exchange_votes,
    execute_again,
    fail_once,
    fail_to_certify,
    fail_to_start,
    first_to_attest,
    forge_vote,
    hand_on_vote,
    is_oversized,
    next_batch_to_attest,
    provide_hash,
    prune,
    read_old_genesis,
    read_old_status,
    receive_answer,
    receive_call,
    reconnect,
    refuse_genesis,
    refuse_message,
    regenesis,
    restart_node,
    restart_on_new_genesis,
    restart_on_smaller,
    restart_with_registry,
    restart_without_registry,
    restore_database,
    seal_batch,
)
from model.controller_design.node import (
    Node,
    find_certificate,
    insert_certificate,
    matches_store,
    read_status,
    skip_batch,
    start_attestation,
)
from model.controller_design.task import INSERTING, READING_STATUS
from model.revisions import Revision
from model.scope import BadScope, Scope
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
from model.votes import NO_VOTE, Electorate, Vote


def build(revision: Revision, scope: Scope) -> ControllerDesign:
    """The system of a revision within a scope."""
    return assemble(revision, scope, electorate_of(scope), byzantine_of(scope))


def assemble(
    revision: Revision,
    scope: Scope,
    electorate: Electorate,
    byzantine: tuple[Bool, ...],
    topology: Topology | None = None,
    committees: Committees | None = None,
) -> ControllerDesign:
    """The system for weights, a threshold and a Byzantine membership that need not be known numbers (a solver may
    leave them open), and for a topology and committees other than the scope's (as a recorded log has them).

    Votes flow along the links of the topology; calls go both ways on every connection. Raises `BadScope`.
    """
    flow = topology or topology_of(scope, byzantine)
    refuse_unknown_nodes(scope, flow)
    if (scope.split or scope.fallbacks or scope.message_limit) and not scope.call_steps:
        raise BadScope("messages that are too large, or cut off by an error, need call_steps")
    if scope.quorum:
        raise BadScope("a quorum of one's own is in the vote registry's design alone; here a committee has its own")
    if scope.message_limit and not scope.echo:
        raise BadScope("a message_limit needs echo: without it, not all votes of a message are in the model to count")
    committees = committees or committees_of(revision, scope, electorate)
    topology, space = flow.both_ways, Namespace()
    declaration = Declaration(revision, scope, flow, topology, committees, byzantine, space)
    state = declaration.system()
    wiring = Wiring(revision, scope, topology, committees, byzantine, state, declaration)
    return ControllerDesign(
        name=f"{revision.name} {scope.instance.name}",
        state=state,
        variables=tuple(space.declared),
        actions=tuple(wiring.actions()),
        topology=topology,
        electorate=electorate,
        revision=revision,
        scope=scope,
        committees=committees,
    )


def committees_of(revision: Revision, scope: Scope, electorate: Electorate) -> Committees:
    """The committees of the scope's batches. Raises `BadScope`."""
    if (scope.committees or scope.split or scope.fallbacks) and not revision.has_committee_per_batch:
        raise BadScope(f"{revision.name} has one committee for all batches: no committees, no split, no fallbacks")
    try:
        return Committees.of(electorate, scope.committees)
    except BadCommittees as error:
        raise BadScope(str(error)) from None


@dataclass(frozen=True)
class ControllerDesign(AttestationSystem):
    """The service with an attestation controller on each node: from PR 175 on."""

    state: System
    committees: Committees = field(kw_only=True)

    @property
    def main(self) -> Node:
        """The main node."""
        return self.state.nodes[self.topology.main]

    @cached_property
    def next_batch_to_attest(self) -> Int:
        """What the main node's database answers now."""
        return next_batch_to_attest(self.state, self.topology, self.revision)

    def committee_of(self, number: Int) -> CommitteeRead:
        """The committee that a batch should have."""
        return self.committees.of_batch(number) if self.revision.has_committee_per_batch else GENESIS_COMMITTEE

    def is_to_attest(self, number: Int | int) -> Bool:
        return first_to_attest(self.state, self.revision) <= number

    def runs(self, node: int) -> Bool:
        return self.state.nodes[node].runs

    def told(self, node: int) -> Int:
        return self.state.nodes[node].attestation.batch.number

    def votes(self, node: int) -> tuple[Vote, ...]:
        attestation = self.state.nodes[node].attestation
        return tuple(where(vote, attestation.batch, NO_VOTE) for vote in attestation.votes)

    def is_quorum(self, node: int, subject: Vote) -> Bool:
        attestation = self.state.nodes[node].attestation
        return attestation.has_quorum & attestation.batch.is_same_as(subject)

    def certificate(self, node: int) -> Certificate | None:
        if node != self.topology.main:
            return None
        here = self.state.nodes[node]
        finding: Step[Node] = find_certificate(here)
        found = finding.when | (here.runs & here.task.is_in(INSERTING))
        return Certificate(found, here.attestation.batch, here.attestation.certificate_verifies, matches_store(here))

    def certificates_on_their_way(self, node: int) -> tuple[Vote, ...]:
        here = self.state.nodes[node]
        return (where(here.task.is_in(INSERTING), here.attestation.batch, NO_VOTE),)


@dataclass(frozen=True)
class Wiring:
    """All actions of a system: each transition, for each place where it can happen."""

    revision: Revision
    scope: Scope
    topology: Topology
    committees: Committees
    byzantine: tuple[Bool, ...]
    state: System
    declaration: Declaration

    @cached_property
    def variables(self) -> dict[Expression, Variable]:
        return {variable.expression: variable for variable in self.declaration.space.declared}

    def actions(self) -> Iterator[Action]:
        yield from self.batches()
        for index in range(len(self.topology.places)):
            yield from self.of_task(index)
        for index in range(len(self.topology.links)):
            yield from self.of_link(index)
        yield from self.gifts()
        for index in range(len(self.topology.places)):
            yield from self.faults_of(index)
        yield from self.faults_of_main()
        for links in self.topology.connections:
            ends = [self.name_of(end) for end in self.topology.links[links[0]]]
            yield from self.action(reconnect, ends[0], reconnect(self.state, links), arguments={"to": ends[1]})

    def name_of(self, index: int) -> str:
        return self.topology.places[index].name

    def action(
        self,
        transition: Transition,
        node: str,
        step: Step[System],
        allowed: Bool = TRUE,
        arguments: Mapping[str, int | str] | None = None,
        choices: tuple[Expression, ...] = (),
    ) -> Iterator[Action]:
        """One action, unless it can never happen in this scope."""
        guard = step.when & allowed
        if guard is FALSE:
            return
        changes = updates(self.state, step.then, self.variables)
        if changes:
            yield Action(transition, node, tuple((arguments or {}).items()), guard, changes, choices)

    def batches(self) -> Iterator[Action]:
        yield from self.action(seal_batch, MAIN, seal_batch(self.state, self.scope.batches))
        for index, place in enumerate(self.topology.places):
            if self.scope.late_batches:
                yield from self.action(provide_hash, place.name, provide_hash(self.state, index))
            if self.scope.pruned == place.name:
                step = prune(self.state, index, self.revision, self.scope.pruned_batches)
                yield from self.action(prune, place.name, step, self.is_time_to_prune(index))
            if place.name in self.scope.astray:
                yield from self.action(execute_again, place.name, execute_again(self.state, index))

    def is_time_to_prune(self, index: int) -> Bool:
        """What the scope wants to have happened before a node prunes a batch."""
        here, first = self.state.nodes[index], first_to_attest(self.state, self.revision)
        has_read = here.attestation.is_on | ~here.task.is_in(READING_STATUS)
        number = here.store.next_to_prune(first)
        certified = self.state.nodes[self.topology.main].store.certified.contains(number)
        return (has_read if self.scope.prunes_after_status else TRUE) & (
            certified if self.scope.prunes_certified else TRUE
        )

    def of_task(self, index: int) -> Iterator[Action]:
        """The task of a node; that of a Byzantine attester does not count, as such an attester does as it likes."""
        key = self.topology.places[index].key
        is_honest = TRUE if key is None else ~self.byzantine[key]
        asked = next_batch_to_attest(self.state, self.topology, self.revision)
        on_fork = self.state.nodes[index].genesis == self.state.nodes[self.topology.main].genesis
        heard = is_honest & on_fork
        here = self.state.nodes[index]
        reading: Step[Node] = read_status(here, asked)
        starting = list(self.startings(index, key))
        if self.scope.late_answers:
            yield from self.node_action(index, read_status, reading, heard)
            for start, arguments in starting:
                yield from self.node_action(index, start_attestation, start(here), is_honest, arguments)
            yield from self.node_action(index, skip_batch, skip_batch(here), is_honest)
        else:
            for start, arguments in starting:
                yield from self.node_action(index, start_attestation, reading.and_then(start), heard, arguments)
            yield from self.node_action(index, skip_batch, reading.and_then(skip_batch), heard)
        if index == self.topology.main:
            yield from self.of_certificates(index, is_honest)

    def startings(self, index: int, key: int | None) -> Iterator[tuple[Start, dict[str, int | str]]]:
        """The ways in which a node can start a batch: with the committee that it finds; where the scope has it so, with
        any."""
        if self.name_of(index) != self.scope.split:
            yield lambda node: start_attestation(node, key), {}
            return
        for place in range(len(self.committees.electorates)):
            yield partial(_start_with, key=key, place=place), {"committee": place}

    def node_action(
        self,
        index: int,
        transition: Transition,
        step: Step[Node],
        allowed: Bool = TRUE,
        arguments: Mapping[str, int | str] | None = None,
    ) -> Iterator[Action]:
        """An action that changes one node alone."""
        whole = Step(step.when, self.state.with_node(index, step.then))
        yield from self.action(transition, self.name_of(index), whole, allowed, arguments)

    def of_certificates(self, index: int, allowed: Bool) -> Iterator[Action]:
        finding: Step[Node] = find_certificate(self.state.nodes[index])
        asked = next_batch_to_attest(self.state, self.topology, self.revision)
        if self.scope.certificate_steps:
            yield from self.node_action(index, find_certificate, finding, allowed)
            inserting: Step[Node] = insert_certificate(self.state.nodes[index], asked)
        else:
            inserting = finding.and_then(lambda found: insert_certificate(found, asked))
        yield from self.node_action(index, insert_certificate, inserting, allowed)

    def of_link(self, index: int) -> Iterator[Action]:
        caller, peer = self.topology.links[index]
        names, link = (self.name_of(caller), self.name_of(peer)), self.state.links[index]
        possible = self.declaration.passing((caller, peer))
        passing = tuple(key in possible for key in range(len(self.byzantine)))
        connected, to, by = can_talk(self.state, (caller, peer)), {"to": names[1]}, {"from": names[0]}
        if not self.scope.call_steps:
            step = exchange_votes(self.state, index, (caller, peer), passing)
            yield from self.action(exchange_votes, names[0], step, connected, to)
            return
        limit = self.scope.message_limit
        fits = ~is_oversized(link, limit) if limit else TRUE
        for of, some in self.pieces(index):
            calling = call_peer(self.state, index, caller, passing, of)
            yield from self.action(call_peer, names[0], calling, connected, {**to, **some})
        for looked_at, allowed, cut in self.lists(index, peer):
            step = receive_call(self.state, index, peer, looked_at)
            yield from self.action(receive_call, names[1], step, fits & allowed, {**by, **cut})
        for of, some in self.pieces(index):
            answering = answer_call(self.state, index, peer, passing, of)
            yield from self.action(answer_call, names[1], answering, arguments={**by, **some})
        for looked_at, allowed, cut in self.lists(index, caller):
            step = receive_answer(self.state, index, caller, looked_at)
            yield from self.action(receive_answer, names[0], step, fits & allowed, {"from": names[1], **cut})
        if limit:
            connection = next(links for links in self.topology.connections if index in links)
            yield from self.action(
                refuse_message, names[0], refuse_message(self.state, index, limit, connection), arguments=to
            )

    def pieces(self, link: int) -> Iterator[tuple[tuple[int, ...], dict[str, str]]]:
        """Whose votes a message may have, and the argument that says so: everybody's, or, as is proposed, those of as
        many as there is room for."""
        yield (), {}
        here = self.state.links[link]
        possible = [key for key, told in enumerate(here.told) if told is not FALSE]
        for of in itertools.combinations(possible, here.piece) if here.piece else ():
            yield of, {"of": "".join(self.topology.attesters[key] for key in of)}

    def lists(self, link: int, receiver: int) -> Iterator[tuple[tuple[Bool, ...], Bool, dict[str, str]]]:
        """Which votes of the message on a link the receiver looks at, when, and the argument that says so: all of them;
        or, if one is an error, those that happen to stand before the first error, in whatever order the list is."""
        here, node = self.state.links[link], self.state.nodes[receiver]
        has_error = node.attestation.has_error(here.batch, here.carried)
        if self.revision.skips_refused_votes:
            yield here.carried, TRUE, {}
            return
        yield here.carried, ~has_error, {}
        carried = [key for key, vote in enumerate(here.carried) if vote is not FALSE]
        # Where all nodes have one committee, an error is in the batch, and so in every vote of the list.
        most = len(carried) if len(self.committees.electorates) > 1 else 0
        for before in itertools.chain.from_iterable(itertools.combinations(carried, n) for n in range(most + 1)):
            looked_at = tuple(vote if key in before else FALSE for key, vote in enumerate(here.carried))
            sound = all_of(here.carried[key] & ~node.attestation.ends_list(key, here.batch) for key in before)
            names = "".join(self.topology.attesters[key] for key in before)
            yield looked_at, has_error & sound, {"before_error": names}

    def gifts(self) -> Iterator[Action]:
        """Votes that come from outside: those of Byzantine attesters; and those that somebody has kept, where the scope
        is that of a log."""
        for index, key in itertools.product(range(len(self.topology.places)), range(len(self.byzantine))):
            name, attester = self.name_of(index), self.topology.attesters[key]
            if key not in self.declaration.keys_at(index):
                continue
            forging = forge_vote(self.state, index, key)
            yield from self.action(forge_vote, attester, forging, self.byzantine[key], {"at": name})
            if self.scope.handed_on:
                handing = hand_on_vote(self.state, index, key)
                is_honest, arguments = ~self.byzantine[key], {"signer": attester}
                yield from self.action(hand_on_vote, name, handing, is_honest, arguments)

    def faults_of(self, index: int) -> Iterator[Action]:
        state, scope, name = self.state, self.scope, self.name_of(index)
        if scope.restarting in ("", name):
            yield from self.action(restart_node, name, restart_node(state, index, self.topology))
        if scope.failing in ("", name):
            yield from self.action(fail_once, name, fail_once(state, index, self.topology, self.revision))
        if name in scope.astray:
            yield from self.action(diverge, name, diverge(state, index))
        if self.revision.restarts_on_smaller:
            yield from self.action(
                restart_on_smaller, name, restart_on_smaller(state, index, self.topology, self.revision)
            )
        yield from self.action(fail_to_start, name, self.failing_to_start(index))
        if index != self.topology.main:
            yield from self.faults_of_external(index)

    def failing_to_start(self, index: int) -> Step[System]:
        """The failure by itself; joined with the reading before it, where these are one step."""
        if self.scope.late_answers:
            step: Step[System] = fail_to_start(self.state, index, self.topology, self.revision)
            return step
        asked = next_batch_to_attest(self.state, self.topology, self.revision)
        on_fork = self.state.nodes[index].genesis == self.state.nodes[self.topology.main].genesis
        reading: Step[Node] = read_status(self.state.nodes[index], asked)
        whole = Step(reading.when & on_fork, self.state.with_node(index, reading.then))
        return whole.and_then(lambda read: fail_to_start(read, index, self.topology, self.revision))

    def faults_of_external(self, index: int) -> Iterator[Action]:
        state, topology, revision, name = self.state, self.topology, self.revision, self.name_of(index)
        yield from self.action(refuse_genesis, name, refuse_genesis(state, index, topology, revision))
        yield from self.action(read_old_genesis, name, read_old_genesis(state, index, topology, revision))
        yield from self.action(restart_on_new_genesis, name, restart_on_new_genesis(state, index, topology))
        if name in self.scope.astray and revision.has_committee_per_batch:
            losing = restart_without_registry(state, index, topology, revision)
            yield from self.action(restart_without_registry, name, losing)
            yield from self.action(restart_with_registry, name, restart_with_registry(state, index, topology))
        key = topology.places[index].key
        is_honest = TRUE if key is None else ~self.byzantine[key]
        for answer, choices, arguments in self.old_answers():
            step: Step[System] = read_old_status(state, index, answer, topology, revision)
            if not self.scope.late_answers:
                step = step.and_then(partial(self.start_at, index=index, key=key))
            yield from self.action(read_old_status, name, step, is_honest, arguments, choices)

    def old_answers(self) -> Iterator[tuple[Int, tuple[Expression, ...], dict[str, int]]]:
        """Every number that a replica may answer; an open one where batches have no bound."""
        if self.scope.stale_answers == 0:
            return
        if self.scope.batches is None:
            answer = int_variable("old.answer", 0, None)
            yield answer, (answer,), {}
            return
        for number in range(self.scope.batches):
            yield const(number), (), {"answer": number}

    def start_at(self, state: System, index: int, key: int | None) -> Step[System]:
        started: Step[Node] = start_attestation(state.nodes[index], key)
        return Step(started.when, state.with_node(index, started.then))

    def faults_of_main(self) -> Iterator[Action]:
        main, batches = self.topology.main, self.scope.batches or 0
        for first in range(batches if self.scope.regeneses else 0):
            step = regenesis(self.state, self.topology, first, self.scope.regeneses)
            yield from self.action(regenesis, MAIN, step, arguments={"first": first})
        for kept in range(batches if self.scope.restores else 0):
            step = restore_database(self.state, self.topology, kept)
            yield from self.action(restore_database, MAIN, step, arguments={"kept": kept})
        failing = Step(TRUE, self.state)
        if not self.scope.certificate_steps:
            finding: Step[Node] = find_certificate(self.state.nodes[main])
            failing = Step(finding.when, self.state.with_node(main, finding.then))
        step = failing.and_then(lambda found: fail_to_certify(found, self.topology, self.revision))
        yield from self.action(fail_to_certify, MAIN, step)


Start = Callable[[Node], Step[Node]]


def _start_with(node: Node, key: int | None, place: int) -> Step[Node]:
    step: Step[Node] = start_attestation(node, key, CommitteeRead(const(place)))
    return step
