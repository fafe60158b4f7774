"""The theorems about the absence of gaps on the main node: for fixed sizes, for any, and at the exact bound."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from model.scope import Scope
from model.topology import TOPOLOGIES
from properties.proofs.induction import first_failure
from properties.proofs.obligations import Answer, answer_of
from properties.proofs.registry_design import any_size, bound
from properties.proofs.registry_design.open_system import ALL_DETAIL, EVERY_WAY
from properties.proofs.registry_design.session import (
    ASSUMED,
    NO_GAPS,
    ONE_WAY,
    QUEUED,
    RegistrySession,
    heavy_scope,
    named,
)
from properties.proofs.results import Result, Searched, failures, proved
from properties.proofs.session import SEARCH_DEPTH, Case, attesters, no_run
from properties.results.verdicts import Unknown, Verdict


def fixed_sizes(session: RegistrySession, sizes: Sequence[int]) -> Iterator[Result]:
    for size in sizes:
        sentence = (
            f"With {attesters(size)} of any weights, connected to the main node, with votes flowing towards it, "
            f"{ASSUMED}, {QUEUED}, the main node never has a gap."
        )
        about = f"N = {size}, any weights; {ONE_WAY}"
        yield one_size(session.case(NO_GAPS, f"no gaps, {attesters(size)}", sentence), session, size, ALL_DETAIL, about)


def topologies(session: RegistrySession, sizes: Sequence[int]) -> Iterator[Result]:
    """Votes that flow every way, for a few attesters."""
    for name in TOPOLOGIES:
        for size in sizes:
            sentence = (
                f"With {attesters(size)} of any weights in the topology {name}, with votes pushed in both "
                f"directions of every connection, {ASSUMED}, {QUEUED}, the main node never has a gap."
            )
            theorem = f"no gaps, {name}, votes both ways, {attesters(size)}"
            about = f"N = {size}, any weights; {name}, votes both ways, no pruning or regenesis"
            case = session.case(NO_GAPS, theorem, sentence)
            yield one_size(case, session, size, replace(EVERY_WAY, topology=name), about)


def one_size(case: Case, session: RegistrySession, size: int, scope: Scope, about: str) -> Result:
    """The result of the induction for one committee size and topology."""
    outcomes, argument = session.induction(size, scope), session.argument(size, scope)
    if answer_of(outcomes) is Answer.REFUTED:
        fewest = next(fewer for fewer in range(1, size + 1) if first_failure(session.induction(fewer, scope)))
        failed, failure = session.argument(fewest, scope), first_failure(session.induction(fewest, scope))
        return session.gap_or_not_inductive(case, failed, outcomes, heavy_scope(size, scope), failure)
    free = argument.environment(session.within(named(size, scope)))
    return case.concluded(proved(outcomes, "induction", about), outcomes, argument, free)


def any_number(session: RegistrySession, sizes: Sequence[int]) -> Iterator[Result]:
    """One attester beside another, compared with systems of these numbers of attesters, of two at least."""
    sizes = tuple(dict.fromkeys(max(size, 2) for size in sizes))
    sentence = (
        "With any number N >= 2 of attesters of any weights, each connected to the main node, with votes flowing "
        f"towards it, {ASSUMED}, {QUEUED}, the main node never has a gap."
    )
    case = session.case(NO_GAPS, "no gaps, any number of attesters", sentence)
    argument = any_size.induction(session.revision)
    views = [*any_size.locality(argument), *any_size.compared(session.revision, sizes)]
    views += any_size.quorums(session.revision, sizes, case.budget)
    steps = argument.prove(case.budget)
    outcomes = [*views, *steps]
    if unlike := [each for each in views if each.answer is not Answer.PROVED]:
        why = "; ".join(f"{each.goal}: {each.why or each.answer}" for each in unlike)
        yield case.result(Unknown(f"the views of two attesters do not cover this revision: {why}"), outcomes)
    elif answer_of(steps) is Answer.REFUTED:
        yield session.gap_or_not_inductive(case, argument, outcomes, heavy_scope(2, ALL_DETAIL))
    else:
        how = f"induction on views of two attesters ({any_size.by_hand(sizes)})"
        verdict = proved(outcomes, how, f"any N >= 2, any weights; {ONE_WAY}")
        yield case.concluded(verdict, outcomes, argument, argument.environment(case.budget))


def at_the_bound(session: RegistrySession, sizes: Sequence[int]) -> Iterator[Result]:
    """The run at the bound. That there is none below it is the induction, another theorem."""
    sentence = (
        "With two attesters of any weights, one of them Byzantine and at least as heavy as the threshold, "
        "the main node can get a gap."
    )
    case = session.case(NO_GAPS, "a gap is possible at the bound", sentence)
    trace, search = bound.find_gap(
        session.revision, bound.AT_BOUND, SEARCH_DEPTH, session.search_seconds, case.budget.within("search").smt2
    )
    searched = Searched("a gap", f"{bound.AT_BOUND.instance.name}, {bound.AT_BOUND.name}", search)
    if trace is None:
        yield case.result(Unknown(no_run(searched)), [], searches=(searched,))
        return
    at_bound = bound.AnyWeights.of(session.revision, bound.AT_BOUND)
    outcomes, free = at_bound.prove(trace, case.budget), at_bound.environment(case.budget)
    run = f"a run of {len(trace.steps)} steps"
    if answer_of(outcomes) is Answer.REFUTED:
        verdict: Verdict = Unknown(f"{run}, which is not possible for all such weights: {failures(outcomes)}")
    else:
        verdict = proved(outcomes, f"{run}, possible for all such weights", "N = 2")
    yield case.result(verdict, outcomes, free, trace=trace, searches=(searched,))


def arithmetic(session: RegistrySession, sizes: Sequence[int]) -> Iterator[Result]:
    sentence = (
        "For every total weight from 1 to 2^64 - 1: an honest majority, even an honest weight above a fifth, leaves "
        "Byzantine weight below the threshold, and computing the threshold never leaves u64."
    )
    case = session.case(NO_GAPS, "threshold arithmetic", sentence)
    statements = bound.arithmetic()
    outcomes = [statement.prove(bound.ARITHMETIC, case.budget) for statement in statements]
    verdict = case.of_statements(statements, outcomes, "integer arithmetic", "all total weights of u64")
    yield case.result(verdict, outcomes, bound.any_total_weight(case.budget))
