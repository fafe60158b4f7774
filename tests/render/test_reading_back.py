"""`attestation trace --from`: a trace that was written as JSON is written anew in another format."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from properties.cli import main
from properties.render import FORMATS
from properties.results.trace import Trace

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def file(tmp_path: Path, vote_lost: Trace) -> Path:
    path = tmp_path / "trace.json"
    path.write_text(FORMATS["json"](vote_lost), encoding="utf-8")
    return path


@pytest.mark.parametrize("name", ["markdown", "mermaid", "itf", "json", "html", "pytest"])
def test_a_trace_is_written_as_if_it_had_just_been_found(name: str, file: Path, vote_lost: Trace) -> None:
    out = file.with_suffix(".out")
    assert main(["trace", "--from", str(file), "--format", name, "--out", str(out)]) == 0
    assert out.read_text(encoding="utf-8") == FORMATS[name](vote_lost)


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        ({"revision": "pr161+era248"}, "unknown revision 'pr161+era248'; did you mean pr161+era2480"),
        ({"property": "progress"}, "unknown property 'progress'; did you mean progress_possible"),
        ({"failed": "it holds"}, "no part of progress_possible in this scope reads 'it holds'"),
        ({"scope": {"instance": "n2f0b0", "batches": 3, "restarting": "q"}}, "there is no node 'q' that restarts"),
        ({"scope": {"instance": "n2f1b0", "batches": 3}}, "instance n2f1b0: 2 attesters tolerate f = 0, not 1"),
        ({"loop": 99}, "loop is 99; the trace has 21 steps"),
        ({"loop": 3}, "the last state is not that after step 3"),
        ({"initial": {}}, "the trace starts in another state than the model"),
    ],
)
def test_a_damaged_trace_is_one_line_and_status_2(
    file: Path, damage: dict[str, Any], problem: str, capsys: Capture
) -> None:
    file.write_text(json.dumps({**json.loads(file.read_text(encoding="utf-8")), **damage}), encoding="utf-8")
    assert main(["trace", "--from", str(file)]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert problem in printed.err
    assert printed.err.count("\n") == 1


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b"[" * 100_000, b'{"format": ' + b"1" * 5000 + b"}"])
def test_no_document_at_all_is_one_line_and_status_2(file: Path, content: bytes, capsys: Capture) -> None:
    file.write_bytes(content)
    assert main(["trace", "--from", str(file)]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_what_the_file_says_is_not_said_again(file: Path, capsys: Capture) -> None:
    assert main(["trace", "progress_possible", "--from", str(file)]) == 2
    assert "leave out property" in capsys.readouterr().err
    assert main(["trace", "--from", str(file.with_name("none"))]) == 2
    assert "cannot read" in capsys.readouterr().err
    assert main(["trace", "progress_possible"]) == 2
    assert "name a PROPERTY and a --revision" in capsys.readouterr().err
