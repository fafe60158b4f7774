"""Monte-Carlo simulation of a transition system with delay laws: many runs at once, each at its own next event.

A run's next event is the smallest of its keys: the time at which an action is due, then random bits, which draw among
actions that are due at one time, then the action. The semantics are those of `properties.timing.laws`.

*Causes*: along each run's critical path. An action was enabled by the event just before; the time that it then waited
counts for the cause of its law, on top of what that event had counted. What counts starts anew with the stopwatch: at
each sealing, or, in a backlog, at each certificate; so the causes of a certificate sum to the time that it took.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from model.algebra import Bool
from model.service import AttestationSystem
from model.topology import MAIN
from properties.engines.stepper import State
from properties.timing.columns import Runs
from properties.timing.laws import CAUSES, CERTIFYING, HAVING, SEALING, Delay, Law, Limit, Never, Poll, law_of

Times = npt.NDArray[np.int64]

ACTION_BITS, DRAW_BITS = 10, 6
NOT_DUE = np.iinfo(np.int64).max


@dataclass(frozen=True)
class Sample:
    """What many runs came to, a row for each: the time that the last certificate took (`NOT_DUE` if it never came), and
    its causes, or in a backlog those of all certificates; how long the run was; certificates; looks of the polls, and
    those that found something; how long the QC finder had a number to look at and waited for another; and how many
    events there were in all. Times in milliseconds."""

    took: Times
    causes: Times
    lasted: Times
    certificates: npt.NDArray[np.int64]
    looks: npt.NDArray[np.int64]
    useful: npt.NDArray[np.int64]
    deaf: Times
    events: int


class Simulation:
    """Runs of one system, from one state, drawn with one generator."""

    def __init__(
        self,
        system: AttestationSystem,
        declared: dict[str, tuple[Law, Law]],
        start: State,
        runs: int,
        generator: np.random.Generator,
        backlog: bool = False,
        deaf: Bool | None = None,
    ) -> None:
        actions = system.actions
        self.laws = [law_of(action, declared) for action in actions]
        if backlog:
            self.laws = [Delay(0, 0) if a.name in HAVING else law for a, law in zip(actions, self.laws, strict=True)]
        self.random, self.count, self.backlog = generator, runs, backlog
        self.runs = Runs(system, start, runs)
        self.taken = [place for place, law in enumerate(self.laws) if not isinstance(law, Never)]
        watched = [actions[place].guard for place in self.taken]
        self.certified = self.runs.compile_rows(system.main.store.certified.largest)
        self.look = self.runs.compile([*watched, *([] if deaf is None else [deaf])])
        self.seals = [actions[place].name in SEALING for place in self.taken]
        self.certifies = [actions[p].name in CERTIFYING and actions[p].node == MAIN for p in self.taken]
        self.resets = self.certifies if backlog else self.seals
        self._declare([self.laws[place] for place in self.taken])

    def _declare(self, laws: list[Law]) -> None:
        """The laws as arrays by action, and the clocks."""
        size, shape = len(laws), (len(laws), self.count)
        delays = [law if isinstance(law, Delay) else Delay(0, 0) for law in laws]
        self.low = np.array([law.low for law in delays], dtype=np.int64)
        self.span = np.array([law.high - law.low for law in delays], dtype=np.float64)
        self.skew = np.array([law.skew for law in delays])
        self.period = np.array([law.period if isinstance(law, Poll) else 0 for law in laws], dtype=np.int64)
        self.every = np.array([law.every if isinstance(law, Limit) else 0 for law in laws], dtype=np.int64)
        self.burst = np.array([law.burst if isinstance(law, Limit) else 0 for law in laws], dtype=np.int64)
        self.cause = [CAUSES.index(law.cause) if law.cause in CAUSES else -1 for law in laws]
        cycle = np.maximum(self.period, self.every)[:, None]
        self.phase = (self.random.random(shape) * cycle).astype(np.int64)
        self.permits = np.repeat(self.burst[:, None], self.count, axis=1)
        self.refreshed = np.zeros(shape, dtype=np.int64)
        self.keys = np.full(shape, NOT_DUE)
        self.running = np.zeros(shape, dtype=bool)
        self.enabled = np.zeros(shape, dtype=bool)
        self.fresh = np.zeros(shape, dtype=bool)
        self.since = np.zeros(shape, dtype=np.int64)
        self.path = np.zeros((size, self.count, len(CAUSES)), dtype=np.int32)
        self.now = np.zeros(self.count, dtype=np.int64)
        self.last = np.zeros((self.count, len(CAUSES)), dtype=np.int32)
        self.deaf = np.zeros(self.count, dtype=np.int64)
        self.useful = np.zeros(self.count, dtype=np.int64)

    def run(self, certificates: int, longest: int = NOT_DUE) -> Sample:
        """Go on until each run has so many certificates, or has nothing more to do, or time is `longest`."""
        count, every = self.count, np.arange(self.count)
        first = self.certified(every) + 1
        took, started = np.full(count, NOT_DUE), np.zeros(count, dtype=np.int64)
        sealed = np.zeros((count, 0), dtype=np.int64)
        seals, done = np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.int64)
        causes = np.zeros((count, len(CAUSES)), dtype=np.int64)
        alive, events = np.ones(count, dtype=bool), 0
        while groups := self._advance(alive, longest):
            for action, rows in groups:
                events += len(rows)
                path = self._take(action, rows)
                if self.seals[action] and not self.backlog:
                    if seals[rows].max() == sealed.shape[1]:
                        sealed = np.pad(sealed, ((0, 0), (0, 8)))
                    sealed[rows, seals[rows]] = self.now[rows]
                    seals[rows] += 1
                if self.certifies[action]:
                    since = started[rows] if self.backlog else sealed[rows, self.certified(rows) - first[rows]]
                    took[rows] = self.now[rows] - since
                    causes[rows] = causes[rows] + path if self.backlog else path
                    done[rows] += 1
                    alive[rows] = done[rows] < certificates
                if self.resets[action]:
                    started[rows] = self.now[rows]
                    self.last[rows] = 0
                    self.path[:, rows] = 0
                    self.since[:, rows] = self.now[rows]
        took[done < certificates] = NOT_DUE
        looks = np.where(self.period[:, None], (self.now - self.phase) // np.maximum(self.period, 1)[:, None] + 1, 0)
        return Sample(took, causes, self.now, done, looks.sum(axis=0), self.useful, self.deaf, events)

    def _advance(self, alive: npt.NDArray[np.bool_], longest: int) -> list[tuple[int, npt.NDArray[np.intp]]]:
        """Start and stop clocks, and let time pass to the next event of each run: by action, whose next event it is."""
        watched = self.look()
        for place, holds in zip(range(len(self.taken)), watched, strict=False):
            self.enabled[place] = holds
        self.enabled &= alive
        np.greater(self.enabled, self.running, out=self.fresh)
        self._start_clocks(*np.divmod(np.flatnonzero(self.fresh), self.count))
        self.running |= self.enabled
        best = np.where(self.enabled, self.keys, NOT_DUE).min(axis=0)
        due = best >> (ACTION_BITS + DRAW_BITS)
        next_ones = (best != NOT_DUE) & (due <= longest)
        passing = next_ones & (due > self.now)
        np.copyto(self.running, self.enabled, where=passing)
        if len(watched) > len(self.taken):
            self.deaf += np.where(passing & watched[-1], due - self.now, 0)
        self.now[next_ones] = due[next_ones]
        alive &= next_ones
        rows = np.flatnonzero(next_ones)
        chosen = (best[rows] & ((1 << ACTION_BITS) - 1)).astype(np.uint16)
        order = np.argsort(chosen, kind="stable")
        rows, chosen = rows[order], chosen[order]
        ends = np.searchsorted(chosen, np.arange(len(self.taken) + 1))
        return [(a, rows[ends[a] : ends[a + 1]]) for a in range(len(self.taken)) if ends[a] < ends[a + 1]]

    def _start_clocks(self, action: npt.NDArray[np.intp], row: npt.NDArray[np.intp]) -> None:
        """When each of these actions is due, in these runs, in which they have just been enabled."""
        now, period, every = self.now[row], self.period[action], self.every[action]
        due = now + self.low[action]
        span = self.span[action]
        drawn = np.flatnonzero(span)
        due[drawn] += (span[drawn] * self.random.random(len(drawn)) ** self.skew[action[drawn]] + 0.5).astype(np.int64)
        polled = np.flatnonzero(period)
        since_look = (now[polled] - self.phase[action[polled], row[polled]]) % period[polled]
        due[polled] += period[polled] - since_look
        limited = np.flatnonzero(every)
        at = action[limited], row[limited]
        ticks = (now[limited] - self.phase[at]) // every[limited]
        self._refresh(at, ticks)
        wait = self.phase[at] + (ticks + 1) * every[limited]
        due[limited] = np.where(self.permits[at] > 0, now[limited], wait)
        draws = self.random.integers(0, 1 << DRAW_BITS, len(due))
        self.keys[action, row] = (((due << DRAW_BITS) | draws) << ACTION_BITS) | action
        self.since[action, row] = now
        self.path[action, row] = self.last[row]

    def _refresh(self, at: Any, ticks: Times) -> None:
        """Permits come back at whole ticks of the limiter's own clock, up to the burst."""
        self.permits[at] = np.minimum(self.burst[at[0]], self.permits[at] + ticks - self.refreshed[at])
        self.refreshed[at] = ticks

    def _take(self, action: int, rows: npt.NDArray[np.intp]) -> npt.NDArray[np.int32]:
        """Take an action in these runs; returns what its critical path has counted, by cause."""
        path: npt.NDArray[np.int32] = self.path[action, rows]
        if self.cause[action] >= 0:
            path[:, self.cause[action]] += (self.now[rows] - self.since[action, rows]).astype(np.int32)
        self.last[rows] = path
        if self.every[action]:
            at = np.full(len(rows), action), rows
            self._refresh(at, (self.now[rows] - self.phase[at]) // self.every[action])
            self.permits[at] -= 1
        if self.period[action]:
            self.useful[rows] += 1
        self.runs.apply(self.taken[action], rows)
        self.running[action, rows] = False
        return path
