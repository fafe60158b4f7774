"""A lasso is found exactly where a fair run can stay for ever, and it is one: closed, and every action gets its due."""

from __future__ import annotations

from itertools import chain, combinations, product

import networkx as nx
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from properties.engines.fairness import FairRuns, Lasso
from properties.engines.graph import Edges, Graph

STATES, ACTIONS = 5, 3

Step = tuple[int, int, int]
"""(action, source, target); an action has one target at most in a state."""

steps = st.dictionaries(
    st.tuples(st.integers(0, ACTIONS - 1), st.integers(0, STATES - 1)), st.integers(0, STATES - 1), max_size=12
).map(lambda found: [(action, source, target) for (action, source), target in sorted(found.items())])


def graph_of(found: list[Step]) -> Graph:
    edges = []
    for start, action in product(range(STATES), range(ACTIONS)):
        here = [target for each, source, target in found if (each, source) == (action, start)]
        if here:
            edges.append(Edges(action, start, np.zeros(1, dtype=np.uint16), np.array(here, dtype=np.int32)))
    return Graph(np.arange(STATES + 1, dtype=np.int64), edges)


def is_fair(members: frozenset[int], found: list[Step], fair: tuple[bool, ...]) -> bool:
    """Whether a run that visits exactly these states for ever can be fair."""
    for action in range(ACTIONS):
        sources = {source for each, source, _ in found if each == action}
        inside = any(each == action and source in members and target in members for each, source, target in found)
        if fair[action] and members <= sources and not inside:
            return False
    return True


def has_fair_run(found: list[Step], stay: set[int], fair: tuple[bool, ...]) -> bool:
    """The same question by trying every set of states."""
    for members in chain.from_iterable(combinations(sorted(stay), size) for size in range(1, STATES + 1)):
        inside = nx.DiGraph((source, target) for _, source, target in found if {source, target} <= set(members))
        connected = len(members) == 1 or (len(inside) == len(members) and nx.is_strongly_connected(inside))
        if connected and is_fair(frozenset(members), found, fair):
            return True
    return False


@settings(max_examples=300, deadline=None)
@given(steps, st.sets(st.integers(0, STATES - 1)), st.tuples(*[st.booleans()] * ACTIONS))
def test_a_lasso_is_found_exactly_where_there_is_a_fair_run(
    found: list[Step], stay: set[int], fair: tuple[bool, ...]
) -> None:
    mask = np.array([state in stay for state in range(STATES)])
    lasso = FairRuns(graph_of(found), fair).lasso(mask)
    assert (lasso is not None) == has_fair_run(found, stay, fair)
    if lasso is not None:
        follow(lasso, found, stay, fair)


def follow(lasso: Lasso, found: list[Step], stay: set[int], fair: tuple[bool, ...]) -> None:
    """The loop is closed, keeps to the states, and is fair."""
    at, visited = lasso.entry, {lasso.entry}
    for action, target in lasso.loop:
        assert (action, at, target) in found
        at = target
        visited.add(at)
    assert at == lasso.entry
    assert visited <= stay
    actions_taken = {action for action, _ in lasso.loop}
    for action in range(ACTIONS):
        sources = {source for each, source, _ in found if each == action}
        assert not fair[action] or action in actions_taken or not visited <= sources
