"""What is found in a recorded run can be shown: its trace is a trace like any other."""

from collections.abc import Callable
from typing import Any

import pytest

from properties.logs.findings import PointOfNoReturn, findings
from properties.logs.following import Accepted, Rejected
from properties.render import FORMATS

Lines = list[dict[str, Any]]
Replay = Callable[[Lines], Accepted | Rejected]
RunOf = Callable[[int], Lines]


def test_a_stuck_run_is_shown_as_a_violation(run_of: RunOf, replay: Replay) -> None:
    outcome = replay(run_of(1))
    assert isinstance(outcome, Accepted)
    (final,) = findings(outcome)
    assert isinstance(final, PointOfNoReturn)
    report = FORMATS["markdown"](final.trace)
    assert report.startswith(f"# `progress_possible` is violated ({final.kinds[0]}): {len(final.trace.steps)} steps")
    assert "it is no longer true that batch 1 can still be certified when the main node asks for it" in report
