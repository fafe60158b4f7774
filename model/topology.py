"""Who is connected to whom. Votes can be only where a path of links leads, so that the rest of the state vanishes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

MAIN = "M"
RELAY, SECOND_RELAY = "X", "Y"


@dataclass(frozen=True)
class Place:
    """A node: its name, and the position of its key in the committee if it is an attester."""

    name: str
    key: int | None = None


@dataclass(frozen=True)
class Topology:
    """The attesters' names in the order of the committee; the nodes, the main node among them; and the directed links
    (sender, receiver), by position of the node.

    A connection is two links, one in each direction, unless the scope leaves out what flows away from the main node.
    A Byzantine attester need not have a node: it forges votes wherever it likes.
    """

    attesters: tuple[str, ...]
    places: tuple[Place, ...]
    links: tuple[tuple[int, int], ...]

    @property
    def main(self) -> int:
        """The position of the main node."""
        return self.position(MAIN)

    def position(self, name: str) -> int:
        """The position of the node of this name."""
        return next(index for index, place in enumerate(self.places) if place.name == name)

    def keys_at(self, node: int) -> frozenset[int]:
        """The attesters whose votes can come to this node along the links."""
        sources = {node}
        while more := {sender for sender, receiver in self.links if receiver in sources} - sources:
            sources |= more
        return frozenset(key for source in sources if (key := self.places[source].key) is not None)

    def has_finder(self, node: int, own_finders: bool) -> bool:
        """Whether this node's QC finder is part of the scope: an attester's is only if its own registry is."""
        return own_finders or node == self.main or self.places[node].key is None

    def is_external(self, node: int) -> bool:
        """Whether this node is neither the main node nor an attester's."""
        return node != self.main and self.places[node].key is None

    def is_target(self, node: int, echo: bool) -> bool:
        """Whether forged votes are delivered to this node: to attesters only if votes flow to them at all."""
        is_attesters = self.places[node].key is not None and node != self.main
        return echo or not is_attesters or any(receiver == node for _, receiver in self.links)

    def owner(self, *nodes: int) -> str | None:
        """The attester whose own these nodes are, or what is between them: the first that has a key. The main node is
        everybody's, also where it is an attester."""
        keys = (self.places[node].key for node in nodes if node != self.main)
        return next((self.attesters[key] for key in keys if key is not None), None)

    @property
    def both_ways(self) -> Topology:
        """The same nodes and connections, with a link in each direction of every connection."""
        missing = tuple((b, a) for a, b in self.links if (b, a) not in self.links)
        return replace(self, links=(*self.links, *missing))

    @property
    def connections(self) -> tuple[tuple[int, ...], ...]:
        """The links of each connection, one or both directions."""
        pairs: dict[frozenset[int], list[int]] = {}
        for index, ends in enumerate(self.links):
            pairs.setdefault(frozenset(ends), []).append(index)
        return tuple(tuple(links) for links in pairs.values())


def attester_names(count: int) -> tuple[str, ...]:
    """a, b, c …"""
    return tuple(chr(ord("a") + key) for key in range(count))


def connect(
    attesters: Sequence[str], nodes: Iterable[str], connections: Iterable[tuple[str, str]], echo: bool
) -> Topology:
    """Nodes by name, and connections (dialer, listener) between them, in both directions if votes are echoed; without
    echo, from the dialer to the listener only. A node with an attester's name is that attester's."""
    names = list(nodes)
    places = tuple(Place(name, attesters.index(name) if name in attesters else None) for name in names)
    links = []
    for dialer, listener in connections:
        links.append((names.index(dialer), names.index(listener)))
        if echo:
            links.append((names.index(listener), names.index(dialer)))
    return Topology(tuple(attesters), places, tuple(links))


def direct(attesters: Sequence[str], with_node: Sequence[str], echo: bool) -> Topology:
    """Every attester is connected to the main node, and to nobody else."""
    return connect(attesters, (MAIN, *with_node), [(name, MAIN) for name in with_node], echo)


def relay(attesters: Sequence[str], with_node: Sequence[str], echo: bool) -> Topology:
    """Every attester is connected to one external node, and only that to the main node."""
    connections = [(RELAY, MAIN), *((name, RELAY) for name in with_node)]
    return connect(attesters, (MAIN, RELAY, *with_node), connections, echo)


def relays(attesters: Sequence[str], with_node: Sequence[str], echo: bool) -> Topology:
    """Every attester is connected to two external nodes, and only those to the main node: side by side."""
    external = (RELAY, SECOND_RELAY)
    dialled = [(name, relay) for name in with_node for relay in external]
    return connect(attesters, (MAIN, *external, *with_node), [*((name, MAIN) for name in external), *dialled], echo)


def relay_chain(attesters: Sequence[str], with_node: Sequence[str], echo: bool) -> Topology:
    """Every attester is connected to an external node, that to another one, and only that to the main node."""
    connections = [(RELAY, MAIN), (SECOND_RELAY, RELAY), *((name, SECOND_RELAY) for name in with_node)]
    return connect(attesters, (MAIN, RELAY, SECOND_RELAY, *with_node), connections, echo)


def observed(attesters: Sequence[str], with_node: Sequence[str], echo: bool) -> Topology:
    """Every attester is connected to the main node, and the main node to an external node, which nobody depends on."""
    connections = [(MAIN, RELAY), *((name, MAIN) for name in with_node)]
    return connect(attesters, (MAIN, RELAY, *with_node), connections, echo)


def mesh(attesters: Sequence[str], with_node: Sequence[str], echo: bool) -> Topology:
    """Every attester is connected to the main node and to every other attester."""
    pairs = [(a, b) for index, a in enumerate(with_node) for b in with_node[:index]]
    return connect(attesters, (MAIN, *with_node), [*((name, MAIN) for name in with_node), *pairs], echo)


def chain(attesters: Sequence[str], with_node: Sequence[str], echo: bool) -> Topology:
    """The first attester is connected to the main node, and every other one to the attester before it."""
    connections = list(zip(with_node, (MAIN, *with_node), strict=False))
    return connect(attesters, (MAIN, *with_node), connections, echo)


TOPOLOGIES = {topology.__name__: topology for topology in (direct, relay, relays, relay_chain, observed, mesh, chain)}

RELAYED = ("relay", "relays", "relay_chain")
"""The topologies in which external nodes pass on all votes."""
