"""The committee of each batch: who may vote on it, and with how much weight.

From zksync-era PR 2684 on the committee of batch n is read from a contract, in the state at the end of batch n - 1.
Before, there is one for all batches.

Source: zksync-era, `core/node/consensus/src/registry/mod.rs`, `attester_committee_for`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from model.algebra import FALSE, TRUE, Bool, Int, const, total, truth, where
from model.committee import U64_MAX
from model.rules import reaches, threshold
from model.scope import NUMBER
from model.votes import Electorate

NONE_SCHEDULED = -1
ERROR_SCHEDULED = -2
"""What can stand in a schedule in place of a committee."""


@dataclass(frozen=True)
class CommitteeRead:
    """What a node reads of the committee for a batch: which it is, by its place; or that there is none, so no votes are
    required; or an error, as where there is no contract, nobody is left in it, or the state is not there."""

    place: Int
    is_required: Bool = TRUE
    is_error: Bool = FALSE

    @property
    def is_there(self) -> Bool:
        """Whether there is a committee."""
        return self.is_required & ~self.is_error


GENESIS_COMMITTEE = CommitteeRead(const(0))
"""The committee that the genesis names."""

NOT_REQUIRED = CommitteeRead(const(0), is_required=FALSE)
"""No committee: nobody is asked to vote on the batch."""

UNREADABLE = CommitteeRead(const(0), is_error=TRUE)
"""An error in place of a committee."""


class BadCommittees(ValueError):
    """A text that describes no committees; the message says what is wrong."""


@dataclass(frozen=True)
class Committees:
    """All committees of a scope, each over the same attesters (a weight of 0: not a member), and which of them is that
    of batch 0, 1 …; the last one of `schedule` is that of all later batches. The first is the one of the genesis.

    A committee is told by its place, so one that is the same again has the same place.
    """

    electorates: tuple[Electorate, ...]
    schedule: tuple[int, ...] = (0,)

    @staticmethod
    def of(genesis: Electorate, text: str) -> Committees:
        """The committees that a scope names: the weights for each batch, as `3,2,0`, or `none`, or `error`, joined by
        `;`; none of these, where the genesis' committee is that of all batches. Raises `BadCommittees`."""
        words = {"none": NONE_SCHEDULED, "error": ERROR_SCHEDULED}
        places = {tuple(weight.value for weight in genesis.weights): 0}
        electorates, schedule = [genesis], []
        for name in text.split(";") if text else ():
            if name not in words:
                weights = _weights(name, len(genesis.weights))
                if weights not in places:
                    places[weights] = len(electorates)
                    electorates.append(_electorate(weights))
            schedule.append(words[name] if name in words else places[weights])
        return Committees(tuple(electorates), tuple(schedule) or (0,))

    def of_batch(self, number: Int) -> CommitteeRead:
        """The committee of this batch, as a node reads it."""
        read = _scheduled(self.schedule[-1])
        for batch, scheduled in reversed(list(enumerate(self.schedule[:-1]))):
            read = where(number == batch, _scheduled(scheduled), read)
        return read

    def weight(self, place: Int, key: int) -> Int:
        """An attester's weight in a committee."""
        weight = self.electorates[0].weights[key]
        for other, electorate in enumerate(self.electorates[1:], start=1):
            weight = where(place == other, electorate.weights[key], weight)
        return weight

    def threshold(self, place: Int) -> Int:
        """The weight of a quorum in a committee."""
        threshold = self.electorates[0].threshold
        for other, electorate in enumerate(self.electorates[1:], start=1):
            threshold = where(place == other, electorate.threshold, threshold)
        return threshold

    def has_member(self, place: Int, key: int) -> Bool:
        """Whether an attester is in a committee."""
        return self.weight(place, key) != 0

    def is_quorum(self, place: Int, votes: tuple[Bool, ...]) -> Bool:
        """Whether these attesters together have the weight of a quorum; who is not a member has none."""
        weight = total(where(vote, self.weight(place, key), const(0)) for key, vote in enumerate(votes))
        return truth(reaches(weight, self.threshold(place)))


def _scheduled(place: int) -> CommitteeRead:
    return {NONE_SCHEDULED: NOT_REQUIRED, ERROR_SCHEDULED: UNREADABLE}.get(place) or CommitteeRead(const(place))


def _weights(text: str, attesters: int) -> tuple[int, ...]:
    texts = text.split(",")
    weights = tuple(int(weight) for weight in texts if re.fullmatch(NUMBER, weight))
    if not len(weights) == len(texts) == attesters or not any(weights):
        raise BadCommittees(
            f"committee {text!r} is neither a weight for each of the {attesters} attesters (0: not a member), joined "
            "by commas, nor none, nor error"
        )
    if sum(weights) > U64_MAX:
        raise BadCommittees(f"committee {text!r}: the weights sum to {sum(weights)}, beyond u64 (at most {U64_MAX})")
    return weights


def _electorate(weights: tuple[int, ...]) -> Electorate:
    return Electorate(tuple(map(const, weights)), const(threshold(sum(weights))))
