"""Machines in full fidelity, run in lockstep with the guarded commands of the system: what all designs have in common.

A `Mirror` follows a run of the system action by action. What an action does to a node or a link, the mirror does with
the machines in full fidelity. After every action the two must agree on each node and link that either of them touched.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from model.algebra import Expression, leaves
from model.committee import Committee
from model.transitions import Action
from properties.engines.handlers import Handlers
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
    def node_names(self) -> list[str]:
        """The names of the nodes, by position."""
        return list(self.places)

    @cached_property
    def link_names(self) -> list[str]:
        """The names of the links, by position."""
        return ["-".join(ends) for ends in self.links]

    @cached_property
    def links(self) -> dict[tuple[str, str], int]:
        """The position of each link, by sender and receiver."""
        names, ends = self.node_names, self.model.system.topology.links
        return {(names[sender], names[receiver]): index for index, (sender, receiver) in enumerate(ends)}

    def link_of(self, action: Action) -> int:
        """The link on which the acting node gets something, or, with `to`, sends it."""
        other = other_node(action)
        return self.links[(action.node, other) if "to" in dict(action.arguments) else (other, action.node)]

    def links_between(self, one: str, other: str) -> list[int]:
        """The links of a connection."""
        return [link for ends, link in self.links.items() if set(ends) == {one, other}]

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

    def on_nodes(self, read: Callable[[Any], Iterable[Expression]]) -> list[Test]:
        """The same for each node."""
        state: Any = self.model.system.state
        return [self.test(*read(node)) for node in state.nodes]

    def on_links(self, read: Callable[[Any, Any, Any], Iterable[Expression]]) -> list[Test]:
        """The same for each link, with the nodes at which it begins and ends."""
        state: Any = self.model.system.state
        links = zip(state.links, self.model.system.topology.links, strict=True)
        return [self.test(*read(link, *(state.nodes[end] for end in ends))) for link, ends in links]


def other_node(action: Action) -> str:
    """The node that the acting one gets something from, or sends it to."""
    arguments = dict(action.arguments)
    return str(arguments["to"] if "to" in arguments else arguments["from"])


def _touched(action: Action, parts: list[set[Expression]]) -> frozenset[int]:
    changed = {variable.expression for variable, _ in action.updates}
    return frozenset(index for index, part in enumerate(parts) if changed & part)


class Mirror(Handlers, ABC):
    """The full-fidelity side of one run. Handlers do what an action does; any other must leave what is compared as it
    is. `noticed`: by name, what the last action came to that a test should not miss."""

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

    def start_again(self, node: str) -> None:
        """What is in memory is lost, and every connection is new."""
        self.start(self.layout.places[node])
        for ends, link in self.layout.links.items():
            if node in ends:
                self.connect(link)

    def connect_again(self, action: Action) -> None:
        """The connection is new, in both directions."""
        for link in self.layout.links_between(action.node, other_node(action)):
            self.connect(link)


class Moments(ABC):
    """Finds out what is interesting about a step, on one model."""

    def __init__(self, layout: Any) -> None:
        self.layout = layout

    def of(self, action: Action, before: State, after: State) -> Iterator[str]:
        """The moments that this step is, by name."""
        return (name for name, is_so in self.conditions(action, before, after) if is_so)

    @abstractmethod
    def conditions(self, action: Action, before: State, after: State) -> Iterator[tuple[str, object]]:
        """The moments that a step of this action may be, and whether it is."""
