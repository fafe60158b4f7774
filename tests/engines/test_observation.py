"""Whether two systems look the same from outside: against a plain reference on random graphs."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from properties.engines.observation import Observed, Seen, differences

Graph = tuple[list[list[int]], list[Seen]]
MOST = 10_000


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    size = draw(st.integers(1, 6))
    successors = draw(st.lists(st.lists(st.integers(0, size - 1), max_size=3), min_size=size, max_size=size))
    seen = draw(st.lists(st.tuples(st.integers(0, 2)), min_size=size - 1, max_size=size - 1))
    return successors, [(0,), *seen]


def runs(graph: Graph, changes: int) -> Iterator[tuple[Seen, ...]]:
    """What is seen in every run with at most so many changes: each is followed state by state."""
    successors, seen = graph
    known = {((seen[0],), 0)}
    waiting = list(known)
    while waiting:
        sights, state = waiting.pop()
        for after in successors[state]:
            longer = sights if seen[after] == sights[-1] else (*sights, seen[after])
            if len(longer) <= changes + 1 and (longer, after) not in known:
                known.add((longer, after))
                waiting.append((longer, after))
    return iter({sights for sights, _ in known})


@given(graphs(), graphs())
def test_the_first_difference_is_the_one_that_enumeration_finds(one: Graph, other: Graph) -> None:
    found = differences(Observed(*one), Observed(*other), MOST)
    assert found.is_whole
    for only, here, there in ((found.first, one, other), (found.second, other, one)):
        changes = len(only) - 1 if only is not None else 5
        missing = set(runs(here, changes)) - set(runs(there, changes))
        if only is None:
            assert not missing
        else:
            assert tuple(only) in missing
            assert min(map(len, missing)) == len(only)


@given(graphs())
def test_a_system_looks_like_itself(graph: Graph) -> None:
    found = differences(Observed(*graph), Observed(*graph), MOST)
    assert (found.first, found.second, found.is_whole) == (None, None, True)


@given(graphs(), graphs())
def test_a_run_shows_what_it_is_to_show(one: Graph, other: Graph) -> None:
    found = differences(Observed(*one), Observed(*other), MOST)
    if found.first is not None:
        states = Observed(*one).run(found.first)
        sights = [one[1][state] for state in states]
        assert [now for at, now in enumerate(sights) if at == 0 or sights[at - 1] != now] == found.first
        assert all(after in one[0][state] for state, after in pairwise(states))


def test_a_search_that_is_cut_short_does_not_say_that_nothing_differs() -> None:
    def line(length: int) -> Observed:
        return Observed([[at + 1] for at in range(length)] + [[]], [(at % 2,) for at in range(length + 1)])

    assert not differences(line(9), line(8), 3).is_whole
    assert differences(line(9), line(8), MOST).first == [(at % 2,) for at in range(10)]
