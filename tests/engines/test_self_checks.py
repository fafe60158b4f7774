"""The engines against a plain reference, and against themselves in other arrangements; and broken engines, which that
must notice."""

from __future__ import annotations

from dataclasses import fields

import pytest

from model.scope import Scope
from model.transitions import Step
from properties.stateful.profiles import Profile
from tests.selfchecks.comparison import Tally, compare
from tests.selfchecks.mutants import MUTANTS, Mutant
from tests.selfchecks.randomness import SWITCHES
from tests.selfchecks.tables import MODELS, SEED, SYSTEMS, small_cases

FEW = (SEED, 2, 8)
"""So many scopes and systems are drawn in the quick profile."""


def assert_no_difference(seed: int, models: int, systems: int) -> Tally:
    tally = Tally()
    for name, system, properties in small_cases(seed, models, systems):
        assert list(compare(system, properties, tally)) == [], name
    return tally


def test_engines_agree_on_a_few_random_systems() -> None:
    tally = assert_no_difference(*FEW)
    assert set(tally.words) == {"EXHAUSTED", "VIOLATED", "REACHED", "UNREACHED", "VACUOUS"}
    assert len(tally.of) == 6


@pytest.mark.slow
@pytest.mark.parametrize("later", [0, *(pytest.param(each, marks=pytest.mark.deep) for each in (1, 2, 3))])
def test_engines_agree_on_many_random_systems(later: int, seed: int) -> None:
    """With the seed of the session, which is another one each time in the deep profile, and those after it."""
    tally = assert_no_difference(seed + later, MODELS, SYSTEMS)
    assert tally.systems >= 100
    assert all(row["systems"] >= 20 for row in tally.of.values())


def test_every_switch_of_a_scope_is_tried() -> None:
    assert set(SWITCHES) == {field.name for field in fields(Scope)} - {"instance", "batches", "handed_on"}


QUICK = 12
"""So many of the broken engines are tried in the quick profile: those that are noticed at once."""


@pytest.mark.parametrize(
    "mutant",
    [
        pytest.param(each, id=each.what, marks=[] if number < QUICK else pytest.mark.slow)
        for number, each in enumerate(MUTANTS)
    ],
)
def test_a_broken_engine_is_noticed(mutant: Mutant, profile: Profile) -> None:
    cases = small_cases(*FEW)[::-1] if profile.quick else small_cases(SEED, MODELS, SYSTEMS)[::-1]
    assert mutant.notices(cases) is not None


def test_an_engine_that_is_whole_is_not_taken_for_broken() -> None:
    whole = Mutant("nothing", Step, "and_then", Step.and_then)
    assert whole.notices(small_cases(*FEW)[-1:]) is None
