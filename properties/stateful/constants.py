"""The model's machines on known values: a record of constants goes in, and one comes out.

The algebra folds what is known as it builds it, so a transition applied to constants has run. This is how one machine
is driven alone, without a system around it.
"""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar, cast

from model.algebra import TRUE, Bool, Expression, Int, const, truth
from model.registry_design.registry import Registry
from model.transitions import Step, TransitionSystem
from model.votes import NONE, Vote

T = TypeVar("T")


class NotConstant(ValueError):
    """An expression that should be known depends on a variable."""


def number(expression: Int) -> int:
    """The value of a constant number. Raises `NotConstant`."""
    return int(_value(expression))


def flag(expression: Bool) -> bool:
    """The value of a constant condition. Raises `NotConstant`."""
    return bool(_value(expression))


def _value(expression: Expression) -> Any:
    if not expression.is_constant:
        raise NotConstant(f"{expression} is not known")
    return expression.value


def initial(system: TransitionSystem[Any], record: T) -> T:
    """A part of the system's state with every variable at its initial value."""
    values = {variable.expression: variable.initial for variable in system.variables}
    return cast(T, _substituted(record, values))


def _substituted(record: Any, values: dict[Expression, int]) -> Any:
    if isinstance(record, Bool):
        return truth(bool(values[record])) if record in values else record
    if isinstance(record, Int):
        return const(values[record]) if record in values else record
    if isinstance(record, tuple):
        return tuple(_substituted(part, values) for part in record)
    if is_dataclass(record) and not isinstance(record, type):
        changes = {field.name: _substituted(getattr(record, field.name), values) for field in fields(record)}
        return replace(record, **changes)
    return record


def is_possible(step: Step[Any]) -> bool:
    """Whether the step's guard holds."""
    return flag(step.when)


def taken(step: Step[T]) -> T:
    """The record after a step whose guard holds. Raises `ValueError` if it does not."""
    if step.when is not TRUE:
        raise ValueError("the guard of the step does not hold")
    return step.then


def votes_in(votes: tuple[Vote, ...]) -> dict[int, tuple[int, int]]:
    """(number, hash) by attester, without those that have no vote."""
    return {
        key: (number(vote.number), number(vote.hash)) for key, vote in enumerate(votes) if number(vote.number) != NONE
    }


def votes_of(registry: Registry) -> dict[int, tuple[int, int]]:
    """The votes of a registry."""
    return votes_in(registry.votes)
