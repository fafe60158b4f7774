"""How states are stored: in one word, wherever the domains of their variables leave room for that.

Packed words have a slot of whole bits for each variable, which is what guards and effects are quick on. Much of that is
padding: a domain of five values takes three bits. Stored in *mixed radix*, a state is one number below the product of
all domains; where that product is at most 2^64, the number is a word, and the state's own key.

Neighbouring slots are translated together, by a table.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from math import prod

import numpy as np
import numpy.typing as npt

from properties.engines.packing import Packing, Slot, Words

NUMBERS = 1 << 64
"""So many states can be told apart by one stored word."""

TABLE_BITS = 12
"""The slots that one table translates have so many bits at most: tables stay in the processor's cache."""

Table = npt.NDArray[np.uint64]


@dataclass(frozen=True)
class Digit:
    """Slots that lie together in a word, as one digit of a number to mixed radix: its `radix`, what it stands for in
    the number by the slots' bits (`value`), and the bits by the digit. A slot larger than a table is a digit by itself,
    and needs none."""

    word: int
    shift: int
    bits: int
    radix: int
    weight: int
    value: Table | None
    pattern: Table | None

    def encode(self, words: Words) -> Table:
        """What the digit adds to each number."""
        found = (words[self.word] >> np.uint64(self.shift)) & np.uint64((1 << self.bits) - 1)
        return found * np.uint64(self.weight) if self.value is None else self.value[found]

    def decode(self, digit: Table) -> Table:
        """The bits of the slots, at their place in the word."""
        return (digit if self.pattern is None else self.pattern[digit]) << np.uint64(self.shift)


class Storage:
    """Packed words to stored columns and back: one column where it is `dense`, or where a state has one word anyway;
    else the words as they are."""

    def __init__(self, packing: Packing) -> None:
        sizes = {
            packing.slots[each.expression]: (each.high or 0) - (each.low or 0) + 1 for each in packing.system.variables
        }
        self.words = packing.words
        self.dense = packing.words > 1 and prod(sizes.values()) <= NUMBERS
        self.columns = 1 if self.dense else packing.words
        self._digits = list(_digits(sizes)) if self.dense else []

    def encode(self, words: Words) -> Words:
        """The states as they are stored."""
        if not self.dense:
            return words
        number = self._digits[0].encode(words)
        for digit in self._digits[1:]:
            number = number + digit.encode(words)
        return (number,)

    def decode(self, stored: Words) -> Words:
        """The states in packed words."""
        if not self.dense:
            return stored
        (rest,) = stored
        words = [np.zeros_like(rest) for _ in range(self.words)]
        for digit in self._digits[:-1]:
            further = rest // np.uint64(digit.radix)
            words[digit.word] |= digit.decode(rest - further * np.uint64(digit.radix))
            rest = further
        words[self._digits[-1].word] |= self._digits[-1].decode(rest)
        return tuple(words)


def _digits(sizes: dict[Slot, int]) -> Iterator[Digit]:
    weight = 1
    for slots in _groups(sorted(sizes, key=lambda slot: (slot.word, slot.shift))):
        radix = prod(sizes[slot] for slot in slots)
        yield _digit(slots, [sizes[slot] for slot in slots], radix, weight)
        weight *= radix


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
    value, pattern = np.zeros(1 << bits, dtype=np.uint64), np.zeros(radix, dtype=np.uint64)
    for digit, numbers in enumerate(product(*map(range, sizes))):
        place = sum(number << (slot.shift - first.shift) for slot, number in zip(slots, numbers, strict=True))
        value[place], pattern[digit] = digit * weight, place
    return Digit(first.word, first.shift, bits, radix, weight, value, pattern)
