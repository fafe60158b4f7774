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

from properties.engines.explorer import Graph
from properties.engines.vectorised import Mask

Labels = npt.NDArray[np.int32]
Indices = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Lasso:
    """A fair run that stays for ever: the state (by index) where its loop begins, and the loop's edges as (action,
    state after it). A loop without edges: no fair action is enabled, and nothing more happens."""

    entry: int
    loop: tuple[tuple[int, int], ...]


class FairRuns:
    """The fair runs of one graph; `fair` says of each action whether it is treated fairly.

    The states that lie on a cycle at all are found once; in the systems that are searched here they are few.
    """

    def __init__(self, graph: Graph, states: int, fair: Sequence[bool]) -> None:
        self.graph, self.states, self.fair = graph, states, fair
        self._edges: dict[int, list[tuple[Indices, Indices]]] = {}
        for action, sources, targets in graph.edges:
            self._edges.setdefault(action, []).append((sources, targets))
        labels = self._strongly_connected(np.ones(states, dtype=bool))
        self._cyclic: Mask = np.bincount(labels)[labels] > 1

    def lasso(self, stay: Mask) -> Lasso | None:
        """The fair run that stays within these states for ever and whose component is nearest to the initial state;
        none if there is none."""
        labels = self._components(stay)
        candidates = np.flatnonzero(self._entries(stay, labels))
        if not candidates.size:
            return None
        entry = int(candidates[0])
        return Lasso(entry, _loop(self.graph, labels, entry, self.fair))

    def entries(self, stay: Mask) -> Mask:
        """The states where the loop of a lasso can begin that stays within these states for ever."""
        return self._entries(stay, self._components(stay))

    def _entries(self, stay: Mask, labels: Labels) -> Mask:
        result: Mask = stay & self._can_stay(labels, stay)[labels]
        return result

    def _components(self, within: Mask) -> Labels:
        """Labels of the strongly connected components on these states; each other state is one by itself."""
        labels = np.arange(self.states, dtype=np.int32)
        repeating = within & self._cyclic
        labels[repeating] = self.states + self._strongly_connected(repeating)[repeating]
        return labels

    def _strongly_connected(self, within: Mask) -> Labels:
        """The strongly connected components of the graph on these states; every other state is one by itself."""
        inside = [
            (sources[both], targets[both])
            for _, sources, targets in self.graph.edges
            for both in [within[sources] & within[targets]]
        ]
        rows = np.concatenate([sources for sources, _ in inside] or [np.zeros(0, dtype=np.int32)])
        columns = np.concatenate([targets for _, targets in inside] or [np.zeros(0, dtype=np.int32)])
        matrix = coo_array((np.ones(len(rows), dtype=np.int8), (rows, columns)), shape=(self.states, self.states))
        _, labels = connected_components(matrix.tocsr(), directed=True, connection="strong")
        return np.asarray(labels, dtype=np.int32)

    def _can_stay(self, labels: Labels, stay: Mask) -> Mask:
        """For each component of these states, whether a run can stay in it for ever and be fair: no fair action is
        enabled in all of its states and taken within it in none."""
        sizes = np.bincount(labels)
        neglects = np.zeros(len(sizes), dtype=bool)
        for action in np.flatnonzero(self.fair).tolist():
            edges = self._edges.get(action)
            if edges is None:
                continue
            chosen = [stay[sources] for sources, _ in edges]
            pairs = [(sources[some], targets[some]) for (sources, targets), some in zip(edges, chosen, strict=True)]
            before, after = (labels[np.concatenate(ends)] for ends in zip(*pairs, strict=True))
            # Each source occurs once for an action, so that this counts the states in which it is enabled.
            enabled, taken = np.bincount(before, minlength=len(sizes)), np.zeros(len(sizes), dtype=bool)
            taken[before[before == after]] = True
            neglects |= (enabled == sizes) & (sizes > 0) & ~taken
        result: Mask = ~neglects
        return result


def _loop(graph: Graph, labels: Labels, entry: int, fair: Sequence[bool]) -> tuple[tuple[int, int], ...]:
    """A closed walk from the entry that, for each fair action, takes it or visits a state where it is disabled."""
    inside: nx.DiGraph[int] = nx.DiGraph()
    inside.add_node(entry)
    enabled: dict[int, set[int]] = {}
    edges: dict[int, tuple[int, int]] = {}
    for action, sources, targets in graph.edges:
        here = labels[sources] == labels[entry]
        enabled.setdefault(action, set()).update(sources[here].tolist())
        for source, target in zip(sources[here].tolist(), targets[here].tolist(), strict=True):
            if labels[target] == labels[entry]:
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
        (taken.get(step, inside.edges[source, target]["action"]), target)
        for step, (source, target) in enumerate(pairwise(walk))
    )
