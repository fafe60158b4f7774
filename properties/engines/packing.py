"""States as machine words: where each variable's bits lie, and the canonical form under symmetry.

Variables of one attester lie together, as one *block* within one word, so that interchangeable attesters are sorted by
comparing blocks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from model.algebra import Expression
from model.transitions import ModelError, TransitionSystem, Variable
from properties.engines.code import Columns, dtype_of
from properties.engines.stepper import State
from properties.engines.symmetry import Symmetry

Words = tuple[npt.NDArray[np.uint64], ...]
"""States as columns of 64-bit words, one array per word."""

WORD = 64


class UnsoundSymmetry(ValueError):
    """Symmetry was asked for where attesters are not interchangeable; the message says why."""


def bits_of(variable: Variable) -> int:
    """How many bits the variable's domain needs. Raises `ValueError` if it has no bounds, or more than a word has."""
    if variable.low is None or variable.high is None:
        raise ValueError(f"{variable.name} has no bounds; the explorer needs a scope with a number of batches")
    bits = (variable.high - variable.low).bit_length()
    if bits > WORD:
        raise ValueError(f"{variable.name} needs {bits} bits; a word has {WORD}")
    return bits


@dataclass(frozen=True)
class Slot:
    """Where a variable lies: which word, its lowest bit there, how many bits, and the value that 0 stands for."""

    word: int
    shift: int
    bits: int
    low: int

    @property
    def mask(self) -> int:
        """The bits of the slot, at their place in the word."""
        return ((1 << self.bits) - 1) << self.shift


@dataclass(frozen=True)
class Block:
    """The bits of one attester: which word, the lowest bit, how many."""

    word: int
    shift: int
    bits: int


class Packing:
    """The layout of a transition system's states."""

    def __init__(self, system: TransitionSystem[Any]) -> None:
        self.system = system
        groups: dict[str | None, list[Variable]] = {}
        for variable in system.variables:
            groups.setdefault(variable.owner, []).append(variable)
        self.slots: dict[Expression, Slot] = {}
        self.blocks: dict[str, Block] = {}
        self._used: list[int] = []
        for owner, variables in sorted(groups.items(), key=lambda group: group[0] or ""):
            self._place(owner, variables)
        self.words = len(self._used)

    def _place(self, owner: str | None, variables: Sequence[Variable]) -> None:
        """Put a group into the first word with room for all of it; a group larger than a word is split."""
        size = sum(map(bits_of, variables))
        if size <= WORD:
            word, shift = self._room(size)
            if owner is not None:
                self.blocks[owner] = Block(word, shift, size)
        for variable in variables:
            bits = bits_of(variable)
            if size > WORD:
                word, shift = self._room(bits)
            self.slots[variable.expression] = Slot(word, shift, bits, variable.low or 0)
            shift += bits

    def _room(self, bits: int) -> tuple[int, int]:
        """Reserve this many bits: the word and the lowest of them."""
        for word, used in enumerate(self._used):
            if used + bits <= WORD:
                self._used[word] += bits
                return word, used
        self._used.append(bits)
        return len(self._used) - 1, 0

    @property
    def bits(self) -> int:
        """How many bits a state needs."""
        return sum(slot.bits for slot in self.slots.values())

    def pack(self, states: Sequence[State]) -> Words:
        """States as words."""
        columns = zip(*map(self.packed, states), strict=True) if states else [()] * self.words
        return tuple(np.array(column, dtype=np.uint64) for column in columns)

    def packed(self, state: State) -> tuple[int, ...]:
        """The words of one state. Raises `ModelError` for a value outside its domain, whose bits would be another's."""
        words = [0] * self.words
        for place, ((slot, most), value) in enumerate(zip(self._in_order, state, strict=True)):
            if not 0 <= value - slot.low <= most:
                raise ModelError(f"{self.system.variables[place].name} is {value}, outside its domain")
            words[slot.word] |= (value - slot.low) << slot.shift
        return tuple(words)

    @cached_property
    def _in_order(self) -> list[tuple[Slot, int]]:
        """The slots in the order of the variables, with the greatest number that each may hold."""
        return [(self.slots[each.expression], (each.high or 0) - (each.low or 0)) for each in self.system.variables]

    def unpack(self, words: Words) -> list[State]:
        """Words as states."""
        columns = []
        for variable in self.system.variables:
            slot = self.slots[variable.expression]
            values = (words[slot.word] & np.uint64(slot.mask)) >> np.uint64(slot.shift)
            columns.append([int(value) + slot.low for value in values])
        return list(zip(*columns, strict=True)) if columns else [()] * len(words[0])

    @cached_property
    def symmetry(self) -> Symmetry:
        """Which attesters are interchangeable."""
        return Symmetry(self.system)

    @cached_property
    def classes(self) -> tuple[tuple[Block, ...], ...]:
        """The blocks of each class of interchangeable attesters. Raises `UnsoundSymmetry` where there is a variable
        that relates two attesters, no class, or a block that is split."""
        shared = next((variable.name for variable in self.system.variables if variable.shared), None)
        if shared is not None:
            raise UnsoundSymmetry(f"{self.system.name}: {shared} relates two attesters, so they cannot be sorted")
        if not self.symmetry.classes:
            reasons = "; ".join(["no two attesters are interchangeable", *self.symmetry.refusals[:1]])
            raise UnsoundSymmetry(f"{self.system.name}: {reasons}")
        split = [name for names in self.symmetry.classes for name in names if name not in self.blocks]
        if split:
            raise UnsoundSymmetry(f"{self.system.name}: the variables of {', '.join(split)} do not fit into one word")
        return tuple(tuple(self.blocks[name] for name in names) for names in self.symmetry.classes)

    @property
    def has_symmetry(self) -> bool:
        """Whether the canonical form is defined."""
        try:
            return bool(self.classes)
        except UnsoundSymmetry:
            return False

    def canonical(self, words: Words) -> Words:
        """The states with the blocks of interchangeable attesters in descending order."""
        result = list(words)
        for blocks in self.classes:
            mask = np.uint64((1 << blocks[0].bits) - 1)
            columns = [(words[block.word] >> np.uint64(block.shift)) & mask for block in blocks]
            for last in range(len(columns) - 1, 0, -1):
                for index in range(last):
                    a, b = columns[index], columns[index + 1]
                    columns[index], columns[index + 1] = np.maximum(a, b), np.minimum(a, b)
            for block, column in zip(blocks, columns, strict=True):
                result[block.word] &= ~(mask << np.uint64(block.shift))
                result[block.word] |= column << np.uint64(block.shift)
        return tuple(result)


class PackedColumns(Columns):
    """The numpy dialect on packed words: a variable is unpacked where it is first used."""

    def __init__(self, packing: Packing) -> None:
        self.packing = packing

    def read(self, node: Expression) -> str:
        """Unpack the variable."""
        slot = self.packing.slots[node]
        if dtype_of(node) == "bool":
            return f"((w{slot.word} & u64({slot.mask})) != u64(0))"
        kind = dtype_of(node)
        bits = f"((w{slot.word} >> u64({slot.shift})) & u64({slot.mask >> slot.shift})).astype({kind})"
        return f"({bits} + {kind}({slot.low}))" if slot.low else bits

    @property
    def arguments(self) -> str:
        """The parameters of compiled functions: the words."""
        return ", ".join(f"w{word}" for word in range(self.packing.words))
