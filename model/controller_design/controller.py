"""The attestation controller in full fidelity: the one batch that a node attests, and the votes that it has on it.

Theory of operation. A controller has no state until it is told for the first time what to attest: a batch, and the
committee for it. From then on it holds votes on exactly that batch, by members, verified, and their weight; as soon as
this is a quorum there is a certificate. Each start replaces the state, so old votes vanish; the number only rises. Who
subscribes gets what is new since it last looked: all of it after a start, else the votes that it has not seen.

Everything is an immutable value: an operation returns the controller afterwards, and one that publishes nothing returns
the controller itself. The decisions, and their order, are those of `rules`, which the guarded commands share.
Cryptography is left out: a signature is the exact message that it is over, and whether it is valid.

Keys, hashes and genesis hashes are text. Batch numbers and weights are integers from 0 to 2^64 - 1.

Source: era-consensus at `b9c5fa7b`, `node/actors/network/src/gossip/attestation/mod.rs`;
`node/actors/network/src/watch.rs`.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TypeVar

from model.committee import Committee
from model.controller_design.rules import (
    START_CHECKS,
    VOTE_CHECKS,
    Arrival,
    Check,
    Start,
    is_news,
    is_other_number,
    is_same_batch,
    is_skipped,
    is_waited_for,
)
from model.messages import Batch, BatchQC, SignedBatch
from model.rules import reaches

F = TypeVar("F")


class StartRefused(ValueError):
    """The controller attests something that this start may not replace; `reason` is `genesis` or `number`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class InvalidVote(ValueError):
    """A vote that ends the list it came in: `vote` is the culprit, `reason` is `duplicate`, `genesis`, `hash`,
    `non-member` or `signature`."""

    def __init__(self, reason: str, vote: SignedBatch) -> None:
        super().__init__(reason)
        self.reason = reason
        self.vote = vote


@dataclass(frozen=True)
class Info:
    """What is attested, and by whom. Source: `Info`."""

    batch_to_attest: Batch
    committee: Committee


@dataclass(frozen=True)
class State:
    """What a controller attests, the votes on it by key of the attester, and their weight. Source: `State`."""

    info: Info
    votes: Mapping[str, SignedBatch] = field(default_factory=dict)
    total_weight: int = 0

    def insert_vote(self, vote: SignedBatch, *, is_repeated: bool = False) -> State:
        """With the vote, or this state itself if there is nothing to do.

        `is_repeated`: its key came earlier in the same list. Raises `InvalidVote`. Source: `State::insert_vote`.
        """
        weight = self.info.committee.weight(vote.key)
        arrival = Arrival(
            vote.batch,
            self.info.batch_to_attest,
            is_repeated=is_repeated,
            is_foreign=weight is None,
            is_known=vote.key in self.votes,
            is_badly_signed=not vote.valid,
        )
        decisive = _decisive(VOTE_CHECKS, arrival)
        if decisive is None:
            return replace(self, votes={**self.votes, vote.key: vote}, total_weight=self.total_weight + (weight or 0))
        if decisive.is_error:
            raise InvalidVote(decisive.reason, vote)
        return self

    def cert(self) -> BatchQC | None:
        """The certificate, of all votes; none below a quorum. Source: `State::cert`."""
        if not reaches(self.total_weight, self.info.committee.threshold):
            return None
        return BatchQC(self.info.batch_to_attest, {key: vote.batch for key, vote in sorted(self.votes.items())})

    def diff(self, previous: State | None) -> Diff:
        """What is here and was not in `previous`, by the order of the keys. Source: `State::diff`."""
        held = previous.votes if previous else {}
        starts_anew = previous is None or is_other_number(self.info.batch_to_attest, previous.info.batch_to_attest)
        news = (vote for key, vote in sorted(self.votes.items()) if is_news(starts_anew, key not in held))
        return Diff(self.info if starts_anew else None, tuple(news))


def _decisive(checks: tuple[Check[F], ...], facts: F) -> Check[F] | None:
    """The first check that holds."""
    return next((check for check in checks if check.holds(facts)), None)


@dataclass(frozen=True)
class Diff:
    """What is new to a subscriber: `info` if the number is, and votes. Source: `Diff`."""

    info: Info | None
    votes: tuple[SignedBatch, ...]

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing new."""
        return self.info is None and not self.votes


@dataclass(frozen=True)
class DiffReceiver:
    """A subscriber: the state that it saw last, and whether there is one that it has not looked at.

    A new one has something to look at, be it that there is no state yet. Source: `DiffReceiver`.
    """

    previous: State | None = None
    unseen: bool = True


class Wait(Enum):
    """What a call of `wait_for_cert` came to that has no certificate."""

    PENDING = "pending"
    """It goes on waiting."""
    SKIPPED = "skipped"
    """It returns nothing, for a later batch is attested."""


@dataclass(frozen=True)
class Inserted:
    """What `insert_votes` came to: the controller afterwards, and the error that ended the list, if any."""

    controller: Controller
    error: InvalidVote | None = None


@dataclass(frozen=True)
class Controller:
    """The attestation controller of a node.

    `key` is the node's own attester key, none if it has none; `state` what it attests, none before the first start;
    `receivers` are the subscribers by name. Changes conflate: who looks sees the state as it is now. Each operation is
    atomic, as the source does it under a mutex. Source: `Controller`; `watch.rs`, `Watch`.
    """

    key: str | None = None
    state: State | None = None
    receivers: Mapping[Hashable, DiffReceiver] = field(default_factory=dict)

    def start_attestation(self, info: Info) -> Controller:
        """Attest this from now on, with no votes but the own one, if the own key is a member's.

        The controller itself if it does so already. Raises `StartRefused`. Source: `Controller::start_attestation`.
        """
        if self.state is not None:
            current = self.state.info
            same_committee = info.committee == current.committee
            decisive = _decisive(START_CHECKS, Start(info.batch_to_attest, current.batch_to_attest, same_committee))
            if decisive is not None and decisive.is_error:
                raise StartRefused(decisive.reason)
            if decisive is not None:
                return self
        state = State(info)
        if self.key is not None and self.key in info.committee:
            state = state.insert_vote(SignedBatch(self.key, info.batch_to_attest))
        return self._publish(state)

    def insert_votes(self, votes: Iterable[SignedBatch]) -> Inserted:
        """Add the votes of a list, up to the first that is an error; what came before it stays.

        Without a state all are dropped. Subscribers are notified if a vote was added, error or not. Source:
        `Controller::insert_votes`, `State::insert_votes`.
        """
        if self.state is None:
            return Inserted(self)
        state, seen, error = self.state, set[str](), None
        for vote in votes:
            try:
                state = state.insert_vote(vote, is_repeated=vote.key in seen)
            except InvalidVote as invalid:
                error = invalid
                break
            seen.add(vote.key)
        has_grown = state.total_weight > self.state.total_weight
        return Inserted(self._publish(state) if has_grown else self, error)

    def votes(self, want: Batch) -> tuple[SignedBatch, ...]:
        """All votes, by the order of their keys, if exactly this batch is attested; the committee is not compared.

        The source gives them in no particular order. Source: `Controller::votes`.
        """
        if self.state is None or not is_same_batch(self.state.info.batch_to_attest, want):
            return ()
        return tuple(vote for _, vote in sorted(self.state.votes.items()))

    def cert(self) -> BatchQC | None:
        """The certificate on what is attested; none without one. Source: `State::cert`."""
        return None if self.state is None else self.state.cert()

    def wait_for_cert(self, number: int) -> BatchQC | Wait:
        """What a call that waits for the certificate of this batch returns now. Source: `Controller::wait_for_cert`."""
        if self.state is None or is_waited_for(self.state.info.batch_to_attest, number):
            return Wait.PENDING
        if is_skipped(self.state.info.batch_to_attest, number):
            return Wait.SKIPPED
        return self.state.cert() or Wait.PENDING

    def subscribe(self, subscriber: Hashable) -> Controller:
        """With one subscriber more, or one that starts again. Source: `Controller::subscribe`."""
        return self._with_receiver(subscriber, DiffReceiver())

    def wait_for_diff(self, subscriber: Hashable) -> tuple[Controller, Diff | None]:
        """The controller after this subscriber has looked, and what is new to it; none if it goes on waiting.

        Raises `KeyError` for a stranger. Source: `DiffReceiver::wait_for_diff`.
        """
        if subscriber not in self.receivers:
            raise KeyError(f"{subscriber!r} has not subscribed")
        receiver = self.receivers[subscriber]
        if not receiver.unseen:
            return self, None
        looked = self._with_receiver(subscriber, DiffReceiver(self.state, unseen=False))
        diff = None if self.state is None else self.state.diff(receiver.previous)
        return looked, None if diff is None or diff.is_empty else diff

    def _publish(self, state: State) -> Controller:
        notified = {name: replace(receiver, unseen=True) for name, receiver in self.receivers.items()}
        return replace(self, state=state, receivers=notified)

    def _with_receiver(self, subscriber: Hashable, receiver: DiffReceiver) -> Controller:
        return replace(self, receivers={**self.receivers, subscriber: receiver})
