"""Exhaustive exploration: breadth-first, a whole frontier at a time, with exact deduplication.

A state is stored in one or more 64-bit words (`properties.engines.storage`). Where it is one, that word is its *key*;
where it is more, the key is a hash, and states with equal keys are compared in full: two states with one key are an
error, never merged. The visited keys are kept as a few sorted runs that are merged as they grow.

The order of states is by level, and by key within a level; so counts, indices and traces are the same in every run.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from model.algebra import Bool
from model.transitions import TransitionSystem
from properties.engines import EngineError
from properties.engines.packing import Words
from properties.engines.stepper import State, Stepper
from properties.engines.storage import Storage
from properties.engines.vectorised import Mask, Vectorised

Keys = npt.NDArray[np.uint64]
Indices = npt.NDArray[np.int64]

CHUNK = 1 << 16
"""How many states are expanded at a time: their columns stay in the processor's cache."""


RECENT = 20
"""The table of recent states has two to this power places: it, too, stays in the processor's cache."""

MULTIPLIERS = tuple(np.uint64(odd) for odd in (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9))


class HashCollision(EngineError):
    """Two different states have the same 64-bit key. The search stops rather than merge them."""


class IncompleteSearch(EngineError):
    """A search that came to its end has missed a state."""


def take(words: Words, chosen: Any) -> Words:
    """These rows of every column."""
    return tuple(word[chosen] for word in words)


def concatenate(parts: list[Words]) -> Words:
    """The columns of several sets of states, one after the other."""
    return tuple(np.concatenate(columns) for columns in zip(*parts, strict=True))


def keys_of(words: Words) -> Keys:
    """The key of each state: its word, or a hash of its words."""
    if len(words) == 1:
        return words[0]
    key = np.zeros_like(words[0])
    for word in words:
        key = key + word
        key = (key ^ (key >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        key = (key ^ (key >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        key ^= key >> np.uint64(31)
    return key


@dataclass(frozen=True)
class Run:
    """States in ascending order of their keys, without repetition."""

    keys: Keys
    words: Words

    @staticmethod
    def of(words: Words) -> Run:
        """The distinct states among these."""
        if len(words) == 1:
            keys = np.sort(words[0])
            keep = np.ones(len(keys), dtype=bool)
            np.not_equal(keys[1:], keys[:-1], out=keep[1:])
            keys = keys[keep]
            return Run(keys, (keys,))
        keys = keys_of(words)
        order = np.argsort(keys)
        keys, words = keys[order], take(words, order)
        equal = keys[1:] == keys[:-1]
        for word in words:
            if (equal & (word[1:] != word[:-1])).any():
                raise HashCollision
        keep = np.concatenate([np.ones(1, dtype=bool), ~equal])[: len(keys)]
        return Run(keys[keep], take(words, keep))

    @staticmethod
    def merged(one: Run, other: Run) -> Run:
        """The states of two runs that have none in common."""
        # A stable sort finds the two runs and merges them.
        if len(one.words) == 1:
            return _single(np.sort(np.concatenate([one.keys, other.keys]), kind="stable"))
        keys = np.concatenate([one.keys, other.keys])
        order = np.argsort(keys, kind="stable")
        return Run(keys[order], take(concatenate([one.words, other.words]), order))

    def __len__(self) -> int:
        return len(self.keys)

    def contains(self, other: Run) -> Mask:
        """Which of the other's states are here."""
        place = np.searchsorted(self.keys, other.keys)
        place[place == len(self.keys)] = 0
        found: Mask = self.keys[place] == other.keys
        if len(self.words) > 1:
            for mine, theirs in zip(self.words, other.words, strict=True):
                if (found & (mine[place] != theirs)).any():
                    raise HashCollision
        return found

    def without(self, chosen: Mask) -> Run:
        """The states that are not chosen."""
        return (
            Run(self.keys[~chosen], take(self.words, ~chosen)) if len(self.words) > 1 else _single(self.keys[~chosen])
        )


def _single(keys: Keys) -> Run:
    return Run(keys, (keys,))


class Visited:
    """The states seen so far: sorted runs, each at least twice as long as the next."""

    def __init__(self) -> None:
        self.runs: list[Run] = []

    def new(self, candidates: Run) -> Run:
        """Those candidates that have not been seen; they are, from now on."""
        for run in self.runs:
            candidates = candidates.without(run.contains(candidates))
        if len(candidates):
            self.runs.append(candidates)
        while len(self.runs) > 1 and 2 * len(self.runs[-1]) > len(self.runs[-2]):
            last, before = self.runs.pop(), self.runs.pop()
            self.runs.append(Run.merged(before, last))
        return candidates


class Recent:
    """A table of states seen lately, each at the place that its hash gives it, where the next one overwrites it.

    It is asked before anything is sorted. What it knows has been seen; what it does not know may have been, too.
    """

    def __init__(self, words: int) -> None:
        self.table = tuple(np.zeros(1 << RECENT, dtype=np.uint64) for _ in range(words))
        # An empty place must not look like a state that belongs there: the state 0 belongs to the place 0, and the
        # state 1, which stands there for now, does not.
        self.table[0][0] = 1

    def unknown(self, words: Words) -> Words:
        """The states that the table does not know; it does from now on."""
        place = words[0] * MULTIPLIERS[0]
        for word, multiplier in zip(words[1:], MULTIPLIERS[1:], strict=False):
            place ^= word * multiplier
        place >>= np.uint64(64 - RECENT)
        new = self.table[0][place] != words[0]
        for column, word in zip(self.table[1:], words[1:], strict=True):
            new |= column[place] != word
        words, place = take(words, new), place[new]
        for column, word in zip(self.table, words, strict=True):
            column[place] = word
        return words


@dataclass
class Exploration:
    """What a search has seen; the `levels` as they are stored. `complete` is false if it was cut short, by a bound, an
    interrupt or because it is `out_of_memory`; then nothing is exhausted."""

    vectorised: Vectorised
    symmetry: bool
    start: State
    storage: Storage
    levels: list[Words] = field(default_factory=list)
    transitions: int = 0
    complete: bool = False
    seconds: float = 0.0
    out_of_memory: bool = False

    @property
    def states(self) -> int:
        """How many states there are; with symmetry, classes of states."""
        return sum(len(level[0]) for level in self.levels)

    @property
    def growth(self) -> float:
        """How many times as large the last level is as the one before."""
        sizes = [len(level[0]) for level in self.levels[-2:]]
        return sizes[-1] / sizes[0] if sizes else 0.0

    @property
    def depth(self) -> int:
        """How many steps the farthest state is from the first one."""
        return len(self.levels) - 1

    def pieces(self) -> Iterator[Words]:
        """All states in the order of levels, many at a time, whatever the levels' sizes: what asks something of every
        state has a price for each time it asks."""
        small, states = list[Words](), 0
        for level in self.levels:
            small.append(level)
            states += len(level[0])
            if states >= CHUNK:
                yield from map(self.storage.decode, chunks(concatenate(small)))
                small, states = [], 0
        if small:
            yield from map(self.storage.decode, chunks(concatenate(small)))

    def level(self, level: int, chosen: slice = slice(None)) -> Words:
        """The states of a level, or some of them."""
        return self.storage.decode(take(self.levels[level], chosen))

    def located(self, index: int) -> tuple[int, int]:
        """The (level, place) of a state by its number."""
        for level, words in enumerate(self.levels):
            if index < len(words[0]):
                return level, index
            index -= len(words[0])
        raise IndexError(index)

    def normal(self, words: Words) -> Words:
        """The representatives of the states' classes."""
        return self.vectorised.packing.canonical(words) if self.symmetry else words

    def state(self, level: int, place: int) -> State:
        """One state."""
        return self.vectorised.packing.unpack(self.level(level, slice(place, place + 1)))[0]


def chunks(words: Words) -> Iterator[Words]:
    """The states in pieces that fit into the cache."""
    for start in range(0, len(words[0]), CHUNK):
        yield take(words, slice(start, start + CHUNK))


def explore(
    system: TransitionSystem[Any],
    symmetry: bool = False,
    max_states: int | None = None,
    watch: Callable[[Exploration], None] | None = None,
    start: State | None = None,
    until: Bool | None = None,
) -> Exploration:
    """Every state that can be reached, level by level; `watch` sees the search after each level, and then an interrupt,
    or want of memory, leaves what has been searched, cut short, and is not raised.

    The search begins at the initial state, or at `start`. It is cut short after the first level with a state where
    `until` holds, and once there are `max_states`, which is looked at after each chunk.

    With `symmetry`, states that differ by a permutation of interchangeable attesters count once. Raises
    `UnsoundSymmetry` where the attesters are not interchangeable.
    """
    started = time.perf_counter()
    vectorised = Vectorised(system)
    storage = Storage(vectorised.packing)
    search = Exploration(vectorised, symmetry, start or Stepper(system).initial, storage)
    reached = vectorised.holds(until) if until is not None else None
    visited, recent = Visited(), Recent(storage.columns)
    frontier = visited.new(Run.of(storage.encode(search.normal(vectorised.packing.pack([search.start])))))
    try:
        while len(frontier):
            search.levels.append(frontier.words)
            search.seconds = time.perf_counter() - started
            if watch:
                watch(search)
            if reached is not None and reached(storage.decode(frontier.words)).any():
                return search
            if max_states is not None and search.states >= max_states:
                return search
            room = max_states - search.states if max_states is not None else None
            frontier = _next_level(search, visited, recent, frontier.words, room)
        search.complete = True
    except (KeyboardInterrupt, MemoryError) as error:
        if watch is None:
            raise
        search.out_of_memory = isinstance(error, MemoryError)
    search.seconds = time.perf_counter() - started
    return search


def _next_level(search: Exploration, visited: Visited, recent: Recent, frontier: Words, room: int | None) -> Run:
    """The new states that follow a level: all, or, when there is room for so many, those of the first chunks that fill
    it."""
    if room is None:
        return visited.new(_successors(search, recent, frontier))
    level = Run.of(take(frontier, slice(0, 0)))
    for chunk in chunks(frontier):
        new = visited.new(_successors(search, recent, chunk))
        level = Run.of(concatenate([level.words, new.words]))
        if len(level) >= room:
            break
    return level


def _successors(search: Exploration, recent: Recent, frontier: Words) -> Run:
    """The distinct successors of these states of a level."""
    found = [take(frontier, slice(0, 0))]
    for chunk in chunks(frontier):
        for _, sources, after in search.vectorised.successors(search.storage.decode(chunk)):
            search.transitions += len(sources)
            found.append(recent.unknown(search.storage.encode(search.normal(after))))
    return Run.of(concatenate(found))


def first_where(search: Exploration, condition: Bool) -> tuple[int, int] | None:
    """The first state, as (level, place), in which the condition holds."""
    holds, before = search.vectorised.holds(condition), 0
    for words in search.pieces():
        found = np.flatnonzero(holds(words))
        if found.size:
            return search.located(before + int(found[0]))
        before += len(words[0])
    return None


@dataclass(frozen=True)
class Graph:
    """The edges between the states of a complete search, as pairs of indices in the order of levels; for each chunk
    of states and action, every source occurs once."""

    offsets: Indices
    edges: list[tuple[int, npt.NDArray[np.int32], npt.NDArray[np.int32]]]

    def locate(self, index: int) -> tuple[int, int]:
        """The (level, place) of a state."""
        level = int(np.searchsorted(self.offsets, index, side="right")) - 1
        return level, index - int(self.offsets[level])

    def predecessor(self, index: int) -> int:
        """The first state of the level before that has this one among its successors."""
        level, _ = self.locate(index)
        first, end = self.offsets[level - 1], self.offsets[level]
        found: list[int] = []
        for _, sources, targets in self.edges:
            if len(sources) and sources[0] < end and sources[-1] >= first:
                before = sources[targets == index]
                found += before[(before >= first) & (before < end)].tolist()
        return min(found)


def graph(search: Exploration) -> Graph:
    """Expand every state once more and look its successors up. Raises `ValueError` if the search was cut short, and
    `IncompleteSearch` if it was not and a successor is missing."""
    if not search.complete:
        raise ValueError("the search was cut short: its graph has edges that lead out of it")
    everything = concatenate(search.levels)
    order = np.argsort(keys_of(everything))
    ordered = take(everything, order)
    keys = keys_of(ordered)
    edges = []
    for start in range(0, len(keys), CHUNK):
        chunk = search.storage.decode(take(everything, slice(start, start + CHUNK)))
        for action, sources, after in search.vectorised.successors(chunk):
            place = _places(keys, ordered, search.storage.encode(search.normal(after)))
            if place is None:
                raise IncompleteSearch(f"{search.vectorised.system.actions[action]} leads out of what was searched")
            edges.append((action, (sources + start).astype(np.int32), order[place].astype(np.int32)))
    sizes = [len(level[0]) for level in search.levels]
    return Graph(np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64), edges)


def _places(keys: Keys, ordered: Words, wanted: Words) -> Indices | None:
    """Where each of these states is among those that are in the order of their keys; none if one is missing."""
    sought = keys_of(wanted)
    # In the order of their keys, they are looked for where the last one was found: that is in the processor's cache.
    by_key = np.argsort(sought)
    place = np.empty(len(sought), dtype=np.int64)
    place[by_key] = np.minimum(np.searchsorted(keys, sought[by_key]), len(keys) - 1)
    if any((column[place] != each).any() for column, each in zip(ordered, wanted, strict=True)):
        return None
    return place


def reachable_later(links: Graph, now: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """For each state the union of `now` (a set of bits) over all states that can be reached from it."""
    later = now.copy()
    blocks = [(sources, targets, _chunks_of(targets)) for _, sources, targets in links.edges if len(sources)]
    changed = np.ones(len(now) // CHUNK + 1, dtype=bool)
    while changed.any():
        before, changed = changed, np.zeros_like(changed)
        # Most edges lead on to later states, so that from the last ones back a sweep gets nearly everywhere; the next
        # one looks only at edges into what has changed since they were looked at.
        for sources, targets, reached in reversed(blocks):
            if before[reached].any() or changed[reached].any():
                old = later[sources]
                new = old | later[targets]
                if not np.array_equal(old, new):
                    later[sources] = new
                    changed[_chunks_of(sources)] = True
    return later


def _chunks_of(indices: npt.NDArray[np.int32]) -> Indices:
    """The chunks that these states are in."""
    return np.flatnonzero(np.bincount(indices // CHUNK))
