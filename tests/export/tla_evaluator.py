"""A small evaluator for exported TLA+ modules, over the syntax tree of tree-sitter; it knows nothing of the algebra."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

import pytest

State = Mapping[str, Any]
"""The value of each variable of a module: a number, a truth value, or a dictionary by attester."""

NUMERIC: Mapping[str, Callable[[Any, Any], Any]] = {
    "eq": lambda a, b: a == b,
    "neq": lambda a, b: a != b,
    "leq": lambda a, b: a <= b,
    "geq": lambda a, b: a >= b,
    "lt": lambda a, b: a < b,
    "gt": lambda a, b: a > b,
    "plus": lambda a, b: a + b,
    "minus": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": lambda a, b: a // b,
    "in": lambda a, b: a in b,
    "dots_2": lambda a, b: range(a, b + 1),
}


class Module:
    """A module that has been parsed, without an error."""

    def __init__(self, text: str) -> None:
        tree_sitter = pytest.importorskip("tree_sitter", reason="the parser tree-sitter is not installed")
        grammar = pytest.importorskip("tree_sitter_tlaplus", reason="the grammar of TLA+ is not installed")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # the grammar has not caught up with the parser
            parser = tree_sitter.Parser(tree_sitter.Language(grammar.language()))
        self.root = parser.parse(text.encode()).root_node
        assert not self.root.has_error, text

    @cached_property
    def definitions(self) -> dict[str, Any]:
        """The right sides of the definitions, by name."""
        (module,) = (each for each in self.root.children if each.type == "module")
        found: dict[str, Any] = {}
        for node in module.children:
            if node.type == "operator_definition":
                name = node.children[0].text.decode()
                assert name not in found, name
                found[name] = _parts(node)[-1]
        return found

    @cached_property
    def variables(self) -> list[str]:
        """The names of the variables."""
        (module,) = (each for each in self.root.children if each.type == "module")
        (declared,) = (each for each in module.children if each.type == "variable_declaration")
        return [node.text.decode() for node in declared.children if node.type == "identifier"]

    def names_in(self, name: str) -> list[str]:
        """The names that the definition of `name` has as disjuncts."""
        return [item.text.decode() for item in _items(self.definitions[name])]

    def initial(self) -> dict[str, Any]:
        """The one state that `Init` describes."""
        return dict(self._equation(item, {}) for item in _items(self.definitions["Init"]))

    def step(self, action: str, state: State) -> dict[str, Any] | None:
        """The state after an action; none where it is not possible. Every variable must get exactly one value."""
        after: dict[str, Any] = {}
        for item in _items(self.definitions[action]):
            if item.type == "bound_prefix_op" and item.children[0].type == "unchanged":
                kept = [node.text.decode() for node in item.children[1].children if node.type == "identifier_ref"]
                new = {name: state[name] for name in kept}
            elif item.children and item.children[0].type == "bound_postfix_op":
                new = dict([self._equation(item, state)])
            elif self.value(item, state):
                continue
            else:
                return None
            assert not after.keys() & new.keys()
            after |= new
        assert set(after) == set(self.variables)
        return after

    def _equation(self, item: Any, state: State) -> tuple[str, Any]:
        left, sign, right = item.children
        assert sign.type == "eq"
        return left.text.decode().removesuffix("'"), self.value(right, state)

    def holds(self, name: str, state: State) -> Any:
        """The value of a definition in a state."""
        return self.value(self.definitions[name], state)

    def value(self, node: Any, state: State) -> Any:
        """The value of an expression without primes."""
        inner = _parts(node)
        match node.type:
            case "nat_number":
                return int(node.text)
            case "boolean":
                return node.text == b"TRUE"
            case "identifier_ref":
                return self._named(node.text.decode(), state)
            case "parentheses":
                return self.value(inner[1], state)
            case "conj_list":
                return all(self.value(item, state) for item in _items(node))
            case "if_then_else":
                condition, then, otherwise = (self.value(inner[place], state) for place in (1, 3, 5))
                return then if condition else otherwise
            case "bound_prefix_op":
                operand = self.value(inner[1], state)
                return {"lnot": lambda: not operand, "negative": lambda: -operand}[inner[0].type]()
            case "bound_infix_op":
                return self._infix(*inner, state)
            case "function_evaluation":
                return self.value(inner[0], state)[self.value(inner[2], state)]
            case "function_literal":
                owners = [name.text.decode() for name in inner[1].children[2].children if name.type == "identifier_ref"]
                return {owner: self.value(inner[3], state) for owner in owners}
            case "except":
                updates = [each for each in inner if each.type == "except_update"]
                return self.value(inner[1], state) | {
                    update.children[1].children[0].children[1].text.decode(): self.value(update.children[3], state)
                    for update in updates
                }
            case "boolean_set":
                return (False, True)
        raise AssertionError(f"{node.type}: {node.text.decode()}")

    def _infix(self, left: Any, sign: Any, right: Any, state: State) -> Any:
        if sign.type in ("land", "lor"):
            values = self.value(left, state), self.value(right, state)
            assert all(isinstance(each, bool) for each in values)
            return all(values) if sign.type == "land" else any(values)
        if right.type == "set_of_functions":
            domain, function = self.value(right.children[3], state), self.value(left, state)
            return all(each in domain for each in function.values())
        return NUMERIC[sign.type](self.value(left, state), self.value(right, state))

    def _named(self, name: str, state: State) -> Any:
        if name in state:
            return state[name]
        # An attester stands for itself.
        return self.value(self.definitions[name], state) if name in self.definitions else name


def _items(node: Any) -> list[Any]:
    """The items of a conjunction or disjunction."""
    return [_parts(item)[-1] for item in _parts(node)]


def _parts(node: Any) -> list[Any]:
    return [child for child in node.children if child.type != "comment"]
