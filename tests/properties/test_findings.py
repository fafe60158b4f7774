"""Every violation that is expected belongs to a finding, and every finding is shown where it says."""

from __future__ import annotations

import pytest

from docs.generator.pages import DOCS
from model.revisions import REVISIONS
from properties.claims.catalogue import CATALOGUE, claim
from properties.results.expected import expectations, plan_of
from properties.results.findings import COLUMNS, FINDINGS, RAN, Finding, Severity, finding_of
from properties.results.places import all_places, is_tolerated, kinds, places, plainness, shown_at
from properties.scopes.plans import Plan

NAMES = [finding.name for finding in FINDINGS]


def test_every_violation_with_tolerated_byzantine_weight_belongs_to_one_finding() -> None:
    for revision, scopes in expectations().items():
        for scope, row in scopes.items():
            plan = plan_of(revision, scope)
            assert plan is not None
            if is_tolerated(plan):
                violated = [(each.name, kind) for each in CATALOGUE for kind in kinds(row[each.name])]
                assert all(finding_of(*each, revision) for each in violated), (scope, violated)
    shown = [(*each, finding.design) for finding in FINDINGS for each in finding.shown_by]
    assert len(shown) == len(set(shown))
    assert not {(*each[:2], "") for each in shown if each[2]} & set(shown)


def test_what_shows_a_finding_exists() -> None:
    for finding in FINDINGS:
        for name, kind in finding.shown_by:
            assert kind in [each.name for each in claim(name).kinds] or (kind is None and not claim(name).kinds)


@pytest.mark.parametrize("finding", [each for each in FINDINGS if each.shown_by], ids=lambda each: each.name)
def test_each_finding_is_shown_by_a_search_with_tolerated_byzantine_weight(finding: Finding) -> None:
    shown = shown_at(finding)
    assert shown is not None
    assert is_tolerated(shown[2].plan)
    assert shown[2] in all_places(finding)


def test_findings_have_a_page_each_where_they_say_so_and_short_words_for_the_table() -> None:
    pages = {page.stem for page in (DOCS / "findings").glob("*.md")} - {"README"}
    assert pages == {finding.name for finding in FINDINGS if finding.has_page}
    assert len(set(NAMES)) == len(NAMES)
    assert all(len(finding.summary) <= 40 for finding in FINDINGS)
    order = list(Severity)
    assert sorted(FINDINGS, key=lambda each: order.index(each.severity)) == list(FINDINGS)
    assert not {each.name for each in CATALOGUE} & set(NAMES)


def test_every_revision_is_in_one_column_and_those_that_ran_are_known() -> None:
    assert all(sum(column.has(name) for column in COLUMNS) == 1 for name in REVISIONS)
    assert set(RAN) <= set(REVISIONS)


def test_the_plainest_scope_has_the_fewest_switches_then_the_least_byzantine_weight_then_the_fewest_states() -> None:
    restarts = Plan("n1f0b0", "joined", switches=(("restarts", None),))
    plans = [(Plan("n2f0b0", "joined"), 9), (Plan("n6f1b1", "joined"), 1), (restarts, 1)]
    assert sorted([plans[2], plans[1], plans[0]], key=lambda each: plainness(*each)) == plans


def test_places_are_those_of_the_table() -> None:
    found = places("certificates_verify", revision="pr170+era2539")
    listed = expectations()["pr170+era2539"]
    assert [(place.plan.name, place.states) for place in found] == [
        (name, listed[name]["states"]) for name in ("w5,1b1, 2 batches, joined", "n6f1b1, 2 batches, joined")
    ]
    assert places("no_gaps_on_main_node", revision="pr170+era2539") == []
    relays = [place.revision for place in places("progress_possible", "relay_minimum")]
    assert relays == ["pr161+era2480", "pr166+era2480"]
