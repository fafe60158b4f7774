"""The switches of a scope as text: `restarts=any`, `topology=relay`, `echo=yes`.

They are read from the command line, and written in the names of scopes and in the commands that repeat a trace.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, fields, replace

from model.scope import Scope

Value = str | int | bool | None

ANY = "any"
"""No bound on the number of faults; None in `Scope`."""

DEFAULTS: Mapping[str, Value] = {
    field.name: field.default
    for field in fields(Scope)
    if field.name not in ("batches", "handed_on") and field.default is not MISSING
}
"""The switches, each with the value that it has where nothing else is said; `handed_on`, for logs alone, is none."""

UNBOUNDED = ("restarts", "disconnects", "errors", "stale_answers")
"""The switches that may be `ANY`."""

TEXT = re.compile("[A-Za-z0-9_,; ]*")
"""A value that is a text: names, numbers and words. Reports have it where other characters could mean something."""

MOST = 9
"""The largest count that a switch takes: a state has room for it, and searches end long before."""


class BadSwitch(ValueError):
    """A switch or value that does not exist; the message says what would be right. `name` is that of a switch that is
    not known, empty otherwise."""

    def __init__(self, message: str, name: str = "") -> None:
        super().__init__(message)
        self.name = name


def parse(text: str) -> tuple[str, Value]:
    """The switch and its value in a text like `restarts=1`. Raises `BadSwitch`."""
    name, equals, value = text.partition("=")
    if name not in DEFAULTS:
        raise BadSwitch(f"unknown switch {name!r}", name)
    if not equals:
        raise BadSwitch(f"switch {name} has no value; write {name}={written(DEFAULTS[name]) or '…'}")
    default = DEFAULTS[name]
    if isinstance(default, bool):
        if value not in ("yes", "no"):
            raise BadSwitch(f"{text}: {name} is yes or no")
        return name, value == "yes"
    if isinstance(default, str):
        if not TEXT.fullmatch(value):
            raise BadSwitch(f"{name}={value!r}: a value has letters and digits, and _ , ; or blanks between them")
        return name, value
    if value == ANY and name in UNBOUNDED:
        return name, None
    if value not in map(str, range(MOST + 1)):
        more = f", or {ANY}" if name in UNBOUNDED else ""
        raise BadSwitch(f"{text}: {name} is a number from 0 to {MOST}{more}")
    return name, int(value)


def written(value: Value) -> str:
    """A value as `parse` reads it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ANY if value is None else str(value)


def texts(switches: Iterable[tuple[str, Value]]) -> list[str]:
    """Switches as `parse` reads them."""
    return [f"{name}={written(value)}" for name, value in switches]


def switched(scope: Scope, switches: Iterable[tuple[str, Value]]) -> Scope:
    """The scope with these switches set. Raises `model.scope.BadScope` if they do not go together."""
    return replace(scope, **dict(switches))  # type: ignore[arg-type] # by name: of the type of its default


def differing(scope: Scope, plain: Scope) -> list[tuple[str, Value]]:
    """The switches of the scope that are not set as in `plain`."""
    return [(name, getattr(scope, name)) for name in DEFAULTS if getattr(scope, name) != getattr(plain, name)]
