"""What was measured, as a table: for the terminal, for the docs and as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence

from properties.timing.bounds import Broken, Found, Holds
from properties.timing.sweep import Answer, Estimate


def verdict(found: Found) -> str:
    """The verdict on `certified_before_next_batch`, in a few words."""
    match found:
        case Holds():
            return "HOLDS"
        case Broken():
            shortest = "" if found.is_shortest else "at most "
            return f"VIOLATED in {shortest}{found.batches} batch{'es' * (found.batches > 1)}"
    return "UNKNOWN"


def bounds(found: Found) -> str:
    """The least and the greatest time of a certificate, where there are such."""
    return f"{found.best / 1000:g} … {found.worst / 1000:g} s" if isinstance(found, Holds) else ""


def seconds(value: float) -> str:
    """A time, or that it never comes."""
    return "never" if value == float("inf") else f"{value:.2f} s"


def with_error(estimate: Estimate, unit: str = "", digits: int = 2) -> str:
    """An estimate and how far its interval reaches."""
    if estimate.high == float("inf"):
        return seconds(estimate.value)
    error = max(estimate.high - estimate.value, estimate.value - estimate.low)
    return f"{estimate.value:,.{digits}f}{unit} ± {error:,.{digits}f}"


def columns(answers: Sequence[Answer]) -> tuple[str, ...]:
    is_backlog = any(each.question.backlog for each in answers)
    measured: tuple[str, ...] = ("median", "p95", "p99", "maximum")
    if is_backlog:
        measured = ("certificates per hour", "hours", "until caught up")
    head = ("poll", "certified_before_next_batch", "best … worst", *measured, "useless polls")
    return (*head, "poll", "hop", "commitment", "insertion", "finder deaf")


def row(answer: Answer) -> tuple[str, ...]:
    question, measured = answer.question, answer.measured
    poll = f"{question.setting.parameters.poll / 1000:g} s"
    if measured.per_hour is not None:
        rate, produced = measured.per_hour, 3_600_000 / question.setting.parameters.batch_time
        hours = question.backlog / rate.value if rate.value else float("inf")
        until = f"{question.backlog / (rate.value - produced):.2f} h" if rate.low > produced else "never"
        figures: tuple[str, ...] = (with_error(rate, digits=1), f"{hours:.2f} h", until)
    else:
        figures = (*(with_error(each, " s") for each in measured.quantiles.values()), seconds(measured.longest))
    causes = (seconds(measured.causes[name]) for name in measured.causes)
    useless = f"{measured.useless.value:.1%}"
    return (poll, verdict(answer.found), bounds(answer.found), *figures, useless, *causes, f"{measured.deaf:.1%}")


def aligned(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    lines = ("  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)) for line in (head, *rows))
    return "\n".join(lines)


def as_csv(answers: Sequence[Answer]) -> str:
    """A line for each answer, with the fields of its JSON but the run."""
    lines = [dict(_fields("", answer.as_json())) for answer in answers]
    names = dict.fromkeys(name for line in lines for name in line)
    out = io.StringIO()
    writer = csv.DictWriter(out, list(names), lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    return out.getvalue()


def _fields(name: str, value: object) -> Iterator[tuple[str, object]]:
    if isinstance(value, dict):
        for inner, part in value.items():
            yield from _fields(f"{name}.{inner}".removeprefix("."), part)
    elif not isinstance(value, tuple):
        yield name, value
