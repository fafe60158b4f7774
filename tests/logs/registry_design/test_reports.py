"""What is found in a recorded run can be shown: its trace is a trace like any other."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from properties.logs.findings import PointOfNoReturn, UnprovedStop, Violation, findings
from properties.logs.following import Accepted, Rejected
from properties.render import FORMATS
from properties.render.interchange import schema
from properties.render.story import Story
from properties.results.trace import from_json
from properties.results.trace import replay as replay_trace

jsonschema = pytest.importorskip("jsonschema")

Lines = list[dict[str, Any]]
Replay = Callable[[Lines], Accepted | Rejected]
RunOf = Callable[[int], Lines]


@pytest.mark.slow
def test_a_stuck_run_is_shown_as_a_violation(run_of: RunOf, replay: Replay) -> None:
    outcome = replay(run_of(1))
    assert isinstance(outcome, Accepted)
    (final,) = findings(outcome)
    assert isinstance(final, PointOfNoReturn)
    report = FORMATS["markdown"](final.trace)
    assert report.startswith(f"# `progress_possible` is violated ({final.kinds[0]}): {len(final.trace.steps)} steps")
    assert "it is no longer true that batch 1 can still be certified when the main node asks for it" in report


@pytest.mark.deep
def test_every_finding_of_the_recorded_runs_can_be_shown_and_replayed(
    recorded: list[Lines], replay: Replay, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The searches behind the reports are cut short; what they would add is tested where they are quick."""
    for most in ("FEW_STATES", "MANY_STATES"):
        monkeypatch.setattr(f"properties.render.story.{most}", 500)
    shown = 0
    for lines in recorded:
        outcome = replay(lines)
        assert isinstance(outcome, Accepted)
        for finding in findings(outcome):
            assert not isinstance(finding, UnprovedStop)
            written = json.loads(FORMATS["json"](finding.trace))
            jsonschema.validate(written, schema())
            trace = from_json(written)
            assert trace == finding.trace
            replay_trace(trace)
            for name in ("markdown", "html"):
                assert f"{trace.claim}{'`' * (name == 'markdown')} is violated" in FORMATS[name](trace)
            shown += 1
    assert shown == 23


@pytest.mark.slow
def test_byzantine_attesters_of_a_recorded_run_are_named(run_of: RunOf, replay: Replay) -> None:
    outcome = replay(run_of(25))
    assert isinstance(outcome, Accepted)
    trace = next(finding for finding in findings(outcome) if isinstance(finding, Violation)).trace
    (byzantine,) = outcome.run.header.byzantine
    cast = dict(Story(trace).words.cast())
    assert cast[byzantine].startswith("a Byzantine attester")
    assert sum(what.startswith("a Byzantine") for what in cast.values()) == 1
    assert "connections " in FORMATS["markdown"](trace)
