"""Transition systems: what a machine hands to an engine, and the words in which a machine says what it does.

A *step* is a guarded command on one record: a guard and the record afterwards. A *transition* is the named, sourced
function that gives a step. An *action* is a transition of one node of a system with its arguments filled in. A
*transition system* is the initial state and all actions, and is all that an engine ever sees.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields, is_dataclass
from functools import cached_property
from typing import Any, Generic, TypeVar, cast

from model.algebra import Bool, Expression, Int, bool_variable, const, int_variable, name_of

S = TypeVar("S")


class ModelError(ValueError):
    """The model contradicts itself, for instance an action changes what the scope holds fixed."""


@dataclass(frozen=True)
class Step(Generic[S]):
    """A guarded command: where `when` holds, the state may become `then`."""

    when: Bool
    then: S

    def and_then(self, following: Callable[[S], Step[S]]) -> Step[S]:
        """Both steps as one: how a scope makes atomic what the protocol does in two steps."""
        second = following(self.then)
        return Step(self.when & second.when, second.then)


@dataclass(frozen=True)
class Transition:
    """A named function that gives a step; its docstring says what happens, `source` where the real code does it."""

    name: str
    source: str
    about: str
    function: Callable[..., Any]

    def __call__(self, *args: Any) -> Any:
        return self.function(*args)


def transition(source: str) -> Callable[[Callable[..., Any]], Transition]:
    """Declare a transition whose real counterpart is at `source` (repository path and function)."""

    def declare(function: Callable[..., Any]) -> Transition:
        about = " ".join((function.__doc__ or "").split())
        return Transition(function.__name__, source, about, function)

    return declare


@dataclass(frozen=True)
class Variable:
    """One leaf of the state: its expression, domain, initial value, and the attester that it belongs to, if any.

    `owner` is what symmetry permutes: interchangeable attesters own variables of the same domains in the same order.
    `shared` marks a variable that relates two attesters and so stands in the way of symmetry.
    """

    expression: Expression
    initial: int
    owner: str | None = None
    shared: bool = False

    @property
    def name(self) -> str:
        return name_of(self.expression)

    @property
    def is_boolean(self) -> bool:
        return isinstance(self.expression, Bool)

    @property
    def low(self) -> int | None:
        return self.expression.low

    @property
    def high(self) -> int | None:
        return self.expression.high


@dataclass(frozen=True)
class Namespace:
    """Where a machine declares its variables: a path such as `M.registry`, and what the variables belong to."""

    path: str = ""
    owner: str | None = None
    shared: bool = False
    declared: list[Variable] = field(default_factory=list)

    def within(self, name: str) -> Namespace:
        """The namespace of a part."""
        return Namespace(f"{self.path}.{name}" if self.path else name, self.owner, self.shared, self.declared)

    def owned_by(self, attester: str | None) -> Namespace:
        """The same path, for variables that belong to this attester; to two of them, if it is another's already."""
        shared = self.shared or (self.owner is not None and attester not in (None, self.owner))
        return Namespace(self.path, self.owner or attester, shared, self.declared)

    def number(self, name: str, low: int | None, high: int | None, initial: int) -> Int:
        """A number in low..high (None: unbounded on that side)."""
        path = self.within(name).path
        if (low is not None and initial < low) or (high is not None and initial > high):
            raise ModelError(f"{path} starts at {initial}, outside its domain {low}..{high}")
        if low is not None and low == high:
            return const(low)
        return cast(Int, self._declare(int_variable(path, low, high), initial))

    def flag(self, name: str, initial: bool) -> Bool:
        """A truth value."""
        return cast(Bool, self._declare(bool_variable(self.within(name).path), int(initial)))

    def _declare(self, expression: Expression, initial: int) -> Expression:
        self.declared.append(Variable(expression, initial, self.owner, self.shared))
        return expression


@dataclass(frozen=True)
class Action:
    """A transition of one node, with its arguments, as a guard and the variables that it changes.

    `choices` are variables that the action reads and the environment picks: free inputs for a solver. Engines that
    enumerate take systems whose actions have none.
    """

    transition: Transition
    node: str
    arguments: tuple[tuple[str, int | str], ...]
    guard: Bool
    updates: tuple[tuple[Variable, Expression], ...]
    choices: tuple[Expression, ...] = ()

    @property
    def name(self) -> str:
        return self.transition.name

    def __str__(self) -> str:
        return f"{self.name}({', '.join(f'{name}={value}' for name, value in self.arguments)})"


@dataclass(frozen=True)
class TransitionSystem(Generic[S]):
    """The state (a record of variables), its variables with their initial values, and the actions.

    Raises `ModelError` where engines would each understand something else: two variables of one name, an initial value
    outside its domain, an action that gives a variable two values, or two actions of a node that are told apart by
    nothing that a trace says.
    """

    name: str
    state: S
    variables: tuple[Variable, ...]
    actions: tuple[Action, ...]

    def __post_init__(self) -> None:
        names = [variable.name for variable in self.variables]
        calls = [f"{action} of {action.node}" for action in self.actions]
        for what in (names, calls, *([variable.name for variable, _ in action.updates] for action in self.actions)):
            twice = sorted({each for each in what if what.count(each) > 1}) if len(set(what)) < len(what) else []
            if twice:
                raise ModelError(f"{self.name}: {', '.join(twice)} twice")
        for each in self.variables:
            if (each.low is not None and each.initial < each.low) or (
                each.high is not None and each.initial > each.high
            ):
                raise ModelError(f"{each.name} starts at {each.initial}, outside its domain {each.low}..{each.high}")

    @cached_property
    def initial(self) -> dict[str, int]:
        """The initial state, by variable name."""
        return {variable.name: variable.initial for variable in self.variables}


def updates(
    before: object, after: object, variables: dict[Expression, Variable]
) -> tuple[tuple[Variable, Expression], ...]:
    """What changes from one record of variables to the next.

    Raises `ModelError` if something changes that the scope holds fixed.
    """
    changed = []
    for old, new in _differences(before, after):
        if old not in variables:
            raise ModelError(f"an action changes what the scope holds fixed at {old}: it becomes {new}")
        changed.append((variables[old], new))
    return tuple(changed)


def _differences(before: object, after: object) -> Iterator[tuple[Expression, Expression]]:
    """The expressions that differ, in the order of `leaves`; what is shared is not looked into."""
    if before is after:
        return
    if isinstance(before, Expression):
        yield before, cast(Expression, after)
    elif isinstance(before, tuple):
        for old, new in zip(before, cast("tuple[object, ...]", after), strict=True):
            yield from _differences(old, new)
    elif is_dataclass(before):
        for part in fields(before):
            yield from _differences(getattr(before, part.name), getattr(after, part.name))
