"""Which attesters are interchangeable, decided from the built system; and which conditions their exchange leaves alone.

Two attesters are interchangeable if the exchange of their variables maps the initial state to itself and the set of
actions to itself. An expression is a graph in which nothing is repeated, so this is a comparison of graphs: every node
gets a number, its *form*, once as it stands and once after the exchange, and equal forms are equal expressions.
Operands whose order means nothing are sorted first: those of sums, conjunctions and equations, and the numbers of which
the greatest or least is taken.

Two expressions may differ in form and mean the same. Then an exchange is refused that would have been sound; one that
is not sound is never allowed. What the exchange of each two neighbours of a class leaves alone, every permutation does.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence, Set
from itertools import pairwise
from typing import Any

from model.algebra import Expression
from model.transitions import Action, TransitionSystem, Variable

Form = int

COMMUTATIVE = frozenset({"and", "add", "eq"})


class Numbering:
    """The numbers that have been given out: the same to the same node with operands of the same forms."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[object, ...], Form] = {}
        self._extremes: dict[Form, tuple[str, frozenset[Form]]] = {}

    def plain(self, node: Expression, operands: Iterable[Form]) -> Form:
        """The form of a node by its operator and the forms of its operands."""
        ordered = sorted(operands) if node.op in COMMUTATIVE else operands
        return self._number((type(node), node.op, type(node.value), node.value, *ordered))

    def extreme(self, which: str, terms: Iterable[Form]) -> Form:
        """The form of the greatest or the least of some numbers, in any order and however they are nested."""
        flat: set[Form] = set()
        for term in terms:
            kind, parts = self._extremes.get(term, ("", frozenset[Form]()))
            flat |= parts if kind == which else {term}
        form = self._number((which, *sorted(flat)))
        self._extremes[form] = which, frozenset(flat)
        return form

    def _number(self, key: tuple[object, ...]) -> Form:
        return self._numbers.setdefault(key, len(self._numbers))


class Forms:
    """The forms of expressions after an exchange of variables; those that it does not name stay where they are."""

    def __init__(self, numbering: Numbering, exchange: Mapping[Expression, Expression]) -> None:
        self._numbering, self._exchange = numbering, exchange
        self._forms: dict[Expression, Form] = {}

    def __call__(self, expression: Expression) -> Form:
        """The form of an expression."""
        stack = [expression]
        while stack:
            node = stack[-1]
            missing = [] if node in self._forms else [arg for arg in node.args if arg not in self._forms]
            if missing:
                stack += missing
            else:
                stack.pop()
                if node not in self._forms:
                    self._forms[node] = self._form(node)
        return self._forms[expression]

    def _form(self, node: Expression) -> Form:
        operands = [self._forms[arg] for arg in node.args]
        if node.op == "where" and node.args[0].op == "le":
            lesser, greater = (self._forms[arg] for arg in node.args[0].args)
            for which, arms in (("greatest", [greater, lesser]), ("least", [lesser, greater])):
                if operands[1:] == arms:
                    return self._numbering.extreme(which, arms)
        return self._numbering.plain(self._exchange.get(node, node), operands)

    def of_action(self, action: Action) -> tuple[object, ...]:
        """What an action does, whoever does it: its name, guard, effect and choices."""
        effect = frozenset((self(variable.expression), self(value)) for variable, value in action.updates)
        return action.name, self(action.guard), effect, frozenset(map(self, action.choices))


class Symmetry:
    """The classes of interchangeable attesters of a system, of two or more each. `refusals` says what tells those apart
    that were compared and are in no class together."""

    def __init__(self, system: TransitionSystem[Any]) -> None:
        self.refusals: list[str] = []
        self._numbering = Numbering()
        self._as_it_is = Forms(self._numbering, {})
        self._owned: dict[str, list[Variable]] = {}
        for variable in system.variables:
            if variable.owner is not None:
                self._owned.setdefault(variable.owner, []).append(variable)
        self.classes = tuple(tuple(names) for names in self._classes(system.actions) if len(names) > 1)
        self._exchanges = {pair: self._after(*pair) for names in self.classes for pair in pairwise(names)}

    def _classes(self, actions: Sequence[Action]) -> list[list[str]]:
        """To be interchangeable is an equivalence, so one is compared with one of each class."""
        known = {self._as_it_is.of_action(action) for action in actions}
        classes: list[list[str]] = []
        for name in self._owned:
            for names in classes:
                obstacle = self._obstacle(names[0], name, actions, known)
                if obstacle is None:
                    names.append(name)
                    break
                self.refusals.append(f"{names[0]} and {name}: {obstacle}")
            else:
                classes.append([name])
        return classes

    def _obstacle(self, a: str, b: str, actions: Sequence[Action], known: Set[object]) -> str | None:
        """What tells two attesters apart; none if they are interchangeable."""
        domains = [[(each.low, each.high, each.is_boolean) for each in self._owned[name]] for name in (a, b)]
        if domains[0] != domains[1]:
            return "their variables have other domains"
        for one, other in zip(self._owned[a], self._owned[b], strict=True):
            if one.initial != other.initial:
                return f"{one.name} and {other.name} start with other values"
        # An exchange maps different actions to different ones: if all are known, they are all that are known.
        exchanged = self._after(a, b)
        for action in actions:
            if exchanged.of_action(action) not in known:
                return f"{action} of {action.node} has no counterpart"
        return None

    def _after(self, a: str, b: str) -> Forms:
        """The forms after the exchange of two attesters."""
        pairs = zip(self._owned[a], self._owned[b], strict=True)
        exchange = {one.expression: other.expression for one, other in pairs}
        return Forms(self._numbering, exchange | {there: here for here, there in exchange.items()})

    def breaks(self, conditions: Collection[tuple[Expression, ...]]) -> tuple[str, str] | None:
        """Two attesters of a class whose exchange makes another set of these; none if there are none."""
        expected = {tuple(map(self._as_it_is, each)) for each in conditions}
        for pair, exchanged in self._exchanges.items():
            if {tuple(map(exchanged, each)) for each in conditions} != expected:
                return pair
        return None
