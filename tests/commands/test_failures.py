"""A program that fails has an exit status of its own: it never looks like a result, and says so in one line."""

from __future__ import annotations

import errno
import json
import multiprocessing
import subprocess
import sys
from pathlib import Path

import pytest

from properties.cli import main
from properties.commands import statuses
from properties.commands.statuses import COMMANDS, Status
from properties.commands.usage import write
from properties.engines import checking

Capture = pytest.CaptureFixture[str]

EXPLORE = ["explore", "--revision", "pr161+era2480", "--instance", "n1f0b0"]
TRACE = ["trace", "progress_possible", "--revision", "pr161+era2480", "--instance", "n1f0b0"]

FAILURES = {
    "out of memory": (MemoryError(), "out of memory"),
    "a mistake in the program": (OverflowError("too large"), "OverflowError: too large"),
    "no more processes": (OSError(errno.EAGAIN, "Resource temporarily unavailable"), "temporarily unavailable"),
    "several lines": (ValueError("one\ntwo"), "ValueError: one two"),
    "a file of the program is gone": (FileNotFoundError(errno.ENOENT, "No such file", "x.html"), "No such file"),
}


@pytest.mark.parametrize("command", [EXPLORE, TRACE], ids=["explore", "trace"])
@pytest.mark.parametrize("failure", FAILURES)
def test_a_failure_is_one_line_and_a_status_that_is_no_result(
    failure: str, command: list[str], monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    error, said = FAILURES[failure]

    def fails(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(checking, "explore", fails)
    assert main(command) == Status.FAILED == 5
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    assert "the program failed, and there is no result: " in printed.err
    assert said in printed.err
    assert "cannot write" not in printed.err


def test_where_it_failed_is_said_to_whoever_asks(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    def fails(*_: object, **__: object) -> None:
        raise ValueError("no")

    monkeypatch.setattr(checking, "explore", fails)
    assert main(["--traceback", *EXPLORE]) == 5
    assert "Traceback (most recent call last)" in capsys.readouterr().err


def shell(line: str) -> subprocess.CompletedProcess[str]:
    command = line.replace("attestation", f"{sys.executable} -m properties")
    return subprocess.run(["sh", "-c", command], capture_output=True, text=True)


@pytest.mark.parametrize("stderr", ["2>&-", pytest.param("2>/dev/full", marks=pytest.mark.slow)])
def test_a_stderr_that_takes_nothing_changes_no_result(stderr: str) -> None:
    done = shell(f"attestation {' '.join(EXPLORE)} --json {stderr}")
    assert done.returncode == 1
    assert json.loads(done.stdout)["complete"] is True
    wrong = shell(f"attestation explore --revision nothing {stderr}")
    assert (wrong.returncode, wrong.stdout) == (2, "")


def test_every_command_says_how_it_can_end_and_every_status_is_explained() -> None:
    assert all(ends for _, ends in COMMANDS.values())
    assert set(statuses.MEANINGS) == set(Status)
    assert max(map(len, statuses.epilog().splitlines())) <= 80


def write_often(file: Path, text: str) -> None:
    for _ in range(150):
        write(file, text)


def test_two_runs_that_write_the_same_file_do_not_collide(tmp_path: Path) -> None:
    texts = ["a" * 100_000, "b" * 100_000]
    context = multiprocessing.get_context("fork")
    runs = [context.Process(target=write_often, args=(tmp_path / "report.md", text)) for text in texts]
    for each in runs:
        each.start()
    for each in runs:
        each.join()
    assert [each.exitcode for each in runs] == [0, 0]
    assert [file.name for file in tmp_path.iterdir()] == ["report.md"]
    assert (tmp_path / "report.md").read_text() in texts
