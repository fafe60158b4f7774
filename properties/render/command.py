"""The command line that repeats a trace."""

from __future__ import annotations

import shlex

from model.scope import Scope
from properties.results.trace import Trace
from properties.scopes.details import DETAILS
from properties.scopes.switches import differing, texts


def repeat(trace: Trace, form: str) -> str:
    """The command that finds the trace again and writes it in this format; nothing if its batches have no bound, or if
    it is a recorded run, which is not searched for."""
    scope = trace.scope
    if scope.batches is None or trace.arrangement is not None:
        return ""
    options = [("revision", trace.revision), *scope_options(scope)]
    options += [("kind", trace.kind)] if trace.kind else []
    given = [f"--{name} {shlex.quote(value)}" for name, value in (*options, ("format", form))]
    return " \\\n    ".join([f"attestation trace {trace.claim}", *given])


def scope_options(scope: Scope) -> list[tuple[str, str]]:
    """The options, by name, that give this scope: the level of detail that is nearest, and what differs from it."""
    switches = {
        name: differing(scope, detail.scope(scope.instance, scope.batches or 0)) for name, detail in DETAILS.items()
    }
    detail = min(switches, key=lambda name: len(switches[name]))
    return [
        ("instance", scope.instance.name),
        ("batches", str(scope.batches)),
        ("detail", detail),
        *(("with", text) for text in texts(switches[detail])),
    ]
