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

PRINTED, JUDGED = (Status.DONE,), (Status.DONE, Status.FOUND, Status.CUT_SHORT)
SOUGHT = (Status.DONE, Status.CUT_SHORT, Status.NONE)

COMMANDS: dict[str, tuple[str, tuple[Status, ...]]] = {
    "check": ("the main job: check every property on every revision and print the ledger", JUDGED),
    "report": ("check, and write one self-contained page for a reviewer", JUDGED),
    "explore": ("search one scope exhaustively", JUDGED),
    "diff": ("what changes from one revision to another: verdicts, transitions, runs", JUDGED),
    "prove": ("prove properties with Z3, and search to a bound", JUDGED),
    "mutate": ("make every mechanical mistake in the model, and see what notices it", JUDGED),
    "trace": ("print the shortest counterexample or witness of a property", SOUGHT),
    "pace": ("time from sealing to certificate, by search and simulation", JUDGED),
    "show": ("print the built system of one scope as a specification", PRINTED),
    "export": ("write the built system for other engines: Promela, TLA+, SMT-LIB", PRINTED),
    "replay": ("check a recording of the real system against the model", JUDGED),
    "revisions": ("list the revisions of the protocol", PRINTED),
    "instances": ("list the instances of the ledger, and say how instances are named", PRINTED),
    "properties": ("list the properties", PRINTED),
}
"""What each command does, and how it can end, besides those ways in which any can."""

ALWAYS = (Status.USAGE, Status.FAILED, Status.BROKEN_PIPE)
"""How any command can end."""


def epilog() -> str:
    """All of them, for `--help`."""
    return "exit status:\n" + "\n".join(_explained(status) for status in MEANINGS)


def _explained(status: Status) -> str:
    return fill(MEANINGS[status], 80, initial_indent=f"  {status:<4} ", subsequent_indent=" " * 7)
