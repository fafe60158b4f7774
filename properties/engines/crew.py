"""A search that several processes share: each has the states whose keys fall to it.

Level by level each process expands its states, hands the others what is theirs of the successors, and keeps what is new
of its own. The levels come out as from a single process: their order is that of the keys, whoever has found them.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import combinations
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING

import numpy as np

from properties.engines.memory import require
from properties.engines.storage import Stored
from properties.engines.visited import Run, compress, concatenate
from properties.engines.workers import Forked

if TYPE_CHECKING:
    from properties.engines.explorer import Expansion

SPREAD = np.uint64(0xD6E8FEB86659FD93)
"""A key times this, in its upper half, says whose it is: neighbours by their keys fall to different processes."""

HALF = np.uint64(32)


class Crew:
    """Processes that go on with a search from where it is, for the length of a `with`."""

    def __init__(self, expansion: Expansion, frontier: Run, count: int) -> None:
        self._search, self._before, self._count = expansion.search, expansion.search.transitions, count
        between = {pair: Pipe() for pair in combinations(range(count), 2)}
        works = []
        for place in range(count):
            others = [ends[pair.index(place)] for pair, ends in between.items() if place in pair]
            works.append(Share(place, count, expansion, frontier, others).search)
        self._forked = Forked(works)

    def next_level(self, _frontier: Stored, _room: int | None) -> Run:
        """The new states that follow the last level. Raises what has ended a process, `NotEnoughMemory`, and
        `ProcessLost`."""
        told: list[tuple[int, Stored]] = [self._forked.receive(place) for place in range(self._count)]
        require(2 * sum(column.nbytes for _, columns in told for column in columns))
        self._search.transitions = self._before + sum(transitions for transitions, _ in told)
        return Run.of(concatenate([columns for _, columns in told]), "stable")

    def __enter__(self) -> Crew:
        return self

    def __exit__(self, *exception: object) -> None:
        self._forked.__exit__(*exception)


@dataclass(frozen=True)
class Share:
    """What one of the processes does: the one in this `place` among so many, from this level on."""

    place: int
    count: int
    expansion: Expansion
    frontier: Run
    others: Sequence[Connection]

    def search(self, parent: Connection) -> None:
        """Go from level to level, until the parent ends it, and tell it of each."""
        visited, search = self.expansion.visited, self.expansion.search
        visited.keep(lambda run: self._parts(run)[self.place])
        # The first process can go on by itself on disk.
        search.room.disk = False
        frontier = self._parts(self.frontier)[self.place]
        before = search.transitions
        # Whoever sends waits for the receiver, who may be sending, too: so that is for another thread.
        with ThreadPoolExecutor(1) as sender:
            while True:
                (successors,) = self.expansion.successors(frontier.columns)
                parts = self._parts(successors)
                own = parts.pop(self.place)
                for other, part in zip(self.others, parts, strict=True):
                    sender.submit(other.send, part.columns)
                found = [own.columns, *(other.recv() for other in self.others)]
                frontier = visited.new(Run.of(concatenate(found), "stable"))
                sender.submit(parent.send, (search.transitions - before, frontier.columns))

    def _parts(self, run: Run) -> list[Run]:
        """What falls to each process."""
        whose = (((run.keys * SPREAD) >> HALF) * np.uint64(self.count)) >> HALF
        return [Run(compress(run.columns, whose == place)) for place in range(self.count)]
