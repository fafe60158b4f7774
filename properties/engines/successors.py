"""From stored states to the stored states after them.

Most actions change few variables. Stored in mixed radix, a state's successor is its number, plus what the changed
variables have become more or less, each times its weight. What is lost with the values before, and won with constants,
is looked up by the bits of a digit; what is computed is added to that. Under symmetry, and where a state is stored as
it is packed, successors are made as words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from model.algebra import variables_of
from properties.engines.packing import Words
from properties.engines.storage import Digit, Numbers, Storage, Stored, hashed
from properties.engines.vectorised import Effect, Places, Vectorised
from properties.engines.visited import Columns


@dataclass(frozen=True)
class _Change:
    """What an action makes of stored numbers: the digits that lose and win, with the index of the number each is part
    of, and what, by the digit's bits; the index and the weight of each variable whose value is computed; and the words
    that this takes."""

    digits: Sequence[tuple[int, Digit, Callable[[Numbers], Numbers]]]
    computed: Sequence[tuple[int, np.uint64]]
    words: frozenset[int]


class Successors:
    """The successors of stored states; those that `normal` makes equal are one."""

    def __init__(self, vectorised: Vectorised, storage: Storage, normal: Callable[[Words], Words] | None) -> None:
        self.vectorised, self.storage, self.normal = vectorised, storage, normal

    def of(self, stored: Stored) -> Iterator[tuple[int, Places, Stored]]:
        """For each action that some state allows: the places of those that do, which ascend, and the states after it.

        Raises `ModelError` if a variable leaves its domain.
        """
        words = self.storage.decode(stored)
        bits = dict[Digit, Numbers]()
        for action, places in self.vectorised.enabled(words):
            if self.normal or not self.storage.numbers:
                after = self.vectorised.apply(action, _at(words, places))
                yield action, places, self.storage.encode(self.normal(after) if self.normal else after)
            else:
                yield action, places, self._moved(action, _at(stored, places), places, words, bits)

    def _moved(self, action: int, stored: Stored, places: Places, words: Words, bits: dict[Digit, Numbers]) -> Stored:
        """The states after an action, from those before it and from what it changes."""
        change, added = self._changes[action], dict[int, Numbers]()
        for number, digit, lost in change.digits:
            if digit not in bits:
                bits[digit] = digit.read(words)
            _add(added, number, lost(bits[digit].take(places)))
        some = tuple(word.take(places) if place in change.words else word for place, word in enumerate(words))
        for (number, weight), value in zip(change.computed, self.vectorised.computed(action, some), strict=True):
            value *= weight
            _add(added, number, value)
        key, *others = stored
        for number, more in added.items():
            if number:
                other = others[number - 1].astype(np.uint64)
                key -= hashed(other, number)
                other += more
                key += hashed(other, number)
                others[number - 1] = other.astype(others[number - 1].dtype)
            else:
                key += more
        return (key, *others)

    @cached_property
    def _changes(self) -> list[_Change]:
        return [self._change(effect) for effect in self.vectorised.effects]

    def _change(self, effect: Effect) -> _Change:
        slots = self.vectorised.packing.slots
        digits, computed = [], []
        for number, every in enumerate(self.storage.numbers):
            for digit in every:
                lost = digit.change(effect.keep[digit.word], effect.set[digit.word])
                if lost is not None:
                    digits.append((number, digit, lost))
        for variable, _ in effect.computed:
            slot = slots[variable.expression]
            number, digit = next(
                (number, digit) for number, every in enumerate(self.storage.numbers) for digit in every if slot in digit
            )
            computed.append((number, np.uint64(digit.weight_of(slot))))
        read = variables_of([value for _, value in effect.computed])
        return _Change(digits, computed, frozenset(slots[variable].word for variable in read))


def _at(columns: Columns, places: Places) -> Columns:
    return tuple(column.take(places) for column in columns)


def _add(added: dict[int, Numbers], number: int, more: Numbers) -> None:
    if number in added:
        added[number] += more
    else:
        added[number] = more
