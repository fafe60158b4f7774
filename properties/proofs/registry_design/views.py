"""Views of the main node and two attesters, and the system that a view is compared with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from model.algebra import Bool, Expression, bool_variable, const, leaves, where
from model.registry_design.gossip import Link
from model.registry_design.network import System
from model.registry_design.node import Node
from model.registry_design.registry import Registry
from model.registry_design.system import RegistryDesign, assemble
from model.revisions import Revision
from model.scope import Instance, Scope
from model.topology import Topology, attester_names
from model.votes import Electorate, Vote
from properties.proofs.committees import Committee
from properties.proofs.registry_design.open_system import ALL_DETAIL

SUPPORTER_IS_FIRST = bool_variable("the supporter is the first of the view")
"""Which of the two attesters has the weight: open, so that every proof covers both."""


def view_electorate(byzantine: Sequence[Bool]) -> Electorate:
    """The weights of a view of two attesters: 1 for the supporter, if honest; a quorum weighs 1."""
    chosen = (SUPPORTER_IS_FIRST, ~SUPPORTER_IS_FIRST)
    weights = (where(pick & ~lies, const(1), const(0)) for pick, lies in zip(chosen, byzantine, strict=True))
    return Electorate(tuple(weights), const(1))


def view_system(revision: Revision, scope: Scope = ALL_DETAIL) -> RegistryDesign:
    """The system of a view: two attesters, of whom one supports what the finder finds."""
    byzantine = Committee.of(2).byzantine
    named = replace(scope, instance=Instance("any n", (1, 1), 0))
    return assemble(revision, named, view_electorate(byzantine), byzantine)


@dataclass(frozen=True)
class View:
    """How the system of N attesters looks from the main node and the attesters with these keys, in this order."""

    system: RegistryDesign
    keys: tuple[int, ...]

    @property
    def state(self) -> System:
        """The state, without what the view does not see."""
        state, topology = self.system.state, self.system.topology
        nodes = [(place.key, node) for place, node in zip(topology.places, state.nodes, strict=True)]
        seen = [self._node(node) for key, node in nodes if key is None]
        seen += [self._node(node) for wanted in self.keys for key, node in nodes if key == wanted]
        return replace(state, nodes=tuple(seen), links=tuple(self._links(topology)))

    def _links(self, topology: Topology) -> Iterator[Link]:
        for wanted in self.keys:
            for link, ends in zip(self.system.state.links, topology.links, strict=True):
                if wanted in {topology.places[end].key for end in ends}:
                    yield replace(link, old=self._votes(link.old), in_flight=self._votes(link.in_flight))

    def _node(self, node: Node) -> Node:
        registry = Registry(node.registry.min_batch_number, self._votes(node.registry.votes))
        return replace(node, registry=registry)

    def _votes(self, votes: Sequence[Vote]) -> tuple[Vote, ...]:
        return tuple(votes[key] for key in self.keys)

    def name_of(self, node: str) -> str:
        """What a node of the system is called in the view system; an attester's by its place in the view."""
        names = {
            self.system.topology.attesters[key]: name for key, name in zip(self.keys, attester_names(2), strict=False)
        }
        return names.get(node, node)

    def onto(self, viewed: RegistryDesign) -> dict[Expression, Expression]:
        """For each variable that the view sees, the variable of the view system that it is."""
        pairs = zip(leaves(self.state), leaves(viewed.state), strict=True)
        return {mine: theirs for mine, theirs in pairs if mine.op == "var"}


def of_attester(system: RegistryDesign, key: int) -> list[Expression]:
    """The variables of an attester: its node's, its connection's, its votes', and whether it is Byzantine."""
    others = {leaf for other in range(len(system.topology.attesters)) if other != key for leaf in _seen(system, other)}
    own = [leaf for leaf in _seen(system, key) if leaf not in others]
    return [*own, Committee.of(len(system.topology.attesters)).byzantine[key]]


def _seen(system: RegistryDesign, key: int) -> list[Expression]:
    return [leaf for leaf in leaves(View(system, (key,)).state) if leaf.op == "var"]
