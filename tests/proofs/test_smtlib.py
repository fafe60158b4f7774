"""The obligations as SMT-LIB, confirmed by another solver."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from model.revisions import REVISIONS
from model.scope import Scope, instance
from model.system import build
from model.votes import NONE
from properties.engines.bounded import Unrolling
from properties.proofs.committees import Committee
from properties.proofs.obligations import Answer, Budget
from properties.proofs.registry_design import certificates, no_gaps
from properties.proofs.registry_design.any_size import VIEWS
from properties.proofs.registry_design.permanence import closed
from properties.proofs.registry_design.session import RegistrySession
from properties.proofs.registry_design.start_up_deadlock import no_deadlock
from properties.proofs.results import Result

pytestmark = pytest.mark.slow


def answer(script: Path) -> str:
    """What cvc5 says to a script."""
    cvc5 = pytest.importorskip("cvc5", reason="the second solver, cvc5, is not installed")
    solver = cvc5.Solver(cvc5.TermManager())
    parser = cvc5.InputParser(solver)
    parser.setFileInput(cvc5.InputLanguage.SMT_LIB_2_6, str(script))
    said = ""
    while not (command := parser.nextCommand()).isNull():
        said += str(command.invoke(solver, parser.getSymbolManager()))
    return said.strip()


def written(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.smt2"))


@pytest.mark.parametrize(
    ("theorem", "sizes"),
    [
        (no_gaps.fixed_sizes, (1,)),
        (no_gaps.any_number, (2,)),
        (no_gaps.arithmetic, (1,)),
        (no_gaps.at_the_bound, (2,)),
        (no_deadlock, (1,)),
        (certificates.one_quorum, (1, 2)),
        (certificates.signers, (1, 2)),
        (certificates.none_below_minimum, (1,)),
    ],
)
def test_a_second_solver_confirms_what_is_proved(
    theorem: Callable[..., Iterator[Result]], sizes: tuple[int, ...], tmp_path: Path
) -> None:
    results = list(theorem(RegistrySession(REVISIONS["pr161+era2539"], Budget(30, tmp_path), sizes), sizes))
    asked = [outcome for result in results for outcome in result.outcomes if not outcome.untouched]
    asked = [outcome for outcome in asked if outcome.subject != VIEWS]  # graphs are compared, and nobody is asked
    possible = [outcome for result in results for outcome in result.possible]
    depths = [script for script in written(tmp_path) if "-depth-" in script.name]
    scripts = [script for script in written(tmp_path) if script not in depths]
    assert len(scripts) == len(asked) + len(possible) > 0, "every query is written"
    assert len(depths) == sum(len(result.trace.steps) + 1 for result in results if result.trace)
    satisfiable = sum(outcome.answer is Answer.REFUTED for outcome in asked)
    satisfiable += sum(outcome.answer is Answer.PROVED for outcome in possible)
    answers = [answer(script) for script in scripts]
    assert answers.count("sat") == satisfiable
    assert answers.count("unsat") == len(scripts) - satisfiable


def test_a_second_solver_finds_the_run_at_the_same_depth(tmp_path: Path) -> None:
    """The queries of bounded search are plain SMT-LIB, too: unsatisfiable but for the last."""
    system = build(REVISIONS["pr161+era2539"], Scope(instance("n1f0b0"), 1))
    found = Unrolling(system, system.main.store.certified.largest != NONE, smt2=tmp_path).reaches(12)
    assert found.actions is not None
    scripts = written(tmp_path)
    assert len(scripts) == len(found.actions) + 1
    assert [answer(script) for script in scripts] == ["unsat"] * len(found.actions) + ["sat"]


def test_a_second_solver_confirms_what_is_refuted(tmp_path: Path) -> None:
    """The obligations that fail with the last-sealed start, and no others, are satisfiable for cvc5, too."""
    prove = RegistrySession(REVISIONS["pr161+era2480"], Budget(30, tmp_path), (1,))
    outcomes = prove.argument(1).prove(Budget(30, tmp_path))
    asked = [outcome for outcome in outcomes if not outcome.untouched]
    scripts = {script.stem[4:]: answer(script) for script in written(tmp_path)}
    assert len(scripts) == len(asked)
    failing = {name for name, said in scripts.items() if said == "sat"}
    assert len(failing) == sum(outcome.answer is Answer.REFUTED for outcome in outcomes) == 9
    assert all(name.startswith("insert-qc-of-m") for name in failing)


def test_a_second_solver_confirms_that_the_deadlock_is_permanent(tmp_path: Path) -> None:
    system = RegistrySession(REVISIONS["pr161+era2480"], Budget(30)).argument(1).system
    outcomes = closed(system, Committee.of(1), Budget(30, tmp_path))
    scripts = written(tmp_path)
    assert len(scripts) == sum(not outcome.untouched for outcome in outcomes)
    assert {answer(script) for script in scripts} == {"unsat"}


def test_a_script_says_what_it_is(tmp_path: Path) -> None:
    list(no_gaps.arithmetic(RegistrySession(REVISIONS["pr161+era2539"], Budget(30, tmp_path)), ()))
    (script,) = tmp_path.rglob("*-threshold-f-is-the-largest-with-w-5f-1.smt2")
    first, second, *_ = script.read_text(encoding="utf-8").splitlines()
    assert first == "; threshold / f is the largest with W >= 5f + 1"
    assert second == "; proved if unsat"
