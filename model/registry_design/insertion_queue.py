"""The queue of certificates that wait to be inserted into a node's store.

Sources: zksync-era, `core/node/consensus/src/storage/store.rs` (`store_qc` and its background task).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from model.algebra import TRUE, Bool, all_of, where
from model.batch_store import BatchStore
from model.votes import NO_VOTE, NONE, Vote


@dataclass(frozen=True)
class InsertionQueue:
    """Certificates that `store_qc` has accepted and the background task has not inserted yet, first in, first out.

    The real queue has no bound. Here it has as many places as the scope says, and a finder that meets a full queue
    waits; `is_full` tells whether that bound was ever felt.
    """

    places: tuple[Vote, ...]

    @staticmethod
    def empty(places: int) -> InsertionQueue:
        """A queue with nothing in it."""
        return InsertionQueue((NO_VOTE,) * places)

    @property
    def head(self) -> Vote:
        """The certificate that is inserted next, or `NO_VOTE`."""
        return self.places[0]

    @property
    def is_empty(self) -> Bool:
        """Whether nothing waits."""
        return self.head.number == NONE

    @property
    def is_full(self) -> Bool:
        """Whether the bound of the scope is reached."""
        return all_of(place.number != NONE for place in self.places)

    def append(self, certificate: Vote) -> InsertionQueue:
        """Put a certificate at the end."""
        places, before_is_taken = [], TRUE
        for place in self.places:
            is_free = place.number == NONE
            places.append(where(before_is_taken & is_free, certificate, place))
            before_is_taken = ~is_free
        return InsertionQueue(tuple(places))

    def without_head(self) -> InsertionQueue:
        """The queue after its head was inserted."""
        return InsertionQueue((*self.places[1:], NO_VOTE))


@dataclass(frozen=True)
class QueueingStore(BatchStore):
    """A node's store, and the queue before it."""

    queue: InsertionQueue = field(kw_only=True)

    def insert_head(self) -> QueueingStore:
        """Insert the first certificate of the queue."""
        return replace(self, certified=self.certified.insert(self.queue.head.number), queue=self.queue.without_head())

    def drop_head(self) -> QueueingStore:
        """Give up on the first certificate of the queue, as is proposed for one of a pruned batch."""
        return replace(self, queue=self.queue.without_head())
