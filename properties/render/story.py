"""What there is to tell about a trace: worked out on the model, for all formats.

Where the run goes wrong, which conjunct is false and where that shows, what can still happen after the last state, and
the nearest run that goes well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property
from typing import TypeVar

from model.algebra import TRUE, Bool, Expression, all_of, conjuncts, variables_of
from model.service import AttestationSystem
from model.transitions import Transition
from model.votes import NONE, Vote
from properties.claims.catalogue import claim
from properties.claims.kinds import Conjunct, CounterexampleKind, Kind, Property
from properties.claims.points_of_no_return import UNCLASSIFIED
from properties.engines.confirmation import NotConfirmed, confirm_lasso
from properties.engines.explorer import Exploration, explore, first_where
from properties.engines.packing import Packing
from properties.engines.paths import path_to
from properties.engines.stepper import State, Stepper
from properties.render.vocabulary import vocabulary_of
from properties.render.words import Change, Words
from properties.render.words import vote as vote_in_words
from properties.results.trace import BadTrace, Trace, TraceStep, record, replay

Design = TypeVar("Design", bound=AttestationSystem)

ASKED = "next_batch_to_attest"
"""What no variable holds and a reader looks for: what the main node's database answers."""
TOO_MANY = "too many states follow the last one to confirm that it is final"
FEW_STATES, MANY_STATES = 100_000, 1_000_000
"""How many states a search behind a report may look at: told apart one by one; up to symmetry."""


class Standing(StrEnum):
    """What one state says of a conjunct."""

    SILENT = "says nothing here"
    HOLDS = "holds"
    OPEN = "can still come true"
    FAILS = "fails"
    UNEXAMINED = "too many states to tell"


@dataclass(frozen=True)
class Aftermath:
    """What can be reached from the last state without the steps that do not count: how many states (`symmetry`: up to
    the order of interchangeable attesters), whether these are all, and whether the conjunct then comes true in none."""

    states: int
    symmetry: bool
    is_complete: bool
    is_final: bool


@dataclass(frozen=True)
class Passing:
    """A run that goes well, as far as possible along the trace: it shares the first `shared` steps, then goes on to a
    state where the conjunct is true."""

    shared: int
    trace: Trace


class Story:
    """A trace with its model, which need not be built again if it is at hand. Raises `BadTrace` if it is not a run of
    the model, `UnknownProperty` if nobody knows the property."""

    def __init__(self, trace: Trace, system: AttestationSystem | None = None) -> None:
        self.trace = trace
        self.system: AttestationSystem = system or trace.system
        self.stepper = Stepper(self.system)
        replay(trace, self.stepper)
        if trace.loop is not None and trace.states[trace.loop] != trace.states[-1]:
            raise BadTrace(
                f"the last state is not that after step {trace.loop}, to which the trace says that it returns"
            )
        self.vocabulary = vocabulary_of(self.system.revision.design)
        self.words = Words(self.system, trace.arrangement)
        self._evaluators: dict[Expression, Callable[[State], tuple[int, ...]]] = {}
        self.states: list[Mapping[str, int]] = [*trace.states]
        self.claim: Property = claim(trace.claim)
        if trace.failed is not None and self.false_conjunct is None:
            raise BadTrace(f"no part of {trace.claim} in this scope reads {trace.failed!r}")

    @cached_property
    def conjuncts(self) -> tuple[Conjunct, ...]:
        """What the property says of this system."""
        return self.claim.conjuncts(self.system)

    @cached_property
    def false_conjunct(self) -> Conjunct | None:
        """The conjunct that the trace refutes; none for a witness."""
        return next((conjunct for conjunct in self.conjuncts if conjunct.sentence == self.trace.failed), None)

    @cached_property
    def kind(self) -> CounterexampleKind | None:
        """The kind of counterexample, where the property has kinds."""
        return next((kind for kind in self.claim.kinds_in(self.system) if kind.name == self.trace.kind), None)

    def transition(self, step: TraceStep) -> Transition:
        return self.stepper.action(self.stepper.index[step.node, step.call]).transition

    def state(self, number: int) -> State:
        """The state after so many steps, for the one-step engine."""
        return tuple(self.states[number][variable.name] for variable in self.system.variables)

    def value(self, expression: Expression, number: int) -> int:
        """The value of an expression after so many steps."""
        if expression not in self._evaluators:
            self._evaluators[expression] = self.stepper.evaluator(expression)
        return int(self._evaluators[expression](self.state(number))[0])

    def fields(self, number: int) -> dict[str, str]:
        """Every field after so many steps in words, first `ASKED`."""
        asked = self.value(self.system.next_batch_to_attest, number)
        told = {ASKED: "none" if asked == NONE else str(asked)}
        return told | self.words.values(self.states[number])

    def changes(self, number: int) -> list[Change]:
        """The fields that a step changes. `number` counts from 1."""
        old, new = self.fields(number - 1), self.fields(number)
        return [Change(field, old[field], new[field]) for field in old if old[field] != new[field]]

    def vote(self, vote: Vote, number: int) -> str | None:
        """A vote or certificate after so many steps, in words; none if there is none."""
        batch, variant, genesis = (self.value(part, number) for part in (vote.number, vote.variant, vote.genesis))
        return None if batch == NONE else vote_in_words(batch, variant, genesis, self.trace.scope.batches)

    def witnesses(self, condition: Bool) -> dict[str, str]:
        """The fields of the last state that make the condition what it is: where it is false, those of its false
        parts alone."""
        last = len(self.trace.steps)
        parts = [part for part in conjuncts(condition) if not self.value(part, last)] or [condition]
        names = {self.vocabulary.field_of(str(variable.value[0])): None for variable in variables_of(parts)}
        values = self.words.values(self.states[last])
        return {name: values[name] for name in values if name in names}

    def standings(self) -> list[list[Standing]]:
        """For every state and conjunct, what the one says of the other."""
        avoidable = [self._last_open(conjunct) for conjunct in self.conjuncts]
        return [
            [self._standing(*pair, number) for pair in zip(self.conjuncts, avoidable, strict=True)]
            for number in range(len(self.states))
        ]

    def _standing(self, conjunct: Conjunct, last_open: int | None, number: int) -> Standing:
        if not self.value(conjunct.when, number):
            return Standing.SILENT
        if self.value(conjunct.holds, number):
            return Standing.HOLDS
        if self.claim.kind is not Kind.POSSIBLE:
            return Standing.FAILS if self._is_about_states or self._is_never(conjunct, number) else Standing.OPEN
        if last_open is None:
            return Standing.UNEXAMINED
        return Standing.OPEN if number <= last_open else Standing.FAILS

    def _is_never(self, conjunct: Conjunct, number: int) -> bool:
        """Whether this state is in the loop of a lasso, and the conjunct comes true nowhere in it."""
        loop = range(len(self.states) if self.trace.loop is None else self.trace.loop, len(self.states))
        return number in loop and not any(self.value(conjunct.holds, each) for each in loop)

    def _last_open(self, conjunct: Conjunct) -> int | None:
        """After how many steps the conjunct can come true for the last time; none if that is not the question,
        or if there are too many states to tell."""
        is_asked = any(self.value(conjunct.when, number) for number in range(len(self.states)))
        if self.claim.kind is not Kind.POSSIBLE or not is_asked:
            return None
        for number in range(len(self.trace.steps), -1, -1):
            search, found = self._search(conjunct, number)
            if found is not None:
                return number
            if not search.complete:
                return None
        return -1

    def of(self, design: type[Design]) -> Design:
        """The model, which is of this design."""
        assert isinstance(self.system, design)
        return self.system

    @property
    def _is_about_states(self) -> bool:
        """Whether a single state can refute the property."""
        return self.claim.kind is Kind.ALWAYS

    def _goal(self, conjunct: Conjunct) -> Bool:
        return conjunct.when & conjunct.holds & self._unrefuted if self._is_about_states else conjunct.holds

    @cached_property
    def _unrefuted(self) -> Bool:
        """No conjunct is false. It is true where single states refute nothing."""
        if not self._is_about_states:
            return TRUE
        return all_of(~conjunct.when | conjunct.holds for conjunct in self.conjuncts)

    @cached_property
    def _passing_system(self) -> AttestationSystem:
        """The system without the steps that a passing run may not take: those that the property does without, and
        every step from a state that refutes it."""
        actions = (
            replace(action, guard=action.guard & self._unrefuted)
            for action in self.system.actions
            if action.name not in self.claim.without
        )
        return replace(self.system, actions=tuple(actions))

    def _has_symmetry(self, goal: Bool) -> bool:
        """Whether permuted attesters can count as one in a search of the passing system for the goal."""
        packing = self._passing_packing
        return packing.has_symmetry and packing.symmetry.breaks([(goal,)]) is None

    @cached_property
    def _passing_packing(self) -> Packing:
        return Packing(self._passing_system)

    def _search(self, conjunct: Conjunct, number: int) -> tuple[Exploration, tuple[int, int] | None]:
        """A search from the state after so many steps, and where in it the conjunct comes true."""
        goal = self._goal(conjunct)
        symmetry = self._has_symmetry(goal)
        search = explore(self._passing_system, symmetry, MANY_STATES, start=self.state(number), until=goal)
        return search, first_where(search, goal)

    @cached_property
    def aftermath(self) -> Aftermath | None:
        """What can still happen after the last state, where the property is about that."""
        conjunct = self.false_conjunct
        if conjunct is None or self._is_about_states:
            return None
        for symmetry, most in ((False, FEW_STATES), (True, MANY_STATES)):
            if symmetry and not self._has_symmetry(conjunct.holds):
                break
            search = explore(self._passing_system, symmetry, most, start=self.state(len(self.trace.steps)))
            if search.complete:
                break
        is_final = search.complete and first_where(search, conjunct.holds) is None
        return Aftermath(search.states, search.symmetry, search.complete, is_final)

    @cached_property
    def passing(self) -> Passing | None:
        """The nearest run that goes well; none for a witness, or if there is none, or too many states to tell."""
        if self.false_conjunct is None:
            return None
        for shared in range(len(self.trace.steps) - 1, -1, -1):
            search, found = self._search(self.false_conjunct, shared)
            if found is not None:
                actions = path_to(search, Stepper(self._passing_system), found)
                return Passing(shared, self._continued(shared, actions))
            if not search.complete:
                return None
        return None

    def _continued(self, shared: int, actions: Sequence[int]) -> Trace:
        """The first steps of the trace, and then these actions of the passing system, by position."""
        calls = [(step.node, step.call) for step in self.trace.steps[:shared]]
        for place in actions:
            action = self._passing_system.actions[place]
            calls.append((action.node, str(action)))
        run = record(self.stepper, [self.stepper.index[call] for call in calls], self.trace.claim)
        return run.about(arrangement=self.trace.arrangement)

    @property
    def is_confirmed(self) -> bool:
        """Whether the run shows by itself what the trace says: the violation and its kind, or the witness."""
        return self.doubt is None

    @cached_property
    def doubt(self) -> str | None:
        """Why the run does not show by itself what the trace says; none if it does."""
        try:
            return next(self._doubts(), None)
        except NotConfirmed as error:
            return str(error)

    def _doubts(self) -> Iterator[str]:
        trace, conjunct, kind, last = self.trace, self.false_conjunct, self.claim.kind, len(self.trace.steps)
        if (trace.loop is not None) != (kind is Kind.EVENTUALLY):
            yield f"{trace.claim} is {'refuted by a loop' if trace.loop is None else 'not refuted by a loop'}"
        if kind is Kind.SOMETIMES:
            if trace.failed is not None or not any(self.value(each.when & each.holds, last) for each in self.conjuncts):
                yield f"{trace.claim} does not happen in the last state"
            return
        if conjunct is None:
            yield f"the trace does not say what part of {trace.claim} is false"
        elif not self.value(conjunct.when & ~conjunct.holds, last):
            yield f"in the last state it is not false that {conjunct.sentence}"
        else:
            yield from self._kind_doubts()
            yield from self._lasting_doubts(conjunct)

    def _kind_doubts(self) -> Iterator[str]:
        """Whether the last state is of the kind that the trace says."""
        name, last = self.trace.kind, len(self.trace.steps)
        kinds = {kind.name: kind for kind in self.claim.kinds_in(self.system)}
        shown = [each for each, kind in kinds.items() if self.value(kind.holds(self.system), last)]
        is_none = name == UNCLASSIFIED and bool(kinds) and not shown
        if name is None and kinds:
            yield f"the trace does not say of which kind of violation of {self.trace.claim} it is"
        if name is not None and name not in shown and not is_none:
            yield f"the last state is not of the kind {name}"

    def _lasting_doubts(self, conjunct: Conjunct) -> Iterator[str]:
        """Whether the conjunct stays false for ever, where the property is about that."""
        if self.claim.kind is Kind.EVENTUALLY:
            states = [self.state(number) for number in range(len(self.states))]
            loop = [self.stepper.index[step.node, step.call] for step in self.trace.steps[self.trace.loop :]]
            fair = self.claim.fair - self.claim.without
            confirm_lasso(self.stepper, states, loop, conjunct.when & ~conjunct.holds, fair, self.claim.without)
        elif self.aftermath is not None and not self.aftermath.is_complete:
            yield f"{TOO_MANY}: more than {self.aftermath.states:,}"
        elif self.aftermath is not None and not self.aftermath.is_final:
            yield f"after the last state it can still come true that {conjunct.sentence}"

    @property
    def is_undecided(self) -> bool:
        """Whether all that speaks against the run is that it would take too long to confirm it."""
        return self.doubt is not None and self.doubt.startswith(TOO_MANY)
