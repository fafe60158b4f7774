"""The recorded scenarios of the controller: the model agrees with all, and a wrong one does not."""

import json
from pathlib import Path
from typing import Any

import pytest

from properties.recordings import Agreement, Difference, replay_controller
from properties.recordings.format import MalformedRecording, open_recording
from tests.broken_models import BrokenModel
from tests.broken_models.controller import CONTROLLER

RECORDING = Path(__file__).parents[1] / "conformance" / "controller.jsonl.gz"

with open_recording(RECORDING) as recorded_lines:
    LINES = list(recorded_lines)

Json = dict[str, Any]


def test_the_model_agrees_with_all_that_was_recorded() -> None:
    assert replay_controller(LINES) == Agreement(scenarios=300, steps=7408)


# A wrong model


@pytest.mark.parametrize("broken", CONTROLLER, ids=lambda broken: broken.name)
def test_a_broken_controller_differs_from_what_was_recorded(broken: BrokenModel) -> None:
    with broken.applied():
        assert isinstance(replay_controller(LINES), Difference)


# A malformed recording

STATE: Json = {"info": None, "votes": {}, "total_weight": 0}
OBSERVED: Json = {"published": False, "state": STATE}
BATCH: Json = {"number": 1, "hash": "h1", "genesis": "g0"}
VOTE: Json = {"key": "a", "signature": "valid"} | BATCH
ASKS: Json = {"op": "cert", "result": None} | OBSERVED
FITS_U64 = "it must be an integer from 0 to 2^64 - 1"


def line_with(step: Json | None = None, **fields: Any) -> str:
    """A scenario of one or two steps, with what is given in place of what is right."""
    scenario = {"name": "s", "committees": {"c": {"a": 1}}, "thresholds": {"c": 1}, "key": None, "genesis": "g0"}
    return json.dumps(scenario | {"steps": [ASKS] if step is None else [ASKS, step]} | fields)


def start(**fields: Any) -> str:
    return line_with({"op": "start_attestation", "committee": "c", "result": "ok"} | BATCH | OBSERVED | fields)


def insert(**fields: Any) -> str:
    return line_with({"op": "insert_votes", "votes": [VOTE | fields], "result": "ok"} | OBSERVED)


def without(text: str, name: str) -> str:
    return json.dumps({other: kept for other, kept in json.loads(text).items() if other != name})


def test_the_scenario_that_is_spoiled_below_is_right() -> None:
    assert replay_controller([line_with(), insert()]) == Agreement(scenarios=2, steps=3)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("", "not JSON (column 1: Expecting value)"),
        ("7", "the line is 7; it must be a JSON object"),
        (line_with().replace('"key": null', '"key": null, "key": "a"'), "field 'key' is given twice in one object"),
        (
            insert().replace('"hash": "h1"', '"hash": "h2", "hash": "h1"'),
            "field 'hash' is given twice in one object",
        ),
        (
            line_with(committees={"c": {"a": 1}, "d": {"a": 1}}),
            'thresholds is {"c": 1}; it must be an object with one field for each committee',
        ),
        (without(line_with(), "thresholds"), "missing field 'thresholds'"),
        (line_with(committees={"c": {}}), "committees.c: the committee is empty; it needs at least one attester"),
        (
            line_with(committees={"c": {"a": 0}}),
            "committees.c: attester 'a' has weight 0; a weight is from 1 to 2^64 - 1",
        ),
        (
            line_with(committees={"c": {"a": 2**64 - 1, "b": 1}}),
            f"committees.c: the weights up to attester 'b' sum to {2**64}; the sum must be at most 2^64 - 1",
        ),
        (line_with(committees={"c": {"a": 1.0}}), f"committees.c.a is 1.0; {FITS_U64}"),
        (line_with(key=1), "key is 1; it must be a string"),
        (
            line_with(ASKS | {"op": "certs"}),
            "steps.1.op is 'certs'; it must be 'start_attestation' or 'insert_votes' or 'votes' or 'cert' or "
            "'wait_for_cert' or 'subscribe' or 'diff'",
        ),
        (line_with(ASKS | {"published": None}), "steps.1.published is null; it must be true or false"),
        (line_with(ASKS | {"result": "pending"}), "steps.1.result is 'pending'; it must be an object"),
        (start(committee="d"), "steps.1.committee is 'd'; it must be a committee's name"),
        (start(result="fine"), "steps.1.result is 'fine'; it must be 'ok'"),
        (start(result={"error": "hash"}), "steps.1.result.error is 'hash'; it must be 'genesis' or 'number'"),
        (start(number=-1), f"steps.1.number is -1; {FITS_U64}"),
        (start(number=2**64), f"steps.1.number is {2**64}; {FITS_U64}"),
        (insert(signature=None), "steps.1.votes.0.signature is null; it must be 'valid' or 'invalid'"),
        (insert(weight=1), "unknown field 'steps.1.votes.0.weight'; known are key, number, hash, genesis, signature"),
        (
            line_with({"op": "subscribe", "id": 1, "result": None} | OBSERVED),
            "steps.1.id is 1; it must be the next subscriber's, 0",
        ),
        (
            line_with({"op": "diff", "id": 0, "result": "pending"} | OBSERVED),
            "steps.1.id is 0; it must be the id of an earlier subscriber, from 0",
        ),
    ],
)
def test_a_malformed_line_is_told_by_its_number(line: str, problem: str) -> None:
    with pytest.raises(MalformedRecording) as malformed:
        replay_controller([line_with(), line])
    assert str(malformed.value) == f"line 2: {problem}"


def test_a_recording_of_the_registry_is_none_of_the_controller() -> None:
    with open_recording(RECORDING.with_name("vote-registry.jsonl.gz")) as lines:
        other = next(lines)
    with pytest.raises(MalformedRecording, match="line 2: unknown field 'committee'"):
        replay_controller([LINES[0], other])


def test_an_empty_recording_is_refused() -> None:
    with pytest.raises(MalformedRecording, match="line 1: the recording is empty"):
        replay_controller([])
