"""`attestation export`: every scope of the ledger in every language, on the standard output or as files."""

from __future__ import annotations

from pathlib import Path

import pytest

from model.revisions import REVISIONS, revision
from model.system import build
from properties.claims.kinds import Kind
from properties.cli import main
from properties.export.claims import Claims
from properties.export.promela import promela
from properties.export.smtlib import smtlib
from properties.export.tla import tla
from properties.scopes.plans import PLANS, Plan
from tests.export.test_smtlib import by_z3
from tests.export.tla_evaluator import Module

SCOPE = ["--revision", "pr161+era2480", "--instance", "n2f0b0", "--batches", "2"]


@pytest.mark.slow
@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: plan.name)
def test_every_scope_of_the_ledger_can_be_exported(plan: Plan) -> None:
    name = next(each for each in reversed(REVISIONS) if plan.is_for(each))
    system = build(revision(name), plan.scope)
    assert promela(system).count(":: d_step { can_") == len(system.actions)
    assert len(Module(tla(system, "M").module).names_in("Next")) == len(system.actions)
    first = next(Claims(system).of(Kind.ALWAYS))
    assert len(by_z3(smtlib(system, [first], 1))) == 1


def test_a_module_is_written_with_its_configurations(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "--format", "tla", *SCOPE, "--out", str(tmp_path / "Deadlock.tla")]) == 0
    assert capsys.readouterr().out == ""
    assert sorted(file.name for file in tmp_path.iterdir()) == ["Deadlock.cfg", "Deadlock.tla", "Deadlock_live.cfg"]
    text = (tmp_path / "Deadlock.tla").read_text(encoding="utf-8")
    assert "MODULE Deadlock" in text
    assert Module(text).initial()


@pytest.mark.parametrize("form", ["promela", "tla", "smt2"])
def test_what_is_written_is_what_is_printed(form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "--format", form, *SCOPE]) == 0
    printed = capsys.readouterr().out
    assert main(["export", "--format", form, *SCOPE, "--out", str(tmp_path / "Attestation.tla")]) == 0
    assert printed.startswith((tmp_path / "Attestation.tla").read_text(encoding="utf-8"))


def test_a_query_names_its_depth_and_its_properties(capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["--property", "no_gaps_on_main_node", "--property", "vote_replaced", "--depth", "2"]
    assert main(["export", "--format", "smt2", *SCOPE, *asked, "--batches", "3"]) == 0
    script = capsys.readouterr().out
    assert script.count("(check-sat)") == 2
    assert by_z3(script) == ["unsat", "unsat"]
