"""The guarded commands' controller, and what a link has told of it, agree with the controller in full fidelity and its
subscribers: in every state of a small scope, and beyond it."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.algebra import FALSE, TRUE, Bool, any_of, const
from model.committee import Committee
from model.committees import Committees
from model.controller_design.attestation import Attestation
from model.controller_design.controller import Controller, Info, StartRefused, Wait
from model.controller_design.gossip import Link
from model.controller_design.node import OTHER_HASH, OWN_HASH
from model.messages import Batch, SignedBatch
from model.votes import NONE, Electorate, Vote
from properties.stateful.constants import flag, number
from properties.stateful.votes import committees

NAMES = "abcdefghijkl"
PEER = "peer"
Subject = tuple[int, int, int]
"""Number, variant and genesis of a batch."""


@dataclass(frozen=True)
class Start:
    """Attest this, by the committee in this place."""

    subject: Subject
    committee: int


@dataclass(frozen=True)
class Votes:
    """A list of votes on one batch, by position of the attesters, in this order."""

    subject: Subject
    keys: tuple[int, ...]


@dataclass(frozen=True)
class Look:
    """The peer looks."""


Operation = Start | Votes | Look


def vote_of(subject: Subject) -> Vote:
    return Vote(*map(const, subject))


def batch_of(subject: Subject) -> Batch:
    at, variant, genesis = subject
    return Batch(at, f"h{at}" if variant == OWN_HASH else f"x{at}", f"g{genesis}")


def subject_of(vote: Vote) -> Subject:
    return number(vote.number), number(vote.variant), number(vote.genesis)


def electorate_of(committee: Committee, attesters: int) -> Electorate:
    weights = (const(committee.weight(key) or 0) for key in NAMES[:attesters])
    return Electorate(tuple(weights), const(committee.threshold))


def held(flags: Sequence[Bool]) -> set[str]:
    return {NAMES[key] for key, here in enumerate(flags) if flag(here)}


@dataclass(frozen=True)
class World:
    """What does not change: the committees, in full fidelity and as the guarded commands have them, and the own key."""

    committees: tuple[Committee, ...]
    attesters: int
    own_key: int | None = 0

    @property
    def guarded(self) -> Committees:
        return Committees(tuple(electorate_of(committee, self.attesters) for committee in self.committees))

    def fresh(self) -> Pair:
        key = None if self.own_key is None else NAMES[self.own_key]
        guarded = Attestation.none(self.attesters, self.guarded)
        return Pair(guarded, Link.connected(self.attesters), Controller(key).subscribe(PEER))


@dataclass(frozen=True)
class Pair:
    """Both controllers, and a peer at each, after the same operations."""

    guarded: Attestation
    link: Link
    full: Controller

    @property
    def key(self) -> tuple[object, ...]:
        """What tells the state of the guarded commands."""
        here, told = self.guarded, self.link
        numbers = (number(here.committee), *subject_of(here.batch), *subject_of(told.batch))
        return (*numbers, frozenset(held(here.votes)), frozenset(held(told.told)))

    def after(self, operation: Operation, world: World) -> Pair:
        """Both after one more operation, of which they say the same."""
        if isinstance(operation, Start):
            return self._started(operation, world)
        if isinstance(operation, Votes):
            return self._inserted(operation)
        return self._looked()

    def _started(self, start: Start, world: World) -> Pair:
        batch, place = vote_of(start.subject), const(start.committee)
        begins, is_refused = (flag(self.guarded.begins(batch, place)), flag(self.guarded.refuses(batch, place)))
        assert not (begins and is_refused)
        try:
            full = self.full.start_attestation(Info(batch_of(start.subject), world.committees[start.committee]))
        except StartRefused:
            assert is_refused
            return self
        assert not is_refused
        assert (full is not self.full) == begins
        return replace(self, full=full, guarded=self.guarded.started(batch, place, world.own_key)) if begins else self

    def _inserted(self, votes: Votes) -> Pair:
        batch = vote_of(votes.subject)
        errors = [key for key in votes.keys if flag(self.guarded.ends_list(key, batch))]
        before = votes.keys[: votes.keys.index(errors[0])] if errors else votes.keys
        inserted = self.full.insert_votes(SignedBatch(NAMES[key], batch_of(votes.subject)) for key in votes.keys)
        assert (inserted.error is not None) == bool(errors)
        if inserted.error is not None:
            assert inserted.error.vote.key == NAMES[errors[0]]
        carried = tuple(TRUE if key in votes.keys else FALSE for key in range(len(self.guarded.votes)))
        assert flag(self.guarded.has_error(batch, carried)) == bool(errors)
        looked_at = tuple(TRUE if key in before else FALSE for key in range(len(self.guarded.votes)))
        for key in before:
            is_news = self.full.state is not None and NAMES[key] not in self.full.state.votes
            on_number = self.full.state is not None and self.full.state.info.batch_to_attest == batch_of(votes.subject)
            assert flag(self.guarded.takes(key, batch)) == (is_news and on_number)
        return replace(self, full=inserted.controller, guarded=self.guarded.inserted(batch, looked_at))

    def _looked(self) -> Pair:
        everybody = (True,) * len(self.guarded.votes)
        full, diff = self.full.wait_for_diff(PEER)
        assert flag(self.link.has_news(self.guarded, everybody)) == (diff is not None)
        if diff is None:
            return replace(self, full=full)
        called = self.link.called(self.guarded, everybody)
        assert flag(called.asks) == (diff.info is not None)
        assert held(called.carried) == {vote.key for vote in diff.votes}
        return Pair(self.guarded, replace(called.finished(), told=called.told), full)

    def check(self, subjects: Iterable[Subject], world: World) -> bool:
        """Everything that can be asked of one controller; whether there is a certificate."""
        state = self.full.state
        assert flag(self.guarded.is_on) == (state is not None)
        if state is not None:
            assert state.info.batch_to_attest == batch_of(subject_of(self.guarded.batch))
            assert state.info.committee == world.committees[number(self.guarded.committee)]
            assert set(state.votes) == held(self.guarded.votes)
        certificate = self.full.cert()
        assert flag(self.guarded.has_quorum) == (certificate is not None)
        if state is not None and certificate is not None:
            verifies = certificate.verifies(state.info.committee, state.info.batch_to_attest.genesis)
            assert flag(self.guarded.certificate_verifies) == verifies
        for subject in subjects:
            answer = held(self.guarded.answer(vote_of(subject)))
            assert answer == {vote.key for vote in self.full.votes(batch_of(subject))}
            waited, wanted = self.full.wait_for_cert(subject[0]), const(subject[0])
            assert flag(self.guarded.waits_for(wanted)) == (waited is Wait.PENDING)
            assert flag(self.guarded.skips(wanted)) == (waited is Wait.SKIPPED)
        return certificate is not None


def reachable(world: World, operations: Sequence[Operation]) -> Iterator[Pair]:
    """Every state that these operations lead to, each once."""
    first = world.fresh()
    seen, frontier = {first.key}, [first]
    while frontier:
        pair = frontier.pop()
        yield pair
        for operation in operations:
            after = pair.after(operation, world)
            if after.key not in seen:
                seen.add(after.key)
                frontier.append(after)


def test_they_agree_on_every_state_of_a_small_scope() -> None:
    """Two attesters, two batches, each with two hashes and on two forks; a committee of both, one of one of them."""
    world = World((Committee([("a", 3), ("b", 2)]), Committee([("b", 3)])), 2)
    subjects = list(itertools.product(range(2), (OWN_HASH, OTHER_HASH), range(2)))
    lists = [keys for count in range(3) for keys in itertools.permutations(range(2), count)]
    starts = [Start(subject, place) for subject in subjects for place in range(2)]
    pairs = list(reachable(world, [*starts, *(Votes(subject, keys) for subject in subjects for keys in lists)]))
    certificates = sum(pair.check(subjects, world) for pair in pairs)
    # Nothing; or a batch, with the own vote and perhaps the other's; or that by the second committee, with b's or none.
    assert len(pairs) == 1 + 8 * (2 + 2)
    assert certificates == 8 * (1 + 1)


def test_they_tell_a_peer_the_same_in_every_state_of_a_small_scope() -> None:
    """Two attesters, three batches; the peer looks at any time, or never."""
    world = World((Committee([("a", 5), ("b", 1)]),), 2, own_key=None)
    subjects = [(batch, OWN_HASH, 0) for batch in range(3)]
    operations = [*(Start(subject, 0) for subject in subjects), *(Votes(s, (key,)) for s in subjects for key in (0, 1))]
    pairs = list(reachable(world, [*operations, Look()]))
    # What is held at a number, times what was told at it; and everything told at a lower number, or nothing.
    assert len(pairs) == 1 + sum(9 + 4 * (4 * lower + 1) for lower in range(3))


@st.composite
def runs(draw: st.DrawFn) -> tuple[World, list[Operation]]:
    """Random committees of up to twelve, and operations on few batches, so that much happens."""
    first = draw(committees())
    second = {key: weight for key, weight in draw(committees()).items() if key in first}
    world = World(
        (Committee(first.items()), *([Committee(second.items())] if second and second != first else [])),
        len(first),
        draw(st.none() | st.integers(0, len(first) - 1)),
    )
    subject = st.tuples(st.integers(0, 3), st.sampled_from([OWN_HASH, OWN_HASH, OTHER_HASH]), st.integers(0, 0))
    keys = st.lists(st.integers(0, len(first) - 1), unique=True).map(tuple)
    everybody = st.just(tuple(range(len(first))))
    start = st.builds(Start, subject, st.integers(0, len(world.committees) - 1))
    operation = start | st.builds(Votes, subject, keys | everybody) | st.just(Look())
    return world, draw(st.lists(operation, max_size=20))


@given(runs())
def test_they_agree_beyond_it(run: tuple[World, list[Operation]]) -> None:
    world, operations = run
    pair = world.fresh()
    for operation in operations:
        pair = pair.after(operation, world)
        pair.check([(at, OWN_HASH, 0) for at in range(4)], world)
    assert number(pair.link.batch.number) >= NONE


@pytest.mark.slow
@pytest.mark.parametrize(
    ("owner", "name", "wrong"),
    [
        (Attestation, "refuses", lambda self, batch, committee: FALSE),
        (Attestation, "ends_list", lambda self, key, batch: FALSE),
        (Attestation, "takes", lambda self, key, batch: self.batch.number == batch.number),
        (Attestation, "answer", lambda self, wanted, has_query=TRUE: self.votes),
        (Attestation, "has_quorum", property(lambda self: any_of(self.votes))),
        (Attestation, "skips", lambda self, number: FALSE),
        (Link, "is_behind", lambda self, caller: FALSE),
        (Link, "news", lambda self, caller, passing: caller.votes),
    ],
)
def test_a_difference_is_noticed(monkeypatch: pytest.MonkeyPatch, owner: type, name: str, wrong: object) -> None:
    monkeypatch.setattr(owner, name, wrong)
    with pytest.raises(AssertionError):
        both_small_scopes()


def both_small_scopes() -> None:
    test_they_agree_on_every_state_of_a_small_scope()
    test_they_tell_a_peer_the_same_in_every_state_of_a_small_scope()
