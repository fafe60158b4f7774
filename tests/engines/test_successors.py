"""Stored states to stored states: the one-step engine says the same, whatever an action changes and wherever it is."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.algebra import TRUE, Expression, Int, const, where
from model.transitions import Action, ModelError, Namespace, TransitionSystem, transition
from properties.engines.explorer import Exploration
from properties.engines.stepper import State, Stepper
from properties.engines.storage import Storage
from properties.engines.vectorised import Vectorised


@transition("a random system")
def move(state: object) -> object:
    """A step of a random system."""
    raise AssertionError


def wide_system(random: Random, sizes: list[int]) -> TransitionSystem[None]:
    """Numbers with these many values each, and actions that set some of them to what may be read from any other."""
    space = Namespace()
    numbers = [
        space.number(f"n{place}", low := random.choice((-1, 0, 7)), low + size, low) for place, size in enumerate(sizes)
    ]
    declared = {each.expression: each for each in space.declared}
    actions = []
    for place in range(12):
        changed = random.sample(numbers, random.choice((1, 1, 2, 5)))
        updates = tuple((declared[each], _value(random, each, numbers)) for each in changed)
        some = random.choice(numbers)
        guard = random.choice((TRUE, some <= random.randint(some.low or 0, some.high or 0)))
        actions.append(Action(move, "M", (("place", place),), guard, updates))
    return TransitionSystem("wide", None, tuple(space.declared), tuple(actions))


def _value(random: Random, changed: Int, numbers: list[Int]) -> Expression:
    low, high, other = const(changed.low or 0), const(changed.high or 0), random.choice(numbers)
    return random.choice(
        (
            const(random.randint(changed.low or 0, changed.high or 0)),
            where(changed < high, changed + 1, low),
            where((low <= other) & (other <= high), other, changed),
        )
    )


def random_states(random: Random, system: TransitionSystem[None]) -> list[State]:
    return sorted(
        {tuple(random.randint(each.low or 0, each.high or 0) for each in system.variables) for _ in range(20)}
    )


sizes = st.lists(st.one_of(st.integers(1, 8), st.integers(1000, 1 << 20)), min_size=5, max_size=40)


@settings(deadline=None)
@given(sizes, st.integers(0, 2**32))
def test_every_successor_is_stored_as_the_state_that_the_one_step_engine_reaches(sizes: list[int], seed: int) -> None:
    random = Random(seed)
    system = wide_system(random, sizes)
    stepper, vectorised = Stepper(system), Vectorised(system)
    search = Exploration(vectorised, False, stepper.initial, Storage(vectorised.packing))
    states = random_states(random, system)
    found = {
        (states[place], action): after
        for action, places, stored in search.successors.of(search.storage.encode(vectorised.packing.pack(states)))
        for place, after in zip(places.tolist(), vectorised.packing.unpack(search.storage.decode(stored)), strict=True)
    }
    assert found == {(state, action): after for state in states for action, after in stepper.successors(state)}


@pytest.mark.parametrize("sizes", [[5], [5] * 30, [5] * 60])
def test_a_variable_that_leaves_its_domain_is_an_error(sizes: list[int]) -> None:
    """It would be another state, with another variable changed."""
    space = Namespace()
    numbers = [space.number(f"n{place}", 0, size, 0) for place, size in enumerate(sizes)]
    system = TransitionSystem(
        "beyond", None, tuple(space.declared), (Action(move, "M", (), TRUE, ((space.declared[-1], numbers[-1] + 1),)),)
    )
    vectorised = Vectorised(system)
    search = Exploration(vectorised, False, Stepper(system).initial, Storage(vectorised.packing))
    last = [0] * (len(sizes) - 1)
    assert [len(stored[0]) for _, _, stored in search.successors.of(search.stored((*last, 4)))] == [1]
    with pytest.raises(ModelError, match="outside its domain"):
        list(search.successors.of(search.stored((*last, 5))))
