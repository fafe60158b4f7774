"""Could the batch that the main node asks for still be certified? Decided for single states of a run, both ways.

* *It could*: some schedule certifies it. Schedules are tried one after another: each is a random order of preference
  among what can happen, followed until the certificate is stored or nothing more can happen.
* *It could not*: the over-approximation of `properties.engines.value_sets` has no certificate for it. That is a proof,
  for this state and this system.

Either may fail, and then the answer is unknown.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Collection
from typing import Final

from model.algebra import Bool
from model.batch_store import CertifiedBatches
from model.transitions import Action
from properties.engines.stepper import State
from properties.engines.value_sets import NO, ValueSets
from properties.logs.setting import Setting

FEW: Final = 3
"""So many are tried before a proof that there is none, which takes longer."""
LONGEST: Final = 500
SEALING: Final = "seal_batch"


class Future:
    """Answers for the states of one run's model. `without` names transitions that do not count as ways to a
    certificate. The answers are the same in every run: so are the schedules."""

    def __init__(self, setting: Setting, without: Collection[str]) -> None:
        self.setting, self.stepper, self.system = setting, setting.stepper, setting.service
        self.without = without
        self.value_sets = ValueSets(self.system, self._counts)
        self._asked = self.stepper.evaluator(self.system.next_batch_to_attest)

    def asked(self, state: State) -> int:
        """The batch that the main node asks for."""
        return self._asked(state)[0]

    def goal(self, state: State) -> Bool | None:
        """That this batch has its certificate; none if it is no batch of the scope."""
        flags, asked = self._flags, self.asked(state)
        return flags[asked] if 0 <= asked < len(flags) else None

    @property
    def _flags(self) -> tuple[Bool, ...]:
        certified = self.system.main.store.certified
        assert isinstance(certified, CertifiedBatches)
        return certified.flags

    def is_impossible(self, state: State) -> bool:
        """Whether it is proved that the batch asked for stays without certificate. Nothing asked for is not that."""
        goal = self.goal(state)
        if goal is None:
            return False
        reach = self.value_sets.reachable(state)
        if reach[goal] != NO and self.schedule(state, FEW) is not None:
            return False
        for split in (variable for variable in self.setting.splits() if not variable.is_constant):
            if reach[goal] == NO:
                return True
            if len(reach[split]) > 1:
                reach = self.value_sets.reachable(state, split, reach)
        return reach[goal] == NO

    def schedule(self, state: State, at_most: int | None = None) -> list[int] | None:
        """Actions that certify the batch asked for, none if no schedule that was tried does."""
        goal = self.goal(state)
        if goal is None:
            return None
        is_reached = self.stepper.evaluator(goal)
        # Further batches only make schedules longer.
        helpful = [
            place for place, action in enumerate(self.system.actions) if self._counts(action) and action.name != SEALING
        ]
        for seed in range(at_most or self.setting.schedules):
            random.Random(seed).shuffle(helpful)
            taken, last = self._run(state, helpful, is_reached)
            if is_reached(last)[0]:
                return taken
        return None

    def _run(
        self, state: State, preference: list[int], is_reached: Callable[[State], tuple[int, ...]]
    ) -> tuple[list[int], State]:
        """Take the first action that is enabled, again and again."""
        taken: list[int] = []
        while not is_reached(state)[0] and len(taken) < LONGEST:
            action = next((place for place in preference if self.stepper.is_enabled(state, place)), None)
            if action is None:
                break
            state = self.stepper.apply(state, action)
            taken.append(action)
        return taken, state

    def _counts(self, action: Action) -> bool:
        return action.name not in self.without and self.setting.counts(action)
