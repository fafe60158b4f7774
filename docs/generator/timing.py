"""The tables and figures of `docs/timing.md`. They are searched and simulated anew, which takes minutes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from docs.generator.tables import table
from model.revisions import revision
from model.scope import instance
from properties.timing.bounds import Holds, catching_up, certified_before_next_batch, largest_poll
from properties.timing.laws import ASSUMED, DEFAULTS, SECOND, SOURCES
from properties.timing.plots import plot
from properties.timing.report import bounds, columns, row, verdict, with_error
from properties.timing.setting import Setting
from properties.timing.sweep import Answer, Measured, Question, answer, measure, polls

OLD, NEW = "pr161+era2539", "pr175+era2657"
SCOPES = ((OLD, "n2f0b0", "direct"), (OLD, "n2f0b0", "relay"), (OLD, "n6f1b0", "direct"), (NEW, "n2f0b0", "direct"))
REVISIONS = ("pr161+era2480", OLD, "pr165+era2539", "pr166+era2539", "pr167+era2539", "pr170+era2539")
REDESIGNED = (NEW, "pr175+era2684", "pr175+era3040")
MOST, SEED, RUNS, BACKLOG_RUNS = 8_000_000, 0, 10_000, 32


def _setting(name: str, committee: str = "n2f0b0", topology: str = "direct") -> Setting:
    return Setting.of(revision(name), instance(committee), topology)


@lru_cache
def _answer(name: str, committee: str, topology: str) -> Answer:
    return answer(Question(_setting(name, committee, topology), RUNS, SEED, most_states=MOST))


@lru_cache
def _measure(question: Question) -> Measured:
    return measure(question)


def parameters() -> str:
    """Every duration with its source."""
    rows = (
        (about, _value(name), f"**{source}**" if source == ASSUMED else source)
        for name, (about, source) in SOURCES.items()
    )
    return table(("what", "value", "source"), rows)


def _value(name: str) -> str:
    value = getattr(DEFAULTS, name)
    return f"{value} times" if name == "push_burst" else f"{value / SECOND:g} s"


def verdicts() -> str:
    """The verdict at the default interval, the bounds and the largest interval, by revision, committee and topology."""
    named = [*((name, "n2f0b0", "direct") for name in (*REVISIONS, *REDESIGNED)), *SCOPES[1:3]]
    rows = []
    for name, committee, topology in named:
        setting = _setting(name, committee, topology)
        found = certified_before_next_batch(setting, most=MOST)
        poll, there = largest_poll(setting, most=MOST) if isinstance(found, Holds) else (0, found)
        largest = (
            f"{poll / SECOND:g} s" if isinstance(there, Holds) else "none" if poll == 0 else "not searched to the end"
        )
        states = f"{found.states:,}" if isinstance(found, Holds) else ""
        rows.append((name, committee, topology, verdict(found), bounds(found), largest, states))
    head = ("revision", "committee", "topology", "polls of 5 s", "best … worst", "largest interval", "states")
    return table(head, rows)


def fixed() -> str:
    """Polls with a fixed period, up to the batch time: durations are rounded outwards to whole seconds."""
    coarse = dict.fromkeys(("answer", "hop", "insertion", "push_every"), SECOND)
    rows = []
    for poll in (59, 60, 61):
        setting = _setting(OLD).changed(**coarse).polling(poll * SECOND)
        found = certified_before_next_batch(setting, fixed=True, most=MOST)
        rows.append(
            (f"{poll} s", verdict(found), bounds(found), f"{found.states:,}" if isinstance(found, Holds) else "")
        )
    return table(("poll", "certified_before_next_batch", "best … worst", "states"), rows)


def distribution() -> str:
    """From sealing to certificate, by scope."""
    answers = [_answer(*scope) for scope in SCOPES]
    head = ("revision", "committee", "topology", *columns(answers)[2:])
    return table(head, ((*scope, *row(found)[2:]) for scope, found in zip(SCOPES, answers, strict=True)))


def backlog() -> str:
    """Catching up with 1,000 batches."""
    rows = []
    for name, committee, topology in (SCOPES[0], SCOPES[2], SCOPES[3]):
        for poll in (1, 5, 30):
            setting = _setting(name, committee, topology).polling(poll * SECOND)
            question = Question(setting, BACKLOG_RUNS, SEED, backlog=1000)
            measured = _measure(question)
            found = Answer(question, Holds(0, 0, 0), measured)
            cause = max(measured.causes, key=lambda cause: measured.causes[cause])
            share = f"{cause}, {measured.causes[cause] / sum(measured.causes.values()):.0%}"
            rows.append((name, committee, f"{poll} s", *row(found)[3:6], share, f"{measured.useless.value:.1%}"))
    head = ("revision", "committee", "poll", "certificates per hour", "hours", "until caught up", "most time lost to")
    return table((*head, "useless polls"), rows)


def agreement() -> str:
    """Closed form, search and simulation of the same times."""
    return table(("time", "closed form", "search", "simulated"), _agreements())


def _agreements() -> Iterator[tuple[str, ...]]:
    for (name, committee, topology), hops in zip(SCOPES, (1, 3, 1, 2), strict=True):
        given, found = _setting(name, committee, topology).parameters, _answer(name, committee, topology)
        worst = given.batch_latest + given.batch_polls + hops * given.hop + given.insertion
        reckoned = f"{given.batch_earliest / SECOND:g} … {worst / SECOND:g} s"
        simulated = f"{found.measured.shortest:.2f} … {found.measured.longest:.2f} s"
        yield (f"certificate, {name}, {committee}, {topology}", reckoned, bounds(found.found), simulated)
    setting = _setting(OLD)
    given = setting.parameters
    slowest = (given.poll + given.answer + given.hop + given.insertion) / SECOND
    measured = _measure(Question(setting, 2000, SEED, backlog=20))
    seen = f"{measured.shortest:.2f} … {measured.longest:.2f} s"
    searched = bounds(catching_up(setting))
    yield ("from one certificate to the next in a backlog", f"at most {slowest:g} s", searched, seen)


CHANGES = {
    "poll": (2500, 10_000),
    "main_poll": (500, 2000),
    "answer": (0, 1000),
    "batch_latest": (1500, 6000),
    "batch_polls": (1000, 4000),
    "hop": (0, 1000),
    "push_every": (250, 1000),
    "insertion": (0, 1000),
}


def sensitivity() -> str:
    """What half and twice each duration do to the times, one at a time."""
    rows = []
    for name, values in CHANGES.items():
        cells: list[str] = []
        for value in values:
            changed = _setting(OLD).changed(**{name: value})
            single = _measure(Question(changed, RUNS, SEED))
            many = _measure(Question(changed, 1000, SEED, backlog=50))
            assert many.per_hour is not None
            cells += [with_error(single.quantiles["p99"], " s"), with_error(many.per_hour, digits=0)]
        rows.append((SOURCES[name][0], " / ".join(f"{value / SECOND:g} s" for value in values), *cells))
    head = ("what", "less / more", "99 % within, less", "certificates per hour, less", "99 % within, more")
    return table((*head, "certificates per hour, more"), rows)


def figures(folder: Path) -> Iterator[tuple[Path, str]]:
    """The figures of the page."""
    for name, backlog, runs in (("timing", 0, 2000), ("timing-backlog", 100, 64)):
        question = Question(_setting(OLD), runs, SEED, backlog)
        chosen = polls(question, [SECOND * poll for poll in (1, 2, 5, 10, 15, 20, 25, 30, 40, 50, 58)])
        yield folder / f"{name}.svg", plot([replace(answer(each)) for each in chosen])
