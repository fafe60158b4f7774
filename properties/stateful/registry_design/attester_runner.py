"""The attester runner with its status watch, store and own registry, against the loop as one writes it down."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

import model.registry_design.node
from model.algebra import TRUE, const
from model.registry_design.node import Node
from model.scope import Scope, instance
from model.transitions import Step
from model.votes import NONE, Vote
from properties.stateful.constants import initial, is_possible, number, taken, votes_of
from properties.stateful.machine import LIFETIME, CountedMachine, counted
from properties.stateful.registry_design.oracle import NaiveRegistry
from properties.stateful.registry_design.qc_finder import Await
from properties.stateful.votes import NaiveVote

BATCHES = 4
NAMES = "a"
KEY = 0
READING, PUBLISHING = 0, 1


class NaiveAttester:
    """The runner as a loop: it runs to its next `yield`, and is resumed when the model's runner takes a step."""

    def __init__(self) -> None:
        self.restart()
        self.batches = 0
        self.commitments: set[int] = set()

    def restart(self) -> None:
        """Forget everything but the stored batches."""
        self.status: int | None = None
        self.is_unseen = True
        self.attesting: int | None = None
        self.registry = NaiveRegistry({NAMES[KEY]: 1})
        self.loop = self._loop()
        self.waits = next(self.loop)

    def go_on(self) -> None:
        """Run to the next place where the loop waits."""
        self.waits = next(self.loop)

    def _loop(self) -> Iterator[Await]:
        while True:
            yield Await(READING, lambda: self.is_unseen and self.status is not None)
            asked, self.is_unseen = self.status, False
            assert asked is not None
            self.attesting = asked
            yield Await(
                PUBLISHING, lambda: self.attesting in self.commitments and self.attesting in range(self.batches)
            )
            self.registry.update([NaiveVote(NAMES[KEY], asked, str(asked))])
            self.attesting = None


class AttesterRunnerMachine(CountedMachine):
    """The runner's two steps on one node, between statuses, batches, commitments, minima and restarts."""

    def __init__(self) -> None:
        super().__init__()
        scope = Scope(
            instance("n1f0b0"), batches=BATCHES, late_batches=True, attester_steps=True, own_finders=True, echo=True
        )
        system = self.system(scope)
        place = next(index for index, place in enumerate(system.topology.places) if place.key == KEY)
        self.node = initial(system, system.state.nodes[place])
        self.naive = NaiveAttester()

    @initialize(batches=st.integers(0, BATCHES))
    def start(self, batches: int) -> None:
        """Some batches are there, and can be signed, from the start."""
        for _ in range(batches):
            self._commit(self.naive.batches)
            self._persist()

    @rule(batch=st.integers(0, BATCHES - 1))
    @counted
    def status(self, batch: int) -> None:
        """A number arrives in the status watch."""
        self.count("status while attesting", self.naive.attesting is not None)
        self.node = replace(self.node, status=self.node.status.update(const(batch)))
        if self.naive.status != batch:
            self.naive.status, self.naive.is_unseen = batch, True

    @precondition(lambda self: self.naive.batches < BATCHES)
    @rule()
    @counted
    def persist_batch(self) -> None:
        """The store gets its next batch."""
        self._persist()

    def _persist(self) -> None:
        self.naive.batches += 1
        self.node = replace(self.node, store=replace(self.node.store, persisted=const(self.naive.batches)))

    @rule(batch=st.integers(0, BATCHES - 1))
    @counted
    def provide_commitment(self, batch: int) -> None:
        """A batch can be signed from now on, whether it is there or not."""
        self._commit(batch)

    def _commit(self, batch: int) -> None:
        self.naive.commitments.add(batch)
        flags = list(self.node.store.commitments)
        flags[batch] = TRUE
        self.node = replace(self.node, store=replace(self.node.store, commitments=tuple(flags)))

    @rule(batch=st.integers(0, BATCHES - 1))
    @counted
    def set_min_batch_number(self, batch: int) -> None:
        """The node's own finder sets the minimum."""
        self.naive.registry.set_min_batch_number(batch)
        self.node = replace(self.node, registry=self.node.registry.set_min_batch_number(const(batch)))

    @rule(batch=st.integers(0, BATCHES - 1))
    @counted
    def echo(self, batch: int) -> None:
        """A vote of its own comes back from the network, from before a restart."""
        self.naive.registry.update([NaiveVote(NAMES[KEY], batch, str(batch))])
        self.node = replace(self.node, registry=self.node.registry.add(KEY, Vote(const(batch), const(0))))

    @precondition(lambda self: self.naive.waits.is_ready())
    @rule(steps=st.integers(1, 2))
    @counted
    def go_on(self, steps: int) -> None:
        """The runner takes its next steps, as far as it can."""
        for _ in range(steps):
            if self.naive.waits.is_ready():
                self._step()

    def _step(self) -> None:
        votes = self.naive.registry.votes
        is_publishing = self.naive.waits.phase == PUBLISHING
        self.naive.go_on()
        (name, step), *others = [(name, step) for name, step in self._steps().items() if is_possible(step)]
        assert not others
        self.count(name)
        self.count("own registry skips the vote", is_publishing and self.naive.registry.votes == votes)
        self.node = taken(step)

    def _steps(self) -> dict[str, Step[Node]]:
        return {
            "read_status_to_attest": model.registry_design.node.read_status_to_attest(self.node),
            "publish_vote": model.registry_design.node.publish_vote(self.node, KEY),
        }

    @precondition(lambda self: self.age >= LIFETIME)
    @rule()
    @counted
    def restart(self) -> None:
        """The node starts again."""
        self.age = 0
        self.count("restart while attesting", self.naive.attesting is not None)
        self.node = taken(model.registry_design.node.restart(self.node))
        self.naive.restart()

    @invariant()
    def agrees(self) -> None:
        """The model's runner waits where the loop waits, and can go on if and only if the loop can."""
        node, naive = self.node, self.naive
        attesting = NONE if naive.attesting is None else naive.attesting
        assert number(node.attester.number) == attesting
        assert any(is_possible(step) for step in self._steps().values()) == naive.waits.is_ready()
        votes = {NAMES.index(key): (vote.number, int(vote.hash)) for key, vote in naive.registry.votes.items()}
        assert votes_of(node.registry) == votes
