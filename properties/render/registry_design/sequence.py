"""The steps of the vote-registry design as events of a sequence diagram."""

from __future__ import annotations

from collections.abc import Iterator

from model.registry_design import network, node
from model.registry_design.system import RegistryDesign
from model.revisions import LAST_SEALED
from model.topology import MAIN
from model.votes import NONE, Vote
from properties.engines.handlers import handles
from properties.render import sequence
from properties.render.sequence import Event, Form
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

    @property
    def system(self) -> RegistryDesign:
        """The model."""
        return self.story.of(RegistryDesign)

    @property
    def here(self) -> node.Node:
        """The node that takes the step."""
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

    @handles(network.seal_batch)
    def sealed(self) -> Iterator[Event]:
        return self.note(f"seals batch {self.before(self.system.state.sealed)}")

    @handles(network.produce_first_block)
    def first_block_produced(self) -> Iterator[Event]:
        return self.note("produces the genesis' first block")

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

    @handles(network.replicate)
    def replica_caught_up(self) -> Iterator[Event]:
        return self.note("the replica behind the API catches up")

    @handles(node.set_min_batch_number)
    def minimum_set(self) -> Iterator[Event]:
        registry = self.here.registry
        votes = zip(self.topology.attesters, registry.votes, strict=True)
        dropped = [name for name, vote in votes if self.after(vote.number) == NONE != self.before(vote.number)]
        drops = f", drops votes of {', '.join(dropped)}" if dropped else ""
        return self.note(f"finder: minimum {self.after(registry.min_batch_number)}{drops}, waits for a quorum")

    @handles(node.find_quorum)
    def quorum_found(self) -> Iterator[Event]:
        return self.note(f"finder: quorum for {self.vote(self.here.registry.find_quorum(self.system.electorate).vote)}")

    @handles(node.store_qc)
    def certificate_queued(self) -> Iterator[Event]:
        return self.note(f"finder: hands in the certificate of {self.vote(self.here.finder.quorum)}")

    @handles(node.insert_qc)
    def certificate_inserted(self) -> Iterator[Event]:
        return self.note(f"database: inserts the certificate of {self.vote(self.here.store.queue.head)}")

    def vote(self, vote: Vote) -> str | None:
        """A vote or certificate before the step, in words."""
        return self.story.vote(vote, self.number - 1)

    @handles(node.read_status)
    def read_by_finder(self) -> Iterator[Event]:
        return self.note(f"finder: reads status {self.before(self.here.status.next_batch_to_attest)}")

    @handles(node.read_status_to_attest)
    def read_by_attester(self) -> Iterator[Event]:
        return self.note(f"attester: reads status {self.before(self.here.status.next_batch_to_attest)}")

    @property
    def published_number(self) -> int:
        """What an attester votes on: the number that it has read, or reads in the same step."""
        read = self.before(self.here.attester.number)
        return read if read != NONE else self.before(self.here.status.next_batch_to_attest)

    @handles(node.publish_vote)
    def published(self) -> Iterator[Event]:
        """A vote, which the attester's own registry may skip."""
        here = self.step.node
        if any(name.startswith(f"{here}.registry.") for name in self.step.changes):
            return self.note(f"votes for batch {self.published_number}")
        return self.event(Form.SKIP, here, here, f"own registry skips its vote for batch {self.published_number}")

    @handles(network.persist_batch)
    def persisted(self) -> Iterator[Event]:
        return self.note(f"has batch {self.before(self.here.store.persisted)}")

    @handles(network.provide_commitment)
    def commitment_provided(self) -> Iterator[Event]:
        return self.note(f"can sign batch {self.step.arguments['number']}")

    @handles(network.forge_vote)
    def forged(self) -> Iterator[Event]:
        """A vote of the attester's own making."""
        target, signer = self.other("at"), self.step.node
        return self.event(Form.DIRECT, signer, target, f"vote of {signer}: {self.handed_vote(target, signer)}")

    @handles(network.replay_vote)
    def replayed(self) -> Iterator[Event]:
        """An old vote; who passes it on has no part in the model."""
        signer = self.other("signer")
        return self.note(f"gets an old vote of {signer} from somebody: {self.handed_vote(self.step.node, signer)}")

    @handles(network.hand_on_vote)
    def handed_on(self) -> Iterator[Event]:
        """A vote that somebody has kept."""
        signer = self.other("signer")
        text = self.handed_vote(self.step.node, signer)
        return self.note(f"gets a vote of {signer} from somebody who kept it: {text}")

    def handed_vote(self, target: str, signer: str) -> str | None:
        """The signer's vote in the target's registry after the step, which put it there without a message."""
        registry = self.system.state.nodes[self.topology.position(target)].registry
        return self.story.vote(registry.votes[self.topology.attesters.index(signer)], self.number)

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

    @handles(network.prune)
    def pruned(self) -> Iterator[Event]:
        return self.note(f"batch {self.after(self.here.store.pruned)} is pruned, with its certificate")

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
