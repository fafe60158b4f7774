"""States are stored in one word wherever the product of their domains leaves room, and come back as they were."""

from __future__ import annotations

from itertools import combinations
from math import prod

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.algebra import int_variable
from model.transitions import TransitionSystem, Variable
from properties.engines.packing import Packing
from properties.engines.storage import Storage

TOP = 1 << 64


def storage_of(sizes: list[int]) -> tuple[Packing, Storage]:
    variables = [Variable(int_variable(f"v{place}", 0, size - 1), 0) for place, size in enumerate(sizes)]
    packing = Packing(TransitionSystem("domains", None, tuple(variables), ()))
    return packing, Storage(packing)


domains = st.lists(st.one_of(st.integers(2, 9), st.integers(1000, 1 << 20)), min_size=1, max_size=40)


@given(domains, st.randoms(use_true_random=False))
def test_states_come_back_and_different_states_are_stored_differently(sizes: list[int], random: object) -> None:
    packing, storage = storage_of(sizes)
    draw = random.randrange  # type: ignore[attr-defined] # a random.Random
    states = [tuple(draw(size) for size in sizes) for _ in range(40)]
    states += [tuple(0 for _ in sizes), tuple(size - 1 for size in sizes)]
    words = packing.pack(states)
    stored = storage.encode(words)
    assert [column.dtype for column in stored] == storage.types
    assert (storage.columns == 1) == (packing.words == 1 or prod(sizes) <= TOP)
    assert all(np.array_equal(a, b) for a, b in zip(storage.decode(stored), words, strict=True))
    distinct = len(set(states))
    assert len(set(zip(*(column.tolist() for column in stored), strict=True))) == distinct
    assert len(set(stored[0].tolist())) == distinct  # keys are 64 bits, well mixed


@pytest.mark.parametrize(
    ("sizes", "types"),
    [
        ([3] * 40, ["u8"]),  # 80 bits, which hold 63.4
        ([3] * 41, ["u8", "u1"]),  # 65.0
        ([5, 3] * 16, ["u8"]),  # 80 bits, which hold 62.5
        ([1 << 31, 1 << 32], ["u8"]),  # one word has room for all bits
        ([(1 << 31) + 1, (1 << 32) + 1], ["u8"]),  # 65 bits, just below 2^64
        ([(1 << 32) + 1, 1 << 32], ["u8", "u4"]),  # just above
        ([1 << 64, 1 << 64, 3], ["u8", "u8", "u1"]),  # beyond two words
        ([9] * 40, ["u8", "u8", "u1"]),  # three words
    ],
)
def test_a_state_takes_as_few_bytes_as_numbers_can(sizes: list[int], types: list[str]) -> None:
    packing, storage = storage_of(sizes)
    assert storage.types == [np.dtype(kind) for kind in types]
    largest = packing.pack([tuple(size - 1 for size in sizes)])
    stored = storage.encode(largest)
    assert storage.decode(stored) == largest
    if packing.words > 1 and storage.columns == 1:
        assert int(stored[0][0]) == prod(sizes) - 1


def test_states_that_differ_in_two_flags_have_different_keys() -> None:
    """Their differences are powers of two, in each number: a sum of multiples would make equal keys of some."""
    packing, storage = storage_of([2] * 150)
    states = [tuple(int(place in two) for place in range(150)) for two in combinations(range(150), 2)]
    assert len(set(storage.encode(packing.pack(states))[0].tolist())) == len(states)


def test_states_that_differ_in_any_one_variable_have_different_keys() -> None:
    """A key mixes all numbers: it is no hash of the first."""
    sizes = [1 << 40] * 5
    packing, storage = storage_of(sizes)
    states = [
        tuple(number if place == changed else 7 for place in range(5)) for changed in range(5) for number in (1, 2, 3)
    ]
    assert len(set(storage.encode(packing.pack(states))[0].tolist())) == len(states)
