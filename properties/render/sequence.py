"""A run as a sequence diagram: who does what to whom, before any drawing.

A message is two events, its send and its receipt, for much can happen between them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from properties.render.story import Story


class Form(StrEnum):
    """How an event is drawn."""

    NOTE = "note"
    """Something that a node does by itself."""
    ANSWER = "answer"
    """The main node's answer to a poll."""
    DIRECT = "direct"
    """A message that arrives in the very step in which it leaves, or that has no sender in the model."""
    SEND = "send"
    """A message leaves."""
    RECEIVE = "receive"
    """A message arrives."""
    SKIP = "skip"
    """A vote is not taken: by the receiver, or (`source` is `target`) by the attester's own registry."""
    LOSS = "loss"
    """A message is lost on its way."""


MESSAGES = (Form.SEND, Form.RECEIVE, Form.LOSS)
"""The forms of which there are only where messages travel."""


@dataclass(frozen=True)
class Event:
    """One event of the diagram. `step` counts from 1; `line` tells apart what travels at the same time between two."""

    step: int
    form: Form
    source: str
    target: str
    text: str
    line: str = ""


def events(story: Story) -> list[Event]:
    """All events of a trace, in order."""
    tell = story.vocabulary.tell
    return [event for number, step in enumerate(story.trace.steps, 1) for event in tell(story, number, step)]


def told(story: Story) -> list[list[str]]:
    """For every step what happens in it, in words."""
    texts: list[list[str]] = [[] for _ in story.trace.steps]
    for event in events(story):
        texts[event.step - 1].append(event.text)
    return texts
