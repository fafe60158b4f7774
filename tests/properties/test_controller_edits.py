"""Every kind of edit to a recording of the controller is noticed, and where it was made."""

import copy
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import pytest

from properties.recordings import Difference, replay_controller
from properties.recordings.format import MalformedRecording, open_recording

ROOT = Path(__file__).parents[2]
SAMPLED = 3

with open_recording(ROOT / "tests" / "conformance" / "controller.jsonl.gz") as recorded_lines:
    LINES = list(recorded_lines)

Json = dict[str, Any]
Edit = Callable[[Json, int], str | None]
"""Edits a scenario at a step, in place. Returns where the difference must be: a path from the step; `input` where the
effect is left to the model; none, with nothing changed, if the edit does not apply there."""

INPUT = "input"
EDITS: dict[str, Edit] = {}


def edit(function: Callable[[Json], str | None]) -> Callable[[Json], str | None]:
    """An edit of one step, whatever comes before."""
    EDITS[function.__name__.replace("_", " ")] = lambda scenario, at: function(scenario["steps"][at])
    return function


def contextual(function: Edit) -> Edit:
    """An edit that looks at the steps before, or changes the scenario."""
    EDITS[function.__name__.replace("_", " ")] = function
    return function


# What was observed


@edit
def refused_start_accepted(step: Json) -> str | None:
    if step["op"] != "start_attestation" or step["result"] == "ok":
        return None
    step["result"] = "ok"
    return "result"


@edit
def accepted_start_refused(step: Json) -> str | None:
    if step["op"] != "start_attestation" or step["result"] != "ok":
        return None
    step["result"] = {"error": "number"}
    return "result"


@edit
def start_refused_for_the_other_reason(step: Json) -> str | None:
    if step["op"] != "start_attestation" or step["result"] == "ok":
        return None
    step["result"] = {"error": {"number": "genesis", "genesis": "number"}[step["result"]["error"]]}
    return "result.error"


@edit
def list_with_an_error_accepted(step: Json) -> str | None:
    if step["op"] != "insert_votes" or step["result"] == "ok":
        return None
    step["result"] = "ok"
    return "result"


@edit
def list_without_error_refused(step: Json) -> str | None:
    if step["op"] != "insert_votes" or step["result"] != "ok":
        return None
    step["result"] = {"error": "signature"}
    return "result"


@edit
def list_refused_for_another_reason(step: Json) -> str | None:
    if step["op"] != "insert_votes" or step["result"] == "ok":
        return None
    step["result"] = {"error": "genesis" if step["result"]["error"] == "hash" else "hash"}
    return "result.error"


@edit
def published_or_not(step: Json) -> str:
    step["published"] = not step["published"]
    return "published"


@edit
def another_number_attested(step: Json) -> str | None:
    if step["state"]["info"] is None:
        return None
    step["state"]["info"]["number"] ^= 1
    return "state.info.number"


@edit
def another_hash_attested(step: Json) -> str | None:
    if step["state"]["info"] is None:
        return None
    step["state"]["info"]["hash"] += "?"
    return "state.info.hash"


@edit
def another_fork_attested(step: Json) -> str | None:
    if step["state"]["info"] is None:
        return None
    step["state"]["info"]["genesis"] += "?"
    return "state.info.genesis"


@contextual
def another_committee_attests(scenario: Json, at: int) -> str | None:
    """Even where the other one has the same members: it has another name."""
    info = scenario["steps"][at]["state"]["info"]
    others = [name for name in scenario["committees"] if info and name != info["committee"]]
    if not others:
        return None
    info["committee"] = others[0]
    return "state.info.committee"


@edit
def state_forgotten(step: Json) -> str | None:
    if step["state"]["info"] is None:
        return None
    step["state"]["info"] = None
    return "state.info"


@edit
def vote_missing_from_the_state(step: Json) -> str | None:
    votes = step["state"]["votes"]
    return f"state.votes.{votes.popitem()[0]}" if votes else None


@edit
def vote_too_many_in_the_state(step: Json) -> str:
    step["state"]["votes"]["stranger"] = {"number": 1, "hash": "h1", "genesis": "g0"}
    return "state.votes.stranger"


@edit
def held_vote_changed(step: Json) -> str | None:
    for key, vote in step["state"]["votes"].items():
        vote["number"] ^= 1
        return f"state.votes.{key}.number"
    return None


@edit
def weight_off_by_one(step: Json) -> str:
    step["state"]["total_weight"] ^= 1
    return "state.total_weight"


@edit
def vote_missing_from_an_answer(step: Json) -> str | None:
    if step["op"] != "votes" or not step["result"]:
        return None
    step["result"].pop()
    return f"result.{len(step['result'])}"


@edit
def vote_too_many_in_an_answer(step: Json) -> str | None:
    if step["op"] != "votes":
        return None
    batch = {name: step[name] for name in ("number", "hash", "genesis")}
    step["result"].append({"key": "stranger"} | batch)
    return f"result.{len(step['result']) - 1}"


@edit
def answer_out_of_order(step: Json) -> str | None:
    if step["op"] != "votes" or len(step["result"]) < 2:
        return None
    step["result"].reverse()
    return "result.0.key"


@edit
def certificate_denied(step: Json) -> str | None:
    if step["op"] not in ("cert", "wait_for_cert") or not isinstance(step["result"], dict):
        return None
    step["result"] = None
    return "result"


@edit
def certificate_made_up(step: Json) -> str | None:
    info = step["state"]["info"]
    if step["op"] not in ("cert", "wait_for_cert") or isinstance(step["result"], dict) or info is None:
        return None
    message = {name: info[name] for name in ("number", "hash", "genesis")}
    step["result"] = {"message": message, "signers": sorted(step["state"]["votes"]), "verifies": True}
    return "result"


@edit
def signer_missing(step: Json) -> str | None:
    if step["op"] not in ("cert", "wait_for_cert") or not isinstance(step["result"], dict):
        return None
    step["result"]["signers"].pop()
    return f"result.signers.{len(step['result']['signers'])}"


@edit
def certificate_over_another_hash(step: Json) -> str | None:
    if step["op"] not in ("cert", "wait_for_cert") or not isinstance(step["result"], dict):
        return None
    step["result"]["message"]["hash"] += "?"
    return "result.message.hash"


@edit
def certificate_verifies_or_not(step: Json) -> str | None:
    if step["op"] not in ("cert", "wait_for_cert") or not isinstance(step["result"], dict):
        return None
    step["result"]["verifies"] = not step["result"]["verifies"]
    return "result.verifies"


@edit
def wait_skipped_instead_of_pending(step: Json) -> str | None:
    if step["op"] != "wait_for_cert" or isinstance(step["result"], dict):
        return None
    step["result"] = "pending" if step["result"] is None else None
    return "result"


@edit
def diff_denied(step: Json) -> str | None:
    if step["op"] != "diff" or step["result"] == "pending":
        return None
    step["result"] = "pending"
    return "result"


@edit
def empty_diff_made_up(step: Json) -> str | None:
    if step["op"] != "diff" or step["result"] != "pending":
        return None
    step["result"] = {"info": None, "votes": []}
    return "result"


@edit
def diff_without_info(step: Json) -> str | None:
    if step["op"] != "diff" or step["result"] == "pending" or step["result"]["info"] is None:
        return None
    step["result"]["info"] = None
    return "result.info"


@edit
def diff_with_info_too_many(step: Json) -> str | None:
    if step["op"] != "diff" or step["result"] == "pending" or step["result"]["info"] is not None:
        return None
    step["result"]["info"] = step["state"]["info"]
    return "result.info"


@edit
def vote_missing_from_a_diff(step: Json) -> str | None:
    if step["op"] != "diff" or step["result"] == "pending" or not step["result"]["votes"]:
        return None
    step["result"]["votes"].pop()
    return f"result.votes.{len(step['result']['votes'])}"


@contextual
def threshold_off_by_one(scenario: Json, at: int) -> str:
    name = Random(at).choice(list(scenario["thresholds"]))
    scenario["thresholds"][name] += 1
    return f"thresholds.{name}"


# What was done


def before(scenario: Json, at: int) -> Json:
    """The state before a step."""
    fresh: Json = {"info": None, "votes": {}, "total_weight": 0}
    return scenario["steps"][at - 1]["state"] if at else fresh


def added(scenario: Json, at: int) -> list[Json]:
    """The votes of a list that were added."""
    step = scenario["steps"][at]
    if step["op"] != "insert_votes":
        return []
    news = step["state"]["votes"].keys() - before(scenario, at)["votes"].keys()
    return [vote for vote in step["votes"] if vote["key"] in news]


def changed_vote(**changes: Any) -> Edit:
    """Another vote in place of one that was added."""

    def apply(scenario: Json, at: int) -> str | None:
        for vote in added(scenario, at):
            vote |= changes
            return INPUT
        return None

    return apply


EDITS |= {
    "added vote with a bad signature": changed_vote(signature="invalid"),
    "added vote on another fork": changed_vote(genesis="g?"),
    "added vote over another hash": changed_vote(hash="?"),
    "added vote on a number far away": changed_vote(number=2**64 - 7),
    "added vote of a stranger": changed_vote(key="stranger"),
}


@contextual
def added_vote_left_out(scenario: Json, at: int) -> str | None:
    votes = scenario["steps"][at].get("votes", [])
    for vote in added(scenario, at):
        if [other["key"] for other in votes].count(vote["key"]) == 1:
            votes.remove(vote)
            return INPUT
    return None


@contextual
def added_vote_twice_in_a_list(scenario: Json, at: int) -> str | None:
    if scenario["steps"][at]["result"] != "ok":
        return None
    for vote in added(scenario, at):
        scenario["steps"][at]["votes"].append(vote)
        return INPUT
    return None


@contextual
def error_moved_to_the_front_of_a_list(scenario: Json, at: int) -> str | None:
    step = scenario["steps"][at]
    if not added(scenario, at) or step["result"] not in ({"error": "hash"}, {"error": "genesis"}):
        return None
    faulty = {"hash": before(scenario, at)["info"]["hash"], "genesis": before(scenario, at)["info"]["genesis"]}
    name = step["result"]["error"]
    culprit = next(vote for vote in step["votes"] if vote[name] != faulty[name])
    step["votes"].remove(culprit)
    step["votes"].insert(0, culprit)
    return INPUT


@contextual
def fresh_start_of_a_lower_number(scenario: Json, at: int) -> str | None:
    step, info = scenario["steps"][at], before(scenario, at)["info"]
    if step["op"] != "start_attestation" or not step["published"] or info is None:
        return None
    step["number"] = info["number"]
    return INPUT


@contextual
def fresh_start_of_another_number(scenario: Json, at: int) -> str | None:
    step = scenario["steps"][at]
    if step["op"] != "start_attestation" or not step["published"]:
        return None
    step["number"] ^= 1
    return INPUT


@contextual
def fresh_start_by_another_committee(scenario: Json, at: int) -> str | None:
    step = scenario["steps"][at]
    others = [name for name in scenario["committees"] if name != step.get("committee")]
    if step["op"] != "start_attestation" or not step["published"] or not others:
        return None
    step["committee"] = others[0]
    return INPUT


@contextual
def no_key_of_its_own(scenario: Json, at: int) -> str | None:
    step = scenario["steps"][at]
    if step["op"] != "start_attestation" or not step["published"] or not step["state"]["votes"]:
        return None
    scenario["key"] = None
    return INPUT


@contextual
def publishing_step_left_out(scenario: Json, at: int) -> str | None:
    """Where the next step publishes as well, nobody may have seen what this one did."""
    if not scenario["steps"][at]["published"] or at + 1 == len(scenario["steps"]):
        return None
    if scenario["steps"][at + 1]["published"]:
        return None
    del scenario["steps"][at]
    return INPUT


@contextual
def added_list_twice(scenario: Json, at: int) -> str | None:
    if not added(scenario, at):
        return None
    scenario["steps"].insert(at, copy.deepcopy(scenario["steps"][at]))
    return INPUT


@contextual
def answer_asked_with_another_hash(scenario: Json, at: int) -> str | None:
    step = scenario["steps"][at]
    if step["op"] != "votes" or not step["result"]:
        return None
    step["hash"] += "?"
    return INPUT


@contextual
def wait_for_the_number_before(scenario: Json, at: int) -> str | None:
    step = scenario["steps"][at]
    if step["op"] != "wait_for_cert" or not isinstance(step["result"], dict) or not step["number"]:
        return None
    step["number"] -= 1
    return INPUT


@contextual
def subscriber_left_out(scenario: Json, at: int) -> str | None:
    step = scenario["steps"][at]
    if step["op"] != "subscribe" or not any(later["op"] == "subscribe" for later in scenario["steps"][at + 1 :]):
        return None
    del scenario["steps"][at]
    return INPUT


@contextual
def diff_told_to_the_other_subscriber(scenario: Json, at: int) -> str | None:
    step = scenario["steps"][at]
    if step["op"] != "diff" or step["result"] == "pending":
        return None
    told = [later for later in scenario["steps"][:at] if later["op"] == "diff"]
    if not told or told[-1]["id"] == step["id"]:
        return None
    latest = scenario["steps"].index(told[-1])
    if any(between["published"] for between in scenario["steps"][latest:at]):
        return None
    step["id"] = told[-1]["id"]
    return INPUT


@contextual
def heavier_committee(scenario: Json, at: int) -> str | None:
    """With its threshold, so that it shows only where its weight does."""
    step = scenario["steps"][at]
    if step["op"] != "insert_votes" or not added(scenario, at):
        return None
    name = step["state"]["info"]["committee"]
    weights = scenario["committees"][name]
    if sum(weights.values()) > 2**62:
        return None
    weights |= {key: 2 * weight for key, weight in weights.items()}
    total = sum(weights.values())
    scenario["thresholds"][name] = total - (total - 1) // 5
    return INPUT


# Samples


@dataclass(frozen=True)
class Edited:
    """A scenario with an edit at a step, where the difference must be, and what stood there."""

    scenario: Json
    at: int
    path: str

    @property
    def line(self) -> str:
        """As it stands in a recording."""
        return json.dumps(self.scenario)


def sample(lines: list[str], kind: str, count: int) -> Iterator[Edited]:
    """Scenarios with an edit of this kind, each at a place drawn by lot; the same in every test run."""
    random, found = Random(kind), 0
    while found < count:
        scenario = json.loads(random.choice(lines))
        places = list(range(len(scenario["steps"])))
        random.shuffle(places)
        for at in places:
            path = EDITS[kind](scenario, at)
            if path is not None:
                yield Edited(scenario, at, path)
                found += 1
                break


def outcome(edited: Edited) -> Difference | MalformedRecording:
    """What a replay of the edited scenario, after an unedited one, ends in."""
    try:
        difference = replay_controller([LINES[0], edited.line])
    except MalformedRecording as malformed:
        return malformed
    assert isinstance(difference, Difference), "the edit is not noticed"
    return difference


@pytest.mark.parametrize("kind", sorted(EDITS))
def test_an_edited_recording_is_noticed(kind: str) -> None:
    for edited in sample(LINES, kind, SAMPLED):
        noticed = outcome(edited)
        if isinstance(noticed, MalformedRecording):
            assert (edited.path, noticed.line) == (INPUT, 2)
        elif edited.path == INPUT:
            assert noticed.scenario == edited.scenario["name"]
        else:
            at = None if edited.path.startswith("thresholds") else edited.at
            assert (noticed.step, noticed.field) == (at, edited.path)


def test_the_page_lists_every_kind_of_edit() -> None:
    assert len(EDITS) >= 20
    page = (ROOT / "docs" / "replay.md").read_text(encoding="utf-8")
    table = re.search(r"test_controller_edits\.py.*?\n((?:\|[^\n]*\n)+)", page, re.DOTALL)
    assert table is not None
    assert re.findall(r"^\| (.+) \|$", table[1], re.MULTILINE)[2:] == list(EDITS)
