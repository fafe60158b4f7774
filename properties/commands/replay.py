"""`attestation replay`: does a recording of the real system fit the model?"""

from __future__ import annotations

import argparse
import itertools
import json
import re
from collections.abc import Iterator
from pathlib import Path

from model.revisions import Revision
from properties.claims.catalogue import CATALOGUE
from properties.commands.usage import UsageError, checked_revision, folder, must_take_files, write
from properties.logs import report
from properties.logs.findings import Finding, UnprovedStop, findings
from properties.logs.following import Accepted, Rejected, UnfitRevision, follow
from properties.logs.reading import NO_HEADER, read_runs, without_blank_end
from properties.recordings import Agreement, replay_controller, replay_registry
from properties.recordings.format import (
    FORMATS,
    MalformedRecording,
    RecordingKind,
    open_recording,
    parsed,
    recording_kind,
)
from properties.results.trace import as_json

ACCEPTED = 0
REJECTED = 1


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "log",
        type=Path,
        metavar="LOG",
        help="scenarios of a vote registry or a controller, or system logs; plain or gzipped; -: the standard input",
    )
    parser.add_argument("--revision", metavar="R", help="a revision, such as pr161+era2480; by default the log's own")
    parser.add_argument("--json", action="store_true", help="one JSON object per line, for each run")
    parser.add_argument(
        "--out",
        type=folder,
        metavar="DIR",
        help="write the trace of each finding into this folder; replaces those of an earlier log",
    )
    parser.add_argument(
        "--fail-on-violation", action="store_true", help="exit status 1 also for an accepted run with findings"
    )


def run(options: argparse.Namespace) -> int:
    """Replay a file of either kind, and print what came of it as it comes."""
    chosen = None if options.revision is None else checked_revision(options.revision)
    if options.out is not None:
        must_take_files(options.out)
    lines = _read(options.log)
    try:
        first = next(lines, None)
        if first is None:
            raise MalformedRecording(1, "the recording is empty")
        first = first.removeprefix("\ufeff")
        everything = without_blank_end(itertools.chain([first], lines))
        kind = recording_kind(first)
        if kind in FORMATS.values():
            return _replay_runs(everything, chosen, options)
        if "event" in parsed(1, first):
            raise MalformedRecording(1, NO_HEADER)
        return _replay_scenarios(kind, everything, options)
    except (MalformedRecording, UnfitRevision) as error:
        raise UsageError(f"{options.log}: {error}") from None


def _read(log: Path) -> Iterator[str]:
    """The lines of the file. Raises `UsageError` if it cannot be read, but not for what is done with the lines."""
    try:
        with open_recording(log) as lines:
            yield from lines
    except OSError as error:
        raise UsageError(f"cannot read {log}: {error.strerror}; name a file that can be read") from None


def _replay_scenarios(kind: RecordingKind, lines: Iterator[str], options: argparse.Namespace) -> int:
    if options.revision is not None:
        raise UsageError(
            "--revision is for system logs; scenarios are replayed by the rules that they were recorded by"
        )
    outcome = (replay_controller if kind is RecordingKind.CONTROLLER else replay_registry)(lines)
    if isinstance(outcome, Agreement):
        agreed = {"verdict": "accepted", "scenarios": outcome.scenarios, "steps": outcome.steps}
        print(json.dumps(agreed) if options.json else f"accepted: {outcome.scenarios} scenarios, {outcome.steps} steps")
        return ACCEPTED
    print(json.dumps(report.difference_json(outcome)) if options.json else "\n".join(report.difference_lines(outcome)))
    return REJECTED


def _replay_runs(lines: Iterator[str], chosen: Revision | None, options: argparse.Namespace) -> int:
    accepted = rejected = violated = 0
    if options.out is not None:
        _remove_traces(options.out)
    try:
        for recorded in read_runs(lines):
            outcome = follow(recorded, chosen)
            found = list(findings(outcome)) if isinstance(outcome, Accepted) else []
            if isinstance(outcome, Accepted):
                _write_traces(outcome, found, options.out)
                told, fields = report.accepted_lines(outcome, found), report.accepted_json(outcome, found)
            else:
                told, fields = report.rejected_lines(outcome), report.rejected_json(outcome)
            # At once: a long file can be watched, and an interrupt leaves what is finished.
            print(json.dumps(fields) if options.json else "\n".join(told), flush=True)
            accepted += isinstance(outcome, Accepted)
            rejected += isinstance(outcome, Rejected)
            violated += bool(found)
    except KeyboardInterrupt:
        if not options.json:
            print(f"CUT SHORT: {accepted} of the first {accepted + rejected} runs accepted")
        raise
    if not options.json:
        print(f"{accepted} of {accepted + rejected} runs accepted")
    return REJECTED if rejected or (violated and options.fail_on_violation) else ACCEPTED


def _remove_traces(folder: Path) -> None:
    """Remove the traces that an earlier replay has written, and nothing else."""
    ours = re.compile(rf"run-[0-9]+-(?:{'|'.join(claim.name for claim in CATALOGUE)})\.json")
    for file in list(folder.iterdir()) if folder.is_dir() else ():
        if ours.fullmatch(file.name) and file.is_file():
            file.unlink(missing_ok=True)


def _write_traces(accepted: Accepted, found: list[Finding], folder: Path | None) -> None:
    for finding in found:
        if folder is not None and not isinstance(finding, UnprovedStop):
            name = f"run-{accepted.run.number}-{finding.trace.claim}.json"
            write(folder / name, json.dumps(as_json(finding.trace), indent=2) + "\n")
