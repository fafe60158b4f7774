"""Edits to accepted logs: each kind is rejected, on several runs and at several places, or is harmless for a reason."""

import copy
import itertools
import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from properties.logs.following import Accepted, Rejected

pytestmark = pytest.mark.slow

Event = dict[str, Any]
Lines = list[Event]
Replay = Callable[[Lines], Accepted | Rejected]

RUNS_TRIED = 3
SHORT = (1, 2, 10, 18, 19, 29, 30, 38, 39, 16, 26, 14, 24, 12, 22, 3, 9)
"""Runs by number, the quicker ones of every sort: stuck, with gaps, with restarts, Byzantine of both modes."""

Edit = Callable[[Lines, int], bool]
"""Edits a run in place at an event, and tells whether there was anything to edit."""

EDITS: dict[str, Edit] = {}
HARMLESS: dict[str, tuple[Edit, str]] = {}


def edit(function: Edit) -> Edit:
    EDITS[function.__name__] = function
    return function


def change(kind: str, field: str, new: Callable[[Any], Any]) -> Edit:
    """Change a field of an event of this kind."""

    def apply(lines: Lines, at: int) -> bool:
        event = lines[at]
        if event.get("event") != kind or event[field] is None or isinstance(event[field], str) != (field == "hash"):
            return False
        before = copy.deepcopy(event[field])
        event[field] = new(event[field])
        return bool(event[field] != before)

    return apply


def more(number: int) -> int:
    return number + 1


def without_first(votes: list[Event]) -> list[Event]:
    return votes[1:]


def higher(votes: list[Event]) -> list[Event]:
    return [vote | {"number": vote["number"] + 1} for vote in votes]


def rehashed(votes: list[Event]) -> list[Event]:
    return [vote | {"hash": "other"} for vote in votes]


def less_votes(registry: Event) -> Event:
    return registry | {"votes": dict(list(registry["votes"].items())[1:])}


def higher_minimum(registry: Event) -> Event:
    return registry | {"min_batch_number": registry["min_batch_number"] + 1}


def other_registry_hash(registry: Event) -> Event:
    return registry | {"votes": {key: vote | {"hash": "other"} for key, vote in registry["votes"].items()}}


def less_added(outcome: Event) -> Event:
    return outcome | {"added": outcome["added"][1:]} if "added" in outcome else outcome


def honest(kind_edit: Edit) -> Edit:
    """Leave out Byzantine nodes, which may publish and push what they like; the replay compares the rest of it."""
    return lambda lines, at: lines[at].get("node") not in lines[0]["byzantine"] and kind_edit(lines, at)


EDITS |= {
    "a vote dropped from a push": honest(change("votes_pushed", "votes", without_first)),
    "a number changed in a push": honest(change("votes_pushed", "votes", higher)),
    "a hash changed in a push": honest(change("votes_pushed", "votes", rehashed)),
    "a vote dropped from a receipt": change("votes_received", "votes", without_first),
    "a number changed in a receipt": change("votes_received", "votes", higher),
    "a key left out of what was added": change("votes_received", "outcome", less_added),
    "a vote dropped from a registry after a receipt": change("votes_received", "registry", less_votes),
    "a hash changed in a registry": change("votes_received", "registry", other_registry_hash),
    "a minimum off by one in a registry": change("minimum_set", "registry", higher_minimum),
    "a minimum off by one": change("minimum_set", "number", more),
    "a vote dropped from a registry after publishing": change("vote_published", "registry", less_votes),
    "a published number changed": honest(change("vote_published", "number", more)),
    "a published hash changed": honest(change("vote_published", "hash", lambda hash: "other")),
    "a published vote added, or skipped": change("vote_published", "added", lambda added: not added),
    "a wrong signer": change("quorum_found", "signers", lambda signers: ["stranger", *signers[1:]]),
    "a signer left out": change("quorum_found", "signers", without_first),
    "a quorum for another number": change("quorum_found", "number", more),
    "a certificate that verifies, or not": change("quorum_found", "verifies", lambda verifies: not verifies),
    "a stored certificate that verifies, or not": change("qc_persisted", "verifies", lambda verifies: not verifies),
    "a certificate stored, or there already": change("qc_persisted", "stored", lambda stored: not stored),
    "an inserted number changed": change("qc_persisted", "number", more),
    "a call for another number": change("qc_persist_started", "number", more),
    "a call returned for another number": change("qc_persist_returned", "number", more),
    "a polled number changed": change("status_polled", "result", more),
    "a status changed to another number": change("status_changed", "number", more),
    "another number read": change("status_read", "number", more),
    "a sealed number changed": change("batch_sealed", "number", more),
    "a persisted number changed": change("batch_persisted", "number", more),
    "other certificates at the end": change("end", "main_qcs", lambda numbers: numbers[1:]),
    "a gap at the end, or none": change("end", "gap", lambda gap: not gap),
    "another next batch at the end": change("end", "next_batch_to_attest", more),
    "another registry at the end": change(
        "end", "registries", lambda all: {node: higher_minimum(registry) for node, registry in all.items()}
    ),
}


def drop(kind: str, where: Callable[[Lines, int], bool] = lambda lines, at: True) -> Edit:
    """Leave an event of this kind out."""

    def apply(lines: Lines, at: int) -> bool:
        if lines[at].get("event") != kind or not where(lines, at):
            return False
        del lines[at]
        return True

    return apply


def later(lines: Lines, at: int, **fields: Any) -> bool:
    """Whether a later event has all of these fields."""
    return any(fields.items() <= event.items() for event in lines[at + 1 :])


def is_read(lines: Lines, at: int) -> bool:
    """Whether the finder reads the status before it changes again: if nobody reads it, the change shows nowhere."""
    for event in lines[at + 1 : -1]:
        if event["node"] == lines[at]["node"] and event["event"] in ("status_changed", "node_restarted", "status_read"):
            return bool(event["event"] == "status_read")
    return False


def is_received(lines: Lines, at: int) -> bool:
    """Whether the message arrives before the next one on that connection, and before it breaks."""
    sender, receiver = lines[at]["node"], lines[at]["to"]
    for event in lines[at + 1 : -1]:
        if event["event"] in ("disconnected", "node_restarted") and event["node"] in (sender, receiver):
            return False
        if event["event"] == "votes_received" and (event["node"], event["from"]) == (receiver, sender):
            return True
    return False


def honest_event(lines: Lines, at: int) -> bool:
    return lines[at]["node"] not in lines[0]["byzantine"]


EDITS |= {
    "a push dropped": drop("votes_pushed", lambda lines, at: is_received(lines, at)),
    "a receipt dropped that added a vote": drop(
        "votes_received", lambda lines, at: bool(lines[at]["outcome"].get("added"))
    ),
    "a minimum not set": drop("minimum_set"),
    "a vote not published": drop("vote_published", lambda lines, at: honest_event(lines, at) and lines[at]["added"]),
    "a quorum not found": drop("quorum_found", lambda lines, at: lines[at]["node"] == "M"),
    "a certificate not inserted on the main node": drop(
        "qc_persisted", lambda lines, at: lines[at]["node"] == "M" and lines[at]["stored"]
    ),
    "a call that never began": drop("qc_persist_started", lambda lines, at: lines[at]["node"] == "M"),
    "a status change dropped that is read": drop("status_changed", is_read),
    "a batch not sealed": drop("batch_sealed"),
    "a batch not persisted": drop(
        "batch_persisted", lambda lines, at: later(lines, at, node=lines[at]["node"], event="batch_persisted")
    ),
    "a restart dropped": drop("node_restarted"),
    "a connection not made": drop(
        "connected",
        lambda lines, at: later(lines, at, node=lines[at]["node"], event="votes_pushed", to=lines[at]["peer"]),
    ),
}


def repeat(kind: str) -> Edit:
    """Let an event of this kind happen twice."""

    def apply(lines: Lines, at: int) -> bool:
        if lines[at].get("event") != kind or not honest_event(lines, at):
            return False
        lines.insert(at, copy.deepcopy(lines[at]))
        for seq, event in enumerate(lines[1:], 1):
            event["seq"] = seq
        return True

    return apply


for kind in (
    *("batch_sealed", "batch_persisted", "commitment_available", "status_changed", "minimum_set", "vote_published"),
    *(
        "status_polled",
        "votes_pushed",
        "votes_received",
        "quorum_found",
        "qc_persist_started",
        "qc_persisted",
        "qc_persist_returned",
    ),
    *("connected", "disconnected"),
):
    EDITS[f"{kind} twice"] = repeat(kind)


def moved(kind: str) -> Edit:
    """Let an event of this kind happen on another node."""

    def apply(lines: Lines, at: int) -> bool:
        if lines[at].get("event") != kind:
            return False
        others = [node for node in lines[0]["nodes"] if node != lines[at]["node"]]
        lines[at]["node"] = others[-1]
        return True

    return apply


for kind in ("minimum_set", "quorum_found", "qc_persist_started", "status_changed", "batch_sealed"):
    EDITS[f"{kind} on another node"] = moved(kind)


def exchange(lines: Lines, here: int, there: int) -> None:
    """Swap two events; their places in the order stay."""
    for place in ("seq", "time"):
        lines[here][place], lines[there][place] = lines[there][place], lines[here][place]
    lines[here], lines[there] = lines[there], lines[here]


@edit
def a_receipt_before_its_push(lines: Lines, at: int) -> bool:
    if lines[at].get("event") != "votes_pushed" or not lines[at]["votes"]:
        return False
    wanted = {"event": "votes_received", "node": lines[at]["to"], "from": lines[at]["node"]}
    there = next((n for n in range(at + 1, len(lines)) if wanted.items() <= lines[n].items()), None)
    if there is None:
        return False
    exchange(lines, at, there)
    return True


@edit
def an_insertion_before_its_quorum(lines: Lines, at: int) -> bool:
    if lines[at].get("event") != "quorum_found":
        return False
    wanted = {"event": "qc_persisted", "node": lines[at]["node"]}
    there = next((n for n in range(at + 1, len(lines)) if wanted.items() <= lines[n].items()), None)
    if there is None:
        return False
    exchange(lines, at, there)
    return True


@edit
def a_batch_persisted_before_it_is_sealed(lines: Lines, at: int) -> bool:
    if lines[at].get("event") != "batch_sealed":
        return False
    wanted = {"event": "batch_persisted", "number": lines[at]["number"]}
    there = next((n for n in range(at + 1, len(lines)) if wanted.items() <= lines[n].items()), None)
    if there is None:
        return False
    exchange(lines, at, there)
    return True


@edit
def a_poll_after_the_change_it_causes(lines: Lines, at: int) -> bool:
    event, following = lines[at], lines[at + 1] if at + 1 < len(lines) else {}
    if event.get("event") != "status_polled" or following.get("event") != "status_changed":
        return False
    if following["node"] != event["node"]:
        return False
    exchange(lines, at, at + 1)
    return True


def header(field: str, new: Callable[[Any], Any]) -> Edit:
    """Change the header, whatever the event."""

    def apply(lines: Lines, at: int) -> bool:
        before = copy.deepcopy(lines[0][field])
        lines[0][field] = new(lines[0][field])
        return bool(lines[0][field] != before)

    return apply


@edit
def the_other_start(lines: Lines, at: int) -> bool:
    """Both rules agree where the first poll finds one batch at most; then nothing can tell them apart."""
    first = next(line for line in lines if line.get("event") == "qc_persisted" and line["node"] == "M")
    polls = [
        line["result"] for line in lines[1 : lines.index(first)] if line["event"] == "status_polled" and line["result"]
    ]
    if lines[0]["start"] != "tip" or not any(isinstance(result, int) for result in polls):
        return False
    lines[0]["start"] = "genesis"
    return True


@edit
def the_other_store(lines: Lines, at: int) -> bool:
    """The insertion before the return is what a synchronous store does; an asynchronous one may do it, too."""
    main = [line["event"] for line in lines[1:-1] if line["node"] == "M" and line["event"].startswith("qc_")]
    if lines[0]["store"] != "async" or ("qc_persist_started", "qc_persist_returned") not in itertools.pairwise(main):
        return False
    lines[0]["store"] = "sync"
    return True


@edit
def nobody_byzantine(lines: Lines, at: int) -> bool:
    if not lines[0]["byzantine"]:
        return False
    lines[0] |= {"byzantine": [], "byzantine_mode": None}
    return True


@edit
def a_connection_less(lines: Lines, at: int) -> bool:
    lines[0]["topology"] = lines[0]["topology"][1:]
    return True


@edit
def a_batch_less(lines: Lines, at: int) -> bool:
    lines[0]["batches"] -= 1
    return lines[0]["batches"] > 0


@edit
def attested_instead_of_stuck(lines: Lines, at: int) -> bool:
    is_stuck = lines[-1]["reason"] == "stuck"
    lines[-1]["reason"] = "all batches attested" if is_stuck else "stuck"
    return True


@edit
def a_connection_lost_for_no_reason(lines: Lines, at: int) -> bool:
    if lines[at].get("event") != "disconnected" or lines[at]["reason"] != "cut":
        return False
    lines[at]["reason"] = "restart" if not any(line.get("event") == "node_restarted" for line in lines) else "error"
    return True


EDITS |= {
    "a threshold off by one": header("threshold", more),
    "a heavier attester": header("attesters", lambda weights: {key: 5 * weight for key, weight in weights.items()}),
}


def harmless(why: str) -> Callable[[Edit], Edit]:
    def declare(function: Edit) -> Edit:
        HARMLESS[function.__name__] = (function, why)
        return function

    return declare


@harmless("the model has no clock; the format only asks that time does not run backwards")
def another_time(lines: Lines, at: int) -> bool:
    lines[at]["time"] = lines[at - 1].get("time", 0)
    return at > 0


@harmless("seed and profile are for people")
def another_seed(lines: Lines, at: int) -> bool:
    lines[0] |= {"seed": 1, "profile": "?"}
    return True


@harmless("a poll without an answer, or with an error, changes nothing, and any call of an external node may fail")
def a_failed_poll_more(lines: Lines, at: int) -> bool:
    polls = {event["node"]: event["result"] for event in lines[1:at] if event["event"] == "status_polled"}
    event = lines[at]
    if event.get("event") != "status_polled" or not isinstance(event["result"], int) or event["node"] == "M":
        return False
    if polls.get(event["node"]) is not None:
        return False
    lines.insert(at, event | {"result": "error"})
    for seq, line in enumerate(lines[1:], 1):
        line["seq"] = seq
    return True


@harmless("what two nodes do by themselves commutes, and no order of the two shows anywhere")
def two_batches_persisted_in_the_other_order(lines: Lines, at: int) -> bool:
    one, other = lines[at], lines[at + 1] if at + 1 < len(lines) else {}
    if not one.get("event") == other.get("event") == "batch_persisted" or one["node"] == other["node"]:
        return False
    exchange(lines, at, at + 1)
    return True


@harmless("a run that is stuck may also be said to have run out of time")
def out_of_time_instead_of_stuck(lines: Lines, at: int) -> bool:
    if lines[-1]["reason"] != "stuck":
        return False
    lines[-1]["reason"] = "time limit"
    return True


def edited(recorded: list[Lines], change: Edit, seed: str) -> Iterator[Lines]:
    """A few runs with the edit applied, each at a place drawn by lot; the same in every test run."""
    found = 0
    for number in SHORT:
        places = list(range(len(recorded[number - 1])))
        random.Random(f"{seed} {number}").shuffle(places)
        lines = copy.deepcopy(recorded[number - 1])
        for at in places:
            if change(lines, at):
                yield lines
                found += 1
                break
        if found == RUNS_TRIED:
            return


@pytest.mark.parametrize("name", sorted(EDITS))
def test_an_edited_log_is_rejected(recorded: list[Lines], replay: Replay, name: str) -> None:
    outcomes = [replay(lines) for lines in edited(recorded, EDITS[name], name)]
    assert len(outcomes) == RUNS_TRIED, "the edit applies to too few runs"
    assert [outcome for outcome in outcomes if isinstance(outcome, Accepted)] == []


@pytest.mark.parametrize("name", sorted(HARMLESS))
def test_a_harmless_edit_is_accepted(recorded: list[Lines], replay: Replay, name: str) -> None:
    change, why = HARMLESS[name]
    outcomes = [replay(lines) for lines in edited(recorded, change, name)]
    assert len(outcomes) == RUNS_TRIED, "the edit applies to too few runs"
    assert why
    assert [outcome for outcome in outcomes if isinstance(outcome, Rejected)] == []


def test_there_are_enough_kinds_of_edits() -> None:
    assert len(EDITS) >= 20
