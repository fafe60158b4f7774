"""Machines in full fidelity, run in lockstep with the guarded commands of the system: what all designs have in common.

A `Mirror` follows a run of the system action by action. What an action does to a node or a link, the mirror does with
the machines in full fidelity. After every action the two must agree on each node and link that either of them touched.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Protocol

from model.algebra import Expression, leaves
from model.committee import Committee
from model.transitions import Action
from properties.engines.stepper import State
from properties.stateful.models import Model

Test = Callable[[State], tuple[int, ...]]


class Disagreement(AssertionError):
    """The machines in full fidelity and the guarded commands differ; the message says where."""


def agree(what: str, full: object, guarded: object) -> None:
    """Raises `Disagreement`."""
    if full != guarded:
        raise Disagreement(f"{what}: in full fidelity {full}, by the guarded commands {guarded}")


@dataclass(frozen=True)
class Layout(ABC):
    """How to read what is compared from a state of the system."""

    model: Model

    @staticmethod
    @abstractmethod
    def compared(node: Any) -> Any:
        """The part of a node that has a counterpart in full fidelity."""

    @cached_property
    def committee(self) -> Committee:
        """The committee of the scope."""
        weights = self.model.system.scope.instance.weights
        return Committee(zip(self.model.system.topology.attesters, weights, strict=True))

    @cached_property
    def places(self) -> dict[str, int]:
        """The position of each node."""
        return {place.name: index for index, place in enumerate(self.model.system.topology.places)}

    @cached_property
    def links(self) -> dict[tuple[str, str], int]:
        """The position of each link, by sender and receiver."""
        names = list(self.places)
        ends = self.model.system.topology.links
        return {(names[sender], names[receiver]): index for index, (sender, receiver) in enumerate(ends)}

    def link_of(self, action: Action) -> int:
        """The link on which the acting node gets something, or, with `to`, sends it."""
        arguments = dict(action.arguments)
        ends = (action.node, arguments["to"]) if "to" in arguments else (arguments["from"], action.node)
        return self.links[str(ends[0]), str(ends[1])]

    @cached_property
    def touched(self) -> list[tuple[frozenset[int], frozenset[int]]]:
        """For each action, the nodes and the links that it changes, as far as they are compared."""
        state: Any = self.model.system.state
        nodes = [set(leaves(self.compared(node))) for node in state.nodes]
        links = [set(leaves(link)) for link in state.links]
        return [(_touched(action, nodes), _touched(action, links)) for action in self.model.system.actions]

    def test(self, *expressions: Expression) -> Test:
        """The values of these as a function of the state."""
        return self.model.stepper.evaluator(*expressions)


def _touched(action: Action, parts: list[set[Expression]]) -> frozenset[int]:
    changed = {variable.expression for variable, _ in action.updates}
    return frozenset(index for index, part in enumerate(parts) if changed & part)


class Mirror(ABC):
    """The full-fidelity side of one run. `noticed`: by name, what the last action came to that a test should not
    miss."""

    handlers: ClassVar[Mapping[str, Callable[[Any, Action, State], None]]] = {}
    """What the mirror does, by the name of the transition. Any other must leave what is compared as it is."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.noticed: list[str] = []
        for node in layout.places.values():
            self.start(node)
        for link in layout.links.values():
            self.connect(link)

    @abstractmethod
    def start(self, node: int) -> None:
        """The process of a node starts."""

    @abstractmethod
    def connect(self, link: int) -> None:
        """A link is new."""

    @abstractmethod
    def compare_node(self, node: int, state: State) -> None:
        """Raises `Disagreement`."""

    @abstractmethod
    def compare_link(self, link: int, state: State) -> None:
        """Raises `Disagreement`."""

    def follow(self, place: int, before: State, after: State) -> None:
        """Do what the action did, and compare. Raises `Disagreement`."""
        action = self.layout.model.stepper.action(place)
        self.noticed = []
        handler = self.handlers.get(action.name)
        if handler is not None:
            handler(self, action, before)
        nodes, links = self.layout.touched[place]
        for node in nodes:
            self.compare_node(node, after)
        for link in links:
            self.compare_link(link, after)

    def compare(self, state: State) -> None:
        """Compare everything. Raises `Disagreement`."""
        for node in self.layout.places.values():
            self.compare_node(node, state)
        for link in self.layout.links.values():
            self.compare_link(link, state)

    def restart_node(self, action: Action, before: State) -> None:
        """What is in memory is lost, and every connection is new."""
        self.start(self.layout.places[action.node])
        for ends, link in self.layout.links.items():
            if action.node in ends:
                self.connect(link)

    def reconnect(self, action: Action, before: State) -> None:
        """A connection is new, in both directions."""
        self.connect_again({action.node, str(dict(action.arguments)["to"])})

    def connect_again(self, ends: set[str]) -> None:
        """The links between these two are new."""
        for names, link in self.layout.links.items():
            if set(names) == ends:
                self.connect(link)


class Moments(Protocol):
    """Finds out what is interesting about a step, on one model."""

    def of(self, action: Action, before: State, after: State) -> Iterator[str]:
        """The moments that this step is, by name."""
