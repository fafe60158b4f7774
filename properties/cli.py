"""The console script `attestation`."""

from __future__ import annotations

import argparse
import contextlib
import importlib
import os
import platform
import resource
import signal
import sys
import traceback
from collections.abc import Sequence
from typing import TYPE_CHECKING, NoReturn

from model.scope import BadScope
from properties.commands.statuses import COMMANDS, Status, epilog
from properties.commands.terminal import discard_output, is_output_error, prepare_streams
from properties.commands.usage import UsageError

if TYPE_CHECKING:
    from types import FrameType

    from _typeshed import SupportsWrite


class _Parser(argparse.ArgumentParser):
    """Reports wrong usage as one line, and an output that cannot be written, which argparse passes over."""

    def print_help(self, file: SupportsWrite[str] | None = None) -> None:
        print(self.format_help(), end="", file=file)

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}; see '{self.prog} --help'")


def parser(words: Sequence[str]) -> argparse.ArgumentParser:
    """The command line. Of the commands, which import much, those alone are imported that are among the words."""
    main = _Parser(
        prog="attestation",
        description="A formally checked model of zkSync's batch attestation.",
        epilog=epilog(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    main.add_argument("--version", action="store_true", help="print the version and end")
    main.add_argument("--traceback", action="store_true", help="if the program fails, say where")
    commands = main.add_subparsers(dest="command", metavar="COMMAND")
    for name, (about, _) in COMMANDS.items():
        sub = commands.add_parser(name, help=about, description=about[0].upper() + about[1:] + ".")
        if name in words:
            module = importlib.import_module(f"properties.commands.{name}")
            module.configure(sub)
            sub.set_defaults(run=module.run)
    return main


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command, that of the process without arguments; returns the exit status."""
    prepare_streams()
    if arguments is None:
        for ending in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(ending, _end)
        signal.signal(signal.SIGALRM, _raise_again)
        sys.unraisablehook = _dropped
    status = _status(arguments)
    # The run may have gone on for a while after a signal, perhaps with damage.
    status = _ending[-1] if _ending else status
    if arguments is None:
        signal.setitimer(signal.ITIMER_REAL, 0)
        # All is said, and the process ends by itself; an interrupt could only spoil its status.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        # CPython takes an interrupt within code that was made from text, such as a dataclass or a compiled guard, for
        # one that nobody has handled, and in the end kills itself by it; unless such code has run since.
        exec("")
    return status


_ending: list[int] = []
"""The statuses of the signals that have come to end the process."""


def _end(number: int, _: object) -> NoReturn:
    """End as whoever sent the signal expects, but in order: no file half-written, no process left behind."""
    _ending.append(128 + number)
    said = f"attestation: ended by {signal.Signals(number).name}; there is no result\n"
    with contextlib.suppress(OSError):
        # Not by way of `sys.stderr`, which the signal may have met in the midst of its work.
        os.write(2, said.encode())
    sys.exit(128 + number)


SOON = 0.05
"""Seconds until what a signal has raised is raised once more."""


def _dropped(error: sys.UnraisableHookArgs) -> None:
    """Python drops what is raised within a callback, such as one at a fork: what a signal has raised there must come
    again, or the command would go on."""
    if isinstance(error.exc_value, KeyboardInterrupt | SystemExit):
        signal.setitimer(signal.ITIMER_REAL, SOON)
    else:
        sys.__unraisablehook__(error)


def _raise_again(number: int, frame: FrameType | None) -> NoReturn:
    if _ending:
        sys.exit(_ending[-1])
    signal.default_int_handler(number, frame)


def _status(arguments: Sequence[str] | None) -> int:
    try:
        return _run(arguments)
    except (UsageError, BadScope) as error:
        return _ended(str(error), Status.USAGE)
    except KeyboardInterrupt:
        return _ended("interrupted; the work was cut short", Status.CUT_SHORT)
    except BrokenPipeError:
        discard_output()
        return Status.BROKEN_PIPE
    except Exception as error:
        if is_output_error(error):
            discard_output()
            return _ended(f"cannot write the output: {error.strerror}", Status.USAGE)
        return _failed(error, arguments)


LEAST = 400 << 20
"""With fewer bytes of memory than that, libraries that are loaded wait for ever for more."""


def _must_have_memory() -> None:
    allowed = [resource.getrlimit(each)[0] for each in (resource.RLIMIT_AS, resource.RLIMIT_DATA)]
    least = min((each for each in allowed if each != resource.RLIM_INFINITY), default=LEAST)
    if least < LEAST:
        raise UsageError(f"a process may have {least >> 20} MB of memory here (ulimit); {LEAST >> 20} are needed")


def _run(arguments: Sequence[str] | None) -> int:
    try:
        _must_have_memory()
        words = sys.argv[1:] if arguments is None else arguments
        options = parser(words).parse_args(words)
        if options.version:
            print(f"attestation {_version()}, Python {platform.python_version()}")
            return Status.DONE
        if options.command is None:
            raise UsageError(f"name a COMMAND: {', '.join(COMMANDS)}; see 'attestation --help'")
        status: int = options.run(options)
        return status
    finally:
        if sys.stdout is not None:
            sys.stdout.flush()


def _failed(error: Exception, arguments: Sequence[str] | None) -> int:
    """Say that the program failed, which is no result. Where it did is said only to whoever asks."""
    if _ending:
        return _ending[-1]
    if "--traceback" in (sys.argv[1:] if arguments is None else arguments):
        traceback.print_exception(error)
    what = "out of memory" if isinstance(error, MemoryError) else f"{type(error).__name__}: {error}"
    said = f"the program failed, and there is no result: {' '.join(what.split())}"
    return _ended(f"{said} (attestation --traceback … says where)", Status.FAILED)


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("attestation-model")
    except PackageNotFoundError:
        return "(not installed)"


def _ended(why: str, status: int) -> int:
    """Say in one line why the command did not do what was asked, whatever is in the names that it was given."""
    line = "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in why)
    with contextlib.suppress(OSError, ValueError):
        print(f"attestation: {line}", file=sys.stderr, flush=True)
    return status
