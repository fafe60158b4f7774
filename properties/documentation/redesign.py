"""What the redesign cures: each finding on each revision, from the first pull request to the last."""

from __future__ import annotations

from collections.abc import Iterator

from model.revisions import CONTROLLER, of_design
from model.revisions import revision as by_name
from model.system import build
from properties.checking import Check
from properties.claims.catalogue import claim
from properties.documentation.tables import table
from properties.engines.packing import Packing
from properties.findings import FINDINGS, Finding
from properties.places import all_places, shown_at
from properties.verdicts import Violated

OLD = ("pr161+era2480", *(f"pr{number}+era2539" for number in (161, 165, 166, 167, 169, 170)))
"""As they were merged: the start rule changed just after PR 161, and stayed."""

HISTORY = (*OLD, *of_design(CONTROLLER))


def redesign() -> str:
    """For each finding whether a revision shows it (nothing where no scope that shows it is for the revision), since
    when none does, and a shortest run on the last that does."""
    head = (
        "finding",
        *(name.replace("+", " ") for name in HISTORY),
        "gone since",
        "cured by",
        "shortest run, on the last",
    )
    return table(head, (tuple(_row(finding)) for finding in FINDINGS if finding.shown_by))


def _row(finding: Finding) -> Iterator[str]:
    yield f"[{finding.title}](findings/{finding.name}.md)" if finding.has_page else finding.title
    found = all_places(finding)
    showing, plans = {place.revision for place in found}, {place.plan for place in found}
    searched = [name for name in HISTORY if any(plan.is_for(name) for plan in plans)]
    yield from ("yes" if name in showing else "–" if name in searched else "" for name in HISTORY)
    shown = [name for name in HISTORY if name in showing]
    if not shown:
        yield from ("", finding.cured_by, "on other revisions only")
        return
    later = [name for name in searched if HISTORY.index(name) > HISTORY.index(shown[-1])]
    yield later[0].replace("+", " ") if later else "open"
    yield finding.cured_by
    yield shortest(finding, shown[-1])


def shortest(finding: Finding, revision: str) -> str:
    """How long the shortest run is that shows the finding best, in the scope that shows it."""
    shown = shown_at(finding, revision)
    assert shown is not None
    property, kind, place = shown
    system = build(by_name(revision), place.plan.scope)
    check = Check(system, place.plan.symmetry and Packing(system).has_symmetry)
    found = check.verdict(claim(property))
    assert isinstance(found, Violated)
    trace = next(each for each in found.traces if kind in (None, each.kind))
    shortest = "" if found.is_shortest else " (a lasso, not necessarily the shortest)"
    steps = f"{len(trace.steps)} step{'s' * (len(trace.steps) != 1)}"
    return f"{steps}: `{property}`{f' ({kind})' if kind else ''} in {place.plan.name}{shortest}"
