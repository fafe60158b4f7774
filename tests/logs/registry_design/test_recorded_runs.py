"""The 40 recorded runs of the real components: all are accepted, and what went wrong in them is recognised."""

import itertools
import json
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from properties.logs.findings import PointOfNoReturn, Violation, findings
from properties.logs.following import Accepted, Rejected
from properties.logs.reading import read_runs

Lines = list[dict[str, Any]]
Replay = Callable[[Lines], Accepted | Rejected]

STUCK = {1: (103, 4), 2: (101, 3), 3: (119, 5), 4: (154, 4), 8: (159, 3), 9: (302, 1)}
"""By run: `seq` of the event from which on it is too late, and the batch that could be certified before it."""
WITH_GAP = {5: 162, 6: 210, 7: 234, 10: 158, 18: 108, 19: 150}
WITH_BAD_CERTIFICATE = {25: 274, 26: 241}
LATE_START = {7, 10, 11, 13, 14, 15, 16, 17, 20}
"""Runs whose first certificate is not for batch 0; most leave no gap, for nothing smaller is certified."""

CLEAN = set(range(1, 41)) - STUCK.keys() - WITH_GAP.keys() - WITH_BAD_CERTIFICATE.keys() - LATE_START


@pytest.fixture(scope="session")
def outcomes(recorded: list[Lines]) -> dict[int, Accepted | Rejected]:
    from properties.logs.following import follow

    texts = (json.dumps(line) for lines in recorded for line in lines)
    return {run.number: follow(run) for run in read_runs(texts)}


def accepted(outcome: Accepted | Rejected) -> Accepted:
    assert isinstance(outcome, Accepted)
    return outcome


def test_every_recorded_run_is_accepted(outcomes: dict[int, Accepted | Rejected]) -> None:
    assert len(outcomes) == 40
    assert [number for number, outcome in outcomes.items() if isinstance(outcome, Rejected)] == []


def test_what_the_log_leaves_open_stays_small(outcomes: dict[int, Accepted | Rejected]) -> None:
    assert {accepted(outcome).possibilities for outcome in outcomes.values()} == {1, 2}


@pytest.mark.slow
@pytest.mark.parametrize("number", STUCK)
def test_a_stuck_run_is_a_point_of_no_return_from_the_event_that_made_it_one(
    outcomes: dict[int, Accepted | Rejected], number: int
) -> None:
    outcome = accepted(outcomes[number])
    assert outcome.run.end["reason"] == "stuck"
    (final,) = (finding for finding in findings(outcome) if isinstance(finding, PointOfNoReturn))
    seq, rescued = STUCK[number]
    assert (final.event["seq"], final.asked, final.undecided, final.rescued) == (seq, 1, 0, rescued)
    assert final.rescue
    assert "unclassified" not in final.kinds
    assert "newer_vote" in final.kinds
    assert final.trace.kind in final.kinds


def violated(outcome: Accepted | Rejected) -> dict[str, int]:
    return {finding.claim: finding.event["seq"] for finding in violations(accepted(outcome))}


def violations(outcome: Accepted) -> Iterator[Violation]:
    """Without the slower search for the point of no return."""
    yield from (finding for finding in itertools.islice(findings(outcome), 3) if isinstance(finding, Violation))


def test_runs_that_ended_well_are_clean_and_the_others_are_told_apart(
    outcomes: dict[int, Accepted | Rejected],
) -> None:
    found = {number: violated(outcome) for number, outcome in outcomes.items() if number not in STUCK}

    def where(claim: str) -> dict[int, int]:
        return {number: violations[claim] for number, violations in found.items() if claim in violations}

    assert where("no_gaps_on_main_node") == WITH_GAP
    assert where("certificates_verify") == WITH_BAD_CERTIFICATE
    assert where("attestation_starts_at_first_batch").keys() == LATE_START
    assert {number for number, violations in found.items() if not violations} == CLEAN


def test_gaps_are_those_that_the_recording_tells(outcomes: dict[int, Accepted | Rejected]) -> None:
    told = {number for number, outcome in outcomes.items() if outcome.run.end["gap"]}
    assert told == WITH_GAP.keys()


def test_certificates_that_do_not_verify_are_recorded_where_the_model_has_them(
    outcomes: dict[int, Accepted | Rejected],
) -> None:
    told = {
        number
        for number, outcome in outcomes.items()
        for event in outcome.run.events
        if event.kind == "quorum_found" and not event["verifies"]
    }
    assert told == WITH_BAD_CERTIFICATE.keys()


@pytest.mark.slow
def test_memory_does_not_grow_with_the_number_of_runs(recorded: list[Lines]) -> None:
    def peak(runs: int) -> int:
        from properties.logs.following import follow

        texts = (json.dumps(line) for line in itertools.chain.from_iterable(itertools.repeat(recorded[28], runs)))
        tracemalloc.start()
        for run in read_runs(texts):
            follow(run)
        _, highest = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return highest

    few = peak(2)
    assert peak(8) < 1.5 * few
