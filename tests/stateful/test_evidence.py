"""A failing run ends in two files that can be attached to a report; bad configuration is a clean usage error."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from inspect import getmembers
from pathlib import Path

import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import RULE_MARKER

from model.registry_design.registry import Registry
from model.revisions import CONTROLLER, REGISTRY, REVISIONS
from model.system import build
from properties.engines.stepper import Stepper
from properties.results.trace import from_json, replay
from properties.stateful.controller_design.phases import PHASES as CONTROLLER_PHASES
from properties.stateful.evidence import CannotWrite, check_writable, write, write_example
from properties.stateful.machine import drive
from properties.stateful.models import Model, scope_number
from properties.stateful.profiles import (
    ATTEMPTS,
    FLOORS,
    MACHINES,
    PROFILES,
    SYSTEMS,
    FloorsMissed,
    drive_to_floors,
    floors,
    shortfalls,
)
from properties.stateful.registry_design.phases import PHASES as REGISTRY_PHASES
from properties.stateful.system import DRIVEN, LOCKSTEP, PROGRESS, RegistrySystemMachine, Run, RunFailed
from tests.broken_models import BrokenModel, broken_model

ROOT = Path(__file__).parents[2]
PHASES = {REGISTRY: REGISTRY_PHASES, CONTROLLER: CONTROLLER_PHASES}


def failing_run(broken: BrokenModel) -> RunFailed:
    """A run of a broken model that is driven to its rest, after connections broke that need not."""
    run = Run(Model(build(REVISIONS[broken.revision], replace(broken.scope, disconnects=2))))
    for value in (0, 15, 0, 15, 0):
        run.choose(value)
    with pytest.raises(RunFailed) as failed:
        run.rest()
    return failed.value


@pytest.mark.parametrize(
    ("name", "claim"),
    [
        ("threshold_of_half", "at_most_one_quorum"),
        ("asks_from_second_batch", "one_batch_at_a_time"),
        ("push_sends_nothing", LOCKSTEP),
        ("status_wakes_nobody", PROGRESS),
    ],
)
def test_a_failing_run_is_shortened_and_written_as_markdown_and_json(name: str, claim: str, tmp_path: Path) -> None:
    with broken_model(name).applied():
        failure = failing_run(broken_model(name))
        paths = write(failure, tmp_path / "new" / "folder", seed=7, command="pytest --hypothesis-seed=7")
    assert failure.claim == claim
    assert [path.suffix for path in paths] == [".md", ".json"]
    report = paths[0].read_text(encoding="utf-8")
    assert "Seed: 7" in report
    assert "pytest --hypothesis-seed=7" in report
    assert claim in paths[0].name
    trace = from_json(json.loads(paths[1].read_text(encoding="utf-8")))
    assert len(trace.steps) < len(failure.run.actions)
    assert replay(trace, failure.run.model.stepper)


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(CannotWrite, match="is a file"):
        check_writable(tmp_path / "file" / "below")
    broken = broken_model("asks_from_second_batch")
    with broken.applied(), pytest.raises(CannotWrite, match="cannot write traces"):
        write(failing_run(broken), tmp_path / "file" / "below", 0, "")
    check_writable(tmp_path / "not" / "there" / "yet")
    assert not (tmp_path / "not").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--hypothesis-profile=depe"], "unknown profile 'depe'; did you mean deep"),
        (["--trace-dir=pyproject.toml/below"], "pyproject.toml is a file"),
        (["--hypothesis-seed=-1"], "--hypothesis-seed=-1: a seed is a whole"),
    ],
)
def test_bad_configuration_is_one_line(arguments: list[str], message: str) -> None:
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "tests/stateful/test_evidence.py", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert message in done.stderr
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.parametrize("name", PROFILES)
def test_every_machine_has_floors_that_can_be_missed_in_every_profile(name: str) -> None:
    profile = PROFILES[name]
    assert FLOORS.keys() == MACHINES.keys()
    for machine, usual in FLOORS.items():
        least = floors(machine, profile)
        assert least.keys() == usual.keys() or (profile.quick and least.keys() < usual.keys())
        assert min(least.values()) >= 1
        assert len(shortfalls({"runs": 1}, least)) == len(least)
        assert shortfalls(least, least) == []


def test_floors_that_are_missed_once_more_than_by_chance_are_told() -> None:
    short = [(MACHINES["status watch"], PROFILES["dev"].settings(3, 3))]
    counts = drive_to_floors(short, 0, {"runs": 8})
    assert 8 <= counts["runs"] <= 3 * ATTEMPTS + 8
    with pytest.raises(FloorsMissed, match=r"restart: \d+ times in \d+ runs, at least 1000 are expected"):
        drive_to_floors(short, 0, {"runs": 8, "restart": 1000})


def test_every_rule_and_every_transition_has_a_floor() -> None:
    for name, machine in MACHINES.items():
        rules = {rule for rule, function in getmembers(machine) if hasattr(function, RULE_MARKER)}
        if name not in SYSTEMS.values():
            assert rules <= FLOORS[name].keys(), name
    for design, name in SYSTEMS.items():
        assert {*DRIVEN[design], *(f"until_{each}" for each in DRIVEN[design])} <= FLOORS[name].keys()
        assert {*PHASES[design]} <= FLOORS[name].keys()
        assert {f"until_{each}" for each in DRIVEN[design]} <= set(dir(MACHINES[name]))


@pytest.mark.parametrize(
    ("design", "phase"),
    [pytest.param(REGISTRY, "conflated status", marks=pytest.mark.slow), (CONTROLLER, "votes pulled")],
)
def test_a_system_whose_rules_do_nothing_misses_its_floors(design: str, phase: str) -> None:
    """What every run does at its end, to come to rest, does not count."""

    class Idle(MACHINES[SYSTEMS[design]]):  # type: ignore[misc] # a class that a table has
        def until(self, name: str, choices: bytes) -> None:
            pass

    counts = drive(Idle, PROFILES["dev"].settings(10, 10), seed=0)
    assert counts["steps at rest"] > 0
    missed = " ".join(shortfalls(counts, floors(SYSTEMS[design], PROFILES["ci"])))
    for what in (*DRIVEN[design], phase):
        assert f"{what}:" in missed


def test_a_subclass_checks_every_step() -> None:
    class NeverCertified(RegistrySystemMachine):
        models = range(0, 8, 2)

        def check(self, run: Run) -> None:
            if run.counts["runs with certificate_stored"]:
                raise run.failure("never_certified", "no certificate is stored")

    with pytest.raises(RunFailed, match="never_certified fails"):
        drive(NeverCertified, settings(PROFILES["dev"].settings(100, 30), phases=[Phase.generate]), seed=0)
    failure = NeverCertified.last_failure
    assert failure is not None
    assert failure.run.counts["runs with certificate_stored"] == 1


def test_a_machine_that_fails_alone_is_written_rule_by_rule(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("model.rules.is_below_minimum", lambda number, minimum: number <= minimum)
    with pytest.raises(AssertionError) as failed:
        drive(MACHINES["vote registry"], settings(PROFILES["dev"].settings(50, 10), phases=[Phase.generate]), seed=0)
    paths = write_example("vote registry", failed.value, tmp_path, 0, "pytest -k registry")
    report = paths[0].read_text(encoding="utf-8")
    assert "state.update(" in report or "state.agree(" in report
    assert "pytest -k registry" in report
    assert json.loads(paths[1].read_text(encoding="utf-8"))["rules"]


def test_another_pool_has_other_systems() -> None:
    for number in (20, 21):
        first, other = (scope_number(number, pool) for pool in (0, 1))
        assert first == scope_number(number)
        assert first != other


def test_driving_a_machine_leaves_no_seed_on_its_class() -> None:
    drive(MACHINES["status watch"], PROFILES["dev"].settings(1, 1), seed=7)
    assert not any("seed" in name for name in vars(MACHINES["status watch"]))


def test_the_guarded_registry_that_forgets_its_minimum_is_noticed_in_lockstep(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Registry, "set_min_batch_number", lambda self, number: self)
    model = Model(broken_model("votes_on_last_batch").build())
    with pytest.raises(RunFailed, match=r"lockstep fails .* the minimum of M"):
        Run(model).rest()
    assert isinstance(model.stepper, Stepper)
