"""The steps of the vote-registry design as events of a sequence diagram."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from model.registry_design.network import (
    ERRORS,
    fail_once,
    forge_vote,
    hand_on_vote,
    persist_batch,
    produce_first_block,
    provide_commitment,
    prune,
    push_bad_vote,
    push_votes,
    read_old_status,
    receive_votes,
    reconnect,
    refuse_old_genesis,
    refuse_status,
    refuse_votes,
    regenesis,
    replay_vote,
    replicate,
    restart_node,
    restart_on_new_genesis,
    seal_batch,
    stop_on_mismatch,
)
from model.registry_design.node import (
    Node,
    find_quorum,
    insert_qc,
    poll_status,
    publish_vote,
    read_status,
    read_status_to_attest,
    set_min_batch_number,
    store_qc,
    update_status,
)
from model.revisions import LAST_SEALED
from model.topology import MAIN
from model.votes import NONE, Vote
from properties.render.sequence import Event, Form
from properties.render.story import Story
from properties.results.trace import TraceStep


class Teller:
    """Tells the steps of a trace as events, each transition in its own way."""

    def __init__(self, story: Story) -> None:
        self.story = story
        self.topology = story.system.topology

    def tell(self, number: int, step: TraceStep) -> Iterator[Event]:
        """The events of one step. `number` counts from 1."""
        way = WAYS.get(step.action)
        return way(self, number, step) if way else self.note(number, step.node, step.call)

    def node(self, step: TraceStep) -> Node:
        """The node that takes a step."""
        return self.story.registry_design.state.nodes[self.topology.position(step.node)]

    def note(self, number: int, node: str, text: str) -> Iterator[Event]:
        """What a node does by itself."""
        yield Event(number, Form.NOTE, node, node, text)

    def sealed(self, number: int, step: TraceStep) -> Iterator[Event]:
        batch = self.story.value(self.story.registry_design.state.sealed, number - 1)
        return self.note(number, step.node, f"seals batch {batch}")

    def first_block_produced(self, number: int, step: TraceStep) -> Iterator[Event]:
        return self.note(number, step.node, "produces the genesis' first block")

    def answered(self, number: int, step: TraceStep) -> Iterator[Event]:
        """The answer to a poll: kept for later, or stored at once. Where it is news, it says why."""
        late = self.story.system.scope.polls_late(step.node == MAIN)
        node = self.node(step)
        batch = self.story.value(node.runner.polled if late else node.status.next_batch_to_attest, number)
        because = self.reason(number, step)
        if step.node == MAIN:
            return self.note(number, MAIN, f"{'reads' if late else 'status:'} next batch is {batch}{because}")
        return iter([Event(number, Form.ANSWER, MAIN, step.node, f"next batch is {batch}{because}")])

    def reason(self, number: int, step: TraceStep) -> str:
        """Why the database answers what it does; nothing where it has given this answer for this reason before."""
        now = self.answer(number)
        earlier = enumerate(self.story.trace.steps[: number - 1], 1)
        if any(each.action == step.action and self.answer(before) == now for before, each in earlier):
            return ""
        return f" ({why_asked(self.story, number - 1)})"

    def answer(self, number: int) -> tuple[int, int]:
        """What decides the answer in this step: the number, and the last batch with a certificate."""
        system = self.story.system
        certified = system.main.store.certified.largest
        return self.story.value(system.next_batch_to_attest, number - 1), self.story.value(certified, number - 1)

    def updated(self, number: int, step: TraceStep) -> Iterator[Event]:
        if not self.story.system.scope.polls_late(step.node == MAIN):
            return self.answered(number, step)
        node = self.node(step)
        batch = self.story.value(node.status.next_batch_to_attest, number)
        return self.note(number, step.node, f"status: next batch is {batch}")

    def answered_by_replica(self, number: int, step: TraceStep) -> Iterator[Event]:
        batch = self.story.value(self.node(step).runner.polled, number)
        yield Event(number, Form.ANSWER, MAIN, step.node, f"next batch is {batch}, says a replica that lags")

    def replica_caught_up(self, number: int, step: TraceStep) -> Iterator[Event]:
        return self.note(number, step.node, "the replica behind the API catches up")

    def minimum_set(self, number: int, step: TraceStep) -> Iterator[Event]:
        registry = self.node(step).registry
        minimum = self.story.value(registry.min_batch_number, number)
        votes = zip(self.topology.attesters, registry.votes, strict=True)
        dropped = [
            name
            for name, vote in votes
            if self.story.value(vote.number, number) == NONE != self.story.value(vote.number, number - 1)
        ]
        drops = f", drops votes of {', '.join(dropped)}" if dropped else ""
        return self.note(number, step.node, f"finder: minimum {minimum}{drops}, waits for a quorum")

    def quorum_found(self, number: int, step: TraceStep) -> Iterator[Event]:
        registry = self.node(step).registry
        quorum = registry.find_quorum(self.story.system.electorate)
        return self.note(number, step.node, f"finder: quorum for {self.story.vote(quorum.vote, number - 1)}")

    def certificate_queued(self, number: int, step: TraceStep) -> Iterator[Event]:
        node = self.node(step)
        return self.note(
            number, step.node, f"finder: hands in the certificate of {self.story.vote(node.finder.quorum, number - 1)}"
        )

    def certificate_inserted(self, number: int, step: TraceStep) -> Iterator[Event]:
        queue = self.node(step).store.queue
        return self.note(
            number, step.node, f"database: inserts the certificate of {self.story.vote(queue.head, number - 1)}"
        )

    def status_read(self, number: int, step: TraceStep) -> Iterator[Event]:
        node = self.node(step)
        who = "finder" if step.action == read_status.name else "attester"
        batch = self.story.value(node.status.next_batch_to_attest, number - 1)
        return self.note(number, step.node, f"{who}: reads status {batch}")

    def published_number(self, number: int, step: TraceStep) -> int:
        """What an attester votes on: the number that it has read, or reads in the same step."""
        node = self.node(step)
        read = self.story.value(node.attester.number, number - 1)
        return read if read != NONE else self.story.value(node.status.next_batch_to_attest, number - 1)

    def published(self, number: int, step: TraceStep) -> Iterator[Event]:
        """A vote, which the attester's own registry may skip."""
        batch = self.published_number(number, step)
        if any(name.startswith(f"{step.node}.registry.") for name in step.changes):
            return self.note(number, step.node, f"votes for batch {batch}")
        return iter([Event(number, Form.SKIP, step.node, step.node, f"own registry skips its vote for batch {batch}")])

    def persisted(self, number: int, step: TraceStep) -> Iterator[Event]:
        store = self.node(step).store
        return self.note(number, step.node, f"has batch {self.story.value(store.persisted, number - 1)}")

    def commitment_provided(self, number: int, step: TraceStep) -> Iterator[Event]:
        return self.note(number, step.node, f"can sign batch {step.arguments['number']}")

    def forged(self, number: int, step: TraceStep) -> Iterator[Event]:
        """A vote of the attester's own making."""
        target = str(step.arguments["at"])
        text = f"vote of {step.node}: {self.handed_vote(number, target, step.node)}"
        yield Event(number, Form.DIRECT, step.node, target, text)

    def replayed(self, number: int, step: TraceStep) -> Iterator[Event]:
        """An old vote; who passes it on has no part in the model."""
        signer = str(step.arguments["signer"])
        text = self.handed_vote(number, step.node, signer)
        return self.note(number, step.node, f"gets an old vote of {signer} from somebody: {text}")

    def handed_on(self, number: int, step: TraceStep) -> Iterator[Event]:
        """A vote that somebody has kept."""
        signer = str(step.arguments["signer"])
        text = self.handed_vote(number, step.node, signer)
        return self.note(number, step.node, f"gets a vote of {signer} from somebody who kept it: {text}")

    def handed_vote(self, number: int, target: str, signer: str) -> str | None:
        """The signer's vote in the target's registry after the step, which put it there without a message."""
        registry = self.story.registry_design.state.nodes[self.topology.position(target)].registry
        return self.story.vote(registry.votes[self.topology.attesters.index(signer)], number)

    def message(self, sender: str, receiver: str, number: int) -> Iterator[tuple[int, Vote, str]]:
        """The votes in flight on a link after so many steps: the attester, the vote, and the vote in words."""
        link = self._link(sender, receiver)
        for key, vote in enumerate(self.story.registry_design.state.links[link].in_flight):
            text = self.story.vote(vote, number)
            if text is not None:
                yield key, vote, f"vote of {self.topology.attesters[key]}: {text}"

    def _link(self, sender: str, receiver: str) -> int:
        return self.topology.links.index((self.topology.position(sender), self.topology.position(receiver)))

    def pushed(self, number: int, step: TraceStep) -> Iterator[Event]:
        receiver = str(step.arguments["to"])
        texts = [text for _, _, text in self.message(step.node, receiver, number)]
        texts += ["and a bad vote"] if step.action == push_bad_vote.name else []
        yield Event(number, Form.SEND, step.node, receiver, ", ".join(texts))

    def received(self, number: int, step: TraceStep) -> Iterator[Event]:
        sender = str(step.arguments["from"])
        registry = self.node(step).registry
        for key, vote, text in self.message(sender, step.node, number - 1):
            if self.story.value(registry.admits(key, vote), number - 1):
                yield Event(number, Form.RECEIVE, sender, step.node, text)
                continue
            minimum = self.story.value(registry.min_batch_number, number - 1)
            below = self.story.value(registry.is_below_minimum(vote), number - 1)
            why = f"below minimum {minimum}" if below else "not newer"
            yield Event(number, Form.SKIP, sender, step.node, f"{text}, skipped: {why}")

    def refused(self, number: int, step: TraceStep) -> Iterator[Event]:
        """A message with an error: all of it is lost, and what else is in flight on the connection."""
        sender = str(step.arguments["from"])
        yield Event(number, Form.NOTE, sender, step.node, "a vote is an error: the connection is closed and made again")
        yield from self.losses_between(number, sender, step.node)

    def restarted(self, number: int, step: TraceStep) -> Iterator[Event]:
        """A restart, for whatever reason, or the end of a node's consensus; and what it loses."""
        text, place = RESTARTS[step.action], self.topology.position(step.node)
        if step.action in ERROR_NAMES:
            text += ": it restarts" if self.node(step).is_supervised else ": its consensus ends"
        yield from self.note(number, step.node, text)
        yield from self.losses(number, [ends for ends in self.topology.links if place in ends])

    def pruned(self, number: int, step: TraceStep) -> Iterator[Event]:
        return self.note(number, step.node, "the first batch is pruned, with its certificate")

    def reconnected(self, number: int, step: TraceStep) -> Iterator[Event]:
        other = str(step.arguments["to"])
        yield Event(number, Form.NOTE, step.node, other, "the connection breaks and is made again")
        yield from self.losses_between(number, step.node, other)

    def losses_between(self, number: int, one: str, other: str) -> Iterator[Event]:
        """What was in flight between two nodes."""
        ends = {self.topology.position(one), self.topology.position(other)}
        return self.losses(number, [link for link in self.topology.links if set(link) == ends])

    def losses(self, number: int, links: list[tuple[int, int]]) -> Iterator[Event]:
        """What was in flight on these links."""
        for ends in links:
            sender, receiver = (self.topology.places[end].name for end in ends)
            for _, _, text in self.message(sender, receiver, number - 1):
                yield Event(number, Form.LOSS, sender, receiver, f"{text}, lost")


def tell(story: Story, number: int, step: TraceStep) -> Iterator[Event]:
    """The events of one step. `number` counts from 1."""
    return Teller(story).tell(number, step)


def why_asked(story: Story, number: int) -> str:
    """Why the main node asks for the batch that it asks for, after so many steps."""
    system = story.registry_design
    last = story.value(system.main.store.certified.largest, number)
    if last != NONE:
        return f"the one after batch {last}, the last with a certificate"
    if system.revision.asks_for_first_block and story.value(system.state.sealed == system.state.first_batch, number):
        return "no certificate is stored, so the first batch, which is still open"
    if story.value(system.state.sealed, number) == 0:
        return "there is no certificate, and no batch yet"
    if system.revision.remembers_start:
        return "no certificate is stored, so the stored start"
    if system.revision.start == LAST_SEALED:
        return "no certificate is stored, so the last sealed batch"
    asked, first = (story.value(each, number) for each in (system.next_batch_to_attest, system.state.first_batch))
    return f"no certificate is stored, so the {'first batch' if asked == first else 'batch after the pruned one'}"


RESTARTS = {
    restart_node.name: "restarts",
    stop_on_mismatch.name: "finds a certificate over another hash than the batch has, an error",
    refuse_status.name: "is told a smaller number than before, an error",
    restart_on_new_genesis.name: "learns of the new fork, an error",
    refuse_old_genesis.name: "is told of the former fork by a replica that lags, an error",
    fail_once.name: "meets an error, such as a failed call to its database",
    regenesis.name: "reverts batches and restarts on a new fork",
}
"""Why a node starts anew, or stops."""

ERROR_NAMES = {transition.name for transition in ERRORS}

WAYS: dict[str, Callable[[Teller, int, TraceStep], Iterator[Event]]] = {
    transition.name: way
    for transition, way in (
        (produce_first_block, Teller.first_block_produced),
        (seal_batch, Teller.sealed),
        (poll_status, Teller.answered),
        (update_status, Teller.updated),
        (read_old_status, Teller.answered_by_replica),
        (replicate, Teller.replica_caught_up),
        (read_status, Teller.status_read),
        (set_min_batch_number, Teller.minimum_set),
        (find_quorum, Teller.quorum_found),
        (store_qc, Teller.certificate_queued),
        (insert_qc, Teller.certificate_inserted),
        (read_status_to_attest, Teller.status_read),
        (publish_vote, Teller.published),
        (persist_batch, Teller.persisted),
        (provide_commitment, Teller.commitment_provided),
        (push_votes, Teller.pushed),
        (push_bad_vote, Teller.pushed),
        (receive_votes, Teller.received),
        (forge_vote, Teller.forged),
        (replay_vote, Teller.replayed),
        (hand_on_vote, Teller.handed_on),
        (refuse_votes, Teller.refused),
        (restart_node, Teller.restarted),
        (refuse_status, Teller.restarted),
        (stop_on_mismatch, Teller.restarted),
        (restart_on_new_genesis, Teller.restarted),
        (refuse_old_genesis, Teller.restarted),
        (fail_once, Teller.restarted),
        (regenesis, Teller.restarted),
        (prune, Teller.pruned),
        (reconnect, Teller.reconnected),
    )
}
"""How each transition is told. One that is not here is told by its name."""
