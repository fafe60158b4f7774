"""Coarser atomicity is justified by measurement: all levels of detail give the same verdicts where all can be searched.

It says so of these scopes and of no others. That a finer level has more kinds of violations is pinned, too.
"""

from __future__ import annotations

from functools import cache

import pytest

from model.revisions import revision
from model.scope import instance
from model.system import build
from properties.checking import Check
from properties.claims.catalogue import CATALOGUE
from properties.claims.kinds import Kind
from properties.details import DETAILS
from properties.verdicts import Verdict, Violated

pytestmark = pytest.mark.slow

COMPARED = [
    ("n1f0b0", 2, tuple(DETAILS)),
    ("n1f0b0", 3, ("joined", "stepwise", "own-registries")),
    ("n2f0b0", 2, ("joined", "stepwise", "own-registries")),
    ("n2f0b0", 3, ("joined", "stepwise")),
    ("n2f0b1", 2, ("joined", "stepwise")),
]


@cache
def verdicts(name: str, committee: str, batches: int, detail: str) -> dict[str, Verdict]:
    """The verdicts of the claims; witnesses are about the scope, not about the protocol."""
    check = Check(build(revision(name), DETAILS[detail].scope(instance(committee), batches)))
    return check.verdicts([claim for claim in CATALOGUE if claim.kind is not Kind.SOMETIMES])


@pytest.mark.parametrize("name", ["pr161+era2480", "pr161+era2539"])
@pytest.mark.parametrize(("committee", "batches", "details"), COMPARED)
def test_verdicts_do_not_depend_on_the_detail(
    name: str, committee: str, batches: int, details: tuple[str, ...]
) -> None:
    words = [
        {claim: verdict.word for claim, verdict in verdicts(name, committee, batches, detail).items()}
        for detail in details
    ]
    assert all(each == words[0] for each in words)


def kinds(detail: str) -> set[str | None]:
    verdict = verdicts("pr161+era2480", "n1f0b0", 3, detail)["progress_possible"]
    assert isinstance(verdict, Violated)
    return {trace.kind for trace in verdict.kinds}


def test_finer_levels_have_more_kinds_of_points_of_no_return() -> None:
    assert kinds("stepwise") - kinds("joined") == {"minimum_to_come"}
    assert kinds("own-registries") - kinds("stepwise") == {"own_minimum", "own_vote_skipped"}
    assert kinds("joined") < kinds("stepwise") < kinds("own-registries")
