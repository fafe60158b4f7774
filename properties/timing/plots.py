"""Figures as SVG: readable on a light and on a dark page, and by shape where colours cannot be told apart."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from typing import Any

from properties.timing.bounds import Holds
from properties.timing.sweep import Answer

INK = "#123456"
"""A colour that the page replaces by its own."""
STYLE = "<style>svg{color:#1f2328}@media(prefers-color-scheme:dark){svg{color:#e6edf3}}</style>"
LINES = {
    "median": ("#0072B2", "-", "o"),
    "p95": ("#D55E00", "--", "s"),
    "p99": ("#009E73", "-.", "^"),
    "longest": ("#CC79A7", ":", "D"),
}
"""Okabe and Ito's colours, each with a dash and a mark of its own."""


def plot(answers: Sequence[Answer]) -> str:
    """Time to certificate by poll interval; or, in a backlog, certificates per hour."""

    def draw(axes: Any) -> None:
        intervals = [each.question.setting.parameters.poll / 1000 for each in answers]
        axes.set_xlabel("poll interval of attesters and external nodes, s")
        if answers[0].question.backlog:
            _rates(axes, intervals, answers)
        else:
            _times(axes, intervals, answers)
        axes.set_ylim(bottom=0)

    return drawn(draw)


def drawn(draw: Callable[[Any], None]) -> str:
    """What is drawn on axes, with its legend, as SVG."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    ink: Any = dict.fromkeys(("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color"), INK)
    with rc_context({**ink, "svg.fonttype": "none", "svg.hashsalt": "attestation", "font.size": 11}):
        figure = Figure(figsize=(7.5, 4.2), layout="constrained")
        axes = figure.add_subplot()
        draw(axes)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
        text = io.StringIO()
        figure.savefig(text, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    return _adaptive(text.getvalue())


def _times(axes: Any, intervals: Sequence[float], answers: Sequence[Answer]) -> None:
    axes.set_ylabel("from sealing to certificate, s")
    for name, (colour, dash, mark) in LINES.items():
        values = [a.measured.longest if name == "longest" else a.measured.quantiles[name].value for a in answers]
        axes.plot(intervals, values, color=colour, linestyle=dash, marker=mark, label=name)
    known = [(x, a.found) for x, a in zip(intervals, answers, strict=True) if isinstance(a.found, Holds)]
    for name, values in (
        ("worst, exact", [found.worst / 1000 for _, found in known]),
        ("best, exact", [found.best / 1000 for _, found in known]),
    ):
        axes.plot([x for x, _ in known], values, color=INK, linewidth=1, marker="_", label=name)


def _rates(axes: Any, intervals: Sequence[float], answers: Sequence[Answer]) -> None:
    axes.set_ylabel("certificates per hour, catching up")
    rates = [each.measured.per_hour.value if each.measured.per_hour else 0 for each in answers]
    axes.plot(intervals, rates, color="#0072B2", marker="o", label="certificates")
    produced = 3_600_000 / answers[0].question.setting.parameters.batch_time
    axes.axhline(produced, color="#D55E00", linestyle="--", label="batches sealed")


def _adaptive(svg: str) -> str:
    """The figure in the colour of the page's text."""
    opened = svg.index(">", svg.index("<svg")) + 1
    return (svg[:opened] + STYLE + svg[opened:]).replace(INK, "currentColor")
