"""Every violation of the ledger is told in plain sentences, with a cure that was shown to help."""

from __future__ import annotations

import re

import pytest

from model.revisions import CONTROLLER, REGISTRY, of_design, revision
from model.scope import BAD_SIGNATURE, FOREIGN_GENESIS, Scope, instance
from model.system import build
from properties.claims.catalogue import claim
from properties.engines.checking import Check
from properties.render.explanations import NO_CAUSE, opening
from properties.render.story import Story
from properties.render.vocabulary import vocabulary_of
from properties.results.cures import CURES, Cure, advice
from properties.results.expected import expectations
from properties.results.trace import Trace
from properties.results.verdicts import Violated
from properties.scopes.plans import PLANS


def violated(design: str) -> set[tuple[str, str]]:
    """The properties that the ledger has violations of in this design, and their kinds."""
    found: set[tuple[str, str]] = set()
    for name in of_design(design):
        for verdicts in expectations().get(name, {}).values():
            for claimed, verdict in verdicts.items():
                word, _, kinds = str(verdict).partition(": ")
                if word == "VIOLATED":
                    found |= {(claimed, kind) for kind in kinds.split(", ")}
    return found


def traces(name: str, scope: Scope) -> list[Trace]:
    """A violation of each property and kind in a scope."""
    verdicts = Check(build(revision(name), scope)).verdicts().values()
    return [trace for verdict in verdicts if isinstance(verdict, Violated) for trace in verdict.traces]


@pytest.mark.parametrize("design", [REGISTRY, CONTROLLER])
def test_every_violation_of_the_ledger_has_a_cause_and_an_effect_in_words(design: str) -> None:
    found, words = violated(design), vocabulary_of(design)
    assert len(found) > 20
    # What has other violations in its wake is told by those.
    untold = {(name, kind) for name, kind in found if not {name, kind} & {*words.causes, "every_batch_certified"}}
    assert untold <= {("one_batch_at_a_time", ""), ("status_never_falls", "")}
    assert all({name, kind} & {*words.effects} for name, kind in found)


@pytest.mark.parametrize(
    ("name", "scope"),
    [
        ("pr161+era2480", Scope(instance("n2f0b0"))),
        pytest.param("pr161+era2480", Scope(instance("n1f0b0"), topology="relay"), marks=pytest.mark.slow),
        ("pr165+era2480", Scope(instance("n1f0b0"))),
        ("pr169+era2539", Scope(instance("n1f0b0"), 2, pruned="M")),
        ("pr161+era2539", Scope(instance("n1f0b0"), regeneses=1)),
        ("pr170+era2539", Scope(instance("n1f0b0"), 2, topology="relay", bad_votes=FOREIGN_GENESIS)),
        pytest.param("pr161+era2539", Scope(instance("w3,2,1b3"), 3), marks=pytest.mark.slow),
        ("pr170+era2480", Scope(instance("n1f0b0"), 3, errors=1)),
        ("pr175+era2657", Scope(instance("n1f0b0"), 4, restores=1)),
        ("pr175+era3180", Scope(instance("n1f0b0"), 2, errors=1, pruned="a")),
        ("pr175+era2684", Scope(instance("n1f0b0"), 3, divergences=1, astray="a", restarts=1)),
    ],
)
def test_a_run_is_told_with_its_own_names_and_numbers(name: str, scope: Scope) -> None:
    found = traces(name, scope)
    assert found
    for trace in found:
        told = opening(Story(trace))
        assert list(told) == ["Cause", "Effect", "Cure"]
        for sentence in told.values():
            assert re.fullmatch(r"[A-Z`].*\.", sentence), sentence
            assert not re.search(r"[{}]|None\b(?! that| within)|-1|some attesters", sentence), sentence
        assert NO_CAUSE not in told.values()


def test_a_run_names_who_and_which_batch(stuck: dict[str | None, Trace], gap: Trace, bad_certificate: Trace) -> None:
    assert "By then a had voted" in opening(Story(stuck["newer_vote"]))["Cause"]
    assert "set the minimum of its registry to 2" in opening(Story(stuck["registry_minimum"]))["Cause"]
    assert "batches 0 and 2 have a certificate and batch 1 has none" in opening(Story(gap))["Effect"]
    assert "that of b is over batch 1 with the hash of batch 0" in opening(Story(bad_certificate))["Cause"]


def test_a_lasso_is_told_by_what_it_comes_of(small: Check) -> None:
    verdict = small.verdict(claim("every_batch_certified"))
    assert isinstance(verdict, Violated)
    assert opening(Story(verdict.trace))["Cause"].startswith("As long as it has no certificate, the main node asks for")


def test_a_witness_has_no_cure(witness: Trace) -> None:
    assert opening(Story(witness)) == {}


PRUNED = Scope(instance("n1f0b0"), 3, pruned="M")
MISSED = ("every_batch_certified", None)


def bad_votes(what: str) -> Scope:
    return Scope(instance("n1f0b0"), 2, topology="relay", bad_votes=what)


def test_a_cure_is_offered_only_where_the_ledger_does_not_contradict_it() -> None:
    refused = ("progress_possible", "messages_refused")
    assert "PR 170" in advice("pr161+era2539", bad_votes(BAD_SIGNATURE), refused, refused)
    assert "foreign_skipped" in advice("pr161+era2539", bad_votes(FOREIGN_GENESIS), refused, refused)
    # With the last-sealed start the first batches are left out as well: two changes are needed.
    both = advice("pr161+era2480", bad_votes(BAD_SIGNATURE), MISSED, refused)
    assert "PR 2539" in both
    assert "PR 170" in both
    assert "`pr170+era2539` has no such run" in both
    assert advice("pr167+era2480", PRUNED, MISSED, ("attestation_starts_at_first_batch", None)) == (
        "None that was shown to help in this scope."
    )


def test_beyond_what_the_protocol_tolerates_no_cure_is_offered() -> None:
    silent = ("progress_possible", "byzantine_weight")
    told = advice("pr161+era2539", Scope(instance("n6f1b2")), silent, silent)
    assert told == "None within the protocol, which tolerates a Byzantine weight of 1."
    gap = ("no_gaps_on_main_node", None)
    assert advice("pr161+era2480", Scope(instance("n6f1b6")), gap, gap) == told


def test_what_is_said_of_this_very_scope_is_what_the_ledger_has() -> None:
    plans = {plan.name: plan for plan in PLANS}
    said = 0
    for name, scopes in expectations().items():
        for scope, verdicts in scopes.items():
            kinds = str(verdicts["progress_possible"]).partition(": ")[2].split(", ")
            for kind in filter(None, kinds):
                violation = ("progress_possible", kind)
                after = re.search(r"In this very scope `(.+?)`", advice(name, plans[scope].scope, violation, violation))
                if after:
                    said += 1
                    assert kind not in expectations()[after[1]][scope]["progress_possible"]
    assert said > 100


@pytest.mark.slow
@pytest.mark.parametrize("cure", CURES, ids=lambda cure: f"{cure.claim}-{cure.change.parts}")
def test_every_cure_cures(cure: Cure) -> None:
    checks = (Check(build(revision(name), cure.scope)) for name in (cure.before, cure.after))
    assert [check.verdict(claim(cure.claim)).word for check in checks] == ["VIOLATED", "EXHAUSTED"]
