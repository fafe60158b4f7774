"""What is proved, as a list of theorems; each gives a result for a revision, and never more than the solver said."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from model.algebra import TRUE, Bool, all_of, any_of
from model.registry_design.system import RegistryDesign, build
from model.revisions import LAST_SEALED, Revision
from model.scope import BAD_SIGNATURE, Scope, instance
from model.topology import MAIN, TOPOLOGIES
from properties.claims.catalogue import CATALOGUE, claim
from properties.claims.kinds import Kind
from properties.engines.bounded import Search, Unrolling
from properties.engines.stepper import Stepper
from properties.proofs import any_size, bound, permanence, registry
from properties.proofs.committees import ALL_DETAIL, EVERY_WAY, Committee, open_system
from properties.proofs.induction import Induction, first_failure, is_proved
from properties.proofs.invariants import ABOVE_MINIMUM, MINIMA, idle, invariant, no_gap_invariant
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
from properties.trace import BadTrace, Trace, record, replay
from properties.verdicts import HoldsToDepth, NotApplicable, Unknown, Verdict, Violated

NO_GAPS = "no_gaps_on_main_node"
NO_DEADLOCK = "no_start_up_deadlock"
PROGRESS = "progress_possible"
ONE_QUORUM, VERIFY, MATCH = "at_most_one_quorum", "certificates_verify", "certificates_match_batches"
NONE_BELOW = "no_vote_below_minimum"

ASSUMED = (
    "of which any may be Byzantine as long as they weigh less than the threshold, and with any number of batches, "
    "restarts and broken connections"
)
NEVER_STARTS = "the executor never starts, so that no certificate is ever found"
QUEUED = "each insertion queue having two places"

MOST_WITH_ECHO = 3
"""With how many attesters votes both ways, in every topology, are proved by default."""

CLOSED_WITH_ECHO = (1, 2)
"""For how many attesters the deadlock is proved permanent in every topology with votes both ways."""

SEARCH_DEPTH = 32
SMALLEST = Scope(instance("n1f0b0"), 3)
"""Where the reachable gap is looked for: one attester of weight 1 is enough."""

DEADLOCK_SCOPE = Scope(instance("n2f0b0"), 3)
"""The scope of the deadlock that the pull request describes."""

FORGER_SCOPE = Scope(instance("w5,1b1"), 2)
"""Where a certificate that does not verify is looked for."""

BOUNDED_DEPTH = 10
BOUNDED_SCOPES = (
    replace(FORGER_SCOPE, restarts=1),
    Scope(instance("n1f0b0"), 2, regeneses=1),
    Scope(instance("n1f0b0"), 2, topology="relay", bad_votes=BAD_SIGNATURE),
)
"""Where a property without a theorem is searched: in the first of these that it says something about."""

Argument = Induction[RegistryDesign]


@dataclass
class Prove:
    """Proves theorems for one revision.

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
    _arguments: dict[tuple[int, Scope], Argument] = field(default_factory=dict, init=False)
    _inductions: dict[tuple[int, Scope], list[Outcome]] = field(default_factory=dict, init=False)
    _gaps: dict[str, tuple[Trace | None, Searched]] = field(default_factory=dict, init=False)

    def results(self, claims: Sequence[str]) -> Iterator[Result]:
        """What can be shown about these properties: by theorems, or else by bounded search."""
        for name in claims:
            self._started = time.perf_counter()
            if name not in THEOREMS:
                yield self.bounded(name)
            for theorem in THEOREMS.get(name, ()):
                if not (self.among_many and theorem.takes_long) and theorem.name not in self.repeated:
                    self._started = time.perf_counter()
                    yield from theorem.prove(self, theorem.chosen(self.sizes, self.among_many))

    def result(
        self, claim: str, theorem: str, sentence: str, verdict: Verdict, outcomes: Sequence[Outcome], **more: Any
    ) -> Result:
        """A result; the models of the solver stay behind, as they cannot leave the process."""
        more["possible"] = _plain(more.get("possible", ()))
        spent = time.perf_counter() - self._started
        self._started = time.perf_counter()
        return Result(self.revision.name, claim, theorem, sentence, verdict, _plain(outcomes), spent, **more)

    def no_gaps(self, sizes: Sequence[int]) -> Iterator[Result]:
        """The fixed sizes."""
        for size in sizes:
            sentence = (
                f"With {_attesters(size)} of any weights, connected to the main node, with votes flowing towards it, "
                f"{ASSUMED}, {QUEUED}, the main node never has a gap."
            )
            yield self.no_gap_result(f"no gaps, {_attesters(size)}", sentence, size, ALL_DETAIL)

    def topologies(self, sizes: Sequence[int]) -> Iterator[Result]:
        """Votes that flow every way, for a few attesters."""
        for name in TOPOLOGIES:
            for size in sizes:
                sentence = (
                    f"With {_attesters(size)} of any weights in the topology {name}, with votes pushed in both "
                    f"directions of every connection, {ASSUMED}, {QUEUED}, the main node never has a gap."
                )
                scope = replace(EVERY_WAY, topology=name)
                yield self.no_gap_result(f"no gaps, {name}, votes both ways, {_attesters(size)}", sentence, size, scope)

    def no_gap_result(self, theorem: str, sentence: str, size: int, scope: Scope) -> Result:
        """The result of the induction for one committee size and topology."""
        outcomes, argument = self.induction(size, scope), self.argument(size, scope)
        if answer_of(outcomes) is Answer.REFUTED:
            fewest = next(fewer for fewer in range(1, size + 1) if first_failure(self.induction(fewer, scope)))
            failed, failure = self.argument(fewest, scope), first_failure(self.induction(fewest, scope))
            return self.gap_or_not_inductive(theorem, sentence, failed, failure, outcomes, heavy_scope(size, scope))
        possible = argument.possible(self.budget.within(f"{self._name(size, scope)} possible"))
        verdict = proved(outcomes, "induction", f"N = {size}, any weights")
        verdict, notes = self.unless_vacuous(verdict, argument, possible)
        return self.result(NO_GAPS, theorem, sentence, verdict, outcomes, possible=possible, notes=notes)

    def unless_vacuous(
        self, verdict: Verdict, argument: Argument, possible: Sequence[Outcome]
    ) -> tuple[Verdict, tuple[str, ...]]:
        """The verdict, or that nothing happens that it speaks about; and which actions the invariant excludes."""
        never = [outcome.subject for outcome in possible if outcome.answer is Answer.REFUTED]
        notes = [f"never possible together with the invariant: {', '.join(never)}"] if never else []
        if self.never_certifies(argument.system):
            verdict = NothingHappens(NEVER_STARTS)
        elif f"insert_qc() of {MAIN}" in never:
            verdict = NothingHappens("no certificate can ever be stored together with the invariant")
        return verdict, tuple(notes)

    def never_certifies(self, system: RegistryDesign) -> bool:
        """Whether the main node never finds a certificate: tried, by induction, where it has no step that does."""
        if any(action.name == "find_quorum" and action.node == MAIN for action in system.actions):
            return False
        return is_proved(Induction(system, (idle(system),), TRUE).prove(replace(self.budget, smt2=None)))

    def argument(self, size: int, scope: Scope = ALL_DETAIL) -> Argument:
        """The inductive argument for so many attesters."""
        if (size, scope) not in self._arguments:
            committee = Committee.of(size)
            system = open_system(self.revision, committee, scope)
            conjuncts = no_gap_invariant(system, committee.byzantine)
            goals = {NO_GAPS: _holds(system, NO_GAPS)}
            self._arguments[size, scope] = Induction(system, conjuncts, committee.is_below_threshold, goals)
        return self._arguments[size, scope]

    def _name(self, size: int, scope: Scope) -> str:
        return f"{self.revision.name} no gaps {size} {scope.topology if scope.echo else ''}"

    def induction(self, size: int, scope: Scope = ALL_DETAIL) -> list[Outcome]:
        """The obligations of the inductive argument, each proved once."""
        if (size, scope) not in self._inductions:
            budget = self.budget.within(self._name(size, scope))
            self._inductions[size, scope] = self.argument(size, scope).prove(budget)
        return self._inductions[size, scope]

    def gap_or_not_inductive(
        self,
        theorem: str,
        sentence: str,
        failed: Argument,
        failure: Outcome | None,
        outcomes: Sequence[Outcome],
        scope: Scope,
    ) -> Result:
        """The induction fails: where, the smallest counterexample to it, and a gap that is reached in the scope, if
        one is reached by a single attester."""
        trace, searched = self.reachable_gap(scope.topology)
        run = carried_over(trace, build(self.revision, scope)) if trace else None
        return self.refuted(NO_GAPS, theorem, sentence, failed, failure, outcomes, run, searched)

    def refuted(
        self,
        name: str,
        theorem: str,
        sentence: str,
        failed: Induction[Any],
        failure: Outcome | None,
        outcomes: Sequence[Outcome],
        run: Trace | None = None,
        searched: Searched | None = None,
    ) -> Result:
        """An induction fails: where, the smallest counterexample to the failure (which may be one with fewer attesters
        than the `outcomes`), and a run that violates the property."""
        assert failure is not None, "an obligation is refuted"
        transit = failed.counterexample(failure, replace(self.budget, smt2=None))
        before, after = (transit.before, transit.after) if transit else ({}, {})
        verdict: Verdict = FailedInduction(failure.subject, failure.goal, before, after)
        notes = [f"the induction fails at {failures(outcomes)}"]
        if run:
            verdict = Violated(run)
        elif isinstance(failed.system, RegistryDesign) and self.never_certifies(failed.system):
            verdict = NothingHappens(NEVER_STARTS)
        elif searched:
            notes.append(no_run(searched))
        searches = (searched,) if searched else ()
        return self.result(
            name, theorem, sentence, verdict, outcomes, transit=transit, notes=tuple(notes), searches=searches
        )

    def reachable_gap(self, topology: str) -> tuple[Trace | None, Searched]:
        """The shortest run to a gap with one honest attester; a mesh of one attester is a direct connection."""
        topology = "relay" if topology == "relay" else "direct"
        if topology not in self._gaps:
            scope = replace(SMALLEST, topology=topology)
            folder = self.budget.within(f"{self.revision.name} gap {topology}").smt2
            trace, search = bound.find_gap(self.revision, scope, SEARCH_DEPTH, self.search_seconds, folder)
            self._gaps[topology] = trace, Searched("a gap", f"{scope.instance.name}, {scope.name}", search)
        return self._gaps[topology]

    def any_number(self, sizes: Sequence[int]) -> Iterator[Result]:
        """One attester beside another."""
        theorem = "no gaps, any number of attesters"
        sentence = (
            "With any number N >= 2 of attesters of any weights, each connected to the main node, with votes flowing "
            f"towards it, {ASSUMED}, {QUEUED}, the main node never has a gap."
        )
        budget = self.budget.within(f"{self.revision.name} {theorem}")
        try:
            argument = any_size.induction(self.revision)
            compared = any_size.check_steps(self.revision)
        except any_size.NotLocal as error:
            why = Unknown(f"the views of two attesters do not cover this revision: {error}")
            yield self.result(NO_GAPS, theorem, sentence, why, [])
            return
        outcomes = [*any_size.lemmas(budget.within("lemma")), *argument.prove(budget)]
        seen = f"the views of {compared} actions of three attesters are those of the view system"
        if answer_of(outcomes) is Answer.REFUTED:
            failure, scope = first_failure(outcomes), heavy_scope(2, ALL_DETAIL)
            found = self.gap_or_not_inductive(theorem, sentence, argument, failure, outcomes, scope)
            yield replace(found, notes=(*found.notes, seen))
            return
        possible = argument.possible(budget.within("possible"))
        verdict = proved(outcomes, "induction on views of two attesters", "any N >= 2, any weights")
        verdict, notes = self.unless_vacuous(verdict, argument, possible)
        yield self.result(NO_GAPS, theorem, sentence, verdict, outcomes, possible=possible, notes=(*notes, seen))

    def at_the_bound(self, sizes: Sequence[int]) -> Iterator[Result]:
        """The run at the bound. That there is none below it is the induction, another theorem."""
        theorem = "a gap is possible at the bound"
        sentence = (
            "With two attesters of any weights, one of them Byzantine and at least as heavy as the threshold, "
            "the main node can get a gap."
        )
        budget = self.budget.within(f"{self.revision.name} {theorem}")
        trace, search = bound.find_gap(
            self.revision, bound.AT_BOUND, SEARCH_DEPTH, self.search_seconds, budget.within("search").smt2
        )
        searched = Searched("a gap", f"{bound.AT_BOUND.instance.name}, {bound.AT_BOUND.name}", search)
        if trace is None:
            yield self.result(NO_GAPS, theorem, sentence, Unknown(no_run(searched)), [], searches=(searched,))
            return
        outcomes = bound.AnyWeights.of(self.revision, bound.AT_BOUND).prove(trace, budget)
        run = f"a run of {len(trace.steps)} steps"
        if answer_of(outcomes) is Answer.REFUTED:
            verdict: Verdict = Unknown(f"{run}, which is not possible for all such weights: {failures(outcomes)}")
        else:
            verdict = proved(outcomes, f"{run}, possible for all such weights", "N = 2")
        yield self.result(NO_GAPS, theorem, sentence, verdict, outcomes, trace=trace, searches=(searched,))

    def arithmetic(self, sizes: Sequence[int]) -> Iterator[Result]:
        """The threshold's arithmetic."""
        theorem = "threshold arithmetic"
        sentence = (
            "For every total weight from 1 to 2^64 - 1: an honest majority, even an honest weight above a fifth, "
            "leaves Byzantine weight below the threshold, and computing the threshold never leaves u64."
        )
        budget = self.budget.within(theorem)
        statements = bound.arithmetic()
        outcomes = [statement.prove(bound.ARITHMETIC, budget) for statement in statements]
        verdict = self.statements_verdict(statements, outcomes, "integer arithmetic", "all total weights of u64")
        yield self.result(NO_GAPS, theorem, sentence, verdict, outcomes)

    def statements_verdict(
        self, statements: Sequence[Statement], outcomes: Sequence[Outcome], how: str, sizes: str
    ) -> Verdict:
        """The verdict on outcomes of which the last are those of these statements: numbers for which one is false
        refute it."""
        for statement, outcome in zip(statements, outcomes[-len(statements) :], strict=True):
            if outcome.answer is Answer.REFUTED:
                return FalseStatement(statement.name, statement.counterexample(replace(self.budget, smt2=None)) or {})
        return proved(outcomes, how, sizes)

    def deadlock(self, sizes: Sequence[int]) -> Iterator[Result]:
        """Reached and permanent, excluded, or left by some step."""
        theorem = "no start-up deadlock"
        sentence = (
            f"With attesters of any weights, connected to the main node, with votes flowing towards it, {ASSUMED}, "
            "the main node never comes to ask for a batch that is below its registry's minimum while its finder waits "
            "for a quorum, or below the minimum that its finder is about to set: points of no return of the kinds "
            "registry_minimum and minimum_to_come, the deadlock of PR 161, are excluded. Other kinds are not."
        )
        budget = self.budget.within(f"{self.revision.name} {theorem}")
        beyond = f"{PROGRESS} as a whole, all its kinds, is for the explorer: attestation check"
        if self.never_certifies(self.argument(sizes[0]).system):
            yield self.result(NO_DEADLOCK, theorem, sentence, NothingHappens(NEVER_STARTS), [], notes=(beyond,))
            return
        excluded = self.excluded(sizes, budget)
        if answer_of(excluded) is Answer.PROVED:
            verdict = proved(excluded, "induction, on top of that of no gaps", f"N = {_list(sizes)}, any weights")
            notes = (*self.departure(), beyond)
            yield self.result(NO_DEADLOCK, theorem, sentence, verdict, excluded, notes=notes)
            return
        closed, lasts = self.closed(sizes, budget)
        trace, searched = self.reached(DEADLOCK_SCOPE)
        verdict, found = self.judged_deadlock(closed, trace, searched, lasts)
        yield self.result(
            NO_DEADLOCK,
            theorem,
            sentence,
            verdict,
            closed,
            notes=(*found, beyond),
            trace=trace,
            searches=(searched,),
        )

    def closed(self, sizes: Sequence[int], budget: Budget) -> tuple[list[Outcome], str]:
        """That no step but a restart of the main node leaves the deadlock, and for which systems that was asked."""
        cases = [(size, ALL_DETAIL) for size in sizes]
        lasts = f"N = {_list(sizes)}, connected to the main node, with votes towards it"
        if not self.among_many:
            more = sorted({min(size, max(sizes)) for size in CLOSED_WITH_ECHO})
            cases += [(size, replace(EVERY_WAY, topology=name)) for name in TOPOLOGIES for size in more]
            lasts += f"; for N = {_list(more)}, with votes both ways, in the topologies {', '.join(TOPOLOGIES)}"
        outcomes: list[Outcome] = []
        for size, scope in cases:
            folder = budget.within(f"closed {size} {scope.topology if scope.echo else ''}")
            outcomes += permanence.Permanence(self.argument(size, scope).system, Committee.of(size)).closed(folder)
        return outcomes, lasts

    def judged_deadlock(
        self, closed: Sequence[Outcome], trace: Trace | None, searched: Searched, lasts: str
    ) -> tuple[Verdict, tuple[str, ...]]:
        """The verdict where the invariant does not exclude the deadlock."""
        if trace is None:
            return self.unreached(searched.search), (no_run(searched),)
        if answer_of(closed) is Answer.PROVED:
            permanent = f"permanent for any weights ({lasts}): no step but a restart of the main node leaves it"
            return Violated(trace, (trace,)), (permanent,)
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

    def unreached(self, search: Search) -> Verdict:
        """The verdict of a search that found nothing; one that gave up knows nothing."""
        if search.why:
            return Unknown(f"the solver gave up beyond depth {search.refuted}: {search.why}")
        return HoldsToDepth(search.refuted)

    def excluded(self, sizes: Sequence[int], budget: Budget) -> list[Outcome]:
        """That the kinds of the deadlock contradict the invariant, which is proved along with it."""
        outcomes: list[Outcome] = []
        for size in sizes:
            outcomes += self.induction(size)
            if answer_of(outcomes) is Answer.PROVED:
                outcomes += self.minima(size).prove(budget.within(f"excluded {size}"))
            if answer_of(outcomes) is not Answer.PROVED:
                break
        return outcomes

    def minima(self, size: int) -> Argument:
        """That no minimum is ahead of what is asked for, given the invariant of no gaps: so there is no deadlock."""
        base, byzantine = self.argument(size), Committee.of(size).byzantine
        conjuncts = invariant(base.system, byzantine, MINIMA)
        goals = permanence.never(base.system, byzantine)
        return Induction(base.system, conjuncts, base.assuming, goals, given=base.invariant)

    def reached(self, scope: Scope) -> tuple[Trace | None, Searched]:
        """The shortest run into the deadlock."""
        folder = self.budget.within(f"{self.revision.name} reached").smt2
        trace, search = permanence.search(build(self.revision, scope), SEARCH_DEPTH, self.search_seconds, folder)
        return trace, Searched("the deadlock", f"{scope.instance.name}, {scope.name}", search)

    def departure(self) -> tuple[str, ...]:
        """Which step of the deadlock's run this revision does not take, if it starts attesting elsewhere only."""
        elsewhere = replace(self.revision, start=LAST_SEALED, remembers_start=False)
        run = permanence.first_run(build(elsewhere, DEADLOCK_SCOPE))
        left = run and permanence.departure(run, build(self.revision, DEADLOCK_SCOPE))
        if not run or not left:
            return ()
        difference = f"step {left.step} {left.reason}: {left.action}"
        return (f"of the deadlock's {len(run.steps)} steps with the last-sealed start, {difference}",)

    def registry(self, sizes: Sequence[int]) -> Iterator[Result]:
        """Support and quorums."""
        for size in sizes:
            theorem = f"registry, {_attesters(size)}"
            sentence = (
                f"With {_attesters(size)} of any weights that a committee accepts, after any updates and changes of "
                "the minimum: the support recorded for each batch and hash is the weight of its votes, no addition or "
                "subtraction saturates, and two different subjects never have a quorum."
            )
            if registry_rules(self.revision) != AS_MERGED_RULES:
                why = Unknown(
                    "the registry with its support is modelled as merged, and this revision changes its rules"
                )
                yield self.result(ONE_QUORUM, theorem, sentence, why, [])
                continue
            argument = registry.induction(size)
            outcomes = argument.prove(self.budget.within(theorem))
            if answer_of(outcomes) is Answer.REFUTED:
                yield self.refuted(ONE_QUORUM, theorem, sentence, argument, first_failure(outcomes), outcomes)
                continue
            verdict = proved(outcomes, "induction over operations", f"N = {size}, any weights")
            yield self.result(ONE_QUORUM, theorem, sentence, verdict, outcomes)

    def signers(self, sizes: Sequence[int]) -> Iterator[Result]:
        """What the signers of a certificate have signed."""
        for size in sizes:
            theorem = f"signers of a certificate, {_attesters(size)}"
            sentence = (
                f"With {_attesters(size)} of any weights: the signers that signed exactly the certificate's message "
                "are a quorum, and every honest signer is among them; it verifies if all signers are."
            )
            certificate, budget = registry.Certificate.of(size, self.revision), self._within(theorem)
            argument = registry.hashes(certificate.system, certificate.committee)
            premise = argument.prove(budget.within("what is signed"))
            if answer_of(premise) is Answer.REFUTED:
                yield self.refuted(VERIFY, theorem, sentence, argument, first_failure(premise), premise)
                continue
            statements = certificate.statements()
            outcomes = [*premise, *(statement.prove(registry.CERTIFICATE, budget) for statement in statements)]
            how = "induction over what is signed, and for any votes that it allows"
            verdict = self.statements_verdict(statements, outcomes, how, f"N = {size}, any weights")
            yield self.result(VERIFY, theorem, sentence, verdict, outcomes)

    def certificates_verify(self, sizes: Sequence[int]) -> Iterator[Result]:
        """Whether Byzantine signatures can spoil a certificate."""
        yield from self.from_hashes(VERIFY, "certificates verify", "every certificate that a finder finds", sizes)

    def certificates_match(self, sizes: Sequence[int]) -> Iterator[Result]:
        """Whether Byzantine votes can make a certificate over another hash."""
        yield from self.from_hashes(MATCH, "certificates match batches", "each that the main node finds", sizes)

    def from_hashes(self, name: str, theorem: str, about: str, sizes: Sequence[int]) -> Iterator[Result]:
        """What follows from what honest attesters sign, wherever attestation starts."""
        for size in sizes:
            named = f"{theorem}, {_attesters(size)}"
            sentence = (
                f"With {_attesters(size)} of any weights, connected to the main node, with votes flowing towards it, "
                f"{ASSUMED}, {theorem}: {about}."
            )
            committee = Committee.of(size)
            argument = registry.hashes(open_system(self.revision, committee), committee, name)
            outcomes = argument.prove(self._within(named))
            if answer_of(outcomes) is Answer.REFUTED:
                failure, run = first_failure(outcomes), self.search(name, forger_scope(size))
                yield self.refuted(name, named, sentence, argument, failure, outcomes, *run)
                continue
            verdict = proved(outcomes, "induction over what is signed", f"N = {size}, any weights")
            verdict, _ = self.unless_vacuous(verdict, argument, ())
            yield self.result(name, named, sentence, verdict, outcomes)

    def none_below_minimum(self, sizes: Sequence[int]) -> Iterator[Result]:
        """Whether a registry keeps a vote below its minimum."""
        for size in sizes:
            theorem = f"no vote below the minimum, {_attesters(size)}"
            sentence = (
                f"With {_attesters(size)} of any weights, any of them Byzantine, connected to the main node, with "
                "votes flowing towards it, no registry has a vote below its minimum."
            )
            committee = Committee.of(size)
            system = open_system(self.revision, committee)
            conjuncts = invariant(system, committee.byzantine, ABOVE_MINIMUM)
            argument = Induction(system, conjuncts, TRUE, {NONE_BELOW: _holds(system, NONE_BELOW)})
            outcomes = argument.prove(self._within(theorem))
            if answer_of(outcomes) is Answer.REFUTED:
                failure, run = first_failure(outcomes), self.search(NONE_BELOW, forger_scope(size))
                yield self.refuted(NONE_BELOW, theorem, sentence, argument, failure, outcomes, *run)
                continue
            verdict = proved(outcomes, "induction", f"N = {size}, any weights")
            verdict, _ = self.unless_vacuous(verdict, argument, ())
            yield self.result(NONE_BELOW, theorem, sentence, verdict, outcomes)

    def _within(self, theorem: str) -> Budget:
        return self.budget.within(f"{self.revision.name} {theorem}")

    def search(self, name: str, scope: Scope, depth: int = SEARCH_DEPTH) -> tuple[Trace | None, Searched]:
        """The shortest run that violates an `always` property in a bounded scope, with the part of it that fails."""
        system = build(self.revision, scope)
        conjuncts = claim(name).conjuncts(system)
        violations = [part.when & ~part.holds for part in conjuncts]
        folder = self._within(f"search {name} {scope.instance.name}").smt2
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
        theorem, about = f"bounded search, {name}", claim(name)
        scope = next((each for each in BOUNDED_SCOPES if about.conjuncts(build(self.revision, each))), None)
        if scope is None:
            why = NotApplicable("the property says nothing about this revision in the scopes of bounded search")
            return self.result(name, theorem, about.sentence, why, [])
        trace, searched = self.search(name, scope, self.depth)
        verdict = Violated(trace) if trace else self.unreached(searched.search)
        notes = (f"searched: {searched.scope}, up to {self.depth} steps",)
        return self.result(name, theorem, about.sentence, verdict, [], notes=notes, searches=(searched,))


@dataclass(frozen=True)
class Theorem:
    """A theorem, or one for each of several numbers of attesters.

    `sizes`: those that are proved by default; `few`: the same where many revisions are proved at once; `most`: up to
    how many attesters the solver is fast enough. `takes_long`: left out where many revisions are proved. `depends`:
    what of a revision it depends on (none: it is proved for each); revisions for which that is the same share it.
    """

    name: str
    prove: Callable[[Prove, Sequence[int]], Iterator[Result]]
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


Rules = tuple[bool, ...]


def registry_rules(revision: Revision) -> Rules:
    """The switches of a revision that its registry depends on."""
    return revision.collects_by_number, revision.keeps_votes_below_minimum, revision.prefers_votes_at_minimum


AS_MERGED_RULES: Rules = (False, False, False)

UP_TO_8 = (1, 2, 3, 4, 5, 6, 7, 8)

THEOREMS: dict[str, tuple[Theorem, ...]] = {
    NO_GAPS: (
        Theorem("no gaps", Prove.no_gaps, UP_TO_8, few=(1, 2, 3, 6, 8)),
        Theorem("no gaps, any number of attesters", Prove.any_number),
        Theorem(
            "no gaps, every topology, votes both ways",
            Prove.topologies,
            (2, MOST_WITH_ECHO),
            most=MOST_WITH_ECHO,
            takes_long=True,
        ),
        Theorem("threshold arithmetic", Prove.arithmetic, depends=lambda _: None),
        Theorem("a gap is possible at the bound", Prove.at_the_bound),
    ),
    NO_DEADLOCK: (Theorem("no start-up deadlock", Prove.deadlock, (1, 2, 3, 4, 5, 6), few=(1, 2, 6), most=8),),
    ONE_QUORUM: (Theorem("registry", Prove.registry, (1, 2, 3, 4, 5), most=8, depends=registry_rules),),
    VERIFY: (
        Theorem("signers of a certificate", Prove.signers, (1, 2, 3, 4, 5), most=8, depends=registry_rules),
        Theorem("certificates verify", Prove.certificates_verify, (1, 2, 3, 4, 5), few=(1, 2), most=8),
    ),
    MATCH: (Theorem("certificates match batches", Prove.certificates_match, (1, 2, 3, 4, 5), few=(1, 2), most=8),),
    NONE_BELOW: (Theorem("no vote below the minimum", Prove.none_below_minimum, (1, 2, 3, 4, 5, 6), few=(1, 2)),),
}
"""The theorems about each property. That of the start-up deadlock is weaker than `progress_possible`, and says so."""

ABOUT = {PROGRESS: NO_DEADLOCK}
"""Properties that have no theorem of their own, and the weaker one that is shown when they are asked for."""

SEARCHED = tuple(each.name for each in CATALOGUE if each.kind is Kind.ALWAYS and each.name not in THEOREMS)
"""The `always` properties that have no theorem: bounded search tells about them."""


def shared(revisions: Sequence[Revision]) -> list[frozenset[str]]:
    """For each revision, the names of the theorems that a revision before it has shown for it, too."""
    seen: set[tuple[str, object]] = set()
    result = []
    for revision in revisions:
        keys = {
            (theorem.name, theorem.depends(revision))
            for theorems in THEOREMS.values()
            for theorem in theorems
            if theorem.depends
        }
        result.append(frozenset(name for name, value in keys if (name, value) in seen))
        seen |= keys
    return result


def heavy_scope(size: int, scope: Scope) -> Scope:
    """A committee of so many attesters of which the first makes a quorum by itself, with connections as in `scope`."""
    weights = [4 * (size - 1) + 1, *[1] * (size - 1)]
    named = instance(f"w{','.join(map(str, weights))}b0")
    return replace(SMALLEST, instance=named, topology=scope.topology, echo=scope.echo)


def forger_scope(size: int) -> Scope:
    """So many attesters, the last of them Byzantine, unless there is only one."""
    if size == 1:
        return replace(FORGER_SCOPE, instance=instance("n1f0b0"))
    weights = [4 * (size - 1) + 1, *[1] * (size - 1)]
    return replace(FORGER_SCOPE, instance=instance(f"w{','.join(map(str, weights))}b1"))


def carried_over(trace: Trace, system: RegistryDesign) -> Trace:
    """The same actions as a run of a system with more attesters, which do nothing. Raises `BadTrace` if it is none."""
    stepper = Stepper(system)
    missing = [step for step in trace.steps if (step.node, step.call) not in stepper.index]
    if missing:
        raise BadTrace(f"{system.name} has no {missing[0].call} of {missing[0].node}")
    run = record(stepper, [stepper.index[step.node, step.call] for step in trace.steps], trace.claim)
    is_gap = stepper.evaluator(bound.gap(system))
    assert is_gap(replay(run, stepper))[0], "the run of one attester ends in a gap for several"
    return run


def no_run(searched: Searched) -> str:
    """What a search that found no run came to."""
    gave_up = f"; then the solver gave up: {searched.search.why}" if searched.search.why else ""
    return f"no run to {searched.name} within {searched.search.refuted} steps by {searched.scope}{gave_up}"


def _plain(outcomes: Sequence[Outcome]) -> tuple[Outcome, ...]:
    return tuple(replace(outcome, model=None) for outcome in outcomes)


def _holds(system: RegistryDesign, name: str) -> Bool:
    return all_of(~conjunct.when | conjunct.holds for conjunct in claim(name).conjuncts(system))


def _attesters(size: int) -> str:
    return "1 attester" if size == 1 else f"{size} attesters"


def _list(sizes: Sequence[int]) -> str:
    return ", ".join(map(str, sizes))


def left_out(asked: tuple[int, ...] | None, among_many: bool, claims: Sequence[str]) -> list[str]:
    """What a run does not prove of what another would, in words."""
    found = []
    for theorem in (theorem for name in claims for theorem in THEOREMS.get(name, ())):
        chosen = theorem.chosen(asked, among_many)
        if among_many and theorem.takes_long:
            found.append(f"{theorem.name} (proved for one revision at a time)")
        elif among_many and theorem.depends:
            found.append(f"{theorem.name}, for revisions with the same rules as an earlier one")
        if asked and theorem.sizes and chosen != asked:
            found.append(f"{theorem.name}: at most {theorem.most} attesters, so N = {_list(chosen)}")
        elif among_many and theorem.few and theorem.few != theorem.sizes:
            found.append(f"{theorem.name}: only N = {_list(chosen)} of {_list(theorem.sizes)}")
    if among_many and NO_DEADLOCK in claims:
        found.append("permanence of the deadlock with votes both ways (proved for one revision at a time)")
    return found
