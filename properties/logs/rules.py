"""What it means that an event of a log is an action of the model, whatever the design. The rules themselves are the
designs'.

A rule looks at the event and gives a `Reading`: the sequences of model actions that the event may be (the empty one
where nothing happens that the model has a state for), and how to compute, from the model's states before and after,
the fields that the log recorded. The actions are the model's own, and so are their guards.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Self, TypeVar

from model.algebra import TRUE, Bool
from model.messages import Batch, SignedBatch
from model.revisions import Revision
from model.transitions import Transition
from properties.engines.stepper import State
from properties.logs.ledger import Ledger, Message, Misfit
from properties.logs.runs import ATTESTED, STUCK, Event, Run
from properties.logs.setting import GENESIS, Setting

C = TypeVar("C", bound="Context[Any, Any]")
S = TypeVar("S", bound=Setting)
L = TypeVar("L", bound=Ledger)


@dataclass(frozen=True)
class Move:
    """One thing that an event can be: actions of the model, by (node, text), in this order; and a condition on the
    state before, where there is more to say than the actions' guards do."""

    actions: tuple[tuple[str, str], ...] = ()
    when: Bool = TRUE

    def and_then(self, following: Move) -> Move:
        """Both in turn; the condition is this one's."""
        return Move(self.actions + following.actions, self.when)


def action(node: str, transition: Transition, **arguments: int | str) -> Move:
    text = ", ".join(f"{name}={value}" for name, value in arguments.items())
    return Move(((node, f"{transition.name}({text})"),))


Fields = Callable[[State, State], Mapping[str, Any]]


def nothing(before: State, after: State) -> Mapping[str, Any]:
    return {}


@dataclass(frozen=True)
class Reading:
    """What an event can be in the model, where this is not `depending` on the state; and the fields that the model
    gives, from the states before and after."""

    moves: tuple[Move, ...]
    fields: Fields = nothing
    depending: Callable[[State], tuple[Move, ...]] | None = None

    def moves_in(self, state: State) -> tuple[Move, ...]:
        """What the event can be in this state."""
        return self.moves if self.depending is None else self.depending(state)


@dataclass(frozen=True)
class Rule(Generic[C]):
    """How one kind of event is read. `actions`, `sources` and `note` are for the reader of the table: the actions that
    it can be, where the real code does it, and what else is asked of it; `compares` are the fields of the log that the
    model must agree with."""

    event: str
    actions: tuple[Transition, ...]
    sources: tuple[str, ...]
    compares: tuple[str, ...]
    note: str
    read: Callable[[C, Event], Reading]


class Rules(Generic[C]):
    """The rules of one design, by the kind of event."""

    def __init__(self) -> None:
        self.by_event: dict[str, Rule[C]] = {}

    def rule(
        self, event: str, *actions: Transition, compares: Sequence[str] = (), source: str = ""
    ) -> Callable[[Callable[[C, Event], Reading]], Callable[[C, Event], Reading]]:
        """Declare the rule of a kind of event; the function's docstring is the note. `source` is for events that are no
        action."""

        def declare(read: Callable[[C, Event], Reading]) -> Callable[[C, Event], Reading]:
            note = " ".join((read.__doc__ or "").split())
            sources = dict.fromkeys((*(action.source for action in actions), *([source] if source else [])))
            self.by_event[event] = Rule(event, actions, tuple(sources), tuple(compares), note, read)
            return read

        return declare


@dataclass
class Context(ABC, Generic[S, L]):
    """A run of a design that is being followed: its model, and the record of the run so far."""

    setting: S
    ledger: L
    rules: ClassVar[Rules[Any]]

    @staticmethod
    @abstractmethod
    def revision_of(run: Run) -> Revision:
        """The revision that a run was recorded from."""

    @classmethod
    @abstractmethod
    def of(cls, run: Run, revision: Revision) -> Self:
        """The run in this revision, before its first event."""

    @property
    @abstractmethod
    def contradiction(self) -> str | None:
        """What the header says that is not so in the model; none if it agrees."""

    @abstractmethod
    def silent(self, state: State) -> Iterator[int]:
        """The actions, by position, that may happen in this state without a line in the log."""

    @abstractmethod
    def at_end(self, state: State, end: Event) -> Mapping[str, Any]:
        """The fields of the end line as the model has them."""

    def read(self, event: Event) -> Reading:
        """What the event can be. Raises `Misfit` where the log contradicts itself."""
        return self.rules.by_event[event.kind].read(self, event)

    @abstractmethod
    def is_new(self, sender: str, receiver: str) -> Bool:
        """Whether nothing has happened on this link since it was made."""

    def connected(self, event: Event) -> Reading:
        """The model's connections are there from the start; this end is new."""
        node, peer = self._neighbours(event)
        self.ledger.connect(node, peer)
        return Reading((Move(when=self.is_new(node, peer)),))

    def disconnected(self, event: Event, reconnect: Transition) -> Reading:
        """The model's connections break and are made again in one step; no action if there is nothing to lose."""
        node, peer = self._neighbours(event)
        self.ledger.disconnect(node, peer, event["reason"])
        nothing_to_lose = self.is_new(node, peer) & self.is_new(peer, node)
        dialer, listener = (node, peer) if (node, peer) in self.setting.header.connections else (peer, node)
        lost = Move(action(dialer, reconnect, to=listener).actions, ~nothing_to_lose)
        return Reading((Move(when=nothing_to_lose), lost))

    def _neighbours(self, event: Event) -> tuple[str, str]:
        """The ends of the event's connection. Raises `Misfit` if the topology has no such connection."""
        node, peer = event.node, event["peer"]
        if not {(node, peer), (peer, node)} & set(self.setting.header.connections):
            raise Misfit(f"the header's topology has no connection between {node} and {peer}")
        return node, peer


def signed(message: Message) -> list[SignedBatch]:
    """The votes of a message, as the machines in full fidelity take them."""
    return [
        SignedBatch(
            vote["key"],
            Batch(vote["number"], vote["hash"], vote.get("genesis", GENESIS)),
            valid="signature" not in vote,
        )
        for vote in message
    ]


def reason_at_end(setting: Setting, state: State, end: Event, last: int) -> str:
    """What the log may call the end: a run with a certificate for its last batch is over; one is stuck if the next
    batch can be signed everywhere, and nothing but faults, forgeries or further batches can happen."""
    recorded, is_attested = str(end["reason"]), last in setting.certified(state)
    if is_attested or recorded == ATTESTED:
        return ATTESTED if is_attested else "not all batches attested"
    if recorded == STUCK and (possible := setting.what_can_happen(state)):
        return f"not stuck: {possible[0]} is possible"
    return recorded
