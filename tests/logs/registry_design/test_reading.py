"""A log out of format is refused with the number of the line."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from properties.logs.reading import read_runs
from properties.recordings.format import MalformedRecording

Lines = list[dict[str, Any]]
RunOf = Callable[[int], Lines]


def problem_of(lines: list[str]) -> str:
    with pytest.raises(MalformedRecording) as malformed:
        list(read_runs(lines))
    return str(malformed.value)


def texts(lines: Lines) -> list[str]:
    return [json.dumps(line) for line in lines]


@pytest.mark.parametrize(
    ("line", "changes", "problem"),
    [
        (
            3,
            {"event": "batch_lost"},
            "line 3: event is 'batch_lost'; it must be 'batch_sealed' or 'batch_persisted' or",
        ),
        (4, {"colour": 1}, "line 4: unknown field 'colour'; known are seq, time, node, event, number"),
        (4, {"number": 2**64}, "line 4: number is 18446744073709551616; it must be an integer from 0 to 2^64 - 1"),
        (4, {"number": -1}, "line 4: number is -1; it must be an integer from 0 to 2^64 - 1"),
        (4, {"number": True}, "line 4: number is true; it must be an integer from 0 to 2^64 - 1"),
        (4, {"node": "q"}, "line 4: node is 'q'; known nodes are M, a, b"),
        (4, {"time": -0.5}, "line 4: time is -0.5; it must be a number, 0 or more"),
        (4, {"seq": 2}, "line 4: seq is 2 after 2; it must increase within a run"),
        (2, {"result": "late"}, "line 2: result is 'late'; it must be an integer from 0 to 2^64 - 1, null or 'error'"),
        (1, {"format": "attestation-log/2"}, "line 1: unknown field 'start'; known are format, seed"),
        (1, {"attesters": {}}, "line 1: attesters: "),
        (1, {"attesters": {"a": 0, "b": 1}}, "line 1: attesters: "),
        (1, {"attesters": {"a": 2**64 - 1, "b": 1}}, "line 1: attesters: "),
        (1, {"nodes": ["a", "b"]}, "line 1: nodes has no 'M'"),
        (1, {"nodes": ["M", "a"]}, "line 1: attester 'b' is no node; add it to nodes"),
        (1, {"nodes": ["M", "a", "b", "b"]}, "line 1: nodes has a name twice"),
        (1, {"nodes": ["M", "a", "b", "c.d"]}, "line 1: nodes.3 is 'c.d'; it must be a name of letters, digits and _"),
        (1, {"nodes": ["M", "a", "b", "c-d"]}, "line 1: nodes.3 is 'c-d'; it must be a name of letters, digits and _"),
        (1, {"nodes": ["M", "a", "b", "\u0662"]}, "line 1: nodes.3 is '\u0662'; it must be a name of letters"),
        (1, {"nodes": ["M", "a", "b", "c|<b>`"]}, "line 1: nodes.3 is 'c|<b>`'; it must be a name of letters"),
        (1, {"byzantine": ["M"], "byzantine_mode": "raw"}, "line 1: byzantine 'M' is no attester"),
        (1, {"byzantine": ["a"]}, "line 1: byzantine_mode must be given if, and only if, a node is Byzantine"),
        (1, {"topology": [["a", "a"]]}, "line 1: topology must have pairs of different nodes, each pair once"),
        (1, {"topology": [["a"]]}, 'line 1: topology.0 is ["a"]; it must be a pair of names'),
        (1, {"byzantine": ["b", "b"], "byzantine_mode": "raw"}, "line 1: byzantine has a name twice"),
        (9, {"time": 0}, "line 9: time is 0 after "),
        (1, {"first_batch": 3}, "line 1: first_batch is 3; number the batches from 0"),
        (1, {"batches": 0}, "line 1: batches is 0; it must be 1 to 250"),
    ],
)
def test_a_line_out_of_format_is_told_by_its_number(
    run_of: RunOf, line: int, changes: dict[str, Any], problem: str
) -> None:
    lines = run_of(1)
    lines[line - 1] |= changes
    assert problem_of(texts(lines)).startswith(problem)


def test_a_missing_field_is_named(run_of: RunOf) -> None:
    lines = run_of(1)
    del lines[9]["registry"]
    assert problem_of(texts(lines)) == "line 10: missing field 'registry'"


def test_an_empty_log_is_refused() -> None:
    assert problem_of([]) == "line 1: the log is empty; there must be at least one run"


def test_truncated_json_is_refused(run_of: RunOf) -> None:
    lines = texts(run_of(1))
    assert problem_of([*lines[:5], lines[5][:20]]).startswith("line 6: not JSON")


def test_a_run_must_have_a_header_events_and_an_end(run_of: RunOf) -> None:
    lines = texts(run_of(1))
    assert problem_of(lines[1:]).startswith("line 1: a run must start with a header line")
    assert problem_of(lines[:1]) == "line 2: the run that starts in line 1 has no events"
    assert problem_of([lines[0], lines[-1]]) == "line 2: the run that starts in line 1 has no events"
    assert problem_of([lines[0], *lines]) == "line 2: a header before the end of the run that starts in line 1"
    assert problem_of([*lines, lines[1]]).startswith("line 123: a run must start with a header line")


def test_a_log_that_ends_before_its_run_has_a_prefix_of_it(run_of: RunOf) -> None:
    lines = texts(run_of(1))
    *_, whole, prefix = read_runs([*lines, *lines[:-1]])
    assert (prefix.events[-1]["seq"], prefix.end, prefix.reason) == (whole.events[-1]["seq"], None, None)


def test_a_second_run_is_read_like_the_first(run_of: RunOf) -> None:
    lines = texts(run_of(1))
    assert [(run.number, run.header.line) for run in read_runs([*lines, *lines])] == [(1, 1), (2, len(lines) + 1)]
