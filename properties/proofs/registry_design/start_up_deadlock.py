"""The theorem about the start-up deadlock: reached and permanent, excluded, or left by some step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from model.algebra import TRUE
from model.registry_design.system import RegistryDesign, build
from model.revisions import LAST_SEALED
from model.scope import Scope, instance
from model.topology import TOPOLOGIES
from properties.proofs.committees import Committee
from properties.proofs.induction import Induction
from properties.proofs.obligations import Answer, Budget, Outcome, answer_of
from properties.proofs.registry_design import permanence
from properties.proofs.registry_design.invariants import MINIMA, invariant
from properties.proofs.registry_design.open_system import ALL_DETAIL, EVERY_WAY, liberties
from properties.proofs.registry_design.session import ASSUMED, ONE_WAY, Argument, RegistrySession
from properties.proofs.results import NothingHappens, Result, Searched, failures, proved
from properties.proofs.session import SEARCH_DEPTH, listed, no_run, unreached
from properties.results.trace import Trace
from properties.results.verdicts import Unknown, Verdict, Violated

NO_DEADLOCK = "no_start_up_deadlock"
PROGRESS = "progress_possible"

CLOSED_WITH_ECHO = (1, 2)
"""For how many attesters the deadlock is proved permanent in every topology with votes both ways."""

DEADLOCK_SCOPE = Scope(instance("n2f0b0"), 3)
"""The scope of the deadlock that the pull request describes."""


def no_deadlock(session: RegistrySession, sizes: Sequence[int]) -> Iterator[Result]:
    """What becomes of the deadlock in a revision."""
    sentence = (
        f"With attesters of any weights, connected to the main node, with votes flowing towards it, {ASSUMED}, without "
        "pruning or regenesis, the main node never comes to ask for a batch that is below its registry's minimum while "
        "its finder waits for a quorum, or below the minimum that its finder is about to set: points of no return of "
        "the kinds registry_minimum and minimum_to_come, the deadlock of PR 161, are excluded. Other kinds are not."
    )
    case = session.case(NO_DEADLOCK, "no start-up deadlock", sentence)
    beyond = f"{PROGRESS} as a whole, all its kinds, is for the explorer: attestation check"
    if why := session.why_nothing_happens(session.argument(sizes[0]).system):
        yield case.result(NothingHappens(why), [], notes=(beyond,))
        return
    outcomes, free = excluded(session, sizes, case.budget)
    if answer_of(outcomes) is Answer.PROVED:
        about = f"N = {listed(sizes)}, any weights; {ONE_WAY}"
        verdict = proved(outcomes, "induction, on top of that of no gaps", about)
        yield case.result(verdict, outcomes, free, notes=(*departure(session), beyond))
        return
    outcomes, lasts = closed(session, sizes, case.budget)
    trace, searched = reached(session, DEADLOCK_SCOPE)
    verdict, found = judged(session, outcomes, trace, searched, lasts)
    yield case.result(verdict, outcomes, notes=(*found, beyond), trace=trace, searches=(searched,))


def excluded(session: RegistrySession, sizes: Sequence[int], budget: Budget) -> tuple[list[Outcome], list[Outcome]]:
    """That the kinds of the deadlock contradict the invariant, which is proved along with it; and what the environment
    may do."""
    outcomes: list[Outcome] = []
    free: list[Outcome] = []
    for size in sizes:
        outcomes += session.induction(size)
        if answer_of(outcomes) is Answer.PROVED:
            outcomes += minima(session, size).prove(budget.within(f"excluded {size}"))
            free += session.argument(size).environment(budget.within(f"{size}"))
        if answer_of(outcomes) is not Answer.PROVED:
            break
    return outcomes, free


def minima(session: RegistrySession, size: int) -> Argument:
    """That no minimum is ahead of what is asked for, given the invariant of no gaps: so there is no deadlock."""
    base, byzantine = session.argument(size), Committee.of(size).byzantine
    conjuncts = invariant(base.system, byzantine, MINIMA)
    return replace(base, invariant=conjuncts, goals=permanence.never(base.system, byzantine), given=base.invariant)


def closed(session: RegistrySession, sizes: Sequence[int], budget: Budget) -> tuple[list[Outcome], str]:
    """That no step but a restart of the main node leaves the deadlock, and for which systems that was asked."""
    cases = [(size, ALL_DETAIL) for size in sizes]
    lasts = f"N = {listed(sizes)}, connected to the main node, with votes towards it"
    if not session.among_many:
        more = sorted({min(size, max(sizes)) for size in CLOSED_WITH_ECHO})
        cases += [(size, replace(EVERY_WAY, topology=name)) for name in TOPOLOGIES for size in more]
        lasts += f"; for N = {listed(more)}, with votes both ways, in the topologies {', '.join(TOPOLOGIES)}"
    outcomes: list[Outcome] = []
    for size, scope in cases:
        folder = budget.within(f"closed {size} {scope.topology if scope.echo else ''}")
        system, committee = session.argument(size, scope).system, Committee.of(size)
        outcomes += permanence.Permanence(system, committee).closed(folder)
        outcomes += unassuming(system, committee).environment(folder)
    return outcomes, lasts


def unassuming(system: RegistryDesign, committee: Committee) -> Induction[RegistryDesign]:
    """The system with nothing assumed of its committee, for what its environment may do."""
    return Induction(system, (), TRUE, liberties=(committee.any_liars, *liberties(system, committee.byzantine)))


def judged(
    session: RegistrySession, closed: Sequence[Outcome], trace: Trace | None, searched: Searched, lasts: str
) -> tuple[Verdict, tuple[str, ...]]:
    """The verdict where the invariant does not exclude the deadlock."""
    if trace is None:
        return unreached(searched.search), (no_run(searched),)
    if answer_of(closed) is Answer.PROVED:
        permanent = f"permanent for any weights ({lasts}): no step but a restart of the main node leaves it"
        return Violated(trace, (trace,)), (permanent,)
    found = f"the deadlock is reached in {len(trace.steps)} steps"
    notes = [f"the proof that it is permanent fails at {failures(closed)}"]
    system = build(session.revision, DEADLOCK_SCOPE)
    run = permanence.first_run(system)
    assert run is not None, "the explorer finds the deadlock, too"
    assert len(run.steps) == len(trace.steps), "its run is as short"
    steps = permanence.way_out(run, system)
    if steps:
        return Unknown(f"{found}, and is not permanent"), (*notes, f"a way out of it: {', '.join(steps)}")
    return Unknown(f"{found}; whether it is permanent is open"), tuple(notes)


def reached(session: RegistrySession, scope: Scope) -> tuple[Trace | None, Searched]:
    """The shortest run into the deadlock."""
    folder = session.within("reached").smt2
    trace, search = permanence.search(build(session.revision, scope), SEARCH_DEPTH, session.search_seconds, folder)
    if trace:
        permanence.check_old_votes(trace)
    return trace, Searched("the deadlock", f"{scope.instance.name}, {scope.name}", search)


def departure(session: RegistrySession) -> tuple[str, ...]:
    """Which step of the deadlock's run this revision does not take, if it starts attesting elsewhere only."""
    elsewhere = replace(session.revision, start=LAST_SEALED, remembers_start=False)
    run = permanence.first_run(build(elsewhere, DEADLOCK_SCOPE))
    left = run and permanence.departure(run, build(session.revision, DEADLOCK_SCOPE))
    if not run or not left:
        return ()
    difference = f"step {left.step} {left.reason}: {left.action}"
    return (f"of the deadlock's {len(run.steps)} steps with the last-sealed start, {difference}",)
