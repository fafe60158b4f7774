"""The invariant behind "no gaps": nothing in flight is ahead of what the main node asks for.

What the main node asks for is the batch after its last certificate. Every number anywhere came from it at some time,
and it only ever grows; so everything is at most what it is now, except what Byzantine attesters sign. A certificate
needs an honest vote, so the next one inserted is at most the batch asked for: it leaves no gap. Where attestation
starts at the last sealed batch, the number falls as the first certificate is inserted, and everything in flight is
ahead of it. Where the start is stored once and kept, it does not fall, and nothing is behind the start either; as long
as it is not stored, nothing is asked for, so that nothing is in flight.

The conjuncts are used in groups, so that each theorem rests on those that it needs and on no other.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

from model.algebra import TRUE, Bool, Int, const
from model.registry_design.qc_finder import PERSISTING, SETTING_MINIMUM
from model.registry_design.system import RegistryDesign
from model.votes import NONE, Vote
from properties.proofs.certified import starts_with
from properties.proofs.induction import Invariant


def invariant(system: RegistryDesign, byzantine: tuple[Bool, ...], group: Collection[str]) -> tuple[Invariant, ...]:
    """The conjuncts of a group, for a system whose Byzantine attesters are these.

    The domains of the variables are a further conjunct, which the proofs add by themselves.
    """
    return tuple(
        Invariant(name, sentence, tuple(part for part in parts(system, byzantine) if part is not TRUE))
        for name, sentence, parts in CONJUNCTS
        if name in group
    )


def no_gap_invariant(system: RegistryDesign, byzantine: tuple[Bool, ...]) -> tuple[Invariant, ...]:
    """The conjuncts that no gaps needs."""
    return invariant(system, byzantine, NO_GAP)


Parts = Callable[[RegistryDesign, tuple[Bool, ...]], Iterator[Bool]]


def _no_gap(system: RegistryDesign, byzantine: tuple[Bool, ...]) -> Iterator[Bool]:
    yield ~system.main.store.certified.has_gap


def _certified_from_first(system: RegistryDesign, byzantine: tuple[Bool, ...]) -> Iterator[Bool]:
    yield starts_with(system.main.store.certified, first_to_attest(system))


def first_to_attest(system: RegistryDesign) -> Int:
    """Where attestation starts: at what the main node has stored (nowhere, as long as it has not), where the revision
    stores it; else at the first batch."""
    return system.state.start if system.revision.remembers_start else system.state.first_batch


def is_asked(system: RegistryDesign, number: Int) -> Bool:
    """That a number is none, or one that the main node asks for or has asked for: not above what it asks for now, and
    not below the start, where that can be above batch 0."""
    is_not_ahead = number <= system.next_batch_to_attest
    if not system.revision.remembers_start:
        return is_not_ahead
    return is_not_ahead & ((number == NONE) | (number >= first_to_attest(system)))


def _answers(system: RegistryDesign, byzantine: tuple[Bool, ...]) -> Iterator[Bool]:
    for node in system.state.nodes:
        yield is_asked(system, node.runner.polled)


def _statuses(system: RegistryDesign, byzantine: tuple[Bool, ...]) -> Iterator[Bool]:
    for node in system.state.nodes:
        yield is_asked(system, node.status.next_batch_to_attest)


def _attesting(system: RegistryDesign, byzantine: tuple[Bool, ...]) -> Iterator[Bool]:
    for node in system.state.nodes:
        yield is_asked(system, node.attester.number)


def _votes_cast(system: RegistryDesign, byzantine: tuple[Bool, ...]) -> Iterator[Bool]:
    for cast in (node.cast for node in system.state.nodes if node.cast):
        yield is_asked(system, cast.least) & is_asked(system, cast.greatest)


def _finder_numbers(system: RegistryDesign, byzantine: tuple[Bool, ...]) -> Iterator[Bool]:
    for node in system.state.nodes:
        yield is_asked(system, node.finder.number)


def _minima(system: RegistryDesign, byzantine: tuple[Bool, ...]) -> Iterator[Bool]:
    for node in system.state.nodes:
        minimum = node.registry.min_batch_number
        yield (minimum == 0) | (minimum <= system.next_batch_to_attest)


def _honest_votes(system: RegistryDesign, byzantine: tuple[Bool, ...]) -> Iterator[Bool]:
    for vote, is_byzantine in _signed(_in_registries(system), byzantine):
        yield is_byzantine | is_asked(system, vote.number)


def _honest_votes_on_links(system: RegistryDesign, byzantine: tuple[Bool, ...]) -> Iterator[Bool]:
    for vote, is_byzantine in _signed(_on_links(system), byzantine):
        yield is_byzantine | is_asked(system, vote.number)


def _honest_hashes(system: RegistryDesign, byzantine: tuple[Bool, ...]) -> Iterator[Bool]:
    for vote, is_byzantine in _signed([*_in_registries(system), *_on_links(system)], byzantine):
        yield is_byzantine | (vote.variant == 0)


def _in_registries(system: RegistryDesign) -> list[Sequence[Vote]]:
    return [node.registry.votes for node in system.state.nodes]


def _on_links(system: RegistryDesign) -> list[Sequence[Vote]]:
    return [votes for link in system.state.links for votes in (link.old, link.in_flight)]


def _signed(messages: Iterable[Sequence[Vote]], byzantine: tuple[Bool, ...]) -> Iterator[tuple[Vote, Bool]]:
    """Every vote, with whether its signer is Byzantine."""
    for votes in messages:
        yield from zip(votes, byzantine, strict=True)


def _quorums(system: RegistryDesign, byzantine: tuple[Bool, ...]) -> Iterator[Bool]:
    for node in system.state.nodes:
        yield is_asked(system, node.finder.quorum.number) & (node.finder.quorum.variant == 0)


def _queues(system: RegistryDesign, byzantine: tuple[Bool, ...]) -> Iterator[Bool]:
    for node in system.state.nodes:
        for place in node.store.queue.places:
            yield is_asked(system, place.number) & (place.variant == 0)


def _above_minimum(system: RegistryDesign, byzantine: tuple[Bool, ...]) -> Iterator[Bool]:
    for node in system.state.nodes:
        for vote in node.registry.votes:
            yield (vote.number == NONE) | (vote.number >= node.registry.min_batch_number)


def _finder_phases(system: RegistryDesign, byzantine: tuple[Bool, ...]) -> Iterator[Bool]:
    for node in system.state.nodes:
        yield ~node.finder.is_in(SETTING_MINIMUM) | (node.finder.number != NONE)


def _one_name_per_hash(system: RegistryDesign, byzantine: tuple[Bool, ...]) -> Iterator[Bool]:
    for votes in (*_in_registries(system), *_on_links(system)):
        for vote in votes:
            yield (vote.number == NONE) | (vote.variant != vote.number + 1)


CONJUNCTS: tuple[tuple[str, str, Parts], ...] = (
    ("no_gap", "The main node has never had a gap.", _no_gap),
    (
        "certified_from_first",
        "The main node's certificates start where attestation starts: at the first batch, or at the stored start, "
        "without which there are none.",
        _certified_from_first,
    ),
    ("answers", "No answer on its way to a status is above what the main node asks for.", _answers),
    ("statuses", "No status is above what the main node asks for.", _statuses),
    ("attesting", "No attester is about to vote above what the main node asks for.", _attesting),
    ("votes_cast", "No honest attester has ever voted above what the main node asks for.", _votes_cast),
    ("honest_votes", "No honest vote in a registry is above what the main node asks for.", _honest_votes),
    (
        "honest_votes_on_links",
        "No honest vote that a connection carries, or remembers as pushed, is above what the main node asks for.",
        _honest_votes_on_links,
    ),
    ("honest_hashes", "Every honest vote is on the batch's own hash.", _honest_hashes),
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
    ("finder_numbers", "No QC finder is about to set a minimum above what the main node asks for.", _finder_numbers),
    ("minima", "No registry's minimum is above what the main node asks for, unless it is 0, as at first.", _minima),
    ("votes_above_minimum", "No registry has a vote below its minimum.", _above_minimum),
)
"""Where a stored start can be above batch 0, "above what the main node asks for" means "or below the start", too."""

MINIMA = ("finder_numbers", "minima")
"""What the absence of the start-up deadlock needs beside no gaps."""

ABOVE_MINIMUM = ("finder_phases", "votes_above_minimum")
"""What `no_vote_below_minimum` needs."""

HASHES = ("honest_hashes", "finder_phases", "one_name_per_hash")
"""What honest attesters sign, wherever attestation starts: all that the signers of a certificate depend on."""

NO_GAP = tuple(name for name, *_ in CONJUNCTS if name not in (*MINIMA, "votes_above_minimum"))
"""What no gaps needs; no less, as the tests see when they leave one out."""


def idle(system: RegistryDesign) -> Invariant:
    """That the main node never has a certificate, nor one in hand: an invariant where the executor never starts."""
    store, finder = system.main.store, system.main.finder
    empty = [place.number == NONE for place in store.queue.places]
    none = starts_with(store.certified, const(NONE))
    return Invariant("idle", "No certificate is ever found.", (none, ~finder.is_in(PERSISTING), *empty))
