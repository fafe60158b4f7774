"""The ledger compares what was found with what was expected, and says what differs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from dataclasses import replace

import pytest

from model.revisions import REVISIONS
from properties.claims.catalogue import CATALOGUE
from properties.commands.outcome import Outcome
from properties.results import ledger
from properties.results.ledger import Entry, check, check_all, same_systems, table
from properties.scopes.plans import PLANS, Plan

SMALL = Plan("n1f0b0", "joined")
LISTED = Plan("n2f0b0", "joined")


@pytest.mark.deep
@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: plan.name)
def test_every_verdict_is_the_expected_one(plan: Plan) -> None:
    for _, (first, *others) in same_systems(REVISIONS, plan):
        entry = check(first, plan)
        assert entry.complete
        for revision in (first, *others):
            assert list(entry.of(revision).differences()) == [], revision


def test_what_is_expected_makes_no_difference() -> None:
    assert list(check("pr161+era2480", LISTED).differences()) == []


def test_a_verdict_or_a_count_that_is_not_expected_is_a_difference() -> None:
    entry = check("pr161+era2480", LISTED)
    other = check("pr161+era2539", LISTED)
    wrong = replace(entry, verdicts={**entry.verdicts, "progress_possible": other.verdicts["progress_possible"]})
    assert [name for name, _, _ in wrong.differences()] == ["progress_possible"]
    assert list(replace(entry, states=1).differences()) == [("states", str(entry.states), "1")]
    assert list(replace(entry, transitions=1).differences()) == [("transitions", str(entry.transitions), "1")]


def listed_anew(monkeypatch: pytest.MonkeyPatch, entry: Entry, **changes: str) -> None:
    """Let the table of expectations be this entry, and what is changed in it."""
    monkeypatch.setattr(ledger, "expectations", lambda: {entry.revision: {entry.plan.name: {**entry.row, **changes}}})


def test_a_property_that_only_the_table_or_only_the_catalogue_has_is_a_difference(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    entry = check("pr161+era2539", SMALL)
    listed_anew(monkeypatch, entry, forgotten="EXHAUSTED")
    assert list(entry.differences()) == [("forgotten", "EXHAUSTED", "no verdict")]
    new = replace(entry, verdicts={**entry.verdicts, "new": entry.verdicts["no_vote_below_minimum"]})
    assert ("new", "nothing of this property", "EXHAUSTED") in list(new.differences())


def test_a_scope_of_the_ledger_that_the_table_does_not_have_is_a_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = check("pr161+era2539", LISTED)
    monkeypatch.setattr(ledger, "expectations", lambda: {"pr161+era2539": {}})
    assert list(entry.differences()) == [("scope", "nothing of this scope", f"{len(CATALOGUE)} verdicts")]
    assert not entry.is_listed
    own = replace(entry, revision="pr161+era2539+votes_kept")
    assert list(own.differences()) == []


def test_violations_of_a_revision_that_the_table_does_not_have_say_so() -> None:
    found = list(check("pr161+era2480+votes_kept", LISTED).differences())
    assert ("no_gaps_on_main_node", "nothing of this revision", "VIOLATED") in found


def test_a_search_that_revisions_share_is_counted_once() -> None:
    entry = check("pr169+era2539", SMALL)
    again = entry.of("pr170+era2539")
    assert not entry.of(entry.revision).shared
    both = Outcome([entry, again], 2, "", [], 0.0, "attestation check").conclusion.splitlines()[1]
    assert both.startswith(f"1 search for 2 pairs of a revision and a scope, {entry.states:,} states, ")
    one = Outcome([entry], 1, "", [], 0.0, "attestation check").conclusion.splitlines()[1]
    assert one.startswith(f"1 search, {entry.states:,} states, ")


def test_what_a_bound_has_left_open_is_no_difference_and_no_success() -> None:
    entry = check("pr161+era2480", LISTED, max_states=20_000)
    assert not entry.complete
    assert list(entry.differences()) == []
    assert "cut short" in table([entry])


def test_the_longest_searches_are_begun_first() -> None:
    class Recorder:
        def __init__(self) -> None:
            self.begun: list[Plan] = []

        def map(self, work: Callable[[Plan], object], plans: Iterable[Plan]) -> Iterator[object]:
            return map(work, plans)

        def submit(self, work: object, revision: str, plan: Plan, max_states: int | None) -> Future[Entry]:
            self.begun.append(plan)
            done: Future[Entry] = Future()
            done.set_result(Entry(revision, plan, 0, 0, 0, 0.0, {}))
            return done

    recorder = Recorder()
    plans = [Plan("n2f0b0", "joined"), Plan("n2f0b0", "stepwise"), SMALL]
    list(check_all(["pr161+era2480"], plans, recorder))  # type: ignore[arg-type] # it does what is needed of workers
    assert recorder.begun == [SMALL, plans[1], plans[0]]


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
