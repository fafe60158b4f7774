"""What the later pull requests say that they change, each sentence as a property; and witnesses of the faults."""

from __future__ import annotations

import itertools

from model.algebra import Bool, Int, all_of, any_of, const
from model.batch_store import CertifiedBatches
from model.controller_design.network import FAULTS as CONTROLLER_FAULTS
from model.registry_design.network import FAULTS, can_talk, fail_once, prune, refuse_status, refuse_votes, restart_node
from model.registry_design.node import Node
from model.registry_design.qc_finder import WAITING_FOR_QUORUM
from model.registry_design.system import RegistryDesign
from model.revisions import LAST_SEALED
from model.service import AttestationSystem
from model.topology import MAIN
from model.transitions import Action
from model.votes import NONE
from properties.claims import standstills
from properties.claims.kinds import Conjunct, Kind, Property, is_possible, only_of, witness
from properties.claims.points_of_no_return import (
    EXECUTOR_WAITS,
    IN_SPITE_OF_RESTARTS,
    NEVER_STARTS,
    NODE_GONE,
    POINTS_OF_NO_RETURN,
    PRUNED_TOO_EARLY,
)
from properties.claims.standstills import LASTING_STANDSTILLS, STANDSTILLS

NO_FAULT = frozenset(transition.name for transition in (*FAULTS, *CONTROLLER_FAULTS, prune))
"""What nobody may count on, and what ends at some time: faults, and that an old batch is pruned."""


def progress_with_restarts(system: AttestationSystem) -> tuple[Conjunct, ...]:
    """What is asked for can still be certified; where restarts are counted, the last one may have happened already."""
    certified = system.main.store.certified
    if system.scope.restarts is not None or not isinstance(certified, CertifiedBatches):
        return ()
    return tuple(
        Conjunct(
            f"batch {number} can still be certified, with restarts, when the main node asks for it",
            flag,
            system.next_batch_to_attest == number,
        )
        for number, flag in enumerate(certified.flags)
    )


def executor_can_start(system: AttestationSystem) -> tuple[Conjunct, ...]:
    """The executor of a node runs, or can still start."""
    return tuple(
        Conjunct(f"the executor of {place.name} runs, or can still start", system.runs(index))
        for index, place in enumerate(system.topology.places)
    )


def attestation_can_start(system: AttestationSystem) -> tuple[Conjunct, ...]:
    """With batches and without certificates, a first certificate is still possible. Nothing is said where the scope has
    no batch left that could get it: where the last one is pruned; or where the next one would be asked for in its
    stead, but there is none in the scope."""
    store, last = system.main.store, system.state.sealed - 1
    missing = store.certified.largest == NONE
    is_there = system.is_to_attest(last) & ~store.is_pruned(last)
    if system.revision.start == LAST_SEALED and system.scope.batches is not None:
        is_there &= system.state.sealed < system.scope.batches
    return (Conjunct("the main node can still get its first certificate", ~missing, missing & is_there),)


def status_never_falls(system: AttestationSystem) -> tuple[Conjunct, ...]:
    """No step takes the number that a node goes by to a smaller one, but for a restart, which takes it to none."""
    conjuncts = []
    for index, place in enumerate(system.topology.places):
        number = system.told(index)
        for action in system.actions:
            after = next((value for variable, value in action.updates if variable.expression is number), number)
            if after is not number and isinstance(after, Int):
                falls = (after < number) & (after != NONE)
                sentence = f"{action} does not take the number that {place.name} goes by to a smaller one"
                conjuncts.append(Conjunct(sentence, ~falls, action.guard & (number != NONE)))
    return tuple(conjuncts)


def connections_survive_bad_votes(system: RegistryDesign) -> tuple[Conjunct, ...]:
    """No connection is closed because a message has a bad vote, where a scope has such messages; of one that is too
    large, or has a vote on another fork, too, nothing is said."""
    if not system.scope.bad_votes:
        return ()
    places, conjuncts = system.topology.places, []
    for link, (sender, receiver) in zip(system.state.links, system.topology.links, strict=True):
        if system.topology.is_external(sender):
            is_refused = any_of(map(system.state.nodes[receiver].refuses, link.in_flight))
            is_else_good = ~link.is_too_large(link.in_flight) & ~is_refused
            sent = ~link.is_idle & link.is_spoilt & can_talk(system.state, (sender, receiver))
            sentence = (
                f"{places[receiver].name} does not close its connection when {places[sender].name} sends a bad vote"
            )
            closed = is_possible(system, refuse_votes, places[receiver].name, ("from", places[sender].name))
            conjuncts.append(Conjunct(sentence, ~closed, sent & is_else_good))
    return tuple(conjuncts)


def no_mixed_forks(system: AttestationSystem) -> tuple[Conjunct, ...]:
    """All votes that a node has, and all certificates on their way into its store, are on the fork that it is on."""
    if not system.scope.regeneses:
        return ()
    conjuncts = []
    for index, (place, node) in enumerate(zip(system.topology.places, system.state.nodes, strict=True)):
        for what, votes in (
            ("every vote", system.votes(index)),
            ("every certificate on its way into the store", system.certificates_on_their_way(index)),
        ):
            has_fork = any_of((vote.number != NONE) & (node.genesis != 0) for vote in votes)
            is_own = all_of((vote.number == NONE) | (vote.genesis == node.genesis) for vote in votes)
            conjuncts.append(Conjunct(f"{what} of {place.name} is on the fork of {place.name}", is_own, has_fork))
    return tuple(conjuncts)


def one_batch_at_a_time(system: AttestationSystem) -> tuple[Conjunct, ...]:
    """Honest attesters vote on a batch only when all before it, from where attestation starts, have certificates on
    the main node."""
    certified = system.main.store.certified
    if not isinstance(certified, CertifiedBatches):
        return ()
    conjuncts = []
    for index, (place, node) in enumerate(zip(system.topology.places, system.state.nodes, strict=True)):
        if place.key is not None:
            vote, on_fork = system.votes(index)[place.key], node.genesis == system.main.genesis
            for number in range(1, len(certified.flags)):
                before = all_of(
                    flag | system.main.store.is_pruned(const(earlier)) | ~system.is_to_attest(earlier)
                    for earlier, flag in enumerate(certified.flags[:number])
                )
                sentence = f"{place.name} has voted on batch {number} only with certificates of all batches before it"
                conjuncts.append(Conjunct(sentence, before, (vote.number == number) & on_fork))
    return tuple(conjuncts)


def _externals(system: RegistryDesign) -> dict[int, Node]:
    return {index: node for index, node in enumerate(system.state.nodes) if system.topology.is_external(index)}


def _gossips_before_answer(system: RegistryDesign) -> Bool:
    return any_of(
        (node.status.next_batch_to_attest == NONE) & any_of(vote.number != NONE for vote in node.registry.votes)
        for place, node in zip(system.topology.places, system.state.nodes, strict=True)
        if place.name not in system.topology.attesters
    )


def _relay_skips(system: RegistryDesign) -> Bool:
    """A vote for what is asked is about to be skipped by an external node that its minimum has left behind."""
    asked, main = system.next_batch_to_attest, system.main
    return any_of(
        (vote.number != NONE)
        & (vote.number == asked)
        & (vote.genesis == main.genesis)
        & node.registry.is_below_minimum(vote)
        & node.finder.is_in(WAITING_FOR_QUORUM)
        for index, node in _externals(system).items()
        for link, (_, receiver) in zip(system.state.links, system.topology.links, strict=True)
        if receiver == index
        for vote in link.in_flight
    )


def _restarts_of_main(system: RegistryDesign) -> list[Action]:
    """What can cost the main node a certificate in the queue, whatever the certificate."""
    restarts = (restart_node.name, refuse_status.name, fail_once.name)
    return [action for action in system.actions if action.node == MAIN and action.name in restarts]


def _certificate_lost(system: RegistryDesign) -> Bool:
    return ~system.main.store.queue.is_empty & any_of(action.guard for action in _restarts_of_main(system))


def _equivocates(system: AttestationSystem) -> Bool:
    votes_by_key = list(zip(*map(system.votes, range(len(system.topology.places))), strict=True))
    return any_of(
        (vote.number != NONE) & (vote.number == other.number) & (vote.hash != other.hash)
        for votes in votes_by_key
        for vote, other in itertools.combinations(votes, 2)
    )


def honest_attesters_sign_once(system: AttestationSystem) -> tuple[Conjunct, ...]:
    """The votes of an honest attester on a batch, wherever they are, are over one hash."""
    committee = system.scope.instance
    honest = len(committee.weights) - committee.byzantine
    votes_by_key = list(zip(*map(system.votes, range(len(system.topology.places))), strict=True))
    return tuple(
        Conjunct(
            f"all votes of {system.topology.attesters[key]} on one batch are over one hash",
            all_of(
                (vote.number != other.number) | (vote.genesis != other.genesis) | (vote.variant == other.variant)
                for vote, other in itertools.combinations(votes, 2)
            ),
            any_of(vote.number != NONE for vote in votes),
        )
        for key, votes in enumerate(votes_by_key[:honest])
    )


def _forgeries_reach_two_nodes(system: AttestationSystem) -> bool:
    targets = {argument for action in system.actions for argument in action.arguments if argument[0] == "at"}
    return len(targets) > 1


def _queue_blocked(system: RegistryDesign) -> Bool:
    store = system.main.store
    return any_of(
        (first.number != NONE)
        & ~store.has_commitment(first.number)
        & (second.number != NONE)
        & store.has_commitment(second.number)
        for first, second in itertools.pairwise(store.queue.places)
    )


CLAIMS: tuple[Property, ...] = (
    Property(
        "restarts_help",
        Kind.POSSIBLE,
        "From every reachable state, with restarts, the batch that the main node asks for can still get its "
        "certificate.",
        "no fault but restarts from there on, of those nodes that can restart in the scope",
        "era-consensus PR 161: after the deadlock the main node never saves a certificate again, until it is restarted",
        progress_with_restarts,
        (*IN_SPITE_OF_RESTARTS, *LASTING_STANDSTILLS),
        NO_FAULT - {restart_node.name},
        needs="any number of restarts",
    ),
    Property(
        "executor_can_start",
        Kind.POSSIBLE,
        "The executor of every node runs, or can still start.",
        "the main node's API answers in the end, but for the nodes that the scope says it does not",
        "era-consensus PR 166: the initialisation never completes and the executor is never started",
        executor_can_start,
        (NEVER_STARTS, EXECUTOR_WAITS, PRUNED_TOO_EARLY, NODE_GONE, standstills.NODE_GONE),
        NO_FAULT,
    ),
    Property(
        "attestation_can_start",
        Kind.POSSIBLE,
        "As long as there are batches and no certificate, the main node can still get its first certificate.",
        "no fault from there on; batches go on to be sealed",
        "zksync-era PR 2544: a main node that is pruned before it knows where to start never attests",
        attestation_can_start,
        (*POINTS_OF_NO_RETURN, PRUNED_TOO_EARLY, *STANDSTILLS),
        NO_FAULT,
    ),
    witness(
        RegistryDesign,
        "gossips_before_first_answer",
        "A node that is no attester takes part in gossip before the main node has told it a number.",
        "era-consensus PR 169: nodes start without waiting for the API",
        _gossips_before_answer,
        needs="a status watch",
    ),
    Property(
        "status_never_falls",
        Kind.ALWAYS,
        "The number that a running node has been told never becomes a smaller one.",
        "none",
        "era-consensus PR 167: an attempt to move it backwards is an error that stops the node (on the main node, its "
        "consensus for good)",
        status_never_falls,
        needs="numbers that change",
    ),
    witness(
        RegistryDesign,
        "smaller_number_stops_node",
        "A node is told a smaller number than the one it has, and is about to stop.",
        "era-consensus PR 167",
        lambda system: is_possible(system, refuse_status),
        lambda system: system.revision.refuses_smaller_number,
        needs="a revision that refuses smaller numbers",
    ),
    Property(
        "connections_survive_bad_votes",
        Kind.ALWAYS,
        "A vote that is an error does not close the connection on which it came.",
        "none",
        "era-consensus PR 170: bad signatures are ignored, so that peers are not disconnected",
        only_of(RegistryDesign, connections_survive_bad_votes),
        needs="messages with bad votes",
    ),
    Property(
        "no_certificate_mixes_forks",
        Kind.ALWAYS,
        "All votes that a node holds, and all certificates that are made of them, are on the fork of their node.",
        "the handshake compares geneses",
        "era-consensus, network/src/gossip/batch_votes.rs, update: a vote with a different genesis is an error",
        no_mixed_forks,
        needs="a regenesis",
    ),
    Property(
        "one_batch_at_a_time",
        Kind.ALWAYS,
        "An honest attester has voted on a batch only if the main node has the certificates of all batches before it, "
        "from where attestation starts. So each certificate takes a poll, and history is caught up with one batch a "
        "poll.",
        "none",
        "era-consensus PR 161, claim: catching up with history might be a bit slow",
        one_batch_at_a_time,
        needs="two batches",
    ),
    witness(
        AttestationSystem,  # type: ignore[type-abstract] # nothing is made of it
        "peers_have_different_votes",
        "Two nodes have different votes of one attester on the same batch.",
        "docs/protocol.md: a Byzantine attester signs anything, and different votes for different peers",
        _equivocates,
        _forgeries_reach_two_nodes,
        needs="a Byzantine attester whose votes reach two nodes",
    ),
    Property(
        "honest_attesters_sign_once",
        Kind.ALWAYS,
        "No two nodes have different votes of one honest attester on the same batch.",
        "none",
        "docs/protocol.md: an honest attester signs the hash that its node has",
        honest_attesters_sign_once,
        needs="an honest attester",
    ),
    witness(
        RegistryDesign,
        "external_node_has_gap",
        "The certificates of an external node have a gap.",
        "era-consensus PR 161: external nodes may have gaps",
        lambda system: any_of(node.store.certified.has_gap for node in _externals(system).values()),
        lambda system: bool(_externals(system)),
        needs="an external node that stores certificates",
    ),
    witness(
        RegistryDesign,
        "relay_skips_vote",
        "An external node that waits for a quorum is about to skip a vote for the batch that the main node asks for.",
        "era-consensus, network/src/gossip/batch_votes.rs, update",
        _relay_skips,
        lambda system: bool(_externals(system)),
        needs="an external node with a vote registry",
    ),
    witness(
        RegistryDesign,
        "queued_certificate_lost",
        "The main node is about to restart, or an error to end its consensus, and a certificate in its queue is lost.",
        "zksync-era, core/node/consensus/src/storage/store.rs: the queue is in memory",
        _certificate_lost,
        lambda system: bool(_restarts_of_main(system)),
        needs="a queue of certificates, and restarts of the main node, or errors",
    ),
    witness(
        RegistryDesign,
        "queue_blocked_by_first",
        "A certificate that could be inserted waits behind one whose batch has no metadata yet.",
        "zksync-era, core/node/consensus/src/storage/store.rs: first in, first out",
        _queue_blocked,
        lambda system: system.scope.late_batches and system.scope.queue > 1,
        needs="a queue of two and late commitments",
    ),
)
