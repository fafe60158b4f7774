"""The naive vote registry: it keeps every message that it ever got, and works everything out from them anew.

It shares nothing with the model, not even the rules: what it says is written down here a second time, on purpose, from
the protocol's description, in the most obvious way and with no thought of speed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from properties.stateful.votes import NaiveVote


@dataclass(frozen=True)
class NaiveMessage:
    """Votes that came together, and whether bad signatures among them are skipped or are an error."""

    votes: Sequence[NaiveVote]
    skips_bad_signatures: bool = False


@dataclass
class NaiveRegistry:
    """The history of one registry: messages of votes, and minima, in the order in which they came."""

    weights: Mapping[str, int]
    genesis: str = "g0"
    history: list[NaiveMessage | int] = field(default_factory=list)

    def update(self, votes: Sequence[NaiveVote], skips_bad_signatures: bool = False) -> str | None:
        """Take in a message; the reason why all of it is refused, if it is."""
        message = NaiveMessage(votes, skips_bad_signatures)
        error = self.added(message)[1]
        self.history.append(message)
        return error

    def added(self, message: NaiveMessage) -> tuple[dict[str, NaiveVote], str | None]:
        """What the message adds, up to its error if it has one, by attester in the order of the message; and the error.
        Nothing is taken in."""
        return self._added(self.votes, self.min_batch_number, message)

    def set_min_batch_number(self, number: int) -> None:
        """Take in a minimum."""
        self.history.append(number)

    @property
    def min_batch_number(self) -> int:
        """The last minimum that was set, 0 if there was none."""
        return next((entry for entry in reversed(self.history) if isinstance(entry, int)), 0)

    @property
    def votes(self) -> dict[str, NaiveVote]:
        """The vote of each attester, worked out from the whole history."""
        votes: dict[str, NaiveVote] = {}
        minimum = 0
        for entry in self.history:
            if isinstance(entry, int):
                minimum = entry
                votes = {key: vote for key, vote in votes.items() if vote.number >= minimum}
            else:
                added, error = self._added(votes, minimum, entry)
                votes = votes if error else {**votes, **added}
        return votes

    def _added(
        self, votes: Mapping[str, NaiveVote], minimum: int, message: NaiveMessage
    ) -> tuple[dict[str, NaiveVote], str | None]:
        added: dict[str, NaiveVote] = {}
        for place, vote in enumerate(message.votes):
            if any(earlier.key == vote.key for earlier in message.votes[:place]):
                return added, "duplicate entry"
            if vote.genesis != self.genesis:
                return added, "different genesis"
            if vote.number < minimum or vote.key not in self.weights:
                continue
            if vote.key in votes and vote.rank <= votes[vote.key].rank:
                continue
            if vote.valid:
                added[vote.key] = vote
            elif not message.skips_bad_signatures:
                return added, "bad signature"
        return added, None

    @property
    def quorum_weight(self) -> int:
        """The total weight n, less the largest f for which 5 f is below n."""
        total = sum(self.weights.values())
        return total - (total - 1) // 5

    @property
    def support(self) -> dict[tuple[int, str], int]:
        """The weight behind each (number, hash)."""
        votes = self.votes.values()
        return {
            subject: sum(self.weights[vote.key] for vote in votes if (vote.number, vote.hash) == subject)
            for subject in {(vote.number, vote.hash) for vote in votes}
        }

    @property
    def quorums(self) -> list[tuple[int, str]]:
        """Every (number, hash) with enough weight, in ascending order."""
        return sorted(subject for subject, weight in self.support.items() if weight >= self.quorum_weight)

    @property
    def certificate(self) -> tuple[tuple[int, str], dict[str, int]] | None:
        """The subject of the first quorum, and the number that each collected signature is over: all votes with the
        subject's hash are collected, whatever their number."""
        if not self.quorums:
            return None
        subject = self.quorums[0]
        return subject, {key: vote.number for key, vote in self.votes.items() if vote.hash == subject[1]}

    @property
    def certificate_verifies(self) -> bool:
        """Whether every collected signature is over the subject; the weight of a quorum is there by itself."""
        if self.certificate is None:
            return False
        (number, _), signatures = self.certificate
        return all(signed == number for signed in signatures.values())
