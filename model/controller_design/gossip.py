"""One direction of a gossip connection: what the caller has told its peer, and the call that is in flight.

A call pushes the caller's new votes, and asks for the peer's if the caller's number is new. The answer is computed
after the votes were inserted, as a step of its own.

Source: era-consensus at `b9c5fa7b`, `node/actors/network/src/gossip/runner.rs` (`run_stream`, the task that calls
`push_batch_votes`, and `PushServer`, which answers) and `gossip/attestation/mod.rs` (`DiffReceiver`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from model.algebra import FALSE, Bool, Int, any_of, const, total, truth, where
from model.controller_design.attestation import Attestation
from model.controller_design.rules import is_news, is_other_number
from model.votes import NO_VOTE, Vote

IDLE = 0
CALLED = 1
INSERTED = 2
ANSWERED = 3


@dataclass(frozen=True)
class Link:
    """The diff receiver's `prev`: the batch and the votes that the caller has told; and the call, at most one, by its
    phase: under way, its votes inserted, or answered.

    `asks`: whether the call wants votes; `carried`: whose votes are on their way, in the call or in the answer. All of
    them are on `batch`: while a call is in flight, `prev` does not change, and what is asked for is what was told.
    """

    phase: Int
    batch: Vote
    told: tuple[Bool, ...]
    asks: Bool
    carried: tuple[Bool, ...]

    @staticmethod
    def connected(attesters: int) -> Link:
        """A new connection: nothing has been told, so the first call pushes all and asks."""
        return Link(const(IDLE), NO_VOTE, (FALSE,) * attesters, FALSE, (FALSE,) * attesters)

    def is_in(self, phase: int) -> Bool:
        """Whether the call is in this phase."""
        return self.phase == phase

    def is_behind(self, caller: Attestation) -> Bool:
        """Whether the caller's number is news, so that all its votes are, and the peer's are wanted."""
        return caller.is_on & truth(is_other_number(caller.batch, self.batch))

    def news(self, caller: Attestation, passing: Sequence[bool]) -> tuple[Bool, ...]:
        """The caller's votes that its peer has not been told; of those that pass on this link, in this scope."""
        is_behind = self.is_behind(caller)
        rows = zip(caller.votes, self.told, passing, strict=True)
        return tuple(vote & is_news(is_behind, ~told) if passes else FALSE for vote, told, passes in rows)

    def has_news(self, caller: Attestation, passing: Sequence[bool]) -> Bool:
        """Whether the diff is not empty."""
        return self.is_behind(caller) | any_of(self.news(caller, passing))

    def called(self, caller: Attestation, passing: Sequence[bool]) -> Link:
        """The call begins; the caller counts all it holds as told, whatever comes of it."""
        told = (vote if passes else FALSE for vote, passes in zip(caller.votes, passing, strict=True))
        carried, is_behind = self.news(caller, passing), self.is_behind(caller)
        return Link(const(CALLED), caller.batch, tuple(told), is_behind, carried)

    def inserted(self) -> Link:
        """The peer has dealt with the call's votes, and has yet to answer."""
        return replace(self, phase=const(INSERTED), carried=(FALSE,) * len(self.carried))

    def answered(self, votes: Sequence[Bool], passing: Sequence[bool]) -> Link:
        """The answer is on its way."""
        carried = (vote if passes else FALSE for vote, passes in zip(votes, passing, strict=True))
        return replace(self, phase=const(ANSWERED), carried=tuple(carried))

    def finished(self) -> Link:
        """The answer has been dealt with."""
        return replace(self, phase=const(IDLE), asks=FALSE, carried=(FALSE,) * len(self.carried))

    @property
    def load(self) -> Int:
        """How many votes are on their way."""
        return total(where(vote, const(1), const(0)) for vote in self.carried)
