"""`attestation trace`: the shortest counterexample or witness of a property."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from properties.commands.options import add_scope, repeating, scope_of
from properties.commands.terminal import Progress
from properties.commands.usage import UsageError, checked_revision, must_be_writable, unknown, write

if TYPE_CHECKING:
    from model.scope import Scope
    from properties.claims.kinds import Property
    from properties.trace import Trace
    from properties.verdicts import Verdict

NONE = 4
CUT_SHORT = 3
FORMATS = ("markdown", "mermaid", "itf", "json", "html", "pytest", "rust")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("property", nargs="?", metavar="PROPERTY", help="a property, such as progress_possible")
    add_scope(parser, instance="n2f0b0")
    # Declared anew, since a trace that is read has a revision of its own.
    anew = parser.add_argument_group(conflict_handler="resolve")
    anew.add_argument("--revision", metavar="R", help="a revision, such as pr161+era2480")
    parser.add_argument(
        "--from",
        dest="source",
        type=Path,
        metavar="FILE",
        help="write a trace anew that was written as json, instead of searching; needs no PROPERTY and no --revision",
    )
    parser.add_argument("--kind", metavar="K", help="the kind of violation, such as registry_minimum")
    parser.add_argument("--format", default="markdown", metavar="F", help=f"{', '.join(FORMATS)} (markdown)")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write there instead of to the standard output")


def run(options: argparse.Namespace) -> int:
    """Search for the trace, or read it, and print it."""
    if options.format not in FORMATS:
        raise unknown("format", options.format, FORMATS)
    if options.source is not None:
        return _show(_read(options), options)
    if options.property is None or options.revision is None:
        raise UsageError("name a PROPERTY and a --revision to search for a trace, or with --from FILE one to read")
    return _search(options)


def _search(options: argparse.Namespace) -> int:
    chosen = _checked_property(options.property, options.kind)
    revision, scope = scope_of(options)
    if options.out is not None:
        must_be_writable(options.out)
    from model.system import build
    from properties.checking import Check
    from properties.claims.kinds import Kind
    from properties.engines.packing import Packing

    system = build(revision, scope)
    exact = options.no_symmetry or chosen.kind is Kind.EVENTUALLY
    symmetry = not exact and Packing(system).has_symmetry
    with Progress() as progress:
        done = Check(system, symmetry, options.max_states, progress.watch)
        verdict = done.verdict(chosen)
    trace = _trace_of(verdict, options.kind)
    if trace is None:
        _say_none(chosen, verdict, options, scope)
        return CUT_SHORT if verdict.word == "UNKNOWN" else NONE
    return _show(trace, options)


def _read(options: argparse.Namespace) -> Trace:
    """The trace in the file. Raises `UsageError` if there is none, or if it is not a run of the model."""
    from model.scope import BadScope
    from properties.render.interchange import BadDocument, read
    from properties.trace import BadTrace, replay

    given = [name for name in ("property", "revision", "kind") if getattr(options, name) is not None]
    if given:
        raise UsageError(f"with --from the file says what the trace is of; leave out {' and '.join(given)}")
    if options.out is not None:
        must_be_writable(options.out)
    try:
        trace = read(options.source.read_text(encoding="utf-8-sig"))
        _checked_property(trace.claim, None)
        checked_revision(trace.revision)
        replay(trace)
    except OSError as error:
        raise UsageError(f"cannot read {options.source}: {error.strerror}; name a file that can be read") from None
    except UnicodeDecodeError as error:
        raise UsageError(f"{options.source}: not UTF-8 text ({error.reason} at byte {error.start})") from None
    except (BadDocument, BadScope, BadTrace, UsageError) as error:
        raise UsageError(f"{options.source}: {error}") from None
    return trace


def _show(trace: Trace, options: argparse.Namespace) -> int:
    """Write the trace in the format that is asked for."""
    from properties.render import FORMATS as RENDERERS
    from properties.render import CannotRender
    from properties.trace import BadTrace

    try:
        text = RENDERERS[options.format](trace)
    except (CannotRender, BadTrace) as error:
        raise UsageError(str(error)) from None
    if options.out is not None:
        write(options.out, text)
    else:
        print(text, end="" if text.endswith("\n") else "\n")
    return 0


def _say_none(claim: Property, verdict: Verdict, options: argparse.Namespace, scope: Scope) -> None:
    """What was found instead of the trace, and how to find it again."""
    kind = f" of kind {options.kind}" if options.kind else ""
    given = [("kind", options.kind)] if options.kind else []
    command = repeating(
        f"trace {claim.name}", options.revision, scope, options.no_symmetry, options.max_states, more=given
    )
    print(f"no trace{kind}: {claim.name} on {options.revision}, {options.instance}: {verdict}", file=sys.stderr)
    print(f"to repeat: {command}", file=sys.stderr)


def _checked_property(name: str, kind: str | None) -> Property:
    from properties.claims.catalogue import UnknownProperty, claim
    from properties.claims.points_of_no_return import UNCLASSIFIED

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
    from properties.verdicts import Reached, Violated

    if isinstance(verdict, Violated):
        if kind is None:
            return verdict.trace
        return next((trace for trace in verdict.kinds if trace.kind == kind), None)
    return verdict.trace if isinstance(verdict, Reached) else None
