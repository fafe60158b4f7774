"""`attestation prove`: what it prints, what it returns, and what it refuses."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from concurrent.futures import Future, as_completed
from dataclasses import replace
from pathlib import Path

import pytest
import z3

from model.revisions import REVISIONS, compose
from properties.claims.catalogue import CATALOGUE
from properties.claims.kinds import Kind
from properties.commands import prove
from properties.commands.usage import UsageError
from properties.engines.bounded import Search
from properties.proofs.obligations import Answer, Budget, Outcome, Prover, Statement
from properties.proofs.registry_design.no_gaps import arithmetic
from properties.proofs.registry_design.session import RegistrySession
from properties.proofs.results import FalseStatement, Result, proved
from properties.proofs.session import unreached
from properties.proofs.theorems import CLAIMS, SEARCHED, left_out, results, shared
from properties.results.trace import from_json, replay
from properties.results.verdicts import HoldsToDepth, NotInductive, Proved, Unknown, Verdict, Violated
from tests.broken_models import BROKEN_MODELS


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


@pytest.mark.slow
@pytest.mark.deep
def test_what_is_refuted_exits_with_1_and_says_where(capsys: pytest.CaptureFixture[str]) -> None:
    options = ("--revision", "pr161+era2480", "--property", "no_gaps_on_main_node", "--attesters", "1")
    assert run(*options) == 1
    printed = capsys.readouterr().out
    assert "the induction fails at insert_qc() of M: certified_from_first" in printed
    assert "possibly unreachable" in printed


def test_json_has_every_obligation(capsys: pytest.CaptureFixture[str]) -> None:
    run("--revision", "pr161+era2539", "--property", "at_most_one_quorum", "--attesters", "2", "--json")
    data = json.loads(capsys.readouterr().out)
    assert data["format"] == "attestation-proofs/2"
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
        (("--property", "vote_replaced"), "unknown property with theorems or bounded search"),
        (("--attesters", "13"), "at most 12"),
    ],
)
def test_wrong_usage_is_one_line(arguments: tuple[str, ...], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        run(*arguments)


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.touch()
    with pytest.raises(UsageError, match="cannot write"):
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


def test_a_refutation_is_never_unknown() -> None:
    """Whoever asks says what a refutation means; a false statement about numbers is a violation, exit status 1."""
    with pytest.raises(ValueError, match="refuted: a: b"):
        proved([Outcome("a", "b", Answer.REFUTED)], "how", "sizes")
    with next(broken for broken in BROKEN_MODELS if broken.name == "threshold_of_half").applied():
        (refuted,) = arithmetic(RegistrySession(REVISIONS["pr161+era2539"], Budget(30)), ())
    assert isinstance(refuted.verdict, FalseStatement)
    assert refuted.verdict.values
    assert prove.status([refuted], True) == 1


def test_the_deadlock_is_not_called_progress(capsys: pytest.CaptureFixture[str]) -> None:
    """`progress_possible` is more than what is proved, so that it is never reported as such."""
    options = ("--property", "progress_possible", "--attesters", "1", "--json")
    assert run("--revision", "pr161+era2539", *options) == 0
    (proof,) = json.loads(capsys.readouterr().out)["results"]
    assert proof["property"] == "no_start_up_deadlock"
    assert "registry_minimum and minimum_to_come" in proof["sentence"]
    assert any("progress_possible as a whole" in note for note in proof["notes"])
    assert run("--revision", "pr165+era2539", *options) == 3, "it is vacuous where the executor never starts"


@pytest.mark.slow
def test_a_violation_shows_its_run(capsys: pytest.CaptureFixture[str]) -> None:
    options = ("--revision", "pr161+era2480", "--property", "certificates_verify", "--attesters", "2")
    assert run(*options) == 1
    printed = capsys.readouterr().out
    assert "the run, of w5,1b1, 2 batches, queue 1:" in printed
    assert ". M . seal_batch()" in printed
    assert "with weight.a = 5, weight.b = 1, byzantine.a = 0, byzantine.b = 1" in printed
    assert "and all else as at the start" in printed
    assert run(*options, "--json") == 1
    *_, violated = json.loads(capsys.readouterr().out)["results"]
    replay(from_json(violated["trace"]))
    (searched,) = violated["searches"]
    assert searched["steps_found"] == len(violated["trace"]["steps"]) == searched["refuted_to_depth"] + 1
    assert searched["statistics"]


def test_a_property_without_a_theorem_is_searched(capsys: pytest.CaptureFixture[str]) -> None:
    options = ("--property", "attestation_starts_at_first_batch", "--depth", "4")
    assert run("--revision", "pr161+era2539", *options) == 3, "holding to a depth is no proof"
    assert "HOLDS_TO_DEPTH(4)" in capsys.readouterr().out


def test_every_always_property_can_be_asked_for() -> None:
    names = {each.name for each in CATALOGUE if each.kind is Kind.ALWAYS}
    assert names == {*SEARCHED, *CLAIMS} - {"no_start_up_deadlock"}


@pytest.mark.slow
@pytest.mark.parametrize("name", SEARCHED)
def test_bounded_search_of_each_property(name: str) -> None:
    for revision in ("pr161+era2480", "pr170+era2539"):
        (found,) = results(RegistrySession(REVISIONS[revision], Budget(30), depth=4), [name])
        assert found.verdict.word in ("HOLDS_TO_DEPTH", "VIOLATED", "NOT_APPLICABLE")
        if isinstance(found.verdict, Violated):
            replay(found.verdict.trace)


def test_a_search_that_gave_up_is_unknown() -> None:
    cut = Search(None, 7, "timeout", 1.0)
    verdict = unreached(cut)
    assert isinstance(verdict, Unknown)
    assert "beyond depth 7" in str(verdict)
    assert unreached(replace(cut, why=None)) == HoldsToDepth(7)


def test_what_is_left_out_is_told() -> None:
    told = left_out([*REVISIONS.values()], None)
    assert any("every topology, votes both ways" in line for line in told)
    assert any("no gaps: only N = 1, 2, 3, 6 of" in line for line in told)
    assert left_out([compose("pr161+era2539")], None) == []
    assert any(
        "signers of a certificate: at most 8 attesters" in line for line in left_out([compose("pr161+era2539")], (9,))
    )


def test_what_revisions_share_is_proved_once() -> None:
    revisions = [compose(name) for name in ("pr161+era2480", "pr170+era2539", "pr161+era2480+votes_kept")]
    first, same, other = shared(revisions)
    assert first == frozenset()
    assert same == {"threshold arithmetic", "registry", "signers of a certificate"}
    assert other == {"threshold arithmetic"}


def test_statistics_are_of_one_obligation() -> None:
    """The solver's counters go on from query to query; what is told is the difference."""
    x = z3.Int("x")
    prover = Prover([x > 0], Budget())
    spent = [prover.prove("x", str(number), x > -number).statistics.get("rlimit count", 0) for number in range(50)]
    assert max(spent[1:]) < sum(spent) / 2


def test_an_interrupt_leaves_what_is_finished(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(running: dict[Future[object], object]) -> Iterator[Future[object]]:
        yield next(as_completed(running))
        raise KeyboardInterrupt

    monkeypatch.setattr(prove, "results", lambda *_: [result(Proved("x", "y"))])
    monkeypatch.setattr(prove, "as_completed", interrupted)
    assert run("--revision", "pr161+era2539") == 3
    printed = capsys.readouterr().out
    assert printed.count("PROVED(x; y)") == 1
    assert "CUT SHORT" in printed


def test_a_statement_is_about_its_domains() -> None:
    from model.algebra import int_variable

    small = int_variable("small", 0, 3)
    assert Statement("in its domain", (), small + small <= 6).prove("x", Budget()).answer is Answer.PROVED
    assert Statement("not beyond", (), small + small <= 5).counterexample(Budget()) == {"small": 3}
