"""Wrong usage: one clear line, exit status 2, nothing written."""

from __future__ import annotations

import argparse
import contextlib
import difflib
import errno
import os
import re
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from model.revisions import Revision, UnknownRevision, idle_parts, revision
from model.scope import BadInstance, Instance, instance

MOST_DIGITS = 18
"""Longer numbers are a slip of the hand, and do not fit into what counts states."""

MOST_PROCESSES = 256


class UsageError(Exception):
    """What the user asked for cannot be done as asked; the message says what is wrong and what would be right."""


def unknown(what: str, name: str, known: Iterable[str]) -> UsageError:
    """The error for a name that does not exist, with near matches, or all names where none is near."""
    names = list(known)
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else f"there are: {', '.join(names)}"
    return UsageError(f"unknown {what} {name!r}; {hint}")


def checked_revision(name: str) -> Revision:
    """The revision of this name; says on stderr which of its parts change nothing. Raises `UsageError`."""
    try:
        named = revision(name)
    except UnknownRevision as error:
        raise unknown("revision", name, error.known) from None
    for part in idle_parts(name):
        print(f"{part} changes nothing in {name}: all that it switches is so without it", file=sys.stderr)
    return named


def checked_instance(name: str) -> Instance:
    """The instance of this name. Raises `UsageError`."""
    try:
        return instance(name)
    except BadInstance as error:
        raise UsageError(str(error)) from None


def positive(text: str) -> int:
    """A whole number from 1 on, in plain digits, for argparse."""
    if not re.fullmatch(r"-?(0|[1-9][0-9]*)", text) or len(text) > MOST_DIGITS:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at most {MOST_DIGITS} digits")
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not 1 or more")
    return number


def processes(text: str) -> int:
    """A number of processes, for argparse."""
    number = positive(text)
    if number > MOST_PROCESSES:
        raise argparse.ArgumentTypeError(f"{text} processes are too many; at most {MOST_PROCESSES}")
    return number


def counted(number: int, noun: str) -> str:
    """So many of these: `1 state`, `2 batches`."""
    plural = "es" if noun.endswith(("ch", "ss")) else "s"
    return f"{number:,} {noun}{plural if number != 1 else ''}"


def read_text(file: Path) -> str:
    """The text of a file in UTF-8; of the standard input, if it is `-`. Raises `OSError` and `UnicodeDecodeError`."""
    if str(file) == "-":
        return sys.stdin.buffer.read().decode("utf-8-sig") if sys.stdin is not None else ""
    return file.read_text(encoding="utf-8-sig")


def must_take_files(folder: Path) -> None:
    """Raises `UsageError` unless files can be written into the folder, which need not exist. Makes nothing."""
    with _writing(folder, "a folder that can be written"):
        existing = next(path for path in (folder, *folder.absolute().parents) if path.exists())
        with tempfile.TemporaryFile(dir=existing):
            pass


def folder(text: str) -> Path:
    """A folder, for argparse, which would take an empty name for the one that the command runs in."""
    if not text:
        raise argparse.ArgumentTypeError("the name of the folder is empty; '.' is the one that this runs in")
    return Path(text)


HEAD_BYTES = 4096
"""So near its beginning a file says what has written it."""


def is_marked(file: Path, mark: str) -> bool:
    """Whether a file has these words near its beginning, by which a command knows what it has written."""
    if not file.is_file():
        return False
    with _writing(file), file.open("rb") as opened:
        return mark.encode() in opened.read(HEAD_BYTES)


def must_not_replace(files: Iterable[Path], command: str) -> None:
    """Raises `UsageError` if there is one of these files, which the command has not written."""
    for file in files:
        if os.path.lexists(file):
            raise UsageError(f"{file} was not written by 'attestation {command}'; name another folder, or move it away")


def must_be_writable(file: Path) -> None:
    """Raises `UsageError` unless the file can be written; neither it nor its folder needs to exist. Makes nothing."""
    with _writing(file):
        if not file.name or file.is_dir():
            raise IsADirectoryError(errno.EISDIR, "that is a folder")
        if _is_device(file):
            if not os.access(file, os.W_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
            return
        existing = next(path for path in file.absolute().parents if path.exists())
        with tempfile.TemporaryFile(dir=existing):
            pass


def write(file: Path, text: str) -> None:
    """Write a file as a whole, or not at all. Raises `UsageError` if it cannot be written."""
    with _writing(file):
        if not file.name or _is_device(file):
            file.write_text(text, encoding="utf-8")
            return
        file.parent.mkdir(parents=True, exist_ok=True)
        # Two runs may write the same file at once: whichever is last has written it, and as a whole.
        partial = file.with_name(f".{file.name}.{os.getpid()}.partial")
        try:
            partial.write_text(text, encoding="utf-8")
            partial.replace(file)
        except BaseException:
            with contextlib.suppress(OSError):
                partial.unlink()
            raise


def _is_device(file: Path) -> bool:
    """Whether this is something like `/dev/stdout`, which must be written to and not replaced."""
    return file.exists() and not file.is_file() and not file.is_dir()


@contextlib.contextmanager
def _writing(path: Path, right: str = "a file in a folder that can be written") -> Iterator[None]:
    """Turns what the system says against writing there into a `UsageError` about this path."""
    try:
        yield
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}; name {right}") from None
