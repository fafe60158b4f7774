"""What can be seen of two systems: whether they have the same runs for whoever sees only a part of each state.

A step after which the same is seen is not noticed. Both systems are made deterministic over what is seen, set of states
by set of states, and searched together, breadth-first: so the answer is exact, and the first difference is one after
the fewest changes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Seen = tuple[int, ...]
States = frozenset[int]
Moves = Mapping[Seen, States]


class Observed:
    """A graph with what is seen of each of its states; it begins in state 0."""

    def __init__(self, successors: Sequence[Sequence[int]], seen: Sequence[Seen]) -> None:
        self.successors, self.seen = successors, seen
        self._moves: dict[States, Moves] = {}

    def moves(self, states: States) -> Moves:
        """The states after any of these, of which the same is seen, by what is seen there."""
        if states not in self._moves:
            self._moves[states] = self._moved(states)
        return self._moves[states]

    def _moved(self, states: States) -> Moves:
        here, reached = self.seen[next(iter(states))], set(states)
        waiting, found = list(states), dict[Seen, set[int]]()
        while waiting:
            for after in self.successors[waiting.pop()]:
                seen = self.seen[after]
                if seen != here:
                    found.setdefault(seen, set()).add(after)
                elif after not in reached:
                    reached.add(after)
                    waiting.append(after)
        return {seen: frozenset(after) for seen, after in found.items()}

    def run(self, sights: Sequence[Seen]) -> list[int]:
        """The states of a shortest run of which this is seen, one after the other. Raises `ValueError` if there is
        none."""
        begin = (0, 0)
        came: dict[tuple[int, int], tuple[int, int] | None] = {begin: None}
        waiting = deque([begin])
        while waiting:
            at, state = place = waiting.popleft()
            if at == len(sights) - 1:
                return _states(came, place)
            for after in self.successors[state]:
                follows = (at + (self.seen[after] != sights[at]), after)
                if follows not in came and self.seen[after] == sights[follows[0]]:
                    came[follows] = place
                    waiting.append(follows)
        raise ValueError("there is no such run")


def _states(came: Mapping[tuple[int, int], tuple[int, int] | None], last: tuple[int, int]) -> list[int]:
    states, place = list[int](), last
    while place is not None:
        states.append(place[1])
        place = came[place]  # type: ignore[assignment] # it ends there
    return states[::-1]


@dataclass(frozen=True)
class Differences:
    """What is seen in a run that only the first system has, and in one that only the second has; none where there is no
    such run, or, unless the search `is_whole`, where none was found."""

    first: list[Seen] | None
    second: list[Seen] | None
    is_whole: bool


def differences(first: Observed, second: Observed, most: int) -> Differences:
    """The runs after the fewest changes that one has and the other has not, up to `most` pairs of sets of states."""
    sides = first, second
    if first.seen[0] != second.seen[0]:
        return Differences([first.seen[0]], [second.seen[0]], True)
    only: list[list[Seen] | None] = [None, None]
    begin = (frozenset((0,)), frozenset((0,)))
    came = {begin: [first.seen[0]]}
    waiting = deque([begin])
    while waiting and not all(only):
        pair = waiting.popleft()
        moves = [side.moves(states) for side, states in zip(sides, pair, strict=True)]
        for here, there in ((0, 1), (1, 0)):
            missing = moves[here].keys() - moves[there].keys()
            if missing and only[here] is None:
                only[here] = [*came[pair], min(missing)]
        for seen in sorted(moves[0].keys() & moves[1].keys()):
            follows = moves[0][seen], moves[1][seen]
            if follows not in came:
                came[follows] = [*came[pair], seen]
                waiting.append(follows)
        if len(came) > most:
            return Differences(only[0], only[1], all(only))
    return Differences(only[0], only[1], True)
