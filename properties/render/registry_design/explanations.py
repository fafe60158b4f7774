"""What is false in the last state of a run of the vote-registry design, in the terms of each property."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from model.batch_store import CertifiedBatches
from model.registry_design.system import RegistryDesign
from model.votes import NONE
from properties.render.story import Story


def certificate(story: Story) -> str:
    """Whose signatures the certificate would carry, and which of them are over something else."""
    return " ".join(_of_finders(story))


def _of_finders(story: Story) -> Iterator[str]:
    last, system = len(story.trace.steps), story.of(RegistryDesign)
    for place, node in zip(system.topology.places, system.state.nodes, strict=True):
        quorum = node.registry.find_quorum(system.electorate)
        if not story.value(quorum.found, last):
            continue
        votes = dict(zip(system.topology.attesters, node.registry.votes, strict=True))
        signers = [
            name
            for name, vote in votes.items()
            if story.value(vote.number, last) != NONE
            and story.value(node.registry.is_collected(vote, quorum.vote), last)
        ]
        others = [
            f"that of {name} is over {story.vote(votes[name], last)}"
            for name in signers
            if not story.value(votes[name].is_same_as(quorum.vote), last)
        ]
        if others:
            yield (
                f"If the finder of {story.words.node(place.name)} looks now, it makes a certificate over "
                f"{story.vote(quorum.vote, last)} with the signatures of {', '.join(signers)}; {', '.join(others)}."
            )


def certified(story: Story) -> str:
    """Which batches have a certificate."""
    certified = story.system.main.store.certified
    if not isinstance(certified, CertifiedBatches):
        return ""
    last = len(story.trace.steps)
    sealed = story.value(story.of(RegistryDesign).state.sealed, last)
    flags = [story.value(flag, last) for flag in certified.flags[:sealed]]
    has, lacks = ([number for number, flag in enumerate(flags) if bool(flag) is wanted] for wanted in (True, False))
    told = [f"{_batches(numbers)} {what}" for numbers, what in ((has, "a certificate"), (lacks, "none")) if numbers]
    return f"On the main node, {' and '.join(told)}."


def _batches(numbers: list[int]) -> str:
    """Who has something: `batch 0 has`, `batches 0, 1 and 3 have`."""
    *most, last = map(str, numbers)
    return f"batches {', '.join(most)} and {last} have" if most else f"batch {last} has"


EXPLANATIONS: dict[str, Callable[[Story], str]] = {
    "certificates_verify": certificate,
    "no_gaps_on_main_node": certified,
    "attestation_starts_at_first_batch": certified,
}
"""By property."""
