"""A regression test: it replays the trace on the model, and asserts that it still shows what it showed."""

from __future__ import annotations

import json
from dataclasses import fields

from model.scope import Scope
from properties.render import CannotRender
from properties.render.command import repeat
from properties.render.story import Story
from properties.trace import Trace

TEMPLATE = '''r"""{title}.{command}
"""

from model.revisions import revision
from model.scope import Scope, instance
from model.system import build
from properties.engines.stepper import Stepper
from properties.render.story import Story
from properties.trace import record

SCOPE = Scope({scope})
STEPS = (
{steps}
)
KIND = {kind}
FALSE = {failed}


def test_{name}() -> None:
    stepper = Stepper(build(revision({revision}), SCOPE))
    trace = record(stepper, [stepper.index[step] for step in STEPS], {claim})
    assert Story(trace.about(kind=KIND, failed=FALSE)).is_confirmed
'''


def render(trace: Trace) -> str:
    """The test, as a module of its own. Raises `CannotRender` if the last state alone does not show the violation."""
    what = "happens" if trace.failed is None else "is violated"
    if not Story(trace).is_confirmed:
        raise CannotRender(f"the last state of this run does not show by itself that {trace.claim} {what}")
    kind = f" ({trace.kind})" if trace.kind else ""
    command = repeat(trace, "pytest").replace("\n", "\n    ")
    return TEMPLATE.format(
        title=f"`{trace.claim}` {what}{kind}: {len(trace.steps)} steps",
        command=f"\n\nWritten by\n\n    {command}" if command else "",
        scope=_scope(trace.scope),
        steps="\n".join(f"    ({_literal(step.node)}, {_literal(step.call)})," for step in trace.steps),
        kind=_literal(trace.kind),
        failed=_literal(trace.failed),
        name="_".join(filter(None, (trace.claim, what.replace(" ", "_"), trace.kind))),
        revision=_literal(trace.revision),
        claim=_literal(trace.claim),
    )


def _literal(value: str | int | None) -> str:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)


def _scope(scope: Scope) -> str:
    """The arguments that make the scope: the instance, and what is not as usual."""
    usual = Scope(scope.instance)
    other = (field.name for field in fields(scope) if getattr(scope, field.name) != getattr(usual, field.name))
    named = (f"{name}={_literal(getattr(scope, name))}" for name in other)
    return ", ".join([f"instance({_literal(scope.instance.name)})", *named])
