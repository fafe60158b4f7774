"""The system of a revision within a scope, in the design that the revision is of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from model.algebra import Bool
from model.controller_design import system as controller_design
from model.registry_design import system as registry_design
from model.revisions import CONTROLLER, REGISTRY, Revision
from model.scope import Scope
from model.service import AttestationSystem
from model.topology import Topology
from model.votes import Electorate


@dataclass(frozen=True)
class Design:
    """What a design puts together: the system of a scope, and one of open weights or another topology."""

    build: Callable[[Revision, Scope], AttestationSystem]
    assemble: Callable[[Revision, Scope, Electorate, tuple[Bool, ...], Topology | None], AttestationSystem]


DESIGNS = {
    REGISTRY: Design(registry_design.build, registry_design.assemble),
    CONTROLLER: Design(controller_design.build, controller_design.assemble),
}


def build(revision: Revision, scope: Scope) -> AttestationSystem:
    """The system of a revision within a scope."""
    return DESIGNS[revision.design].build(revision, scope)


def assemble(
    revision: Revision,
    scope: Scope,
    electorate: Electorate,
    byzantine: tuple[Bool, ...],
    topology: Topology | None = None,
) -> AttestationSystem:
    """The system for weights, a threshold and a Byzantine membership that need not be known numbers (a solver may
    leave them open), and for a topology other than the scope's (as a recorded log has it)."""
    return DESIGNS[revision.design].assemble(revision, scope, electorate, byzantine, topology)
