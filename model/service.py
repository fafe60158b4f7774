"""What every design of the service has, whatever machines it is made of: the interface between a design and the claims
about it, and what a scope says of who takes part.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any

from model.algebra import TRUE, Bool, Int
from model.revisions import Revision
from model.scope import BadScope, Scope
from model.topology import TOPOLOGIES, Topology, attester_names
from model.transitions import TransitionSystem
from model.votes import Electorate


@dataclass(frozen=True)
class AttestationSystem(TransitionSystem[Any]):
    """A transition system of batch attestation, with what a claim needs to speak about it."""

    topology: Topology = field(kw_only=True)
    electorate: Electorate = field(kw_only=True)
    revision: Revision = field(kw_only=True)
    scope: Scope = field(kw_only=True)

    @property
    def main(self) -> Any:
        """The main node."""
        return self.state.nodes[self.topology.main]

    @property
    def next_batch_to_attest(self) -> Int:
        """What the main node's database answers now."""
        raise AttributeError("a design says what is asked for")


def topology_of(scope: Scope, byzantine: Sequence[Bool]) -> Topology:
    """The scope's topology, with a node for every attester that may be honest."""
    names = attester_names(len(byzantine))
    honest = [name for name, is_byzantine in zip(names, byzantine, strict=True) if is_byzantine is not TRUE]
    return TOPOLOGIES[scope.topology](names, honest, scope.echo)


def interchangeable(
    topology: Topology, weights: Sequence[Hashable], byzantine: Sequence[Bool]
) -> tuple[tuple[str, ...], ...]:
    """The classes of attesters with the same weight (or weights) that are all honest or all Byzantine."""
    classes: dict[tuple[Hashable, bool], list[str]] = {}
    for name, weight, is_byzantine in zip(topology.attesters, weights, byzantine, strict=True):
        classes.setdefault((weight, is_byzantine is TRUE), []).append(name)
    return tuple(tuple(names) for names in classes.values() if len(names) > 1)


def refuse_unknown_nodes(scope: Scope, topology: Topology) -> None:
    """Raise `BadScope` if the scope names a node that there is not."""
    names = [place.name for place in topology.places]
    for what, name in scope.named_nodes.items():
        if name and name not in names:
            raise BadScope(f"there is no node {name!r} {what}; the nodes are {', '.join(names)}")
