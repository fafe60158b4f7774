"""A system as it looks through some of its variables, all others being arbitrary at every step.

What is proved of the projection holds of the system, and of every larger one that has the same actions on these
variables: nothing is assumed of what is not seen, not even that it is anything that can be reached.
"""

from __future__ import annotations

from collections.abc import Collection, Container
from dataclasses import replace
from typing import Any, TypeVar

from model.algebra import Expression, all_of, conjuncts, variables_of
from model.transitions import Action, TransitionSystem

S = TypeVar("S", bound=TransitionSystem[Any])


def projection(system: S, seen: Collection[Expression]) -> S:
    """The system with these variables alone; the actions that change none of them are left out. What an action reads of
    the others, it finds at any values of their domains, as an open number or flag."""
    kept = frozenset(seen)
    variables = tuple(variable for variable in system.variables if variable.expression in kept)
    actions = [within(action, kept) for action in system.actions]
    return replace(system, variables=variables, actions=tuple(action for action in actions if action.updates))


def within(action: Action, seen: Container[Expression]) -> Action:
    """The action with its effect on those variables alone."""
    return replace(action, updates=tuple(change for change in action.updates if change[0].expression in seen))


def by_itself(system: S, seen: Collection[Expression]) -> S:
    """The projection, with every condition on what is not seen left out of the guards: the actions of a part of the
    system by itself, which are possible at least where the system's are. Raises `ValueError` if what they do to what is
    seen depends on what is not."""
    kept = frozenset(seen)
    part = projection(system, kept)
    unseen = frozenset(variable.expression for variable in system.variables) - kept
    for action in part.actions:
        if not unseen.isdisjoint(variables_of([value for _, value in action.updates])):
            raise ValueError(f"{action} of {action.node} is not an action of the part by itself")
    return replace(part, actions=tuple(_freed(action, unseen) for action in part.actions))


def _freed(action: Action, unseen: frozenset[Expression]) -> Action:
    """The action without the conditions that it puts on what is not seen."""
    known = (part for part in conjuncts(action.guard) if unseen.isdisjoint(variables_of([part])))
    return replace(action, guard=all_of(known))


def deeds(system: TransitionSystem[Any]) -> frozenset[tuple[object, ...]]:
    """What the actions are, to be compared with those of another system with the same variables."""
    return frozenset(
        (action.node, str(action), action.guard, frozenset((each.expression, value) for each, value in action.updates))
        for action in system.actions
    )
