"""The attestation controller against its recordings.

Each line is a set of committees, by name, and steps on a fresh controller. Committees are equal if their members are;
what the controller reports is the one that it was started with, so it has that one's name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from model.committee import Committee, CommitteeError
from model.controller_design.controller import Controller, Info, StartRefused, State, Wait
from model.messages import BatchQC
from properties.recordings.format import (
    WrongShape,
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
    word_or,
)
from properties.recordings.scenarios import (
    BATCH,
    HELD_VOTES,
    SENT_VOTES,
    Agreement,
    Compared,
    Difference,
    Scenario,
    batch_of,
    recorded_batch,
    recorded_votes,
    replay,
    vote_of,
)


def replay_controller(lines: Iterable[str]) -> Agreement | Difference:
    """Take every recorded step in the model, until the first difference. Raises `MalformedRecording`."""
    return replay(lines, SCENARIO, _prepared, _played)


@dataclass(frozen=True)
class Ready:
    """A scenario with its committees."""

    scenario: Scenario
    committees: Mapping[str, Committee]

    def recorded_info(self, info: Info) -> dict[str, object]:
        """What is attested, as the recording writes it."""
        name = next(name for name, committee in self.committees.items() if committee is info.committee)
        return recorded_batch(info.batch_to_attest) | {"committee": name}

    def recorded_state(self, state: State | None) -> dict[str, object]:
        """The whole state, as the recording writes it."""
        if state is None:
            return {"info": None, "votes": {}, "total_weight": 0}
        return {
            "info": self.recorded_info(state.info),
            "votes": {key: recorded_batch(vote.batch) for key, vote in state.votes.items()},
            "total_weight": state.total_weight,
        }


def _prepared(scenario: Scenario) -> Ready:
    """The scenario with its committees. Raises `WrongShape`."""
    committees = {name: _committee(name, weights) for name, weights in scenario["committees"].items()}
    require(
        scenario["thresholds"].keys() == committees.keys(),
        "thresholds",
        scenario["thresholds"],
        "an object with one field for each committee",
    )
    subscribers = 0
    for index, step in enumerate(scenario["steps"]):
        path = f"steps.{index}"
        if step["op"] == "start_attestation":
            require(step["committee"] in committees, f"{path}.committee", step["committee"], "a committee's name")
        elif step["op"] == "subscribe":
            require(step["id"] == subscribers, f"{path}.id", step["id"], f"the next subscriber's, {subscribers}")
            subscribers += 1
        elif step["op"] == "diff":
            require(step["id"] < subscribers, f"{path}.id", step["id"], "the id of an earlier subscriber, from 0")
    return Ready(scenario, committees)


def _committee(name: str, weights: Mapping[str, int]) -> Committee:
    try:
        return Committee(weights.items())
    except CommitteeError as error:
        raise WrongShape(f"committees.{name}: {error}") from error


def _played(ready: Ready) -> Iterator[Compared]:
    scenario = ready.scenario
    thresholds = {name: committee.threshold for name, committee in ready.committees.items()}
    yield Compared(None, {"thresholds": scenario["thresholds"]}, {"thresholds": thresholds})
    controller = Controller(scenario["key"])
    for index, step in enumerate(scenario["steps"]):
        after, result = _taken(controller, step, ready)
        has_published = after.state is not controller.state
        state = ready.recorded_state(after.state)
        recorded = {name: step[name] for name in ("result", "published", "state")}
        yield Compared(index, recorded, {"result": result, "published": has_published, "state": state})
        controller = after


def _taken(controller: Controller, step: Scenario, ready: Ready) -> tuple[Controller, object]:
    """The controller after a step, and the step's result as the recording writes it."""
    match step["op"]:
        case "start_attestation":
            try:
                return controller.start_attestation(Info(batch_of(step), ready.committees[step["committee"]])), "ok"
            except StartRefused as refused:
                return controller, {"error": refused.reason}
        case "insert_votes":
            inserted = controller.insert_votes(map(vote_of, step["votes"]))
            return inserted.controller, "ok" if inserted.error is None else {"error": inserted.error.reason}
        case "votes":
            return controller, recorded_votes(controller.votes(batch_of(step)))
        case "cert":
            return controller, _certificate(controller.cert(), controller, ready)
        case "wait_for_cert":
            waited = controller.wait_for_cert(step["number"])
            if waited is Wait.PENDING:
                return controller, Wait.PENDING.value
            return controller, None if isinstance(waited, Wait) else _certificate(waited, controller, ready)
        case "subscribe":
            return controller.subscribe(step["id"]), None
    assert step["op"] == "diff"
    after, diff = controller.wait_for_diff(step["id"])
    if diff is None:
        return after, "pending"
    info = None if diff.info is None else ready.recorded_info(diff.info)
    return after, {"info": info, "votes": recorded_votes(diff.votes)}


def _certificate(found: BatchQC | None, controller: Controller, ready: Ready) -> dict[str, object] | None:
    """The certificate, and whether it verifies under the scenario's genesis and the current committee."""
    if found is None or controller.state is None:
        return None
    return {
        "message": recorded_batch(found.message),
        "signers": sorted(found.signatures),
        "verifies": found.verifies(controller.state.info.committee, ready.scenario["genesis"]),
    }


# The format.

INFO: Final = record(**BATCH, committee=text)
CERTIFICATE: Final = record(message=record(**BATCH), signers=list_of(text), verifies=boolean)
COMPARED: Final[Mapping[str, Any]] = {
    "published": boolean,
    "state": record(info=nullable(INFO), votes=map_of(record(**BATCH)), total_weight=u64),
}
STARTED: Final = word_or("ok", tagged(error=one_of("genesis", "number")))
INSERTED: Final = word_or("ok", tagged(error=one_of("duplicate", "genesis", "hash", "non-member", "signature")))
DIFF: Final = word_or("pending", record(info=nullable(INFO), votes=HELD_VOTES))
STEP: Final = step_by(
    "op",
    start_attestation=record(op=text, **BATCH, committee=text, result=STARTED, **COMPARED),
    insert_votes=record(op=text, votes=SENT_VOTES, result=INSERTED, **COMPARED),
    votes=record(op=text, **BATCH, result=HELD_VOTES, **COMPARED),
    cert=record(op=text, result=nullable(CERTIFICATE), **COMPARED),
    wait_for_cert=record(op=text, number=u64, result=word_or("pending", nullable(CERTIFICATE)), **COMPARED),
    subscribe=record(op=text, id=u64, result=null, **COMPARED),
    diff=record(op=text, id=u64, result=DIFF, **COMPARED),
)
SCENARIO: Final = record(
    name=text,
    committees=map_of(map_of(u64)),
    thresholds=map_of(u64),
    key=nullable(text),
    genesis=text,
    steps=list_of(STEP),
)
