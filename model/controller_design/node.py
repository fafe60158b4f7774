"""A node: its store, its controller and its task, and every step that it takes by itself, from the status to the stored
certificate.

A step is a guard and the node afterwards. What is one step here is atomic in the real code; where the real code takes
two steps, so does the model (a scope may join them, and says so). A step that fails is another transition: what an
error ends depends on the node and the revision, and is in `network`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from model.algebra import FALSE, TRUE, Bool, Int, const, where
from model.batch_store import BatchStore
from model.committees import GENESIS_COMMITTEE, NOT_REQUIRED, UNREADABLE, CommitteeRead
from model.controller_design.attestation import Attestation
from model.controller_design.task import (
    INSERTING,
    READING_STATUS,
    WAITING_FOR_CERTIFICATE,
    WAITING_FOR_HASH,
    Task,
)
from model.revisions import Revision
from model.transitions import Step, transition
from model.votes import NONE, Vote

OWN_HASH = 0
OTHER_HASH = -1
"""The variant of a vote over the hash that a node has come to by executing a batch otherwise than the main node."""

EN = "zksync-era, core/node/consensus/src/en.rs: run_attestation_controller"
BOTH = "zksync-era, core/node/consensus/src/mn.rs and en.rs: run_attestation_controller"


@dataclass(frozen=True)
class Node:
    """The machines of one node, and what its process was started with: the fork of the chain, by its genesis, and
    whether it knows of no registry of attesters (`has_fallback`: the main node's answer was that of a fallback).

    `runs`: whether the consensus component does, which is gossip and the task; an error in the task can end it, unless
    the node `is_supervised`, and restarted at once instead.
    `diverged`: a batch of which the own database has another hash than the main node's, or `NONE`.
    """

    store: BatchStore
    task: Task
    attestation: Attestation
    diverged: Int
    genesis: Int
    runs: Bool
    has_fallback: Bool
    revision: Revision
    is_main: bool
    is_supervised: bool

    def own_batch(self, number: Int) -> Vote:
        """What this node signs for a batch: its number, the hash in the own database, the genesis."""
        variant = where((number == self.diverged) & (number != NONE), const(OTHER_HASH), const(OWN_HASH))
        return Vote(number, variant, self.genesis)

    def has_hash(self, number: Int) -> Bool:
        """Whether the own database has the batch with its metadata: it has come, and was not pruned since."""
        return self.store.has_commitment(number)

    def committee_of(self, number: Int) -> CommitteeRead:
        """The committee for a batch as this node finds it.

        From zksync-era PR 2684 on it is read from the state at the end of the batch before, which must be there.
        """
        if not self.revision.has_committee_per_batch:
            return GENESIS_COMMITTEE
        scheduled = self.attestation.committees.of_batch(number)
        read = where(number > self.store.pruned + 1, scheduled, UNREADABLE)
        without_registry = GENESIS_COMMITTEE if self.revision.has_committee_without_registry else NOT_REQUIRED
        return where(number == 0, NOT_REQUIRED, where(self.has_fallback, without_registry, read))

    @property
    def is_ready(self) -> Bool:
        """Whether the hash that the task waits for is there."""
        return self.runs & self.task.is_in(WAITING_FOR_HASH) & self.has_hash(self.task.number)

    def is_listening_to(self, answer: Int) -> Bool:
        """Whether the task, at the top of its loop, goes on with this number and does not sleep and ask again. From
        zksync-era PR 2684 on the main node ignores smaller numbers, too."""
        listens = self.task.is_in(READING_STATUS)
        if self.revision.listens_while_waiting:
            listens |= self.task.is_in(WAITING_FOR_HASH) & (answer > self.task.number)
        return self.runs & listens & (answer != NONE) & (answer >= self.task.next_number)

    def is_asked_for_smaller(self, asked: Int) -> Bool:
        """Whether the task hears of a smaller number than it wants. Only the main node's hears while it waits."""
        is_ignored = self.task.is_in(READING_STATUS) & (asked < self.task.next_number)
        if self.is_main:
            is_ignored |= self.task.number > asked
        else:
            is_ignored &= asked != self.attestation.batch.number
        return self.runs & is_ignored & (asked != NONE)


@transition(BOTH)
def read_status(node: Node, answer: Int) -> Step[Node]:
    """The task reads the number of the next batch to attest, and turns to waiting for that batch's hash.

    An answer of none, or a number smaller than the task wants, changes nothing: it sleeps and asks again.
    """
    task = node.task.waiting_for_hash(answer)
    if node.revision.ignores_at_once:
        task = task.ignoring_below(answer + 1)
    return Step(node.is_listening_to(answer), replace(node, task=task))


@transition(f"{BOTH}; era-consensus b9c5fa7b, network/src/gossip/attestation/mod.rs: Controller::start_attestation")
def start_attestation(node: Node, own_key: int | None, told: CommitteeRead | None = None) -> Step[Node]:
    """With the hash in the own database, and the committee, the controller starts the batch: votes on another one are
    gone, the own vote is there at once."""
    number = node.task.number
    batch, committee = node.own_batch(number), told or node.committee_of(number)
    begins = node.attestation.begins(batch, committee.place)
    is_accepted = ~node.attestation.refuses(batch, committee.place)
    attestation = where(begins, node.attestation.started(batch, committee.place, own_key), node.attestation)
    task = node.task.waiting_for_certificate() if node.is_main else node.task.reading_status()
    if not (node.is_main or node.revision.ignores_at_once):
        task = task.ignoring_below(number + 1)
    return Step(
        when=node.is_ready & committee.is_there & is_accepted,
        then=replace(node, task=task, attestation=attestation),
    )


@transition(BOTH)
def skip_batch(node: Node) -> Step[Node]:
    """There is no committee for the batch, so no votes on it are required; the task asks for the next number, and
    ignores this one from now on."""
    is_required = node.committee_of(node.task.number).is_required
    return Step(node.is_ready & ~is_required, replace(node, task=node.task.reading_status()))


@transition("era-consensus b9c5fa7b, network/src/gossip/attestation/mod.rs: Controller::wait_for_cert")
def find_certificate(node: Node) -> Step[Node]:
    """The main node's task has what it waits for: the controller's votes on its batch are a quorum."""
    number = node.task.number
    waits = node.attestation.waits_for(number) | node.attestation.skips(number)
    return Step(
        when=node.runs & node.task.is_in(WAITING_FOR_CERTIFICATE) & ~waits,
        then=replace(node, task=node.task.inserting()),
    )


def matches_store(node: Node) -> Bool:
    """Whether the certificate in hand is over the hash that the own database has, or had, of the batch."""
    batch = node.attestation.batch
    own = node.own_batch(batch.number)
    return (batch.variant == own.variant) & (batch.genesis == own.genesis)


@transition("zksync-era, core/lib/dal/src/consensus_dal.rs: insert_batch_certificate")
def insert_certificate(node: Node, asked: Int) -> Step[Node]:
    """The main node's task stores the certificate, and reads the status at once. From zksync-era PR 2684 on the
    certificate is verified against the stored committee before, and must be the first for its batch. It is proposed
    that it must be that of the batch that is asked for."""
    number = node.attestation.batch.number
    is_accepted = matches_store(node) & node.has_hash(number)
    if node.revision.verifies_before_insertion:
        is_accepted &= node.attestation.certificate_verifies & ~node.store.certified.contains(number)
    is_in_turn = number == asked if node.revision.restarts_on_smaller else TRUE
    store = replace(node.store, certified=node.store.certified.insert(number))
    return Step(
        when=node.runs & node.task.is_in(INSERTING) & is_accepted & is_in_turn,
        then=replace(node, task=node.task.reading_status(), store=store),
    )


def start_fails(node: Node) -> Bool:
    """Whether the task cannot start the batch that it has the hash of: there is no committee to be read for it, or the
    controller refuses, because it has started a later one, or another one with this number."""
    number = node.task.number
    committee = node.committee_of(number)
    is_refused = committee.is_there & node.attestation.refuses(node.own_batch(number), committee.place)
    return node.is_ready & (committee.is_error | is_refused)


def certificate_fails(node: Node) -> Bool:
    """Whether the main node's task finds that the controller has skipped its batch, or cannot insert the certificate:
    the batch is gone, or has another hash, or has a certificate already."""
    is_skipped = node.task.is_in(WAITING_FOR_CERTIFICATE) & node.attestation.skips(node.task.number)
    step: Step[Node] = insert_certificate(node, node.attestation.batch.number)
    return node.runs & (is_skipped | (node.task.is_in(INSERTING) & ~step.when))


@transition("a fault: the process stops and starts again")
def restart(node: Node, has_fallback: Bool = FALSE) -> Step[Node]:
    """What the controller attests, its votes and the task are lost; batches and certificates are kept."""
    attestation = Attestation.none(len(node.attestation.votes), node.attestation.committees)
    fresh = replace(node, task=Task.fresh(), attestation=attestation, runs=TRUE, has_fallback=has_fallback)
    return Step(TRUE, fresh)
