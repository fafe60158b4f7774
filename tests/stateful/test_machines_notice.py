"""The machines can fail: each broken model is noticed by the machine that it names."""

from __future__ import annotations

import hypothesis
import pytest
from hypothesis import HealthCheck, Phase

from model.revisions import REVISIONS
from model.transitions import ModelError
from properties.stateful.machine import CountedMachine, drive
from properties.stateful.models import DESIGNS, Model, built
from properties.stateful.profiles import MACHINES, RULES, Profile
from properties.stateful.system import SYSTEM_MACHINES, SystemMachine
from tests.broken_models import BROKEN_MODELS, BrokenModel, broken_model

SAMPLE = {
    "minimum_excluded",
    "added_weight_is_number",
    "error_notifies_nobody",
    "status_wakes_nobody",
    "finder_turns_to_quorum_again",
    "votes_without_batch",
    "push_forgets",
    "leaves_out_second_batch",
    "admits_older_votes",
    "tells_first_votes_only",
    "certificate_before_quorum",
    "signs_main_nodes_hash",
    "takes_strangers",
}
"""What the quick profile tries: one for each machine."""

SETTINGS = hypothesis.settings(
    max_examples=150,
    stateful_step_count=RULES,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
    verbosity=hypothesis.Verbosity.quiet,
)


def system_for(broken: BrokenModel, numbers: range) -> type[SystemMachine]:
    """The system machine: half of its runs in the scope where the change shows, the others in small random ones of the
    same design."""
    design = REVISIONS[broken.revision].design
    turn = DESIGNS.index(design)
    others = (built(number // 2 * len(DESIGNS) + turn) for number in numbers if number % 2)
    models = {number: next(others) if number % 2 else Model(broken.build()) for number in numbers}

    class Broken(SYSTEM_MACHINES[design]):  # type: ignore[misc] # a class that a table has
        def model(self, number: int) -> Model:
            return models[number]

    Broken.models, Broken.showcases = numbers, ()
    return Broken


@pytest.mark.parametrize("broken", BROKEN_MODELS, ids=lambda broken: broken.name)
def test_the_machine_notices(broken: BrokenModel, profile: Profile) -> None:
    if profile.quick and broken.name not in SAMPLE:
        pytest.skip(f"profile {profile.name} tries {len(SAMPLE)} of {len(BROKEN_MODELS)}")
    machine = MACHINES[broken.caught_by]
    with broken.applied():
        notices = fails(system_for(broken, range(16)) if issubclass(machine, SystemMachine) else machine)
    assert notices or misses_witnesses(broken)


def test_the_quick_profile_tries_every_machine() -> None:
    assert {broken_model(name).caught_by for name in SAMPLE} == MACHINES.keys()


def fails(machine: type[CountedMachine]) -> bool:
    """Whether a run ends in a failed assertion, or in an error of the model itself."""
    try:
        drive(machine, SETTINGS, seed=0)
    except (AssertionError, ModelError):
        return True
    return False


def misses_witnesses(broken: BrokenModel) -> bool:
    """Whether the machine no longer sees what the change makes unreachable, and saw it before."""
    with broken.applied():
        if fails(system_for(broken, range(1))):
            return True
        without = drive(system_for(broken, range(1)), SETTINGS, seed=0)
    before = drive(system_for(broken, range(1)), SETTINGS, seed=0)
    return any(before[f"runs with {name}"] and not without[f"runs with {name}"] for name in broken.violates)
