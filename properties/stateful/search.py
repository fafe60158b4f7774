"""Searching for a run that ends in a given condition, from scratch: how known defects are found again.

Hypothesis draws a run choice by choice. In half of the runs, each choice is an order of all actions, in which faults
mostly come last; the first action in this order that is enabled is taken. In the others most choices keep the order
that is in force, so that for a while somebody is fast and somebody slow. That finds defects far faster than the number
of an action would (`docs/stateful.md` has the figures).

What is found is shortened by leaving out steps, with those after them that are not possible any more. Hypothesis' own
shrinking takes a hundred times as long on such runs, as each attempt costs it a whole test, and ends with longer ones.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import combinations, count, islice, product
from random import Random
from typing import Generic, TypeVar

from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings, target
from hypothesis import strategies as st

from model.algebra import Bool
from properties.engines.stepper import State, Stepper
from properties.results.trace import Trace, record
from properties.stateful.models import FAULTS

ORDERS = 4096
"""How many orders of the actions there are to choose from."""
KEPT = 16
"""In half of the runs, one choice in so many changes the order."""
AT_ONCE = st.binary(min_size=32, max_size=32)
"""Choices, two bytes each: one draw is an order of magnitude faster than one for each choice."""
FAULTS_FIRST = 1 / 24
"""How often a choice prefers a fault: forged votes crowd out everything else where they are as likely as progress."""

EVERY_STRETCH = 16
"""Of stretches longer than this, not every length is left out of a run, but every half."""

Name = TypeVar("Name", bound=Hashable)
Condition = Callable[[State], bool]
Aim = Callable[[State], float]
"""What Hypothesis is to maximise over the states of a run."""
Again = Callable[[tuple[int, ...]], tuple[int, ...] | None]
"""What a new run takes of these actions until it ends as the first one did; none if it does not."""


@dataclass(frozen=True)
class Finding:
    """The first run that was drawn and ends in the condition, as actions by position; the shortest that it and those
    found after it shorten to; and how many runs were drawn, the first included."""

    drawn: tuple[int, ...]
    actions: tuple[int, ...]
    runs: int

    def trace(self, stepper: Stepper, claim: str) -> Trace:
        """The shortened run as a trace."""
        return record(stepper, self.actions, claim)


class _Over(Exception):
    """Ends the search."""


def holds(stepper: Stepper, condition: Bool) -> Condition:
    """The condition as a function of the state."""
    evaluate = stepper.evaluator(condition)
    return lambda state: bool(evaluate(state)[0])


def search(
    stepper: Stepper,
    conditions: Mapping[Name, Condition],
    seed_number: int,
    budget: int,
    longest: int,
    wanted: int = 10,
    aim: Aim | None = None,
) -> dict[Name, Finding]:
    """Draw runs of up to `longest` steps, at most `budget`, until each of the conditions is met in one, and then in
    `wanted`, or for as long again. Shorten the `wanted` shortest that meet it, and take the shortest of these: what is
    met in different ways shortens to different lengths. A condition that is not met has no finding. The same seed gives
    the same findings. With an `aim`, Hypothesis works towards it from half of the budget on."""
    scheduler, hunt = Scheduler(stepper), Hunt(conditions, wanted)

    @seed(seed_number)
    @settings(
        max_examples=budget,
        database=None,
        deadline=None,
        derandomize=False,
        phases=[Phase.generate, Phase.target],
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
        verbosity=Verbosity.quiet,
    )
    @given(st.data())
    def attempt(data: st.DataObject) -> None:
        hunt.follow(_draw_run(data, scheduler, longest), aim)
        if hunt.is_over:
            raise _Over

    with suppress(_Over):
        attempt()
    return {name: hunt.finding(name, stepper) for name in hunt.first}


class Hunt(Generic[Name]):
    """What a search has found so far: for each condition, the numbers of the runs that met it, the first of them, and
    the `wanted` shortest, up to there."""

    def __init__(self, conditions: Mapping[Name, Condition], wanted: int) -> None:
        self.conditions, self.wanted, self.runs = conditions, wanted, 0
        self.hits: dict[Name, list[int]] = {name: [] for name in conditions}
        self.first: dict[Name, list[int]] = {}
        self.shortest: dict[Name, list[list[int]]] = {name: [] for name in conditions}

    def follow(self, run: Iterator[tuple[State, list[int]]], aim: Aim | None) -> None:
        """Take in one more run, as its states, each with the actions that lead to it; to its end, as what is drawn must
        depend on nothing but the choices."""
        self.runs += 1
        sought, best = dict(self.conditions), float("-inf")
        for state, actions in run:
            for name in [name for name, condition in sought.items() if condition(state)]:
                self._add(name, list(actions))
                del sought[name]
            best = max(best, aim(state)) if aim else best
        if aim:
            target(best)

    def _add(self, name: Name, actions: list[int]) -> None:
        self.hits[name].append(self.runs)
        self.first.setdefault(name, actions)
        self.shortest[name] = sorted([*self.shortest[name], actions], key=len)[: self.wanted]

    @property
    def is_over(self) -> bool:
        """Whether there is nothing left to look for."""
        return all(map(self._is_over_for, self.hits.values()))

    def _is_over_for(self, hits: list[int]) -> bool:
        return len(hits) >= self.wanted or bool(hits and self.runs >= 2 * hits[0] + self.wanted)

    def finding(self, name: Name, stepper: Stepper) -> Finding:
        """The finding for a condition that was met."""
        candidates = [shortened(stepper, self.conditions[name], actions) for actions in self.shortest[name]]
        return Finding(tuple(self.first[name]), min(candidates, key=len), self.hits[name][0])


def faults_of(stepper: Stepper) -> frozenset[int]:
    """The actions, by position, that are faults."""
    return frozenset(place for place, action in enumerate(stepper.system.actions) if action.name in FAULTS)


class Scheduler:
    """What each choice means in one system."""

    def __init__(self, stepper: Stepper) -> None:
        self.stepper = stepper
        self._faults = faults_of(stepper)
        self._actions = len(stepper.system.actions)
        self._orders: dict[int, list[float]] = {}

    def order(self, choice: int) -> Callable[[int], float]:
        """The order that has this number."""
        if choice not in self._orders:
            self._orders[choice] = self._order(Random(choice))
        return self._orders[choice].__getitem__

    def _order(self, random: Random) -> list[float]:
        handicap = -1 if random.random() < FAULTS_FIRST else 1
        return [random.random() + handicap * (place in self._faults) for place in range(self._actions)]


def _draw_run(data: st.DataObject, scheduler: Scheduler, longest: int) -> Iterator[tuple[State, list[int]]]:
    """The states of a run, each with the actions that lead to it."""
    stepper = scheduler.stepper
    choices = _choices(data)
    first = next(choices)
    order, kept = scheduler.order(first // KEPT), KEPT if first % 2 else 1
    state, actions = stepper.initial, list[int]()
    yield state, actions
    for choice in islice(choices, longest):
        enabled = stepper.enabled(state)
        if not enabled:
            return
        if choice % kept == 0:
            order = scheduler.order(choice // KEPT)
        actions.append(min(enabled, key=order))
        state = stepper.apply(state, actions[-1])
        yield state, actions


def _choices(data: st.DataObject) -> Iterator[int]:
    while True:
        drawn = data.draw(AT_ONCE)
        yield from (high << 8 | low for high, low in zip(drawn[::2], drawn[1::2], strict=True))


def shortened(stepper: Stepper, condition: Condition, actions: Sequence[int]) -> tuple[int, ...]:
    """A shorter run that still meets the condition: no step, no two steps and no few successive ones can be left out,
    nor can all steps of one node be replaced by a single fault."""
    return without_needless(stepper, partial(_met, stepper, condition), actions)


def without_needless(
    stepper: Stepper, again: Again, actions: Sequence[int], budget: int | None = None
) -> tuple[int, ...]:
    """`shortened` for what is no matter of one state: `again` says whether a run still ends as this one does. It is
    asked no more often than the budget says, if there is one; what is left then may not be the shortest."""
    asked = iter(count() if budget is None else range(budget))
    shorter: tuple[int, ...] | None = tuple(actions)
    while shorter is not None:
        shortest = shorter
        attempts = (again(attempt) for attempt, _ in zip(_attempts(stepper, shortest), asked, strict=False))
        shorter = next((run for run in attempts if run is not None and len(run) < len(shortest)), None)
    return shortest


def _attempts(stepper: Stepper, actions: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """Runs that may be shorter: without long stretches first, then without single steps, then without pairs; and
    without a node, but with a fault."""
    for size in _stretches(len(actions) // 2):
        yield from (actions[:start] + actions[start + size :] for start in range(len(actions) - size + 1))
    for one, other in combinations(range(len(actions)), 2):
        yield actions[:one] + actions[one + 1 : other] + actions[other + 1 :]
    nodes = [action.node for action in stepper.system.actions]
    for node in dict.fromkeys(nodes):
        others = tuple(action for action in actions if nodes[action] != node)
        if len(others) + 1 < len(actions):
            for start, fault in product(range(len(others)), faults_of(stepper)):
                yield (*others[:start], fault, *others[start:])


def _stretches(longest: int) -> Iterator[int]:
    while longest > EVERY_STRETCH:
        yield longest
        longest //= 2
    yield from range(longest, 0, -1)


def _met(stepper: Stepper, condition: Condition, actions: Iterable[int]) -> tuple[int, ...] | None:
    """Those of the actions that are possible in turn, up to the first state that meets the condition, if any does."""
    state, taken = stepper.initial, list[int]()
    for action in actions:
        if condition(state):
            break
        if action in stepper.enabled(state):
            state = stepper.apply(state, action)
            taken.append(action)
    return tuple(taken) if condition(state) else None
