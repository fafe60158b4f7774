"""The explorer is honest: cut short is said, collisions and values outside their domain stop it, runs repeat."""

from __future__ import annotations

import numpy as np
import pytest

from model.algebra import TRUE, const
from model.revisions import revision
from model.scope import Scope, instance
from model.system import AttestationSystem, build
from model.transitions import Action, ModelError, Namespace, Step, TransitionSystem, transition, updates
from properties.checking import Check
from properties.claims.catalogue import claim
from properties.engines import explorer
from properties.engines.explorer import HashCollision, Recent, Run, explore, graph
from properties.engines.stepper import Stepper
from properties.verdicts import Unknown


def system() -> AttestationSystem:
    return build(revision("pr161+era2480"), Scope(instance("n2f0b0"), 2))


def test_a_search_cut_short_says_so_and_establishes_nothing() -> None:
    check = Check(system(), max_states=100)
    assert not check.search.complete
    assert check.search.states >= 100
    for name in ("at_most_one_quorum", "progress_possible", "two_certificates_in_a_row"):
        assert isinstance(check.verdict(claim(name)), Unknown)
    with pytest.raises(ValueError, match="cut short"):
        graph(check.search)


def test_two_searches_give_the_same_states_in_the_same_order() -> None:
    first, second = explore(system()), explore(system())
    for one, other in zip(first.levels, second.levels, strict=True):
        assert all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def test_small_chunks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = explore(system())
    monkeypatch.setattr(explorer, "CHUNK", 7)
    monkeypatch.setattr(explorer, "RECENT", 2)
    pieces = explore(system())
    assert (pieces.states, pieces.transitions, pieces.depth) == (whole.states, whole.transitions, whole.depth)


def test_two_states_with_one_key_stop_the_search(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(explorer, "keys_of", lambda words: words[0] & np.uint64(1))
    words = (np.array([2, 4], dtype=np.uint64), np.array([0, 0], dtype=np.uint64))
    with pytest.raises(HashCollision):
        Run.of(words)


def test_the_table_of_recent_states_knows_no_state_that_it_was_not_given() -> None:
    for words in (1, 2):
        numbers = np.arange(5_000, dtype=np.uint64)
        columns = tuple(numbers if word == 0 else np.zeros_like(numbers) for word in range(words))
        assert len(Recent(words).unknown(columns)[0]) == len(numbers)


@transition("a test")
def grow(record: object) -> Step[object]:
    """A counter goes beyond its domain."""
    raise AssertionError


def overflowing() -> TransitionSystem[tuple[object, ...]]:
    space = Namespace()
    number = space.within("counter").number("value", 0, 2, 0)
    state = (number,)
    changes = updates(state, (number + 1,), {variable.expression: variable for variable in space.declared})
    return TransitionSystem("counter", state, tuple(space.declared), (Action(grow, "M", (), TRUE, changes),))


def test_a_value_outside_its_domain_is_an_error_in_both_engines() -> None:
    with pytest.raises(ModelError, match="outside its domain"):
        explore(overflowing())
    stepper = Stepper(overflowing())
    with pytest.raises(ModelError, match="outside"):
        stepper.apply((2,), 0)


def test_an_action_that_changes_what_the_scope_holds_fixed_is_an_error() -> None:
    with pytest.raises(ModelError, match="holds fixed"):
        updates((const(0),), (const(1),), {})
