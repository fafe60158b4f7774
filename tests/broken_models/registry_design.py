"""The vote-registry design, broken on purpose, and what every design shares."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import Any

from model import rules
from model.algebra import FALSE, Bool, Int, const, truth, where
from model.batch_store import Certificates, CertifiedBatches, next_batch_from_genesis
from model.messages import SignedBatch
from model.registry_design.attestation_status import StatusWatch
from model.registry_design.batch_votes import BatchVotes, BatchVotesWatch, UpdateOutcome
from model.registry_design.gossip import Link
from model.registry_design.insertion_queue import InsertionQueue, QueueingStore
from model.registry_design.network import System, forge_vote, reconnect, restart_node
from model.registry_design.node import Node, find_quorum, publish_vote, restart, store_qc
from model.registry_design.qc_finder import WAITING_FOR_QUORUM, WAITING_FOR_STATUS, QcFinder
from model.registry_design.registry import Registry
from model.scope import BAD_SIGNATURE, Scope, instance
from model.transitions import Step
from model.votes import NONE, Electorate, Vote
from tests.broken_models.change import BrokenModel, Change, changed_transition, everywhere


def _admits_below_minimum(self: Registry, attester: int, vote: Vote) -> Bool:
    return vote.is_newer_than(self.votes[attester])


def _admits_older(self: Registry, attester: int, vote: Vote) -> Bool:
    return (vote.number >= self.min_batch_number) & ~vote.is_same_as(self.votes[attester])


def _admits_first_vote_only(self: Registry, attester: int, vote: Vote) -> Bool:
    is_wanted = (vote.number >= self.min_batch_number) & (vote.number != NONE)
    return is_wanted & (self.votes[attester].number == NONE)


def _minimum_drops_nothing(self: Registry, number: Int) -> Registry:
    return replace(self, min_batch_number=number)


_set_min_batch_number = Registry.set_min_batch_number


def _minimum_never_lowered(self: Registry, number: Int) -> Registry:
    raised = where(number > self.min_batch_number, number, self.min_batch_number)
    return _set_min_batch_number(self, raised)


def _minimum_never_set(self: Registry, number: Int) -> Registry:
    return self


def _support_whatever_the_hash(self: Registry, subject: Vote, electorate: Electorate) -> Int:
    return electorate.weight_of([vote.number == subject.number for vote in self.votes])


def _push_forgets(self: Link, sender: Registry, of: Collection[int] = ()) -> Link:
    return replace(self, in_flight=sender.newer_than(self.old))


def _push_sends_nothing(self: Link, sender: Registry, of: Collection[int] = ()) -> Link:
    return replace(self, old=sender.votes)


def _status_wakes_nobody(self: StatusWatch, number: Int) -> StatusWatch:
    return replace(self, next_batch_to_attest=number)


def _status_never_falls(self: StatusWatch, number: Int) -> StatusWatch:
    rises = number > self.next_batch_to_attest
    latest = where(rises, number, self.next_batch_to_attest)
    return replace(self, next_batch_to_attest=latest, unseen=tuple(rises | flag for flag in self.unseen))


def _seen_by_all(self: StatusWatch, subscriber: str) -> StatusWatch:
    return replace(self, unseen=(FALSE,) * len(self.unseen))


def _head_is_dropped(self: QueueingStore) -> QueueingStore:
    return replace(self, queue=self.queue.without_head())


def _append_in_front(self: InsertionQueue, certificate: Vote) -> InsertionQueue:
    return InsertionQueue((certificate, *self.places[:-1]))


def _asks_for_largest(certified: Certificates, first_batch: Int, *exists: Bool) -> Int:
    return where(certified.largest == NONE, next_batch_from_genesis(certified, first_batch, *exists), certified.largest)


def _leaves_out_second_batch(certified: Certificates, first_batch: Int, *exists: Bool) -> Int:
    in_turn = next_batch_from_genesis(certified, first_batch, *exists)
    return where(certified.largest == first_batch, first_batch + 2, in_turn)


def _asks_from_second_batch(certified: Certificates, first_batch: Int, *exists: Bool) -> Int:
    return next_batch_from_genesis(certified, first_batch + 1, *exists)


def _votes_on_last_batch(node: Node, *arguments: Any) -> Step[Node]:
    told: Step[Node] = publish_vote.function(node, *arguments)
    ahead = Vote(node.store.persisted - 1, const(0))
    return Step(told.when, replace(told.then, registry=node.registry.add(arguments[0], ahead)))


def _restart_loses_certificates(node: Node, *arguments: Any) -> Step[Node]:
    fresh: Step[Node] = restart.function(node, *arguments)
    certified = node.store.certified
    assert isinstance(certified, CertifiedBatches)
    empty = CertifiedBatches((FALSE,) * len(certified.flags))
    return Step(fresh.when, replace(fresh.then, store=replace(fresh.then.store, certified=empty)))


def _restart_keeps_connections(system: System, node: int, *arguments: Any) -> Step[System]:
    renewed: Step[System] = restart_node.function(system, node, *arguments)
    return Step(renewed.when, replace(renewed.then, links=system.links))


def _reconnect_keeps_old(system: System, links: Sequence[int]) -> Step[System]:
    renewed: Step[System] = reconnect.function(system, links)
    lost = tuple(link.delivered() if index in links else link for index, link in enumerate(system.links))
    return Step(renewed.when, replace(renewed.then, links=lost))


def _finder_turns_to_quorum_again(node: Node) -> Step[Node]:
    stored: Step[Node] = store_qc.function(node)
    return Step(stored.when, replace(stored.then, finder=QcFinder.waiting_for_quorum()))


def _finds_quorum_while_waiting_for_status(node: Node, electorate: Electorate) -> Step[Node]:
    quorum = node.registry.find_quorum(electorate)
    is_idle = node.finder.is_in(WAITING_FOR_STATUS) | node.finder.is_in(WAITING_FOR_QUORUM)
    return Step(is_idle & quorum.found, replace(node, finder=QcFinder.persisting(quorum.vote)))


def _votes_without_batch(node: Node, *arguments: Any) -> Step[Node]:
    told: Step[Node] = publish_vote.function(node, *arguments)
    return Step(~node.attester.is_waiting, told.then)


def _keeps_attesting(node: Node, *arguments: Any) -> Step[Node]:
    told: Step[Node] = publish_vote.function(node, *arguments)
    return Step(told.when, replace(told.then, attester=node.attester))


def _never(node: Node) -> Bool:
    return FALSE


def _once_told(node: Node) -> Bool:
    return node.status.next_batch_to_attest != NONE


def _heeds_smaller_number(self: Node, number: Int) -> Bool:
    return FALSE


def _refuses_bad_votes(self: Node, message: Link) -> Bool:
    return truth(bool(message.bad_vote))


def _forges_nothing(system: System, node: int, attester: int, vote: Vote) -> Step[System]:
    forged: Step[System] = forge_vote.function(system, node, attester, replace(vote, variant=const(0)))
    return forged


def _fills_gaps(self: CertifiedBatches, number: Int) -> CertifiedBatches:
    return CertifiedBatches(tuple(flag | (number >= index) for index, flag in enumerate(self.flags)))


def _restarts_with_empty_queue(system: System, node: int, *arguments: Any) -> Step[System]:
    told: Step[System] = restart_node.function(system, node, *arguments)
    return Step(told.when & system.nodes[node].store.queue.is_empty, told.then)


def _is_not_empty(self: InsertionQueue) -> Bool:
    return ~self.is_empty


def _restart_keeps_votes(node: Node) -> Step[Node]:
    fresh: Step[Node] = restart.function(node)
    return Step(fresh.when, replace(fresh.then, registry=replace(fresh.then.registry, votes=node.registry.votes)))


_get_newer = BatchVotes.get_newer
_update = BatchVotes.update
_with_added = UpdateOutcome.with_added
_subscribe = BatchVotesWatch.subscribe


def _pushes_other_hashes(self: BatchVotes, other: BatchVotes) -> tuple[SignedBatch, ...]:
    newer = _get_newer(self, other)
    return tuple(replace(vote, batch=replace(vote.batch, hash=newer[0].batch.hash)) for vote in newer)


def _counts_each_vote_as_one(self: UpdateOutcome, vote: SignedBatch, weight: int) -> UpdateOutcome:
    return replace(_with_added(self, vote, weight), weight_added=self.weight_added + 1)


def _counts_twice(self: UpdateOutcome, vote: SignedBatch, weight: int) -> UpdateOutcome:
    return replace(_with_added(self, vote, weight), num_added=self.num_added + 2)


def _reports_largest(self: UpdateOutcome, vote: SignedBatch, weight: int) -> UpdateOutcome:
    largest = max(vote.batch.number, self.last_added or 0)
    return replace(_with_added(self, vote, weight), last_added=largest)


def _never_skips(self: BatchVotes, *arguments: Any, skip_bad_signatures: bool = False) -> UpdateOutcome:
    return _update(self, *arguments)


def _adds_bad_votes(
    self: BatchVotes, committee: Any, genesis: str, votes: Iterable[SignedBatch], *, skip_bad_signatures: bool = False
) -> UpdateOutcome:
    taken = [replace(vote, valid=vote.valid or skip_bad_signatures) for vote in votes]
    return _update(self, committee, genesis, taken)


def _drops_all_with_error(self: BatchVotes, *arguments: Any, skip_bad_signatures: bool = False) -> UpdateOutcome:
    outcome = _update(self, *arguments, skip_bad_signatures=skip_bad_signatures)
    return outcome if outcome.error is None else UpdateOutcome(self, error=outcome.error)


def _starts_as_seen(self: BatchVotesWatch, subscriber: str) -> BatchVotesWatch:
    return _subscribe(self, subscriber).look(subscriber)


ANY_RESTARTS = Scope(instance("n1f0b0"), batches=3, restarts=None)
ONE_RESTART = Scope(instance("n1f0b0"), batches=2, restarts=1)
ONE_DISCONNECT = Scope(instance("n1f0b0"), batches=2, disconnects=1)
ONE_FORGER = Scope(instance("w5,1b1"), batches=2)
OWN_FINDER = Scope(instance("n1f0b0"), batches=2, own_finders=True)

REGISTRY, WATCH, FINDER, ATTESTER, LINK, STORE, SYSTEM = (
    "vote registry",
    "status watch",
    "QC finder",
    "attester runner",
    "gossip link",
    "batch store",
    "system with registries",
)
"""Machines of `properties.stateful`."""

REGISTRY_DESIGN: tuple[BrokenModel, ...] = (
    BrokenModel(
        "threshold_too_low",
        "A sixth of the weight makes a quorum: f instead of n - f.",
        everywhere(rules.threshold, lambda total: (total - 1) // 5),
        REGISTRY,
        ("certificates_match_batches",),
        scope=ONE_FORGER,
    ),
    BrokenModel(
        "threshold_of_half",
        "Half of the weight makes a quorum, so that two halves can make two.",
        everywhere(rules.threshold, lambda total: total // 2),
        REGISTRY,
        ("at_most_one_quorum",),
    ),
    BrokenModel(
        "more_than_threshold",
        "A quorum must weigh more than the threshold.",
        everywhere(rules.reaches, lambda weight, quorum: weight > quorum),
        REGISTRY,
        ("certificate_stored", "two_certificates_in_a_row", "progress_possible"),
    ),
    BrokenModel(
        "minimum_excluded",
        "A vote on the minimum itself counts as below it.",
        everywhere(rules.is_below_minimum, lambda number, minimum: number <= minimum),
        REGISTRY,
        ("certificate_stored", "two_certificates_in_a_row", "vote_replaced", "progress_possible"),
    ),
    BrokenModel(
        "certificate_collects_every_vote",
        "The certificate takes the signatures of all votes, whatever their hash.",
        everywhere(rules.is_collected, lambda vote_hash, certificate_hash: vote_hash == vote_hash),
        REGISTRY,
        ("certificates_verify",),
        "pr161+era2480",
        Scope(instance("w6,1b0"), batches=2),
    ),
    BrokenModel(
        "pushes_other_hashes",
        "What is newer goes out with the hash of the first vote.",
        (Change(BatchVotes, "get_newer", _pushes_other_hashes),),
        REGISTRY,
    ),
    BrokenModel(
        "added_votes_counted_twice",
        "The number of votes that a message added is twice what it is.",
        (Change(UpdateOutcome, "with_added", _counts_twice),),
        REGISTRY,
    ),
    BrokenModel(
        "added_weight_is_number",
        "The weight that a message added is the number of its votes.",
        (Change(UpdateOutcome, "with_added", _counts_each_vote_as_one),),
        REGISTRY,
    ),
    BrokenModel(
        "last_added_is_largest",
        "The largest number that a message added is reported, not the last.",
        (Change(UpdateOutcome, "with_added", _reports_largest),),
        REGISTRY,
    ),
    BrokenModel(
        "bad_signatures_never_skipped",
        "In full fidelity, a bad signature is an error where it should be skipped.",
        (Change(BatchVotes, "update", _never_skips),),
        REGISTRY,
    ),
    BrokenModel(
        "bad_signatures_added",
        "In full fidelity, a vote with a bad signature is added where it should be skipped.",
        (Change(BatchVotes, "update", _adds_bad_votes),),
        REGISTRY,
    ),
    BrokenModel(
        "error_drops_all",
        "Nothing of a message with an error is kept, not even by the registry below the watch.",
        (Change(BatchVotes, "update", _drops_all_with_error),),
        REGISTRY,
    ),
    BrokenModel(
        "late_subscriber_has_seen_all",
        "Who subscribes after a change has nothing to see.",
        (Change(BatchVotesWatch, "subscribe", _starts_as_seen),),
        REGISTRY,
    ),
    BrokenModel(
        "admits_below_minimum",
        "The guarded registry adds votes below its minimum.",
        (Change(Registry, "admits", _admits_below_minimum),),
        SYSTEM,
        ("no_vote_below_minimum",),
        "pr161+era2480",
    ),
    BrokenModel(
        "admits_older_votes",
        "The guarded registry replaces a vote by an older one of the same attester.",
        (Change(Registry, "admits", _admits_older),),
        SYSTEM,
    ),
    BrokenModel(
        "admits_first_vote_only",
        "The guarded registry never replaces a vote.",
        (Change(Registry, "admits", _admits_first_vote_only),),
        SYSTEM,
        ("vote_replaced", "two_certificates_in_a_row", "progress_possible"),
    ),
    BrokenModel(
        "minimum_drops_nothing",
        "Setting the minimum keeps the votes below it.",
        (Change(Registry, "set_min_batch_number", _minimum_drops_nothing),),
        SYSTEM,
        ("no_vote_below_minimum",),
    ),
    BrokenModel(
        "minimum_never_lowered",
        "The minimum is only ever raised.",
        (Change(Registry, "set_min_batch_number", _minimum_never_lowered),),
        FINDER,
    ),
    BrokenModel(
        "minimum_never_set",
        "The minimum stays at 0.",
        (Change(Registry, "set_min_batch_number", _minimum_never_set),),
        SYSTEM,
        ("vote_below_minimum", "minimum_lowered"),
        "pr161+era2480",
    ),
    BrokenModel(
        "support_whatever_the_hash",
        "The guarded registry counts the votes on a batch whatever their hash.",
        (Change(Registry, "support", _support_whatever_the_hash),),
        SYSTEM,
        ("at_most_one_quorum", "certificates_match_batches"),
        scope=ONE_FORGER,
    ),
    BrokenModel(
        "push_forgets",
        "The pusher does not remember what it pushed.",
        (Change(Link, "push", _push_forgets),),
        LINK,
    ),
    BrokenModel(
        "push_sends_nothing",
        "The pusher remembers the votes as pushed, and sends none.",
        (Change(Link, "push", _push_sends_nothing),),
        LINK,
        (
            "certificate_stored",
            "two_certificates_in_a_row",
            "vote_replaced",
            "progress_possible",
            "every_batch_certified",
        ),
    ),
    BrokenModel(
        "status_wakes_nobody",
        "A change of the status wakes no subscriber.",
        (Change(StatusWatch, "update", _status_wakes_nobody),),
        WATCH,
        ("two_certificates_in_a_row", "progress_possible"),
    ),
    BrokenModel(
        "status_never_falls",
        "The status ignores a number that is smaller than the one it has.",
        (Change(StatusWatch, "update", _status_never_falls),),
        WATCH,
    ),
    BrokenModel(
        "seen_by_all",
        "One subscriber's look at the status counts for all.",
        (Change(StatusWatch, "seen_by", _seen_by_all),),
        WATCH,
        ("progress_possible",),
        scope=OWN_FINDER,
    ),
    BrokenModel(
        "queue_drops_its_head",
        "The background task takes a certificate from the queue and does not insert it.",
        (Change(QueueingStore, "insert_head", _head_is_dropped),),
        STORE,
        ("certificate_stored", "two_certificates_in_a_row", "progress_possible"),
    ),
    BrokenModel(
        "queue_last_in_first_out",
        "The background task takes the latest certificate first.",
        (Change(InsertionQueue, "append", _append_in_front),),
        STORE,
    ),
    BrokenModel(
        "asks_for_largest",
        "The main node asks for the largest batch with a certificate, not for the one after it.",
        everywhere(next_batch_from_genesis, _asks_for_largest),
        STORE,
        ("two_certificates_in_a_row", "vote_replaced"),
    ),
    BrokenModel(
        "leaves_out_second_batch",
        "After the certificate of the first batch the main node asks for the third.",
        everywhere(next_batch_from_genesis, _leaves_out_second_batch),
        STORE,
        ("no_gaps_on_main_node", "two_certificates_in_a_row"),
    ),
    BrokenModel(
        "asks_from_second_batch",
        "Attestation starts at batch 1.",
        everywhere(next_batch_from_genesis, _asks_from_second_batch),
        STORE,
        ("attestation_starts_at_first_batch",),
    ),
    BrokenModel(
        "votes_on_last_batch",
        "Attesters vote on the last batch that they have, despite being told another.",
        changed_transition(publish_vote, _votes_on_last_batch),
        ATTESTER,
        (
            "no_gaps_on_main_node",
            "attestation_starts_at_first_batch",
            "one_batch_at_a_time",
            "progress_possible",
        ),
    ),
    BrokenModel(
        "votes_without_batch",
        "Attesters vote before their own store has the batch.",
        changed_transition(publish_vote, _votes_without_batch),
        ATTESTER,
    ),
    BrokenModel(
        "keeps_attesting",
        "After its vote the attester does not look at the status again.",
        changed_transition(publish_vote, _keeps_attesting),
        ATTESTER,
        ("two_certificates_in_a_row", "vote_replaced", "progress_possible"),
        scope=Scope(instance("n1f0b0"), batches=3, attester_steps=True),
    ),
    BrokenModel(
        "finder_turns_to_quorum_again",
        "After storing a certificate the finder waits for the next quorum, not for a new status.",
        changed_transition(store_qc, _finder_turns_to_quorum_again),
        FINDER,
    ),
    BrokenModel(
        "finds_while_waiting_for_status",
        "The finder looks for a quorum while it waits for the status.",
        changed_transition(find_quorum, _finds_quorum_while_waiting_for_status),
        FINDER,
    ),
    BrokenModel(
        "restart_loses_certificates",
        "A restart loses the stored certificates.",
        changed_transition(restart, _restart_loses_certificates),
        STORE,
        ("progress_possible",),
        scope=ONE_RESTART,
    ),
    BrokenModel(
        "restart_keeps_votes",
        "A node comes back from a restart with the votes that it had.",
        changed_transition(restart, _restart_keeps_votes),
        SYSTEM,
        ("restarts_help",),
        "pr169+era2480",
        ANY_RESTARTS,
    ),
    BrokenModel(
        "restart_keeps_connections",
        "A connection outlives the restart of one end.",
        changed_transition(restart_node, _restart_keeps_connections),
        SYSTEM,
        ("progress_possible",),
        scope=ONE_RESTART,
    ),
    BrokenModel(
        "reconnect_keeps_old",
        "A new connection goes on from what was pushed on the broken one.",
        changed_transition(reconnect, _reconnect_keeps_old),
        SYSTEM,
        ("progress_possible",),
        scope=ONE_DISCONNECT,
    ),
    BrokenModel(
        "initialisation_never_returns",
        "A node polls for its first number for ever, and its executor never starts.",
        (Change(Node, "runs_executor", property(_never)),),
        SYSTEM,
        ("executor_can_start", "attestation_can_start", "certificate_stored"),
        "pr166+era2539",
        Scope(instance("n1f0b0"), batches=2),
    ),
    BrokenModel(
        "executor_waits_for_number",
        "The executor starts with the first number, where it should not wait for it.",
        (Change(Node, "runs_executor", property(_once_told)),),
        SYSTEM,
        ("gossips_before_first_answer",),
        scope=Scope(instance("n1f0b0"), batches=2),
    ),
    BrokenModel(
        "heeds_smaller_number",
        "A smaller number is taken over, where it should stop the node.",
        (Change(Node, "refuses_number", _heeds_smaller_number),),
        SYSTEM,
        ("status_never_falls", "smaller_number_stops_node"),
        "pr167+era2480",
        Scope(instance("n1f0b0"), batches=3),
    ),
    BrokenModel(
        "bad_signature_is_error",
        "A vote with a bad signature is an error, where it should be skipped.",
        (Change(Node, "refuses_message", _refuses_bad_votes),),
        SYSTEM,
        ("connections_survive_bad_votes", "progress_possible"),
        "pr170+era2539",
        Scope(instance("n1f0b0"), batches=2, topology="relay", bad_votes=BAD_SIGNATURE),
    ),
    BrokenModel(
        "admits_other_genesis",
        "Votes on another fork are added.",
        everywhere(rules.is_other_genesis, lambda genesis, own: own != own),
        SYSTEM,
        ("no_certificate_mixes_forks",),
        scope=Scope(instance("n1f0b0"), batches=2, regeneses=1),
    ),
    BrokenModel(
        "forges_nothing",
        "Byzantine attesters sign the batch's own hash only.",
        changed_transition(forge_vote, _forges_nothing),
        SYSTEM,
        ("peers_have_different_votes",),
        scope=Scope(instance("n2f0b1"), batches=1, echo=True),
    ),
    BrokenModel(
        "certificates_fill_gaps",
        "With a certificate all earlier ones are stored.",
        (Change(CertifiedBatches, "insert", _fills_gaps),),
        STORE,
        ("external_node_has_gap",),
        scope=Scope(instance("n1f0b0"), batches=3, topology="relay"),
    ),
    BrokenModel(
        "relay_without_minimum",
        "No finder sets the minimum of its registry, that of the external node included.",
        (Change(Registry, "set_min_batch_number", _minimum_never_set),),
        SYSTEM,
        ("relay_skips_vote",),
        "pr161+era2480",
        Scope(instance("n1f0b0"), batches=3, topology="relay"),
    ),
    BrokenModel(
        "restart_waits_for_queue",
        "A node restarts only with an empty queue.",
        changed_transition(restart_node, _restarts_with_empty_queue),
        SYSTEM,
        ("queued_certificate_lost",),
        scope=ONE_RESTART,
    ),
    BrokenModel(
        "queue_of_one",
        "The queue takes a certificate only when it is empty.",
        (Change(InsertionQueue, "is_full", property(_is_not_empty)),),
        STORE,
        ("queue_blocked_by_first",),
        "pr161+era2480",
        Scope(instance("n1f0b0"), batches=2, late_batches=True, queue=2),
    ),
)
