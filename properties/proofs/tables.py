"""The tables of `docs/proofs.md`, from the proofs themselves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache

from model.revisions import compose
from properties.proofs.committees import Committee
from properties.proofs.induction import DOMAINS
from properties.proofs.obligations import Answer, Budget, Outcome
from properties.proofs.registry_design.bound import arithmetic
from properties.proofs.registry_design.invariants import ABOVE_MINIMUM, CONJUNCTS, HASHES, MINIMA, NO_GAP
from properties.proofs.registry_design.permanence import deadlock
from properties.proofs.registry_design.session import NO_GAPS, RegistrySession
from properties.proofs.registry_design.start_up_deadlock import NO_DEADLOCK
from properties.proofs.results import Result
from properties.proofs.theorems import results as prove
from properties.proofs.theorems import theorems_of

Table = tuple[Sequence[str], Iterator[Sequence[str]]]
"""The head and the rows."""

PROVED_START, BROKEN_START = "pr161+era2539", "pr161+era2480"
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
    return tuple(prove(RegistrySession(compose(revision), Budget(), (SIZE,)), [claim]))


def invariant() -> Table:
    """The conjuncts behind no gaps."""
    rows = [(f"`{name}`", sentence, _needed_for(name)) for name, sentence, _ in CONJUNCTS]
    rows.append((f"`{DOMAINS}`", "Every variable stays within its declared domain.", "all"))
    return ("conjunct", "what it says", "for"), iter(rows)


def _needed_for(conjunct: str) -> str:
    return ", ".join(theorem for theorem, group in GROUPS.items() if conjunct in group)


def obligations(revision: str) -> Table:
    """For each action and conjunct, whether the action keeps it; an action stands for those of all nodes."""
    (fixed, *_) = results(revision, NO_GAPS)
    subjects = list(dict.fromkeys(action_of(outcome) for outcome in fixed.outcomes))
    goals = [*NO_GAP, DOMAINS]
    rows = ((f"`{subject}`", *(_cell(fixed.outcomes, subject, goal) for goal in goals)) for subject in subjects)
    return ("", *(f"`{goal}`" for goal in goals)), (row for row in rows if any(row[1:]))


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


def theorems() -> Table:
    """The theorems for two attesters, and the verdict for each of the two start rules."""
    rows = (
        (ours.theorem, ours.sentence, str(ours.verdict), str(theirs.verdict))
        for claim in theorems_of(compose(PROVED_START))
        for ours, theirs in zip(results(PROVED_START, claim), results(BROKEN_START, claim), strict=True)
    )
    return ("theorem", "sentence", f"`{PROVED_START}`", f"`{BROKEN_START}`"), rows


def predicate() -> Table:
    """The conjuncts of the deadlock."""
    argument = RegistrySession(compose(BROKEN_START), Budget()).argument(1)
    parts = deadlock(argument.system, Committee.of(1).byzantine)
    return ("conjunct", "what it says"), ((f"`{part.name}`", part.sentence) for part in parts)


def cures() -> Table:
    """What becomes of the deadlock with each cure."""
    found = ((name, results(name, NO_DEADLOCK)[0]) for name in CURES)
    rows = ((f"`{name}`", str(result.verdict), "; ".join(result.notes[:-1])) for name, result in found)
    return ("revision", "verdict", "and"), rows


def threshold() -> Table:
    """The arithmetic of the threshold."""
    return ("for every total weight from 1 to 2^64 - 1",), ((statement.name,) for statement in arithmetic())
