"""Proof obligations: one formula each, whose negation Z3 must find unsatisfiable.

An answer is never rounded up: a time-out, or any other `unknown`, stays `UNKNOWN` and never passes.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

import z3

from model.algebra import Bool, Expression, name_of, variables_of
from properties.engines.smt import Term, Terms, WholeNumbers, file_name, new_solver, statistics, write_script


class Answer(StrEnum):
    """What the solver said about an obligation."""

    PROVED = "proved"
    REFUTED = "refuted"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Outcome:
    """An obligation and what became of it.

    `subject` is what acts (an action, or "initial state"), `goal` what must hold then. `model` refutes it; `why` is the
    solver's reason for not knowing. `seconds` and `statistics` are the solver's. `untouched`: nothing was asked, as the
    action changes nothing that the goal speaks about.
    """

    subject: str
    goal: str
    answer: Answer
    seconds: float = 0.0
    statistics: dict[str, float] = field(default_factory=dict)
    model: Term | None = None
    why: str | None = None
    untouched: bool = False

    @property
    def name(self) -> str:
        return f"{self.subject} / {self.goal}"

    def as_json(self) -> dict[str, Any]:
        result: dict[str, Any] = {"name": self.name, "result": str(self.answer), "seconds": round(self.seconds, 4)}
        if self.untouched:
            result["why"] = "the action changes nothing that this speaks about"
        return {**result, "statistics": self.statistics, **({"why": self.why} if self.why else {})}


def answer_of(outcomes: Iterable[Outcome]) -> Answer:
    """The answer for all of them together: proved only if each is; refuted if one is."""
    answers = {outcome.answer for outcome in outcomes}
    if Answer.REFUTED in answers:
        return Answer.REFUTED
    return Answer.PROVED if answers == {Answer.PROVED} else Answer.UNKNOWN


@dataclass(frozen=True)
class Budget:
    """What one run of the solver may take, and where its queries are written as SMT-LIB, if anywhere."""

    seconds_per_query: float = 60.0
    smt2: Path | None = None

    def within(self, name: str) -> Budget:
        """The same, with the queries in a folder of their own."""
        return Budget(self.seconds_per_query, self.smt2 / file_name(name) if self.smt2 else None)


SHRINKING_MILLISECONDS = 500
"""How long the solver may look for a smaller number in a counterexample."""

SMALL = 8
"""How far above its least value a variable of a small counterexample is."""


class Prover:
    """Discharges obligations that share hypotheses."""

    def __init__(self, hypotheses: Sequence[Term], budget: Budget) -> None:
        self.budget = budget
        self._solver = new_solver()
        self._solver.set("timeout", int(budget.seconds_per_query * 1000))
        self._solver.add(*hypotheses)
        self._written = 0

    @contextmanager
    def assuming(self, *hypotheses: Term) -> Iterator[None]:
        """More hypotheses, for the obligations within."""
        self._solver.push()
        self._solver.add(*hypotheses)
        try:
            yield
        finally:
            self._solver.pop()

    def prove(self, subject: str, goal: str, formula: Term) -> Outcome:
        """Whether the hypotheses imply the formula."""
        with self.assuming(z3.Not(formula)):
            return self._check(subject, goal, proved="unsat")

    def satisfiable(self, subject: str, goal: str, formula: Term) -> Outcome:
        """Whether the formula is possible together with the hypotheses: `PROVED` if so, with a model."""
        with self.assuming(formula):
            return self._check(subject, goal, proved="sat")

    def _check(self, subject: str, goal: str, proved: str) -> Outcome:
        if self.budget.smt2:
            self._written += 1
            write_script(self._solver, self.budget.smt2, self._written, f"{subject} / {goal}", f"proved if {proved}")
        earlier = statistics(self._solver)
        started = time.perf_counter()
        said = str(self._solver.check())
        spent = time.perf_counter() - started
        answer = {proved: Answer.PROVED, "unknown": Answer.UNKNOWN}.get(said, Answer.REFUTED)
        model = self._solver.model() if said == "sat" else None
        why = self._solver.reason_unknown() if said == "unknown" else None
        return Outcome(subject, goal, answer, spent, _since(earlier, statistics(self._solver)), model, why)

    def smallest(self, terms: Terms, variables: Sequence[Expression], formula: Term) -> SmallModel | None:
        """A model that refutes the formula: one with small numbers only, if there is one, and among these with each
        variable in turn as small as the ones before it allow; none if no model is found at all."""
        with self.assuming(z3.Not(formula)):
            if self._solver.check() != z3.sat:
                return None
            found = SmallModel(self._solver.model(), True)
            self._solver.set("timeout", SHRINKING_MILLISECONDS)
            # With small numbers only, which mostly are enough, the solver decides the rest at once.
            small = [terms(each) <= (each.low or 0) + SMALL for each in variables if not isinstance(each, Bool)]
            said = self._solver.check(*small)
            if said == z3.sat:
                found = SmallModel(self._solver.model(), True)
                self._solver.add(*small)
            found = replace(found, is_smallest=said != z3.unknown)
            for variable in variables:
                found = self._shrink(found, terms, variable)
            self._solver.set("timeout", int(self.budget.seconds_per_query * 1000))
            return found

    def _shrink(self, found: SmallModel, terms: Terms, variable: Expression) -> SmallModel:
        """A model with the least value of the variable that the solver finds, which is then fixed. Where it gives up,
        the variable stays as large as it was."""
        number = z3.If(terms(variable), 1, 0) if isinstance(variable, Bool) else terms(variable)
        model = found.model
        value = model.eval(number, model_completion=True)
        while (said := self._solver.check(number < value)) == z3.sat:
            model = self._solver.model()
            value = model.eval(number, model_completion=True)
        self._solver.add(number == value)
        return SmallModel(model, found.is_smallest and said == z3.unsat)


@dataclass(frozen=True)
class SmallModel:
    """A model with small numbers; `is_smallest`: whether the solver decided of each that it cannot be smaller."""

    model: Term
    is_smallest: bool


GAUGES = ("max memory", "memory", "time")
"""What the solver reports as it stands, and does not count up."""


def _since(earlier: dict[str, float], now: dict[str, float]) -> dict[str, float]:
    """What the solver counted since: its counters go on from query to query."""
    counted = {name: value - earlier.get(name, 0) for name, value in now.items() if name not in GAUGES}
    return {name: value for name, value in counted.items() if value > 0}


@dataclass(frozen=True)
class Statement:
    """That some conditions imply another, for all values of their variables within their domains."""

    name: str
    given: tuple[Bool, ...]
    then: Bool

    def prove(self, subject: str, budget: Budget) -> Outcome:
        terms, hypotheses = self._hypotheses()
        return Prover(hypotheses, budget).prove(subject, self.name, terms(self.then))

    def counterexample(self, budget: Budget) -> dict[str, int] | None:
        """The values with the smallest numbers for which it is false, by name; none if none are found."""
        terms, hypotheses = self._hypotheses()
        variables = variables_of([*self.given, self.then])
        found = Prover(hypotheses, budget).smallest(terms, variables, terms(self.then))
        return None if found is None else {name_of(each): terms.read(found.model, each) for each in variables}

    def _hypotheses(self) -> tuple[Terms, list[Term]]:
        terms = Terms(WholeNumbers())
        domains = [terms.within_domain(variable) for variable in variables_of([*self.given, self.then])]
        return terms, [*domains, *(terms(condition) for condition in self.given)]
