"""One run of a system, step by step: a counterexample, a witness, or a replayed log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from model.revisions import revision
from model.scope import Scope, instance
from model.system import AttestationSystem, build
from properties.engines.stepper import State, Stepper


class BadTrace(ValueError):
    """A trace that does not fit the model; the message names the step."""


@dataclass(frozen=True)
class TraceStep:
    """One action: who did what with which arguments, and which variables it changed, from what to what."""

    node: str
    action: str
    arguments: Mapping[str, int | str]
    changes: Mapping[str, tuple[int, int]]

    @property
    def call(self) -> str:
        """The action as text, arguments included."""
        return f"{self.action}({', '.join(f'{name}={value}' for name, value in self.arguments.items())})"


@dataclass(frozen=True)
class Trace:
    """A run from the initial state. `kind` and `failed` say how the last state violates the property, where it does;
    `loop` is the step to which a lasso returns. `facts` are figures that belong to a report, such as how many states
    can be reached from the last one."""

    revision: str
    scope: Scope
    claim: str
    initial: Mapping[str, int]
    steps: tuple[TraceStep, ...]
    kind: str | None = None
    failed: str | None = None
    loop: int | None = None
    facts: Mapping[str, int] | None = None

    @property
    def states(self) -> list[dict[str, int]]:
        """All states, the initial one first."""
        states = [dict(self.initial)]
        for step in self.steps:
            states.append({**states[-1], **{name: after for name, (_, after) in step.changes.items()}})
        return states

    def about(self, **changes: Any) -> Trace:
        """The same run with other annotations."""
        return replace(self, **changes)


def record(stepper: Stepper, actions: Sequence[int], claim: str = "") -> Trace:
    """The run of these actions (by position) from the initial state. Raises `BadTrace` if one is not enabled."""
    system = stepper.system
    assert isinstance(system, AttestationSystem)
    state = stepper.initial
    steps: list[TraceStep] = []
    for number, place in enumerate(actions, 1):
        action = stepper.action(place)
        if place not in stepper.enabled(state):
            raise BadTrace(f"step {number}: {action} of {action.node} is not enabled")
        after = stepper.apply(state, place)
        steps.append(TraceStep(action.node, action.name, dict(action.arguments), _changes(stepper, state, after)))
        state = after
    return Trace(system.revision.name, system.scope, claim, dict(stepper.named(stepper.initial)), tuple(steps))


def _changes(stepper: Stepper, before: State, after: State) -> dict[str, tuple[int, int]]:
    names = (variable.name for variable in stepper.system.variables)
    return {name: (a, b) for name, a, b in zip(names, before, after, strict=True) if a != b}


def replay(trace: Trace, stepper: Stepper | None = None) -> State:
    """Run the trace through the one-step engine and return the last state.

    Raises `BadTrace` if an action is unknown, is not enabled, or changes other variables than the trace says.
    """
    stepper = stepper or Stepper(build(revision(trace.revision), trace.scope))
    state = stepper.initial
    if stepper.named(state) != trace.initial:
        raise BadTrace("the trace starts in another state than the model")
    for number, step in enumerate(trace.steps, 1):
        place = stepper.index.get((step.node, step.call))
        if place is None:
            raise BadTrace(f"step {number}: {step.node} has no action {step.call} in this scope")
        if place not in stepper.enabled(state):
            raise BadTrace(f"step {number}: {step.call} of {step.node} is not enabled")
        after = stepper.apply(state, place)
        changes = _changes(stepper, state, after)
        if changes != dict(step.changes):
            raise BadTrace(f"step {number}: {step.call} of {step.node} changes {changes}, not {dict(step.changes)}")
        state = after
    return state


def scope_as_json(scope: Scope) -> dict[str, Any]:
    """The scope by field; the instance by name."""
    return {**vars(scope), "instance": scope.instance.name}


def as_json(trace: Trace) -> dict[str, Any]:
    """The trace for machines. `from_json` reads it back."""
    return {
        "format": "attestation-trace/1",
        "revision": trace.revision,
        "scope": scope_as_json(trace.scope),
        "property": trace.claim,
        "kind": trace.kind,
        "failed": trace.failed,
        "loop": trace.loop,
        "facts": dict(trace.facts) if trace.facts is not None else None,
        "initial": dict(trace.initial),
        "steps": [
            {
                "node": step.node,
                "action": step.action,
                "arguments": dict(step.arguments),
                "changes": {name: list(change) for name, change in step.changes.items()},
            }
            for step in trace.steps
        ],
    }


def from_json(data: Mapping[str, Any]) -> Trace:
    """The trace that `as_json` wrote."""
    scope = Scope(**{**data["scope"], "instance": instance(data["scope"]["instance"])})
    steps = tuple(
        TraceStep(
            step["node"],
            step["action"],
            step["arguments"],
            {name: (change[0], change[1]) for name, change in step["changes"].items()},
        )
        for step in data["steps"]
    )
    return Trace(
        data["revision"],
        scope,
        data["property"],
        data["initial"],
        steps,
        data["kind"],
        data["failed"],
        data["loop"],
        data["facts"],
    )
