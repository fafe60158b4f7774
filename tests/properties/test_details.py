"""Coarser atomicity is justified by measurement: all levels of detail give the same verdicts where all can be searched.

It says so of these scopes and of no others. That a finer level has more kinds of violations is pinned, too.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest

from model.revisions import revision
from model.scope import instance
from model.system import build
from properties.claims.catalogue import CATALOGUE, claim
from properties.claims.kinds import Kind
from properties.engines.checking import Check
from properties.results.verdicts import Verdict, Violated
from properties.scopes.details import DETAILS

pytestmark = pytest.mark.slow

OF_REGISTRIES = ("joined", "stepwise", "own-registries", "full")

COMPARED = [
    ("n1f0b0", 2, OF_REGISTRIES),
    ("n1f0b0", 3, ("joined", "stepwise", "own-registries")),
    ("n2f0b0", 2, ("joined", "stepwise", "own-registries")),
    ("n2f0b0", 3, ("joined", "stepwise")),
    ("n2f0b1", 2, ("joined", "stepwise")),
]


@cache
def verdicts(name: str, committee: str, batches: int, detail: str) -> dict[str, Verdict]:
    """The verdicts of the claims; witnesses are about the scope, not about the protocol."""
    check = Check(build(revision(name), DETAILS[detail].scope(instance(committee), batches)))
    return check.verdicts([each for each in CATALOGUE if each.kind is not Kind.SOMETIMES])


@pytest.mark.parametrize("name", ["pr161+era2480", "pr161+era2539"])
@pytest.mark.parametrize(("committee", "batches", "details"), COMPARED)
def test_verdicts_do_not_depend_on_the_detail(
    name: str, committee: str, batches: int, details: tuple[str, ...]
) -> None:
    words = [
        {property: verdict.word for property, verdict in verdicts(name, committee, batches, detail).items()}
        for detail in details
    ]
    assert all(each == words[0] for each in words)


OF_CONTROLLERS = [
    ("n1f0b0", 2, ("joined", "stepwise", "calls", "full")),
    ("n1f0b0", 4, ("joined", "stepwise", "calls", "full")),
    ("n2f0b0", 2, ("joined", "stepwise", "calls")),
    ("n2f0b0", 3, ("joined", "stepwise")),
    ("n2f0b1", 2, ("joined", "stepwise", "calls", "full")),
]


@pytest.mark.parametrize("name", ["pr175+era2657", "pr175+era3512"])
@pytest.mark.parametrize(("committee", "batches", "details"), OF_CONTROLLERS)
def test_verdicts_of_the_redesign_do_not_depend_on_the_detail(
    name: str, committee: str, batches: int, details: tuple[str, ...]
) -> None:
    words = [
        {property: verdict.word for property, verdict in verdicts(name, committee, batches, detail).items()}
        for detail in details
    ]
    assert all(each == words[0] for each in words)


def test_only_a_task_whose_steps_are_told_apart_waits_for_a_hash() -> None:
    """What joining the reading of the status with the start leaves out: a pruned batch leaves a deaf task there."""

    def found(detail: str) -> set[str | None]:
        scope = replace(DETAILS[detail].scope(instance("n1f0b0"), 3), pruned="a", prunes_certified=True, restarts=1)
        verdict = Check(build(revision("pr175+era2657"), scope)).verdict(claim("progress_possible"))
        return {trace.kind for trace in verdict.kinds} if isinstance(verdict, Violated) else set()

    assert found("stepwise") - found("joined") == {"deaf_to_status"}
    assert found("full") == found("stepwise")


def kinds(detail: str) -> set[str | None]:
    verdict = verdicts("pr161+era2480", "n1f0b0", 3, detail)["progress_possible"]
    assert isinstance(verdict, Violated)
    return {trace.kind for trace in verdict.kinds}


def test_finer_levels_have_more_kinds_of_points_of_no_return() -> None:
    assert kinds("stepwise") - kinds("joined") == {"minimum_to_come"}
    assert kinds("own-registries") - kinds("stepwise") == {"own_minimum", "own_vote_skipped"}
    assert kinds("joined") < kinds("stepwise") < kinds("own-registries")
