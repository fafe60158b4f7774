"""The transitions between the states of a complete search, and what can be computed backwards over them.

States have numbers, in the order of levels. For each chunk of a level and each action there are the places in the chunk
where the action can be taken, and the states after it: six bytes a transition.

Most transitions lead to the next level, which is why states are looked for there first, and why sweeps go from the last
level to the first: after one of them little is left to be done.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby
from typing import Any

import numpy as np
import numpy.typing as npt

from properties.engines import EngineError
from properties.engines.explorer import MANY, Exploration
from properties.engines.storage import Stored
from properties.engines.vectorised import Mask
from properties.engines.visited import Run, compress, take
from properties.engines.workers import shared

Indices = npt.NDArray[np.int64]
Bits = npt.NDArray[np.unsignedinteger[Any]]

CHUNK = 1 << 16
"""A place in a chunk takes two bytes."""

BYTES = 6
"""What a transition takes."""


class IncompleteSearch(EngineError):
    """A search that came to its end has missed a state."""


@dataclass(frozen=True)
class Edges:
    """The transitions by one action from the states of one chunk, whose first state is `start`. No source is there
    twice."""

    action: int
    start: int
    places: npt.NDArray[np.uint16]
    after: npt.NDArray[np.int32]

    @property
    def sources(self) -> Indices:
        """The numbers of the states before."""
        return self.places.astype(np.int64) + self.start

    @property
    def targets(self) -> Indices:
        """The numbers of the states after."""
        return self.after.astype(np.int64)


@dataclass(frozen=True)
class Chunk:
    """The states from one number to another, at which no other chunk begins: all transitions from them, and for each
    action the first and the last of the chunks that it leads to."""

    start: int
    end: int
    edges: list[Edges]
    reach: list[tuple[int, int]]


@dataclass(frozen=True)
class Graph:
    """The transitions, by chunks in their order; `offsets` has the first state of each level, and their end."""

    offsets: Indices
    edges: list[Edges]

    @property
    def states(self) -> int:
        """How many states there are."""
        return int(self.offsets[-1])

    @cached_property
    def chunks(self) -> list[Chunk]:
        """The transitions by the chunks that they begin in; of others there are none."""
        starts = np.unique([each.start for each in self.edges])
        ends = np.minimum(starts + CHUNK, self.offsets[np.searchsorted(self.offsets, starts, side="right")])
        by_start = [list(group) for _, group in groupby(self.edges, lambda each: each.start)]
        # A state of no chunk counts to the one before, or to the first: it only makes others be looked at too often.
        reach = [
            [
                tuple(np.searchsorted(starts[1:], (each.after.min(), each.after.max()), side="right").tolist())
                for each in edges
            ]
            for edges in by_start
        ]
        return list(map(Chunk, starts.tolist(), ends.tolist(), by_start, reach))

    @cached_property
    def endless(self) -> Mask:
        """The states from which a run can go on for ever."""
        return _endless(self)

    def without(self, actions: Collection[int]) -> Graph:
        """The graph without the transitions by these actions."""
        if not actions:
            return self
        return replace(self, edges=[each for each in self.edges if each.action not in actions])

    def locate(self, index: int) -> tuple[int, int]:
        """The (level, place) of a state."""
        level = int(np.searchsorted(self.offsets, index, side="right")) - 1
        return level, index - int(self.offsets[level])

    def predecessor(self, index: int) -> int:
        """The first state of the level before that has this one among its successors."""
        level, _ = self.locate(index)
        first, end = (
            bisect_left(self.edges, bound, key=lambda each: each.start) for bound in self.offsets[level - 1 : level + 1]
        )
        before = ((each.start, each.places[each.after == index]) for each in self.edges[first:end])
        return min(start + int(places[0]) for start, places in before if places.size)


def graph(search: Exploration, processes: int = 1) -> Graph:
    """Expand every state once more and look its successors up, in so many processes if there are many.

    Raises `ValueError` if the search was cut short, `IncompleteSearch` if it was not and a successor is missing,
    `NotEnoughMemory`, and `ProcessLost`.
    """
    if not search.complete:
        raise ValueError("the search was cut short: its graph has edges that lead out of it")
    search.room.is_short(BYTES * search.transitions)
    lookup = Lookup(search)
    chunks = [(level, start) for level, words in enumerate(search.levels) for start in range(0, len(words[0]), CHUNK)]
    many = processes if search.states > MANY else 1
    found = shared(lookup.edges, chunks, many) if many > 1 else map(lookup.edges, chunks)
    every = (each for edges in found for each in edges)
    kept = [Edges(each.action, each.start, *search.room.kept((each.places, each.after))) for each in every]
    return Graph(lookup.offsets, kept)


class Lookup:
    """Where the successors of a search's states are."""

    def __init__(self, search: Exploration) -> None:
        self.search = search
        self.levels = [Run(level) for level in search.levels]
        self.offsets = np.cumsum([0, *map(len, self.levels)])
        self.steps = [Counter[int]() for _ in search.vectorised.system.actions]

    def edges(self, place: tuple[int, int]) -> list[Edges]:
        """The transitions from the states of the chunk that begins at this place, (level, place in it)."""
        return list(self._edges(*place))

    def _edges(self, level: int, start: int) -> Iterator[Edges]:
        search, first = self.search, int(self.offsets[level]) + start
        chunk = take(search.levels[level], slice(start, start + CHUNK))
        for action, sources, after in search.successors.of(chunk):
            yield Edges(action, first, sources.astype(np.uint16), self._targets(level, action, after))

    def _targets(self, level: int, action: int, wanted: Stored) -> npt.NDArray[np.int32]:
        """The numbers of these states, which an action leads to from a level."""
        found = np.empty(len(wanted[0]), dtype=np.int32)
        missing: Indices | None = None
        for there in self._likely(level, action):
            place, is_there = self.levels[there].places(wanted)
            place += self.offsets[there]
            if missing is None:
                found[:] = place
                missing = np.flatnonzero(~is_there)
            else:
                found[missing] = place
                missing = missing.compress(~is_there)
            self.steps[action][there - level] += len(place) - len(missing)
            if not len(missing):
                return found
            wanted = compress(wanted, ~is_there)
        raise IncompleteSearch(f"{self.search.vectorised.system.actions[action]} leads out of what was searched")

    def _likely(self, level: int, action: int) -> Iterator[int]:
        """The levels, those first to which most transitions by the action have led so far, from where they began; at
        first the next one, and those before it one by one."""
        known = [step for step, count in self.steps[action].most_common() if count]
        yield from (level + step for step in known if 0 <= level + step < len(self.levels))
        yield from (each for each in range(min(level + 1, len(self.levels) - 1), -1, -1) if each - level not in known)


def sweep(links: Graph, look: Callable[[Chunk, list[Edges]], bool]) -> None:
    """Look at each chunk of states, from the last to the first, and again at those with edges into what has changed
    since they were looked at, until nothing changes. `look` is given the chunk and these edges, and says whether it
    changes."""
    changed = np.ones(len(links.chunks), dtype=np.int64)
    looked = np.zeros(len(links.chunks), dtype=np.int64)
    now, last = 1, 0
    while last < now:
        last = now
        for number in reversed(range(len(links.chunks))):
            chunk = links.chunks[number]
            due = [
                each
                for each, (low, high) in zip(chunk.edges, chunk.reach, strict=True)
                if changed[low : high + 1].max() >= looked[number]
            ]
            if due:
                looked[number] = now + 1
                if look(chunk, due):
                    now += 1
                    changed[number] = now


def reachable_later(links: Graph, now: Bits) -> Bits:
    """For each state the union of `now` (a set of bits) over all states that can be reached from it."""
    later = now.copy()

    def look(chunk: Chunk, edges: list[Edges]) -> bool:
        part, is_changed = later[chunk.start : chunk.end], False
        for each in edges:
            places = each.places.astype(np.intp)
            old = part.take(places, mode="clip")
            new = old | later.take(each.targets, mode="clip")
            if not np.array_equal(old, new):
                part.put(places, new, mode="clip")
                is_changed = True
        return is_changed

    sweep(links, look)
    return later


def _endless(links: Graph) -> Mask:
    found = np.zeros(links.states, dtype=bool)
    for each in links.edges:
        found[each.sources] = True

    def look(chunk: Chunk, _: list[Edges]) -> bool:
        part = found[chunk.start : chunk.end]
        if not part.any():
            return False
        goes_on = np.zeros_like(part)
        for each in chunk.edges:
            goes_on[each.places.compress(found.take(each.targets, mode="clip"))] = True
        is_changed = bool((part & ~goes_on).any())
        part &= goes_on
        return is_changed

    sweep(links, look)
    return found
