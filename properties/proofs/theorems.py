"""What is proved, as a list of theorems; each gives a result for a revision, and never more than the solver said."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from model.algebra import Bool, all_of
from model.revisions import LAST_SEALED, Revision
from model.scope import Scope, instance
from model.system import AttestationSystem, build
from model.topology import TOPOLOGIES
from properties.claims.catalogue import claim
from properties.engines.bounded import Search, Unrolling
from properties.engines.stepper import Stepper
from properties.proofs import any_size, bound, permanence, registry
from properties.proofs.committees import ALL_DETAIL, EVERY_WAY, Committee, open_system
from properties.proofs.induction import Induction, Transit, describe, first_failure
from properties.proofs.invariants import no_gap_invariant
from properties.proofs.obligations import Answer, Budget, Outcome, answer_of
from properties.trace import Trace, record, replay
from properties.verdicts import HoldsToDepth, NotInductive, Proved, Unknown, Verdict, Violated

NO_GAPS = "no_gaps_on_main_node"

ASSUMED = (
    "of which any may be Byzantine as long as they weigh less than the threshold, and with any number of batches, "
    "restarts and broken connections"
)

SIZES = (1, 2, 3, 4, 5, 6, 7, 8)
"""Numbers of attesters with a fixed-size proof, for one revision."""

SOME_SIZES = (1, 6)
"""The same, where many revisions are proved at once."""

LARGEST_DEADLOCK, LARGEST_REGISTRY = 6, 5
"""Up to how many attesters permanence, and the registry, are proved by default."""

MOST_WITH_ECHO = 2
"""With how many attesters votes both ways, in every topology, are proved by default."""

SEARCH_DEPTH = 32
SMALLEST = Scope(instance("n1f0b0"), 3)
"""Where the reachable gap is looked for: one attester of weight 1 is enough."""

DEADLOCK_SCOPE = Scope(instance("n2f0b0"), 3)
"""The scope of the deadlock that the pull request describes."""

FORGER_SCOPE = Scope(instance("w5,1b1"), 2)
"""Where a certificate that does not verify is looked for."""


@dataclass(frozen=True)
class Result:
    """A theorem for a revision: what it says, under which assumptions, the verdict, and everything that was asked.

    `transit` is a counterexample to induction; `notes` say what else the proof showed.
    """

    revision: str
    claim: str
    theorem: str
    sentence: str
    verdict: Verdict
    outcomes: tuple[Outcome, ...]
    seconds: float
    transit: Transit | None = None
    notes: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The result for machines."""
        return {
            "revision": self.revision,
            "property": self.claim,
            "theorem": self.theorem,
            "sentence": self.sentence,
            **self.verdict.as_json(),
            "seconds": round(self.seconds, 3),
            "notes": list(self.notes),
            "counterexample_to_induction": self.transit.as_json() if self.transit else None,
            "obligations": [outcome.as_json() for outcome in self.outcomes],
        }


@dataclass
class Prove:
    """Proves theorems for one revision. `sizes`: the numbers of attesters to prove separately; `among_many`:
    whether many revisions are proved at once, so that what takes long is left out; `is_first`: whether this one is the
    first of them, with which what is the same in all is proved."""

    revision: Revision
    budget: Budget
    sizes: tuple[int, ...] = SIZES
    search_seconds: float = 60.0
    among_many: bool = False
    is_first: bool = True
    _started: float = field(default_factory=time.perf_counter, init=False)
    _arguments: dict[tuple[int, Scope], Induction[AttestationSystem]] = field(default_factory=dict, init=False)
    _inductions: dict[tuple[int, Scope], list[Outcome]] = field(default_factory=dict, init=False)

    def results(self, claims: Sequence[str]) -> Iterator[Result]:
        """The theorems about these properties."""
        for name in claims:
            for theorem in THEOREMS[name]:
                if not (self.among_many and theorem in TAKES_LONG) and (self.is_first or theorem not in SAME_IN_ALL):
                    self._started = time.perf_counter()
                    yield from theorem(self)

    def result(
        self, claim: str, theorem: str, sentence: str, verdict: Verdict, outcomes: Sequence[Outcome], **more: Any
    ) -> Result:
        """A result; the models of the solver stay behind, as they cannot leave the process."""
        plain = tuple(replace(outcome, model=None) for outcome in outcomes)
        spent = time.perf_counter() - self._started
        self._started = time.perf_counter()
        return Result(self.revision.name, claim, theorem, sentence, verdict, plain, spent, **more)

    def no_gaps(self) -> Iterator[Result]:
        """The fixed sizes."""
        for size in self.sizes:
            theorem = f"no gaps, {_attesters(size)}"
            sentence = (
                f"With {_attesters(size)} of any weights, connected to the main node, with votes flowing towards it, "
                f"{ASSUMED}, the main node never has a gap."
            )
            yield self.judged(theorem, sentence, self.induction(size), "induction", f"N = {size}, any weights", size)

    def topologies(self) -> Iterator[Result]:
        """Votes that flow every way, for a few attesters."""
        size = min(MOST_WITH_ECHO, max(self.sizes))
        for name in TOPOLOGIES:
            theorem = f"no gaps, {name}, votes both ways, {_attesters(size)}"
            sentence = (
                f"With {_attesters(size)} of any weights in the topology {name}, with votes pushed in both directions "
                f"of every connection, {ASSUMED}, the main node never has a gap."
            )
            outcomes = self.induction(size, replace(EVERY_WAY, topology=name))
            yield self.judged(theorem, sentence, outcomes, "induction", f"N = {size}, any weights")

    def judged(
        self, theorem: str, sentence: str, outcomes: Sequence[Outcome], how: str, sizes: str, gap_of: int | None = None
    ) -> Result:
        """The result of an inductive proof of no gaps; where it fails, a run of `gap_of` attesters may refute it."""
        if answer_of(outcomes) is Answer.REFUTED:
            return self.refuted(theorem, sentence, outcomes, gap_of)
        return self.result(NO_GAPS, theorem, sentence, proved(outcomes, how, sizes), outcomes)

    def argument(self, size: int, scope: Scope = ALL_DETAIL) -> Induction[AttestationSystem]:
        """The inductive argument for so many attesters."""
        if (size, scope) not in self._arguments:
            committee = Committee.of(size)
            system = open_system(self.revision, committee, scope)
            invariant = no_gap_invariant(system, committee.byzantine)
            goals = {name: _holds(system, name) for name in GOALS}
            self._arguments[size, scope] = Induction(system, invariant, committee.is_below_threshold, goals)
        return self._arguments[size, scope]

    def induction(self, size: int, scope: Scope = ALL_DETAIL) -> list[Outcome]:
        """The obligations of the inductive argument, each proved once."""
        if (size, scope) not in self._inductions:
            name = f"{self.revision.name} no gaps {size} {scope.topology if scope.echo else ''}"
            self._inductions[size, scope] = self.argument(size, scope).prove(self.budget.within(name))
        return self._inductions[size, scope]

    def refuted(self, theorem: str, sentence: str, outcomes: Sequence[Outcome], gap_of: int | None) -> Result:
        """The induction fails: where, the smallest counterexample to it, and a reachable gap, if there is one."""
        transit = self.smallest_counterexample
        verdict: Verdict = NotInductive(transit.action, transit.conjunct, transit.before, transit.after)
        notes = [f"the induction fails at {failures(outcomes)}"]
        if gap_of is not None:
            trace, search = self.reachable_gap
            if trace:
                verdict = Violated(carried_over(trace, build(self.revision, heavy_scope(gap_of))))
            else:
                notes.append(f"no gap is reached within {search.refuted} steps by {SMALLEST.instance.name}")
        return self.result(NO_GAPS, theorem, sentence, verdict, outcomes, transit=transit, notes=tuple(notes))

    @cached_property
    def reachable_gap(self) -> tuple[Trace | None, Search]:
        """The shortest run to a gap with one honest attester."""
        return bound.find_gap(self.revision, SMALLEST, SEARCH_DEPTH, self.search_seconds)

    @cached_property
    def smallest_counterexample(self) -> Transit:
        """The counterexample to induction with the fewest attesters, then the smallest numbers."""
        for size in SIZES:
            failure = first_failure(self.induction(size))
            if failure:
                argument = self.argument(size)
                action = next(action for action in argument.system.actions if describe(action) == failure.subject)
                transit = argument.counterexample(action, failure.goal, self.budget)
                assert transit is not None, "what was refuted has a counterexample"
                return transit
        raise AssertionError("the induction fails for some number of attesters")

    def any_number(self) -> Iterator[Result]:
        """One attester beside another."""
        theorem = "no gaps, any number of attesters"
        sentence = (
            "With any number N >= 2 of attesters of any weights, each connected to the main node, with votes flowing "
            f"towards it, {ASSUMED}, the main node never has a gap."
        )
        budget = self.budget.within(f"{self.revision.name} {theorem}")
        argument = any_size.induction(self.revision)
        compared = any_size.check_steps(self.revision)
        outcomes = [*any_size.lemmas(budget.within("lemma")), *argument.prove(budget)]
        how = "induction on views of two attesters"
        result = self.judged(theorem, sentence, outcomes, how, "any N >= 2, any weights", 2)
        seen = f"the views of {compared} actions of three attesters are those of the view system"
        yield replace(result, notes=(*result.notes, seen))

    def exact_bound(self) -> Iterator[Result]:
        """The run at the bound."""
        theorem = "the bound is exact"
        sentence = (
            "With two attesters of any weights, one of them Byzantine and at least as heavy as the threshold, "
            "the main node can get a gap."
        )
        trace, search = bound.find_gap(self.revision, bound.AT_BOUND, SEARCH_DEPTH, self.search_seconds)
        if trace is None:
            verdict = Unknown(search.why or f"no gap is reached within {search.refuted} steps")
            yield self.result(NO_GAPS, theorem, sentence, verdict, [])
            return
        budget = self.budget.within(f"{self.revision.name} {theorem}")
        outcomes = bound.AnyWeights.of(self.revision, bound.AT_BOUND).prove(trace, budget)
        steps = f"a run of {len(trace.steps)} steps, possible for all such weights"
        yield self.result(NO_GAPS, theorem, sentence, proved(outcomes, steps, "N = 2"), outcomes)

    def arithmetic(self) -> Iterator[Result]:
        """The threshold's arithmetic."""
        theorem = "threshold arithmetic"
        sentence = (
            "For every total weight from 1 to 2^64 - 1: an honest majority, even an honest weight above a fifth, "
            "leaves Byzantine weight below the threshold, and computing the threshold never leaves u64."
        )
        budget = self.budget.within(theorem)
        outcomes = [statement.prove(bound.ARITHMETIC, budget) for statement in bound.arithmetic()]
        verdict = proved(outcomes, "integer arithmetic", "all total weights of u64")
        yield self.result(NO_GAPS, theorem, sentence, verdict, outcomes)

    def deadlock(self) -> Iterator[Result]:
        """Reached and permanent, excluded, or left by some step."""
        theorem = "start-up deadlock"
        sentence = (
            "The main node never comes to ask, for good, for a batch whose votes its registry skips, with too few "
            "attesters above the minimum to make a quorum: the deadlock of PR 161, which lasts until a restart."
        )
        budget = self.budget.within(f"{self.revision.name} {theorem}")
        sizes = [size for size in self.sizes if size <= LARGEST_DEADLOCK] or [max(self.sizes)]
        arguments = [permanence.Permanence(self.argument(size).system, Committee.of(size)) for size in sizes]
        excluded = self.excluded(arguments, budget)
        if answer_of(excluded) is Answer.PROVED:
            verdict: Verdict = Proved(
                "the invariant of no gaps, and no deadlock in it", f"N = {_list(sizes)}, any weights"
            )
            yield self.result("progress_possible", theorem, sentence, verdict, excluded, notes=self.departure())
            return
        closed = [
            outcome
            for size, argument in zip(sizes, arguments, strict=True)
            for outcome in argument.closed(budget.within(f"closed {size}"))
        ]
        trace, search = self.reached(DEADLOCK_SCOPE)
        verdict, notes = self.judged_deadlock(closed, trace, search, _list(sizes))
        yield self.result("progress_possible", theorem, sentence, verdict, closed, notes=notes)

    def judged_deadlock(
        self, closed: Sequence[Outcome], trace: Trace | None, search: Search, sizes: str
    ) -> tuple[Verdict, tuple[str, ...]]:
        """The verdict where the invariant does not exclude the deadlock."""
        if trace is None:
            reason = f"; the solver gave up: {search.why}" if search.why else ""
            found = f"no run leads into the deadlock within {search.refuted} steps{reason}"
            return HoldsToDepth(search.refuted), (found,)
        if answer_of(closed) is Answer.PROVED:
            lasts = f"permanent for N = {sizes} and any weights: no step but a restart of the main node leaves it"
            return Violated(trace, (trace,)), (lasts,)
        reached = f"the deadlock is reached in {len(trace.steps)} steps"
        notes = [f"the proof that it is permanent fails at {failures(closed)}"]
        system = build(self.revision, DEADLOCK_SCOPE)
        run = permanence.first_run(system)
        assert run is not None, "the explorer finds the deadlock, too"
        assert len(run.steps) == len(trace.steps), "its run is as short"
        steps = permanence.way_out(run, system)
        if steps:
            return Unknown(f"{reached}, and is not permanent"), (*notes, f"a way out of it: {', '.join(steps)}")
        return Unknown(f"{reached}; whether it is permanent is open"), tuple(notes)

    def excluded(self, arguments: Sequence[permanence.Permanence], budget: Budget) -> list[Outcome]:
        """That the deadlock contradicts the invariant, which is proved along with it."""
        outcomes = []
        for argument in arguments:
            size = len(argument.committee.weights)
            outcomes += self.induction(size)
            outcomes += argument.excluded(budget.within(f"excluded {size}"))
            if answer_of(outcomes) is not Answer.PROVED:
                break
        return outcomes

    def reached(self, scope: Scope) -> tuple[Trace | None, Search]:
        """The shortest run into the deadlock."""
        system = build(self.revision, scope)
        search = permanence.search(system, SEARCH_DEPTH, self.search_seconds)
        if search.actions is None:
            return None, search
        trace = record(Stepper(system), search.actions, "progress_possible")
        return trace.about(kind="registry_minimum"), search

    def departure(self) -> tuple[str, ...]:
        """Which step of the deadlock's run this revision does not take, if it starts attesting elsewhere only."""
        run = permanence.first_run(build(replace(self.revision, start=LAST_SEALED), DEADLOCK_SCOPE))
        left = run and permanence.departure(run, build(self.revision, DEADLOCK_SCOPE))
        if not run or not left:
            return ()
        difference = f"step {left.step} {left.reason}: {left.action}"
        return (f"of the deadlock's {len(run.steps)} steps with the last-sealed start, {difference}",)

    def registry(self) -> Iterator[Result]:
        """Support and quorums."""
        sizes = [size for size in self.sizes if size <= LARGEST_REGISTRY] or [max(self.sizes)]
        for size in sizes:
            theorem = f"registry, {_attesters(size)}"
            sentence = (
                f"With {_attesters(size)} of any weights that a committee accepts, after any updates and changes of "
                "the minimum: the support recorded for each batch and hash is the weight of its votes, no addition or "
                "subtraction saturates, and two different subjects never have a quorum."
            )
            outcomes = registry.induction(size).prove(self.budget.within(theorem))
            verdict = proved(outcomes, "induction over operations", f"N = {size}, any weights")
            yield self.result("at_most_one_quorum", theorem, sentence, verdict, outcomes)

    def certificates(self) -> Iterator[Result]:
        """What the signers have signed."""
        for size in [size for size in self.sizes if size <= LARGEST_REGISTRY] or [max(self.sizes)]:
            certificate = registry.Certificate.of(size, self.revision)
            theorem = f"signers of a certificate, {_attesters(size)}"
            sentence = (
                "The signers that signed exactly the certificate's message are a quorum, and every honest signer is "
                "among them; it verifies if all signers are."
            )
            outcomes = certificate.prove(self.budget.within(f"{self.revision.name} {theorem}"))
            verdict = proved(outcomes, "for any votes that the invariant allows", f"N = {size}, any weights")
            yield self.result("certificates_verify", theorem, sentence, verdict, outcomes)
        yield self.certificates_verify()

    def certificates_verify(self) -> Result:
        """Whether Byzantine signatures can spoil a certificate."""
        size = 2
        always = registry.Certificate.of(size, self.revision).always_verifies()
        theorem = "certificates verify"
        sentence = (
            f"Whatever Byzantine attesters below the threshold sign, with {_attesters(size)}, certificates verify."
        )
        outcome = always.prove(registry.CERTIFICATE, self.budget.within(f"{self.revision.name} {theorem}"))
        if outcome.answer is not Answer.REFUTED:
            verdict = proved([outcome], "for any votes that the invariant allows", f"N = {size}, any weights")
            return self.result("certificates_verify", theorem, sentence, verdict, [outcome])
        votes = always.counterexample(self.budget)
        system = build(self.revision, FORGER_SCOPE)
        search = Unrolling(system, ~_holds(system, "certificates_verify")).reaches(SEARCH_DEPTH, self.search_seconds)
        violated: Verdict = Unknown(search.why or f"votes refute it, but no run of {search.refuted} steps leads there")
        if search.actions is not None:
            violated = Violated(record(Stepper(system), search.actions, "certificates_verify"))
        notes = (f"the smallest votes that refute it: {votes}",)
        return self.result("certificates_verify", theorem, sentence, violated, [outcome], notes=notes)


Theorem = Callable[[Prove], Iterator[Result]]

THEOREMS: dict[str, tuple[Theorem, ...]] = {
    NO_GAPS: (Prove.no_gaps, Prove.any_number, Prove.topologies, Prove.arithmetic, Prove.exact_bound),
    "progress_possible": (Prove.deadlock,),
    "at_most_one_quorum": (Prove.registry,),
    "certificates_verify": (Prove.certificates,),
}
"""The theorems about each property."""

TAKES_LONG = (Prove.topologies,)
"""Theorems that are left out where many revisions are proved at once."""

SAME_IN_ALL = (Prove.arithmetic, Prove.registry)
"""Theorems that no revision has a part in: proved with the first of several."""

GOALS = ("no_gaps_on_main_node", "certificates_match_batches", "no_vote_below_minimum")
"""Properties of the catalogue that the invariant implies."""


def proved(outcomes: Sequence[Outcome], how: str, sizes: str) -> Verdict:
    """`Proved` if every obligation is, else why not."""
    open_ones = [outcome for outcome in outcomes if outcome.answer is not Answer.PROVED]
    if not open_ones and outcomes:
        return Proved(how, sizes)
    names = ", ".join(f"{outcome.name} is {outcome.answer}" for outcome in open_ones[:3])
    return Unknown(names or "nothing was asked")


def failures(outcomes: Sequence[Outcome]) -> str:
    """The refuted obligations, by what acts."""
    broken: dict[str, dict[str, None]] = {}
    for outcome in outcomes:
        if outcome.answer is Answer.REFUTED:
            broken.setdefault(outcome.subject, {})[outcome.goal] = None
    return "; ".join(f"{subject}: {', '.join(goals)}" for subject, goals in broken.items())


def heavy_scope(size: int) -> Scope:
    """A committee of so many attesters of which the first makes a quorum by itself."""
    weights = [4 * (size - 1) + 1, *[1] * (size - 1)]
    return replace(SMALLEST, instance=instance(f"w{','.join(map(str, weights))}b0"))


def carried_over(trace: Trace, system: AttestationSystem) -> Trace:
    """The same actions as a run of a system with more attesters, which do nothing."""
    stepper = Stepper(system)
    run = record(stepper, [stepper.index[step.node, step.call] for step in trace.steps], trace.claim)
    is_gap = stepper.evaluator(bound.gap(system))
    assert is_gap(replay(run, stepper))[0], "the run of one attester ends in a gap for several"
    return run


def _holds(system: AttestationSystem, name: str) -> Bool:
    return all_of(~conjunct.when | conjunct.holds for conjunct in claim(name).conjuncts(system))


def _attesters(size: int) -> str:
    return "1 attester" if size == 1 else f"{size} attesters"


def _list(sizes: Sequence[int]) -> str:
    return ", ".join(map(str, sizes))
