"""What every design of the service has, whatever machines it is made of: the interface between a design and the claims
about it, and what a scope says of who takes part.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from model.algebra import FALSE, TRUE, Bool, Int, const
from model.batch_store import BatchStore
from model.revisions import Revision
from model.rules import threshold
from model.scope import BadScope, Scope
from model.topology import MAIN, TOPOLOGIES, Topology, attester_names
from model.transitions import TransitionSystem
from model.votes import Electorate, Vote


class ServiceNode(Protocol):
    """A node, as far as all designs agree on it: its store, and the fork of the chain that it is on."""

    @property
    def store(self) -> BatchStore: ...

    @property
    def genesis(self) -> Int: ...


class ServiceState(Protocol):
    """The whole state, as far as all designs agree on it: how many batches are sealed, the nodes in the order of the
    topology's places, and the first batch of the main node's fork."""

    @property
    def sealed(self) -> Int: ...

    @property
    def nodes(self) -> Sequence[ServiceNode]: ...

    @property
    def first_batch(self) -> Int: ...


@dataclass(frozen=True)
class Certificate:
    """A certificate that a node has at hand where it is `found`: what it is over, whether it `verifies`, and whether it
    `matches` the batch in the node's own database."""

    found: Bool
    subject: Vote
    verifies: Bool
    matches: Bool


@dataclass(frozen=True)
class AttestationSystem(TransitionSystem[Any], ABC):
    """A transition system of batch attestation, with what a claim needs to speak about it. Nodes are told by their
    position in the topology."""

    state: ServiceState
    topology: Topology = field(kw_only=True)
    electorate: Electorate = field(kw_only=True)
    revision: Revision = field(kw_only=True)
    scope: Scope = field(kw_only=True)

    @property
    def main(self) -> ServiceNode:
        """The main node."""
        return self.state.nodes[self.topology.main]

    @property
    @abstractmethod
    def next_batch_to_attest(self) -> Int:
        """What the main node's database answers now."""

    @abstractmethod
    def is_to_attest(self, number: Int | int) -> Bool:
        """Whether attestation starts at this batch or before it, on the main node's fork."""

    @abstractmethod
    def runs(self, node: int) -> Bool:
        """Whether a node's part of the service runs, and can be talked to."""

    @abstractmethod
    def told(self, node: int) -> Int:
        """The number that a node goes by: the last that it has been told, or has started."""

    @abstractmethod
    def votes(self, node: int) -> tuple[Vote, ...]:
        """The votes that a node holds, by attester, `NO_VOTE` where it has none."""

    @abstractmethod
    def is_quorum(self, node: int, subject: Vote) -> Bool:
        """Whether a node's votes on this batch and hash make a quorum."""

    @abstractmethod
    def certificate(self, node: int) -> Certificate | None:
        """What a node has found, or is about to find; none for a node that never looks for certificates."""

    @abstractmethod
    def certificates_on_their_way(self, node: int) -> tuple[Vote, ...]:
        """What the certificates are over that a node has found and not yet stored."""


def electorate_of(scope: Scope) -> Electorate:
    """The weights of the scope's attesters, and the weight of a quorum."""
    weights = tuple(const(weight) for weight in scope.instance.weights)
    return Electorate(weights, const(scope.quorum or threshold(scope.instance.total_weight)))


def byzantine_of(scope: Scope) -> tuple[Bool, ...]:
    """Which of the scope's attesters are Byzantine: the last ones."""
    attesters = len(scope.instance.weights)
    first = attesters - scope.instance.byzantine
    return tuple(TRUE if key >= first else FALSE for key in range(attesters))


def topology_of(scope: Scope, byzantine: Sequence[Bool]) -> Topology:
    """The scope's topology, with a node for every attester that may be honest; that of the first can be the main
    node."""
    names = (MAIN, *attester_names(len(byzantine) - 1)) if scope.main_attests else attester_names(len(byzantine))
    pairs = zip(names, byzantine, strict=True)
    honest = [name for name, is_byzantine in pairs if is_byzantine is not TRUE and name != MAIN]
    return TOPOLOGIES[scope.topology](names, honest, scope.echo)


def refuse_unknown_nodes(scope: Scope, topology: Topology) -> None:
    """Raise `BadScope` if the scope names a node that there is not."""
    names = [place.name for place in topology.places]
    for what, name in scope.named_nodes.items():
        if name and name not in names:
            raise BadScope(f"there is no node {name!r} {what}; the nodes are {', '.join(names)}")
