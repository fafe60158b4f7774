"""A run as a sequence diagram: who does what to whom, before any drawing.

A message is two events, its send and its receipt, for much can happen between them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar

from model.algebra import Expression
from model.topology import MAIN
from model.transitions import Transition
from model.votes import NONE
from properties.engines.handlers import Handlers
from properties.render.story import Story
from properties.results.trace import TraceStep


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


Notes = Mapping[Transition, Callable[[Any], str]]
"""What a node does by itself in a transition, in words, of the teller of the step."""


class Teller(Handlers, ABC):
    """Tells one step of a run as events, by its transition: by a note or a handler, or, where there is neither, by its
    name. `number` counts steps from 1."""

    notes: ClassVar[Notes] = {}

    def __init__(self, story: Story, number: int, step: TraceStep) -> None:
        self.story, self.number, self.step = story, number, step
        self.topology = story.system.topology

    def events(self) -> Iterator[Event]:
        if way := self.handlers.get(self.step.action):
            events: Iterator[Event] = way(self)
            return events
        told = {transition.name: note for transition, note in self.notes.items()}.get(self.step.action)
        return self.note(told(self) if told else self.step.call)

    def event(self, form: Form, source: str, target: str, text: str, line: str = "") -> Iterator[Event]:
        yield Event(self.number, form, source, target, text, line)

    def note(self, text: str) -> Iterator[Event]:
        """What the node does by itself."""
        return self.event(Form.NOTE, self.step.node, self.step.node, text)

    def before(self, expression: Expression) -> int:
        return self.story.value(expression, self.number - 1)

    def after(self, expression: Expression) -> int:
        return self.story.value(expression, self.number)

    def other(self, argument: str) -> str:
        """The other node or attester of the step."""
        return str(self.step.arguments[argument])

    def answered(self, text: str, to_itself: str) -> Iterator[Event]:
        """What the main node's database answers; where that is news, it says why. The main node asks it itself."""
        text = f"next batch is {text}{self._reason()}"
        if self.step.node == MAIN:
            return self.note(f"{to_itself} {text}")
        return self.event(Form.ANSWER, MAIN, self.step.node, text)

    def _reason(self) -> str:
        """Why the database answers what it does; nothing where it has given this answer for this reason before."""
        earlier = enumerate(self.story.trace.steps[: self.number - 1])
        now = self._answer(self.number - 1)
        if any(step.action == self.step.action and self._answer(before) == now for before, step in earlier):
            return ""
        return f" ({self.why_asked()})"

    def _answer(self, number: int) -> tuple[int, int]:
        """What decides an answer after so many steps: the number, and the last batch with a certificate."""
        system = self.story.system
        certified = system.main.store.certified.largest
        return self.story.value(system.next_batch_to_attest, number), self.story.value(certified, number)

    def why_asked(self) -> str:
        """Why the main node asks for the batch that it asks for."""
        last = self.before(self.story.system.main.store.certified.largest)
        if last != NONE:
            return f"the one after batch {last}, the last with a certificate"
        return self.why_at_first()

    @abstractmethod
    def why_at_first(self) -> str:
        """The same while no certificate is stored."""

    def broken(self, one: str, other: str, text: str) -> Iterator[Event]:
        """The connection between two nodes breaks, and what was in flight on it is lost."""
        yield from self.event(Form.NOTE, one, other, text)
        ends = {self.topology.position(one), self.topology.position(other)}
        yield from self._losses(link for link in self.topology.links if set(link) == ends)

    def losses(self) -> Iterator[Event]:
        """What was in flight to and from the node."""
        place = self.topology.position(self.step.node)
        return self._losses(link for link in self.topology.links if place in link)

    def _losses(self, links: Iterable[tuple[int, int]]) -> Iterator[Event]:
        for link in links:
            yield from self.lost(*(self.topology.places[end].name for end in link))

    @abstractmethod
    def lost(self, sender: str, receiver: str) -> Iterator[Event]:
        """What was in flight from one node to the other."""


def events(story: Story) -> list[Event]:
    """All events of a trace, in order."""
    teller = story.vocabulary.teller
    steps = enumerate(story.trace.steps, 1)
    return [event for number, step in steps for event in teller(story, number, step).events()]


def told(story: Story) -> list[list[str]]:
    """For every step what happens in it, in words."""
    texts: list[list[str]] = [[] for _ in story.trace.steps]
    for event in events(story):
        texts[event.step - 1].append(event.text)
    return texts
