"""`attestation export`: the built system in the language of another engine."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from model.service import AttestationSystem
from model.system import build
from properties.claims.kinds import Kind, Property
from properties.commands.options import add_model, say_idle_switches, scope_of
from properties.commands.statuses import Status
from properties.commands.usage import UsageError, must_be_writable, positive, unknown, write
from properties.export.claims import Claims
from properties.export.promela import Unwritable, promela
from properties.export.smtlib import smtlib
from properties.export.tla import tla

FORMATS = ("promela", "tla", "smt2")

DEEPEST = 100
"""A bounded query of more steps no solver answers."""


def configure(parser: argparse.ArgumentParser) -> None:
    add_model(parser)
    parser.add_argument("--format", required=True, metavar="F", help=", ".join(FORMATS))
    parser.add_argument(
        "--property",
        action="append",
        metavar="P",
        help="smt2: what is asked; may be repeated (every property that a state can violate)",
    )
    parser.add_argument(
        "--depth",
        type=positive,
        metavar="K",
        help="smt2: ask whether a run of at most K steps gets there (whether the property is inductive)",
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help="write there, not to the standard output; for tla NAME.tla, with NAME.cfg and NAME_live.cfg beside it",
    )


def run(options: argparse.Namespace) -> int:
    """Write the system."""
    if options.format not in FORMATS:
        raise unknown("format", options.format, FORMATS)
    if options.format != "smt2" and (options.property or options.depth):
        raise UsageError(f"--property and --depth are for smt2; {options.format} has all properties that it can say")
    if options.depth and options.depth > DEEPEST:
        raise UsageError(f"--depth {options.depth} is too deep; at most {DEEPEST}")
    files = _files(options)
    revision_and_scope = scope_of(options)
    system = build(*revision_and_scope)
    say_idle_switches(system, options.switches)
    texts = _texts(system, options)
    if not files:
        print(*texts, sep="\n", end="")
    for file, text in zip(files, texts, strict=False):
        write(file, text)
    return Status.DONE


def _files(options: argparse.Namespace) -> list[Path]:
    """What is to be written; nothing without `--out`. Raises `UsageError` for what cannot be."""
    if options.out is None:
        return []
    files = [options.out]
    if options.format == "tla":
        if not re.fullmatch(r"[A-Za-z]\w*\.tla", options.out.name, re.ASCII):
            raise UsageError(f"--out {options.out}: a module is named like its file, as in --out Attestation.tla")
        files += [options.out.with_name(f"{options.out.stem}{end}.cfg") for end in ("", "_live")]
    for file in files:
        must_be_writable(file)
    return files


def _texts(system: AttestationSystem, options: argparse.Namespace) -> tuple[str, ...]:
    if options.format == "promela":
        try:
            return (promela(system),)
        except Unwritable as error:
            raise UsageError(f"{error}; tla and smt2 have larger ones") from None
    if options.format == "tla":
        exported = tla(system, options.out.stem if options.out else "Attestation")
        return exported.module, exported.invariants, exported.live
    return (smtlib(system, _claims(system, options), options.depth),)


def _claims(system: AttestationSystem, options: argparse.Namespace) -> list[Property]:
    """The properties that are asked about. Raises `UsageError`."""
    always, sometimes = (list(Claims(system).of(kind)) for kind in (Kind.ALWAYS, Kind.SOMETIMES))
    if not options.property:
        return always
    known = {claim.name: claim for claim in (*always, *(sometimes if options.depth else ()))}
    for name in options.property:
        if name in (claim.name for claim in sometimes) and not options.depth:
            raise UsageError(f"{name} is about some state, and cannot be inductive; give --depth to search for it")
        if name not in known:
            raise unknown("property of states in this scope", name, known)
    return [known[name] for name in dict.fromkeys(options.property)]
