"""The batch store with its queue of certificates, against sets and a list."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

import model.batch_store
import model.registry_design.node
from model.algebra import TRUE, const
from model.scope import Scope, instance
from model.votes import Vote
from properties.stateful.constants import flag, initial, is_possible, number, taken
from properties.stateful.machine import LIFETIME, CountedMachine, counted

BATCHES, PLACES = 4, 3


class BatchStoreMachine(CountedMachine):
    """Batches, commitments, queue and certificates of one node; certificates come in any order and with any hash."""

    def __init__(self) -> None:
        super().__init__()
        scope = Scope(instance("n1f0b0"), batches=BATCHES, late_batches=True, queue=PLACES)
        system = self.system(scope)
        self.node = initial(system, system.main)
        self.batches = 0
        self.commitments: set[int] = set()
        self.queue: list[tuple[int, int]] = []
        self.certified: set[int] = set()

    @precondition(lambda self: self.batches < BATCHES)
    @rule()
    @counted
    def persist_batch(self) -> None:
        """The store gets its next batch."""
        self.batches += 1
        self.node = replace(self.node, store=replace(self.node.store, persisted=const(self.batches)))

    @rule(batch=st.integers(0, BATCHES - 1))
    @counted
    def provide_commitment(self, batch: int) -> None:
        """A batch can be signed from now on."""
        self.commitments.add(batch)
        flags = list(self.node.store.commitments)
        flags[batch] = TRUE
        self.node = replace(self.node, store=replace(self.node.store, commitments=tuple(flags)))

    @precondition(lambda self: len(self.queue) < PLACES)
    @rule(batch=st.integers(0, BATCHES - 1), variant=st.sampled_from([0, 0, 0, 0, 0, BATCHES + 1]))
    @counted
    def store_qc(self, batch: int, variant: int) -> None:
        """A certificate is accepted."""
        self.queue.append((batch, variant))
        queue = self.node.store.queue.append(Vote(const(batch), const(variant)))
        self.node = replace(self.node, store=replace(self.node.store, queue=queue))

    @rule()
    @counted
    def insert_qc(self) -> None:
        """The background task tries the certificate that came first."""
        step = model.registry_design.node.insert_qc(self.node)
        can_insert = bool(self.queue) and self.queue[0][0] in self.commitments and self.queue[0][1] == 0
        assert is_possible(step) == can_insert
        self.count("head waits for its batch", bool(self.queue) and self.queue[0][0] not in self.commitments)
        if can_insert:
            self.node = taken(step)
            batch, _ = self.queue.pop(0)
            self.count("inserted again" if batch in self.certified else "inserted")
            self.certified.add(batch)

    @precondition(lambda self: self.age >= LIFETIME)
    @rule()
    @counted
    def restart(self) -> None:
        """The queue is lost; batches and certificates are kept."""
        self.age = 0
        self.count("restart with a queued certificate", bool(self.queue))
        self.node = taken(model.registry_design.node.restart(self.node))
        self.queue = []

    @invariant()
    def agrees(self) -> None:
        """Contents, and what the main node would ask for by either rule."""
        store = self.node.store
        queued = [(number(place.number), number(place.variant)) for place in store.queue.places]
        assert queued == self.queue + [(-1, 0)] * (PLACES - len(self.queue))
        assert flag(store.queue.is_empty) == (not self.queue)
        assert flag(store.queue.is_full) == (len(self.queue) == PLACES)
        for batch in range(BATCHES):
            assert flag(store.has(const(batch))) == (batch < self.batches)
            assert flag(store.has_commitment(const(batch))) == (batch in self.commitments)
            assert flag(store.certified.contains(const(batch))) == (batch in self.certified)
        self._next_batch_agrees()

    def _next_batch_agrees(self) -> None:
        certified = self.node.store.certified
        missing = set(range(min(self.certified), max(self.certified))) - self.certified if self.certified else set()
        assert flag(certified.has_gap) == bool(missing)
        self.count("gap", bool(missing))
        last_sealed = model.batch_store.next_batch_after_last_sealed(certified, const(self.batches))
        from_genesis = model.batch_store.next_batch_from_genesis(certified, const(0))
        after_largest = max(self.certified) + 1 if self.certified else None
        assert number(last_sealed) == (max(self.batches - 1, 0) if after_largest is None else after_largest)
        assert number(from_genesis) == (0 if after_largest is None else after_largest)
