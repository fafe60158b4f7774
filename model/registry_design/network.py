"""The network: the state of all nodes and connections, and every step that involves more than one node, or none."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from model.algebra import FALSE, TRUE, Bool, Int, all_of, const, truth, where
from model.batch_store import next_batch_after_last_sealed, next_batch_from_genesis
from model.registry_design.attestation_status import Answer
from model.registry_design.gossip import Link
from model.registry_design.node import Node, poll_status, restart
from model.revisions import LAST_SEALED, Revision
from model.topology import Topology
from model.transitions import Step, transition
from model.votes import NONE, Vote

UNLIMITED = -1
"""So many faults that none is ever the last."""


@dataclass(frozen=True)
class System:
    """The whole state. `sealed`: how many batches the main node's database has; the rest by node and by link; how many
    faults of each kind may still happen; the first batch of the fork that the main node is on, and whether the
    genesis' first block, with which that batch begins, is there; where attestation starts, as far as the main node has
    stored it; and what the API answers from a replica of the main node's database, where there is one."""

    sealed: Int
    nodes: tuple[Node, ...]
    links: tuple[Link, ...]
    restarts_left: Int
    disconnects_left: Int
    errors_left: Int
    stale_answers_left: Int
    first_batch: Int
    has_first_block: Bool
    start: Int
    replica: Answer

    def with_node(self, index: int, node: Node) -> System:
        """The state with another node in this place."""
        return replace(self, nodes=(*self.nodes[:index], node, *self.nodes[index + 1 :]))

    def on_node(self, index: int, step: Step[Node]) -> Step[System]:
        """What a node does by itself, as a step of the system."""
        return Step(step.when, self.with_node(index, step.then))

    def with_link(self, index: int, link: Link) -> System:
        """The state with another link in this place."""
        return replace(self, links=(*self.links[:index], link, *self.links[index + 1 :]))


def next_batch_to_attest(system: System, topology: Topology, revision: Revision) -> Int:
    """The main node's answer to everybody's poll, by the revision's rule. With PR 2539's it is none as long as there is
    neither a certificate nor the genesis' first block. That block counts in a batch that is still open: so the first
    batch can be asked for before it is sealed."""
    store = system.nodes[topology.main].store
    if revision.remembers_start:
        return next_batch_from_genesis(store.certified, system.start)
    if revision.start == LAST_SEALED:
        return next_batch_after_last_sealed(store.certified, system.sealed)
    if revision.starts_after_pruned:
        first = where(store.pruned >= system.first_batch, store.pruned + 1, system.first_batch)
        return next_batch_from_genesis(store.certified, first, system.has_first_block)
    return next_batch_from_genesis(store.certified, system.first_batch, system.has_first_block & (store.pruned == NONE))


def answer(system: System, topology: Topology, revision: Revision) -> Answer:
    """What the main node tells whoever polls it."""
    return Answer(next_batch_to_attest(system, topology, revision), system.nodes[topology.main].genesis)


@transition("zksync-era, core/node/api_server: the API reads a replica of the main node's database")
def replicate(system: System, topology: Topology, revision: Revision) -> Step[System]:
    """The replica catches up. Until then it answers what the main node's own database answered some time ago."""
    latest = answer(system, topology, revision)
    is_old = (system.replica.number != latest.number) | (system.replica.genesis != latest.genesis)
    return Step(is_old, replace(system, replica=latest))


@transition("a fault: the API answers from a replica of the database that lags")
def read_old_status(system: System, node: int) -> Step[System]:
    """An external node polls the replica. Where the API has several servers, the next poll may have a newer answer, and
    the one after that an older one again."""
    polling: Step[Node] = poll_status(system.nodes[node], system.replica)
    left = system.stale_answers_left
    polled = replace(system.with_node(node, polling.then), stale_answers_left=_one_less(left))
    return Step((left != 0) & polling.when, polled)


@transition("network/src/gossip/attestation_status.rs: AttestationStatusWatch::update, from PR 167 on")
def refuse_old_genesis(system: System, node: int, topology: Topology) -> Step[System]:
    """A node that has gone to the new fork is told by the replica of the former one: an error, which stops it."""
    here, left = system.nodes[node], system.stale_answers_left
    is_old = here.runs & here.runner.is_idle & (system.replica.number != NONE) & ~here.heeds(system.replica)
    on_latest = here.genesis == system.nodes[topology.main].genesis
    after = replace(stopped(system, node, topology), stale_answers_left=_one_less(left))
    return Step((left != 0) & is_old & on_latest, after)


def can_talk(system: System, ends: Sequence[int]) -> Bool:
    """Whether the nodes at both ends have a connection: both run their executors, and the handshake, which compares the
    geneses, has succeeded."""
    sender, receiver = (system.nodes[end] for end in ends)
    return sender.runs_executor & receiver.runs_executor & (sender.genesis == receiver.genesis)


@transition("zksync-era: the state keeper seals the first L2 block of the fork, in an L1 batch that is still open")
def produce_first_block(system: System) -> Step[System]:
    """The genesis' first block is in the main node's database. A genesis names the block after the last one that there
    is, so there is a time when it does not exist. Where nobody asks for it, it is left out, as if it were there."""
    return Step(~system.has_first_block, replace(system, has_first_block=TRUE))


@transition("zksync-era: the state keeper seals an L1 batch")
def seal_batch(system: System, batches: int | None) -> Step[System]:
    """The next batch is in the main node's database."""
    more = system.sealed < batches if batches is not None else system.sealed >= 0
    return Step(system.has_first_block & more, replace(system, sealed=system.sealed + 1))


@transition("proposed, for zksync-era")
def store_start(system: System, topology: Topology, revision: Revision) -> Step[System]:
    """The main node decides, once for each fork, where attestation starts, and stores it. With PR 2539's rule it must
    find the genesis' first block for that, as long as it is not pruned."""
    undecided = truth(revision.remembers_start) & (system.start == NONE) & (system.sealed > system.first_batch)
    if revision.start == LAST_SEALED:
        return Step(undecided, replace(system, start=system.sealed - 1))
    is_there = system.nodes[topology.main].store.pruned == NONE
    return Step(undecided & is_there, replace(system, start=system.first_batch))


@transition("storage/src/batch_store/mod.rs: BatchStore::wait_until_persisted")
def persist_batch(system: System, node: int) -> Step[System]:
    """A node's own store gets its next batch."""
    here = system.nodes[node]
    store = replace(here.store, persisted=here.store.persisted + 1)
    return Step(here.store.persisted < system.sealed, system.with_node(node, replace(here, store=store)))


@transition("executor/src/attestation.rs: AttesterRunner::wait_for_batch_to_sign")
def provide_commitment(system: System, node: int, number: int) -> Step[System]:
    """A node can compute what there is to sign in a batch; in any order of batches."""
    here = system.nodes[node]
    flags = here.store.commitments
    store = replace(here.store, commitments=(*flags[:number], TRUE, *flags[number + 1 :]))
    return Step(~flags[number] & (system.sealed > number), system.with_node(node, replace(here, store=store)))


@transition("network/src/gossip/runner.rs: run_stream, the task that pushes batch votes")
def push_votes(system: System, link: int, topology: Topology, of: Collection[int] = ()) -> Step[System]:
    """The pusher of a connection sends the votes that are newer than those of its last push, as one message."""
    ends, here = topology.links[link], system.links[link]
    registry = system.nodes[ends[0]].registry
    news = registry.newer_than(here.old)
    can_push = can_talk(system, ends) & here.is_idle & here.has_news(registry)
    if registry.revision.sends_in_pieces:  # As is proposed: those `of` some attesters first, if they are too many.
        has_these = all_of(news[key].number != NONE for key in of)
        can_push &= here.is_too_large(news) & has_these if of else ~here.is_too_large(news)
    return Step(can_push, system.with_link(link, here.push(registry, of)))


@transition("a fault: a node passes on a vote that is an error, besides others")
def push_bad_vote(system: System, link: int, topology: Topology) -> Step[System]:
    """The same, with a vote of another version, or the like, in the message."""
    pushed: Step[System] = push_votes(system, link, topology)
    return Step(pushed.when, pushed.then.with_link(link, pushed.then.links[link].spoilt()))


@transition("network/src/gossip/runner.rs: PushServer, the handler of push_batch_votes")
def receive_votes(system: System, link: int, topology: Topology) -> Step[System]:
    """The receiver updates its registry with the message; what it skips is not sent again on this connection."""
    receiver, here = topology.links[link][1], system.links[link]
    node = system.nodes[receiver]
    updated = replace(node, registry=node.registry.update(here.in_flight))
    return Step(
        ~here.is_idle & ~node.refuses_message(here),
        system.with_node(receiver, updated).with_link(link, here.delivered()),
    )


@transition("network/src/gossip/runner.rs: PushServer and run_stream; an error ends the stream")
def refuse_votes(system: System, link: int, topology: Topology) -> Step[System]:
    """The message is too large, or has a vote that is an error: nothing of it is kept, and the connection is closed and
    made again."""
    receiver, here = topology.links[link][1], system.links[link]
    is_error = system.nodes[receiver].refuses_message(here)
    connection = next(links for links in topology.connections if link in links)
    return Step(~here.is_idle & is_error, reconnected(system, connection))


@transition("a fault: an attester that does as it likes")
def forge_vote(system: System, node: int, attester: int, vote: Vote) -> Step[System]:
    """A Byzantine attester has a vote of its own making added to the registry of some node."""
    here = system.nodes[node]
    vote = replace(vote, genesis=here.genesis)
    changed = replace(here, registry=here.registry.add(attester, vote))
    return Step(here.runs_executor & here.registry.admits(attester, vote), system.with_node(node, changed))


@transition("a fault: somebody passes on an old vote of an attester")
def replay_vote(system: System, node: int, attester: int, vote: Vote) -> Step[System]:
    """A vote from a former fork comes to a node. Anybody can keep such votes, whoever signed them; the node refuses
    them, and closes the connection to whom it has them from, who has no part in the model."""
    here = system.nodes[node]
    changed = replace(here, registry=here.registry.add(attester, vote))
    is_former = vote.genesis < here.genesis
    admitted = here.runs_executor & ~here.refuses(vote) & here.registry.admits(attester, vote)
    return Step(is_former & admitted, system.with_node(node, changed))


@transition("a fault: a Byzantine node passes on a vote that it has been sent")
def hand_on_vote(system: System, node: int, attester: int, vote: Vote) -> Step[System]:
    """An honest attester's vote comes to a node from somebody who has kept it. Where the state does not remember what
    has been cast, a recorded log says whether this was, and only there does this happen."""
    here = system.nodes[node]
    changed = replace(here, registry=here.registry.add(attester, vote))
    return Step(here.runs_executor & here.registry.admits(attester, vote), system.with_node(node, changed))


def restarted(system: System, node: int, topology: Topology) -> System:
    """The state after the restart of a node: what `node.restart` says, its connections are new, and if the main
    node has gone to a new fork, the node follows."""
    fresh: Step[Node] = restart(system.nodes[node])
    genesis = system.nodes[topology.main].genesis
    on_new_fork = replace(fresh.then, genesis=genesis, store=fresh.then.store.reverted(system.first_batch))
    renewed = system.with_node(node, where(fresh.then.genesis == genesis, fresh.then, on_new_fork))
    return reconnected(renewed, [index for index, ends in enumerate(topology.links) if node in ends])


def stopped(system: System, node: int, topology: Topology) -> System:
    """The state after an error has ended a node's consensus, and with it all that was in its memory.

    On the main node the error is logged, and that is all; elsewhere the process ends, and is restarted if somebody
    supervises it. Source: zksync-era, core/node/consensus/src/era.rs.
    """
    fresh = restarted(system, node, topology)
    here = fresh.nodes[node]
    return fresh if here.is_supervised else fresh.with_node(node, replace(here, runs=FALSE))


def reconnected(system: System, links: Sequence[int]) -> System:
    """The state with new connections in these places: what was in flight is lost, and all will be pushed again."""
    for link in links:
        system = system.with_link(link, system.links[link].renewed())
    return system


@transition("a fault: a process stops and starts again")
def restart_node(system: System, node: int, topology: Topology) -> Step[System]:
    """A node restarts, and loses what is not stored."""
    left = system.restarts_left
    return Step(left != 0, replace(restarted(system, node, topology), restarts_left=_one_less(left)))


@transition("network/src/gossip/attestation_status.rs: AttestationStatusWatch::update, from PR 167 on")
def refuse_status(system: System, node: int, topology: Topology) -> Step[System]:
    """The number that was read is smaller than the one in the watch: an error, which stops the node."""
    here = system.nodes[node]
    is_refused = ~here.runner.is_idle & here.refuses_number(here.runner.polled)
    return Step(is_refused, stopped(system, node, topology))


@transition("zksync-era, core/node/consensus/src/storage/store.rs: an error of the task that inserts certificates")
def stop_on_mismatch(system: System, node: int, topology: Topology) -> Step[System]:
    """The certificate at the head of the queue is over another hash than the batch's own: an error, which stops the
    node."""
    store = system.nodes[node].store
    head = store.queue.head
    is_mismatch = ~store.queue.is_empty & store.has_commitment(head.number) & (head.variant != 0)
    return Step(is_mismatch, stopped(system, node, topology))


@transition("zksync-era: the operator reverts batches, and the consensus forks")
def regenesis(system: System, topology: Topology, revision: Revision, first: int, geneses: int) -> Step[System]:
    """The main node restarts on a new fork, from which the batches from `first` on, and all certificates, are gone."""
    main = system.nodes[topology.main]
    forked = replace(main, genesis=main.genesis + 1, store=main.store.reverted(const(first)))
    has_first_block = truth(not revision.asks_for_first_block)
    reverted = replace(
        system, sealed=const(first), first_batch=const(first), has_first_block=has_first_block, start=const(NONE)
    )
    reverted = reverted.with_node(topology.main, forked)
    return Step((main.genesis < geneses) & (system.sealed >= first), restarted(reverted, topology.main, topology))


@transition("zksync-era: an external node sees another genesis in the main node's API")
def restart_on_new_genesis(system: System, node: int, topology: Topology) -> Step[System]:
    """A node learns of the new fork, sooner or later: an error, which stops it. It restarts on the new fork."""
    here = system.nodes[node]
    is_behind = here.genesis != system.nodes[topology.main].genesis
    return Step(here.runs & is_behind, stopped(system, node, topology))


@transition("zksync-era, core/node/consensus/src/storage/store.rs and others: an error of any task of the consensus")
def fail_once(system: System, node: int, topology: Topology) -> Step[System]:
    """An error that has no cause in the model, such as a failed call of the database, stops the node."""
    left = system.errors_left
    after = replace(stopped(system, node, topology), errors_left=_one_less(left))
    return Step((left != 0) & system.nodes[node].runs, after)


@transition("zksync-era: the task that prunes old batches")
def prune(system: System, node: int, after_status: bool, most: int) -> Step[System]:
    """The first batch of the fork, or the one after those that were, is pruned from a node's database, with its
    certificate: at most so many. Where the scope says so, not before the node has a status."""
    here = system.nodes[node]
    number = here.store.next_to_prune(system.first_batch)
    allowed = here.status.next_batch_to_attest != NONE if after_status else TRUE
    pruned = replace(here, store=here.store.without_batch(number))
    is_there = (number < system.first_batch + most) & (system.sealed > number)
    return Step(is_there & allowed, system.with_node(node, pruned))


@transition("a fault: a connection breaks and is made again")
def reconnect(system: System, links: Sequence[int]) -> Step[System]:
    """What is in flight is lost, both ways; the new connection starts by pushing the whole registry."""
    left = system.disconnects_left
    return Step(left != 0, replace(reconnected(system, links), disconnects_left=_one_less(left)))


def _one_less(left: Int) -> Int:
    return where(left == UNLIMITED, left, left - 1)


FAULTS = (
    *(restart_node, reconnect, fail_once, read_old_status, refuse_old_genesis, regenesis),
    *(forge_vote, hand_on_vote, replay_vote, push_bad_vote),
)
"""What may happen, and nobody may count on."""

ERRORS = (refuse_status, stop_on_mismatch, restart_on_new_genesis, refuse_old_genesis, fail_once)
"""What stops the acting node, which then is restarted or not."""

RESTARTS = (restart_node, *ERRORS, regenesis)
"""Every way in which the acting node loses what is not stored."""
