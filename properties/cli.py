"""The console script `attestation`."""

from __future__ import annotations

import argparse
import importlib
import signal
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, NoReturn

from model.scope import BadScope
from properties.commands.terminal import discard_output, use_utf8
from properties.commands.usage import UsageError

if TYPE_CHECKING:
    from _typeshed import SupportsWrite

COMMANDS = {
    "check": "the main job: check every property on every revision and print the ledger",
    "explore": "search one scope exhaustively",
    "prove": "prove properties with Z3, and search to a bound",
    "trace": "print the shortest counterexample or witness of a property",
    "pace": "time from sealing to certificate, by search and simulation",
    "replay": "check a recording of the real system against the model",
    "revisions": "list the revisions of the protocol",
    "instances": "list the instances of the ledger, and say how instances are named",
    "properties": "list the properties",
}

USAGE = 2
INTERRUPTED = 3
BROKEN_PIPE = 141
"""What a shell says of a program that SIGPIPE has ended. Python sees an error instead."""


class _Parser(argparse.ArgumentParser):
    """Reports wrong usage as one line, and an output that cannot be written, which argparse passes over."""

    def print_help(self, file: SupportsWrite[str] | None = None) -> None:
        print(self.format_help(), end="", file=file)

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}; see '{self.prog} --help'")


def parser() -> argparse.ArgumentParser:
    """The command line. Modules of commands are imported, but nothing heavy with them."""
    main = _Parser(prog="attestation", description="A formally checked model of zkSync's batch attestation.")
    commands = main.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, about in COMMANDS.items():
        module = importlib.import_module(f"properties.commands.{name}")
        sub = commands.add_parser(name, help=about, description=about[0].upper() + about[1:] + ".")
        module.configure(sub)
        sub.set_defaults(run=module.run)
    return main


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command, that of the process without arguments; returns the exit status."""
    use_utf8()
    status = _status(arguments)
    if arguments is None:
        # All is said, and the process ends by itself; an interrupt could only spoil its status.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    return status


def _status(arguments: Sequence[str] | None) -> int:
    try:
        return _run(arguments)
    except (UsageError, BadScope) as error:
        return _ended(str(error), USAGE)
    except KeyboardInterrupt:
        return _ended("interrupted; the work was cut short", INTERRUPTED)
    except BrokenPipeError:
        discard_output()
        return BROKEN_PIPE
    except OSError as error:
        # Commands answer for their files; what has no name is the output.
        if error.filename is not None:
            raise
        discard_output()
        return _ended(f"cannot write the output: {error.strerror}", USAGE)


def _run(arguments: Sequence[str] | None) -> int:
    try:
        options = parser().parse_args(arguments)
        status: int = options.run(options)
        return status
    finally:
        if sys.stdout is not None:
            sys.stdout.flush()


def _ended(why: str, status: int) -> int:
    """Say in one line why the command did not do what was asked."""
    print(f"attestation: {why}", file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main())
