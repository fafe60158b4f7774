"""The format `attestation-log/1`: runs of a header line, event lines and an end line.

One run is held at a time, so memory does not grow with the number of runs in a file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from model.committee import Committee, CommitteeError
from model.topology import MAIN
from properties.recording import (
    MalformedRecording,
    RecordingKind,
    Shape,
    WrongShape,
    boolean,
    list_of,
    map_of,
    nullable,
    one_of,
    parsed,
    record,
    require,
    step_by,
    tagged,
    text,
    u64,
)

LAST_SEALED_START: Final = "tip"
GENESIS_START: Final = "genesis"
SYNC: Final = "sync"
RAW: Final = "raw"
STRANGER: Final = "stranger"

ATTESTED: Final = "all batches attested"
STUCK: Final = "stuck"
TIME_LIMIT: Final = "time limit"


@dataclass(frozen=True)
class Header:
    """What a run holds fixed; `fields` by the names of the format."""

    line: int
    fields: Mapping[str, Any]

    @property
    def attesters(self) -> dict[str, int]:
        """The weight of each attester, by key, in the order of the keys."""
        return dict(sorted(self.fields["attesters"].items()))

    @property
    def nodes(self) -> Sequence[str]:
        """The nodes' names."""
        nodes: Sequence[str] = self.fields["nodes"]
        return nodes

    @property
    def connections(self) -> tuple[tuple[str, str], ...]:
        """Who may be connected to whom: (dialer, listener)."""
        return tuple((dialer, listener) for dialer, listener in self.fields["topology"])

    @property
    def byzantine(self) -> frozenset[str]:
        """The attesters that are Byzantine."""
        return frozenset(self.fields["byzantine"])

    @property
    def raw(self) -> frozenset[str]:
        """The nodes that send messages of their own making, whatever is in their registry."""
        return self.byzantine if self.fields["byzantine_mode"] == RAW else frozenset()

    @property
    def batches(self) -> int:
        """How many batches are sealed in the end."""
        return int(self.fields["batches"])

    @property
    def is_sync(self) -> bool:
        """Whether `store_qc` returns only after the insertion."""
        return bool(self.fields["store"] == SYNC)

    def __str__(self) -> str:
        return f"seed {self.fields['seed']}, start {self.fields['start']}, {', '.join(self.nodes)}"


@dataclass(frozen=True)
class Event:
    """One line between header and end: what happened at `node`; `fields` has everything that the format asks for."""

    line: int
    kind: str
    node: str
    fields: Mapping[str, Any]

    def __getitem__(self, field: str) -> Any:
        return self.fields[field]


@dataclass(frozen=True)
class Run:
    """A run as recorded. `number` counts the runs of a file from 1; `end` is an event without a node."""

    number: int
    header: Header
    events: tuple[Event, ...]
    end: Event


def name(path: str, value: Any) -> None:
    """The name of a node or an attester. Variables of the model are named after it, with dots between their parts."""
    text(path, value)
    require(bool(value) and value.isprintable() and "." not in value, path, value, "a name without dots")


def number(path: str, value: Any) -> None:
    """A number of seconds, 0 or more."""
    require(type(value) in (int, float) and 0 <= value < float("inf"), path, value, "a number, 0 or more")


def pair(path: str, value: Any) -> None:
    """Two names, of a dialer and a listener."""
    list_of(name)(path, value)
    require(len(value) == 2, path, value, "a pair of names")


def poll_result(path: str, value: Any) -> None:
    """What a poll gave: a number, null for none, or "error"."""
    if value is not None and value != "error":
        require(type(value) is int, path, value, "an integer from 0 to 2^64 - 1, null or 'error'")
        u64(path, value)


SUBJECT: Final = {"number": u64, "hash": text}
REGISTRY: Final = record(votes=map_of(record(**SUBJECT)), min_batch_number=u64)
MESSAGE: Final = list_of(record({"signature": one_of("invalid"), "genesis": one_of("other")}, key=text, **SUBJECT))
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


def _event(**fields: Shape) -> Shape:
    return record(seq=u64, time=number, node=name, event=text, **fields)


EVENTS: Final[Mapping[str, Shape]] = {
    "batch_sealed": _event(number=u64),
    "batch_persisted": _event(number=u64),
    "commitment_available": _event(number=u64),
    "status_polled": _event(result=poll_result),
    "status_changed": _event(number=u64),
    "status_read": _event(by=one_of("finder", "attester"), number=nullable(u64)),
    "minimum_set": _event(number=u64, registry=REGISTRY),
    "vote_published": _event(key=text, **SUBJECT, added=boolean, registry=REGISTRY),
    "connected": _event(peer=name),
    "disconnected": _event(peer=name, reason=one_of("cut", "error", "restart")),
    "votes_pushed": _event(to=name, votes=MESSAGE),
    "votes_received": _event(**{"from": name}, votes=MESSAGE, outcome=OUTCOME, registry=REGISTRY),
    "quorum_found": _event(**SUBJECT, signers=list_of(text), verifies=boolean),
    "qc_persist_started": _event(number=u64),
    "qc_persisted": _event(number=u64, stored=boolean, verifies=boolean),
    "qc_persist_returned": _event(number=u64),
    "node_restarted": _event(),
}
"""The fields of each kind of event."""

END: Final = record(
    seq=u64,
    time=number,
    event=text,
    reason=one_of(ATTESTED, STUCK, TIME_LIMIT),
    main_qcs=list_of(u64),
    gap=boolean,
    next_batch_to_attest=nullable(u64),
    registries=map_of(REGISTRY),
)
LINE: Final = step_by("event", **EVENTS, end=END)


def read_runs(lines: Iterable[str]) -> Iterator[Run]:
    """The runs of a log, one after the other.

    Raises `MalformedRecording` where a line is out of format or out of place, and for a log without runs.
    """
    numbered = enumerate(without_blank_end(lines), start=1)
    count = 0
    for line, content in numbered:
        count += 1
        yield _run(count, _header(line, content), numbered)
    if not count:
        raise MalformedRecording(1, "the log is empty; there must be at least one run")


def without_blank_end(lines: Iterable[str]) -> Iterator[str]:
    """The lines without blank ones at the end, which an editor may leave."""
    blank: list[str] = []
    for line in lines:
        if line.strip():
            yield from blank
            blank.clear()
            yield line
        else:
            blank.append(line)


def _run(count: int, header: Header, numbered: Iterator[tuple[int, str]]) -> Run:
    events: list[Event] = []
    seq, time, last = 0, 0.0, header.line
    for line, content in numbered:
        event = _event_line(line, content, header)
        if event["seq"] <= seq:
            raise MalformedRecording(line, f"seq is {event['seq']} after {seq}; it must increase within a run")
        if event["time"] < time:
            raise MalformedRecording(line, f"time is {event['time']} after {time}; it must not run backwards")
        seq, time, last = event["seq"], event["time"], line
        if event.kind != "end":
            events.append(event)
        elif events:
            return Run(count, header, tuple(events), event)
        else:
            raise MalformedRecording(line, f"the run that starts in line {header.line} has no events")
    raise MalformedRecording(last + 1, f"the run that starts in line {header.line} has no end line")


NO_HEADER: Final = "a run must start with a header line, which has the field 'format'"


def _header(line: int, content: str) -> Header:
    fields = parsed(line, content)
    if "format" not in fields:
        raise MalformedRecording(line, NO_HEADER)
    _in_shape(line, HEADER, fields)
    for problem in _contradictions(fields):
        raise MalformedRecording(line, problem)
    return Header(line, fields)


def _contradictions(fields: Mapping[str, Any]) -> Iterator[str]:
    """What a header says that cannot be."""
    nodes, attesters = fields["nodes"], fields["attesters"]
    try:
        Committee(attesters.items())
    except CommitteeError as error:
        yield f"attesters: {error}"
    if MAIN not in nodes:
        yield f"nodes has no {MAIN!r}; that is the main node's name"
    if len(set(nodes)) != len(nodes):
        yield "nodes has a name twice"
    if len(set(fields["byzantine"])) != len(fields["byzantine"]):
        yield "byzantine has a name twice"
    yield from (f"attester {key!r} is no node; add it to nodes" for key in attesters if key not in nodes)
    yield from (f"byzantine {node!r} is no attester" for node in fields["byzantine"] if node not in attesters)
    if bool(fields["byzantine"]) != (fields["byzantine_mode"] is not None):
        yield "byzantine_mode must be given if, and only if, a node is Byzantine"
    ends = [frozenset(ends) for ends in fields["topology"]]
    if any(len(pair) != 2 or not pair <= set(nodes) for pair in ends) or len(set(ends)) != len(ends):
        yield "topology must have pairs of different nodes, each pair once"
    if fields["first_batch"] != 0:
        yield f"first_batch is {fields['first_batch']}; number the batches from 0"
    if not 0 < fields["batches"] <= MAX_BATCHES:
        yield f"batches is {fields['batches']}; it must be 1 to {MAX_BATCHES}"


MAX_BATCHES: Final = 250
"""The model of a run chooses between all its batches in one expression, which is as deep as there are batches."""


def _event_line(line: int, content: str, header: Header) -> Event:
    fields = parsed(line, content)
    if "format" in fields:
        raise MalformedRecording(line, f"a header before the end of the run that starts in line {header.line}")
    _in_shape(line, LINE, fields)
    for field in ("node", "peer", "to", "from"):
        if field in fields and fields[field] not in header.nodes:
            raise MalformedRecording(line, f"{field} is {fields[field]!r}; known nodes are {', '.join(header.nodes)}")
    return Event(line, fields["event"], fields.get("node", ""), fields)


def _in_shape(line: int, shape: Callable[[str, Any], None], fields: Mapping[str, Any]) -> None:
    try:
        shape("", fields)
    except WrongShape as error:
        raise MalformedRecording(line, str(error)) from error
