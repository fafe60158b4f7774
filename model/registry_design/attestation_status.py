"""The status watch and the runner that feeds it: which batch the main node wants votes on, as this node knows it.

Sources: era-consensus, `node/actors/network/src/gossip/attestation_status.rs` (`AttestationStatusWatch`) and
`node/actors/executor/src/attestation.rs` (`AttestationStatusRunner`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from model.algebra import FALSE, TRUE, Bool, Int, const
from model.transitions import Namespace
from model.votes import NONE


@dataclass(frozen=True)
class StatusWatch:
    """The latest number (`NONE` until the first answer) and, for each subscriber, whether it has yet to look.

    Several changes between two looks conflate into one, and a change back and forth still counts as a change.
    """

    next_batch_to_attest: Int
    subscribers: tuple[str, ...]
    unseen: tuple[Bool, ...]

    @staticmethod
    def fresh(subscribers: tuple[str, ...]) -> StatusWatch:
        """The watch of a node that has just started; its subscribers mark the value as unseen at once."""
        return StatusWatch(const(NONE), subscribers, (TRUE,) * len(subscribers))

    def update(self, number: Int) -> StatusWatch:
        """Store a number, larger or smaller, and wake every subscriber if it differs."""
        changed = number != self.next_batch_to_attest
        return replace(self, next_batch_to_attest=number, unseen=tuple(changed | unseen for unseen in self.unseen))

    def has_news(self, subscriber: str) -> Bool:
        """Whether this subscriber's `changed()` would return with a number. With none it goes on waiting."""
        return self.unseen[self.subscribers.index(subscriber)] & (self.next_batch_to_attest != NONE)

    def seen_by(self, subscriber: str) -> StatusWatch:
        """The watch after this subscriber has looked."""
        pairs = zip(self.subscribers, self.unseen, strict=True)
        return replace(self, unseen=tuple(FALSE if name == subscriber else flag for name, flag in pairs))

    @staticmethod
    def declare(space: Namespace, next_batch: int | None, subscribers: tuple[str, ...]) -> StatusWatch:
        """A watch on numbers up to `next_batch`."""
        number = space.number("next_batch_to_attest", NONE, next_batch, NONE)
        return StatusWatch(number, subscribers, tuple(space.flag(f"unseen_by_{name}", True) for name in subscribers))


@dataclass(frozen=True)
class StatusRunner:
    """The poll loop between its two steps: the number it has read and not yet handed to the watch, or `NONE`.

    An answer of none, or an error, is logged and changes nothing, so no state stands for it.
    """

    polled: Int

    @property
    def is_idle(self) -> Bool:
        """Whether the runner may ask again."""
        return self.polled == NONE


@dataclass(frozen=True)
class Answer:
    """What the main node says when it is asked: the next batch to attest, or `NONE`, and the genesis of its fork."""

    number: Int
    genesis: Int
