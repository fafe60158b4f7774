"""Whether two systems are the same although they are written differently: Z3 on each action that has changed, what both
do in the states that one of them reaches, or a search of both."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import copy
from itertools import chain, zip_longest
from typing import Any

import numpy as np
import z3

from model.algebra import TRUE, Bool, Expression, variables_of
from model.transitions import Action, TransitionSystem, Variable
from properties.engines.code import compile_expressions
from properties.engines.explorer import Exploration, explore
from properties.engines.packing import PackedColumns, Packing
from properties.engines.smt import Terms, WholeNumbers, conjunction
from properties.engines.stepper import State
from properties.engines.vectorised import NAMES

MILLISECONDS = 2000
"""So long Z3 may take for one action; if it does not know by then, the systems do not count as equal."""


def are_equal(one: TransitionSystem[Any], other: TransitionSystem[Any]) -> bool:
    """Whether both have the same variables with the same initial values and the same actions, each of which is possible
    in the same states, with the same effect there: in all states of the variables' domains, reachable or not."""
    # Expressions have no truth value, so what they are compared by is which object they are.
    declared = [[(id(each.expression), each.initial) for each in system.variables] for system in (one, other)]
    return declared[0] == declared[1] and (_names(one) == _names(other)) and all(map(_is_same, *_in_order(one, other)))


def do_the_same(search: Exploration, other: TransitionSystem[Any], said: Sequence[tuple[Bool, Bool]]) -> bool:
    """Whether in every state that was reached the other system does what the one that was searched does, and each pair
    of conditions is one: so the other reaches the same states, by the same transitions. What has another variable,
    another action or a smaller domain is different."""
    one = search.vectorised.system
    dialect = _dialect_of_both(search.vectorised.packing, other)
    if dialect is None or _names(one) != _names(other):
        return False
    asked: list[tuple[Expression, Expression, Expression]] = [(TRUE, *both) for both in said]
    for mine, theirs in zip(*_in_order(one, other), strict=True):
        asked.append((TRUE, mine.guard, theirs.guard))
        asked += ((mine.guard, *both) for both in _effects(mine, theirs))
    changed = [each for each in asked if each[1] is not each[2]]
    evaluate = compile_expressions("differ", dialect.arguments, [*chain(*changed)], dialect, NAMES)
    for words in search.pieces():
        found = iter(evaluate(*words))
        if any(np.any(when & (before != after)) for when, before, after in zip(found, found, found, strict=True)):
            return False
    return True


def _dialect_of_both(packing: Packing, other: TransitionSystem[Any]) -> PackedColumns | None:
    """Reads the other system's variables, too, from the states of the first, if they are the same but for their domain,
    and that is no smaller."""
    pairs = list(zip_longest(packing.system.variables, other.variables))
    if not all(mine and theirs and _is_part_of(mine, theirs) for mine, theirs in pairs):
        return None
    both = copy(packing)
    both.slots = packing.slots | {theirs.expression: packing.slots[mine.expression] for mine, theirs in pairs}
    return PackedColumns(both)


def _is_part_of(mine: Variable, theirs: Variable) -> bool:
    is_same = (mine.name, mine.initial) == (theirs.name, theirs.initial)
    domains = [range(each.low or 0, (each.high or 0) + 1) for each in (mine, theirs)]
    return is_same and domains[0].start in domains[1] and domains[0][-1] in domains[1]


def _names(system: TransitionSystem[Any]) -> set[tuple[str, str]]:
    return {(action.node, str(action)) for action in system.actions}


def _in_order(*systems: TransitionSystem[Any]) -> Iterator[list[Action]]:
    """The actions of systems whose actions have the same names, in one order."""
    return (sorted(system.actions, key=lambda action: (action.node, str(action))) for system in systems)


def behave_the_same(one: TransitionSystem[Any], other: TransitionSystem[Any]) -> bool:
    """Whether both have the same reachable states, each as far from the start, and as many transitions. The domains of
    variables may differ; and one may have a variable more, if it tells no states apart."""
    initial = [{each.name: each.initial for each in system.variables} for system in (one, other)]
    common = [name for name in initial[0] if initial[0][name] == initial[1].get(name)]
    if any(name in initial[0] and name not in common for name in initial[1]):
        return False
    searches = [explore(system) for system in (one, other)]
    if searches[0].transitions != searches[1].transitions or searches[0].depth != searches[1].depth:
        return False
    if searches[0].states != searches[1].states:
        return False
    places = [[[*each].index(name) for name in common] for each in initial]
    return all(
        len(before := _states(searches[0], level, places[0])) == len(searches[0].levels[level][0])
        and before == _states(searches[1], level, places[1])
        for level in range(searches[0].depth + 1)
    )


def _states(search: Exploration, level: int, places: Sequence[int]) -> set[State]:
    """The states of a level, of which some variables are left out."""
    return {tuple(state[place] for place in places) for state in search.vectorised.packing.unpack(search.level(level))}


def _is_same(one: Action, other: Action) -> bool:
    # What the environment may choose is not for Z3 to compare: another domain is another environment.
    if [id(choice) for choice in one.choices] != [id(choice) for choice in other.choices]:
        return False
    pairs = [(before, after) for before, after in _effects(one, other) if before is not after]
    if one.guard is other.guard and not pairs:
        return True
    terms = Terms(WholeNumbers())
    roots = [one.guard, other.guard, *(value for pair in pairs for value in pair)]
    solver = z3.Solver()
    solver.set("timeout", MILLISECONDS)
    solver.add(*(terms.within_domain(variable) for variable in variables_of(roots)))
    same_effect = conjunction([terms(before) == terms(after) for before, after in pairs])
    guard = terms(one.guard)
    solver.add(z3.Not(z3.And(guard == terms(other.guard), z3.Implies(guard, same_effect))))
    return bool(solver.check() == z3.unsat)


def _effects(one: Action, other: Action) -> Iterator[tuple[Expression, Expression]]:
    """What each variable that one of them changes becomes by the one and by the other."""
    effects = [{variable.name: value for variable, value in action.updates} for action in (one, other)]
    # A variable that an action does not change keeps its value.
    kept = {variable.name: variable.expression for variable, _ in (*other.updates, *one.updates)}
    return ((effects[0].get(name, value), effects[1].get(name, value)) for name, value in kept.items())
