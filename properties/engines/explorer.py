"""Exhaustive exploration: breadth-first, a whole frontier at a time, with exact deduplication.

A state is stored as its key, with what tells states of one key apart beside it (`properties.engines.storage`): two
states with one key are an error, never merged. What has been visited is kept in *shards*, each for the keys from one
bound to the next, as a few sorted runs that are merged as they grow; shards are divided as they grow, so that a merge
takes little memory besides.

The order of states is by level, and by key within a level; so counts, indices and traces are the same in every run, on
however many cores.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Literal, TypeVar

import numpy as np
import numpy.typing as npt

from model.algebra import Bool
from model.transitions import TransitionSystem
from properties.engines import EngineError
from properties.engines.memory import require
from properties.engines.packing import Words
from properties.engines.stepper import State, Stepper
from properties.engines.storage import Storage, Stored
from properties.engines.vectorised import Mask, Vectorised

Keys = npt.NDArray[np.unsignedinteger[Any]]
Columns = TypeVar("Columns", Words, Stored)
T = TypeVar("T")
U = TypeVar("U")

CHUNK = 1 << 15
"""How many states are expanded at a time: their columns stay in the processor's cache."""

FEW = 1 << 12
"""So few states are not worth another thread."""

SHARD = 1 << 20
"""A shard with more states is divided."""

RECENT = 20
"""The table of recent states has two to this power places: it, too, stays in the processor's cache."""

SPREAD = np.uint64(0xC2B2AE3D27D4EB4F)
"""A key times this, in its upper bits, is the place in that table."""


class HashCollision(EngineError):
    """Two different states have the same 64-bit key. The search stops rather than merge them."""


def take(words: Columns, chosen: Any) -> Columns:
    """These rows of every column."""
    return tuple(word[chosen] for word in words)


def compress(words: Stored, chosen: Mask) -> Stored:
    """The rows of every column where the mask is set."""
    return tuple(word.compress(chosen) for word in words)


def concatenate(parts: list[Columns]) -> Columns:
    """The columns of several sets of states, one after the other."""
    return tuple(np.concatenate(columns) for columns in zip(*parts, strict=True))


@dataclass(frozen=True)
class Run:
    """States in ascending order of their keys, without repetition."""

    columns: Stored

    @property
    def keys(self) -> Keys:
        """The keys of the states."""
        return self.columns[0]

    @staticmethod
    def of(columns: Stored, kind: Literal["quicksort", "stable"] = "quicksort") -> Run:
        """The distinct states among these, which do not stay in their order. A `stable` sort finds sorted parts, and
        merges them."""
        columns = _ordered(columns, kind)
        equal = columns[0][1:] == columns[0][:-1]
        if any((equal & (column[1:] != column[:-1])).any() for column in columns[1:]):
            raise HashCollision
        return Run(compress(columns, np.concatenate([[True], ~equal])[: len(columns[0])]))

    @staticmethod
    def merged(runs: list[Run]) -> Run:
        """The states of runs that have none in common."""
        return Run(_ordered(concatenate([run.columns for run in runs]), "stable")) if len(runs) > 1 else runs[0]

    def __len__(self) -> int:
        return len(self.keys)

    def part(self, start: int, end: int) -> Run:
        """The states from one place to another."""
        return Run(take(self.columns, slice(start, end)))

    def places(self, columns: Stored) -> tuple[npt.NDArray[np.intp], Mask]:
        """Where each of these states is, and which of them are here at all; of the others the place means nothing."""
        place = np.searchsorted(self.keys, columns[0])
        found: Mask = self.keys.take(place, mode="clip") == columns[0]
        for mine, theirs in zip(self.columns[1:], columns[1:], strict=True):
            if (found & (mine.take(place, mode="clip") != theirs)).any():
                raise HashCollision
        return place, found


def _ordered(columns: Stored, kind: Literal["quicksort", "stable"]) -> Stored:
    if len(columns) == 1:
        columns[0].sort(kind=kind)
        return columns
    return take(columns, columns[0].argsort(kind=kind))


class Shard:
    """The states seen so far with keys between two bounds: sorted runs, each at least twice as long as the next."""

    def __init__(self, runs: Iterable[Run] = ()) -> None:
        self.runs = list(runs)

    def new(self, candidates: Run) -> Run:
        """Those candidates that have not been seen; they are, from now on."""
        for run in self.runs:
            if len(candidates):
                candidates = Run(compress(candidates.columns, ~run.places(candidates.columns)[1]))
        if len(candidates):
            self.runs.append(candidates)
        while len(self.runs) > 1 and 2 * len(self.runs[-1]) > len(self.runs[-2]):
            self.runs[-2:] = [Run.merged(self.runs[-2:])]
        return candidates

    def halves(self) -> tuple[Run, Run]:
        """All states, divided in the middle."""
        whole = Run.merged(self.runs)
        middle = len(whole) // 2
        return Run(_copied(whole.part(0, middle))), Run(_copied(whole.part(middle, len(whole))))


def _copied(run: Run) -> Stored:
    return tuple(column.copy() for column in run.columns)


class Cores:
    """So many threads that share the work on many states; numpy lets them run side by side."""

    def __init__(self, count: int) -> None:
        self.count = count
        self._pool = ThreadPoolExecutor(count) if count > 1 else None

    def map(self, work: Callable[[T], U], items: list[T]) -> Iterator[U]:
        """The results for all items, in their order."""
        return self._pool.map(work, items) if self._pool and len(items) > 1 else map(work, items)

    def __enter__(self) -> Cores:
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool:
            self._pool.shutdown(cancel_futures=True)

    def chunks(self, words: Columns) -> list[Columns]:
        """The states in pieces that fit into the cache, and that keep all cores busy."""
        return list(chunks(words, max(FEW, min(CHUNK, -(-len(words[0]) // self.count)))))


class Visited:
    """The states seen so far."""

    def __init__(self, cores: Cores) -> None:
        self.cores = cores
        self.shards = [Shard()]
        self.bounds: list[int] = []

    def new(self, candidates: Run) -> Run:
        """Those candidates that have not been seen; they are, from now on."""
        cuts = [0, *np.searchsorted(candidates.keys, np.array(self.bounds, dtype=np.uint64)), len(candidates)]
        parts = [candidates.part(start, end) for start, end in pairwise(cuts)]
        work = list(zip(self.shards, parts, strict=True))
        found = list(self.cores.map(lambda each: each[0].new(each[1]), work))
        self._divide()
        return Run(concatenate([run.columns for run in found]))

    def _divide(self) -> None:
        place = 0
        while place < len(self.shards):
            if sum(map(len, self.shards[place].runs)) > SHARD:
                lower, upper = self.shards[place].halves()
                self.shards[place : place + 1] = [Shard([lower]), Shard([upper])]
                self.bounds.insert(place, int(upper.keys[0]))
            else:
                place += 1


class Recent:
    """A table of states seen lately, each at the place that its key gives it, where the next one overwrites it.

    It is asked before anything is sorted. What it knows has been seen; what it does not know may have been, too.
    """

    def __init__(self, storage: Storage) -> None:
        self.table = [np.zeros(1 << RECENT, dtype=kind) for kind in storage.types]
        # An empty place must not look like a state that belongs there: the key 0 belongs to the place 0, and the key 1,
        # which stands there for now, does not.
        self.table[0][0] = 1

    def unknown(self, columns: Stored) -> Stored:
        """The states that the table does not know; it does from now on."""
        place = ((columns[0] * SPREAD) >> np.uint64(64 - RECENT)).view(np.int64)
        new = self.table[0].take(place, mode="clip") != columns[0]
        for known, column in zip(self.table[1:], columns[1:], strict=True):
            new |= known.take(place, mode="clip") != column
        columns, place = compress(columns, new), place.compress(new)
        for known, column in zip(self.table, columns, strict=True):
            known.put(place, column, mode="clip")
        return columns


@dataclass
class Exploration:
    """What a search has seen; the `levels` as they are stored. `complete` is false if it was cut short, by a bound, an
    interrupt or because it is `out_of_memory`; then nothing is exhausted."""

    vectorised: Vectorised
    symmetry: bool
    start: State
    storage: Storage
    levels: list[Stored] = field(default_factory=list)
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
        small, states = list[Stored](), 0
        for level in self.levels:
            small.append(level)
            states += len(level[0])
            if states >= CHUNK:
                yield from map(self.storage.decode, chunks(concatenate(small)))
                small, states = [], 0
        if small:
            yield from map(self.storage.decode, chunks(concatenate(small)))

    def chosen(self, states: npt.NDArray[np.int64]) -> Words:
        """The states with these numbers, which ascend."""
        parts, first = [take(self.levels[0], slice(0, 0))], 0
        for level in self.levels:
            cuts = np.searchsorted(states, (first, first + len(level[0])))
            parts.append(take(level, states[slice(*cuts)] - first))
            first += len(level[0])
        return self.storage.decode(concatenate(parts))

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


def chunks(words: Columns, size: int | None = None) -> Iterator[Columns]:
    """The states in pieces, of so many, or of as many as fit into the cache."""
    size = size or CHUNK
    for start in range(0, len(words[0]), size):
        yield take(words, slice(start, start + size))


def explore(
    system: TransitionSystem[Any],
    symmetry: bool = False,
    max_states: int | None = None,
    watch: Callable[[Exploration], None] | None = None,
    start: State | None = None,
    until: Bool | None = None,
    cores: int = 1,
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
    with Cores(cores) as shared:
        expansion = Expansion(search, shared)
        frontier = expansion.start()
        try:
            while len(frontier):
                search.levels.append(frontier.columns)
                search.seconds = time.perf_counter() - started
                if watch:
                    watch(search)
                if reached is not None and reached(storage.decode(frontier.columns)).any():
                    return search
                if max_states is not None and search.states >= max_states:
                    return search
                room = max_states - search.states if max_states is not None else None
                frontier = expansion.next_level(frontier.columns, room)
            search.complete = True
        except (KeyboardInterrupt, MemoryError) as error:
            if watch is None:
                raise
            search.out_of_memory = isinstance(error, MemoryError)
    search.seconds = time.perf_counter() - started
    return search


class Expansion:
    """How a search goes from level to level."""

    def __init__(self, search: Exploration, cores: Cores) -> None:
        self.search, self.cores = search, cores
        self.visited = Visited(cores)
        self.recents = [Recent(search.storage) for _ in range(cores.count)]

    def start(self) -> Run:
        """The level of the state where the search begins."""
        search = self.search
        state = search.vectorised.packing.pack([search.start])
        return self.visited.new(Run.of(search.storage.encode(search.normal(state))))

    def next_level(self, frontier: Stored, room: int | None) -> Run:
        """The new states that follow a level: all, or, when there is room for so many, those of the first chunks that
        fill it."""
        if room is None:
            return self.visited.new(self._successors(frontier))
        level = Run.of(take(frontier, slice(0, 0)))
        for chunk in chunks(frontier):
            new = self.visited.new(self._successors(chunk))
            level = Run.of(concatenate([level.columns, new.columns]), "stable")
            if len(level) >= room:
                break
        return level

    def _successors(self, frontier: Stored) -> Run:
        """The distinct successors of these states of a level."""
        found: list[Stored] = []
        taken = 0
        for transitions, after in self.cores.map(self._expanded, self.cores.chunks(frontier)):
            self.search.transitions += transitions
            found.append(after)
            taken += sum(column.nbytes for column in after)
            # They will be put together, sorted, and looked for.
            require(2 * taken)
        shares = [concatenate(found[first :: self.cores.count]) for first in range(min(self.cores.count, len(found)))]
        del found
        runs = list(self.cores.map(Run.of, shares))
        return runs[0] if len(runs) == 1 else Run.of(concatenate([run.columns for run in runs]), "stable")

    def _expanded(self, chunk: Stored) -> tuple[int, Stored]:
        """How many transitions begin in these states, and the states after them, but for some that are known."""
        search, recent = self.search, self.recents.pop()
        found, transitions = [take(chunk, slice(0, 0))], 0
        for _, sources, after in search.vectorised.successors(search.storage.decode(chunk)):
            transitions += len(sources)
            found.append(recent.unknown(search.storage.encode(search.normal(after))))
        self.recents.append(recent)
        return transitions, concatenate(found)


def first_where(search: Exploration, condition: Bool) -> tuple[int, int] | None:
    """The first state, as (level, place), in which the condition holds."""
    holds, before = search.vectorised.holds(condition), 0
    for words in search.pieces():
        found = np.flatnonzero(holds(words))
        if found.size:
            return search.located(before + int(found[0]))
        before += len(words[0])
    return None
