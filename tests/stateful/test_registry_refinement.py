"""The guarded commands' registry and the one in full fidelity agree: in every state of a small scope, and beyond it."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from model.algebra import const
from model.committee import Committee
from model.registry_design.batch_votes import BatchVotes
from model.registry_design.registry import Registry
from model.votes import Electorate, Vote
from properties.stateful.constants import flag, number, votes_in, votes_of
from properties.stateful.registry_design.lockstep import genesis_name, signed, subject_of
from properties.stateful.votes import committees

NAMES = "abcdefghijkl"
GENESIS = genesis_name(0)
Operation = int | tuple[int, int, int]
"""A minimum; or the vote of an attester (by position) on a number and a hash."""


@dataclass(frozen=True)
class Pair:
    """Both registries, after the same operations."""

    guarded: Registry
    full: BatchVotes

    def after(self, operation: Operation, committee: Committee) -> Pair:
        """Both after one more operation."""
        if isinstance(operation, int):
            guarded = self.guarded.set_min_batch_number(const(operation))
            return Pair(guarded, self.full.set_min_batch_number(operation))
        key, batch, hash = operation
        variant = 0 if hash == batch else hash + 1
        vote = signed(NAMES[key], (batch, hash, 0))
        outcome = self.full.update(committee, GENESIS, [vote])
        assert outcome.error is None
        return Pair(self.guarded.add(key, Vote(const(batch), const(variant))), outcome.registry)

    @property
    def votes(self) -> dict[int, tuple[int, int]]:
        """What the guarded commands have, by position of the attester."""
        return votes_of(self.guarded)

    def check(self, committee: Committee, electorate: Electorate) -> bool:
        """Everything that can be asked of one registry; whether there is a quorum."""
        assert subjects(self.full.votes.values()) == self.votes
        assert self.full.min_batch_number == number(self.guarded.min_batch_number)
        quorum, certificate = self.guarded.find_quorum(electorate), self.full.find_quorum(committee, GENESIS)
        assert flag(quorum.found) == (certificate is not None)
        if certificate is not None:
            subject = (number(quorum.vote.number), number(quorum.vote.hash), 0)
            assert subject == subject_of(certificate.message)
            verifies = flag(self.guarded.certificate_verifies(quorum.vote, electorate))
            assert verifies == certificate.verifies(committee)
        return certificate is not None

    def check_newer(self, other: Pair) -> None:
        """What a push after `other` would send."""
        newer = self.guarded.newer_than(other.guarded.votes)
        assert subjects(self.full.get_newer(other.full)) == votes_in(newer)


def subjects(votes: object) -> dict[int, tuple[int, int]]:
    """The number and hash of each vote in full fidelity, by position of the attester."""
    return {NAMES.index(vote.key): subject_of(vote.batch)[:2] for vote in votes}


def electorate_of(committee: Committee) -> Electorate:
    return Electorate(tuple(const(weight) for weight in committee.weights.values()), const(committee.threshold))


def test_they_agree_on_every_state_of_a_small_scope() -> None:
    """Two attesters, three batches, each batch's own hash, those of the other batches and one of none."""
    committee = Committee([("a", 5), ("b", 1)])
    electorate = electorate_of(committee)
    operations: list[Operation] = [
        *range(4),
        *((k, batch, hash) for k in range(2) for batch in range(3) for hash in range(4)),
    ]
    first = Pair(Registry.empty(2), BatchVotes())
    seen, frontier, quorums = {key_of(first): first}, [first], 0
    while frontier:
        pair = frontier.pop()
        quorums += pair.check(committee, electorate)
        for operation in operations:
            after = pair.after(operation, committee)
            if key_of(after) not in seen:
                seen[key_of(after)] = after
                frontier.append(after)
    # No vote or one on a subject at or above the minimum, for each attester, and each minimum.
    assert len(seen) == sum((1 + 4 * (3 - minimum)) ** 2 for minimum in range(4))
    assert quorums == sum(4 * (3 - minimum) * (1 + 4 * (3 - minimum)) for minimum in range(4))
    sample = list(seen.values())
    for pair in sample[::3]:
        for other in sample[::7]:
            pair.check_newer(other)


def key_of(pair: Pair) -> tuple[object, ...]:
    return number(pair.guarded.min_batch_number), *sorted(pair.votes.items())


@st.composite
def runs(draw: st.DrawFn) -> tuple[Committee, list[Operation]]:
    """A random committee of up to twelve, and operations: votes on few subjects, so that there are quorums."""
    weights = draw(committees())
    vote = st.tuples(st.integers(0, len(weights) - 1), st.integers(0, 3), st.integers(0, 4))
    everybody = st.integers(0, 3).map(lambda batch: [(key, batch, batch) for key in range(len(weights))])
    steps = draw(st.lists(vote.map(lambda one: [one]) | everybody | st.integers(0, 4).map(lambda n: [n]), max_size=12))
    return Committee(weights.items()), [operation for step in steps for operation in step]


@given(runs())
def test_they_agree_beyond_it(run: tuple[Committee, list[Operation]]) -> None:
    committee, operations = run
    electorate = electorate_of(committee)
    pairs = [Pair(Registry.empty(len(committee.weights)), BatchVotes())]
    for operation in operations:
        pairs.append(pairs[-1].after(operation, committee))
        pairs[-1].check(committee, electorate)
    for pair in pairs:
        pairs[-1].check_newer(pair)
