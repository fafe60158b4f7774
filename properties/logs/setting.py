"""The model of one run: the system that its header describes, and readers of its states in the words of the log."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from functools import cached_property, lru_cache
from typing import ClassVar, Final

from model.algebra import Expression, Int
from model.batch_store import CertifiedBatches
from model.revisions import Revision
from model.scope import Scope
from model.service import AttestationSystem
from model.transitions import Action, Transition
from properties.engines.stepper import State, Stepper
from properties.logs.runs import Header
from properties.results.trace import Arrangement, system_of

KEPT_SYSTEMS: Final = 4

GENESIS: Final = "genesis"
"""The hash of the genesis that the logs are of, as the machines in full fidelity take it."""


@lru_cache(maxsize=KEPT_SYSTEMS)
def stepper_for(chosen: Revision, scope: Scope, arrangement: Arrangement) -> Stepper:
    """The one-step engine on the system of a run; runs that look alike share one."""
    return Stepper(system_of(chosen.name, scope, arrangement))


class Setting(ABC):
    """The model of one run. A state is read by node, with the log's names for what is in it.

    `environment` is what is not a step of the protocol: batches, forgeries and faults. `certifying` is the kind of
    event in which a certificate is found. `schedules` is how many are tried to find one that certifies a batch.
    """

    environment: ClassVar[tuple[Transition, ...]]
    certifying: ClassVar[str]
    schedules: ClassVar[int]

    def __init__(self, header: Header, stepper: Stepper, arrangement: Arrangement) -> None:
        system = stepper.system
        assert isinstance(system, AttestationSystem)
        self.header, self.stepper, self.arrangement = header, stepper, arrangement
        self.service = system
        self._readers: dict[tuple[Expression, ...], Callable[[State], tuple[int, ...]]] = {}

    @cached_property
    def asked(self) -> Int:
        """What the main node's database answers."""
        return self.service.next_batch_to_attest

    def place(self, node: str) -> int:
        return self.service.topology.position(node)

    def values(self, state: State, *expressions: Expression) -> tuple[int, ...]:
        if expressions not in self._readers:
            self._readers[expressions] = self.stepper.evaluator(*expressions)
        return self._readers[expressions](state)

    def value(self, state: State, expression: Expression) -> int:
        return self.values(state, expression)[0]

    def what_can_happen(self, state: State) -> list[str]:
        """What honest nodes can do by themselves: without faults and forgeries, and with the batches that are there."""
        actions = map(self.stepper.action, self.stepper.enabled(state))
        return [
            f"{action} of {action.node}"
            for action in actions
            if action.transition not in self.environment and action.node not in self.header.byzantine
        ]

    @abstractmethod
    def recorded_number(self, number: int) -> int:
        """A batch number of the model as the log has it."""

    def certified(self, state: State) -> list[int]:
        """The batches with a certificate stored on the main node, as the log has them."""
        certified = self.service.main.store.certified
        assert isinstance(certified, CertifiedBatches)
        flags = self.values(state, *certified.flags)
        return [self.recorded_number(number) for number, flag in enumerate(flags) if flag]

    def counts(self, action: Action) -> bool:
        """Whether an action is a way to a certificate; not one that only whoever made the log takes."""
        return True

    @abstractmethod
    def splits(self) -> Iterator[Expression]:
        """The variables by whose values a proof that something stays impossible may tell states apart."""
