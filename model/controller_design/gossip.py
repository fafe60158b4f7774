"""One direction of a gossip connection: what the caller has told its peer, and the call that is in flight.

A call pushes the caller's new votes, and asks for the peer's if the caller's number is new. The answer is computed
after the votes were inserted, as a step of its own.

Source: era-consensus at `b9c5fa7b`, `node/actors/network/src/gossip/runner.rs` (`run_stream`, the task that calls
`push_batch_votes`, and `PushServer`, which answers) and `gossip/attestation/mod.rs` (`DiffReceiver`).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from model.algebra import FALSE, Bool, Int, all_of, any_of, const, total, truth, where
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

    It is proposed that a message has a `piece` of so many votes (0: all) if there are more. Then an answer leaves out
    what the caller has told, and a caller whose answer had no room for more asks again.
    """

    phase: Int
    batch: Vote
    told: tuple[Bool, ...]
    asks: Bool
    carried: tuple[Bool, ...]
    piece: int = 0

    @staticmethod
    def connected(attesters: int, piece: int = 0) -> Link:
        """A new connection: nothing has been told, so the first call pushes all and asks."""
        return Link(const(IDLE), NO_VOTE, (FALSE,) * attesters, FALSE, (FALSE,) * attesters, piece)

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
        return self.is_behind(caller) | any_of(self.news(caller, passing)) | self._asks_again

    @property
    def _asks_again(self) -> Bool:
        return self.asks if self.piece else FALSE

    def is_piece(self, votes: Sequence[Bool], of: Collection[int]) -> Bool:
        """Whether a message can have the votes `of` these attesters and has no room for more; or, without attesters,
        all of these votes."""
        are_too_many = _size(votes) > self.piece if self.piece else FALSE
        return are_too_many & all_of(votes[key] for key in of) if of else ~are_too_many

    def called(self, caller: Attestation, passing: Sequence[bool], of: Collection[int] = ()) -> Link:
        """The call begins; the caller counts all it holds as told, whatever comes of it, or what the message has."""
        carried, is_behind = self.news(caller, passing), self.is_behind(caller)
        told = [vote if passes else FALSE for vote, passes in zip(caller.votes, passing, strict=True)]
        if of:
            told = [told[key] if key in of else before & ~is_behind for key, before in enumerate(self.told)]
        asks = is_behind | self._asks_again
        return Link(const(CALLED), caller.batch, tuple(told), asks, _those_of(of, carried), self.piece)

    def inserted(self) -> Link:
        """The peer has dealt with the call's votes, and has yet to answer."""
        return replace(self, phase=const(INSERTED), carried=(FALSE,) * len(self.carried))

    def to_answer(self, votes: Sequence[Bool], passing: Sequence[bool]) -> tuple[Bool, ...]:
        """Those of the votes with which the peer answers."""
        rows = zip(votes, self.told, passing, strict=True)
        return tuple((vote & ~told if self.piece else vote) if passes else FALSE for vote, told, passes in rows)

    def answered(self, votes: Sequence[Bool], of: Collection[int] = ()) -> Link:
        """The answer is on its way."""
        return replace(self, phase=const(ANSWERED), carried=_those_of(of, votes))

    def finished(self) -> Link:
        """The answer has been dealt with."""
        asks = self.asks & (self.load == self.piece) if self.piece else FALSE
        return replace(self, phase=const(IDLE), asks=asks, carried=(FALSE,) * len(self.carried))

    @property
    def load(self) -> Int:
        """How many votes are on their way."""
        return _size(self.carried)


def _size(votes: Sequence[Bool]) -> Int:
    return total(where(vote, const(1), const(0)) for vote in votes)


def _those_of(chosen: Collection[int], votes: Sequence[Bool]) -> tuple[Bool, ...]:
    return tuple(vote if not chosen or key in chosen else FALSE for key, vote in enumerate(votes))
