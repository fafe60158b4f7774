"""The exit statuses: what a command's ending says to a script. `docs/exit-statuses.md` is made from here."""

from __future__ import annotations

from enum import IntEnum
from textwrap import fill


class Status(IntEnum):
    """How a command ends."""

    DONE = 0
    FOUND = 1
    USAGE = 2
    CUT_SHORT = 3
    NONE = 4
    FAILED = 5
    BROKEN_PIPE = 141


MEANINGS: dict[Status, str] = {
    Status.DONE: "done, and nothing to report: what was checked holds, is as expected, or was printed",
    Status.FOUND: "done, and something to report: a violation, a verdict that is not expected, a refuted theorem, a "
    "log that does not fit, a mutant that nothing notices, a difference",
    Status.USAGE: "the request cannot be carried out as it is: a wrong option or name, a file that cannot be read or "
    "written; nothing was written",
    Status.CUT_SHORT: "not to the end, by a bound, an interrupt or want of memory: what is printed is marked, and "
    "nothing is established by what is missing",
    Status.NONE: "there is no such trace",
    Status.FAILED: "the program failed, for instance for want of memory: no result, whatever was printed before",
    Status.BROKEN_PIPE: "whoever read the output has stopped reading",
}

COMMANDS: dict[str, tuple[Status, ...]] = {
    "check": (Status.DONE, Status.FOUND, Status.CUT_SHORT),
    "report": (Status.DONE, Status.FOUND, Status.CUT_SHORT),
    "explore": (Status.DONE, Status.FOUND, Status.CUT_SHORT),
    "diff": (Status.DONE, Status.FOUND, Status.CUT_SHORT),
    "prove": (Status.DONE, Status.FOUND, Status.CUT_SHORT),
    "mutate": (Status.DONE, Status.FOUND, Status.CUT_SHORT),
    "trace": (Status.DONE, Status.CUT_SHORT, Status.NONE),
    "pace": (Status.DONE, Status.FOUND, Status.CUT_SHORT),
    "show": (Status.DONE,),
    "export": (Status.DONE,),
    "replay": (Status.DONE, Status.FOUND, Status.CUT_SHORT),
    "revisions": (Status.DONE,),
    "instances": (Status.DONE,),
    "properties": (Status.DONE,),
}
"""How each command can end, besides those ways in which any can."""

ALWAYS = (Status.USAGE, Status.FAILED, Status.BROKEN_PIPE)
"""How any command can end."""


def epilog() -> str:
    """All of them, for `--help`."""
    return "exit status:\n" + "\n".join(_explained(status) for status in MEANINGS)


def _explained(status: Status) -> str:
    return fill(MEANINGS[status], 80, initial_indent=f"  {status:<4} ", subsequent_indent=" " * 7)
