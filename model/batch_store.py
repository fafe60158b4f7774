"""What a node stores: its batches and its certificates; and what the main node's database asks for.

Sources: zksync-era, `core/lib/dal/src/consensus_dal.rs`, the query behind `next_batch_to_attest`; era-consensus,
`node/libs/storage/src/batch_store/mod.rs`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol, Self

from model.algebra import FALSE, TRUE, Bool, Int, any_of, const, where
from model.votes import NONE

NO_BATCH = const(NONE)
"""What is pruned before anything is."""


class Certificates(Protocol):
    """The stored certificates, as far as the protocol and its claims look at them."""

    @property
    def largest(self) -> Int:
        """The largest number with a certificate, or `NONE`."""

    @property
    def has_gap(self) -> Bool:
        """Whether a batch between two certified ones has no certificate."""

    def insert(self, number: Int) -> Certificates:
        """Store the certificate of this batch; nothing changes if it is there already."""

    def contains(self, number: Int) -> Bool:
        """Whether this batch has a certificate."""

    def without(self, number: Int) -> Certificates:
        """The certificates after this batch, the smallest that there is, was pruned with its certificate."""

    def emptied(self) -> Certificates:
        """None: a new fork begins without certificates."""

    def below(self, number: int) -> Certificates:
        """Those of smaller numbers, as an older copy of the database has them."""


@dataclass(frozen=True)
class CertifiedBatches:
    """One flag per batch: the exact set, for scopes with a bound on the batch number."""

    flags: tuple[Bool, ...]

    @property
    def largest(self) -> Int:
        largest = const(NONE)
        for number, certified in enumerate(self.flags):
            largest = where(certified, const(number), largest)
        return largest

    @property
    def has_gap(self) -> Bool:
        return any_of(self.is_missing(number) for number in range(1, len(self.flags) - 1))

    def is_missing(self, number: int) -> Bool:
        """Whether this batch lies in a gap."""
        return ~self.flags[number] & any_of(self.flags[:number]) & any_of(self.flags[number + 1 :])

    def insert(self, number: Int) -> CertifiedBatches:
        return CertifiedBatches(tuple(flag | (number == index) for index, flag in enumerate(self.flags)))

    def contains(self, number: Int) -> Bool:
        return any_of(flag & (number == index) for index, flag in enumerate(self.flags))

    def without(self, number: Int) -> CertifiedBatches:
        return CertifiedBatches(tuple(flag & (number != index) for index, flag in enumerate(self.flags)))

    def emptied(self) -> CertifiedBatches:
        return CertifiedBatches((FALSE,) * len(self.flags))

    def below(self, number: int) -> CertifiedBatches:
        return CertifiedBatches(tuple(flag if index < number else FALSE for index, flag in enumerate(self.flags)))


@dataclass(frozen=True)
class CertifiedRange:
    """Smallest and largest certified number, and whether there ever was a gap: an abstraction of the set that needs no
    bound on the batch number. It forgets whether a gap was filled later: a gap once seen stays."""

    smallest: Int
    largest: Int
    had_gap: Bool

    @property
    def has_gap(self) -> Bool:
        return self.had_gap

    def insert(self, number: Int) -> CertifiedRange:
        is_first = self.largest == NONE
        leaves_gap = ~is_first & ((number > self.largest + 1) | (number < self.smallest - 1))
        return CertifiedRange(
            where(is_first | (number < self.smallest), number, self.smallest),
            where(number > self.largest, number, self.largest),
            self.had_gap | leaves_gap,
        )

    def contains(self, number: Int) -> Bool:
        return (self.smallest <= number) & (number <= self.largest) & (self.largest != NONE)

    def without(self, number: Int) -> CertifiedRange:
        is_last = (self.smallest == number) & (self.largest == number)
        next_smallest = where(self.smallest == number, self.smallest + 1, self.smallest)
        return CertifiedRange(
            where(is_last, const(NONE), next_smallest), where(is_last, const(NONE), self.largest), self.had_gap
        )

    def emptied(self) -> CertifiedRange:
        return CertifiedRange(const(NONE), const(NONE), FALSE)

    def below(self, number: int) -> CertifiedRange:
        smallest = where(self.smallest < number, self.smallest, const(NONE))
        largest = where(self.largest < number, self.largest, const(number - 1))
        return CertifiedRange(smallest, where(smallest == NONE, const(NONE), largest), self.had_gap)


@dataclass(frozen=True)
class BatchStore:
    """Batches 0 … `persisted` - 1, whether each has its commitment, the certificates, and the last batch that was
    pruned, with all before it, or `NONE`.

    Pruning deletes a batch and its blocks, and its certificate with it: the query for the genesis' first block finds
    nothing, and a certificate of the batch can no longer be inserted. Source: zksync-era,
    `core/lib/dal/src/pruning_dal/mod.rs`, and the foreign key of the table `l1_batches_consensus`.
    """

    persisted: Int
    commitments: tuple[Bool, ...]
    certified: Certificates
    pruned: Int = NO_BATCH

    def has(self, number: Int) -> Bool:
        """Whether the batch is there."""
        return number < self.persisted

    def has_commitment(self, number: Int) -> Bool:
        """Whether the batch can be signed, and its certificate inserted: not any more once it was pruned. Scopes
        without late commitments have none to wait for."""
        is_there = number > self.pruned
        if not self.commitments:
            return self.has(number) & is_there
        return any_of(flag & (number == index) for index, flag in enumerate(self.commitments)) & is_there

    def is_pruned(self, number: Int) -> Bool:
        """Whether this is a batch, and was pruned."""
        return (number != NONE) & (number <= self.pruned)

    def next_to_prune(self, first: Int) -> Int:
        """The batch that is pruned next, where `first` is the first that is."""
        return where(self.pruned == NONE, first, self.pruned + 1)

    def without_batch(self, number: Int) -> Self:
        """The store after this batch was pruned, as those before it were."""
        return replace(self, certified=self.certified.without(number), pruned=number)

    def reverted(self, first: Int) -> Self:
        """The store on a new fork, whose first batch is `first`: this and later batches are gone, and so are all
        certificates. Where every node has the main node's batches, the system takes those away."""
        store = replace(self, certified=self.certified.emptied(), pruned=NO_BATCH)
        if not self.commitments:
            return store
        kept = tuple(flag & (first > number) for number, flag in enumerate(self.commitments))
        return replace(store, persisted=where(self.persisted > first, first, self.persisted), commitments=kept)


def next_batch_after_last_sealed(certified: Certificates, sealed: Int) -> Int:
    """zksync-era PR 2480: after the largest certificate; without any, the last sealed batch; without batches, 0."""
    last_sealed = where(sealed == 0, const(0), sealed - 1)
    return where(certified.largest == NONE, last_sealed, certified.largest + 1)


def next_batch_from_genesis(certified: Certificates, first_batch: Int, exists: Bool = TRUE) -> Int:
    """zksync-era PR 2539: after the largest certificate; without any, the batch with the genesis' first block; none
    where that block does not exist, or no longer exists."""
    first = where(exists, first_batch, const(NONE))
    return where(certified.largest == NONE, first, certified.largest + 1)
