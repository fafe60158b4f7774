"""The interesting moments of a run: what a test that never sees them would miss."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

from model.algebra import Bool, any_of
from model.registry_design.node import Node
from model.transitions import Action
from model.votes import NONE
from properties.engines.stepper import State
from properties.stateful.lockstep import Test
from properties.stateful.registry_design.lockstep import Layout

CONFLATED, LOST_CERTIFICATE, LOST_MESSAGE = "conflated status", "restart with a queued certificate", "message lost"
LOWERED, SKIPPED = "minimum lowered", "own registry skips the vote"
BELOW, REPLACED = "vote below minimum", "vote replaced"
PHASES = (CONFLATED, LOST_CERTIFICATE, LOST_MESSAGE, LOWERED, SKIPPED, BELOW, REPLACED)


@dataclass(frozen=True)
class Moments:
    """Finds out which of the moments an action is, on one model."""

    layout: Layout

    def of(self, action: Action, before: State, after: State) -> Iterator[str]:
        """The moments that this step is."""
        node = self.layout.places.get(action.node, 0)
        match action.name:
            case "update_status":
                yield from self._if(CONFLATED, self._unseen[node](before))
            case "restart_node":
                yield from self._if(LOST_CERTIFICATE, self._queued[node](before))
            case "reconnect":
                yield from self._if(LOST_MESSAGE, (int(self._loses_message(action, before)),))
            case "set_min_batch_number":
                minimum = self.layout.minima[node]
                yield from self._if(LOWERED, (int(minimum(after) < minimum(before)),))
            case "publish_vote":
                registry = self.layout.registries[node]
                yield from self._if(SKIPPED, (int(registry(after) == registry(before)),))
            case "receive_votes":
                link = self.layout.link_of(action)
                yield from self._if(BELOW, self._below[link](before))
                yield from self._if(REPLACED, self._replaced[link](before))

    def _if(self, name: str, values: tuple[int, ...]) -> Iterator[str]:
        if values[0]:
            yield name

    def _loses_message(self, action: Action, before: State) -> bool:
        ends = {action.node, str(dict(action.arguments)["to"])}
        links = [link for names, link in self.layout.links.items() if set(names) == ends]
        return any(self.layout.in_flight[link](before) for link in links)

    def _on_nodes(self, condition: Callable[[Node], Bool]) -> list[Test]:
        stepper, state = self.layout.model.stepper, self.layout.system.state
        return [stepper.evaluator(condition(node)) for node in state.nodes]

    @cached_property
    def _unseen(self) -> list[Test]:
        """For each node, whether some subscriber has yet to see the status that is about to be replaced."""
        return self._on_nodes(lambda node: any_of(node.status.unseen) & (node.status.next_batch_to_attest != NONE))

    @cached_property
    def _queued(self) -> list[Test]:
        """For each node, whether certificates wait to be inserted."""
        return self._on_nodes(lambda node: ~node.store.queue.is_empty)

    @cached_property
    def _below(self) -> list[Test]:
        """For each link, whether the receiver is about to skip a vote for being below its minimum."""
        system = self.layout.system
        pairs = zip(system.state.links, system.topology.links, strict=True)
        stepper = self.layout.model.stepper
        return [
            stepper.evaluator(link.carries_vote_below(system.state.nodes[receiver].registry))
            for link, (_, receiver) in pairs
        ]

    @cached_property
    def _replaced(self) -> list[Test]:
        """For each link, whether the receiver is about to replace a vote."""
        system = self.layout.system
        pairs = zip(system.state.links, system.topology.links, strict=True)
        stepper = self.layout.model.stepper
        return [
            stepper.evaluator(link.carries_replacement_for(system.state.nodes[receiver].registry))
            for link, (_, receiver) in pairs
        ]
