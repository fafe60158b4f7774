"""SPIN on the exported model: the same states and transitions, the same shortest violations, the same fair runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from model.revisions import revision
from model.service import AttestationSystem
from model.system import build
from properties.claims.catalogue import CATALOGUE
from properties.claims.kinds import Kind, Property
from properties.engines.checking import Check
from properties.export import spin
from properties.export.claims import Claims
from properties.export.promela import promela
from properties.results.verdicts import Exhausted, Reached, Violated
from tests.export.systems import SYSTEMS, scope, system

needs_spin = pytest.mark.skipif(bool(spin.missing()), reason=f"not installed: {spin.missing()}")

QUICKLY = "-O0"
"""These models are small: it is the compiler that takes the time."""


def counted(model: str, folder: Path) -> tuple[int, int]:
    found = spin.compiled(model, folder, (*spin.SAFETY, QUICKLY)).run()
    return found.states, found.transitions


def search(model: str, claim: Property, folder: Path) -> spin.Run:
    """The shortest run to a violation of the property, or to its witness."""
    sought = claim.name if claim.kind is Kind.ALWAYS else f"!{claim.name}"
    return spin.compiled(model, folder, (*spin.BREADTH_FIRST, QUICKLY), f"CLAIM={sought}").run()


@needs_spin
@pytest.mark.parametrize(
    "name", ["any number of restarts", *(pytest.param(each, marks=pytest.mark.slow) for each in SYSTEMS)]
)
def test_spin_has_the_same_states_and_transitions(name: str, tmp_path: Path) -> None:
    built = system(name)
    found = Check(built).search
    assert counted(promela(built), tmp_path) == (found.states, found.transitions)


def about_states(built: AttestationSystem) -> list[Property]:
    return [claim for kind in (Kind.ALWAYS, Kind.SOMETIMES) for claim in Claims(built).of(kind)]


@needs_spin
@pytest.mark.slow
@pytest.mark.parametrize("name", SYSTEMS)
def test_spin_finds_a_run_as_short_and_none_where_there_is_none(name: str, tmp_path: Path) -> None:
    built = system(name)
    model, verdicts = promela(built), Check(built).verdicts(about_states(built))
    lengths = {
        claim.name: len(verdicts[claim.name].trace.steps)
        for claim in about_states(built)
        if isinstance(verdicts[claim.name], Violated | Reached)
    }
    assert lengths, "something is violated or reached, so that lengths are compared"
    longest = max(lengths, key=lambda each: lengths[each])
    for claim in about_states(built):
        (folder := tmp_path / claim.name).mkdir()
        if claim.name == longest:
            assert search(model, claim, folder).depth == lengths[claim.name]
    held = next((each for each in about_states(built) if isinstance(verdicts[each.name], Exhausted)), None)
    assert held is not None
    assert search(model, held, tmp_path / held.name).depth is None


@needs_spin
@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in SYSTEMS if name not in ("own registries", "controllers, all steps")])
def test_spin_agrees_on_fair_runs(name: str, tmp_path: Path) -> None:
    built = system(name)
    check, claims = Check(built), list(Claims(built).of(Kind.EVENTUALLY))
    verifier = spin.compiled(promela(built), tmp_path, (*spin.LIVENESS, QUICKLY), "FAIR") if claims else None
    for claim in claims:
        assert verifier is not None
        is_violated = isinstance(check.verdict(claim), Violated)
        assert (verifier.run("-a", "-N", claim.name).depth is not None) == is_violated


def test_fair_runs_are_found_to_go_wrong_and_to_go_right() -> None:
    """Else the comparison above would be of nothing."""
    words = {
        Check(system(name)).verdict(claim).word
        for name in ("last sealed, all steps", "any number of restarts", "errors", "a restored database")
        for claim in Claims(system(name)).of(Kind.EVENTUALLY)
    }
    assert {"VIOLATED", "EXHAUSTED"} <= words


@needs_spin
def test_a_sign_that_is_written_wrongly_would_be_noticed(tmp_path: Path) -> None:
    built = system("any number of restarts")
    model = promela(built)
    wrong = model.replace("#define can_seal_batch_of_M (sealed < 3)", "#define can_seal_batch_of_M (sealed < 2)")
    assert wrong != model
    found = Check(built).search
    assert counted(wrong, tmp_path) != (found.states, found.transitions)


@needs_spin
@pytest.mark.slow
def test_without_its_fairness_the_property_would_be_violated(tmp_path: Path) -> None:
    model = promela(system("controllers"))
    for folder, text in (("fair", model), ("unfair", model.replace("([]<> round) && ", ""))):
        (tmp_path / folder).mkdir()
        verifier = spin.compiled(text, tmp_path / folder, (*spin.LIVENESS, QUICKLY), "FAIR")
        is_violated = verifier.run("-a", "-N", "every_batch_certified").depth is not None
        assert is_violated == (folder == "unfair")


@pytest.mark.parametrize("name", SYSTEMS)
def test_every_property_about_states_or_runs_is_in_the_model(name: str) -> None:
    built = system(name)
    model = promela(built)
    assert all(f"\n#define {claim.name} " in model for claim in about_states(built))
    assert all(f"\nltl {claim.name} " in model for claim in Claims(built).of(Kind.EVENTUALLY))


def test_what_is_too_long_for_spin_is_said_to_be_left_out() -> None:
    model = promela(build(revision("pr161+era2539"), scope("n6f1b1", 2)))
    assert "certificates_verify is left out: spelt out it is too long for SPIN" in " ".join(model.split())
    assert "#define certificates_verify" not in model


def test_all_properties_about_runs_rely_on_the_same_fairness() -> None:
    """The model has one counter for all of them."""
    assumed = {(claim.fair, claim.without) for claim in CATALOGUE if claim.kind is Kind.EVENTUALLY}
    assert len(assumed) == 1
