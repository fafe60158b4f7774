"""The attester committee: who may vote, and with how much weight.

Source: era-consensus, `node/libs/roles/src/attester/messages/msg.rs`, `Committee` and `threshold`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import InitVar, dataclass, field

from model import rules

U64_MAX = 2**64 - 1
"""The largest weight, sum of weights and batch number."""


class CommitteeError(ValueError):
    """These members make no committee; the message says which rule they break."""


@dataclass(frozen=True)
class Committee:
    """Attesters by key, each with its voting weight; equal however its members were ordered.

    `members` are (key, weight) pairs. Keys are distinct, each weight is from 1 to 2^64 - 1, and so is their sum.
    `weights` lists them in the order of the keys. Raises `CommitteeError` for any other members.

    Source: `msg.rs`, `Committee::new`.
    """

    members: InitVar[Iterable[tuple[str, int]]]
    weights: Mapping[str, int] = field(init=False)
    total_weight: int = field(init=False)

    def __post_init__(self, members: Iterable[tuple[str, int]]) -> None:
        weights: dict[str, int] = {}
        total = 0
        for key, weight in members:
            total += weight
            _refuse_if(key in weights, f"attester {key!r} is listed twice; list each key once, with its whole weight")
            _refuse_if(
                not 1 <= weight <= U64_MAX, f"attester {key!r} has weight {weight}; a weight is from 1 to 2^64 - 1"
            )
            _refuse_if(
                total > U64_MAX, f"the weights up to attester {key!r} sum to {total}; the sum must be at most 2^64 - 1"
            )
            weights[key] = weight
        _refuse_if(not weights, "the committee is empty; it needs at least one attester")
        object.__setattr__(self, "weights", dict(sorted(weights.items())))
        object.__setattr__(self, "total_weight", total)

    @property
    def max_faulty_weight(self) -> int:
        """The weight of faulty attesters that the committee tolerates."""
        return int(rules.max_faulty_weight(self.total_weight))

    @property
    def threshold(self) -> int:
        """The least weight of votes that makes a quorum."""
        return int(rules.threshold(self.total_weight))

    def weight(self, key: str) -> int | None:
        """The weight of this attester; none if it is not a member. Source: `Committee::weight`."""
        return self.weights.get(key)

    def __contains__(self, key: object) -> bool:
        return key in self.weights

    def weight_of_keys(self, keys: Iterable[str]) -> int:
        """The weights of these keys together: a repeated key counts again, a stranger for nothing.

        Source: `Committee::weight_of_keys`.
        """
        return sum(self.weights.get(key, 0) for key in keys)


def _refuse_if(broken: bool, message: str) -> None:
    if broken:
        raise CommitteeError(message)
