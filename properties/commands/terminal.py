"""What the commands need of the terminal: text as UTF-8, a line of progress, and an end when nobody listens."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import sys
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, TypeGuard

from properties.commands.usage import counted

if TYPE_CHECKING:
    from properties.engines.explorer import Exploration


def prepare_streams() -> None:
    """Print UTF-8 whatever the locale says: names of phases, arrows and dashes are not ASCII, and JSON is UTF-8. What
    is said where stderr is closed is lost, and does not get into the output instead."""
    if sys.stderr is None:
        sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 # it is open until the process ends
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # The name of a file need not be UTF-8; it is shown all the same.
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


REFUSED = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF}
"""What the system says of a stream that takes nothing more. It also says, of a file, which; here none is named."""


def is_output_error(error: Exception) -> TypeGuard[OSError]:
    """Whether the standard output did not take what was printed; commands answer for their files themselves."""
    return isinstance(error, OSError) and error.filename is None and error.errno in REFUSED


def discard_output() -> None:
    """Let the standard output go nowhere, so that Python does not try to write the rest of it when it ends."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


class Progress:
    """A line on stderr that is written over as the work goes on, and ended with it; none if stderr is no terminal."""

    def __init__(self) -> None:
        self._shown = 0
        self._visible = sys.stderr.isatty()

    def show(self, text: str) -> None:
        """Say how far the work is."""
        if self._visible:
            with contextlib.suppress(OSError):
                print(f"\r{text.ljust(self._shown)}", end="", file=sys.stderr, flush=True)
            self._shown = len(text)

    def watch(self, search: Exploration) -> None:
        """Say how far a search is, how fast, how much memory the process has needed and how much disk it takes, and how
        the levels grow."""
        from properties.engines.memory import taken

        rate = search.states / max(search.seconds, 1e-9) / 1e6
        where = f" in the first of {1 + search.processes} processes" if search.processes > 1 else ""
        if search.room.is_on_disk:
            where = f", on disk {search.room.on_disk / 1e6:,.0f} MB"
        self.show(
            f"depth {search.depth}, {counted(search.states, 'state')}, {rate:.1f} million/s, "
            f"{taken() / 1e6:,.0f} MB{where}, levels × {search.growth:.2f}"
        )

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._shown:
            with contextlib.suppress(OSError):
                print(file=sys.stderr, flush=True)
