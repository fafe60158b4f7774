"""What is timed: a revision, a committee, a topology and the durations; searched and simulated from one text."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from model.algebra import Bool
from model.registry_design.node import FINDER
from model.registry_design.qc_finder import WAITING_FOR_QUORUM
from model.registry_design.system import RegistryDesign
from model.revisions import REGISTRY, Revision, history
from model.scope import Instance, Scope
from model.service import AttestationSystem
from model.system import build
from properties.engines.stepper import State
from properties.timing.clocks import Clockwork, Timed, start
from properties.timing.laws import DEFAULTS, Parameters, laws

if TYPE_CHECKING:
    import numpy as np

    from properties.timing.simulation import Simulation

SWITCHES = ("late_answers", "attester_steps", "late_batches", "call_steps")
"""The steps between which time can pass. What the other switches tell apart happens at one instant."""


@dataclass(frozen=True)
class Setting:
    """One system to time, from the state in which batch 0 has its certificate; honest attesters, and no faults."""

    revision: Revision
    instance: Instance
    topology: str = "direct"
    parameters: Parameters = DEFAULTS

    @property
    def system(self) -> AttestationSystem:
        """The system without clocks. Batches have no bound."""
        return _system(self.revision, self.instance, self.topology)

    def start(self, backlog: int = 0) -> State:
        """Where its runs start, with so many batches sealed and not certified."""
        return _start(self.revision, self.instance, self.topology, backlog)

    def timed(self, fixed: bool = False, backlog: bool = False, sealings: int | None = None) -> Timed:
        """The system with clocks, in ticks of the parameters."""
        declared, tick = laws(self.parameters), self.parameters.tick
        return Clockwork(self.system, declared, self.start(), tick, backlog, fixed, sealings).build()

    def simulation(self, runs: int, generator: np.random.Generator, backlog: int = 0) -> Simulation:
        """So many runs of it, in a backlog of so many batches, or in none."""
        from properties.timing.simulation import Simulation

        begin = self.start(backlog)
        return Simulation(
            self.system, laws(self.parameters), begin, runs, generator, bool(backlog), is_deaf(self.system)
        )

    def polling(self, milliseconds: int) -> Setting:
        """The same with another poll interval."""
        return self.changed(poll=milliseconds)

    def changed(self, **durations: int) -> Setting:
        return replace(self, parameters=replace(self.parameters, **durations))

    @staticmethod
    def of(revision: Revision, instance: Instance, topology: str = "direct") -> Setting:
        if revision.design == REGISTRY:
            return Setting(revision, instance, topology)
        eras = {before for part in revision.name.split("+") for before in history(part)}
        return Setting(revision, instance, topology).changed(batch_polls=5000 if "era3040" in eras else 500)


@lru_cache(maxsize=16)
def _system(revision: Revision, instance: Instance, topology: str) -> AttestationSystem:
    switches: dict[str, Any] = dict.fromkeys(SWITCHES, True)
    return build(revision, replace(Scope(instance, batches=None, topology=topology), **switches))


@lru_cache(maxsize=16)
def _start(revision: Revision, instance: Instance, topology: str, backlog: int = 0) -> State:
    return start(_system(revision, instance, topology), backlog)


def is_deaf(system: AttestationSystem) -> Bool | None:
    """Whether the main node's QC finder has a number to look at and does not, for it waits for a quorum. The redesign
    has no finder."""
    if not isinstance(system, RegistryDesign):
        return None
    return system.main.status.has_news(FINDER) & system.main.finder.is_in(WAITING_FOR_QUORUM)
