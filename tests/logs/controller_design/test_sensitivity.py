"""Edits to accepted logs: each kind is rejected, on several runs and at several places, or is harmless for a reason."""

import copy
import random
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from properties.logs.following import Accepted, Rejected
from properties.recordings.format import MalformedRecording

Event = dict[str, Any]
Lines = list[Event]
Replay = Callable[[Lines], Accepted | Rejected]

RUNS_TRIED = 3
SHORT = (1, 4, 35, 24, 21, 28, 12, 10, 13, 20, 25, 37, 5, 30, 33, 6, 16, 9, 19, 3)
"""Runs by number, the quicker ones of every profile: restarts, cuts, a Byzantine node, other hashes, committees."""

Edit = Callable[[Lines, int], bool]
"""Edits a run in place at an event, and tells whether there was anything to edit; if not, nothing is changed."""

EDITS: dict[str, Edit] = {}
HARMLESS: dict[str, tuple[Edit, str]] = {}


def edit(function: Edit) -> Edit:
    EDITS[function.__name__.replace("_", " ")] = function
    return function


def is_honest(lines: Lines, at: int) -> bool:
    return at > 0 and lines[at].get("node") not in lines[0]["byzantine"]


def change(kind: str, field: str, new: Callable[[Any], Any], where: Edit = is_honest) -> Edit:
    """Another value for a field of an event of this kind, where there is one."""

    def apply(lines: Lines, at: int) -> bool:
        event = lines[at]
        if event.get("event") != kind or event[field] is None or not where(lines, at):
            return False
        before = copy.deepcopy(event[field])
        event[field] = new(copy.deepcopy(event[field]))
        return bool(event[field] != before)

    return apply


def more(number: Any) -> Any:
    return number + 1 if isinstance(number, int) else number


def other(hash: str) -> str:
    return f"{hash}?"


def without_first(entries: list[Any]) -> list[Any]:
    return entries[1:]


def one_more(votes: list[Event]) -> list[Event]:
    return [*votes, {"key": "stranger", "number": 1, "hash": "h1"}]


def exchanged(entries: list[Any]) -> list[Any]:
    return [*reversed(entries[:2]), *entries[2:]] if len(entries) > 1 else entries


def higher(votes: list[Event]) -> list[Event]:
    return [vote | {"number": vote["number"] + 1} for vote in votes[:1]] + votes[1:]


def rehashed(votes: list[Event]) -> list[Event]:
    return [vote | {"hash": other(vote["hash"])} for vote in votes[:1]] + votes[1:]


def in_part(part: str, new: Callable[[Any], Any]) -> Callable[[Event], Event]:
    """The change of a part of a field."""
    return lambda field: field | {part: new(field[part])}


def outcome(new: Any) -> Callable[[Any], Any]:
    return lambda recorded: recorded if recorded == new else new


EDITS |= {
    "another number available": change("hash_available", "number", more),
    "another hash available": change("hash_available", "hash", other),
    "another number polled": change("status_polled", "result", more),
    "an error polled while the main node is up": change("status_polled", "result", lambda result: "error"),
    "nothing polled where there was a number": change("status_polled", "result", lambda result: None),
    "another number started": change("attestation_started", "number", more),
    "another hash started": change("attestation_started", "hash", other),
    "another committee started": change(
        "attestation_started", "committee", lambda name: "c1" if name == "c0" else "c0"
    ),
    "a start refused": change("attestation_started", "outcome", outcome({"error": "number"})),
    "no own vote after a start": change("attestation_started", "state", in_part("votes", without_first)),
    "another weight after a start": change("attestation_started", "state", in_part("total_weight", more)),
    "another committee in a state": change(
        "answer_received", "state", in_part("committee", lambda name: "c1" if name == "c0" else "c0")
    ),
    "a connection lost for another reason": change(
        "disconnected", "reason", lambda reason: "error" if reason == "restart" else "restart"
    ),
    "another number wanted": change("request_sent", "want", in_part("number", more)),
    "another hash wanted": change("request_sent", "want", in_part("hash", other)),
    "nothing wanted where there was something": change("request_sent", "want", lambda want: None),
    "a vote dropped from a call": change("request_sent", "votes", without_first),
    "a vote too many in a call": change("request_sent", "votes", one_more),
    "a number changed in a call": change("request_sent", "votes", higher),
    "a hash changed in a call": change("request_sent", "votes", rehashed),
    "a vote dropped where a call arrives": change("request_received", "votes", without_first),
    "votes exchanged where a call arrives": change("request_received", "votes", exchanged),
    "an error where a call arrives": change("request_received", "outcome", outcome({"error": "signature"})),
    "no error where a call arrives": change("request_received", "outcome", outcome("ok")),
    "a vote missing after a call": change("request_received", "state", in_part("votes", without_first)),
    "another weight after a call": change("request_received", "state", in_part("total_weight", more)),
    "another number after a call": change("request_received", "state", in_part("number", more)),
    "another number wanted where it is answered": change("request_answered", "want", in_part("number", more)),
    "a vote dropped from an answer": change("request_answered", "votes", without_first),
    "a vote too many in an answer": change("request_answered", "votes", one_more),
    "a vote dropped where an answer arrives": change("answer_received", "votes", without_first),
    "an error where an answer arrives": change("answer_received", "outcome", outcome({"error": "duplicate"})),
    "an unasked answer that was asked for": change("answer_received", "outcome", outcome("unasked")),
    "an answer with votes taken for empty": change("answer_received", "outcome", lambda _: None),
    "a vote missing after an answer": change("answer_received", "state", in_part("votes", without_first)),
    "another weight after an answer": change("answer_received", "state", in_part("total_weight", more)),
    "a certificate for another number": change("cert_found", "number", more),
    "a certificate over another hash": change("cert_found", "hash", other),
    "a signer left out": change("cert_found", "signers", without_first),
    "a signer too many": change("cert_found", "signers", lambda signers: [*signers, "stranger"]),
    "a certificate that does not verify": change("cert_found", "verifies", lambda verifies: not verifies),
    "another number inserted": change("qc_inserted", "number", more),
}


def is_end(lines: Lines, at: int) -> bool:
    return at == len(lines) - 1


def less_in_one_state(states: Event) -> Event:
    name = next(name for name, state in states.items() if state and state["votes"])
    return states | {name: in_part("votes", without_first)(states[name])}


EDITS |= {
    "a certificate missing at the end": change("end", "main_qcs", without_first, is_end),
    "a vote missing at the end": change("end", "states", less_in_one_state, is_end),
    "a node missing at the end": change("end", "states", lambda states: dict(list(states.items())[1:]), is_end),
    "stuck at the end": change("end", "reason", lambda reason: "stuck", is_end),
    "over the limit at the end": change("end", "reason", lambda reason: "limit", is_end),
}


def drop(kind: str, where: Edit = is_honest) -> Edit:
    """Leave an event of this kind out."""

    def apply(lines: Lines, at: int) -> bool:
        if lines[at].get("event") != kind or not where(lines, at):
            return False
        del lines[at]
        return True

    return apply


def later(lines: Lines, at: int, **fields: Any) -> bool:
    """Whether a later event has all of these fields, before its node restarts or loses the connection."""
    node = lines[at]["node"]
    for event in lines[at + 1 : -1]:
        if fields.items() <= event.items():
            return True
        if event["event"] in ("node_restarted", "disconnected") and event["node"] == node:
            return False
    return False


def is_started(lines: Lines, at: int) -> bool:
    node = lines[at]["node"]
    return is_honest(lines, at) and later(lines, at, event="attestation_started", node=node, number=lines[at]["result"])


def has_changed(lines: Lines, at: int) -> bool:
    """Whether the number or a vote shows in a later state of the node."""
    node, state = lines[at]["node"], lines[at]["state"]
    return is_honest(lines, at) and later(lines, at, event="request_received", node=node, state=state)


def is_used(lines: Lines, at: int) -> bool:
    event = lines[at]
    return later(lines, at, event="request_sent", node=event["node"], to=event["peer"])


def is_answered(lines: Lines, at: int) -> bool:
    event = lines[at]
    return later(lines, at, event="answer_received", node=event["node"], **{"from": event["to"]})


def caller_hears(lines: Lines, at: int) -> bool:
    """Whether the answer of this node arrives."""
    event = lines[at]
    peer = event.get("from", event.get("to"))
    place = next((n for n in range(at + 1, len(lines) - 1) if lines[n]["node"] == peer), None)
    return place is not None and later(lines, at, event="answer_received", node=peer, **{"from": event["node"]})


def has_attested(lines: Lines, at: int) -> bool:
    """Whether the node has started something in this process, and goes on afterwards."""
    node = lines[at]["node"]
    own = [line["event"] for line in lines[1:at] if line.get("node") == node]
    since = own[len(own) - own[::-1].index("node_restarted") :] if "node_restarted" in own else own
    return "attestation_started" in since and later(lines, at, event="attestation_started", node=node)


EDITS |= {
    "a hash not available": drop(
        "hash_available",
        lambda lines, at: later(lines, at, event="attestation_started", node=lines[at]["node"], hash=lines[at]["hash"]),
    ),
    "a poll dropped that is acted upon": drop("status_polled", is_started),
    "a start dropped": drop("attestation_started", has_changed),
    "a connection not made": drop("connected", is_used),
    "a call not sent": drop("request_sent", is_answered),
    "a call not received": drop("request_received", caller_hears),
    "a call not answered": drop("request_answered", caller_hears),
    "an answer not received": drop(
        "answer_received",
        lambda lines, at: later(lines, at, event="request_sent", node=lines[at]["node"], to=lines[at]["from"]),
    ),
    "a certificate not found": drop("cert_found"),
    "a certificate not inserted": drop("qc_inserted"),
    "a restart dropped of a node that has attested": drop("node_restarted", has_attested),
}


def numbered(lines: Lines) -> bool:
    """Give all events their numbers anew."""
    for seq, event in enumerate(lines[1:], 1):
        event["seq"] = seq
    return True


def repeat(kind: str) -> Edit:
    """Let an event of this kind happen twice."""

    def apply(lines: Lines, at: int) -> bool:
        if lines[at].get("event") != kind or not is_honest(lines, at):
            return False
        lines.insert(at, copy.deepcopy(lines[at]))
        return numbered(lines)

    return apply


for kind in (
    *("hash_available", "status_polled", "connected", "disconnected", "request_sent", "request_received"),
    *("request_answered", "answer_received", "cert_found", "qc_inserted"),
):
    EDITS[f"{kind} twice"] = repeat(kind)


def moved(kind: str) -> Edit:
    """Let an event of this kind happen on another node."""

    def apply(lines: Lines, at: int) -> bool:
        if lines[at].get("event") != kind or not is_honest(lines, at):
            return False
        others = [node for node in lines[0]["nodes"] if node not in (lines[at]["node"], *lines[0]["byzantine"])]
        if not others:
            return False
        lines[at]["node"] = others[-1]
        return True

    return apply


for kind in ("attestation_started", "request_sent", "request_received", "cert_found", "qc_inserted"):
    EDITS[f"{kind} on another node"] = moved(kind)


def exchange(kind: str, following: str, **same: str) -> Edit:
    """Swap an event with the next one of another kind that belongs to it; their places in the order stay."""

    def apply(lines: Lines, at: int) -> bool:
        event = lines[at]
        if event.get("event") != kind or not is_honest(lines, at):
            return False
        wanted = {"event": following} | {there: event[here] for there, here in same.items()}
        place = next((n for n in range(at + 1, len(lines) - 1) if wanted.items() <= lines[n].items()), None)
        if place is None:
            return False
        for field in ("seq", "time"):
            lines[at][field], lines[place][field] = lines[place][field], lines[at][field]
        lines[at], lines[place] = lines[place], lines[at]
        return True

    return apply


EDITS |= {
    "a call received before it is sent": exchange("request_sent", "request_received", **{"node": "to", "from": "node"}),
    "a call answered before it is received": exchange("request_received", "request_answered", node="node", to="from"),
    "an answer received before it is given": exchange(
        "request_answered", "answer_received", **{"node": "to", "from": "node"}
    ),
    "a number started before it is polled": exchange("status_polled", "attestation_started", node="node"),
    "a certificate inserted before it is found": exchange("cert_found", "qc_inserted", node="node"),
    "a batch started before its hash is there": exchange(
        "hash_available", "attestation_started", node="node", hash="hash"
    ),
}


def header(field: str, new: Callable[[Any], Any]) -> Edit:
    """Change the header, whatever the event."""

    def apply(lines: Lines, at: int) -> bool:
        before = copy.deepcopy(lines[0][field])
        lines[0][field] = new(copy.deepcopy(before))
        return bool(lines[0][field] != before)

    return apply


@edit
def nobody_byzantine(lines: Lines, at: int) -> bool:
    if not lines[0]["byzantine"]:
        return False
    lines[0]["byzantine"] = []
    return True


@edit
def heavier_committees(lines: Lines, at: int) -> bool:
    for name, weights in lines[0]["committees"].items():
        weights |= {key: 5 * weight for key, weight in weights.items()}
        total = sum(weights.values())
        lines[0]["thresholds"][name] = total - (total - 1) // 5
    return True


@edit
def another_committee_for_a_batch(lines: Lines, at: int) -> bool:
    named = lines[0]["committee_of"]
    started = [str(line["number"]) for line in lines if line.get("event") == "attestation_started"]
    others = [
        name for name, weights in lines[0]["committees"].items() if weights != lines[0]["committees"][named[started[0]]]
    ]
    if not others:
        return False
    named[started[0]] = others[0]
    return True


EDITS |= {
    "a threshold off by one": header("thresholds", lambda thresholds: thresholds | {"c1": thresholds["c1"] + 1}),
    "a connection less": header("topology", without_first),
    "a batch more": header("batches", more),
    "a batch less": header("batches", lambda batches: batches - 1),
    "another first batch": header("first_batch", more),
}


# What makes no difference


def harmless(why: str) -> Callable[[Edit], Edit]:
    def declare(function: Edit) -> Edit:
        HARMLESS[function.__name__] = (function, why)
        return function

    return declare


@harmless("the model has no clock; the format only asks that time does not run backwards")
def another_time(lines: Lines, at: int) -> bool:
    if at == 0:
        return False
    lines[at]["time"] = lines[at - 1].get("time", 0)
    return True


@harmless("seed and rate limit are for people")
def another_seed(lines: Lines, at: int) -> bool:
    lines[0] |= {"seed": 1, "rate_limited": not lines[0]["rate_limited"]}
    return True


@harmless("a poll that the node does not act upon changes nothing")
def a_poll_less_that_has_no_effect(lines: Lines, at: int) -> bool:
    event = lines[at]
    if event.get("event") != "status_polled" or event["result"] is not None:
        return False
    del lines[at]
    return True


@harmless("what two nodes do by themselves commutes, and no order of the two shows anywhere")
def two_hashes_in_the_other_order(lines: Lines, at: int) -> bool:
    one, following = lines[at], lines[at + 1] if at + 1 < len(lines) else {}
    if not one.get("event") == following.get("event") == "hash_available" or "M" in (one["node"], following["node"]):
        return False
    if one["node"] == following["node"]:
        return False
    lines[at], lines[at + 1] = (
        following | {"seq": one["seq"], "time": one["time"]},
        one
        | {
            "seq": following["seq"],
            "time": following["time"],
        },
    )
    return True


def edited(recorded: list[Lines], change: Edit, seed: str) -> Iterator[Lines]:
    """A few runs with the edit applied, each at a place drawn by lot; the same in every test run."""
    found = 0
    for number in (*SHORT, *range(1, 41)):
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


def is_rejected(replay: Replay, lines: Lines) -> bool:
    try:
        return isinstance(replay(lines), Rejected)
    except MalformedRecording:
        return True


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(EDITS))
def test_an_edited_log_is_rejected(recorded: list[Lines], replay: Replay, name: str) -> None:
    outcomes = [is_rejected(replay, lines) for lines in edited(recorded, EDITS[name], name)]
    assert len(outcomes) == RUNS_TRIED, "the edit applies to too few runs"
    assert all(outcomes)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(HARMLESS))
def test_a_harmless_edit_is_accepted(recorded: list[Lines], replay: Replay, name: str) -> None:
    change, why = HARMLESS[name]
    outcomes = [replay(lines) for lines in edited(recorded, change, name)]
    assert len(outcomes) == RUNS_TRIED, "the edit applies to too few runs"
    assert why
    assert [outcome for outcome in outcomes if isinstance(outcome, Rejected)] == []


def test_the_page_lists_every_kind_of_edit() -> None:
    assert len(EDITS) >= 20
    page = (Path(__file__).parents[3] / "docs" / "replay.md").read_text(encoding="utf-8")
    table = re.search(r"controller_design/test_sensitivity\.py.*?\n((?:\|[^\n]*\n)+)", page, re.DOTALL)
    assert table is not None
    assert re.findall(r"^\| (.+) \|$", table[1], re.MULTILINE)[2:] == list(EDITS)
