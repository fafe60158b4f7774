"""Processes that work is shared among, and that an interrupt ends at once."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from multiprocessing import active_children
from types import TracebackType
from typing import ParamSpec, TypeVar

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
        self._pool: Executor = ProcessPoolExecutor(count, initializer=_ignore_interrupts)
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


def _ignore_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
