"""The explorer against SPIN's depth-first search on the exported model: `docs/performance.md` has the table, and says
what is not like for like. SPIN and a C compiler must be installed.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from statistics import median

from model.revisions import revision
from model.scope import instance
from model.service import AttestationSystem
from model.system import build
from properties.engines.explorer import explore
from properties.engines.memory import taken
from properties.export.promela import promela
from properties.export.spin import Run, compiled, missing
from properties.scopes.details import DETAILS

PAIRS = 3
"""Each scope is searched by the explorer, by SPIN, by the explorer again, and so on, so many times by each."""

OLD, NEW = "pr161+era2480", "pr175+era2657"


@dataclass(frozen=True)
class Measured:
    """A scope of the comparison."""

    revision: str
    instance: str
    batches: int
    detail: str = "joined"

    @property
    def name(self) -> str:
        """The scope in words."""
        return f"{self.revision}, {self.instance}, {self.batches} batches, {self.detail}"

    @property
    def system(self) -> AttestationSystem:
        """The system of this scope."""
        return build(revision(self.revision), DETAILS[self.detail].scope(instance(self.instance), self.batches))


SCOPES = (
    Measured(OLD, "n3f0b0", 3),
    Measured(OLD, "n2f0b0", 5),
    Measured(NEW, "n2f0b0", 3, "calls"),
    Measured(OLD, "n3f0b0", 4),
    Measured(OLD, "n2f0b0", 4, "stepwise"),
    Measured(NEW, "n4f0b0", 3),
)


def explored(measured: Measured, symmetry: bool = False) -> tuple[Run, int]:
    """What the explorer has done in this process, and the bits of a state; its memory is what the search adds."""
    system = measured.system
    before, started = taken(), time.process_time()
    search = explore(system, symmetry)
    seconds = time.process_time() - started
    bits = search.vectorised.packing.bits
    return Run(search.states, search.transitions, None, seconds, taken() - before), bits


def alone(measured: Measured, symmetry: bool = False) -> tuple[Run, int]:
    """The explorer in a new process, so that its memory is its own."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(explored, measured, symmetry).result()


def by_spin(measured: Measured, states: int) -> Run:
    """SPIN with a table of as many places as there are states, or up to twice as many: it could not know that."""
    with tempfile.TemporaryDirectory() as folder:
        verifier = compiled(promela(measured.system), Path(folder))
        return verifier.run(hash_bits=max(16, states.bit_length()))


def row(measured: Measured) -> list[str]:
    """The cells of one scope. Raises `RuntimeError` where the two do not count the same."""
    pairs = []
    for _ in range(PAIRS):
        ours, bits = alone(measured)
        pairs.append((ours, by_spin(measured, ours.states)))
    for ours, theirs in pairs:
        if (ours.states, ours.transitions) != (theirs.states, theirs.transitions):
            raise RuntimeError(f"{measured.name}: {ours} is not as {theirs}")
    ratios = [theirs.seconds / ours.seconds for ours, theirs in pairs]
    times = (", ".join(f"{run.seconds:.2f}" for run in runs) for runs in zip(*pairs, strict=True))
    memory = (f"{max(run.memory / run.states for run in runs):.0f}" for runs in zip(*pairs, strict=True))
    counts = (f"{ours.states:,}", f"{ours.transitions:,}", str(bits))
    return [measured.name, *counts, *times, f"{min(ratios):.1f}", f"{median(ratios):.1f}", *memory]


HEAD = (
    "scope",
    "states",
    "transitions",
    "bits",
    "explorer, s",
    "SPIN, s",
    "SPIN / explorer, least",
    "median",
    "explorer, bytes a state",
    "SPIN",
)


def as_row(cells: Sequence[str]) -> str:
    """A row of a table in Markdown."""
    return f"| {' | '.join(cells)} |"


def run() -> None:
    """Print the table, a row as soon as it is measured."""
    if lacking := missing():
        print(f"not installed: {lacking}", file=sys.stderr)
        return
    print(as_row(HEAD))
    print(as_row(["---"] * len(HEAD)))
    for measured in SCOPES:
        print(as_row(row(measured)), flush=True)
