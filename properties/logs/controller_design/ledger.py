"""What a log of the controller design says of itself: calls, restarts that have begun, and what was started."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from model.topology import MAIN
from properties.logs.ledger import Ledger, Message, Misfit
from properties.logs.runs import Event

SENT, RECEIVED, ANSWERED = "sent", "received", "answered"


@dataclass
class Call:
    """A call that is in flight: what it carries and wants, how far it is, and what was answered."""

    want: Mapping[str, Any] | None
    votes: Message
    phase: str = SENT
    answer: Message = ()


@dataclass
class ControllerLedger(Ledger):
    """The record of one run so far.

    `calls`: those in flight, by (caller, peer). `committees`: the name with which each node has started its committee;
    `started`: its number. `restarting`: who may be about to restart, where connections were lost for that reason just
    now. `is_down`: whether the main node has restarted and not polled since.
    """

    calls: dict[tuple[str, str], Call] = field(default_factory=dict)
    committees: dict[str, str] = field(default_factory=dict)
    started: dict[str, int] = field(default_factory=dict)
    restarting: frozenset[str] = frozenset()
    is_down: bool = False

    def expect(self, event: Event) -> None:
        """Raise `Misfit` if a node is about to restart, and the event is not part of that."""
        is_loss = event.kind == "disconnected" and event["reason"] == "restart"
        is_restart = event.kind == "node_restarted" and event.node in self.restarting
        if self.restarting and not (is_loss or is_restart):
            names = " or ".join(sorted(self.restarting))
            raise Misfit(f"connections were lost to a restart of {names}, and no such restart follows")

    def disconnect(self, node: str, peer: str, reason: str) -> None:
        if reason == "restart":
            ends = frozenset((node, peer))
            self.restarted.add(ends)
            self.restarting = self.restarting & ends or ends
        super().disconnect(node, peer, reason)

    def lose(self, link: tuple[str, str]) -> None:
        self.calls.pop(link, None)

    def restart(self, node: str) -> None:
        up = sorted(peer for end, peer in self.up if end == node)
        if up:
            raise Misfit(f"{node} restarts while it is connected to {', '.join(up)}")
        super().restart(node)
        self.committees.pop(node, None)
        self.started.pop(node, None)
        self.restarting = frozenset()
        self.is_down = self.is_down or node == MAIN

    def poll(self, node: str, result: int | str | None) -> None:
        if result == "error" and not self.is_down:
            raise Misfit(f"{node} polls in vain, and {MAIN} is not down: it has polled since it restarted, if it has")
        super().poll(node, result)
        self.is_down = self.is_down and node != MAIN

    def start(self, node: str, number: int, committee: str) -> None:
        """A node starts a batch; the same number again changes nothing."""
        if self.started.get(node) != number:
            self.started[node], self.committees[node] = number, committee

    def send(self, caller: str, peer: str, event: Event) -> None:
        """A call begins."""
        self.must_be_up(caller, peer)
        if (caller, peer) in self.calls:
            raise Misfit(f"a call from {caller} to {peer} is in flight already")
        if frozenset((caller, peer)) in self.failed:
            raise Misfit(f"{caller} calls {peer} on a connection that is to be closed")
        self.calls[caller, peer] = Call(event["want"], event["votes"])

    def receive(self, caller: str, peer: str) -> Call:
        """A call arrives."""
        return self._advance(caller, peer, SENT, RECEIVED, end=peer)

    def answer(self, caller: str, peer: str, votes: Message) -> Call:
        """A call is answered with these votes."""
        call = self._advance(caller, peer, RECEIVED, ANSWERED, end=peer)
        call.answer = votes
        return call

    def finish(self, caller: str, peer: str) -> Call:
        """The answer arrives."""
        self._advance(caller, peer, ANSWERED, ANSWERED, end=caller)
        return self.calls.pop((caller, peer))

    def _advance(self, caller: str, peer: str, phase: str, following: str, end: str) -> Call:
        self.must_be_up(end, peer if end == caller else caller)
        call = self.calls.get((caller, peer))
        if call is None or call.phase != phase:
            raise Misfit(f"no call from {caller} to {peer} has been {phase} and no more")
        call.phase = following
        return call
