"""Processes that share work: an interrupt ends them, and only by way of the main process."""

from __future__ import annotations

import signal
import time
from multiprocessing import active_children

import pytest

from properties.engines.workers import Workers

FOR_EVER = 3600


def test_work_comes_back_in_order() -> None:
    with Workers(2) as workers:
        assert list(workers.map(abs, [-3, 2, -1])) == [3, 2, 1]


def test_an_interrupt_of_the_terminal_does_not_reach_the_work() -> None:
    with Workers(1) as workers:
        workers.submit(signal.raise_signal, signal.SIGINT).result()
        assert workers.submit(abs, -1).result() == 1


def test_what_is_not_finished_is_dropped_with_its_processes() -> None:
    before = set(active_children())

    def interrupted() -> None:
        with Workers(2) as workers:
            running = [workers.submit(time.sleep, FOR_EVER) for _ in range(5)]
            while not any(each.running() for each in running):
                time.sleep(0.01)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert set(active_children()) == before


def test_workers_can_be_stopped_before_they_end_of_themselves() -> None:
    before, started = set(active_children()), time.monotonic()
    with Workers(1) as workers:
        workers.submit(time.sleep, FOR_EVER)
        workers.stop()
    assert set(active_children()) == before
    assert time.monotonic() - started < FOR_EVER / 10
