"""Every machine against its oracle, as much as the profile says, and not less than its floors."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from model.revisions import of_design
from properties.stateful.evidence import write, write_example
from properties.stateful.machine import CountedMachine
from properties.stateful.profiles import (
    MACHINES,
    RULES,
    SYSTEM_RULES,
    SYSTEMS,
    FloorsMissed,
    Profile,
    distribution,
    drive_to_floors,
    floors,
)
from properties.stateful.system import SystemMachine

ALONE = {name: machine for name, machine in MACHINES.items() if not issubclass(machine, SystemMachine)}
MOST_SHARDS = 4


@pytest.mark.parametrize("name", ALONE)
def test_a_machine_agrees_with_its_oracle(
    name: str, profile: Profile, seed: int, trace_dir: Path, show: Callable[[str], None]
) -> None:
    machine: type[CountedMachine] = ALONE[name]
    command = repeated(f"oracle and {name.replace(' ', ' and ')}", profile, seed, trace_dir)
    settings, least = profile.settings(profile.runs, RULES), floors(name, profile.runs)
    try:
        show(distribution(name, drive_to_floors(machine, settings, seed, least)))
    except FloorsMissed as missed:
        pytest.fail(f"{missed}\nrepeat: {command}", pytrace=False)
    except Exception as error:
        fail(error, write_example(name, error, trace_dir, seed, command), command)


@pytest.mark.parametrize("design", SYSTEMS)
@pytest.mark.parametrize("shard", range(MOST_SHARDS))
def test_the_system_keeps_its_properties_and_agrees_with_what_is_in_full_fidelity(
    shard: int, design: str, profile: Profile, seed: int, trace_dir: Path, show: Callable[[str], None]
) -> None:
    if shard >= profile.shards:
        pytest.skip(f"profile {profile.name} has {profile.shards} shards")
    models = profile.models // profile.shards

    name = SYSTEMS[design]
    machine = MACHINES[name]
    assert issubclass(machine, SystemMachine)

    class Shard(machine):  # type: ignore[misc, valid-type] # a class that a table has
        pass

    first, turns = machine.models.start, machine.models.step
    Shard.models, Shard.pool = range(shard * models * turns + first, (shard + 1) * models * turns, turns), seed
    Shard.showcases = tuple(machine.showcases) * profile.shown
    runs = profile.system_runs // profile.shards
    settings, least = profile.settings(runs, SYSTEM_RULES), floors(name, runs)
    least |= {} if profile.quick else dict.fromkeys(of_design(design), 1)
    command = repeated(f"system and {shard}-{design.split()[-1]}", profile, seed, trace_dir)
    try:
        show(distribution(f"{name}, shard {shard}", drive_to_floors(Shard, settings, seed, least)))
    except FloorsMissed as missed:
        pytest.fail(f"{missed}\nrepeat: {command}", pytrace=False)
    except Exception as error:
        failure = Shard.last_failure
        paths = write(failure, trace_dir, seed, command) if failure else []
        fail(error, paths or write_example(name, error, trace_dir, seed, command), command)


def repeated(expression: str, profile: Profile, seed: int, trace_dir: Path) -> str:
    """The command that runs this test again."""
    options = f"--hypothesis-profile={profile.name} --hypothesis-seed={seed} --trace-dir={trace_dir}"
    return f"pytest tests/stateful/test_machines.py -k '{expression}' {options}"


def fail(error: Exception, paths: list[Path], command: str) -> None:
    """Fail with what the error says, Hypothesis' smallest example and its blob, the files, and how to repeat it."""
    example = "\n".join(getattr(error, "__notes__", ()))
    where = f"written to {' and '.join(map(str, paths))}"
    pytest.fail(f"{type(error).__name__}: {error}\n{example}\n{where}\nrepeat: {command}", pytrace=False)
