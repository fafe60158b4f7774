"""An open committee: any weights, any Byzantine members."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from model import rules
from model.algebra import TRUE, Bool, Expression, Int, bool_variable, int_variable, total
from model.topology import attester_names
from model.votes import Electorate
from properties.proofs.environment import Openness, any_number


@dataclass(frozen=True)
class Committee:
    """Attesters whose weights and honesty are open."""

    weights: tuple[Int, ...]
    byzantine: tuple[Bool, ...]

    @staticmethod
    def of(attesters: int, weight: str = "weight", least: int = 1) -> Committee:
        """A committee of this size; with 0 for the least weight, any of them may be no member."""
        names = attester_names(attesters)
        weights = tuple(int_variable(f"{weight}.{name}", least, None) for name in names)
        return Committee(weights, tuple(bool_variable(f"byzantine.{name}") for name in names))

    @property
    def electorate(self) -> Electorate:
        """The weights and the threshold of the source's rule."""
        return Electorate(self.weights, rules.threshold(self.total_weight))

    @property
    def total_weight(self) -> Int:
        return total(self.weights)

    @property
    def byzantine_weight(self) -> Int:
        return self.electorate.weight_of(self.byzantine)

    @property
    def is_below_threshold(self) -> Bool:
        """The assumption under which no gap is proved: the Byzantine attesters make no quorum by themselves."""
        return self.byzantine_weight < self.electorate.threshold

    def liberty(self, sentence: str, allowed: Callable[[Committee], Bool], assumed: Bool = TRUE) -> Openness:
        """That what a proof assumes excludes none of the committees that its sentence allows."""
        size = range(len(self.weights))
        weights = tuple(any_number(f"weight {key}", weight.low or 0) for key, weight in enumerate(self.weights))
        anybody = Committee(weights, tuple(bool_variable(f"any lies {key}") for key in size))
        picks = zip((*self.weights, *self.byzantine), (*anybody.weights, *anybody.byzantine), strict=True)
        return Openness(sentence, allowed(anybody), dict[Expression, Expression](picks), assumed)

    @property
    def lighter_liars(self) -> Openness:
        """Any weights, and any Byzantine attesters as long as the others' weight is above the faulty weight."""
        sentence = "any may be Byzantine that weigh less than the threshold"
        return self.liberty(sentence, lies_lightly, self.is_below_threshold)

    @property
    def any_liars(self) -> Openness:
        """Any weights, any Byzantine attesters."""
        return self.liberty("any may be Byzantine, and have any weight", lambda _: TRUE)


def lies_lightly(committee: Committee) -> Bool:
    """What the sentences say of the threshold: with f the largest number for which W is at least 5f + 1, Byzantine
    attesters weigh less than W - f."""
    faulty, is_largest = faulty_weight(committee)
    return is_largest & (committee.byzantine_weight + faulty < committee.total_weight)


def faulty_weight(committee: Committee) -> tuple[Int, Bool]:
    """A number, and that it is f."""
    faulty, weight = any_number("faulty weight", 0), committee.total_weight
    return faulty, (total([faulty] * 5) + 1 <= weight) & (weight <= total([faulty] * 5) + 5)
