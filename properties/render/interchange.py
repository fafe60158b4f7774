"""JSON: a trace for machines, losslessly. `trace.schema.json` describes it; `properties.trace.from_json` reads it."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

from properties.trace import Trace, as_json


def render(trace: Trace) -> str:
    """The trace as JSON."""
    return json.dumps(as_json(trace), indent=1, ensure_ascii=False) + "\n"


def schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of the format."""
    text = files("properties.render").joinpath("trace.schema.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded
