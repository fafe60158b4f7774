"""How a run of controllers is followed: what a rejection says, and what a Byzantine node may do."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from model.revisions import revision
from properties.logs.following import Accepted, Rejected, UnfitRevision, follow
from properties.logs.reading import read_runs
from properties.logs.report import rejected_lines

Lines = list[dict[str, Any]]
Replay = Callable[[Lines], Accepted | Rejected]
RunOf = Callable[[int], Lines]


def rejected(outcome: Accepted | Rejected) -> Rejected:
    assert isinstance(outcome, Rejected)
    return outcome


def place(lines: Lines, **fields: Any) -> int:
    """Where the first event stands that has all of these fields."""
    return next(at for at, line in enumerate(lines) if fields.items() <= line.items())


def test_a_field_that_differs_is_reported_with_both_values(run_of: RunOf, replay: Replay) -> None:
    lines = run_of(1)
    at = place(lines, event="answer_received", node="M")
    lines[at]["state"]["total_weight"] = 4
    outcome = rejected(replay(lines))
    assert (outcome.accepted, outcome.event.line) == (at - 1, at + 1)
    (candidate,) = outcome.candidates
    assert (candidate.field, candidate.recorded, candidate.modelled) == ("state.total_weight", 4, 5)


def test_a_false_guard_is_reported_with_the_values_of_its_variables(run_of: RunOf, replay: Replay) -> None:
    lines = run_of(1)
    at = place(lines, event="cert_found")
    early = lines.pop(at) | {"seq": lines[at - 3]["seq"], "time": lines[at - 3]["time"]}
    lines[at - 3] = early
    outcome = rejected(replay(lines))
    assert outcome.event.kind == "cert_found"
    text = "\n".join(rejected_lines(outcome))
    assert "candidate find_certificate() of M is not possible:" in text
    assert "is false: " in text
    assert "M.attestation.votes.a = 0" in text


@pytest.mark.parametrize(
    ("event", "changes", "reason"),
    [
        ("disconnected", {"reason": "error"}, "for the reason 'error', and nothing that came on it was an error"),
        ("disconnected", {"reason": "restart"}, "connections were lost to a restart of M or a, and no such restart"),
        ("attestation_started", {"committee": "c2"}, "a starts 1 by c2, and the header names c0"),
        ("status_polled", {"result": "error"}, "polls in vain, and M is not down"),
        ("cert_found", {"node": "a"}, "a finds a certificate; only M waits for one"),
    ],
)
def test_a_log_that_contradicts_itself_says_how(
    run_of: RunOf, replay: Replay, event: str, changes: dict[str, Any], reason: str
) -> None:
    lines = run_of(25)
    lines[place(lines, event=event)] |= changes
    outcome = rejected(replay(lines))
    assert outcome.reason is not None
    assert reason in outcome.reason.replace("M starts", "a starts")


def test_a_call_that_nobody_sent_does_not_arrive(run_of: RunOf, replay: Replay) -> None:
    lines = run_of(1)
    del lines[place(lines, event="request_sent")]
    assert rejected(replay(lines)).reason == "no call from a to M has been sent and no more"


def test_a_byzantine_node_cannot_sign_for_others(run_of: RunOf, replay: Replay) -> None:
    """In a message of its own making, a vote that it never was sent is refused, whatever the receiver made of it."""
    lines = run_of(24)
    first = place(lines, event="attestation_started")
    node, number = lines[first]["node"], lines[first]["number"]
    other = next(key for key in lines[0]["committees"][lines[first]["committee"]] if key not in (node, "z"))
    vote = {"key": other, "number": number, "hash": f"h{number}"}
    state = lines[first]["state"]
    held = sorted([*state["votes"], other])
    weights = lines[0]["committees"][state["committee"]]
    forged = state | {"votes": held, "total_weight": sum(weights[key] for key in held)}
    messages = [
        {"node": "z", "event": "connected", "peer": node},
        {"node": node, "event": "connected", "peer": "z"},
        {"node": "z", "event": "request_sent", "to": node, "want": None, "votes": [vote]},
        {"node": node, "event": "request_received", "from": "z", "votes": [vote], "outcome": "ok", "state": forged},
    ]
    is_connected = any(
        line["event"] == "connected" and {line["node"], line["peer"]} == {"z", node} for line in lines[1:first]
    )
    lines[first + 1 : first + 1] = messages[2 if is_connected else 0 :]
    for seq, line in enumerate(lines[1:], 1):
        line |= {"seq": seq, "time": seq}
    outcome = rejected(replay(lines))
    assert (
        outcome.reason
        == f"a made-up message adds a vote of {other}, which is not Byzantine, and z has never been sent that vote"
    )


def test_another_revision_of_the_design_fits_and_one_of_the_other_is_refused(run_of: RunOf) -> None:
    def followed(name: str) -> Accepted | Rejected:
        return follow(next(read_runs(json.dumps(line) for line in run_of(1))), revision(name))

    assert isinstance(followed("pr175+era3512"), Accepted)
    with pytest.raises(UnfitRevision, match="has no attestation controller; by default"):
        followed("pr161+era2480")
    with pytest.raises(UnfitRevision, match="has one committee for all batches"):
        followed("pr175+era2657")


def test_a_topology_in_two_parts_is_followed_as_far_as_it_goes(run_of: RunOf, replay: Replay) -> None:
    """With a Byzantine node, whose part no other node's vote comes to."""
    lines = run_of(24)
    lines[0]["topology"] = [ends for ends in lines[0]["topology"] if "z" not in ends]
    assert "the header's topology has no connection between" in str(rejected(replay(lines)).reason)
