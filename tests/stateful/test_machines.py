"""Every machine against its oracle, as much as the profile says, and not less than its floors."""

from __future__ import annotations

from pathlib import Path

import pytest

from properties.stateful.evidence import write
from properties.stateful.machine import CountedMachine, drive
from properties.stateful.profiles import MACHINES, RULES, SYSTEM_RULES, Profile, distribution, shortfalls
from properties.stateful.system import RunFailed, SystemMachine

ALONE = {name: machine for name, machine in MACHINES.items() if machine is not SystemMachine}
MOST_SHARDS = 4


@pytest.mark.parametrize("name", ALONE)
def test_a_machine_agrees_with_its_oracle(name: str, profile: Profile, seed: int, distributions: list[str]) -> None:
    machine: type[CountedMachine] = ALONE[name]
    counts = drive(machine, profile.settings(profile.runs, RULES), seed)
    distributions.append(distribution(name, counts))
    assert shortfalls(name, counts) == []


@pytest.mark.parametrize("shard", range(MOST_SHARDS))
def test_the_system_keeps_its_properties_and_agrees_with_the_registries_in_full_fidelity(
    shard: int, profile: Profile, seed: int, trace_dir: Path, distributions: list[str]
) -> None:
    if shard >= profile.shards:
        pytest.skip(f"profile {profile.name} has {profile.shards} shards")
    models = profile.models // profile.shards

    class Shard(SystemMachine):
        pass

    Shard.models = range(shard * models, (shard + 1) * models)
    settings = profile.settings(profile.system_runs // profile.shards, SYSTEM_RULES)
    try:
        counts = drive(Shard, settings, seed)
    except RunFailed:
        assert Shard.last_failure is not None
        command = f"pytest 'tests/stateful/test_machines.py' -k 'system and {shard}'"
        command += f" --hypothesis-profile={profile.name} --hypothesis-seed={seed}"
        paths = write(Shard.last_failure, trace_dir, seed, command)
        pytest.fail(f"{Shard.last_failure}\nwritten to {paths[0]} and {paths[1]}\nrepeat: {command}", pytrace=False)
    distributions.append(distribution(f"system, shard {shard}", counts))
    assert shortfalls("system", counts) == []
