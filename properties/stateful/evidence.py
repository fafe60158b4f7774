"""What is left of a run that failed: the trace as Markdown and JSON, with the seed and the command that repeats it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from properties.results.trace import Trace, as_json
from properties.stateful.search import without_needless
from properties.stateful.system import RunFailed

BUDGET = 3_000
"""How many shorter runs are tried, at most: a long run of a large system takes a tenth of a second."""


class CannotWrite(OSError):
    """The folder for traces cannot be written; the message says why."""


def check_writable(folder: Path) -> None:
    """Raises `CannotWrite` if the folder neither is one that can be written nor can be made; makes nothing."""
    existing = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not existing.is_dir():
        raise CannotWrite(f"cannot write traces to {folder}: {existing} is a file")
    try:
        with TemporaryFile(dir=existing):
            pass
    except OSError as error:
        raise CannotWrite(f"cannot write traces to {folder}: {error.strerror}") from None


def smallest(failure: RunFailed) -> RunFailed:
    """The same failure without the steps that it can do without: a new run that leaves them out fails the same claim.
    What it says is not true may differ."""
    run, claim = failure.run, failure.claim

    def again(actions: tuple[int, ...]) -> tuple[int, ...] | None:
        shorter = run.again(actions, claim)
        return tuple(shorter.run.actions) if shorter else None

    return run.again(without_needless(run.model.stepper, again, run.actions, BUDGET), claim) or failure


def write(failure: RunFailed, folder: Path, seed: int, command: str) -> list[Path]:
    """Write the failing run into the folder: the paths of the Markdown and the JSON file. Raises `CannotWrite`."""
    shortest = smallest(failure)
    trace = shortest.trace
    name = f"{trace.claim}-{trace.revision}-{len(trace.steps)}-steps"
    return _write(folder, name, markdown(trace, failure, seed, command), as_json(trace))


def write_example(machine: str, error: Exception, folder: Path, seed: int, command: str) -> list[Path]:
    """Write what made a machine that runs alone fail: Hypothesis' smallest example, rule by rule. Returns the paths of
    the Markdown and the JSON file. Raises `CannotWrite`."""
    rules = [line for note in getattr(error, "__notes__", ()) for line in note.splitlines()]
    what = f"{type(error).__name__}: {error}"
    facts = {"machine": machine, "error": what, "seed": seed, "command": command, "rules": rules}
    report = [
        f"# The machine `{machine}` fails",
        f"Seed: {seed}. To repeat the search:\n\n    {command}",
        "\n".join(["```text", *rules, what, "```"]),
    ]
    return _write(folder, machine.replace(" ", "-"), "\n\n".join(report) + "\n", facts)


def _write(folder: Path, name: str, report: str, facts: dict[str, Any]) -> list[Path]:
    data = json.dumps(facts, indent=2) + "\n"
    base = folder / f"{name}-{hashlib.sha256(data.encode()).hexdigest()[:8]}"
    texts = {".md": report, ".json": data}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return [_written(base.with_name(base.name + ending), text) for ending, text in texts.items()]
    except OSError as error:
        raise CannotWrite(f"cannot write traces to {folder}: {error.strerror}") from error


def _written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def markdown(trace: Trace, failure: RunFailed, seed: int, command: str) -> str:
    """The report: what failed and where, how to repeat it, and every step with what it changed."""
    facts = [
        f"# `{trace.claim}` fails after {len(trace.steps)} steps",
        f"**Not true: {trace.failed}.**",
        f"Found by Hypothesis on {failure.run.model}; the smallest run that Hypothesis found has "
        f"{len(failure.run.actions)} steps.",
        f"Seed: {seed}. To repeat the search:\n\n    {command}",
    ]
    table = ["| step | node | action | what changes |", "|---|---|---|---|"]
    for number, step in enumerate(trace.steps, 1):
        changes = ", ".join(f"{name}: {before} → {after}" for name, (before, after) in step.changes.items())
        table.append(f"| {number} | {step.node} | `{step.call}` | {changes} |")
    return "\n\n".join([*facts, "\n".join(table)]) + "\n"
