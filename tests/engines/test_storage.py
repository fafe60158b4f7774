"""States are stored in one word wherever the product of their domains leaves room, and come back as they were."""

from __future__ import annotations

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
    assert len(stored) == storage.columns
    assert storage.dense == (packing.words > 1 and prod(sizes) <= TOP)
    assert all(np.array_equal(a, b) for a, b in zip(storage.decode(stored), words, strict=True))
    assert len(set(zip(*(column.tolist() for column in stored), strict=True))) == len(set(states))


@pytest.mark.parametrize(
    ("sizes", "dense"),
    [
        ([3] * 40, True),  # 80 bits, which hold 63.4
        ([3] * 41, False),  # 65.0
        ([5, 3] * 16, True),  # 80 bits, which hold 62.5
        ([1 << 31, 1 << 32], False),  # one word has room for all bits
        ([(1 << 31) + 1, (1 << 32) + 1], True),  # 65 bits, just below 2^64
        ([(1 << 32) + 1, 1 << 32], False),  # just above
        ([9] * 40, False),  # beyond two words
    ],
)
def test_a_state_is_stored_in_one_word_up_to_the_last_bit(sizes: list[int], dense: bool) -> None:
    packing, storage = storage_of(sizes)
    assert storage.dense is dense
    largest = packing.pack([tuple(size - 1 for size in sizes)])
    stored = storage.encode(largest)
    assert storage.decode(stored) == tuple(word for word in largest)
    if dense:
        assert int(stored[0][0]) == prod(sizes) - 1
