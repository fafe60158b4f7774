"""Conformance: the model's vote registry must do what the real one was recorded doing.

Each line of a registry recording is a scenario: a committee, a genesis, and steps on an initially empty vote registry,
each with its result and the whole state after it. The replay takes the same steps in the model and compares every
result and every state. It reads line by line and keeps nothing of the scenarios before.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from model.committee import Committee, CommitteeError
from model.messages import Batch, BatchQC, SignedBatch
from model.registry_design.batch_votes import BatchVotes, UpdateOutcome
from properties.recording import (
    MalformedRecording,
    WrongShape,
    boolean,
    first_difference,
    list_of,
    map_of,
    null,
    nullable,
    one_of,
    parsed,
    record,
    require,
    step_by,
    tagged,
    text,
    u64,
    u64_text,
)

EMPTY_REGISTRY: Final = BatchVotes()

Scenario = Mapping[str, Any]
"""A line of a registry recording, in its shape."""


@dataclass(frozen=True)
class Agreement:
    """The model did what was recorded, in all `scenarios` and their `steps`."""

    scenarios: int
    steps: int


@dataclass(frozen=True)
class Difference:
    """The first difference: at `step` (from 0) of `scenario`, `field` was `recorded`, and is `modelled` in the model.

    The field is a path from the step, such as `state.support.1.h1`. A side without the field has `ABSENT`.
    """

    scenario: str
    step: int
    field: str
    recorded: object
    modelled: object


def replay_registry(lines: Iterable[str], registry: BatchVotes = EMPTY_REGISTRY) -> Agreement | Difference:
    """Take every recorded step in the model, until the first difference.

    Every scenario starts with `registry`, which a test may replace by one that it got wrong on purpose. Raises
    `MalformedRecording` for a line out of format, even where the model differs earlier in it, and for an empty file.
    """
    scenarios = steps = 0
    for number, line in enumerate(lines, start=1):
        scenario, committee = _scenario(number, line)
        difference = _replay(scenario, committee, registry)
        if difference is not None:
            return difference
        scenarios += 1
        steps += len(scenario["steps"])
    if not scenarios:
        raise MalformedRecording(1, "the recording is empty; there must be at least one scenario")
    return Agreement(scenarios, steps)


def _replay(scenario: Scenario, committee: Committee, registry: BatchVotes) -> Difference | None:
    """The first difference in one scenario."""
    history = [registry]
    for index, step in enumerate(scenario["steps"]):
        than = history[0] if step.get("than") is None else history[step["than"] + 1]
        situation = Situation(history[-1], than, committee, scenario["genesis"])
        after, result = _STEPS[step["op"]](situation, step)
        history.append(after)
        recorded = {"result": step["result"], "state": step["state"]}
        modelled = {"result": result, "state": _state(after)}
        if recorded != modelled:
            return Difference(scenario["name"], index, *first_difference("", recorded, modelled))
    return None


# The operations: what each does in the model, with the result written as the recording writes it.


@dataclass(frozen=True)
class Situation:
    """Where a step is taken: the registry, the earlier one that it names, and what the scenario holds fixed."""

    registry: BatchVotes
    than: BatchVotes
    committee: Committee
    genesis: str


def _update(at: Situation, step: Scenario) -> tuple[BatchVotes, object]:
    outcome = at.registry.update(at.committee, at.genesis, [_vote(vote) for vote in step["votes"]])
    return outcome.registry, _outcome(outcome)


def _set_min_batch_number(at: Situation, step: Scenario) -> tuple[BatchVotes, object]:
    return at.registry.set_min_batch_number(step["number"]), None


def _find_quorum(at: Situation, step: Scenario) -> tuple[BatchVotes, object]:
    found = at.registry.find_quorum(at.committee, at.genesis)
    return at.registry, None if found is None else _certificate(found, at.committee)


def _get_newer(at: Situation, step: Scenario) -> tuple[BatchVotes, object]:
    return at.registry, [{"key": vote.key} | _batch(vote.batch) for vote in at.registry.get_newer(at.than)]


_STEPS: Final = {
    "update": _update,
    "set_min_batch_number": _set_min_batch_number,
    "find_quorum": _find_quorum,
    "get_newer": _get_newer,
}


def _vote(vote: Mapping[str, Any]) -> SignedBatch:
    batch = Batch(vote["number"], vote["hash"], vote["genesis"])
    return SignedBatch(vote["key"], batch, valid=vote["signature"] == "valid")


def _batch(batch: Batch) -> dict[str, object]:
    return {"number": batch.number, "hash": batch.hash, "genesis": batch.genesis}


def _outcome(outcome: UpdateOutcome) -> dict[str, object]:
    if outcome.error is not None:
        return {"error": str(outcome.error)}
    added = {
        "num_added": outcome.num_added,
        "weight_added": outcome.weight_added,
        "last_added": outcome.last_added,
    }
    return {"ok": added}


def _certificate(found: BatchQC, committee: Committee) -> dict[str, object]:
    return _batch(found.message) | {"signers": sorted(found.signatures), "verifies": found.verifies(committee)}


def _state(registry: BatchVotes) -> dict[str, object]:
    return {
        "votes": {key: _batch(vote.batch) for key, vote in registry.votes.items()},
        "support": {str(number): dict(hashes) for number, hashes in registry.support.items()},
        "min_batch_number": registry.min_batch_number,
    }


# The format.

BATCH: Final = {"number": u64, "hash": text, "genesis": text}
VOTES: Final = list_of(record(key=text, **BATCH, signature=one_of("valid", "invalid")))
STATE: Final = record(votes=map_of(record(**BATCH)), support=map_of(map_of(u64), names=u64_text), min_batch_number=u64)
UPDATED: Final = tagged(
    ok=record(num_added=u64, weight_added=u64, last_added=nullable(u64)),
    error=one_of("duplicate entry", "different genesis", "bad signature"),
)
QUORUM: Final = record(**BATCH, signers=list_of(text), verifies=boolean)
STEP: Final = step_by(
    "op",
    update=record(op=text, votes=VOTES, result=UPDATED, state=STATE),
    set_min_batch_number=record(op=text, number=u64, result=null, state=STATE),
    find_quorum=record(op=text, result=nullable(QUORUM), state=STATE),
    get_newer=record(op=text, than=nullable(u64), result=list_of(record(key=text, **BATCH)), state=STATE),
)
SCENARIO: Final = record(name=text, committee=map_of(u64), genesis=text, steps=list_of(STEP))


def _scenario(number: int, line: str) -> tuple[Scenario, Committee]:
    """The scenario on a line, in its shape, and its committee. Raises `MalformedRecording`."""
    scenario = parsed(number, line)
    try:
        SCENARIO("", scenario)
        for index, step in enumerate(scenario["steps"]):
            _check_than(index, step)
        return scenario, Committee(scenario["committee"].items())
    except (WrongShape, CommitteeError) as error:
        raise MalformedRecording(number, str(error)) from error


def _check_than(index: int, step: Mapping[str, Any]) -> None:
    than = step.get("than")
    require(than is None or than < index, f"steps.{index}.than", than, "null or the index of an earlier step, from 0")
