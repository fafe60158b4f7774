"""What a log itself says has happened so far, and the model has no state for: which ends of connections are up, calls
that are under way, and messages of a node's own making. Every line of the log settles it, so there is only one."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Message = Sequence[Mapping[str, Any]]


class Misfit(Exception):
    """An event contradicts what the log itself has said before; the text says how."""


@dataclass
class Call:
    """A `store_qc` that has not returned: the batch of its certificate, and whether that has been inserted."""

    number: int
    is_inserted: bool = False


@dataclass
class Ledger:
    """The record of one run so far.

    `up`: the ends (node, peer) of connections that are up. `failed` and `restarted`: the connections on which a push
    was answered by an error, or an end of which has restarted, since they were made. `raw_messages`: what a node has
    made up and sent, by (sender, receiver). `calls`: open calls of `store_qc`, by node. `verified`: whether each
    certificate that was found and not yet inserted verifies, by node. `polled`: each node's last poll that was logged.
    `heard`: the (key, number, hash) of every valid vote that a node was sent, ever: it may have kept them.
    `fresh`: the nodes that have restarted since.
    """

    up: set[tuple[str, str]] = field(default_factory=set)
    failed: set[frozenset[str]] = field(default_factory=set)
    restarted: set[frozenset[str]] = field(default_factory=set)
    raw_messages: dict[tuple[str, str], Message] = field(default_factory=dict)
    calls: dict[str, Call] = field(default_factory=dict)
    verified: dict[str, deque[bool]] = field(default_factory=dict)
    polled: dict[str, int | str | None] = field(default_factory=dict)
    heard: dict[str, set[tuple[str, int, str]]] = field(default_factory=dict)
    fresh: set[str] = field(default_factory=set)

    def connect(self, node: str, peer: str) -> None:
        """This end is up."""
        if (node, peer) in self.up:
            raise Misfit(f"{node} is connected to {peer} already")
        self.up.add((node, peer))
        if (peer, node) not in self.up:
            self.failed.discard(frozenset((node, peer)))
            self.restarted.discard(frozenset((node, peer)))

    def disconnect(self, node: str, peer: str, reason: str) -> None:
        """This end is down, and calls in both directions are over."""
        self.must_be_up(node, peer)
        known = {"error": self.failed, "restart": self.restarted}.get(reason)
        if known is not None and frozenset((node, peer)) not in known:
            cause = "no push was answered by an error" if reason == "error" else "neither end has restarted"
            raise Misfit(f"{node} loses the connection to {peer} for the reason {reason!r}, and {cause}")
        self.up.discard((node, peer))
        for link in ((node, peer), (peer, node)):
            self.raw_messages.pop(link, None)

    def must_be_up(self, node: str, peer: str) -> None:
        """Raise `Misfit` unless this end is up."""
        if (node, peer) not in self.up:
            raise Misfit(f"{node} is not connected to {peer}")

    def must_be_over(self, node: str) -> None:
        """Raise `Misfit` if the node's finder is inside `store_qc`."""
        if node in self.calls:
            raise Misfit(f"the finder of {node} has not returned from storing {self.calls[node].number}")

    def restart(self, node: str) -> None:
        """What was under way at this node is lost."""
        self.calls.pop(node, None)
        self.fresh.add(node)
        self.verified.pop(node, None)
        self.restarted |= {frozenset(ends) for ends in self.up if node in ends}
        for link in [link for link in self.raw_messages if node in link]:
            del self.raw_messages[link]

    def send(self, sender: str, receiver: str, message: Message) -> None:
        """A node sends what it has made up."""
        if (sender, receiver) in self.raw_messages:
            raise Misfit(f"a call from {sender} to {receiver} is in flight already")
        self.raw_messages[sender, receiver] = message

    def receive(self, sender: str, receiver: str) -> Message:
        """What a node has made up arrives."""
        if (sender, receiver) not in self.raw_messages:
            raise Misfit(f"no call from {sender} to {receiver} is in flight")
        return self.raw_messages.pop((sender, receiver))

    def hear(self, node: str, message: Message) -> None:
        """A node is sent these votes, whatever it makes of them. A restart does not make a Byzantine node forget."""
        valid = (vote for vote in message if "signature" not in vote and "genesis" not in vote)
        self.heard.setdefault(node, set()).update((vote["key"], vote["number"], vote["hash"]) for vote in valid)

    def has_heard(self, node: str, vote: Mapping[str, Any]) -> bool:
        """Whether the node was sent this vote."""
        return (vote["key"], vote["number"], vote["hash"]) in self.heard.get(node, ())

    def poll(self, node: str, result: int | str | None) -> None:
        """A poll is logged if its result is another than that of the last, since the node started."""
        if node in self.polled and node not in self.fresh and self.polled[node] == result:
            raise Misfit(f"{node} has polled {result!r} already; a poll is logged only if its result is another")
        self.polled[node] = result
        self.fresh.discard(node)

    def found(self, node: str, verifies: bool) -> None:
        """A finder has made a certificate."""
        self.verified.setdefault(node, deque()).append(verifies)

    def inserted(self, node: str) -> bool:
        """Whether the certificate that is inserted next verifies: first in, first out."""
        waiting = self.verified.get(node)
        if not waiting:
            raise Misfit(f"{node} has found no certificate that is not inserted yet")
        return waiting.popleft()
