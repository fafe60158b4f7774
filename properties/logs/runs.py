"""What the runs of every log have in common, whatever components they are of: a header line, event lines, an end line.

A *grammar* is what a format adds: its header and the fields of each kind of event.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from model.topology import MAIN
from properties.recordings.format import Shape, list_of, name, one_of, record, require, step_by, text, u64

ATTESTED: Final = "all batches attested"
STUCK: Final = "stuck"
STRANGER: Final = "stranger"

MAX_BATCHES: Final = 250
"""The model of a run chooses between all its batches in one expression, which is as deep as there are batches."""


@dataclass(frozen=True)
class Header:
    """What a run holds fixed; `fields` by the names of the format."""

    line: int
    fields: Mapping[str, Any]

    @property
    def nodes(self) -> Sequence[str]:
        nodes: Sequence[str] = self.fields["nodes"]
        return nodes

    @property
    def connections(self) -> tuple[tuple[str, str], ...]:
        """Who may be connected to whom: (dialer, listener)."""
        return tuple((dialer, listener) for dialer, listener in self.fields["topology"])

    @property
    def byzantine(self) -> frozenset[str]:
        return frozenset(self.fields["byzantine"])

    @property
    def batches(self) -> int:
        """How many batches are sealed in the end."""
        return int(self.fields["batches"])


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
    """A run as recorded. `number` counts the runs of a file from 1; `end` is an event without a node, none where the
    log ends before the run."""

    number: int
    header: Header
    events: tuple[Event, ...]
    end: Event | None

    @property
    def reason(self) -> str | None:
        """Why it ended, as the log says; none for a prefix."""
        return None if self.end is None else str(self.end["reason"])


@dataclass(frozen=True)
class Grammar:
    """How the runs of one format are written: its name, the shapes of a header line and of every other line, what kind
    of header it has, and what a header in that shape can still say that cannot be."""

    name: str
    header: Shape
    line: Shape
    header_of: Callable[[int, Mapping[str, Any]], Header]
    contradictions: Callable[[Mapping[str, Any]], Iterator[str]]


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


def line_of(events: Mapping[str, Mapping[str, Shape]], **end: Shape) -> Shape:
    """Any line but a header: an event of one of these kinds, each with its fields, or the end with these."""
    common = {"seq": u64, "time": number, "node": name, "event": text}
    shapes = {kind: record(**common, **fields) for kind, fields in events.items()}
    return step_by("event", **shapes, end=record(seq=u64, time=number, event=text, **end))


MESSAGE: Final = list_of(
    record({"signature": one_of("invalid"), "genesis": one_of("other")}, key=text, number=u64, hash=text)
)
"""Votes that are sent; bad ones say why."""

CONNECTIONS: Final[Mapping[str, Mapping[str, Shape]]] = {
    "connected": {"peer": name},
    "disconnected": {"peer": name, "reason": one_of("cut", "error", "restart")},
}


def common_contradictions(fields: Mapping[str, Any], attesters: Sequence[str]) -> Iterator[str]:
    """What the header of any format can say that cannot be; `attesters` are those that it names."""
    nodes = fields["nodes"]
    if MAIN not in nodes:
        yield f"nodes has no {MAIN!r}; that is the main node's name"
    if len(set(nodes)) != len(nodes):
        yield "nodes has a name twice"
    if len(set(fields["byzantine"])) != len(fields["byzantine"]):
        yield "byzantine has a name twice"
    yield from (f"attester {key!r} is no node; add it to nodes" for key in attesters if key not in nodes)
    yield from (f"byzantine {node!r} is no attester" for node in fields["byzantine"] if node not in attesters)
    ends = [frozenset(ends) for ends in fields["topology"]]
    if any(len(pair) != 2 or not pair <= set(nodes) for pair in ends) or len(set(ends)) != len(ends):
        yield "topology must have pairs of different nodes, each pair once"
    if not 0 < fields["batches"] <= MAX_BATCHES:
        yield f"batches is {fields['batches']}; it must be 1 to {MAX_BATCHES}"
