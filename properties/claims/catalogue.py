"""All properties. Every engine, the command line and the docs take them from here."""

from __future__ import annotations

import itertools

from model.algebra import Bool, all_of, any_of, const, where
from model.batch_store import CertifiedBatches
from model.registry_design.qc_finder import SETTING_MINIMUM
from model.registry_design.system import RegistryDesign
from model.service import AttestationSystem
from model.votes import NONE
from properties.claims.controller_design import CONTROLLER_CLAIMS
from properties.claims.kinds import Conjunct, Kind, Property, only_of, witness
from properties.claims.liveness import LIVENESS
from properties.claims.points_of_no_return import POINTS_OF_NO_RETURN
from properties.claims.pull_requests import CLAIMS, NO_FAULT
from properties.claims.standstills import STANDSTILLS

PR161 = "era-consensus PR 161"
REGISTRY = "era-consensus, network/src/gossip/batch_votes.rs"


def no_gaps(system: AttestationSystem) -> tuple[Conjunct, ...]:
    """No batch between two certified ones lacks a certificate."""
    certified = system.main.store.certified
    if not isinstance(certified, CertifiedBatches):
        return (Conjunct("no batch between two certified ones lacks a certificate", ~certified.has_gap),)
    return tuple(
        Conjunct(
            f"batch {number} has a certificate if a smaller and a larger one have",
            ~certified.is_missing(number),
            any_of(certified.flags[:number]) & any_of(certified.flags[number + 1 :]),
        )
        for number in range(1, len(certified.flags) - 1)
    )


def no_batch_left_out(system: AttestationSystem) -> tuple[Conjunct, ...]:
    """The certificates on the main node start with the first batch of its fork (from zksync-era PR 2684 on not with
    batch 0), unless that was pruned with its own."""
    certified = system.main.store.certified
    if not isinstance(certified, CertifiedBatches):
        return ()
    first_batch, least = system.state.first_batch, system.revision.least_attested
    first = where(first_batch < least, const(least), first_batch)
    there_are = any_of(certified.flags) & ~system.main.store.is_pruned(first)
    return (Conjunct("the first batch has a certificate if any has", certified.contains(first), there_are),)


def at_most_one_quorum(system: AttestationSystem) -> tuple[Conjunct, ...]:
    """No node holds quorums on two different subjects."""
    conjuncts = []
    for index, place in enumerate(system.topology.places):
        votes = system.votes(index)
        for a, vote in enumerate(votes):
            for b, other in enumerate(votes[:a]):
                quorums = system.is_quorum(index, vote) & system.is_quorum(index, other)
                sentence = f"on {place.name}, the votes {b} and {a} are not in two different quorums"
                conjuncts.append(Conjunct(sentence, vote.is_same_as(other), quorums))
    return tuple(conjuncts)


def certificates_verify(system: AttestationSystem) -> tuple[Conjunct, ...]:
    """A certificate that a node finds now passes `BatchQC::verify`."""
    return tuple(
        Conjunct(f"the certificate that {place.name} finds verifies", certificate.verifies, certificate.found)
        for index, place in enumerate(system.topology.places)
        if (certificate := system.certificate(index))
    )


def certificates_match_batches(system: AttestationSystem) -> tuple[Conjunct, ...]:
    """A certificate on its way into the main node's database is over the batch's own hash."""
    certificate = system.certificate(system.topology.main)
    if certificate is None:
        return ()
    sentence = "the certificate that the main node finds is over the batch's own hash"
    return (Conjunct(sentence, certificate.matches, certificate.found),)


def none_below_minimum(system: RegistryDesign) -> tuple[Conjunct, ...]:
    """No registry keeps a vote below its minimum."""
    return tuple(
        Conjunct(
            f"the registry of {place.name} has no vote below its minimum",
            all_of(
                (vote.number == NONE) | (vote.number >= node.registry.min_batch_number) for vote in node.registry.votes
            ),
            any_of(vote.number != NONE for vote in node.registry.votes),
        )
        for place, node in zip(system.topology.places, system.state.nodes, strict=True)
    )


def progress_possible(system: AttestationSystem) -> tuple[Conjunct, ...]:
    """The batch that the main node asks for can still get its certificate."""
    certified = system.main.store.certified
    if not isinstance(certified, CertifiedBatches):
        return ()
    return tuple(
        Conjunct(
            f"batch {number} can still be certified when the main node asks for it",
            certified.flags[number],
            system.next_batch_to_attest == number,
        )
        for number in range(len(certified.flags))
    )


def _two_in_a_row(system: AttestationSystem) -> Bool:
    certified = system.main.store.certified
    flags = certified.flags if isinstance(certified, CertifiedBatches) else ()
    return any_of(first & second for first, second in itertools.pairwise(flags))


def _vote_below_minimum(system: RegistryDesign) -> Bool:
    return any_of(
        link.carries_vote_below(system.state.nodes[receiver].registry)
        for link, (_, receiver) in zip(system.state.links, system.topology.links, strict=True)
    )


def _vote_replaced(system: RegistryDesign) -> Bool:
    return any_of(
        link.carries_replacement_for(system.state.nodes[receiver].registry)
        for link, (_, receiver) in zip(system.state.links, system.topology.links, strict=True)
    )


def _minimum_lowered(system: RegistryDesign) -> Bool:
    finder, status = system.main.finder, system.main.status
    wakes = status.has_news("finder") & finder.is_in(0)
    lowered = finder.is_in(SETTING_MINIMUM) & (finder.number < system.main.registry.min_batch_number)
    return lowered | (wakes & (status.next_batch_to_attest < system.main.registry.min_batch_number))


PROTOCOL: tuple[Property, ...] = (
    Property(
        "no_gaps_on_main_node",
        Kind.ALWAYS,
        "No batch between two certified ones on the main node lacks a certificate. This is about the current fork: a "
        "fork deletes all certificates, those of batches before its first one included.",
        "Byzantine weight as the instance says",
        f"{PR161}, claim: gaps appear only if attesters vote on higher numbers despite being told not to",
        no_gaps,
        needs="three batches",
    ),
    Property(
        "attestation_starts_at_first_batch",
        Kind.ALWAYS,
        "If the main node has any certificate, it has that of the first batch, unless that batch was pruned.",
        "Byzantine weight as the instance says",
        "zksync-era PR 2539: attestation starts at the batch of the genesis",
        no_batch_left_out,
        needs="a bound on the batches",
    ),
    Property(
        "at_most_one_quorum",
        Kind.ALWAYS,
        "No node has quorums on two different batches or hashes at the same time.",
        "one vote per attester",
        f"{REGISTRY}, find_quorum: its comment says that there is at most one",
        at_most_one_quorum,
        needs="two attesters",
    ),
    Property(
        "certificates_verify",
        Kind.ALWAYS,
        "Every certificate that a node finds verifies: threshold weight, and every signature over its message.",
        "signatures on votes that a node keeps are valid",
        f"{REGISTRY}, find_quorum; roles/src/attester/messages/batch.rs, BatchQC::verify",
        certificates_verify,
    ),
    Property(
        "certificates_match_batches",
        Kind.ALWAYS,
        "Every certificate that the main node finds is over the batch's own hash.",
        "Byzantine weight as the instance says",
        "zksync-era, core/node/consensus/src/storage/store.rs: a mismatch ends the node's consensus",
        certificates_match_batches,
    ),
    Property(
        "no_vote_below_minimum",
        Kind.ALWAYS,
        "A registry has no vote below its minimum.",
        "none",
        f"{REGISTRY}, update and set_min_batch_number",
        only_of(RegistryDesign, none_below_minimum),
        needs="a vote registry",
    ),
    Property(
        "progress_possible",
        Kind.POSSIBLE,
        "From every reachable state, without a restart, the batch that the main node asks for can still get its "
        "certificate. A violation is a point of no return.",
        "no restart, no new connection and no Byzantine help from there on",
        f"{PR161}, its description of the start-up deadlock",
        progress_possible,
        (*POINTS_OF_NO_RETURN, *STANDSTILLS),
        NO_FAULT,
        needs="a bound on the batches",
    ),
    witness(
        AttestationSystem,  # type: ignore[type-abstract] # nothing is made of it
        "certificate_stored",
        "The main node stores a certificate.",
        "sanity of the model",
        lambda system: system.main.store.certified.largest != NONE,
    ),
    witness(
        AttestationSystem,  # type: ignore[type-abstract] # nothing is made of it
        "two_certificates_in_a_row",
        "Two successive batches have a certificate on the main node.",
        "sanity of the model",
        _two_in_a_row,
    ),
    witness(
        RegistryDesign,
        "vote_below_minimum",
        "A vote reaches a registry whose minimum is above it, and is about to be skipped.",
        f"{REGISTRY}, update",
        _vote_below_minimum,
        needs="a vote registry",
    ),
    witness(
        RegistryDesign,
        "vote_replaced",
        "A vote reaches a registry that has an older vote of the same attester, and is about to replace it.",
        f"{REGISTRY}, update",
        _vote_replaced,
        needs="a vote registry",
    ),
    witness(
        RegistryDesign,
        "minimum_lowered",
        "The main node's finder is about to set a smaller minimum than there is.",
        f"{REGISTRY}, set_min_batch_number",
        _minimum_lowered,
        needs="a vote registry",
    ),
)
"""The protocol and its first pull request."""

CATALOGUE: tuple[Property, ...] = (*PROTOCOL, *LIVENESS, *CLAIMS, *CONTROLLER_CLAIMS)
"""All properties, in the order of reports."""


class UnknownProperty(KeyError):
    """No property has this name. `known` lists the names of all."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name
        self.known = [claim.name for claim in CATALOGUE]


def claim(name: str) -> Property:
    """The property of this name. Raises `UnknownProperty`."""
    for candidate in CATALOGUE:
        if candidate.name == name:
            return candidate
    raise UnknownProperty(name)
