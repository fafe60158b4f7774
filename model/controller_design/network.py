"""The network: the state of all nodes and connections, and every step that involves more than one node, or none."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from model.algebra import FALSE, TRUE, Bool, Int, const, where
from model.batch_store import next_batch_from_genesis
from model.controller_design.attestation import Attestation
from model.controller_design.gossip import ANSWERED, CALLED, IDLE, INSERTED, Link
from model.controller_design.node import EN, Node, certificate_fails, read_status, restart, start_fails
from model.controller_design.task import READING_STATUS, Task
from model.revisions import Revision
from model.topology import Topology
from model.transitions import Step, transition
from model.votes import NONE

UNLIMITED = -1
"""So many faults that none is ever the last."""

RUNNER = "era-consensus b9c5fa7b, network/src/gossip/runner.rs"


@dataclass(frozen=True)
class Faults:
    """How many faults of each kind may still happen."""

    restarts: Int
    disconnects: Int
    errors: Int
    stale_answers: Int
    restores: Int
    fallbacks: Int
    divergences: Int


@dataclass(frozen=True)
class System:
    """The whole state. `sealed`: how many batches the main node's database has; the rest by node and by link; the
    first batch of the fork that the main node is on; the faults that are left."""

    sealed: Int
    nodes: tuple[Node, ...]
    links: tuple[Link, ...]
    first_batch: Int
    faults: Faults

    def with_node(self, index: int, node: Node) -> System:
        """The state with another node in this place."""
        return replace(self, nodes=(*self.nodes[:index], node, *self.nodes[index + 1 :]))

    def with_link(self, index: int, link: Link) -> System:
        """The state with another link in this place."""
        return replace(self, links=(*self.links[:index], link, *self.links[index + 1 :]))

    def after_fault(self, kind: str) -> System:
        """The state with one fault of this kind less to come."""
        left: Int = getattr(self.faults, kind)
        rest = where(left == UNLIMITED, left, left - 1)
        return replace(self, faults=replace(self.faults, **{kind: rest}))


def first_to_attest(system: System, revision: Revision) -> Int:
    """The first batch of the fork that can be attested; from zksync-era PR 2684 on never batch 0."""
    first, least = system.first_batch, revision.least_attested
    return where(first < least, const(least), first)


def next_batch_to_attest(system: System, topology: Topology, revision: Revision) -> Int:
    """What the main node's database answers: the number after the largest with a certificate; without any, the batch
    with the fork's first block, or none if that was pruned."""
    store, first = system.nodes[topology.main].store, first_to_attest(system, revision)
    return next_batch_from_genesis(store.certified, first, store.pruned < system.first_batch)


def can_talk(system: System, ends: Sequence[int]) -> Bool:
    """Whether the nodes at both ends have a connection: both run, and the handshake, which compares the geneses, has
    succeeded."""
    caller, peer = (system.nodes[end] for end in ends)
    return caller.runs & peer.runs & (caller.genesis == peer.genesis)


@transition("zksync-era: the state keeper seals an L1 batch")
def seal_batch(system: System, batches: int | None) -> Step[System]:
    """The next batch is in the main node's database."""
    more = system.sealed < batches if batches is not None else system.sealed >= 0
    return Step(more, replace(system, sealed=system.sealed + 1))


@transition("zksync-era, core/lib/dal/src/consensus_dal.rs: the batch's metadata, which have its hash")
def provide_hash(system: System, node: int) -> Step[System]:
    """A node's own database gets its next batch's hash."""
    here = system.nodes[node]
    store = replace(here.store, persisted=here.store.persisted + 1)
    return Step(here.store.persisted < system.sealed, system.with_node(node, replace(here, store=store)))


@transition(f"{RUNNER}: run_stream, the task that calls push_batch_votes")
def call_peer(
    system: System, link: int, caller: int, passing: Sequence[bool], of: Collection[int] = ()
) -> Step[System]:
    """A node has news for a peer, and no call in flight to it: it pushes the votes, and asks for the peer's if its
    number is new."""
    attestation, here = system.nodes[caller].attestation, system.links[link]
    has_news = here.is_in(IDLE) & here.has_news(attestation, passing)
    has_news &= here.is_piece(here.news(attestation, passing), of)  # As is proposed, if there are too many.
    return Step(has_news, system.with_link(link, here.called(attestation, passing, of)))


@transition(f"{RUNNER}: PushServer::handle for push_batch_votes, its first step")
def receive_call(system: System, link: int, peer: int, looked_at: Sequence[Bool]) -> Step[System]:
    """The called node inserts the votes that it looks at; an error is only logged. What is on another number than its
    own is skipped."""
    node, here = system.nodes[peer], system.links[link]
    inserted = replace(node, attestation=node.attestation.inserted(here.batch, looked_at))
    return Step(here.is_in(CALLED), system.with_node(peer, inserted).with_link(link, here.inserted()))


@transition(f"{RUNNER}: PushServer::handle for push_batch_votes, its second step")
def answer_call(
    system: System, link: int, peer: int, passing: Sequence[bool], of: Collection[int] = ()
) -> Step[System]:
    """The called node answers with all its votes if it is asked, and at exactly that batch; else with none."""
    here = system.links[link]
    votes = here.to_answer(system.nodes[peer].attestation.answer(here.batch, here.asks), passing)
    is_asked = here.is_in(INSERTED) & here.is_piece(votes, of)
    return Step(is_asked, system.with_link(link, here.answered(votes, of)))


@transition(f"{RUNNER}: run_stream, the task that calls push_batch_votes")
def receive_answer(system: System, link: int, caller: int, looked_at: Sequence[Bool]) -> Step[System]:
    """The caller inserts the votes of the answer that it looks at; those on a number that it has left are skipped."""
    node, here = system.nodes[caller], system.links[link]
    inserted = replace(node, attestation=node.attestation.inserted(here.batch, looked_at))
    return Step(here.is_in(ANSWERED), system.with_node(caller, inserted).with_link(link, here.finished()))


@transition(f"{RUNNER}: run_stream and PushServer, a call from beginning to end")
def exchange_votes(system: System, link: int, ends: Sequence[int], passing: Sequence[bool]) -> Step[System]:
    """A node has news for a peer: it pushes its votes, and has the peer's in return if its number is new."""
    caller, peer = ends
    step: Step[System] = call_peer(system, link, caller, passing)
    step = step.and_then(lambda called: receive_call(called, link, peer, called.links[link].carried))
    step = step.and_then(lambda received: answer_call(received, link, peer, passing))
    return step.and_then(lambda answered: receive_answer(answered, link, caller, answered.links[link].carried))


def is_oversized(link: Link, limit: int) -> Bool:
    """Whether the message that is on its way has more votes than a message may have."""
    return (link.is_in(CALLED) | link.is_in(ANSWERED)) & (link.load > limit)


@transition(f"{RUNNER}: the limits on the sizes of requests and responses")
def refuse_message(system: System, link: int, limit: int, connection: Sequence[int]) -> Step[System]:
    """The message is too large: the connection closes, and is made again."""
    return Step(is_oversized(system.links[link], limit), reconnected(system, connection))


@transition("a fault: an attester that does as it likes")
def forge_vote(system: System, node: int, key: int) -> Step[System]:
    """A Byzantine attester sends a node the vote that this node has started to collect. (Whatever else it signs, any
    node skips or refuses.)"""
    return _given(system, node, key)


@transition("a fault: a Byzantine node passes on a vote that it has been sent")
def hand_on_vote(system: System, node: int, key: int) -> Step[System]:
    """An honest attester's vote comes to a node from somebody who has kept it. Whether the attester has ever cast it,
    and who was sent it, is not in the state: a recorded log says so, and only there does this happen."""
    return _given(system, node, key)


def _given(system: System, node: int, key: int) -> Step[System]:
    here = system.nodes[node]
    batch = here.attestation.batch
    votes = [TRUE if other == key else FALSE for other in range(len(here.attestation.votes))]
    changed = replace(here, attestation=here.attestation.inserted(batch, votes))
    return Step(here.runs & here.attestation.takes(key, batch), system.with_node(node, changed))


def restarted(system: System, node: int, topology: Topology, has_fallback: Bool = FALSE) -> System:
    """The state after the restart of a node: what `node.restart` says, its connections are new, and if the main
    node has gone to a new fork, the node follows."""
    fresh: Step[Node] = restart(system.nodes[node], has_fallback)
    genesis = system.nodes[topology.main].genesis
    on_new_fork = replace(fresh.then, genesis=genesis, store=fresh.then.store.reverted(system.first_batch))
    renewed = system.with_node(node, where(fresh.then.genesis == genesis, fresh.then, on_new_fork))
    return reconnected(renewed, links_of(topology, node))


def links_of(topology: Topology, node: int) -> list[int]:
    """The links of a node's connections."""
    return [index for index, ends in enumerate(topology.links) if node in ends]


def reconnected(system: System, links: Sequence[int]) -> System:
    """The state with new connections in these places: calls are lost wherever they are, and all will be told again."""
    for link in links:
        here = system.links[link]
        system = system.with_link(link, Link.connected(len(here.told), here.piece))
    return system


def stopped(system: System, node: int, topology: Topology, revision: Revision) -> System:
    """The state after an error in a node's task. Up to zksync-era PR 3170 it ends more than the task: an external
    node's process, or the whole consensus of the main node, whose process lives on without. From PR 3180 on it ends the
    task alone, as long as the process lives; it is proposed that the task begins anew."""
    here = system.nodes[node]
    if revision.restarts_task:
        return system.with_node(node, replace(here, task=Task.fresh()))
    if revision.error_ends_task_only:
        return system.with_node(node, replace(here, task=here.task.dead()))
    return ended(system, node, topology)


def ended(system: System, node: int, topology: Topology) -> System:
    """The state after the end of a node's process, or of the main node's consensus: who is supervised is restarted."""
    here = system.nodes[node]
    if here.is_supervised:
        return restarted(system, node, topology)
    attestation = Attestation.none(len(here.attestation.votes), here.attestation.committees)
    dead = replace(here, task=here.task.dead(), attestation=attestation, runs=FALSE)
    return reconnected(system.with_node(node, dead), links_of(topology, node))


@transition(f"{EN}; mn.rs: run_attestation_controller")
def fail_to_start(system: System, node: int, topology: Topology, revision: Revision) -> Step[System]:
    """The committee cannot be read, or the controller refuses the number: an error in the task."""
    return Step(start_fails(system.nodes[node]), stopped(system, node, topology, revision))


@transition("zksync-era, core/node/consensus/src/mn.rs: run_attestation_controller")
def fail_to_certify(system: System, topology: Topology, revision: Revision) -> Step[System]:
    """The certificate cannot be inserted, or the controller has skipped its number: the main node's task fails."""
    failing = certificate_fails(system.nodes[topology.main])
    return Step(failing, stopped(system, topology.main, topology, revision))


@transition("a fault: a call of the task to its database, or to the contract, fails once")
def fail_once(system: System, node: int, topology: Topology, revision: Revision) -> Step[System]:
    """A transient error in the task."""
    here = system.nodes[node]
    fails = here.runs & here.task.is_alive & (system.faults.errors != 0)
    return Step(fails, stopped(system.after_fault("errors"), node, topology, revision))


@transition("a fault: the API answers from a replica of the database that lags")
def read_old_status(system: System, node: int, answer: Int, topology: Topology, revision: Revision) -> Step[System]:
    """An external node's task reads a number that the main node asked for earlier: on this fork, none before its
    first."""
    here, main = system.nodes[node], system.nodes[topology.main]
    step: Step[Node] = read_status(here, answer)
    is_former = (here.genesis != main.genesis) | (first_to_attest(system, revision) <= answer)
    is_old = (next_batch_to_attest(system, topology, revision) > answer) & is_former
    return Step(
        step.when & is_old & (system.faults.stale_answers != 0),
        system.after_fault("stale_answers").with_node(node, step.then),
    )


@transition("a fault: the API answers from a replica of the database that lags")
def read_old_genesis(system: System, node: int, topology: Topology, revision: Revision) -> Step[System]:
    """An external node that has gone to the new fork reads a status of the former one: an error in its task."""
    here, main = system.nodes[node], system.nodes[topology.main]
    is_old = (here.genesis == main.genesis) & (here.genesis > 0) & (system.faults.stale_answers != 0)
    reads = here.runs & here.task.is_in(READING_STATUS)
    return Step(reads & is_old, stopped(system.after_fault("stale_answers"), node, topology, revision))


@transition(EN)
def refuse_genesis(system: System, node: int, topology: Topology, revision: Revision) -> Step[System]:
    """An external node that has not gone to the new fork reads a status of it: an error in its task."""
    here, main = system.nodes[node], system.nodes[topology.main]
    reads = here.runs & here.task.is_in(READING_STATUS) & (here.genesis != main.genesis)
    return Step(reads, stopped(system, node, topology, revision))


@transition("a fault: a process stops and starts again")
def restart_node(system: System, node: int, topology: Topology) -> Step[System]:
    """A node restarts, and loses what is not stored."""
    fresh = restarted(system, node, topology)
    return Step(system.faults.restarts != 0, fresh.after_fault("restarts"))


@transition("zksync-era: the operator reverts batches, and the consensus forks")
def regenesis(system: System, topology: Topology, first: int, geneses: int) -> Step[System]:
    """The main node restarts on a new fork, from which the batches from `first` on, and all certificates, are gone."""
    main = system.nodes[topology.main]
    forked = replace(main, genesis=main.genesis + 1, store=main.store.reverted(const(first)))
    reverted = replace(system, sealed=const(first), first_batch=const(first))
    reverted = reverted.with_node(topology.main, forked)
    return Step((main.genesis < geneses) & (system.sealed >= first), restarted(reverted, topology.main, topology))


@transition("zksync-era, core/node/consensus/src/en.rs: the task that watches the main node's genesis or configuration")
def restart_on_new_genesis(system: System, node: int, topology: Topology) -> Step[System]:
    """A node learns of the new fork, sooner or later, which ends its process, whatever the revision. It restarts on the
    new fork."""
    here = system.nodes[node]
    is_behind = here.genesis != system.nodes[topology.main].genesis
    return Step(here.runs & is_behind, ended(system, node, topology))


@transition("proposed, for zksync-era")
def restart_on_smaller(system: System, node: int, topology: Topology, revision: Revision) -> Step[System]:
    """A node is asked for a smaller number than it wants: its process restarts, and knows of no number any more."""
    here, main = system.nodes[node], system.nodes[topology.main]
    is_asked = here.is_asked_for_smaller(next_batch_to_attest(system, topology, revision))
    return Step(is_asked & (here.genesis == main.genesis), restarted(system, node, topology))


@transition("a fault: the main node's API fails where an external node asks for the configuration")
def restart_without_registry(system: System, node: int, topology: Topology, revision: Revision) -> Step[System]:
    """An external node restarts with the answer of the fallback, which names no registry of attesters. Up to zksync-era
    PR 3130 such an answer restarts a running node; from PR 3148 on it must be restarting already."""
    here = system.nodes[node]
    allowed = (system.faults.fallbacks != 0) & ~here.has_fallback
    fresh = restarted(system, node, topology, has_fallback=TRUE)
    if revision.ignores_fallback_config:
        return Step(allowed & (system.faults.restarts != 0), fresh.after_fault("fallbacks").after_fault("restarts"))
    then = fresh if here.is_supervised else ended(system, node, topology)
    return Step(allowed & here.runs, then.after_fault("fallbacks"))


@transition("zksync-era, core/node/consensus/src/en.rs: the task that watches the main node's configuration")
def restart_with_registry(system: System, node: int, topology: Topology) -> Step[System]:
    """An external node learns which registry there is, which ends its process. It restarts with it."""
    here = system.nodes[node]
    return Step(here.runs & here.has_fallback, ended(system, node, topology))


@transition("a fault: the operator restores the main node's database, or fails over to a copy that lags")
def restore_database(system: System, topology: Topology, kept: int) -> Step[System]:
    """The certificates from batch `kept` on are gone from the main node's database; the genesis is the same, and its
    process goes on."""
    main = system.nodes[topology.main]
    store = replace(main.store, certified=main.store.certified.below(kept))
    falls = (system.faults.restores != 0) & (main.store.certified.largest >= kept)
    return Step(falls, system.after_fault("restores").with_node(topology.main, replace(main, store=store)))


@transition("a fault: a node executes a batch otherwise than the main node")
def diverge(system: System, node: int) -> Step[System]:
    """The next batch of a node will have another hash."""
    here = system.nodes[node]
    is_possible = (system.faults.divergences != 0) & (here.diverged == NONE)
    diverged = replace(here, diverged=here.store.persisted)
    return Step(is_possible, system.after_fault("divergences").with_node(node, diverged))


@transition("zksync-era: the reorg detector, and the execution of the batch once more")
def execute_again(system: System, node: int) -> Step[System]:
    """A node that has restarted executes the batch once more, and has the main node's hash."""
    here = system.nodes[node]
    has_restarted = ~here.attestation.is_on & here.task.is_in(READING_STATUS)
    return Step((here.diverged != NONE) & has_restarted, system.with_node(node, replace(here, diverged=const(NONE))))


@transition("zksync-era: the task that prunes old batches")
def prune(system: System, node: int, revision: Revision, most: int) -> Step[System]:
    """The first batch that can be attested, with all before it, or the one after those that were, is pruned from a
    node's database, with its certificate: at most so many."""
    here, first = system.nodes[node], first_to_attest(system, revision)
    number = here.store.next_to_prune(first)
    pruned = replace(here, store=here.store.without_batch(number))
    return Step((number < first + most) & (system.sealed > number), system.with_node(node, pruned))


@transition("a fault: a connection breaks and is made again")
def reconnect(system: System, links: Sequence[int]) -> Step[System]:
    """Calls are lost, both ways; on the new connection each end tells the other everything."""
    return Step(system.faults.disconnects != 0, reconnected(system, links).after_fault("disconnects"))


FAULTS = (
    restart_node,
    reconnect,
    forge_vote,
    hand_on_vote,
    regenesis,
    fail_once,
    read_old_status,
    read_old_genesis,
    restart_without_registry,
    restore_database,
    diverge,
)
"""What may happen, and nobody may count on."""

RESTARTS = (
    restart_node,
    restart_on_new_genesis,
    restart_on_smaller,
    restart_without_registry,
    restart_with_registry,
    regenesis,
)
"""Every way in which the acting node starts anew, whatever the revision."""
