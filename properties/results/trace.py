"""One run of a system, step by step: a counterexample, a witness, or a replayed log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from model.algebra import const, truth
from model.revisions import revision
from model.rules import threshold
from model.scope import Instance, Scope, instance
from model.service import AttestationSystem
from model.system import assemble, build
from model.topology import connect
from model.votes import Electorate
from properties.engines.stepper import State, Stepper


class BadTrace(ValueError):
    """A trace that does not fit the model; the message names the step."""


@dataclass(frozen=True)
class Arrangement:
    """Who takes part in a recorded run, which no scope tells: the attesters' weights by name, in the order of the
    committee; which of them are Byzantine; all nodes; and who is connected to whom (dialer, listener)."""

    attesters: tuple[tuple[str, int], ...]
    byzantine: frozenset[str]
    nodes: tuple[str, ...]
    connections: tuple[tuple[str, str], ...]

    @property
    def instance(self) -> Instance:
        """The committee by its weights. Unlike in other instances, the Byzantine attesters need not be the last."""
        weights = tuple(weight for _, weight in self.attesters)
        return Instance(f"w{','.join(map(str, weights))}b{len(self.byzantine)}", weights, len(self.byzantine))


def system_of(revision_name: str, scope: Scope, arrangement: Arrangement | None = None) -> AttestationSystem:
    """The system of a trace. With an arrangement, its committee, nodes and connections are in place of the scope's."""
    if arrangement is None:
        return build(revision(revision_name), scope)
    keys = tuple(name for name, _ in arrangement.attesters)
    weights = tuple(const(weight) for _, weight in arrangement.attesters)
    electorate = Electorate(weights, const(threshold(arrangement.instance.total_weight)))
    byzantine = tuple(truth(key in arrangement.byzantine) for key in keys)
    topology = connect(keys, arrangement.nodes, arrangement.connections, echo=True)
    return assemble(revision(revision_name), scope, electorate, byzantine, topology)


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
    can be reached from the last one. `arrangement` is given where the scope does not say who takes part."""

    revision: str
    scope: Scope
    claim: str
    initial: Mapping[str, int]
    steps: tuple[TraceStep, ...]
    kind: str | None = None
    failed: str | None = None
    loop: int | None = None
    facts: Mapping[str, int] | None = None
    arrangement: Arrangement | None = None

    @property
    def system(self) -> AttestationSystem:
        """The system that this is a run of."""
        return system_of(self.revision, self.scope, self.arrangement)

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
    stepper = stepper or Stepper(trace.system)
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
    document: dict[str, Any] = {
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
    if trace.arrangement is not None:
        document["setting"] = _arrangement_as_json(trace.arrangement)
    return document


def _arrangement_as_json(arrangement: Arrangement) -> dict[str, Any]:
    return {
        "attesters": [{"name": name, "weight": weight} for name, weight in arrangement.attesters],
        "byzantine": sorted(arrangement.byzantine),
        "nodes": list(arrangement.nodes),
        "topology": [list(ends) for ends in arrangement.connections],
    }


def _arrangement(data: Mapping[str, Any]) -> Arrangement:
    return Arrangement(
        tuple((attester["name"], attester["weight"]) for attester in data["attesters"]),
        frozenset(data["byzantine"]),
        tuple(data["nodes"]),
        tuple((dialer, listener) for dialer, listener in data["topology"]),
    )


def from_json(data: Mapping[str, Any]) -> Trace:
    """The trace that `as_json` wrote."""
    arrangement = _arrangement(data["setting"]) if "setting" in data else None
    committee = instance(data["scope"]["instance"]) if arrangement is None else arrangement.instance
    scope = Scope(**{**data["scope"], "instance": committee})
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
        arrangement,
    )
