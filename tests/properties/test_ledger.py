"""The ledger compares what was found with what was expected, and says what differs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from model.revisions import REVISIONS
from properties import ledger
from properties.claims.catalogue import CATALOGUE
from properties.ledger import PLANS, Plan, as_toml, check, expectations, table

SMALL = Plan("n1f0b0", "joined")
LISTED = Plan("n2f0b0", "joined")


def test_every_plan_has_expectations_for_every_property_on_some_revision() -> None:
    names = {claim.name for claim in CATALOGUE}
    for plan in PLANS:
        tables = [scopes[plan.name] for scopes in expectations().values() if plan.name in scopes]
        assert tables, plan.name
        for expected in tables:
            assert set(expected) == names | {"states"}


def test_the_table_of_expectations_has_nothing_that_is_not_planned() -> None:
    assert set(expectations()) <= set(REVISIONS)
    assert {name for scopes in expectations().values() for name in scopes} <= {plan.name for plan in PLANS}


def test_what_is_expected_makes_no_difference() -> None:
    assert list(check("pr161+era2480", LISTED).differences()) == []


def test_a_verdict_or_a_count_that_is_not_expected_is_a_difference() -> None:
    entry = check("pr161+era2480", LISTED)
    other = check("pr161+era2539", LISTED)
    wrong = replace(entry, verdicts={**entry.verdicts, "progress_possible": other.verdicts["progress_possible"]})
    assert [name for name, _, _ in wrong.differences()] == ["progress_possible"]
    assert list(replace(entry, states=1).differences()) == [("states", str(entry.states), "1")]


def test_where_nothing_is_expected_a_violation_is_a_difference() -> None:
    assert SMALL not in PLANS
    found = {name for name, _, _ in check("pr161+era2480", SMALL).differences()}
    assert "progress_possible" in found
    assert list(check("pr161+era2539", SMALL).differences()) == []


def test_the_printed_ledger_has_a_row_for_each_property_and_no_empty_cell() -> None:
    entries = [check(name, LISTED) for name in ("pr161+era2480", "pr161+era2539")]
    printed, silent = table(entries).split("NOT_APPLICABLE to this scope:")
    rows = {line.split()[0]: line.split()[1:] for line in printed.splitlines()[4:] if line}
    names = {name.strip() for name in silent.replace("\n", " ").split(",")}
    assert set(rows) | names == {claim.name for claim in CATALOGUE} | {"states", "depth"}
    assert not set(rows) & names
    assert all(len(cells) >= len(entries) for cells in rows.values())


def test_the_toml_form_is_what_the_table_of_expectations_has(monkeypatch: pytest.MonkeyPatch) -> None:
    import tomllib

    entry = check("pr161+era2480", LISTED)
    assert tomllib.loads(as_toml([entry])) == {
        "pr161+era2480": {LISTED.name: expectations()["pr161+era2480"][LISTED.name]}
    }
    monkeypatch.setattr(ledger, "expectations", lambda: tomllib.loads(as_toml([entry])))
    assert list(entry.differences()) == []
