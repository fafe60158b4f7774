"""A second opinion on what is about to be reported: every violation is confirmed on its own run before it is one.

The searches say that a state is bad, that from a state the goal cannot be reached any more, that a loop is fair. Here
the run is followed by the one-step engine from the initial state, on plain numbers, and asked the same: with none of
the searches' tables, graphs and bits.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from model.algebra import Bool
from properties.engines import EngineError
from properties.engines.explorer import explore, first_where
from properties.engines.packing import Packing
from properties.engines.stepper import State, Stepper

FEW_STATES = 5_000
"""So many states the one-step engine looks at by itself for a single trace."""


class NotConfirmed(EngineError):
    """What one engine has found, another does not confirm, and so it is not reported."""


def follow(stepper: Stepper, actions: Sequence[int]) -> list[State]:
    """The states of a run, the initial one first."""
    states = [stepper.initial]
    for number, action in enumerate(actions, 1):
        if not stepper.is_enabled(states[-1], action):
            raise NotConfirmed(f"step {number}, {stepper.action(action)}, of a run that was found cannot be taken")
        states.append(stepper.apply(states[-1], action))
    return states


def confirm_state(stepper: Stepper, state: State, condition: Bool, what: str) -> None:
    """That the condition holds in the state."""
    if not stepper.evaluator(condition)(state)[0]:
        raise NotConfirmed(f"the last state of a run that was found is not what it should be: {what}")


def is_closed(stepper: Stepper, start: State, goal: Bool, without: Collection[str], symmetry: bool, most: int) -> bool:
    """Whether every state that can be reached from here without some actions was looked at; none has the goal. False:
    there are more than `most`.

    The one-step engine does it by itself where there are few states. Where there are many, a new search does it, which
    starts here; up to symmetry only if symmetry is asked for and the goal is no obstacle to it.
    """
    if _is_closed_stepwise(stepper, start, goal, without):
        return True
    actions = tuple(action for action in stepper.system.actions if action.name not in without)
    system = replace(stepper.system, actions=actions)
    packing = Packing(system)
    alike = symmetry and packing.has_symmetry and packing.symmetry.breaks([(goal,)]) is None
    search = explore(system, alike, most, start=start, until=goal)
    if first_where(search, goal) is not None:
        raise NotConfirmed(REACHED)
    return search.complete


REACHED = "what was found to be out of reach can be reached"


def _is_closed_stepwise(stepper: Stepper, start: State, goal: Bool, without: Collection[str]) -> bool:
    """The same on plain numbers; false if there are more than a few states."""
    holds = stepper.evaluator(goal)
    seen, todo = {start}, [start]
    while todo:
        state = todo.pop()
        if holds(state)[0]:
            raise NotConfirmed(REACHED)
        for action, after in stepper.successors(state):
            if after not in seen and stepper.action(action).name not in without:
                seen.add(after)
                todo.append(after)
        if len(seen) > FEW_STATES:
            return False
    return True


def confirm_lasso(
    stepper: Stepper,
    states: Sequence[State],
    loop: Sequence[int],
    stay: Bool,
    fair: Collection[str],
    without: Collection[str],
) -> None:
    """That the last steps of a run, which are the actions `loop`, are a fair loop in states where `stay` holds. Where
    there is no loop, the run ends in such a state, and no fair action is enabled."""
    circle = states[len(states) - len(loop) - 1 :]
    if circle[0] != circle[-1]:
        raise NotConfirmed("a loop that was found does not return to where it begins")
    for state in circle:
        confirm_state(stepper, state, stay, "it is on the loop of a run that never gets there")
    if any(stepper.action(action).name in without for action in loop):
        raise NotConfirmed("a loop that was found has a step that does not go on for ever")
    neglected = set.intersection(*(set(stepper.enabled(state)) for state in circle)) - set(loop)
    unfair = [action for action in neglected if stepper.action(action).name in fair]
    if unfair:
        raise NotConfirmed(f"a loop that was found is not fair to {stepper.action(min(unfair))}")
