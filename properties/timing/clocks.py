"""Clocks in the algebra: a transition system and its delay laws make one more transition system, which any engine runs.

Every action keeps its guard and its effect, expression by expression. What is added is in conjunction with them: a
variable for each clock, the condition that the clock allows the action, and `tick`, which lets one unit of time pass
where no clock forbids it.

*Why whole ticks are enough.* All bounds are closed and whole numbers of ticks. What restricts the times of the actions
of one run are bounds on the difference of two of them, l <= t - t' <= h: a totally unimodular system. If there is one,
there is one with the same actions at whole ticks, and the longest and the shortest time between two of its actions are
whole (Henzinger, Manna, Pnueli: What good are digital clocks?, 1992). That needs ties in every order, and so they are
searched.

*Batch numbers without a bound.* The protocol only compares them, so when every number has grown, `tick` takes one from
each, and a run over any number of batches stays in a window. A test has Z3 show that no guard and no effect notices.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, cast

from model.algebra import (
    FALSE,
    TRUE,
    Bool,
    Expression,
    Int,
    all_of,
    any_of,
    const,
    int_variable,
    name_of,
    post_order,
    total,
    truth,
    variables_of,
    where,
)
from model.batch_store import CertifiedRange
from model.service import AttestationSystem
from model.transitions import Action, Namespace, Transition, TransitionSystem, Variable
from model.votes import NONE
from properties.engines.stepper import State, Stepper
from properties.timing.laws import CERTIFYING, FAULTS, HAVING, SEALING, Delay, Law, Limit, Never, Poll, law_of

UNKNOWN_PHASE = -1
TICK = Transition("tick", "the layer of time", "One unit of time passes.", TRUE.__class__)
REFRESH = Transition("refresh", "the layer of time", "A link may push once more.", TRUE.__class__)
LOOK = Transition("look", "the layer of time", "A poll finds nothing new.", TRUE.__class__)
FIRST_LOOK = Transition("choose_phase", "the layer of time", "When a poll first looks.", TRUE.__class__)
CLOCK = "time"


def least_attested(system: AttestationSystem) -> int:
    """The number of the first batch that is ever attested: 0, or 1."""
    stepper = Stepper(system)
    (is_zero,) = stepper.evaluator(truth(system.is_to_attest(0)))(stepper.initial)
    return 0 if is_zero else 1


def _constant(place: Expression, value: int) -> Expression:
    return truth(bool(value)) if isinstance(place, Bool) else const(value)


def rebuilt(roots: Sequence[Expression], leaves: dict[Expression, Expression]) -> list[Any]:
    """The expressions with other leaves in place of some variables, simplified anew."""
    done: dict[Expression, Any] = dict(leaves)
    for node in post_order(roots):
        if node not in done:
            args = [done[arg] for arg in node.args]
            done[node] = _REBUILD[node.op](node, args) if args else node
    return [done[root] for root in roots]


_REBUILD: dict[str, Callable[[Expression, list[Any]], Any]] = {
    "not": lambda _, args: ~args[0],
    "and": lambda _, args: all_of(args),
    "eq": lambda _, args: args[0] == args[1],
    "le": lambda _, args: args[0] <= args[1],
    "add": lambda node, args: total([*args, node.value]),
    "scale": lambda node, args: total([args[0]] * node.value) if node.value > 0 else 0 - total([args[0]] * -node.value),
    "floordiv": lambda node, args: args[0] // node.value,
    "where": lambda _, args: where(*args),
}


def start(system: AttestationSystem, backlog: int = 0) -> State:
    """The state in which the first batch has its certificate and everybody waits for the next; or, with a `backlog`, so
    many more are sealed, and every node has them. It is reached by the model's own actions."""
    stepper = Stepper(system)
    by_name = [action.name for action in system.actions]
    possible = {*by_name} - {*FAULTS}
    seal = by_name.index(SEALING[0])

    def settled(state: State, names: set[str]) -> State:
        while ready := [place for place in stepper.enabled(state) if by_name[place] in names]:
            state = stepper.apply(state, ready[0])
        return state

    state = stepper.initial
    for _ in range(1 + least_attested(system)):
        state = settled(stepper.apply(state, seal), possible - {*SEALING})
    for _ in range(backlog):
        state = stepper.apply(state, seal)
    return settled(state, set(HAVING)) if backlog else state


@dataclass(frozen=True)
class Timed(TransitionSystem[Any]):
    """A system with clocks. `forced`: for each action, where it cannot wait. `stopwatch`: ticks since the last sealing,
    or, in a backlog, since the last certificate; `certifies`: where the next certificate can be stored; `waiting`: how
    many sealed batches have none."""

    forced: tuple[Bool, ...] = field(kw_only=True)
    stopwatch: Int = field(kw_only=True)
    certifies: Bool = field(kw_only=True)
    waiting: Int = field(kw_only=True)


Clocked = tuple[Bool, Bool, list[tuple[Variable, Expression]]]
"""Where the clock allows an action, where it cannot wait any longer, and how it is reset when the action is taken."""


@dataclass
class Clockwork:
    """Puts clocks on a system. `fixed` polls keep their period, from any phase on; otherwise a poll comes at any time
    within its period, and the next likewise, which has all runs of the former and more."""

    system: AttestationSystem
    declared: dict[str, tuple[Law, Law]]
    start: State
    tick: int
    backlog: bool = False
    fixed: bool = False
    sealings: int | None = None
    """After how many sealings time stands still."""
    window: int = 6
    space: Namespace = field(default_factory=Namespace)
    actions: list[Action] = field(default_factory=list)
    passing: list[tuple[Variable, Expression]] = field(default_factory=list)
    """What a tick does to the clocks."""
    forced: list[Bool] = field(default_factory=list)
    """For each action, where it cannot wait any longer, so that time cannot pass."""
    numbers: list[Variable] = field(default_factory=list)
    """The batch numbers."""

    def build(self) -> Timed:
        chosen = [action for action in self.system.actions if not isinstance(self._law(action), Never)]
        kept = self._kept(chosen)
        values = dict(zip((v.expression for v in self.system.variables), self.start, strict=True))
        changed = {
            variable.expression
            for action in chosen
            for variable, value in action.updates
            if not (value.is_constant and value.value == values[variable.expression])
        }
        constants = {place: _constant(place, value) for place, value in values.items() if place not in changed}
        kept = [variable for variable in kept if variable.expression in changed]
        leaves = {variable.expression: self._bounded(variable) for variable in kept} | constants
        variables = {
            variable.expression: replace(
                variable, expression=leaves[variable.expression], initial=values[variable.expression]
            )
            for variable in kept
        }
        self.space.declared.extend(variables.values())
        self.numbers = [v for v in variables.values() if not v.is_boolean and v.high == self.window]
        sealed, certified = rebuilt(self._counted, leaves)
        waiting = sealed - 1 - certified
        most = self._longest(chosen)
        stopwatch = self._clock("stopwatch", None, most)
        waited = cast(Int, stopwatch.expression)
        self.passing.append((stopwatch, where(waited == most, waited, waited + 1)))
        certifies: Bool = FALSE
        goes_on: Bool = TRUE
        for action in chosen:
            guard, *effects = rebuilt([action.guard, *(value for _, value in action.updates)], leaves)
            changes = [
                (variables[variable.expression], value)
                for (variable, _), value in zip(action.updates, effects, strict=True)
                if variable.expression in variables
            ]
            if action.name in SEALING and self.backlog:
                guard &= waiting < 2
            if action.name in SEALING and self.sealings is not None:
                counter = self._clock("sealings", None, self.sealings)
                changes.append((counter, cast(Int, counter.expression) + 1))
                goes_on = cast(Int, counter.expression) < self.sealings
            is_certifying = action.name in CERTIFYING and action.node == self._main
            if is_certifying if self.backlog else action.name in SEALING:
                changes.append((stopwatch, const(0)))
            timed, is_due = self._timed(action, guard, changes)
            if is_certifying:
                certifies |= timed.guard
                timed = replace(timed, updates=self._shifted(timed.updates))
            self.actions.append(timed)
            self.forced.append(timed.guard & is_due)
        self.actions.append(Action(TICK, CLOCK, (), goes_on & ~any_of(self.forced), self._shifted(self.passing)))
        self.forced.append(FALSE)
        return Timed(
            name=f"{self.system.name} with clocks",
            state=tuple(variable.expression for variable in self.space.declared),
            variables=tuple(self.space.declared),
            actions=tuple(self.actions),
            forced=tuple(self.forced),
            stopwatch=waited,
            certifies=certifies,
            waiting=waiting,
        )

    @property
    def _counted(self) -> list[Expression]:
        """How many batches are sealed, and the last one with a certificate."""
        return [self.system.state.sealed, self.system.main.store.certified.largest]

    @cached_property
    def oldest(self) -> set[str]:
        """The variables for how far back certificates go: they stay behind when numbers grow, and may as well be 0."""
        certified = self.system.main.store.certified
        firsts = variables_of([certified.smallest]) if isinstance(certified, CertifiedRange) else []
        return set(map(name_of, firsts))

    @property
    def _main(self) -> str:
        return self.system.topology.places[self.system.topology.main].name

    def _longest(self, actions: list[Action]) -> int:
        """So many ticks that the stopwatch never stops early: all clocks one after the other."""
        laws = [self._law(action) for action in actions]
        ends = (getattr(law, "high", 0) + getattr(law, "period", 0) + getattr(law, "every", 0) for law in laws)
        return 2 * sum(ends) // self.tick

    def _law(self, action: Action) -> Law:
        law = law_of(action, self.declared)
        if self.backlog and action.name in (*SEALING, *HAVING):
            return Delay(0, 0)
        return Delay(0, law.period, law.cause) if isinstance(law, Poll) and not self.fixed else law

    def _kept(self, actions: list[Action]) -> list[Variable]:
        """The variables that a guard depends on, sooner or later; what nothing depends on is left out."""
        needed = set(variables_of([*self._counted, *(action.guard for action in actions)]))
        while True:
            effects = [
                value for action in actions for variable, value in action.updates if variable.expression in needed
            ]
            more = set(variables_of(effects)) - needed
            if not more:
                return [variable for variable in self.system.variables if variable.expression in needed]
            needed |= more

    def _bounded(self, variable: Variable) -> Expression:
        """The variable within the window, if it is a batch number, which alone has no bound of its own."""
        if variable.high is not None or variable.is_boolean:
            return variable.expression
        return int_variable(variable.name, variable.low, self.window)

    def _clock(self, name: str, owner: str | None, high: int, low: int = 0, initial: int = 0) -> Variable:
        self.space.owned_by(owner).within(CLOCK).number(name, low, high, initial)
        return self.space.declared[-1]

    def _owner(self, action: Action) -> str | None:
        ends = (action.node, *(str(value) for _, value in action.arguments))
        return next((name for name in ends if name in self.system.topology.attesters), None)

    def _timed(self, action: Action, guard: Bool, changes: list[tuple[Variable, Expression]]) -> tuple[Action, Bool]:
        """The action with its clock, and where that can wait no longer."""
        law, name, owner = self._law(action), f"{action.node}.{action}", self._owner(action)
        match law:
            case Delay(low=low, high=high):
                ready, is_due, resets = self._delayed(name, owner, guard, low // self.tick, high // self.tick)
            case Poll(period=period):
                ready, is_due, resets = self._polled(name, owner, action.node, guard, period // self.tick)
            case Limit(burst=burst, every=every):
                ready, is_due, resets = self._limited(name, owner, action.node, burst, every // self.tick)
        return replace(action, guard=guard & ready, updates=(*changes, *resets)), is_due

    def _delayed(self, name: str, owner: str | None, guard: Bool, low: int, high: int) -> Clocked:
        """A clock that runs while the guard holds, from `low` to `high`."""
        if high == 0:
            return TRUE, TRUE, []
        clock = self._clock(name, owner, high)
        age = cast(Int, clock.expression)
        self.passing.append((clock, where(guard, age + 1, const(0))))
        return age >= low, age == high, [(clock, const(0))]

    def _polled(self, name: str, owner: str | None, node: str, guard: Bool, period: int) -> Clocked:
        """A clock that always runs, and a look whenever it is full."""
        clock = self._free_clock(name, owner, node, period)
        age = cast(Int, clock.expression)
        useless = Action(LOOK, node, (("clock", name),), (age == period) & ~guard, ((clock, const(0)),))
        self._force(useless)
        self.passing.append((clock, age + 1))
        return age == period, TRUE, [(clock, const(0))]

    def _limited(self, name: str, owner: str | None, node: str, burst: int, every: int) -> Clocked:
        """Permits, of which one comes back every so often, on a clock that always runs and starts anywhere.

        If that is once in a tick, one comes back at every instant: before anything else happens, or, where that makes a
        difference, at the moment at which there is none, and then not before the next instant's.
        """
        permits = self._clock(f"{name}.permits", owner, burst, 0, burst)
        left = cast(Int, permits.expression)
        more = where(left < burst, left + 1, left)
        if every == 1:
            early = self._clock(f"{name}.early", owner, 1)
            is_spent = cast(Int, early.expression) == 1
            guard, changes = (left == 0) & ~is_spent, ((permits, const(1)), (early, const(1)))
            self._force(Action(REFRESH, node, (("clock", name),), guard, changes), is_due=FALSE)
            self.passing += [(permits, where(is_spent, left, more)), (early, const(0))]
        else:
            clock = self._free_clock(f"{name}.refresh", owner, node, every)
            age = cast(Int, clock.expression)
            self._force(Action(REFRESH, node, (("clock", name),), age == every, ((permits, more), (clock, const(0)))))
            self.passing.append((clock, age + 1))
        return left > 0, TRUE, [(permits, left - 1)]

    def _free_clock(self, name: str, owner: str | None, node: str, period: int) -> Variable:
        """A clock that starts at any of `period` phases, which the first steps of a run choose."""
        clock = self._clock(name, owner, period, UNKNOWN_PHASE, UNKNOWN_PHASE)
        is_open = cast(Int, clock.expression) == UNKNOWN_PHASE
        for phase in range(period):
            arguments = (("clock", name), ("age", phase))
            self._force(Action(FIRST_LOOK, node, arguments, is_open, ((clock, const(phase)),)))
        return clock

    def _force(self, action: Action, is_due: Bool = TRUE) -> None:
        """An action of the layer's own, which waits for nothing."""
        self.actions.append(action)
        self.forced.append(action.guard & is_due)

    def _shifted(self, changes: Iterable[tuple[Variable, Expression]]) -> tuple[tuple[Variable, Expression], ...]:
        """The changes; and where all batch numbers have grown then, each is one less."""
        changed = {v.expression: (v, value) for v, value in changes}
        numbers = {v.expression: (v, cast(Int, changed.get(v.expression, (v, v.expression))[1])) for v in self.numbers}
        growing = ((v, n) for v, n in numbers.values() if v.name not in self.oldest)
        least = 1 + least_attested(self.system)
        grown = all_of((n == NONE) | (n >= least) if v.low == NONE else n >= least for v, n in growing)
        shifted = {place: (v, where(grown & (n >= 1), n - 1, n)) for place, (v, n) in numbers.items()}
        return tuple({**changed, **shifted}.values())
