"""Expressions as text that reads like a specification, with a name for what occurs often or is long. How operators are
written, a notation says: that of `attestation show`, or that of a language that a system is exported to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum, auto
from itertools import takewhile

from model.algebra import Bool, Expression, name_of, post_order, variables_of
from model.votes import NONE

OFTEN = 3
"""What is an operand in so many places gets a name, unless it is short."""

SHORT = 3
"""So many operators are short."""

LONG = 10
"""What has more operators gets a name wherever it is an operand; a choice within a formula does sooner."""

WIDTH = 100
"""What is wider is broken into lines."""


class Binding(IntEnum):
    """How strongly an operator holds its operands together."""

    IF = auto()
    OR = auto()
    AND = auto()
    NOT = auto()
    COMPARED = auto()
    ADDED = auto()
    ATOM = auto()


def _plain(name: str) -> str:
    return name


@dataclass(frozen=True)
class Notation:
    """How a language writes names and operators. A `choice` has four parts: before the condition, between it and the
    first value, before the other value, and at the end; one that has an end needs no parentheses. `mixes`: whether a
    conjunction may stand in a disjunction without parentheses."""

    variable: Callable[[Expression], str] = name_of
    definition: Callable[[str], str] = _plain
    truths: tuple[str, str] = ("no", "yes")
    conjunction: str = "and"
    disjunction: str = "or"
    negation: str = "not "
    equal: str = "="
    unequal: str = "!="
    at_most: str = "<="
    quotient: str = "//"
    choice: tuple[str, str, str, str] = ("if ", " then ", "else ", "")
    mixes: bool = True

    @property
    def choice_binding(self) -> Binding:
        """How strongly a choice holds together."""
        return Binding.ATOM if self.choice[-1] else Binding.IF

    @property
    def inner_conjunction(self) -> Binding:
        """What a conjunction must be stronger than to stand in a disjunction without parentheses."""
        return Binding.OR if self.mixes else Binding.AND


AS_SHOWN = Notation()
"""That of `attestation show`."""


class Formulas:
    """The texts of expressions below some roots. `definitions` names what the texts do not spell out, each after those
    that it is made of: by `known`, the names of the model, or by the variables that it reads and a number."""

    def __init__(
        self, roots: Collection[Expression], known: Mapping[Expression, str], notation: Notation = AS_SHOWN
    ) -> None:
        self.notation = notation
        whole = dict.fromkeys(roots)
        nodes = post_order(whole)
        uses = Counter(arg for node in nodes for arg in {*node.args})
        uses.update(roots)
        inner_choices = {arg for node in nodes if node.op != "where" for arg in node.args if arg.op == "where"}
        self.definitions: dict[Expression, str] = {}
        self._numbered: Counter[str] = Counter()
        sizes: dict[Expression, int] = {}
        for node in nodes:
            sizes[node] = (node.op not in ("not", "var", "const")) + sum(
                0 if arg in self.definitions else sizes[arg] for arg in node.args
            )
            is_long = node not in whole and sizes[node] > (SHORT if node in inner_choices else LONG)
            often = sizes[node] > SHORT and uses[node] >= OFTEN
            if sizes[node] and (node in known or often or is_long):
                self.definitions[node] = notation.definition(known.get(node) or self._new_name(node))
        self.definitions = self._in_order()

    def _in_order(self) -> dict[Expression, str]:
        """The definitions, each after those that it mentions. These need not be below it in the graph: a part of a
        negated conjunction is mentioned by the name of its negation."""
        ordered: dict[Expression, str] = {}
        stack = [(node, False) for node in reversed(self.definitions)]
        while stack:
            node, ready = stack.pop()
            if ready:
                ordered.setdefault(node, self.definitions[node])
            elif node not in ordered:
                stack.append((node, True))
                stack.extend((each, False) for each in reversed(list(self._mentioned(node))))
        return ordered

    def _mentioned(self, node: Expression) -> Iterator[Expression]:
        for arg in node.args:
            named = next((each for each in (arg, *self._negation(node, arg)) if each in self.definitions), None)
            if named is not None:
                yield named
            else:
                yield from self._mentioned(arg)

    def _negation(self, node: Expression, part: Expression) -> list[Expression]:
        return [~_bool(part)] if node.op == "and" else []

    def _new_name(self, node: Expression) -> str:
        path = common_path(variables_of([node])) or ("condition" if isinstance(node, Bool) else "number")
        self._numbered[path] += 1
        return f"{path}#{self._numbered[path]}"

    def text(self, node: Expression) -> str:
        """The expression, in which definitions stand for what they name."""
        return self.definitions.get(node) or self.spelt(node)

    def spelt(self, node: Expression) -> str:
        """The expression itself, even if it has a name."""
        return self._operator(node)[1]

    def lines(self, node: Expression) -> list[str]:
        """The name of the expression, or all of it, in lines."""
        name = self.definitions.get(node)
        return [name] if name else self.spelt_lines(node)

    def spelt_lines(self, node: Expression) -> list[str]:
        """The expression as `spelt`, broken where it would be too wide; all lines but the first are indented."""
        text = self.spelt(node)
        if len(text) <= WIDTH:
            return [text]
        if node.op == "where":
            return list(self._cases(node))
        if node.op == "and":
            first, *more = (self._held(arg, Binding.AND) for arg in node.args)
            return [first, *(f"    {self.notation.conjunction} {each}" for each in more)]
        if node.op == "add":
            first, *more = self._terms(node)
            return [first, *(f"    {each}" for each in more)]
        if node.op == "not" and _is_disjunction(node.args[0]):
            first, *more = self._alternatives(node)
            return [first, *(f"    {self.notation.disjunction} {each}" for each in more)]
        return [text]

    def _cases(self, node: Expression) -> Iterator[str]:
        start = ends = ""
        first, between, last, end = self.notation.choice
        while node.op == "where" and (not start or node not in self.definitions):
            condition, then, otherwise = node.args
            asked = f"{start}{first}{self._held(condition, Binding.IF)}"
            answer = f"{between.lstrip()}{self._held(then, Binding.IF)}"
            yield from [f"{asked} {answer}"] if len(asked + answer) < WIDTH else [asked, f"        {answer}"]
            start, node, ends = f"    {last}", otherwise, ends + end
        yield f"{start}{self.text(node)}{ends}"

    def _held(self, node: Expression, binding: Binding) -> str:
        """The text as an operand of what binds so strongly."""
        name = self.definitions.get(node)
        if name:
            return name
        own, text = self._operator(node)
        return text if own > binding else f"({text})"

    def _operator(self, node: Expression) -> tuple[Binding, str]:
        notation = self.notation
        match node.op:
            case "const":
                return Binding.ATOM, self._constant(node)
            case "var":
                return Binding.ATOM, notation.variable(node)
            case "not":
                return self._negated(node)
            case "and":
                return Binding.AND, f" {notation.conjunction} ".join(self._held(arg, Binding.AND) for arg in node.args)
            case "eq":
                return Binding.COMPARED, self._compared(node, notation.equal)
            case "le":
                return Binding.COMPARED, self._ordered(node, notation.at_most, ">=")
            case "add":
                return Binding.ADDED, " ".join(self._terms(node))
            case "scale":
                return Binding.ADDED, f"{node.value}*{self._held(node.args[0], Binding.ADDED)}"
            case "floordiv":
                return Binding.ADDED, f"{self._held(node.args[0], Binding.ADDED)} {notation.quotient} {node.value}"
            case "where":
                condition, then, otherwise = (self._held(arg, Binding.IF) for arg in node.args)
                first, between, last, end = notation.choice
                return notation.choice_binding, f"{first}{condition}{between}{then} {last}{otherwise}{end}"
        raise AssertionError(f"an operator that is not of the algebra: {node.op}")

    def _negated(self, node: Expression) -> tuple[Binding, str]:
        inner = node.args[0]
        if inner not in self.definitions:
            if inner.op == "eq":
                return Binding.COMPARED, self._compared(inner, self.notation.unequal)
            if inner.op == "le":
                return Binding.COMPARED, self._ordered(inner, ">", "<")
            if _is_disjunction(inner):
                return Binding.OR, f" {self.notation.disjunction} ".join(self._alternatives(node))
        return Binding.NOT, f"{self.notation.negation}{self._held(inner, Binding.NOT)}"

    def _alternatives(self, node: Expression) -> Iterator[str]:
        """What a negated conjunction is the disjunction of."""
        for arg in node.args[0].args:
            yield self._held(~_bool(arg), self.notation.inner_conjunction)

    def _compared(self, node: Expression, sign: str) -> str:
        left, right = (self._held(arg, Binding.COMPARED) for arg in node.args)
        return f"{left} {sign} {right}"

    def _ordered(self, node: Expression, sign: str, mirrored: str) -> str:
        """A comparison, with the constant at the right if there is one."""
        left, right = (self._held(arg, Binding.COMPARED) for arg in node.args)
        return f"{right} {mirrored} {left}" if node.args[0].is_constant else f"{left} {sign} {right}"

    def _terms(self, node: Expression) -> Iterator[str]:
        """The terms of a sum, each but the first with its sign; what is subtracted comes last."""
        added = [arg for arg in node.args if not self._is_subtracted(arg)]
        texts = [self._held(arg, Binding.ADDED) for arg in added]
        offset = node.value
        if offset > 0 or not texts:
            texts.append(str(max(offset, 0)))
        yield texts[0]
        yield from (f"+ {text}" for text in texts[1:])
        yield from (f"- {self._held(arg.args[0], Binding.ADDED)}" for arg in node.args if self._is_subtracted(arg))
        if offset < 0:
            yield f"- {-offset}"

    def _constant(self, node: Expression) -> str:
        if isinstance(node, Bool):
            return self.notation.truths[node.value]
        return "none" if node.value == NONE else str(node.value)

    def _is_subtracted(self, node: Expression) -> bool:
        return node.op == "scale" and node.value == -1 and node not in self.definitions


def common_path(variables: Iterable[Expression]) -> str:
    """What the names of these variables begin with, in whole words; of one, what it belongs to."""
    names = [name_of(variable).split(".") for variable in variables]
    steps = takewhile(lambda step: len({*step}) == 1, zip(*(name[:-1] for name in names), strict=False))
    return ".".join(step[0] for step in steps)


def _bool(node: Expression) -> Bool:
    assert isinstance(node, Bool)
    return node


def _is_disjunction(node: Expression) -> bool:
    """Whether a conjunction, negated, reads better as a disjunction."""
    return node.op == "and" and 2 * sum(arg.op == "not" for arg in node.args) >= len(node.args)
