"""The attestation controller in full fidelity, example by example: what its recordings have no name for."""

import pytest

from model.algebra import FALSE, TRUE, const
from model.committee import U64_MAX, Committee
from model.controller_design.controller import Controller, Info, InvalidVote, StartRefused, Wait
from model.controller_design.rules import START_CHECKS, VOTE_CHECKS, Arrival, Start, is_error, passes
from model.messages import Batch, OtherGenesis, SignedBatch
from model.votes import Vote

COMMITTEE = Committee([("a", 3), ("b", 2), ("c", 1)])


def batch(number: int = 1, hash: str = "h1", genesis: str = "g0") -> Batch:
    return Batch(number, hash, genesis)


def vote(key: str, over: Batch | None = None, *, valid: bool = True) -> SignedBatch:
    return SignedBatch(key, over or batch(), valid)


def started(key: str | None = None, info: Info | None = None) -> Controller:
    return Controller(key).start_attestation(info or Info(batch(), COMMITTEE))


def keys(controller: Controller) -> set[str]:
    assert controller.state is not None
    return set(controller.state.votes)


def test_before_the_first_start_votes_are_dropped_whatever_is_wrong_with_them() -> None:
    inserted = Controller("a").insert_votes([vote("z"), vote("z", valid=False)])
    assert (inserted.controller, inserted.error) == (Controller("a"), None)


def test_the_own_vote_is_there_with_the_number_and_only_for_a_member() -> None:
    assert keys(started("a")) == {"a"}
    assert keys(started("z")) == set()
    assert keys(started("a").start_attestation(Info(batch(2), Committee([("b", 1)])))) == set()


def test_a_start_that_changes_nothing_publishes_nothing_however_the_committee_was_written() -> None:
    controller = started("a")
    same = Info(batch(), Committee([("c", 1), ("a", 3), ("b", 2)]))
    assert controller.start_attestation(same) is controller


@pytest.mark.parametrize(
    ("info", "reason"),
    [
        (Info(batch(0), COMMITTEE), "number"),
        (Info(batch(hash="other"), COMMITTEE), "number"),
        (Info(batch(), Committee([("a", 3)])), "number"),
        (Info(batch(2, genesis="g1"), COMMITTEE), "genesis"),
        (Info(batch(0, genesis="g1"), COMMITTEE), "genesis"),
    ],
)
def test_a_start_is_refused(info: Info, reason: str) -> None:
    with pytest.raises(StartRefused, match=reason):
        started().start_attestation(info)


def test_without_a_state_any_number_is_taken() -> None:
    assert started(info=Info(batch(U64_MAX), COMMITTEE)).wait_for_cert(U64_MAX) is Wait.PENDING


def test_what_came_before_an_error_stays_and_what_follows_is_lost() -> None:
    watched = started().subscribe("peer").wait_for_diff("peer")[0]
    inserted = watched.insert_votes([vote("a"), vote("b", valid=False), vote("c")])
    assert isinstance(inserted.error, InvalidVote)
    assert (inserted.error.reason, inserted.error.vote.key) == ("signature", "b")
    diff = inserted.controller.wait_for_diff("peer")[1]
    assert diff is not None
    assert [each.key for each in diff.votes] == ["a"]


def test_the_first_valid_vote_of_a_key_stays() -> None:
    first = started().insert_votes([vote("a")]).controller
    again = first.insert_votes([vote("a", valid=False)])
    assert (again.controller, again.error) == (first, None)
    assert first.insert_votes([vote("a"), vote("a")]).error is not None


@pytest.mark.parametrize(
    ("faulty", "reason"),
    [
        (SignedBatch("z", batch(7, "?", "g1"), valid=False), "genesis"),
        (SignedBatch("z", batch(1, "?"), valid=False), "hash"),
        (SignedBatch("z", batch(), valid=False), "non-member"),
        (SignedBatch("a", batch(), valid=False), "signature"),
        (SignedBatch("z", batch(7, "?"), valid=False), None),
    ],
)
def test_of_several_faults_the_first_in_the_order_of_the_source_decides(
    faulty: SignedBatch, reason: str | None
) -> None:
    error = started().insert_votes([faulty]).error
    assert (error and error.reason) == reason


def test_a_certificate_comes_at_the_threshold_and_takes_every_vote() -> None:
    assert COMMITTEE.threshold == 5
    below = started("a").insert_votes([vote("c")]).controller
    assert below.cert() is None
    full = below.insert_votes([vote("b")]).controller
    certificate = full.wait_for_cert(1)
    assert not isinstance(certificate, Wait)
    assert set(certificate.signatures) == {"a", "b", "c"}
    certificate.verify(COMMITTEE, "g0")
    with pytest.raises(OtherGenesis, match="not of g1"):
        certificate.verify(COMMITTEE, "g1")


def test_who_waits_for_a_number_that_was_skipped_gets_nothing() -> None:
    controller = started()
    assert [controller.wait_for_cert(number) for number in (0, 1, 2)] == [Wait.SKIPPED, Wait.PENDING, Wait.PENDING]


def test_votes_are_given_for_exactly_what_is_attested() -> None:
    controller = started("a")
    assert [each.key for each in controller.votes(batch())] == ["a"]
    for other in (batch(2), batch(hash="?"), batch(genesis="?")):
        assert controller.votes(other) == ()


def test_numbers_that_were_passed_are_never_told() -> None:
    watched = started("a").subscribe("peer").wait_for_diff("peer")[0]
    watched = watched.start_attestation(Info(batch(2), COMMITTEE)).start_attestation(Info(batch(3), COMMITTEE))
    controller, diff = watched.wait_for_diff("peer")
    assert diff is not None
    assert diff.info is not None
    assert (diff.info.batch_to_attest.number, [each.key for each in diff.votes]) == (3, ["a"])
    assert controller.wait_for_diff("peer") == (controller, None)


def test_a_stranger_is_told_nothing() -> None:
    with pytest.raises(KeyError, match="'peer' has not subscribed"):
        started().wait_for_diff("peer")


# The decisions as expressions


@pytest.mark.parametrize("place", range(len(VOTE_CHECKS)))
def test_as_expressions_the_first_check_that_holds_decides(place: int) -> None:
    """Each fault together with all faults that are looked for after it."""
    current = Vote(const(1), const(0), const(0))
    present = {check.reason for check in VOTE_CHECKS[place:]}
    arrival = Arrival(
        Vote(
            const(2 if "other number" in present else 1),
            const(5 if "hash" in present else 0),
            const(1 if "genesis" in present else 0),
        ),
        current,
        is_repeated=TRUE if "duplicate" in present else FALSE,
        is_foreign=TRUE if "non-member" in present else FALSE,
        is_known=TRUE if "known" in present else FALSE,
        is_badly_signed=TRUE if "signature" in present else FALSE,
    )
    assert passes(VOTE_CHECKS, arrival) is FALSE
    assert is_error(VOTE_CHECKS, arrival) is (TRUE if VOTE_CHECKS[place].is_error else FALSE)


def test_as_expressions_a_start_is_fresh_only_if_no_check_holds() -> None:
    current = Vote(const(1), const(0), const(0))
    fresh = Start(Vote(const(2), const(0), const(0)), current, FALSE)
    again = Start(current, current, TRUE)
    refused = Start(Vote(const(1), const(0), const(0)), current, FALSE)
    assert [passes(START_CHECKS, start) for start in (fresh, again, refused)] == [TRUE, FALSE, FALSE]
    assert [is_error(START_CHECKS, start) for start in (fresh, again, refused)] == [FALSE, FALSE, TRUE]
