"""Where the table of expectations knows of a violation or a witness, the plainest scope first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from model.revisions import REVISIONS
from model.rules import max_faulty_weight
from model.scope import instance
from properties.results.expected import expectations
from properties.results.findings import RAN, Finding
from properties.scopes.plans import PLANS, Plan


@dataclass(frozen=True)
class Place:
    """A revision in a scope of the ledger, with as many states as are expected there."""

    revision: str
    plan: Plan
    states: int


def byzantine_share(plan: Plan) -> float:
    """The Byzantine part of the weight."""
    committee = instance(plan.instance)
    return committee.byzantine_weight / committee.total_weight


def is_tolerated(plan: Plan) -> bool:
    """Whether the committee has no more Byzantine weight than the threshold is made for."""
    committee = instance(plan.instance)
    return committee.byzantine_weight <= int(max_faulty_weight(committee.total_weight))


def plainness(plan: Plan, states: int) -> tuple[int, float, int]:
    """The order in which scopes are asked for a run to show: with the fewest switches, so that nothing is named which
    the run does not use; then the least Byzantine weight; then the fewest states."""
    return len(plan.switches), byzantine_share(plan), states


def kinds(verdict: str) -> list[str | None]:
    """The kinds that a violation in the table is of; one, without name, if the property has no kinds; none if it is no
    violation."""
    word, _, named = verdict.partition(": ")
    if word != "VIOLATED":
        return []
    return list(named.split(", ")) if named else [None]


def places(property: str, kind: str | None = None, revision: str | None = None) -> list[Place]:
    """Where a trace of the property is expected, of this kind and on this revision if they are named; the best to show
    first."""
    found = [
        place
        for place, verdict in _verdicts(property)
        if revision in (None, place.revision)
        and (kind in kinds(verdict) if kind else verdict.startswith("VIOLATED") or verdict == "REACHED")
    ]
    return sorted(found, key=lambda place: (precedence(place.revision), plainness(place.plan, place.states)))


def all_places(finding: Finding) -> list[Place]:
    """Where the table has a violation that shows the finding, with tolerated Byzantine weight."""
    return [each for shown in finding.shown_by for each in places(*shown) if _shows(each, finding)]


def _shows(place: Place, finding: Finding) -> bool:
    return is_tolerated(place.plan) and finding.is_about(place.revision)


def _verdicts(property: str) -> Iterator[tuple[Place, str]]:
    """Every verdict on the property, in the order of plans and revisions."""
    for plan in PLANS:
        for revision in filter(plan.is_for, REVISIONS):
            row = expectations().get(revision, {}).get(plan.name, {})
            if property in row:
                yield Place(revision, plan, row["states"]), row[property]


def shown_at(finding: Finding, revision: str | None = None) -> tuple[str, str | None, Place] | None:
    """The property, the kind and the place that show the finding best, on this revision if one is named; None if no
    search does."""
    for property, kind in finding.shown_by:
        on = revision or finding.shown_on or None
        found = [each for each in places(property, kind, on) if _shows(each, finding)]
        if found:
            return property, kind, found[0]
    return None


def precedence(revision: str) -> tuple[bool, int]:
    """The order in which revisions are asked for a run to show: those that ran, then as they were merged."""
    order = list(REVISIONS)
    return revision not in RAN, order.index(revision) if revision in order else len(order)
