"""The table of expectations says by default what need not be listed, hides nothing, and keeps what was decided."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest

from model.revisions import REVISIONS
from properties.claims.catalogue import CATALOGUE
from properties.cli import main
from properties.results import expected
from properties.results.expected import (
    EXPECTED,
    FIGURES,
    FIRST_SCOPE,
    Defaults,
    Row,
    expanded,
    expectations,
    merged,
    words,
)
from properties.scopes.plans import PLANS, Plan

TEXT = EXPECTED.read_text(encoding="utf-8")
PAIRS = [(revision, plan) for plan, revision in product(PLANS, REVISIONS) if plan.is_for(revision)]
RELAY = next(plan for plan in PLANS if ("topology", "relay") in plan.switches)


def rows() -> dict[tuple[str, str], Row]:
    return {(revision, scope): row for revision, scopes in expectations().items() for scope, row in scopes.items()}


def test_every_scope_of_the_ledger_is_listed_with_its_states_and_every_property_on_its_revisions() -> None:
    assert set(rows()) == {(revision, plan.name) for revision, plan in PAIRS}
    names = {claim.name for claim in CATALOGUE} | {*FIGURES}
    assert all(set(row) == names for row in rows().values())


def test_no_revision_has_two_scopes_of_one_name() -> None:
    assert len({(revision, plan.name) for revision, plan in PAIRS}) == len(PAIRS)


def test_plans_of_one_name_for_different_revisions_share_a_part_of_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = (replace(PLANS[0], revisions=(name,)) for name in ("pr161+era2480", "pr161+era2539"))
    monkeypatch.setattr(expected, "PLANS", (one, other))
    expected._named.cache_clear()
    try:
        written = merged(TEXT, {})
        assert written.count(FIRST_SCOPE) == 1
        assert set(expanded(written)) == {"pr161+era2480", "pr161+era2539"}
    finally:
        monkeypatch.undo()
        expected._named.cache_clear()


def test_the_table_is_as_it_would_be_written() -> None:
    assert merged(TEXT, {}) == TEXT, "run: attestation check --deep --toml"
    assert TEXT.count("\n") < 2000


def test_every_default_of_a_property_decides_somewhere() -> None:
    """A misspelt word would fit nothing, and say nothing."""
    defaults = Defaults(tomllib.loads(TEXT)["defaults"])
    deciding = {
        defaults.deciding(claim.name, words(plan, revision))[0] for claim in CATALOGUE for revision, plan in PAIRS
    }
    of_properties = {
        (name, selector) for name in defaults.sections if name in expected.KINDS for selector in defaults.sections[name]
    }
    assert of_properties <= deciding


def test_each_kind_of_property_has_a_default_that_fits_everywhere() -> None:
    sections = tomllib.loads(TEXT)["defaults"]
    assert all(expected.ALL in sections[kind] for kind in set(expected.KINDS.values()))


def test_the_last_line_that_fits_decides_and_those_of_a_property_come_after_those_of_its_kind() -> None:
    said = {
        "always": {"*": "EXHAUSTED", "pr165": "VACUOUS"},
        "no_vote_below_minimum": {"pr165, n1f0b0": "VIOLATED", "n2f0b0": "UNKNOWN", "3 batches, n2f0b0": "PROVED"},
    }
    defaults = Defaults(said)

    def verdict(name: str, revision: str, plan: Plan) -> str | None:
        return defaults.verdict(name, words(plan, revision))

    small, larger = Plan("n1f0b0", "joined"), Plan("n2f0b0", "joined")
    assert verdict("no_vote_below_minimum", "pr161+era2539", small) == "EXHAUSTED"
    assert verdict("no_vote_below_minimum", "pr165+era2539", small) == "VIOLATED"
    assert verdict("no_vote_below_minimum", "pr165+era2539", larger) == "PROVED"
    assert verdict("no_vote_below_minimum", "pr165+era2539", Plan("n2f0b0", "joined", batches=2)) == "UNKNOWN"
    assert verdict("certificates_verify", "pr165+era2539", small) == "VACUOUS"
    assert verdict("progress_possible", "pr165+era2539", small) is None


def test_symmetry_is_a_word_of_the_scopes_that_have_it() -> None:
    assert expected.SYMMETRIC in words(Plan("n3f0b0", "joined", symmetry=True), "pr161+era2480")
    assert expected.SYMMETRIC not in words(Plan("n3f0b0", "joined"), "pr161+era2480")


def test_a_row_that_is_written_anew_is_the_only_thing_that_changes() -> None:
    place = ("pr165+era2480", RELAY.name)
    row = {**rows()[place], "states": 7, "transitions": 8, "no_gaps_on_main_node": "UNKNOWN"}
    changed = merged(TEXT, {place: row})
    after = {
        (revision, scope): each for revision, scopes in expanded(changed).items() for scope, each in scopes.items()
    }
    assert after == {**rows(), place: row}
    lines = set(changed.splitlines()) - set(TEXT.splitlines())
    assert lines == {
        '"pr165+era2480".states = 7',
        '"pr165+era2480".transitions = 8',
        '"pr165+era2480".no_gaps_on_main_node = "UNKNOWN"',
    }
    assert merged(changed, {place: rows()[place]}) == TEXT


def test_the_order_in_which_rows_are_found_makes_no_difference() -> None:
    nothing = TEXT.partition(FIRST_SCOPE)[0] + '\n[scopes."n2f0b0, 3 batches, joined"]\n'
    found = rows()
    assert merged(nothing, found) == merged(nothing, dict(reversed(found.items()))) == TEXT


def test_what_is_no_longer_planned_is_left_out() -> None:
    more = '\n[scopes."n9f1b0, 3 batches, joined"]\n"pr161+era2480".states = 1\n'
    assert merged(TEXT + more, {}) == TEXT


def test_a_property_that_is_new_is_as_its_kind_until_something_is_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expected, "KINDS", {**expected.KINDS, "new": "sometimes"})
    found = expanded(TEXT)
    assert found["pr161+era2480"][RELAY.name]["new"] == "REACHED"
    assert found["pr165+era2480"][RELAY.name]["new"] == "UNREACHED"
    assert merged(TEXT, {}) == TEXT


def test_a_default_of_a_property_that_is_gone_is_still_expected() -> None:
    section = '[defaults.gone]\n"*" = "EXHAUSTED"\n\n'
    found = expanded(TEXT.replace("[defaults.always]", f"{section}[defaults.always]"))
    assert all(row["gone"] == "EXHAUSTED" for scopes in found.values() for row in scopes.values())


@pytest.fixture
def own_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A table in which one row is wrong and one is missing."""
    wrong = {**rows()["pr161+era2539", "n2f0b1, 2 batches, joined, topology=relay"], "states": 7}
    file = tmp_path / "expected.toml"
    file.write_text(
        merged(TEXT, {("pr161+era2539", "n2f0b1, 2 batches, joined, topology=relay"): wrong}), encoding="utf-8"
    )
    monkeypatch.setattr(expected, "EXPECTED", file)
    expectations.cache_clear()
    return file


@pytest.mark.parametrize("bound", [pytest.param([], marks=pytest.mark.slow), ["--max-states", "9"]])
def test_check_writes_what_it_found_and_keeps_the_rest(
    own_table: Path, bound: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        before = own_table.read_text(encoding="utf-8")
        searched = ["--workers", "1", "--revision", "pr161+era2539", "--instance", "n2f0b1"]
        status = main(["check", "--toml", *searched, *bound])
        printed = capsys.readouterr().out
        if bound:
            assert status == 3
            assert own_table.read_text(encoding="utf-8") == before
        else:
            assert status == 0
            assert own_table.read_text(encoding="utf-8") == TEXT
            assert printed.startswith("pr161+era2539, n2f0b1, 2 batches, joined, topology=relay\n")
            assert "1 row of 1 changed" in printed
    finally:
        expectations.cache_clear()
