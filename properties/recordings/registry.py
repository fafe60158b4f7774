"""The vote registry against its recordings.

Each line is a committee, a genesis, and steps on an initially empty registry.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

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
        _check_than(index, step)
    return scenario, Committee(scenario["committee"].items())


def _check_than(index: int, step: Mapping[str, Any]) -> None:
    than = step.get("than")
    require(than is None or than < index, f"steps.{index}.than", than, "null or the index of an earlier step, from 0")


def _played(ready: tuple[Scenario, Committee], registry: BatchVotes) -> Iterator[Compared]:
    scenario, committee = ready
    history = [registry]
    for index, step in enumerate(scenario["steps"]):
        than = history[0] if step.get("than") is None else history[step["than"] + 1]
        situation = Situation(history[-1], than, committee, scenario["genesis"])
        after, result = _STEPS[step["op"]](situation, step)
        history.append(after)
        recorded = {"result": step["result"], "state": step["state"]}
        yield Compared(index, recorded, {"result": result, "state": _state(after)})


# The operations: what each does in the model, with the result written as the recording writes it.


@dataclass(frozen=True)
class Situation:
    """Where a step is taken: the registry, the earlier one that it names, and what the scenario holds fixed."""

    registry: BatchVotes
    than: BatchVotes
    committee: Committee
    genesis: str


def _update(at: Situation, step: Scenario) -> tuple[BatchVotes, object]:
    outcome = at.registry.update(at.committee, at.genesis, map(vote_of, step["votes"]))
    return outcome.registry, _outcome(outcome)


def _set_min_batch_number(at: Situation, step: Scenario) -> tuple[BatchVotes, object]:
    return at.registry.set_min_batch_number(step["number"]), None


def _find_quorum(at: Situation, step: Scenario) -> tuple[BatchVotes, object]:
    found = at.registry.find_quorum(at.committee, at.genesis)
    return at.registry, None if found is None else _certificate(found, at.committee)


def _get_newer(at: Situation, step: Scenario) -> tuple[BatchVotes, object]:
    return at.registry, recorded_votes(at.registry.get_newer(at.than))


_STEPS: Final = {
    "update": _update,
    "set_min_batch_number": _set_min_batch_number,
    "find_quorum": _find_quorum,
    "get_newer": _get_newer,
}


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
