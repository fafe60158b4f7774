"""What a replay says, in words and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from properties.logs.findings import Finding, PointOfNoReturn, UnprovedStop, Violation
from properties.logs.following import Accepted, Candidate, Rejected
from properties.logs.runs import Event
from properties.recordings import Difference
from properties.recordings.format import ABSENT
from properties.results.trace import TraceStep

SHOWN_STEPS = 5
HIDDEN = ("seq", "time", "node", "event")


def accepted_lines(accepted: Accepted, found: Sequence[Finding]) -> Iterator[str]:
    """A run that fits, and what is wrong with it."""
    run = accepted.run
    ended = "no end line: this is a prefix of a run" if run.end is None else f"ended {run.reason!r}"
    name = f"run {run.number} ({run.header}): accepted, {len(run.events)} events, {ended}"
    yield name if found else f"{name}; clean"
    for finding in found:
        yield from (f"  {line}" for line in _finding(finding))


def rejected_lines(rejected: Rejected) -> Iterator[str]:
    """A run that does not fit: how far it did, the event, and why each thing that it could be is not it."""
    run, event = rejected.run, rejected.event
    yield f"run {run.number} ({run.header}): REJECTED at {place(event)}"
    left = f", which leave {rejected.states} possible states" if rejected.states > 1 else ""
    yield f"  longest accepted prefix: {rejected.accepted} of {len(run.events)} events{left}"
    yield f"  event: {_event(event)}"
    if rejected.reason is not None:
        yield f"  {rejected.reason}"
    for candidate in rejected.candidates:
        yield from (f"  {line}" for line in _candidate(candidate))


def difference_lines(difference: Difference) -> Iterator[str]:
    """The first difference between recorded scenarios and the model."""
    place = "what it says of itself" if difference.step is None else f"step {difference.step}"
    yield f"scenario {difference.scenario!r}: REJECTED at {place}"
    yield f"  longest accepted prefix: {difference.step or 0} steps"
    yield f"  {difference.field}: recorded {_json(difference.recorded)}, in the model {_json(difference.modelled)}"


def place(event: Event) -> str:
    return f"line {event.line} (seq {event['seq']})"


def _event(event: Event) -> str:
    fields = {name: value for name, value in event.fields.items() if name not in HIDDEN}
    return f"{event.node} {event.kind} {json.dumps(fields)}".strip()


def _json(value: object) -> str:
    return "nothing" if value is ABSENT else json.dumps(value)


def _candidate(candidate: Candidate) -> Iterator[str]:
    if candidate.field is not None:
        recorded, modelled = _json(candidate.recorded), _json(candidate.modelled)
        yield f"candidate {candidate.action}: {candidate.field} is recorded as {recorded}, and {modelled} in the model"
        return
    yield f"candidate {candidate.action} is not possible:"
    yield from (f"  {guard}" for guard in candidate.guards)


def _finding(finding: Finding) -> Iterator[str]:
    if isinstance(finding, UnprovedStop):
        yield f"stuck at {place(finding.event)}: batch {finding.asked} is asked for; not proved to be final"
        return
    if isinstance(finding, Violation):
        yield f"{finding.claim} violated at {place(finding.event)}, {_event(finding.event)}"
        yield f"  not so: {finding.conjunct}"
    else:
        yield from _final(finding)
    steps = finding.trace.steps
    yield f"  the last of the {len(steps)} steps of the trace:"
    yield from (f"    {line}" for line in _steps(steps, max(0, len(steps) - SHOWN_STEPS)))


def _final(finding: PointOfNoReturn) -> Iterator[str]:
    yield (
        f"point of no return for batch {finding.asked} from {place(finding.event)} on, {_event(finding.event)}: "
        f"{', '.join(finding.kinds)}"
    )
    if finding.kinds_at_end != finding.kinds:
        yield f"  at the end: {', '.join(finding.kinds_at_end)}"
    before = f"{finding.undecided} undecided events and then " if finding.undecided else ""
    if finding.rescue is None:
        yield "  no schedule was found that avoids it"
    elif finding.rescue == 0:
        yield f"  before {before}that event, the main node asked for no batch that was missing"
    else:
        steps = f"in {finding.rescue} steps"
        yield f"  before {before}that event, batch {finding.rescued} could still be certified, {steps}"


def _steps(steps: Sequence[TraceStep], start: int) -> Iterator[str]:
    for number, step in enumerate(steps[start:], start + 1):
        changes = ", ".join(f"{name}: {old} → {new}" for name, (old, new) in step.changes.items())
        yield f"{number} · {step.node} · {step.call} · {changes}"


def accepted_json(accepted: Accepted, found: Sequence[Finding]) -> dict[str, Any]:
    """A run that fits, for machines."""
    run = accepted.run
    return {
        "run": run.number,
        "line": run.header.line,
        "seed": run.header.fields["seed"],
        "verdict": "accepted",
        "events": len(run.events),
        "reason": run.reason,
        "revision": accepted.setting.service.revision.name,
        "findings": [_finding_json(finding) for finding in found],
    }


def _finding_json(finding: Finding) -> dict[str, Any]:
    where = {"line": finding.event.line, "seq": finding.event["seq"]}
    if isinstance(finding, UnprovedStop):
        return {"finding": "stuck", "batch": finding.asked, **where}
    if isinstance(finding, Violation):
        return {"finding": finding.claim, "conjunct": finding.conjunct, **where}
    return {
        "finding": "point of no return",
        "batch": finding.asked,
        **where,
        "kinds": list(finding.kinds),
        "kinds_at_end": list(finding.kinds_at_end),
        "undecided": finding.undecided,
        "rescued": finding.rescued,
        "rescue_steps": finding.rescue,
    }


def rejected_json(rejected: Rejected) -> dict[str, Any]:
    """A run that does not fit, for machines."""
    return {
        "run": rejected.run.number,
        "line": rejected.event.line,
        "seed": rejected.run.header.fields["seed"],
        "verdict": "rejected",
        "accepted": rejected.accepted,
        "events": len(rejected.run.events),
        "event": dict(rejected.event.fields),
        "reason": rejected.reason,
        "candidates": [_candidate_json(candidate) for candidate in rejected.candidates],
    }


def _candidate_json(candidate: Candidate) -> Mapping[str, Any]:
    guards = [{"false": guard.condition, "values": dict(guard.values)} for guard in candidate.guards]
    fields = (candidate.recorded, candidate.modelled)
    recorded, modelled = (None if value is ABSENT else value for value in fields)
    return {
        "action": candidate.action,
        "guards": guards,
        "field": candidate.field,
        "recorded": recorded,
        "modelled": modelled,
    }


def difference_json(difference: Difference) -> dict[str, Any]:
    """The first difference between recorded scenarios and the model, for machines."""
    recorded, modelled = (None if value is ABSENT else value for value in (difference.recorded, difference.modelled))
    return {
        "verdict": "rejected",
        "scenario": difference.scenario,
        "step": difference.step,
        "field": difference.field,
        "recorded": recorded,
        "modelled": modelled,
    }
