"""Every machine against its oracle, as much as the profile says, and not less than its floors."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from properties.stateful.evidence import write, write_example
from properties.stateful.machine import CountedMachine, drive
from properties.stateful.profiles import MACHINES, RULES, SYSTEM_RULES, Profile, distribution, shortfalls
from properties.stateful.system import SystemMachine

ALONE = {name: machine for name, machine in MACHINES.items() if machine is not SystemMachine}
MOST_SHARDS = 4


@pytest.mark.parametrize("name", ALONE)
def test_a_machine_agrees_with_its_oracle(
    name: str, profile: Profile, seed: int, trace_dir: Path, show: Callable[[str], None]
) -> None:
    machine: type[CountedMachine] = ALONE[name]
    command = repeated(f"oracle and {name.replace(' ', ' and ')}", profile, seed, trace_dir)
    try:
        counts = drive(machine, profile.settings(profile.runs, RULES), seed)
    except Exception as error:
        fail(error, write_example(name, error, trace_dir, seed, command), command)
    show(distribution(name, counts))
    assert shortfalls(name, counts) == [], command


@pytest.mark.parametrize("shard", range(MOST_SHARDS))
def test_the_system_keeps_its_properties_and_agrees_with_the_registries_in_full_fidelity(
    shard: int, profile: Profile, seed: int, trace_dir: Path, show: Callable[[str], None]
) -> None:
    if shard >= profile.shards:
        pytest.skip(f"profile {profile.name} has {profile.shards} shards")
    models = profile.models // profile.shards

    class Shard(SystemMachine):
        pass

    Shard.models, Shard.pool = range(shard * models, (shard + 1) * models), seed
    settings = profile.settings(profile.system_runs // profile.shards, SYSTEM_RULES)
    command = repeated(f"system and {shard}", profile, seed, trace_dir)
    try:
        counts = drive(Shard, settings, seed)
    except Exception as error:
        failure = Shard.last_failure
        paths = write(failure, trace_dir, seed, command) if failure else []
        fail(error, paths or write_example("system", error, trace_dir, seed, command), command)
    show(distribution(f"system, shard {shard}", counts))
    assert shortfalls("system", counts) == [], command


def repeated(expression: str, profile: Profile, seed: int, trace_dir: Path) -> str:
    """The command that runs this test again."""
    options = f"--hypothesis-profile={profile.name} --hypothesis-seed={seed} --trace-dir={trace_dir}"
    return f"pytest tests/stateful/test_machines.py -k '{expression}' {options}"


def fail(error: Exception, paths: list[Path], command: str) -> None:
    """Fail with what the error says, Hypothesis' smallest example and its blob, the files, and how to repeat it."""
    example = "\n".join(getattr(error, "__notes__", ()))
    where = f"written to {' and '.join(map(str, paths))}"
    pytest.fail(f"{type(error).__name__}: {error}\n{example}\n{where}\nrepeat: {command}", pytrace=False)
