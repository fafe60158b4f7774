"""The QC finder with its two watches and its store, against the loop as one writes it down."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

import model.registry_design.node
from model.algebra import const
from model.registry_design.node import Node
from model.registry_design.qc_finder import PERSISTING, SETTING_MINIMUM, WAITING_FOR_QUORUM, WAITING_FOR_STATUS
from model.scope import Scope, instance
from model.transitions import Step
from model.votes import NONE, Vote
from properties.stateful.constants import flag, initial, is_possible, number, taken, votes_of
from properties.stateful.machine import LIFETIME, CountedMachine, counted
from properties.stateful.registry_design.oracle import NaiveRegistry
from properties.stateful.votes import NaiveVote

BATCHES, PLACES = 4, 4
WEIGHTS = (5, 3, 2, 1)
NAMES = "abcd"
ROUND = 4
"""How many steps the loop of the finder has."""


@dataclass(frozen=True)
class Await:
    """Where the loop waits, and whether it can go on."""

    phase: int
    is_ready: Callable[[], bool]


class NaiveFinder:
    """The finder as a loop: it runs to its next `yield`, and is resumed when the model's finder takes a step."""

    def __init__(self) -> None:
        self.restart()
        self.batches = 0

    def restart(self) -> None:
        """Forget everything but the stored batches."""
        self.status: int | None = None
        self.is_unseen = True
        self.registry = NaiveRegistry(dict(zip(NAMES, WEIGHTS, strict=True)))
        self.queue: list[tuple[int, str]] = []
        self.loop = self._loop()
        self.waits = next(self.loop)

    def go_on(self) -> None:
        """Run to the next place where the loop waits."""
        self.waits = next(self.loop)

    def _loop(self) -> Iterator[Await]:
        while True:
            yield Await(WAITING_FOR_STATUS, lambda: self.is_unseen and self.status is not None)
            asked, self.is_unseen = self.status, False
            assert asked is not None
            yield Await(SETTING_MINIMUM, lambda: True)
            self.registry.set_min_batch_number(asked)
            yield Await(WAITING_FOR_QUORUM, lambda: bool(self.registry.quorums))
            certificate = self.registry.quorums[0]
            yield Await(PERSISTING, lambda: self.batches > certificate[0] and len(self.queue) < PLACES)  # noqa: B023 (is_ready is not called after the loop went on)
            self.queue.append(certificate)


class QcFinderMachine(CountedMachine):
    """The finder's four steps on one node, between votes, statuses, batches and restarts in any order."""

    def __init__(self) -> None:
        super().__init__()
        instance_name = f"w{','.join(map(str, WEIGHTS))}b{len(WEIGHTS)}"
        scope = Scope(instance(instance_name), batches=BATCHES, late_batches=True, finder_steps=True, queue=PLACES)
        system = self.system(scope)
        self.node, self.electorate = initial(system, system.main), system.electorate
        self.naive = NaiveFinder()

    @initialize(batches=st.integers(0, BATCHES))
    def start(self, batches: int) -> None:
        """Some batches are there from the start."""
        for _ in range(batches):
            self._persist()

    @rule(batch=st.integers(0, BATCHES - 1))
    @counted
    def status(self, batch: int) -> None:
        """A number arrives in the status watch."""
        self._status(batch)

    def _status(self, batch: int) -> None:
        self.count("status while waiting for a quorum", self.naive.waits.phase == WAITING_FOR_QUORUM)
        self.node = replace(self.node, status=self.node.status.update(const(batch)))
        if self.naive.status != batch:
            self.naive.status, self.naive.is_unseen = batch, True

    @rule(key=st.integers(0, 3), batch=st.integers(0, BATCHES - 1), hash=st.integers(0, BATCHES))
    @counted
    def vote(self, key: int, batch: int, hash: int) -> None:
        """One attester's vote arrives, on any hash."""
        self._vote([key], batch, hash)

    @rule(batch=st.integers(1, BATCHES - 1))
    @counted
    def equivocate(self, batch: int) -> None:
        """The lightest attester votes for the hash of the batch before."""
        self._vote([len(WEIGHTS) - 1], batch, batch - 1)

    @rule(batch=st.integers(0, BATCHES - 1))
    @counted
    def votes(self, batch: int) -> None:
        """All attesters vote for the batch's own hash."""
        self._vote(range(len(WEIGHTS)), batch, batch)

    def _vote(self, keys: range | list[int], batch: int, hash: int) -> None:
        variant = 0 if hash == batch else hash + 1
        for key in keys:
            registry = self.node.registry.add(key, Vote(const(batch), const(variant)))
            self.node = replace(self.node, registry=registry)
            self.naive.registry.update([NaiveVote(NAMES[key], batch, str(hash))])

    @precondition(lambda self: self.naive.batches < BATCHES)
    @rule()
    @counted
    def persist_batch(self) -> None:
        """The store gets its next batch."""
        self._persist()

    def _persist(self) -> None:
        self.naive.batches += 1
        self.node = replace(self.node, store=replace(self.node.store, persisted=const(self.naive.batches)))

    @precondition(lambda self: self.naive.waits.is_ready())
    @rule(steps=st.integers(1, 4))
    @counted
    def go_on(self, steps: int) -> None:
        """The finder takes its next steps, as far as it can."""
        self._go_on(steps)

    @rule(batch=st.integers(0, BATCHES - 1))
    @counted
    def round(self, batch: int) -> None:
        """A whole round of the loop, or as much of it as is possible: a number, a quorum, and the finder goes on."""
        self._status(batch)
        self._vote(range(len(WEIGHTS)), batch, batch)
        self._go_on(ROUND)

    def _go_on(self, steps: int) -> None:
        for _ in range(steps):
            if self.naive.waits.is_ready():
                self._step()

    def _step(self) -> None:
        minimum = self.naive.registry.min_batch_number
        self.naive.go_on()
        (name, step), *others = [(name, step) for name, step in self._steps().items() if is_possible(step)]
        assert not others
        self.count(name)
        self.node = taken(step)
        self.count("minimum lowered", self.naive.registry.min_batch_number < minimum)

    def _steps(self) -> dict[str, Step[Node]]:
        return {
            "read_status": model.registry_design.node.read_status(self.node),
            "set_min_batch_number": model.registry_design.node.set_min_batch_number(self.node),
            "find_quorum": model.registry_design.node.find_quorum(self.node, self.electorate),
            "store_qc": model.registry_design.node.store_qc(self.node),
        }

    @precondition(lambda self: self.age >= LIFETIME)
    @rule()
    @counted
    def restart(self) -> None:
        """The node starts again."""
        self.age = 0
        self.count("restart with a queued certificate", bool(self.naive.queue))
        self.node = taken(model.registry_design.node.restart(self.node))
        self.naive.restart()

    @invariant()
    def agrees(self) -> None:
        """The model's finder waits where the loop waits, and can go on if and only if the loop can."""
        node, naive = self.node, self.naive
        assert number(node.finder.phase) == naive.waits.phase
        assert any(is_possible(step) for step in self._steps().values()) == naive.waits.is_ready()
        votes = {NAMES.index(key): (vote.number, int(vote.hash)) for key, vote in naive.registry.votes.items()}
        assert votes_of(node.registry) == votes
        assert number(node.registry.min_batch_number) == naive.registry.min_batch_number
        queue = [(number(place.number), number(place.hash)) for place in node.store.queue.places]
        assert [place for place in queue if place[0] != NONE] == [(batch, int(hash)) for batch, hash in naive.queue]
        self._certificate_agrees()

    def _certificate_agrees(self) -> None:
        quorum = self.node.registry.find_quorum(self.electorate)
        expected = self.naive.registry.certificate
        assert flag(quorum.found) == (expected is not None)
        if expected is not None:
            assert (number(quorum.vote.number), str(number(quorum.vote.hash))) == expected[0]
            verifies = flag(self.node.registry.certificate_verifies(quorum.vote, self.electorate))
            assert verifies == self.naive.registry.certificate_verifies
            self.count("contaminated certificate", not verifies)
