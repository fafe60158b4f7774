"""The vote registry as a part of the system: one vote per attester and the minimum; support is counted when asked for.

`batch_votes` is the same registry in full fidelity (lists of votes, errors, signatures, other geneses, an incremental
support). Both decide by `model.rules`, and tests tie them together.

Source: era-consensus, `node/actors/network/src/gossip/batch_votes.rs`, `BatchVotes`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from model.algebra import FALSE, Bool, Int, all_of, any_of, const, greatest, truth, where
from model.revisions import AS_MERGED, Revision
from model.rules import is_below_minimum, is_collected, reaches
from model.votes import NO_VOTE, NONE, Electorate, Vote


@dataclass(frozen=True)
class Quorum:
    """The first quorum of a registry; `number` and `variant` mean something only where it is `found`."""

    found: Bool
    vote: Vote


@dataclass(frozen=True)
class Registry:
    """The votes by attester (`NO_VOTE` where there is none) and the smallest batch number of interest. The revision
    has the proposals that change the registry's rules."""

    min_batch_number: Int
    votes: tuple[Vote, ...]
    revision: Revision = field(default=AS_MERGED, kw_only=True)

    @staticmethod
    def empty(attesters: int, revision: Revision = AS_MERGED) -> Registry:
        """The registry of a node that has just started: its minimum is 0, not what the main node asks for."""
        return Registry(const(0), (NO_VOTE,) * attesters, revision=revision)

    def admits(self, attester: int, vote: Vote) -> Bool:
        """Whether `update` would add this attester's vote: not below the minimum, and newer than its current one."""
        is_news = self.is_news(vote, self.votes[attester])
        if self.revision.keeps_votes_below_minimum:
            return is_news
        return ~self.is_below_minimum(vote) & is_news

    def is_below_minimum(self, vote: Vote) -> Bool:
        """Whether the registry takes no interest in this vote."""
        return truth(is_below_minimum(vote.number, self.min_batch_number))

    def is_news(self, vote: Vote, other: Vote) -> Bool:
        """Whether this vote replaces the other: a newer one does. It is proposed that one at the minimum does, too."""
        if not self.revision.prefers_votes_at_minimum:
            return vote.is_newer_than(other)
        at_minimum = (vote.number == self.min_batch_number) & (other.number != self.min_batch_number)
        return at_minimum | vote.is_newer_than(other)

    def update(self, message: Sequence[Vote]) -> Registry:
        """Add those votes of a message (by attester, `NO_VOTE` where it has none) that are admitted."""
        votes = (
            where(self.admits(attester, vote), vote, self.votes[attester]) for attester, vote in enumerate(message)
        )
        return replace(self, votes=tuple(votes))

    def add(self, attester: int, vote: Vote) -> Registry:
        """`update` with this one vote."""
        return self.update([vote if other == attester else NO_VOTE for other in range(len(self.votes))])

    def set_min_batch_number(self, number: Int) -> Registry:
        """Raise or lower the minimum, and forget every vote below it."""
        if self.revision.keeps_votes_below_minimum:
            return replace(self, min_batch_number=number)
        votes = (where(is_below_minimum(vote.number, number), NO_VOTE, vote) for vote in self.votes)
        return replace(self, min_batch_number=number, votes=tuple(votes))

    def support(self, subject: Vote, electorate: Electorate) -> Int:
        """The weight of all votes on the same batch and hash."""
        return electorate.weight_of([vote.is_same_as(subject) for vote in self.votes])

    def is_quorum(self, subject: Vote, electorate: Electorate) -> Bool:
        """Whether this batch and hash has the support of a quorum."""
        return (subject.number != NONE) & truth(reaches(self.support(subject, electorate), electorate.threshold))

    def find_quorum(self, electorate: Electorate) -> Quorum:
        """The quorum on the smallest batch number.

        It is said without naming an attester before another: what is found is the greatest of all that some attester's
        vote says, where votes that are not found say the least there is. So it is one expression, however attesters
        change places.
        """
        quorums = [self.is_quorum(vote, electorate) & ~self.is_kept_only(vote) for vote in self.votes]
        found = [quorum & self._is_first(vote, quorums) for vote, quorum in zip(self.votes, quorums, strict=True)]
        fields = ([getattr(vote, field) for vote in self.votes] for field in ("number", "variant", "genesis"))
        return Quorum(any_of(quorums), Vote(*(_greatest_of_those(found, numbers) for numbers in fields)))

    def _is_first(self, vote: Vote, quorums: Sequence[Bool]) -> Bool:
        """Whether no quorum is on a smaller batch number than this vote."""
        return ~any_of(quorum & vote.is_newer_than(other) for other, quorum in zip(self.votes, quorums, strict=True))

    def is_kept_only(self, vote: Vote) -> Bool:
        """Whether the vote is kept for the day when the minimum is lowered, as is proposed, and does not count."""
        return self.is_below_minimum(vote) if self.revision.keeps_votes_below_minimum else FALSE

    def certificate_verifies(self, subject: Vote, electorate: Electorate) -> Bool:
        """Whether `BatchQC::verify` accepts the certificate on `subject` that `find_quorum` would make.

        The certificate collects a signature from every vote with the subject's hash; it is valid if each of them is
        over exactly the subject, and together they have the weight of a quorum.
        """
        collected = [(vote.number != NONE) & self.is_collected(vote, subject) for vote in self.votes]
        enough = truth(reaches(electorate.weight_of(collected), electorate.threshold))
        pairs = zip(collected, self.votes, strict=True)
        return enough & all_of(~signed | vote.is_same_as(subject) for signed, vote in pairs)

    def is_collected(self, vote: Vote, subject: Vote) -> Bool:
        """Whether the certificate on `subject` has the signature of this vote."""
        by_hash = truth(is_collected(vote.hash, subject.hash))
        return by_hash & (vote.number == subject.number) if self.revision.collects_by_number else by_hash

    def newer_than(self, old: Sequence[Vote]) -> tuple[Vote, ...]:
        """`get_newer`: the votes that are newer than the other's, `NO_VOTE` elsewhere."""
        pairs = zip(self.votes, old, strict=True)
        return tuple(where(self.is_news(vote, other), vote, NO_VOTE) for vote, other in pairs)


def _greatest_of_those(chosen: Sequence[Bool], numbers: Sequence[Int]) -> Int:
    """The greatest of the numbers for which the condition holds; where it holds for none, the least that can be."""
    least = const(min(number.low or 0 for number in numbers))
    return greatest([where(condition, number, least) for condition, number in zip(chosen, numbers, strict=True)])
