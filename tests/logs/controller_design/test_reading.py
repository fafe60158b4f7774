"""A log out of format is refused with the number of the line."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from properties.logs.controller_design.reading import EVENTS
from properties.logs.controller_design.rules import RULES
from properties.logs.reading import read_runs
from properties.recordings.format import MalformedRecording

Lines = list[dict[str, Any]]
RunOf = Callable[[int], Lines]
U64 = "it must be an integer from 0 to 2^64 - 1"


def problem_of(lines: list[str]) -> str:
    with pytest.raises(MalformedRecording) as malformed:
        list(read_runs(lines))
    return str(malformed.value)


@pytest.mark.parametrize(
    ("line", "changes", "problem"),
    [
        (1, {"format": "attestation-log/3"}, "line 1: unknown format 'attestation-log/3'; known are "),
        (1, {"format": "attestation-log/1"}, "line 1: unknown field 'keys'; known are format, seed, start"),
        (1, {"keys": {"M": None}}, "line 1: keys must name every node, and no other"),
        (1, {"keys": {"M": None, "a": "b"}}, "line 1: the key of a is 'b'; a key is its node's name"),
        (1, {"keys": {"M": None, "a": None}}, "line 1: keys has no attester"),
        (1, {"nodes": ["a", "b"], "keys": {"a": "a", "b": None}}, "line 1: nodes has no 'M'"),
        (1, {"byzantine": ["M"]}, "line 1: byzantine 'M' is no attester"),
        (1, {"committees": {"c0": {}}}, "line 1: committees.c0: the committee is empty"),
        (1, {"committees": {"c0": {"b": 1}}}, "line 1: committees.c0 has 'b', which is no node's key"),
        (1, {"committees": {"c0": {"a": 2**64}}}, f"line 1: committees.c0.a is {2**64}; {U64}"),
        (1, {"thresholds": {"c0": 5}}, "line 1: thresholds must have one field for each committee"),
        (1, {"committee_of": {"1": "c0"}}, "line 1: committee_of names no committee for batch 2"),
        (1, {"committee_of": {"one": "c0"}}, "line 1: a name in committee_of is 'one'; it must be a decimal integer"),
        (1, {"first_batch": 2**64 - 3}, f"line 1: the last batch is {2**64}; it must be below 2^64 - 1"),
        (1, {"batches": 0}, "line 1: batches is 0; it must be 1 to 250"),
        (1, {"topology": [["a", "a"]]}, "line 1: topology must have pairs of different nodes, each pair once"),
        (1, {"rate_limited": 1}, "line 1: rate_limited is 1; it must be true or false"),
        (2, {"event": "batch_sealed"}, "line 2: event is 'batch_sealed'; it must be 'hash_available' or "),
        (2, {"hash": None}, "line 2: hash is null; it must be a string"),
        (2, {"votes": []}, "line 2: unknown field 'votes'; known are seq, time, node, event, number, hash"),
        (8, {"outcome": "fine"}, "line 8: outcome is 'fine'; it must be 'ok'"),
        (8, {"outcome": {"error": "hash"}}, "line 8: outcome.error is 'hash'; it must be 'genesis' or 'number'"),
        (8, {"state": {"number": 1}}, "line 8: missing field 'state.hash'"),
        (9, {"want": {"number": 1}}, "line 9: missing field 'want.hash'"),
        (9, {"to": "q"}, "line 9: to is 'q'; known nodes are M, a"),
        (9, {"votes": [{"key": "a"}]}, "line 9: missing field 'votes.0.number'"),
        (12, {"outcome": "unasked"}, "line 12: outcome is 'unasked'; it must be 'ok'"),
        (14, {"outcome": "none"}, "line 14: outcome is 'none'; it must be 'ok' or 'unasked'"),
        (5, {"seq": 3}, "line 5: seq is 3 after 3; it must increase within a run"),
        (5, {"time": 0}, "line 5: time is 0 after "),
        (6, {"format": "attestation-log/2"}, "line 6: a header before the end of the run that starts in line 1"),
    ],
)
def test_a_line_out_of_format_is_told_by_its_number(
    run_of: RunOf, line: int, changes: dict[str, Any], problem: str
) -> None:
    lines = run_of(1)
    lines[line - 1] |= changes
    assert problem_of([json.dumps(each) for each in lines]).startswith(problem)


def test_a_field_given_twice_is_refused(run_of: RunOf) -> None:
    texts = [json.dumps(each) for each in run_of(1)]
    texts[1] = texts[1].replace('"number": 1', '"number": 2, "number": 1')
    assert problem_of(texts) == "line 2: field 'number' is given twice in one object"


def test_runs_of_both_formats_may_stand_in_one_file(run_of: RunOf) -> None:
    """Each header says what its own run is."""
    registry = {
        "format": "attestation-log/1", "seed": 1, "start": "tip", "attesters": {"a": 1}, "threshold": 1,
        "nodes": ["M", "a"], "topology": [["a", "M"]], "byzantine": [], "byzantine_mode": None, "first_batch": 0,
        "batches": 1, "store": "sync", "profile": "calm",
    }  # fmt: skip
    sealed = {"seq": 1, "time": 0, "node": "M", "event": "batch_sealed", "number": 0}
    end = {"reason": "time limit", "main_qcs": [], "gap": False, "next_batch_to_attest": 0, "registries": {}}
    other = [registry, sealed, {"seq": 2, "time": 1, "event": "end", **end}]
    kinds = [type(run.header).__name__ for run in read_runs(json.dumps(line) for line in [*run_of(1), *other])]
    assert kinds == ["ControllerHeader", "RegistryHeader"]


def test_every_event_of_the_format_has_a_rule() -> None:
    assert RULES.by_event.keys() == EVENTS.keys()
    assert all(rule.note and (rule.actions or rule.sources) for rule in RULES.by_event.values())
