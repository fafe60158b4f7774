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


def render(trace: Trace) -> str:
    """The diagram."""
    return "\n".join(diagram(Story(trace))) + "\n"


def diagram(story: Story) -> Iterator[str]:
    """The lines of the diagram."""
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
            yield f"    participant {name} as {name}, {what.partition(' with weight')[0]}"
        if name == MAIN and any(event.form in MESSAGES for event in told):
            yield f"    participant {CHANNEL} as on its way"


def arrow(event: Event) -> str:
    """The line of one event."""
    text = f"{event.step}. {event.text}"
    match event.form:
        case Form.NOTE:
            place = event.source if event.source == event.target else f"{event.source},{event.target}"
            return f"Note over {place}: {text}"
        case Form.ANSWER:
            return f"{event.source}-->>{event.target}: {text}"
        case Form.DIRECT:
            return f"{event.source}->>{event.target}: {text}"
        case Form.SEND:
            return f"{event.source}-){CHANNEL}: {text}, to {event.target}"
        case Form.RECEIVE:
            return f"{CHANNEL}->>{event.target}: {text}"
        case Form.SKIP | Form.LOSS:
            source = event.source if event.source == event.target else CHANNEL
            return f"{source}-x{event.target}: {text}"
