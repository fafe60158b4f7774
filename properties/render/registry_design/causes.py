"""What led to a violation of the vote-registry design, and what follows from it: a sentence or two each, with the names
and numbers of the run in braces (`Facts`)."""

from __future__ import annotations

from collections.abc import Iterator

from model.registry_design.network import fail_once, refuse_status, stop_on_mismatch
from model.registry_design.node import Node
from model.registry_design.registry import Registry
from model.votes import NONE
from properties.claims.points_of_no_return import POINTS_OF_NO_RETURN, PRUNED_TOO_EARLY
from properties.render.registry_design.explanations import certificate, certified
from properties.render.sequence import told
from properties.render.story import Story
from properties.results.cures import Violation

ERRORS = frozenset(transition.name for transition in (fail_once, refuse_status, stop_on_mismatch))
"""The errors that end more than what they are about."""


class Facts:
    """What a sentence about the last state of a run may name."""

    def __init__(self, story: Story) -> None:
        self.story, self.last = story, len(story.trace.steps)

    def __getitem__(self, name: str) -> str:
        return str(getattr(self, name))

    @property
    def asked(self) -> int:
        """The batch that is asked for."""
        return self.story.value(self.story.system.next_batch_to_attest, self.last)

    @property
    def fall(self) -> str:
        """How the number that is asked for fell, where it did: so begins what is wrong with the last-sealed start."""
        asked, certified = self.story.system.next_batch_to_attest, self.story.system.main.store.certified.largest
        for number in range(self.last, 0, -1):
            before, after = (self.story.value(asked, each) for each in (number - 1, number))
            if NONE < after < before and self.story.trace.steps[number - 1].action == "insert_qc":
                return (
                    f"The main node asked for the last sealed batch, {before}, while it had no certificate; with that "
                    f"of batch {self.story.value(certified, number)} in its database it asks for batch {after}. "
                )
        return ""

    @property
    def minimum(self) -> int:
        """The minimum in the main node's registry."""
        return self.story.value(self.story.registry_design.main.registry.min_batch_number, self.last)

    @property
    def read(self) -> int:
        """The status that the main node's finder has read."""
        return self.story.value(self.story.registry_design.main.finder.number, self.last)

    @property
    def late(self) -> str:
        """The attesters whose own registries have a vote on a later batch."""
        return self._listed(
            name
            for name, node in self._attesters()
            if max(self._number(node.registry, name), self.story.value(node.attester.number, self.last)) > self.asked
        )

    @property
    def late_at_main(self) -> str:
        """The attesters of which the main node has a vote on a later batch."""
        return self._late_in(self.story.registry_design.main.registry)

    @property
    def late_at_external(self) -> str:
        """The attesters of which the external node has a vote on a later batch."""
        return self._late_in(self._external().registry)

    @property
    def caught(self) -> str:
        """The attesters whose own registries have a minimum above the batch that is asked for."""
        return self._listed(
            name
            for name, node in self._attesters()
            if max(
                self.story.value(number, self.last) for number in (node.registry.min_batch_number, node.finder.number)
            )
            > self.asked
        )

    @property
    def lost(self) -> str:
        """The attesters that have voted on the batch that is asked for, and of which the main node has no such vote."""
        main, asked = self.story.registry_design.main.registry, self.asked
        return self._listed(
            name
            for name, node in self._attesters()
            if self._number(node.registry, name) == asked != self._number(main, name)
        )

    @property
    def unheard(self) -> str:
        """The attesters that have set out to vote on the batch that is asked for, and have no such vote."""
        asked, last = self.asked, self.last
        return self._listed(
            name
            for name, node in self._attesters()
            if self.story.value(node.status.next_batch_to_attest, last) == asked
            and self._number(node.registry, name) < asked
        )

    @property
    def error(self) -> str:
        """The last step that was an error, in words."""
        steps = zip(self.story.trace.steps, told(self.story), strict=True)
        errors = [(step.node, texts[0]) for step, texts in steps if step.action in ERRORS]
        return " ".join(errors[-1]) if errors else "it comes before the node can start"

    @property
    def bad_votes(self) -> str:
        """What is wrong with a vote in every message of the external node."""
        return self.story.trace.scope.bad_votes or "an error"

    @property
    def weights(self) -> str:
        """The weights that matter."""
        committee, threshold = self.story.trace.scope.instance, self.story.system.electorate.threshold.value
        honest = committee.total_weight - committee.byzantine_weight
        return f"of the weight {committee.total_weight}, {honest} is honest, and a quorum needs {threshold}"

    @property
    def certificate(self) -> str:
        """Whose signatures a certificate would carry, and which are over something else."""
        return certificate(self.story)

    @property
    def certified(self) -> str:
        """Which batches have a certificate."""
        return certified(self.story)

    @property
    def restarting(self) -> str:
        """Who may restart."""
        return "the main node" if self.story.trace.scope.restarting else "any node"

    @property
    def gap(self) -> str:
        """How later votes came about."""
        committee = self.story.trace.scope.instance
        if committee.byzantine_weight >= self.story.system.electorate.threshold.value:
            return "Byzantine attesters make a quorum by themselves, on whatever batch they like"
        return (
            "While no certificate was stored, the main node asked for the last sealed batch; attesters voted as they "
            "were told, and the certificate of the later batch came after that of an earlier one"
        )

    def _attesters(self) -> Iterator[tuple[str, Node]]:
        """The attesters that have a node, with it."""
        for place, node in zip(self.story.system.topology.places, self.story.registry_design.state.nodes, strict=True):
            if place.key is not None:
                yield place.name, node

    def _external(self) -> Node:
        topology = self.story.system.topology
        index = next(index for index in range(len(topology.places)) if topology.is_external(index))
        return self.story.registry_design.state.nodes[index]

    def _number(self, registry: Registry, attester: str) -> int:
        key = self.story.system.topology.attesters.index(attester)
        return self.story.value(registry.votes[key].number, self.last)

    def _late_in(self, registry: Registry) -> str:
        names = self.story.system.topology.attesters
        return self._listed(name for name in names if self._number(registry, name) > self.asked)

    def _listed(self, names: Iterator[str]) -> str:
        """`a`, `a and b`, `a, b and c`; without any, `some attesters`."""
        *most, last = [*names] or ["some attesters"]
        return f"{', '.join(most)} and {last}" if most else last


CAUSES: dict[str, str] = {
    "registry_minimum": "{fall}By then its QC finder had set the minimum of its registry to {minimum}, and it waits "
    "for a quorum there without looking at the number again.",
    "minimum_to_come": "{fall}By then its QC finder had read {read}, and it sets the minimum of its registry to it "
    "next.",
    "newer_vote": "{fall}By then {late} had voted, or had set out to vote, on a later batch, and an attester's own "
    "registry skips a vote on an earlier one.",
    "own_minimum": "{fall}By then the QC finder of {caught} had set a later minimum in the registry that the attester "
    "publishes through.",
    "own_vote_skipped": "{fall}The vote of {unheard} on batch {asked} was skipped by the attester's own registry, "
    "whose minimum was too high at that time; an attester votes on a number once.",
    "vote_lost": "{fall}The main node skipped or dropped the vote of {lost} on batch {asked} while its minimum was "
    "higher, and a vote is pushed once on a connection.",
    "overtaken": "{fall}By then a quorum for a later batch had been found, and its certificate is stored first.",
    "newer_vote_at_main": "{fall}By then the main node had votes on a later batch from {late_at_main}, and its "
    "registry skips their votes on an earlier one.",
    "newer_vote_at_relay": "{fall}By then the external node had votes on a later batch from {late_at_external}, and "
    "it skips, and does not pass on, their votes on an earlier one.",
    "relay_minimum": "{fall}By then the external node through which the votes come had a minimum above batch {asked}, "
    "or had read the number that it sets it to, and its QC finder waits for a quorum there.",
    "error_to_come": "{fall}By then the main node had been told, or had read, a later number, and from PR 167 on a "
    "smaller one is an error that ends its consensus.",
    "consensus_dead": "{fall}An error has ended the main node's consensus, and nobody restarts it: {error}.",
    "node_gone": "An error has ended the consensus of a node, and nobody restarts it: {error}.",
    "attesters_lost": "{fall}Too many attesters are lost for batch {asked}, each for a reason of its own.",
    "false_certificate": "Byzantine attesters of threshold weight signed another hash for a batch, and the main node "
    "has a certificate over it.",
    "byzantine_weight": "Byzantine attesters keep silent: {weights}.",
    "never_starts": "The loop that polls for the first number, as PR 165 has it, goes on after it has one.",
    "messages_refused": "Every message of the external node has a vote with {bad_votes}; that is an error, which "
    "drops the whole message and the connection, and the next one pushes the same votes again.",
    "pruned_too_early": "The first batch was pruned before the nodes that are needed knew where to start; the "
    "database then finds neither a certificate nor the genesis' first block, and answers none.",
    "pruned_at_attesters": "Attesters' nodes have pruned batch {asked} before they voted on it, and what is not there "
    "cannot be signed.",
    "relay_dead": "An error has ended the consensus of the external node that all votes pass through, and nobody "
    "restarts it.",
    "attesters_dead": "An error has ended the consensus of too many attesters' nodes, and nobody restarts them.",
    "never_answered": "The main node's API never answers nodes that are needed, which are told no number to vote "
    "on, or wait for one before they pass on votes.",
    "executor_waits": "The main node's API never answers the node, and until PR 169 a node waits for the first answer.",
    "pruned_in_the_way": "A batch was pruned while its votes or its certificate were on their way; the task that "
    "inserts certificates tries this one for ever, and no other before it.",
    "no_gaps_on_main_node": "{gap}.",
    "attestation_starts_at_first_batch": "As long as it has no certificate, the main node asks for the last sealed "
    "batch, whichever that is when the first quorum forms.",
    "certificates_verify": "A certificate collects the signatures of all votes with its hash, whatever their number. "
    "{certificate}",
    "certificates_match_batches": "Byzantine attesters make a quorum by themselves, over a hash of their own: "
    "{weights}.",
    "status_never_falls": "{fall}A node that was told the later number is told the earlier one.",
    "one_batch_at_a_time": "While no certificate was stored, the main node asked for the last sealed batch, and "
    "attesters voted on it without certificates before it.",
    "connections_survive_bad_votes": "A message of the external node has a vote with {bad_votes}, which is an error.",
}
"""By kind of counterexample, or else by property."""

_STUCK = (
    "The main node asks for batch {asked}, which can get no certificate any more as long as no node restarts and no "
    "connection is made anew: attestation stands still."
)

EFFECTS: dict[str, str] = {
    "progress_possible": _STUCK,
    "overtaken": "Batch {asked} stays without certificate for good: once the later certificate is stored, the main "
    "node asks for the batch after that.",
    "false_certificate": "Inserting it is fatal to the main node, and batch {asked} does not get its certificate.",
    "restarts_help": "The main node asks for batch {asked}, which can get no certificate any more, however often "
    "{restarting} restarts.",
    "executor_can_start": "A node never starts its executor: it takes no part in gossip or attestation.",
    "attestation_can_start": "The main node can never get its first certificate: attestation does not begin.",
    "byzantine_weight": "Honest votes alone make no quorum: attestation stands still as long as Byzantine attesters "
    "like.",
    "pruned_at_attesters": "The main node asks for batch {asked}, which those attesters can sign no more, not even "
    "after a restart: attestation stands still.",
    "never_starts": "The executor never starts: the node takes no part in gossip or attestation, not even after a "
    "restart.",
    "consensus_dead": "The main node hears of no vote and makes no certificate any more until an operator restarts "
    "its process, while its API goes on naming the next batch.",
    "messages_refused": "Nothing that passes through the external node arrives, and nothing ends that.",
    "no_gaps_on_main_node": "{certified} The main node asks for the batch after the largest, and never again for one "
    "before it.",
    "attestation_starts_at_first_batch": "{certified} The main node asks for the batch after the largest, and never "
    "again for one before it.",
    "certificates_verify": "`BatchQC::verify` refuses such a certificate. The main node stores it all the same, for "
    "nothing there verifies signatures, and looks for no other.",
    "certificates_match_batches": "Inserting it is fatal to the main node: the hash is not that of its own batch.",
    "every_batch_certified": "A batch that everybody can sign stays without certificate for ever, although every "
    "machine that can go on does go on.",
    "status_never_falls": "By itself this does no harm. A node that has acted on the later number may be lost for the "
    "earlier one (`progress_possible`).",
    "one_batch_at_a_time": "By itself this does no harm. It is how gaps begin (`no_gaps_on_main_node`).",
    "connections_survive_bad_votes": "The receiver keeps nothing of the message and closes the connection; other "
    "votes in it are lost with it.",
}
"""By kind of counterexample, or else by property."""


def reason(story: Story) -> Violation:
    """What a violation comes of, where its property says only that something follows in the end."""
    claim, kind, last = story.claim.name, story.trace.kind, len(story.trace.steps)
    if claim == "one_batch_at_a_time":
        return "no_gaps_on_main_node", None
    if claim == "status_never_falls" and Facts(story).fall:
        return "progress_possible", "registry_minimum"
    if claim != "every_batch_certified":
        return claim, kind
    system = story.registry_design
    if story.value(system.next_batch_to_attest, last) >= story.value(system.state.sealed, last):
        return "attestation_starts_at_first_batch", None
    for found in (*POINTS_OF_NO_RETURN, PRUNED_TOO_EARLY):
        if story.value(found.holds(system), last):
            return "progress_possible", found.name
    return claim, kind
