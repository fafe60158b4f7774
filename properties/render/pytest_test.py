"""A regression test: it replays the trace on the model, and asserts that it still shows what it showed."""

from __future__ import annotations

import json
from dataclasses import fields

from model.scope import Scope
from properties.render import CannotRender
from properties.render.command import repeat
from properties.render.story import Story
from properties.results.trace import Trace

TEMPLATE = '''r"""{title}.{command}
"""

{imports}
from properties.engines.stepper import Stepper
from properties.render.story import Story
from properties.results.trace import {names}

{arrangement}SCOPE = Scope({scope})
STEPS = (
{steps}
)
KIND = {kind}
FALSE = {failed}


def test_{name}() -> None:
    stepper = Stepper(system_of({revision}, SCOPE{given}))
    trace = record(stepper, [stepper.index[step] for step in STEPS], {claim})
    assert Story(trace.about(kind=KIND, failed=FALSE{annotated})).is_confirmed
'''


def render(trace: Trace) -> str:
    """The test, as a module of its own. Raises `CannotRender` if the last state alone does not show the violation."""
    what = "happens" if trace.failed is None else "is violated"
    if not Story(trace).is_confirmed:
        raise CannotRender(f"the last state of this run does not show by itself that {trace.claim} {what}")
    kind, arrangement = f" ({trace.kind})" if trace.kind else "", trace.arrangement
    command = repeat(trace, "pytest").replace("\n", "\n    ")
    return TEMPLATE.format(
        title=f"`{trace.claim}` {what}{kind}: {len(trace.steps)} steps",
        command=f"\n\nWritten by\n\n    {command}" if command else "",
        imports="from model.scope import Scope" + (", instance" if arrangement is None else ""),
        names="record, system_of" if arrangement is None else "Arrangement, record, system_of",
        arrangement="" if arrangement is None else f"ARRANGEMENT = {arrangement!r}\n",
        scope=_scope(trace),
        given="" if arrangement is None else ", ARRANGEMENT",
        annotated="" if arrangement is None else ", arrangement=ARRANGEMENT",
        steps="\n".join(f"    ({_literal(step.node)}, {_literal(step.call)})," for step in trace.steps),
        kind=_literal(trace.kind),
        failed=_literal(trace.failed),
        name="_".join(filter(None, (trace.claim, what.replace(" ", "_"), trace.kind))),
        revision=_literal(trace.revision),
        claim=_literal(trace.claim),
    )


def _literal(value: str | int | None) -> str:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)


def _scope(trace: Trace) -> str:
    """The arguments that make the scope: the instance, and what is not as usual."""
    scope = trace.scope
    usual = Scope(scope.instance)
    other = (field.name for field in fields(scope) if getattr(scope, field.name) != getattr(usual, field.name))
    named = (f"{name}={_literal(getattr(scope, name))}" for name in other)
    committee = f"instance({_literal(scope.instance.name)})" if trace.arrangement is None else "ARRANGEMENT.instance"
    return ", ".join([committee, *named])
