"""The format `attestation-log/2`: attestation controllers, the calls between them, and what drives them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from model.committee import U64_MAX, Committee, CommitteeError
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
    u64_text,
    word_or,
)

SPLIT: Final = "split"
"""The profile in which one node starts some numbers with another committee."""
OTHER_HASHES: Final = "other-hash"
"""The profile in which one node has another hash of a batch."""
LIMIT: Final = "limit"
UNASKED: Final = "unasked"


@dataclass(frozen=True)
class ControllerHeader(Header):
    """What a run of this format holds fixed."""

    @property
    def keys(self) -> tuple[str, ...]:
        """The attesters' keys, in order; each is its node's name."""
        return tuple(sorted(key for key in self.fields["keys"].values() if key is not None))

    @property
    def committees(self) -> Mapping[str, Committee]:
        return {name: Committee(weights.items()) for name, weights in self.fields["committees"].items()}

    @property
    def first_batch(self) -> int:
        """The number of the first batch that is attested."""
        return int(self.fields["first_batch"])

    @property
    def numbers(self) -> range:
        return range(self.first_batch, self.first_batch + self.batches)

    def committee_name(self, number: int) -> str | None:
        """The name of the committee of a batch; none beyond the last batch."""
        name: str | None = self.fields["committee_of"].get(str(number))
        return name

    def __str__(self) -> str:
        return f"seed {self.fields['seed']}, {self.fields['profile']}, {', '.join(self.nodes)}"


SUBJECT: Final[Mapping[str, Shape]] = {"number": u64, "hash": text}
STATE: Final = nullable(record(**SUBJECT, committee=text, votes=list_of(text), total_weight=u64))
WANT: Final = nullable(record(**SUBJECT))
STARTED: Final = word_or("ok", tagged(error=one_of("genesis", "number")))
ERROR: Final = tagged(error=one_of("duplicate", "genesis", "hash", "non-member", "signature"))
INSERTED: Final = nullable(word_or("ok", ERROR))
ANSWER: Final = nullable(word_or(("ok", UNASKED), ERROR))

HEADER: Final = record(
    format=one_of(RecordingKind.CONTROLLER_LOG.value),
    seed=u64,
    nodes=list_of(name),
    keys=map_of(nullable(name), names=name),
    committees=map_of(map_of(u64, names=name)),
    thresholds=map_of(u64),
    committee_of=map_of(text, names=u64_text),
    topology=list_of(pair),
    byzantine=list_of(name),
    first_batch=u64,
    batches=u64,
    profile=text,
    rate_limited=boolean,
)

EVENTS: Final[Mapping[str, Mapping[str, Shape]]] = {
    "hash_available": SUBJECT,
    "status_polled": {"result": poll_result},
    "attestation_started": {**SUBJECT, "committee": text, "outcome": STARTED, "state": STATE},
    **CONNECTIONS,
    "request_sent": {"to": name, "want": WANT, "votes": MESSAGE},
    "request_received": {"from": name, "votes": MESSAGE, "outcome": INSERTED, "state": STATE},
    "request_answered": {"to": name, "want": WANT, "votes": MESSAGE},
    "answer_received": {"from": name, "votes": MESSAGE, "outcome": ANSWER, "state": STATE},
    "cert_found": {**SUBJECT, "signers": list_of(text), "verifies": boolean},
    "qc_inserted": {"number": u64},
    "node_restarted": {},
}
"""The fields of each kind of event, besides those that all have."""


def _contradictions(fields: Mapping[str, Any]) -> Iterator[str]:
    """What a header says that cannot be."""
    keys, committees = fields["keys"], fields["committees"]
    if keys.keys() != set(fields["nodes"]):
        yield "keys must name every node, and no other"
    yield from (
        f"the key of {node} is {key!r}; a key is its node's name"
        for node, key in keys.items()
        if key not in (None, node)
    )
    attesters = [key for key in keys.values() if key is not None]
    if not attesters:
        yield "keys has no attester"
    for committee, weights in committees.items():
        try:
            Committee(weights.items())
        except CommitteeError as error:
            yield f"committees.{committee}: {error}"
        yield from (
            f"committees.{committee} has {key!r}, which is no node's key" for key in weights if key not in attesters
        )
    if fields["thresholds"].keys() != committees.keys():
        yield "thresholds must have one field for each committee"
    yield from common_contradictions(fields, attesters)
    last = fields["first_batch"] + fields["batches"] - 1
    if last >= U64_MAX:
        yield f"the last batch is {last}; it must be below 2^64 - 1"
        return
    for number in range(fields["first_batch"], last + 1):
        if fields["committee_of"].get(str(number)) not in committees:
            yield f"committee_of names no committee for batch {number}"


GRAMMAR: Final = Grammar(
    RecordingKind.CONTROLLER_LOG.value,
    HEADER,
    line_of(
        EVENTS,
        reason=one_of(ATTESTED, STUCK, LIMIT),
        main_qcs=list_of(u64),
        states=map_of(STATE),
    ),
    ControllerHeader,
    _contradictions,
)
