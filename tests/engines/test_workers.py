"""A process that has a share of the work and is lost is noticed."""

from __future__ import annotations

import os
import signal
import struct
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection

import pytest

from properties.engines.workers import Forked, ProcessLost


@pytest.fixture(autouse=True)
def soon() -> Iterator[None]:
    """Fail rather than wait without end."""
    before = signal.signal(signal.SIGALRM, lambda *_: pytest.fail("it is waited for"))
    signal.alarm(10)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def sleep(_: Connection) -> None:
    time.sleep(60)


def test_a_process_that_is_killed_in_the_midst_of_sending_is_lost_and_not_waited_for() -> None:
    def send_in_part(to: Connection) -> None:
        os.write(to.fileno(), struct.pack("!i", 1000) + b"begun")
        os.kill(os.getpid(), signal.SIGKILL)

    with Forked([send_in_part, sleep]) as forked, pytest.raises(ProcessLost):
        forked.receive(0)


def test_a_process_that_was_killed_before_anybody_waits_is_lost() -> None:
    with Forked([lambda _: os.kill(os.getpid(), signal.SIGKILL), sleep]) as forked:
        time.sleep(0.2)
        with pytest.raises(ProcessLost):
            forked.receive(1)
