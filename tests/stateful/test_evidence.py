"""A failing run ends in two files that can be attached to a report; bad configuration is a clean usage error."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from model.registry import Registry
from properties.broken_models import broken_model
from properties.claims.catalogue import CATALOGUE
from properties.claims.kinds import Kind
from properties.engines.stepper import Stepper
from properties.stateful.evidence import CannotWrite, check_writable, write
from properties.stateful.expectations import HOLDS_WHERE
from properties.stateful.models import Model
from properties.stateful.profiles import FLOORS, MACHINES, shortfalls
from properties.stateful.system import Run, RunFailed
from properties.trace import from_json, replay

ROOT = Path(__file__).parents[2]


def failing_run() -> tuple[RunFailed, Model]:
    """A run of a broken model, which the lockstep notices or an invariant does."""
    broken = broken_model("threshold_of_half")
    with broken.applied():
        model = Model(broken.build())
        run = Run(model)
        with pytest.raises(RunFailed) as failed:
            run.rest()
    return failed.value, model


def test_a_failing_run_is_written_as_markdown_and_json(tmp_path: Path) -> None:
    failure, model = failing_run()
    paths = write(failure, tmp_path / "new" / "folder", seed=7, command="pytest --hypothesis-seed=7")
    assert [path.suffix for path in paths] == [".md", ".json"]
    report = paths[0].read_text(encoding="utf-8")
    assert "Seed: 7" in report
    assert "pytest --hypothesis-seed=7" in report
    assert failure.trace.claim in paths[0].name
    trace = from_json(json.loads(paths[1].read_text(encoding="utf-8")))
    assert len(trace.steps) <= len(failure.run.actions)
    assert replay(trace, model.stepper)


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(CannotWrite, match="is a file"):
        check_writable(tmp_path / "file" / "below")
    with pytest.raises(CannotWrite, match="cannot write traces"):
        write(failing_run()[0], tmp_path / "file" / "below", 0, "")
    check_writable(tmp_path / "not" / "there" / "yet")
    assert not (tmp_path / "not").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--hypothesis-profile=depe"], "unknown profile 'depe'; did you mean deep"),
        (["--trace-dir=pyproject.toml/below"], "pyproject.toml is a file"),
    ],
)
def test_bad_configuration_is_one_line(arguments: list[str], message: str) -> None:
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "tests/stateful/test_evidence.py", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert message in done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_the_expectations_cover_the_catalogue() -> None:
    assert set(HOLDS_WHERE) == {claim.name for claim in CATALOGUE if claim.kind is Kind.ALWAYS} | {"progress_possible"}


def test_every_machine_has_floors_and_they_can_be_missed() -> None:
    assert FLOORS.keys() == MACHINES.keys()
    for name, floors in FLOORS.items():
        assert len(shortfalls(name, {"runs": 10_000})) == len(floors)
        assert shortfalls(name, dict.fromkeys(floors, 10_000_000) | {"runs": 10_000}) == []


def test_the_guarded_registry_that_forgets_its_minimum_is_noticed_in_lockstep(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Registry, "set_min_batch_number", lambda self, number: self)
    model = Model(broken_model("votes_on_last_batch").build())
    with pytest.raises(RunFailed, match=r"lockstep fails .* the minimum of M"):
        Run(model).rest()
    assert isinstance(model.stepper, Stepper)
