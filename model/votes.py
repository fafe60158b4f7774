"""Votes and the weight behind them, as both designs have them: what an attester signed, and what makes a quorum.

Source: era-consensus, `node/libs/roles/src/attester/messages/batch.rs` (`Batch`) and `msg.rs` (`Committee`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from model.algebra import Bool, Int, const, total, truth, where
from model.rules import is_newer
from model.transitions import Namespace

NONE = -1
"""No batch number: below every batch, so no vote, no status and no certificate need a flag of their own."""


FIRST_GENESIS = const(0)
"""The fork that the chain begins with."""


@dataclass(frozen=True)
class Vote:
    """What an attester signed, or no vote (`number` is `NONE`).

    `variant` 0 is the batch's own hash, which is all that an honest attester signs; `h + 1` is the hash of batch h,
    and one more than the last batch stands for a hash of no batch at all; -1, -2 … for those that are less than every
    batch's, where a scope has them. `genesis` counts the forks of the chain.
    """

    number: Int
    variant: Int
    genesis: Int = FIRST_GENESIS

    @property
    def hash(self) -> Int:
        """The hash as a number, so that hashes of different batches can be compared: batch h has hash h."""
        return where(self.variant == 0, self.number, self.variant - 1)

    def is_newer_than(self, other: Vote) -> Bool:
        """Whether this vote replaces the other."""
        return truth(is_newer(self.number, self.hash, other.number, other.hash))

    def is_same_as(self, other: Vote) -> Bool:
        """Whether both are votes on the same batch and hash, or neither is a vote."""
        return (self.number == other.number) & (self.hash == other.hash)

    @staticmethod
    def declare(
        space: Namespace, last_batch: int | None, variants: int | None, geneses: int = 0, lesser_hashes: int = 0
    ) -> Vote:
        """A vote on batches up to `last_batch`, with `variants` other hashes (None: any number) and some that are less
        than those of all batches, on forks up to `geneses`."""
        number = space.number("number", NONE, last_batch, NONE)
        variant = space.number("variant", -lesser_hashes, variants, 0)
        return Vote(number, variant, space.number("genesis", 0, geneses, 0))


NO_VOTE = Vote(const(NONE), const(0))


@dataclass(frozen=True)
class Electorate:
    """The committee as the system sees it: the attesters' weights, by position, and the weight of a quorum."""

    weights: tuple[Int, ...]
    threshold: Int

    def weight_of(self, members: Sequence[Bool]) -> Int:
        """The weight of those attesters for which the condition holds."""
        return total(where(member, weight, const(0)) for member, weight in zip(members, self.weights, strict=True))
