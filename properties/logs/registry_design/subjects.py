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

    @cached_property
    def recorded_numbers(self) -> tuple[int, ...]:
        """The numbers of the model as the log has them, and that of the batch after the last."""
        return (*range(self.sealed + 1), *self.far_numbers)

    @cached_property
    def places(self) -> dict[str, int]:
        """Where each hash stands among all: that of batch n at n, and those that are less than all from -1 downward."""
        lesser = {hash: place - len(self.lesser_hashes) for place, hash in enumerate(self.lesser_hashes)}
        own = {f"h{number}": place for place, number in enumerate(self.recorded_numbers)}
        return lesser | own | {hash: place for place, hash in enumerate(self.greater_hashes, self.numbers)}

    @cached_property
    def _hashes(self) -> dict[int, str]:
        return {place: hash for hash, place in self.places.items()}

    def number(self, recorded: int) -> int:
        """A number as the model has it. Raises `ValueError` for one that is no batch's and in no forged vote."""
        return self.recorded_numbers.index(recorded)

    def variant(self, recorded: int, hash: str) -> int:
        """The variant of a vote with this number and hash. Raises `KeyError` for one that is in no forged vote."""
        place = self.places[hash]
        return OWN if place == self.number(recorded) else place + (place >= 0)

    def hash(self, number: int, variant: int) -> str:
        return self._hashes[number if variant == OWN else variant - (variant > OWN)]

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
                if (vote.hash < other) != (self.places[vote.hash] < self.places[other]) and vote.hash != other:
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
