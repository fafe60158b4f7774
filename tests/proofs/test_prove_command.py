"""`attestation prove`: what it prints, what it returns, and what it refuses."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest

from properties.commands import prove
from properties.commands.usage import UsageError
from properties.proofs.obligations import Answer, Budget, Outcome, Prover, Statement
from properties.proofs.theorems import Prove, Result, proved
from properties.verdicts import HoldsToDepth, NotInductive, Proved, Unknown, Verdict


def run(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    prove.configure(parser)
    return prove.run(parser.parse_args(arguments))


def test_what_is_proved_exits_with_0(capsys: pytest.CaptureFixture[str]) -> None:
    status = run("--revision", "pr161+era2539", "--property", "at_most_one_quorum", "--attesters", "2")
    assert status == 0
    printed = capsys.readouterr().out
    assert "PROVED(induction over operations; N = 2, any weights)" in printed
    assert "repeat with: attestation prove --revision pr161+era2539 --property at_most_one_quorum" in printed


def test_what_is_refuted_exits_with_1_and_says_where(capsys: pytest.CaptureFixture[str]) -> None:
    options = ("--revision", "pr161+era2480", "--property", "no_gaps_on_main_node", "--attesters", "1")
    assert run(*options) == 1
    printed = capsys.readouterr().out
    assert "the induction fails at insert_qc() of M: certified_from_first" in printed
    assert "possibly unreachable" in printed


def test_json_has_every_obligation(capsys: pytest.CaptureFixture[str]) -> None:
    run("--revision", "pr161+era2539", "--property", "at_most_one_quorum", "--attesters", "2", "--json")
    data = json.loads(capsys.readouterr().out)
    assert data["format"] == "attestation-proofs/1"
    assert data["complete"] is True
    (result,) = data["results"]
    assert result["verdict"] == "PROVED"
    for obligation in result["obligations"]:
        assert set(obligation) >= {"name", "result", "seconds", "statistics"}
        assert obligation["result"] == "proved"
    assert any(obligation["statistics"] for obligation in result["obligations"])


def test_queries_are_written(tmp_path: Path) -> None:
    run("--revision", "pr161+era2539", "--property", "at_most_one_quorum", "--attesters", "1", "--smt2", str(tmp_path))
    assert list(tmp_path.rglob("*.smt2"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--revision", "pr161+era2540"), "unknown revision"),
        (("--property", "no_gap_on_main_node"), "did you mean no_gaps_on_main_node"),
        (("--property", "vote_replaced"), "unknown property with theorems"),
        (("--attesters", "13"), "at most 12"),
    ],
)
def test_wrong_usage_is_one_line(arguments: tuple[str, ...], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        run(*arguments)


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.touch()
    with pytest.raises(UsageError, match="cannot write into"):
        run("--smt2", str(blocked / "queries"))


def result(verdict: Verdict) -> Result:
    return Result("pr161+era2539", "p", "t", "s", verdict, (), 0.0)


@pytest.mark.parametrize(
    ("verdicts", "complete", "status"),
    [
        ([Proved("x", "y")], True, 0),
        ([Proved("x", "y")], False, 3),
        ([], True, 3),
        ([Proved("x", "y"), Unknown("timeout")], True, 3),
        ([Proved("x", "y"), HoldsToDepth(9)], True, 3),
        ([Proved("x", "y"), NotInductive("a", "c")], True, 3),
    ],
)
def test_only_what_is_proved_passes(verdicts: list[Verdict], complete: bool, status: int) -> None:
    assert prove.status([result(verdict) for verdict in verdicts], complete) == status


def test_a_time_out_is_unknown() -> None:
    """A query that Z3 cannot answer in time is reported as such, all the way to the verdict and the exit status."""
    from model.algebra import int_variable
    from properties.engines.smt import Terms, WholeNumbers

    terms = Terms(WholeNumbers())
    x, y, z = (terms(int_variable(name, 1, None)) for name in "xyz")
    hard = Prover([x > 2, y > 2, z > 2, x * x * x + y * y * y == z * z * z], Budget(0.001))
    outcome = hard.prove("Fermat", "there is none", x < 0)
    assert outcome.answer is Answer.UNKNOWN
    assert outcome.why
    verdict = proved([outcome], "how", "sizes")
    assert isinstance(verdict, Unknown)
    assert prove.status([result(verdict)], True) == 3


def test_nothing_asked_is_not_proved() -> None:
    assert isinstance(proved([], "how", "sizes"), Unknown)
    assert isinstance(proved([Outcome("a", "b", Answer.REFUTED)], "how", "sizes"), Unknown)


def test_an_interrupt_leaves_what_is_finished(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    finished = result(Proved("x", "y"))

    def interrupted(self: Prove, claims: object) -> object:
        yield finished
        raise KeyboardInterrupt

    monkeypatch.setattr(Prove, "results", interrupted)
    assert run("--revision", "pr161+era2539") == 3
    printed = capsys.readouterr().out
    assert "PROVED(x; y)" in printed
    assert "CUT SHORT" in printed


def test_a_statement_is_about_its_domains() -> None:
    from model.algebra import int_variable

    small = int_variable("small", 0, 3)
    assert Statement("in its domain", (), small + small <= 6).prove("x", Budget()).answer is Answer.PROVED
    assert Statement("not beyond", (), small + small <= 5).counterexample(Budget()) == {"small": 3}
