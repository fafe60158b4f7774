"""What a property means, worked out plainly: one state at a time, on a graph of networkx.

It shares nothing with the engines but the algebra and the meaning of the properties: it has its own evaluation of
expressions, its own search, and none of the packing, bits, levels and components that the engines work with.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

import networkx as nx

from model.algebra import Expression, post_order
from model.service import AttestationSystem
from properties.claims.kinds import Conjunct, Kind, Property
from properties.claims.points_of_no_return import UNCLASSIFIED

State = tuple[int, ...]
Kinds = Sequence[tuple[str, Expression]]

OPERATORS: dict[str, Callable[[Expression, list[int]], int]] = {
    "const": lambda node, _: int(node.value),
    "not": lambda _, args: 1 - args[0],
    "and": lambda _, args: min(args),
    "eq": lambda _, args: int(args[0] == args[1]),
    "le": lambda _, args: int(args[0] <= args[1]),
    "add": lambda node, args: sum(args) + node.value,
    "scale": lambda node, args: args[0] * node.value,
    "floordiv": lambda node, args: args[0] // node.value,
    "where": lambda _, args: args[1] if args[0] else args[2],
}


@dataclass(frozen=True)
class Answer:
    """A verdict, as far as engines must agree on it: the word; the length of a shortest run (of a lasso, the way to its
    loop); those of each kind; and in how many states each conjunct had something to say."""

    word: str
    steps: int | None = None
    kinds: dict[str, int] = field(default_factory=dict)
    spoken_of: tuple[int, ...] = ()


class Reference:
    """All states of a system, from the initial one on, and what holds in them."""

    def __init__(self, system: AttestationSystem, conditions: Collection[Expression]) -> None:
        self.system = system
        guards = [action.guard for action in system.actions]
        values = [value for action in system.actions for _, value in action.updates]
        self._order = post_order([*guards, *values, *conditions])
        self._place = {variable.expression: place for place, variable in enumerate(system.variables)}
        self.values: dict[State, dict[Expression, int]] = {}
        self.graph: nx.MultiDiGraph[State] = nx.MultiDiGraph()
        self._graphs: dict[frozenset[str], nx.MultiDiGraph[State]] = {}
        self.initial: State = tuple(variable.initial for variable in system.variables)
        self._search()
        self.distance: dict[State, int] = nx.single_source_shortest_path_length(self.graph, self.initial)

    def _search(self) -> None:
        self.graph.add_node(self.initial)
        waiting = [self.initial]
        while waiting:
            state = waiting.pop()
            values = self.values[state] = self._evaluate(state)
            for number, action in enumerate(self.system.actions):
                if values[action.guard]:
                    changed = {variable.expression: values[value] for variable, value in action.updates}
                    after = tuple(
                        changed.get(variable.expression, old)
                        for variable, old in zip(self.system.variables, state, strict=True)
                    )
                    if after not in self.graph:
                        waiting.append(after)
                    self.graph.add_edge(state, after, number)

    def _evaluate(self, state: State) -> dict[Expression, int]:
        values: dict[Expression, int] = {}
        for node in self._order:
            if node.op == "var":
                values[node] = state[self._place[node]]
            else:
                values[node] = OPERATORS[node.op](node, [values[arg] for arg in node.args])
        return values

    def states(self, condition: Expression) -> set[State]:
        """The states in which the condition holds."""
        return {state for state, values in self.values.items() if values[condition]}

    def nearest(self, states: Collection[State]) -> int:
        """How far the nearest of these states is."""
        return min(self.distance[state] for state in states)

    def answer(self, claim: Property, conjuncts: Sequence[Conjunct], kinds: Kinds) -> Answer:
        """The verdict on a property, whose conditions the reference was made with."""
        asked = [(self.states(each.when), self.states(each.holds)) for each in conjuncts]
        if claim.kind is Kind.SOMETIMES:
            witnesses = set[State]().union(*(when & holds for when, holds in asked))
            return Answer("REACHED", self.nearest(witnesses)) if witnesses else Answer("UNREACHED")
        if claim.kind is Kind.POSSIBLE:
            bad = [when - self._can_reach(holds, claim) for when, holds in asked]
        elif claim.kind is Kind.EVENTUALLY:
            bad = [self._can_stay_in(when - holds, claim) for when, holds in asked]
        else:
            bad = [when - holds for when, holds in asked]
        together = set[State]().union(*bad)
        if together:
            named = self._by_kind(together, kinds) if claim.kind is Kind.POSSIBLE else {}
            return Answer("VIOLATED", self.nearest(together), named)
        counts = tuple(len(when) for when, _ in asked)
        return Answer("EXHAUSTED", spoken_of=counts) if any(counts) else Answer("VACUOUS")

    def _by_kind(self, final: set[State], kinds: Kinds) -> dict[str, int]:
        groups: dict[str, set[State]] = {}
        for name, condition in kinds:
            groups.setdefault(name, set()).update(final & self.states(condition))
        groups[UNCLASSIFIED] = final.difference(*groups.values())
        return {name: self.nearest(states) for name, states in groups.items() if states}

    def _counted_on(self, claim: Property) -> nx.MultiDiGraph[State]:
        """The graph without the steps that the property is without."""
        if claim.without not in self._graphs:
            graph: nx.MultiDiGraph[State] = nx.MultiDiGraph()
            graph.add_nodes_from(self.graph)
            names = [action.name for action in self.system.actions]
            edges = self.graph.edges(keys=True)
            graph.add_edges_from(edge for edge in edges if names[edge[2]] not in claim.without)
            self._graphs[claim.without] = graph
        return self._graphs[claim.without]

    def _can_reach(self, goal: set[State], claim: Property) -> set[State]:
        backwards = self._counted_on(claim).reverse(copy=False)
        return set(nx.multi_source_dijkstra_path_length(backwards, goal)) if goal else set()

    def _can_stay_in(self, stay: set[State], claim: Property) -> set[State]:
        """The states of those strongly connected parts of these in which a run can go round, or rest, and be fair."""
        graph = self._counted_on(claim)
        fair = {place for place, action in enumerate(self.system.actions) if action.name in claim.fair - claim.without}
        result: set[State] = set()
        for part in nx.strongly_connected_components(graph.subgraph(stay)):
            enabled = [{action for _, _, action in graph.out_edges(state, keys=True)} for state in part]
            taken = {action for _, _, action in graph.subgraph(part).edges(keys=True)}
            if not (set.intersection(*enabled) & fair) - taken:
                result |= part
        return result
