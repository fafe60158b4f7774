"""The system of a revision within a scope, in the design that the revision is of."""

from __future__ import annotations

from collections.abc import Callable

from model.algebra import FALSE, TRUE, Bool, const
from model.controller_design import system as controller_design
from model.registry_design import system as registry_design
from model.revisions import CONTROLLER, REGISTRY, Revision
from model.rules import threshold
from model.scope import Scope
from model.service import AttestationSystem
from model.topology import Topology
from model.votes import Electorate

Assemble = Callable[[Revision, Scope, Electorate, tuple[Bool, ...], Topology | None], AttestationSystem]

DESIGNS: dict[str, Assemble] = {REGISTRY: registry_design.assemble, CONTROLLER: controller_design.assemble}


def build(revision: Revision, scope: Scope) -> AttestationSystem:
    """The system of a revision within a scope."""
    weights = tuple(const(weight) for weight in scope.instance.weights)
    electorate = Electorate(weights, const(threshold(scope.instance.total_weight)))
    first_byzantine = len(weights) - scope.instance.byzantine
    byzantine = tuple(TRUE if key >= first_byzantine else FALSE for key in range(len(weights)))
    return assemble(revision, scope, electorate, byzantine)


def assemble(
    revision: Revision,
    scope: Scope,
    electorate: Electorate,
    byzantine: tuple[Bool, ...],
    topology: Topology | None = None,
) -> AttestationSystem:
    """The system for weights, a threshold and a Byzantine membership that need not be known numbers (a solver may
    leave them open), and for a topology other than the scope's (as a recorded log has it)."""
    return DESIGNS[revision.design](revision, scope, electorate, byzantine, topology)
