"""The format `attestation-log/1`: what status watch, attester, QC finder, registry and gossip of several nodes did."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from model.committee import Committee, CommitteeError
from properties.logs.runs import (
    ATTESTED,
    CONNECTIONS,
    MESSAGE,
    STUCK,
    Grammar,
    Header,
    common_contradictions,
    line_of,
    pair,
    poll_result,
)
from properties.recordings.format import (
    RecordingKind,
    Shape,
    boolean,
    list_of,
    map_of,
    name,
    nullable,
    one_of,
    record,
    tagged,
    text,
    u64,
)

LAST_SEALED_START: Final = "tip"
GENESIS_START: Final = "genesis"
SYNC: Final = "sync"
RAW: Final = "raw"
TIME_LIMIT: Final = "time limit"


@dataclass(frozen=True)
class RegistryHeader(Header):
    """What a run of this format holds fixed."""

    @property
    def attesters(self) -> dict[str, int]:
        """The weight of each attester, by key, in the order of the keys."""
        return dict(sorted(self.fields["attesters"].items()))

    @property
    def raw(self) -> frozenset[str]:
        """The nodes that send messages of their own making, whatever is in their registry."""
        return self.byzantine if self.fields["byzantine_mode"] == RAW else frozenset()

    @property
    def is_sync(self) -> bool:
        """Whether `store_qc` returns only after the insertion."""
        return bool(self.fields["store"] == SYNC)

    def __str__(self) -> str:
        return f"seed {self.fields['seed']}, start {self.fields['start']}, {', '.join(self.nodes)}"


SUBJECT: Final[Mapping[str, Shape]] = {"number": u64, "hash": text}
REGISTRY: Final = record(votes=map_of(record(**SUBJECT)), min_batch_number=u64)
OUTCOME: Final = tagged(added=list_of(text), error=one_of("duplicate entry", "different genesis", "bad signature"))

HEADER: Final = record(
    format=one_of(RecordingKind.REGISTRY_LOG.value),
    seed=u64,
    start=one_of(LAST_SEALED_START, GENESIS_START),
    attesters=map_of(u64, names=name),
    threshold=u64,
    nodes=list_of(name),
    topology=list_of(pair),
    byzantine=list_of(name),
    byzantine_mode=nullable(one_of("registry", RAW)),
    first_batch=u64,
    batches=u64,
    store=one_of("async", SYNC),
    profile=text,
)

EVENTS: Final[Mapping[str, Mapping[str, Shape]]] = {
    "batch_sealed": {"number": u64},
    "batch_persisted": {"number": u64},
    "commitment_available": {"number": u64},
    "status_polled": {"result": poll_result},
    "status_changed": {"number": u64},
    "status_read": {"by": one_of("finder", "attester"), "number": nullable(u64)},
    "minimum_set": {"number": u64, "registry": REGISTRY},
    "vote_published": {"key": text, **SUBJECT, "added": boolean, "registry": REGISTRY},
    **CONNECTIONS,
    "votes_pushed": {"to": name, "votes": MESSAGE},
    "votes_received": {"from": name, "votes": MESSAGE, "outcome": OUTCOME, "registry": REGISTRY},
    "quorum_found": {**SUBJECT, "signers": list_of(text), "verifies": boolean},
    "qc_persist_started": {"number": u64},
    "qc_persisted": {"number": u64, "stored": boolean, "verifies": boolean},
    "qc_persist_returned": {"number": u64},
    "node_restarted": {},
}
"""The fields of each kind of event, besides those that all have."""


def _contradictions(fields: Mapping[str, Any]) -> Iterator[str]:
    """What a header says that cannot be."""
    try:
        Committee(fields["attesters"].items())
    except CommitteeError as error:
        yield f"attesters: {error}"
    yield from common_contradictions(fields, fields["attesters"])
    if bool(fields["byzantine"]) != (fields["byzantine_mode"] is not None):
        yield "byzantine_mode must be given if, and only if, a node is Byzantine"
    if fields["first_batch"] != 0:
        yield f"first_batch is {fields['first_batch']}; number the batches from 0"


GRAMMAR: Final = Grammar(
    RecordingKind.REGISTRY_LOG.value,
    HEADER,
    line_of(
        EVENTS,
        reason=one_of(ATTESTED, STUCK, TIME_LIMIT),
        main_qcs=list_of(u64),
        gap=boolean,
        next_batch_to_attest=nullable(u64),
        registries=map_of(REGISTRY),
    ),
    RegistryHeader,
    _contradictions,
)
