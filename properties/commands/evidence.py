"""The folder of `attestation check`: a report and a trace for each violation, an index of them, and all verdicts."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from properties.claims.catalogue import CATALOGUE
from properties.commands.outcome import Outcome
from properties.commands.usage import is_marked, must_not_replace, must_take_files, write
from properties.engines.workers import Workers
from properties.render.command import repeat
from properties.results.findings import RAN
from properties.results.ledger import Entry, render, render_all, reports
from properties.results.summary import columns, holding, legend, rows
from properties.results.trace import Trace

INDEX = "README.md"
LEDGER = "ledger.txt"


TITLE = "# What goes wrong"
WRITTEN = f"{TITLE}\n\nWritten by `attestation check"
"""How an index begins, by which a folder is known for one of these."""


def begin(folder: Path, revisions: Iterable[str], command: str) -> None:
    """Remove the reports that earlier runs wrote on these revisions, and nothing else; the index then says that the run
    has not ended. Raises `UsageError`, and changes nothing, where files stand in the way that no run has written."""
    must_take_files(folder)
    index, old = folder / INDEX, list(_reports(folder, revisions))
    if not is_marked(index, WRITTEN):
        must_not_replace([index, folder / LEDGER, *old], "check")
    for file in old:
        file.unlink(missing_ok=True)
    write(index, f"{TITLE}\n\nWritten by `{command}`, which has not ended.\n")


def _reports(folder: Path, revisions: Iterable[str]) -> Iterator[Path]:
    """The files there that have the names of reports on these revisions."""
    ours = re.compile(rf"(?:{'|'.join(claim.name for claim in CATALOGUE)})(?:\.\w+)?\.(?:md|json)")
    for revision in revisions:
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            yield from (file for file in (folder / revision).iterdir() if ours.fullmatch(file.name) and file.is_file())


def write_reports(folder: Path, entries: list[Entry], workers: Workers | None = None) -> Iterator[Path]:
    """Write each violation as JSON and as Markdown; yields each file that is written. Without workers it is JSON only,
    which takes no time: what a report in Markdown says besides is the result of further searches. Revisions with the
    very same run have one such report, and refer to it."""
    chosen = [trace for _, trace in reports(entries)]
    for trace in chosen:
        yield _written(folder / place(trace, "json"), render("json", trace))
    if workers:
        firsts: dict[str, Trace] = {}
        for trace in sorted(chosen, key=lambda trace: trace.revision not in RAN):
            firsts.setdefault(_run(trace), trace)
        for trace, text in zip(firsts.values(), render_all(firsts.values(), "markdown", workers), strict=True):
            yield _written(folder / place(trace, "md"), text)
        for trace in chosen:
            if (first := firsts[_run(trace)]) is not trace:
                yield _written(folder / place(trace, "md"), _reference(trace, first))


def _written(file: Path, text: str) -> Path:
    write(file, text)
    return file


def _run(trace: Trace) -> str:
    """All of the trace but its revision."""
    return repr(trace.about(revision=""))


def _reference(trace: Trace, first: Trace) -> str:
    """What stands in place of a report that would repeat another."""
    return (
        f"On `{trace.revision}` this is, step by step, [the run on `{first.revision}`](../{place(first, 'md')}). "
        f"The report in full:\n\n```\n{repeat(trace, 'markdown')}\n```\n"
    )


def place(trace: Trace, suffix: str) -> str:
    """Where the report of a trace is, within the folder."""
    name = f"{trace.claim}.{trace.kind}" if trace.kind else trace.claim
    return f"{trace.revision}/{name}.{suffix}"


def write_index(folder: Path, done: Outcome) -> None:
    write(folder / LEDGER, done.everything())
    write(folder / INDEX, "".join(f"{line}\n" for line in _index(done)))


def _index(done: Outcome) -> Iterator[str]:
    suffix = "json" if done.stopped else "md"
    shown = columns(done.entries)
    yield f"{TITLE}\n"
    how = "" if done.is_complete else ", which was CUT SHORT"
    yield f"Written by `{done.command}`{how}. The figures are the lengths of the runs, in steps, and"
    yield "lead to the reports; each has its trace as JSON beside it.\n"
    yield f"| finding | severity | {' | '.join(column.title for column in shown)} | scope | see it |"
    yield f"| --- | --- |{' --- |' * len(shown)} --- | --- |"
    for row in rows(done.entries):
        lengths = (
            f"[{row.shown[each].length}]({place(row.shown[each].trace, suffix)})" if each in row.shown else "-"
            for each in shown
        )
        finding = row.finding
        cells = [finding.title, finding.severity, *lengths, row.best.place, f"`attestation trace {finding.name}`"]
        yield f"| {' | '.join(cells)} |"
    yield ""
    yield from (f"{line}\n" for line in holding(done.entries))
    yield f"All verdicts: [{LEDGER}]({LEDGER}). All reports:\n"
    for entry, trace in sorted(reports(done.entries), key=lambda each: place(each[1], suffix)):
        yield f"* [{place(trace, suffix)}]({place(trace, suffix)}): {entry.plan.name}"
    yield f"\n```\n{legend(done.summary())}\n```"
