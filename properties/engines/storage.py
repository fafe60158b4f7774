"""How states are stored: in one word, wherever the domains of their variables leave room for that.

Packed words have a slot of whole bits for each variable, which is what guards and effects are quick on. Much of that is
padding: a domain of five values takes three bits. Stored in *mixed radix*, a state is one number below the product of
all domains; where that product is at most 2^64, the number is a word. A state that needs more is several such numbers,
each over some of the variables.

The first stored column is the *key* of a state, by which states are ordered and looked for. Of a state that is one
number it is the number. Of several it is the first plus a hash of each of the others; as these are stored beside it,
the first can be had back. States that differ little in the first number have keys that differ little, so that the
successors of states in the order of their keys are, by and large, in the order of theirs. Of the others a hash is
needed: to mixed radix, the differences of states are multiples of high powers of two, in every number, and multiples
of such multiples soon add up to the same.

Neighbouring slots are translated together, by a table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from properties.engines.packing import Packing, Slot, Words

NUMBERS = 1 << 64
"""So many states can be told apart by one stored number."""

TABLE_BITS = 12
"""The slots that one table translates have so many bits at most: tables stay in the processor's cache."""

INCREMENT = 0x9E3779B97F4A7C15
"""The number with this index has this, times its index, added before it is hashed."""

HASH = ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB))
"""Shifts and multipliers of the hash: those of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014)."""

Numbers = npt.NDArray[np.uint64]

Stored = tuple[npt.NDArray[np.unsignedinteger[Any]], ...]
"""States as they are stored: their keys, and columns of further numbers, each in the smallest type that holds them."""


@dataclass(frozen=True, eq=False)
class Digit:
    """Slots that lie together in a word, as one digit of a number to mixed radix: its `radix`, what it stands for in
    the number by the slots' bits (`value`), and the bits, at their place in the word, by the digit (`pattern`). A slot
    larger than a table is a digit by itself, and needs none."""

    word: int
    shift: int
    bits: int
    radix: int
    weight: int
    value: Numbers | None
    pattern: Numbers | None

    @property
    def mask(self) -> int:
        """The slots' bits, at their place in the word."""
        return ((1 << self.bits) - 1) << self.shift

    def read(self, words: Words) -> Numbers:
        """The slots' bits."""
        return (words[self.word] >> np.uint64(self.shift)) & np.uint64((1 << self.bits) - 1)

    def encode(self, words: Words) -> Numbers:
        """What the digit adds to each number."""
        found = self.read(words)
        return found * np.uint64(self.weight) if self.value is None else looked_up(self.value, found)

    def __contains__(self, slot: Slot) -> bool:
        return slot.word == self.word and slot.mask & self.mask == slot.mask

    def weight_of(self, slot: Slot) -> int:
        """What a number changes by with each 1 of a slot."""
        if self.value is None:
            return self.weight
        return int(self.value[1 << (slot.shift - self.shift)]) if slot.bits else 0

    def change(self, keep: int, bits: int) -> Callable[[Numbers], Numbers] | None:
        """What each number changes by, from the slots' bits, where those of a word that `keep` has stay, and `bits` are
        set; nothing where all stay."""
        if not ~keep & self.mask:
            return None
        first, mask = np.uint64(self.shift), np.uint64(self.mask)
        kept, new = (np.uint64(keep) & mask) >> first, (np.uint64(bits) & mask) >> first
        if self.value is None:
            return lambda before: (new - before) * np.uint64(self.weight)
        before = np.arange(len(self.value), dtype=np.uint64)
        return partial(looked_up, self.value[before & kept | new] - self.value)

    def decode(self, digit: Numbers, words: Words) -> None:
        """Set the bits of the slots."""
        words[self.word][:] |= (
            digit << np.uint64(self.shift) if self.pattern is None else looked_up(self.pattern, digit)
        )


def looked_up(table: npt.NDArray[Any], places: Numbers) -> npt.NDArray[Any]:
    """What a table has at these places, none of which lies outside."""
    # Of the ways to say this in numpy it is by far the quickest: no place is converted, or compared with the length.
    return table.take(places.view(np.int64), mode="clip")


def hashed(number: Numbers, index: int) -> Numbers:
    """What the number with this index adds to the key."""
    found = number + np.uint64(index * INCREMENT % (1 << 64))
    for shift, multiplier in HASH:
        found ^= found >> np.uint64(shift)
        found *= np.uint64(multiplier)
    found ^= found >> np.uint64(31)
    return found


class Storage:
    """Packed words to stored columns and back."""

    def __init__(self, packing: Packing) -> None:
        sizes = {
            packing.slots[each.expression]: (each.high or 0) - (each.low or 0) + 1 for each in packing.system.variables
        }
        self.words = packing.words
        self.numbers = list(_numbers(sizes)) if self.words > 1 else []
        self.types: list[npt.DTypeLike] = [np.uint64]
        self.types += [np.min_scalar_type(prod(digit.radix for digit in digits) - 1) for digits in self.numbers[1:]]

    @property
    def columns(self) -> int:
        """How many columns there are."""
        return len(self.types)

    def encode(self, words: Words) -> Stored:
        """The states as they are stored."""
        if not self.numbers:
            return words
        key, *others = (_sum(digit.encode(words) for digit in digits) for digits in self.numbers)
        for index, number in enumerate(others, 1):
            key += hashed(number, index)
        return (key, *(number.astype(kind) for number, kind in zip(others, self.types[1:], strict=True)))

    def decode(self, stored: Stored) -> Words:
        """The states in packed words."""
        if not self.numbers:
            return stored
        first, *others = (column.astype(np.uint64) for column in stored)
        for index, number in enumerate(others, 1):
            first -= hashed(number, index)
        words = tuple(np.zeros_like(first) for _ in range(self.words))
        further, value = np.empty_like(first), np.empty_like(first)
        for digits, rest in zip(self.numbers, (first, *others), strict=True):
            *lower, last = digits
            for digit in lower:
                np.floor_divide(rest, np.uint64(digit.radix), out=further)
                np.multiply(further, np.uint64(digit.radix), out=value)
                np.subtract(rest, value, out=value)
                digit.decode(value, words)
                rest, further = further, rest
            last.decode(rest, words)
        return words


def _sum(columns: Iterator[Numbers]) -> Numbers:
    total = next(columns)
    for column in columns:
        total += column
    return total


def _numbers(sizes: dict[Slot, int]) -> Iterator[list[Digit]]:
    """The digits of each number, of which each takes as many as it has room for."""
    digits: list[Digit] = []
    weight = 1
    for slots in _groups(sorted(sizes, key=lambda slot: (slot.word, slot.shift))):
        radix = prod(sizes[slot] for slot in slots)
        if digits and weight * radix > NUMBERS:
            yield digits
            digits, weight = [], 1
        digits.append(_digit(slots, [sizes[slot] for slot in slots], radix, weight))
        weight *= radix
    yield digits


def _groups(slots: list[Slot]) -> Iterator[list[Slot]]:
    """Neighbours in a word, as many as a table takes."""
    group: list[Slot] = []
    for slot in slots:
        if group and (slot.word != group[0].word or slot.shift + slot.bits - group[0].shift > TABLE_BITS):
            yield group
            group = []
        group.append(slot)
    if group:
        yield group


def _digit(slots: list[Slot], sizes: list[int], radix: int, weight: int) -> Digit:
    first, last = slots[0], slots[-1]
    bits = last.shift + last.bits - first.shift
    if bits > TABLE_BITS:
        return Digit(first.word, first.shift, bits, radix, weight, None, None)
    value, pattern = np.zeros(1 << bits, dtype=np.uint64), np.zeros(1, dtype=np.uint64)
    for slot, size in zip(slots, sizes, strict=True):
        values = np.arange(size, dtype=np.uint64) << np.uint64(slot.shift - first.shift)
        pattern = (pattern[:, np.newaxis] + values).ravel()
    value[pattern] = np.arange(radix, dtype=np.uint64) * np.uint64(weight)
    return Digit(first.word, first.shift, bits, radix, weight, value, pattern << np.uint64(first.shift))
