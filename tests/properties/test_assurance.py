"""What stands behind each property is counted from verdicts, and nothing is said of what was not searched."""

from __future__ import annotations

from properties.claims.catalogue import CATALOGUE
from properties.claims.kinds import Kind
from properties.results.assurance import GENESIS, REDESIGN, SEALED, assurances, table
from properties.results.expected import Row, expectations

ROWS: list[tuple[str, Row]] = [
    ("pr161+era2480", {"states": 10, "no_gaps_on_main_node": "VIOLATED", "progress_possible": "VIOLATED: newer_vote"}),
    ("pr161+era2539", {"states": 20, "no_gaps_on_main_node": "EXHAUSTED", "progress_possible": "VACUOUS"}),
    ("pr161+era2539+foreign_skipped", {"states": 30, "no_gaps_on_main_node": "EXHAUSTED"}),
]


def test_verdicts_are_counted_by_group_and_silent_ones_are_not() -> None:
    found = {each.claim.name: each for each in assurances(ROWS)}
    gaps, progress = found["no_gaps_on_main_node"], found["progress_possible"]
    assert gaps.cells[1:5] == ("1/1", "0/2", "-", "0.0")
    assert (gaps.states, gaps.holds[GENESIS], gaps.fails[SEALED], gaps.fails[REDESIGN]) == (50, 2, 1, 0)
    assert progress.cells[1:4] == ("1/1", "-", "-")


def test_every_property_has_a_row_in_80_columns_and_what_fails_comes_first() -> None:
    found = assurances((name, row) for name, scopes in expectations().items() for row in scopes.values())
    assert {each.claim.name for each in found} == {claim.name for claim in CATALOGUE}
    failures = [sum(each.fails.values()) for each in found if each.claim.kind is not Kind.SOMETIMES]
    assert failures == sorted(failures, reverse=True)
    assert max(map(len, table(found).splitlines())) <= 80


def test_a_theorem_is_named_with_its_design() -> None:
    theorems = {each.claim.name: each.theorem for each in assurances([])}
    assert (theorems["no_gaps_on_main_node"], theorems["at_most_one_quorum"], theorems["votes_pulled"]) == (
        "RC",
        "R",
        "-",
    )
