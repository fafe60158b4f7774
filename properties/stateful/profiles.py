"""How much is tried: the profiles, and the floors below which a run of a profile has not tried enough."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

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
from properties.stateful.system import DRIVEN, SIZES, ControllerSystemMachine, RegistrySystemMachine, SystemMachine


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
        Profile("dev", 50, system_runs=100, models=28, shards=1, shown=10, seeds=1, examples=50, quick=True),
        Profile("ci", 200, system_runs=700, models=84, shards=1, shown=40, seeds=1, examples=200, derandomize=True),
        Profile("deep", 500, system_runs=20_000, models=480, shards=4, shown=200, seeds=10, examples=500, larger=True),
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
    SYSTEMS[REGISTRY]: RegistrySystemMachine,
    SYSTEMS[CONTROLLER]: ControllerSystemMachine,
}
"""All machines, by name."""

Floors = Mapping[str, float]
"""How often something must happen, for each run."""

WITNESSES: dict[str, Floors] = {
    REGISTRY: {
        "certificate_stored": 0.2,
        "two_certificates_in_a_row": 0.1,
        "vote_below_minimum": 0.1,
        "vote_replaced": 0.1,
        "minimum_lowered": 0.01,
        "gossips_before_first_answer": 0.1,
        "smaller_number_stops_node": 0.01,
        "peers_have_different_votes": 0.05,
        "external_node_has_gap": 0.01,
        "queued_certificate_lost": 0.1,
    },
    CONTROLLER: {
        "certificate_stored": 0.5,
        "two_certificates_in_a_row": 0.4,
        "early_vote_ignored": 0.5,
        "votes_pulled": 0.3,
        "list_cut_off": 0.03,
    },
}
"""By design, the witnesses of the catalogue that the system must come upon."""

FLOORS: dict[str, Floors] = {
    "vote registry": {
        "update": 1,
        "agree": 1,
        "set_min_batch_number": 1,
        "look": 1,
        "subscribe": 1,
        "get_newer": 1,
        "duplicate entry": 0.2,
        "different genesis": 0.05,
        "bad signature": 0.04,
        "vote below minimum": 0.3,
        "vote of a stranger": 0.1,
        "vote replaced": 0.1,
        "minimum lowered": 0.2,
        "quorum found": 1,
        "contaminated certificate": 0.1,
    },
    "controller": {
        "start_attestation": 1,
        "start_next": 1.5,
        "start_again": 1,
        "insert_votes": 3,
        "agree": 1,
        "follow": 1,
        "subscribe": 1.5,
        "wait_for_diff": 1.5,
        "votes": 1.5,
        "wait_for_cert": 1.5,
        "start refused: genesis": 0.06,
        "start refused: number": 1.5,
        "start that changes nothing": 0.6,
        "own vote": 1,
        "duplicate": 0.2,
        "genesis": 0.05,
        "hash": 0.03,
        "non-member": 0.1,
        "signature": 0.15,
        "votes kept before an error": 0.18,
        "votes before the first start": 0.8,
        "vote on another number": 0.1,
        "known vote": 0.8,
        "certificate": 4,
        "diff with votes only": 0.5,
        "diff that leaves out numbers": 0.2,
        "nothing new": 1,
        "votes that are not asked for": 0.3,
        "wait for a later number": 0.8,
        "wait for a number that was skipped": 0.3,
    },
    "push-pull connection": {
        "start_next": 2,
        "hurry": 4,
        "vote": 4,
        "meet": 2,
        "go_on": 1.5,
        "idle": 2,
        "called": 2,
        "inserted": 2,
        "answered": 1.5,
        "exchange_votes": 1.5,
        "reconnect": 0.4,
        "refuse_message": 0.1,
        "restart": 0.2,
        "new votes alone told": 0.1,
        "early votes ignored": 0.08,
        "late votes ignored": 0.5,
        "error: hash": 0.3,
        "error: non-member": 0.15,
        "list cut off": 0.15,
        "asked for another batch": 0.5,
        "votes pulled": 0.6,
        "call lost": 0.3,
    },
    "main node's task": {
        "provide_hash": 0.5,
        "vote": 4,
        "prune": 0.3,
        "go_on": 1,
        "round": 5,
        "restore_database": 0.3,
        "start_later": 0.1,
        "fail_once": 0.3,
        "restart": 0.5,
        "read_status": 2,
        "start_attestation": 1.5,
        "skip_batch": 0.04,
        "find_certificate": 1,
        "insert_certificate": 1,
        "fail_to_start": 0.2,
        "fail_to_certify": 0.08,
        "certificates gone": 0.2,
        "error that ends the consensus": 0.05,
        "error that ends the task alone": 0.1,
        "restart after an error": 0.05,
        "restart with a batch in hand": 0.08,
        **dict.fromkeys(REVISIONS, 0.1),
    },
    "external node's task": {
        "provide_hash": 0.5,
        "vote": 3,
        "prune": 0.3,
        "go_on": 0.2,
        "answer": 3,
        "answer_next": 3,
        "diverge": 0.2,
        "fail_once": 0.2,
        "restart": 0.3,
        "restart_without_registry": 0.2,
        "read_status": 1,
        "start_attestation": 0.4,
        "skip_batch": 0.15,
        "fail_to_start": 0.15,
        "smaller number": 0.06,
        "number while waiting for a hash": 1,
        "other hash signed": 0.1,
        "error that ends the consensus": 0.01,
        "error that ends the task alone": 0.1,
        "restart after an error": 0.03,
        "restart with a batch in hand": 0.05,
        **dict.fromkeys(REVISIONS, 0.1),
    },
    "status watch": {
        "update": 1,
        "look": 1,
        "restart": 0.2,
        "same number again": 0.2,
        "number falls": 0.5,
        "conflated status": 0.1,
        "changed and back": 0.03,
    },
    "QC finder": {
        "status": 1,
        "vote": 1,
        "votes": 1,
        "equivocate": 1,
        "persist_batch": 0.5,
        "restart": 0.2,
        "go_on": 0.2,
        "round": 1,
        "read_status": 0.2,
        "set_min_batch_number": 0.2,
        "find_quorum": 0.1,
        "store_qc": 0.1,
        "status while waiting for a quorum": 0.1,
        "minimum lowered": 0.04,
        "contaminated certificate": 0.1,
        "restart with a queued certificate": 0.04,
    },
    "attester runner": {
        "status": 1,
        "persist_batch": 0.5,
        "provide_commitment": 1,
        "set_min_batch_number": 1,
        "echo": 1,
        "go_on": 0.2,
        "restart": 0.2,
        "read_status_to_attest": 0.2,
        "publish_vote": 0.2,
        "own registry skips the vote": 0.05,
        "status while attesting": 0.2,
        "restart while attesting": 0.05,
    },
    "gossip link": {
        "vote": 1,
        "set_min_batch_number": 1,
        "push": 0.4,
        "receive": 0.2,
        "reconnect": 0.2,
        "only a part is new": 0.1,
        "message lost": 0.05,
        "vote below minimum": 0.05,
    },
    "batch store": {
        "persist_batch": 0.5,
        "provide_commitment": 1,
        "store_qc": 1,
        "insert_qc": 1,
        "restart": 0.2,
        "head waits for its batch": 0.3,
        "inserted": 0.2,
        "inserted again": 0.03,
        "gap": 0.2,
        "restart with a queued certificate": 0.1,
    },
    SYSTEMS[REGISTRY]: {
        **dict.fromkeys((f"until_{name}" for name in DRIVEN[REGISTRY]), 1),
        "produce_first_block": 0.3,
        "seal_batch": 1,
        "poll_status": 2,
        "update_status": 4,
        "read_status": 2,
        "set_min_batch_number": 2,
        "find_quorum": 1,
        "store_qc": 0.5,
        "insert_qc": 0.5,
        "stop_on_mismatch": 0.01,
        "read_status_to_attest": 1,
        "publish_vote": 1,
        "push_votes": 4,
        "receive_votes": 4,
        "persist_batch": 1,
        "provide_commitment": 1,
        "restart_node": 1,
        "reconnect": 2,
        "forge_vote": 0.5,
        "refuse_votes": 0.01,
        "push_bad_vote": 0.02,
        "refuse_status": 0.01,
        "fail_once": 0.2,
        "read_old_status": 0.05,
        "replicate": 0.2,
        "refuse_old_genesis": 0.01,
        "regenesis": 0.1,
        "restart_on_new_genesis": 0.1,
        "prune": 0.1,
        "runs of full length": 0.1,
        "comes to rest": 0.5,
        "rest with all certificates": 0.1,
        "conflated status": 0.3,
        "message lost": 0.1,
        "minimum lowered": 0.01,
        "own registry skips the vote": 0.02,
        "vote below minimum": 0.5,
        "vote replaced": 0.5,
        "equivocating votes": 0.2,
        "contaminated certificate": 0.01,
        "restart with a queued certificate": 0.01,
        **{f"runs with {name}": rate for name, rate in WITNESSES[REGISTRY].items()},
        **dict.fromkeys(TOPOLOGIES, 0.05),
        **dict.fromkeys(SIZES, 0.02),
    },
    SYSTEMS[CONTROLLER]: {
        **dict.fromkeys((f"until_{name}" for name in DRIVEN[CONTROLLER]), 1),
        "seal_batch": 3,
        "provide_hash": 1,
        "read_status": 3,
        "start_attestation": 5,
        "skip_batch": 0.03,
        "find_certificate": 0.4,
        "insert_certificate": 1,
        "exchange_votes": 5,
        "call_peer": 10,
        "receive_call": 8,
        "answer_call": 7,
        "receive_answer": 5,
        "refuse_message": 2,
        "forge_vote": 0.2,
        "fail_once": 0.2,
        "fail_to_start": 0.1,
        "fail_to_certify": 0.03,
        "refuse_genesis": 0.05,
        "read_old_genesis": 0.05,
        "read_old_status": 0.2,
        "regenesis": 0.1,
        "restart_on_new_genesis": 0.2,
        "restore_database": 0.1,
        "restart_without_registry": 0.1,
        "restart_with_registry": 0.1,
        "diverge": 0.2,
        "execute_again": 0.05,
        "prune": 0.2,
        "restart_node": 2,
        "reconnect": 1,
        "runs of full length": 0.1,
        "comes to rest": 0.5,
        "rest with all certificates": 0.3,
        "early votes ignored": 0.4,
        "late votes ignored": 0.2,
        "votes pulled": 0.5,
        "asked for another batch": 0.2,
        "new votes alone told": 2,
        "call lost": 0.1,
        "list cut off": 0.04,
        "list that ends with an error": 0.05,
        "start refused": 0.02,
        "start of a batch that is not asked for any more": 0.03,
        "restart with a certificate in hand": 0.02,
        "the task alone ends": 0.1,
        "the consensus ends": 0.1,
        "restart after an error": 0.2,
        **{f"runs with {name}": rate for name, rate in WITNESSES[CONTROLLER].items()},
        **dict.fromkeys(TOPOLOGIES, 0.03),
        **dict.fromkeys(SIZES, 0.02),
    },
}
"""By machine: about what is usual in many runs."""

ALLOWANCE, ATTEMPTS = 5, 5
"""A floor is a fifth of what is usual, as each run leaves out a random part of the rules; once is the least. Where few
runs miss one by chance, as many again are tried, this often in all; it is missed if they do not make up for it."""


class FloorsMissed(AssertionError):
    """Something happened less often than it must."""


def floors(machine: str, profile: Profile) -> dict[str, int]:
    """How often everything must happen in the runs of a profile; of a system, in those of one shard."""
    runs = sum(settings.max_examples for _, settings in parts(MACHINES[machine], profile))
    return {what: max(1, int(rate * runs / ALLOWANCE)) for what, rate in FLOORS[machine].items()}


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
