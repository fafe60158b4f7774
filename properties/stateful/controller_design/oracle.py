"""The naive controller: it keeps every start and every list of votes that it ever got, and works everything out anew.

It shares nothing with the model, not even the rules: what it says is written down here a second time, on purpose, from
the protocol's description, in the most obvious way and with no thought of speed. It knows no watch: what a subscriber
is told is the comparison of two moments of the history.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from properties.stateful.votes import NaiveVote


@dataclass(frozen=True)
class NaiveStart:
    """What was asked to be attested, and the weights of the committee; equal if everything in it is."""

    number: int
    hash: str
    genesis: str
    weights: Mapping[str, int]

    @property
    def batch(self) -> tuple[int, str, str]:
        """What the votes have to be over."""
        return self.number, self.hash, self.genesis

    @property
    def quorum_weight(self) -> int:
        """The total weight n, less the largest f for which 5 f is below n."""
        total = sum(self.weights.values())
        return total - (total - 1) // 5


@dataclass
class NaiveController:
    """The history of one controller: starts and lists of votes, in the order in which they came; and for each
    subscriber how much of the history there was when it last looked, none if it never did."""

    own_key: str | None
    history: list[NaiveStart | list[NaiveVote]] = field(default_factory=list)
    looks: dict[str, int | None] = field(default_factory=dict)

    def attested(self, moment: int | None = None) -> NaiveStart | None:
        """What is attested after so many entries of the history, all by default: the last start that was accepted."""
        current: NaiveStart | None = None
        for entry in self.history[:moment]:
            if isinstance(entry, NaiveStart) and self.refusal(entry, current) is None:
                current = entry
        return current

    def refusal(self, start: NaiveStart, current: NaiveStart | None) -> str | None:
        """Why this start is refused while that one is attested, if it is."""
        if current is None or start == current:
            return None
        if start.genesis != current.genesis:
            return "genesis"
        return "number" if start.number <= current.number else None

    def votes(self, moment: int | None = None) -> dict[str, NaiveVote]:
        """The votes by attester after so many entries of the history: those that came since the last fresh start."""
        votes: dict[str, NaiveVote] = {}
        current: NaiveStart | None = None
        for entry in self.history[:moment]:
            if not isinstance(entry, NaiveStart):
                votes |= self.added(entry, current, votes)[0]
            elif self.refusal(entry, current) is None and entry != current:
                current, votes = entry, {}
                if self.own_key is not None and self.own_key in entry.weights:
                    votes[self.own_key] = NaiveVote.on(self.own_key, entry.batch)
        return votes

    def added(
        self, votes: Sequence[NaiveVote], current: NaiveStart | None, held: Mapping[str, NaiveVote]
    ) -> tuple[dict[str, NaiveVote], str | None]:
        """What a list adds, up to its error if it has one, and the error."""
        added: dict[str, NaiveVote] = {}
        if current is None:
            return added, None
        for place, vote in enumerate(votes):
            if vote.key in [earlier.key for earlier in votes[:place]]:
                return added, "duplicate"
            if vote.genesis != current.genesis:
                return added, "genesis"
            if vote.number == current.number:
                if vote.hash != current.hash:
                    return added, "hash"
                if vote.key not in current.weights:
                    return added, "non-member"
                if vote.key not in held and not vote.valid:
                    return added, "signature"
                if vote.key not in held:
                    added[vote.key] = vote
        return added, None

    @property
    def weight(self) -> int:
        """The weight of all votes."""
        current = self.attested()
        return 0 if current is None else sum(current.weights[key] for key in self.votes())

    @property
    def certificate(self) -> tuple[tuple[int, str, str], set[str]] | None:
        """The batch and the signers of the certificate, if the votes make one."""
        current = self.attested()
        if current is None or self.weight < current.quorum_weight:
            return None
        return current.batch, set(self.votes())

    def asked_for(self, batch: tuple[int, str, str]) -> dict[str, NaiveVote]:
        """The votes on this batch, none if it is not the one that is attested."""
        current = self.attested()
        return self.votes() if current is not None and current.batch == batch else {}

    def subscribe(self, subscriber: str) -> None:
        """It has seen nothing."""
        self.looks[subscriber] = None

    def look(self, subscriber: str) -> tuple[NaiveStart | None, dict[str, NaiveVote]] | None:
        """What is new to this subscriber, which has seen it now."""
        news = self.news(subscriber)
        self.looks[subscriber] = len(self.history)
        return news

    def news(self, subscriber: str) -> tuple[NaiveStart | None, dict[str, NaiveVote]] | None:
        """What is new since this subscriber looked: what is attested, if the number is another, and votes; none if
        nothing is."""
        moment, now = self.looks[subscriber], self.attested()
        then = None if moment is None else self.attested(moment)
        if now is None:
            return None
        if then is None or moment is None or then.number != now.number:
            return now, self.votes()
        seen = self.votes(moment)
        news = {key: vote for key, vote in self.votes().items() if key not in seen}
        return (None, news) if news else None
