"""The mechanical mistakes: from a syntax tree, every tree that differs from it in one place.

Guards, conjuncts, disjuncts, negations, comparisons, numbers, truth values, choices, updates, checks in a table and
actions that are put together: each is removed, negated, swapped or shifted by one. Nothing is picked by hand. What says
nothing about behaviour is left alone: annotations, docstrings, the texts of errors, and how records are declared.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from model.revisions import CONTROLLER, REGISTRY

MODEL = Path(__file__).parents[2] / "model"

SUBSTRATE = ("algebra.py", "transitions.py", "scope.py", "revisions.py")
"""What is no machine: the language that they are written in, and the names of scopes and revisions."""

NO_BEHAVIOUR = ("strict", "frozen", "kw_only", "init", "default", "default_factory", "source")
"""Keywords that say nothing about what a machine does."""


@dataclass(frozen=True, order=True)
class Mutant:
    """One mistake: the file (from the folder `model`), the function it is in, the operator, and what stands where what
    was. `place` tells those apart that read the same. No line numbers: other changes of the file leave it as it is."""

    file: str
    function: str
    operator: str
    before: str
    after: str
    place: int = 0

    @property
    def key(self) -> str:
        """How the mutant is named, on one line."""
        again = f" #{self.place + 1}" if self.place else ""
        return f"{self.file}: {self.function}: {self.operator}: {self.before} → {self.after}{again}"

    @property
    def module(self) -> str:
        """The module that it is a mistake in."""
        return "model." + self.file.removesuffix(".py").replace("/", ".")

    @property
    def is_guard(self) -> bool:
        """Whether it takes away a condition, or a part of one."""
        return self.operator in ("guard", "conjunct")

    @property
    def designs(self) -> tuple[str, ...]:
        """The designs that the file is part of."""
        alone = {"registry_design": (REGISTRY,), "controller_design": (CONTROLLER,)}
        return alone.get(self.file.split("/")[0], (REGISTRY, CONTROLLER))

    def source(self) -> ast.Module:
        """The tree of the module with the mistake. Raises `LookupError` if the file no longer has its place."""
        for found, tree in _mutated(self.file):
            if found == self:
                return tree
        raise LookupError(self.key)


def files() -> list[str]:
    """The files of the model that are mutated."""
    every = sorted(path.relative_to(MODEL).as_posix() for path in MODEL.rglob("*.py"))
    return [file for file in every if file not in SUBSTRATE and mutants(file)]


@cache
def mutants(file: str) -> tuple[Mutant, ...]:
    """All mutants of a file."""
    return tuple(mutant for mutant, _ in _mutated(file))


def _parsed(file: str) -> ast.Module:
    return ast.parse((MODEL / file).read_text(encoding="utf-8"))


def _mutated(file: str) -> Iterator[tuple[Mutant, ast.Module]]:
    """Each mutant with its tree, which is good until the next is asked for."""
    tree = _parsed(file)
    seen: Counter[tuple[str, ...]] = Counter()
    for name, parent, field, index, node in _places(tree, "module"):
        for operator, replacement, *texts in _replacements(node, name == "module"):
            before, after = texts or (ast.unparse(node), ast.unparse(replacement))
            told = (file, name, operator, " ".join(before.split()), " ".join(after.split()))
            _put(parent, field, index, replacement)
            yield Mutant(*told, seen[told]), tree
            _put(parent, field, index, node)
            seen[told] += 1


def _put(parent: ast.AST, field: str, index: int | None, node: ast.AST) -> None:
    if index is None:
        setattr(parent, field, node)
    else:
        getattr(parent, field)[index] = node


def _places(node: ast.AST, name: str) -> Iterator[tuple[str, ast.AST, str, int | None, ast.AST]]:
    """Every place that behaviour depends on: the function it is in, its parent, and the place in that."""
    for field, value in ast.iter_fields(node):
        if field in ("annotation", "returns", "decorator_list", "bases", "keywords", "names") and not (
            isinstance(node, ast.Call) and field == "keywords"
        ):
            continue
        for index, child in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if isinstance(child, ast.AST) and not _is_silent(child):
                inner = _within(name, child)
                yield inner, node, field, index, child
                yield from _places(child, inner)


def _within(name: str, node: ast.AST) -> str:
    if not isinstance(node, ast.FunctionDef | ast.ClassDef):
        return name
    return node.name if name == "module" else f"{name}.{node.name}"


def _is_silent(node: ast.AST) -> bool:
    """Whether the node says nothing about behaviour."""
    match node:
        case ast.Import() | ast.ImportFrom() | ast.Raise() | ast.JoinedStr() | ast.Assert():
            return True
        case ast.Expr(value=ast.Constant()):
            return True
        case ast.ClassDef(bases=bases):
            return any(isinstance(base, ast.Name) and base.id == "Protocol" for base in bases)
        case ast.keyword(arg=name):
            return name in NO_BEHAVIOUR
        case ast.Call(func=ast.Name(id="TypeVar" | "field" | "cast")):
            return True
        case ast.FunctionDef(name=name):
            return name in ("__repr__", "__str__")
    return False


NOTHING = "nothing"

Replacement = tuple[Any, ...]
"""The operator and the node that comes in; and what is said of both, if they are not shown as they are."""

COMPARED: dict[type[ast.cmpop], tuple[tuple[str, type[ast.cmpop]], ...]] = {
    ast.Eq: (("negation", ast.NotEq), ("bound", ast.LtE), ("bound", ast.GtE)),
    ast.NotEq: (("negation", ast.Eq), ("bound", ast.Lt), ("bound", ast.Gt)),
    ast.Lt: (("bound", ast.LtE), ("negation", ast.GtE)),
    ast.LtE: (("bound", ast.Lt), ("negation", ast.Gt)),
    ast.Gt: (("bound", ast.GtE), ("negation", ast.LtE)),
    ast.GtE: (("bound", ast.Gt), ("negation", ast.Lt)),
    ast.Is: (("negation", ast.IsNot),),
    ast.IsNot: (("negation", ast.Is),),
    ast.In: (("negation", ast.NotIn),),
    ast.NotIn: (("negation", ast.In),),
}

SWAPPED_CALLS = {"any_of": "all_of", "all_of": "any_of", "any": "all", "all": "any", "min": "max", "max": "min"}


def _is_negated_elsewhere(condition: ast.AST) -> bool:
    """Whether a condition has its own negation among the mutants."""
    return isinstance(condition, ast.Compare | ast.UnaryOp)


def _replacements(node: ast.AST, is_module: bool) -> Iterator[Replacement]:
    """The operators that apply to a node, and what each puts in its place."""
    match node:
        case ast.Compare(left=left, ops=[operator], comparators=right):
            for name, other in COMPARED.get(type(operator), ()):
                yield name, ast.Compare(left, [other()], right)
        case ast.BinOp(left=left, op=ast.BitAnd() | ast.BitOr() as operator, right=right) if not is_module:
            is_and = isinstance(operator, ast.BitAnd)
            name = "conjunct" if is_and else "disjunct"
            yield name, left
            # Of a chain, each link is removed at its own place.
            if not (isinstance(left, ast.BinOp) and type(left.op) is type(operator)):
                yield name, right
            yield "swap", ast.BinOp(left, ast.BitOr() if is_and else ast.BitAnd(), right)
        case ast.BinOp(left=left, op=ast.Add() | ast.Sub() as operator, right=right):
            yield "swap", ast.BinOp(left, ast.Sub() if isinstance(operator, ast.Add) else ast.Add(), right)
        case ast.BoolOp(op=boolean, values=values):
            name, switched = ("conjunct", ast.Or()) if isinstance(boolean, ast.And) else ("disjunct", ast.And())
            for index in range(len(values)):
                rest = values[:index] + values[index + 1 :]
                yield name, rest[0] if len(rest) == 1 else ast.BoolOp(boolean, rest)
            yield "swap", ast.BoolOp(switched, values)
        case ast.UnaryOp(op=ast.Invert() | ast.Not(), operand=operand):
            yield "negation", operand
        case ast.Constant(value=bool() as flag):
            yield "flag", ast.Constant(not flag)
        case ast.Constant(value=int() as number):
            for shifted in (number + 1, number - 1)[: 2 if number else 1]:
                yield "number", ast.Constant(shifted)
        case ast.Name(id="TRUE" | "FALSE" as name, ctx=ast.Load()):
            yield "flag", ast.Name("FALSE" if name == "TRUE" else "TRUE", ast.Load())
        case ast.IfExp(test=test, body=body, orelse=orelse):
            yield "choice", body
            yield "choice", orelse
            if not _is_negated_elsewhere(test):
                yield "choice", ast.IfExp(test, orelse, body)
        case ast.Call(func=ast.Name(id="int_variable"), args=[name, low, ast.Constant(value=None)]):
            yield "domain", ast.Call(ast.Name("int_variable", ast.Load()), [name, low, ast.Constant(1)], [])
        case ast.Call(func=ast.Name(id="where"), args=[condition, then, otherwise]):
            yield "choice", then
            yield "choice", otherwise
            if not _is_negated_elsewhere(condition):
                yield "choice", ast.Call(ast.Name("where", ast.Load()), [condition, otherwise, then], [])
        case ast.Call(func=ast.Name(id="replace"), args=args, keywords=keywords) if keywords:
            for index in range(len(keywords)):
                others = keywords[:index] + keywords[index + 1 :]
                changed = ast.Call(ast.Name("replace", ast.Load()), args, others) if others else args[0]
                yield "update", changed, ast.unparse(keywords[index]), NOTHING
        case ast.Call(func=ast.Name(id=name), args=args, keywords=keywords) if name in SWAPPED_CALLS:
            yield "swap", ast.Call(ast.Name(SWAPPED_CALLS[name], ast.Load()), args, keywords)
        case ast.keyword(arg="when", value=value):
            yield "guard", ast.keyword("when", ast.Name("TRUE", ast.Load()))
            yield "guard", ast.keyword("when", ast.UnaryOp(ast.Invert(), value))
        case ast.Tuple(elts=elements) if is_module and any(isinstance(each, ast.Call) for each in elements):
            for index in range(len(elements)):
                shorter = ast.Tuple(elements[:index] + elements[index + 1 :], ast.Load())
                yield "check", shorter, ast.unparse(elements[index]), NOTHING
            for index in range(len(elements) - 1):
                order = [*elements[:index], elements[index + 1], elements[index], *elements[index + 2 :]]
                told = ast.unparse(elements[index]), f"after {ast.unparse(elements[index + 1])}"
                yield "check", ast.Tuple(order, ast.Load()), *told
        case ast.If(test=test, body=body, orelse=orelse) | ast.While(test=test, body=body, orelse=orelse):
            word = "if" if isinstance(node, ast.If) else "while"
            if word == "if" and not _is_negated_elsewhere(test):
                opposite = ast.UnaryOp(ast.Not(), test)
                yield (
                    "condition",
                    ast.If(opposite, body, orelse),
                    f"if {ast.unparse(test)}",
                    f"if {ast.unparse(opposite)}",
                )
            yield (
                "condition",
                type(node)(ast.Constant(False), body, orelse),
                f"{word} {ast.unparse(test)}",
                f"{word} False",
            )
        case ast.AugAssign() | ast.Continue():
            yield "statement", ast.Pass()
        case ast.Expr(value=ast.YieldFrom() | ast.Yield()):
            yield "action", ast.Expr(ast.YieldFrom(ast.Tuple([], ast.Load())))
        case ast.Expr(value=ast.Call()):
            yield "statement", ast.Pass()
