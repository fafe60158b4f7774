"""Processes that work is shared among, that an interrupt ends at once, and that end by themselves with their parent."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from multiprocessing import active_children, get_context
from types import TracebackType
from typing import ParamSpec, TypeVar

LOOKING = 0.25
"""How often a process looks whether its parent is still there, in seconds."""

P = ParamSpec("P")
T = TypeVar("T")
U = TypeVar("U")


class Workers:
    """So many processes (`count`), for the length of a `with`. What they are doing when it ends by an exception is
    dropped.

    An interrupt from the terminal reaches every process of the group; these ignore it, so that it is the main process
    alone that decides what becomes of their work.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        # Forked, so that they know what this process knows, a revision of one's own among it.
        self._pool: Executor = ProcessPoolExecutor(count, get_context("fork"), _attach, (os.getpid(),))
        self._others = set(active_children())

    def submit(self, work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Have this done, in the order of submission."""
        return self._pool.submit(work, *args, **kwargs)

    def map(self, work: Callable[[U], T], items: Iterable[U]) -> Iterator[T]:
        """The results for all items, in their order."""
        return self._pool.map(work, items)

    def stop(self) -> None:
        """End the processes without waiting for their work."""
        # A search takes up to half a minute, and the pool itself has no way to break it off.
        for process in set(active_children()) - self._others:
            process.terminate()
        self._pool.shutdown(cancel_futures=True)

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if kind is None:
            self._pool.shutdown()
        else:
            self.stop()


def _attach(parent: int) -> None:
    """Leave interrupts to the parent; end where it tells to, and where it is no longer there."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for ending in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, signal.SIG_DFL)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(LOOKING)
    os._exit(1)
