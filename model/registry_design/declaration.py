"""The variables of a scope. What the scope leaves out has a domain of one value, and so vanishes from every guard."""

from __future__ import annotations

from dataclasses import dataclass

from model.algebra import FALSE, TRUE, Bool, Int, const, truth
from model.batch_store import Certificates, CertifiedBatches, CertifiedRange
from model.registry_design.attestation_status import Answer, StatusRunner, StatusWatch
from model.registry_design.gossip import Link
from model.registry_design.insertion_queue import InsertionQueue, QueueingStore
from model.registry_design.network import UNLIMITED, System
from model.registry_design.node import ATTESTER, FINDER, Node
from model.registry_design.qc_finder import PERSISTING, WAITING_FOR_QUORUM, AttesterRunner, QcFinder, VotesCast
from model.registry_design.registry import Registry
from model.revisions import Revision
from model.scope import Scope
from model.topology import Topology
from model.transitions import Namespace
from model.votes import NONE, Vote


@dataclass(frozen=True)
class Declaration:
    """Declares the variables, each with its domain."""

    revision: Revision
    scope: Scope
    topology: Topology
    byzantine: tuple[Bool, ...]
    space: Namespace

    @property
    def last_batch(self) -> int | None:
        return None if self.scope.batches is None else self.scope.batches - 1

    def system(self) -> System:
        scope, topology = self.scope, self.topology
        sealed = self.space.number("sealed", 0, scope.batches, 0)
        return System(
            sealed=sealed,
            nodes=tuple(self.node(index, sealed) for index in range(len(topology.places))),
            links=tuple(self.link(*ends) for ends in topology.links),
            restarts_left=self.faults("restarts_left", scope.restarts),
            disconnects_left=self.faults("disconnects_left", scope.disconnects),
            errors_left=self.faults("errors_left", scope.errors),
            stale_answers_left=self.faults("stale_answers_left", scope.stale_answers),
            start=self.space.number("start", NONE, self.last_batch if self.revision.remembers_start else NONE, NONE),
            first_batch=self.space.number("first_batch", 0, scope.batches if scope.regeneses else 0, 0),
            has_first_block=self.space.flag("has_first_block", False) if self.revision.asks_for_first_block else TRUE,
            replica=self.replica(),
        )

    def replica(self) -> Answer:
        space, scope = self.space.within("replica"), self.scope
        if scope.stale_answers == 0:
            return Answer(const(NONE), const(0))
        number = space.number("next_batch_to_attest", NONE, scope.batches, NONE)
        return Answer(number, space.number("genesis", 0, scope.regeneses, 0))

    def faults(self, name: str, at_most: int | None) -> Int:
        return const(UNLIMITED) if at_most is None else self.space.number(name, 0, at_most, at_most)

    def node(self, index: int, sealed: Int) -> Node:
        scope, place = self.scope, self.topology.places[index]
        space = self.space.within(place.name).owned_by(self.topology.owner(index))
        has_finder = self.topology.has_finder(index, scope.own_finders)
        subscribers = ((FINDER,) if has_finder else ()) + ((ATTESTER,) if place.key is not None else ())
        return Node(
            store=self.store(space.within("store"), sealed, has_finder, place.name == scope.pruned),
            status=StatusWatch.declare(space.within("status"), scope.batches, subscribers),
            runner=self.runner(space, scope.polls_late(index == self.topology.main)),
            registry=self.registry(space.within("registry"), index, has_finder),
            finder=self.finder(space.within("finder"), has_finder),
            attester=AttesterRunner(self.attester(space, place.key is not None)),
            cast=self.cast(space.within("cast")) if scope.replays and place.key is not None else None,
            genesis=space.number("genesis", 0, scope.regeneses, 0),
            runs=space.flag("runs", True) if self.can_stop(index, has_finder) else TRUE,
            is_supervised=self.is_supervised(index),
            revision=self.revision,
        )

    def can_stop(self, index: int, has_finder: bool) -> bool:
        """Whether there can be an error on a node that nobody restarts then."""
        scope, is_main = self.scope, index == self.topology.main
        can_mismatch = has_finder and scope.queue > 0 and self.is_any_forged
        can_fork = scope.regeneses > 0 and not is_main
        has_errors = self.revision.refuses_smaller_number or can_mismatch or can_fork or scope.errors != 0
        return has_errors and not self.is_supervised(index)

    def is_supervised(self, index: int) -> bool:
        """Whether somebody notices that a node's consensus has ended, and restarts it."""
        is_silent = index == self.topology.main and not self.revision.returns_errors
        return self.scope.is_supervised(is_silent)

    def runner(self, space: Namespace, polls_late: bool) -> StatusRunner:
        return StatusRunner(space.number("polled", NONE, self.scope.batches if polls_late else NONE, NONE))

    def attester(self, space: Namespace, is_attester: bool) -> Int:
        rests = is_attester and self.scope.attester_steps
        return space.number("attesting", NONE, self.scope.batches if rests else NONE, NONE)

    def cast(self, space: Namespace) -> VotesCast:
        return VotesCast(*(space.number(end, NONE, self.scope.batches, NONE) for end in ("least", "greatest")))

    def registry(self, space: Namespace, index: int, has_finder: bool) -> Registry:
        minimum = space.number("min_batch_number", 0, self.scope.batches if has_finder else 0, 0)
        return Registry(minimum, self.votes(space, self.keys_at(index)), revision=self.revision)

    def votes(self, space: Namespace, keys: frozenset[int]) -> tuple[Vote, ...]:
        return tuple(self.vote(space, key, key in keys) for key in range(len(self.byzantine)))

    def vote(self, space: Namespace, key: int, is_possible: bool) -> Vote:
        name = self.topology.attesters[key]
        is_forged = self.byzantine[key] is not FALSE and is_possible
        return self.any_vote(space.within(name).owned_by(name), is_possible, is_forged)

    def any_vote(self, space: Namespace, is_possible: bool, is_forged: bool) -> Vote:
        """A vote, or a certificate; always none unless it is possible, and on the batch's own hash unless forged."""
        return Vote.declare(
            space,
            self.last_batch if is_possible else NONE,
            self.variants if is_forged else 0,
            geneses=self.scope.regeneses if is_possible else 0,
            lesser_hashes=self.scope.lesser_hashes if is_forged else 0,
        )

    @property
    def variants(self) -> int | None:
        """The hashes of the other batches, and one of no batch."""
        return None if self.scope.batches is None else self.scope.batches + 1

    def keys_at(self, index: int) -> frozenset[int]:
        """The attesters whose votes can be here: what is forged, or was kept by somebody, comes to every target."""
        are_kept = self.scope.replays or self.scope.handed_on
        anywhere = {key for key, is_byzantine in enumerate(self.byzantine) if are_kept or is_byzantine is not FALSE}
        is_target = self.topology.is_target(index, self.scope.echo)
        return self.topology.keys_at(index) | (anywhere if is_target else set())

    def finder(self, space: Namespace, has_finder: bool) -> QcFinder:
        if not has_finder:
            return QcFinder.waiting_for_status()
        steps = self.scope.finder_steps
        quorum = self.any_vote(space.within("quorum"), steps, steps and self.is_any_forged)
        return QcFinder(
            phase=space.number("phase", 0, PERSISTING if steps else WAITING_FOR_QUORUM, 0),
            number=space.number("number", NONE, self.scope.batches if steps else NONE, NONE),
            quorum=quorum,
        )

    @property
    def is_any_forged(self) -> bool:
        """Whether a certificate can be over another hash than the batch's own: not if nobody forges."""
        return any(is_byzantine is not FALSE for is_byzantine in self.byzantine)

    def store(self, space: Namespace, sealed: Int, has_finder: bool, is_pruned: bool) -> QueueingStore:
        scope = self.scope
        late = scope.late_batches
        places = max(scope.queue, 1) if has_finder else 1
        return QueueingStore(
            persisted=space.number("persisted", 0, scope.batches, 0) if late else sealed,
            commitments=self.commitments(space) if late else (),
            queue=InsertionQueue(tuple(self.place(space.within(f"queue.{n}"), has_finder) for n in range(places))),
            certified=self.certified(space, has_finder),
            pruned=self.pruned(space, is_pruned),
        )

    def pruned(self, space: Namespace, is_pruned: bool) -> Int:
        last = self.last_batch if self.scope.regeneses else self.scope.pruned_batches - 1
        return space.number("pruned", NONE, last if is_pruned else NONE, NONE)

    def commitments(self, space: Namespace) -> tuple[Bool, ...]:
        return tuple(space.flag(f"commitment.{number}", False) for number in range(self.scope.batches or 0))

    def place(self, space: Namespace, has_finder: bool) -> Vote:
        rests = has_finder and self.scope.queue > 0
        return self.any_vote(space, rests, rests and self.is_any_forged)

    def certified(self, space: Namespace, has_finder: bool) -> Certificates:
        if not has_finder:
            return CertifiedBatches(())
        if self.scope.batches is None:
            return CertifiedRange(
                space.number("smallest_certified", NONE, None, NONE),
                space.number("largest_certified", NONE, None, NONE),
                space.flag("had_gap", False),
            )
        return CertifiedBatches(tuple(space.flag(f"certified.{n}", False) for n in range(self.scope.batches)))

    def link(self, sender: int, receiver: int) -> Link:
        names = [self.topology.places[end].name for end in (sender, receiver)]
        space = self.space.within(f"{names[0]}-{names[1]}").owned_by(self.topology.owner(sender, receiver))
        possible = self.keys_at(sender)
        bad_vote = self.scope.bad_votes if self.topology.is_external(sender) else ""
        old, in_flight = (self.votes(space.within(part), possible) for part in ("old", "in_flight"))
        sometimes = bool(bad_vote) and self.scope.some_bad_votes
        is_spoilt = space.flag("is_spoilt", False) if sometimes else truth(bool(bad_vote))
        return Link(old, in_flight, bad_vote, is_spoilt, self.scope.message_limit)
