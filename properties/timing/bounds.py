"""Exact bounds, by exhaustive search of a system with clocks: over any number of batches, any phases, any delays.

The property `certified_before_next_batch`: whenever a batch is sealed, the one before it has its certificate. Polls
come at any time within their interval unless they are `fixed`; the former has all runs of the latter.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from model.algebra import Expression
from properties.engines.explorer import Exploration, explore, first_where
from properties.engines.packing import Packing
from properties.engines.paths import path_to
from properties.engines.stepper import Stepper
from properties.timing.clocks import TICK, Timed
from properties.timing.laws import SEALING
from properties.timing.setting import Setting

MOST_STATES = 3_000_000
FEW_SEALINGS = 4
"""Runs with more sealings than this are not searched for a shorter one: it would take long."""


@dataclass(frozen=True)
class Holds:
    """It holds; and a certificate takes from `best` to `worst` milliseconds in all runs, both of them in some."""

    best: int
    worst: int
    states: int

    word = "HOLDS"


@dataclass(frozen=True)
class Broken:
    """A run breaks it: how many milliseconds after its start, with how many batches sealed; what happens in it, each
    with its time; and whether no run breaks it earlier, which is searched for where that is few batches."""

    after: int
    batches: int
    run: tuple[tuple[int, str], ...]
    is_shortest: bool

    word = "VIOLATED"


@dataclass(frozen=True)
class Unknown:
    """The search was cut short, having seen so many states."""

    states: int

    word = "UNKNOWN"


Found = Holds | Broken | Unknown


def certified_before_next_batch(setting: Setting, fixed: bool = False, most: int = MOST_STATES) -> Found:
    """Whether every batch has its certificate before the next one is sealed."""
    timed = setting.timed(fixed)
    late = latest_run(timed)
    if late is None:
        search = _search(timed, most)
        place = first_where(search, timed.waiting >= 2)
        if place is None:
            return _bounds(setting, timed, search) if search.complete else Unknown(search.states)
        late = path_to(search, Stepper(timed), place)
    return _earliest(setting, fixed, _broken(setting, timed, late), most)


def catching_up(setting: Setting) -> Found:
    """How long it takes from one certificate to the next while there are more batches to certify."""
    timed = setting.timed(backlog=True)
    search = _search(timed, MOST_STATES, is_backlog=True)
    return _bounds(setting, timed, search) if search.complete else Unknown(search.states)


def _earliest(setting: Setting, fixed: bool, found: Broken, most: int) -> Broken:
    """The earliest run that breaks the property, if the search says which one is: a batch less is a batch time less."""
    if found.batches > FEW_SEALINGS:
        return found
    if found.batches == 1:
        return replace(found, is_shortest=True)
    timed = setting.timed(fixed, sealings=found.batches - 1)
    search = _search(timed, most)
    place = first_where(search, timed.waiting >= 2)
    if place is None:
        return replace(found, is_shortest=search.complete)
    return _earliest(setting, fixed, _broken(setting, timed, path_to(search, Stepper(timed), place)), most)


def _search(timed: Timed, most: int, is_backlog: bool = False) -> Exploration:
    until = None if is_backlog else timed.waiting >= 2
    return explore(timed, Packing(timed).has_symmetry, most, until=until)


def _bounds(setting: Setting, timed: Timed, search: Exploration) -> Holds:
    """The least and the greatest reading of the stopwatch at which a certificate can be stored."""
    read = search.vectorised.compile(list[Expression]([timed.certifies, timed.stopwatch]))
    times: list[Any] = []
    for level in map(search.level, range(len(search.levels))):
        certifies, waited = read(*level)
        times.append(np.unique(waited[np.broadcast_to(certifies, level[0].shape)]))
    seen = np.concatenate(times)
    tick = setting.parameters.tick
    return Holds(int(seen.min()) * tick, int(seen.max()) * tick, search.states)


def latest_run(timed: Timed) -> list[int] | None:
    """The run in which all that can wait waits, if it breaks the property before it comes to a state again."""
    stepper = Stepper(timed)
    is_broken, is_forced = stepper.evaluator(timed.waiting >= 2), stepper.evaluator(*timed.forced)
    tick = next(place for place, action in enumerate(timed.actions) if action.transition is TICK)
    # Of what is forced at one instant, sealing comes first, which is the worst order.
    order = sorted(range(len(timed.actions)), key=lambda place: timed.actions[place].name not in SEALING)
    state, run, seen = stepper.initial, list[int](), set[Any]()
    while state not in seen:
        if is_broken(state)[0]:
            return run
        seen.add(state)
        forced = is_forced(state)
        run.append(next((place for place in order if forced[place]), tick))
        state = stepper.apply(state, run[-1])
    return None


def _broken(setting: Setting, timed: Timed, run: Sequence[int]) -> Broken:
    now, told = 0, list[tuple[int, str]]()
    for place in run:
        action = timed.actions[place]
        if action.transition is TICK:
            now += setting.parameters.tick
        else:
            told.append((now, f"{action.node} {action}"))
    batches = sum(timed.actions[place].name in SEALING for place in run)
    return Broken(now, batches, tuple(told), is_shortest=False)


def largest_poll(setting: Setting, most: int = MOST_STATES) -> tuple[int, Found]:
    """The largest poll interval, in milliseconds, for which the property holds, and what the search found there; a run
    breaks it with one tick more. (0, …) if there is none.

    Runs are searched for by halving; the exhaustive search has the last word.
    """
    tick = setting.parameters.tick

    def is_broken(ticks: int) -> bool:
        return latest_run(setting.polling(ticks * tick).timed()) is not None

    low = bisect_left(range(1, 4 * setting.parameters.batch_time // tick), True, key=is_broken)
    while low > 0:
        found = certified_before_next_batch(setting.polling(low * tick), most=most)
        if not isinstance(found, Broken):
            return low * tick, found
        low -= 1
    return 0, certified_before_next_batch(setting.polling(tick), most=most)
