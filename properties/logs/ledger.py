"""What a log itself says has happened so far, and the model has no state for: which ends of connections are up, polls,
and messages of a node's own making. Every line of the log settles it, so there is only one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Message = Sequence[Mapping[str, Any]]


class Misfit(Exception):
    """An event contradicts what the log itself has said before; the text says how."""


@dataclass
class Ledger:
    """The record of one run so far.

    `up`: the ends (node, peer) of connections that are up. `failed` and `restarted`: the connections that an answer was
    an error on, or an end of which has restarted, since they were made. `polled`: each node's last poll that was
    logged. `heard`: the (key, number, hash) of every valid vote that a node was sent, ever: it may have kept them.
    `fresh`: the nodes that have restarted since they last polled.
    """

    up: set[tuple[str, str]] = field(default_factory=set)
    failed: set[frozenset[str]] = field(default_factory=set)
    restarted: set[frozenset[str]] = field(default_factory=set)
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
            cause = "nothing that came on it was an error" if reason == "error" else "neither end has restarted"
            raise Misfit(f"{node} loses the connection to {peer} for the reason {reason!r}, and {cause}")
        self.up.discard((node, peer))
        for link in ((node, peer), (peer, node)):
            self.lose(link)

    def lose(self, link: tuple[str, str]) -> None:
        """What is under way from one node to another is lost."""

    def must_be_up(self, node: str, peer: str) -> None:
        """Raise `Misfit` unless this end is up."""
        if (node, peer) not in self.up:
            raise Misfit(f"{node} is not connected to {peer}")

    def restart(self, node: str) -> None:
        """What was under way at this node is lost."""
        self.fresh.add(node)
        self.restarted |= {frozenset(ends) for ends in self.up if node in ends}

    def hear(self, node: str, message: Message) -> None:
        """A node is sent these votes, whatever it makes of them. A restart does not make a Byzantine node forget."""
        valid = (vote for vote in message if "signature" not in vote and "genesis" not in vote)
        self.heard.setdefault(node, set()).update((vote["key"], vote["number"], vote["hash"]) for vote in valid)

    def must_have_heard(self, node: str, vote: Mapping[str, Any]) -> None:
        """Raise `Misfit` unless the node was sent this vote, which is not that of a Byzantine attester."""
        if (vote["key"], vote["number"], vote["hash"]) not in self.heard.get(node, ()):
            raise Misfit(
                f"a made-up message adds a vote of {vote['key']}, which is not Byzantine, and {node} has never been "
                "sent that vote"
            )

    def poll(self, node: str, result: int | str | None) -> None:
        """A poll is logged if its result is another than that of the last, since the node started."""
        if node in self.polled and node not in self.fresh and self.polled[node] == result:
            raise Misfit(f"{node} has polled {result!r} already; a poll is logged only if its result is another")
        self.polled[node] = result
        self.fresh.discard(node)
