"""The one-step engine: one state, its actions and their successors, on plain Python numbers.

Hypothesis, replay and traces run on it; the explorer is checked against it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from itertools import compress, count
from math import inf
from typing import Any

from model.algebra import Expression
from model.transitions import Action, ModelError, TransitionSystem
from properties.engines.code import Numbers, compile_expressions

State = tuple[int, ...]
"""The values of the variables, in the order of the transition system; a Bool is 0 or 1."""


Effect = tuple[Callable[[State], tuple[int, ...]], list[tuple[int, float, float]]]
"""The new values; and which variables they are of, by place, each with its least and its largest value."""


class Stepper:
    """Runs a transition system one step at a time. It keeps no state of its own."""

    def __init__(self, system: TransitionSystem[Any]) -> None:
        self.system = system
        self.places = {variable.expression: place for place, variable in enumerate(system.variables)}
        self.initial: State = tuple(variable.initial for variable in system.variables)
        self._guard: dict[int, Callable[[State], tuple[int, ...]]] = {}
        self._effects: dict[int, Effect] = {}

    def _compile(self, roots: list[Expression]) -> Callable[[State], tuple[int, ...]]:
        return compile_expressions("evaluate", "state", roots, Numbers(self.places), {})

    @cached_property
    def _guards(self) -> Callable[[State], tuple[int, ...]]:
        return self._compile([action.guard for action in self.system.actions])

    @cached_property
    def index(self) -> dict[tuple[str, str], int]:
        """The position of an action, by node and text."""
        return {(action.node, str(action)): place for place, action in enumerate(self.system.actions)}

    def enabled(self, state: State) -> list[int]:
        """The positions of the actions whose guard holds."""
        return list(compress(count(), self._guards(state)))

    def is_enabled(self, state: State, action: int) -> bool:
        """Whether the guard of the action at this position holds."""
        if action not in self._guard:
            self._guard[action] = self._compile([self.system.actions[action].guard])
        return bool(self._guard[action](state)[0])

    def apply(self, state: State, action: int) -> State:
        """The state after an action whose guard holds. Raises `ModelError` if a variable leaves its domain."""
        if action not in self._effects:
            self._effects[action] = self._effect(self.system.actions[action])
        evaluate, changed = self._effects[action]
        after = list(state)
        for (place, low, high), value in zip(changed, evaluate(state), strict=True):
            if not low <= value <= high:
                name, taken = self.system.variables[place].name, self.system.actions[action]
                raise ModelError(f"{taken} takes {name} to {value}, outside {low}..{high}")
            after[place] = int(value)
        return tuple(after)

    def _effect(self, action: Action) -> Effect:
        changed = [
            (
                self.places[variable.expression],
                -inf if variable.low is None else variable.low,
                inf if variable.high is None else variable.high,
            )
            for variable, _ in action.updates
        ]
        return self._compile([value for _, value in action.updates]), changed

    def successors(self, state: State) -> Iterator[tuple[int, State]]:
        """Every action that can be taken, with the state after it."""
        for action in self.enabled(state):
            yield action, self.apply(state, action)

    def action(self, place: int) -> Action:
        """The action at this position."""
        return self.system.actions[place]

    def evaluator(self, *expressions: Expression) -> Callable[[State], tuple[int, ...]]:
        """A function from a state to the values of these expressions."""
        return self._compile(list(expressions))

    def named(self, state: State) -> Mapping[str, int]:
        """The state by variable name."""
        return {variable.name: value for variable, value in zip(self.system.variables, state, strict=True)}
