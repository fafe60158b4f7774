"""What the machines demand in any scope is what the table of expectations says in its scopes."""

from __future__ import annotations

import pytest

from model.revisions import REVISIONS
from properties.claims.catalogue import CATALOGUE
from properties.claims.kinds import Kind
from properties.results.expected import expectations
from properties.scopes.plans import PLANS, Plan
from properties.stateful.expectations import HOLDS_WHERE, expected_to_hold

HOLDING = {"EXHAUSTED", "VACUOUS", "NOT_APPLICABLE"}
"""A property that is not applicable says nothing of the scope."""


def test_they_cover_the_catalogue() -> None:
    assert set(HOLDS_WHERE) == {claim.name for claim in CATALOGUE if claim.kind is Kind.ALWAYS} | {"progress_possible"}


@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: plan.name)
def test_what_must_hold_holds_in_every_row_of_the_table(plan: Plan) -> None:
    rows = {name: rows[plan.name] for name, rows in expectations().items() if plan.name in rows and name in REVISIONS}
    assert rows
    for revision, verdicts in rows.items():
        wrong = {
            name: verdicts[name]
            for name in HOLDS_WHERE
            if expected_to_hold(name, REVISIONS[revision], plan.scope) and verdicts[name] not in HOLDING
        }
        assert wrong == {}, revision


@pytest.mark.parametrize("name", HOLDS_WHERE)
def test_every_property_is_demanded_somewhere(name: str) -> None:
    assert any(
        expected_to_hold(name, each, plan.scope)
        for each in reversed(REVISIONS.values())
        for plan in PLANS
        if plan.is_for(each.name)
    )
