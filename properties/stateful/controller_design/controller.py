"""The attestation controller in full fidelity, and its subscribers, against the naive controller."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule

from model.committee import U64_MAX, Committee
from model.controller_design.controller import Controller, Info, StartRefused, State, Wait
from model.messages import Batch
from properties.stateful.controller_design.oracle import NaiveController, NaiveStart
from properties.stateful.machine import CountedMachine, counted
from properties.stateful.votes import STRANGER, NaiveVote, committees, numbers, signed

HASHES = ("h0", "h1")
SUBSCRIBERS = ("a peer", "another peer")


def geneses() -> st.SearchStrategy[str]:
    """The chain's genesis, now and then another."""
    return st.sampled_from(["g0"] * 9 + ["g1"])


def batches() -> st.SearchStrategy[tuple[int, str, str]]:
    """Number, hash and genesis."""
    return st.tuples(numbers(), st.sampled_from(HASHES), geneses())


def votes(keys: list[str], batch: tuple[int, str, str]) -> st.SearchStrategy[NaiveVote]:
    """Votes of these keys, mostly on this batch, and mostly with a valid signature."""
    on = st.sampled_from([batch] * 4) | batches()
    valid = st.sampled_from([True] * 4 + [False])
    return st.builds(NaiveVote.on, st.sampled_from(keys), on, valid)


class ControllerMachine(CountedMachine):
    """`Controller` is started, gets lists of votes and is looked at; the naive controller likewise. After every step
    they agree on what is attested, votes, weight and certificate, and on what each subscriber is told.

    There are three committees: one, the same with its members in another order, and another.
    """

    @initialize(
        weights=committees(), others=committees(), own_key=st.sampled_from([None, "a", "b", STRANGER]), pick=st.data()
    )
    def start(self, weights: dict[str, int], others: dict[str, int], own_key: str | None, pick: st.DataObject) -> None:
        reordered = dict(pick.draw(st.permutations(list(weights.items()))))
        self.weights = [weights, reordered, others]
        self.committees = [Committee(members.items()) for members in self.weights]
        self.naive = NaiveController(own_key)
        self.controller = Controller(own_key)
        for subscriber in SUBSCRIBERS:
            self._subscribe(subscriber)

    @property
    def current(self) -> NaiveStart:
        """What is attested, or would be if it were the first."""
        return self.naive.attested() or NaiveStart(0, "h0", "g0", self.weights[0])

    @rule(batch=batches(), committee=st.integers(0, 2))
    @counted
    def start_attestation(self, batch: tuple[int, str, str], committee: int) -> None:
        """Any batch, by any committee."""
        self._start(batch, committee)

    @rule(hash=st.sampled_from(HASHES), committee=st.integers(0, 2))
    @counted
    def start_next(self, hash: str, committee: int) -> None:
        """The batch after the one that is attested, if it can have a number: this is where progress comes from."""
        self._start((min(self.current.number + 1, U64_MAX), hash, self.current.genesis), committee)

    @rule(hash=st.sampled_from(HASHES), committee=st.integers(0, 2))
    @counted
    def start_again(self, hash: str, committee: int) -> None:
        """The number that is attested, perhaps with another hash or committee."""
        self._start((self.current.number, hash, self.current.genesis), committee)

    def _start(self, batch: tuple[int, str, str], committee: int) -> None:
        start, before = NaiveStart(*batch, self.weights[committee]), self.controller
        current = self.naive.attested()
        expected = self.naive.refusal(start, current)
        self.count(f"start refused: {expected}", expected is not None)
        self.count("start that changes nothing", start == current)
        self.naive.history.append(start)
        reason = None
        try:
            self.controller = before.start_attestation(Info(Batch(*batch), self.committees[committee]))
        except StartRefused as refused:
            reason = refused.reason
        assert reason == expected
        assert (self.controller is before) == (expected is not None or start == current)
        self.count("own vote", self.controller is not before and bool(self.naive.votes()))

    @rule(data=st.data())
    @counted
    def insert_votes(self, data: st.DataObject) -> None:
        """A list of any votes."""
        keys = [*self.current.weights, STRANGER]
        self._insert(data.draw(st.lists(votes(keys, self.current.batch), max_size=5)))

    @rule(but=st.integers(0, 12), bad_vote=st.none() | st.integers(0, 11))
    @counted
    def agree(self, but: int, bad_vote: int | None) -> None:
        """All attesters but one vote for what is attested; perhaps with a bad signature among theirs, and after it some
        are lost. This is where certificates come from."""
        keys = [key for place, key in enumerate(self.current.weights) if place != but]
        self._insert([NaiveVote.on(key, self.current.batch, place != bad_vote) for place, key in enumerate(keys)])

    @rule(key=st.integers(0, 11), subscriber=st.sampled_from(SUBSCRIBERS))
    @counted
    def follow(self, key: int, subscriber: str) -> None:
        """A subscriber looks, one attester votes, and the subscriber looks again."""
        keys = list(self.current.weights)
        self._look(subscriber)
        self._insert([NaiveVote.on(keys[key % len(keys)], self.current.batch)])
        self._look(subscriber)

    def _insert(self, message: list[NaiveVote]) -> None:
        before, current, held = self.controller, self.naive.attested(), self.naive.votes()
        added, expected = self.naive.added(message, current, held)
        self.naive.history.append(message)
        inserted = before.insert_votes(map(signed, message))
        self.controller = inserted.controller
        assert (inserted.error.reason if inserted.error else None) == expected
        assert (self.controller is before) == (not added)
        self.count(expected or "list without error")
        self.count("votes kept before an error", bool(added and expected))
        self.count("votes before the first start", bool(message) and current is None)
        if expected is None and current is not None:
            self.count("vote on another number", any(vote.number != current.number for vote in message))
            self.count("known vote", any(vote.key in held and vote.number == current.number for vote in message))

    @rule(subscriber=st.sampled_from(SUBSCRIBERS))
    @counted
    def subscribe(self, subscriber: str) -> None:
        """A subscriber starts again."""
        self._subscribe(subscriber)

    def _subscribe(self, subscriber: str) -> None:
        self.controller = self.controller.subscribe(subscriber)
        self.naive.subscribe(subscriber)

    @rule(subscriber=st.sampled_from(SUBSCRIBERS))
    @counted
    def wait_for_diff(self, subscriber: str) -> None:
        """A subscriber looks."""
        self._look(subscriber)

    def _look(self, subscriber: str) -> None:
        moment = self.naive.looks[subscriber]
        passed = {
            start.number for start in map(self.naive.attested, range(moment or 0, len(self.naive.history))) if start
        }
        expected = self.naive.look(subscriber)
        self.controller, diff = self.controller.wait_for_diff(subscriber)
        assert (diff is None) == (expected is None)
        if diff is not None and expected is not None:
            start, news = expected
            assert {vote.key: vote for vote in diff.votes} == {key: signed(vote) for key, vote in news.items()}
            assert len(diff.votes) == len(news)
            assert (None if diff.info is None else self._told(diff.info)) == (None if start is None else start)
            self.count("diff with votes only", start is None)
            self.count("diff that leaves out numbers", len(passed) > 2)
        self.count("nothing new", diff is None)

    @rule(batch=batches(), data=st.data())
    @counted
    def votes(self, batch: tuple[int, str, str], data: st.DataObject) -> None:
        """Somebody asks for the votes on a batch."""
        want = data.draw(st.sampled_from([self.current.batch, batch]))
        expected = self.naive.asked_for(want)
        answered = self.controller.votes(Batch(*want))
        assert {vote.key: vote for vote in answered} == {key: signed(vote) for key, vote in expected.items()}
        self.count("votes that are not asked for", not expected and bool(self.naive.votes()))

    @rule(number=numbers())
    @counted
    def wait_for_cert(self, number: int) -> None:
        """Somebody waits for a certificate."""
        current, waited = self.naive.attested(), self.controller.wait_for_cert(number)
        if current is None or current.number < number:
            assert waited is Wait.PENDING
            self.count("wait for a later number")
        elif current.number > number:
            assert waited is Wait.SKIPPED
            self.count("wait for a number that was skipped")
        else:
            assert waited == (self.controller.cert() or Wait.PENDING)

    @invariant()
    def agrees(self) -> None:
        """Everything that can be asked for has the same answer."""
        if not hasattr(self, "naive"):
            return
        current, state = self.naive.attested(), self.controller.state
        assert (state is None) == (current is None)
        if state is not None and current is not None:
            self._state_agrees(state, current)
        certificate, expected = self.controller.cert(), self.naive.certificate
        assert (certificate is None) == (expected is None)
        if certificate is not None and expected is not None and current is not None:
            batch, signers = expected
            assert certificate.message == Batch(*batch)
            assert certificate.signatures == dict.fromkeys(signers, Batch(*batch))
            assert certificate.verifies(Committee(current.weights.items()), current.genesis)
            assert self.controller.wait_for_cert(current.number) == certificate
            self.count("certificate")

    def _state_agrees(self, state: State, current: NaiveStart) -> None:
        assert self._told(state.info) == current
        assert state.votes == {key: signed(vote) for key, vote in self.naive.votes().items()}
        assert state.total_weight == self.naive.weight

    def _told(self, info: Info) -> NaiveStart:
        batch = info.batch_to_attest
        return NaiveStart(batch.number, batch.hash, batch.genesis, info.committee.weights)
