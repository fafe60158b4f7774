"""The steps of the vote-registry design as events of a sequence diagram."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from model.registry_design import network, node
from model.registry_design.system import RegistryDesign
from model.revisions import LAST_SEALED
from model.topology import MAIN
from model.votes import NONE, Vote
from properties.engines.handlers import handles
from properties.render import sequence
from properties.render.sequence import Event, Form, Notes
from properties.render.story import Story

RESTARTS = {
    network.restart_node.name: "restarts",
    network.stop_on_mismatch.name: "finds a certificate over another hash than the batch has, an error",
    network.refuse_status.name: "is told a smaller number than before, an error",
    network.restart_on_new_genesis.name: "learns of the new fork, an error",
    network.refuse_old_genesis.name: "is told of the former fork by a replica that lags, an error",
    network.fail_once.name: "meets an error, such as a failed call to its database",
    network.regenesis.name: "reverts batches and restarts on a new fork",
}
"""Why a node starts anew, or stops."""

ERRORS = {transition.name for transition in network.ERRORS}


class Teller(sequence.Teller):
    """Tells one step of a run."""

    notes: ClassVar[Notes] = {
        network.seal_batch: lambda at: f"seals batch {at.before(at.system.state.sealed)}",
        network.produce_first_block: lambda at: "produces the genesis' first block",
        network.replicate: lambda at: "the replica behind the API catches up",
        network.persist_batch: lambda at: f"has batch {at.before(at.here.store.persisted)}",
        network.provide_commitment: lambda at: f"can sign batch {at.step.arguments['number']}",
        network.prune: lambda at: f"batch {at.after(at.here.store.pruned)} is pruned, with its certificate",
        network.replay_vote: lambda at: f"gets an old vote of {at.other('signer')} from somebody: {at.kept}",
        network.hand_on_vote: lambda at: f"gets a vote of {at.other('signer')} from somebody who kept it: {at.kept}",
        node.read_status: lambda at: f"finder: reads status {at.status}",
        node.read_status_to_attest: lambda at: f"attester: reads status {at.status}",
        node.find_quorum: lambda at: (
            f"finder: quorum for {at.vote(at.here.registry.find_quorum(at.system.electorate).vote)}"
        ),
        node.store_qc: lambda at: f"finder: hands in the certificate of {at.vote(at.here.finder.quorum)}",
        node.insert_qc: lambda at: f"database: inserts the certificate of {at.vote(at.here.store.queue.head)}",
    }

    @property
    def system(self) -> RegistryDesign:
        return self.story.of(RegistryDesign)

    @property
    def here(self) -> node.Node:
        return self.system.state.nodes[self.topology.position(self.step.node)]

    def why_at_first(self) -> str:
        state, revision = self.system.state, self.system.revision
        asked, sealed, first = map(self.before, (self.system.next_batch_to_attest, state.sealed, state.first_batch))
        if revision.asks_for_first_block and sealed == first:
            return "no certificate is stored, so the first batch, which is still open"
        if sealed == 0:
            return "there is no certificate, and no batch yet"
        if revision.remembers_start:
            return "no certificate is stored, so the stored start"
        if revision.start == LAST_SEALED:
            return "no certificate is stored, so the last sealed batch"
        return f"no certificate is stored, so the {'first batch' if asked == first else 'batch after the pruned one'}"

    @handles(node.poll_status)
    def polled(self) -> Iterator[Event]:
        """The answer to a poll: kept for later, or stored at once."""
        late, here = self.system.scope.polls_late(self.step.node == MAIN), self.here
        batch = self.after(here.runner.polled if late else here.status.next_batch_to_attest)
        return self.answered(str(batch), "reads" if late else "status:")

    @handles(node.update_status)
    def updated(self) -> Iterator[Event]:
        if not self.system.scope.polls_late(self.step.node == MAIN):
            return self.polled()
        return self.note(f"status: next batch is {self.after(self.here.status.next_batch_to_attest)}")

    @handles(network.read_old_status)
    def answered_by_replica(self) -> Iterator[Event]:
        text = f"next batch is {self.after(self.here.runner.polled)}, says a replica that lags"
        return self.event(Form.ANSWER, MAIN, self.step.node, text)

    @handles(node.set_min_batch_number)
    def minimum_set(self) -> Iterator[Event]:
        registry = self.here.registry
        votes = zip(self.topology.attesters, registry.votes, strict=True)
        dropped = [name for name, vote in votes if self.after(vote.number) == NONE != self.before(vote.number)]
        drops = f", drops votes of {', '.join(dropped)}" if dropped else ""
        return self.note(f"finder: minimum {self.after(registry.min_batch_number)}{drops}, waits for a quorum")

    def vote(self, vote: Vote) -> str | None:
        """A vote or certificate before the step, in words."""
        return self.story.vote(vote, self.number - 1)

    @property
    def status(self) -> int:
        """The number in the node's watch before the step."""
        return self.before(self.here.status.next_batch_to_attest)

    @property
    def published_number(self) -> int:
        """What an attester votes on: the number that it has read, or reads in the same step."""
        read = self.before(self.here.attester.number)
        return read if read != NONE else self.status

    @handles(node.publish_vote)
    def published(self) -> Iterator[Event]:
        """A vote, which the attester's own registry may skip."""
        here = self.step.node
        if any(name.startswith(f"{here}.registry.") for name in self.step.changes):
            return self.note(f"votes for batch {self.published_number}")
        return self.event(Form.SKIP, here, here, f"own registry skips its vote for batch {self.published_number}")

    @handles(network.forge_vote)
    def forged(self) -> Iterator[Event]:
        """A vote of the attester's own making."""
        target, signer = self.other("at"), self.step.node
        return self.event(Form.DIRECT, signer, target, f"vote of {signer}: {self.handed_vote(target, signer)}")

    def handed_vote(self, target: str, signer: str) -> str | None:
        """The signer's vote in the target's registry after the step, which put it there without a message."""
        registry = self.system.state.nodes[self.topology.position(target)].registry
        return self.story.vote(registry.votes[self.topology.attesters.index(signer)], self.number)

    @property
    def kept(self) -> str | None:
        """A vote of the signer, which comes to this node in the step from somebody who has no part in the model."""
        return self.handed_vote(self.step.node, self.other("signer"))

    @handles(network.push_votes, network.push_bad_vote)
    def pushed(self) -> Iterator[Event]:
        receiver = self.other("to")
        texts = [text for _, _, text in message(self.story, self.step.node, receiver, self.number)]
        texts += ["and a bad vote"] * (self.step.action == network.push_bad_vote.name)
        return self.event(Form.SEND, self.step.node, receiver, ", ".join(texts))

    @handles(network.receive_votes)
    def received(self) -> Iterator[Event]:
        sender, registry = self.other("from"), self.here.registry
        for key, vote, text in message(self.story, sender, self.step.node, self.number - 1):
            if self.before(registry.admits(key, vote)):
                yield from self.event(Form.RECEIVE, sender, self.step.node, text)
                continue
            is_below = self.before(registry.is_below_minimum(vote))
            why = f"below minimum {self.before(registry.min_batch_number)}" if is_below else "not newer"
            yield from self.event(Form.SKIP, sender, self.step.node, f"{text}, skipped: {why}")

    @handles(network.refuse_votes)
    def refused(self) -> Iterator[Event]:
        """A message with an error: all of it is lost, and what else is in flight on the connection."""
        return self.broken(
            self.other("from"), self.step.node, "a vote is an error: the connection is closed and made again"
        )

    @handles(network.reconnect)
    def reconnected(self) -> Iterator[Event]:
        return self.broken(self.step.node, self.other("to"), "the connection breaks and is made again")

    @handles(*network.RESTARTS)
    def restarted(self) -> Iterator[Event]:
        """A restart, for whatever reason, or the end of a node's consensus; and what it loses."""
        text = RESTARTS[self.step.action]
        if self.step.action in ERRORS:
            text += ": it restarts" if self.here.is_supervised else ": its consensus ends"
        yield from self.note(text)
        yield from self.losses()

    def lost(self, sender: str, receiver: str) -> Iterator[Event]:
        for _, _, text in message(self.story, sender, receiver, self.number - 1):
            yield from self.event(Form.LOSS, sender, receiver, f"{text}, lost")


def message(story: Story, sender: str, receiver: str, number: int) -> Iterator[tuple[int, Vote, str]]:
    """The votes in flight on a link after so many steps: the attester, the vote, and the vote in words."""
    system, topology = story.of(RegistryDesign), story.system.topology
    link = topology.links.index((topology.position(sender), topology.position(receiver)))
    for key, vote in enumerate(system.state.links[link].in_flight):
        text = story.vote(vote, number)
        if text is not None:
            yield key, vote, f"vote of {topology.attesters[key]}: {text}"
