"""Exhaustive exploration: breadth-first, a whole frontier at a time, with exact deduplication.

A state is stored as its key, with what tells states of one key apart beside it (`properties.engines.storage`): two
states with one key are an error, never merged. What has been visited is kept in *shards*, each for the keys from one
bound to the next, as a few sorted runs that are merged as they grow; shards are divided as they grow, so that a merge
takes little memory besides.

The order of states is by level, and by key within a level; so counts, indices and traces are the same in every run, in
however many processes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from model.algebra import Bool
from model.transitions import TransitionSystem
from properties.engines.crew import Crew
from properties.engines.memory import NotEnoughMemory
from properties.engines.packing import Words
from properties.engines.room import PIECE, Room
from properties.engines.stepper import State, Stepper
from properties.engines.storage import Storage, Stored
from properties.engines.successors import Successors
from properties.engines.vectorised import Vectorised
from properties.engines.visited import Columns, Recent, Run, Visited, concatenate, take

CHUNK = 1 << 16
"""How many states are expanded at a time: their columns stay in the processor's cache."""

MANY = 1 << 17
"""A search with more states is worth more than one process."""


@dataclass
class Exploration:
    """What a search has seen; the `levels` as they are stored. `complete` is false if it was cut short, by a bound, an
    interrupt or because it is `out_of_memory`, which then says what is lacking; then nothing is exhausted. `processes`:
    how many had a share of it."""

    vectorised: Vectorised
    symmetry: bool
    start: State
    storage: Storage
    levels: list[Stored] = field(default_factory=list)
    transitions: int = 0
    complete: bool = False
    seconds: float = 0.0
    out_of_memory: str = ""
    processes: int = 1
    room: Room = field(default_factory=Room)

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
        for chunk in (chunk for level in self.levels for chunk in chunks(level)):
            small.append(chunk)
            states += len(chunk[0])
            if states >= CHUNK:
                yield self.storage.decode(concatenate(small))
                small, states = [], 0
        if small:
            yield self.storage.decode(concatenate(small))

    def chosen(self, states: npt.NDArray[np.int64]) -> Iterator[Words]:
        """The states with these numbers, which ascend, many at a time."""
        for start in range(0, len(states), CHUNK):
            some = states[start : start + CHUNK]
            parts, first = [take(self.levels[0], slice(0, 0))], 0
            for level in self.levels:
                low, high = np.searchsorted(some, (first, first + len(level[0])))
                if low < high:
                    parts.append(take(level, some[low:high] - first))
                first += len(level[0])
            yield self.storage.decode(concatenate(parts))

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

    @cached_property
    def successors(self) -> Successors:
        """The successors of stored states; with symmetry, the representatives of their classes."""
        return Successors(self.vectorised, self.storage, self.vectorised.packing.canonical if self.symmetry else None)

    def stored(self, state: State) -> Stored:
        """A state as it is stored; with symmetry, the representative of its class."""
        words = self.vectorised.packing.pack([state])
        return self.storage.encode(self.vectorised.packing.canonical(words) if self.symmetry else words)

    def state(self, level: int, place: int) -> State:
        """One state."""
        return self.vectorised.packing.unpack(self.level(level, slice(place, place + 1)))[0]


def chunks(words: Columns) -> Iterator[Columns]:
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
    processes: int = 1,
) -> Exploration:
    """Every state that can be reached, level by level; `watch` sees the search after each level, and then an interrupt,
    or want of memory, leaves what has been searched, cut short, and is not raised.

    The search begins at the initial state, or at `start`. It is cut short after the first level with a state where
    `until` holds, and once there are `max_states`, which is looked at after each chunk. Without that bound, a large
    search is shared among so many `processes`.

    With `symmetry`, states that differ by a permutation of interchangeable attesters count once. Raises
    `UnsoundSymmetry` where the attesters are not interchangeable, and `ProcessLost`.
    """
    started = time.perf_counter()
    vectorised = Vectorised(system)
    storage = Storage(vectorised.packing)
    search = Exploration(vectorised, symmetry, start or Stepper(system).initial, storage)
    reached = vectorised.holds(until) if until is not None else None
    alone = Expansion(search)
    frontier, expansion = alone.start(), cast("Expansion | Crew", alone)
    with ExitStack() as stack:
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
                is_alone = expansion is alone and not search.room.is_on_disk
                if is_alone and processes > 1 and max_states is None and search.states > MANY:
                    expansion = stack.enter_context(Crew(alone, frontier, processes))
                    search.processes = processes
                most = max_states - search.states if max_states is not None else None
                try:
                    frontier = expansion.next_level(frontier.columns, most)
                except NotEnoughMemory:
                    if expansion is alone:
                        raise
                    # Once the others have given back their memory, the first can go on by itself: it has all levels.
                    stack.close()
                    expansion = alone = Expansion.on_disk(search)
                    frontier = alone.next_level(frontier.columns, most)
            search.complete = True
        except (KeyboardInterrupt, MemoryError) as error:
            if watch is None:
                raise
            search.out_of_memory = (str(error) or "memory") if isinstance(error, MemoryError) else ""
    search.seconds = time.perf_counter() - started
    return search


class Expansion:
    """How a search goes from level to level."""

    def __init__(self, search: Exploration) -> None:
        self.search = search
        self.visited = Visited(search.room)
        self.recent = Recent(search.storage)

    @staticmethod
    def on_disk(search: Exploration) -> Expansion:
        """How a search goes on that others have had a share of, on disk."""
        search.room.turn_to_disk()
        expansion = Expansion(search)
        for level in search.levels:
            expansion.visited.new(Run(level))
        return expansion

    def start(self) -> Run:
        """The level of the state where the search begins."""
        return self.visited.new(Run.of(self.search.stored(self.search.start)))

    def next_level(self, frontier: Stored, most: int | None) -> Run:
        """The new states that follow a level: all, or those of the first chunks that make so many."""
        if len(frontier[0]) >= CHUNK:
            self.search.room.is_short(PIECE)
        found = list[Run]()
        for candidates in self.successors(frontier, most is not None):
            found.append(self.visited.new(candidates))
            if most is not None and sum(map(len, found)) >= most:
                break
        return self.visited.merged(found)

    def successors(self, frontier: Stored, one_by_one: bool = False) -> Iterator[Run]:
        """The distinct successors of these states of a level, but for some that are known: of all at once, of as many
        as there is memory for, or of one chunk at a time."""
        search, found, taken = self.search, [take(frontier, slice(0, 0))], 0
        for chunk in chunks(frontier):
            for _, sources, after in search.successors.of(chunk):
                search.transitions += len(sources)
                found.append(self.recent.unknown(after))
                taken += sum(column.nbytes for column in found[-1])
            # They will be put together, sorted, and looked for.
            if one_by_one or search.room.is_short(2 * taken):
                yield _distinct(found)
                taken = 0
        yield _distinct(found)


def _distinct(found: list[Stored]) -> Run:
    """What was found, of which only the first part stays in the list: it has no states."""
    together = concatenate(found)
    del found[1:]
    return Run.of(together)


def first_where(search: Exploration, condition: Bool) -> tuple[int, int] | None:
    """The first state, as (level, place), in which the condition holds."""
    holds, before = search.vectorised.holds(condition), 0
    for words in search.pieces():
        found = np.flatnonzero(holds(words))
        if found.size:
            return search.located(before + int(found[0]))
        before += len(words[0])
    return None
