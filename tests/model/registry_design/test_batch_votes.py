"""The vote registry, its certificates and its watch: example by example, and against a naive oracle."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st

from model.committee import U64_MAX, Committee
from model.messages import Batch, BatchQC, ForeignSignatures, NotEnoughSigners, SignedBatch, UnknownSigners
from model.registry_design.batch_votes import (
    BadSignature,
    BatchVotes,
    BatchVotesWatch,
    DifferentGenesis,
    DuplicateEntry,
    VoteError,
)

GENESIS = "g0"
COMMITTEE = Committee([("a", 4), ("b", 3), ("c", 2), ("d", 2)])  # 11 in all, 9 are a quorum
EMPTY = BatchVotes()


def vote(key: str, number: int, hash: str = "h1", genesis: str = GENESIS, *, valid: bool = True) -> SignedBatch:
    return SignedBatch(key, Batch(number, hash, genesis), valid)


def registry_of(*votes: SignedBatch) -> BatchVotes:
    """A registry that took in the votes one by one."""
    registry = EMPTY
    for one in votes:
        outcome = registry.update(COMMITTEE, GENESIS, [one])
        assert outcome.num_added == 1
        registry = outcome.registry
    return registry


def recount(registry: BatchVotes, committee: Committee = COMMITTEE) -> dict[int, dict[str, int]]:
    """The support as the votes have it."""
    weights: Counter[tuple[int, str]] = Counter()
    for key, held in registry.votes.items():
        weights[held.batch.number, held.batch.hash] += committee.weights[key]
    support: dict[int, dict[str, int]] = {}
    for (number, hash), weight in weights.items():
        support.setdefault(number, {})[hash] = weight
    return support


# What an update does with each vote


def test_a_vote_is_held_and_supports_its_batch() -> None:
    outcome = EMPTY.update(COMMITTEE, GENESIS, [vote("a", 1), vote("b", 1), vote("c", 1, "h2")])
    assert outcome.registry.votes == {"a": vote("a", 1), "b": vote("b", 1), "c": vote("c", 1, "h2")}
    assert outcome.registry.support == {1: {"h1": 7, "h2": 2}}
    assert (outcome.num_added, outcome.weight_added, outcome.last_added, outcome.error) == (3, 9, 1, None)


def test_the_registry_before_is_left_as_it_was() -> None:
    before = registry_of(vote("a", 1))
    before.update(COMMITTEE, GENESIS, [vote("a", 2), vote("b", 1)])
    before.set_min_batch_number(5)
    assert before == registry_of(vote("a", 1))


def test_last_added_is_the_last_in_the_message_and_not_the_highest() -> None:
    assert EMPTY.update(COMMITTEE, GENESIS, [vote("a", 9), vote("b", 2), vote("x", 3)]).last_added == 2


def test_an_empty_message_changes_nothing() -> None:
    outcome = registry_of(vote("a", 1)).update(COMMITTEE, GENESIS, [])
    assert outcome.registry == registry_of(vote("a", 1))
    assert (outcome.num_added, outcome.weight_added, outcome.last_added, outcome.error) == (0, 0, None, None)


@pytest.mark.parametrize(
    "skipped",
    [vote("a", 3), vote("x", 5), vote("a", 4), vote("a", 5, "h1"), vote("a", 5, "h2")],
    ids=["below the minimum", "not a member", "older number", "same number, lesser hash", "the same vote"],
)
@pytest.mark.parametrize("valid", [True, False])
def test_skipped_without_looking_at_the_signature(skipped: SignedBatch, valid: bool) -> None:
    before = registry_of(vote("a", 5, "h2")).set_min_batch_number(4)
    outcome = before.update(COMMITTEE, GENESIS, [replace(skipped, valid=valid)])
    assert (outcome.registry, outcome.num_added, outcome.error) == (before, 0, None)


@pytest.mark.parametrize("newer", [vote("a", 5, "h1"), vote("a", 4, "h3"), vote("a", U64_MAX, "h0")])
def test_a_newer_vote_takes_its_weight_along(newer: SignedBatch) -> None:
    after = registry_of(vote("a", 4, "h2"), newer)
    assert after.votes == {"a": newer}
    assert after.support == {newer.batch.number: {newer.batch.hash: 4}}


def test_a_vote_at_the_minimum_is_wanted() -> None:
    assert EMPTY.set_min_batch_number(4).update(COMMITTEE, GENESIS, [vote("a", 4)]).num_added == 1


@pytest.mark.parametrize(
    ("culprit", "error", "text"),
    [
        (vote("a", 7), DuplicateEntry, "duplicate entry"),
        (vote("b", 1, genesis="g1"), DifferentGenesis, "different genesis"),
        (vote("b", 1, genesis="f9"), DifferentGenesis, "different genesis"),
        (vote("b", 1, valid=False), BadSignature, "bad signature"),
        (vote("a", 7, genesis="g1", valid=False), DuplicateEntry, "duplicate entry"),
        (vote("x", 0, genesis="g1", valid=False), DifferentGenesis, "different genesis"),
    ],
    ids=["duplicate", "genesis", "lesser genesis", "signature", "duplicate first", "genesis before any skipping"],
)
def test_an_error_keeps_what_was_added_before_it(culprit: SignedBatch, error: type[VoteError], text: str) -> None:
    outcome = EMPTY.update(COMMITTEE, GENESIS, [vote("a", 1), culprit, vote("c", 1)])
    assert type(outcome.error) is error
    assert str(outcome.error) == text
    assert outcome.error.vote == culprit
    assert outcome.registry == registry_of(vote("a", 1))
    assert (outcome.num_added, outcome.weight_added, outcome.last_added) == (1, 4, 1)


@pytest.mark.parametrize("first", [vote("x", 1), vote("a", 0), vote("b", 1)], ids=["stranger", "too low", "not newer"])
def test_a_key_counts_as_seen_even_if_its_vote_was_skipped(first: SignedBatch) -> None:
    before = registry_of(vote("b", 1)).set_min_batch_number(1)
    outcome = before.update(COMMITTEE, GENESIS, [first, replace(first, batch=Batch(9, "h1", GENESIS))])
    assert isinstance(outcome.error, DuplicateEntry)


def test_bad_signatures_can_be_skipped_and_still_count_as_seen() -> None:
    votes = [vote("a", 1, valid=False), vote("b", 1), vote("a", 1)]
    skipping = EMPTY.update(COMMITTEE, GENESIS, votes[:2], skip_bad_signatures=True)
    assert (skipping.registry, skipping.num_added, skipping.error) == (registry_of(vote("b", 1)), 1, None)
    repeated = EMPTY.update(COMMITTEE, GENESIS, votes, skip_bad_signatures=True)
    assert isinstance(repeated.error, DuplicateEntry)


# The minimum


def test_the_minimum_drops_what_is_below_it() -> None:
    after = registry_of(vote("a", 1), vote("b", 2), vote("c", 3)).set_min_batch_number(2)
    assert after == BatchVotes({"b": vote("b", 2), "c": vote("c", 3)}, {2: {"h1": 3}, 3: {"h1": 2}}, 2)


def test_the_minimum_goes_down_too_without_bringing_anything_back() -> None:
    after = registry_of(vote("a", 1)).set_min_batch_number(2).set_min_batch_number(0)
    assert after == EMPTY
    assert after.update(COMMITTEE, GENESIS, [vote("a", 0)]).num_added == 1


def test_the_largest_batch_number() -> None:
    registry = registry_of(vote("a", U64_MAX)).set_min_batch_number(U64_MAX)
    assert registry.support == {U64_MAX: {"h1": 4}}
    assert registry.update(COMMITTEE, GENESIS, [vote("b", U64_MAX - 1)]).num_added == 0


# Weights under a committee that is not the one that the votes were added with


def test_support_stops_at_the_largest_u64() -> None:
    first, second = Committee([("a", U64_MAX)]), Committee([("b", U64_MAX)])
    registry = EMPTY.update(first, GENESIS, [vote("a", 1)]).registry
    assert registry.update(second, GENESIS, [vote("b", 1)]).registry.support == {1: {"h1": U64_MAX}}


def test_support_stops_at_zero_and_leaves_no_entry() -> None:
    registry = registry_of(vote("c", 1), vote("d", 1), vote("a", 1, "h2"))
    heavier = Committee([("c", 5)])
    after = registry.update(heavier, GENESIS, [vote("c", 2)]).registry
    assert after.support == {1: {"h2": 4}, 2: {"h1": 5}}
    assert set(after.votes) == {"a", "c", "d"}


def test_of_two_quorums_the_lesser_number_and_then_the_lesser_hash_is_found() -> None:
    registry = registry_of(vote("a", 7), vote("b", 3, "h2"), vote("c", 3, "h1"), vote("d", 10))
    small = Committee([("a", 2)])
    found = registry.find_quorum(small, GENESIS)
    assert found is not None
    assert found.message == Batch(3, "h1", GENESIS)


# Quorums and certificates

MESSAGE = Batch(1, "h1", GENESIS)


def test_a_quorum_is_found_at_the_threshold_and_not_below() -> None:
    eight = registry_of(vote("b", 1), vote("c", 1), vote("d", 1))
    assert eight.find_quorum(COMMITTEE, GENESIS) is None
    nine = registry_of(vote("a", 1), vote("b", 1), vote("c", 1))
    assert nine.find_quorum(COMMITTEE, GENESIS) == BatchQC(MESSAGE, dict.fromkeys("abc", MESSAGE))


def test_the_signatures_of_a_certificate_are_in_the_order_of_the_keys() -> None:
    found = registry_of(vote("c", 1), vote("a", 1), vote("b", 1)).find_quorum(COMMITTEE, GENESIS)
    assert found is not None
    assert list(found.signatures) == ["a", "b", "c"]


def test_a_vote_for_the_same_hash_at_another_number_spoils_the_certificate() -> None:
    votes = [vote("a", 1), vote("b", 1), vote("c", 1), vote("d", 2)]
    found = registry_of(*votes).find_quorum(COMMITTEE, GENESIS)
    assert found is not None
    assert found.signatures == {one.key: one.batch for one in votes}
    with pytest.raises(ForeignSignatures, match=r"^signatures over another message: d$"):
        found.verify(COMMITTEE)


@pytest.mark.parametrize("signers", ["abc", "abcd", "abd"])
def test_certificates_that_verify(signers: str) -> None:
    certificate = BatchQC(MESSAGE, dict.fromkeys(signers, MESSAGE))
    certificate.verify(COMMITTEE)
    assert certificate.verifies(COMMITTEE)


@pytest.mark.parametrize(
    ("signatures", "error", "message"),
    [
        (
            dict.fromkeys("xyabc", MESSAGE),
            UnknownSigners,
            "signers outside the committee: x, y",
        ),
        ({"x": Batch(2, "h1", GENESIS)}, UnknownSigners, "signers outside the committee: x"),
        (dict.fromkeys("bcd", MESSAGE), NotEnoughSigners, "not enough signers: their weight is 7, a quorum is 9"),
        ({}, NotEnoughSigners, "not enough signers: their weight is 0, a quorum is 9"),
        (
            {"a": Batch(2, "h1", GENESIS)},
            NotEnoughSigners,
            "not enough signers: their weight is 4, a quorum is 9",
        ),
        (
            {**dict.fromkeys("bcd", MESSAGE), "a": Batch(1, "h1", "g1")},
            ForeignSignatures,
            "signatures over another message: a",
        ),
    ],
    ids=["strangers", "strangers first", "too light", "nobody", "weight before signatures", "another genesis"],
)
def test_certificates_that_do_not_verify(signatures: dict[str, Batch], error: type[ValueError], message: str) -> None:
    certificate = BatchQC(MESSAGE, signatures)
    with pytest.raises(error) as refusal:
        certificate.verify(COMMITTEE)
    assert str(refusal.value) == message
    assert not certificate.verifies(COMMITTEE)


# What another registry does not have yet


def test_get_newer() -> None:
    mine = registry_of(vote("d", 5, "h2"), vote("c", 5), vote("b", 2), vote("a", 1))
    theirs = registry_of(vote("d", 5, "h1"), vote("c", 5), vote("b", 3))
    assert mine.get_newer(theirs) == (vote("a", 1), vote("d", 5, "h2"))
    assert mine.get_newer(EMPTY) == tuple(mine.votes[key] for key in "abcd")


def test_of_equal_number_and_hash_the_greater_genesis_is_newer() -> None:
    mine = EMPTY.update(COMMITTEE, "g1", [vote("a", 1, genesis="g1"), vote("b", 1, "h0", "g1")]).registry
    assert mine.get_newer(registry_of(vote("a", 1), vote("b", 1))) == (vote("a", 1, genesis="g1"),)


# Against an oracle


@dataclass(frozen=True)
class Minimum:
    number: int


Message = tuple[SignedBatch, ...]


@dataclass
class Oracle:
    """A registry that remembers everything and recomputes whatever it is asked for."""

    history: list[SignedBatch | Minimum] = field(default_factory=list)

    @property
    def minimum(self) -> int:
        return next((event.number for event in reversed(self.history) if isinstance(event, Minimum)), 0)

    @property
    def votes(self) -> dict[str, SignedBatch]:
        return {
            event.key: event
            for position, event in enumerate(self.history)
            if isinstance(event, SignedBatch) and self._survived(position, event.batch.number)
        }

    def _survived(self, position: int, number: int) -> bool:
        return all(number >= event.number for event in self.history[position:] if isinstance(event, Minimum))

    def update(self, message: Message) -> tuple[str | None, list[SignedBatch]]:
        added: list[SignedBatch] = []
        for position, one in enumerate(message):
            if any(earlier.key == one.key for earlier in message[:position]):
                return "duplicate entry", added
            if one.batch.genesis != GENESIS:
                return "different genesis", added
            if self._is_news(one):
                if not one.valid:
                    return "bad signature", added
                self.history.append(one)
                added.append(one)
        return None, added

    def _is_news(self, one: SignedBatch) -> bool:
        held = [mine for mine in self.votes.values() if mine.key == one.key]
        ranks = [(mine.batch.number, mine.batch.hash) for mine in held]
        return (
            one.key in COMMITTEE.weights
            and one.batch.number >= self.minimum
            and all((one.batch.number, one.batch.hash) > rank for rank in ranks)
        )


# Domains are small, so that votes agree, repeat and overtake each other; weights of a choice are by repetition.
NUMBERS = st.sampled_from([0, 1, 1, 2, 2, 3, U64_MAX - 1, U64_MAX])
MINIMA = st.builds(Minimum, st.sampled_from([0, 1, 1, 2, U64_MAX]))
HASHES = st.sampled_from(["h1", "h2", "h10"])
BATCHES = st.builds(Batch, NUMBERS, HASHES, st.sampled_from([GENESIS] * 9 + ["g1"]))
VOTES = st.builds(SignedBatch, st.sampled_from("abcdx"), BATCHES, st.sampled_from([True] * 7 + [False]))
DISTINCT_KEYS = st.lists(VOTES, max_size=4, unique_by=lambda one: one.key).map(tuple)
AGREEING = st.builds(
    lambda keys, number, hash: tuple(vote(key, number, hash) for key in keys),
    st.permutations("abcd").map(lambda keys: keys[:3]),
    NUMBERS,
    HASHES,
)
MESSAGES = DISTINCT_KEYS | AGREEING | st.lists(VOTES, max_size=4).map(tuple)
OPERATIONS = st.lists(MESSAGES | MESSAGES | MINIMA, max_size=8)


def apply(operation: Message | Minimum, registry: BatchVotes) -> BatchVotes:
    if isinstance(operation, Minimum):
        return registry.set_min_batch_number(operation.number)
    return registry.update(COMMITTEE, GENESIS, operation).registry


def reached(operations: Iterable[Message | Minimum]) -> BatchVotes:
    registry = EMPTY
    for operation in operations:
        registry = apply(operation, registry)
    return registry


REGISTRIES = OPERATIONS.map(reached)


def has_quorum(registry: BatchVotes) -> bool:
    return registry.find_quorum(COMMITTEE, GENESIS) is not None


def is_full_and_split(registry: BatchVotes) -> bool:
    return len(registry.votes) == len(COMMITTEE.weights) and len(registry.support) > 1


GENERATE_ONLY = settings(max_examples=500, database=None, phases=[Phase.generate])


@pytest.mark.parametrize("interesting", [has_quorum, is_full_and_split])
def test_the_generated_registries_are_interesting_at_times(interesting: Callable[[BatchVotes], bool]) -> None:
    assert interesting(find(REGISTRIES, interesting, settings=GENERATE_ONLY))


@given(OPERATIONS)
def test_registry_equals_the_oracle_after_every_operation(operations: list[Message | Minimum]) -> None:
    registry, oracle = EMPTY, Oracle()
    for operation in operations:
        if isinstance(operation, Minimum):
            oracle.history.append(operation)
        else:
            outcome = registry.update(COMMITTEE, GENESIS, operation)
            error, added = oracle.update(operation)
            assert (str(outcome.error) if outcome.error else None) == error
            assert outcome.num_added == len(added)
            assert outcome.weight_added == COMMITTEE.weight_of_keys(one.key for one in added)
            assert outcome.last_added == (added[-1].batch.number if added else None)
        registry = apply(operation, registry)
        assert registry.votes == oracle.votes
        assert registry.min_batch_number == oracle.minimum
        assert registry.support == recount(registry)


@given(REGISTRIES)
def test_at_most_one_quorum(registry: BatchVotes) -> None:
    heavy = [
        Batch(number, hash, GENESIS)
        for number, candidates in recount(registry).items()
        for hash, weight in candidates.items()
        if weight >= COMMITTEE.threshold
    ]
    found = registry.find_quorum(COMMITTEE, GENESIS)
    assert heavy == ([] if found is None else [found.message])


@given(st.sampled_from(["h1", "h2"]), st.dictionaries(st.sampled_from("abcd"), BATCHES, min_size=3))
def test_a_certificate_verifies_unless_a_vote_for_its_hash_has_another_number(
    hash: str, batches: dict[str, Batch]
) -> None:
    votes = [SignedBatch(key, Batch(batch.number % 2, hash, GENESIS)) for key, batch in batches.items()]
    found = registry_of(*votes).find_quorum(COMMITTEE, GENESIS)
    numbers = {one.batch.number for one in votes}
    assert found is None or found.verifies(COMMITTEE) == (len(numbers) == 1)


@given(REGISTRIES, REGISTRIES)
def test_what_get_newer_gives_brings_the_other_up_to_date(mine: BatchVotes, theirs: BatchVotes) -> None:
    wanting_all = replace(theirs, min_batch_number=0)
    outcome = wanting_all.update(COMMITTEE, GENESIS, mine.get_newer(theirs))
    assert outcome.num_added == len(mine.get_newer(theirs))
    assert mine.get_newer(outcome.registry) == ()


@given(REGISTRIES, DISTINCT_KEYS)
def test_skipping_bad_signatures_is_as_if_those_votes_were_of_strangers(registry: BatchVotes, message: Message) -> None:
    valid = [one if one.valid else replace(one, key=f"stranger {one.key}", valid=True) for one in message]
    skipping = registry.update(COMMITTEE, GENESIS, message, skip_bad_signatures=True)
    expected = registry.update(COMMITTEE, GENESIS, valid)
    assert replace(skipping, error=None) == replace(expected, error=None)
    assert type(skipping.error) is type(expected.error)


# The watch


def watch_of(votes: BatchVotes, *subscribers: str) -> BatchVotesWatch:
    """A watch whose subscribers have seen everything."""
    return BatchVotesWatch(votes, dict.fromkeys(subscribers, False))


def test_an_update_notifies_every_subscriber() -> None:
    watch = watch_of(EMPTY, "finder", "pusher").update(COMMITTEE, GENESIS, [vote("a", 1)])
    assert watch.votes == registry_of(vote("a", 1))
    assert watch.unseen == {"finder": True, "pusher": True}


def test_an_update_that_adds_nothing_notifies_nobody() -> None:
    watch = watch_of(registry_of(vote("a", 1)), "finder")
    assert watch.update(COMMITTEE, GENESIS, [vote("a", 1), vote("x", 1)]) == watch


@given(REGISTRIES, MESSAGES)
def test_an_update_is_all_or_nothing(registry: BatchVotes, message: Message) -> None:
    watch, outcome = watch_of(registry, "finder"), registry.update(COMMITTEE, GENESIS, message)
    if outcome.error is None:
        after = watch.update(COMMITTEE, GENESIS, message)
        assert (after.votes, after.unseen["finder"]) == (outcome.registry, outcome.num_added > 0)
    else:
        with pytest.raises(type(outcome.error)):
            watch.update(COMMITTEE, GENESIS, message)
        assert watch == watch_of(registry, "finder")


def test_an_error_after_an_addition_keeps_and_tells_nothing() -> None:
    watch = watch_of(EMPTY, "finder")
    with pytest.raises(BadSignature):
        watch.update(COMMITTEE, GENESIS, [vote("a", 1), vote("b", 1, valid=False)])
    assert watch == watch_of(EMPTY, "finder")
    skipping = watch.update(COMMITTEE, GENESIS, [vote("a", 1), vote("b", 1, valid=False)], skip_bad_signatures=True)
    assert skipping.votes == registry_of(vote("a", 1))


def test_setting_the_minimum_always_notifies() -> None:
    watch = watch_of(EMPTY, "finder").set_min_batch_number(0)
    assert (watch.votes, watch.unseen) == (EMPTY, {"finder": True})


def test_changes_conflate_and_each_subscriber_looks_for_itself() -> None:
    watch = watch_of(EMPTY, "finder", "pusher").set_min_batch_number(1).set_min_batch_number(2).look("finder")
    assert watch.unseen == {"finder": False, "pusher": True}
    assert watch.votes.min_batch_number == 2


def test_a_subscriber_starts_seen_on_a_fresh_watch_and_unseen_on_one_that_ever_changed() -> None:
    fresh = BatchVotesWatch().subscribe("early")
    assert fresh.unseen == {"early": False}
    late = fresh.set_min_batch_number(1).look("early").subscribe("late")
    assert late.unseen == {"early": False, "late": True}


def test_a_subscriber_can_mark_itself_unseen() -> None:
    assert watch_of(EMPTY, "finder", "pusher").mark_unseen("pusher").unseen == {"finder": False, "pusher": True}


def test_a_stranger_can_neither_look_nor_mark() -> None:
    with pytest.raises(KeyError, match="'x' has not subscribed"):
        BatchVotesWatch().look("x")
    with pytest.raises(KeyError, match="'x' has not subscribed"):
        BatchVotesWatch().mark_unseen("x")
