"""Straight-line Python code from expressions: the same graph, compiled once for numbers and once for numpy columns.

A *dialect* says how each operator is written. Expressions that are used once are written in place; the others get a
name, so that nothing is computed twice. So do those that would be nested deeper than Python's parser allows, which a
chain of choices between many batches is.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from types import CodeType
from typing import Any, Protocol

from model.algebra import Bool, Expression, const, post_order

DEEPEST = 60
"""So deep are expressions written in place. Python's parser takes 200 parentheses, and an operator may need several."""


class Dialect(Protocol):
    """How an operator is written, given the texts of its operands."""

    def write(self, node: Expression, args: list[str]) -> str:
        """The text of one node."""


class Numbers:
    """Python numbers: `and`, `or`, conditional expressions. A variable is a place of the tuple `state`."""

    def __init__(self, places: Mapping[Expression, int]) -> None:
        self.places = places

    def write(self, node: Expression, args: list[str]) -> str:
        """The text of one node."""
        match node.op:
            case "const":
                return repr(node.value)
            case "var":
                return f"state[{self.places[node]}]"
            case "not":
                return f"(not {args[0]})"
            case "and":
                return f"({' and '.join(args)})"
            case "eq":
                return f"({args[0]} == {args[1]})"
            case "le":
                return f"({args[0]} <= {args[1]})"
            case "add":
                return f"({' + '.join(args)} + {node.value})" if node.value else f"({' + '.join(args)})"
            case "scale":
                return f"({node.value} * {args[0]})"
            case "floordiv":
                return f"({args[0]} // {node.value})"
            case "where":
                return f"({args[1]} if {args[0]} else {args[2]})"
        raise AssertionError(node.op)


TYPES = ("int8", "int16", "int32", "int64", "uint64")
DTYPES = (("int8", -(2**7), 2**7), ("int16", -(2**15), 2**15), ("int32", -(2**31), 2**31), ("int64", -(2**63), 2**63))


def dtype_of(node: Expression) -> str:
    """The smallest numpy type that holds every value of the expression and, for arithmetic, of its operands."""
    if isinstance(node, Bool):
        return "bool"
    if node.op in ("add", "scale"):
        return max((_smallest_type(part) for part in (node, *node.args, const(node.value))), key=TYPES.index)
    return _smallest_type(node)


def _smallest_type(node: Expression) -> str:
    if node.low is None or node.high is None:
        raise ValueError(f"{node} has no bounds; the explorer needs a scope with a number of batches")
    for name, low, high in DTYPES:
        if low <= node.low and node.high < high:
            return name
    if node.low >= 0 and node.high < 2**64:
        return "uint64"
    raise ValueError(f"{node} can be {node.low}..{node.high}, which no numpy integer holds")


class Columns(ABC):
    """Numpy columns, each in the smallest type that holds its range."""

    @abstractmethod
    def read(self, node: Expression) -> str:
        """The text that reads a variable."""

    def write(self, node: Expression, args: list[str]) -> str:
        """The text of one node."""
        match node.op:
            case "const":
                return repr(node.value) if isinstance(node, Bool) else f"{dtype_of(node)}({node.value})"
            case "var":
                return self.read(node)
            case "not":
                return f"(~{args[0]})"
            case "and":
                return f"({' & '.join(args)})"
            case "eq":
                return f"({args[0]} == {args[1]})"
            case "le":
                return f"({args[0]} <= {args[1]})"
            case "add":
                terms = [self.widen(node, arg, text) for arg, text in zip(node.args, args, strict=True)]
                return (
                    f"({' + '.join(terms)} + {dtype_of(node)}({node.value}))"
                    if node.value
                    else f"({' + '.join(terms)})"
                )
            case "scale":
                return f"({self.widen(node, node.args[0], args[0])} * {dtype_of(node)}({node.value}))"
            case "floordiv":
                return f"({args[0]} // {dtype_of(node.args[0])}({node.value}))"
            case "where":
                return self.choice(node, args)
        raise AssertionError(node.op)

    def choice(self, node: Expression, args: list[str]) -> str:
        """A choice between a constant and 0 is a product, which is faster than a selection."""
        _, then, otherwise = node.args
        if then.is_constant and otherwise.is_constant and otherwise.value == 0:
            return f"({args[0]} * {dtype_of(node)}({then.value}))"
        arms = (self.widen(node, arm, text) for arm, text in zip(node.args[1:], args[1:], strict=True))
        return f"where({args[0]}, {', '.join(arms)})"

    def widen(self, node: Expression, arg: Expression, text: str) -> str:
        """The operand in the type of the result."""
        wanted = dtype_of(node)
        if dtype_of(arg) == wanted:
            return text
        return f"{wanted}({arg.value})" if arg.is_constant else f"{text}.astype({wanted})"


@lru_cache(maxsize=4096)
def _compiled(source: str, name: str) -> CodeType:
    """Where several systems of one kind are looked at, most texts occur again."""
    return compile(source, f"<{name}>", "exec")


def compile_expressions(
    name: str, arguments: str, roots: Sequence[Expression], dialect: Dialect, names: Mapping[str, Any]
) -> Callable[..., Any]:
    """A function of `arguments` that returns the values of the expressions as a tuple."""
    order = post_order(roots)
    uses = Counter(arg for node in order for arg in node.args) + Counter(roots)
    texts: dict[Expression, str] = {}
    depths: dict[Expression, int] = {}
    lines: list[str] = []
    for node in order:
        text = dialect.write(node, [texts[arg] for arg in node.args])
        depths[node] = 1 + max((depths[arg] for arg in node.args), default=0)
        is_in_place = uses[node] == 1 and node.op != "var" and depths[node] < DEEPEST
        if node.op == "const" or is_in_place:
            texts[node] = text
        else:
            texts[node], depths[node] = f"t{len(lines)}", 0
            lines.append(f"    {texts[node]} = {text}")
    result = "".join(f"{texts[root]}, " for root in roots)
    source = "\n".join([f"def {name}({arguments}):", *lines, f"    return ({result})"])
    namespace = dict(names)
    exec(_compiled(source, name), namespace)
    function: Callable[..., Any] = namespace[name]
    return function
