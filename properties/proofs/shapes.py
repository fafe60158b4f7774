"""Whether graphs of expressions are the same but for the names of variables, and the order of operands where it says
nothing. Such a comparison holds in every state, and for any numbers."""

from __future__ import annotations

from collections.abc import Container, Mapping

from model.algebra import Expression
from model.transitions import Action

COMMUTATIVE = frozenset({"and", "add", "eq"})

Renaming = Mapping[Expression, Expression]


class Shapes:
    """The shapes of expressions after a renaming, as numbers: equal ones, of all that share them, are equal shapes."""

    def __init__(self, renaming: Renaming, numbers: dict[tuple[object, ...], int]) -> None:
        self._numbers, self._renaming = numbers, renaming
        self._shapes: dict[Expression, int] = {}

    def __call__(self, expression: Expression) -> int:
        """The number of an expression's shape."""
        stack = [expression]
        while stack:
            node = stack[-1]
            if missing := [arg for arg in node.args if arg not in self._shapes]:
                stack += missing
            else:
                self._shapes.setdefault(stack.pop(), self._number(self._renaming.get(node, node)))
        return self._shapes[expression]

    def _number(self, node: Expression) -> int:
        operands = [self._shapes[arg] for arg in node.args]
        if node.op in COMMUTATIVE:
            operands.sort()
        key = (type(node), node.op, type(node.value), node.value, *operands)
        return self._numbers.setdefault(key, len(self._numbers))

    def of_action(self, action: Action, about: Container[Expression] | None = None) -> tuple[object, ...]:
        """What an action does: its guard, and its effect on the variables (all, or those that it is about)."""
        changes = (
            (each.expression, value) for each, value in action.updates if about is None or each.expression in about
        )
        return self(action.guard), frozenset((self(variable), self(value)) for variable, value in changes)
