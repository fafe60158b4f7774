"""The interesting moments of a run with attestation controllers: what a test that never sees them would miss."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

from model.algebra import Bool, any_of
from model.controller_design.attestation import Attestation
from model.controller_design.gossip import IDLE, Link
from model.controller_design.node import Node
from model.controller_design.task import INSERTING, WAITING_FOR_CERTIFICATE
from model.transitions import Action
from properties.claims.controller_design import FAILURES
from properties.engines.stepper import State
from properties.stateful.controller_design.lockstep import Layout
from properties.stateful.lockstep import Test

EARLY, LATE, PULLED = "early votes ignored", "late votes ignored", "votes pulled"
IN_VAIN, NEW_VOTES, LOST_CALL = "asked for another batch", "new votes alone told", "call lost"
CUT_OFF, WITH_ERROR = "list cut off", "list that ends with an error"
BEHIND, LOST_CERTIFICATE = "start of a batch that is not asked for any more", "restart with a certificate in hand"
TASK_DIES, CONSENSUS_ENDS, STARTS_ANEW = "the task alone ends", "the consensus ends", "restart after an error"
PHASES = (
    *(EARLY, LATE, PULLED, IN_VAIN, NEW_VOTES, LOST_CALL, CUT_OFF, WITH_ERROR),
    *(BEHIND, LOST_CERTIFICATE, TASK_DIES, CONSENSUS_ENDS, STARTS_ANEW),
)
_FAILURES = frozenset(transition.name for transition in FAILURES)


@dataclass(frozen=True)
class Moments:
    """Finds out which of the moments an action is, on one model."""

    layout: Layout

    def of(self, action: Action, before: State, after: State) -> Iterator[str]:
        """The moments that this step is."""
        node = self.layout.places.get(action.node, 0)
        if action.name in _FAILURES:
            yield self._end_of(node, after)
        match action.name:
            case "receive_call" | "receive_answer":
                yield from self._of_message(action, before, after)
            case "answer_call":
                (link,) = self._links_between(action.node, str(dict(action.arguments)["from"]), towards=action.node)
                yield from _if(IN_VAIN, self._asks_in_vain[link](before))
            case "call_peer":
                yield from _if(NEW_VOTES, self._tells_votes_alone[self.layout.link_of(action)](before))
            case "reconnect":
                links = self._links_between(action.node, str(dict(action.arguments)["to"]))
                yield from _if(LOST_CALL, (any(self._in_flight[link](before)[0] for link in links),))
            case "start_attestation":
                yield from _if(BEHIND, self._starts_old[node](before))
            case "restart_node":
                yield from _if(LOST_CERTIFICATE, self._has_certificate[node](before))

    def _end_of(self, node: int, after: State) -> str:
        runs, is_alive = self._lives[node](after)
        if is_alive:
            return STARTS_ANEW
        return TASK_DIES if runs else CONSENSUS_ENDS

    def _of_message(self, action: Action, before: State, after: State) -> Iterator[str]:
        towards = action.node if action.name == "receive_call" else str(dict(action.arguments)["from"])
        (link,) = self._links_between(action.node, str(dict(action.arguments)["from"]), towards)
        receiver = self.layout.places[action.node]
        early, late = self._out_of_time[link, receiver](before)
        yield from _if(EARLY, (early,))
        yield from _if(LATE, (late,))
        controller = self.layout.controllers[receiver]
        yield from _if(PULLED, (action.name == "receive_answer" and controller(before) != controller(after),))
        before_error = dict(action.arguments).get("before_error")
        if before_error is not None:
            _, *carried = self.layout.calls[link](before)
            yield CUT_OFF if sum(carried) > len(str(before_error)) + 1 else WITH_ERROR

    def _links_between(self, one: str, other: str, towards: str = "") -> list[int]:
        """The links of a connection; or the one whose peer this is."""
        return [
            link
            for (caller, peer), link in self.layout.links.items()
            if {caller, peer} == {one, other} and towards in ("", peer)
        ]

    def _on_links(self, condition: Callable[[Link, Attestation, Attestation], Bool]) -> list[Test]:
        state, ends = self.layout.system.state, self.layout.system.topology.links
        here = [node.attestation for node in state.nodes]
        rows = zip(state.links, ends, strict=True)
        return [self.layout.test(condition(link, here[caller], here[peer])) for link, (caller, peer) in rows]

    def _on_nodes(self, *conditions: Callable[[Node], Bool]) -> list[Test]:
        nodes = self.layout.system.state.nodes
        return [self.layout.test(*(condition(node) for condition in conditions)) for node in nodes]

    @cached_property
    def _out_of_time(self) -> dict[tuple[int, int], Test]:
        """For each link and each of its ends, whether votes under way are on a number that it has not started yet; or
        has left behind."""
        state, tests = self.layout.system.state, {}
        for place, (link, ends) in enumerate(zip(state.links, self.layout.system.topology.links, strict=True)):
            for end in ends:
                number, has_votes = state.nodes[end].attestation.batch.number, any_of(link.carried)
                early, late = number < link.batch.number, number > link.batch.number
                tests[place, end] = self.layout.test(early & has_votes, late & has_votes)
        return tests

    @cached_property
    def _asks_in_vain(self) -> list[Test]:
        return self._on_links(lambda link, _, peer: link.asks & peer.is_on & (peer.batch.number != link.batch.number))

    @cached_property
    def _tells_votes_alone(self) -> list[Test]:
        return self._on_links(lambda link, caller, _: ~link.is_behind(caller))

    @cached_property
    def _in_flight(self) -> list[Test]:
        return self._on_links(lambda link, caller, peer: link.phase != IDLE)

    @cached_property
    def _starts_old(self) -> list[Test]:
        asked = self.layout.system.next_batch_to_attest
        return self._on_nodes(lambda node: (node.task.number < asked) & (node.task.number >= 0))

    @cached_property
    def _has_certificate(self) -> list[Test]:
        return self._on_nodes(
            lambda node: (
                node.task.is_in(INSERTING) | (node.task.is_in(WAITING_FOR_CERTIFICATE) & node.attestation.has_quorum)
            )
        )

    @cached_property
    def _lives(self) -> list[Test]:
        return self._on_nodes(lambda node: node.runs, lambda node: node.task.is_alive)


def _if(name: str, values: tuple[int, ...]) -> Iterator[str]:
    if values[0]:
        yield name
