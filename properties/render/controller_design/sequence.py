"""The steps of the attestation-controller design as events of a sequence diagram."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from model.algebra import Bool
from model.controller_design.gossip import IDLE, Link
from model.controller_design.network import (
    answer_call,
    call_peer,
    diverge,
    exchange_votes,
    execute_again,
    fail_once,
    fail_to_certify,
    fail_to_start,
    forge_vote,
    hand_on_vote,
    provide_hash,
    prune,
    read_old_genesis,
    read_old_status,
    receive_answer,
    receive_call,
    reconnect,
    refuse_genesis,
    refuse_message,
    regenesis,
    restart_node,
    restart_on_new_genesis,
    restart_with_registry,
    restart_without_registry,
    restore_database,
    seal_batch,
)
from model.controller_design.node import (
    Node,
    find_certificate,
    insert_certificate,
    read_status,
    skip_batch,
    start_attestation,
)
from model.controller_design.system import ControllerDesign
from model.topology import MAIN
from model.votes import NONE
from properties.render.controller_design.words import ERRORS, RESTARTS
from properties.render.sequence import Event, Form
from properties.render.story import Story
from properties.results.trace import BadTrace, TraceStep

CALL, ANSWER = "call", "answer"
"""What travels between two nodes at the same time, on two lines."""


def design_of(story: Story) -> ControllerDesign:
    """The model. Raises `BadTrace` if it has no controller."""
    if not isinstance(story.system, ControllerDesign):
        raise BadTrace(f"{story.trace.revision} has no attestation controller")
    return story.system


class Teller:
    """Tells the steps of a trace as events, each transition in its own way."""

    def __init__(self, story: Story) -> None:
        self.story = story
        self.system = design_of(story)
        self.topology = self.system.topology

    def tell(self, number: int, step: TraceStep) -> Iterator[Event]:
        """The events of one step. `number` counts from 1."""
        way = WAYS.get(step.action)
        return way(self, number, step) if way else self.note(number, step.node, step.call)

    def node(self, name: str) -> Node:
        """The node of this name."""
        return self.system.state.nodes[self.topology.position(name)]

    def link(self, caller: str, peer: str) -> Link:
        """The link on which the one calls the other."""
        ends = (self.topology.position(caller), self.topology.position(peer))
        return self.system.state.links[self.topology.links.index(ends)]

    def note(self, number: int, node: str, text: str) -> Iterator[Event]:
        yield Event(number, Form.NOTE, node, node, text)

    def votes(self, flags: Sequence[Bool], number: int) -> list[str]:
        """The attesters whose flags are set after so many steps."""
        return [
            name for name, flag in zip(self.topology.attesters, flags, strict=True) if self.story.value(flag, number)
        ]

    def gained(self, node: str, number: int) -> list[str]:
        """The attesters whose votes a node has had since this step."""
        held = self.node(node).attestation.votes
        before = self.votes(held, number - 1)
        return [name for name in self.votes(held, number) if name not in before]

    def stands_at(self, node: str, number: int) -> str:
        """What a node attests after so many steps."""
        batch = self.story.vote(self.node(node).attestation.batch, number)
        return f"{node} is at {batch}" if batch else f"{node} has started no batch"

    # The store

    def sealed(self, number: int, step: TraceStep) -> Iterator[Event]:
        return self.note(number, step.node, f"seals batch {self.story.value(self.system.state.sealed, number - 1)}")

    def hash_provided(self, number: int, step: TraceStep) -> Iterator[Event]:
        batch = self.story.value(self.node(step.node).store.persisted, number - 1)
        return self.note(number, step.node, f"has batch {batch} and its hash")

    def pruned(self, number: int, step: TraceStep) -> Iterator[Event]:
        batch = self.story.value(self.node(step.node).store.pruned, number)
        return self.note(number, step.node, f"batch {batch} is pruned, with its certificate")

    def diverged(self, number: int, step: TraceStep) -> Iterator[Event]:
        batch = self.story.value(self.node(step.node).diverged, number)
        return self.note(number, step.node, f"will execute batch {batch} otherwise than the main node")

    def executed_again(self, number: int, step: TraceStep) -> Iterator[Event]:
        batch = self.story.value(self.node(step.node).diverged, number - 1)
        return self.note(number, step.node, f"executes batch {batch} again, and has the main node's hash")

    def restored(self, number: int, step: TraceStep) -> Iterator[Event]:
        kept = step.arguments["kept"]
        return self.note(number, step.node, f"the certificates from batch {kept} on are gone from its database")

    # The task

    def status_read(self, number: int, step: TraceStep) -> Iterator[Event]:
        asked = self.story.value(self.system.next_batch_to_attest, number - 1)
        text = f"next batch is {asked}{self.reason(number, step)}"
        if step.node == MAIN:
            return self.note(number, MAIN, f"reads: {text}")
        return iter([Event(number, Form.ANSWER, MAIN, step.node, text)])

    def reason(self, number: int, step: TraceStep) -> str:
        """Why the database answers what it does; nothing where it has given this answer for this reason before."""
        now = self.answer(number)
        earlier = enumerate(self.story.trace.steps[: number - 1], 1)
        if any(each.action == step.action and self.answer(before) == now for before, each in earlier):
            return ""
        return f" ({why_asked(self.story, number - 1)})"

    def answer(self, number: int) -> tuple[int, int]:
        """What decides the answer in this step: the number, and the last batch with a certificate."""
        certified = self.system.main.store.certified.largest
        asked = self.system.next_batch_to_attest
        return self.story.value(asked, number - 1), self.story.value(certified, number - 1)

    def old_status_read(self, number: int, step: TraceStep) -> Iterator[Event]:
        text = f"next batch is {step.arguments['answer']} (from a copy of the database that lags)"
        return iter([Event(number, Form.ANSWER, MAIN, step.node, text)])

    def started(self, number: int, step: TraceStep) -> Iterator[Event]:
        """A start, and in a scope without late answers the status that it acts on."""
        if not self.story.system.scope.late_answers:
            yield from self.status_read(number, step)
        attestation = self.node(step.node).attestation
        batch, before = (self.story.vote(attestation.batch, each) for each in (number, number - 1))
        if batch == before:
            yield from self.note(number, step.node, f"has started {batch} already: nothing changes")
            return
        own = ", with its own vote" * (step.node in self.votes(attestation.votes, number))
        dropped = self.votes(attestation.votes, number - 1)
        drops = f"; votes of {', '.join(dropped)} on {before} are gone" if dropped else ""
        committee = f" for committee {step.arguments['committee']}" if "committee" in step.arguments else ""
        yield from self.note(number, step.node, f"starts {batch}{committee}{own}{drops}")

    def skipped(self, number: int, step: TraceStep) -> Iterator[Event]:
        if not self.story.system.scope.late_answers:
            yield from self.status_read(number, step)
        yield from self.note(number, step.node, "there is no committee for this batch: it wants a later number")

    def certificate_found(self, number: int, step: TraceStep) -> Iterator[Event]:
        batch = self.story.vote(self.node(step.node).attestation.batch, number - 1)
        return self.note(number, step.node, f"has the certificate of {batch}")

    def certificate_inserted(self, number: int, step: TraceStep) -> Iterator[Event]:
        batch = self.story.vote(self.node(step.node).attestation.batch, number - 1)
        return self.note(number, step.node, f"stores the certificate of {batch}")

    # Gossip

    def exchanged(self, number: int, step: TraceStep) -> Iterator[Event]:
        """A call from beginning to end: what is told, and what comes back if it is asked for."""
        peer = str(step.arguments["to"])
        link, caller = self.link(step.node, peer), self.node(step.node).attestation
        asks = bool(self.story.value(link.is_behind(caller), number - 1))
        told = self.votes(link.told, number)
        if not asks:
            told = [name for name in told if name not in self.votes(link.told, number - 1)]
        batch = self.story.vote(caller.batch, number - 1)
        yield self.arrival(number, (step.node, peer), self.message(told, batch, asks), told, CALL)
        if asks:
            back = self.gained(step.node, number)
            text = (
                f"answer: votes of {', '.join(back)} on {batch}"
                if back
                else f"answer: no votes; {self.stands_at(peer, number)}"
            )
            yield Event(number, Form.ANSWER, peer, step.node, text)

    def no_votes(self, node: str, batch: str | None, number: int) -> str:
        """An answer without votes, and why."""
        is_there = self.story.vote(self.node(node).attestation.batch, number) == batch
        return "answer: no other votes" if is_there else f"answer: no votes; {self.stands_at(node, number)}"

    def message(self, votes: Sequence[str], batch: str | None, asks: bool) -> str:
        """What a call says."""
        pushed = f"votes of {', '.join(votes)} on {batch}" if votes else f"is at {batch}"
        return pushed + ", asks for votes" * asks

    def arrival(self, number: int, ends: tuple[str, str], text: str, carried: Sequence[str], line: str) -> Event:
        """A message that arrives: crossed out if it has votes of which none is taken."""
        _, receiver = ends
        if carried and not self.gained(receiver, number):
            before = self.story.vote(self.node(receiver).attestation.batch, number - 1)
            held = self.votes(self.node(receiver).attestation.votes, number - 1)
            has_all = before is not None and set(carried) <= set(held)
            why = f"{receiver} has them" if has_all else self.stands_at(receiver, number - 1)
            form = Form.DIRECT if self.is_in_one(line) else Form.RECEIVE
            return Event(number, form if has_all else Form.SKIP, *ends, f"{text}; ignored: {why}", line)
        return Event(number, Form.DIRECT if self.is_in_one(line) else Form.RECEIVE, *ends, text, line)

    def is_in_one(self, line: str) -> bool:
        """Whether a call arrives in the step in which it leaves."""
        return line == CALL and not self.story.system.scope.call_steps

    def called(self, number: int, step: TraceStep) -> Iterator[Event]:
        peer = str(step.arguments["to"])
        link = self.link(step.node, peer)
        carried, asks = self.votes(link.carried, number), bool(self.story.value(link.asks, number))
        text = self.message(carried, self.story.vote(link.batch, number), asks)
        yield Event(number, Form.SEND, step.node, peer, text, CALL)

    def call_received(self, number: int, step: TraceStep) -> Iterator[Event]:
        caller = str(step.arguments["from"])
        link = self.link(caller, step.node)
        carried = self.votes(link.carried, number - 1)
        text = self.message(
            carried, self.story.vote(link.batch, number - 1), bool(self.story.value(link.asks, number - 1))
        )
        yield self.cut(number, step, self.arrival(number, (caller, step.node), text, carried, CALL))

    def answered(self, number: int, step: TraceStep) -> Iterator[Event]:
        caller = str(step.arguments["from"])
        link = self.link(caller, step.node)
        carried = self.votes(link.carried, number)
        if not self.story.value(link.asks, number):
            text = "answer: none was asked for"
        else:
            batch = self.story.vote(link.batch, number)
            text = self.answer_text(carried, link, number) or self.no_votes(step.node, batch, number)
        yield Event(number, Form.SEND, step.node, caller, text, ANSWER)

    def answer_text(self, carried: Sequence[str], link: Link, number: int) -> str:
        return f"answer: votes of {', '.join(carried)} on {self.story.vote(link.batch, number)}" if carried else ""

    def answer_received(self, number: int, step: TraceStep) -> Iterator[Event]:
        peer = str(step.arguments["from"])
        link = self.link(step.node, peer)
        carried = self.votes(link.carried, number - 1)
        text = self.answer_text(carried, link, number - 1) or "answer: no votes"
        yield self.cut(number, step, self.arrival(number, (peer, step.node), text, carried, ANSWER))

    def cut(self, number: int, step: TraceStep, event: Event) -> Event:
        """The event of a list that an error ends, where it does."""
        if "before_error" not in step.arguments:
            return event
        before = ", ".join(step.arguments["before_error"])  # type: ignore[arg-type] # one letter for each attester
        text = f"{event.text}; a vote is an error and ends the list{f' after {before}' if before else ''}"
        return Event(number, Form.SKIP, event.source, event.target, text, event.line)

    def message_refused(self, number: int, step: TraceStep) -> Iterator[Event]:
        peer = str(step.arguments["to"])
        yield Event(
            number, Form.NOTE, step.node, peer, "a message is too large: the connection closes and is made again"
        )
        yield from self.losses_between(number, step.node, peer)

    def forged(self, number: int, step: TraceStep) -> Iterator[Event]:
        target = str(step.arguments["at"])
        batch = self.story.vote(self.node(target).attestation.batch, number)
        yield Event(number, Form.DIRECT, step.node, target, f"vote of {step.node} on {batch}")

    def handed_on(self, number: int, step: TraceStep) -> Iterator[Event]:
        batch = self.story.vote(self.node(step.node).attestation.batch, number)
        signer = step.arguments["signer"]
        return self.note(number, step.node, f"gets the vote of {signer} on {batch} from somebody who kept it")

    # Faults

    def failed(self, number: int, step: TraceStep) -> Iterator[Event]:
        """An error in a task, and what it ends."""
        if self.system.revision.error_ends_task_only:
            end = "its attestation task ends"
        elif step.node == MAIN:
            end = "its consensus ends, and nobody restarts it"
        else:
            end = "its process ends, and is restarted"
        yield from self.note(number, step.node, f"{ERRORS[step.action]}, an error: {end}")
        if not self.system.revision.error_ends_task_only:
            yield from self.losses_at(number, step.node)

    def restarted(self, number: int, step: TraceStep) -> Iterator[Event]:
        text = RESTARTS[step.action]
        if "first" in step.arguments:
            text = f"reverts the batches from {step.arguments['first']} on, and restarts on a new fork"
        yield from self.note(number, step.node, text)
        yield from self.losses_at(number, step.node)

    def reconnected(self, number: int, step: TraceStep) -> Iterator[Event]:
        other = str(step.arguments["to"])
        yield Event(number, Form.NOTE, step.node, other, "the connection breaks and is made again")
        yield from self.losses_between(number, step.node, other)

    def losses_at(self, number: int, node: str) -> Iterator[Event]:
        place = self.topology.position(node)
        return self.losses(number, [ends for ends in self.topology.links if place in ends])

    def losses_between(self, number: int, one: str, other: str) -> Iterator[Event]:
        """The calls that are lost with a connection."""
        ends = {self.topology.position(one), self.topology.position(other)}
        return self.losses(number, [link for link in self.topology.links if set(link) == ends])

    def losses(self, number: int, links: Sequence[tuple[int, int]]) -> Iterator[Event]:
        for ends in links:
            caller, peer = (self.topology.places[end].name for end in ends)
            if self.story.value(self.link(caller, peer).phase, number - 1) != IDLE:
                yield Event(number, Form.LOSS, caller, peer, "the call is lost", CALL)


def tell(story: Story, number: int, step: TraceStep) -> Iterator[Event]:
    """The events of one step. `number` counts from 1."""
    return Teller(story).tell(number, step)


def why_asked(story: Story, number: int) -> str:
    """Why the main node asks for the batch that it asks for, after so many steps."""
    last = story.value(story.system.main.store.certified.largest, number)
    if last != NONE:
        return f"the one after batch {last}, the last with a certificate"
    if story.value(story.system.next_batch_to_attest, number) > story.value(story.system.state.first_batch, number):
        return "no certificate is stored, so batch 1: batch 0 is never attested"
    return "no certificate is stored, so the first batch"


WAYS: dict[str, Callable[[Teller, int, TraceStep], Iterator[Event]]] = {
    transition.name: way
    for transition, way in (
        (seal_batch, Teller.sealed),
        (provide_hash, Teller.hash_provided),
        (prune, Teller.pruned),
        (diverge, Teller.diverged),
        (execute_again, Teller.executed_again),
        (restore_database, Teller.restored),
        (read_status, Teller.status_read),
        (read_old_status, Teller.old_status_read),
        (start_attestation, Teller.started),
        (skip_batch, Teller.skipped),
        (find_certificate, Teller.certificate_found),
        (insert_certificate, Teller.certificate_inserted),
        (exchange_votes, Teller.exchanged),
        (call_peer, Teller.called),
        (receive_call, Teller.call_received),
        (answer_call, Teller.answered),
        (receive_answer, Teller.answer_received),
        (refuse_message, Teller.message_refused),
        (forge_vote, Teller.forged),
        (hand_on_vote, Teller.handed_on),
        *(
            (each, Teller.failed)
            for each in (fail_to_start, fail_to_certify, fail_once, refuse_genesis, read_old_genesis)
        ),
        (restart_node, Teller.restarted),
        (regenesis, Teller.restarted),
        *(
            (each, Teller.restarted)
            for each in (restart_on_new_genesis, restart_without_registry, restart_with_registry)
        ),
        (reconnect, Teller.reconnected),
    )
}
"""How each transition is told. One that is not here is told by its name."""
