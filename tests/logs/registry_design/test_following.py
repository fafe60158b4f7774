"""How a run is followed: what a rejection says, what the log leaves open, and Byzantine nodes."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from model.revisions import revision
from properties.logs.following import Accepted, Rejected, follow
from properties.logs.reading import read_runs
from properties.logs.registry_design.reading import EVENTS
from properties.logs.registry_design.rules import RULES
from properties.logs.registry_design.subjects import Subjects
from properties.logs.report import rejected_lines
from properties.logs.runs import MAX_BATCHES
from properties.recordings.format import MalformedRecording

Lines = list[dict[str, Any]]
Replay = Callable[[Lines], Accepted | Rejected]
RunOf = Callable[[int], Lines]


def rejected(outcome: Accepted | Rejected) -> Rejected:
    assert isinstance(outcome, Rejected)
    return outcome


def accepted(outcome: Accepted | Rejected) -> Accepted:
    assert isinstance(outcome, Accepted)
    return outcome


def test_a_field_that_differs_is_reported_with_both_values(run_of: RunOf, replay: Replay) -> None:
    lines = run_of(1)
    lines[9]["number"] = 1
    outcome = rejected(replay(lines))
    assert (outcome.accepted, outcome.event.line) == (8, 10)
    (candidate,) = outcome.candidates
    assert (candidate.action, candidate.field) == ("set_min_batch_number() of M", "number")
    assert (candidate.recorded, candidate.modelled) == (1, 0)


def test_a_difference_deep_in_a_registry_is_reported_with_its_path(run_of: RunOf, replay: Replay) -> None:
    lines = run_of(1)
    lines[67]["registry"]["votes"]["a"]["hash"] = "h7"
    (candidate,) = rejected(replay(lines)).candidates
    assert (candidate.field, candidate.recorded, candidate.modelled) == ("registry.votes.a.hash", "h7", "h0")


def test_a_false_guard_is_reported_with_the_values_of_its_variables(run_of: RunOf, replay: Replay) -> None:
    lines = run_of(1)
    del lines[8]
    outcome = rejected(replay(lines))
    (candidate,) = outcome.candidates
    assert candidate.action == "set_min_batch_number() of M"
    assert [str(guard) for guard in candidate.guards] == ["(M.finder.phase = 2) is false: M.finder.phase = 0"]


def test_a_log_that_contradicts_itself_says_how(run_of: RunOf, replay: Replay) -> None:
    lines = run_of(1)
    del lines[36]
    assert rejected(replay(lines)).reason == "a is not connected to M"


def test_a_rejection_can_be_read(run_of: RunOf, replay: Replay) -> None:
    lines = run_of(1)
    lines[9]["number"] = 1
    assert list(rejected_lines(rejected(replay(lines)))) == [
        "run 1 (seed 100016, start tip, M, a, b): REJECTED at line 10 (seq 9)",
        "  longest accepted prefix: 8 of 120 events",
        '  event: M minimum_set {"number": 1, "registry": {"votes": {}, "min_batch_number": 0}}',
        "  candidate set_min_batch_number() of M: number is recorded as 1, and 0 in the model",
    ]


def test_another_revision_does_not_fit(run_of: RunOf) -> None:
    import json

    run = next(read_runs(map(json.dumps, run_of(1))))
    outcome = rejected(follow(run, revision("pr161+era2539")))
    assert (outcome.event.kind, outcome.event["seq"], outcome.event["result"]) == ("status_polled", 64, 4)


def test_polls_that_the_log_does_not_show_are_followed(run_of: RunOf, replay: Replay) -> None:
    """After a restart a node may get the number of its last logged poll again, and then only the change is logged."""
    lines = run_of(29)
    restart = next(at for at, line in enumerate(lines) if line.get("event") == "node_restarted")
    node = lines[restart]["node"]
    polls = [at for at, line in enumerate(lines) if line.get("event") == "status_polled" and line["node"] == node]
    before = [lines[at]["result"] for at in polls if at < restart]
    after = next(at for at in polls if at > restart)
    assert before[-1] == lines[after]["result"]
    del lines[after]
    assert accepted(replay(lines)).possibilities > 1


def test_every_event_of_the_format_has_a_rule_and_gives_what_it_says(recorded: list[Lines], replay: Replay) -> None:
    assert RULES.by_event.keys() == EVENTS.keys()
    assert all(rule.actions or rule.note for rule in RULES.by_event.values())


def byzantine(lines: Lines, *votes: dict[str, Any]) -> Lines:
    """The run with messages of the Byzantine attester's making, one for each vote, published before everything else."""
    node = lines[0]["byzantine"][0]
    registry: dict[str, Any] = {"votes": {}, "min_batch_number": 0}
    published = []
    for vote in votes:
        added = vote.pop("added")
        if added:
            registry = {"votes": {node: vote}, "min_batch_number": 0}
        published.append(
            {"seq": 0, "time": 0, "node": node, "event": "vote_published", "key": node, **vote}
            | {"added": added, "registry": registry}
        )
    lines[1:] = [
        *published,
        {
            "seq": 0,
            "time": 0,
            "event": "end",
            "reason": "time limit",
            "main_qcs": [],
            "gap": False,
            "next_batch_to_attest": 0,
            "registries": {
                name: registry if name == node else {"votes": {}, "min_batch_number": 0} for name in lines[0]["nodes"]
            },
        },
    ]
    for seq, line in enumerate(lines[1:], 1):
        line["seq"] = seq
    return lines


def test_numbers_far_beyond_the_last_batch_keep_their_order(run_of: RunOf, replay: Replay) -> None:
    far = 2**64 - 1
    accepted(
        replay(
            byzantine(
                run_of(27),
                {"number": far - 1, "hash": f"h{far - 1}", "added": True},
                {"number": far, "hash": "h0", "added": True},
                {"number": 5, "hash": "h5", "added": False},
                {"number": far, "hash": f"h{far}", "added": True},
            )
        )
    )


def test_hashes_of_no_batch_compare_bytewise(run_of: RunOf, replay: Replay) -> None:
    accepted(
        replay(
            byzantine(
                run_of(27),
                {"number": 1, "hash": "dull", "added": True},
                {"number": 1, "hash": "evil", "added": True},
                {"number": 1, "hash": "dull", "added": False},
                {"number": 1, "hash": "h0", "added": True},
                {"number": 1, "hash": "h1", "added": True},
                {"number": 1, "hash": "x", "added": True},
                {"number": 1, "hash": "y", "added": True},
                {"number": 1, "hash": "h3", "added": False},
            )
        )
    )


def test_an_order_of_hashes_that_the_model_cannot_have_is_refused(run_of: RunOf, replay: Replay) -> None:
    lines = byzantine(run_of(27), *({"number": 10, "hash": hash, "added": True} for hash in ("h10", "h2")))
    lines[0]["batches"] = 12
    with pytest.raises(MalformedRecording, match="line 3: b votes for 'h2' and 'h10' at number 10"):
        replay(lines)


def test_names_of_the_model_and_of_the_log_are_inverse() -> None:
    subjects = Subjects(3, True, (9, 12), ("dull", "evil"), ("x", "y"))
    for number in (0, 1, 2, 3, 9, 12):
        for hash in ("dull", "evil", "h0", "h3", "h9", "h12", "x", "y"):
            there = subjects.number(number), subjects.variant(number, hash)
            assert (subjects.recorded_numbers[there[0]], subjects.hash(*there)) == (number, hash)


def raw_message(lines: Lines, outcome: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The push and the receipt of the first message of a node's own making with this outcome."""
    sender = lines[0]["byzantine"][0]
    wanted = {"event": "votes_received", "from": sender, "outcome": outcome}
    receipt = next(line for line in lines if wanted.items() <= line.items() and line["votes"])
    pushes = [
        line
        for line in lines
        if {"event": "votes_pushed", "node": sender, "to": receipt["node"]}.items() <= line.items()
    ]
    return next(push for push in reversed(pushes) if push["seq"] < receipt["seq"]), receipt


@pytest.mark.parametrize(
    ("recorded_outcome", "vote", "outcome"),
    [
        ({"error": "duplicate entry"}, {"key": "a", "genesis": "other"}, {"error": "different genesis"}),
        ({"error": "duplicate entry"}, {"key": "stranger", "genesis": "other"}, {"error": "different genesis"}),
        ({"error": "duplicate entry"}, {"key": "a", "signature": "invalid"}, {"error": "bad signature"}),
        ({"added": []}, {"key": "stranger"}, {"added": []}),
        ({"added": []}, {"key": "stranger", "signature": "invalid"}, {"added": []}),
    ],
)
def test_a_made_up_message_fares_as_in_the_registry_in_full_fidelity(
    run_of: RunOf, replay: Replay, recorded_outcome: Any, vote: dict[str, Any], outcome: Any
) -> None:
    lines = run_of(14)
    push, receipt = raw_message(lines, recorded_outcome)
    push["votes"] = receipt["votes"] = [{"number": 4, "hash": "h4"} | vote]
    receipt["outcome"] = outcome
    accepted(replay(lines))
    receipt["outcome"] = {"added": ["a"]} if outcome != {"added": ["a"]} else {"added": []}
    rejected(replay(lines))


def test_a_vote_handed_on_in_a_made_up_message_is_no_action_of_the_model(run_of: RunOf, replay: Replay) -> None:
    lines = run_of(14)
    push, receipt = raw_message(lines, {"added": []})
    push["votes"] = receipt["votes"] = [{"key": "b", "number": 4, "hash": "h4"}]
    receipt["outcome"] = {"added": ["b"]}
    assert rejected(replay(lines)).reason == (
        "a made-up message adds a vote of b, which is not Byzantine, and a has never been sent that vote"
    )


HANDED_ON = """
{"seq": 1, "node": "M", "event": "batch_sealed", "number": 0}
{"seq": 2, "node": "b", "event": "batch_persisted", "number": 0}
{"seq": 3, "node": "b", "event": "commitment_available", "number": 0}
{"seq": 4, "node": "b", "event": "status_polled", "result": 0}
{"seq": 5, "node": "b", "event": "status_changed", "number": 0}
{"seq": 6, "node": "b", "event": "status_read", "by": "attester", "number": 0}
{"seq": 7, "node": "a", "event": "connected", "peer": "b"}
{"seq": 8, "node": "b", "event": "connected", "peer": "a"}
{"seq": 9, "node": "a", "event": "connected", "peer": "M"}
{"seq": 10, "node": "M", "event": "connected", "peer": "a"}
{"seq": 11, "node": "b", "event": "vote_published", "key": "b", "number": 0, "hash": "h0", "added": true, "registry": R}
{"seq": 12, "node": "b", "event": "votes_pushed", "to": "a", "votes": V}
{"seq": 13, "node": "a", "event": "votes_received", "from": "b", "votes": V, "outcome": {"added": ["b"]}, "registry": R}
{"seq": 14, "node": "a", "event": "votes_pushed", "to": "M", "votes": V}
{"seq": 15, "node": "M", "event": "votes_received", "from": "a", "votes": V, "outcome": {"added": ["b"]}, "registry": R}
"""
"""What a Byzantine node does here that makes up its own messages: it passes on an honest vote that it was sent."""


def test_a_byzantine_node_may_pass_on_what_it_was_sent(replay: Replay) -> None:
    registry = '{"votes": {"b": {"number": 0, "hash": "h0"}}, "min_batch_number": 0}'
    text = HANDED_ON.replace("R}", registry + "}").replace("V,", '[{"key": "b", "number": 0, "hash": "h0"}],')
    text = text.replace("V}", '[{"key": "b", "number": 0, "hash": "h0"}]}')
    events = [{"time": 0.0, **json.loads(line)} for line in text.split("\n") if line]
    header = {
        "format": "attestation-log/1",
        "seed": 1,
        "start": "genesis",
        "attesters": {"a": 1, "b": 5},
        "threshold": 5,
        "nodes": ["M", "a", "b"],
        "topology": [["a", "M"], ["b", "M"], ["a", "b"]],
        "byzantine": ["a"],
        "byzantine_mode": "raw",
        "first_batch": 0,
        "batches": 3,
        "store": "async",
        "profile": "log",
    }
    registries = dict.fromkeys("Mab", json.loads(registry))
    end = {"main_qcs": [], "gap": False, "next_batch_to_attest": 0, "registries": registries}
    end = {"seq": 16, "time": 0.0, "event": "end", "reason": "time limit", **end}
    accepted(replay([header, *events, end]))
    assert "has never been sent" in rejected(replay([header, *[e for e in events if e["seq"] != 13], end])).reason


@pytest.mark.slow
def test_as_many_batches_as_the_format_allows_can_be_followed(run_of: RunOf, replay: Replay) -> None:
    lines = run_of(1)
    lines[0]["batches"] = MAX_BATCHES
    accepted(replay(lines))


@pytest.mark.slow
def test_too_many_forged_numbers_are_refused_and_fewer_are_not(run_of: RunOf, replay: Replay) -> None:
    def forged(count: int) -> Lines:
        votes = [{"number": 1000 + number, "hash": "h0", "added": True} for number in range(count)]
        return byzantine(run_of(27), *votes)

    accepted(replay(forged(30)))
    with pytest.raises(MalformedRecording, match=r"line 1: the run needs 2.. batches in the model: .* at most 100"):
        replay(forged(200))
