"""The interesting moments of a run: what a test that never sees them would miss."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from model.algebra import any_of
from model.transitions import Action
from model.votes import NONE
from properties.engines.stepper import State
from properties.stateful import lockstep
from properties.stateful.lockstep import Test, other_node
from properties.stateful.registry_design.lockstep import Layout

CONFLATED, LOST_CERTIFICATE, LOST_MESSAGE = "conflated status", "restart with a queued certificate", "message lost"
LOWERED, SKIPPED = "minimum lowered", "own registry skips the vote"
BELOW, REPLACED = "vote below minimum", "vote replaced"
PHASES = (CONFLATED, LOST_CERTIFICATE, LOST_MESSAGE, LOWERED, SKIPPED, BELOW, REPLACED)


class Moments(lockstep.Moments):
    """Finds out which of the moments an action is, on one model."""

    layout: Layout

    def conditions(self, action: Action, before: State, after: State) -> Iterator[tuple[str, object]]:
        node, layout = self.layout.places.get(action.node, 0), self.layout
        match action.name:
            case "update_status":
                yield CONFLATED, self._unseen[node](before)[0]
            case "restart_node":
                yield LOST_CERTIFICATE, self._queued[node](before)[0]
            case "reconnect":
                links = layout.links_between(action.node, other_node(action))
                yield LOST_MESSAGE, any(layout.in_flight[link](before) for link in links)
            case "set_min_batch_number":
                yield LOWERED, layout.minima[node](after) < layout.minima[node](before)
            case "publish_vote":
                yield SKIPPED, layout.registries[node](after) == layout.registries[node](before)
            case "receive_votes":
                below, replaced = self._received[layout.link_of(action)](before)
                yield from ((BELOW, below), (REPLACED, replaced))

    @cached_property
    def _unseen(self) -> list[Test]:
        """For each node, whether some subscriber has yet to see the status that is about to be replaced."""
        return self.layout.on_nodes(
            lambda node: [any_of(node.status.unseen) & (node.status.next_batch_to_attest != NONE)]
        )

    @cached_property
    def _queued(self) -> list[Test]:
        """For each node, whether certificates wait to be inserted."""
        return self.layout.on_nodes(lambda node: [~node.store.queue.is_empty])

    @cached_property
    def _received(self) -> list[Test]:
        """For each link, whether the receiver is about to skip a vote that is below its minimum; or to replace one."""
        return self.layout.on_links(
            lambda link, _, receiver: (
                link.carries_vote_below(receiver.registry),
                link.carries_replacement_for(receiver.registry),
            )
        )
