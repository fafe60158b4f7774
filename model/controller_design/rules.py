"""The decisions of the attestation controller, each written once, and the order in which the source takes them.

The controller in full fidelity (`controller`) and the guarded commands of the system both decide by these tables and
functions. They are free of branches: batches are anything with a number, a hash and a genesis, be these Python values
or expressions of `model.algebra`, and every truth value is of a fault or a circumstance, never of its absence.

What both designs decide in the same way (a quorum, another genesis) is in `model.rules`.

Source: era-consensus at `b9c5fa7b`, `node/actors/network/src/gossip/attestation/mod.rs` and `gossip/runner.rs`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from model.algebra import FALSE, TRUE, Bool, truth
from model.rules import is_other_genesis

F = TypeVar("F")


class BatchToAttest(Protocol):
    """What is attested: `model.messages.Batch` and `model.votes.Vote` are of this kind."""

    @property
    def number(self) -> Any: ...

    @property
    def hash(self) -> Any: ...

    @property
    def genesis(self) -> Any: ...


def is_same_batch(batch: BatchToAttest, other: BatchToAttest) -> Any:
    """Whether both have the same number, hash and genesis. Source: `Controller::votes`, by `attester::Batch`'s `==`."""
    return (batch.number == other.number) & (batch.hash == other.hash) & (batch.genesis == other.genesis)


def is_other_number(batch: BatchToAttest, current: BatchToAttest) -> Any:
    """Whether the controller is at another number: a vote is skipped then, a diff has everything in it."""
    return batch.number != current.number


def is_other_hash(batch: BatchToAttest, current: BatchToAttest) -> Any:
    """Whether a vote is over another hash than that which the controller has started."""
    return batch.hash != current.hash


def is_not_greater(batch: BatchToAttest, current: BatchToAttest) -> Any:
    """Whether starting this batch would not be progress."""
    return batch.number <= current.number


@dataclass(frozen=True)
class Check(Generic[F]):
    """One of the source's checks: the first that `holds` of the facts decides. `is_error` says whether it ends the call
    with an error of this `reason`, or there is silently nothing to do."""

    reason: str
    is_error: bool
    holds: Callable[[F], Any]


@dataclass(frozen=True)
class Start:
    """`start_attestation` at a controller that has a state: what shall be attested, and what is."""

    batch: BatchToAttest
    current: BatchToAttest
    is_same_committee: Any


START_CHECKS: tuple[Check[Start], ...] = (
    Check("same info", False, lambda at: is_same_batch(at.batch, at.current) & at.is_same_committee),
    Check("genesis", True, lambda at: is_other_genesis(at.batch.genesis, at.current.genesis)),
    Check("number", True, lambda at: is_not_greater(at.batch, at.current)),
)
"""If none holds, attestation starts afresh. So the current number with another hash or committee is an error.

Source: `Controller::start_attestation`.
"""


@dataclass(frozen=True)
class Arrival:
    """A vote of a list that is inserted, at a controller that attests `current`.

    `is_repeated`: its key came earlier in this list; `is_foreign`: its key is not in the committee; `is_known`: the
    controller has a vote of its key; `is_badly_signed`: its signature is not valid.
    """

    batch: BatchToAttest
    current: BatchToAttest
    is_repeated: Any
    is_foreign: Any
    is_known: Any
    is_badly_signed: Any


VOTE_CHECKS: tuple[Check[Arrival], ...] = (
    Check("duplicate", True, lambda vote: vote.is_repeated),
    Check("genesis", True, lambda vote: is_other_genesis(vote.batch.genesis, vote.current.genesis)),
    Check("other number", False, lambda vote: is_other_number(vote.batch, vote.current)),
    Check("hash", True, lambda vote: is_other_hash(vote.batch, vote.current)),
    Check("non-member", True, lambda vote: vote.is_foreign),
    Check("known", False, lambda vote: vote.is_known),
    Check("signature", True, lambda vote: vote.is_badly_signed),
)
"""If none holds, the vote is added. An error ends the list: what came before it stays, the rest is not looked at.

Source: `State::insert_votes` and `State::insert_vote`.
"""


def passes(checks: tuple[Check[F], ...], facts: F) -> Bool:
    """Whether none of the checks holds, as an expression: attestation starts afresh, the vote is added."""
    passed = TRUE
    for check in checks:
        passed &= ~truth(check.holds(facts))
    return passed


def is_error(checks: tuple[Check[F], ...], facts: F) -> Bool:
    """Whether the first check that holds is an error, as an expression."""
    error = FALSE
    for check in reversed(checks):
        holds = truth(check.holds(facts))
        error = holds | error if check.is_error else ~holds & error
    return error


def is_waited_for(current: BatchToAttest, number: Any) -> Any:
    """Whether the controller has not come to this number yet. Source: `Controller::wait_for_cert`."""
    return current.number < number


def is_skipped(current: BatchToAttest, number: Any) -> Any:
    """Whether the controller has gone on without a certificate for this number. Source: `Controller::wait_for_cert`."""
    return current.number > number


def is_news(is_other_number: Any, was_lacking: Any) -> Any:
    """Whether a held vote is in the diff: every one is at another number, else those whose keys the subscriber's former
    state was lacking. Without a former state, every number is another. Source: `State::diff`."""
    return is_other_number | was_lacking


def is_unasked(has_votes: Any, asked_for_nothing: Any) -> Any:
    """Whether an answer is a breach of the protocol, upon which the caller closes the connection.

    Source: `gossip/runner.rs`, the task that calls `push_batch_votes`.
    """
    return has_votes & asked_for_nothing
