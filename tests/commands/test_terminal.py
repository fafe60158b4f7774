"""What the commands print reaches whoever reads it, or they say that it does not."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from model.revisions import revision
from model.scope import Scope, instance
from model.system import build
from properties.commands.terminal import Progress
from properties.commands.usage import counted
from properties.engines.explorer import explore

ATTESTATION = [sys.executable, "-m", "properties"]


def run(*arguments: str, stdout: int = subprocess.PIPE, **environment: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [*ATTESTATION, *arguments], stdout=stdout, stderr=subprocess.PIPE, env={**os.environ, **environment}
    )


@pytest.mark.parametrize("encoding", ["ascii", "iso-8859-1"])
def test_output_is_utf8_whatever_the_locale_says(encoding: str) -> None:
    done = run("explore", "--revision", "pr161+era2539", "--instance", "n1f0b0", PYTHONIOENCODING=encoding)
    assert (done.returncode, done.stderr) == (0, b"")
    assert "batches 0 … 2" in done.stdout.decode("utf-8")


@pytest.mark.parametrize("command", [["properties"], ["--help"]])
def test_a_full_disk_is_one_line(command: list[str]) -> None:
    with Path("/dev/full").open("wb") as full:
        done = run(*command, stdout=full.fileno())
    assert done.returncode == 2
    assert done.stderr == b"attestation: cannot write the output: No space left on device\n"


def test_a_reader_that_has_gone_is_no_difference_and_no_error() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = run("properties", stdout=writer)
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, b"")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_is_one_line_that_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with Progress() as progress:
        progress.show("1 of 10")
        progress.show("done")
    assert terminal.getvalue() == "\r1 of 10\rdone   \n"


def test_progress_says_that_a_search_is_on_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    search = explore(build(revision("pr161+era2480"), Scope(instance("n1f0b0"), 1)))
    for place in ("", ", on disk 4 MB"):
        monkeypatch.setattr(sys, "stderr", terminal := Terminal())
        Progress().watch(search)
        assert re.search(rf"million/s, [0-9,]+ MB{place}, levels", terminal.getvalue())
        search.room.turn_to_disk()
        held = search.room.empty(1000, ["u8"])
    assert held


@pytest.mark.parametrize("terminal", [Terminal(), io.StringIO()])
def test_without_progress_or_without_a_terminal_nothing_is_shown(
    terminal: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", terminal)
    with Progress() as progress:
        if not terminal.isatty():
            progress.show("1 of 10")
    assert terminal.getvalue() == ""


def test_one_is_singular() -> None:
    assert [counted(1, "batch"), counted(2, "batch"), counted(1000, "state")] == [
        "1 batch",
        "2 batches",
        "1,000 states",
    ]
