"""What is left of a run that failed: the trace as Markdown and JSON, with the seed and the command that repeats it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from properties.claims.catalogue import CATALOGUE
from properties.claims.kinds import Kind
from properties.stateful.search import Violation, shortened
from properties.stateful.system import RunFailed
from properties.trace import Trace, as_json, record


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


def smallest(failure: RunFailed) -> Trace:
    """The failing run without the steps that it can do without."""
    run, model = failure.run, failure.run.model
    claim = next((claim for claim in CATALOGUE if claim.name == failure.trace.claim), None)
    if claim is None or claim.kind is not Kind.ALWAYS:
        return failure.trace
    actions = shortened(model.stepper, Violation(model.stepper, claim), run.actions)
    return record(model.stepper, actions, claim.name).about(failed=failure.trace.failed)


def write(failure: RunFailed, folder: Path, seed: int, command: str) -> list[Path]:
    """Write the failing run into the folder: the paths of the Markdown and the JSON file. Raises `CannotWrite`."""
    trace = smallest(failure)
    name = f"{trace.claim}-{trace.revision}-{len(trace.steps)}-steps"
    return _write(folder, name, markdown(failure, trace, seed, command), as_json(trace))


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


def markdown(failure: RunFailed, trace: Trace, seed: int, command: str) -> str:
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
