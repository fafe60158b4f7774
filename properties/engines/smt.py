"""Z3 terms from expressions: whole numbers for proofs without bounds, bit-vectors for bounded search.

The same graph that the other engines compile is translated node by node, each node once. What a variable stands for is
given by an *environment*: the state before a step, the state after it, the state at some depth of a run.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import z3

from model.algebra import Bool, Expression, name_of, post_order

Term = Any
"""A Z3 expression. Z3's Python package has no types of its own."""

Environment = Mapping[Expression, Term]
"""For each variable of the algebra the term that it stands for."""


class Unbounded(ValueError):
    """A bit-vector is asked for where the range of an expression is not known."""


class Numbers(ABC):
    """How the numbers of the algebra are represented."""

    @abstractmethod
    def constant(self, value: int) -> Term:
        """A known number."""

    @abstractmethod
    def variable(self, name: str) -> Term:
        """An unknown number."""

    @abstractmethod
    def quotient(self, node: Expression, term: Term) -> Term:
        """The quotient of `node`'s operand by its constant, rounded down."""

    @abstractmethod
    def value(self, term: Term) -> int:
        """The number that a model gives to a term."""


class WholeNumbers(Numbers):
    """Numbers without bounds: Z3's `Int`."""

    def constant(self, value: int) -> Term:
        return z3.IntVal(value)

    def variable(self, name: str) -> Term:
        return z3.Int(name)

    def quotient(self, node: Expression, term: Term) -> Term:
        # SMT-LIB's div rounds down for a positive divisor, as `//` does.
        if node.value <= 0:
            raise ValueError(f"{node} divides by {node.value}; only positive divisors round as in Python")
        return term / z3.IntVal(node.value)

    def value(self, term: Term) -> int:
        return int(term.as_long())


class BitVectors(Numbers):
    """Numbers in two's complement, all of one width that holds every value of the given expressions.

    Raises `Unbounded` if an expression among them has no range.
    """

    def __init__(self, roots: Iterable[Expression]) -> None:
        self.width = max((_width(node) for node in post_order(roots) if not isinstance(node, Bool)), default=1)

    def constant(self, value: int) -> Term:
        return z3.BitVecVal(value, self.width)

    def variable(self, name: str) -> Term:
        return z3.BitVec(name, self.width)

    def quotient(self, node: Expression, term: Term) -> Term:
        if node.args[0].low is None or node.args[0].low < 0 or node.value <= 0:
            raise Unbounded(f"{node} may be negative; bit-vectors divide natural numbers only")
        return z3.UDiv(term, self.constant(node.value))

    def value(self, term: Term) -> int:
        return int(term.as_signed_long())


def _width(node: Expression) -> int:
    """How many bits two's complement needs for every value of the expression."""
    if node.low is None or node.high is None:
        raise Unbounded(f"{node} has no bounds; bounded search needs a scope with a number of batches")
    return max(node.high, -node.low - 1).bit_length() + 1


class Terms:
    """The terms of expressions in one environment. Variables that it does not list get a term of their own name."""

    def __init__(self, numbers: Numbers, environment: Environment | None = None, at: str = "") -> None:
        self.numbers = numbers
        self._at = at
        self._terms: dict[Expression, Term] = dict(environment or {})

    def __call__(self, expression: Expression) -> Term:
        """The term of an expression."""
        if expression not in self._terms:
            for node in self._missing(expression):
                self._terms[node] = self._translate(node)
        return self._terms[expression]

    def _missing(self, expression: Expression) -> list[Expression]:
        """The expressions below this one that have no term yet, operands first."""
        found: dict[Expression, None] = {}
        stack = [(expression, False)]
        while stack:
            node, ready = stack.pop()
            if ready:
                found[node] = None
            elif node not in self._terms and node not in found:
                stack.append((node, True))
                stack.extend((arg, False) for arg in node.args)
        return list(found)

    def _translate(self, node: Expression) -> Term:
        args = [self._terms[arg] for arg in node.args]
        match node.op:
            case "const":
                return z3.BoolVal(node.value) if isinstance(node, Bool) else self.numbers.constant(node.value)
            case "var":
                name = f"{name_of(node)}{self._at}"
                return z3.Bool(name) if isinstance(node, Bool) else self.numbers.variable(name)
            case "not":
                return z3.Not(args[0])
            case "and":
                return z3.And(args)
            case "eq":
                return args[0] == args[1]
            case "le":
                return args[0] <= args[1]
            case "add":
                return z3.Sum([*args, *([self.numbers.constant(node.value)] if node.value else [])])
            case "scale":
                return args[0] * self.numbers.constant(node.value)
            case "floordiv":
                return self.numbers.quotient(node, args[0])
            case "where":
                return z3.If(args[0], args[1], args[2])
        raise AssertionError(node.op)

    def within_domain(self, variable: Expression) -> Term:
        """That the variable has a value of its declared domain, on which the algebra's simplification relies."""
        term = self(variable)
        bounds = []
        if not isinstance(variable, Bool):
            if variable.low is not None:
                bounds.append(term >= self.numbers.constant(variable.low))
            if variable.high is not None:
                bounds.append(term <= self.numbers.constant(variable.high))
        return conjunction(bounds)

    def read(self, model: Term, expression: Expression) -> int:
        """The value of an expression in a model; what the model leaves open is filled in."""
        value = model.eval(self(expression), model_completion=True)
        return int(z3.is_true(value)) if isinstance(expression, Bool) else self.numbers.value(value)


def conjunction(terms: Sequence[Term]) -> Term:
    """All of the terms; SMT-LIB knows no empty conjunction."""
    return z3.And(terms) if terms else z3.BoolVal(True)


def new_solver(logic: str | None = None) -> Term:
    """A solver, of all logics or of one. Z3 would take an interrupt for a question that it cannot answer, and go on."""
    made = z3.SolverFor(logic) if logic else z3.Solver()
    made.set("ctrl_c", False)
    return made


def statistics(solver: Term) -> dict[str, float]:
    """What the solver has counted so far, by name."""
    counted = solver.statistics()
    return dict(counted[place] for place in range(len(counted)))


def write_script(solver: Term, folder: Path, number: int, name: str, meaning: str) -> None:
    """Write what the solver is about to be asked as SMT-LIB; `meaning` says what an answer would mean."""
    folder.mkdir(parents=True, exist_ok=True)
    script = f"; {name}\n; {meaning}\n(set-logic ALL)\n{solver.to_smt2()}"
    (folder / f"{number:03}-{file_name(name)}.smt2").write_text(script, encoding="utf-8")


def file_name(name: str) -> str:
    """A name as part of a path."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
