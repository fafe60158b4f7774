"""Induction: the invariant holds at the start, every action keeps each of its conjuncts, and it implies the property.

One obligation for each (action × conjunct); a conjunct that reads nothing that the action changes is kept by it for
free, and is counted apart. The domains of the variables are a conjunct like the others: the algebra simplifies by them,
so every action must keep them. An invariant that no step can be taken in would prove anything; so it is asked besides
which actions are possible together with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Generic, TypeVar

import z3

from model.algebra import Bool, Expression, all_of, name_of, variables_of
from model.transitions import Action, TransitionSystem
from properties.engines.code import Numbers, compile_expressions
from properties.engines.smt import Term, Terms, WholeNumbers, conjunction
from properties.proofs import environment
from properties.proofs.environment import Liberty
from properties.proofs.obligations import Answer, Budget, Outcome, Prover, SmallModel, answer_of

S = TypeVar("S", bound=TransitionSystem[Any])

DOMAINS = "domains"
START = "initial state"
INVARIANT = "invariant"
POSSIBLE = "is possible"


@dataclass(frozen=True)
class Invariant:
    """A conjunct of the invariant of a system: name, sentence, and its parts.

    Each part speaks about the main node and at most one attester, or about a node and a vote of one attester; what is
    proved of all parts of a pair of attesters therefore holds of any number of them.
    """

    name: str
    sentence: str
    parts: tuple[Bool, ...]

    @property
    def holds(self) -> Bool:
        return all_of(self.parts)


@dataclass(frozen=True)
class Transit:
    """A counterexample to induction: a state that satisfies the invariant, and an action that breaks a conjunct.

    The state is possibly unreachable. Where the initial state breaks a conjunct, or the invariant does not imply a
    goal, there is no action: `action` is then `START` or `INVARIANT`, and `after` is `before`. All values are by name
    of the variable; `open` are those of the committee and of the action's choices; `initial` says what to leave out
    when the state is told. `is_smallest`: whether the solver showed for each number in turn that it cannot be smaller.
    """

    action: str
    conjunct: str
    before: dict[str, int]
    after: dict[str, int]
    open: dict[str, int]
    initial: dict[str, int]
    is_smallest: bool = True

    def as_json(self) -> dict[str, Any]:
        return {
            "possibly_unreachable": self.action != START,
            "smallest": self.is_smallest,
            "action": self.action,
            "conjunct": self.conjunct,
            "committee_and_choices": self.open,
            "before": self.before,
            "changes": {name: list(change) for name, change in self.changes.items()},
        }

    @property
    def changes(self) -> dict[str, tuple[int, int]]:
        return {name: (self.before[name], value) for name, value in self.after.items() if value != self.before[name]}

    @property
    def unusual(self) -> dict[str, int]:
        """What is not in the state before as it is in the initial state."""
        return {name: value for name, value in self.before.items() if value != self.initial[name]}


@dataclass(frozen=True)
class Induction(Generic[S]):
    """An inductive argument about one system.

    `assuming` is what the open committee satisfies; `goals` are the properties that the invariant implies, by name;
    `given` are conjuncts that another argument about the same system proves. `liberties`: what the environment may do.
    """

    system: S
    invariant: tuple[Invariant, ...]
    assuming: Bool
    goals: dict[str, Bool] = field(default_factory=dict)
    given: tuple[Invariant, ...] = ()
    liberties: tuple[Liberty, ...] = ()

    @cached_property
    def state(self) -> list[Expression]:
        return [variable.expression for variable in self.system.variables]

    @cached_property
    def open(self) -> list[Expression]:
        """The variables that are no state: the committee's, and the choices of actions."""
        known = (*self.given, *self.invariant)
        roots: list[Expression] = [self.assuming, *(part for conjunct in known for part in conjunct.parts)]
        roots += self.goals.values()
        roots += [action.guard for action in self.system.actions]
        roots += [value for action in self.system.actions for _, value in action.updates]
        state = set(self.state)
        return [variable for variable in variables_of(roots) if variable not in state]

    @cached_property
    def reads(self) -> dict[Bool, frozenset[Expression]]:
        """The variables that each part of the invariant speaks about."""
        parts = [part for conjunct in self.invariant for part in conjunct.parts]
        return {part: frozenset(variables_of([part])) for part in parts}

    def hypotheses(self, before: Terms) -> list[Term]:
        """The invariant, the domains and the assumption, before a step."""
        domains = [before.within_domain(variable) for variable in (*self.state, *self.open)]
        known = (*self.given, *self.invariant)
        return [*domains, before(self.assuming), *(before(conjunct.holds) for conjunct in known)]

    def prove(self, budget: Budget) -> list[Outcome]:
        before = Terms(WholeNumbers())
        prover = Prover(self.hypotheses(before), budget)
        outcomes = [*self._start(budget)]
        for action in self.system.actions:
            outcomes += self.kept(prover, before, action)
        return outcomes + [prover.prove(INVARIANT, name, before(goal)) for name, goal in self.goals.items()]

    def environment(self, budget: Budget) -> list[Outcome]:
        """That the environment may do what it should, and that whatever is open is spoken about."""
        return environment.prove(self.liberties, self.state, self.open, budget.within("environment"))

    def possible(self, budget: Budget) -> list[Outcome]:
        """For each action, whether it is possible in some state that satisfies the invariant: proved if it is."""
        before = Terms(WholeNumbers())
        prover = Prover(self.hypotheses(before), budget)
        return [prover.satisfiable(describe(action), POSSIBLE, before(action.guard)) for action in self.system.actions]

    def _start(self, budget: Budget) -> Iterator[Outcome]:
        """The initial state satisfies the invariant, whatever the committee."""
        initial, prover = self._at_start(budget)
        for conjunct in self.invariant:
            yield prover.prove(START, conjunct.name, initial(conjunct.holds))
        yield prover.prove(START, DOMAINS, conjunction([initial.within_domain(variable) for variable in self.state]))

    def _at_start(self, budget: Budget) -> tuple[Terms, Prover]:
        initial = Terms(WholeNumbers(), initial_terms(self.system))
        committee = [initial.within_domain(variable) for variable in self.open]
        return initial, Prover([*committee, initial(self.assuming)], budget)

    def kept(self, prover: Prover, before: Terms, action: Action) -> Iterator[Outcome]:
        """That an action keeps every conjunct, and the domains."""
        after = self.after(before, action)
        subject, changed = describe(action), {variable.expression for variable, _ in action.updates}
        with prover.assuming(before(action.guard)):
            for conjunct in self.invariant:
                touched = [part for part in conjunct.parts if not changed.isdisjoint(self.reads[part])]
                if touched:
                    yield prover.prove(subject, conjunct.name, after(all_of(touched)))
                else:
                    yield Outcome(subject, conjunct.name, Answer.PROVED, untouched=True)
            domains = conjunction([after.within_domain(variable.expression) for variable, _ in action.updates])
            yield prover.prove(subject, DOMAINS, domains)

    def after(self, before: Terms, action: Action) -> Terms:
        """The state after an action, as terms of the state before it."""
        environment = {variable: before(variable) for variable in (*self.state, *self.open)}
        environment |= {variable.expression: before(value) for variable, value in action.updates}
        return Terms(before.numbers, environment)

    def counterexample(self, failure: Outcome, budget: Budget) -> Transit | None:
        """The counterexample to a refuted obligation with the smallest numbers, replayed on plain numbers; none if the
        solver finds none in time."""
        action = next((each for each in self.system.actions if describe(each) == failure.subject), None)
        before, prover = self._at_start(budget) if failure.subject == START else self._in_invariant(action, budget)
        after = before if action is None else self.after(before, action)
        found = prover.smallest(before, [*self.state, *self.open], self._claimed(failure, action, after))
        return None if found is None else self._read(before, found, failure, action)

    def _in_invariant(self, action: Action | None, budget: Budget) -> tuple[Terms, Prover]:
        before = Terms(WholeNumbers())
        guard = [] if action is None else [before(action.guard)]
        return before, Prover([*self.hypotheses(before), *guard], budget)

    def _claimed(self, failure: Outcome, action: Action | None, after: Terms) -> Term:
        """What should have held: of the state after the action, or of the one state that there is."""
        if failure.goal == DOMAINS:
            changed = self.state if action is None else [variable.expression for variable, _ in action.updates]
            return conjunction([after.within_domain(variable) for variable in changed])
        return after(self._condition(failure))

    def _condition(self, failure: Outcome) -> Bool:
        if failure.subject == INVARIANT:
            return self.goals[failure.goal]
        return next(part.holds for part in self.invariant if part.name == failure.goal)

    def _read(self, before: Terms, found: SmallModel, failure: Outcome, action: Action | None) -> Transit:
        values = {variable: before.read(found.model, variable) for variable in (*self.state, *self.open)}
        changes = [] if action is None else list(action.updates)
        results = evaluate([value for _, value in changes], values)
        later = values | {variable.expression: value for (variable, _), value in zip(changes, results, strict=True)}
        self._check(failure, action, values, later)
        state, after = ({name_of(variable): at[variable] for variable in self.state} for at in (values, later))
        open_values = {name_of(variable): values[variable] for variable in self.open}
        initial = self.system.initial
        return Transit(failure.subject, failure.goal, state, after, open_values, initial, found.is_smallest)

    def _check(
        self, failure: Outcome, action: Action | None, before: dict[Expression, int], after: dict[Expression, int]
    ) -> None:
        """The counterexample on plain numbers. Raises `AssertionError` if the one-step engine disagrees with Z3."""
        known = [] if failure.subject == START else [part.holds for part in (*self.given, *self.invariant)]
        guard = [] if action is None else [action.guard]
        assert all(evaluate([*guard, self.assuming, *known], before))
        if failure.goal != DOMAINS:
            assert not evaluate([self._condition(failure)], after)[0]


def first_failure(outcomes: Sequence[Outcome]) -> Outcome | None:
    return next((outcome for outcome in outcomes if outcome.answer is Answer.REFUTED), None)


def is_proved(outcomes: Sequence[Outcome]) -> bool:
    """Whether every obligation is proved, and there is one."""
    return answer_of(outcomes) is Answer.PROVED


def describe(action: Action) -> str:
    return f"{action} of {action.node}"


def evaluate(expressions: Sequence[Expression], values: dict[Expression, int]) -> tuple[int, ...]:
    """The values of expressions on plain numbers, by the code of the one-step engine."""
    places = {variable: place for place, variable in enumerate(values)}
    result: tuple[int, ...] = compile_expressions("evaluate", "state", list(expressions), Numbers(places), {})(
        tuple(values.values())
    )
    return result


def initial_terms(system: TransitionSystem[Any]) -> dict[Expression, Term]:
    numbers = WholeNumbers()
    return {
        variable.expression: (
            z3.BoolVal(bool(variable.initial)) if variable.is_boolean else numbers.constant(variable.initial)
        )
        for variable in system.variables
    }
