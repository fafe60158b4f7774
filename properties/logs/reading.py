"""Reads the runs of a log, each in the format that its header names.

One run is held at a time, so memory does not grow with the number of runs in a file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from properties.logs.controller_design.reading import GRAMMAR as CONTROLLER_LOG
from properties.logs.registry_design.reading import GRAMMAR as REGISTRY_LOG
from properties.logs.runs import Event, Grammar, Header, Run
from properties.recordings.format import MalformedRecording, WrongShape, log_format, parsed

GRAMMARS: Final = {grammar.name: grammar for grammar in (REGISTRY_LOG, CONTROLLER_LOG)}
NO_HEADER: Final = "a run must start with a header line, which has the field 'format'"


def read_runs(lines: Iterable[str]) -> Iterator[Run]:
    """The runs of a log, one after the other; the last one may lack its end.

    Raises `MalformedRecording` where a line is out of format or out of place, and for a log without runs.
    """
    numbered = enumerate(without_blank_end(lines), start=1)
    count = 0
    for line, content in numbered:
        count += 1
        grammar, header = _header(line, content)
        yield _run(count, grammar, header, numbered)
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


def _run(count: int, grammar: Grammar, header: Header, numbered: Iterator[tuple[int, str]]) -> Run:
    events: list[Event] = []
    seq, time, last = 0, 0.0, header.line
    for line, content in numbered:
        event = _event_line(line, content, grammar, header)
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
    if events:
        return Run(count, header, tuple(events), None)
    raise MalformedRecording(last + 1, f"the run that starts in line {header.line} has no events")


def _header(line: int, content: str) -> tuple[Grammar, Header]:
    fields = parsed(line, content)
    if "format" not in fields:
        raise MalformedRecording(line, NO_HEADER)
    grammar = GRAMMARS[log_format(line, fields)]
    _in_shape(line, grammar.header, fields)
    for problem in grammar.contradictions(fields):
        raise MalformedRecording(line, problem)
    return grammar, grammar.header_of(line, fields)


def _event_line(line: int, content: str, grammar: Grammar, header: Header) -> Event:
    fields = parsed(line, content)
    if "format" in fields:
        raise MalformedRecording(line, f"a header before the end of the run that starts in line {header.line}")
    _in_shape(line, grammar.line, fields)
    for field in ("node", "peer", "to", "from"):
        if field in fields and fields[field] not in header.nodes:
            raise MalformedRecording(line, f"{field} is {fields[field]!r}; known nodes are {', '.join(header.nodes)}")
    return Event(line, fields["event"], fields.get("node", ""), fields)


def _in_shape(line: int, shape: Callable[[str, Any], None], fields: Mapping[str, Any]) -> None:
    try:
        shape("", fields)
    except WrongShape as error:
        raise MalformedRecording(line, str(error)) from error
