"""What led to a violation of the attestation-controller design, and what follows from it: a sentence or two each, with
the names and numbers of the run in braces (`Facts`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from model.algebra import Bool
from model.controller_design.network import restore_database
from model.controller_design.node import Node
from properties.claims.standstills import STANDSTILLS
from properties.render.controller_design.sequence import design_of
from properties.render.controller_design.words import ERRORS
from properties.render.sequence import told
from properties.render.story import Story
from properties.results.cures import Violation


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
    def error(self) -> str:
        """The last error, in words."""
        steps = zip(self.story.trace.steps, told(self.story), strict=True)
        errors = [(step.node, texts[0]) for step, texts in steps if step.action in ERRORS]
        return " ".join(errors[-1]) if errors else "it is still to come"

    @property
    def restored(self) -> str:
        """How certificates came to be missing."""
        restores = [step for step in self.story.trace.steps if step.action == restore_database.name]
        if not restores:
            return "The main node's task went on with a later batch than its database asks for."
        kept = restores[-1].arguments["kept"]
        return (
            f"The main node's database was restored to a copy without the certificates from batch {kept} on, while its "
            "task went on with a later batch."
        )

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
    "no_gaps_on_main_node": "{restored}",
    "attestation_starts_at_first_batch": "{restored}",
    "one_batch_at_a_time": "{restored}",
    "node_gone": "An error has ended the attestation task of a node: {error}.",
    "attestation_lives_with_process": "An error has ended the attestation task of a node: {error}.",
    "executor_can_start": "An error has ended the attestation of a node: {error}.",
    "early_votes_arrive": "A vote was not taken, and its sender counts it as told: it is not told again on this "
    "connection.",
    "honest_attesters_sign_once": "An attester executed a batch in two ways; neither its vote nor the number that it "
    "had started is stored.",
    "consensus_dead": "An error on the main node has {ends}: {error}.",
    "main_task_dead": "An error on the main node has {ends}: {error}.",
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
    "no_gaps_on_main_node": "A batch between two certified ones has no certificate, and is not asked for again: the "
    "main node asks for the one after the largest.",
    "attestation_starts_at_first_batch": "The batches before the first certificate have none, and are not asked for "
    "again.",
    "one_batch_at_a_time": "By itself this does no harm. It is how gaps begin (`no_gaps_on_main_node`).",
    "consensus_dead": "The main node hears of no vote and makes no certificate any more until an operator restarts "
    "its process, while its API goes on naming the next batch.",
    "executor_can_start": "The node takes no part in attestation any more, as long as its process lives.",
    "node_gone": "The node takes no part in attestation any more, as long as its process lives.",
    "early_votes_arrive": "The main node never has that vote for the batch.",
    "honest_attesters_sign_once": "Whoever collects signatures has two of one attester, over different hashes of one "
    "batch.",
    "progress_possible": "The main node asks for batch {asked}, which can get no certificate any more as long as no "
    "node restarts and no connection is made anew: attestation stands still.",
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
    """What a violation comes of, where its property says only that something follows in the end."""
    if story.claim.name == "every_batch_certified":
        for found in STANDSTILLS:
            if story.value(found.holds(story.system), len(story.trace.steps)):
                return "progress_possible", found.name
    return story.claim.name, story.trace.kind
