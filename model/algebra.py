"""The small algebra in which every transition is written, once, for all engines.

A machine's state is a frozen record whose leaves are `Int` and `Bool` expressions; a transition is an ordinary Python
function from records to records. It is called once, on variables; what it returns is a graph of expressions, and each
engine evaluates that graph in its own way: on Python numbers, on numpy columns, on Z3 terms. So there is one text of
the protocol, and no `if` on state can slip into it: the truth value of an expression is an error.

Expressions are interned (equal ones are identical) and simplified as they are built, by constants and by the ranges of
their variables. A part of the system that a scope leaves out therefore vanishes from every guard.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import fields, is_dataclass, replace
from functools import lru_cache
from itertools import count
from typing import Any, NoReturn, TypeVar, cast
from weakref import WeakValueDictionary

T = TypeVar("T")


class Expression:
    """A node of the graph: an operator and its operands. `low` and `high` bound its value (None: no bound).

    `op` is one of `const`, `var`, `not`, `and`, `eq`, `le`, `add`, `scale`, `floordiv`, `where`; what has no operator
    of its own (`or`, `<`, `-`) is written with these.
    """

    __slots__ = ("__weakref__", "args", "high", "low", "op", "serial", "value")

    op: str
    args: tuple[Expression, ...]
    value: Any
    low: int | None
    high: int | None
    serial: int

    def __bool__(self) -> NoReturn:
        raise TypeError(
            "an expression has no truth value: write where(condition, a, b), &, | and ~ instead of if, and, or, not"
        )

    def __repr__(self) -> str:
        return render(self)

    @property
    def is_constant(self) -> bool:
        """Whether the value is known without a state."""
        return self.op == "const"


_serials = count()
_interned: WeakValueDictionary[tuple[object, ...], Expression] = WeakValueDictionary()


def _node(kind: type[T], op: str, args: tuple[Expression, ...], value: object, low: int | None, high: int | None) -> T:
    """The one expression with this operator, these operands and this value."""
    key = (kind, op, value, type(value), *map(id, args))
    found = _interned.get(key)
    if found is None:
        found = cast(Expression, kind.__new__(kind))
        found.op, found.args, found.value, found.low, found.high = op, args, value, low, high
        found.serial = next(_serials)
        _interned[key] = found
    return cast(T, found)


class Bool(Expression):
    """A truth value. Operators: `&`, `|`, `~`."""

    __slots__ = ()

    def __and__(self, other: Bool | bool) -> Bool:
        return all_of((self, truth(other)))

    __rand__ = __and__

    def __or__(self, other: Bool | bool) -> Bool:
        return any_of((self, truth(other)))

    __ror__ = __or__

    def __invert__(self) -> Bool:
        if self.is_constant:
            return TRUE if self is FALSE else FALSE
        if self.op == "not":
            return cast(Bool, self.args[0])
        return _node(Bool, "not", (self,), None, 0, 1)

    def iff(self, other: Bool) -> Bool:
        """Whether both have the same value."""
        return (self & other) | (~self & ~other)


class Int(Expression):
    """A whole number. Operators: `+`, `-`, `//` by a constant, and comparisons, which give a `Bool`."""

    __slots__ = ()

    def __add__(self, other: Int | int) -> Int:
        return total((self, _int(other)))

    __radd__ = __add__

    def __sub__(self, other: Int | int) -> Int:
        return total((self, _scale(_int(other), -1)))

    def __rsub__(self, other: int) -> Int:
        return const(other) - self

    def __floordiv__(self, divisor: int) -> Int:
        if self.is_constant:
            return const(self.value // divisor)
        low = None if self.low is None else self.low // divisor
        high = None if self.high is None else self.high // divisor
        return _node(Int, "floordiv", (self,), divisor, low, high)

    # Comparing expressions gives an expression, as in z3 and numpy; object.__eq__ promises a bool.
    def __eq__(self, other: object) -> Bool:  # type: ignore[override]
        return _equal(self, _int(other))

    def __ne__(self, other: object) -> Bool:  # type: ignore[override]
        return ~_equal(self, _int(other))

    __hash__ = Expression.__hash__

    def __le__(self, other: Int | int) -> Bool:
        return _at_most(self, _int(other))

    def __lt__(self, other: Int | int) -> Bool:
        return ~_at_most(_int(other), self)

    def __ge__(self, other: Int | int) -> Bool:
        return _at_most(_int(other), self)

    def __gt__(self, other: Int | int) -> Bool:
        return ~_at_most(self, _int(other))


TRUE: Bool = _node(Bool, "const", (), True, 1, 1)
FALSE: Bool = _node(Bool, "const", (), False, 0, 0)


@lru_cache(maxsize=1 << 12, typed=True)
def const(value: int) -> Int:
    """The expression that always has this value."""
    return _node(Int, "const", (), value, value, value)


def _int(value: object) -> Int:
    if isinstance(value, Int):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return const(value)
    raise TypeError(f"a number or an Int expression is needed here, not {value!r}")


def truth(value: Bool | bool) -> Bool:
    """The expression for a truth value."""
    if isinstance(value, Bool):
        return value
    return TRUE if value else FALSE


def int_variable(name: str, low: int | None, high: int | None) -> Int:
    """A number that the state (or an action's argument) gives; a constant where its domain has one value."""
    if low is not None and low == high:
        return const(low)
    return _node(Int, "var", (), (name, low, high), low, high)


def bool_variable(name: str) -> Bool:
    """A truth value that the state (or an action's argument) gives."""
    return _node(Bool, "var", (), (name, 0, 1), 0, 1)


def name_of(variable: Expression) -> str:
    """The name that a variable was declared with."""
    return str(variable.value[0])


def _disjoint(a: Int, b: Int) -> bool:
    return (a.high is not None and b.low is not None and a.high < b.low) or (
        b.high is not None and a.low is not None and b.high < a.low
    )


def _equal(a: Int, b: Int) -> Bool:
    if a is b:
        return TRUE
    if _disjoint(a, b):
        return FALSE
    if a.is_constant and b.is_constant:
        return TRUE if a.value == b.value else FALSE
    for choice, other in ((a, b), (b, a)):
        if choice.op == "where" and other.is_constant and _has_constant_arm(choice):
            condition, then, otherwise = cast("tuple[Bool, Int, Int]", choice.args)
            return where(condition, then == other, otherwise == other)
    # Constants stand second; otherwise the order of creation decides, so that a == b and b == a are one node.
    first, second = (b, a) if a.is_constant or (not b.is_constant and a.serial > b.serial) else (a, b)
    return _node(Bool, "eq", (first, second), None, 0, 1)


def _has_constant_arm(choice: Int) -> bool:
    return any(arm.is_constant for arm in choice.args[1:])


def _at_most(a: Int, b: Int) -> Bool:
    if a is b or (a.high is not None and b.low is not None and a.high <= b.low):
        return TRUE
    if a.low is not None and b.high is not None and a.low > b.high:
        return FALSE
    return _node(Bool, "le", (a, b), None, 0, 1)


def all_of(conditions: Iterable[Bool | bool]) -> Bool:
    """Whether every condition holds; true for none."""
    parts: dict[Expression, None] = {}
    for condition in map(truth, conditions):
        if condition is FALSE:
            return FALSE
        if condition is not TRUE:
            parts.update(dict.fromkeys(condition.args if condition.op == "and" else (condition,)))
    if any(~cast(Bool, part) in parts for part in parts):
        return FALSE
    parts = _absorb(parts)
    if not parts:
        return TRUE
    if len(parts) == 1:
        return cast(Bool, next(iter(parts)))
    return _node(Bool, "and", tuple(parts), None, 0, 1)


def _absorb(parts: dict[Expression, None]) -> dict[Expression, None]:
    """Drop `not (p and ...)` where `not p` is a part already."""
    return {
        part: None
        for part in parts
        if not (part.op == "not" and part.args[0].op == "and")
        or not any(~cast(Bool, inner) in parts for inner in part.args[0].args)
    }


def any_of(conditions: Iterable[Bool | bool]) -> Bool:
    """Whether some condition holds; false for none."""
    return ~all_of(~truth(condition) for condition in conditions)


def total(terms: Iterable[Int | int]) -> Int:
    """The sum; 0 for none."""
    offset = 0
    parts: list[Int] = []
    for term in map(_int, terms):
        if term.is_constant:
            offset += term.value
        elif term.op == "add":
            offset += term.value
            parts += cast("tuple[Int, ...]", term.args)
        else:
            parts.append(term)
    if not parts:
        return const(offset)
    if len(parts) == 1 and offset == 0:
        return parts[0]
    low = None if any(part.low is None for part in parts) else offset + sum(cast(int, part.low) for part in parts)
    high = None if any(part.high is None for part in parts) else offset + sum(cast(int, part.high) for part in parts)
    return _node(Int, "add", tuple(parts), offset, low, high)


def _scale(term: Int, factor: int) -> Int:
    if term.is_constant:
        return const(term.value * factor)
    if factor == 1:
        return term
    ends = (term.low, term.high) if factor > 0 else (term.high, term.low)
    low, high = (None if end is None else end * factor for end in ends)
    return _node(Int, "scale", (term,), factor, low, high)


def where(condition: Bool | bool, then: T, otherwise: T) -> T:
    """`then` if the condition holds, else `otherwise`: expressions, records or tuples of them, of one shape."""
    condition = truth(condition)
    if then is otherwise or condition is TRUE:
        return then
    if condition is FALSE:
        return otherwise
    if isinstance(then, Bool | bool):
        other = cast("Bool | bool", otherwise)
        return cast(T, (condition & then) | (~condition & other))
    if isinstance(then, Int | int):
        return cast(T, _where_int(condition, _int(then), _int(otherwise)))
    if isinstance(then, tuple):
        pairs = zip(then, cast("tuple[Any, ...]", otherwise), strict=True)
        return cast(T, tuple(where(condition, a, b) for a, b in pairs))
    changes = {
        field.name: where(condition, getattr(then, field.name), getattr(otherwise, field.name))
        for field in fields(cast(Any, then))
    }
    return cast(T, replace(cast(Any, then), **changes))


def _where_int(condition: Bool, then: Int, otherwise: Int) -> Int:
    if then is otherwise:
        return then
    if condition.op == "not":
        condition, then, otherwise = cast(Bool, condition.args[0]), otherwise, then
    low = None if then.low is None or otherwise.low is None else min(then.low, otherwise.low)
    high = None if then.high is None or otherwise.high is None else max(then.high, otherwise.high)
    return _node(Int, "where", (condition, then, otherwise), None, low, high)


def greatest(terms: Sequence[Int]) -> Int:
    """The greatest of some numbers. Those that are never greater than some other are left out."""
    distinct = dict.fromkeys(terms)
    needed = [a for a in distinct if not any(a is not b and _at_most(a, b) is TRUE for b in distinct)]
    result = needed[0]
    for term in needed[1:]:
        result = _where_int(result <= term, term, result)
    return result


def leaves(record: object) -> Iterator[Expression]:
    """The expressions of a record, in the order of its fields."""
    if isinstance(record, Expression):
        yield record
    elif isinstance(record, tuple):
        for part in record:
            yield from leaves(part)
    elif is_dataclass(record):
        for field in fields(record):
            yield from leaves(getattr(record, field.name))


def conjuncts(condition: Bool) -> tuple[Bool, ...]:
    """The conditions that `condition` is the conjunction of."""
    return cast("tuple[Bool, ...]", condition.args) if condition.op == "and" else (condition,)


def post_order(roots: Iterable[Expression]) -> list[Expression]:
    """Every expression below the roots, operands first, each once."""
    done: dict[Expression, None] = {}
    stack = [(root, False) for root in reversed(list(roots))]
    while stack:
        node, ready = stack.pop()
        if node in done:
            continue
        if ready:
            done[node] = None
        else:
            stack.append((node, True))
            stack.extend((arg, False) for arg in reversed(node.args))
    return list(done)


def variables_of(roots: Iterable[Expression]) -> list[Expression]:
    """The variables that the expressions read."""
    return [node for node in post_order(roots) if node.op == "var"]


_RENDER: dict[str, Callable[[Expression, list[str]], str]] = {
    "const": lambda node, _: str(node.value),
    "var": lambda node, _: name_of(node),
    "not": lambda _, args: f"not {args[0]}",
    "and": lambda _, args: "(" + " and ".join(args) + ")",
    "eq": lambda _, args: f"({args[0]} = {args[1]})",
    "le": lambda _, args: f"({args[0]} <= {args[1]})",
    "add": lambda node, args: "(" + " + ".join([*args, *([str(node.value)] if node.value else [])]) + ")",
    "scale": lambda node, args: f"{node.value}*{args[0]}",
    "floordiv": lambda node, args: f"({args[0]} // {node.value})",
    "where": lambda _, args: f"({args[1]} if {args[0]} else {args[2]})",
}


def render(expression: Expression) -> str:
    """The expression as text, for messages."""
    texts: dict[Expression, str] = {}
    for node in post_order([expression]):
        texts[node] = _RENDER[node.op](node, [texts[arg] for arg in node.args])
    return texts[expression]
