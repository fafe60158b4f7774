"""A point of no return is none only for want of a next batch: it is one in the scope with one batch more, too."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from random import Random

import pytest

from model.revisions import revision
from model.scope import BadScope, Scope, instance
from model.service import AttestationSystem
from model.system import build
from model.votes import NONE
from properties.claims.catalogue import CATALOGUE, claim
from properties.claims.kinds import Conjunct, Kind
from properties.engines.checking import Check
from properties.engines.confirmation import NotConfirmed, is_closed
from properties.engines.stepper import Stepper
from properties.results.trace import Trace
from properties.results.verdicts import Violated
from properties.stateful.profiles import Profile
from tests.selfchecks.randomness import random_scope

POSSIBLE = [claim for claim in CATALOGUE if claim.kind is Kind.POSSIBLE]

FINAL, OPEN, RESCUED = "final", "open", "rescued by the next batch"

CASES = {
    "the batch was pruned at the attester": (
        *("pr167+era2480+error_returned", Scope(instance("w2,1b0"), 1, pruned="a")),
    ),
    "the only certificate is pruned": ("pr170+era2539", Scope(instance("n1f0b0"), 1, pruned="M", regeneses=1)),
    "messages are too large": ("pr161+era2480", Scope(instance("n2f0b0"), 2, topology="relay", message_limit=1)),
}
"""Scopes in which attestation was said not to begin, although the next batch would have had a certificate."""


def points_of_no_return(name: str, scope: Scope, most: int) -> Iterator[Trace]:
    """The shortest run to each kind of them, if the scope has no more states than that."""
    check = Check(build(revision(name), scope), False, most)
    for verdict in map(check.verdict, POSSIBLE) if check.search.complete else ():
        if isinstance(verdict, Violated):
            yield from verdict.traces


def with_a_batch_more(trace: Trace, most: int) -> str:
    """What the same run leads to there; whether that is final is open where more states follow than that."""
    more = Stepper(build(revision(trace.revision), replace(trace.scope, batches=(trace.scope.batches or 0) + 1)))
    state = more.initial
    for step in trace.steps:
        state = more.apply(state, more.index[(step.node, step.call)])
    about = claim(trace.claim)
    goal = next(each.holds for each in about.conjuncts(more.system) if each.sentence == trace.failed)
    try:
        return FINAL if is_closed(more, state, goal, about.without, False, most) else OPEN
    except NotConfirmed:
        return RESCUED


@pytest.mark.parametrize("case", CASES)
def test_nothing_is_final_for_want_of_a_next_batch(case: str) -> None:
    found = {with_a_batch_more(trace, 100_000) for trace in points_of_no_return(*CASES[case], 100_000)}
    assert found <= {FINAL, OPEN}


def test_nothing_is_final_for_want_of_a_next_batch_in_random_scopes(profile: Profile, seed: int) -> None:
    random, final = Random(seed), 0
    while final < profile.models:
        try:
            for trace in points_of_no_return(*random_scope(random), 20_000):
                found = with_a_batch_more(trace, 20_000)
                assert found in (FINAL, OPEN), trace
                final += found == FINAL
        except BadScope:
            continue


def test_a_batch_more_rescues_what_is_final_only_without_it() -> None:
    """The comparison can fail: the claim as it once was."""
    name, scope = CASES["the batch was pruned at the attester"]
    check = Check(build(revision(name), scope))
    was = replace(claim("attestation_can_start"), conjuncts=_with_or_without_a_next_batch)
    verdict = check.verdict(was)
    assert isinstance(verdict, Violated)
    assert [with_a_batch_more(trace, 100_000) for trace in verdict.traces] == [RESCUED]


def _with_or_without_a_next_batch(system: AttestationSystem) -> tuple[Conjunct, ...]:
    (conjunct,) = claim("attestation_can_start").conjuncts(system)
    is_missing = system.main.store.certified.largest == NONE
    return (replace(conjunct, when=is_missing & system.is_to_attest(system.state.sealed - 1)),)
