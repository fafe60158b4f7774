"""Bounded model checking: the shortest run from the initial state to a state where a condition holds, found by Z3.

Every variable has a bit-vector per depth. Each step chooses exactly one action by a selector; a variable's next value
is a chain of choices over the actions that change it. Depths are tried in ascending order, so a run that is found is as
short as any, and a depth that was refuted is reported as such.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Any

import z3

from model.algebra import Bool, Expression, variables_of
from model.transitions import Action, TransitionSystem
from properties.engines.smt import BitVectors, Environment, Term, Terms, new_solver, statistics, write_script


@dataclass(frozen=True)
class Search:
    """What a bounded search came to.

    `actions`: the run that was found, as positions of actions; none if there is none. `refuted`: the greatest depth d
    such that no run of d steps or fewer ends where the condition holds (-1: not even depth 0 was decided). `why`: the
    solver's reason where it gave up. `parameters`: the values of what the system leaves open, in the run.
    """

    actions: tuple[int, ...] | None
    refuted: int
    why: str | None
    seconds: float
    statistics: dict[str, float] = field(default_factory=dict)
    parameters: dict[Expression, int] = field(default_factory=dict)


class Unrolling:
    """A transition system along a run, step by step.

    Variables that actions read and that are neither part of the state nor a choice are *parameters*: open, but the same
    all along; `assuming` restricts them. With `smt2`, a folder, the query of each depth is written there. Raises
    `Unbounded` if something has no range.
    """

    def __init__(
        self, system: TransitionSystem[Any], target: Bool, assuming: Bool | None = None, smt2: Path | None = None
    ) -> None:
        self.system = system
        self.target = target
        self.smt2 = smt2
        updates = [value for action in system.actions for _, value in action.updates]
        roots = [
            *(action.guard for action in system.actions),
            *updates,
            target,
            *([] if assuming is None else [assuming]),
        ]
        self.numbers = BitVectors([*roots, *(variable.expression for variable in system.variables)])
        self.parameters = self._parameters(roots)
        self.solver = new_solver("QF_FD")
        self._asserted: list[Term] = []
        self._fixed = Terms(self.numbers)
        self._rivals = _interfering(system.actions)
        self.selectors: list[list[Term]] = []
        self.states: list[Terms] = [self._initial()]
        for parameter in self.parameters:
            self._add(self._fixed.within_domain(parameter))
        if assuming is not None:
            self._add(self._fixed(assuming))

    def _add(self, *terms: Term) -> None:
        """Assert the terms. They are remembered, as the solver does not give back all that it was told."""
        self.solver.add(*terms)
        self._asserted += terms

    def _parameters(self, roots: Sequence[Expression]) -> list[Expression]:
        state = {variable.expression for variable in self.system.variables}
        chosen = {choice for action in self.system.actions for choice in action.choices}
        return [variable for variable in variables_of(roots) if variable not in state | chosen]

    def _initial(self) -> Terms:
        environment = {
            variable.expression: (
                z3.BoolVal(bool(variable.initial)) if variable.is_boolean else self.numbers.constant(variable.initial)
            )
            for variable in self.system.variables
        }
        return self._at(0, environment)

    def _at(self, depth: int, state: Environment) -> Terms:
        rigid = {parameter: self._fixed(parameter) for parameter in self.parameters}
        return Terms(self.numbers, {**rigid, **state}, at=f"@{depth}")

    @property
    def depth(self) -> int:
        """How many steps there are."""
        return len(self.selectors)

    def extend(self) -> None:
        """One step more."""
        before = self.states[-1]
        selectors = [z3.Bool(f"step {self.depth + 1}: {place}") for place in range(len(self.system.actions))]
        self._add(z3.Or(selectors), *self._at_most_one(selectors))
        for selector, action in zip(selectors, self.system.actions, strict=True):
            self._add(z3.Implies(selector, before(action.guard)))
            for choice in action.choices:
                self._add(before.within_domain(choice))
        self.states.append(self._at(self.depth + 1, dict(self._after(before, selectors))))
        if self.selectors:
            self._order(self.selectors[-1], selectors)
        self.selectors.append(selectors)

    def _at_most_one(self, selectors: list[Term]) -> Iterator[Term]:
        """No two of the selectors, as plain clauses, with a chain that says whether an earlier one is chosen."""
        chosen = [z3.Bool(f"step {self.depth + 1}: by {place}") for place in range(len(selectors))]
        for place, selector in enumerate(selectors):
            yield z3.Or(z3.Not(selector), chosen[place])
            if place:
                yield z3.Or(z3.Not(chosen[place - 1]), chosen[place])
                yield z3.Or(z3.Not(chosen[place - 1]), z3.Not(selector))

    def _after(self, before: Terms, selectors: list[Term]) -> Iterator[tuple[Expression, Term]]:
        changes: dict[Expression, list[tuple[Term, Expression]]] = {}
        for selector, action in zip(selectors, self.system.actions, strict=True):
            for variable, value in action.updates:
                changes.setdefault(variable.expression, []).append((selector, value))
        for variable in self.system.variables:
            value = before(variable.expression)
            for selector, change in changes.get(variable.expression, []):
                value = z3.If(selector, before(change), value)
            name = f"{variable.name}@{self.depth + 1}"
            after = z3.Bool(name) if variable.is_boolean else self.numbers.variable(name)
            self._add(after == value)
            yield variable.expression, after

    def _order(self, earlier: list[Term], later: list[Term]) -> None:
        """Of two neighbouring steps that do not interfere, the action listed first comes first.

        Every run can be sorted so, without a change of its length or of its last state.
        """
        for first, second in combinations(range(len(self.system.actions)), 2):
            if (first, second) not in self._rivals:
                self._add(z3.Not(z3.And(earlier[second], later[first])))

    def reaches(self, max_depth: int, seconds: float | None = None) -> Search:
        """The shortest run of at most `max_depth` steps to the target; the solver may take `seconds` in all."""
        started = time.perf_counter()
        while True:
            if seconds is not None:
                left = seconds - (time.perf_counter() - started)
                self.solver.set("timeout", max(1, int(left * 1000)))
            answer = self._ask()
            if answer == z3.sat:
                return self._found(self.solver.model(), started)
            if answer == z3.unknown:
                return self._ended(self.depth - 1, self.solver.reason_unknown(), started)
            if self.depth == max_depth:
                return self._ended(self.depth, None, started)
            self.extend()

    def _ask(self) -> Term:
        """Whether the target holds after as many steps as there are."""
        target = self.states[-1](self.target)
        if self.smt2:
            asked = new_solver()
            asked.add(*self._asserted, target)
            write_script(asked, self.smt2, self.depth, f"depth {self.depth}", "a run of this length if sat")
        return self.solver.check(target)

    def _found(self, model: Term, started: float) -> Search:
        actions = tuple(
            next(place for place, selector in enumerate(step) if z3.is_true(model.eval(selector)))
            for step in self.selectors
        )
        parameters = {parameter: self._fixed.read(model, parameter) for parameter in self.parameters}
        spent = time.perf_counter() - started
        return Search(actions, self.depth - 1, None, spent, statistics(self.solver), parameters)

    def _ended(self, refuted: int, why: str | None, started: float) -> Search:
        return Search(None, refuted, why, time.perf_counter() - started, statistics(self.solver))


def _interfering(actions: Sequence[Action]) -> set[tuple[int, int]]:
    """The pairs of actions of which one changes what the other reads or changes."""
    writes = [{variable.expression for variable, _ in action.updates} for action in actions]
    reads = [set(variables_of([action.guard, *(value for _, value in action.updates)])) for action in actions]
    return {
        (a, b)
        for a, b in combinations(range(len(actions)), 2)
        if writes[a] & (reads[b] | writes[b]) or writes[b] & reads[a]
    }
