"""What the search and the simulation say of one setting; and of many, on all cores or on a cluster."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import binom

from properties.timing.bounds import MOST_STATES, Broken, Found, certified_before_next_batch
from properties.timing.laws import CAUSES, SECOND
from properties.timing.setting import Setting
from properties.timing.simulation import NOT_DUE, Sample

WARM_UP = 3
"""So many batches go before the one that is measured: one of each run, so that the samples are independent."""

CONFIDENCE = 0.95
QUANTILES = {"median": 0.5, "p95": 0.95, "p99": 0.99}
AT_A_TIME = 8192
"""Runs at a time: their columns stay in the processor's cache."""


@dataclass(frozen=True)
class Estimate:
    """A value and its confidence interval, at 95 %."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Measured:
    """What simulated runs took, in seconds.

    `quantiles`: of the time from sealing to certificate, or in a backlog from one certificate to the next, once in each
    run (infinite where none came); `shortest` and `longest` of these; `causes`: what a certificate's time was lost to,
    on average; `useless`: the share of polls that found nothing; `deaf`: the share of time in which the QC finder had
    another number to look at than the one that it waited for; `per_hour`: certificates, while catching up.
    """

    quantiles: dict[str, Estimate]
    shortest: float
    longest: float
    causes: dict[str, float]
    useless: Estimate
    deaf: float
    per_hour: Estimate | None
    events: int


@dataclass(frozen=True)
class Question:
    """A setting to measure: in so many runs, from a seed; with a backlog of so many batches, or none."""

    setting: Setting
    runs: int
    seed: int
    backlog: int = 0
    most_states: int = MOST_STATES


@dataclass(frozen=True)
class Answer:
    """What was found for one question."""

    question: Question
    found: Found
    measured: Measured

    @property
    def holds(self) -> bool:
        """Whether the claim does not fail; it may be unknown."""
        return not isinstance(self.found, Broken)

    def as_json(self) -> dict[str, Any]:
        """For machines. Times are in seconds in what was measured, else in milliseconds."""
        setting = self.question.setting
        return {
            "revision": setting.revision.name,
            "instance": setting.instance.name,
            "topology": setting.topology,
            "parameters": asdict(setting.parameters),
            "backlog": self.question.backlog,
            "runs": self.question.runs,
            "seed": self.question.seed,
            "certified_before_next_batch": {"word": self.found.word, **asdict(self.found)},
            "measured": _finite(asdict(self.measured)),
        }


def _finite(value: Any) -> Any:
    """The same with null where nothing ever came: JSON has no infinity."""
    if isinstance(value, dict):
        return {name: _finite(part) for name, part in value.items()}
    return None if value == np.inf else value


def answer(question: Question) -> Answer:
    found = certified_before_next_batch(question.setting, most=question.most_states)
    return Answer(question, found, measure(question))


def measure(question: Question) -> Measured:
    """Simulate. The same question gives the same answer."""
    generator = np.random.default_rng(question.seed)
    samples, left = list[Sample](), question.runs
    while left:
        size = min(left, AT_A_TIME)
        simulation = question.setting.simulation(size, generator, question.backlog)
        certificates = question.backlog or WARM_UP + 1
        batch_time = question.setting.parameters.batch_time
        longest = (certificates + WARM_UP + 8) * max(batch_time, question.setting.parameters.poll)
        samples.append(simulation.run(certificates, longest=longest * (2 if question.backlog else 1)))
        left -= size
    return _measured(samples, question)


def _measured(samples: Sequence[Sample], question: Question) -> Measured:
    def joined(name: str) -> npt.NDArray[Any]:
        return np.concatenate([getattr(sample, name) for sample in samples])

    took, lasted, certificates = joined("took"), joined("lasted"), np.maximum(joined("certificates"), 1)
    seconds = np.sort(np.where(took == NOT_DUE, np.inf, took / SECOND))
    each = certificates if question.backlog else np.ones(len(took))
    causes = (joined("causes") / each[:, None]).mean(axis=0) / SECOND
    looks = np.maximum(joined("looks"), 1)
    return Measured(
        quantiles={name: quantile(seconds, at) for name, at in QUANTILES.items()},
        shortest=float(seconds[0]),
        longest=float(seconds[-1]),
        causes=dict(zip(CAUSES, causes.tolist(), strict=True)),
        useless=mean(1 - joined("useful") / looks),
        deaf=float((joined("deaf") / np.maximum(lasted, 1)).mean()),
        per_hour=mean(joined("certificates") * 3600 * SECOND / lasted) if question.backlog else None,
        events=sum(sample.events for sample in samples),
    )


def quantile(ordered: npt.NDArray[np.float64], at: float) -> Estimate:
    """A quantile of independent samples, with an interval between two of them that holds whatever they are
    distributed like."""
    size = len(ordered)
    low, high = (int(binom.ppf(level, size, at)) for level in ((1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2))
    middle = min(int(at * size), size - 1)
    return Estimate(float(ordered[middle]), float(ordered[max(low - 1, 0)]), float(ordered[min(high, size - 1)]))


def mean(values: npt.NDArray[Any]) -> Estimate:
    """The mean of independent samples, with a normal interval."""
    middle, error = (
        float(values.mean()),
        1.96 * float(values.std(ddof=1)) / len(values) ** 0.5 if len(values) > 1 else 0.0,
    )
    return Estimate(middle, middle - error, middle + error)


def polls(question: Question, intervals: Sequence[int]) -> list[Question]:
    """The question for several poll intervals, in milliseconds; each has a seed of its own."""
    return [
        replace(question, setting=question.setting.polling(poll), seed=question.seed + number)
        for number, poll in enumerate(intervals)
    ]
