"""The steps of the attestation-controller design as events of a sequence diagram."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

from model.algebra import Bool
from model.controller_design import network, node
from model.controller_design.attestation import Attestation
from model.controller_design.gossip import IDLE, Link
from model.controller_design.system import ControllerDesign
from model.topology import MAIN
from properties.engines.handlers import handles
from properties.render import sequence
from properties.render.sequence import Event, Form, Notes

CALL, ANSWER = "call", "answer"
"""What travels between two nodes at the same time, on two lines."""

ERRORS = {
    network.fail_to_start.name: "the batch cannot be started",
    network.fail_to_certify.name: "the certificate cannot be stored",
    network.fail_once.name: "a call of its task fails",
    network.refuse_genesis.name: "reads a status of the new fork",
    network.read_old_genesis.name: "reads an old status, of the former fork",
}
"""The errors of a task."""

RESTARTS = {
    network.restart_node.name: "restarts",
    network.restart_on_new_genesis.name: "learns of the new fork and restarts on it",
    network.restart_without_registry.name: "restarts with the fallback, which knows of no registry of attesters",
    network.restart_with_registry.name: "learns of the registry of attesters and restarts",
}
"""Why a node starts anew."""


class Teller(sequence.Teller):
    """Tells one step of a run."""

    notes: ClassVar[Notes] = {
        network.seal_batch: lambda at: f"seals batch {at.before(at.system.state.sealed)}",
        network.provide_hash: lambda at: f"has batch {at.before(at.here.store.persisted)} and its hash",
        network.prune: lambda at: f"batch {at.after(at.here.store.pruned)} is pruned, with its certificate",
        network.diverge: lambda at: f"will execute batch {at.after(at.here.diverged)} otherwise than the main node",
        network.execute_again: lambda at: (
            f"executes batch {at.before(at.here.diverged)} again, and has the main node's hash"
        ),
        network.restore_database: lambda at: (
            f"the certificates from batch {at.step.arguments['kept']} on are gone from its database"
        ),
        network.hand_on_vote: lambda at: (
            f"gets the vote of {at.other('signer')} on {at.attested} from somebody who kept it"
        ),
        node.find_certificate: lambda at: f"has the certificate of {at.attested}",
        node.insert_certificate: lambda at: f"stores the certificate of {at.attested}",
    }

    @property
    def system(self) -> ControllerDesign:
        return self.story.of(ControllerDesign)

    @property
    def here(self) -> node.Node:
        return self.system.state.nodes[self.topology.position(self.step.node)]

    def attestation(self, name: str) -> Attestation:
        return self.system.state.nodes[self.topology.position(name)].attestation

    def link(self, caller: str, peer: str) -> Link:
        """The link on which the one calls the other."""
        ends = (self.topology.position(caller), self.topology.position(peer))
        return self.system.state.links[self.topology.links.index(ends)]

    def votes(self, flags: Sequence[Bool], number: int) -> list[str]:
        """The attesters whose flags are set after so many steps."""
        named = zip(self.topology.attesters, flags, strict=True)
        return [name for name, flag in named if self.story.value(flag, number)]

    def gained(self, name: str) -> list[str]:
        """The attesters whose votes a node has had since this step."""
        held = self.attestation(name).votes
        before = self.votes(held, self.number - 1)
        return [each for each in self.votes(held, self.number) if each not in before]

    def batch(self, holder: Attestation | Link, number: int) -> str | None:
        """The batch that a controller attests, or that a link tells of, after so many steps."""
        return self.story.vote(holder.batch, number)

    def stands_at(self, name: str, number: int) -> str:
        """What a node attests after so many steps."""
        batch = self.batch(self.attestation(name), number)
        return f"{name} is at {batch}" if batch else f"{name} has started no batch"

    @property
    def attested(self) -> str | None:
        """The batch that the node which takes the step attests before it."""
        return self.batch(self.here.attestation, self.number - 1)

    def why_at_first(self) -> str:
        if self.before(self.system.next_batch_to_attest) > self.before(self.system.state.first_batch):
            return "no certificate is stored, so batch 1: batch 0 is never attested"
        return "no certificate is stored, so the first batch"

    # The store

    # The task

    @handles(node.read_status)
    def status_read(self) -> Iterator[Event]:
        return self.answered(str(self.before(self.system.next_batch_to_attest)), "reads:")

    @handles(network.read_old_status)
    def old_status_read(self) -> Iterator[Event]:
        text = f"next batch is {self.step.arguments['answer']} (from a copy of the database that lags)"
        return self.event(Form.ANSWER, MAIN, self.step.node, text)

    @handles(node.start_attestation)
    def started(self) -> Iterator[Event]:
        """A start, and in a scope without late answers the status that it acts on."""
        if not self.system.scope.late_answers:
            yield from self.status_read()
        attestation = self.here.attestation
        before, batch = (self.batch(attestation, each) for each in (self.number - 1, self.number))
        if batch == before:
            yield from self.note(f"has started {batch} already: nothing changes")
            return
        own = ", with its own vote" * (self.step.node in self.votes(attestation.votes, self.number))
        dropped = self.votes(attestation.votes, self.number - 1)
        drops = f"; votes of {', '.join(dropped)} on {before} are gone" if dropped else ""
        named = "committee" in self.step.arguments
        committee = f" for committee {self.step.arguments['committee']}" if named else ""
        yield from self.note(f"starts {batch}{committee}{own}{drops}")

    @handles(node.skip_batch)
    def skipped(self) -> Iterator[Event]:
        if not self.system.scope.late_answers:
            yield from self.status_read()
        yield from self.note("there is no committee for this batch: it wants a later number")

    # Gossip

    @handles(network.exchange_votes)
    def exchanged(self) -> Iterator[Event]:
        """A call from beginning to end: what is told, and what comes back if it is asked for."""
        caller, peer = self.step.node, self.other("to")
        link, here = self.link(caller, peer), self.attestation(caller)
        asks, told = bool(self.before(link.is_behind(here))), self.votes(link.told, self.number)
        if not asks:
            told = [name for name in told if name not in self.votes(link.told, self.number - 1)]
        batch = self.batch(here, self.number - 1)
        yield from self.arrival(caller, peer, pushed(told, batch, asks), told, CALL)
        if asks:
            back = self.gained(caller)
            text = (
                f"votes of {', '.join(back)} on {batch}" if back else f"no votes; {self.stands_at(peer, self.number)}"
            )
            yield from self.event(Form.ANSWER, peer, caller, f"answer: {text}")

    def arrival(self, sender: str, receiver: str, text: str, carried: Sequence[str], line: str) -> Iterator[Event]:
        """A message that arrives: crossed out if it has votes of which none is taken. A call may arrive in the step in
        which it leaves."""
        is_in_one = line == CALL and not self.system.scope.call_steps
        form = Form.DIRECT if is_in_one else Form.RECEIVE
        if carried and not self.gained(receiver):
            here = self.attestation(receiver)
            held = self.votes(here.votes, self.number - 1)
            has_all = self.batch(here, self.number - 1) is not None and set(carried) <= set(held)
            why = f"{receiver} has them" if has_all else self.stands_at(receiver, self.number - 1)
            form, text = form if has_all else Form.SKIP, f"{text}; ignored: {why}"
        if "before_error" in self.step.arguments:
            before = ", ".join(self.other("before_error"))  # one letter for each attester
            form = Form.SKIP
            text += f"; a vote is an error and ends the list{f' after {before}' if before else ''}"
        return self.event(form, sender, receiver, text, line)

    @handles(network.call_peer)
    def called(self) -> Iterator[Event]:
        peer = self.other("to")
        text, _ = self.call(self.link(self.step.node, peer), self.number)
        return self.event(Form.SEND, self.step.node, peer, text, CALL)

    @handles(network.receive_call)
    def call_received(self) -> Iterator[Event]:
        caller = self.other("from")
        text, carried = self.call(self.link(caller, self.step.node), self.number - 1)
        return self.arrival(caller, self.step.node, text, carried, CALL)

    def call(self, link: Link, number: int) -> tuple[str, list[str]]:
        """What a call says, and whose votes it carries, after so many steps."""
        carried, asks = self.votes(link.carried, number), bool(self.story.value(link.asks, number))
        return pushed(carried, self.batch(link, number), asks), carried

    @handles(network.answer_call)
    def call_answered(self) -> Iterator[Event]:
        caller = self.other("from")
        link = self.link(caller, self.step.node)
        text, carried = self.answer(link, self.number)
        if not self.after(link.asks):
            text = "answer: none was asked for"
        elif not carried:
            is_there = self.batch(self.here.attestation, self.number) == self.batch(link, self.number)
            text = "answer: no other votes" if is_there else f"{text}; {self.stands_at(self.step.node, self.number)}"
        return self.event(Form.SEND, self.step.node, caller, text, ANSWER)

    @handles(network.receive_answer)
    def answer_received(self) -> Iterator[Event]:
        peer = self.other("from")
        text, carried = self.answer(self.link(self.step.node, peer), self.number - 1)
        return self.arrival(peer, self.step.node, text, carried, ANSWER)

    def answer(self, link: Link, number: int) -> tuple[str, list[str]]:
        """What an answer says, and whose votes it carries, after so many steps."""
        carried = self.votes(link.carried, number)
        votes = f"votes of {', '.join(carried)} on {self.batch(link, number)}" if carried else "no votes"
        return f"answer: {votes}", carried

    @handles(network.refuse_message)
    def message_refused(self) -> Iterator[Event]:
        text = "a message is too large: the connection closes and is made again"
        return self.broken(self.step.node, self.other("to"), text)

    @handles(network.forge_vote)
    def forged(self) -> Iterator[Event]:
        target = self.other("at")
        text = f"vote of {self.step.node} on {self.batch(self.attestation(target), self.number)}"
        return self.event(Form.DIRECT, self.step.node, target, text)

    # Faults

    @handles(
        network.fail_to_start,
        network.fail_to_certify,
        network.fail_once,
        network.refuse_genesis,
        network.read_old_genesis,
    )
    def failed(self) -> Iterator[Event]:
        """An error in a task, and what it ends."""
        ends_task_only = self.system.revision.error_ends_task_only
        if ends_task_only:
            end = "its attestation task ends"
        elif self.step.node == MAIN:
            end = "its consensus ends, and nobody restarts it"
        else:
            end = "its process ends, and is restarted"
        yield from self.note(f"{ERRORS[self.step.action]}, an error: {end}")
        if not ends_task_only:
            yield from self.losses()

    @handles(
        network.restart_node,
        network.restart_on_new_genesis,
        network.restart_without_registry,
        network.restart_with_registry,
    )
    def restarted(self) -> Iterator[Event]:
        yield from self.note(RESTARTS[self.step.action])
        yield from self.losses()

    @handles(network.regenesis)
    def reverted(self) -> Iterator[Event]:
        first = self.step.arguments["first"]
        yield from self.note(f"reverts the batches from {first} on, and restarts on a new fork")
        yield from self.losses()

    @handles(network.reconnect)
    def reconnected(self) -> Iterator[Event]:
        return self.broken(self.step.node, self.other("to"), "the connection breaks and is made again")

    def lost(self, sender: str, receiver: str) -> Iterator[Event]:
        if self.before(self.link(sender, receiver).phase) != IDLE:
            yield from self.event(Form.LOSS, sender, receiver, "the call is lost", CALL)


def pushed(votes: Sequence[str], batch: str | None, asks: bool) -> str:
    told = f"votes of {', '.join(votes)} on {batch}" if votes else f"is at {batch}"
    return told + ", asks for votes" * asks
