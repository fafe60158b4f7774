"""Follows a run of a log in the model: event by event, with the model's own actions, through every possibility.

What is kept between two events is the set of the states that the model may be in. A log leaves little open: it does
not show what has no effect there, such as polls that give what the node's poll before gave, nor when the genesis' first
block was produced. So before each event such actions are taken wherever they are possible. A run is accepted if a state
remains after its last line, and rejected at the first line where none does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from model.algebra import TRUE, Bool, conjuncts, name_of, render, variables_of
from model.revisions import Revision
from properties.engines.stepper import State
from properties.logs.controller_design.rules import ControllerContext
from properties.logs.ledger import Misfit
from properties.logs.registry_design.rules import RegistryContext
from properties.logs.rules import Context, Move, Reading
from properties.logs.runs import Event, Run
from properties.logs.setting import Setting
from properties.recordings.format import RecordingKind, first_difference


@dataclass(frozen=True)
class FalseGuard:
    """A conjunct of a guard that is false, and the values of the variables in it."""

    condition: str
    values: Mapping[str, int]

    def __str__(self) -> str:
        values = ", ".join(f"{name} = {value}" for name, value in self.values.items())
        return f"{self.condition} is false: {values}" if values else self.condition


@dataclass(frozen=True)
class Candidate:
    """Something that the event could have been, and why it was not: false guards, or a field that differs."""

    action: str
    guards: tuple[FalseGuard, ...] = ()
    field: str | None = None
    recorded: object = None
    modelled: object = None


@dataclass(frozen=True)
class Rejected:
    """The first line that does not fit: after `accepted` events, in `states` possible states. `reason` is given where
    the log contradicts itself or the header; otherwise the candidates say why each of them is not it."""

    run: Run
    event: Event
    accepted: int
    states: int
    candidates: tuple[Candidate, ...] = ()
    reason: str | None = None


@dataclass(frozen=True)
class Path:
    """One way through the model that fits the log: the state after each event, the initial one first, and the actions
    (by position) that led there."""

    states: tuple[State, ...]
    actions: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Accepted:
    """A run that fits the model; `possibilities` is the largest number of states that it was ever open between."""

    run: Run
    setting: Setting
    path: Path
    possibilities: int


Frontier = dict[State, tuple[State, tuple[int, ...]]]
"""The possible states, each with the state before the event and the actions in between."""


AnyContext = Context[Any, Any]

CONTEXTS: Mapping[str, type[AnyContext]] = {
    RecordingKind.REGISTRY_LOG.value: RegistryContext,
    RecordingKind.CONTROLLER_LOG.value: ControllerContext,
}
"""For each format, what follows its runs."""


class UnfitRevision(ValueError):
    """A log cannot be followed in this revision; the message says why, and in which it can."""


def follow(run: Run, revision: Revision | None = None) -> Accepted | Rejected:
    """Take the events of a run in the model, of the revision that its header is about unless another is given.

    Raises `MalformedRecording` where the model cannot have what the run's nodes made up, and `UnfitRevision`.
    """
    own = CONTEXTS[run.header.fields["format"]].revision_of(run)
    if revision is not None and (problem := _unfit(revision, own)):
        raise UnfitRevision(f"{revision.name} {problem}; by default, this log is followed as {own.name}")
    context = CONTEXTS[run.header.fields["format"]].of(run, revision or own)
    if context.contradiction is not None:
        return Rejected(run, run.events[0], 0, 1, reason=context.contradiction)
    return Following(run, context).result()


def _unfit(revision: Revision, own: Revision) -> str | None:
    """Why a revision cannot stand in for the one that a log is of; none if it can."""
    if revision.design != own.design:
        return f"has no {own.design}"
    if own.has_committee_per_batch and not revision.has_committee_per_batch:
        return "has one committee for all batches"
    return None


class Following:
    """The possible states of one run, and how they came about."""

    def __init__(self, run: Run, context: AnyContext) -> None:
        self.run = run
        self.context = context
        self.setting = context.setting
        initial = self.setting.stepper.initial
        self.history: list[Frontier] = [{initial: (initial, ())}]

    def result(self) -> Accepted | Rejected:
        """Take all events, and compare the end."""
        for event in self.run.events:
            rejected = self._take(event)
            if rejected is not None:
                return rejected
        return self._end()

    def _take(self, event: Event) -> Rejected | None:
        states = self._with_silent_actions()
        frontier: Frontier = {}
        try:
            reading = self.context.read(event)
            for state, (origin, silent) in states.items():
                for actions, after in self._successors(state, reading, event):
                    frontier.setdefault(after, (origin, (*silent, *actions)))
        except Misfit as misfit:
            return self._rejected(event, len(states), reason=str(misfit))
        if not frontier:
            every = (
                self._explanation(state, move, reading, event) for state in states for move in reading.moves_in(state)
            )
            return self._rejected(event, len(states), _distinct(every))
        self.history.append(frontier)
        return None

    def _rejected(
        self, event: Event, states: int, candidates: tuple[Candidate, ...] = (), reason: str | None = None
    ) -> Rejected:
        return Rejected(self.run, event, len(self.history) - 1, states, candidates, reason)

    def _with_silent_actions(self) -> Frontier:
        """The possible states, and those after what the log does not show."""
        states: Frontier = {state: (state, ()) for state in self.history[-1]}
        waiting = list(states)
        while waiting:
            state = waiting.pop()
            origin, silent = states[state]
            for action in self.context.silent(state):
                after = self.setting.stepper.apply(state, action)
                if after not in states:
                    states[after] = (origin, (*silent, action))
                    waiting.append(after)
        return states

    def _successors(self, state: State, reading: Reading, event: Event) -> Iterator[tuple[tuple[int, ...], State]]:
        """The actions that the event can be in this state, with what the log says, and the state after them."""
        for move in reading.moves_in(state):
            taken = self._taken(state, move)
            if taken is not None:
                modelled = reading.fields(state, taken[1])
                if all(event.fields[field] == value for field, value in modelled.items()):
                    yield taken

    def _taken(self, state: State, move: Move) -> tuple[tuple[int, ...], State] | None:
        """The positions of a move's actions and the state after them; none if one of them cannot be taken."""
        stepper = self.setting.stepper
        if move.when is not TRUE and not self.setting.value(state, move.when):
            return None
        positions = []
        for name in move.actions:
            position = stepper.index.get(name)
            if position is None or not stepper.is_enabled(state, position):
                return None
            state = stepper.apply(state, position)
            positions.append(position)
        return tuple(positions), state

    # Why an event does not fit.

    def _explanation(self, state: State, move: Move, reading: Reading, event: Event) -> Candidate:
        name = _name(event, move)
        taken = self._taken(state, move)
        if taken is None:
            return Candidate(name, tuple(self._false_guards(state, move)))
        modelled = reading.fields(state, taken[1])
        recorded = {field: event.fields[field] for field in modelled}
        return Candidate(name, (), *first_difference("", recorded, modelled))

    def _false_guards(self, state: State, move: Move) -> Iterator[FalseGuard]:
        stepper = self.setting.stepper
        guards = self._false_conjuncts(state, move.when)
        yield from guards
        for name in move.actions:
            position = stepper.index.get(name)
            if position is None:
                yield FalseGuard(f"the model of this run has no action {name[1]} of {name[0]}", {})
                return
            if not stepper.is_enabled(state, position):
                yield from self._false_conjuncts(state, stepper.action(position).guard)
                return
            state = stepper.apply(state, position)

    def _false_conjuncts(self, state: State, guard: Bool) -> list[FalseGuard]:
        false = [part for part in conjuncts(guard) if part is not TRUE and not self.setting.value(state, part)]
        return [
            FalseGuard(
                render(part),
                {name_of(leaf): self.setting.value(state, leaf) for leaf in variables_of([part])},
            )
            for part in false
        ]

    # The end of the run.

    def _end(self) -> Accepted | Rejected:
        end = self.run.end
        explanations: list[Candidate] = []
        for state in self.history[-1]:
            modelled = {} if end is None else self.context.at_end(state, end)
            recorded = {} if end is None else {field: end.fields[field] for field in modelled}
            if recorded == modelled:
                possibilities = max(map(len, self.history))
                return Accepted(self.run, self.setting, self._path_to(state), possibilities)
            explanations.append(Candidate("end of the run", (), *first_difference("", recorded, modelled)))
        assert end is not None, "a prefix asks nothing of its last state"
        return self._rejected(end, len(self.history[-1]), _distinct(explanations))

    def _path_to(self, state: State) -> Path:
        states, actions = [state], []
        for frontier in reversed(self.history[1:]):
            before, taken = frontier[states[-1]]
            states.append(before)
            actions.append(taken)
        return Path(tuple(reversed(states)), tuple(reversed(actions)))


def _distinct(candidates: Iterable[Candidate]) -> tuple[Candidate, ...]:
    """Each candidate once: several possible states may fail for one reason. They hold JSON values, so have no hash."""
    once: list[Candidate] = []
    for candidate in candidates:
        if candidate not in once:
            once.append(candidate)
    return tuple(once)


def _name(event: Event, move: Move) -> str:
    if not move.actions:
        return f"{event.kind} without an action"
    return ", then ".join(f"{action} of {node}" for node, action in move.actions)
