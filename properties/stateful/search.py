"""Searching for a run that ends in a given condition, from scratch: how known defects are found again.

Hypothesis draws a run choice by choice. A choice stands for an order of all actions, in which faults mostly come last;
the first of them that is enabled is taken. That is a fair scheduler with rare faults, and finds defects far faster than
the number of an action would (`docs/stateful.md` has the figures).

What is found is shortened by leaving out steps, with those after them that are not possible any more. Hypothesis' own
shrinking takes a hundred times as long on such runs, as each attempt costs it a whole test, and ends with longer ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import combinations, count, product
from random import Random

from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings, target
from hypothesis import strategies as st

from model.algebra import Bool
from model.network import FAULTS
from model.system import AttestationSystem
from properties.claims.kinds import Kind, Property
from properties.engines.stepper import State, Stepper
from properties.trace import Trace, record

ORDERS = 4096
"""How many orders of the actions there are to choose from."""
FAULTS_FIRST = 1 / 24
"""How often a choice prefers a fault: forged votes crowd out everything else where they are as likely as progress."""

LONGEST_LOOK = 200
"""How far ahead a fair run looks."""

EVERY_STRETCH = 16
"""Of stretches longer than this, not every length is left out of a run, but every half."""

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


class _Found(Exception):
    """Ends the search."""


def holds(stepper: Stepper, condition: Bool) -> Condition:
    """The condition as a function of the state."""
    evaluate = stepper.evaluator(condition)
    return lambda state: bool(evaluate(state)[0])


def search(
    stepper: Stepper,
    condition: Condition,
    seed_number: int,
    budget: int,
    longest: int,
    wanted: int = 3,
    aim: Aim | None = None,
) -> Finding | None:
    """Draw runs of up to `longest` steps until `wanted` of them have met the condition, shorten these, and take the
    shortest: what is met in different ways shortens to different lengths. After `budget` runs, those that were found
    have to do; none if there is none. The same seed gives the same finding. With an `aim`, Hypothesis works towards it
    from half of the budget on."""
    scheduler = Scheduler(stepper)
    runs, found = 0, list[list[int]]()

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
        nonlocal runs
        runs += not found
        actions = _draw_run(data, scheduler, condition, longest, aim)
        if actions is not None:
            found.append(actions)
        if len(found) >= wanted and actions is not None:
            raise _Found

    with suppress(_Found):
        attempt()
    if not found:
        return None
    shortest = min((shortened(stepper, condition, actions) for actions in found[:wanted]), key=len)
    return Finding(tuple(found[0]), shortest, runs)


def faults_of(stepper: Stepper) -> frozenset[int]:
    """The actions, by position, that are faults."""
    names = {transition.name for transition in FAULTS}
    return frozenset(place for place, action in enumerate(stepper.system.actions) if action.name in names)


class Scheduler:
    """What each choice means in one system."""

    def __init__(self, stepper: Stepper) -> None:
        self.stepper = stepper
        self.choices = st.integers(0, ORDERS - 1)
        self._faults = faults_of(stepper)
        self._actions = len(stepper.system.actions)
        self._orders: dict[int, list[float]] = {}

    def pick(self, choice: int, enabled: list[int]) -> int:
        """The action, among the enabled ones, that the choice stands for."""
        if choice not in self._orders:
            self._orders[choice] = self._order(Random(choice))
        return min(enabled, key=self._orders[choice].__getitem__)

    def _order(self, random: Random) -> list[float]:
        handicap = -1 if random.random() < FAULTS_FIRST else 1
        return [random.random() + handicap * (place in self._faults) for place in range(self._actions)]


def _draw_run(
    data: st.DataObject, scheduler: Scheduler, condition: Condition, longest: int, aim: Aim | None
) -> list[int] | None:
    """The actions of a run that meets the condition; none if the run ends before."""
    stepper = scheduler.stepper
    state, actions, best = stepper.initial, list[int](), float("-inf")
    while not condition(state):
        best = max(best, aim(state)) if aim else best
        enabled = stepper.enabled(state)
        if not enabled or len(actions) == longest:
            if aim:
                target(best)
            return None
        actions.append(scheduler.pick(data.draw(scheduler.choices), enabled))
        state = stepper.apply(state, actions[-1])
    return actions


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


class Violation:
    """The condition that a state violates a property, and is of a kind of counterexample, if one is named.

    For a property of what must stay possible, that is decided by looking ahead: first along a fair run, then at every
    state that can be reached without the steps that the property does without. Small scopes only.
    """

    def __init__(self, stepper: Stepper, claim: Property, kind: str | None = None) -> None:
        system = stepper.system
        assert isinstance(system, AttestationSystem)
        self.stepper, self.claim = stepper, claim
        self._conjuncts = [
            (holds(stepper, conjunct.when & ~conjunct.holds), holds(stepper, conjunct.holds))
            for conjunct in claim.conjuncts(system)
        ]
        kinds = [candidate for candidate in claim.kinds if candidate.name == kind]
        self._is_of_kind = holds(stepper, kinds[0].holds(system)) if kinds else None
        self._counts = [action.name not in claim.without for action in system.actions]
        self._known: list[dict[State, bool]] = [{} for _ in self._conjuncts]

    def __call__(self, state: State) -> bool:
        """Whether the state is such a violation."""
        if self._is_of_kind is not None and not self._is_of_kind(state):
            return False
        failing = [place for place, (fails, _) in enumerate(self._conjuncts) if fails(state)]
        if self.claim.kind is Kind.ALWAYS:
            return bool(failing)
        return any(not self._can_come_true(place, state) for place in failing)

    def _can_come_true(self, place: int, state: State) -> bool:
        known = self._known[place]
        if state not in known and not self._comes_true_on_fair_run(place, state):
            self._look_ahead(place, state)
        return known[state]

    def _comes_true_on_fair_run(self, place: int, state: State) -> bool:
        goal, passed, last = self._conjuncts[place][1], [state], -1
        while not goal(passed[-1]):
            enabled = self._ways(passed[-1])
            if not enabled or len(passed) > LONGEST_LOOK:
                return False
            last = next((action for action in enabled if action > last), enabled[0])
            passed.append(self.stepper.apply(passed[-1], last))
        self._known[place].update(dict.fromkeys(passed, True))
        return True

    def _look_ahead(self, place: int, state: State) -> None:
        """Visit every later state, up to one from which the conjunct can come true."""
        goal, known = self._conjuncts[place][1], self._known[place]
        seen, ahead = {state}, [state]
        while ahead:
            here = ahead.pop()
            if goal(here) or known.get(here):
                known[state] = True
                return
            later = {self.stepper.apply(here, action) for action in self._ways(here) if known.get(here) is not False}
            ahead += later - seen
            seen |= later
        known.update(dict.fromkeys(seen, False))

    def _ways(self, state: State) -> list[int]:
        return [action for action in self.stepper.enabled(state) if self._counts[action]]
