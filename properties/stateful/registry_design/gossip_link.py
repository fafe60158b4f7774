"""One direction of a gossip connection, between two registries, against dictionaries."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

import model.registry_design.network
from model.algebra import const
from model.scope import Scope, instance
from model.votes import Vote
from properties.stateful.constants import initial, is_possible, number, taken, votes_in, votes_of
from properties.stateful.machine import LIFETIME, CountedMachine, counted
from properties.stateful.registry_design.oracle import NaiveRegistry
from properties.stateful.votes import NaiveVote

BATCHES = 3
LIMIT = 2
NAMES = "abc"
Message = dict[str, NaiveVote]


class GossipLinkMachine(CountedMachine):
    """A sender that gets votes and minima, a link that pushes, delivers and breaks, and a receiver with a minimum of
    its own. `naive_old` and `naive_message` say what was pushed last, and what is on its way."""

    def __init__(self) -> None:
        super().__init__()
        # All three attesters are Byzantine, so that votes on any hash may be anywhere; the sender is a relay's node.
        scope = Scope(instance("n3f0b3"), batches=BATCHES, topology="relay", disconnects=1, message_limit=LIMIT)
        system = self.system(scope)
        self.state, self.unlimited = initial(system, system.state), const(1)
        self.link, self.topology = 0, system.topology
        self.sender, self.receiver = self.topology.links[self.link]
        self.naive = [NaiveRegistry(dict.fromkeys(NAMES, 1)) for _ in range(2)]
        self.naive_old: Message = {}
        self.naive_message: Message = {}

    @rule(key=st.integers(0, 2), batch=st.integers(0, BATCHES - 1), hash=st.integers(0, BATCHES))
    @counted
    def vote(self, key: int, batch: int, hash: int) -> None:
        """The sender's registry gets a vote."""
        node = self.state.nodes[self.sender]
        registry = node.registry.add(key, Vote(const(batch), const(0 if hash == batch else hash + 1)))
        self.state = self.state.with_node(self.sender, replace(node, registry=registry))
        self.naive[0].update([NaiveVote(NAMES[key], batch, str(hash))])

    @rule(which=st.sampled_from([0, 1]), batch=st.integers(0, BATCHES - 1))
    @counted
    def set_min_batch_number(self, which: int, batch: int) -> None:
        """One of the two registries gets a minimum; the sender's votes below it are gone, yet were pushed."""
        place = (self.sender, self.receiver)[which]
        node = self.state.nodes[place]
        registry = node.registry.set_min_batch_number(const(batch))
        self.state = self.state.with_node(place, replace(node, registry=registry))
        self.naive[which].set_min_batch_number(batch)

    @property
    def news(self) -> Message:
        """The sender's votes that are newer than those of the last push."""
        old = self.naive_old
        return {
            key: vote
            for key, vote in self.naive[0].votes.items()
            if key not in old or (vote.number, vote.hash) > (old[key].number, old[key].hash)
        }

    @precondition(lambda self: self.news and not self.naive_message)
    @rule()
    @counted
    def push(self) -> None:
        """The sender pushes what is new."""
        self.count("only a part is new", len(self.news) < len(self.naive[0].votes))
        self.naive_message, self.naive_old = self.news, self.naive[0].votes
        self.state = taken(model.registry_design.network.push_votes(self.state, self.link, self.topology))

    @precondition(lambda self: 0 < len(self.naive_message) <= LIMIT)
    @rule()
    @counted
    def receive(self) -> None:
        """The message arrives."""
        minimum = self.naive[1].min_batch_number
        self.count("vote below minimum", any(vote.number < minimum for vote in self.naive_message.values()))
        self.naive[1].update(list(self.naive_message.values()))
        self.naive_message = {}
        self.state = taken(model.registry_design.network.receive_votes(self.state, self.link, self.topology))

    @precondition(lambda self: len(self.naive_message) > LIMIT)
    @rule()
    @counted
    def refuse(self) -> None:
        """The message is too large: the connection closes, and a new one is made."""
        self.naive_old, self.naive_message = {}, {}
        self.state = taken(model.registry_design.network.refuse_votes(self.state, self.link, self.topology))

    @precondition(lambda self: self.age >= LIFETIME)
    @rule()
    @counted
    def reconnect(self) -> None:
        """The connection breaks, and a new one is made."""
        self.age = 0
        self.count("message lost", bool(self.naive_message))
        self.naive_old, self.naive_message = {}, {}
        again = taken(model.registry_design.network.reconnect(self.state, (self.link,)))
        self.state = replace(again, disconnects_left=self.unlimited)

    @invariant()
    def agrees(self) -> None:
        """Both registries, the last push, the message, and what can happen next."""
        link, nodes = self.state.links[self.link], self.state.nodes
        for place, naive in zip((self.sender, self.receiver), self.naive, strict=True):
            assert votes_of(nodes[place].registry) == _subjects(naive.votes)
            assert number(nodes[place].registry.min_batch_number) == naive.min_batch_number
        assert votes_in(link.old) == _subjects(self.naive_old)
        assert votes_in(link.in_flight) == _subjects(self.naive_message)
        can_push = bool(self.news) and not self.naive_message
        assert is_possible(model.registry_design.network.push_votes(self.state, self.link, self.topology)) == can_push
        size = len(self.naive_message)
        for transition, can_happen in (
            (model.registry_design.network.receive_votes, 0 < size <= LIMIT),
            (model.registry_design.network.refuse_votes, size > LIMIT),
        ):
            assert is_possible(transition(self.state, self.link, self.topology)) == can_happen


def _subjects(message: Message) -> dict[int, tuple[int, int]]:
    return {NAMES.index(key): (vote.number, int(vote.hash)) for key, vote in message.items()}
