"""The status watch, against a naive list of everything that it was ever told."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from model.algebra import const
from model.registry_design.attestation_status import StatusWatch
from properties.stateful.constants import flag, number
from properties.stateful.machine import LIFETIME, CountedMachine, counted

SUBSCRIBERS = ("finder", "attester", "third")


class StatusWatchMachine(CountedMachine):
    """`StatusWatch` with several subscribers. The list of its changes says what each of them has yet to see: whatever
    came after its last look, of which it gets to see the last only."""

    def __init__(self) -> None:
        super().__init__()
        self.watch = StatusWatch.fresh(SUBSCRIBERS)
        self.changes: list[int] = []
        self.looked_at = dict.fromkeys(SUBSCRIBERS, 0)

    @rule(batch=st.integers(0, 3))
    @counted
    def update(self, batch: int) -> None:
        """A number arrives: larger, smaller, or the same again."""
        self.watch = self.watch.update(const(batch))
        self.count("same number again", self.changes[-1:] == [batch])
        self.count("number falls", bool(self.changes) and batch < self.changes[-1])
        if self.changes[-1:] != [batch]:
            self.changes.append(batch)

    @rule(subscriber=st.sampled_from(SUBSCRIBERS))
    @counted
    def look(self, subscriber: str) -> None:
        """A subscriber waits for a change, and looks if there is one."""
        missed = self.changes[self.looked_at[subscriber] :]
        assert flag(self.watch.has_news(subscriber)) == bool(missed)
        if missed:
            self.count("conflated status", len(missed) > 1)
            self.count("changed and back", len(missed) > 1 and missed[-1:] == self._seen_before(subscriber))
            self.watch = self.watch.seen_by(subscriber)
            self.looked_at[subscriber] = len(self.changes)

    def _seen_before(self, subscriber: str) -> list[int]:
        return self.changes[: self.looked_at[subscriber]][-1:]

    @precondition(lambda self: self.age >= LIFETIME)
    @rule()
    @counted
    def restart(self) -> None:
        """The node starts again: no number, and every subscriber has yet to look."""
        self.age = 0
        self.watch = StatusWatch.fresh(SUBSCRIBERS)
        self.changes, self.looked_at = [], dict.fromkeys(SUBSCRIBERS, 0)

    @invariant()
    def agrees(self) -> None:
        """The watch has the last number, and each subscriber the news that it missed."""
        assert number(self.watch.next_batch_to_attest) == (self.changes[-1] if self.changes else -1)
        for subscriber in SUBSCRIBERS:
            assert flag(self.watch.has_news(subscriber)) == (self.looked_at[subscriber] < len(self.changes))
