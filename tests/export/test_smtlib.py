"""The exported SMT-LIB scripts: two solvers give the same answers, and they are those of the explorer."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import z3

from model.service import AttestationSystem
from properties.claims.kinds import Kind, Property
from properties.engines.checking import Check
from properties.export.claims import Claims
from properties.export.smtlib import smtlib
from properties.results.verdicts import Reached, Violated
from tests.export.systems import system

ANSWERS = ("sat", "unsat", "unknown")


def by_z3(script: str) -> list[str]:
    fresh = z3.Context()
    said = z3.Z3_eval_smtlib2_string(fresh.ref(), script)
    assert "error" not in said, said
    return [line for line in said.splitlines() if line in ANSWERS]


def by_cvc5(script: str) -> list[str]:
    cvc5 = pytest.importorskip("cvc5", reason="the second solver, cvc5, is not installed")
    solver = cvc5.Solver(cvc5.TermManager())
    solver.setOption("incremental", "true")
    parser = cvc5.InputParser(solver)
    parser.setStringInput(cvc5.InputLanguage.SMT_LIB_2_6, script, "exported")
    said = []
    while not (command := parser.nextCommand()).isNull():
        said += str(command.invoke(solver, parser.getSymbolManager())).splitlines()
    return [line for line in said if line in ANSWERS]


def about_states(built: AttestationSystem, *kinds: Kind) -> list[Property]:
    return [claim for kind in kinds for claim in Claims(built).of(kind)]


def holds_inductively(built: AttestationSystem, claims: Sequence[Property]) -> list[bool]:
    """What both solvers say of each property."""
    script = smtlib(built, claims, None)
    answers = by_z3(script)
    assert answers == by_cvc5(script)
    assert len(answers) == len(claims)
    return [answer == "unsat" for answer in answers]


@pytest.mark.parametrize(
    "name",
    [
        "any number of restarts",
        *(pytest.param(each, marks=pytest.mark.slow) for each in ("last sealed", "Byzantine", "controllers", "errors")),
    ],
)
def test_what_is_inductive_holds(name: str) -> None:
    built = system(name)
    claims = about_states(built, Kind.ALWAYS)
    inductive, check = holds_inductively(built, claims), Check(built)
    assert any(inductive)
    assert not all(inductive)
    assert not any(
        isinstance(check.verdict(claim), Violated) for claim, holds in zip(claims, inductive, strict=True) if holds
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", ["any number of restarts", "controllers", "errors"])
def test_a_run_is_found_exactly_from_its_length_on(name: str) -> None:
    built = system(name)
    check = Check(built)
    verdicts = {claim: check.verdict(claim) for claim in about_states(built, Kind.ALWAYS, Kind.SOMETIMES)}
    lengths = {
        claim: len(verdict.trace.steps)
        for claim, verdict in verdicts.items()
        if isinstance(verdict, Violated | Reached) and 1 < len(verdict.trace.steps) <= 9
    }
    assert lengths
    claim = max(lengths, key=lambda each: lengths[each])
    for depth in (lengths[claim] - 1, lengths[claim]):
        script = smtlib(built, [claim], depth)
        assert by_z3(script) == by_cvc5(script) == ["sat" if depth == lengths[claim] else "unsat"]


def test_a_step_that_is_written_wrongly_would_be_noticed() -> None:
    """The number of batches bounds what is sealed: a step beyond it breaks the domains, and nothing is inductive."""
    built = system("any number of restarts")
    claims = about_states(built, Kind.ALWAYS)
    script = smtlib(built, claims, None)
    wrong = script.replace("(not (<= 3 (sealed s)))", "(not (<= 4 (sealed s)))")
    assert wrong != script
    assert by_z3(wrong) != by_z3(script)
