"""Wrong usage: one clear line, exit status 2, nothing written."""

from __future__ import annotations

import argparse
import contextlib
import difflib
from collections.abc import Iterable
from pathlib import Path

from model.revisions import Revision, UnknownRevision, revision
from model.scope import BadInstance, Instance, instance


class UsageError(Exception):
    """What the user asked for cannot be done as asked; the message says what is wrong and what would be right."""


def unknown(what: str, name: str, known: Iterable[str]) -> UsageError:
    """The error for a name that does not exist, with near matches, or all names where none is near."""
    names = list(known)
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else f"there are: {', '.join(names)}"
    return UsageError(f"unknown {what} {name!r}; {hint}")


def checked_revision(name: str) -> Revision:
    """The revision of this name. Raises `UsageError`."""
    try:
        return revision(name)
    except UnknownRevision as error:
        raise unknown("revision", name, error.known) from None


def checked_instance(name: str) -> Instance:
    """The instance of this name. Raises `UsageError`."""
    try:
        return instance(name)
    except BadInstance as error:
        raise UsageError(str(error)) from None


def positive(text: str) -> int:
    """A whole number from 1 on, for argparse."""
    try:
        number = int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number") from None
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not 1 or more")
    return number


def write(path: Path, text: str) -> None:
    """Write a file as a whole, or not at all. Raises `UsageError` if it cannot be written."""
    partial = path.with_name(f".{path.name}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(text, encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            partial.unlink()
        raise UsageError(
            f"cannot write {path}: {error.strerror}; name a file in a folder that can be written"
        ) from None
