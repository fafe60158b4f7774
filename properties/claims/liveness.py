"""What must happen in the end, if every machine that can go on does go on."""

from __future__ import annotations

from model.algebra import Bool, all_of, const
from model.batch_store import CertifiedBatches
from model.registry_design.network import forge_vote
from model.service import AttestationSystem
from properties.claims.kinds import Conjunct, Kind, Property
from properties.claims.pull_requests import NO_FAULT

FAIR = frozenset(
    {
        "poll_status",
        "update_status",
        "read_status",
        "set_min_batch_number",
        "find_quorum",
        "store_qc",
        "insert_qc",
        "read_status_to_attest",
        "publish_vote",
        "push_votes",
        "receive_votes",
        "refuse_votes",
        "refuse_status",
        "restart_on_new_genesis",
        "stop_on_mismatch",
        "store_start",
        "start_attestation",
        "skip_batch",
        "find_certificate",
        "insert_certificate",
        "fail_to_start",
        "fail_to_certify",
        "refuse_genesis",
        "restart_with_registry",
        "restart_on_smaller",
        "call_peer",
        "receive_call",
        "answer_call",
        "receive_answer",
        "exchange_votes",
        "refuse_message",
    }
)
"""What nodes and connections do by themselves, in either design. Batches and commitments come when they come; faults
need not come."""


def every_batch_certified(system: AttestationSystem) -> tuple[Conjunct, ...]:
    """Every batch that is sealed and can be signed everywhere is certified on the main node in the end."""
    certified, committee = system.main.store.certified, system.scope.instance
    honest = committee.total_weight - committee.byzantine_weight
    quorum = system.electorate.threshold
    if not isinstance(certified, CertifiedBatches) or not quorum.is_constant or honest < quorum.value:
        return ()
    return tuple(
        Conjunct(f"batch {number} is certified in the end", flag, _can_be_signed(system, number))
        for number, flag in enumerate(certified.flags)
    )


def _can_be_signed(system: AttestationSystem, number: int) -> Bool:
    """Whether every node has this batch, ready to be signed, and all before it, which are asked for first; and it is
    neither pruned nor before the stored start."""
    stores = [node.store for node in system.state.nodes]
    return all_of(
        [
            system.state.sealed > number,
            system.is_to_attest(number),
            *(~store.is_pruned(const(number)) for store in stores),
            *(store.persisted > number for store in stores),
            *(flag for store in stores for flag in store.commitments[: number + 1]),
        ]
    )


LIVENESS: tuple[Property, ...] = (
    Property(
        "every_batch_certified",
        Kind.EVENTUALLY,
        "Every batch from the genesis on (from the stored start on, where one is stored) that is sealed, not pruned, "
        "and can be signed everywhere is certified on the main node in the end.",
        "weak fairness for each action of a node or a connection; faults end, but for Byzantine attesters, who go on; "
        "the main node's API answers in the end; who is supervised restarts after an error",
        "era-consensus PR 161: the main node wants a certificate of every batch",
        every_batch_certified,
        without=NO_FAULT - {forge_vote.name},
        fair=FAIR,
        needs="honest weight that reaches the threshold",
    ),
)
