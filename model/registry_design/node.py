"""A node: its machines, and every step that it takes by itself. Read from top to bottom it is the life of a batch.

A step is a guard and the node afterwards. What is one step here is atomic in the real code; where the real code takes
two steps, so does the model (a scope may join them, and says so).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from model.algebra import FALSE, TRUE, Bool, Int, any_of, const, truth, where
from model.registry_design.attestation_status import Answer, StatusRunner, StatusWatch
from model.registry_design.gossip import Link
from model.registry_design.insertion_queue import InsertionQueue, QueueingStore
from model.registry_design.qc_finder import (
    PERSISTING,
    SETTING_MINIMUM,
    WAITING_FOR_QUORUM,
    WAITING_FOR_STATUS,
    AttesterRunner,
    QcFinder,
    VotesCast,
)
from model.registry_design.registry import Registry
from model.revisions import AFTER_FIRST_ANSWER, AS_MERGED, NEVER, Revision
from model.rules import is_other_genesis
from model.scope import BAD_SIGNATURE, FOREIGN_GENESIS
from model.transitions import Step, transition
from model.votes import FIRST_GENESIS, NONE, Electorate, Vote

FINDER, ATTESTER = "finder", "attester"
"""The two subscribers of the status watch."""


@dataclass(frozen=True)
class Node:
    """The machines of one node, and the fork of the chain, by its genesis, that it was started on. A node that is no
    attester has an attester runner that never wakes up. What its attester has ever cast is remembered only where a
    scope lets others pass it on.

    Where it no longer `runs`, an error has ended its consensus, and with it all of these machines. What is stored
    stays; on the main node the rest of the server goes on, the API that all others poll among it. A node that
    `is_supervised` is restarted at once instead.
    """

    store: QueueingStore
    status: StatusWatch
    runner: StatusRunner
    registry: Registry
    finder: QcFinder
    attester: AttesterRunner
    cast: VotesCast | None = None
    genesis: Int = FIRST_GENESIS
    runs: Bool = TRUE
    is_supervised: bool = True
    revision: Revision = AS_MERGED

    @property
    def runs_executor(self) -> Bool:
        """Whether the executor runs, and so gossip, QC finder and attester. It is a part of the node's consensus.

        Where it waits for the first answer of the main node, it runs exactly if the watch has a number. An answer of
        none or an error matters only there: it keeps the node out of gossip. A node that runs already goes on with the
        number that it has, so no state stands for such answers.
        """
        if self.revision.executor == NEVER:
            return FALSE
        if self.revision.executor == AFTER_FIRST_ANSWER:
            return self.runs & (self.status.next_batch_to_attest != NONE)
        return self.runs

    def heeds(self, answer: Answer) -> Bool:
        """Whether an answer can come into the watch: from PR 167 on, one of another fork stops the node by an error.

        That is left out, and `network.restart_on_new_genesis` stands for it: a node on another fork than the main node
        restarts sooner or later, whatever it is that tells it.
        """
        return self.genesis == answer.genesis if self.revision.refuses_other_genesis else TRUE

    def refuses_number(self, number: Int) -> Bool:
        """Whether this number is an error that stops the node: from PR 167 on, a smaller one than the watch has is."""
        if not self.revision.refuses_smaller_number:
            return FALSE
        return (number != NONE) & (number < self.status.next_batch_to_attest)

    def refuses_message(self, message: Link) -> Bool:
        """Whether the message in flight is an error: it is too large, or has a vote on another fork, or a bad one that
        is not skipped."""
        skips = {BAD_SIGNATURE: self.revision.skips_bad_signatures, FOREIGN_GENESIS: self.revision.skips_other_genesis}
        is_bad = bool(message.bad_vote) and not skips[message.bad_vote]
        is_refused = any_of(self.refuses(vote) for vote in message.in_flight)
        return message.is_too_large(message.in_flight) | (message.is_spoilt & truth(is_bad)) | is_refused

    def refuses(self, vote: Vote) -> Bool:
        """Whether a message with this vote is an error: it is on another fork."""
        return (vote.number != NONE) & truth(is_other_genesis(vote.genesis, self.genesis))


@transition("executor/src/attestation.rs: AttestationStatusRunner::run")
def poll_status(node: Node, answer: Answer) -> Step[Node]:
    """The status runner reads the next batch to attest, from the own database or the main node's API.

    An answer that the watch holds already changes nothing later either, as nobody else writes the watch; so it is left
    out, and so is an answer of none, or an error (`Node.runs_executor` says where it matters).
    """
    number = answer.number
    is_news = (number != NONE) & (number != node.status.next_batch_to_attest)
    return Step(
        when=node.runs & node.heeds(answer) & node.runner.is_idle & is_news,
        then=replace(node, runner=StatusRunner(number)),
    )


@transition("network/src/gossip/attestation_status.rs: AttestationStatusWatch::update")
def update_status(node: Node) -> Step[Node]:
    """The number that was read arrives in the watch, perhaps out of date by now, and wakes the subscribers.

    From PR 167 on a smaller number than that in the watch is an error instead (`network.refuse_status`).
    """
    return Step(
        when=~node.runner.is_idle & ~node.refuses_number(node.runner.polled),
        then=replace(node, runner=StatusRunner(const(NONE)), status=node.status.update(node.runner.polled)),
    )


@transition("network/src/gossip/mod.rs: run_batch_qc_finder")
def read_status(node: Node) -> Step[Node]:
    """The QC finder wakes up to a change of the status and reads the number."""
    listens = node.finder.is_in(WAITING_FOR_STATUS)
    if node.revision.finder_listens:
        listens |= node.finder.is_in(WAITING_FOR_QUORUM)
    return Step(
        when=node.runs_executor & listens & node.status.has_news(FINDER),
        then=replace(
            node,
            finder=QcFinder.setting_minimum(node.status.next_batch_to_attest),
            status=node.status.seen_by(FINDER),
        ),
    )


@transition("network/src/gossip/batch_votes.rs: BatchVotesWatch::set_min_batch_number")
def set_min_batch_number(node: Node) -> Step[Node]:
    """The QC finder sets the registry's minimum to that number, up or down, and turns to waiting for a quorum."""
    return Step(
        when=node.runs_executor & node.finder.is_in(SETTING_MINIMUM),
        then=replace(
            node,
            registry=node.registry.set_min_batch_number(node.finder.number),
            finder=QcFinder.waiting_for_quorum(),
        ),
    )


@transition("network/src/gossip/batch_votes.rs: BatchVotes::find_quorum")
def find_quorum(node: Node, electorate: Electorate) -> Step[Node]:
    """The QC finder finds a quorum in the registry, whatever its number."""
    quorum = node.registry.find_quorum(electorate)
    return Step(
        when=node.runs_executor & node.finder.is_in(WAITING_FOR_QUORUM) & quorum.found,
        then=replace(node, finder=QcFinder.persisting(quorum.vote)),
    )


@transition("storage/src/batch_store/mod.rs: BatchStore::persist_batch_qc")
def store_qc(node: Node) -> Step[Node]:
    """Once the own store has the batch, the certificate goes to the insertion queue, and the finder to the status."""
    queue = node.store.queue
    is_there = node.finder.is_in(PERSISTING) & node.store.has(node.finder.quorum.number)
    return Step(
        when=node.runs_executor & is_there & ~queue.is_full,
        then=replace(
            node,
            store=replace(node.store, queue=queue.append(node.finder.quorum)),
            finder=QcFinder.waiting_for_status(),
        ),
    )


@transition("zksync-era, core/node/consensus/src/storage/store.rs: the task that inserts certificates")
def insert_qc(node: Node) -> Step[Node]:
    """The background task inserts the certificate at the head of the queue, once the batch has its metadata.

    It is no part of the executor. It tries the same certificate for ever if the batch was pruned, unless it gives up on
    it, as is proposed. One over another hash than the batch's own is fatal to the node (`network.stop_on_mismatch`).
    """
    head = node.store.queue.head
    is_pruned = node.store.is_pruned(head.number)
    can_be_inserted = node.store.has_commitment(head.number) & (head.variant == 0)
    inserted, dropped = node.store.insert_head(), node.store.drop_head()
    gives_up = is_pruned if node.revision.drops_pruned else FALSE
    return Step(
        when=~node.store.queue.is_empty & (can_be_inserted | gives_up),
        then=replace(node, store=where(gives_up, dropped, inserted)),
    )


@transition("executor/src/attestation.rs: AttesterRunner::run")
def read_status_to_attest(node: Node) -> Step[Node]:
    """The attester wakes up to a change of the status and reads the number that it will vote on."""
    return Step(
        when=node.runs_executor & node.attester.is_waiting & node.status.has_news(ATTESTER),
        then=replace(
            node,
            attester=AttesterRunner(node.status.next_batch_to_attest),
            status=node.status.seen_by(ATTESTER),
        ),
    )


@transition("executor/src/attestation.rs: AttesterRunner::run, BatchVotesPublisher::publish")
def publish_vote(node: Node, key: int) -> Step[Node]:
    """Once the own store can sign the batch, the attester votes, through its own registry, which may skip the vote.

    It never votes on this number again, and only then looks at the status. If the batch was pruned, it waits for ever.
    """
    number = node.attester.number
    can_sign = node.store.has(number) & node.store.has_commitment(number)
    return Step(
        when=node.runs_executor & ~node.attester.is_waiting & can_sign,
        then=replace(
            node,
            registry=node.registry.add(key, Vote(number, const(0), node.genesis)),
            attester=AttesterRunner(const(NONE)),
            cast=node.cast and node.cast.including(number),
        ),
    )


@transition("a fault: the process stops and starts again")
def restart(node: Node) -> Step[Node]:
    """Registry, watch, finder, runners and the queued certificates are lost; batches and certificates are kept."""
    fresh = replace(
        node,
        store=replace(node.store, queue=InsertionQueue.empty(len(node.store.queue.places))),
        status=StatusWatch.fresh(node.status.subscribers),
        runner=StatusRunner(const(NONE)),
        registry=Registry.empty(len(node.registry.votes), node.revision),
        finder=QcFinder.waiting_for_status(),
        attester=AttesterRunner(const(NONE)),
        runs=TRUE,
    )
    return Step(when=TRUE, then=fresh)
