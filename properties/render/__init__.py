"""What a trace looks like to its reader: the formats, by name. Each renderer is imported when it is first used."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from properties.results.trace import Trace


class CannotRender(ValueError):
    """This trace cannot be shown in this format; the message says why."""


def _renderer(module: str) -> Callable[[Trace], str]:
    def render(trace: Trace) -> str:
        text: str = import_module(f"properties.render.{module}").render(trace)
        return text

    return render


FORMATS: dict[str, Callable[[Trace], str]] = {
    "markdown": _renderer("markdown"),
    "mermaid": _renderer("mermaid"),
    "itf": _renderer("itf"),
    "json": _renderer("interchange"),
    "html": _renderer("html"),
    "pytest": _renderer("pytest_test"),
    "rust": _renderer("rust_test"),
}
"""A function from a trace to text, by the name of the format. They raise `CannotRender` where a format does not apply,
and `BadTrace` if the trace is not a run of the model."""
