"""What the attestation controller promises beyond what the vote registry did; and witnesses of its ways."""

from __future__ import annotations

from collections.abc import Collection

from model.algebra import Bool, all_of, any_of
from model.controller_design import network
from model.controller_design.gossip import ANSWERED, CALLED
from model.controller_design.node import insert_certificate
from model.controller_design.system import ControllerDesign
from model.controller_design.task import WAITING_FOR_CERTIFICATE
from model.transitions import Transition
from properties.claims.kinds import Conjunct, Kind, Property, is_possible, only_of, witness
from properties.claims.liveness import FAIR
from properties.claims.pull_requests import NO_FAULT

PR175 = "era-consensus PR 175"
CONTROLLER = "era-consensus b9c5fa7b, network/src/gossip/attestation/mod.rs"

FAILURES = (
    network.fail_once,
    network.fail_to_start,
    network.fail_to_certify,
    network.refuse_genesis,
    network.read_old_genesis,
)
"""The errors of a task."""


def _has(system: ControllerDesign, transitions: Collection[Transition]) -> bool:
    """Whether the scope has such steps at all."""
    names = {transition.name for transition in transitions}
    return any(action.name in names for action in system.actions)


def inserted_certificates_verify(system: ControllerDesign) -> tuple[Conjunct, ...]:
    """What is about to be inserted passes `BatchQC::verify` under the committee of its batch, and is over the hash and
    the genesis of the main node."""
    certificate, attestation = system.certificate(system.topology.main), system.main.attestation
    assert certificate is not None
    right = system.committee_of(attestation.batch.number)
    verifies = certificate.verifies & certificate.matches & right.is_there & (attestation.committee == right.place)
    return (Conjunct("the certificate that is inserted verifies", verifies, is_possible(system, insert_certificate)),)


def one_certificate_per_batch(system: ControllerDesign) -> tuple[Conjunct, ...]:
    """A batch that has a certificate is not given another one."""
    is_first = ~system.main.store.certified.contains(system.main.attestation.batch.number)
    sentence = "no certificate is inserted for a batch that has one"
    return (Conjunct(sentence, is_first, is_possible(system, insert_certificate)),)


def certificates_are_not_skipped(system: ControllerDesign) -> tuple[Conjunct, ...]:
    """`wait_for_cert` never returns none on the main node."""
    main = system.main
    waits = main.runs & main.task.is_in(WAITING_FOR_CERTIFICATE)
    sentence = "the main node's controller is at the number that its task waits for"
    return (Conjunct(sentence, ~main.attestation.skips(main.task.number), waits),)


def early_votes_arrive(system: ControllerDesign) -> tuple[Conjunct, ...]:
    """While an attester is at the main node's number, its vote is on the main node in the end; nobody has to do without
    the batch, as a relay cannot start it then."""
    main, conjuncts = system.main, []
    is_everywhere = all_of(node.has_hash(main.attestation.batch.number) for node in system.state.nodes)
    for place, node in zip(system.topology.places, system.state.nodes, strict=True):
        if place.key is not None and node is not main:
            together = main.runs & is_everywhere & (node.attestation.batch.number == main.attestation.batch.number)
            sentence = f"the vote of {place.name} comes to the main node as long as both are at its number"
            has_vote = together & node.attestation.votes[place.key]
            conjuncts.append(Conjunct(sentence, main.attestation.votes[place.key], has_vote))
    return tuple(conjuncts)


def attestation_lives_with_process(system: ControllerDesign) -> tuple[Conjunct, ...]:
    """No node's attestation task has ended."""
    if not _has(system, FAILURES):
        return ()
    return tuple(
        Conjunct(f"the attestation task of {place.name} has not ended", node.task.is_alive)
        for place, node in zip(system.topology.places, system.state.nodes, strict=True)
    )


def _early_vote_ignored(system: ControllerDesign) -> Bool:
    """A vote is on its way, or, where a call is one step, about to be told, to a node that is not at its number yet."""
    cases = []
    for link, (caller, peer) in zip(system.state.links, system.topology.links, strict=True):
        sender, receiver = system.state.nodes[caller].attestation, system.state.nodes[peer].attestation
        under_way = link.is_in(CALLED) & any_of(link.carried) & (receiver.batch.number < link.batch.number)
        is_news = link.is_behind(sender) & any_of(sender.votes) & (receiver.batch.number < sender.batch.number)
        about_to_be = is_news & network.can_talk(system.state, (caller, peer))
        cases.append(under_way if system.scope.call_steps else about_to_be)
    return any_of(cases)


def _list_cut_off(system: ControllerDesign) -> Bool:
    """A list has a vote that is an error, and one that would be taken."""
    cases = []
    for link, ends in zip(system.state.links, system.topology.links, strict=True):
        for end, phase in zip(ends, (ANSWERED, CALLED), strict=True):
            receiver = system.state.nodes[end].attestation
            taken = any_of(vote & receiver.takes(key, link.batch) for key, vote in enumerate(link.carried))
            cases.append(link.is_in(phase) & receiver.has_error(link.batch, link.carried) & taken)
    return any_of(cases)


CONTROLLER_CLAIMS: tuple[Property, ...] = (
    Property(
        "inserted_certificates_verify",
        Kind.ALWAYS,
        "Every certificate that the main node inserts verifies under the committee of its batch, and is over the "
        "batch's own hash and the genesis of the main node.",
        "none",
        "zksync-era PR 2684: a certificate is verified before it is inserted",
        only_of(ControllerDesign, inserted_certificates_verify),
        needs="an attestation controller",
    ),
    Property(
        "one_certificate_per_batch",
        Kind.ALWAYS,
        "The main node inserts no certificate for a batch that has one.",
        "none",
        "zksync-era PR 2684: a second insertion fails",
        only_of(ControllerDesign, one_certificate_per_batch),
        needs="an attestation controller",
    ),
    Property(
        "certificates_are_not_skipped",
        Kind.ALWAYS,
        "The main node's controller never goes on to a later batch while its task waits for a certificate.",
        "nobody but the task starts batches",
        f"{CONTROLLER}: Controller::wait_for_cert returns none if it does",
        only_of(ControllerDesign, certificates_are_not_skipped),
        needs="an attestation controller",
    ),
    Property(
        "early_votes_arrive",
        Kind.EVENTUALLY,
        "A vote comes to the main node in the end as long as its attester and the main node are at its number, and all "
        "nodes have the batch, even if it was ignored for being early.",
        "weak fairness for each action of a node or a connection; faults end, but for Byzantine attesters, who go on",
        f"{PR175}: calls push and pull, so that future votes can be ignored",
        only_of(ControllerDesign, early_votes_arrive),
        without=NO_FAULT - {network.forge_vote.name},
        fair=FAIR,
        needs="an attestation controller, and an attester with a node",
    ),
    Property(
        "attestation_lives_with_process",
        Kind.ALWAYS,
        "As long as a node's process lives, its attestation task does.",
        "an external node's process is restarted when it ends",
        "zksync-era PR 3180: an error ends the task alone",
        only_of(ControllerDesign, attestation_lives_with_process),
        needs="an attestation controller, and errors in a task",
    ),
    witness(
        ControllerDesign,
        "early_vote_ignored",
        "A vote comes to a node that has not started its number yet, and is about to be ignored.",
        f"{CONTROLLER}: State::insert_vote",
        _early_vote_ignored,
        needs="an attestation controller",
    ),
    witness(
        ControllerDesign,
        "votes_pulled",
        "An answer with votes is on its way to whoever asked for them.",
        "era-consensus b9c5fa7b, network/src/gossip/runner.rs: PushServer",
        lambda system: any_of(link.is_in(ANSWERED) & any_of(link.carried) for link in system.state.links),
        lambda system: system.scope.call_steps,
        needs="the steps of calls",
    ),
    witness(
        ControllerDesign,
        "list_cut_off",
        "A message has a vote that is an error to its receiver, and another that the receiver would take.",
        f"{CONTROLLER}: State::insert_votes",
        _list_cut_off,
        lambda system: bool(system.scope.split or system.scope.fallbacks),
        needs="nodes with different committees",
    ),
)
