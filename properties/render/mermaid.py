"""A Mermaid sequence diagram, as GitHub draws it. What is on its way rests in a column of its own, so that a send and
its receipt are two arrows; a vote that is skipped or lost ends in a cross."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from model.topology import MAIN
from properties.render.sequence import MESSAGES, Event, Form, events
from properties.render.story import Story
from properties.results.trace import Trace

CHANNEL = "gossip"
"""The column of the messages on their way."""

ENTITIES = str.maketrans({"#": "#35;", ";": "#59;", "<": "#lt;", ">": "#gt;"})
"""What would end a statement, or begin an entity or an element, where a text is to stand."""


def render(trace: Trace) -> str:
    return "\n".join(diagram(Story(trace))) + "\n"


def diagram(story: Story) -> Iterator[str]:
    told = events(story)
    yield "sequenceDiagram"
    yield from _participants(story, told)
    loop = story.trace.loop
    for event in told:
        if loop is not None and event.step > loop:
            yield "    loop again and again"
            loop = None
        yield f"    {arrow(event)}"
    if story.trace.loop is not None and loop is None:
        yield "    end"


def _participants(story: Story, told: Sequence[Event]) -> Iterator[str]:
    """The columns: those that do something, and after the main node what is on its way."""
    names = {name for event in told for name in (event.source, event.target)}
    for name, what in story.words.cast():
        if name in names:
            yield f"    participant {column(name)} as {name}, {what.partition(' with weight')[0]}"
        if name == MAIN and any(event.form in MESSAGES for event in told):
            yield f"    participant {CHANNEL} as on its way"


def column(node: str) -> str:
    """What a node's column is called: not like a keyword, nor like another column."""
    return node if len(node) == 1 and node.isalpha() else f"node_{node}"


def arrow(event: Event) -> str:
    text = f"{event.step}. {event.text}".translate(ENTITIES)
    source, target = column(event.source), column(event.target)
    match event.form:
        case Form.NOTE:
            place = source if source == target else f"{source},{target}"
            return f"Note over {place}: {text}"
        case Form.ANSWER:
            return f"{source}-->>{target}: {text}"
        case Form.DIRECT:
            return f"{source}->>{target}: {text}"
        case Form.SEND:
            return f"{source}-){CHANNEL}: {text}, to {event.target}"
        case Form.RECEIVE:
            return f"{CHANNEL}->>{target}: {text}"
        case Form.SKIP | Form.LOSS:
            return f"{source if source == target else CHANNEL}-x{target}: {text}"
