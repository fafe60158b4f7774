"""What the redesign cures: each finding on each revision, from the first pull request to the last."""

from __future__ import annotations

from collections.abc import Iterator

from docs.generator.tables import table
from model.revisions import CONTROLLER, of_design
from model.revisions import revision as by_name
from model.system import build
from properties.claims.catalogue import claim
from properties.engines.checking import Check
from properties.engines.packing import Packing
from properties.results.expected import expectations
from properties.results.findings import FINDINGS, Finding
from properties.results.places import all_places, shown_at
from properties.results.verdicts import Violated

OLD = ("pr161+era2480", *(f"pr{number}+era2539" for number in (161, 165, 166, 167, 169, 170)))
"""As they were merged: the start rule changed just after PR 161, and stayed."""

HISTORY = (*OLD, *of_design(CONTROLLER))

LOSSY = "n2f0b0, 3 batches, joined, topology=chain, restarts=1, disconnects=1"


CLAIMS = (
    ("175: at most one quorum at a time", "at_most_one_quorum", "n2f0b0, 4 batches, joined"),
    ("no gaps on the main node", "no_gaps_on_main_node", "n2f0b0, 4 batches, joined"),
    ("no gaps, whatever Byzantine attesters sign", "no_gaps_on_main_node", "n3f0b3, 4 batches, joined"),
    ("certificates that are inserted verify", "inserted_certificates_verify", "n3f0b3, 4 batches, joined"),
    ("2684: a batch has one certificate at most", "one_certificate_per_batch", "n3f0b3, 4 batches, joined"),
    ("the start-up deadlock is gone", "progress_possible", "n2f0b0, 4 batches, joined"),
    ("each batch is certified in the end", "every_batch_certified", "n2f0b0, 4 batches, joined"),
    ("so it is with restarts and broken connections", "every_batch_certified", LOSSY),
    ("175: a vote that is ignored for being early comes", "early_votes_arrive", LOSSY),
    ("2684: committees may change", "every_batch_certified", "n2f0b0, 4 batches, joined, committees=1,1;1,0;0,1;1,1"),
    (
        "an error on an attester's node costs nothing",
        "every_batch_certified",
        "n1f0b0, 3 batches, joined, errors=1, failing=a, restarts=any, restarting=M",
    ),
    (
        "attestation lives as long as the process",
        "attestation_lives_with_process",
        "n1f0b0, 2 batches, joined, errors=1",
    ),
    ("stale answers of the API do no harm", "every_batch_certified", "n1f0b0, 3 batches, stepwise, stale_answers=2"),
)
"""What the redesign promises, the property that says it, and the scope of the ledger in which it is looked up."""


def claims() -> str:
    """Each promise of the redesign with its verdicts on its revisions."""
    names = of_design(CONTROLLER)
    rows = (
        (says, f"`{name}`", scope, *(expectations().get(each, {}).get(scope, {}).get(name, "") for each in names))
        for says, name, scope in CLAIMS
    )
    return table(("claim", "property", "scope", *(name.partition("+")[2] for name in names)), rows)


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
    is_last = shown[-1] == HISTORY[-1]
    yield "open" if is_last else later[0].replace("+", " ") if later else "not searched since"
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
