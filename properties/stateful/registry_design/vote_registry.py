"""The vote registry in full fidelity, and its watch, against the naive registry."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule

from model.committee import Committee
from model.registry_design.batch_votes import BatchVotes, BatchVotesWatch, VoteError
from properties.stateful.machine import CountedMachine, counted
from properties.stateful.registry_design.oracle import NaiveMessage, NaiveRegistry
from properties.stateful.votes import STRANGER, NaiveVote, committees, numbers, signed

SUBSCRIBERS = ("finder", "pusher")
LATE = "late"


def votes(keys: Sequence[str]) -> st.SearchStrategy[NaiveVote]:
    """Votes of these keys, now and then on another chain or with a bad signature."""
    mostly_true = st.sampled_from([True] * 9 + [False])
    return st.builds(
        lambda key, number, hash, is_ours, valid: NaiveVote(key, number, hash, "g0" if is_ours else "g1", valid),
        st.sampled_from(keys),
        numbers(),
        st.sampled_from(["h0", "h1"]),
        mostly_true,
        mostly_true,
    )


class VoteRegistryMachine(CountedMachine):
    """`BatchVotesWatch` takes messages and minima; the naive registry takes the same. After every step they agree on
    votes, support, quorum, certificate and what each subscriber has yet to see."""

    @initialize(weights=committees())
    def start(self, weights: dict[str, int]) -> None:
        self.committee = Committee(weights.items())
        self.naive = NaiveRegistry(weights)
        self.watch = BatchVotesWatch()
        self.unseen = dict.fromkeys(SUBSCRIBERS, False)
        self.has_changed = False
        for subscriber in SUBSCRIBERS:
            self.watch = self.watch.subscribe(subscriber)

    @rule(data=st.data(), skip=st.booleans())
    @counted
    def update(self, data: st.DataObject, skip: bool) -> None:
        """A message of any votes; bad signatures are an error, or skipped."""
        keys = [*self.committee.weights, STRANGER]
        self._take(data.draw(st.lists(votes(keys), max_size=5)), skip)

    @rule(number=st.integers(0, 4), hash=st.sampled_from(["h0", "h1"]), but=st.integers(0, 12))
    @counted
    def agree(self, number: int, hash: str, but: int) -> None:
        """All attesters but one vote for the same: this is where quorums come from."""
        keys = [key for place, key in enumerate(self.committee.weights) if place != but]
        self._take([NaiveVote(key, number, hash) for key in keys])

    def _take(self, message: list[NaiveVote], skip: bool = False) -> None:
        before, votes_before = self.watch, self.naive.votes
        added, expected = self.naive.added(NaiveMessage(message, skip))
        self._outcome_agrees(message, skip, added, expected)
        self.naive.update(message, skip)
        self._count(message, votes_before, expected)
        reason = None
        try:
            self.watch = self.watch.update(self.committee, "g0", map(signed, message), skip_bad_signatures=skip)
        except VoteError as error:
            reason = error.reason
        assert reason == expected
        if expected is not None:
            assert self.watch is before
        elif self.naive.votes != votes_before:
            self.unseen = dict.fromkeys(self.unseen, True)
            self.has_changed = True

    def _outcome_agrees(
        self, message: list[NaiveVote], skip: bool, added: dict[str, NaiveVote], error: str | None
    ) -> None:
        """The registry below its watch: it keeps what came before an error, and counts what it has added."""
        outcome = self.watch.votes.update(self.committee, "g0", map(signed, message), skip_bad_signatures=skip)
        assert (outcome.error.reason if outcome.error else None) == error
        kept = {**self.naive.votes, **added}
        assert outcome.registry.votes == {key: signed(vote) for key, vote in kept.items()}
        assert outcome.num_added == len(added)
        assert outcome.weight_added == sum(self.committee.weights[key] for key in added)
        assert outcome.last_added == (list(added.values())[-1].number if added else None)

    def _count(self, message: list[NaiveVote], before: dict[str, NaiveVote], error: str | None) -> None:
        self.count(error or "message without error")
        if error is None:
            self.count("vote below minimum", any(vote.number < self.naive.min_batch_number for vote in message))
            self.count("vote of a stranger", any(vote.key == STRANGER for vote in message))
            self.count("vote replaced", any(before[key] != self.naive.votes[key] for key in before))

    @rule(number=numbers())
    @counted
    def set_min_batch_number(self, number: int) -> None:
        """The minimum goes up or down."""
        self.count("minimum lowered", number < self.naive.min_batch_number)
        self.watch = self.watch.set_min_batch_number(number)
        self.naive.set_min_batch_number(number)
        self.unseen = dict.fromkeys(self.unseen, True)
        self.has_changed = True

    @rule()
    @counted
    def subscribe(self) -> None:
        """A subscriber comes late: it has something to see if there ever was a change."""
        self.watch = self.watch.subscribe(LATE)
        self.unseen[LATE] = self.has_changed

    @rule(subscriber=st.sampled_from(SUBSCRIBERS))
    @counted
    def look(self, subscriber: str) -> None:
        """A subscriber looks."""
        self.watch = self.watch.look(subscriber)
        self.unseen[subscriber] = False

    @rule(other=st.integers(0, 50))
    @counted
    def get_newer(self, other: int) -> None:
        """What is newer than an earlier state of this registry is what makes that one catch up."""
        earlier = NaiveRegistry(self.naive.weights, history=self.naive.history[: other % (len(self.naive.history) + 1)])
        old = BatchVotes({key: signed(vote) for key, vote in earlier.votes.items()})
        newer = {vote.key: vote for vote in self.watch.votes.get_newer(old)}
        mine, theirs = self.naive.votes, earlier.votes
        expected = {key for key in mine if key not in theirs or mine[key].rank > theirs[key].rank}
        assert newer == {key: signed(mine[key]) for key in expected}

    @invariant()
    def agrees(self) -> None:
        """Everything that can be asked for has the same answer."""
        if not hasattr(self, "naive"):
            return
        registry, naive = self.watch.votes, self.naive
        assert registry.votes == {key: signed(vote) for key, vote in naive.votes.items()}
        assert registry.min_batch_number == naive.min_batch_number
        support = {(number, hash): w for number, hashes in registry.support.items() for hash, w in hashes.items()}
        assert support == naive.support
        assert dict(self.watch.unseen) == self.unseen
        self._certificate_agrees()

    def _certificate_agrees(self) -> None:
        found, expected = self.watch.votes.find_quorum(self.committee, "g0"), self.naive.certificate
        assert (found is None) == (expected is None)
        assert len(self.naive.quorums) <= 1
        if found is not None and expected is not None:
            assert (found.message.number, found.message.hash) == expected[0]
            assert {key: message.number for key, message in found.signatures.items()} == expected[1]
            assert found.verifies(self.committee) == self.naive.certificate_verifies
            self.count("quorum found")
            self.count("contaminated certificate", not self.naive.certificate_verifies)
