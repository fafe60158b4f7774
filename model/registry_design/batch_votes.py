"""The vote registry in full fidelity: what a node knows of the attesters' votes, and the certificates it finds in them.

Theory of operation. A registry holds at most one vote per attester, and the weight that supports each (number, hash).
A newer vote of an attester replaces its former one, so a vote for a high batch takes its weight away from the lower
ones. Votes below a minimum are not wanted; the minimum moves as the main node asks for other batches.

Everything is an immutable value: an operation returns the registry afterwards. The decisions are those of
`model.rules`, which the guarded commands of the whole system share. Cryptography is left out: a signature is the exact
message that it is over, and whether it is valid.

Keys, hashes and genesis hashes are text, compared by code points, which is the order of their UTF-8 bytes. Batch
numbers and weights are integers from 0 to 2^64 - 1.

Source: era-consensus at `bce5e3e8`, `node/actors/network/src/gossip/batch_votes.rs`;
`node/libs/roles/src/attester/messages/batch.rs`; `node/actors/network/src/watch.rs`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from model import rules
from model.committee import U64_MAX, Committee
from model.messages import Batch, BatchQC, SignedBatch


class VoteError(ValueError):
    """A vote that makes the registry give up on the message it came in; the text is the reason, `vote` the culprit."""

    reason = "bad vote"

    def __init__(self, vote: SignedBatch) -> None:
        super().__init__(self.reason)
        self.vote = vote


class DuplicateEntry(VoteError):
    """A second vote of the same key in one message."""

    reason = "duplicate entry"


class DifferentGenesis(VoteError):
    """A vote on another chain, or from before a regenesis."""

    reason = "different genesis"


class BadSignature(VoteError):
    """A vote that would have been added, were its signature valid."""

    reason = "bad signature"


@dataclass(frozen=True)
class BatchVotes:
    """The vote registry.

    `votes` has the vote that counts, by key of its attester; `support` the weight of these votes, by number, then
    hash, without zero weights; `min_batch_number` is the least number that is still wanted.

    Source: `batch_votes.rs`, `BatchVotes`.
    """

    votes: Mapping[str, SignedBatch] = field(default_factory=dict)
    support: Mapping[int, Mapping[str, int]] = field(default_factory=dict)
    min_batch_number: int = 0

    def update(
        self, committee: Committee, genesis: str, votes: Iterable[SignedBatch], *, skip_bad_signatures: bool = False
    ) -> UpdateOutcome:
        """Take in one message of votes, up to the first that is an error.

        The registry of the outcome has what was added before the error. With `skip_bad_signatures` a bad signature is
        skipped instead, as from era-consensus pull request 170 on. Source: `BatchVotes::update`.
        """
        outcome = UpdateOutcome(self)
        seen: set[str] = set()
        for vote in votes:
            error = _misplaced(vote, genesis, seen)
            if error is not None:
                return replace(outcome, error=error)
            seen.add(vote.key)
            if not outcome.registry.wants(committee, vote):
                continue
            if vote.valid:
                outcome = outcome.with_added(vote, committee.weights[vote.key])
            elif not skip_bad_signatures:
                return replace(outcome, error=BadSignature(vote))
        return outcome

    def wants(self, committee: Committee, vote: SignedBatch) -> bool:
        """Whether the vote is recent enough, from a member, and newer than that member's vote here."""
        mine = self.votes.get(vote.key)
        return (
            not rules.is_below_minimum(vote.batch.number, self.min_batch_number)
            and vote.key in committee
            and (mine is None or vote.batch.is_newer_than(mine.batch))
        )

    def add(self, vote: SignedBatch, weight: int) -> BatchVotes:
        """This registry with the vote in place of its attester's former one, unchecked. Source: `BatchVotes::add`."""
        cleared = self.remove(vote.key, weight)
        number, hash = vote.batch.number, vote.batch.hash
        support = min(cleared.support_of(number, hash) + weight, U64_MAX)
        return cleared.with_support(number, hash, support).with_vote(vote)

    def remove(self, key: str, weight: int) -> BatchVotes:
        """This registry without the vote of `key`, whose `weight` is now what the committee says it is.

        Under another committee than the vote was added with, this is not the weight that the vote brought, hence
        the floor at zero. Source: `BatchVotes::remove`.
        """
        vote = self.votes.get(key)
        if vote is None:
            return self
        number, hash = vote.batch.number, vote.batch.hash
        remaining = {other: kept for other, kept in self.votes.items() if other != key}
        support = max(self.support_of(number, hash) - weight, 0)
        return replace(self, votes=remaining).with_support(number, hash, support)

    def support_of(self, number: int, hash: str) -> int:
        """The weight behind this hash at this number, 0 if there is none."""
        return self.support.get(number, {}).get(hash, 0)

    def with_support(self, number: int, hash: str, weight: int) -> BatchVotes:
        """This registry with another weight behind (number, hash); no entry stays for a weight of zero."""
        hashes = {**self.support.get(number, {}), hash: weight}
        positive = {candidate: behind for candidate, behind in hashes.items() if behind}
        support = {**self.support, number: positive}
        return replace(self, support={at: candidates for at, candidates in support.items() if candidates})

    def with_vote(self, vote: SignedBatch) -> BatchVotes:
        """This registry with the vote, its support not counted."""
        return replace(self, votes={**self.votes, vote.key: vote})

    def set_min_batch_number(self, number: int) -> BatchVotes:
        """This registry without anything below `number`, which is the minimum from now on, be it higher or lower.

        Source: `BatchVotes::set_min_batch_number`.
        """
        return replace(
            self,
            votes={k: v for k, v in self.votes.items() if not rules.is_below_minimum(v.batch.number, number)},
            support={n: hashes for n, hashes in self.support.items() if not rules.is_below_minimum(n, number)},
            min_batch_number=number,
        )

    def find_quorum(self, committee: Committee, genesis: str) -> BatchQC | None:
        """The certificate of the lowest number at which a hash has a quorum; none if there is no quorum.

        Two hashes can have a quorum at one number only under another committee than the votes were added with. The
        source then takes either; here it is the lesser one. Source: `BatchVotes::find_quorum`.
        """
        for number, candidates in sorted(self.support.items()):
            for hash, weight in sorted(candidates.items()):
                if rules.reaches(weight, committee.threshold):
                    message = Batch(number, hash, genesis)
                    return BatchQC(message, self.signatures_for(message))
        return None

    def signatures_for(self, message: Batch) -> Mapping[str, Batch]:
        """The signatures that go into the certificate of `message`: votes for its hash, at whatever number."""
        return {
            key: vote.batch
            for key, vote in sorted(self.votes.items())
            if rules.is_collected(vote.batch.hash, message.hash)
        }

    def get_newer(self, other: BatchVotes) -> tuple[SignedBatch, ...]:
        """The votes here that `other` lacks, or has an older one for, in the order of their keys.

        The source gives them in no particular order. Source: `BatchVotes::get_newer`.
        """
        return tuple(
            vote
            for key, vote in sorted(self.votes.items())
            if key not in other.votes or vote.batch.is_newer_than(other.votes[key].batch)
        )


@dataclass(frozen=True)
class UpdateOutcome:
    """What an update came to: the `registry` afterwards, what was added, and the error that ended it, if any.

    `weight_added` is in units of voting weight; `last_added` is the number of the last vote that was added, in the
    order of the message. On an error the source reports no statistics; these are about the votes before it.

    Source: `batch_votes.rs`, `BatchUpdateStats`.
    """

    registry: BatchVotes
    num_added: int = 0
    weight_added: int = 0
    last_added: int | None = None
    error: VoteError | None = None

    def with_added(self, vote: SignedBatch, weight: int) -> UpdateOutcome:
        """This outcome with one more vote added."""
        return UpdateOutcome(
            self.registry.add(vote, weight), self.num_added + 1, self.weight_added + weight, vote.batch.number
        )


def _misplaced(vote: SignedBatch, genesis: str, seen: set[str]) -> VoteError | None:
    """What is wrong with the vote whatever the registry holds: a key counts as seen even if its vote was skipped."""
    if vote.key in seen:
        return DuplicateEntry(vote)
    if vote.batch.genesis != genesis:
        return DifferentGenesis(vote)
    return None


@dataclass(frozen=True)
class BatchVotesWatch:
    """A registry that others watch.

    `unseen` says for each subscriber, by its name, whether there is a change that it has not looked at. Changes
    conflate: who looks sees the registry as it is now. `ever_changed` is whether there ever was a change.

    Source: `batch_votes.rs`, `BatchVotesWatch`; `watch.rs`, `Watch`.
    """

    votes: BatchVotes = field(default_factory=BatchVotes)
    unseen: Mapping[str, bool] = field(default_factory=dict)
    ever_changed: bool = False

    def subscribe(self, subscriber: str) -> BatchVotesWatch:
        """With one subscriber more, or one that starts again.

        It starts with a change to see if there ever was one: the source hands out copies of a receiver that has never
        looked, not fresh receivers. Source: `Watch::subscribe`.
        """
        return self._with_flag(subscriber, self.ever_changed)

    def mark_unseen(self, subscriber: str) -> BatchVotesWatch:
        """With something to see for this subscriber, changed or not. Raises `KeyError` for a stranger."""
        self._must_know(subscriber)
        return self._with_flag(subscriber, True)

    def look(self, subscriber: str) -> BatchVotesWatch:
        """With everything seen by this subscriber. Raises `KeyError` for a stranger."""
        self._must_know(subscriber)
        return self._with_flag(subscriber, False)

    def update(
        self, committee: Committee, genesis: str, votes: Iterable[SignedBatch], *, skip_bad_signatures: bool = False
    ) -> BatchVotesWatch:
        """Take in one message of votes, all or nothing; subscribers are notified if a vote was added.

        Raises the `VoteError` of the message. Source: `BatchVotesWatch::update`.
        """
        outcome = self.votes.update(committee, genesis, votes, skip_bad_signatures=skip_bad_signatures)
        if outcome.error is not None:
            raise outcome.error
        return self._notify(outcome.registry) if outcome.num_added else self

    def set_min_batch_number(self, number: int) -> BatchVotesWatch:
        """Set the minimum; subscribers are notified even if that changes nothing.

        Source: `BatchVotesWatch::set_min_batch_number`.
        """
        return self._notify(self.votes.set_min_batch_number(number))

    def _notify(self, votes: BatchVotes) -> BatchVotesWatch:
        return BatchVotesWatch(votes, dict.fromkeys(self.unseen, True), ever_changed=True)

    def _with_flag(self, subscriber: str, unseen: bool) -> BatchVotesWatch:
        return replace(self, unseen={**self.unseen, subscriber: unseen})

    def _must_know(self, subscriber: str) -> None:
        if subscriber not in self.unseen:
            raise KeyError(f"{subscriber!r} has not subscribed")
