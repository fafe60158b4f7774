"""How much is tried: the profiles, and the floors below which a run of a profile has not tried enough."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import hypothesis

from model.revisions import CONTROLLER, REGISTRY
from model.topology import TOPOLOGIES
from properties.stateful.controller_design.controller import ControllerMachine
from properties.stateful.controller_design.push_pull import PushPullMachine
from properties.stateful.controller_design.tasks import REVISIONS, ExternalTaskMachine, MainTaskMachine
from properties.stateful.machine import CountedMachine, drive
from properties.stateful.registry_design.attester_runner import AttesterRunnerMachine
from properties.stateful.registry_design.batch_store import BatchStoreMachine
from properties.stateful.registry_design.gossip_link import GossipLinkMachine
from properties.stateful.registry_design.qc_finder import QcFinderMachine
from properties.stateful.registry_design.status_watch import StatusWatchMachine
from properties.stateful.registry_design.vote_registry import VoteRegistryMachine
from properties.stateful.system import DRIVEN, SIZES, SYSTEM_MACHINES, SystemMachine


@dataclass(frozen=True)
class Profile:
    """How many runs each machine has; how many the system of each design has, of how many random models, in how many
    shards that can run at the same time, and of each showcase besides; with how many seeds each known defect is
    searched for; how many examples other tests have; and whether tests are to try a sample only."""

    name: str
    runs: int
    system_runs: int
    models: int
    shards: int
    shown: int
    seeds: int
    examples: int
    derandomize: bool = False
    quick: bool = False
    larger: bool = False

    def settings(self, runs: int, rules: int) -> hypothesis.settings:
        """Hypothesis' settings for so many runs of up to so many rules."""
        return hypothesis.settings(
            max_examples=runs,
            stateful_step_count=rules,
            deadline=None,
            derandomize=self.derandomize,
            print_blob=True,
            report_multiple_bugs=False,
            suppress_health_check=[hypothesis.HealthCheck.too_slow],
        )


PROFILES = {
    profile.name: profile
    for profile in (
        Profile("dev", 25, system_runs=30, models=28, shards=1, shown=5, seeds=1, examples=25, quick=True),
        Profile("ci", 200, system_runs=700, models=84, shards=1, shown=40, seeds=1, examples=200, derandomize=True),
        Profile("deep", 500, system_runs=10_000, models=480, shards=4, shown=200, seeds=3, examples=500, larger=True),
    )
}

RULES, SYSTEM_RULES = 30, 40
"""How many rules a run of one machine has at most, and one of the system."""

SYSTEMS = {REGISTRY: "system with registries", CONTROLLER: "system with controllers"}
"""The names of the system machines, by design."""

MACHINES: dict[str, type[CountedMachine]] = {
    "vote registry": VoteRegistryMachine,
    "controller": ControllerMachine,
    "push-pull connection": PushPullMachine,
    "main node's task": MainTaskMachine,
    "external node's task": ExternalTaskMachine,
    "status watch": StatusWatchMachine,
    "QC finder": QcFinderMachine,
    "attester runner": AttesterRunnerMachine,
    "gossip link": GossipLinkMachine,
    "batch store": BatchStoreMachine,
    **{name: SYSTEM_MACHINES[design] for design, name in SYSTEMS.items()},
}
"""All machines, by name."""

Floors = Mapping[str, float]
"""How often something must happen, for each run."""


def _floors(machine: str, table: Floors) -> Floors:
    driven = [f"until_{name}" for design, system in SYSTEMS.items() if system == machine for name in DRIVEN[design]]
    many = {"each rule": driven, "each revision": REVISIONS, "each topology": TOPOLOGIES, "each size": SIZES}
    return {each: rate for what, rate in table.items() for each in many.get(what, [what])}


_TABLES = tomllib.loads((Path(__file__).parent / "floors.toml").read_text(encoding="utf-8"))

FLOORS: dict[str, Floors] = {machine: _floors(machine, table) for machine, table in _TABLES.items()}
"""By machine: about what is usual in many runs."""

ALLOWANCE, ATTEMPTS = 5, 5
"""A floor is a fifth of what is usual, as each run leaves out a random part of the rules; once is the least. Where few
runs miss one by chance, as many again are tried, this often in all; it is missed if they do not make up for it."""


class FloorsMissed(AssertionError):
    """Something happened less often than it must."""


def floors(machine: str, profile: Profile) -> dict[str, int]:
    """How often everything must happen in the runs of a profile; of a system, in those of one shard. In the few runs of
    the quick one, nothing is asked of what is rare."""
    runs = sum(settings.max_examples for _, settings in parts(MACHINES[machine], profile))
    least = {what: int(rate * runs / ALLOWANCE) for what, rate in FLOORS[machine].items()}
    return {what: floor or 1 for what, floor in least.items() if floor or not profile.quick}


def shortfalls(counts: Mapping[str, int], least: Mapping[str, int]) -> list[str]:
    """What happened less often than its floor, in words."""
    return [
        f"{what}: {counts.get(what, 0)} times in {counts.get('runs', 0):,} runs, at least {floor} are expected"
        for what, floor in least.items()
        if counts.get(what, 0) < floor
    ]


Part = tuple[type[CountedMachine], hypothesis.settings]
"""A machine, and how much of it."""


def parts(machine: type[CountedMachine], profile: Profile, shard: int = 0, pool: int = 0) -> list[Part]:
    """What the profile has of a machine. A system machine has a part for the models of a shard, in this pool, and one
    for each of its showcases: in few runs of everything together, Hypothesis would leave some out by chance."""
    if not issubclass(machine, SystemMachine):
        return [(machine, profile.settings(profile.runs, RULES))]
    models = profile.models // profile.shards
    turns, first = machine.models.step, machine.models.start
    numbers = range(shard * models * turns + first, (shard + 1) * models * turns, turns)
    runs = profile.settings(profile.system_runs // profile.shards, SYSTEM_RULES)
    shown = profile.settings(profile.shown // profile.shards, SYSTEM_RULES)
    return [
        (_part(machine, numbers, pool), runs),
        *((_part(machine, range(0), pool, showcase), shown) for showcase in machine.showcases),
    ]


def _part(machine: type[SystemMachine], numbers: range, at: int, *shown: tuple[str, int]) -> type[SystemMachine]:
    class Part(machine):  # type: ignore[misc, valid-type] # a class that is not known by name
        models, pool, showcases = numbers, at, shown

    return Part


def drive_to_floors(parts: Sequence[Part], seed: int, least: Mapping[str, int]) -> Counter[str]:
    """Drive the parts of a machine until all floors are met, with further seeds if the first one misses any; all
    counts.

    Raises `FloorsMissed`, and what a failing run raises.
    """
    counts = Counter[str]()
    for further in range(ATTEMPTS):
        for machine, settings in parts:
            counts.update(drive(machine, settings, seed + further))
        missed = shortfalls(counts, least)
        if not missed:
            return counts
    raise FloorsMissed("\n".join(missed))


def distribution(machine: str, counts: Counter[str]) -> str:
    """How often everything happened, as a table."""
    lines = [f"{machine}: {counts['runs']:,} runs"]
    return "\n".join(
        [*lines, *(f"  {number:>9,}  {what}" for what, number in sorted(counts.items()) if what != "runs")]
    )
