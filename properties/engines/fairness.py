"""Runs that go on for ever, and are fair: the search behind `eventually`.

*Weak fairness*: an action that is enabled from some point on without interruption is taken. A run that stays in a set
of states for ever ends up in one strongly connected component of the graph of those states; a run that takes no step
any more stays in one state. A component has a fair run exactly if each fair action is somewhere disabled in it or taken
within it. For weak fairness it is enough to look at maximal components: what is unfair in one is unfair in every part
of it, since an action that is enabled everywhere and taken nowhere inside stays so.

The component is not the counterexample: a lasso is, with a loop that visits what fairness asks for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import networkx as nx
import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from properties.engines.graph import Graph
from properties.engines.vectorised import Mask

Numbers = npt.NDArray[np.int32]

ELSEWHERE = -1


@dataclass(frozen=True)
class Lasso:
    """A fair run that stays for ever: the state (by index) where its loop begins, and the loop's edges as (action,
    state after it). A loop without edges: no fair action is enabled, and nothing more happens."""

    entry: int
    loop: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Part:
    """Some states of a graph, in their order, and all transitions from them, by the places of states among these; a
    transition that leads to none of these leads `ELSEWHERE`."""

    states: npt.NDArray[np.int64]
    actions: Numbers
    sources: Numbers
    targets: Numbers

    @staticmethod
    def of(graph: Graph, chosen: Mask) -> Part:
        """The part of these states."""
        states = np.flatnonzero(chosen)
        parts = [np.zeros((3, 0), dtype=np.int32)]
        place = np.full(graph.states if len(states) else 0, ELSEWHERE, dtype=np.int32)
        place[states] = np.arange(len(states))
        for each in graph.edges if len(states) else ():
            sources = place.take(each.sources, mode="clip")
            here = sources != ELSEWHERE
            if here.any():
                after = place.take(each.targets.compress(here))
                parts.append(np.stack([np.full_like(after, each.action), sources.compress(here), after]))
        return Part(states, *np.concatenate(parts, axis=1))

    def components(self, within: Mask) -> Numbers:
        """Labels of the strongly connected components on some of these states; each other state is one by itself."""
        inside = within[self.sources] & within[self.targets] & (self.targets != ELSEWHERE)
        ends = self.sources[inside], self.targets[inside]
        count = len(self.states)
        matrix = coo_array((np.ones(len(ends[0]), dtype=np.int8), ends), shape=(count, count))
        _, labels = connected_components(matrix.tocsr(), directed=True, connection="strong")
        return np.asarray(labels, dtype=np.int32)


class FairRuns:
    """The fair runs of one graph; `fair` says of each action whether it is treated fairly.

    The states that lie on a cycle are found once; in the systems that are searched here they are few.
    """

    def __init__(self, graph: Graph, fair: Sequence[bool]) -> None:
        self.fair = fair
        self._restless = np.zeros(graph.states, dtype=bool)
        for each in graph.edges:
            if fair[each.action]:
                self._restless[each.sources] = True
        self._cyclic = Part.of(graph, _on_cycles(graph))

    def lasso(self, stay: Mask) -> Lasso | None:
        """The fair run that stays within these states for ever and whose component is nearest to the initial state;
        none if there is none."""
        candidates = np.flatnonzero(self.entries(stay))
        if not candidates.size:
            return None
        entry = int(candidates[0])
        place = int(np.searchsorted(self._cyclic.states, entry))
        if entry not in self._cyclic.states[place : place + 1]:
            return Lasso(entry, ())
        return Lasso(entry, _loop(self._cyclic, self._components(stay), place, self.fair))

    def entries(self, stay: Mask) -> Mask:
        """The states where the loop of a lasso can begin that stays within these states for ever."""
        result: Mask = stay & ~self._restless
        labels = self._components(stay)
        result[self._cyclic.states] = stay[self._cyclic.states] & self._can_stay(labels, stay)[labels]
        return result

    def _components(self, stay: Mask) -> Numbers:
        return self._cyclic.components(stay[self._cyclic.states])

    def _can_stay(self, labels: Numbers, stay: Mask) -> Mask:
        """For each component of these states, whether a run can stay in it for ever and be fair: no fair action is
        enabled in all of its states and taken within it in none."""
        part, sizes = self._cyclic, np.bincount(labels)
        neglects = np.zeros(len(sizes), dtype=bool)
        before = labels[part.sources]
        is_inside = (part.targets != ELSEWHERE) & (labels[part.targets] == before)
        for action in np.flatnonzero(self.fair).tolist():
            chosen = part.actions == action
            # Each source occurs once for an action, so that this counts the states in which it is enabled.
            enabled, taken = np.bincount(before[chosen], minlength=len(sizes)), np.zeros(len(sizes), dtype=bool)
            taken[before[chosen & is_inside]] = True
            neglects |= (enabled == sizes) & ~taken
        return ~neglects


def _on_cycles(graph: Graph) -> Mask:
    """Which states lie on a cycle, be it of one transition."""
    chosen = graph.endless.copy()
    part = Part.of(graph, chosen)
    labels = part.components(np.ones(len(part.states), dtype=bool))
    is_cyclic = np.bincount(labels)[labels] > 1
    is_cyclic[part.sources[part.sources == part.targets]] = True
    chosen[part.states[~is_cyclic]] = False
    return chosen


def _loop(part: Part, labels: Numbers, entry: int, fair: Sequence[bool]) -> tuple[tuple[int, int], ...]:
    """A closed walk from the entry that, for each fair action, takes it or visits a state where it is disabled."""
    inside: nx.DiGraph[int] = nx.DiGraph()
    inside.add_node(entry)
    enabled: dict[int, set[int]] = {}
    edges: dict[int, tuple[int, int]] = {}
    here = labels[part.sources] == labels[entry]
    for action, source, target in zip(
        *(each[here].tolist() for each in (part.actions, part.sources, part.targets)), strict=True
    ):
        enabled.setdefault(action, set()).add(source)
        if target != ELSEWHERE and labels[target] == labels[entry]:
            edges.setdefault(action, (source, target))
            if not inside.has_edge(source, target):
                inside.add_edge(source, target, action=action)
    if inside.number_of_edges() == 0:
        return ()
    walk, members = [entry], set(inside.nodes)
    taken: dict[int, int] = {}
    for action, is_fair in enumerate(fair):
        if not is_fair:
            continue
        idle = members - enabled.get(action, set())
        if idle:
            walk += nx.shortest_path(inside, walk[-1], min(idle))[1:]
        else:
            source, target = edges[action]
            walk += nx.shortest_path(inside, walk[-1], source)[1:]
            taken[len(walk) - 1] = action
            walk.append(target)
    walk += nx.shortest_path(inside, walk[-1], entry)[1:]
    return tuple(
        (taken.get(step, inside.edges[source, target]["action"]), int(part.states[target]))
        for step, (source, target) in enumerate(pairwise(walk))
    )
