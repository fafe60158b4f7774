"""The tables of `docs/proofs.md`, from the proofs themselves."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from docs.generator.tables import table
from model.revisions import compose
from properties.proofs.committees import Committee
from properties.proofs.controller_design.certification import of_main_node
from properties.proofs.controller_design.delivery import of_attester
from properties.proofs.controller_design.invariants import attester, main_node, verified
from properties.proofs.controller_design.session import ControllerSession
from properties.proofs.induction import DOMAINS
from properties.proofs.obligations import Answer, Budget, Outcome
from properties.proofs.registry_design.bound import arithmetic
from properties.proofs.registry_design.invariants import ABOVE_MINIMUM, CONJUNCTS, HASHES, MINIMA, NO_GAP, sentence_of
from properties.proofs.registry_design.permanence import deadlock
from properties.proofs.registry_design.session import NO_GAPS, RegistrySession
from properties.proofs.registry_design.start_up_deadlock import NO_DEADLOCK
from properties.proofs.results import Result
from properties.proofs.theorems import DESIGNS, theorems_of
from properties.proofs.theorems import results as prove

PROVED_START, BROKEN_START = "pr161+era2539", "pr161+era2480"
CONTROLLER, CONTROLLER_PER_BATCH = "pr175+era2657", "pr175+era2684"
CURES = (
    BROKEN_START,
    PROVED_START,
    "pr167+era2480",
    "pr161+era2480+finder_listens",
    "pr161+era2480+votes_kept",
    "pr161+era2480+finder_listens+votes_kept",
    "pr161+era2480+start_kept",
    "pr161+era2480+asked_vote_wins",
)
SIZE = 2
"""How many attesters the tables are about: the results are the same for the others, and the tests prove those."""

GROUPS = {
    "no gaps": NO_GAP,
    "no start-up deadlock": (*NO_GAP, *MINIMA),
    "certificates": HASHES,
    "no vote below the minimum": ABOVE_MINIMUM,
}

SIGNS = {Answer.PROVED: "✓", Answer.REFUTED: "**✗**", Answer.UNKNOWN: "?"}


@cache
def results(revision: str, claim: str) -> tuple[Result, ...]:
    """What is proved about one property of one revision."""
    about = compose(revision)
    return tuple(prove(DESIGNS[about.design].session(about, Budget(), (SIZE,)), [claim]))


def invariant() -> str:
    """The conjuncts behind no gaps."""
    rows = [(f"`{name}`", sentence_of(name), _needed_for(name)) for name in CONJUNCTS]
    rows.append((f"`{DOMAINS}`", "Every variable stays within its declared domain.", "all"))
    return table(("conjunct", "what it says", "for"), rows)


def _needed_for(conjunct: str) -> str:
    return ", ".join(theorem for theorem, group in GROUPS.items() if conjunct in group)


def obligations(revision: str) -> str:
    """For each action and conjunct, whether the action keeps it; an action stands for those of all nodes."""
    (fixed, *_) = results(revision, NO_GAPS)
    return _by_action(fixed.outcomes, [*NO_GAP, DOMAINS])


def _by_action(outcomes: Sequence[Outcome], goals: Sequence[str]) -> str:
    subjects = list(dict.fromkeys(action_of(outcome) for outcome in outcomes))
    rows = ((f"`{subject}`", *(_cell(outcomes, subject, goal) for goal in goals)) for subject in subjects)
    return table(("", *(f"`{goal}`" for goal in goals)), (row for row in rows if any(row[1:])))


def action_of(outcome: Outcome) -> str:
    """The action of an obligation, without its node and arguments."""
    return outcome.subject.split("(")[0]


def _cell(outcomes: Sequence[Outcome], subject: str, goal: str) -> str:
    asked = [each for each in outcomes if action_of(each) == subject and each.goal == goal]
    if all(each.untouched for each in asked):
        return "·" if asked else ""
    answers = {each.answer for each in asked}
    worst = next(answer for answer in (Answer.REFUTED, Answer.UNKNOWN, Answer.PROVED) if answer in answers)
    return SIGNS[worst]


def theorems(ours: str, theirs: str) -> str:
    """The theorems for two attesters, and the verdict for each of two revisions of one design."""
    rows = (
        (mine.theorem, mine.sentence, str(mine.verdict), str(other.verdict))
        for claim in theorems_of(compose(ours))
        for mine, other in zip(results(ours, claim), results(theirs, claim), strict=True)
    )
    return table(("theorem", "sentence", f"`{ours}`", f"`{theirs}`"), rows)


def controller_invariants() -> str:
    """The conjuncts about the attestation controller, by the part of the system that they speak about."""
    system = ControllerSession(compose(CONTROLLER), Budget()).system(1)
    parts = {"main node": main_node(system), "its votes": verified(system), "each attester": attester(system, 0)}
    rows = ((f"`{each.name}`", each.sentence, about) for about, conjuncts in parts.items() for each in conjuncts)
    return table(("conjunct", "what it says", "of"), rows)


def controller_obligations() -> str:
    """For each action and conjunct about the main node and an attester, whether the action keeps it."""
    session = ControllerSession(compose(CONTROLLER), Budget())
    argument = of_attester(session, SIZE, "mesh", 0)
    outcomes = [*of_main_node(session, one_committee=True).prove(Budget()), *argument.prove(Budget())]
    goals = [conjunct.name for conjunct in (*argument.given, *argument.invariant)]
    return _by_action(outcomes, [*goals, DOMAINS])


def predicate() -> str:
    """The conjuncts of the deadlock."""
    argument = RegistrySession(compose(BROKEN_START), Budget()).argument(1)
    parts = deadlock(argument.system, Committee.of(1).byzantine)
    return table(("conjunct", "what it says"), ((f"`{part.name}`", part.sentence) for part in parts))


def cures() -> str:
    """What becomes of the deadlock with each cure."""
    found = ((name, results(name, NO_DEADLOCK)[0]) for name in CURES)
    rows = ((f"`{name}`", str(result.verdict), "; ".join(result.notes[:-1])) for name, result in found)
    return table(("revision", "verdict", "and"), rows)


def threshold() -> str:
    """The arithmetic of the threshold."""
    return table(("for every total weight from 1 to 2^64 - 1",), ((statement.name,) for statement in arithmetic()))
