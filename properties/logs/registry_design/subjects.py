"""What a log calls batches and hashes, and what the model calls them.

Batch n of a log has the hash `h<n>`; in the model it has the number n and, among all hashes, the place n. Two things
do not fit as they are, and both come from Byzantine attesters only:

* numbers far beyond the last batch. They never get a batch, so nothing but their order matters; they follow the last
  number that the model needs, in their order.
* hashes of no batch. Those that are less than the hash of every batch come before them in the model, the others after.

Votes of one attester on one batch are compared by their hashes, bytewise; where that is not the model's order, the log
cannot be followed, and is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from properties.logs.registry_design.reading import RegistryHeader
from properties.logs.runs import MAX_BATCHES, Run
from properties.recordings.format import MalformedRecording

OWN_HASH = re.compile(r"h(0|[1-9]\d*)")
MAX_FORGEABLE = 100
"""So many batches a run with Byzantine attesters can have. There is a vote to forge for every number and hash."""

OWN = 0
"""The variant of a vote that stands for the batch's own hash."""


@dataclass(frozen=True)
class Forged:
    """A vote that a Byzantine attester made, and the line that shows it."""

    line: int
    key: str
    number: int
    hash: str


@dataclass(frozen=True)
class Subjects:
    """The names of one run. `sealed`: how many batches it has; `is_forged`: whether some attester is Byzantine; the
    rest is what such attesters made up."""

    sealed: int
    is_forged: bool
    far_numbers: tuple[int, ...]
    lesser_hashes: tuple[str, ...]
    greater_hashes: tuple[str, ...]

    @staticmethod
    def of(run: Run) -> Subjects:
        """The names of a run. Raises `MalformedRecording` where the model cannot have its order of hashes."""
        forged = list(_forged(run))
        sealed = run.header.batches
        named = (int(match[1]) for vote in forged if (match := OWN_HASH.fullmatch(vote.hash)))
        far = tuple(sorted({number for number in (*named, *(vote.number for vote in forged)) if number > sealed}))
        own = [f"h{number}" for number in (*range(sealed + 1), *far)]
        strays = sorted({vote.hash for vote in forged} - set(own))
        least = min(own)
        subjects = Subjects(
            sealed,
            bool(run.header.byzantine),
            far,
            tuple(hash for hash in strays if hash < least),
            tuple(hash for hash in strays if hash >= least),
        )
        subjects.refuse_too_many(run.header.line)
        subjects.refuse_other_order(forged)
        return subjects

    @cached_property
    def numbers(self) -> int:
        """How many numbers a vote can have; a forged one can be on the batch after the last, and beyond."""
        return self.sealed + 1 + len(self.far_numbers) if self.is_forged else self.sealed

    @property
    def batches(self) -> int:
        """The number of batches of the model's scope. It has one hash of no batch after those of the batches; where
        that is not enough, hashes of further batches stand for the rest."""
        return self.numbers + max(0, len(self.greater_hashes) - 1)

    def number(self, recorded: int) -> int:
        """A number as the model has it. Raises `KeyError` for one that is no batch's and in no forged vote."""
        if recorded <= self.sealed:
            return recorded
        return self._far[recorded]

    def recorded_number(self, number: int) -> int:
        """A number of the model as the log has it."""
        return number if number <= self.sealed else self.far_numbers[number - self.sealed - 1]

    def variant(self, recorded: int, hash: str) -> int:
        """The variant of a vote with this number and hash. Raises `KeyError` for one that is in no forged vote."""
        place = self.place(hash)
        if place == self.number(recorded):
            return OWN
        return place + 1 if place >= 0 else place

    def place(self, hash: str) -> int:
        """Where the hash stands among all; that of batch n at n, and those that are less than all from -1 downwards."""
        if hash in self.lesser_hashes:
            return self.lesser_hashes.index(hash) - len(self.lesser_hashes)
        if hash in self.greater_hashes:
            return self.numbers + self.greater_hashes.index(hash)
        own = OWN_HASH.fullmatch(hash)
        if own is None:
            raise KeyError(hash)
        return self.number(int(own[1]))

    def hash(self, number: int, variant: int) -> str:
        if variant < OWN:
            return self.lesser_hashes[variant]
        place = number if variant == OWN else variant - 1
        if place < self.numbers:
            return f"h{self.recorded_number(place)}"
        return self.greater_hashes[place - self.numbers]

    @cached_property
    def _far(self) -> dict[int, int]:
        return {recorded: self.sealed + 1 + rank for rank, recorded in enumerate(self.far_numbers)}

    def refuse_too_many(self, line: int) -> None:
        """Raise `MalformedRecording` if the model would have more batches than it can."""
        most = MAX_FORGEABLE if self.is_forged else MAX_BATCHES
        if self.batches > most:
            raise MalformedRecording(
                line,
                f"the run needs {self.batches} batches in the model: {self.sealed}, one more to forge votes on, and "
                f"those for forged numbers beyond and forged hashes; with Byzantine attesters that is at most {most}",
            )

    def refuse_other_order(self, forged: list[Forged]) -> None:
        """Raise `MalformedRecording` if two votes of one attester on one batch compare differently in the model."""
        seen: dict[tuple[str, int], list[str]] = {}
        for vote in forged:
            others = seen.setdefault((vote.key, vote.number), [])
            for other in others:
                if (vote.hash < other) != (self.place(vote.hash) < self.place(other)) and vote.hash != other:
                    raise MalformedRecording(
                        vote.line,
                        f"{vote.key} votes for {vote.hash!r} and {other!r} at number {vote.number}, and the model has "
                        "these hashes in the other order; rename the hashes so that h<n> sorts by n",
                    )
            others.append(vote.hash)


def _forged(run: Run) -> Iterator[Forged]:
    """The votes of Byzantine attesters, wherever they first show: published, or in a message of a node's own making."""
    assert isinstance(run.header, RegistryHeader)
    for event in run.events:
        if event.kind == "vote_published" and event.node in run.header.byzantine:
            yield Forged(event.line, event["key"], event["number"], event["hash"])
        elif event.kind == "votes_pushed" and event.node in run.header.raw:
            for vote in event["votes"]:
                if vote["key"] in run.header.byzantine:
                    yield Forged(event.line, vote["key"], vote["number"], vote["hash"])
