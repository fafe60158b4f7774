"""What can never happen any more: a sound over-approximation of everything that can be reached from a state.

For each variable the engine keeps the set of values that it may ever have, as if variables had nothing to do with each
other. From one state it takes every action whose guard may hold, adds what the action may write, and goes on until
nothing is added. A value that is in no set at the end is in no reachable state; that one is in a set means nothing.

It is cheap where explicit search is hopeless: its cost depends on the number of variables, not of states; and an
expression is evaluated again only when one of its operands has grown. What an action would write outside of a
variable's domain is left out: the other engines make an error of an action that really does.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Mapping
from itertools import product
from math import prod
from typing import Any

from model.algebra import Expression, post_order, variables_of
from model.transitions import Action, TransitionSystem, Variable
from properties.engines.code import Numbers, compile_expressions
from properties.engines.stepper import State

Values = frozenset[int]
Reach = dict[Expression, Values]

NO, YES = frozenset([0]), frozenset([1])
EITHER = NO | YES

COMBINATIONS = 3000
"""So many combinations of values are tried for one action, at most."""


class ValueSets:
    """The analysis of one system. `keep` chooses the actions that may be taken; by default all may."""

    def __init__(self, system: TransitionSystem[Any], keep: Callable[[Action], bool] = lambda action: True) -> None:
        self.system = system
        self.actions = [action for action in system.actions if keep(action)]
        roots: list[Expression] = [variable.expression for variable in system.variables]
        for action in self.actions:
            roots += [action.guard, *(value for _, value in action.updates)]
        self.order = post_order(roots)
        self.place = {node: place for place, node in enumerate(self.order)}
        self.operands = [[self.place[arg] for arg in node.args] for node in self.order]
        self.readers: list[list[int]] = [[] for _ in self.order]
        for place, operands in enumerate(self.operands):
            for operand in set(operands):
                self.readers[operand].append(place)
        self.reads = [[self.place[leaf] for leaf in variables_of(_texts(action))] for action in self.actions]
        index = {variable.expression: number for number, variable in enumerate(system.variables)}
        self.indices = [[index[leaf] for leaf in variables_of(_texts(action))] for action in self.actions]
        self.functions = [
            compile_expressions("image", "state", _texts(action), Numbers(index), {}) for action in self.actions
        ]
        self.images: dict[tuple[object, ...], dict[int, Values] | None] = {}
        self.domains = {self.place[variable.expression]: _domain(variable) for variable in system.variables}
        self.guards = [self.place[action.guard] for action in self.actions]
        self.writes = [
            [(self.place[variable.expression], self.place[value]) for variable, value in action.updates]
            for action in self.actions
        ]

    def reachable(self, state: State, split: Expression | None = None, within: Reach | None = None) -> Reach:
        """For each variable, by its expression, a set that has every value it takes in any state reachable from here.

        With `split`, the states are told apart by the value of that variable, so that what depends on it stays with
        it. `within` is an earlier result for the same state; the new one is no larger.
        """
        domains = self.domains
        if within is not None:
            domains = {self.place[variable]: values for variable, values in within.items()}
        key = None if split is None else self.place[split]
        boxes = Boxes(self, key, domains)
        boxes.start(state)
        boxes.close()
        return {self.order[place]: boxes.union(place) for place in self.domains}

    def initial(self, state: State) -> list[Values]:
        """The values of every expression in one state."""
        sets: list[Values] = [NO] * len(self.order)
        for variable, value in zip(self.system.variables, state, strict=True):
            sets[self.place[variable.expression]] = frozenset([value])
        self.evaluate_all(sets)
        return sets

    def evaluate_all(self, sets: list[Values]) -> None:
        """Evaluate everything but the variables."""
        for place, node in enumerate(self.order):
            if node.op != "var":
                sets[place] = self._evaluate(place, sets)

    def image(self, action: int, sets: list[Values]) -> dict[int, Values] | None:
        """What an action may write, by variable; none if its guard cannot hold.

        Where the variables that it reads have few combinations of values, each is tried; otherwise every expression is
        evaluated on sets.
        """
        if 1 not in sets[self.guards[action]]:
            return None
        reads = self.reads[action]
        if prod(len(sets[place]) for place in reads) > COMBINATIONS:
            return {variable: sets[value] for variable, value in self.writes[action]}
        key = (action, *(sets[place] for place in reads))
        if key not in self.images:
            self.images[key] = self._exact_image(action, [sets[place] for place in reads])
        return self.images[key]

    def _exact_image(self, action: int, choices: list[Values]) -> dict[int, Values] | None:
        state: list[int] = [0] * len(self.system.variables)
        function, places = self.functions[action], self.indices[action]
        written: list[set[int]] = [set() for _ in self.writes[action]]
        for values in product(*choices):
            for place, value in zip(places, values, strict=True):
                state[place] = value
            holds, *results = function(state)
            if holds:
                for result, found in zip(results, written, strict=True):
                    found.add(int(result))
        if not all(written):
            return None
        return {variable: frozenset(found) for (variable, _), found in zip(self.writes[action], written, strict=True)}

    def spread(self, grown: Iterable[int], sets: list[Values]) -> None:
        """Evaluate again what depends on these, operands first."""
        queue = sorted({reader for place in grown for reader in self.readers[place]})
        queued = set(queue)
        while queue:
            place = heapq.heappop(queue)
            queued.discard(place)
            values = self._evaluate(place, sets)
            if values != sets[place]:
                sets[place] = values
                for reader in self.readers[place]:
                    if reader not in queued:
                        queued.add(reader)
                        heapq.heappush(queue, reader)

    def _evaluate(self, place: int, sets: list[Values]) -> Values:
        node = self.order[place]
        return _VALUES[node.op](node, [sets[operand] for operand in self.operands[place]])


class Boxes:
    """Sets of states, each the product of its variables' sets; one box for each value of the variable `key`, if any."""

    def __init__(self, analysis: ValueSets, key: int | None, domains: Mapping[int, Values]) -> None:
        self.analysis = analysis
        self.key = key
        self.domains = domains
        self.sets: dict[int, list[Values]] = {}
        self.waiting: list[int] = []

    def start(self, state: State) -> None:
        """The box of one state."""
        sets = self.analysis.initial(state)
        label = 0 if self.key is None else min(sets[self.key])
        self.sets[label] = sets
        self.waiting.append(label)

    def union(self, variable: int) -> Values:
        """The values of a variable in any box."""
        return frozenset[int]().union(*(sets[variable] for sets in self.sets.values()))

    def close(self) -> None:
        """Take every action that may be possible, until nothing is added."""
        while self.waiting:
            label = self.waiting.pop()
            for number in range(len(self.analysis.actions)):
                written = self.analysis.image(number, self.sets[label])
                if written is not None:
                    kept = {place: values & self.domains[place] for place, values in written.items()}
                    if all(kept.values()):  # otherwise what it leads to cannot be reached, nor can it be taken
                        self._act(label, kept)

    def _act(self, label: int, written: dict[int, Values]) -> None:
        """Add what one action writes to the box that it leads to."""
        if self.key is None or self.key not in written:
            self._add(label, written)
            return
        for value in written[self.key]:
            if value == label:
                self._add(label, written)
            else:
                source = self.sets[label]
                everything = {place: written.get(place, source[place]) for place in self.domains}
                self._add(value, everything | {self.key: frozenset([value])})

    def _add(self, label: int, added: dict[int, Values]) -> None:
        """Make a box larger, or make it."""
        if label not in self.sets:
            sets: list[Values] = [NO] * len(self.analysis.order)
            self.sets[label] = sets
            for place, values in added.items():
                sets[place] = values
            self.analysis.evaluate_all(sets)
            self.waiting.append(label)
            return
        sets = self.sets[label]
        grown = [place for place, values in added.items() if place != self.key and not values <= sets[place]]
        for place in grown:
            sets[place] |= added[place]
        if grown:
            self.analysis.spread(grown, sets)
            if label not in self.waiting:
                self.waiting.append(label)


def _texts(action: Action) -> list[Expression]:
    return [action.guard, *(value for _, value in action.updates)]


def _domain(variable: Variable) -> Values:
    if variable.low is None or variable.high is None:
        raise ValueError(f"{variable.name} has no bounds; value sets need a scope with a number of batches")
    return frozenset(range(variable.low, variable.high + 1))


def _truth(can_be_false: bool, can_be_true: bool) -> Values:
    return EITHER if can_be_false and can_be_true else YES if can_be_true else NO


def _conjunction(node: Expression, operands: list[Values]) -> Values:
    if any(1 not in operand for operand in operands):
        return NO
    return _truth(any(0 in operand for operand in operands), can_be_true=True)


def _equality(node: Expression, operands: list[Values]) -> Values:
    a, b = operands
    return _truth(len(a) > 1 or len(b) > 1 or a != b, not a.isdisjoint(b))


def _order(node: Expression, operands: list[Values]) -> Values:
    a, b = operands
    return _truth(max(a) > min(b), min(a) <= max(b))


def _choice(node: Expression, operands: list[Values]) -> Values:
    condition, then, otherwise = operands
    if condition == YES:
        return then
    return otherwise if condition == NO else then | otherwise


_VALUES: dict[str, Callable[[Expression, list[Values]], Values]] = {
    "const": lambda node, _: frozenset([int(node.value)]),
    "not": lambda _, operands: frozenset(1 - value for value in operands[0]),
    "and": _conjunction,
    "eq": _equality,
    "le": _order,
    "add": lambda node, operands: frozenset(sum(terms) + node.value for terms in product(*operands)),
    "scale": lambda node, operands: frozenset(node.value * value for value in operands[0]),
    "floordiv": lambda node, operands: frozenset(value // node.value for value in operands[0]),
    "where": _choice,
}
