"""The vote registry against its recordings.

Each line is a committee, a genesis, and steps on an initially empty registry.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import Final

from model.committee import Committee
from model.messages import BatchQC
from model.registry_design.batch_votes import BatchVotes, UpdateOutcome
from properties.recordings.format import (
    boolean,
    list_of,
    map_of,
    null,
    nullable,
    one_of,
    record,
    require,
    step_by,
    tagged,
    text,
    u64,
    u64_text,
)
from properties.recordings.scenarios import (
    BATCH,
    HELD_VOTES,
    SENT_VOTES,
    Agreement,
    Compared,
    Difference,
    Scenario,
    recorded_batch,
    recorded_votes,
    replay,
    vote_of,
)

EMPTY_REGISTRY: Final = BatchVotes()


def replay_registry(lines: Iterable[str], registry: BatchVotes = EMPTY_REGISTRY) -> Agreement | Difference:
    """Take every recorded step in the model, until the first difference.

    Every scenario starts with `registry`, which a test may replace by one that it got wrong on purpose. Raises
    `MalformedRecording`.
    """
    return replay(lines, SCENARIO, _prepared, partial(_played, registry=registry))


def _prepared(scenario: Scenario) -> tuple[Scenario, Committee]:
    """The scenario and its committee. Raises `WrongShape` or `CommitteeError`."""
    for index, step in enumerate(scenario["steps"]):
        than, expected = step.get("than"), "null or the index of an earlier step, from 0"
        require(than is None or than < index, f"steps.{index}.than", than, expected)
    return scenario, Committee(scenario["committee"].items())


def _played(ready: tuple[Scenario, Committee], registry: BatchVotes) -> Iterator[Compared]:
    scenario, committee = ready
    history = [registry]
    for index, step in enumerate(scenario["steps"]):
        after, result = _taken(step, history, committee, scenario["genesis"])
        history.append(after)
        recorded = {"result": step["result"], "state": step["state"]}
        yield Compared(index, recorded, {"result": result, "state": _state(after)})


def _taken(
    step: Scenario, history: Sequence[BatchVotes], committee: Committee, genesis: str
) -> tuple[BatchVotes, object]:
    """The registry after a step, and the step's result as the recording writes it; `history`: after each before it."""
    registry = history[-1]
    match step["op"]:
        case "update":
            outcome = registry.update(committee, genesis, map(vote_of, step["votes"]))
            return outcome.registry, _outcome(outcome)
        case "set_min_batch_number":
            return registry.set_min_batch_number(step["number"]), None
        case "find_quorum":
            found = registry.find_quorum(committee, genesis)
            return registry, None if found is None else _certificate(found, committee)
    assert step["op"] == "get_newer"
    than = history[0] if step["than"] is None else history[step["than"] + 1]
    return registry, recorded_votes(registry.get_newer(than))


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
    verifies = found.verifies(committee)
    return recorded_batch(found.message) | {"signers": sorted(found.signatures), "verifies": verifies}


def _state(registry: BatchVotes) -> dict[str, object]:
    return {
        "votes": {key: recorded_batch(vote.batch) for key, vote in registry.votes.items()},
        "support": {str(number): dict(hashes) for number, hashes in registry.support.items()},
        "min_batch_number": registry.min_batch_number,
    }


# The format.

STATE: Final = record(votes=map_of(record(**BATCH)), support=map_of(map_of(u64), names=u64_text), min_batch_number=u64)
UPDATED: Final = tagged(
    ok=record(num_added=u64, weight_added=u64, last_added=nullable(u64)),
    error=one_of("duplicate entry", "different genesis", "bad signature"),
)
QUORUM: Final = record(**BATCH, signers=list_of(text), verifies=boolean)
STEP: Final = step_by(
    "op",
    update=record(op=text, votes=SENT_VOTES, result=UPDATED, state=STATE),
    set_min_batch_number=record(op=text, number=u64, result=null, state=STATE),
    find_quorum=record(op=text, result=nullable(QUORUM), state=STATE),
    get_newer=record(op=text, than=nullable(u64), result=HELD_VOTES, state=STATE),
)
SCENARIO: Final = record(name=text, committee=map_of(u64), genesis=text, steps=list_of(STEP))
