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
        Invariant(name, sentence_of(name), tuple(part for part in parts(system, byzantine) if part is not TRUE))
        for name, parts in CONJUNCTS.items()
        if name in group
    )


def no_gap_invariant(system: RegistryDesign, byzantine: tuple[Bool, ...]) -> tuple[Invariant, ...]:
    return invariant(system, byzantine, NO_GAP)


Parts = Callable[[RegistryDesign, tuple[Bool, ...]], Iterator[Bool]]

CONJUNCTS: dict[str, Parts] = {}
"""By name, the parts that a conjunct has in a system with these Byzantine attesters. Where a stored start can be above
batch 0, "above what the main node asks for" means "or below the start", too."""


def conjunct(parts: Parts) -> Parts:
    """The function is a conjunct, which has its name; the docstring is its sentence."""
    CONJUNCTS[parts.__name__] = parts
    return parts


def sentence_of(name: str) -> str:
    """What a conjunct says."""
    return " ".join((CONJUNCTS[name].__doc__ or "").split())


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


def _in_registries(system: RegistryDesign) -> list[Sequence[Vote]]:
    return [node.registry.votes for node in system.state.nodes]


def _on_links(system: RegistryDesign) -> list[Sequence[Vote]]:
    return [votes for link in system.state.links for votes in (link.old, link.in_flight)]


def _signed(messages: Iterable[Sequence[Vote]], byzantine: tuple[Bool, ...]) -> Iterator[tuple[Vote, Bool]]:
    """Every vote, with whether its signer is Byzantine."""
    for votes in messages:
        yield from zip(votes, byzantine, strict=True)


@conjunct
def no_gap(system: RegistryDesign, byzantine: tuple[Bool, ...]) -> Iterator[Bool]:
    """The main node has never had a gap."""
    yield ~system.main.store.certified.has_gap


@conjunct
def certified_from_first(system: RegistryDesign, byzantine: tuple[Bool, ...]) -> Iterator[Bool]:
    """The main node's certificates start where attestation starts: at the first batch, or at the stored start, without
    which there are none."""
    yield starts_with(system.main.store.certified, first_to_attest(system))


@conjunct
def answers(system: RegistryDesign, byzantine: tuple[Bool, ...]) -> Iterator[Bool]:
    """No answer on its way to a status is above what the main node asks for."""
    for node in system.state.nodes:
        yield is_asked(system, node.runner.polled)


@conjunct
def statuses(system: RegistryDesign, byzantine: tuple[Bool, ...]) -> Iterator[Bool]:
    """No status is above what the main node asks for."""
    for node in system.state.nodes:
        yield is_asked(system, node.status.next_batch_to_attest)


@conjunct
def attesting(system: RegistryDesign, byzantine: tuple[Bool, ...]) -> Iterator[Bool]:
    """No attester is about to vote above what the main node asks for."""
    for node in system.state.nodes:
        yield is_asked(system, node.attester.number)


@conjunct
def votes_cast(system: RegistryDesign, byzantine: tuple[Bool, ...]) -> Iterator[Bool]:
    """No honest attester has ever voted above what the main node asks for."""
    for cast in (node.cast for node in system.state.nodes if node.cast):
        yield is_asked(system, cast.least) & is_asked(system, cast.greatest)


@conjunct
def honest_votes(system: RegistryDesign, byzantine: tuple[Bool, ...]) -> Iterator[Bool]:
    """No honest vote in a registry is above what the main node asks for."""
    for vote, is_byzantine in _signed(_in_registries(system), byzantine):
        yield is_byzantine | is_asked(system, vote.number)


@conjunct
def honest_votes_on_links(system: RegistryDesign, byzantine: tuple[Bool, ...]) -> Iterator[Bool]:
    """No honest vote that a connection carries, or remembers as pushed, is above what the main node asks for."""
    for vote, is_byzantine in _signed(_on_links(system), byzantine):
        yield is_byzantine | is_asked(system, vote.number)


@conjunct
def honest_hashes(system: RegistryDesign, byzantine: tuple[Bool, ...]) -> Iterator[Bool]:
    """Every honest vote is on the batch's own hash."""
    for vote, is_byzantine in _signed([*_in_registries(system), *_on_links(system)], byzantine):
        yield is_byzantine | (vote.variant == 0)


@conjunct
def quorums(system: RegistryDesign, byzantine: tuple[Bool, ...]) -> Iterator[Bool]:
    """No certificate that a QC finder has in hand is above what the main node asks for, or on another hash."""
    for node in system.state.nodes:
        yield is_asked(system, node.finder.quorum.number) & (node.finder.quorum.variant == 0)


@conjunct
def queues(system: RegistryDesign, byzantine: tuple[Bool, ...]) -> Iterator[Bool]:
    """No certificate that waits to be inserted is above what the main node asks for, or on another hash."""
    for node in system.state.nodes:
        for place in node.store.queue.places:
            yield is_asked(system, place.number) & (place.variant == 0)


@conjunct
def finder_phases(system: RegistryDesign, byzantine: tuple[Bool, ...]) -> Iterator[Bool]:
    """A QC finder that is about to set the minimum has read a number."""
    for node in system.state.nodes:
        yield ~node.finder.is_in(SETTING_MINIMUM) | (node.finder.number != NONE)


@conjunct
def one_name_per_hash(system: RegistryDesign, byzantine: tuple[Bool, ...]) -> Iterator[Bool]:
    """No vote calls its batch's own hash by another name: variant 0 is its only one."""
    for votes in (*_in_registries(system), *_on_links(system)):
        for vote in votes:
            yield (vote.number == NONE) | (vote.variant != vote.number + 1)


@conjunct
def finder_numbers(system: RegistryDesign, byzantine: tuple[Bool, ...]) -> Iterator[Bool]:
    """No QC finder is about to set a minimum above what the main node asks for."""
    for node in system.state.nodes:
        yield is_asked(system, node.finder.number)


@conjunct
def minima(system: RegistryDesign, byzantine: tuple[Bool, ...]) -> Iterator[Bool]:
    """No registry's minimum is above what the main node asks for, unless it is 0, as at first."""
    for node in system.state.nodes:
        minimum = node.registry.min_batch_number
        yield (minimum == 0) | (minimum <= system.next_batch_to_attest)


@conjunct
def votes_above_minimum(system: RegistryDesign, byzantine: tuple[Bool, ...]) -> Iterator[Bool]:
    """No registry has a vote below its minimum."""
    for node in system.state.nodes:
        for vote in node.registry.votes:
            yield (vote.number == NONE) | (vote.number >= node.registry.min_batch_number)


MINIMA = ("finder_numbers", "minima")
"""What the absence of the start-up deadlock needs beside no gaps."""

ABOVE_MINIMUM = ("finder_phases", "votes_above_minimum")
"""What `no_vote_below_minimum` needs."""

HASHES = ("honest_hashes", "finder_phases", "one_name_per_hash")
"""What honest attesters sign, wherever attestation starts: all that the signers of a certificate depend on."""

NO_GAP = tuple(name for name in CONJUNCTS if name not in (*MINIMA, "votes_above_minimum"))
"""What no gaps needs; no less, as the tests see when they leave one out."""


def idle(system: RegistryDesign) -> Invariant:
    """That the main node never has a certificate, nor one in hand: an invariant where the executor never starts."""
    store, finder = system.main.store, system.main.finder
    empty = [place.number == NONE for place in store.queue.places]
    none = starts_with(store.certified, const(NONE))
    return Invariant("idle", "No certificate is ever found.", (none, ~finder.is_in(PERSISTING), *empty))
