"""Recordings of one component: each line is a scenario, whose steps have their results and the whole state after them.

The replay takes the same steps in the model and compares everything. It reads line by line and keeps nothing of the
scenarios before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from model.committee import CommitteeError
from model.messages import Batch, SignedBatch
from properties.recordings.format import (
    MalformedRecording,
    Shape,
    WrongShape,
    first_difference,
    list_of,
    one_of,
    parsed,
    record,
    text,
    u64,
)

Scenario = Mapping[str, Any]
"""A line of a recording, in its shape; or a step of one."""

T = TypeVar("T")


@dataclass(frozen=True)
class Agreement:
    """The model did what was recorded, in all `scenarios` and their `steps`."""

    scenarios: int
    steps: int


@dataclass(frozen=True)
class Difference:
    """The first difference: at `step` (from 0) of `scenario`, `field` was `recorded`, and is `modelled` in the model.

    Without a step it is about what the scenario says of itself. The field is a path from the step, such as
    `state.support.1.h1`. A side without the field has `ABSENT`.
    """

    scenario: str
    step: int | None
    field: str
    recorded: object
    modelled: object


@dataclass(frozen=True)
class Compared:
    """What was recorded at a step, or of the scenario as a whole, and what the model has for it."""

    step: int | None
    recorded: object
    modelled: object


def replay(
    lines: Iterable[str], shape: Shape, prepared: Callable[[Scenario], T], played: Callable[[T], Iterator[Compared]]
) -> Agreement | Difference:
    """Play every scenario in the model, until the first difference.

    Each line is checked against the shape, and by `prepared`, before it is played. Raises `MalformedRecording` for a
    line out of format, even where the model differs earlier in it, and for an empty file.
    """
    scenarios = steps = 0
    for number, line in enumerate(lines, start=1):
        scenario = parsed(number, line)
        try:
            shape("", scenario)
            ready = prepared(scenario)
        except (WrongShape, CommitteeError) as error:
            raise MalformedRecording(number, str(error)) from error
        for compared in played(ready):
            if compared.recorded != compared.modelled:
                at = first_difference("", compared.recorded, compared.modelled)
                return Difference(scenario["name"], compared.step, *at)
        scenarios += 1
        steps += len(scenario["steps"])
    if not scenarios:
        raise MalformedRecording(1, "the recording is empty; there must be at least one scenario")
    return Agreement(scenarios, steps)


# Votes and batches, as every recording writes them.

BATCH: Final[Mapping[str, Shape]] = {"number": u64, "hash": text, "genesis": text}
SENT_VOTES: Final = list_of(record(key=text, **BATCH, signature=one_of("valid", "invalid")))
HELD_VOTES: Final = list_of(record(key=text, **BATCH))


def vote_of(vote: Mapping[str, Any]) -> SignedBatch:
    """The recorded vote in full fidelity."""
    return SignedBatch(vote["key"], batch_of(vote), valid=vote["signature"] == "valid")


def batch_of(batch: Mapping[str, Any]) -> Batch:
    """The recorded batch in full fidelity."""
    return Batch(batch["number"], batch["hash"], batch["genesis"])


def recorded_batch(batch: Batch) -> dict[str, object]:
    return {"number": batch.number, "hash": batch.hash, "genesis": batch.genesis}


def recorded_votes(votes: Iterable[SignedBatch]) -> list[dict[str, object]]:
    """The votes as a recording writes them where their signatures are valid."""
    return [{"key": vote.key} | recorded_batch(vote.batch) for vote in votes]
