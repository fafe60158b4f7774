"""Simplified or not, compiled for numbers or for columns: an expression has one value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.algebra import Bool, Expression, Int, all_of, any_of, const, int_variable, total, where
from model.transitions import TransitionSystem, Variable
from properties.engines.stepper import Stepper
from properties.engines.vectorised import Vectorised

LOW, HIGH = -1, 6
X, Y, Z = (int_variable(name, LOW, HIGH) for name in "xyz")
VARIABLES = (X, Y, Z)
SYSTEM = TransitionSystem("expressions", VARIABLES, tuple(Variable(v, 0) for v in VARIABLES), ())


@dataclass(frozen=True)
class Pair:
    """An expression of the algebra, and the same as a plain function of the variables' values."""

    symbolic: Expression
    plain: Callable[[tuple[int, ...]], int]


def numbers() -> st.SearchStrategy[Pair]:
    leaves = st.one_of(
        st.sampled_from([Pair(v, lambda s, i=i: s[i]) for i, v in enumerate(VARIABLES)]),
        st.integers(-3, 300).map(lambda n: Pair(const(n), lambda s: n)),
    )
    return st.recursive(leaves, _bigger, max_leaves=8)


def _bigger(inner: st.SearchStrategy[Pair]) -> st.SearchStrategy[Pair]:
    return st.one_of(
        st.builds(lambda a, b: Pair(a.symbolic + b.symbolic, lambda s: a.plain(s) + b.plain(s)), inner, inner),
        st.builds(lambda a, b: Pair(a.symbolic - b.symbolic, lambda s: a.plain(s) - b.plain(s)), inner, inner),
        st.builds(lambda a, d: Pair(a.symbolic // d, lambda s: a.plain(s) // d), inner, st.integers(1, 5)),
        st.builds(_choice, inner, inner, inner, inner),
    )


def _choice(a: Pair, b: Pair, c: Pair, d: Pair) -> Pair:
    condition = (a.symbolic <= b.symbolic) & (a.symbolic != c.symbolic) | (d.symbolic == b.symbolic)
    chosen: Int = where(condition, c.symbolic, d.symbolic)

    def plain(s: tuple[int, ...]) -> int:
        holds = (a.plain(s) <= b.plain(s) and a.plain(s) != c.plain(s)) or d.plain(s) == b.plain(s)
        return c.plain(s) if holds else d.plain(s)

    return Pair(chosen, plain)


STATES = st.lists(st.tuples(*[st.integers(LOW, HIGH)] * 3), min_size=1, max_size=6)


@settings(deadline=None)
@given(numbers(), numbers(), STATES)
def test_all_engines_agree_with_plain_python(a: Pair, b: Pair, states: list[tuple[int, ...]]) -> None:
    expressions = [a.symbolic, a.symbolic < b.symbolic, ~(a.symbolic == b.symbolic)]
    expected = [(a.plain(s), a.plain(s) < b.plain(s), a.plain(s) != b.plain(s)) for s in states]
    evaluate = Stepper(SYSTEM).evaluator(*expressions)
    assert [evaluate(state) for state in states] == expected
    vectorised = Vectorised(SYSTEM)
    columns = vectorised.compile(expressions)(*vectorised.packing.pack(states))
    rows = [[np.broadcast_to(column, len(states))[row].item() for column in columns] for row in range(len(states))]
    assert rows == [list(row) for row in expected]


@given(numbers(), STATES)
def test_the_range_of_an_expression_holds_all_its_values(a: Pair, states: list[tuple[int, ...]]) -> None:
    low, high = a.symbolic.low, a.symbolic.high
    assert low is not None
    assert high is not None
    assert all(low <= a.plain(state) <= high for state in states)


def test_weights_up_to_u64_are_counted_exactly() -> None:
    half, rest = 2**63, 2**63 - 1
    weight = total([where(X == 1, const(half), const(0)), where(Y == 1, const(rest), const(0))])
    vectorised = Vectorised(SYSTEM)
    states = [(1, 1, 0), (1, 0, 0), (0, 1, 0)]
    column = vectorised.compile([weight, weight >= half])(*vectorised.packing.pack(states))
    assert [int(value) for value in column[0]] == [half + rest, half, rest]
    assert [bool(value) for value in column[1]] == [True, True, False]


def test_an_expression_has_no_truth_value() -> None:
    with pytest.raises(TypeError, match="no truth value"):
        bool(X == Y)
    with pytest.raises(TypeError, match="is needed here"):
        X + 0.5  # type: ignore[operator]


def test_equal_expressions_are_identical() -> None:
    assert (X == Y) is (Y == X)
    assert all_of([X == 1, Y == 2]) is all_of([X == 1, Y == 2])
    assert any_of([]) is ~all_of([])
    assert isinstance(X == 7, Bool)
    assert (X == 7).is_constant
