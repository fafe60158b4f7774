"""Where a search keeps its large arrays: in memory, and once that is short, on disk.

Files on disk have no name: the system takes their space back when the process ends, however it ends. They are mapped
into memory, so that whoever uses an array need not know where it is; the system writes out what it has no memory for.
Space on disk is asked for before it is used.
"""

from __future__ import annotations

import errno
import mmap
import os
import resource
from collections.abc import Iterable
from contextlib import suppress
from shutil import disk_usage
from tempfile import TemporaryFile
from typing import Any
from weakref import WeakSet

import numpy as np
import numpy.typing as npt

from properties.engines.memory import MARGIN, NotEnoughMemory, require

Columns = tuple[npt.NDArray[Any], ...]

BLOCK = 4 << 20
"""So many bytes of disk are asked for at a time, and are given back once nothing of them is in use."""

SMALL = 1 << 12
"""An array of fewer bytes stays in memory."""

PIECE = 64 << 20
"""So many bytes are worked on at a time on disk; so many bytes of memory it takes."""


class Room:
    """Arrays of one search. `is_on_disk`: whether those that come are kept there. Without `disk`, they never are."""

    def __init__(self) -> None:
        self.is_on_disk = False
        self.disk = True
        self._block = np.empty(0, dtype=np.uint8)
        self._blocks = WeakSet[mmap.mmap]()

    @property
    def on_disk(self) -> int:
        """How many bytes of disk are taken."""
        return sum(map(len, self._blocks))

    def is_short(self, needed: int) -> bool:
        """Whether work that takes so many bytes of memory is better done in smaller pieces. Where there are not so many
        left, arrays are kept on disk from now on. Raises `NotEnoughMemory` where that is no help."""
        try:
            require(needed)
        except NotEnoughMemory:
            if not self.disk:
                raise
            require(PIECE, margin=0)
            self.turn_to_disk()
            return True
        return self.is_on_disk and needed > PIECE

    def turn_to_disk(self) -> None:
        """Keep arrays on disk from now on."""
        self.is_on_disk = True
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        with suppress(ValueError, OSError):  # where the system has a limit of its own
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))

    def empty(self, rows: int, kinds: Iterable[npt.DTypeLike]) -> Columns:
        """Columns to be filled. Raises `NotEnoughMemory`."""
        return tuple(self._array(rows, np.dtype(kind)) for kind in kinds)

    def joined(self, parts: Iterable[Columns], rows: int, kinds: Iterable[npt.DTypeLike]) -> Columns:
        """These columns, one after the other; together they have so many rows."""
        whole, start = self.empty(rows, kinds), 0
        for part in parts:
            end = start + len(part[0])
            for column, into in zip(part, whole, strict=True):
                into[start:end] = column
            start = end
        return whole

    def kept(self, columns: Columns) -> Columns:
        """The columns, on disk if that is where arrays are kept."""
        if not self.is_on_disk:
            return columns
        return self.joined([columns], len(columns[0]), [column.dtype for column in columns])

    def _array(self, rows: int, kind: np.dtype[Any]) -> npt.NDArray[Any]:
        size = rows * kind.itemsize
        self.is_short(size)
        if not self.is_on_disk or size < SMALL:
            return np.empty(rows, dtype=kind)
        if size > len(self._block):
            self._block = self._on_disk(max(size, BLOCK))
        start = -(-size // 16) * 16  # so that what comes next is aligned
        array, self._block = self._block[:size], self._block[start:]
        return array.view(kind)

    def _on_disk(self, size: int) -> npt.NDArray[np.uint8]:
        """So many bytes of a new file."""
        # /tmp is memory on many systems.
        folder = os.environ.get("TMPDIR") or "/var/tmp"
        try:
            if disk_usage(folder).free < size + MARGIN:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            with TemporaryFile(dir=folder) as file:
                # Without this, a disk that is full would end the process when the system writes to it.
                os.posix_fallocate(file.fileno(), 0, size)
                block = mmap.mmap(file.fileno(), size)
        except OSError as error:
            raise NotEnoughMemory(f"memory is short, and {folder} has no room for more: {error.strerror}") from None
        self._blocks.add(block)
        return np.frombuffer(block, dtype=np.uint8)
