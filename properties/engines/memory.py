"""How much memory is left, so that long work stops by itself, and says so, before the system ends the process."""

from __future__ import annotations

import resource
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

MARGIN = 256 << 20
"""So many bytes are left to others, and to what was not reckoned with; on disk, too."""


LITTLE = 16 << 20
"""So few bytes are there, without asking."""


class NotEnoughMemory(MemoryError):
    """The work needs more memory than there is left; the message says how much."""


def require(needed: int, margin: int = MARGIN) -> None:
    """Raises `NotEnoughMemory` unless so many bytes are left. Where the system does not say, they are."""
    left = available() if needed > LITTLE else None
    if left is not None and left < needed + margin:
        raise NotEnoughMemory(f"{needed / 1e6:,.0f} MB more are needed, and {left / 1e6:,.0f} MB are left")


def taken(processes: int = 1) -> int:
    """How many bytes the process has had at its peak; and if several had a share of its work and have ended, as many
    times as many as the largest of them."""
    unit = 1 if sys.platform == "darwin" else 1024
    others = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * processes if processes > 1 else 0
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss + others) * unit


def available() -> int | None:
    """How many bytes the process can still take, of the machine's, of the control group's and of its own (`ulimit -d`);
    none if nobody says."""
    return min(_figures(), default=None)


def _figures() -> Iterator[int]:
    own, _ = resource.getrlimit(resource.RLIMIT_DATA)
    with suppress(OSError, KeyError):
        yield _bytes("/proc/meminfo", "MemAvailable:")
        if own != resource.RLIM_INFINITY:
            yield own - _bytes("/proc/self/status", "VmData:")
    groups = Path("/sys/fs/cgroup")
    for limit, used in (
        (groups / "memory.max", groups / "memory.current"),
        (groups / "memory/memory.limit_in_bytes", groups / "memory/memory.usage_in_bytes"),
    ):
        with suppress(OSError, ValueError):  # "max" is no number
            yield int(limit.read_text()) - int(used.read_text()) + _given_back(used.parent / "memory.stat")


def _bytes(file: str, name: str) -> int:
    """What a file of the system says in kilobytes."""
    return int(dict(line.split()[:2] for line in Path(file).read_text().splitlines() if " kB" in line)[name]) << 10


def _given_back(file: Path) -> int:
    """What the control group has of files, which it gives back when memory is wanted. The older kind of group counts
    those below it apart."""
    found = dict(line.split() for line in file.read_text().splitlines())
    return sum(int(found.get(f"total_{name}", found.get(name, 0))) for name in ("inactive_file", "active_file"))
