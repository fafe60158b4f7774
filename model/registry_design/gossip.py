"""One direction of a gossip connection: what was pushed last, and what is on its way.

Source: era-consensus, `node/actors/network/src/gossip/runner.rs` (`run_stream`, the task that pushes batch votes, and
`PushServer`, which receives them).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from model.algebra import FALSE, TRUE, Bool, all_of, any_of, const, total, where
from model.registry_design.registry import Registry
from model.rules import is_below_minimum
from model.votes import NO_VOTE, NONE, Vote


@dataclass(frozen=True)
class Link:
    """The pusher's `old`: the sender's registry as of the last push; and the message in flight, at most one.

    Both are votes by attester, `NO_VOTE` where there is none. The acknowledgement that lets the pusher go on needs no
    state: waiting for it is one of the ways in which a push can be late. A message that `is_spoilt` has a further vote,
    and `bad_vote` says what is wrong with that. `limit`: the most votes that a message can have (0: any number).
    """

    old: tuple[Vote, ...]
    in_flight: tuple[Vote, ...]
    bad_vote: str = ""
    is_spoilt: Bool = FALSE
    limit: int = 0

    def renewed(self) -> Link:
        """A new connection: nothing has been pushed on it, so the first push carries the whole registry."""
        return replace(self.delivered(), old=self._nothing)

    @property
    def _nothing(self) -> tuple[Vote, ...]:
        return (NO_VOTE,) * len(self.old)

    @property
    def is_idle(self) -> Bool:
        """Whether no message is in flight."""
        return all_of(vote.number == NONE for vote in self.in_flight)

    def has_news(self, sender: Registry) -> Bool:
        """Whether the sender's registry has votes that are newer than those of the last push."""
        return any_of(vote.number != NONE for vote in sender.newer_than(self.old))

    def push(self, sender: Registry, of: Collection[int] = ()) -> Link:
        """Send what is new. `old` becomes the sender's registry before the call, whatever comes of it. If the votes of
        certain attesters are all that is sent, as is proposed, then they are all that becomes old."""
        sent = [not of or key in of for key in range(len(self.old))]
        rows = zip(sent, sender.votes, self.old, strict=True)
        old = tuple(vote if is_sent else before for is_sent, vote, before in rows)
        news = zip(sent, sender.newer_than(self.old), strict=True)
        return replace(self, old=old, in_flight=tuple(vote if is_sent else NO_VOTE for is_sent, vote in news))

    def is_too_large(self, message: Sequence[Vote]) -> Bool:
        """Whether these are more votes than a message can have."""
        count = total(where(vote.number != NONE, const(1), const(0)) for vote in message)
        return count > self.limit if self.limit else FALSE

    def delivered(self) -> Link:
        """The message has been handled."""
        return replace(self, in_flight=self._nothing, is_spoilt=self._unless_always(FALSE))

    def spoilt(self) -> Link:
        """The message has a bad vote, too."""
        return replace(self, is_spoilt=TRUE)

    def _unless_always(self, spoilt: Bool) -> Bool:
        return TRUE if self.is_spoilt is TRUE else spoilt

    def carries_vote_below(self, receiver: Registry) -> Bool:
        """Whether the receiver would skip a vote in flight for being below its minimum."""
        return any_of(
            (vote.number != NONE) & is_below_minimum(vote.number, receiver.min_batch_number) for vote in self.in_flight
        )

    def carries_replacement_for(self, receiver: Registry) -> Bool:
        """Whether a vote in flight would replace one that the receiver has."""
        return any_of(
            receiver.admits(attester, vote) & (receiver.votes[attester].number != NONE)
            for attester, vote in enumerate(self.in_flight)
        )
