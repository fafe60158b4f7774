"""The sequence diagram tells every transition, sends and receipts apart."""

from __future__ import annotations

import random
import re

import pytest

from model.revisions import CONTROLLER, REGISTRY, revision
from model.scope import Scope, instance
from model.system import build
from properties.engines.stepper import Stepper
from properties.render import FORMATS, controller_design, registry_design
from properties.render.sequence import Form, events
from properties.render.story import Story
from properties.results.trace import Arrangement, Trace, record, system_of

TELLERS = {REGISTRY: registry_design.Teller, CONTROLLER: controller_design.Teller}
WAYS = {name: {*each.handlers, *(about.name for about in each.notes)} for name, each in TELLERS.items()}
STEPS = {"late_answers": True, "finder_steps": True, "attester_steps": True, "own_finders": True}
CALLS = {"late_answers": True, "call_steps": True, "certificate_steps": True, "late_batches": True}
RICH = {
    "stepwise, with faults": (
        "pr170+era2539",
        Scope(instance("n1f0b0"), 2, restarts=2, disconnects=2, late_batches=True, echo=True, **STEPS),
    ),
    "forks": ("pr167+era2480", Scope(instance("n2f0b1"), 2, regeneses=1, pruned="a")),
    "votes handed on": ("pr170+era2539", Scope(instance("n1f0b0"), 2, echo=True, handed_on=True)),
    "controller, stepwise": (
        "pr175+era2657",
        Scope(instance("n2f0b1"), 2, restarts=2, disconnects=2, errors=1, handed_on=True, **CALLS),
    ),
    "controller, joined, with forks": (
        "pr175+era3148",
        Scope(instance("n2f0b1"), 2, regeneses=1, pruned="a", errors=1, stale_answers=1, restores=1, restarts=1),
    ),
    "controller, astray": (
        "pr175+era3512",
        Scope(
            *(instance("n3f0b0"), 2),
            *("relay",),
            **CALLS,
            fallbacks=1,
            divergences=1,
            restarts=1,
            astray="X",
            message_limit=1,
            echo=True,
        ),
    ),
    "relay with bad votes": (
        "pr161+era2539",
        Scope(instance("n2f0b1"), 2, topology="relay", bad_votes="bad signature"),
    ),
}

TEXT = r"\d+\. ([^#;<>]|#\w+;)+"
"""A semicolon ends a statement, and would leave the rest of the text as one that means nothing."""

LINE = re.compile(
    r"sequenceDiagram"
    r"|    participant \w+ as [\w ,]+"
    rf"|    Note over \w+(,\w+)?: {TEXT}"
    rf"|    \w+(-->>|->>|-\)|-x)\w+: {TEXT}"
)


def walk(name: str, scope: Scope, seed: int, length: int) -> Trace:
    """A run that prefers rare actions."""
    stepper = Stepper(build(revision(name), scope))
    choose, state = random.Random(seed), stepper.initial
    taken: list[int] = []
    while len(taken) < length and (enabled := stepper.enabled(state)):
        chosen = choose.choice(sorted({stepper.action(action).name for action in enabled}))
        taken.append(choose.choice([action for action in enabled if stepper.action(action).name == chosen]))
        state = stepper.apply(state, taken[-1])
    return record(stepper, taken, "certificate_stored")


@pytest.mark.parametrize("name", RICH)
def test_every_step_of_a_long_run_is_told(name: str) -> None:
    told: set[str] = set()
    for seed in range(2):
        trace = walk(*RICH[name], seed, 60)
        found = events(Story(trace))
        assert {event.step for event in found} == set(range(1, len(trace.steps) + 1))
        assert all("None" not in event.text for event in found)
        told |= {step.action for step in trace.steps}
        assert all(map(LINE.fullmatch, FORMATS["mermaid"](trace).splitlines()))
    assert told <= WAYS[revision(RICH[name][0]).design]
    assert len(told) >= 8, f"only {sorted(told)} ran"


def test_every_transition_has_its_own_words() -> None:
    for name, scope in RICH.values():
        system = build(revision(name), scope)
        assert {action.name for action in system.actions} <= WAYS[system.revision.design]


VOTED = (("M", "seal_batch()"), ("a", "update_status()"), ("a", "publish_vote()"), ("a", "push_votes(to=M)"))


def played(scope: Scope, *steps: tuple[str, str]) -> list[tuple[Form, str]]:
    """The form and text of the last events of these steps: those of the last step."""
    stepper = Stepper(build(revision("pr161+era2480"), scope))
    trace = record(stepper, [stepper.index[step] for step in steps], "certificate_stored")
    return [(event.form, event.text) for event in events(Story(trace)) if event.step == len(steps)]


def test_what_is_in_flight_is_lost_with_the_connection_and_with_the_node() -> None:
    scope = Scope(instance("n1f0b0"), 2, restarts=1, disconnects=1)
    broken = (Form.NOTE, "the connection breaks and is made again")
    lost = (Form.LOSS, "vote of a: batch 0, lost")
    assert played(scope, *VOTED, ("a", "reconnect(to=M)")) == [broken, lost]
    assert played(scope, *VOTED, ("M", "restart_node()")) == [(Form.NOTE, "restarts"), lost]
    assert played(scope, *VOTED[:3], ("a", "reconnect(to=M)")) == [broken]


def test_a_vote_that_is_pushed_again_is_not_newer() -> None:
    scope = Scope(instance("n1f0b0"), 2, disconnects=1)
    again = (("M", "receive_votes(from=a)"), ("a", "reconnect(to=M)"), VOTED[3], ("M", "receive_votes(from=a)"))
    assert played(scope, *VOTED, *again) == [(Form.SKIP, "vote of a: batch 0, skipped: not newer")]


def test_a_vote_that_the_own_registry_skips_goes_nowhere(stuck: dict[str | None, Trace]) -> None:
    trace = stuck["newer_vote"]
    steps = [(step.node, step.call) for step in trace.steps]
    told = played(trace.scope, *steps, ("a", "update_status()"), ("a", "publish_vote()"))
    assert told == [(Form.SKIP, "own registry skips its vote for batch 1")]


def test_a_skipped_vote_is_crossed_out(vote_lost: Trace) -> None:
    lines = [line.strip() for line in FORMATS["mermaid"](vote_lost).splitlines()]
    assert "a-)gossip: 19. vote of a: batch 1, to M" in lines
    assert "gossip-xM: 20. vote of a: batch 1, skipped: below minimum 2" in lines
    assert lines.index("gossip->>M: 5. vote of b: batch 0") > lines.index("b-)gossip: 4. vote of b: batch 0, to M")


def test_a_node_may_be_called_like_a_keyword_or_like_another_column() -> None:
    arrangement = Arrangement((("end", 1), ("gossip", 1)), frozenset(), ("M", "end", "gossip"), (("end", "M"),))
    scope = Scope(arrangement.instance, 2)
    stepper = Stepper(system_of("pr161+era2480", scope, arrangement))
    steps = ("M", "seal_batch()"), ("end", "update_status()"), ("end", "publish_vote()"), ("end", "push_votes(to=M)")
    trace = record(stepper, [stepper.index[step] for step in steps], "certificate_stored")
    lines = [line.strip() for line in FORMATS["mermaid"](trace.about(arrangement=arrangement)).splitlines()]
    assert "participant node_end as end, an attester" in lines
    assert lines[-1] == "node_end-)gossip: 4. vote of end: batch 0, to M"


def test_an_answer_that_is_news_says_why(vote_lost: Trace) -> None:
    told = {event.step: event.text for event in events(Story(vote_lost))}
    answers = {number: text for number, text in told.items() if "next batch is" in text}
    assert answers == {
        2: "next batch is 0 (no certificate is stored, so the last sealed batch)",
        6: "next batch is 0",
        10: "status: next batch is 0",
        14: "next batch is 1 (no certificate is stored, so the last sealed batch)",
        16: "status: next batch is 2 (no certificate is stored, so the last sealed batch)",
    }


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("pr161+era2539", "no certificate is stored, so the first batch"),
        ("pr161+era2480+start_kept", "no certificate is stored, so the stored start"),
    ],
)
def test_the_reason_is_that_of_the_revision(name: str, why: str) -> None:
    stepper = Stepper(build(revision(name), Scope(instance("n1f0b0"), 2)))
    calls = [("M", call) for call in ("produce_first_block()", "seal_batch()", "store_start()", "update_status()")]
    trace = record(stepper, [stepper.index[call] for call in calls if call in stepper.index], "certificate_stored")
    assert events(Story(trace))[-1].text == f"status: next batch is 0 ({why})"


def test_the_answer_after_a_certificate_names_it(witness: Trace) -> None:
    stepper = Stepper(witness.system)
    calls = [*((step.node, step.call) for step in witness.steps), ("M", "update_status()")]
    trace = record(stepper, [stepper.index[call] for call in calls], "certificate_stored")
    assert events(Story(trace))[-1].text == (
        "status: next batch is 1 (the one after batch 0, the last with a certificate)"
    )


def test_a_call_is_told_as_what_it_pushes_asks_and_brings_back(restored: Trace) -> None:
    told = [(event.form, event.source, event.target, event.text) for event in events(Story(restored))]
    call = (Form.SEND, "a", "M", "votes of a on batch 0, asks for votes")
    assert call in told
    assert (Form.RECEIVE, *call[1:]) in told[told.index(call) :]
    assert (Form.NOTE, "M", "M", "starts batch 2; votes of a on batch 1 are gone") in told
    assert (Form.NOTE, "M", "M", "the certificates from batch 1 on are gone from its database") in told


def called(*steps: tuple[str, str]) -> list[tuple[Form, str]]:
    """The form and text of the events of the last of these steps, where two nodes are attesters of a mesh."""
    scope = Scope(instance("n2f0b0"), 2, topology="mesh", echo=True, call_steps=True)
    stepper = Stepper(build(revision("pr175+era2657"), scope))
    trace = record(stepper, [stepper.index[step] for step in steps], "certificate_stored")
    return [(event.form, event.text) for event in events(Story(trace)) if event.step == len(steps)]


STARTED = (("M", "seal_batch()"), ("a", "start_attestation()"))


def test_a_vote_that_comes_too_early_is_ignored_and_told_so() -> None:
    early = (*STARTED, ("a", "call_peer(to=b)"), ("b", "receive_call(from=a)"))
    assert called(*early) == [
        (Form.SKIP, "votes of a on batch 0, asks for votes; ignored: b has started no batch"),
    ]
    assert called(*early, ("b", "answer_call(from=a)")) == [(Form.SEND, "answer: no votes; b has started no batch")]


def test_votes_that_are_asked_for_come_back_in_the_answer() -> None:
    both = (*STARTED, ("b", "start_attestation()"), ("a", "call_peer(to=b)"), ("b", "receive_call(from=a)"))
    answered = (*both, ("b", "answer_call(from=a)"))
    assert called(*answered) == [(Form.SEND, "answer: votes of a, b on batch 0")]
    assert called(*answered, ("a", "receive_answer(from=b)")) == [(Form.RECEIVE, "answer: votes of a, b on batch 0")]
