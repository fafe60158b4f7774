"""Shortest runs to states that a search has found: put together afterwards, as a search keeps no predecessors, and
taken step by step by the one-step engine.
"""

from __future__ import annotations

import numpy as np

from properties.engines.confirmation import NotConfirmed
from properties.engines.explorer import Exploration, chunks
from properties.engines.graph import Graph
from properties.engines.stepper import Stepper
from properties.engines.storage import Stored
from properties.engines.vectorised import Mask
from properties.engines.visited import take


def path_to(search: Exploration, stepper: Stepper, place: tuple[int, int], links: Graph | None = None) -> list[int]:
    """The actions of a shortest run from the start of the search to the state (level, place); with symmetry, to a
    state of its class. It is the same run with the graph and without."""
    waypoints = _linked(search, place, links) if links else _searched(search, place)
    state, actions = search.start, []
    for waypoint in reversed(waypoints[:-1]):
        for action, after in stepper.successors(state):
            if _same(search.stored(after), waypoint)[0]:
                actions.append(action)
                state = after
                break
        else:
            raise NotConfirmed(f"step {len(actions) + 1} of a run that the search has found is no step")
    return actions


def _linked(search: Exploration, place: tuple[int, int], links: Graph) -> list[Stored]:
    """The states of a shortest run, the last one first, by the edges of the graph."""
    level, index = place
    states = [int(links.offsets[level]) + index]
    for _ in range(level):
        states.append(links.predecessor(states[-1]))
    places = map(links.locate, states)
    return [take(search.levels[level], slice(index, index + 1)) for level, index in places]


def _searched(search: Exploration, place: tuple[int, int]) -> list[Stored]:
    """The states of a shortest run, the last one first, by expanding the levels anew."""
    level, index = place
    waypoints = [take(search.levels[level], slice(index, index + 1))]
    for earlier in range(level - 1, -1, -1):
        waypoints.append(_predecessor(search, search.levels[earlier], waypoints[-1]))
    return waypoints


def _same(states: Stored, target: Stored) -> Mask:
    """Which of the states are the target."""
    result = np.ones(len(states[0]), dtype=bool)
    for column, wanted in zip(states, target, strict=True):
        result &= column == wanted[0]
    return result


def _predecessor(search: Exploration, level: Stored, target: Stored) -> Stored:
    """The first state of the level that has the target among its successors."""
    for chunk in chunks(level):
        first = min(
            (
                int(sources[same][0])
                for _, sources, after in search.successors.of(chunk)
                if (same := _same(after, target)).any()
            ),
            default=None,
        )
        if first is not None:
            return take(chunk, slice(first, first + 1))
    raise NotConfirmed("a state of the search has no predecessor in the level before")
