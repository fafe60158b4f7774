"""Recordings of the real code: how a file of them is opened, what kind it is, and how its format is written down.

A recording is text, one JSON object a line, perhaps gzipped, and is read line by line. The format is data: a *shape*
is a function that raises `WrongShape` for a value that does not fit.
"""

from __future__ import annotations

import gzip
import io
import json
import re
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from enum import Enum
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from model.committee import U64_MAX

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

GZIP_MAGIC: Final = b"\x1f\x8b"
SHOWN_CHARACTERS: Final = 60
U64_DIGITS: Final = len(str(U64_MAX))
THE_LINE: Final = "the line"


class RecordingKind(Enum):
    """What a recording records: the scenarios of a single component, or, in a format with a name, runs of a system."""

    VOTE_REGISTRY = "registry scenarios"
    CONTROLLER = "controller scenarios"
    REGISTRY_LOG = "attestation-log/1"
    CONTROLLER_LOG = "attestation-log/2"


FORMATS: Final = {kind.value: kind for kind in (RecordingKind.REGISTRY_LOG, RecordingKind.CONTROLLER_LOG)}
ONLY_CONTROLLERS: Final = {"committees", "thresholds", "key"}
"""The fields that tell a scenario of a controller from one of a vote registry."""


class MalformedRecording(ValueError):
    """Line `line` (from 1) of a recording is not what the format asks for; `problem` says why."""

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(f"line {line}: {problem}")
        self.line = line
        self.problem = problem


class Absent(Enum):
    """Stands for a value that one side of a comparison does not have."""

    ABSENT = "absent"


ABSENT: Final = Absent.ABSENT


@contextmanager
def open_recording(path: Path) -> Iterator[Iterator[str]]:
    """The lines of a recording, plain or gzipped (known by its content or by the ending `.gz`); `-` is the standard
    input.

    Raises `OSError` if the file cannot be opened and, from the lines, `MalformedRecording` if it is not UTF-8 text or
    a damaged gzip stream.
    """
    with nullcontext(sys.stdin.buffer) if str(path) == "-" else path.open("rb") as file:
        # A pipe may deliver one byte first, so they are waited for; and cannot be read twice.
        begin = file.read(len(GZIP_MAGIC))
        whole = io.BufferedReader(_Begun(begin, file))
        gzipped = path.suffix == ".gz" or begin == GZIP_MAGIC
        yield _decoded(gzip.GzipFile(fileobj=whole) if gzipped else whole)


class _Begun(io.RawIOBase):
    """A file of which the first bytes have been read."""

    def __init__(self, begin: bytes, rest: BinaryIO) -> None:
        self.begin, self.rest = begin, rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        room = memoryview(buffer)
        found = self.begin[: len(room)] or self.rest.read(len(room))
        self.begin = self.begin[len(found) :]
        room[: len(found)] = found
        return len(found)


def recording_kind(first_line: str) -> RecordingKind:
    """What kind of recording begins with this line. Raises `MalformedRecording` if none does."""
    header = parsed(1, first_line)
    if "format" in header:
        return FORMATS[log_format(1, header)]
    return RecordingKind.CONTROLLER if ONLY_CONTROLLERS & header.keys() else RecordingKind.VOTE_REGISTRY


def log_format(number: int, header: Mapping[str, Any]) -> str:
    """The format that a header line names. Raises `MalformedRecording` for one that is not known."""
    name = header["format"]
    if isinstance(name, str) and name in FORMATS:
        return name
    raise MalformedRecording(
        number,
        f"unknown format {shown(name)}; known are {' and '.join(map(repr, FORMATS))}, or no format for scenarios of a "
        "single component",
    )


def _decoded(file: Iterable[bytes]) -> Iterator[str]:
    number = 0
    try:
        for number, line in enumerate(file, start=1):
            yield _utf8(number, line)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise MalformedRecording(number + 1, f"damaged gzip stream ({error})") from error


def _utf8(number: int, line: bytes) -> str:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedRecording(number, f"not UTF-8 text ({error.reason} at byte {error.start})") from error


def parsed(number: int, line: str) -> dict[str, Any]:
    """The JSON object on a line. Raises `MalformedRecording`."""
    try:
        value = json.loads(line, object_pairs_hook=without_repetition)
    except WrongShape as error:
        raise MalformedRecording(number, str(error)) from error
    except json.JSONDecodeError as error:
        raise MalformedRecording(number, f"not JSON (column {error.colno}: {error.msg})") from error
    except ValueError as error:
        # The one other thing that the parser refuses is an integer of thousands of digits.
        raise MalformedRecording(number, "an integer is far beyond 2^64 - 1") from error
    except RecursionError as error:
        raise MalformedRecording(number, "nested too deeply") from error
    if not isinstance(value, dict):
        raise MalformedRecording(number, f"the line is {shown(value)}; it must be a JSON object")
    return value


def without_repetition(fields: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of these fields; JSON itself would let the last of two with one name win."""
    value = dict(fields)
    if len(value) != len(fields):
        names = [name for name, _ in fields]
        repeated = next(name for name in names if names.count(name) > 1)
        raise WrongShape(f"field {shown(repeated)} is given twice in one object")
    return value


def first_difference(path: str, recorded: object, modelled: object) -> tuple[str, object, object]:
    """Where two JSON values that differ do so first, by the order of names: the path, and what each side has there."""
    here, there = _parts(recorded), _parts(modelled)
    if here is None or there is None:
        return path, recorded, modelled
    name = min(name for name in here.keys() | there.keys() if here.get(name, ABSENT) != there.get(name, ABSENT))
    return first_difference(below(path, name), here.get(name, ABSENT), there.get(name, ABSENT))


def _parts(value: object) -> Mapping[Any, object] | None:
    """The parts of an object by name, or of a list by index; none for a value without parts."""
    return value if isinstance(value, dict) else dict(enumerate(value)) if isinstance(value, list) else None


# The format: a shape checks a value found at a path, and says what is wrong with it.


class WrongShape(ValueError):
    """A value is not of the shape that its place asks for."""


Shape = Callable[[str, Any], None]


def require(holds: bool, path: str, value: object, expected: str) -> None:
    """Raise `WrongShape` about the value at the path unless `holds`."""
    if not holds:
        raise WrongShape(f"{path} is {shown(value)}; it must be {expected}")


def shown(value: object) -> str:
    """A JSON value for a message: long ones are cut."""
    text = repr(value) if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}…"


def below(path: str, name: str | int) -> str:
    """The path of a part."""
    # A message is one line, so a name with, say, a line break is shown with escapes.
    printable = str(name) if str(name).isprintable() else repr(name)
    return f"{path}.{printable}" if path else printable


def u64(path: str, value: Any) -> None:
    """An integer that fits into 64 bits without a sign; JSON's true is no integer."""
    require(type(value) is int and 0 <= value <= U64_MAX, path, value, "an integer from 0 to 2^64 - 1")


def u64_text(path: str, value: Any) -> None:
    """A `u64` in decimal, the only way in which JSON can have one as a name."""
    canonical = value.isascii() and value.isdigit() and len(value) <= U64_DIGITS and str(int(value)) == value
    require(canonical and int(value) <= U64_MAX, path, value, "a decimal integer from 0 to 2^64 - 1")


def text(path: str, value: Any) -> None:
    require(isinstance(value, str), path, value, "a string")


def name(path: str, value: Any) -> None:
    """The name of a node or an attester. Variables of the model are named after it, with dots and hyphens between their
    parts, and reports and diagrams have it where other characters could mean something."""
    is_name = isinstance(value, str) and re.fullmatch("[A-Za-z0-9_]+", value)
    require(bool(is_name), path, value, "a name of letters, digits and _")


def boolean(path: str, value: Any) -> None:
    require(isinstance(value, bool), path, value, "true or false")


def null(path: str, value: Any) -> None:
    require(value is None, path, value, "null")


def one_of(*words: str) -> Shape:
    """One of these strings."""
    return lambda path, value: require(
        isinstance(value, str) and value in words, path, value, " or ".join(map(repr, words))
    )


def word_or(words: str | tuple[str, ...], shape: Shape) -> Shape:
    """This string, or one of these, or a value of the shape."""
    word = one_of(*((words,) if isinstance(words, str) else words))

    def check(path: str, value: Any) -> None:
        if isinstance(value, str):
            word(path, value)
        else:
            shape(path, value)

    return check


def nullable(shape: Shape) -> Shape:
    return lambda path, value: None if value is None else shape(path, value)


def list_of(shape: Shape) -> Shape:

    def check(path: str, value: Any) -> None:
        require(isinstance(value, list), path, value, "a list")
        for index, item in enumerate(value):
            shape(below(path, index), item)

    return check


def map_of(shape: Shape, names: Shape = text) -> Shape:
    """An object with any number of fields, whose names are of one shape and whose values of another."""

    def check(path: str, value: Any) -> None:
        require(isinstance(value, dict), path, value, "an object")
        for name, item in value.items():
            names(f"a name in {path}", name)
            shape(below(path, name), item)

    return check


def record(optional: Mapping[str, Shape] = MappingProxyType({}), /, **fields: Shape) -> Shape:
    """An object with exactly these fields, and perhaps some of the optional ones."""
    known = {**fields, **optional}

    def check(path: str, value: Any) -> None:
        require(isinstance(value, dict), path or THE_LINE, value, "an object")
        for name in value:
            if name not in known:
                raise WrongShape(f"unknown field {shown(below(path, name))}; known are {', '.join(known)}")
        for name in fields:
            if name not in value:
                raise WrongShape(f"missing field {shown(below(path, name))}")
        for name, item in value.items():
            known[name](below(path, name), item)

    return check


def tagged(**shapes: Shape) -> Shape:
    """An object with one field, whose name tells the shape of its value."""

    def check(path: str, value: Any) -> None:
        single = isinstance(value, dict) and len(value) == 1 and value.keys() <= shapes.keys()
        require(single, path, value, f"an object with one field, {' or '.join(shapes)}")
        for name, item in value.items():
            shapes[name](below(path, name), item)

    return check


def step_by(tag: str, **shapes: Shape) -> Shape:
    """An object whose field `tag` tells its shape."""

    def check(path: str, value: Any) -> None:
        require(isinstance(value, dict), path or THE_LINE, value, "an object")
        if tag not in value:
            raise WrongShape(f"missing field {shown(below(path, tag))}")
        one_of(*shapes)(below(path, tag), value[tag])
        shapes[value[tag]](path, value)

    return check
