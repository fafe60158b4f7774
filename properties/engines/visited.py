"""What a search has visited, with exact deduplication: states in sorted runs, and a table of those seen lately."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal, TypeVar

import numpy as np
import numpy.typing as npt

from properties.engines import EngineError
from properties.engines.packing import Words
from properties.engines.room import Room
from properties.engines.storage import Storage, Stored
from properties.engines.vectorised import Mask

Keys = npt.NDArray[np.unsignedinteger[Any]]
Columns = TypeVar("Columns", Words, Stored)

SHARD = 1 << 20
"""A shard with more states is divided."""

RECENT = 18
"""The table of recent states has two to this power places: it, too, stays in the processor's cache."""

SPREAD = np.uint64(0xC2B2AE3D27D4EB4F)
"""A key times this, in its upper bits, is the place in that table."""


class HashCollision(EngineError):
    """Two different states have the same 64-bit key. The search stops rather than merge them."""

    def __init__(self) -> None:
        super().__init__("two different states have the same key of 64 bits")


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

    def __init__(self, room: Room, runs: Iterable[Run] = ()) -> None:
        self.room = room
        self.runs = list(runs)

    def new(self, candidates: Run) -> Run:
        """Those candidates that have not been seen; they are, from now on."""
        for run in self.runs:
            if len(candidates):
                candidates = Run(compress(candidates.columns, ~run.places(candidates.columns)[1]))
        if len(candidates):
            self.runs.append(Run(self.room.kept(candidates.columns)))
        while len(self.runs) > 1 and 2 * len(self.runs[-1]) > len(self.runs[-2]):
            self.runs[-2:] = [Run(self.room.kept(Run.merged(self.runs[-2:]).columns))]
        return candidates

    def halves(self) -> tuple[Run, Run]:
        """All states, divided in the middle."""
        whole = Run.merged(self.runs)
        middle = len(whole) // 2
        return self._copied(whole.part(0, middle)), self._copied(whole.part(middle, len(whole)))

    def _copied(self, run: Run) -> Run:
        return Run(self.room.joined([run.columns], len(run), [column.dtype for column in run.columns]))


class Visited:
    """The states seen so far."""

    def __init__(self, room: Room) -> None:
        self.room = room
        self.shards = [Shard(room)]
        self.bounds: list[int] = []

    def new(self, candidates: Run) -> Run:
        """Those candidates that have not been seen; they are, from now on."""
        parts = zip(self.shards, self._parts(candidates), strict=True)
        found = [shard.new(part).columns for shard, part in parts]
        self._divide()
        return Run(concatenate(found))

    def merged(self, runs: list[Run]) -> Run:
        """The states of runs that have none in common: what belongs to a shard is merged at a time."""
        if len(runs) == 1:
            return Run(self.room.kept(runs[0].columns))
        parts = (Run.merged(list(parts)).columns for parts in zip(*map(self._parts, runs), strict=True))
        return Run(self.room.joined(parts, sum(map(len, runs)), [column.dtype for column in runs[0].columns]))

    def _parts(self, run: Run) -> Iterator[Run]:
        """What belongs to each shard."""
        cuts = [0, *np.searchsorted(run.keys, np.array(self.bounds, dtype=np.uint64)), len(run)]
        return (run.part(start, end) for start, end in pairwise(cuts))

    def keep(self, some: Callable[[Run], Run]) -> None:
        """Forget all but some states of each run."""
        for shard in self.shards:
            shard.runs = [kept for run in shard.runs if len(kept := some(run))]

    def _divide(self) -> None:
        place = 0
        while place < len(self.shards):
            if sum(map(len, self.shards[place].runs)) > SHARD:
                lower, upper = self.shards[place].halves()
                self.shards[place : place + 1] = [Shard(self.room, [lower]), Shard(self.room, [upper])]
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
