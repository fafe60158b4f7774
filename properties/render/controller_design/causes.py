"""What led to a violation of the attestation-controller design, and what follows from it: a sentence or two each, with
the names and numbers of the run in braces (`Facts`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from model.algebra import Bool
from model.controller_design.node import Node
from properties.cures import Violation
from properties.render.controller_design.sequence import design_of
from properties.render.story import Story


class Facts:
    """What a sentence about the last state of a run may name."""

    def __init__(self, story: Story) -> None:
        self.story, self.system, self.last = story, design_of(story), len(story.trace.steps)

    def __getitem__(self, name: str) -> str:
        return str(getattr(self, name))

    @property
    def asked(self) -> int:
        """The batch that is asked for."""
        return self.story.value(self.system.next_batch_to_attest, self.last)

    @property
    def ahead(self) -> str:
        """The attesters whose nodes want a later number."""
        return self._attesters(lambda node: node.task.next_number > self.asked)

    @property
    def elsewhere(self) -> str:
        """The attesters whose nodes have not started the batch that is asked for."""
        return self._attesters(lambda node: node.attestation.batch.number != self.asked)

    @property
    def dead(self) -> str:
        """The attesters whose nodes' tasks have ended."""
        return self._attesters(lambda node: ~node.task.is_alive)

    @property
    def weights(self) -> str:
        """The weights that matter."""
        committee, threshold = self.story.trace.scope.instance, self.story.system.electorate.threshold.value
        honest = committee.total_weight - committee.byzantine_weight
        return f"of the weight {committee.total_weight}, {honest} is honest, and a quorum needs {threshold}"

    @property
    def ends(self) -> str:
        """What an error on the main node ends."""
        if self.system.revision.error_ends_task_only:
            return "ended its attestation task"
        return "ended its consensus, while its process and its API live on"

    def _attesters(self, condition: Callable[[Node], Bool]) -> str:
        return self._listed(
            place.name
            for place, node in zip(self.system.topology.places, self.system.state.nodes, strict=True)
            if place.key is not None and self.story.value(condition(node), self.last)
        )

    def _listed(self, names: Iterator[str]) -> str:
        """`a`, `a and b`, `a, b and c`; without any, `some attesters`."""
        *most, last = [*names] or ["some attesters"]
        return f"{', '.join(most)} and {last}" if most else last


CAUSES: dict[str, str] = {
    "consensus_dead": "An error on the main node has {ends}.",
    "main_task_dead": "An error on the main node has {ends}.",
    "nothing_asked": "The first batch was pruned before any batch had a certificate, and the database answers none.",
    "main_is_ahead": "The main node's database asks for batch {asked}, while its own task has gone on to a later one.",
    "committee_unreadable": "The committee of batch {asked} cannot be read: the state before it has none, or is not "
    "there.",
    "not_required": "The main node finds no committee for batch {asked}, and wants a later number, which its database "
    "does not name.",
    "pruned_in_the_way": "The main node asks for batch {asked}, which was pruned from its own database.",
    "byzantine_weight": "Byzantine attesters keep silent: {weights}.",
    "ignored_as_lower": "The number that is asked for fell to {asked}, and the task of {ahead} ignores it: it wants a "
    "later one.",
    "deaf_to_status": "The task of {elsewhere} waits for the hash of a batch that its node does not have any longer, "
    "and does not look at the number meanwhile.",
    "batch_not_there": "The node of {elsewhere} does not have batch {asked} any longer.",
    "attester_task_dead": "An error has ended the attestation task of {dead}, and nothing else.",
    "committee_unreadable_for_attesters": "The node of {elsewhere} cannot read the committee of batch {asked}: it "
    "does not have the state before it.",
    "other_hash": "Some attesters' nodes have executed batch {asked} otherwise than the main node, and vote on "
    "another hash.",
    "relay_not_there": "The external node that all votes pass through has not started batch {asked}.",
    "votes_cut_off": "A vote that is an error to its receiver ended a list; the votes behind it were not looked at, "
    "and count as told.",
    "message_too_large": "A node holds more votes on batch {asked} than a message can have.",
    "nodes_lost_in_several_ways": "Too many attesters' nodes are lost for batch {asked}, each for a reason of its own.",
}
"""By kind of counterexample, or else by property."""

EFFECTS: dict[str, str] = {
    "progress_possible": "The main node asks for batch {asked}, which can get no certificate any more unless nodes "
    "restart or connections are made anew: attestation stands still.",
    "nothing_asked": "Nobody is asked for votes: attestation stands still.",
    "byzantine_weight": "Honest votes alone make no quorum: attestation stands still as long as Byzantine attesters "
    "like.",
    "restarts_help": "The main node asks for batch {asked}, which can get no certificate any more, however often "
    "nodes restart that may.",
    "attestation_can_start": "The main node can never get its first certificate: attestation does not begin.",
    "attestation_lives_with_process": "The node looks alive, and takes no part in attestation any more.",
    "every_batch_certified": "A batch that everybody can sign stays without certificate for ever, although every "
    "machine that can go on does go on.",
}
"""By kind of counterexample, or else by property."""


def reason(story: Story) -> Violation:
    """What a violation comes of."""
    return story.claim.name, story.trace.kind
