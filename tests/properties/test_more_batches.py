"""A point of no return is none only for want of a next batch: it is one in the scope with one batch more, too."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from random import Random

import pytest

from model.revisions import revision
from model.scope import BadScope, Scope, instance
from model.system import build
from properties.claims.catalogue import CATALOGUE
from properties.claims.kinds import Kind
from properties.engines.checking import Check
from properties.engines.confirmation import is_closed
from properties.engines.stepper import Stepper
from properties.results.trace import Trace
from properties.results.verdicts import Violated
from properties.stateful.profiles import Profile
from tests.selfchecks.randomness import random_scope

POSSIBLE = [claim for claim in CATALOGUE if claim.kind is Kind.POSSIBLE]

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


def is_one_with_a_batch_more(trace: Trace, most: int) -> bool:
    """Whether the same run leads to one there, unless so many states follow. Raises `NotConfirmed` if it does not."""
    more = Stepper(build(revision(trace.revision), replace(trace.scope, batches=(trace.scope.batches or 0) + 1)))
    state = more.initial
    for step in trace.steps:
        state = more.apply(state, more.index[(step.node, step.call)])
    claim = next(each for each in POSSIBLE if each.name == trace.claim)
    goal = next(each.holds for each in claim.conjuncts(more.system) if each.sentence == trace.failed)
    return is_closed(more, state, goal, claim.without, False, most)


@pytest.mark.parametrize("case", CASES)
def test_nothing_is_final_for_want_of_a_next_batch(case: str) -> None:
    """`NotConfirmed` is the failure."""
    for trace in points_of_no_return(*CASES[case], 100_000):
        is_one_with_a_batch_more(trace, 100_000)


def test_nothing_is_final_for_want_of_a_next_batch_in_random_scopes(profile: Profile, seed: int) -> None:
    random, found = Random(seed), 0
    while found < profile.models:
        try:
            for trace in points_of_no_return(*random_scope(random), 20_000):
                found += is_one_with_a_batch_more(trace, 20_000)
        except BadScope:
            continue
