"""Steps per second of Hypothesis' system machine, of each design, with lockstep and invariants."""

from __future__ import annotations

import time

from properties.stateful.machine import drive
from properties.stateful.profiles import MACHINES, PROFILES, SYSTEM_RULES, SYSTEMS

RUNS = 200


def run() -> None:
    """Print a line for each design."""
    for name in SYSTEMS.values():
        started = time.perf_counter()
        counts = drive(MACHINES[name], PROFILES["dev"].settings(RUNS, SYSTEM_RULES), 0)
        seconds = time.perf_counter() - started
        steps = counts["steps"]
        rate = steps / seconds
        print(f"{name}: {counts['runs']} runs, {steps:,} steps, {seconds:.1f} s, {rate:,.0f} steps per second")
