"""The Informal Trace Format, which Apalache, Quint and their tools read.

Its description: https://apalache.informal.systems/docs/adr/015adr-trace.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from properties.render.story import Story
from properties.results.trace import Trace

DESCRIPTION = "https://apalache.informal.systems/docs/adr/015adr-trace.html"


def render(trace: Trace) -> str:
    """The states of the trace; `#meta` of each says which step led there."""
    story = Story(trace)
    flags = {variable.name for variable in story.system.variables if variable.is_boolean}
    document: dict[str, Any] = {
        "#meta": {
            "format": "ITF",
            "format-description": DESCRIPTION,
            "description": f"{trace.claim} on {trace.revision}, {trace.scope.instance.name}, {trace.scope.name}",
            "failed": trace.failed,
            "kind": trace.kind,
        },
        "params": [],
        "vars": list(trace.initial),
        "states": [_state(trace, flags, number, state) for number, state in enumerate(trace.states)],
    }
    if trace.loop is not None:
        document["loop"] = trace.loop
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _state(trace: Trace, flags: set[str], number: int, state: Mapping[str, int]) -> dict[str, Any]:
    meta: dict[str, Any] = {"index": number}
    if number:
        step = trace.steps[number - 1]
        meta |= {"node": step.node, "action": step.call}
    values = {name: bool(value) if name in flags else {"#bigint": str(value)} for name, value in state.items()}
    return {"#meta": meta, **values}
