"""`attestation mutate`: mistakes are made from the text of the model, found out, and told apart."""

from __future__ import annotations

from collections import Counter

import pytest

from model import rules
from model.controller_design.rules import VOTE_CHECKS
from properties.cli import main
from properties.commands.statuses import Status
from properties.mutation import checks, survey, truth
from properties.mutation.equivalence import are_equal, behave_the_same, do_the_same
from properties.mutation.loading import in_force
from properties.mutation.operators import Mutant, files, mutants
from properties.scopes.plans import PLANS

Capture = pytest.CaptureFixture[str]

THRESHOLD = "rules.py: reaches: bound: weight >= quorum → weight > quorum"
MATTERS = "registry_design/qc_finder.py: QcFinder.is_in: bound: self.phase == phase → self.phase >= phase"
UNREACHABLE = "batch_store.py: CertifiedRange.contains: bound: self.largest != NONE → self.largest > NONE"

SMALL: truth.Place = (
    "pr161+era2480",
    [plan.name for plan in PLANS].index("n1f0b0, 3 batches, joined, pruned=M"),
)


def named(name: str) -> Mutant:
    (found,) = [each for each in mutants(name.partition(": ")[0]) if each.key == name]
    return found


def test_every_kind_of_mistake_is_made() -> None:
    found = Counter(mutant.operator for file in files() for mutant in mutants(file))
    assert found.keys() == {
        *("guard", "conjunct", "disjunct", "negation", "bound", "number", "flag", "choice", "swap", "update", "check"),
        *("action", "condition", "statement", "domain"),
    }
    assert found.total() > 2000


def test_names_are_distinct() -> None:
    for file in files():
        keys = [mutant.key for mutant in mutants(file)]
        assert len(keys) == len(set(keys)), file


def test_a_mistake_is_in_force_within_and_nowhere_else() -> None:
    with in_force(named(THRESHOLD)):
        from model import rules as mutated

        assert (mutated.reaches(5, 5), mutated.reaches(6, 5)) == (False, True)
    assert rules.reaches(5, 5)
    with in_force(named("controller_design/rules.py: module: check: " + CHECK + " → nothing")):
        from model.controller_design.rules import VOTE_CHECKS as fewer

        assert [each.reason for each in fewer] == [each.reason for each in VOTE_CHECKS if each.reason != "known"]
    assert "known" in [each.reason for each in VOTE_CHECKS]


CHECK = "Check('known', False, lambda vote: vote.is_known)"


def test_a_recording_notices(capsys: Capture) -> None:
    assert main(["mutate", "--workers", "1", "--name", THRESHOLD]) == Status.DONE
    printed = capsys.readouterr().out
    assert printed.startswith("1 mutant: 1 noticed by what it does\n")
    assert "recording: registry, result" in printed


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--file", "topolgy.py"], "unknown file with mutants 'topolgy.py'; did you mean topology.py?"),
        (["--name", "rules.py: reaches"], "unknown mutant 'rules.py: reaches'; "),
        (["--sample", "0"], "argument --sample: 0 is not 1 or more"),
        (["--seed", "x"], "argument --seed: 'x' is not a whole number from 0 on"),
    ],
)
def test_bad_input_is_one_clear_line(capsys: Capture, arguments: list[str], said: str) -> None:
    assert main(["mutate", "--list", *arguments]) == Status.USAGE
    assert said in capsys.readouterr().err


def test_a_sample_is_chosen_by_its_seed() -> None:
    assert survey.chosen(None, 20, 1) == survey.chosen(None, 20, 1) != survey.chosen(None, 20, 2)


def test_reasons_and_the_survey_are_about_the_model_that_there_is() -> None:
    """If this fails: run the command that `docs/mutants.md` names, with `--save`; drop reasons that have no mutant."""
    today = {mutant.key for file in files() for mutant in mutants(file)}
    assert survey.reasons().keys() <= today
    _, _, found = survey.saved()
    assert sum(finding.mutant.key in today for finding in found) >= 0.9 * len(found)


def test_a_mistake_that_is_none_is_proved_to_be_none() -> None:
    for name, is_equal in ((UNREACHABLE, True), (MATTERS, False)):
        before = truth.built(SMALL, truth.true)
        with in_force(named(name)):
            assert are_equal(before, truth.built(SMALL, truth.fresh)) == is_equal


def test_what_no_reached_state_shows_is_what_two_searches_do_not_show() -> None:
    search, _ = truth.explored(SMALL)
    found = Counter[tuple[bool, bool]]()
    for mutant in mutants("registry_design/qc_finder.py")[::3]:
        with in_force(mutant):
            try:
                other = truth.built(SMALL, truth.fresh)
            except Exception:
                continue  # there is no such system
            same = do_the_same(search, other, [])
            found[same, behave_the_same(search.vectorised.system, other)] += 1
    assert found.keys() == {(True, True), (False, False)}, found


@pytest.mark.slow
@pytest.mark.parametrize(
    ("function", "number"),
    [
        ("registry_design/system.py: Wiring.forged_votes", "forged.variant"),
        ("controller_design/system.py: Wiring.old_answers", "old.answer"),
    ],
)
def test_a_weaker_adversary_is_noticed_by_proofs(function: str, number: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(truth.Remembering, "impossible", {})
    narrower = f"int_variable('{number}', 0, None) → int_variable('{number}', 0, 1)"
    mutant = named(f"{function}: domain: {narrower}")
    truth.open_systems()
    for revision in truth.PROVED[mutant.designs[0]]:
        truth.proved(revision)
    with in_force(mutant):
        assert [kill.how for kill in checks.proofs(mutant)] == [survey.PROOF]
