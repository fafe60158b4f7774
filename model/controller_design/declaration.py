"""The variables of a scope. What the scope leaves out has a domain of one value, and so vanishes from every guard."""

from __future__ import annotations

from dataclasses import dataclass

from model.algebra import FALSE, TRUE, Bool, Int, const
from model.batch_store import BatchStore, Certificates, CertifiedBatches, CertifiedRange
from model.committees import Committees
from model.controller_design.attestation import Attestation
from model.controller_design.gossip import ANSWERED, IDLE, Link
from model.controller_design.network import UNLIMITED, Faults, System
from model.controller_design.node import OTHER_HASH, Node
from model.controller_design.task import DEAD, Task
from model.revisions import Revision
from model.scope import Scope
from model.topology import Topology
from model.transitions import Namespace
from model.votes import NONE, Vote


@dataclass(frozen=True)
class Declaration:
    """Declares the variables, each with its domain. `flow` has the links along which votes flow in this scope, and the
    `topology` those of all calls, which go both ways in any case."""

    revision: Revision
    scope: Scope
    flow: Topology
    topology: Topology
    committees: Committees
    byzantine: tuple[Bool, ...]
    space: Namespace

    @property
    def last_batch(self) -> int | None:
        return None if self.scope.batches is None else self.scope.batches - 1

    def system(self) -> System:
        scope = self.scope
        sealed = self.space.number("sealed", 0, scope.batches, 0)
        return System(
            sealed=sealed,
            nodes=tuple(self.node(index, sealed) for index in range(len(self.topology.places))),
            links=tuple(self.link(*ends) for ends in self.topology.links),
            first_batch=self.space.number("first_batch", 0, scope.batches if scope.regeneses else 0, 0),
            faults=self.faults(),
        )

    def faults(self) -> Faults:
        scope = self.scope
        counts = {
            "restarts": scope.restarts,
            "disconnects": scope.disconnects,
            "errors": scope.errors,
            "stale_answers": scope.stale_answers,
            "restores": scope.restores,
            "fallbacks": scope.fallbacks,
            "divergences": scope.divergences,
        }
        return Faults(**{name: self.left(name, most) for name, most in counts.items()})

    def left(self, name: str, at_most: int | None) -> Int:
        return const(UNLIMITED) if at_most is None else self.space.number(f"{name}_left", 0, at_most, at_most)

    def node(self, index: int, sealed: Int) -> Node:
        scope, place = self.scope, self.topology.places[index]
        space = self.space.within(place.name).owned_by(self.topology.owner(index))
        is_main, is_astray = index == self.topology.main, place.name in scope.astray
        return Node(
            store=self.store(space.within("store"), sealed, is_main, place.name == scope.pruned),
            task=self.task(space.within("task"), is_main),
            attestation=self.attestation(space.within("attestation"), index),
            diverged=space.number("diverged", NONE, scope.batches if is_astray and scope.divergences else NONE, NONE),
            genesis=space.number("genesis", 0, scope.regeneses, 0),
            runs=space.flag("runs", True) if self.can_end(is_main) else TRUE,
            has_fallback=space.flag("has_fallback", False) if is_astray and scope.fallbacks else FALSE,
            revision=self.revision,
            is_main=is_main,
            is_supervised=scope.is_supervised(is_main),
        )

    def can_end(self, is_main: bool) -> bool:
        """Whether a node's consensus ends for good: by an error in its task, or, on an external node, by a new fork or
        configuration, which ends the process in any revision."""
        is_told = not is_main and bool(self.scope.regeneses or self.scope.fallbacks)
        return (is_told or not self.revision.error_ends_task_only) and not self.scope.is_supervised(is_main)

    def task(self, space: Namespace, is_main: bool) -> Task:
        rests = is_main or self.scope.late_answers
        return Task(
            space.number("phase", 0, DEAD, 0),
            space.number("number", NONE, self.last_batch_asked if rests else NONE, NONE),
            space.number("next_number", 0, self.after_last_asked, 0),
        )

    @property
    def last_batch_asked(self) -> int | None:
        """Once the last batch has its certificate, the main node asks for one that the scope does not have."""
        return self.scope.batches

    @property
    def after_last_asked(self) -> int | None:
        return None if self.scope.batches is None else self.scope.batches + 1

    def attestation(self, space: Namespace, index: int) -> Attestation:
        committees = len(self.committees.electorates)
        return Attestation(
            self.batch(space),
            space.number("committee", 0, committees - 1, 0),
            self.flags(space, self.keys_at(index)),
            self.committees,
        )

    def batch(self, space: Namespace) -> Vote:
        return Vote(
            space.number("number", NONE, self.last_batch, NONE),
            space.number("variant", OTHER_HASH if self.scope.divergences else 0, 0, 0),
            space.number("genesis", 0, self.scope.regeneses, 0),
        )

    def flags(self, space: Namespace, keys: frozenset[int]) -> tuple[Bool, ...]:
        """One flag for each attester's vote, false for ever where the vote cannot come."""
        flags = []
        for key, name in enumerate(self.topology.attesters):
            flags.append(space.owned_by(name).within("votes").flag(name, False) if key in keys else FALSE)
        return tuple(flags)

    def keys_at(self, index: int) -> frozenset[int]:
        return self.flow.keys_at(index) | {
            key
            for key, is_byzantine in enumerate(self.byzantine)
            if is_byzantine is not FALSE and self.flow.is_target(index, self.scope.echo)
        }

    def passing(self, link: tuple[int, int]) -> frozenset[int]:
        """The attesters whose votes can pass on a link, either way: those that both ends can hold."""
        return self.keys_at(link[0]) & self.keys_at(link[1])

    def store(self, space: Namespace, sealed: Int, is_main: bool, is_pruned: bool) -> BatchStore:
        scope = self.scope
        return BatchStore(
            persisted=space.number("persisted", 0, scope.batches, 0) if scope.late_batches else sealed,
            commitments=(),
            certified=self.certified(space, is_main),
            pruned=space.number("pruned", NONE, self.last_batch if is_pruned else NONE, NONE),
        )

    def certified(self, space: Namespace, is_main: bool) -> Certificates:
        if not is_main:
            return CertifiedBatches(())
        if self.scope.batches is None:
            return CertifiedRange(
                space.number("smallest_certified", NONE, None, NONE),
                space.number("largest_certified", NONE, None, NONE),
                space.flag("had_gap", False),
            )
        return CertifiedBatches(tuple(space.flag(f"certified.{n}", False) for n in range(self.scope.batches)))

    def link(self, caller: int, peer: int) -> Link:
        names = [self.topology.places[end].name for end in (caller, peer)]
        space = self.space.within(f"{names[0]}-{names[1]}").owned_by(self.topology.owner(caller, peer))
        passing, steps = self.passing((caller, peer)), self.scope.call_steps
        return Link(
            phase=space.number("phase", IDLE, ANSWERED if steps else IDLE, IDLE),
            batch=self.batch(space.within("told")),
            told=self.flags(space.within("told"), passing),
            asks=space.flag("asks", False) if steps else FALSE,
            carried=self.flags(space.within("carried"), passing if steps else frozenset()),
            piece=self.scope.message_limit if self.revision.sends_in_pieces else 0,
        )
