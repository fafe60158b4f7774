"""What a proof comes to: a result, its verdict, and how both are told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from properties.engines.bounded import Search
from properties.proofs.induction import INVARIANT, START, Transit
from properties.proofs.obligations import Answer, Outcome, answer_of
from properties.results.trace import Trace, as_json
from properties.results.verdicts import NotInductive, Proved, Unknown, Verdict, Violated


@dataclass(frozen=True)
class FalseStatement(Verdict, word="VIOLATED"):
    """A statement about numbers, not about runs, is false for these."""

    statement: str
    values: Mapping[str, int]

    @property
    def detail(self) -> str:
        return f"{self.statement}: not for {numbers(self.values)}"


@dataclass(frozen=True)
class FailedInduction(NotInductive):
    """The induction fails, at an action, or without one: at its start, or at its conclusion."""

    @property
    def detail(self) -> str:
        if self.action == START:
            return f"the initial state does not satisfy {self.conjunct}"
        if self.action == INVARIANT:
            return f"the invariant does not imply {self.conjunct}, in a state that is possibly unreachable"
        return super().detail


@dataclass(frozen=True)
class NothingHappens(Verdict, word="VACUOUS", says="{why}"):
    """The theorem is true, and says nothing: what it is about never happens."""

    why: str


@dataclass(frozen=True)
class Searched:
    """A bounded search, in which scope, and what became of it."""

    name: str
    scope: str
    search: Search

    def as_json(self) -> dict[str, Any]:
        found = self.search.actions
        return {
            "name": self.name,
            "scope": self.scope,
            "steps_found": None if found is None else len(found),
            "refuted_to_depth": self.search.refuted,
            "why": self.search.why,
            "seconds": round(self.search.seconds, 3),
            "statistics": self.search.statistics,
        }


@dataclass(frozen=True)
class Result:
    """A theorem for a revision: what it says, under which assumptions, the verdict, and everything that was asked.

    `transit` is a counterexample to induction; `trace` a run that belongs to the verdict; `notes` say what else the
    proof showed; `possible` tells for each action whether it is possible together with the invariant.
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
    trace: Trace | None = None
    searches: tuple[Searched, ...] = ()
    possible: tuple[Outcome, ...] = field(default=())

    @property
    def run(self) -> Trace | None:
        """The run to show: that of the verdict, or the one beside it."""
        return self.verdict.trace if isinstance(self.verdict, Violated) else self.trace

    def as_json(self) -> dict[str, Any]:
        return {
            "revision": self.revision,
            "property": self.claim,
            "theorem": self.theorem,
            "sentence": self.sentence,
            **self.verdict.as_json(),
            "seconds": round(self.seconds, 3),
            "notes": list(self.notes),
            "counterexample_to_induction": self.transit.as_json() if self.transit else None,
            "trace": as_json(self.run) if self.run else None,
            "searches": [searched.as_json() for searched in self.searches],
            "obligations": [outcome.as_json() for outcome in self.outcomes],
            "actions_possible": [outcome.as_json() for outcome in self.possible],
        }

    def lines(self, shown: dict[tuple[str, ...], str]) -> Iterator[str]:
        """The result as text. `shown`: the theorems whose runs have been told already, which grows."""
        count = f"{len(self.outcomes)} obligations, " if self.outcomes else ""
        yield f"{self.theorem.ljust(46)} {self.verdict}  [{count}{self.seconds:.2f} s]"
        yield from (f"    {note}" for note in self.notes)
        if self.transit:
            yield from (f"    {line}" for line in transit_lines(self.transit))
        if self.run:
            yield from (f"    {line}" for line in run_lines(self.run, shown))
            shown.setdefault(_calls(self.run), self.theorem)


def transit_lines(transit: Transit) -> Iterator[str]:
    """A counterexample to induction as text: the committee, what is not as at the start, and the step."""
    unreachable = "" if transit.action == START else " (possibly unreachable)"
    size = "smallest" if transit.is_smallest else "a (perhaps not the smallest)"
    changes = ", ".join(f"{name}: {before} -> {after}" for name, (before, after) in transit.changes.items())
    yield f"{size} counterexample to induction{unreachable}: {', '.join(filter(None, [transit.action, changes]))}"
    if transit.open:
        yield f"  with {numbers(transit.open)}"
    if transit.unusual:
        yield f"  in the state with {numbers(transit.unusual)}, and all else as at the start"


def run_lines(run: Trace, shown: Mapping[tuple[str, ...], str]) -> Iterator[str]:
    """A run as text: step, node, action; or where the same steps have been told."""
    about = f"the run, of {run.scope.instance.name}, {run.scope.name}"
    if _calls(run) in shown:
        yield f"{about}: that of {shown[_calls(run)]}"
    else:
        yield f"{about}:"
        yield from (f"  {number}. {call}" for number, call in enumerate(_calls(run), 1))


def _calls(run: Trace) -> tuple[str, ...]:
    return tuple(f"{step.node} . {step.call}" for step in run.steps)


def numbers(values: Mapping[str, int]) -> str:
    return ", ".join(f"{name} = {value}" for name, value in values.items())


def proved(outcomes: Sequence[Outcome], how: str, sizes: str) -> Verdict:
    """`Proved` if every obligation is; otherwise why nothing is known. A refutation is for the caller to judge, who
    knows what it means. Raises `ValueError` if there is one."""
    if answer_of(outcomes) is Answer.REFUTED:
        raise ValueError(f"refuted: {failures(outcomes)}")
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
