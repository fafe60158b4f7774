"""The theorems about what the main node certifies: in sequence, verifying, and over its own hash, whoever is Byzantine.

What the main node does with its task and its certificates depends on the others in one thing: whether there are votes
enough. So the absence of gaps is proved of the main node *by itself*, with that left open: ten actions or so, which are
the very same in every topology and with any number of attesters, as is checked for several. That a certificate verifies
is proved of each attester's vote by itself: it is a member's, and it stays while the certificate is in hand; so the sum
that was a quorum when the certificate was found is one when it is inserted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import z3

from model.algebra import TRUE, bool_variable, const, int_variable, truth, where
from model.controller_design.node import certificate_fails
from model.controller_design.system import ControllerDesign
from model.controller_design.task import INSERTING
from model.rules import reaches
from model.topology import TOPOLOGIES
from properties.engines.smt import Terms, WholeNumbers
from properties.proofs.controller_design.invariants import main_node, seen_of_main, seen_of_votes, verified
from properties.proofs.controller_design.session import ENVIRONMENT, WITHOUT, ControllerSession
from properties.proofs.induction import Induction, describe, first_failure
from properties.proofs.obligations import Answer, Budget, Outcome, Prover, Statement
from properties.proofs.projection import by_itself, deeds, projection
from properties.proofs.results import Result, proved
from properties.proofs.session import attesters, holds, listed
from properties.results.verdicts import Unknown, Verdict

NO_GAPS, VERIFY, MATCH = "no_gaps_on_main_node", "certificates_verify", "certificates_match_batches"

ALIKE, SUMS = "main node", "sums"
ANY = "any number of attesters, whatever is Byzantine"

Argument = Induction[ControllerDesign]


def of_main_node(session: ControllerSession, *, one_committee: bool = False) -> Argument:
    """The argument about the main node by itself. One attester beside it is enough to build it; it is not seen."""
    system = session.system(1, one_committee=one_committee)
    part = by_itself(system, seen_of_main(system))
    goals = {name: holds(system, name) for name in (NO_GAPS, MATCH)}
    return Induction(part, main_node(part), TRUE, goals)


def alike(session: ControllerSession, sizes: Sequence[int]) -> Iterator[Outcome]:
    """That the main node by itself does the same with any of these numbers of attesters, in every topology."""
    one = session.system(1)
    expected = deeds(by_itself(one, seen_of_main(one)))
    for size in sizes:
        for topology in TOPOLOGIES:
            system = session.system(size, topology)
            is_same = deeds(by_itself(system, seen_of_main(system))) == expected
            goal = f"it does the same with {attesters(size)} in the topology {topology}"
            yield Outcome(ALIKE, goal, Answer.PROVED if is_same else Answer.REFUTED)


def no_gaps(session: ControllerSession, sizes: Sequence[int]) -> Iterator[Result]:
    yield from _by_main_node(session, sizes, NO_GAPS, "no gaps", "the main node never has a gap")


def match(session: ControllerSession, sizes: Sequence[int]) -> Iterator[Result]:
    """That what the main node certifies is its own batch."""
    about = "every certificate that the main node finds is over the batch's own hash, and the batch is in its database"
    yield from _by_main_node(session, sizes, MATCH, "certificates match batches", about)


def _by_main_node(
    session: ControllerSession, sizes: Sequence[int], name: str, theorem: str, about: str
) -> Iterator[Result]:
    """What follows from what the main node does by itself."""
    sentence = (
        f"With any number N >= 1 of attesters, {session.committees}, in any of the topologies {', '.join(TOPOLOGIES)}, "
        f"{ENVIRONMENT}, {about}."
    )
    case, argument = session.case(name, f"{theorem}, {ANY}", sentence), of_main_node(session)
    outcomes = [*argument.prove(case.budget), *alike(session, sizes)]
    if (failure := first_failure(outcomes)) and failure.subject != ALIKE:
        yield case.refuted(argument, outcomes)
        return
    how = "induction on the main node by itself, all else arbitrary"
    about = (
        f"any weights, any Byzantine weight; the same for N = {listed(sizes)} in {len(TOPOLOGIES)} topologies; that "
        f"more attesters add only to what is arbitrary is argued by hand; {WITHOUT}"
    )
    verdict = _unless_unlike(outcomes, how, about)
    yield case.concluded(verdict, outcomes, argument, session.environment(max(sizes)))


def _unless_unlike(outcomes: Sequence[Outcome], how: str, about: str) -> Verdict:
    """The verdict; unknown where systems that should be alike are not."""
    unlike = [outcome.goal for outcome in outcomes if outcome.subject == ALIKE and outcome.answer is Answer.REFUTED]
    return Unknown(f"not so: {'; '.join(unlike)}") if unlike else proved(outcomes, how, about)


def fixed_sizes(session: ControllerSession, sizes: Sequence[int]) -> Iterator[Result]:
    """That certificates verify, with all weights at once."""
    for size in sizes:
        sentence = (
            f"With {attesters(size)}, {session.committees}, connected to the main node, {ENVIRONMENT}, every "
            "certificate that the main node finds verifies, and none is refused."
        )
        case = session.case(VERIFY, f"certificates verify, {attesters(size)}, whatever is Byzantine", sentence)
        about = f"N = {size}, any weights, any Byzantine weight; connected directly, {WITHOUT}"
        how, free = "induction on the main node and its votes", session.environment(size)
        yield case.by_induction(of_votes(session, size), how, about, free)


def of_votes(session: ControllerSession, size: int) -> Argument:
    """The argument about the main node and all votes that it has."""
    system = session.system(size)
    part = projection(system, seen_of_votes(system, range(size)))
    goals = {VERIFY: holds(system, VERIFY), "no certificate is refused": ~certificate_fails(system.main)}
    return Induction(part, (*main_node(part), *verified(part)), TRUE, goals)


def any_number(session: ControllerSession, sizes: Sequence[int]) -> Iterator[Result]:
    """That certificates verify, one attester at a time."""
    sentence = (
        f"With any number N >= 1 of attesters, {session.committees}, connected to the main node, {ENVIRONMENT}, every "
        "certificate that the main node finds verifies."
    )
    case = session.case(VERIFY, f"certificates verify, {ANY}", sentence)
    outcomes = [statement.prove(SUMS, case.budget.within("sums")) for statement in sums()]
    for size in sizes:
        for key in range(size):
            outcomes += in_hand(session.system(size), key, case.budget.within(f"{size} {key}"))
    if failure := first_failure(outcomes):
        verdict: Verdict = Unknown(f"{failure.subject} does not keep it: {failure.goal}")
    else:
        how = "induction on the main node and one attester's vote, and on sums"
        about = (
            f"any weights, any Byzantine weight; each attester of N = {listed(sizes)}; that more are alike, and that "
            f"their sum is taken one by one, is argued by hand; connected directly, {WITHOUT}"
        )
        verdict = proved(outcomes, how, about)
    yield case.result(verdict, outcomes, session.environment(max(sizes)))


def in_hand(system: ControllerDesign, key: int, budget: Budget) -> list[Outcome]:
    """That an attester's vote at the main node is a member's, and that it and the committee stay as they are while a
    certificate is in hand: from when it is found, of a quorum, to its insertion."""
    part = projection(system, seen_of_votes(system, (key,)))
    members, _ = verified(part)
    mine = replace(members, parts=tuple(each for each in (members.parts[key],) if each is not TRUE))
    argument = Induction(part, (*main_node(part), mine), TRUE)
    outcomes = argument.prove(budget.within("members"))
    before = Terms(WholeNumbers())
    prover = Prover(argument.hypotheses(before), budget)
    main, vote = system.main, system.main.attestation.votes[key]
    inserts, committee = main.task.is_in(INSERTING), main.attestation.committee
    found = main.attestation.is_on & main.attestation.has_quorum
    for action in part.actions:
        after = argument.after(before, action)
        with prover.assuming(before(action.guard), after(inserts)):
            grown = z3.And(z3.Implies(before(vote), after(vote)), before(committee) == after(committee))
            outcomes.append(prover.prove(describe(action), "keeps the vote and the committee", grown))
            is_quorum = z3.Or(before(inserts), before(found))
            outcomes.append(prover.prove(describe(action), "there is a quorum when it is found", is_quorum))
    return outcomes


def sums() -> Iterator[Statement]:
    """Votes that only become more weigh no less, by induction over the attesters; so what was a quorum is one still."""
    earlier, later = int_variable("weight before", 0, None), int_variable("weight after", 0, None)
    weight, threshold = int_variable("next weight", 0, None), int_variable("threshold", 0, None)
    voted, votes = bool_variable("the next had voted"), bool_variable("the next has voted")
    more = [total + where(flag, weight, const(0)) for total, flag in ((earlier, voted), (later, votes))]
    yield Statement("no attesters weigh the same", (), const(0) <= const(0))
    yield Statement("one attester more, whose vote stays", (earlier <= later, ~voted | votes), more[0] <= more[1])
    quorum = truth(reaches(earlier, threshold))
    yield Statement("a quorum stays a quorum", (earlier <= later, quorum), truth(reaches(later, threshold)))
