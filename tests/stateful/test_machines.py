"""Every machine against its oracle, as much as the profile says, and not less than its floors."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from model.revisions import of_design
from properties.stateful.evidence import write, write_example
from properties.stateful.profiles import (
    MACHINES,
    SYSTEMS,
    FloorsMissed,
    Profile,
    distribution,
    drive_to_floors,
    floors,
    parts,
)

ALONE = [name for name in MACHINES if name not in SYSTEMS.values()]
MOST_SHARDS = 4


@pytest.mark.parametrize("name", ALONE)
def test_a_machine_agrees_with_its_oracle(
    name: str, profile: Profile, seed: int, trace_dir: Path, show: Callable[[str], None]
) -> None:
    command = repeated(f"oracle and {name.replace(' ', ' and ')}", profile, seed, trace_dir)
    machines, least = parts(MACHINES[name], profile), floors(name, profile)
    try:
        show(distribution(name, drive_to_floors(machines, seed, least)))
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
    name = SYSTEMS[design]
    machines, least = parts(MACHINES[name], profile, shard, seed), floors(name, profile)
    least |= {} if profile.quick else dict.fromkeys(of_design(design), 1)
    command = repeated(f"system and {shard}-{design.split()[-1]}", profile, seed, trace_dir)
    try:
        show(distribution(f"{name}, shard {shard}", drive_to_floors(machines, seed, least)))
    except FloorsMissed as missed:
        pytest.fail(f"{missed}\nrepeat: {command}", pytrace=False)
    except Exception as error:
        failure = next((part.last_failure for part, _ in machines if part.last_failure), None)
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
