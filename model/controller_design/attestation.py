"""The attestation controller as a part of the system: what it attests, and one flag for each attester's vote.

Every vote that a controller holds is over exactly the batch that it has started, by a member of that batch's committee;
so a flag says all. `controller` is the same machine in full fidelity (lists of votes, errors, signatures, strangers,
subscribers, u64 weights). Both decide by the rules of this design, and tests tie them together.

Source: era-consensus at `b9c5fa7b`, `node/actors/network/src/gossip/attestation/mod.rs`, `Controller` and `State`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from model.algebra import FALSE, TRUE, Bool, Int, all_of, any_of, const, total, truth, where
from model.committees import GENESIS_COMMITTEE, Committees
from model.controller_design.rules import (
    START_CHECKS,
    VOTE_CHECKS,
    Arrival,
    Start,
    is_error,
    is_same_batch,
    is_skipped,
    is_waited_for,
    passes,
)
from model.votes import NO_VOTE, NONE, Vote


@dataclass(frozen=True)
class Attestation:
    """The batch that is attested (`NO_VOTE` before the first start), the place of its committee, and whose votes on it
    are here. Lost when the process restarts."""

    batch: Vote
    committee: Int
    votes: tuple[Bool, ...]
    committees: Committees

    @staticmethod
    def none(attesters: int, committees: Committees) -> Attestation:
        """The controller of a process that has just started."""
        return Attestation(NO_VOTE, GENESIS_COMMITTEE.place, (FALSE,) * attesters, committees)

    @property
    def is_on(self) -> Bool:
        """Whether anything has been started."""
        return self.batch.number != NONE

    def _start(self, batch: Vote, committee: Int) -> Start:
        return Start(batch, self.batch, committee == self.committee)

    def begins(self, batch: Vote, committee: Int) -> Bool:
        """Whether `start_attestation` with these begins afresh."""
        return ~self.is_on | passes(START_CHECKS, self._start(batch, committee))

    def refuses(self, batch: Vote, committee: Int) -> Bool:
        """Whether `start_attestation` with these is an error."""
        return self.is_on & is_error(START_CHECKS, self._start(batch, committee))

    def started(self, batch: Vote, committee: Int, own_key: int | None) -> Attestation:
        """A new state, with the own vote in it and no other."""
        own = (key == own_key for key in range(len(self.votes)))
        votes = (self.committees.has_member(committee, key) if mine else FALSE for key, mine in enumerate(own))
        return replace(self, batch=batch, committee=committee, votes=tuple(votes))

    def _arrival(self, key: int, batch: Vote) -> Arrival:
        is_foreign = ~self.committees.has_member(self.committee, key)
        return Arrival(batch, self.batch, FALSE, is_foreign, self.votes[key], FALSE)

    def takes(self, key: int, batch: Vote) -> Bool:
        """Whether an attester's vote on this batch would be added."""
        return self.is_on & passes(VOTE_CHECKS, self._arrival(key, batch))

    def ends_list(self, key: int, batch: Vote) -> Bool:
        """Whether an attester's vote on this batch is an error: what follows it in its list is not looked at."""
        return self.is_on & is_error(VOTE_CHECKS, self._arrival(key, batch))

    def inserted(self, batch: Vote, votes: Sequence[Bool]) -> Attestation:
        """With those votes of a list on this batch that are taken."""
        pairs = zip(self.votes, votes, strict=True)
        held = (here | (vote & self.takes(key, batch)) for key, (here, vote) in enumerate(pairs))
        return replace(self, votes=tuple(held))

    def has_error(self, batch: Vote, votes: Sequence[Bool]) -> Bool:
        """Whether a list of votes on this batch has one that is an error."""
        return any_of(vote & self.ends_list(key, batch) for key, vote in enumerate(votes))

    def answer(self, wanted: Vote, has_query: Bool = TRUE) -> tuple[Bool, ...]:
        """The votes for what a peer wants: all, if this is what is attested here; the committee is not compared."""
        is_wanted = has_query & self.is_on & is_same_batch(self.batch, wanted)
        return tuple(vote & is_wanted for vote in self.votes)

    @property
    def count(self) -> Int:
        """How many votes are here."""
        return total(where(vote, const(1), const(0)) for vote in self.votes)

    @property
    def has_quorum(self) -> Bool:
        """Whether there is a certificate: of all votes that are here."""
        return self.is_on & self.committees.is_quorum(self.committee, self.votes)

    @property
    def certificate_verifies(self) -> Bool:
        """Whether the certificate of all votes that are here passes `BatchQC::verify`: every signer is a member, and
        their weight is that of a quorum. The signatures are over its message, as every vote is."""
        members = all_of(~vote | self.committees.has_member(self.committee, key) for key, vote in enumerate(self.votes))
        return members & self.has_quorum

    def waits_for(self, number: Int) -> Bool:
        """Whether `wait_for_cert` for this number goes on waiting."""
        is_early = ~self.is_on | truth(is_waited_for(self.batch, number))
        return is_early | ((self.batch.number == number) & ~self.has_quorum)

    def skips(self, number: Int) -> Bool:
        """Whether `wait_for_cert` for this number returns none: the controller has gone on to a later one."""
        return self.is_on & truth(is_skipped(self.batch, number))
