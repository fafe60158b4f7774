"""The committee: membership, weights, threshold, and what is refused."""

import random
from dataclasses import FrozenInstanceError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.committee import U64_MAX, Committee, CommitteeError

MEMBERS = st.dictionaries(st.text("abc", max_size=3), st.integers(1, 2**32), min_size=1, max_size=8)


def test_six_equal_attesters_tolerate_one_and_need_five() -> None:
    committee = Committee((f"a{i}", 1) for i in range(6))
    assert (committee.total_weight, committee.max_faulty_weight, committee.threshold) == (6, 1, 5)


@pytest.mark.parametrize(
    ("total", "threshold"),
    [(1, 1), (2, 2), (5, 5), (6, 5), (10, 9), (11, 9), (16, 13), (U64_MAX, U64_MAX - (U64_MAX - 1) // 5)],
)
def test_threshold(total: int, threshold: int) -> None:
    assert Committee([("a", total)]).threshold == threshold


@given(MEMBERS)
def test_the_faulty_weight_is_the_largest_f_with_five_f_plus_one_in_the_total(members: dict[str, int]) -> None:
    committee = Committee(members.items())
    f = committee.max_faulty_weight
    assert 5 * f + 1 <= committee.total_weight < 5 * (f + 1) + 1
    assert committee.threshold + f == committee.total_weight == sum(members.values())


@given(MEMBERS, st.randoms(use_true_random=False))
def test_the_order_of_members_does_not_matter(members: dict[str, int], rng: random.Random) -> None:
    shuffled = list(members.items())
    rng.shuffle(shuffled)
    assert Committee(shuffled) == Committee(members.items())
    assert list(Committee(shuffled).weights) == sorted(members)


def test_members_and_strangers() -> None:
    committee = Committee([("b", 2), ("a", 3)])
    assert (committee.weight("a"), committee.weight("b"), committee.weight("c")) == (3, 2, None)
    assert "a" in committee
    assert "c" not in committee


def test_weight_of_keys_counts_repeated_keys_again_and_strangers_for_nothing() -> None:
    committee = Committee([("a", 3), ("b", 2)])
    assert committee.weight_of_keys([]) == 0
    assert committee.weight_of_keys(["a", "b", "stranger"]) == 5
    assert committee.weight_of_keys(["a", "a"]) == 6


def test_the_sum_may_be_the_largest_u64() -> None:
    assert Committee([("a", U64_MAX - 1), ("b", 1)]).total_weight == U64_MAX


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ([], "the committee is empty; it needs at least one attester"),
        ([("a", 1), ("b", 1), ("a", 2)], "attester 'a' is listed twice; list each key once, with its whole weight"),
        ([("a", 0)], "attester 'a' has weight 0; a weight is from 1 to 2^64 - 1"),
        ([("a", -1)], "attester 'a' has weight -1; a weight is from 1 to 2^64 - 1"),
        ([("a", 2**64)], f"attester 'a' has weight {2**64}; a weight is from 1 to 2^64 - 1"),
        (
            [("a", U64_MAX), ("b", 1), ("c", 1)],
            f"the weights up to attester 'b' sum to {2**64}; the sum must be at most 2^64 - 1",
        ),
        ([("a", 1), ("a", 0)], "attester 'a' is listed twice; list each key once, with its whole weight"),
    ],
    ids=["empty", "duplicate", "zero", "negative", "beyond u64", "overflow", "duplicate is told before weight"],
)
def test_refused(members: list[tuple[str, int]], message: str) -> None:
    with pytest.raises(CommitteeError) as refusal:
        Committee(members)
    assert str(refusal.value) == message


@pytest.mark.parametrize("field", ["weights", "total_weight"])
def test_frozen(field: str) -> None:
    with pytest.raises(FrozenInstanceError):
        setattr(Committee([("a", 1)]), field, 2)
