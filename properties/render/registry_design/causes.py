"""What is told of violations of the vote-registry design: facts of the run, and what it comes of."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from model.batch_store import CertifiedBatches
from model.registry_design import network
from model.registry_design.registry import Registry
from model.registry_design.system import RegistryDesign
from model.votes import NONE
from properties.claims.points_of_no_return import POINTS_OF_NO_RETURN, PRUNED_TOO_EARLY
from properties.render import facts
from properties.render.story import Story
from properties.results.cures import Violation


class Facts(facts.Facts):
    """Names and numbers of a run. The errors are those that end more than what they are about."""

    errors = frozenset(each.name for each in (network.fail_once, network.refuse_status, network.stop_on_mismatch))
    no_error = "it comes before the node can start"

    @cached_property
    def system(self) -> RegistryDesign:
        return self.story.of(RegistryDesign)

    @property
    def fall(self) -> str:
        """How the number that is asked for fell, where it did: so begins what is wrong with the last-sealed start."""
        asked, certified = self.system.next_batch_to_attest, self.system.main.store.certified.largest
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
        return self.value(self.system.main.registry.min_batch_number)

    @property
    def read(self) -> int:
        """The status that the main node's finder has read."""
        return self.value(self.system.main.finder.number)

    @property
    def late(self) -> str:
        """The attesters that have voted, or set out to vote, on a later batch."""
        asked = self.asked
        return self.attesters(
            lambda node, key: (node.registry.votes[key].number > asked) | (node.attester.number > asked)
        )

    @property
    def late_at_main(self) -> str:
        """The attesters of which the main node has a vote on a later batch."""
        return self._late_in(self.system.main.registry)

    @property
    def late_at_external(self) -> str:
        """The attesters of which the external node has a vote on a later batch."""
        topology = self.system.topology
        external = next(index for index in range(len(topology.places)) if topology.is_external(index))
        return self._late_in(self.system.state.nodes[external].registry)

    def _late_in(self, registry: Registry) -> str:
        votes = zip(self.system.topology.attesters, registry.votes, strict=True)
        return facts.listed(name for name, vote in votes if self.value(vote.number) > self.asked)

    @property
    def caught(self) -> str:
        """The attesters whose own registries have, or will have, a minimum above the batch that is asked for."""
        asked = self.asked
        return self.attesters(lambda node, _: (node.registry.min_batch_number > asked) | (node.finder.number > asked))

    @property
    def lost(self) -> str:
        """The attesters that have voted on the batch that is asked for, and of which the main node has no such vote."""
        votes, asked = self.system.main.registry.votes, self.asked
        return self.attesters(
            lambda node, key: (node.registry.votes[key].number == asked) & (votes[key].number != asked)
        )

    @property
    def unheard(self) -> str:
        """The attesters that have set out to vote on the batch that is asked for, and have no such vote."""
        asked = self.asked
        return self.attesters(
            lambda node, key: (node.status.next_batch_to_attest == asked) & (node.registry.votes[key].number < asked)
        )

    @property
    def bad_votes(self) -> str:
        """What is wrong with a vote in every message of the external node."""
        return self.story.trace.scope.bad_votes or "an error"

    @property
    def certificate(self) -> str:
        """Whose signatures a certificate would carry, and which of them are over something else."""
        return " ".join(self._certificates())

    def _certificates(self) -> Iterator[str]:
        story, system = self.story, self.system
        for place, node in zip(system.topology.places, system.state.nodes, strict=True):
            quorum = node.registry.find_quorum(system.electorate)
            if not self.value(quorum.found):
                continue
            signed = {
                name: vote
                for name, vote in zip(system.topology.attesters, node.registry.votes, strict=True)
                if self.value((vote.number != NONE) & node.registry.is_collected(vote, quorum.vote))
            }
            others = [
                f"that of {name} is over {story.vote(vote, self.last)}"
                for name, vote in signed.items()
                if not self.value(vote.is_same_as(quorum.vote))
            ]
            if others:
                yield (
                    f"If the finder of {story.words.node(place.name)} looks now, it makes a certificate over "
                    f"{story.vote(quorum.vote, self.last)} with the signatures of {', '.join(signed)}; "
                    f"{', '.join(others)}."
                )

    @property
    def certified(self) -> str:
        """Which batches have a certificate."""
        certified = self.system.main.store.certified
        if not isinstance(certified, CertifiedBatches):
            return ""
        having: dict[str, list[str]] = {"a certificate": [], "none": []}
        for number, flag in enumerate(certified.flags[: self.value(self.system.state.sealed)]):
            having["a certificate" if self.value(flag) else "none"].append(str(number))
        told = [f"{_batches(numbers)} {what}" for what, numbers in having.items() if numbers]
        return f"On the main node, {' and '.join(told)}."

    @property
    def restarting(self) -> str:
        """Who may restart."""
        return "the main node" if self.story.trace.scope.restarting else "any node"

    @property
    def gap(self) -> str:
        """How later votes came about."""
        committee = self.story.trace.scope.instance
        if committee.byzantine_weight >= self.system.electorate.threshold.value:
            return "Byzantine attesters make a quorum by themselves, on whatever batch they like"
        return (
            "While no certificate was stored, the main node asked for the last sealed batch; attesters voted as they "
            "were told, and the certificate of the later batch came after that of an earlier one"
        )


def _batches(numbers: list[str]) -> str:
    """Who has something: `batch 0 has`, `batches 0, 1 and 3 have`."""
    return f"batches {facts.listed(numbers)} have" if numbers[1:] else f"batch {numbers[0]} has"


def reason(story: Story) -> Violation:
    """What a violation comes of, where its property says only that something follows in the end."""
    claim, kind, last = story.claim.name, story.trace.kind, len(story.trace.steps)
    if claim == "one_batch_at_a_time":
        return "no_gaps_on_main_node", None
    if claim == "status_never_falls" and Facts(story).fall:
        return "progress_possible", "registry_minimum"
    if claim != "every_batch_certified":
        return claim, kind
    system = story.of(RegistryDesign)
    if story.value(system.next_batch_to_attest, last) >= story.value(system.state.sealed, last):
        return "attestation_starts_at_first_batch", None
    for found in (*POINTS_OF_NO_RETURN, PRUNED_TOO_EARLY):
        if story.value(found.holds(system), last):
            return "progress_possible", found.name
    return claim, kind
