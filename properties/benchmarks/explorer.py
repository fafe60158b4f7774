"""Transitions per second of the explorer, beside a plain search with the one-step engine, on one core."""

from __future__ import annotations

import resource
import sys
import time
from collections import deque

from model.revisions import revision
from model.scope import instance
from model.system import AttestationSystem, build
from properties.details import DETAILS
from properties.engines.explorer import explore
from properties.engines.stepper import Stepper

SCOPES = (
    ("pr161+era2480", "n3f0b0", 3, "joined", False),
    ("pr161+era2480", "n2f0b0", 3, "stepwise", False),
    ("pr161+era2480", "n4f0b0", 3, "joined", True),
    ("pr161+era2480", "n3f0b0", 3, "stepwise", True),
)

PLAIN_LIMIT = 100_000
"""The plain search takes minutes on the whole of a scope; its rate is that of its first states."""


def plain_rate(system: AttestationSystem, limit: int) -> float:
    """Transitions per second of a search that takes one state at a time."""
    stepper = Stepper(system)
    seen, queue, transitions = {stepper.initial}, deque([stepper.initial]), 0
    started = time.perf_counter()
    while queue and len(seen) < limit:
        for _, after in stepper.successors(queue.popleft()):
            transitions += 1
            if after not in seen:
                seen.add(after)
                queue.append(after)
    return transitions / (time.perf_counter() - started)


def run() -> None:
    """Print one line for each scope."""
    print("explorer: states, transitions, bits of a state, seconds, million transitions per second, times plain search")
    for name, committee, batches, detail, symmetry in SCOPES:
        system = build(revision(name), DETAILS[detail].scope(instance(committee), batches))
        search = explore(system, symmetry)
        rate = search.transitions / search.seconds
        plain = plain_rate(system, PLAIN_LIMIT)
        print(
            f"  {name} {committee} {batches} batches {detail}{' with symmetry' if symmetry else ''}: "
            f"{search.states:,} states, {search.transitions:,} transitions, {search.vectorised.packing.bits} bits, "
            f"{search.seconds:.2f} s, {rate / 1e6:.1f} M/s, {rate / plain:.0f} times {plain / 1e6:.2f} M/s"
        )
    unit = 1 if sys.platform == "darwin" else 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    print(f"  peak memory of the process: {peak / 2**20:.0f} MiB")
