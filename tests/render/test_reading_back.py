"""`attestation trace --from`: a trace that was written as JSON is written anew in another format."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from model.revisions import revision
from model.scope import Scope, instance
from model.system import build
from properties.claims.catalogue import claim
from properties.cli import main
from properties.engines import explorer
from properties.engines.checking import Check
from properties.render import FORMATS, story
from properties.results.trace import Trace
from properties.results.verdicts import Violated

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def file(tmp_path: Path, vote_lost: Trace) -> Path:
    path = tmp_path / "trace.json"
    path.write_text(FORMATS["json"](vote_lost), encoding="utf-8")
    return path


@pytest.mark.parametrize("name", ["markdown", "mermaid", "itf", "json", "html", "pytest"])
def test_a_trace_is_written_anew_without_the_figures_of_its_search(name: str, file: Path, vote_lost: Trace) -> None:
    out = file.with_suffix(".out")
    assert main(["trace", "--from", str(file), "--format", name, "--out", str(out)]) == 0
    assert out.read_text(encoding="utf-8") == FORMATS[name](vote_lost.about(facts=None))


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


def read_back(trace: Trace, folder: Path) -> int:
    file = folder / "given.json"
    file.write_text(FORMATS["json"](trace), encoding="utf-8")
    return main(["trace", "--from", str(file)])


@pytest.mark.parametrize("name", ["gap", "vote_lost", "witness", "lasso", "certificate"])
def test_what_a_search_has_found_is_confirmed(name: str, traces: dict[str, Trace], tmp_path: Path) -> None:
    assert read_back(traces[name], tmp_path) == 0


@pytest.fixture(scope="module")
def traces(small: Check, vote_lost: Trace, gap: Trace, witness: Trace, bad_certificate: Trace) -> dict[str, Trace]:
    system = build(revision("pr161+era2480"), Scope(instance("n1f0b0"), batches=2))
    verdict = Check(system).verdict(claim("every_batch_certified"))
    assert isinstance(verdict, Violated)
    lasso = verdict.trace
    return {"gap": gap, "vote_lost": vote_lost, "witness": witness, "lasso": lasso, "certificate": bad_certificate}


FORGED: dict[str, tuple[str, Callable[[Trace], Trace], str]] = {
    "no steps": ("gap", lambda trace: trace.about(steps=()), "it is not false that batch 1"),
    "the last step is missing": ("gap", lambda trace: trace.about(steps=trace.steps[:-1]), "it is not false that"),
    "not final yet": ("vote_lost", lambda trace: trace.about(steps=trace.steps[:-1]), "the last state"),
    "a witness that is cut": ("witness", lambda trace: trace.about(steps=trace.steps[:-1]), "does not happen in the"),
    "a witness that fails": ("witness", lambda trace: trace.about(failed="a certificate is stored"), ""),
    "another property": (
        "gap",
        lambda trace: trace.about(claim="certificates_verify", failed=None),
        "does not say what",
    ),
    "another kind": ("vote_lost", lambda trace: trace.about(kind="overtaken"), "not of the kind overtaken"),
    "no kind": ("vote_lost", lambda trace: trace.about(kind=None), "does not say of which kind"),
    "no kind that there is": ("vote_lost", lambda trace: trace.about(kind="unclassified"), "not of the kind"),
    "a violation that is none": ("vote_lost", lambda trace: trace.about(failed=None, kind=None), "does not say what"),
    "a loop that is no loop": ("lasso", lambda trace: trace.about(loop=0), "returns"),
    "a rest that is none": (
        "lasso",
        lambda trace: trace.about(steps=trace.steps[:-1], loop=len(trace.steps) - 1),
        "not fair",
    ),
    "a loop where none belongs": ("gap", lambda trace: trace.about(loop=len(trace.steps)), "not refuted by a loop"),
    "no loop": ("lasso", lambda trace: trace.about(loop=None), "is refuted by a loop"),
}


@pytest.mark.parametrize("name", FORGED)
def test_what_a_trace_does_not_show_is_not_printed(
    name: str, traces: dict[str, Trace], tmp_path: Path, capsys: Capture
) -> None:
    of, forge, problem = FORGED[name]
    assert read_back(forge(traces[of]), tmp_path) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    assert problem in printed.err


def test_forged_figures_are_not_repeated(gap: Trace, tmp_path: Path, capsys: Capture) -> None:
    assert read_back(gap.about(facts={"states in all": 123_456_789}), tmp_path) == 0
    assert "123,456,789" not in capsys.readouterr().out


def test_a_run_that_takes_too_long_to_confirm_is_cut_short(
    vote_lost: Trace, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(story, "FEW_STATES", 1)
    monkeypatch.setattr(story, "MANY_STATES", 1)
    monkeypatch.setattr(explorer, "CHUNK", 1)
    assert read_back(vote_lost, tmp_path) == 3
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "not confirmed: too many states" in printed.err


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('{"loop": null, "loop": 3}', "field 'loop' is given twice"),
        ('{"#meta": {}, "vars": [], "states": []}', "a trace in the format ITF"),
    ],
)
def test_what_is_no_trace_gets_a_reply_of_its_own(text: str, problem: str, tmp_path: Path, capsys: Capture) -> None:
    file = tmp_path / "given.json"
    file.write_text(text, encoding="utf-8")
    assert main(["trace", "--from", str(file)]) == 2
    assert problem in capsys.readouterr().err


def test_a_scope_that_is_too_large_to_build_is_one_line(file: Path, capsys: Capture) -> None:
    data = json.loads(file.read_text(encoding="utf-8"))
    data["scope"]["batches"] = 400
    file.write_text(json.dumps(data), encoding="utf-8")
    assert main(["trace", "--from", str(file)]) == 2
    assert capsys.readouterr().err.count("\n") == 1


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
