"""An interrupt leaves what is finished, says that it is cut short, and ends with 3; never a traceback."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from properties.claims.catalogue import CATALOGUE
from properties.cli import main
from properties.commands import replay, revisions
from properties.engines.checking import Check
from properties.results import ledger
from properties.results.ledger import Entry, check
from properties.scopes.plans import Plan

Capture = pytest.CaptureFixture[str]

LARGE = ["--revision", "pr161+era2480", "--instance", "n3f0b0", "--detail", "full"]
"""A search that would take hours."""

CHECK = ["check", "--workers", "1", "--instance", "n3f0b0", "--instance", "w7b0", "--revision", "pr161+era2480"]
LOGS = Path(__file__).parents[1] / "conformance" / "system-logs.jsonl.gz"


def interrupted(*arguments: str) -> tuple[int, str, str]:
    """Run a command on a terminal of its own and interrupt it once it has shown progress: its exit status, what it has
    printed, and what the terminal shows."""
    terminal, stderr = os.openpty()
    command = [sys.executable, "-m", "properties", *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, text=True, preexec_fn=_heeds_interrupts)
    os.close(stderr)
    shown = os.read(terminal, 1000)
    process.send_signal(signal.SIGINT)
    printed, _ = process.communicate()
    while more := _read(terminal):
        shown += more
    os.close(terminal)
    return process.returncode, printed, shown.decode()


def _heeds_interrupts() -> None:
    """Tests that run in the background of a shell have interrupts ignored, and so would what they start."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _read(terminal: int) -> bytes:
    """What there is to read; nothing once nobody writes any more, which is an error on Linux."""
    try:
        return os.read(terminal, 1000)
    except OSError:
        return b""


def test_explore_leaves_what_it_has_searched() -> None:
    status, printed, shown = interrupted("explore", *LARGE)
    assert status == 3
    assert "3 batches, full: CUT SHORT" in printed
    assert "UNKNOWN(the search was cut short)" in printed
    assert "depth 0, 1 state" in shown
    assert shown.endswith("\n")
    assert "Traceback" not in shown


@pytest.mark.slow
def test_trace_says_that_it_was_cut_short() -> None:
    status, printed, shown = interrupted("trace", "progress_possible", *LARGE)
    assert (status, printed) == (3, "")
    assert "UNKNOWN(the search was cut short)" in shown
    assert "Traceback" not in shown


def test_explore_leaves_the_verdicts_that_it_has(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    judge = Check.verdict

    def interrupt(self: Check, claim: object) -> object:
        if claim is CATALOGUE[2]:
            raise KeyboardInterrupt
        return judge(self, claim)  # type: ignore[arg-type] # it is a property

    monkeypatch.setattr(Check, "verdict", interrupt)
    assert main(["explore", "--revision", "pr161+era2539", "--instance", "n1f0b0", "--json"]) == 3
    found = json.loads(capsys.readouterr().out)
    words = [found["verdicts"][claim.name]["detail"] for claim in CATALOGUE]
    assert found["complete"] is False
    assert words[:2] == ["121 states, depth 31"] * 2
    assert set(words[2:]) == {"interrupted"}


def some_entries(*_: object) -> Iterator[Entry]:
    yield check("pr161+era2480", Plan("n3f0b0", "joined", symmetry=True))
    raise KeyboardInterrupt


def test_check_leaves_what_it_has_searched(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: Capture) -> None:
    monkeypatch.setattr(ledger, "check_all", some_entries)
    assert main([*CHECK, "--out", str(tmp_path)]) == 3
    printed = capsys.readouterr().out
    assert "CUT SHORT (interrupted): 1 of 2 pairs of a revision and a scope;\n" in printed
    assert "as expected" not in printed
    assert "the expected one" not in printed
    assert "a trace of each, as JSON without a report," in printed
    assert {path.suffix for path in tmp_path.rglob("*/*.*")} == {".json"}


@pytest.mark.slow
def test_check_cut_short_is_not_complete_for_machines_either(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: Capture
) -> None:
    monkeypatch.setattr(ledger, "check_all", some_entries)
    assert main([*CHECK, "--json", "--out", str(tmp_path)]) == 3
    found = json.loads(capsys.readouterr().out)
    assert (found["complete"], found["stopped"], found["planned"], len(found["entries"])) == (
        False,
        "interrupted",
        2,
        1,
    )


def test_check_that_has_searched_nothing_does_not_say_that_it_is_as_expected(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: Capture
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(ledger, "check_all", interrupt)
    assert main([*CHECK, "--out", str(tmp_path)]) == 3
    expected = "CUT SHORT (interrupted): 0 of 2 pairs of a revision and a scope; nothing was checked;\n"
    assert expected in capsys.readouterr().out


def test_replay_leaves_the_runs_that_it_has_followed(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    follow, runs = replay.follow, []

    def interrupt(recorded: object, chosen: object) -> object:
        runs.append(recorded)
        if len(runs) == 2:
            raise KeyboardInterrupt
        return follow(recorded, chosen)  # type: ignore[arg-type] # a run and a revision

    monkeypatch.setattr(replay, "follow", interrupt)
    assert main(["replay", str(LOGS)]) == 3
    printed = capsys.readouterr()
    assert printed.out.startswith("run 1 ")
    assert printed.out.endswith("CUT SHORT: 1 of the first 1 runs accepted\n")
    assert printed.err == "attestation: interrupted; the work was cut short\n"


def test_every_command_ends_with_one_line(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    def interrupt(_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(revisions, "run", interrupt)
    assert main(["revisions"]) == 3
    assert capsys.readouterr().err == "attestation: interrupted; the work was cut short\n"


DROPPED = """
import signal, time, weakref
from properties import cli

class Thing:
    pass

def work(_):
    thing = Thing()
    seen = weakref.ref(thing, lambda _: signal.raise_signal(signal.{name}))
    del thing
    time.sleep(30)
    return 0

cli._run = work
raise SystemExit(cli.main())
"""


@pytest.mark.parametrize(
    ("name", "status", "said"), [("SIGINT", 3, "interrupted"), ("SIGTERM", 143, "ended by SIGTERM")]
)
def test_what_python_drops_within_a_callback_comes_again(name: str, status: int, said: str) -> None:
    """Or a search would go on for hours after it was told to end."""
    code = DROPPED.replace("{name}", name)
    begun = [sys.executable, "-c", code]
    ended = subprocess.run(begun, capture_output=True, text=True, timeout=20, preexec_fn=_heeds_interrupts)
    assert (ended.returncode, ended.stdout) == (status, "")
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr
