"""Events per second of the simulation, on one core. An event is an action that a run takes; a useless poll is none."""

from __future__ import annotations

import time

import numpy as np

from model.revisions import revision
from model.scope import instance
from properties.timing.setting import Setting
from properties.timing.sweep import AT_A_TIME, WARM_UP

SETTINGS = (("n2f0b0", "direct"), ("n2f0b0", "relay"), ("n6f1b0", "direct"))
RUNS = 3
"""The best of so many counts: what else the machine does only ever makes one slower."""


def run() -> None:
    """Print one line for each setting, in seconds of the processor."""
    for committee, topology in SETTINGS:
        setting = Setting(revision("pr161+era2539"), instance(committee), topology)
        rates, events = [], 0
        for seed in range(RUNS):
            simulation = setting.simulation(AT_A_TIME, np.random.default_rng(seed))
            started = time.process_time()
            events = simulation.run(WARM_UP + 1).events
            rates.append(events / (time.process_time() - started))
        print(f"simulation of {committee}, {topology}: {events:,} events, {max(rates) / 1e6:.2f} million per second")
