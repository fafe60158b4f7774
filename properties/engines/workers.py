"""Processes that work is shared among, that an interrupt ends at once, and that end by themselves with their parent."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future, InvalidStateError, ProcessPoolExecutor
from functools import partial
from multiprocessing import active_children, get_context
from multiprocessing.connection import Connection, wait
from types import TracebackType
from typing import Any, NoReturn, ParamSpec, TypeVar

from properties.engines import EngineError

MOST = 8
"""A search is shared among so many processes at most: each of them talks to each other one."""

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
        threading.excepthook = _unless_cancelled
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


FAILED = 1
"""The status of a process that has ended by an error that it has sent."""

LOST = "a process that had a share of the work has ended without it"


def cores() -> int:
    """How many processes a search is best shared among: one for each core that this process may use."""
    return min(MOST, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)


def _unless_cancelled(error: threading.ExceptHookArgs) -> None:
    """A pool's own thread complains of futures that are cancelled when it finds its processes gone."""
    if not isinstance(error.exc_value, InvalidStateError):
        threading.__excepthook__(error)


class ProcessLost(EngineError):
    """A process that had a share of the work has ended without it."""


class Forked:
    """Processes for the length of a `with`, each with work of its own, that know all that this one knows. What one of
    them sends on the connection that it is given can be received."""

    def __init__(self, works: Sequence[Callable[[Connection], None]]) -> None:
        context = get_context("fork")
        self._answers: list[Connection] = []
        self._processes = []
        for work in works:
            answer, to = context.Pipe(duplex=False)
            process = context.Process(target=_work, args=(work, to, os.getpid()), daemon=True)
            process.start()
            # Nobody else may hold it: what a process that is killed has sent in part would be waited for without end.
            to.close()
            self._answers.append(answer)
            self._processes.append(process)

    def receive(self, place: int) -> Any:
        """What the process in this place sends next. Raises the error that has ended one of them, and `ProcessLost`."""
        answer = self._answers[place]
        while not answer.poll():
            running = [process for process in self._processes if process.exitcode is None]
            # A process may wait for one that has failed, so all are looked at. Some may have done all that they had to.
            for process, other in zip(self._processes, self._answers, strict=True):
                if process not in running and process.exitcode and not answer.poll():
                    self._fail(other)
            wait([answer, *(process.sentinel for process in running)])
        return _received(answer)

    def _fail(self, answer: Connection) -> NoReturn:
        while answer.poll():
            _received(answer)
        raise ProcessLost(LOST)

    def __enter__(self) -> Forked:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            process.join()


def _received(answer: Connection) -> Any:
    try:
        told = answer.recv()
    except (EOFError, OSError):  # which of them it is, depends on whether a part has come
        raise ProcessLost(LOST) from None
    if isinstance(told, BaseException):
        raise told
    return told


def _work(work: Callable[[Connection], None], to: Connection, parent: int) -> None:
    _attach(parent)
    try:
        work(to)
    except Exception as error:
        to.send(error)
        raise SystemExit(FAILED) from None


def shared(work: Callable[[U], T], items: Sequence[U], processes: int) -> Iterator[T]:
    """The results for all items, in their order, from so many processes that know all that this one knows."""

    def every(place: int, to: Connection) -> None:
        for item in items[place::processes]:
            to.send(work(item))

    with Forked([partial(every, place) for place in range(processes)]) as forked:
        yield from (forked.receive(number % processes) for number in range(len(items)))


def _attach(parent: int) -> None:
    """In a process: leave interrupts to the parent; end where it tells to, and where it is no longer there."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for ending in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, signal.SIG_DFL)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(LOOKING)
    os._exit(1)
