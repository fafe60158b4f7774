"""The whole system, driven one action at a time: by Hypothesis, or by whoever chooses.

The machine of a design is to be subclassed: `models` are the numbers of the models that it runs
(`properties.stateful.models`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import compress
from types import ModuleType
from typing import ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

import model.controller_design.network
import model.controller_design.node
import model.registry_design.network
import model.registry_design.node
from model.revisions import CONTROLLER, REGISTRY
from model.transitions import Transition
from properties.engines.stepper import State
from properties.results.trace import Trace, record
from properties.stateful.controller_design.lockstep import Layout as ControllerLayout
from properties.stateful.controller_design.lockstep import Mirror as ControllerMirror
from properties.stateful.controller_design.phases import Moments as ControllerMoments
from properties.stateful.lockstep import Disagreement, Mirror, Moments
from properties.stateful.machine import CountedMachine
from properties.stateful.models import DESIGNS, DRAWN, PROGRESS, Model, model_number, showcase
from properties.stateful.registry_design.lockstep import Layout as RegistryLayout
from properties.stateful.registry_design.lockstep import Mirror as RegistryMirror
from properties.stateful.registry_design.phases import Moments as RegistryMoments

LOCKSTEP = "lockstep"
"""What a run can fail, besides the properties of kind `always` and what a subclass asks for."""
LONGEST_REST = 5_000
"""A fair run without faults that takes more steps than this does not come to rest, where it must."""
LONGEST_UNREST = 150
"""After so many steps it is left alone where it need not: a connection can be closed and made again for ever."""


class RunFailed(AssertionError):
    """A run that violates what must hold: `run` is the run up to the step that does, `claim` the name of what must
    hold, `sentence` what is not true of it."""

    def __init__(self, run: Run, claim: str, sentence: str) -> None:
        super().__init__(f"{claim} fails on {run.model} after {len(run.actions)} steps: not true that {sentence}")
        self.run, self.claim, self.sentence = run, claim, sentence

    @property
    def trace(self) -> Trace:
        """The run as a trace that says what failed."""
        return self.run.trace(self.claim).about(failed=self.sentence)


@dataclass(frozen=True)
class Beside:
    """What follows the runs of one model: `moments` tells what is interesting about a step; and each run has a mirror,
    with the machines in full fidelity."""

    moments: Moments
    mirror: Callable[[], Mirror]

    @staticmethod
    @lru_cache(maxsize=256)
    def of(model: Model) -> Beside:
        """By the design of the model."""
        if model.design == CONTROLLER:
            controllers = ControllerLayout(model)
            return Beside(ControllerMoments(controllers), partial(ControllerMirror, controllers))
        registries = RegistryLayout(model)
        return Beside(RegistryMoments(registries), partial(RegistryMirror, registries))


class Run:
    """One run of a model, from its initial state. Every step is checked: the invariants hold, and the machines in
    full fidelity agree. `counts` has how often each transition was taken, and each phase was entered."""

    def __init__(self, model: Model, check: Callable[[Run], None] | None = None) -> None:
        self.model = model
        self._check = check
        self.state = model.stepper.initial
        self.actions: list[int] = []
        self.beside = Beside.of(model)
        self.mirror = self.beside.mirror()
        self.counts: Counter[str] = Counter()
        self._witnessed: set[str] = set()
        self.enabled = model.stepper.enabled(self.state)
        self.has_failed = self.is_resting = False

    @property
    def progress(self) -> list[int]:
        """The enabled actions that are no faults."""
        return [place for place in self.enabled if place not in self.model.faults]

    def take(self, place: int) -> None:
        """Take an enabled action. Raises `RunFailed`."""
        before, stepper = self.state, self.model.stepper
        self.actions.append(place)
        self.state = stepper.apply(before, place)
        self.enabled = stepper.enabled(self.state)
        self._count(place, before)
        try:
            self.mirror.follow(place, before, self.state)
        except Disagreement as disagreement:
            raise self.failure(LOCKSTEP, str(disagreement)) from None
        if self.mirror.noticed and not self.is_resting:
            self.counts.update(self.mirror.noticed)
        holding = self.model.holding(self.state)
        if not all(holding):
            name, conjunct = self.model.invariants[next(n for n, holds in enumerate(holding) if not holds)]
            raise self.failure(name, conjunct.sentence)
        if self._check is not None:
            self._check(self)

    def choose(self, value: int) -> None:
        """Take the enabled action that this number stands for, if any is enabled: every 16th number stands for a
        fault where one is possible, the others for progress where it is possible; 0 for the first action."""
        progress, is_fault = self.progress, value % 16 == 15
        wants_fault = is_fault or not progress
        faults = [place for place in self.enabled if place in self.model.faults] if wants_fault else []
        candidates = faults or progress
        if candidates:
            self.take(candidates[value // 16 % len(candidates)])

    def rest(self) -> None:
        """Take every action in turn, but no faults, until nothing is left to do; where the model must make progress,
        every sealed batch is certified then. Raises `RunFailed`."""
        self.is_resting = True
        must_progress = self.model.must_progress
        for _ in range(LONGEST_REST if must_progress else LONGEST_UNREST):
            progress = self.progress
            if not progress:
                break
            last = self.actions[-1] if self.actions else -1
            self.take(next((place for place in progress if place > last), progress[0]))
        if must_progress and self.progress:
            raise self.failure(PROGRESS, f"the system comes to rest within {LONGEST_REST:,} steps")
        missing = [batch for batch, lacks in enumerate(self.model.uncertified(self.state)) if lacks]
        if must_progress and missing:
            raise self.failure(PROGRESS, f"batch {missing[0]} is certified when nothing is left to do")
        self.counts["never comes to rest" if self.progress else "comes to rest"] += 1
        self.counts["rest without a certificate" if missing else "rest with all certificates"] += 1

    def finish(self) -> None:
        """Compare every registry and link once more. Raises `RunFailed`."""
        try:
            self.mirror.compare(self.state)
        except Disagreement as disagreement:
            raise self.failure(LOCKSTEP, str(disagreement)) from None

    def again(self, actions: Iterable[int], claim: str) -> RunFailed | None:
        """How a new run of the model fails the same claim, if it does, when it takes those of the actions that are
        possible in turn. It is driven to its rest where the claim is about that."""
        run = Run(self.model, self._check)
        try:
            for place in actions:
                if place in run.enabled:
                    run.take(place)
            if claim == PROGRESS:
                run.rest()
            run.finish()
        except RunFailed as failure:
            return failure if failure.claim == claim else None
        return None

    def trace(self, claim: str = "") -> Trace:
        """The run as a trace."""
        return record(self.model.stepper, self.actions, claim)

    def failure(self, claim: str, sentence: str) -> RunFailed:
        """The failure to raise where the last step of this run makes a claim false."""
        return RunFailed(self, claim, sentence)

    def _count(self, place: int, before: State) -> None:
        """Count the step, its transition and its phases. The rest at the end of a run, which would go everywhere by
        itself, counts for its length and its witnesses alone."""
        self._count_witnesses()
        if self.is_resting:
            self.counts["steps at rest"] += 1
            return
        self.counts["steps"] += 1
        self.counts[self.model.families[place]] += 1
        for moment in self.beside.moments.of(self.model.stepper.action(place), before, self.state):
            self.counts[moment] += 1

    def _count_witnesses(self) -> None:
        names, evaluate = self.model.witnesses
        for name in compress(names, evaluate(self.state)):
            if name not in self._witnessed:
                self._witnessed.add(name)
                self.counts[f"runs with {name}"] += 1


LONGEST_RUN = 200
"""How many steps a run has at most, before it is driven to its rest."""
BURSTS = st.binary(min_size=16, max_size=40)
"""Choices, two bytes each: one draw is an order of magnitude faster than one for each choice."""


SIZES = ("1 attester", "2 attesters", "3 attesters", "4 attesters or more")
"""What is counted of the committees."""


class SystemMachine(CountedMachine):
    """A run of a random model. For each transition of the protocol of a design, its machine has a rule that lets the
    system run, by chance, until that transition is possible, and then takes it. At its end, every run is driven fairly
    until nothing is left to do.

    A rule that took one action and needed it to be possible would hardly ever fire: Hypothesis leaves out a random part
    of the rules in each run, and most of the time only a few actions are possible. Rules of another design, which would
    never be possible, would cost more than the steps do: Hypothesis draws one rule after the other until one is.
    """

    models: ClassVar[range]
    """The numbers of the models that it runs, all of its design: designs take turns."""
    showcases: ClassVar[Sequence[tuple[str, int]]]
    """The showcases that it runs as well, by design; more often those that are there more often."""
    pool: ClassVar[int] = 0
    """Which models have these numbers: another pool has others."""
    last_failure: ClassVar[RunFailed | None] = None
    """The latest run that failed; after Hypothesis has shrunk, the smallest."""

    @initialize(data=st.data())
    def start(self, data: st.DataObject) -> None:
        """Choose the model."""
        drawn = data.draw(st.sampled_from([*self.models, *self.showcases]), label="model")
        model = self.model(drawn) if isinstance(drawn, int) else showcase(*drawn)
        self.run = Run(model, self.check)
        self.count(SIZES[min(len(model.system.scope.instance.weights), len(SIZES)) - 1])
        self.count(self.run.model.system.revision.name)
        self.count(self.run.model.system.scope.topology)
        self.count("main node attests", self.run.model.system.scope.main_attests)

    def model(self, number: int) -> Model:
        """The model of this number; for a subclass to say otherwise."""
        return model_number(number, self.pool)

    def check(self, run: Run) -> None:
        """What a subclass asks for besides: called after every step, the rest included; to raise `run.failure(…)`."""

    def until(self, name: str, choices: bytes) -> None:
        """Run by these choices until the transition is possible, and take it."""
        self.count(f"until_{name}")
        with self._failures_kept():
            for high, low in zip(choices[::2], choices[1::2], strict=False):
                value = high << 8 | low
                if self._is_at_end or self._take(name, value):
                    return
                self.run.choose(value)

    def _take(self, name: str, value: int) -> bool:
        candidates = [place for place in self.run.enabled if self.run.model.families[place] == name]
        if candidates:
            self.run.take(candidates[value // 16 % len(candidates)])
            self.count(f"until_{name}, taken")
        return bool(candidates)

    @property
    def _is_at_end(self) -> bool:
        return len(self.run.actions) >= LONGEST_RUN

    @contextmanager
    def _failures_kept(self) -> Iterator[None]:
        try:
            yield
        except RunFailed as failure:
            type(self).last_failure = failure
            self.run.has_failed = True
            raise

    def teardown(self) -> None:
        """Drive the run to its rest, unless it has failed already."""
        if hasattr(self, "run") and not self.run.has_failed:
            with self._failures_kept():
                self.run.rest()
                self.run.finish()
            self.counts.update(self.run.counts)
            self.count("runs of full length", self.run.counts["steps"] >= LONGEST_RUN)


class RegistrySystemMachine(SystemMachine):
    """The machine of systems with vote registries."""


class ControllerSystemMachine(SystemMachine):
    """The machine of systems with attestation controllers."""


def _transitions(undriven: Iterable[Transition], *modules: ModuleType) -> tuple[str, ...]:
    named = {value.name for module in modules for value in vars(module).values() if isinstance(value, Transition)}
    return tuple(sorted(named - {transition.name for transition in undriven}))


DRIVEN = {
    REGISTRY: _transitions(
        (
            model.registry_design.node.restart,  # a part of another one
            model.registry_design.network.store_start,  # only a proposal has it
            model.registry_design.network.replay_vote,  # possible only where the refusal of old votes is broken
            model.registry_design.network.hand_on_vote,  # only logs have it
        ),
        model.registry_design.node,
        model.registry_design.network,
    ),
    CONTROLLER: _transitions(
        (
            model.controller_design.node.restart,  # a part of others
            model.controller_design.network.restart_on_smaller,  # only a proposal has it
            model.controller_design.network.hand_on_vote,  # only logs have it
        ),
        model.controller_design.node,
        model.controller_design.network,
    ),
}
"""For each design, the transitions for which there is a rule."""


def _rule_for(name: str) -> Callable[..., None]:
    def until(self: SystemMachine, choices: bytes) -> None:
        self.until(name, choices)

    until.__name__ = f"until_{name}"
    until.__doc__ = f"Let the system run until `{name}` is possible, and take it."
    ruled: Callable[..., None] = rule(choices=BURSTS)(until)
    return ruled


SYSTEM_MACHINES: dict[str, type[SystemMachine]] = {REGISTRY: RegistrySystemMachine, CONTROLLER: ControllerSystemMachine}
"""The machine of each design."""

for _turn, _design in enumerate(DESIGNS):
    _machine = SYSTEM_MACHINES[_design]
    _machine.models = range(_turn, 48, len(DESIGNS))
    _machine.showcases = tuple((_design, place) for place in range(len(DRAWN[_design].showcases)))
    for _name in DRIVEN[_design]:
        setattr(_machine, f"until_{_name}", _rule_for(_name))
