"""One run of the prover for one revision: what all theorems share, and how each comes to a result.

A result never says more than the solver did. What the environment may do is among its obligations: where the model
confines it, what is proved is not what the sentence says, and the verdict is that nothing is known.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from model.algebra import Bool, all_of, any_of
from model.revisions import Revision
from model.scope import BAD_SIGNATURE, Scope, instance
from model.system import build
from properties.claims.catalogue import claim
from properties.engines.bounded import Search, Unrolling
from properties.engines.stepper import Stepper
from properties.proofs.environment import confined
from properties.proofs.induction import Induction, first_failure
from properties.proofs.obligations import Answer, Budget, Outcome, Statement, answer_of
from properties.proofs.results import (
    FailedInduction,
    FalseStatement,
    NothingHappens,
    Result,
    Searched,
    failures,
    proved,
)
from properties.results.trace import Trace, record, replay
from properties.results.verdicts import HoldsToDepth, NotApplicable, Proved, Unknown, Verdict, Violated

SEARCH_DEPTH = 32

FORGER_SCOPE = Scope(instance("w5,1b1"), 2)
"""Where a certificate that does not verify is looked for."""

BOUNDED_DEPTH = 10
BOUNDED_SCOPES = (
    replace(FORGER_SCOPE, restarts=1),
    Scope(instance("n1f0b0"), 2, regeneses=1),
    Scope(instance("n1f0b0"), 2, topology="relay", bad_votes=BAD_SIGNATURE),
)
"""Where a property without a theorem is searched: in the first of these that it says something about."""


@dataclass
class Session:
    """What theorems of one revision are proved with.

    `sizes`: the numbers of attesters to prove separately (none: each theorem's own); `among_many`: whether many
    revisions are proved at once, so that what takes long is left out; `repeated`: the theorems that another of them
    has shown already. `depth`: how deep properties without a theorem are searched.
    """

    revision: Revision
    budget: Budget
    sizes: tuple[int, ...] | None = None
    search_seconds: float = 60.0
    among_many: bool = False
    repeated: frozenset[str] = frozenset()
    depth: int = BOUNDED_DEPTH
    _started: float = field(default_factory=time.perf_counter, init=False)

    CERTIFIES: ClassVar[str] = ""
    """The main node's action that stores a certificate; what is proved where it is never possible says nothing."""

    def restart_the_clock(self) -> float:
        """Before a theorem whose time is to be its own. Returns how many seconds have passed since the last time."""
        started, self._started = self._started, time.perf_counter()
        return self._started - started

    def case(self, claim: str, theorem: str, sentence: str) -> Case:
        """A theorem about a property, which says this sentence."""
        return Case(self, claim, theorem, sentence)

    def within(self, theorem: str) -> Budget:
        """The budget of a theorem, whose queries have a folder of their own."""
        return self.budget.within(f"{self.revision.name} {theorem}")

    def why_nothing_happens(self, system: Any) -> str | None:
        """Why nothing that a property speaks about ever happens in this system, if the design knows a reason."""
        return None

    def unless_vacuous(
        self, verdict: Verdict, argument: Induction[Any], possible: Sequence[Outcome]
    ) -> tuple[Verdict, tuple[str, ...]]:
        """The verdict, or that nothing happens that it speaks about; and which actions the invariant excludes."""
        never = [outcome.subject for outcome in possible if outcome.answer is Answer.REFUTED]
        notes = [f"never possible together with the invariant: {', '.join(never)}"] if never else []
        if why := self.why_nothing_happens(argument.system):
            verdict = NothingHappens(why)
        elif self.CERTIFIES in never:
            verdict = NothingHappens("no certificate can ever be stored together with the invariant")
        return verdict, tuple(notes)

    def search(self, name: str, scope: Scope, depth: int = SEARCH_DEPTH) -> tuple[Trace | None, Searched]:
        """The shortest run that violates an `always` property in a bounded scope, with the part of it that fails."""
        system = build(self.revision, scope)
        conjuncts = claim(name).conjuncts(system)
        violations = [part.when & ~part.holds for part in conjuncts]
        folder = self.within(f"search {name} {scope.instance.name}").smt2
        search = Unrolling(system, any_of(violations), smt2=folder).reaches(depth, self.search_seconds)
        searched = Searched(name, f"{scope.instance.name}, {scope.name}", search)
        if search.actions is None:
            return None, searched
        stepper = Stepper(system)
        trace = record(stepper, search.actions, name)
        fails = stepper.evaluator(*violations)(replay(trace, stepper))
        return trace.about(failed=conjuncts[fails.index(1)].sentence), searched

    def bounded(self, name: str) -> Result:
        """What bounded search says of an `always` property that has no theorem."""
        about = claim(name)
        case = self.case(name, f"bounded search, {name}", about.sentence)
        scope = next((each for each in BOUNDED_SCOPES if about.conjuncts(build(self.revision, each))), None)
        if scope is None:
            why = "the property says nothing about this revision in the scopes of bounded search"
            return case.result(NotApplicable(why), [])
        trace, searched = self.search(name, scope, self.depth)
        verdict = Violated(trace) if trace else unreached(searched.search)
        return case.result(
            verdict, [], notes=(f"searched: {searched.scope}, up to {self.depth} steps",), searches=(searched,)
        )


@dataclass(frozen=True)
class Case:
    """A theorem about a property of a session's revision, for a number of attesters or for any: how it comes to a
    result."""

    session: Session
    claim: str
    theorem: str
    sentence: str

    @property
    def budget(self) -> Budget:
        """The budget of the theorem, whose queries have a folder of their own."""
        return self.session.within(self.theorem)

    def result(
        self, verdict: Verdict, outcomes: Sequence[Outcome], environment: Sequence[Outcome] = (), **more: Any
    ) -> Result:
        """A result; the models of the solver stay behind, as they cannot leave the process."""
        more["possible"] = _plain(more.get("possible", ()))
        if isinstance(verdict, Proved) and (less := confined(environment)):
            verdict = Unknown(f"the environment may do less than it should: {less}")
        spent = self.session.restart_the_clock()
        about = (self.session.revision.name, self.claim, self.theorem, self.sentence)
        return Result(*about, verdict, _plain([*outcomes, *environment]), spent, **more)

    def by_induction(
        self,
        argument: Induction[Any],
        how: str,
        about: str,
        environment: Sequence[Outcome] | None = None,
        run: Callable[[], tuple[Trace | None, Searched]] | None = None,
    ) -> Result:
        """The result of an induction, and of what its environment, or another, may do; where it fails, with a run that
        is searched for."""
        outcomes = argument.prove(self.budget)
        if answer_of(outcomes) is Answer.REFUTED:
            return self.refuted(argument, outcomes, None, *(run() if run else ()))
        verdict, _ = self.session.unless_vacuous(proved(outcomes, how, about), argument, ())
        free = argument.environment(self.budget) if environment is None else environment
        return self.result(verdict, outcomes, free)

    def concluded(
        self,
        verdict: Verdict,
        outcomes: Sequence[Outcome],
        argument: Induction[Any],
        environment: Sequence[Outcome],
        *notes: str,
    ) -> Result:
        """The result of an argument beside which it is asked which actions are possible together with its invariant."""
        possible = argument.possible(self.budget.within("possible"))
        verdict, never = self.session.unless_vacuous(verdict, argument, possible)
        return self.result(verdict, outcomes, environment, possible=possible, notes=(*never, *notes))

    def of_statements(
        self, statements: Sequence[Statement], outcomes: Sequence[Outcome], how: str, sizes: str
    ) -> Verdict:
        """The verdict on outcomes of which the last are those of these statements: numbers for which one is false
        refute it."""
        for statement, outcome in zip(statements, outcomes[-len(statements) :], strict=True):
            if outcome.answer is Answer.REFUTED:
                values = statement.counterexample(replace(self.session.budget, smt2=None))
                return FalseStatement(statement.name, values or {})
        return proved(outcomes, how, sizes)

    def refuted(
        self,
        failed: Induction[Any],
        outcomes: Sequence[Outcome],
        failure: Outcome | None = None,
        run: Trace | None = None,
        searched: Searched | None = None,
    ) -> Result:
        """An induction fails: where, the smallest counterexample to the failure (the first of the `outcomes`, or one
        with fewer attesters), and a run that violates the property."""
        failure = failure or first_failure(outcomes)
        assert failure is not None, "an obligation is refuted"
        transit = failed.counterexample(failure, replace(self.session.budget, smt2=None))
        before, after = (transit.before, transit.after) if transit else ({}, {})
        verdict: Verdict = FailedInduction(failure.subject, failure.goal, before, after)
        notes = [f"the induction fails at {failures(outcomes)}"]
        if run:
            verdict = Violated(run)
        elif why := self.session.why_nothing_happens(failed.system):
            verdict = NothingHappens(why)
        elif searched:
            notes.append(no_run(searched))
        searches = (searched,) if searched else ()
        return self.result(verdict, outcomes, transit=transit, notes=tuple(notes), searches=searches)


@dataclass(frozen=True)
class Theorem:
    """A theorem, or one for each of several numbers of attesters.

    `prove` gives its results in a session of its design. `sizes`: the numbers of attesters that are proved by default;
    `few`: the same where many revisions are proved at once; `most`: up to how many attesters the solver is fast enough.
    `takes_long`: left out where many revisions are proved. `depends`: what of a revision it depends on (none: it is
    proved for each); revisions for which that is the same share it.
    """

    name: str
    prove: Callable[[Any, Sequence[int]], Iterator[Result]]
    sizes: tuple[int, ...] = ()
    few: tuple[int, ...] = ()
    most: int = 12
    takes_long: bool = False
    depends: Callable[[Revision], object] | None = None

    def chosen(self, asked: tuple[int, ...] | None, among_many: bool) -> tuple[int, ...]:
        """The numbers of attesters: those asked for, as far as the theorem goes; else its own."""
        if asked is None:
            return (among_many and self.few) or self.sizes
        return tuple(dict.fromkeys(min(size, self.most) for size in asked))


def unreached(search: Search) -> Verdict:
    """The verdict of a search that found nothing; one that gave up knows nothing."""
    if search.why:
        return Unknown(f"the solver gave up beyond depth {search.refuted}: {search.why}")
    return HoldsToDepth(search.refuted)


def no_run(searched: Searched) -> str:
    """What a search that found no run came to."""
    gave_up = f"; then the solver gave up: {searched.search.why}" if searched.search.why else ""
    return f"no run to {searched.name} within {searched.search.refuted} steps by {searched.scope}{gave_up}"


def holds(system: Any, name: str) -> Bool:
    """A property of the catalogue, of a state of this system."""
    return all_of(~conjunct.when | conjunct.holds for conjunct in claim(name).conjuncts(system))


def attesters(size: int) -> str:
    return "1 attester" if size == 1 else f"{size} attesters"


def listed(sizes: Sequence[int]) -> str:
    return ", ".join(map(str, sizes))


def _plain(outcomes: Sequence[Outcome]) -> tuple[Outcome, ...]:
    return tuple(replace(outcome, model=None) for outcome in outcomes)
