"""A process that has a share of the work and is lost is noticed."""

from __future__ import annotations

import os
import signal
import struct
import time
from multiprocessing.connection import Connection

import pytest

from properties.engines.workers import Forked, ProcessLost


def test_a_process_that_is_killed_in_the_midst_of_sending_is_lost_and_not_waited_for() -> None:
    def send_in_part(to: Connection) -> None:
        os.write(to.fileno(), struct.pack("!i", 1000) + b"begun")
        os.kill(os.getpid(), signal.SIGKILL)

    def sleep(_: Connection) -> None:
        time.sleep(60)

    signal.signal(signal.SIGALRM, lambda *_: pytest.fail("it is waited for"))
    signal.alarm(10)
    try:
        with Forked([send_in_part, sleep]) as forked, pytest.raises(ProcessLost):
            forked.receive(0)
    finally:
        signal.alarm(0)
