"""The interesting moments of a run with attestation controllers: what a test that never sees them would miss."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from model.algebra import any_of
from model.controller_design.gossip import IDLE
from model.controller_design.task import INSERTING, WAITING_FOR_CERTIFICATE
from model.transitions import Action
from properties.claims.controller_design import FAILURES
from properties.engines.stepper import State
from properties.stateful import lockstep
from properties.stateful.controller_design.lockstep import Layout
from properties.stateful.lockstep import Test, other_node

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


class Moments(lockstep.Moments):
    """Finds out which of the moments an action is, on one model."""

    layout: Layout

    def conditions(self, action: Action, before: State, after: State) -> Iterator[tuple[str, object]]:
        node, layout = self.layout.places.get(action.node, 0), self.layout
        if action.name in _FAILURES:
            runs, is_alive = self._lives[node](after)
            yield STARTS_ANEW, is_alive
            yield TASK_DIES, runs and not is_alive
            yield CONSENSUS_ENDS, not runs and not is_alive
        match action.name:
            case "receive_call":
                yield from self._of_message(action, layout.links[other_node(action), action.node], before)
            case "receive_answer":
                yield from self._of_message(action, layout.links[action.node, other_node(action)], before)
                yield PULLED, layout.controllers[node](before) != layout.controllers[node](after)
            case "answer_call":
                yield IN_VAIN, self._asks_in_vain[layout.links[other_node(action), action.node]](before)[0]
            case "call_peer":
                yield NEW_VOTES, self._tells_votes_alone[layout.link_of(action)](before)[0]
            case "reconnect":
                links = layout.links_between(action.node, other_node(action))
                yield LOST_CALL, any(self._in_flight[link](before)[0] for link in links)
            case "start_attestation":
                yield BEHIND, self._starts_old[node](before)[0]
            case "restart_node":
                yield LOST_CERTIFICATE, self._has_certificate[node](before)[0]

    def _of_message(self, action: Action, link: int, before: State) -> Iterator[tuple[str, object]]:
        early, late = self._out_of_time[link, self.layout.places[action.node]](before)
        yield from ((EARLY, early), (LATE, late))
        before_error = dict(action.arguments).get("before_error")
        if before_error is not None:
            _, *carried = self.layout.calls[link](before)
            is_cut_off = sum(carried) > len(str(before_error)) + 1
            yield from ((CUT_OFF, is_cut_off), (WITH_ERROR, not is_cut_off))

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
        return self.layout.on_links(
            lambda link, _, peer: [
                link.asks & peer.attestation.is_on & (peer.attestation.batch.number != link.batch.number)
            ]
        )

    @cached_property
    def _tells_votes_alone(self) -> list[Test]:
        return self.layout.on_links(lambda link, caller, _: [~link.is_behind(caller.attestation)])

    @cached_property
    def _in_flight(self) -> list[Test]:
        return self.layout.on_links(lambda link, *_: [link.phase != IDLE])

    @cached_property
    def _starts_old(self) -> list[Test]:
        asked = self.layout.system.next_batch_to_attest
        return self.layout.on_nodes(lambda node: [(node.task.number < asked) & (node.task.number >= 0)])

    @cached_property
    def _has_certificate(self) -> list[Test]:
        return self.layout.on_nodes(
            lambda node: [
                node.task.is_in(INSERTING) | (node.task.is_in(WAITING_FOR_CERTIFICATE) & node.attestation.has_quorum)
            ]
        )

    @cached_property
    def _lives(self) -> list[Test]:
        return self.layout.on_nodes(lambda node: [node.runs, node.task.is_alive])
