"""The 40 recorded runs of real controllers: all are accepted, and nothing is wrong with any of them."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from properties.claims.catalogue import PROTOCOL
from properties.claims.kinds import Kind
from properties.logs.findings import PointOfNoReturn, findings
from properties.logs.following import Accepted, Rejected, follow
from properties.logs.reading import read_runs
from properties.results.trace import as_json, from_json

Lines = list[dict[str, Any]]
Replay = Callable[[Lines], Accepted | Rejected]
RunOf = Callable[[int], Lines]

QUICK = (1, 4, 10, 21, 24, 28, 35, 37)
"""One run of each profile but the longest, by number."""


def accepted(outcome: Accepted | Rejected) -> Accepted:
    assert isinstance(outcome, Accepted), outcome
    return outcome


@pytest.mark.parametrize("number", QUICK)
def test_a_recorded_run_is_accepted(run_of: RunOf, replay: Replay, number: int) -> None:
    outcome = accepted(replay(run_of(number)))
    assert outcome.possibilities == 1
    assert list(findings(outcome)) == []


@pytest.mark.slow
def test_every_recorded_run_is_accepted_and_clean(recorded: list[Lines]) -> None:
    runs = list(read_runs(json.dumps(line) for lines in recorded for line in lines))
    outcomes = [accepted(follow(run)) for run in runs]
    assert len(outcomes) == 40
    assert {outcome.possibilities for outcome in outcomes} == {1}
    assert [outcome.run.number for outcome in outcomes if list(findings(outcome))] == []


def test_properties_are_checked_on_the_runs(run_of: RunOf, replay: Replay) -> None:
    """Those of the protocol that speak about this design have something to say about a run of it."""
    system = accepted(replay(run_of(1))).setting.service
    checked = {each.name for each in PROTOCOL if each.kind is Kind.ALWAYS and list(each.conjuncts(system))}
    assert {"no_gaps_on_main_node", "certificates_verify", "certificates_match_batches"} <= checked


# Runs that get stuck: none was recorded, so one is cut short where nothing but a restart helps.


def stuck_before_restart(lines: Lines) -> Lines:
    """The run up to the restart that would have cured it, with the hashes that were to come, and its end."""
    restart = next(at for at, line in enumerate(lines) if line.get("event") == "node_restarted")
    kept = [line for line in lines[1:restart] if line["event"] != "disconnected"]
    there = {(line["node"], line["number"]) for line in kept if line["event"] == "hash_available"}
    first, count = lines[0]["first_batch"], lines[0]["batches"]
    missing = [
        {"node": node, "event": "hash_available", "number": number, "hash": f"h{number}"}
        for number in range(first, first + count)
        for node in lines[0]["nodes"]
        if (node, number) not in there
    ]
    states = dict.fromkeys(lines[0]["nodes"])
    states |= {line["node"]: line["state"] for line in kept if "state" in line}
    certificates = [line["number"] for line in kept if line["event"] == "qc_inserted"]
    end = {"event": "end", "reason": "stuck", "main_qcs": certificates, "states": states}
    cut = [lines[0], *kept, *missing, end]
    for seq, line in enumerate(cut[1:], 1):
        line |= {"seq": seq, "time": seq}
    return cut


@pytest.mark.slow
def test_a_run_that_got_stuck_is_told_with_its_kind(run_of: RunOf, replay: Replay) -> None:
    """The main node has another hash of the first batch, and nobody's vote fits its own."""
    outcome = accepted(replay(stuck_before_restart(run_of(35))))
    (final,) = findings(outcome)
    assert isinstance(final, PointOfNoReturn)
    assert (final.asked, final.rescued) == (1, 1)
    assert (final.event.kind, final.event.node, final.event["hash"]) == ("attestation_started", "M", "x1")
    assert "other_hash" in final.kinds
    assert final.trace.kind in final.kinds
    assert from_json(json.loads(json.dumps(as_json(final.trace)))) == final.trace


@pytest.mark.parametrize(
    ("without", "problem"),
    [("hash_available", "not stuck: a hash is missing"), ("answer_received", "not stuck: ")],
)
def test_a_run_that_could_go_on_is_not_stuck(run_of: RunOf, replay: Replay, without: str, problem: str) -> None:
    lines = stuck_before_restart(run_of(35))
    del lines[max(at for at, line in enumerate(lines) if line.get("event") == without)]
    outcome = replay(lines)
    assert isinstance(outcome, Rejected)
    assert any(str(candidate.modelled).startswith(problem) for candidate in outcome.candidates)
