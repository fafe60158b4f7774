"""What every design of the service has, whatever machines it is made of: the interface between a design and the claims
about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from model.algebra import Int
from model.revisions import Revision
from model.scope import Scope
from model.topology import Topology
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
