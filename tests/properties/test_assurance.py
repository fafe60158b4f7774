"""What stands behind each property is counted from verdicts, and nothing is said of what was not done."""

from __future__ import annotations

import importlib
import json
from itertools import pairwise

import pytest

from docs.generator.kept import PARTS, driven, proved, recorded
from model.revisions import REVISIONS
from properties.claims.catalogue import CATALOGUE
from properties.claims.kinds import Kind
from properties.mutation.loading import in_force
from properties.mutation.operators import mutants
from properties.mutation.survey import VERDICT, saved
from properties.proofs.theorems import ABOUT, theorems_of
from properties.results import assurance
from properties.results.assurance import HEADS, Assurance, assurances, of_entries, short, table
from properties.results.expected import Row, expectations
from properties.results.kept import GENESIS, GROUPS, KEPT, REDESIGN, SEALED, is_current, kept
from properties.results.ledger import check
from properties.scopes.plans import Plan
from properties.stateful.profiles import PROFILES

ROWS: list[tuple[str, Row]] = [
    ("pr161+era2480", {"states": 10, "no_gaps_on_main_node": "VIOLATED", "progress_possible": "VIOLATED: newer_vote"}),
    ("pr161+era2539", {"states": 20, "no_gaps_on_main_node": "EXHAUSTED", "progress_possible": "VACUOUS"}),
    ("pr161+era2539+foreign_skipped", {"states": 30, "no_gaps_on_main_node": "EXHAUSTED"}),
    ("pr161+era2539", {"states": 40, "certificate_stored": "UNREACHED"}),
]


def found(rows: list[tuple[str, Row]]) -> dict[tuple[str, str], Assurance]:
    return {(each.group, each.claim.name): each for each in assurances(rows, {(GENESIS, "no_gaps_on_main_node"): 7})}


def everything() -> list[Assurance]:
    return assurances(((name, row) for name, scopes in expectations().items() for row in scopes.values()), {})


def test_verdicts_are_counted_by_group_and_silent_ones_have_no_row() -> None:
    rows = found(ROWS)
    gaps = rows[GENESIS, "no_gaps_on_main_node"]
    assert (gaps.fails, gaps.holds, gaps.states, gaps.fired) == (0, 2, 50, 7)
    assert gaps.cells[1:4] == ("0/2", "50", "7")
    assert rows[SEALED, "no_gaps_on_main_node"].cells[1:4] == ("1/1", "-", "-")
    assert (SEALED, "progress_possible") in rows
    assert (GENESIS, "progress_possible") not in rows
    assert not any(group == REDESIGN for group, _ in rows)


def test_what_fails_most_comes_first_and_witnesses_last() -> None:
    for one, other in pairwise(everything()):
        if one.group == other.group:
            assert one.weight <= other.weight
    assert everything()[-1].claim.kind is Kind.SOMETIMES


@pytest.mark.parametrize("all_rows", [True, False])
def test_the_ledger_fits_into_80_columns_and_explains_its_heads(all_rows: bool) -> None:
    text = table(everything(), all_rows)
    assert max(map(len, text.splitlines())) <= 80
    assert all(f"\n{head} " in text for head in HEADS if head not in ("property", "steps"))
    assert all(claim.name in text for claim in CATALOGUE if all_rows or claim.kind is not Kind.SOMETIMES)


def test_the_short_ledger_sums_up_what_never_ran_and_the_witnesses() -> None:
    text = table([*found(ROWS).values()], False)
    assert "sealed batch (zksync-era PR 2480); none ran in a release; fails:" in " ".join(text.split())
    assert "Of 1 pairs of a group and one of 1 situations that should occur 0 do" in " ".join(text.split())
    assert "never: certificate_stored (genesis)" in " ".join(text.split())
    assert "sealed batch (zksync-era PR 2480); recordings: 20/20\n" in table([*found(ROWS[:1]).values()], False)
    assert table([], False) == ""


def test_what_is_kept_of_earlier_runs_says_nothing_of_proposals() -> None:
    proposal = f"{ROWS[0][0]}+start_kept"
    mixed = found([ROWS[0], (proposal, {"states": 10, "no_gaps_on_main_node": "EXHAUSTED"})])
    assert mixed[SEALED, "no_gaps_on_main_node"].cells[4] == "fails"
    rows = found([(proposal, ROWS[0][1]), (ROWS[0][0], {"states": 10, "no_gaps_on_main_node": "VACUOUS"})])
    assert {*rows[SEALED, "no_gaps_on_main_node"].cells[4:]} == {"-"}
    assert table([*rows.values()], False).startswith("sealed: start at the last sealed batch (zksync-era PR 2480)\n")


def test_what_is_kept_was_found_out_about_this_model() -> None:
    assert all(map(is_current, GROUPS)), "run: python -m docs.generator.kept"


def test_what_was_found_out_about_another_model_is_left_out_and_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assurance, "is_current", lambda group: group != SEALED)
    text = table([*found(ROWS).values()], True)
    assert "what these have found of sealed is left out" in " ".join(text.split())
    assert "(zksync-era PR 2480)\n" in text
    assert {*found(ROWS)[SEALED, "no_gaps_on_main_node"].cells[4:]} == {"-"}
    assert {*found(ROWS)[GENESIS, "no_gaps_on_main_node"].cells[4:]} != {"-"}


OLD = "registry_design/qc_finder.py: QcFinder.is_in: bound: self.phase == phase → self.phase >= phase"
BOTH = "rules.py: reaches: bound: weight >= quorum → weight > quorum"


@pytest.mark.parametrize(("name", "stale"), [(OLD, {SEALED, GENESIS}), (BOTH, {*GROUPS})])
def test_another_model_is_noticed_in_the_groups_that_it_is_another_in(name: str, stale: set[str]) -> None:
    (mutant,) = (each for each in mutants(name.partition(": ")[0]) if each.key == name)
    with in_force(mutant):
        current = importlib.import_module("properties.results.kept").is_current
        assert {group for group in GROUPS if not current(group)} == stale


def test_of_a_run_only_tolerated_byzantine_weight_counts_and_what_fired_is_counted() -> None:
    entries = [check("pr161+era2539", Plan(name, "joined", 2)) for name in ("n1f0b0", "n2f0b1")]
    rows = {each.claim.name: each for each in of_entries(entries)}
    verify = rows["certificates_verify"]
    assert (verify.fails, verify.holds, verify.states) == (0, 1, entries[0].states)
    assert 0 < verify.fired < verify.states
    assert of_entries(entries[1:]) == []


def test_a_mutant_counts_only_in_the_groups_whose_design_can_have_it() -> None:
    alone = [each for each in saved()[2] if each.how == VERDICT and each.checks == ("status_never_falls",)]
    own = {each.group: int(each.cells[8]) for each in everything() if each.claim.name == "status_never_falls"}
    for group, other in ((SEALED, "controller"), (GENESIS, "controller"), (REDESIGN, "registry")):
        assert own[group] == sum(not each.mutant.file.startswith(f"{other}_design/") for each in alone)
    assert own[SEALED] != own[REDESIGN] < len(alone)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "-"),
        (999, "999"),
        (1_000, "1.0k"),
        (9_999, "10k"),
        (123_456, "123k"),
        (999_999, "1.0M"),
        (47_300_000, "47M"),
    ],
)
def test_numbers_are_short(number: int, text: str) -> None:
    assert short(number) == text


def test_all_parts_are_kept_each_with_its_command_and_with_names_that_there_are() -> None:
    parts = json.loads(KEPT.read_text(encoding="utf-8"))
    assert parts.keys() == PARTS.keys()
    assert all(part["command"] == f"python -m docs.generator.kept {name}" for name, part in parts.items())
    names = {claim.name for claim in CATALOGUE}
    for part in ("proved", "driven", "spoken"):
        assert kept(part).keys() == {*GROUPS}
        assert all(of.keys() <= names for of in kept(part).values())


def test_what_is_kept_of_proofs_is_of_properties_with_a_theorem() -> None:
    for group, (_, revision) in GROUPS.items():
        theorems = {*theorems_of(REVISIONS[revision])}
        of_proofs = {ABOUT.get(name, name) for name, (proof, _) in kept("proved")[group].items() if proof}
        assert of_proofs == theorems


@pytest.mark.slow
def test_what_is_kept_of_random_runs_is_of_the_properties_that_are_asserted_there() -> None:
    again = driven(PROFILES["dev"])
    for group, of in again.items():
        assert {name for name in of if _asserted(name)} == {name for name in kept("driven")[group] if _asserted(name)}
        assert all(runs <= kept("driven")[group][name][0] for name, (runs, _) in of.items() if _asserted(name))


def _asserted(name: str) -> bool:
    return next(claim.kind for claim in CATALOGUE if claim.name == name) is not Kind.SOMETIMES


@pytest.mark.deep
@pytest.mark.slow
def test_what_is_kept_of_recordings_is_what_they_show() -> None:
    assert recorded() == kept("recorded")


@pytest.mark.deep
@pytest.mark.slow
def test_what_is_kept_of_proofs_is_what_they_show() -> None:
    assert json.loads(json.dumps(proved())) == kept("proved")
