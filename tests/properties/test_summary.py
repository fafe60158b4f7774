"""The first table says what goes wrong, where and how short, for whoever has a minute and 80 columns."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from properties.results.ledger import Entry, cell, check, reports
from properties.results.summary import MOST_ROWS, as_text, findings, holding, legend, rows
from properties.results.trace import Trace
from properties.results.verdicts import Unknown
from properties.scopes.plans import PLANS, Plan

SEALED, GENESIS = "pr161+era2480", "pr170+era2539"

USED_BY = {"restarts": "restart_node", "disconnects": "reconnect", "pruned": "prune", "regeneses": "regenesis"}
"""For each fault that a scope may allow, the action that is it."""


def plan(name: str) -> Plan:
    return next(each for each in PLANS if each.name == name)


PLAIN = plan("n2f0b0, 3 batches, joined")
RESTARTS = plan("n1f0b0, 3 batches, joined, restarts=any, restarting=M")
PRUNED = plan("n1f0b0, 3 batches, joined, pruned=M")
REGENESIS = plan("n1f0b0, 3 batches, joined, regeneses=1")


@pytest.fixture(scope="module")
def entries() -> list[Entry]:
    """Scopes without and with faults, on a revision of each start."""
    return [check(name, each) for each in (PLAIN, RESTARTS, PRUNED, REGENESIS) for name in (SEALED, GENESIS)]


@pytest.fixture(scope="module")
def text(entries: list[Entry]) -> str:
    return f"{as_text(entries)}\n\n{findings(entries)}"


def named_faults(trace: Trace) -> set[str]:
    return {fault for fault in USED_BY if getattr(trace.scope, fault) not in (0, "")}


def used_faults(trace: Trace) -> set[str]:
    actions = {step.action for step in trace.steps}
    return {fault for fault, action in USED_BY.items() if action in actions}


@pytest.mark.slow
def test_no_report_names_a_fault_that_its_run_does_not_use_where_a_scope_without_it_has_the_same_kind(
    entries: list[Entry],
) -> None:
    found = [
        (entry.revision, trace)
        for entry in entries
        for verdict in entry.verdicts.values()
        for trace in getattr(verdict, "traces", ())
    ]
    for entry, trace in reports(entries):
        same = [other for revision, other in found if (revision, other.claim, other.kind) == _what(entry, trace)]
        idle = named_faults(trace) - used_faults(trace)
        assert all(idle <= named_faults(other) for other in same), (entry.plan.name, trace.claim, trace.kind)


def _what(entry: Entry, trace: Trace) -> tuple[str, str, str | None]:
    return entry.revision, trace.claim, trace.kind


def test_the_table_of_findings_has_at_most_twenty_lines_of_at_most_eighty_columns(text: str) -> None:
    lines = text.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines.index("") <= 20
    assert MOST_ROWS + 4 <= 20
    assert text.isprintable() or set(text) - {"\n"} == {each for each in text if each.isprintable()}


def test_each_row_has_the_severity_and_the_length_of_the_run_that_is_reported(entries: list[Entry], text: str) -> None:
    (row,) = [row for row in rows(entries) if row.finding.name == "registry-minimum"]
    (shown,) = row.shown.values()
    assert (shown.entry.revision, shown.entry.plan) == (SEALED, PLAIN)
    assert re.search(rf"{row.finding.summary} +stuck +{len(shown.trace.steps)} +-$", text, re.MULTILINE)
    assert f"registry-minimum    {SEALED} in {PLAIN.name}\n" in text


def test_a_run_on_a_revision_that_ran_is_the_one_to_look_at(entries: list[Entry]) -> None:
    (row,) = [row for row in rows(entries) if row.finding.name == "pruned-main-node"]
    assert {column.title for column in row.shown} == {"sealed", "genesis"}
    assert row.best.entry.revision == GENESIS


def test_a_fair_loop_is_not_shown_as_the_shortest_run(entries: list[Entry], text: str) -> None:
    verdict = entries[0].verdicts["every_batch_certified"]
    assert cell(verdict) == "VIOLATED by a loop"
    assert re.search(r"is not certified in the end +gap +loop", text)


def test_a_column_of_a_search_that_was_cut_short_has_no_dash(entries: list[Entry]) -> None:
    left_open = {name: Unknown("the search was cut short") for name in entries[1].verdicts}
    cut = replace(entries[1], complete=False, verdicts=left_open)
    found = findings([entries[0], cut])
    assert re.search(r"The minimum deadlocks the main node +stuck +17 +\?$", found, re.MULTILINE)
    assert "CUT SHORT: not every state was examined" in " ".join(as_text([entries[0], cut]).split())


def test_what_holds_is_what_no_search_refutes_and_some_examines(entries: list[Entry]) -> None:
    (said,) = holding(entries)
    everywhere, genesis = " ".join(said.split()).split("With genesis, also: ")
    assert "no_vote_below_minimum" in everywhere
    assert "no_gaps_on_main_node" in genesis
    assert "no_gaps_on_main_node" not in everywhere
    assert "progress_possible" not in everywhere
    assert "attestation_can_start" not in said
    assert "connections_survive_bad_votes" not in said, "no scope here has bad votes"


def test_the_legend_explains_the_words_that_are_there_and_no_others() -> None:
    said = legend("a_property  VACUOUS  UNREACHED\nn6f1b1, 3 batches, joined\n")
    assert [line.split()[0] for line in said.splitlines() if not line.startswith(" ")] == [
        "UNREACHED",
        "VACUOUS",
        "n6f1b1",
        "joined",
    ]
    assert "6 attesters, of which 1 may be faulty by the threshold rule and 1 are Byzantine" in " ".join(said.split())


def test_where_nothing_goes_wrong_it_says_so(entries: list[Entry]) -> None:
    assert findings([entries[1]]).startswith("No finding shows in these searches.")


def test_that_no_finding_shows_is_not_said_of_what_was_cut_short_or_has_more_byzantine_weight() -> None:
    cut = check(GENESIS, PLAIN, max_states=1)
    assert "o finding" not in as_text([cut]) + findings([cut])
    assert findings([check(GENESIS, Plan("n1f0b1", "joined", 2))]).startswith("All searches have more Byzantine weight")


def test_revisions_details_and_nodes_have_a_legend() -> None:
    said = " ".join(legend("a  pr170+era2539+votes_kept in n1f0b0, 3 batches, calls, pruned=a\n").split())
    assert "pr170+era2539 the revision with era-consensus PR 170 and zksync-era PR 2539" in said
    assert "calls joined, and the four steps of a call" in said
    assert "pruned=a a switch of the scope: a fault or a topology (docs/detail.md); M: the main node; a, b," in said
