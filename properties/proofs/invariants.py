"""The invariant behind "no gaps": nothing in flight is ahead of what the main node asks for.

What the main node asks for is the batch after its last certificate. Every number anywhere came from it at some time,
and it only ever grows; so everything is at most what it is now, except what Byzantine attesters sign. A certificate
needs an honest vote, so the next one inserted is at most the batch asked for: it leaves no gap. Where attestation
starts at the last sealed batch, the number falls as the first certificate is inserted, and everything in flight is
ahead of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from model.algebra import TRUE, Bool, Int, all_of, any_of
from model.batch_store import Certificates, CertifiedBatches, CertifiedRange
from model.qc_finder import SETTING_MINIMUM
from model.registry import NONE, Vote
from model.system import AttestationSystem


@dataclass(frozen=True)
class Invariant:
    """A conjunct of the invariant of a system: name, sentence, and its parts.

    Each part speaks about the main node and at most one attester, or about a node and a vote of one attester; what is
    proved of all parts of a pair of attesters therefore holds of any number of them.
    """

    name: str
    sentence: str
    parts: tuple[Bool, ...]

    @property
    def holds(self) -> Bool:
        """All parts together."""
        return all_of(self.parts)


def no_gap_invariant(system: AttestationSystem, byzantine: tuple[Bool, ...]) -> tuple[Invariant, ...]:
    """The conjuncts, for a system whose Byzantine attesters are these.

    The domains of the variables are a further conjunct, which the proofs add by themselves.
    """
    return tuple(
        Invariant(name, sentence, tuple(part for part in parts(system, byzantine) if part is not TRUE))
        for name, sentence, parts in CONJUNCTS
    )


Parts = Callable[[AttestationSystem, tuple[Bool, ...]], Iterator[Bool]]


def _no_gap(system: AttestationSystem, byzantine: tuple[Bool, ...]) -> Iterator[Bool]:
    yield ~system.main.store.certified.has_gap


def _certified_from_first(system: AttestationSystem, byzantine: tuple[Bool, ...]) -> Iterator[Bool]:
    yield starts_with_first(system.main.store.certified)


def starts_with_first(certified: Certificates) -> Bool:
    """That the certificates, if there are any, start with batch 0."""
    if isinstance(certified, CertifiedRange):
        is_empty = (certified.largest == NONE) & (certified.smallest == NONE)
        return is_empty | ((certified.largest != NONE) & (certified.smallest == 0))
    assert isinstance(certified, CertifiedBatches)
    return certified.flags[0] | ~any_of(certified.flags)


def _answers(system: AttestationSystem, byzantine: tuple[Bool, ...]) -> Iterator[Bool]:
    for node in system.state.nodes:
        yield node.runner.polled <= system.next_batch_to_attest


def _statuses(system: AttestationSystem, byzantine: tuple[Bool, ...]) -> Iterator[Bool]:
    for node in system.state.nodes:
        yield node.status.next_batch_to_attest <= system.next_batch_to_attest


def _attesting(system: AttestationSystem, byzantine: tuple[Bool, ...]) -> Iterator[Bool]:
    for node in system.state.nodes:
        yield node.attester.number <= system.next_batch_to_attest


def _finder_numbers(system: AttestationSystem, byzantine: tuple[Bool, ...]) -> Iterator[Bool]:
    for node in system.state.nodes:
        yield node.finder.number <= system.next_batch_to_attest


def _minima(system: AttestationSystem, byzantine: tuple[Bool, ...]) -> Iterator[Bool]:
    for node in system.state.nodes:
        yield node.registry.min_batch_number <= system.next_batch_to_attest


def _honest_votes(system: AttestationSystem, byzantine: tuple[Bool, ...]) -> Iterator[Bool]:
    for node in system.state.nodes:
        for vote, is_byzantine in zip(node.registry.votes, byzantine, strict=True):
            yield is_byzantine | _is_in_turn(vote, system.next_batch_to_attest)


def _honest_votes_on_links(system: AttestationSystem, byzantine: tuple[Bool, ...]) -> Iterator[Bool]:
    for link in system.state.links:
        for votes in (link.old, link.in_flight):
            for vote, is_byzantine in zip(votes, byzantine, strict=True):
                yield is_byzantine | _is_in_turn(vote, system.next_batch_to_attest)


def _quorums(system: AttestationSystem, byzantine: tuple[Bool, ...]) -> Iterator[Bool]:
    for node in system.state.nodes:
        yield _is_in_turn(node.finder.quorum, system.next_batch_to_attest)


def _queues(system: AttestationSystem, byzantine: tuple[Bool, ...]) -> Iterator[Bool]:
    for node in system.state.nodes:
        for place in node.store.queue.places:
            yield _is_in_turn(place, system.next_batch_to_attest)


def _above_minimum(system: AttestationSystem, byzantine: tuple[Bool, ...]) -> Iterator[Bool]:
    for node in system.state.nodes:
        for vote in node.registry.votes:
            yield (vote.number == NONE) | (vote.number >= node.registry.min_batch_number)


def _finder_phases(system: AttestationSystem, byzantine: tuple[Bool, ...]) -> Iterator[Bool]:
    for node in system.state.nodes:
        yield ~node.finder.is_in(SETTING_MINIMUM) | (node.finder.number != NONE)


def _one_name_per_hash(system: AttestationSystem, byzantine: tuple[Bool, ...]) -> Iterator[Bool]:
    registries = [node.registry.votes for node in system.state.nodes]
    pushed = [votes for link in system.state.links for votes in (link.old, link.in_flight)]
    for votes in (*registries, *pushed):
        for vote in votes:
            yield (vote.number == NONE) | (vote.variant != vote.number + 1)


def _is_in_turn(vote: Vote, asked: Int) -> Bool:
    """A vote, or certificate, on the own hash of a batch that the main node asks for or has asked for."""
    return (vote.number <= asked) & (vote.variant == 0)


CONJUNCTS: tuple[tuple[str, str, Parts], ...] = (
    ("no_gap", "The main node has never had a gap.", _no_gap),
    ("certified_from_first", "The main node's certificates start with the first batch.", _certified_from_first),
    ("answers", "No answer on its way to a status is above what the main node asks for.", _answers),
    ("statuses", "No status is above what the main node asks for.", _statuses),
    ("attesting", "No attester is about to vote above what the main node asks for.", _attesting),
    ("finder_numbers", "No QC finder is about to set a minimum above what the main node asks for.", _finder_numbers),
    ("minima", "No registry's minimum is above what the main node asks for.", _minima),
    (
        "honest_votes",
        "No honest vote in a registry is above what the main node asks for, or on another hash than the batch's own.",
        _honest_votes,
    ),
    (
        "honest_votes_on_links",
        "No honest vote that a connection carries, or remembers as pushed, is above what the main node asks for, or on "
        "another hash than the batch's own.",
        _honest_votes_on_links,
    ),
    (
        "quorums",
        "No certificate that a QC finder has in hand is above what the main node asks for, or on another hash.",
        _quorums,
    ),
    (
        "queues",
        "No certificate that waits to be inserted is above what the main node asks for, or on another hash.",
        _queues,
    ),
    ("finder_phases", "A QC finder that is about to set the minimum has read a number.", _finder_phases),
    (
        "one_name_per_hash",
        "No vote calls its batch's own hash by another name: variant 0 is its only one.",
        _one_name_per_hash,
    ),
    ("votes_above_minimum", "No registry has a vote below its minimum.", _above_minimum),
)
