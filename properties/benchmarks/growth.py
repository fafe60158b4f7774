"""How states and time grow with attesters and with batches, as figures: `docs/growth-*.svg`, and as lines of text."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from properties.benchmarks.spin import NEW, OLD, Measured, alone, by_spin
from properties.export.spin import missing
from properties.timing.plots import drawn

DOCS = Path(__file__).parents[2] / "docs"

SERIES: dict[str, tuple[int, ...]] = {"attesters": (1, 2, 3, 4), "batches": (1, 2, 3, 4, 5, 6)}
"""What grows; the other is 2 batches, or 2 attesters."""

STYLES = {
    "explorer": ("#0072B2", "-", "o"),
    "explorer, symmetry": ("#009E73", "--", "s"),
    "SPIN": ("#D55E00", "-.", "^"),
}
SIZES = {OLD: 4, NEW: 8}
"""The marks of the two designs."""


def measured(series: str, revision: str, number: int) -> Measured:
    """The scope of one point."""
    attesters, batches = (number, 2) if series == "attesters" else (2, number)
    return Measured(revision, f"n{attesters}f0b0", batches)


def seconds(scope: Measured) -> dict[str, float]:
    """The processor's seconds of each search that the scope allows, and its states, said on the way."""
    exact, _ = alone(scope)
    found = {"explorer": exact.seconds}
    if scope.instance != "n1f0b0":
        found["explorer, symmetry"] = alone(scope, symmetry=True)[0].seconds
    if not missing():
        found["SPIN"] = by_spin(scope, exact.states).seconds
    times = ", ".join(f"{name} {value:.3f} s" for name, value in found.items())
    print(f"{scope.name}: {exact.states:,} states; {times}", flush=True)
    return found


def draw(axes: Any, series: str, numbers: Sequence[int]) -> None:
    """The lines of one figure."""
    axes.set_xlabel(f"{series}, with 2 {'batches' if series == 'attesters' else 'attesters'}")
    axes.set_ylabel("seconds of the processor")
    axes.set_yscale("log")
    axes.set_xticks(numbers)
    for revision, size in SIZES.items():
        found = {number: seconds(measured(series, revision, number)) for number in numbers}
        for name, (colour, dash, mark) in STYLES.items():
            points = [(number, times[name]) for number, times in found.items() if name in times]
            style = {"color": colour, "linestyle": dash, "marker": mark, "markersize": size}
            axes.plot(*zip(*points, strict=True), **style, label=f"{name}, {revision}")


def run() -> None:
    """Measure, and write the figures into the docs of this checkout."""
    for series, numbers in SERIES.items():
        text = drawn(partial(draw, series=series, numbers=numbers))
        (DOCS / f"growth-{series}.svg").write_text(text, encoding="utf-8")
