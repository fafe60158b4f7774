"""Steps per second of Hypothesis' system machine, with lockstep and invariants."""

from __future__ import annotations

import time

from properties.stateful.machine import drive
from properties.stateful.profiles import PROFILES, SYSTEM_RULES
from properties.stateful.system import SystemMachine

RUNS = 200


def run() -> None:
    """Print one line."""
    started = time.perf_counter()
    counts = drive(SystemMachine, PROFILES["dev"].settings(RUNS, SYSTEM_RULES), 0)
    seconds = time.perf_counter() - started
    steps = counts["steps"]
    rate = steps / seconds
    print(f"system machine: {counts['runs']} runs, {steps:,} steps, {seconds:.1f} s, {rate:,.0f} steps per second")
