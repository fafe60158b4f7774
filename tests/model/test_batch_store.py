"""The two ways in which certificates are kept say the same: the exact set, and its ends, which need no bound."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product

import pytest

from model.algebra import FALSE, const, truth
from model.batch_store import Certificates, CertifiedBatches, CertifiedRange
from model.votes import NONE

BATCHES = 5
EMPTY = CertifiedRange(const(NONE), const(NONE), FALSE)


def sets() -> Iterator[tuple[tuple[int, ...], CertifiedBatches, CertifiedRange]]:
    """Every set of certificates, as both have it after they came in order."""
    for chosen in product((False, True), repeat=BATCHES):
        numbers = tuple(number for number, is_there in enumerate(chosen) if is_there)
        ends = EMPTY
        for number in numbers:
            ends = ends.insert(const(number))
        yield numbers, CertifiedBatches(tuple(map(truth, chosen))), ends


def seen(certified: Certificates) -> tuple[bool, ...]:
    """What is there, the largest, and whether there is a gap."""
    there = tuple(certified.contains(const(number)).value for number in range(-1, BATCHES + 1))
    return (*there, certified.largest.value, certified.has_gap.value)


def has_gap(numbers: tuple[int, ...]) -> bool:
    return bool(numbers) and len(numbers) <= numbers[-1] - numbers[0]


def test_they_agree_on_every_set() -> None:
    """Inside a gap the ends say that a batch is there; what there is from end to end, both say alike."""
    for numbers, exact, ends in sets():
        assert seen(exact)[-2:] == seen(ends)[-2:]
        assert has_gap(numbers) == exact.has_gap.value
        if not has_gap(numbers):
            assert seen(exact) == seen(ends)


@pytest.mark.parametrize("number", range(BATCHES))
def test_they_agree_on_one_more(number: int) -> None:
    """In any order; a gap that is filled later is not forgotten by the ends."""
    for numbers, exact, ends in sets():
        more, after = sorted({*numbers, number}), exact.insert(const(number))
        assert after.largest.value == ends.insert(const(number)).largest.value == more[-1]
        assert ends.insert(const(number)).smallest.value == more[0]
        is_new_gap = has_gap(tuple(more)) and not has_gap(numbers)
        assert ends.insert(const(number)).has_gap.value == (has_gap(numbers) or is_new_gap)


def gapless() -> Iterator[tuple[tuple[int, ...], CertifiedBatches, CertifiedRange]]:
    return ((numbers, exact, ends) for numbers, exact, ends in sets() if not has_gap(numbers))


@pytest.mark.parametrize("number", range(BATCHES + 1))
def test_they_agree_on_an_older_copy(number: int) -> None:
    check_all(lambda certified, _: certified.below(number))


def test_they_agree_after_the_smallest_was_pruned() -> None:
    check_all(lambda certified, numbers: certified.without(const(numbers[0] if numbers else 0)))


def test_they_agree_on_a_new_fork() -> None:
    check_all(lambda certified, _: certified.emptied())


def check_all(change: Callable[[Certificates, tuple[int, ...]], Certificates]) -> None:
    """Both say the same after the change, and after certificates that come later."""
    for numbers, exact, ends in gapless():
        one, other = change(exact, numbers), change(ends, numbers)
        assert seen(one) == seen(other)
        later = const(max(one.largest.value, 0))
        assert seen(one.insert(later)) == seen(other.insert(later))
