"""A committee with more votes than a message can have: what it loses in each design, and what cures it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from model.revisions import CONTROLLER, NEVER, PROPOSALS, REGISTRY, REVISIONS, of_design, revision
from model.scope import BAD_SIGNATURE, Scope, instance
from model.system import build
from properties.claims.catalogue import claim
from properties.engines.checking import Check
from properties.engines.stepper import Stepper
from properties.results.verdicts import Verdict, Violated

CROWDED = Scope(instance("n2f0b0"), batches=1, echo=True, message_limit=1)
RELAYED = replace(CROWDED, topology="relay", echo=False)
CALLED = replace(CROWDED, batches=2, call_steps=True)
STARTING = [name for name in of_design(REGISTRY) if REVISIONS[name].executor != NEVER]


def verdict(name: str, scope: Scope, claimed: str = "progress_possible") -> Verdict:
    return Check(build(revision(name), scope)).verdict(claim(claimed))


def shortest(found: Verdict) -> dict[str | None, int]:
    assert isinstance(found, Violated)
    return {trace.kind: len(trace.steps) for trace in found.kinds}


@pytest.mark.slow
@pytest.mark.parametrize("name", STARTING)
@pytest.mark.parametrize("scope", [CROWDED, RELAYED], ids=["late attester", "relay"])
def test_without_any_fault_the_main_node_waits_for_ever(name: str, scope: Scope) -> None:
    found = shortest(verdict(name, scope))
    assert set(found) == {"message_too_large"}
    assert 9 <= found["message_too_large"] <= 11


@pytest.mark.parametrize("name", [name for name in STARTING if "era2539" in name])
def test_a_bad_vote_is_not_to_blame_for_a_message_that_is_too_large(name: str) -> None:
    """Found by Hypothesis: PR 170 ignores bad signatures, and closes the connection on which too many votes come."""
    bad = replace(RELAYED, bad_votes=BAD_SIGNATURE, some_bad_votes=True)
    skips = revision(name).skips_bad_signatures
    assert verdict(name, bad, "connections_survive_bad_votes").word == ("EXHAUSTED" if skips else "VIOLATED")
    assert set(shortest(verdict(name, bad))) == {"message_too_large"}
    always = shortest(verdict(name, replace(bad, some_bad_votes=False)))
    assert ("messages_refused" in always) == (not skips)


@pytest.mark.slow
@pytest.mark.parametrize("scope", [CROWDED, RELAYED, replace(RELAYED, batches=2)])
@pytest.mark.parametrize("claimed", ["progress_possible", "every_batch_certified", "no_gaps_on_main_node"])
def test_pushing_in_pieces_cures_it(claimed: str, scope: Scope) -> None:
    assert "pr170+era2539+votes_in_pieces" in PROPOSALS
    assert verdict("pr170+era2539+votes_in_pieces", scope, claimed).word in ("EXHAUSTED", "NOT_APPLICABLE")


@pytest.mark.slow
def test_calling_in_pieces_cures_it_with_controllers() -> None:
    name = "pr175+era3512"
    assert shortest(verdict(name, CALLED)) == {"message_too_large": 9}
    for claimed in ("progress_possible", "every_batch_certified", "early_votes_arrive"):
        assert verdict(name, CALLED, claimed).word == "VIOLATED"
        assert verdict(f"{name}+calls_in_pieces", CALLED, claimed).word == "EXHAUSTED"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["pr161+era2539", "pr175+era2657"])
def test_a_limit_that_grows_with_the_committee_is_none(name: str) -> None:
    steps = {"call_steps": REVISIONS[name].design == CONTROLLER}
    limited = Check(build(revision(name), replace(CROWDED, message_limit=2, **steps)))
    free = Check(build(revision(name), replace(CROWDED, message_limit=0, **steps)))
    assert limited.search.states == free.search.states
    assert limited.verdict(claim("progress_possible")).word == "EXHAUSTED"


@pytest.mark.parametrize("name", ["pr161+era2539", "pr170+era2539+votes_in_pieces"])
def test_no_message_is_received_that_is_too_large_and_in_pieces_none_is_sent(name: str) -> None:
    stepper = Stepper(build(revision(name), RELAYED))
    todo, seen, sizes = [stepper.initial], {stepper.initial}, {"receive_votes": set[int](), "refuse_votes": set[int]()}
    while todo:
        state = todo.pop()
        named = dict(stepper.named(state))
        size = sum(named[f"X-M.in_flight.{key}.number"] >= 0 for key in "ab")
        for place, after in stepper.successors(state):
            action = stepper.action(place)
            if dict(action.arguments).get("from") == "X":
                sizes[action.name].add(size)
            if after not in seen:
                seen.add(after)
                todo.append(after)
    in_pieces = name.endswith("votes_in_pieces")
    assert sizes == {"receive_votes": {1}, "refuse_votes": set() if in_pieces else {2}}
