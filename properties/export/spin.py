"""Runs SPIN on an exported model: what it counts, what it finds, and what that costs."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

SAFETY = ("-DSAFETY", "-DNOREDUCE", "-DNOFAIR")
"""What the verifier is compiled with to search all states. Reduction would leave some out; fairness is the model's."""

BREADTH_FIRST = (*SAFETY, "-DBFS")
LIVENESS = ("-DNOREDUCE", "-DNOFAIR")

DEEPEST = 100_000
"""A run may have so many steps."""


@dataclass(frozen=True)
class Run:
    """What a verifier has said. `transitions` are those that were taken; `depth`: after how many steps it found an
    error, none if it found none. `seconds` are of the processor; `memory` is what it says it has taken, in bytes."""

    states: int
    transitions: int
    depth: int | None
    seconds: float
    memory: int


class SpinFailed(RuntimeError):
    """SPIN, the compiler or the verifier did not do its work; the message has what was said."""


def missing() -> str:
    """What is not installed of that which it takes; empty if nothing is missing."""
    return ", ".join(name for name in ("spin", "gcc") if shutil.which(name) is None)


@dataclass(frozen=True)
class Verifier:
    """A compiled verifier."""

    program: Path

    def run(self, *options: str, hash_bits: int = 22) -> Run:
        """Search. Raises `SpinFailed` where that does not come to an end."""
        command = [str(self.program), f"-m{DEEPEST}", f"-w{hash_bits}", "-n", *options]
        with subprocess.Popen(
            command, cwd=self.program.parent, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as process:
            assert process.stdout is not None
            said = process.stdout.read()
            _, _, usage = os.wait4(process.pid, 0)
            process.returncode = 0
        return _read(said, usage.ru_utime + usage.ru_stime)


def compiled(model: str, folder: Path, flags: tuple[str, ...] = SAFETY, *defined: str) -> Verifier:
    """The verifier of a model, made in a folder of its own; `defined` are macros of the model. Raises `SpinFailed`."""
    (folder / "model.pml").write_text(model, encoding="utf-8")
    _call(folder, "spin", "-a", *(f"-D{name}" for name in defined), "model.pml")
    _call(folder, "gcc", "-O3", "-w", *flags, "-o", "pan", "pan.c")
    return Verifier(folder / "pan")


def _call(folder: Path, *command: str) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode or "rror:" in done.stdout:
        raise SpinFailed(f"{' '.join(command)}: {done.stdout}{done.stderr}")


def _read(said: str, seconds: float) -> Run:
    states, transitions, taken = (
        re.search(rf"([\d.]+)\s+{what}", said) for what in ("states, stored", "transitions", "total actual memory")
    )
    if (
        states is None
        or transitions is None
        or taken is None
        or "out of memory" in said
        or "max search depth too small" in said
    ):
        raise SpinFailed(said)
    found = re.search(r"\(at depth (\d+)\)", said)
    # SPIN counts the way to the initial state as a transition.
    return Run(
        int(states[1]),
        int(transitions[1]) - 1,
        int(found[1]) if found else None,
        seconds,
        round(float(taken[1]) * 2**20),
    )
