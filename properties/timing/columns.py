"""Guards and effects on one numpy column for each variable: a state is a row, and many runs go on at once.

The explorer's packed words (`properties.engines.vectorised`) need bounds for every variable. Here batch numbers have
none.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from model.algebra import Expression
from model.transitions import TransitionSystem
from properties.engines.code import Columns, compile_expressions
from properties.engines.stepper import State

NUMBER = np.int16
"""Batch numbers up to 32,767."""


class PlainColumns(Columns):
    """The numpy dialect on columns of one type; Python's numbers take the type of what they meet."""

    def __init__(self, system: TransitionSystem[Any], rows: str) -> None:
        self.places = {variable.expression: place for place, variable in enumerate(system.variables)}
        self.rows = rows

    def read(self, node: Expression) -> str:
        return f"columns[{self.places[node]}]{self.rows}"

    def write(self, node: Expression, args: list[str]) -> str:
        match node.op:
            case "const":
                return repr(node.value)
            case "add":
                return f"({' + '.join([*args, str(node.value)])})"
            case "scale":
                return f"({node.value} * {args[0]})"
            case "floordiv":
                return f"({args[0]} // {node.value})"
            case "where":
                return f"where({', '.join(args)})"
        return super().write(node, args)


class Runs:
    """The states of many runs, as columns."""

    def __init__(self, system: TransitionSystem[Any], start: State, count: int) -> None:
        self.columns: list[npt.NDArray[Any]] = [
            np.full(count, value, dtype=bool if variable.is_boolean else NUMBER)
            for variable, value in zip(system.variables, start, strict=True)
        ]
        self._whole, self._some = PlainColumns(system, ""), PlainColumns(system, "[rows]")
        places = self._whole.places
        self._effects = [
            (
                [places[variable.expression] for variable, _ in action.updates],
                self._compile([value for _, value in action.updates], self._some),
            )
            for action in system.actions
        ]

    @staticmethod
    def _compile(roots: Sequence[Expression], dialect: PlainColumns) -> Callable[..., Any]:
        return compile_expressions("evaluate", "columns, rows", roots, dialect, {"where": np.where})

    def compile(self, roots: Sequence[Expression]) -> Callable[[], Any]:
        """A function to the values of the expressions in all runs, now."""
        evaluate = self._compile(roots, self._whole)
        return lambda: evaluate(self.columns, None)

    def compile_rows(self, root: Expression) -> Callable[[npt.NDArray[np.intp]], npt.NDArray[Any]]:
        """A function to the value of an expression in some runs, now."""
        evaluate = self._compile([root], self._some)
        return lambda rows: evaluate(self.columns, rows)[0].astype(np.int64)

    def apply(self, action: int, rows: npt.NDArray[np.intp]) -> None:
        """Take an action in these runs, in which its guard holds."""
        changed, evaluate = self._effects[action]
        for place, value in zip(changed, evaluate(self.columns, rows), strict=True):
            self.columns[place][rows] = value
