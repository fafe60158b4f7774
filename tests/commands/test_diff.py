"""`attestation diff`: what changes from one revision to another."""

from __future__ import annotations

import json
from collections.abc import Iterator
from unittest.mock import patch

import pytest

from model.revisions import PARTS, Part, revision
from model.system import build
from properties.cli import main
from properties.engines.checking import Check
from properties.engines.graph import Graph, graph
from properties.engines.memory import NotEnoughMemory
from properties.engines.stepper import Stepper
from properties.results import comparison
from properties.results.comparison import compare, observations, worsens
from properties.results.trace import from_json, replay
from properties.scopes.plans import PLANS, Plan

Capture = pytest.CaptureFixture[str]

SMALL = Plan("n1f0b0", "joined", 2)
FIRST, SECOND = "pr161+era2480", "pr161+era2539"


@pytest.fixture(autouse=True)
def one_scope() -> Iterator[None]:
    """The plain scope alone, in this process."""
    with patch("properties.commands.diff.scopes_of", lambda *_: [SMALL]):
        yield


def test_a_changed_start_changes_verdicts_and_takes_runs_away() -> None:
    found = compare((FIRST, SECOND), SMALL)
    assert found is not None
    assert found.changed["one_batch_at_a_time"] == ("VIOLATED", "EXHAUSTED")
    assert (found.possible, found.is_whole) == (None, True)
    assert found.lost
    assert not found.gained
    assert found.impossible is not None
    assert found.impossible.sights[-1] == {"a goes by batch {}": 1}


def test_a_run_that_is_no_longer_possible_is_one_before_and_none_after() -> None:
    """By the one-step engine: no run of the second revision shows the same."""
    found = compare((FIRST, SECOND), SMALL)
    assert found is not None
    assert found.impossible is not None
    replay(found.impossible.trace)
    wanted = [sight for sight in found.impossible.sights if sight]
    stepper = Stepper(build(revision(SECOND), SMALL.scope))
    seen = observations(stepper.system)  # type: ignore[arg-type] # it is built from a revision
    evaluate = stepper.evaluator(*seen.values())
    waiting, known = [(stepper.initial, 0)], {(stepper.initial, 0)}
    while waiting:
        state, shown = waiting.pop()
        assert shown < len(wanted)
        for _, after in stepper.successors(state):
            rows = zip(seen, evaluate(state), evaluate(after), strict=True)
            change = {name: int(new) for name, old, new in rows if old != new}
            place = (after, shown + bool(change))
            if (not change or change == wanted[shown]) and place not in known:
                known.add(place)
                waiting.append(place)


def test_a_change_of_nothing_is_the_same_system(capsys: Capture) -> None:
    with patch.dict(PARTS, {"idle": Part("nothing", {})}):
        assert main(["diff", FIRST, f"{FIRST}+idle"]) == 0
    assert "the same systems, expression by expression (1 scope, " in capsys.readouterr().out


def test_another_model_that_looks_the_same_is_equal_over_so_many_states(capsys: Capture) -> None:
    same = Plan("n1f0b0", "joined", 2, switches=(("topology", "relay"), ("bad_votes", "foreign genesis")))
    found = compare(("pr167+era2539", "pr169+era2539"), same)
    assert found is not None
    assert (found.is_same_system, found.is_equal, found.states) == (False, True, (125, 151))


@pytest.mark.parametrize("options", [["--max-states", "3"], []])
def test_what_is_cut_short_is_never_equal(options: list[str], capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparison, "MOST_PAIRS", 1)
    assert main(["diff", FIRST, SECOND, *options]) == 3
    printed = capsys.readouterr().out
    assert "CUT SHORT" in printed
    assert "nothing that can be seen" not in printed


def test_a_verdict_that_memory_has_left_open_is_none_that_changes(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the first revision the transitions find no room; of the second they do."""

    def graph_of(done: Check) -> Graph:
        if done.system.revision.name == FIRST:
            raise NotEnoughMemory("1 MB more are needed, and 0 MB are left")
        return graph(done.search)

    monkeypatch.setattr(Check, "graph", property(graph_of))
    assert main(["diff", FIRST, SECOND, "--json"]) == 3
    found = json.loads(capsys.readouterr().out)
    (scope,) = found["scopes"]
    assert (found["complete"], scope["complete"], scope["equal"]) == (False, False, False)
    assert scope["verdicts"]["one_batch_at_a_time"] == ["VIOLATED", "EXHAUSTED"]
    assert "UNKNOWN" not in str(scope["verdicts"])


def test_a_revision_of_ones_own_gets_a_review_comment(capsys: Capture) -> None:
    part = Part("a bad signature ends the connection | for good", {"skips_bad_signatures": False})
    with patch.dict(PARTS, {"strict": part}), patch("properties.commands.diff.scopes_of", lambda *_: [BAD_VOTES]):
        assert main(["diff", "pr170+era2539", "pr170+era2539+strict", "--format", "markdown"]) == 1
    comment = capsys.readouterr().out
    assert comment.startswith("### What `pr170+era2539+strict` changes, compared with `pr170+era2539`\n")
    assert "| `progress_possible` | EXHAUSTED | VIOLATED: messages_refused |" in comment
    assert "**Possible in pr170+era2539, and not in pr170+era2539+strict**" in comment
    assert "\nTo repeat: `attestation diff pr170+era2539 pr170+era2539+strict`\n" in comment


BAD_VOTES = next(plan for plan in PLANS if dict(plan.switches) == {"topology": "relay", "bad_votes": "bad signature"})


def test_for_machines_the_runs_are_traces(capsys: Capture) -> None:
    assert main(["diff", FIRST, SECOND, "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert (found["format"], found["complete"], found["equal"]) == ("attestation-diff/1", True, False)
    assert found["newly_possible"] is None
    trace = from_json(found["no_longer_possible"]["trace"])
    assert len(trace.steps) == len(found["no_longer_possible"]["seen"]) == 3
    replay(trace)


def test_bad_requests(capsys: Capture) -> None:
    assert main(["diff", FIRST, FIRST]) == 2
    assert "name two that differ" in capsys.readouterr().err
    assert main(["diff", FIRST, "nothing"]) == 2
    assert "unknown revision" in capsys.readouterr().err


def test_what_is_worse() -> None:
    assert worsens("EXHAUSTED", "VIOLATED: a")
    assert worsens("VIOLATED: a", "VIOLATED: a, b")
    assert not worsens("VIOLATED: a, b", "VIOLATED: a")
    assert not worsens("VIOLATED", "EXHAUSTED")
