"""Guards and effects of a transition system on packed words: many states at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from model.algebra import Bool, Expression
from model.transitions import Action, ModelError, TransitionSystem, Variable
from properties.engines.code import compile_expressions
from properties.engines.packing import PackedColumns, Packing, Words

Mask = npt.NDArray[np.bool_]

Places = npt.NDArray[np.intp]

NAMES = {
    "u64": np.uint64,
    "where": np.where,
    **{kind: getattr(np, kind) for kind in ("int8", "int16", "int32", "int64", "uint64")},
}


ALL = 2**64 - 1
"""The bits of a word."""


@dataclass(frozen=True)
class Effect:
    """What an action does to the words: the bits to keep and to set, and the values to compute of variables, which
    might not belong there."""

    keep: tuple[int, ...]
    set: tuple[int, ...]
    computed: tuple[tuple[Variable, Expression], ...]
    values: Callable[..., Any]


class Vectorised:
    """Evaluates a transition system on columns of packed states."""

    def __init__(self, system: TransitionSystem[Any]) -> None:
        self.system = system
        self.packing = Packing(system)
        self.dialect = PackedColumns(self.packing)
        self._guards = self.compile([action.guard for action in system.actions])
        self.effects = [self._effect(action) for action in system.actions]

    def compile(self, roots: list[Bool] | list[Expression]) -> Callable[..., Any]:
        """A function from words to the values of the expressions."""
        return compile_expressions("evaluate", self.dialect.arguments, roots, self.dialect, NAMES)

    def holds(self, condition: Bool) -> Callable[[Words], Mask]:
        """A function from words to whether the condition holds in each state."""
        function = self.compile([condition])

        def evaluate(words: Words) -> Mask:
            return np.broadcast_to(np.asarray(function(*words)[0], dtype=bool), words[0].shape)

        return evaluate

    def _effect(self, action: Action) -> Effect:
        keep = [ALL] * self.packing.words
        bits = [0] * self.packing.words
        computed = []
        for variable, value in action.updates:
            slot = self.packing.slots[variable.expression]
            keep[slot.word] &= ~slot.mask
            if value.is_constant and not _can_leave(variable, value):
                bits[slot.word] |= (int(value.value) - slot.low) << slot.shift
            else:
                computed.append((variable, value))
        return Effect(
            tuple(keep),
            tuple(bits),
            tuple(computed),
            self.compile([value for _, value in computed]),
        )

    def guards(self, words: Words) -> list[Mask]:
        """For each action, in which of the states its guard holds."""
        return [np.broadcast_to(guard, words[0].shape) for guard in self._guards(*words)]

    def apply(self, action: int, words: Words) -> Words:
        """The states after an action, for states in which its guard holds.

        Raises `ModelError` if a variable leaves its domain.
        """
        effect = self.effects[action]
        result = [
            (word & np.uint64(keep)) | np.uint64(bits) if keep != ALL else word
            for word, keep, bits in zip(words, effect.keep, effect.set, strict=True)
        ]
        for (variable, _), bits in zip(effect.computed, self.computed(action, words), strict=True):
            slot = self.packing.slots[variable.expression]
            result[slot.word] |= bits << np.uint64(slot.shift)
        return tuple(result)

    def computed(self, action: int, words: Words) -> Iterator[npt.NDArray[np.uint64]]:
        """The bits of each variable whose value after an action must be computed; see `apply`."""
        effect = self.effects[action]
        for (variable, expression), value in zip(effect.computed, effect.values(*words), strict=True):
            if _can_leave(variable, expression):
                self._check(action, variable, value)
            bits = value.astype(np.uint64)
            if variable.low:  # modulo 2^64, so that -1 becomes 0 for a domain that starts at -1
                bits += np.uint64(-variable.low % 2**64)
            yield bits

    def _check(self, action: int, variable: Variable, value: npt.NDArray[Any]) -> None:
        low, high = variable.low, variable.high
        if value.size and (value.min() < low or value.max() > high):
            raise ModelError(f"{self.system.actions[action]} takes {variable.name} outside its domain {low}..{high}")

    def enabled(self, words: Words) -> Iterator[tuple[int, Places]]:
        """The actions that some state allows, and the places of the states that do, which ascend."""
        for action, mask in enumerate(self.guards(words)):
            places = np.flatnonzero(mask)
            if places.size:
                yield action, places


def _can_leave(variable: Variable, value: Expression) -> bool:
    """Whether the ranges alone do not show that the value stays in the variable's domain."""
    return (
        value.low is None or value.high is None or value.low < (variable.low or 0) or value.high > (variable.high or 0)
    )
