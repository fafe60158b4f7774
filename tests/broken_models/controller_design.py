"""The guarded commands of the attestation-controller design, broken on purpose: controllers, connections and tasks."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from model.algebra import FALSE, TRUE, Bool, Int, const, truth, where
from model.batch_store import Certificates, next_batch_from_genesis
from model.committees import CommitteeRead
from model.controller_design import rules
from model.controller_design.attestation import Attestation
from model.controller_design.gossip import Link
from model.controller_design.network import (
    System,
    is_oversized,
    reconnected,
    restarted,
    stopped,
)
from model.controller_design.node import OWN_HASH, Node, restart, skip_batch
from model.controller_design.task import READING_STATUS, WAITING_FOR_CERTIFICATE, WAITING_FOR_HASH, Task
from model.revisions import Revision
from model.scope import ALL, Scope, instance
from model.topology import Topology
from model.transitions import Step
from model.votes import NONE, Vote
from tests.broken_models.change import BrokenModel, Change, changed_transition, everywhere

LINK, MAIN_TASK, EXTERNAL_TASK, SYSTEM = (
    "push-pull connection",
    "main node's task",
    "external node's task",
    "system with controllers",
)
"""Machines of `properties.stateful`."""

FIRST, PER_BATCH, LAST = "pr175+era2657", "pr175+era2684", "pr175+era3512"
ONE, TWO = instance("n1f0b0"), instance("n2f0b0")
CALLS = Scope(ONE, batches=2, call_steps=True)
RELAY = Scope(ONE, batches=1, topology="relay", call_steps=True)
CALMED = Scope(ONE, batches=2, errors=1, supervised=ALL)
"""Whoever has an error is started anew."""
ROTATION = Scope(TWO, batches=4, committees="1,1;1,0;0,1;1,1")
STRANGER = Scope(instance("n2f0b1"), batches=2, committees="1,1;1,0")

_answer = Attestation.answer
_called = Link.called
_started = Attestation.started
_is_listening_to = Node.is_listening_to
_own_batch = Node.own_batch
_committee_of = Node.committee_of


def _answers_any_batch(self: Attestation, wanted: Vote, has_query: Bool = TRUE) -> tuple[Bool, ...]:
    return tuple(vote & has_query for vote in self.votes)


def _answers_unasked(self: Attestation, wanted: Vote, has_query: Bool = TRUE) -> tuple[Bool, ...]:
    return _answer(self, wanted)


def _answers_nothing(self: Attestation, wanted: Vote, has_query: Bool = TRUE) -> tuple[Bool, ...]:
    return (FALSE,) * len(self.votes)


def _never_asks(self: Link, caller: Attestation, passing: Sequence[bool], of: Collection[int] = ()) -> Link:
    return replace(_called(self, caller, passing, of), asks=FALSE)


def _remembers_no_votes(self: Link, caller: Attestation, passing: Sequence[bool], of: Collection[int] = ()) -> Link:
    return replace(_called(self, caller, passing, of), told=self.told)


def _pushes_nothing(self: Link, caller: Attestation, passing: Sequence[bool], of: Collection[int] = ()) -> Link:
    return replace(_called(self, caller, passing, of), carried=(FALSE,) * len(self.carried))


def _keeps_what_was_told(system: System, links: Sequence[int]) -> System:
    for link in links:
        here, fresh = system.links[link], Link.connected(len(system.links[link].told))
        system = system.with_link(link, replace(fresh, batch=here.batch, told=here.told))
    return system


def _keeps_connections(system: System, node: int, topology: Topology, has_fallback: Bool = FALSE) -> System:
    return replace(restarted(system, node, topology, has_fallback), links=system.links)


def _nothing_is_oversized(link: Link, limit: int) -> Bool:
    return FALSE


def _starts_without_own_vote(self: Attestation, batch: Vote, committee: Int, own_key: int | None) -> Attestation:
    return _started(self, batch, committee, None)


def _keeps_votes(self: Attestation, batch: Vote, committee: Int, own_key: int | None) -> Attestation:
    fresh = _started(self, batch, committee, own_key)
    return replace(fresh, votes=tuple(new | old for new, old in zip(fresh.votes, self.votes, strict=True)))


def _takes_strangers(self: Attestation, key: int, batch: Vote) -> Bool:
    return self.is_on & truth(rules.is_same_batch(batch, self.batch))


def _takes_any_number(self: Attestation, key: int, batch: Vote) -> Bool:
    return self.is_on & self.committees.has_member(self.committee, key)


def _waits_for_start_only(self: Attestation, number: Int) -> Bool:
    return ~self.is_on | truth(rules.is_waited_for(self.batch, number))


def _never_skips(self: Attestation, number: Int) -> Bool:
    return FALSE


def _has_any_hash(self: Node, number: Int) -> Bool:
    return self.store.has(number)


def _does_not_await_hash(self: Node) -> Bool:
    return self.runs & self.task.is_in(WAITING_FOR_HASH)


def _heeds_smaller_numbers(self: Node, answer: Int) -> Bool:
    return self.runs & self.task.is_in(READING_STATUS) & (answer != NONE)


def _ignores_number_again(self: Node, answer: Int) -> Bool:
    return _is_listening_to(self, answer) & (answer > self.task.next_number)


def _reads_committee_before(self: Node, number: Int) -> CommitteeRead:
    return _committee_of(self, where(number > 1, number - 1, number))


def _signs_main_nodes_hash(self: Node, number: Int) -> Vote:
    return replace(_own_batch(self, number), variant=const(OWN_HASH))


def _requires_all(node: Node) -> Step[Node]:
    return Step(FALSE, node)


def _waits_for_batch_before(self: Task) -> Task:
    return replace(self, phase=const(WAITING_FOR_CERTIFICATE), number=self.number - 1)


def _restart_keeps_task(node: Node, has_fallback: Bool = FALSE) -> Step[Node]:
    fresh: Step[Node] = restart(node, has_fallback)
    return Step(fresh.when, replace(fresh.then, task=node.task.reading_status()))


def _restart_finds_registry(node: Node, has_fallback: Bool = FALSE) -> Step[Node]:
    step: Step[Node] = restart(node)
    return step


def _task_ends_alone(system: System, node: int, topology: Topology, revision: Revision) -> System:
    here = system.nodes[node]
    return system.with_node(node, replace(here, task=here.task.dead()))


def _ends_for_good(system: System, node: int, topology: Topology, revision: Revision) -> System:
    here = replace(system.nodes[node], is_supervised=False, runs=FALSE, task=system.nodes[node].task.dead())
    empty = Attestation.none(len(here.attestation.votes), here.attestation.committees)
    return system.with_node(node, replace(here, attestation=empty))


def _asks_for_largest(certified: Certificates, first_batch: Int, exists: Bool = TRUE) -> Int:
    return where(certified.largest == NONE, next_batch_from_genesis(certified, first_batch, exists), certified.largest)


def _error_changes_nothing(system: System, node: int, topology: Topology, revision: Revision) -> System:
    return system


CONTROLLER_DESIGN: tuple[BrokenModel, ...] = (
    BrokenModel(
        "answers_any_batch",
        "A node answers with its votes, whatever batch is asked for.",
        (Change(Attestation, "answer", _answers_any_batch),),
        LINK,
    ),
    BrokenModel(
        "answers_unasked",
        "A node answers with its votes even if it is not asked.",
        (Change(Attestation, "answer", _answers_unasked),),
        LINK,
    ),
    BrokenModel(
        "answers_nothing",
        "A node never answers with votes.",
        (Change(Attestation, "answer", _answers_nothing),),
        LINK,
        ("votes_pulled", "early_votes_arrive", "progress_possible"),
        FIRST,
        CALLS,
    ),
    BrokenModel(
        "never_asks",
        "A call never asks for the peer's votes.",
        (Change(Link, "called", _never_asks),),
        LINK,
        ("votes_pulled", "early_votes_arrive", "every_batch_certified"),
        FIRST,
        CALLS,
    ),
    BrokenModel(
        "tells_votes_again",
        "The caller does not remember which votes it has told.",
        (Change(Link, "called", _remembers_no_votes),),
        LINK,
    ),
    BrokenModel(
        "pushes_nothing",
        "A call carries no votes.",
        (Change(Link, "called", _pushes_nothing),),
        LINK,
        ("progress_possible", "early_vote_ignored"),
        FIRST,
        CALLS,
    ),
    BrokenModel(
        "tells_first_votes_only",
        "Votes that come while a number stays are not told.",
        everywhere(rules.is_news, lambda is_other_number, was_lacking: is_other_number),
        LINK,
        ("progress_possible",),
        FIRST,
        RELAY,
    ),
    BrokenModel(
        "reconnect_keeps_told",
        "A new connection goes on from what was told on the broken one.",
        everywhere(reconnected, _keeps_what_was_told),
        LINK,
        ("progress_possible",),
        FIRST,
        replace(CALLS, disconnects=1),
    ),
    BrokenModel(
        "restart_keeps_told",
        "Connections outlive the restart of one end.",
        everywhere(restarted, _keeps_connections),
        LINK,
        ("progress_possible",),
        FIRST,
        replace(CALLS, restarts=1),
    ),
    BrokenModel(
        "no_message_too_large",
        "Nobody looks at the size of messages.",
        everywhere(is_oversized, _nothing_is_oversized),
        LINK,
    ),
    BrokenModel(
        "takes_votes_on_any_number",
        "The guarded controller takes votes on a batch that it does not attest.",
        (Change(Attestation, "takes", _takes_any_number),),
        LINK,
    ),
    BrokenModel(
        "started_keeps_votes",
        "The guarded controller keeps its votes at a start.",
        (Change(Attestation, "started", _keeps_votes),),
        LINK,
    ),
    BrokenModel(
        "starts_without_own_vote",
        "An attester's vote is not there when it starts a batch.",
        (Change(Attestation, "started", _starts_without_own_vote),),
        EXTERNAL_TASK,
        ("early_vote_ignored", "certificate_stored", "progress_possible"),
        FIRST,
        Scope(ONE, batches=2),
    ),
    BrokenModel(
        "takes_strangers",
        "The guarded controller takes the votes of attesters that are not in the committee.",
        (Change(Attestation, "takes", _takes_strangers),),
        SYSTEM,
        ("certificates_verify",),
        PER_BATCH,
        STRANGER,
    ),
    BrokenModel(
        "certificate_before_quorum",
        "The main node's task takes what votes there are for a certificate.",
        (Change(Attestation, "waits_for", _waits_for_start_only),),
        MAIN_TASK,
        ("inserted_certificates_verify",),
        FIRST,
        Scope(ONE, batches=2),
    ),
    BrokenModel(
        "never_notices_skipped",
        "The main node's task goes on waiting for a number that the controller has skipped.",
        (Change(Attestation, "skips", _never_skips),),
        MAIN_TASK,
    ),
    BrokenModel(
        "waits_for_batch_before",
        "The main node's task waits for the certificate of the batch before the one that it has started.",
        (Change(Task, "waiting_for_certificate", _waits_for_batch_before),),
        MAIN_TASK,
        ("certificates_are_not_skipped", "certificate_stored"),
        FIRST,
        Scope(ONE, batches=2),
    ),
    BrokenModel(
        "does_not_wait_for_certificate",
        "The main node's task reads the status as soon as it has started a batch.",
        (Change(Task, "waiting_for_certificate", Task.reading_status),),
        MAIN_TASK,
        ("certificate_stored", "every_batch_certified"),
        FIRST,
        Scope(ONE, batches=2),
    ),
    BrokenModel(
        "asks_for_certified_again",
        "The database asks for the largest batch with a certificate.",
        everywhere(next_batch_from_genesis, _asks_for_largest),
        MAIN_TASK,
        ("one_certificate_per_batch",),
        FIRST,
        Scope(ONE, batches=2),
    ),
    BrokenModel(
        "committee_of_batch_before",
        "A node reads the committee of the batch before.",
        (Change(Node, "committee_of", _reads_committee_before),),
        MAIN_TASK,
        ("inserted_certificates_verify",),
        PER_BATCH,
        ROTATION,
    ),
    BrokenModel(
        "pruned_batch_is_there",
        "A batch that was pruned can be attested.",
        (Change(Node, "has_hash", _has_any_hash),),
        MAIN_TASK,
    ),
    BrokenModel(
        "skips_nothing",
        "A batch without committee is not skipped.",
        changed_transition(skip_batch, _requires_all),
        MAIN_TASK,
    ),
    BrokenModel(
        "hash_not_awaited",
        "A batch is started before its hash is there.",
        (Change(Node, "is_ready", property(_does_not_await_hash)),),
        EXTERNAL_TASK,
    ),
    BrokenModel(
        "heeds_smaller_numbers",
        "The task ignores no number.",
        (Change(Node, "is_listening_to", _heeds_smaller_numbers),),
        EXTERNAL_TASK,
    ),
    BrokenModel(
        "ignores_next_number",
        "The task ignores the number after the last one, too.",
        (Change(Node, "is_listening_to", _ignores_number_again),),
        EXTERNAL_TASK,
        ("progress_possible", "two_certificates_in_a_row"),
        FIRST,
        Scope(ONE, batches=2),
    ),
    BrokenModel(
        "signs_main_nodes_hash",
        "A node signs the main node's hash, whatever it has come to.",
        (Change(Node, "own_batch", _signs_main_nodes_hash),),
        EXTERNAL_TASK,
    ),
    BrokenModel(
        "restart_keeps_task",
        "After a restart, the task ignores the numbers that it ignored before.",
        changed_transition(restart, _restart_keeps_task),
        EXTERNAL_TASK,
        ("restarts_help",),
        PER_BATCH,
        Scope(ONE, batches=4, restores=1, restarts=None),
    ),
    BrokenModel(
        "restart_finds_registry",
        "A node that starts with the answer of the fallback knows its registry of attesters.",
        changed_transition(restart, _restart_finds_registry),
        EXTERNAL_TASK,
    ),
    BrokenModel(
        "task_ends_alone",
        "An error ends the task alone, where more should end and start anew.",
        everywhere(stopped, _task_ends_alone),
        EXTERNAL_TASK,
        ("attestation_lives_with_process", "progress_possible"),
        FIRST,
        CALMED,
    ),
    BrokenModel(
        "ends_for_good",
        "After an error nobody starts anything anew.",
        everywhere(stopped, _ends_for_good),
        MAIN_TASK,
    ),
    BrokenModel(
        "error_changes_nothing",
        "An error does not end the task.",
        everywhere(stopped, _error_changes_nothing),
        MAIN_TASK,
    ),
)
