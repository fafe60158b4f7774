"""What an accepted log says about the properties: where the real system got stuck, left a gap, or broke another claim.

Every `always` property of the protocol is evaluated in every state of the run. A run that ended stuck is a point of no
return, from the first event after which that is proved; the event before is the last on which a schedule is known that
certifies what was asked for. Where the two do not meet, the events between are said to be undecided.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from properties.claims.catalogue import PROTOCOL, claim
from properties.claims.kinds import Kind
from properties.claims.points_of_no_return import UNCLASSIFIED
from properties.engines.stepper import State
from properties.logs.following import Accepted
from properties.logs.future import Future
from properties.logs.runs import STUCK, Event
from properties.results.trace import Trace, record

PROGRESS = "progress_possible"
CERTIFICATES = "certificates_verify"
MOST_TRIED = 20
"""For so many states a schedule is searched, at most."""


@dataclass(frozen=True)
class Violation:
    """A property of the catalogue that is violated after `event`; `conjunct` is the sentence that is false."""

    claim: str
    event: Event
    conjunct: str
    trace: Trace


@dataclass(frozen=True)
class PointOfNoReturn:
    """A run that ended stuck. The batch `asked` for stays without certificate from after `event` on; `kinds` name why,
    and `kinds_at_end` why at the end of the run.

    `undecided`: for how many states before that neither a proof nor a schedule was found. `rescue`: how many steps the
    schedule has that certifies `rescued`, from the state before those; none if no schedule was found.
    """

    asked: int
    event: Event
    kinds: tuple[str, ...]
    kinds_at_end: tuple[str, ...]
    undecided: int
    rescued: int | None
    rescue: int | None
    trace: Trace


@dataclass(frozen=True)
class UnprovedStop:
    """A run that ended stuck although it is not proved that the batch `asked` for stays without certificate."""

    asked: int
    event: Event


Finding = Violation | PointOfNoReturn | UnprovedStop


def findings(accepted: Accepted) -> Iterator[Finding]:
    """What is wrong with a run that the model accepts, in the order of the catalogue; nothing for a clean run."""
    yield from _violations(accepted)
    if accepted.run.reason == STUCK:
        yield _point_of_no_return(accepted)


def _violations(accepted: Accepted) -> Iterator[Violation]:
    system = accepted.setting.service
    claims = [
        (property.name, conjunct)
        for property in PROTOCOL
        if property.kind is Kind.ALWAYS
        for conjunct in property.conjuncts(system)
    ]
    violated = accepted.setting.stepper.evaluator(*(conjunct.when & ~conjunct.holds for _, conjunct in claims))
    seen: set[str] = set()
    for number, state in enumerate(accepted.states):
        for (name, conjunct), is_violated in zip(claims, violated(state), strict=True):
            if is_violated and name not in seen and (name != CERTIFICATES or _finds(accepted, number)):
                seen.add(name)
                trace = _trace(accepted, number, name).about(failed=conjunct.sentence)
                yield Violation(name, _event(accepted, number), conjunct.sentence, trace)


def _finds(accepted: Accepted, number: int) -> bool:
    """Whether a finder does find its certificate in the state of this number. Where votes come in before it wakes up,
    the certificate that it could have found a moment earlier never exists."""
    events = accepted.run.events
    return number < len(events) and events[number].kind == accepted.setting.certifying


def _event(accepted: Accepted, number: int) -> Event:
    """The event that led to the state of this number; the states are numbered from the initial one."""
    return accepted.run.events[max(number - 1, 0)]


def _trace(accepted: Accepted, number: int, claim: str) -> Trace:
    actions = [action for taken in accepted.actions[:number] for action in taken]
    return record(accepted.setting.stepper, actions, claim).about(arrangement=accepted.setting.arrangement)


def _point_of_no_return(accepted: Accepted) -> PointOfNoReturn | UnprovedStop:
    states, setting = accepted.states, accepted.setting
    future = Future(setting, claim(PROGRESS).without)
    first = _first_final(accepted, future)
    if first == len(states):
        return UnprovedStop(setting.recorded_number(future.asked(states[-1])), accepted.run.events[-1])
    undecided, rescue = _rescue(states[:first], future)
    rescued = None if rescue is None else states[first - 1 - undecided]
    kinds, asked = _kinds(accepted, states[first]), future.asked(states[first])
    failed = claim(PROGRESS).conjuncts(setting.service)[asked].sentence
    return PointOfNoReturn(
        asked=setting.recorded_number(asked),
        event=_event(accepted, first),
        kinds=kinds,
        kinds_at_end=_kinds(accepted, states[-1]),
        undecided=undecided,
        rescued=None if rescued is None else setting.recorded_number(future.asked(rescued)),
        rescue=rescue,
        trace=_trace(accepted, first, PROGRESS).about(kind=kinds[0], failed=failed),
    )


def _kinds(accepted: Accepted, state: State) -> tuple[str, ...]:
    setting = accepted.setting
    kinds = tuple(kind.name for kind in claim(PROGRESS).kinds if setting.value(state, kind.holds(setting.service)))
    return kinds or (UNCLASSIFIED,)


def _first_final(accepted: Accepted, future: Future) -> int:
    """The number of the first state from which on it is proved, to the end, that the batch asked for stays without
    certificate; the number of states if it is not even proved for the last."""
    states = accepted.states
    first = len(states)
    for start, stop in reversed(list(_stretches(accepted, future))):
        if not future.is_impossible(states[stop - 1]):
            return first
        if future.is_impossible(states[start]):
            first = start
            continue
        return _bisect(states, future, start, stop - 1)
    return first


def _bisect(states: Sequence[State], future: Future, possible: int, impossible: int) -> int:
    """The first number for which it is proved: between two of the same stretch, what is final stays final."""
    between = range(possible + 1, impossible)
    return between.start + bisect_left(between, True, key=lambda number: future.is_impossible(states[number]))


def _stretches(accepted: Accepted, future: Future) -> Iterator[tuple[int, int]]:
    """The run in stretches [start, stop) of states in which the same batch is asked for and no fault happens."""
    states, start = accepted.states, 0
    for number in range(1, len(states)):
        is_fault = accepted.run.events[number - 1].kind in ("node_restarted", "disconnected")
        if is_fault or future.asked(states[number]) != future.asked(states[start]):
            yield start, number
            start = number
    yield start, len(states)


def _rescue(states: Sequence[State], future: Future) -> tuple[int, int | None]:
    """How many of the last of these states are undecided, and the length of a schedule for the one before them; none if
    the states that are tried have none. Where no batch is asked for, nothing is lost, and the schedule is empty."""
    for undecided, state in enumerate(reversed(states[-MOST_TRIED:])):
        schedule = [] if future.goal(state) is None else future.schedule(state)
        if schedule is not None:
            return undecided, len(schedule)
    return min(len(states), MOST_TRIED), None
