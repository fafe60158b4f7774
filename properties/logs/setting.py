"""The model of one run: the system that its header describes, and readers of its states in the words of the log."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property, lru_cache
from typing import Any, Final

from model.algebra import Expression, Int
from model.batch_store import CertifiedBatches
from model.committee import Committee
from model.messages import Batch, SignedBatch
from model.registry_design.batch_votes import BatchVotes
from model.registry_design.gossip import Link
from model.registry_design.network import (
    forge_vote,
    hand_on_vote,
    persist_batch,
    produce_first_block,
    provide_commitment,
    reconnect,
    restart_node,
    seal_batch,
)
from model.registry_design.node import Node
from model.registry_design.system import RegistryDesign
from model.revisions import Revision, revision
from model.scope import Scope
from model.votes import NONE, Vote
from properties.engines.stepper import State, Stepper
from properties.logs.reading import LAST_SEALED_START, Header, Run
from properties.logs.subjects import Subjects
from properties.trace import Arrangement, system_of

ENVIRONMENT: Final = (
    produce_first_block,
    seal_batch,
    persist_batch,
    provide_commitment,
    forge_vote,
    hand_on_vote,
    restart_node,
    reconnect,
)
"""What is not a step of the protocol: blocks and batches, forgeries and faults."""

KEPT_SYSTEMS: Final = 4
GENESIS: Final = "genesis"
REVISIONS: Final = {True: "pr161+era2480", False: "pr161+era2539"}
"""The revision that a log is of, by whether it starts at the last sealed batch."""


def revision_of(header: Header) -> Revision:
    """The revision that a run was recorded from, by where it starts."""
    return revision(REVISIONS[header.fields["start"] == LAST_SEALED_START])


def arrangement_of(header: Header) -> Arrangement:
    """Who takes part in a run."""
    return Arrangement(tuple(header.attesters.items()), header.byzantine, tuple(header.nodes), header.connections)


def scope_of(run: Run, subjects: Subjects) -> Scope:
    """The scope of a run: every step on its own, and as much of everything as the run needs."""
    counts = Counter(event.kind for event in run.events)
    return Scope(
        arrangement_of(run.header).instance,
        batches=subjects.batches,
        late_answers=True,
        finder_steps=True,
        attester_steps=True,
        own_finders=True,
        echo=True,
        late_batches=True,
        queue=0 if run.header.is_sync else _longest_queue(run) + 1,
        restarts=counts["node_restarted"],
        disconnects=counts["disconnected"],
        lesser_hashes=len(subjects.lesser_hashes),
        handed_on=bool(run.header.raw),
    )


def _longest_queue(run: Run) -> int:
    """How many certificates of one node waited for their insertion at a time, at most. One place more, so that no
    finder ever waits for a place: the real queue has no bound."""
    waiting, longest = Counter[str](), 0
    for event in run.events:
        if event.kind == "qc_persist_started":
            waiting[event.node] += 1
        elif event.kind == "qc_persisted":
            waiting[event.node] -= 1
        elif event.kind == "node_restarted":
            waiting[event.node] = 0
        longest = max(longest, waiting[event.node])
    return longest


@lru_cache(maxsize=KEPT_SYSTEMS)
def stepper_for(chosen: Revision, scope: Scope, arrangement: Arrangement) -> Stepper:
    """The one-step engine on the system of a run; runs that look alike share one."""
    return Stepper(system_of(chosen.name, scope, arrangement))


class Setting:
    """The model of one run. A state is read by node, with the log's names for what is in it."""

    def __init__(self, run: Run, chosen: Revision | None = None) -> None:
        header = run.header
        self.header = header
        self.subjects = Subjects.of(run)
        self.committee = Committee(header.attesters.items())
        self.keys = tuple(header.attesters)
        self.arrangement = arrangement_of(header)
        self.stepper = stepper_for(chosen or revision_of(header), scope_of(run, self.subjects), self.arrangement)
        system = self.stepper.system
        assert isinstance(system, RegistryDesign)
        self.system = system
        self._readers: dict[tuple[Expression, ...], Callable[[State], tuple[int, ...]]] = {}

    def node(self, name: str) -> Node:
        """The machines of a node."""
        return self.system.state.nodes[self.system.topology.position(name)]

    @cached_property
    def links(self) -> Mapping[tuple[str, str], Link]:
        """The links by (sender, receiver)."""
        names = [place.name for place in self.system.topology.places]
        pairs = zip(self.system.topology.links, self.system.state.links, strict=True)
        return {(names[sender], names[receiver]): link for (sender, receiver), link in pairs}

    @cached_property
    def asked(self) -> Int:
        """What the main node's database answers."""
        return self.system.next_batch_to_attest

    def values(self, state: State, *expressions: Expression) -> tuple[int, ...]:
        """The values of these expressions."""
        if expressions not in self._readers:
            self._readers[expressions] = self.stepper.evaluator(*expressions)
        return self._readers[expressions](state)

    def value(self, state: State, expression: Expression) -> int:
        """The value of one expression."""
        return self.values(state, expression)[0]

    def number(self, state: State, expression: Expression) -> int | None:
        """A batch number as the log has it."""
        number = self.value(state, expression)
        return None if number == NONE else self.subjects.recorded_number(number)

    def subject(self, state: State, vote: Vote) -> dict[str, Any]:
        """Number and hash of a vote or a certificate, as the log has them."""
        return self._subject(*self.values(state, vote.number, vote.variant))

    def votes(self, state: State, votes: Iterable[Vote]) -> dict[str, dict[str, Any]]:
        """Votes by key, as a registry has them."""
        values = self.values(state, *(part for vote in votes for part in (vote.number, vote.variant)))
        pairs = zip(self.keys, values[::2], values[1::2], strict=True)
        return {key: self._subject(number, variant) for key, number, variant in pairs if number != NONE}

    def _subject(self, number: int, variant: int) -> dict[str, Any]:
        return {"number": self.subjects.recorded_number(number), "hash": self.subjects.hash(number, variant)}

    def message(self, state: State, votes: Iterable[Vote]) -> list[dict[str, Any]]:
        """Votes as a list in the order of their keys, as a message has them."""
        return [{"key": key, **subject} for key, subject in self.votes(state, votes).items()]

    def registry(self, state: State, node: str) -> dict[str, Any]:
        """The registry of a node."""
        registry = self.node(node).registry
        minimum = self.number(state, registry.min_batch_number)
        return {"votes": self.votes(state, registry.votes), "min_batch_number": minimum}

    def full_registry(self, state: State, node: str) -> BatchVotes:
        """The registry of a node in full fidelity, with errors, strangers and signatures."""
        registry = self.registry(state, node)
        votes = [
            SignedBatch(key, Batch(vote["number"], vote["hash"], GENESIS)) for key, vote in registry["votes"].items()
        ]
        empty = BatchVotes().set_min_batch_number(registry["min_batch_number"])
        return empty.update(self.committee, GENESIS, votes).registry

    def what_can_happen(self, state: State) -> list[str]:
        """What honest nodes can do by themselves: without faults and forgeries, and with the batches that are there."""
        actions = map(self.stepper.action, self.stepper.enabled(state))
        return [
            f"{action} of {action.node}"
            for action in actions
            if action.transition not in ENVIRONMENT and action.node not in self.header.byzantine
        ]

    def certified(self, state: State, node: str) -> list[int]:
        """The batches with a stored certificate."""
        certified = self.node(node).store.certified
        assert isinstance(certified, CertifiedBatches)
        flags = self.values(state, *certified.flags)
        return [number for number, flag in enumerate(flags) if flag]
