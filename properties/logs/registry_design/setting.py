"""The model of a run of the vote-registry design."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any, Final

from model.algebra import Expression
from model.committee import Committee
from model.messages import Batch, SignedBatch
from model.registry_design import network
from model.registry_design.batch_votes import BatchVotes
from model.registry_design.gossip import Link
from model.registry_design.node import Node
from model.registry_design.system import RegistryDesign
from model.revisions import Revision
from model.scope import Scope
from model.transitions import Action
from model.votes import NONE, Vote
from properties.engines.stepper import State
from properties.logs.registry_design.reading import RegistryHeader
from properties.logs.registry_design.subjects import Subjects
from properties.logs.runs import Run
from properties.logs.setting import GENESIS, Setting, stepper_for
from properties.results.trace import Arrangement

ENVIRONMENT: Final = (
    network.produce_first_block,
    network.seal_batch,
    network.persist_batch,
    network.provide_commitment,
    network.forge_vote,
    network.hand_on_vote,
    network.restart_node,
    network.reconnect,
)
"""What is not a step of the protocol: blocks and batches, forgeries and faults."""


def arrangement_of(header: RegistryHeader) -> Arrangement:
    """Who takes part in a run."""
    return Arrangement(tuple(header.attesters.items()), header.byzantine, tuple(header.nodes), header.connections)


def scope_of(run: Run, header: RegistryHeader, subjects: Subjects) -> Scope:
    """The scope of a run: every step on its own, and as much of everything as the run needs."""
    counts = Counter(event.kind for event in run.events)
    return Scope(
        arrangement_of(header).instance,
        batches=subjects.batches,
        late_answers=True,
        finder_steps=True,
        attester_steps=True,
        own_finders=True,
        echo=True,
        late_batches=True,
        queue=0 if header.is_sync else _longest_queue(run) + 1,
        restarts=counts["node_restarted"],
        disconnects=counts["disconnected"],
        lesser_hashes=len(subjects.lesser_hashes),
        handed_on=bool(header.raw),
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


class RegistrySetting(Setting):
    """The model of one run. A state is read by node, with the log's names for what is in it."""

    environment = ENVIRONMENT
    certifying = "quorum_found"
    schedules = 300

    def __init__(self, run: Run, revision: Revision) -> None:
        header = run.header
        assert isinstance(header, RegistryHeader)
        self.subjects = Subjects.of(run)
        self.committee = Committee(header.attesters.items())
        self.keys = tuple(header.attesters)
        self.raw, self.is_sync = header.raw, header.is_sync
        arrangement = arrangement_of(header)
        scope = scope_of(run, header, self.subjects)
        super().__init__(header, stepper_for(revision, scope, arrangement), arrangement)
        assert isinstance(self.service, RegistryDesign)
        self.system = self.service

    def node(self, name: str) -> Node:
        return self.system.state.nodes[self.place(name)]

    @cached_property
    def links(self) -> Mapping[tuple[str, str], Link]:
        """The links by (sender, receiver)."""
        names = [place.name for place in self.system.topology.places]
        pairs = zip(self.system.topology.links, self.system.state.links, strict=True)
        return {(names[sender], names[receiver]): link for (sender, receiver), link in pairs}

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

    def recorded_number(self, number: int) -> int:
        return self.subjects.recorded_number(number)

    def counts(self, action: Action) -> bool:
        return not (action.transition is network.push_votes and action.node in self.raw)

    def splits(self) -> Iterator[Expression]:
        """They say what an attester is about to do, and whether the main node's finder can go on."""
        nodes = self.system.state.nodes
        yield from (vote.number for vote in self.system.main.registry.votes)
        yield from (node.attester.number for node in nodes)
        yield from (node.finder.phase for node in nodes)
