"""`attestation pace`: what it prints, and what it refuses."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pytest

from properties.cli import main

Capture = pytest.CaptureFixture[str]
FEW = ["--attesters", "1", "--runs", "50"]


@pytest.mark.slow
def test_a_table_with_the_verdict_and_the_bounds(capsys: Capture) -> None:
    assert main(["pace", *FEW, "--poll", "1:3", "--largest"]) == 0
    out = capsys.readouterr().out
    assert [line.split()[:3] for line in out.splitlines()[2:5]] == [[f"{n}", "s", "HOLDS"] for n in (1, 2, 3)]
    assert "up to 58.5 s" in out
    assert "seed 0" in out


def test_a_claim_that_does_not_hold_is_status_1_with_a_run(capsys: Capture) -> None:
    assert main(["pace", *FEW, "--poll", "70"]) == 1
    out = capsys.readouterr().out
    assert "VIOLATED in at most 7 batches" in out
    assert re.search(r"420 s +M seal_batch\(\)", out)


def test_a_search_that_is_cut_short_is_neither(capsys: Capture) -> None:
    assert main(["pace", *FEW, "--max-states", "10"]) == 3
    assert "UNKNOWN" in capsys.readouterr().out


@pytest.mark.slow
def test_files_and_json(tmp_path: Path, capsys: Capture) -> None:
    table, figure = tmp_path / "t.csv", tmp_path / "f.svg"
    assert main(["pace", *FEW, "--backlog", "5", "--csv", str(table), "--plot", str(figure), "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    (line,) = csv.DictReader(table.read_text().splitlines())
    (answer,) = printed["answers"]
    assert float(line["measured.per_hour.value"]) == answer["measured"]["per_hour"]["value"]
    drawn = figure.read_text()
    assert "prefers-color-scheme:dark" in drawn
    assert "certificates per hour" in drawn


BAD = {
    "no number": (["--poll", "x"], "'x' is not a number of seconds"),
    "between the ticks": (["--poll", "0.3"], "0.3 is not a multiple of 0.5 s"),
    "not finite": (["--poll", "nan"], "nan is not a multiple of 0.5 s"),
    "backwards": (["--poll", "5:1"], "'5:1' ends before it begins"),
    "too many parts": (["--poll", "1:2:3:4"], "'1:2:3:4' is neither one interval"),
    "no time": (["--batch-time", "0"], "0 is not a multiple of 0.5 s"),
    "no topology": (["--topology", "rely"], "unknown topology 'rely'"),
    "no revision": (["--revision", "pr161"], "unknown revision 'pr161'"),
    "a crowd": (["--attesters", "27"], "27 attesters are too many"),
    "no backlog": (["--backlog", "0"], "0 is not 1 or more"),
    "a long backlog": (["--backlog", "30001"], "30001 is too many"),
    "no seed": (["--seed", "-1"], "'-1' is not a whole number from 0 on"),
    "another format": (["--plot", "f.png"], "plots are SVG"),
    "no folder": (["--csv", "/dev/null/f"], "cannot write /dev/null/f"),
    "no cluster": (["--cluster", "nowhere"], "--cluster nowhere"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_one_line_and_status_2(name: str, capsys: Capture) -> None:
    given, said = BAD[name]
    assert main(["pace", *given]) == 2
    out, error = capsys.readouterr()
    assert out == ""
    assert error.count("\n") == 1
    assert said in error
