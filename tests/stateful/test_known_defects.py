"""Known defects stay findable: Hypothesis finds each from scratch, and what it finds shortens to about the shortest.

A defect is a violation in the table of expectations, of one kind, on one revision. It is searched for in the smallest
scope of the table that has it. That it is there, and how few steps lead to it, is asked of the exhaustive search of
that scope; so one that is gone fails here, and one that is new and cannot be found this way does, too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from statistics import median_high

import pytest

from model.revisions import CONTROLLER, REGISTRY, REVISIONS, of_design
from model.system import build
from properties.claims.catalogue import claim
from properties.claims.kinds import Kind
from properties.engines.checking import Check
from properties.engines.packing import Packing
from properties.engines.stepper import Stepper
from properties.results.expected import expectations
from properties.results.ledger import same_systems
from properties.results.trace import replay
from properties.results.verdicts import Violated
from properties.scopes.plans import PLANS
from properties.stateful.profiles import Profile
from properties.stateful.search import Condition, Finding, holds, search

BUDGET, LONGEST, MARGIN = 20_000, 80, 2
"""How many runs at most, of how many steps; and how much longer than the shortest run the shortened one may be."""
FEW, MANY = 10, 200
"""How many of the runs that end in a defect are shortened; many where the shortest of few is too long."""

SCOPES = {plan.name: plan for plan in PLANS}
VIOLATED = "VIOLATED"

NOT_FOUND = {
    ("pr161+era2539", "one_batch_at_a_time", ""),
    ("pr175+era2657", "honest_attesters_sign_once", ""),
}
"""What 20,000 runs do not find with every one of three seeds: the vote of the one honest attester of six, after the
others had a batch left out; and two forks with an attester astray on each."""

QUICK = {
    ("n1f0b0, 3 batches, joined, restarts=any, restarting=M", of_design(REGISTRY)[0]),
    ("n1f0b0, 3 batches, joined, pruned=M", of_design(CONTROLLER)[0]),
}
"""What the quick profile tries: a scope on the first revision of each design."""

RARE = {
    "n2f0b0, 3 batches, joined, main_attests=yes, echo=yes, restarts=any, restarting=M",
    "n1f0b0, 4 batches, joined, restores=1, restarts=any, restarting=M",
}
"""Scopes where a defect takes thousands of runs: the deep profile tries them."""


@dataclass(frozen=True)
class Defect:
    """One kind of violation of a property, or the only one, on a revision, in a scope of the table of expectations."""

    revision: str
    scope: str
    claim: str
    kind: str | None

    def __str__(self) -> str:
        return f"{self.revision}, {self.scope}, {self.claim}{f': {self.kind}' if self.kind else ''}"


def expected_defects() -> Iterator[Defect]:
    """All of the table, each in the smallest scope that has it."""
    smallest: dict[tuple[str, str, str], tuple[int, str]] = {}
    for revision in REVISIONS:
        for scope, row in expectations()[revision].items():
            for name, kind in violations(row):
                here, key = (int(row["states"]), scope), (revision, name, kind)
                smallest[key] = min(here, smallest.get(key, here))
    for (revision, name, kind), (_, scope) in smallest.items():
        if (revision, name, kind) not in NOT_FOUND:
            yield Defect(revision, scope, name, kind or None)


def violations(row: dict[str, object]) -> Iterator[tuple[str, str]]:
    """The properties that a row of the table has as violated, with each kind, or an empty one."""
    for name, verdict in row.items():
        word, _, kinds = str(verdict).partition(": ")
        if word == VIOLATED:
            yield from ((name, kind) for kind in kinds.split(", "))


def places() -> dict[tuple[str, str], list[Defect]]:
    """The scopes and revisions to search, with the defects that each must have."""
    found: dict[tuple[str, str], list[Defect]] = {}
    for defect in expected_defects():
        found.setdefault((defect.scope, defect.revision), []).append(defect)
    return found


@cache
def alike(scope: str, revision: str) -> list[str]:
    """The revisions, this one among them, that are the same system in this scope and have defects to be found there."""
    groups = [names for _, names in same_systems(REVISIONS, SCOPES[scope])]
    return [name for names in groups if revision in names for name in names if (scope, name) in places()]


@pytest.mark.parametrize(("scope", "revision"), places())
def test_each_defect_is_found_from_scratch_and_shortens_to_about_the_shortest_run(
    scope: str, revision: str, profile: Profile, show: Callable[[str], None]
) -> None:
    if profile.quick and (scope, revision) not in QUICK:
        pytest.skip(f"profile {profile.name} tries one scope on the first revision of each design")
    if scope in RARE and not profile.larger:
        pytest.skip("a defect takes thousands of runs here: --hypothesis-profile=deep runs it")
    first, *others = alike(scope, revision)
    if first != revision:
        pytest.skip(f"the same system as {first}, where it is searched for")
    system = build(REVISIONS[revision], SCOPES[scope].scope)
    defects = {replace(defect, revision=revision) for name in (first, *others) for defect in places()[scope, name]}
    takes_all_states = any(claim(defect.claim).kind is Kind.POSSIBLE for defect in defects)
    is_symmetric = SCOPES[scope].symmetry and Packing(system).has_symmetry
    check = Check(system, is_symmetric and not takes_all_states)
    sought = {defect: Sought.of(defect, check) for defect in sorted(defects, key=str)}
    found = [found_with(seed, check, sought) for seed in range(profile.seeds)]
    for defect, known in sought.items():
        show(row(defect, known.shortest, [findings[defect] for findings in found]))


@dataclass(frozen=True)
class Sought:
    """What the exhaustive search knows of a defect: whether a state is one, and how many steps the shortest run has
    that ends in it, or, where it is a run that goes on for ever, gets to where it does."""

    condition: Condition
    shortest: int

    @staticmethod
    def of(defect: Defect, check: Check) -> Sought:
        verdict = check.verdict(claim(defect.claim))
        assert isinstance(verdict, Violated), f"{defect}: the exhaustive search does not have it"
        (trace,) = (trace for trace in verdict.traces if trace.kind == defect.kind)
        steps = len(trace.steps) if trace.loop is None else trace.loop
        return Sought(check.violating(claim(defect.claim))[defect.kind], steps)


def found_with(seed: int, check: Check, sought: dict[Defect, Sought]) -> dict[Defect, Finding]:
    """What this seed finds: all of the defects, each in about as few steps as there can be."""
    conditions = {defect: known.condition for defect, known in sought.items()}
    found = search(check.stepper, conditions, seed, BUDGET, LONGEST, FEW)
    for defect, known in sought.items():
        assert defect in found, f"{defect}: not found with seed {seed}"
        most = known.shortest + MARGIN
        if len(found[defect].actions) > most:
            found |= search(check.stepper, {defect: known.condition}, seed, BUDGET, LONGEST, MANY)
        steps = len(found[defect].actions)
        assert known.shortest <= steps <= most, f"{defect}: {steps} steps, seed {seed}; shortest: {known.shortest}"
        assert known.condition(replay(found[defect].trace(check.stepper, defect.claim), check.stepper))
    return found


def row(defect: Defect, shortest: int, found: list[Finding]) -> str:
    """The figures of one defect, as in `docs/known-defects.md`: the steps of the shortest run; the least, median and
    largest number of runs until a seed found it, and of steps after shortening."""
    runs, steps = [one.runs for one in found], [len(one.actions) for one in found]
    name = f"`{defect.claim}`{f': `{defect.kind}`' if defect.kind else ''}"
    figures = [f"{min(each):,} · {median_high(each):,} · {max(each):,}" for each in (runs, steps)]
    return f"| {name} | {defect.revision} | {defect.scope} | {shortest} | {' | '.join(figures)} |"


def test_what_is_not_there_is_not_found() -> None:
    system = build(REVISIONS["pr161+era2539"], SCOPES["n1f0b0, 3 batches, joined, restarts=any, restarting=M"].scope)
    stepper = Stepper(system)
    (conjunct,) = claim("no_gaps_on_main_node").conjuncts(system)
    assert search(stepper, {"gap": holds(stepper, conjunct.when & ~conjunct.holds)}, 0, 100, LONGEST) == {}


def test_the_same_seed_finds_the_same_run() -> None:
    check = Check(build(REVISIONS["pr161+era2480"], SCOPES["n1f0b0, 3 batches, joined, pruned=M"].scope))
    condition = check.violating(claim("attestation_starts_at_first_batch"))
    first, again, other = (search(check.stepper, condition, seed, BUDGET, LONGEST) for seed in (1, 1, 2))
    assert first == again != other
