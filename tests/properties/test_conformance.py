"""The recorded scenarios: the model agrees with all, an edit to any is detected, and so is an error in the model."""

import copy
import itertools
import json
import tracemalloc
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model import rules
from model.committee import Committee
from model.messages import Batch, SignedBatch
from model.registry_design import batch_votes
from model.registry_design.batch_votes import BatchVotes, UpdateOutcome, VoteError
from properties.recordings import Agreement, Difference, replay_registry
from properties.recordings.format import ABSENT, MalformedRecording, open_recording

CONFORMANCE = Path(__file__).parents[1] / "conformance"
REGISTRY = CONFORMANCE / "vote-registry.jsonl.gz"
SYSTEM_LOGS = CONFORMANCE / "system-logs.jsonl.gz"

with open_recording(REGISTRY) as recorded_lines:
    LINES = list(recorded_lines)

Json = dict[str, Any]
Edit = Callable[[Json], str | None]
"""Edits a step in place; gives the path of the field that it edited, none if there is no such field."""


def test_the_model_agrees_with_all_that_was_recorded() -> None:
    assert replay_registry(LINES) == Agreement(scenarios=400, steps=7952)


# A wrong recording


def edit_support(step: Json) -> str | None:
    for number, hashes in step["state"]["support"].items():
        for hash in hashes:
            hashes[hash] ^= 1
            return f"state.support.{number}.{hash}"
    return None


def drop_supported_hash(step: Json) -> str | None:
    for number, hashes in step["state"]["support"].items():
        if len(hashes) > 1:
            hash, _ = hashes.popitem()
            return f"state.support.{number}.{hash}"
    return None


def drop_supported_number(step: Json) -> str | None:
    support = step["state"]["support"]
    return f"state.support.{support.popitem()[0]}" if support else None


def add_supported_number(step: Json) -> str:
    step["state"]["support"]["77"] = {"h1": 1}
    return "state.support.77"


def edit_vote_number(step: Json) -> str | None:
    for key, vote in step["state"]["votes"].items():
        vote["number"] ^= 1
        return f"state.votes.{key}.number"
    return None


def edit_vote_hash(step: Json) -> str | None:
    for key, vote in step["state"]["votes"].items():
        vote["hash"] += "?"
        return f"state.votes.{key}.hash"
    return None


def drop_vote(step: Json) -> str | None:
    votes = step["state"]["votes"]
    return f"state.votes.{votes.popitem()[0]}" if votes else None


def add_vote(step: Json) -> str:
    step["state"]["votes"]["somebody"] = {"number": 1, "hash": "h1", "genesis": "g0"}
    return "state.votes.somebody"


def edit_minimum(step: Json) -> str:
    step["state"]["min_batch_number"] ^= 1
    return "state.min_batch_number"


def edit_num_added(step: Json) -> str | None:
    if step["op"] != "update" or "ok" not in step["result"]:
        return None
    step["result"]["ok"]["num_added"] ^= 1
    return "result.ok.num_added"


def edit_weight_added(step: Json) -> str | None:
    if step["op"] != "update" or "ok" not in step["result"]:
        return None
    step["result"]["ok"]["weight_added"] ^= 1
    return "result.ok.weight_added"


def forget_last_added(step: Json) -> str | None:
    if step["op"] != "update" or step["result"].get("ok", {}).get("last_added") is None:
        return None
    step["result"]["ok"]["last_added"] = None
    return "result.ok.last_added"


def edit_error(step: Json) -> str | None:
    if step["op"] != "update" or step["result"].get("error") != "bad signature":
        return None
    step["result"]["error"] = "duplicate entry"
    return "result.error"


def deny_error(step: Json) -> str | None:
    if step["op"] != "update" or "error" not in step["result"]:
        return None
    step["result"] = {"ok": {"num_added": 0, "weight_added": 0, "last_added": None}}
    return "result.error"


def edit_quorum_number(step: Json) -> str | None:
    if step["op"] != "find_quorum" or step["result"] is None:
        return None
    step["result"]["number"] ^= 1
    return "result.number"


def deny_quorum(step: Json) -> str | None:
    if step["op"] != "find_quorum" or step["result"] is None:
        return None
    step["result"] = None
    return "result"


def invent_quorum(step: Json) -> str | None:
    if step["op"] != "find_quorum" or step["result"] is not None:
        return None
    step["result"] = {"number": 1, "hash": "h1", "genesis": "g0", "signers": [], "verifies": True}
    return "result"


def drop_signer(step: Json) -> str | None:
    if step["op"] != "find_quorum" or step["result"] is None:
        return None
    step["result"]["signers"].pop()
    return f"result.signers.{len(step['result']['signers'])}"


def edit_verifies(step: Json) -> str | None:
    if step["op"] != "find_quorum" or step["result"] is None:
        return None
    step["result"]["verifies"] = not step["result"]["verifies"]
    return "result.verifies"


def drop_newer_vote(step: Json) -> str | None:
    if step["op"] != "get_newer" or not step["result"]:
        return None
    step["result"].pop()
    return f"result.{len(step['result'])}"


def edit_newer_genesis(step: Json) -> str | None:
    if step["op"] != "get_newer" or not step["result"]:
        return None
    step["result"][0]["genesis"] += "?"
    return "result.0.genesis"


OUTPUT_EDITS = [
    edit_support,
    drop_supported_hash,
    drop_supported_number,
    add_supported_number,
    edit_vote_number,
    edit_vote_hash,
    drop_vote,
    add_vote,
    edit_minimum,
    edit_num_added,
    edit_weight_added,
    forget_last_added,
    edit_error,
    deny_error,
    edit_quorum_number,
    deny_quorum,
    invent_quorum,
    drop_signer,
    edit_verifies,
    drop_newer_vote,
    edit_newer_genesis,
]


def value_at(step: object, path: str) -> object:
    """What a step has at this path."""
    value = step
    for name in path.split("."):
        if isinstance(value, list):
            value = value[int(name)] if int(name) < len(value) else ABSENT
        else:
            value = value.get(name, ABSENT) if isinstance(value, dict) else ABSENT
    return value


def edited(scenario: Json, index: int, edit: Edit) -> tuple[str, Difference] | None:
    """The line with one step edited, and the difference to expect; none if the edit does not apply to the step."""
    before = scenario["steps"][index]
    after = copy.deepcopy(before)
    path = edit(after)
    if path is None:
        return None
    steps = [*scenario["steps"][:index], after, *scenario["steps"][index + 1 :]]
    difference = Difference(scenario["name"], index, path, value_at(after, path), value_at(before, path))
    return json.dumps(scenario | {"steps": steps}), difference


@pytest.mark.parametrize("edit", OUTPUT_EDITS)
def test_an_edited_recording_is_detected_where_it_was_edited(edit: Edit) -> None:
    scenarios = map(json.loads, LINES[100:])
    places = ((scenario, index) for scenario in scenarios for index in reversed(range(len(scenario["steps"]))))
    line, difference = next(filter(None, (edited(scenario, index, edit) for scenario, index in places)))
    assert replay_registry([*LINES[:10], line, *LINES[10:20]]) == difference


@given(st.sampled_from(LINES), st.data())
def test_edits_are_detected_at_any_step(line: str, data: st.DataObject) -> None:
    scenario = json.loads(line)
    index = data.draw(st.integers(0, len(scenario["steps"]) - 1))
    applicable = [result for edit in OUTPUT_EDITS if (result := edited(scenario, index, edit))]
    edited_line, difference = data.draw(st.sampled_from(applicable))
    assert replay_registry([edited_line]) == difference


def step_where(holds: Callable[[Json], bool]) -> tuple[Json, int]:
    """The first scenario with such a step, and its index."""
    scenarios = map(json.loads, LINES)
    return next((s, index) for s in scenarios for index, step in enumerate(s["steps"]) if holds(step))


def added_one(step: Json) -> bool:
    return step["op"] == "update" and value_at(step, "result.ok.num_added") == len(step["votes"]) == 1


@pytest.mark.parametrize(
    ("edit", "path", "modelled"),
    [
        ({"signature": "invalid"}, "result.error", "bad signature"),
        ({"genesis": "g?"}, "result.error", "different genesis"),
        ({"key": "stranger"}, "result.ok.last_added", None),
    ],
)
def test_an_edited_vote_is_detected(edit: Json, path: str, modelled: object) -> None:
    scenario, index = step_where(added_one)
    recorded = value_at(scenario["steps"][index], path)
    scenario["steps"][index]["votes"][0] |= edit
    assert replay_registry([json.dumps(scenario)]) == Difference(scenario["name"], index, path, recorded, modelled)


def test_an_edited_minimum_is_detected() -> None:
    scenario, index = step_where(lambda step: step["op"] == "set_min_batch_number")
    number = scenario["steps"][index]["number"]
    scenario["steps"][index]["number"] ^= 1
    difference = Difference(scenario["name"], index, "state.min_batch_number", number, number ^ 1)
    assert replay_registry([json.dumps(scenario)]) == difference


def test_a_vote_added_to_a_message_is_detected() -> None:
    scenario, index = step_where(added_one)
    votes = scenario["steps"][index]["votes"]
    scenario["steps"][index]["votes"] = votes * 2
    difference = Difference(scenario["name"], index, "result.error", ABSENT, "duplicate entry")
    assert replay_registry([json.dumps(scenario)]) == difference


def test_an_edited_committee_is_detected() -> None:
    scenario = json.loads(LINES[0])
    scenario["committee"] = {key: weight + 1 for key, weight in scenario["committee"].items()}
    assert replay_registry([json.dumps(scenario)]) == Difference("public-0000", 1, "result.ok.weight_added", 5, 6)


def test_the_first_of_several_differences_is_told() -> None:
    scenario = json.loads(LINES[0])
    edit_minimum(scenario["steps"][9])
    edit_minimum(scenario["steps"][4])
    edit_support(scenario["steps"][4])
    difference = replay_registry([json.dumps(scenario)])
    assert isinstance(difference, Difference)
    assert (difference.step, difference.field) == (4, "state.min_batch_number")


# A wrong model


class SignaturesByNumberToo(BatchVotes):
    def signatures_for(self, message: Batch) -> Mapping[str, Batch]:
        signatures = super().signatures_for(message)
        return {key: batch for key, batch in signatures.items() if batch.number == message.number}


class SupportNotDecremented(BatchVotes):
    def remove(self, key: str, weight: int) -> BatchVotes:
        return replace(self, votes={other: vote for other, vote in self.votes.items() if other != key})


class EmptySupportKept(BatchVotes):
    def with_support(self, number: int, hash: str, weight: int) -> BatchVotes:
        hashes = {**self.support.get(number, {}), hash: weight}
        return replace(self, support={**self.support, number: hashes})


class MinimumOnlyUp(BatchVotes):
    def set_min_batch_number(self, number: int) -> BatchVotes:
        return super().set_min_batch_number(max(number, self.min_batch_number))


class MinimumKeepsVotes(BatchVotes):
    def set_min_batch_number(self, number: int) -> BatchVotes:
        return replace(super().set_min_batch_number(number), votes=self.votes)


class MinimumKeepsSupport(BatchVotes):
    def set_min_batch_number(self, number: int) -> BatchVotes:
        return replace(super().set_min_batch_number(number), support=self.support)


class SignatureCheckedFirst(BatchVotes):
    def wants(self, committee: Committee, vote: SignedBatch) -> bool:
        return not vote.valid or super().wants(committee, vote)


class NewerRegistryIgnored(BatchVotes):
    def get_newer(self, other: BatchVotes) -> tuple[SignedBatch, ...]:
        return super().get_newer(BatchVotes())


class NothingKeptOnError(BatchVotes):
    def update(
        self, committee: Committee, genesis: str, votes: Iterable[SignedBatch], *, skip_bad_signatures: bool = False
    ) -> UpdateOutcome:
        outcome = super().update(committee, genesis, votes, skip_bad_signatures=skip_bad_signatures)
        return replace(outcome, registry=self) if outcome.error else outcome


class BadSignaturesSkipped(BatchVotes):
    def update(
        self, committee: Committee, genesis: str, votes: Iterable[SignedBatch], *, skip_bad_signatures: bool = True
    ) -> UpdateOutcome:
        return super().update(committee, genesis, votes, skip_bad_signatures=True)


class HighestIsLastAdded(BatchVotes):
    def update(
        self, committee: Committee, genesis: str, votes: Iterable[SignedBatch], *, skip_bad_signatures: bool = False
    ) -> UpdateOutcome:
        outcome = super().update(committee, genesis, votes, skip_bad_signatures=skip_bad_signatures)
        added = [vote.batch.number for vote in votes if outcome.registry.votes.get(vote.key) is vote]
        return replace(outcome, last_added=max(added, default=None))


@pytest.mark.parametrize(
    ("wrong", "part"),
    [
        (SignaturesByNumberToo, "result.signers"),
        (SupportNotDecremented, "state.support"),
        (EmptySupportKept, "state.support"),
        (MinimumOnlyUp, "state.min_batch_number"),
        (MinimumKeepsVotes, "state.votes"),
        (MinimumKeepsSupport, "state.support"),
        (SignatureCheckedFirst, "result.error"),
        (NewerRegistryIgnored, "result."),
        (NothingKeptOnError, "state."),
        (BadSignaturesSkipped, "result.error"),
        (HighestIsLastAdded, "result.ok.last_added"),
    ],
)
def test_a_wrong_registry_differs_from_what_was_recorded(wrong: type[BatchVotes], part: str) -> None:
    difference = replay_registry(LINES, wrong())
    assert isinstance(difference, Difference)
    assert difference.field.startswith(part)


@pytest.mark.parametrize(
    ("rule", "wrong", "part"),
    [
        ("is_below_minimum", lambda number, minimum: number <= minimum, "result.ok"),
        ("is_below_minimum", lambda number, minimum: False, "state."),
        ("is_newer", lambda *_: True, "result.ok"),
        ("is_newer", lambda number, hash, than, than_hash: number > than, "result.ok"),
        ("is_newer", lambda number, hash, than, than_hash: (number, hash) >= (than, than_hash), "result.ok"),
        ("is_newer", lambda number, hash, than, than_hash: (hash, number) > (than_hash, than), "result.ok"),
        ("reaches", lambda weight, quorum: weight > quorum, "result"),
        ("reaches", lambda weight, quorum: float(weight) >= float(quorum), "result"),
        ("max_faulty_weight", lambda total: total // 5, "result"),
        ("threshold", lambda total: total // 2 + 1, "result"),
        ("is_collected", lambda hash, wanted: True, "result.signers"),
    ],
)
def test_a_wrong_rule_differs_from_what_was_recorded(
    monkeypatch: pytest.MonkeyPatch, rule: str, wrong: Callable[..., Any], part: str
) -> None:
    monkeypatch.setattr(rules, rule, wrong)
    difference = replay_registry(LINES)
    assert isinstance(difference, Difference)
    assert difference.field.startswith(part)


def genesis_before_duplicates(vote: SignedBatch, genesis: str, seen: set[str]) -> VoteError | None:
    if vote.batch.genesis != genesis:
        return batch_votes.DifferentGenesis(vote)
    return batch_votes.DuplicateEntry(vote) if vote.key in seen else None


def duplicates_allowed(vote: SignedBatch, genesis: str, seen: set[str]) -> VoteError | None:
    return None if vote.batch.genesis == genesis else batch_votes.DifferentGenesis(vote)


@pytest.mark.parametrize("wrong", [genesis_before_duplicates, duplicates_allowed])
def test_a_wrong_check_differs_from_what_was_recorded(
    monkeypatch: pytest.MonkeyPatch, wrong: Callable[[SignedBatch, str, set[str]], VoteError | None]
) -> None:
    monkeypatch.setattr(batch_votes, "_misplaced", wrong)
    difference = replay_registry(LINES)
    assert isinstance(difference, Difference)
    assert difference.field.startswith("result.error")


# A malformed recording

VOTE = {"key": "a", "number": 1, "hash": "h1", "genesis": "g0", "signature": "valid"}
STATE: Json = {"votes": {}, "support": {}, "min_batch_number": 0}
NOTHING_ADDED = {"ok": {"num_added": 0, "weight_added": 0, "last_added": None}}
ASKS_FOR_QUORUM: Json = {"op": "find_quorum", "result": None, "state": STATE}


def line_with(step: Json | None = None, **fields: Any) -> str:
    """A scenario of one or two steps, with what is given in place of what is right."""
    steps = [ASKS_FOR_QUORUM, step] if step is not None else [ASKS_FOR_QUORUM]
    return json.dumps({"name": "s", "committee": {"a": 1}, "genesis": "g0", "steps": steps} | fields)


def update_of(**fields: Any) -> str:
    return line_with({"op": "update", "votes": [VOTE | fields], "result": NOTHING_ADDED, "state": STATE})


def state_of(**fields: Any) -> str:
    return line_with(ASKS_FOR_QUORUM | {"state": STATE | fields})


def newer_than(than: object) -> str:
    return line_with({"op": "get_newer", "than": than, "result": [], "state": STATE})


def without(value: Json, name: str) -> Json:
    return {other: kept for other, kept in value.items() if other != name}


FITS_U64 = "it must be an integer from 0 to 2^64 - 1"


def test_the_scenario_that_is_spoiled_below_is_right() -> None:
    assert replay_registry([line_with(), newer_than(0), newer_than(None)]) == Agreement(scenarios=3, steps=5)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("", "not JSON (column 1: Expecting value)"),
        (line_with()[:-20], "not JSON (column 141: Unterminated string starting at)"),
        (line_with() + line_with(), "not JSON (column 166: Extra data)"),
        ("[" * 100_000, "nested too deeply"),
        ('{"name": ' + "9" * 5000 + "}", "an integer is far beyond 2^64 - 1"),
        ("[]", "the line is []; it must be a JSON object"),
        ('"' + "x" * 100 + '"', f"the line is '{'x' * 59}…; it must be a JSON object"),
        ('{"name": "s", "name": "t"}', "field 'name' is given twice in one object"),
        (line_with(extra=1), "unknown field 'extra'; known are name, committee, genesis, steps"),
        (json.dumps(without(json.loads(line_with()), "genesis")), "missing field 'genesis'"),
        (line_with(name=7), "name is 7; it must be a string"),
        (line_with(committee=[]), "committee is []; it must be an object"),
        (line_with(committee={}), "the committee is empty; it needs at least one attester"),
        (line_with(committee={"a": 0}), "attester 'a' has weight 0; a weight is from 1 to 2^64 - 1"),
        (line_with(committee={"a": 2**64}), f"committee.a is {2**64}; {FITS_U64}"),
        (line_with(committee={"a": 1.0}), f"committee.a is 1.0; {FITS_U64}"),
        (line_with(committee={"a\nb": -1}), f"committee.'a\\nb' is -1; {FITS_U64}"),
        (
            line_with(committee={"a": 2**64 - 1, "b": 1}),
            f"the weights up to attester 'b' sum to {2**64}; the sum must be at most 2^64 - 1",
        ),
        (line_with(steps={}), "steps is {}; it must be a list"),
        (line_with(steps=[1]), "steps.0 is 1; it must be an object"),
        (line_with({"result": None, "state": STATE}), "missing field 'steps.1.op'"),
        (
            line_with(ASKS_FOR_QUORUM | {"op": "find_quorums"}),
            "steps.1.op is 'find_quorums'; it must be "
            "'update' or 'set_min_batch_number' or 'find_quorum' or 'get_newer'",
        ),
        (line_with(without(ASKS_FOR_QUORUM, "result")), "missing field 'steps.1.result'"),
        (line_with(ASKS_FOR_QUORUM | {"than": 0}), "unknown field 'steps.1.than'; known are op, result, state"),
        (line_with(ASKS_FOR_QUORUM | {"result": []}), "steps.1.result is []; it must be an object"),
        (update_of(number=2**64), f"steps.1.votes.0.number is {2**64}; {FITS_U64}"),
        (update_of(number=-1), f"steps.1.votes.0.number is -1; {FITS_U64}"),
        (update_of(number=True), f"steps.1.votes.0.number is true; {FITS_U64}"),
        (update_of(number="1"), f"steps.1.votes.0.number is '1'; {FITS_U64}"),
        (update_of(hash=None), "steps.1.votes.0.hash is null; it must be a string"),
        (update_of(signature=True), "steps.1.votes.0.signature is true; it must be 'valid' or 'invalid'"),
        (
            line_with({"op": "update", "votes": [], "result": {}, "state": STATE}),
            "steps.1.result is {}; it must be an object with one field, ok or error",
        ),
        (
            line_with({"op": "update", "votes": [], "result": {"error": "?"}, "state": STATE}),
            "steps.1.result.error is '?'; it must be 'duplicate entry' or 'different genesis' or 'bad signature'",
        ),
        (
            line_with({"op": "set_min_batch_number", "number": 1, "result": 0, "state": STATE}),
            "steps.1.result is 0; it must be null",
        ),
        (newer_than(1), "steps.1.than is 1; it must be null or the index of an earlier step, from 0"),
        (newer_than(-1), f"steps.1.than is -1; {FITS_U64}"),
        (
            state_of(support={"01": {}}),
            "a name in steps.1.state.support is '01'; it must be a decimal integer from 0 to 2^64 - 1",
        ),
        (
            state_of(support={str(2**64): {}}),
            f"a name in steps.1.state.support is '{2**64}'; it must be a decimal integer from 0 to 2^64 - 1",
        ),
        (
            state_of(support={"9" * 5000: {}}),
            f"a name in steps.1.state.support is '{'9' * 59}…; it must be a decimal integer from 0 to 2^64 - 1",
        ),
        (
            state_of(support={"²": {}}),
            "a name in steps.1.state.support is '²'; it must be a decimal integer from 0 to 2^64 - 1",
        ),
        (state_of(support={"1": {"h1": "2"}}), f"steps.1.state.support.1.h1 is '2'; {FITS_U64}"),
        (state_of(min_batch_number=None), f"steps.1.state.min_batch_number is null; {FITS_U64}"),
        (
            line_with(
                ASKS_FOR_QUORUM | {"result": {"number": 1, "hash": "h", "genesis": "g", "signers": [], "verifies": 1}}
            ),
            "steps.1.result.verifies is 1; it must be true or false",
        ),
    ],
)
def test_a_malformed_line_is_told_by_its_number(line: str, problem: str) -> None:
    with pytest.raises(MalformedRecording) as malformed:
        replay_registry([line_with(), line_with(), line])
    assert (malformed.value.line, malformed.value.problem) == (3, problem)
    assert str(malformed.value) == f"line 3: {problem}"


def test_a_line_is_checked_as_a_whole_before_it_is_replayed() -> None:
    wrong_then_malformed = [ASKS_FOR_QUORUM | {"state": STATE | {"min_batch_number": 9}}, {"op": "?"}]
    with pytest.raises(MalformedRecording):
        replay_registry([line_with(steps=wrong_then_malformed)])


def test_an_empty_recording_is_refused() -> None:
    with pytest.raises(MalformedRecording, match="line 1: the recording is empty"):
        replay_registry([])


def test_a_system_log_is_no_registry_recording() -> None:
    with open_recording(SYSTEM_LOGS) as lines, pytest.raises(MalformedRecording, match="unknown field 'format'"):
        replay_registry(lines)


# Reading


def test_lines_are_read_only_as_far_as_needed() -> None:
    scenario = json.loads(LINES[0])
    edit_minimum(scenario["steps"][0])
    lines = iter([LINES[0], json.dumps(scenario), LINES[1]])
    assert isinstance(replay_registry(lines), Difference)
    assert list(lines) == [LINES[1]]


def peak_memory(lines: Iterator[str]) -> int:
    tracemalloc.start()
    replay_registry(lines)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak


def test_memory_does_not_grow_with_the_number_of_scenarios() -> None:
    few = peak_memory(itertools.repeat(LINES[1], 3))
    assert peak_memory(itertools.repeat(LINES[1], 40)) < 1.5 * few
