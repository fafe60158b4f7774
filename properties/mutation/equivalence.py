"""Whether two systems are the same although they are written differently: Z3 on each action that has changed, or a
search of both."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import z3

from model.algebra import variables_of
from model.transitions import Action, TransitionSystem
from properties.engines.explorer import Exploration, explore
from properties.engines.smt import Terms, WholeNumbers, conjunction
from properties.engines.stepper import State

MILLISECONDS = 2000
"""So long Z3 may take for one action; if it does not know by then, the systems do not count as equal."""


def are_equal(one: TransitionSystem[Any], other: TransitionSystem[Any]) -> bool:
    """Whether both have the same variables with the same initial values and the same actions, each of which is possible
    in the same states, with the same effect there: in all states of the variables' domains, reachable or not."""
    # Expressions have no truth value, so what they are compared by is which object they are.
    declared = [[(id(each.expression), each.initial) for each in system.variables] for system in (one, other)]
    if declared[0] != declared[1]:
        return False
    actions = [{(action.node, str(action)): action for action in system.actions} for system in (one, other)]
    if actions[0].keys() != actions[1].keys():
        return False
    return all(_is_same(action, actions[1][name]) for name, action in actions[0].items())


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
    effects = [{variable.expression: value for variable, value in action.updates} for action in (one, other)]
    changed = {id(variable): variable for effect in effects for variable in effect}
    pairs = [(effects[0].get(variable, variable), effects[1].get(variable, variable)) for variable in changed.values()]
    pairs = [pair for pair in pairs if pair[0] is not pair[1]]
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
