"""The attestation tasks of the main node and of an external node, each against its loop as one writes it down."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

import model.controller_design.network as network
import model.controller_design.node as node_steps
from model.algebra import TRUE, Int, const, truth
from model.controller_design.node import OTHER_HASH, OWN_HASH, Node
from model.controller_design.task import DEAD, INSERTING, READING_STATUS, WAITING_FOR_CERTIFICATE, WAITING_FOR_HASH
from model.scope import Scope, instance
from model.topology import MAIN
from model.transitions import Step
from model.votes import NONE, Vote
from properties.stateful.constants import flag, initial, is_possible, number, taken
from properties.stateful.controller_design.oracle import NaiveStart
from properties.stateful.controller_design.task_oracle import NaiveMainNode, NaiveNode, Scheduled
from properties.stateful.machine import LIFETIME, CountedMachine, counted
from properties.stateful.votes import NaiveVote

BATCHES = 6
NAMES = "ab"
GENESIS = {"a": 3, "b": 1}
SCHEDULES: tuple[list[Scheduled], ...] = (
    [GENESIS],
    [GENESIS, GENESIS, {"b": 1}, {"a": 1, "b": 1}],
    [GENESIS, {"a": 3}, "none", GENESIS],
    [GENESIS, GENESIS, "error", GENESIS],
)
REVISIONS = ("pr175+era2657", "pr175+era2684", "pr175+era3180", "pr175+era3512")
"""Those whose tasks differ; the first has one committee for all batches."""

PHASES = {
    "reading": READING_STATUS,
    "hash": WAITING_FOR_HASH,
    "certificate": WAITING_FOR_CERTIFICATE,
    "inserting": INSERTING,
    "dead": DEAD,
}
ROUND = 4
"""How many steps the main node's loop has."""


def as_text(schedule: list[Scheduled]) -> str:
    """The committees as a scope names them."""
    return ";".join(
        each if isinstance(each, str) else ",".join(str(each.get(name, 0)) for name in NAMES) for each in schedule
    )


class TaskMachine(CountedMachine):
    """The task of one node, of any revision, between hashes that come, votes, errors, pruning and restarts."""

    place: ClassVar[str]
    naive: NaiveNode

    @initialize(
        revision=st.sampled_from(REVISIONS),
        schedule=st.sampled_from(SCHEDULES),
        is_supervised=st.booleans(),
        batches=st.sampled_from((BATCHES, BATCHES, BATCHES // 2, 0)),
    )
    def start(self, revision: str, schedule: list[Scheduled], is_supervised: bool, batches: int) -> None:
        """Choose the revision, the committees, and whether somebody restarts the process."""
        committees = as_text(schedule) if schedule[1:] and revision != REVISIONS[0] else ""
        scope = Scope(instance("w3,1b0"), batches=BATCHES, late_answers=True, committees=committees)
        system = self.system(scope, revision)
        self.revision, self.topology = system.revision, system.topology
        self.index = self.topology.position(self.place)
        self.state: Any = initial(system, system.state)
        unlimited = const(network.UNLIMITED)
        faults = dict.fromkeys(("restarts", "errors"), unlimited)
        self.state = replace(self.state, faults=replace(self.state.faults, **faults))
        self.change(is_supervised=is_supervised)
        self.naive = self.oracle(int(revision[-4:]), schedule, is_supervised)
        for _ in range(batches):
            self._provide()
        self.count(revision)

    def oracle(self, pull_request: int, schedule: list[Scheduled], is_supervised: bool) -> NaiveNode:
        """The loop to compare with."""
        raise NotImplementedError

    @property
    def node(self) -> Node:
        """The node whose task it is."""
        node: Node = self.state.nodes[self.index]
        return node

    def change(self, **changes: Any) -> None:
        """Give the node other parts."""
        self.state = self.state.with_node(self.index, replace(self.node, **changes))

    def change_store(self, **changes: Any) -> None:
        """Give the node's store other parts."""
        self.change(store=replace(self.node.store, **changes))

    @rule()
    @precondition(lambda self: self.naive.batches < BATCHES)
    @counted
    def provide_hash(self) -> None:
        """The database gets its next batch."""
        self._provide()

    def _provide(self) -> None:
        self.naive.batches += 1
        self.change_store(persisted=const(self.naive.batches))

    @rule(keys=st.sampled_from(["a", "b", "ab"]))
    @counted
    def vote(self, keys: str) -> None:
        """Votes on what the controller attests."""
        self._vote(keys)

    def _vote(self, keys: str) -> None:
        current, here = self.naive.controller.attested(), self.node.attestation
        if current is not None:
            members = [key for key in keys if key in current.weights]
            self.naive.controller.history.append([NaiveVote.on(key, current.batch) for key in members])
            self.change(attestation=here.inserted(here.batch, [truth(name in members) for name in NAMES]))

    @rule()
    @precondition(lambda self: self.naive.pruned is None and self.naive.batches > self.naive.first and self.age > 4)
    @counted
    def prune(self) -> None:
        """The first batch is pruned, with its certificate."""
        first = self.naive.first
        self.naive.pruned = first
        self.naive.certified.discard(first)
        self.change(store=self.node.store.without_batch(const(first)))

    @rule(steps=st.integers(1, ROUND))
    @precondition(lambda self: self.naive.waits.is_ready())
    @counted
    def go_on(self, steps: int) -> None:
        """The task takes its next steps, as far as it can."""
        self._go_on(steps)

    def _go_on(self, steps: int) -> None:
        for _ in range(steps):
            if self.naive.waits.is_ready():
                self._step()

    def _step(self) -> None:
        steps, is_alive = self._steps(), self.naive.is_alive
        self.naive.go_on()
        possible = [(name, step) for name, step in steps.items() if is_possible(step)]
        assert len(possible) == 1
        ((name, step),) = possible
        self.count(name)
        self.state = taken(step)
        self._count_end(is_alive)

    def _count_end(self, was_alive: bool) -> None:
        self.count("error that ends the task alone", was_alive and not self.naive.is_alive and self.naive.runs)
        self.count("error that ends the consensus", was_alive and not self.naive.runs)

    def _steps(self) -> dict[str, Step[Any]]:
        """What the model's node can do now, as steps of the whole state."""
        own = {
            "read_status": node_steps.read_status(self.node, self.asked),
            "start_attestation": node_steps.start_attestation(self.node, self._own_key),
            "skip_batch": node_steps.skip_batch(self.node),
            **self.further_steps(),
        }
        whole = {name: Step(step.when, self.state.with_node(self.index, step.then)) for name, step in own.items()}
        return whole | self.failures()

    @property
    def _own_key(self) -> int | None:
        key: int | None = self.topology.places[self.index].key
        return key

    @property
    def asked(self) -> Int:
        """The number that the model's node reads."""
        raise NotImplementedError

    def further_steps(self) -> dict[str, Step[Node]]:
        """The steps that an external node does not have."""
        return {}

    def failures(self) -> dict[str, Step[Any]]:
        """The errors in the task that have a cause."""
        return {"fail_to_start": network.fail_to_start(self.state, self.index, self.topology, self.revision)}

    @rule()
    @precondition(lambda self: self.age >= LIFETIME and self.naive.is_alive)
    @counted
    def fail_once(self) -> None:
        """An error without a cause."""
        self.age = 0
        self.naive.fail()
        self.state = taken(network.fail_once(self.state, self.index, self.topology, self.revision))
        self._count_end(was_alive=True)
        self.count("restart after an error", self.naive.is_alive)

    @rule()
    @precondition(lambda self: self.age >= LIFETIME or not self.naive.is_alive)
    @counted
    def restart(self) -> None:
        """The process starts again."""
        self.age = 0
        self.count("restart with a batch in hand", self.naive.waits.phase not in ("reading", "dead"))
        self.naive.start()
        self.state = taken(network.restart_node(self.state, self.index, self.topology))

    @invariant()
    def agrees(self) -> None:
        """The model's task waits where the loop waits, and can go on if and only if the loop can."""
        if not hasattr(self, "naive"):
            return
        node, naive = self.node, self.naive
        assert number(node.task.phase) == PHASES[naive.waits.phase]
        assert flag(node.task.is_alive) == naive.is_alive
        assert flag(node.runs) == naive.runs
        assert any(is_possible(step) for step in self._steps().values()) == naive.waits.is_ready()
        current = naive.controller.attested()
        assert _started(node) == (None if current is None else current.batch)
        held = {name for name, vote in zip(NAMES, node.attestation.votes, strict=True) if flag(vote)}
        assert held == set(naive.controller.votes())
        certified = {batch for batch in range(BATCHES) if flag(node.store.certified.contains(const(batch)))}
        assert certified == {batch for batch in naive.certified if batch < BATCHES}


class MainTaskMachine(TaskMachine):
    """The main node's task, which waits for certificates, between restored databases, too, and a controller that
    somebody else has started on a later batch."""

    place = MAIN

    def oracle(self, pull_request: int, schedule: list[Scheduled], is_supervised: bool) -> NaiveNode:
        return NaiveMainNode(pull_request, schedule, None, is_supervised)

    @property
    def asked(self) -> Int:
        return network.next_batch_to_attest(self.state, self.topology, self.revision)

    def further_steps(self) -> dict[str, Step[Node]]:
        return {
            "find_certificate": node_steps.find_certificate(self.node),
            "insert_certificate": node_steps.insert_certificate(self.node, self.asked),
        }

    def failures(self) -> dict[str, Step[Any]]:
        failing = network.fail_to_certify(self.state, self.topology, self.revision)
        return {**super().failures(), "fail_to_certify": failing}

    @rule()
    @counted
    def round(self) -> None:
        """A whole round of the loop, or as much of it as is possible, with the votes of everybody."""
        self._go_on(2)
        self._vote("ab")
        self._go_on(2)

    @rule(kept=st.integers(0, BATCHES - 1))
    @precondition(lambda self: self.naive.certified and self.age > LIFETIME / 2)
    @counted
    def restore_database(self, kept: int) -> None:
        """Certificates are gone, and the process goes on."""
        self.count("certificates gone", max(self.naive.certified) >= kept)
        self.naive.certified = {batch for batch in self.naive.certified if batch < kept}
        self.change_store(certified=self.node.store.certified.below(kept))

    @rule(further=st.integers(1, 2))
    @precondition(lambda self: self.naive.waits.phase == "certificate" and self.age > LIFETIME / 2)
    @counted
    def start_later(self, further: int) -> None:
        """Somebody else starts a later batch, which nobody does in the real code."""
        current = self.naive.controller.attested()
        assert current is not None
        batch = current.number + further
        self.naive.controller.history.append(NaiveStart(batch, f"h{batch}", "g0", GENESIS))
        started = self.node.attestation.started(Vote(const(batch), const(OWN_HASH)), const(0), None)
        self.change(attestation=started)


class ExternalTaskMachine(TaskMachine):
    """The task of an attester's node, which is told numbers by the main node's API, larger and smaller ones, and now
    and then comes to another hash, or starts without a registry of attesters."""

    place = "a"

    def oracle(self, pull_request: int, schedule: list[Scheduled], is_supervised: bool) -> NaiveNode:
        return NaiveNode(pull_request, schedule, "a", is_supervised)

    @property
    def asked(self) -> Int:
        return const(NONE if self.naive.answer is None else self.naive.answer)

    @rule(answer=st.none() | st.integers(0, BATCHES - 1))
    @counted
    def answer(self, answer: int | None) -> None:
        """The API says another number, or none."""
        self._answer(answer)

    def _answer(self, answer: int | None) -> None:
        current = self.naive.controller.attested()
        self.count("smaller number", None not in (answer, current) and answer < current.number)  # type: ignore[operator, union-attr]
        self.count("number while waiting for a hash", self.naive.waits.phase == "hash")
        self.naive.answer = answer

    @rule(further=st.integers(0, 2))
    @counted
    def answer_next(self, further: int) -> None:
        """The API says the number of a later batch, and the task goes on: this is where progress comes from."""
        current = self.naive.controller.attested()
        self._answer(further + (0 if current is None else current.number))
        self._go_on(2)

    @rule(further=st.integers(1, 2))
    @precondition(lambda self: self.naive.diverged is None)
    @counted
    def diverge(self, further: int) -> None:
        """A batch that is not attested yet will have another hash."""
        current = self.naive.controller.attested()
        self.naive.diverged = further if current is None else current.number + further
        self.change(diverged=const(self.naive.diverged))

    @rule()
    @precondition(lambda self: self.age >= LIFETIME)
    @counted
    def restart_without_registry(self) -> None:
        """The process starts again, and knows of no registry of attesters."""
        self.age = 0
        self.naive.start(has_fallback=True)
        self.state = network.restarted(self.state, self.index, self.topology, has_fallback=TRUE)

    @invariant()
    def knows_its_registry(self) -> None:
        """Whether it knows of a registry is as it was when it started."""
        if hasattr(self, "naive"):
            assert flag(self.node.has_fallback) == self.naive.has_fallback
            self.count("other hash signed", _has_other_hash(self.node))


def _started(node: Node) -> tuple[int, str, str] | None:
    batch = node.attestation.batch
    at, variant = number(batch.number), number(batch.variant)
    return None if at == NONE else (at, f"{'x' if variant == OTHER_HASH else 'h'}{at}", f"g{number(batch.genesis)}")


def _has_other_hash(node: Node) -> bool:
    return number(node.attestation.batch.variant) == OTHER_HASH
