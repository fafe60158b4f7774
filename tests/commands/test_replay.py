"""`attestation replay`: both kinds of files, what is printed, and the exit status."""

import gzip
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from properties.cli import main
from properties.results.trace import from_json

Capture = pytest.CaptureFixture[str]

CONFORMANCE = Path(__file__).parents[1] / "conformance"
LOGS = CONFORMANCE / "system-logs.jsonl.gz"
SCENARIOS = CONFORMANCE / "vote-registry.jsonl.gz"
CONTROLLER = CONFORMANCE / "controller.jsonl.gz"


@pytest.fixture(scope="module")
def lines() -> list[str]:
    """The first two runs, and the clean run 12."""
    with gzip.open(LOGS, "rt", encoding="utf-8") as file:
        everything = list(file)
    starts = [at for at, line in enumerate(everything) if '"format"' in line]
    return [*everything[: starts[2]], *everything[starts[11] : starts[12]]]


@pytest.fixture
def log(tmp_path: Path, lines: list[str]) -> Path:
    path = tmp_path / "runs.jsonl"
    path.write_text("".join(lines), encoding="utf-8")
    return path


def edited(log: Path, line: int, **changes: Any) -> None:
    lines = log.read_text(encoding="utf-8").splitlines(keepends=True)
    lines[line - 1] = json.dumps(json.loads(lines[line - 1]) | changes) + "\n"
    log.write_text("".join(lines), encoding="utf-8")


def test_accepted_runs_and_what_is_found_in_them(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", str(log)]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[0] == "run 1 (seed 100016, start tip, M, a, b): accepted, 120 events, ended 'stuck'"
    assert printed[1].startswith("  point of no return for batch 1 from line 104 (seq 103) on, M qc_persisted")
    assert "    before that event, batch 4 could still be certified, in 40 steps" in printed
    assert printed[-2].endswith("accepted, 209 events, ended 'all batches attested'; clean")
    assert printed[-1] == "3 of 3 runs accepted"


@pytest.mark.slow
def test_gzipped_runs_as_json(tmp_path: Path, lines: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "runs.gz"
    path.write_bytes(gzip.compress("".join(lines).encode()))
    assert main(["replay", str(path), "--json", "--out", str(tmp_path / "traces")]) == 0
    first, second, third = map(json.loads, capsys.readouterr().out.splitlines())
    (finding,) = first["findings"]
    assert (first["verdict"], first["revision"]) == ("accepted", "pr161+era2480")
    assert (finding["finding"], finding["seq"], finding["undecided"]) == ("point of no return", 103, 0)
    assert (second["run"], third["findings"]) == (2, [])
    written = sorted(path.name for path in (tmp_path / "traces").iterdir())
    assert written == ["run-1-progress_possible.json", "run-2-progress_possible.json"]
    trace = from_json(json.loads((tmp_path / "traces" / written[0]).read_text(encoding="utf-8")))
    assert trace.steps[-1].call == "store_qc()"


def test_a_rejected_run_does_not_hide_the_others(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edited(log, 10, number=1)
    assert main(["replay", str(log)]) == 1
    printed = capsys.readouterr().out.splitlines()
    assert printed[0] == "run 1 (seed 100016, start tip, M, a, b): REJECTED at line 10 (seq 9)"
    assert printed[1] == "  longest accepted prefix: 8 of 120 events"
    assert printed[-1] == "2 of 3 runs accepted"


def test_a_rejected_run_as_json(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edited(log, 10, number=1)
    assert main(["replay", str(log), "--json"]) == 1
    first = json.loads(capsys.readouterr().out.splitlines()[0])
    assert (first["verdict"], first["line"], first["accepted"]) == ("rejected", 10, 8)
    assert first["candidates"][0]["field"] == "number"


def test_a_run_can_be_held_against_another_revision(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", str(log), "--revision", "pr161+era2539"]) == 1
    assert "REJECTED at line 65 (seq 64)" in capsys.readouterr().out


@pytest.mark.parametrize(("name", "scenarios", "steps"), [(SCENARIOS, 400, 7952), (CONTROLLER, 300, 7408)])
def test_the_file_says_by_itself_what_its_scenarios_are_of(
    name: Path, scenarios: int, steps: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["replay", str(name)]) == 0
    assert capsys.readouterr().out == f"accepted: {scenarios} scenarios, {steps} steps\n"


def test_a_threshold_that_is_wrong_is_of_no_step(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with gzip.open(CONTROLLER, "rt", encoding="utf-8") as file:
        scenario = json.loads(next(file))
    scenario["thresholds"]["c0"] += 1
    (tmp_path / "wrong.jsonl").write_text(json.dumps(scenario), encoding="utf-8")
    assert main(["replay", str(tmp_path / "wrong.jsonl")]) == 1
    printed = capsys.readouterr().out
    assert "scenario 'controller-0000': REJECTED at what it says of itself" in printed
    assert "thresholds.c0: recorded 2, in the model 1" in printed
    assert main(["replay", str(tmp_path / "wrong.jsonl"), "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["step"] is None


def test_rejected_registry_scenarios(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with gzip.open(SCENARIOS, "rt", encoding="utf-8") as file:
        scenario = json.loads(next(file))
    scenario["steps"][0]["state"]["min_batch_number"] += 1
    (tmp_path / "wrong.jsonl").write_text(json.dumps(scenario), encoding="utf-8")
    assert main(["replay", str(tmp_path / "wrong.jsonl")]) == 1
    assert "state.min_batch_number: recorded" in capsys.readouterr().out
    assert main(["replay", str(tmp_path / "wrong.jsonl"), "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["field"] == "state.min_batch_number"


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", "line 1: the recording is empty"),
        ("{}x", "line 1: not JSON"),
        ('{"format": "attestation-log/9"}', "line 1: unknown format 'attestation-log/9'"),
        ('{"seq": 1, "event": "batch_sealed"}', "line 1: a run must start with a header line"),
    ],
)
def test_a_malformed_file_is_one_line_and_status_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str, problem: str
) -> None:
    (tmp_path / "log").write_text(content, encoding="utf-8")
    assert main(["replay", str(tmp_path / "log")]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert problem in captured.err
    assert captured.err.count("\n") == 1


def test_blank_lines_at_the_end_and_a_byte_order_mark_are_nothing(
    log: Path, lines: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    log.write_text("".join(lines[:122]) + "\n  \n\n", encoding="utf-8-sig")
    assert main(["replay", str(log)]) == 0
    assert "1 of 1 runs accepted" in capsys.readouterr().out
    log.write_text("".join(lines[:5]) + "\n" + "".join(lines[5:]), encoding="utf-8")
    assert main(["replay", str(log)]) == 2
    assert "line 6: not JSON" in capsys.readouterr().err


def test_a_malformed_line_is_told_after_the_runs_before_it(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edited(log, 200, event="?")
    assert main(["replay", str(log)]) == 2
    captured = capsys.readouterr()
    assert captured.out.startswith("run 1 ")
    assert "line 200: event is '?'" in captured.err


def test_wrong_usage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", str(tmp_path / "nothing")]) == 2
    assert "cannot read" in capsys.readouterr().err
    assert main(["replay", str(LOGS), "--revision", "pr161+era248"]) == 2
    assert "pr161+era2480" in capsys.readouterr().err
    assert main(["replay", str(SCENARIOS), "--revision", "pr161+era2480"]) == 2
    assert "--revision is for system logs" in capsys.readouterr().err


def test_runs_of_controllers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same command, and the header says what design they are of; a revision of the other one is refused."""
    with gzip.open(CONFORMANCE / "controller-logs.jsonl.gz", "rt", encoding="utf-8") as file:
        everything = list(file)
    (tmp_path / "runs.jsonl").write_text("".join(everything[:74]), encoding="utf-8")
    assert main(["replay", str(tmp_path / "runs.jsonl")]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "run 1 (seed 175000, fast, M, a): accepted, 72 events, ended 'all batches attested'; clean",
        "1 of 1 runs accepted",
    ]
    assert main(["replay", str(tmp_path / "runs.jsonl"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["revision"] == "pr175+era2684"
    assert main(["replay", str(tmp_path / "runs.jsonl"), "--revision", "pr161+era2480"]) == 2
    captured = capsys.readouterr()
    assert (captured.out, captured.err.count("\n")) == ("", 1)
    assert "pr161+era2480 has no attestation controller" in captured.err


def test_a_log_that_ends_before_its_run_is_replayed_as_a_prefix(log: Path, lines: list[str], capsys: Capture) -> None:
    log.write_text("".join(lines[:40]), encoding="utf-8")
    assert main(["replay", str(log)]) == 0
    assert "accepted, 39 events, no end line: this is a prefix of a run" in capsys.readouterr().out
    assert main(["replay", str(log), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["reason"] is None


@pytest.mark.slow
def test_a_pipe_may_deliver_one_byte_first() -> None:
    command = f"(head -c 1 {LOGS}; sleep 0.2; tail -c +2 {LOGS}) | {sys.executable} -m properties replay -"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("40 of 40 runs accepted\n")


@pytest.mark.slow
def test_whoever_asks_gets_a_violation_as_an_exit_status(log: Path, lines: list[str], capsys: Capture) -> None:
    assert main(["replay", str(log), "--fail-on-violation"]) == 1
    clean = [at for at, line in enumerate(lines) if '"format"' in line][2]
    log.write_text("".join(lines[clean:]), encoding="utf-8")
    assert main(["replay", str(log), "--fail-on-violation"]) == 0
    assert capsys.readouterr().out.endswith("clean\n1 of 1 runs accepted\n")


def test_traces_of_an_earlier_log_do_not_stay(log: Path, lines: list[str], tmp_path: Path, capsys: Capture) -> None:
    stale, kept = tmp_path / "run-7-progress_possible.json", tmp_path / "run-7-notes.json"
    for file in (stale, kept):
        file.write_text("{}")
    log.write_text("".join(lines[:40]), encoding="utf-8")
    assert main(["replay", str(log), "--out", str(tmp_path)]) == 0
    assert "accepted" in capsys.readouterr().out
    assert (stale.exists(), kept.exists()) == (False, True)
