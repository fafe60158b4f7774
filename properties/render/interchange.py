"""JSON: a trace for machines, losslessly. `trace.schema.json` describes it; `read` reads it back.

What `read` asks of a document is what the schema says, in the shapes of `properties.recordings.format`: they name the
place and what would be right, and need no package. A test holds the two against each other.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import fields
from importlib.resources import files
from typing import Any, Final

from model.committee import Committee, CommitteeError
from model.scope import BadInstance, BadScope, Scope
from model.topology import MAIN
from properties.recordings.format import (
    Shape,
    WrongShape,
    boolean,
    list_of,
    map_of,
    name,
    nullable,
    one_of,
    record,
    require,
    text,
    without_repetition,
)
from properties.results.trace import Trace, as_json, from_json
from properties.scopes.switches import TEXT

MOST: Final = 1000
"""The largest number in a scope: batches, places of a queue, faults. The model has variables for some of these."""


class BadDocument(ValueError):
    """A document that is no trace; the message names the place and what would be right."""


def render(trace: Trace) -> str:
    return json.dumps(as_json(trace), indent=1, ensure_ascii=False) + "\n"


def schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of the format."""
    text = files("properties.render").joinpath("trace.schema.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def read(document: str) -> Trace:
    """The trace in a document that `render` wrote. Raises `BadDocument` for any other."""
    try:
        data = json.loads(document, object_pairs_hook=without_repetition)
        if isinstance(data, dict) and {"vars", "states"} <= data.keys():
            raise BadDocument("a trace in the format ITF; what can be read is a trace in the format json")
        TRACE("", data)
        for problem in _contradictions(data.get("setting")):
            raise BadDocument(problem)
        trace = from_json(data)
    except json.JSONDecodeError as error:
        raise BadDocument(f"line {error.lineno}: not JSON (column {error.colno}: {error.msg})") from None
    except RecursionError:
        raise BadDocument("nested too deeply") from None
    except (WrongShape, BadInstance, BadScope) as error:
        raise BadDocument(str(error)) from None
    except BadDocument:
        raise
    except ValueError:
        # The one other thing that the parser refuses.
        raise BadDocument("an integer has thousands of digits") from None
    if trace.loop is not None and trace.loop > len(trace.steps):
        raise BadDocument(f"loop is {trace.loop}; the trace has {len(trace.steps)} steps")
    return trace


def _contradictions(setting: Mapping[str, Any] | None) -> Iterator[str]:
    """What a setting says that cannot be."""
    if setting is None:
        return
    nodes, names = setting["nodes"], [attester["name"] for attester in setting["attesters"]]
    try:
        Committee((attester["name"], attester["weight"]) for attester in setting["attesters"])
    except CommitteeError as error:
        yield f"setting.attesters: {error}"
    if MAIN not in nodes or len(set(nodes)) != len(nodes):
        yield f"setting.nodes must have {MAIN!r}, and each name once"
    if not set(setting["byzantine"]) <= set(names):
        yield "setting.byzantine has a name that is no attester's"
    pairs = [frozenset(ends) for ends in setting["topology"]]
    if any(len(pair) != 2 or not pair <= set(nodes) for pair in pairs) or len(set(pairs)) != len(pairs):
        yield "setting.topology must have pairs of different nodes, each pair once"


def integer(path: str, value: Any) -> None:
    """An integer; JSON's true is none."""
    require(type(value) is int, path, value, "an integer")


def argument(path: str, value: Any) -> None:
    """What an action is given: a number or a name."""
    require(type(value) in (int, str), path, value, "an integer or a string")


def named(path: str, value: Any) -> None:
    """A string that is not empty."""
    text(path, value)
    require(bool(value), path, value, "a name")


def change(path: str, value: Any) -> None:
    """The values of a variable before and after a step."""
    list_of(integer)(path, value)
    require(len(value) == 2, path, value, "the values before and after")


def ends(path: str, value: Any) -> None:
    """The two ends of a connection."""
    list_of(text)(path, value)
    require(len(value) == 2, path, value, "a pair of names")


def at_least(least: int, most: int | None = None) -> Shape:
    """An integer from `least` on, up to `most` if that is given."""
    expected = f"an integer from {least} " + ("on" if most is None else f"to {most}")
    return lambda path, value: require(
        type(value) is int and value >= least and (most is None or value <= most), path, value, expected
    )


def switch(path: str, value: Any) -> None:
    """A switch that is a text."""
    text(path, value)
    require(bool(TEXT.fullmatch(value)), path, value, "letters and digits, with _ , ; or blanks between them")


def _scope() -> Shape:
    """The instance and the batches, and perhaps the other fields of a scope, each like its usual value."""
    by_type: dict[type, Shape] = {bool: boolean, int: at_least(0, MOST), str: switch}
    shapes = {field.name: by_type[type(field.default)] for field in fields(Scope) if field.name != "instance"}
    shapes |= {fault: nullable(at_least(0)) for fault in ("restarts", "disconnects", "errors")}
    del shapes["batches"]
    return record(shapes, instance=text, batches=nullable(at_least(1, MOST)))


SETTING: Final = record(
    attesters=list_of(record(name=name, weight=at_least(1))),
    byzantine=list_of(text),
    nodes=list_of(name),
    topology=list_of(ends),
)
STEP: Final = record(node=named, action=named, arguments=map_of(argument), changes=map_of(change))
TRACE: Final = record(
    {"setting": SETTING},
    format=one_of("attestation-trace/1"),
    revision=named,
    scope=_scope(),
    property=text,
    kind=nullable(text),
    failed=nullable(text),
    loop=nullable(at_least(0)),
    facts=nullable(map_of(integer)),
    initial=map_of(integer),
    steps=list_of(STEP),
)
"""The format."""
