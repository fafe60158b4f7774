"""The command line that repeats a trace."""

from __future__ import annotations

import shlex

from properties.details import DETAILS
from properties.trace import Trace


def repeat(trace: Trace, form: str) -> str:
    """The command that finds the trace again and writes it in this format; nothing if no option names its scope."""
    scope = trace.scope
    if scope.batches is None:
        return ""
    details = (name for name, each in DETAILS.items() if each.scope(scope.instance, scope.batches) == scope)
    detail = next(details, None)
    if detail is None:
        return ""
    options = {
        "revision": trace.revision,
        "instance": scope.instance.name,
        "batches": scope.batches,
        "detail": detail,
        "kind": trace.kind,
        "format": form,
    }
    given = [f"--{name} {shlex.quote(str(value))}" for name, value in options.items() if value is not None]
    return " \\\n    ".join([f"attestation trace {trace.claim}", *given])
