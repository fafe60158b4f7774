"""What all machines have in common: they count which rules fired and which phases they reached."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable
from typing import Any, ClassVar, Concatenate, ParamSpec, TypeVar

import hypothesis
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from model.revisions import REVISIONS
from model.scope import Scope
from model.system import build

P = ParamSpec("P")
M = TypeVar("M", bound="CountedMachine")

LIFETIME = 12
"""How many rules at least pass between two restarts, or two breaks of a connection, where one machine runs alone."""


class CountedMachine(RuleBasedStateMachine):
    """A state machine that counts. `counts` has, for each rule and each named phase, how often it occurred in all runs
    of the class since they were last cleared; a subclass counts for itself. `age` is the number of rules since the run,
    or the node, started: a node that restarts at every other step gets nowhere."""

    counts: ClassVar[Counter[str]] = Counter()
    built: ClassVar[dict[tuple[str, Scope], Any]] = {}
    """The systems that the runs start from. To build one takes as long as a run."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.counts, cls.built = Counter(), {}

    def __init__(self) -> None:
        super().__init__()
        self.age = 0
        self.count("runs")

    def system(self, scope: Scope, revision: str = next(iter(REVISIONS))) -> Any:
        """The system of which a machine that runs alone drives a part: of the revision's design; by default the first
        revision."""
        if (revision, scope) not in self.built:
            self.built[revision, scope] = build(REVISIONS[revision], scope)
        return self.built[revision, scope]

    def count(self, what: str, times: int | bool = 1) -> None:
        """Note that something happened; a condition counts where it is true."""
        if times:
            self.counts[what] += int(times)


def counted(function: Callable[Concatenate[M, P], None]) -> Callable[Concatenate[M, P], None]:
    """A rule that counts how often it fired, under its own name. To be written below `@rule`."""

    @functools.wraps(function)
    def wrapper(self: M, /, *args: P.args, **kwargs: P.kwargs) -> None:
        self.count(function.__name__)
        self.age += 1
        function(self, *args, **kwargs)

    return wrapper


def drive(machine: type[CountedMachine], settings: hypothesis.settings, seed: int | None = None) -> Counter[str]:
    """Run the machine from cleared counts, and return them. Raises what a failing run raises."""
    machine.counts.clear()
    machine.built.clear()
    before = set(vars(machine))
    factory = machine if seed is None else hypothesis.seed(seed)(machine)
    marks = set(vars(machine)) - before
    try:
        run_state_machine_as_test(factory, settings=settings)
    finally:
        for mark in marks:  # Hypothesis keeps the seed on the class, and later runs would have it
            delattr(machine, mark)
    return machine.counts
