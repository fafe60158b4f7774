"""`attestation trace`: the shortest counterexample or witness of a property."""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

from model.revisions import Revision
from model.scope import BadScope, Scope
from model.system import build
from properties.claims.catalogue import UnknownProperty, claim
from properties.claims.kinds import Kind, Property
from properties.claims.points_of_no_return import UNCLASSIFIED
from properties.commands.options import PLAIN, add_scope, repeating, say_idle_switches, scope_of
from properties.commands.statuses import Status
from properties.commands.terminal import Progress
from properties.commands.usage import UsageError, checked_revision, must_be_writable, read_text, unknown, write
from properties.engines.checking import Check
from properties.engines.packing import Packing
from properties.engines.workers import cores
from properties.render import FORMATS, CannotRender
from properties.render.interchange import BadDocument, read
from properties.render.story import Story
from properties.results.findings import FINDINGS, Finding
from properties.results.places import Place, places, shown_at
from properties.results.trace import BadTrace, Trace
from properties.results.verdicts import Reached, Verdict, Violated


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "property",
        nargs="?",
        metavar="PROPERTY",
        help="a property, such as progress_possible; or a finding, such as registry-minimum, which has its own scope",
    )
    add_scope(parser, instance=PLAIN["instance"])
    # Declared anew, since a trace that is read has a revision of its own.
    anew = parser.add_argument_group(conflict_handler="resolve")
    anew.add_argument("--revision", metavar="R", help="a revision, such as pr161+era2480")
    parser.add_argument(
        "--from",
        dest="source",
        type=Path,
        metavar="FILE",
        help="write a trace anew that was written as json (-: read it from the standard input), instead of searching; "
        "needs no PROPERTY and no --revision",
    )
    parser.add_argument("--kind", metavar="K", help="the kind of violation, such as registry_minimum")
    parser.add_argument("--format", default="markdown", metavar="F", help=f"{', '.join(FORMATS)} (markdown)")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write there instead of to the standard output")


def run(options: argparse.Namespace) -> int:
    """Search for the trace, or read it, and print it."""
    if options.format not in FORMATS:
        raise unknown("format", options.format, FORMATS)
    if options.source is not None:
        trace = _read(options)
        return Status.CUT_SHORT if trace is None else _show(trace, options)
    wanted = _wanted(options)
    return _search(wanted, options) if wanted is not None else Status.NONE


@dataclass(frozen=True)
class Wanted:
    """The trace to search for."""

    claim: Property
    kind: str | None
    revision: Revision
    scope: Scope


def _wanted(options: argparse.Namespace) -> Wanted | None:
    """What the options name: a property in a scope, or a finding, which has a scope of its own; None, which is said, if
    no scope has it. Raises `UsageError`."""
    finding = next((finding for finding in FINDINGS if finding.name == options.property), None)
    if finding is not None:
        return _shown(finding, options)
    if options.property is None or options.revision is None:
        raise UsageError("name a PROPERTY and a --revision to search for a trace, or with --from FILE one to read")
    chosen = _checked_property(options.property, options.kind)
    return Wanted(chosen, options.kind, *scope_of(options))


def _shown(finding: Finding, options: argparse.Namespace) -> Wanted | None:
    """Where the table of expectations has the finding: on the revision that is asked for, or where it shows best."""
    given = [name for name, usual in PLAIN.items() if getattr(options, name) != usual]
    if given or options.kind is not None:
        raise UsageError(f"{finding.name} is a finding, with a scope of its own; to name a scope, name a property")
    revision = checked_revision(options.revision).name if options.revision else None
    shown = shown_at(finding, revision)
    if shown is None:
        where = f" on {revision}" if revision else ""
        print(
            f"no trace: no search of the ledger shows {finding.name}{where}; docs/findings/README.md", file=sys.stderr
        )
        return None
    name, kind, place = shown
    return Wanted(claim(name), kind, checked_revision(place.revision), place.plan.scope)


def _search(wanted: Wanted, options: argparse.Namespace) -> int:
    if options.out is not None:
        must_be_writable(options.out)
    system = build(wanted.revision, wanted.scope)
    say_idle_switches(system, options.switches)
    exact = options.no_symmetry or wanted.claim.kind is Kind.EVENTUALLY
    symmetry = not exact and Packing(system).has_symmetry
    with Progress() as progress:
        done = Check(system, symmetry, options.max_states, progress.watch, cores())
        verdict = done.verdict(wanted.claim)
    trace = _trace_of(verdict, wanted.kind)
    if trace is None:
        _say_none(wanted, verdict, options)
        return Status.CUT_SHORT if verdict.word == "UNKNOWN" else Status.NONE
    return _show(trace, options)


def _read(options: argparse.Namespace) -> Trace | None:
    """The trace in the file; none, which is said, if it takes too long to confirm it. Raises `UsageError` if there is
    none, or if it is not a run of the model that shows what it is said to show."""
    given = [name for name in ("property", "revision", "kind") if getattr(options, name) is not None]
    if given:
        raise UsageError(f"with --from the file says what the trace is of; leave out {' and '.join(given)}")
    if options.out is not None:
        must_be_writable(options.out)
    try:
        trace = read(read_text(options.source))
        _checked_property(trace.claim, None)
        checked_revision(trace.revision)
        story = Story(trace)
    except OSError as error:
        raise UsageError(f"cannot read {options.source}: {error.strerror}; name a file that can be read") from None
    except UnicodeDecodeError as error:
        raise UsageError(f"{options.source}: not UTF-8 text ({error.reason} at byte {error.start})") from None
    except RecursionError:
        raise UsageError(f"{options.source}: a model of this scope is too large to build") from None
    except (BadDocument, BadScope, BadTrace, UsageError) as error:
        raise UsageError(f"{options.source}: {error}") from None
    if story.doubt is not None and not story.is_undecided:
        raise UsageError(f"{options.source}: the run does not show what it is said to show: {story.doubt}")
    if story.is_undecided:
        print(f"{options.source}: not confirmed: {story.doubt}", file=sys.stderr)
        return None
    # The figures of the search that found it cannot be read off the run.
    return trace.about(facts=None)


def _show(trace: Trace, options: argparse.Namespace) -> int:
    """Write the trace in the format that is asked for."""
    try:
        text = FORMATS[options.format](trace)
    except (CannotRender, BadTrace) as error:
        raise UsageError(str(error)) from None
    if options.out is not None:
        write(options.out, text)
    else:
        print(text, end="" if text.endswith("\n") else "\n")
    return Status.DONE


def _say_none(wanted: Wanted, verdict: Verdict, options: argparse.Namespace) -> None:
    """What was found instead of the trace, how to find it again, and where the table of expectations has one."""
    kind = f" of kind {wanted.kind}" if wanted.kind else ""
    name, where = wanted.claim.name, f"{wanted.revision.name}, {wanted.scope.instance.name}"
    print(f"no trace{kind}: {name} on {where}: {verdict}", file=sys.stderr)
    place = _elsewhere(wanted)
    if place is not None:
        print(f"there is one on {place.revision} in {place.plan.name}:", file=sys.stderr)
        print(f"  {_command(wanted, place.revision, place.plan.scope)}", file=sys.stderr)
    command = _command(wanted, wanted.revision.name, wanted.scope, options.no_symmetry, options.max_states)
    print(f"to repeat: {command}", file=sys.stderr)


def _command(wanted: Wanted, revision: str, scope: Scope, exact: bool = False, max_states: int | None = None) -> str:
    given = [("kind", wanted.kind)] if wanted.kind else []
    return repeating(f"trace {wanted.claim.name}", revision, scope, exact, max_states, more=given)


def _elsewhere(wanted: Wanted) -> Place | None:
    """The plainest place of the ledger that has such a trace: on the same revision, or else on any."""
    found = places(wanted.claim.name, wanted.kind, wanted.revision.name) or places(wanted.claim.name, wanted.kind)
    here = (wanted.revision.name, wanted.scope)
    return next((place for place in found if (place.revision, place.plan.scope) != here), None)


def _checked_property(name: str, kind: str | None) -> Property:
    try:
        chosen = claim(name)
    except UnknownProperty as error:
        raise unknown("property", name, error.known) from None
    kinds = [known.name for known in chosen.kinds]
    if kind is not None and not kinds:
        raise UsageError(f"{name} has no kinds of violations; leave --kind out")
    if kind is not None and kind not in (*kinds, UNCLASSIFIED):
        raise unknown(f"kind of {name}", kind, kinds)
    return chosen


def _trace_of(verdict: Verdict, kind: str | None) -> Trace | None:
    """The trace of a violation or witness: of this kind, or the shortest."""
    if isinstance(verdict, Violated):
        if kind is None:
            return verdict.trace
        return next((trace for trace in verdict.kinds if trace.kind == kind), None)
    return verdict.trace if isinstance(verdict, Reached) else None
