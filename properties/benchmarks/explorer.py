"""Transitions per second of the explorer, beside a plain search with the one-step engine, on one core."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from model.registry_design.system import RegistryDesign, build
from model.revisions import revision
from model.scope import instance
from properties.engines.checking import Check
from properties.engines.explorer import Exploration, explore
from properties.engines.memory import taken
from properties.engines.stepper import Stepper
from properties.scopes.details import DETAILS

RUNS = 3
"""The explorer's best of so many runs counts: what else the machine does only ever makes one slower."""

FIRST = 100_000
"""How many states the plain search takes where it does not search the whole scope, which would take minutes."""


@dataclass(frozen=True)
class Measured:
    """A scope to search; and whether the plain search has to do it to the end. That one knows no symmetry."""

    instance: str
    detail: str
    symmetry: bool = False
    plain_to_the_end: bool = False

    @property
    def name(self) -> str:
        """The scope in words."""
        return f"{self.instance}, 3 batches, {self.detail}{', with symmetry' * self.symmetry}"

    @property
    def system(self) -> RegistryDesign:
        """The system of this scope."""
        return build(revision(REVISION), DETAILS[self.detail].scope(instance(self.instance), 3))


REVISION = "pr161+era2480"

SCOPES = (
    Measured("n3f0b0", "joined", plain_to_the_end=True),
    Measured("n2f0b0", "stepwise"),
    Measured("n4f0b0", "joined", symmetry=True),
    Measured("n3f0b0", "stepwise", symmetry=True),
)


@dataclass(frozen=True)
class Plain:
    """What a plain search has done."""

    states: int
    transitions: int
    seconds: float
    complete: bool

    @property
    def rate(self) -> float:
        """Transitions per second."""
        return self.transitions / self.seconds


def plain_search(system: RegistryDesign, limit: int | None) -> Plain:
    """A breadth-first search that takes one state at a time, of the whole scope or of its first states."""
    stepper = Stepper(system)
    seen, queue, transitions = {stepper.initial}, deque([stepper.initial]), 0
    started = time.perf_counter()
    while queue and (limit is None or len(seen) < limit):
        for _, after in stepper.successors(queue.popleft()):
            transitions += 1
            if after not in seen:
                seen.add(after)
                queue.append(after)
    return Plain(len(seen), transitions, time.perf_counter() - started, complete=not queue)


def judging(system: RegistryDesign, symmetry: bool) -> float:
    """The seconds that the verdicts of all properties take after the search."""
    check = Check(system, symmetry)
    started = time.perf_counter()
    check.verdicts()
    return time.perf_counter() - started


def lines(measured: Measured) -> Iterator[str]:
    """The figures of one scope."""
    system = measured.system
    search = min((explore(system, measured.symmetry) for _ in range(RUNS)), key=lambda search: search.seconds)
    rate = search.transitions / search.seconds
    yield f"{REVISION}, {measured.name}: {search.vectorised.packing.bits} bits a state"
    yield f"  explorer, best of {RUNS}: {_figures(search, rate)}"
    plain = plain_search(system, None if measured.plain_to_the_end else FIRST)
    whole = "to the end" if plain.complete else "its first states only"
    yield f"  plain search, {whole}{', without symmetry' * measured.symmetry}: {_figures(plain, plain.rate)}"
    yield f"  the explorer makes {rate / plain.rate:.0f} times as many transitions per second{_seconds(search, plain)}"
    yield f"  judging all properties after the search: {judging(system, measured.symmetry):.2f} s"


def _figures(search: Exploration | Plain, rate: float) -> str:
    return (
        f"{search.states:,} states, {search.transitions:,} transitions, {search.seconds:.2f} s, "
        f"{rate / 1e6:.2f} million transitions per second"
    )


def _seconds(search: Exploration, plain: Plain) -> str:
    """How the times compare, where both have done the same."""
    same = plain.complete and (plain.states, plain.transitions) == (search.states, search.transitions)
    return f", and has the whole scope {plain.seconds / search.seconds:.0f} times as fast" if same else ""


def run() -> None:
    """Print the figures of each scope."""
    for measured in SCOPES:
        for line in lines(measured):
            print(line, flush=True)
    print(f"peak memory of the process: {taken() / 2**20:.0f} MiB")
