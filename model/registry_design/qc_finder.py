"""The QC finder of a node and the attester runner of an attester: where each of them stands in its loop.

Sources: era-consensus, `node/actors/network/src/gossip/mod.rs` (`run_batch_qc_finder`) and
`node/actors/executor/src/attestation.rs` (`AttesterRunner`).
"""

from __future__ import annotations

from dataclasses import dataclass

from model.algebra import Bool, Int, const, where
from model.votes import NO_VOTE, NONE, Vote

WAITING_FOR_STATUS = 0
WAITING_FOR_QUORUM = 1
SETTING_MINIMUM = 2
PERSISTING = 3


@dataclass(frozen=True)
class QcFinder:
    """The phase of the loop, the number that it read (while setting the minimum), the quorum that it found (while
    persisting it)."""

    phase: Int
    number: Int
    quorum: Vote

    def is_in(self, phase: int) -> Bool:
        """Whether the finder is in this phase."""
        return self.phase == phase

    @staticmethod
    def waiting_for_status() -> QcFinder:
        """The top of the loop: nothing wakes the finder but a change of the status."""
        return QcFinder(const(WAITING_FOR_STATUS), const(NONE), NO_VOTE)

    @staticmethod
    def setting_minimum(number: Int) -> QcFinder:
        """The status has been read, the registry's minimum has not yet been set."""
        return QcFinder(const(SETTING_MINIMUM), number, NO_VOTE)

    @staticmethod
    def waiting_for_quorum() -> QcFinder:
        """Nothing wakes the finder but a quorum, whatever its number. It does not listen to the status."""
        return QcFinder(const(WAITING_FOR_QUORUM), const(NONE), NO_VOTE)

    @staticmethod
    def persisting(quorum: Vote) -> QcFinder:
        """A certificate is in hand; the own store does not have its batch yet, or `store_qc` has yet to be called."""
        return QcFinder(const(PERSISTING), const(NONE), quorum)


@dataclass(frozen=True)
class AttesterRunner:
    """The number that the attester has read from the status and will vote on whatever the status says by then, or
    `NONE` while it waits for a change."""

    number: Int

    @property
    def is_waiting(self) -> Bool:
        """Whether the attester listens to the status."""
        return self.number == NONE


@dataclass(frozen=True)
class VotesCast:
    """The least and the greatest number that an honest attester has ever voted on, on this fork, or `NONE`.

    No machine has this, and no restart forgets it: it is what others may have kept. The numbers between count as cast,
    too, whether they were or not; so there is more to pass on than there was, never less.
    """

    least: Int
    greatest: Int

    def including(self, number: Int) -> VotesCast:
        """With one more vote."""
        is_least = (self.least == NONE) | (number < self.least)
        is_greatest = number > self.greatest
        return VotesCast(where(is_least, number, self.least), where(is_greatest, number, self.greatest))

    def include(self, number: Int) -> Bool:
        """Whether a vote on this number may have been cast."""
        return (self.least != NONE) & (number >= self.least) & (number <= self.greatest)
