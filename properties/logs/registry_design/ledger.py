"""What a log of the vote-registry design says of itself: pushes of a node's own making, and calls of `store_qc`."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from properties.logs.ledger import Ledger, Message, Misfit


@dataclass
class Call:
    """A `store_qc` that has not returned: the batch of its certificate, and whether that has been inserted."""

    number: int
    is_inserted: bool = False


@dataclass
class RegistryLedger(Ledger):
    """The record of one run so far.

    `raw_messages`: what a node has made up and sent, by (sender, receiver). `calls`: open calls of `store_qc`, by node.
    `verified`: whether each certificate that was found and not yet inserted verifies, by node.
    """

    raw_messages: dict[tuple[str, str], Message] = field(default_factory=dict)
    calls: dict[str, Call] = field(default_factory=dict)
    verified: dict[str, deque[bool]] = field(default_factory=dict)

    def lose(self, link: tuple[str, str]) -> None:
        self.raw_messages.pop(link, None)

    def must_be_over(self, node: str) -> None:
        """Raise `Misfit` if the node's finder is inside `store_qc`."""
        if node in self.calls:
            raise Misfit(f"the finder of {node} has not returned from storing {self.calls[node].number}")

    def restart(self, node: str) -> None:
        super().restart(node)
        self.calls.pop(node, None)
        self.verified.pop(node, None)
        for link in [link for link in self.raw_messages if node in link]:
            self.lose(link)

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

    def found(self, node: str, verifies: bool) -> None:
        """A finder has made a certificate."""
        self.verified.setdefault(node, deque()).append(verifies)

    def inserted(self, node: str) -> bool:
        """Whether the certificate that is inserted next verifies: first in, first out."""
        waiting = self.verified.get(node)
        if not waiting:
            raise Misfit(f"{node} has found no certificate that is not inserted yet")
        return waiting.popleft()
