"""The attestation task as one writes it down: a loop that runs to its next `yield`, with all that it looks at.

It shares nothing with the model. What changed when is told by the number of the pull request of zksync-era.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from properties.stateful.controller_design.oracle import NaiveController, NaiveStart

Weights = dict[str, int]
Scheduled = Weights | Literal["none", "error"]

PER_BATCH, ENDS_ALONE, NO_REGISTRY_NO_COMMITTEE = 2684, 3180, 3512
"""Since when each batch has a committee, an error ends the task alone, there is no committee without a registry."""


class TaskFailed(Exception):
    """An error in the task."""


@dataclass(frozen=True)
class Await:
    """Where the loop waits, and whether it can go on."""

    phase: str
    is_ready: Callable[[], bool]


@dataclass
class NaiveNode:
    """A node with its task: what its database has, which committee it finds for which batch, and its controller.

    `answer` is what the API of the main node says to an external node; the main node reads its own database.
    """

    pull_request: int
    schedule: list[Scheduled]
    own_key: str | None
    is_supervised: bool
    batches: int = 0
    pruned: int | None = None
    diverged: int | None = None
    certified: set[int] = field(default_factory=set)
    answer: int | None = None
    has_fallback: bool = False

    def __post_init__(self) -> None:
        self.start()

    def start(self, has_fallback: bool = False) -> None:
        """The process starts: everything is forgotten that is not in the database."""
        self.has_fallback = has_fallback
        self.runs = self.is_alive = True
        self.controller = NaiveController(self.own_key)
        self.loop = self.iterate()
        self.waits = next(self.loop)

    def go_on(self) -> None:
        """Run to the next place where the loop waits. An error ends it, and perhaps more."""
        try:
            self.waits = next(self.loop)
        except TaskFailed:
            self.fail()

    def fail(self) -> None:
        """An error in the task ends more than the task, up to zksync-era PR 3170."""
        if self.pull_request < ENDS_ALONE and self.is_supervised:
            self.start()
            return
        self.is_alive = False
        self.waits = Await("dead", lambda: False)
        if self.pull_request < ENDS_ALONE:
            self.runs, self.controller = False, NaiveController(self.own_key)

    @property
    def asked(self) -> int | None:
        """The number that the task reads."""
        return self.answer

    @property
    def first(self) -> int:
        """The first batch that is attested."""
        return 1 if self.pull_request >= PER_BATCH else 0

    def has_hash(self, batch: int) -> bool:
        """Whether the database has the batch."""
        return batch < self.batches and (self.pruned is None or batch > self.pruned)

    def committee(self, batch: int) -> Scheduled:
        """The committee as the node finds it."""
        genesis = self.schedule[0]
        if self.pull_request < PER_BATCH:
            return genesis
        if batch == 0:
            return "none"
        if self.has_fallback:
            return "none" if self.pull_request >= NO_REGISTRY_NO_COMMITTEE else genesis
        if self.pruned is not None and batch <= self.pruned + 1:
            return "error"
        return self.schedule[min(batch, len(self.schedule) - 1)]

    def begin(self, batch: int) -> bool:
        """With the hash there: start the batch, unless it needs no votes. Raises `TaskFailed`."""
        committee = self.committee(batch)
        if committee == "none":
            return False
        if committee == "error":
            raise TaskFailed
        hash = "x" if batch == self.diverged else "h"
        start = NaiveStart(batch, f"{hash}{batch}", "g0", committee)
        if self.controller.refusal(start, self.controller.attested()) is not None:
            raise TaskFailed
        self.controller.history.append(start)
        return True

    def iterate(self) -> Iterator[Await]:
        """The task of an external node: it reads a number, waits for the hash whatever happens, and starts."""
        least = 0
        while True:
            yield Await("reading", lambda: self.asked is not None and self.asked >= least)  # noqa: B023
            batch = self.asked
            assert batch is not None
            if self.pull_request >= PER_BATCH:
                least = batch + 1
            yield Await("hash", lambda: self.has_hash(batch))  # noqa: B023
            if self.begin(batch):
                least = batch + 1


@dataclass
class NaiveMainNode(NaiveNode):
    """The main node, whose task goes on to wait for the certificate of what it has started, and to insert it."""

    @property
    def asked(self) -> int | None:
        """The number after the largest certificate; else the first, if the genesis' first block is there."""
        if self.certified:
            return max(self.certified) + 1
        return self.first if self.pruned is None else None

    def iterate(self) -> Iterator[Await]:
        """The task of the main node."""
        least = 0
        while True:
            yield Await("reading", lambda: self.asked is not None and self.asked >= least)  # noqa: B023
            batch = self.asked
            assert batch is not None
            if self.pull_request >= PER_BATCH:
                least = batch + 1
            yield Await("hash", lambda: self.has_hash(batch))  # noqa: B023
            if self.begin(batch):
                yield Await("certificate", lambda: self.is_over(batch))  # noqa: B023
                current = self.controller.attested()
                if current is None or current.number > batch:
                    raise TaskFailed
                yield Await("inserting", lambda: True)
                self.insert()

    def is_over(self, batch: int) -> bool:
        """Whether there is a certificate to wait for no longer, or never will be."""
        current = self.controller.attested()
        is_later = current is not None and current.number > batch
        is_earlier = current is None or current.number < batch
        return is_later or (not is_earlier and self.controller.certificate is not None)

    def insert(self) -> None:
        """Insert the certificate of what the controller attests. Raises `TaskFailed`."""
        current = self.controller.attested()
        assert current is not None
        is_there = self.has_hash(current.number)
        if self.pull_request >= PER_BATCH:
            is_there = is_there and current.number not in self.certified and self.controller.certificate is not None
        if not is_there:
            raise TaskFailed
        self.certified.add(current.number)
