"""Votes, committees and numbers to draw, for the machines of either design."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st

from model.committee import U64_MAX
from model.messages import Batch, SignedBatch

MEMBERS = "abcdefghijkl"
STRANGER = "z"


@dataclass(frozen=True)
class NaiveVote:
    """A vote as a message has it; `valid` says whether its signature is."""

    key: str
    number: int
    hash: str
    genesis: str = "g0"
    valid: bool = True

    @staticmethod
    def on(key: str, batch: tuple[int, str, str], valid: bool = True) -> NaiveVote:
        """A vote on a number, a hash and a genesis."""
        return NaiveVote(key, *batch, valid)

    @property
    def rank(self) -> tuple[int, str, str]:
        """What votes are compared by."""
        return self.number, self.hash, self.genesis


@st.composite
def committees(draw: st.DrawFn, largest: int = len(MEMBERS)) -> dict[str, int]:
    """Weights by key: 1 to `largest` attesters, equal, small, or as large as their sum may be."""
    size = draw(st.integers(1, largest))
    top = draw(st.sampled_from([1, 3, 100, U64_MAX // size]))
    weights = draw(st.lists(st.integers(1, top), min_size=size, max_size=size))
    if draw(st.booleans()):
        weights[0] += U64_MAX - sum(weights)
    return dict(zip(MEMBERS, weights, strict=False))


def numbers() -> st.SearchStrategy[int]:
    """Batch numbers: mostly a few neighbours, at times the largest."""
    return st.integers(0, 4) | st.sampled_from([U64_MAX - 1, U64_MAX])


def signed(vote: NaiveVote) -> SignedBatch:
    """The vote as the registry takes it."""
    return SignedBatch(vote.key, Batch(vote.number, vote.hash, vote.genesis), vote.valid)
