"""The full-fidelity registries of all nodes, run in lockstep with the guarded commands of the system.

Messages are lists of signed votes, support is counted as votes come and go. What is compared is every registry, with
the certificate that is found there, and every link.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any

from model.algebra import Expression, Int
from model.committee import U64_MAX
from model.messages import Batch, SignedBatch
from model.registry_design import network
from model.registry_design import node as steps
from model.registry_design.batch_votes import BatchVotes, BatchVotesWatch, VoteError
from model.registry_design.node import Node
from model.registry_design.registry import Registry
from model.registry_design.system import RegistryDesign
from model.scope import FOREIGN_GENESIS
from model.transitions import Action
from model.votes import NONE, Vote
from properties.engines.handlers import handles
from properties.engines.stepper import State
from properties.stateful import lockstep
from properties.stateful.lockstep import Disagreement, Test, agree

PUSHER = "pusher"
CONTAMINATED, EQUIVOCATING = "contaminated certificate", "equivocating votes"
LEAST_HASH = -1_000
"""Less than any hash that a scope has."""

Subjects = dict[str, tuple[int, int, int]]
"""(number, hash, genesis) by attester."""


def signed(key: str, subject: tuple[int, int, int], valid: bool = True) -> SignedBatch:
    """A vote as the registry in full fidelity takes it: hashes are text, in the same order as the numbers."""
    number, hash, genesis = subject
    return SignedBatch(key, Batch(number, f"{hash - LEAST_HASH:06d}", genesis_name(genesis)), valid)


def genesis_name(genesis: int) -> str:
    """The genesis hash of a fork."""
    return f"g{genesis}"


def subject_of(batch: Batch) -> tuple[int, int, int]:
    """The number, hash and genesis that were signed."""
    return batch.number, int(batch.hash) + LEAST_HASH, int(batch.genesis[1:])


class Layout(lockstep.Layout):
    """How to read registries, links and the numbers that a step uses from a state of the system."""

    @staticmethod
    def compared(node: Any) -> Any:
        return node.registry

    @property
    def system(self) -> RegistryDesign:
        """The system, which is of this design."""
        system = self.model.system
        assert isinstance(system, RegistryDesign)
        return system

    @cached_property
    def registries(self) -> list[Callable[[State], Subjects]]:
        """For each node, its votes."""
        return [self._votes(node.registry.votes) for node in self.system.state.nodes]

    @cached_property
    def minima(self) -> list[Test]:
        """For each node, its minimum."""
        return self.on_nodes(lambda node: [node.registry.min_batch_number])

    @cached_property
    def geneses(self) -> list[Test]:
        """For each node, the fork that it is on."""
        return self.on_nodes(lambda node: [node.genesis])

    @cached_property
    def old(self) -> list[Callable[[State], Subjects]]:
        """For each link, what was pushed last."""
        return [self._votes(link.old) for link in self.system.state.links]

    @cached_property
    def in_flight(self) -> list[Callable[[State], Subjects]]:
        """For each link, the message on its way."""
        return [self._votes(link.in_flight) for link in self.system.state.links]

    @cached_property
    def certificates(self) -> list[Test]:
        """For each node: whether there is a quorum, whether its certificate verifies, and its subject."""
        return self.on_nodes(lambda node: self._certificate(node.registry))

    def _certificate(self, registry: Registry) -> Iterator[Expression]:
        electorate = self.system.electorate
        found, vote = (quorum := registry.find_quorum(electorate)).found, quorum.vote
        yield from (found, registry.certificate_verifies(vote, electorate), vote.number, vote.hash, vote.genesis)

    @cached_property
    def attesting(self) -> list[Test]:
        """For each node, the number that its attester votes on when it publishes: what it has read, or, where reading
        and publishing are one step, what the status says."""
        return self.on_nodes(lambda node: [_read(node.attester.number, node)])

    @cached_property
    def finding(self) -> list[Test]:
        """For each node, the number that its finder sets as the minimum: what it has read, or what the status says."""
        return self.on_nodes(lambda node: [_read(node.finder.number, node)])

    def _votes(self, votes: tuple[Vote, ...]) -> Callable[[State], Subjects]:
        pairs = zip(self.system.topology.attesters, votes, strict=True)
        possible = [(name, vote) for name, vote in pairs if not vote.number.is_constant]
        names = [name for name, _ in possible]
        values = self.test(*(part for _, vote in possible for part in (vote.number, vote.hash, vote.genesis)))

        def read(state: State) -> Subjects:
            flat = values(state)
            subjects = zip(flat[::3], flat[1::3], flat[2::3], strict=True)
            return {name: subject for name, subject in zip(names, subjects, strict=True) if subject[0] != NONE}

        return read


def _read(number: Int, node: Node) -> Int:
    return node.status.next_batch_to_attest if number.is_constant else number


class Mirror(lockstep.Mirror):
    """The registries in full fidelity."""

    layout: Layout

    def __init__(self, layout: Layout) -> None:
        self.registries = [BatchVotesWatch()] * len(layout.places)
        self.old = [BatchVotes()] * len(layout.links)
        self.in_flight: list[tuple[SignedBatch, ...]] = [()] * len(layout.links)
        self.spoilt: set[int] = set()
        self._signed: dict[tuple[str, int | str], int | str] = {}
        super().__init__(layout)

    def start(self, node: int) -> None:
        self.registries[node] = BatchVotesWatch().subscribe(PUSHER)

    def connect(self, link: int) -> None:
        self.old[link], self.in_flight[link] = BatchVotes(), ()

    def compare_node(self, node: int, state: State) -> None:
        votes, layout = self.registries[node].votes, self.layout
        name = layout.node_names[node]
        agree(f"the votes of {name}", _subjects(votes), layout.registries[node](state))
        agree(f"the minimum of {name}", votes.min_batch_number, layout.minima[node](state)[0])
        found, verifies, *subject = layout.certificates[node](state)
        certificate = votes.find_quorum(layout.committee, self._genesis(node, state))
        agree(f"whether {name} has a quorum", certificate is not None, bool(found))
        if certificate is not None:
            agree(f"the certificate of {name}", subject_of(certificate.message), tuple(subject))
            is_valid = certificate.verifies(layout.committee)
            agree(f"whether the certificate of {name} verifies", is_valid, bool(verifies))
            if not is_valid:
                self.noticed.append(CONTAMINATED)

    def compare_link(self, link: int, state: State) -> None:
        name = self.layout.link_names[link]
        agree(f"what was pushed on {name}", _subjects(self.old[link]), self.layout.old[link](state))
        message = {vote.key: subject_of(vote.batch) for vote in self.in_flight[link]}
        agree(f"the message on {name}", message, self.layout.in_flight[link](state))

    def _genesis(self, node: int, state: State) -> str:
        return genesis_name(self.layout.geneses[node](state)[0])

    def _update(self, node: int, state: State, *votes: SignedBatch) -> None:
        skips = self.layout.system.revision.skips_bad_signatures
        genesis = self._genesis(node, state)
        try:
            updated = self.registries[node].update(self.layout.committee, genesis, votes, skip_bad_signatures=skips)
        except VoteError as error:
            name = self.layout.node_names[node]
            raise Disagreement(f"a message to {name} is an error in full fidelity: {error}") from error
        self.registries[node] = updated

    @handles(network.reconnect)
    def reconnect(self, action: Action, before: State) -> None:
        """A connection is made again."""
        self.connect_again(action)

    @handles(*network.RESTARTS)
    def restart(self, action: Action, before: State) -> None:
        """A node starts anew."""
        self.start_again(action.node)

    @handles(steps.publish_vote)
    def publish_vote(self, action: Action, before: State) -> None:
        """An honest vote goes through the own registry."""
        node = self.layout.places[action.node]
        number, genesis = self.layout.attesting[node](before)[0], self.layout.geneses[node](before)[0]
        self._update(node, before, signed(action.node, (number, number, genesis)))

    @handles(network.forge_vote)
    def forge_vote(self, action: Action, before: State) -> None:
        """A Byzantine vote arrives at some node."""
        arguments = dict(action.arguments)
        number, variant = int(arguments["number"]), int(arguments["variant"])
        node = self.layout.places[str(arguments["at"])]
        hash = variant - 1 if variant else number
        self._update(node, before, signed(action.node, (number, hash, self.layout.geneses[node](before)[0])))
        if self._signed.setdefault((action.node, number), variant) != variant:
            self.noticed.append(EQUIVOCATING)

    @handles(steps.set_min_batch_number)
    def set_min_batch_number(self, action: Action, before: State) -> None:
        """The finder sets the minimum."""
        node = self.layout.places[action.node]
        number = self.layout.finding[node](before)[0]
        self.registries[node] = self.registries[node].set_min_batch_number(number)

    @handles(network.push_votes)
    def push_votes(self, action: Action, before: State) -> None:
        """The pusher wakes up, and sends what is newer than its last push."""
        link = self.layout.link_of(action)
        node = self.layout.places[action.node]
        watch = self.registries[node].look(PUSHER)
        self.in_flight[link] = watch.votes.get_newer(self.old[link])
        self.registries[node], self.old[link] = watch, watch.votes
        self.spoilt.discard(link)

    @handles(network.push_bad_vote)
    def push_bad_vote(self, action: Action, before: State) -> None:
        """The same, and this message has a bad vote."""
        self.push_votes(action, before)
        self.spoilt.add(self.layout.link_of(action))

    @handles(network.receive_votes)
    def receive_votes(self, action: Action, before: State) -> None:
        """The message arrives, with what the external node adds to it."""
        link = self.layout.link_of(action)
        agree(f"whether the message to {action.node} is too large", self._is_too_large(link), False)
        self._update(self.layout.places[action.node], before, *self._with_bad_vote(link))
        self.in_flight[link] = ()

    @handles(network.refuse_votes)
    def refuse_votes(self, action: Action, before: State) -> None:
        """The message is an error: it changes nothing, and the connection is made again."""
        link = self.layout.link_of(action)
        if self._is_too_large(link):
            self.connect_again(action)
            return
        try:
            self._update(self.layout.places[action.node], before, *self._with_bad_vote(link))
        except Disagreement:
            self.connect_again(action)
        else:
            raise Disagreement(f"the message to {action.node} is no error in full fidelity")

    def _is_too_large(self, link: int) -> bool:
        limit = self.layout.system.scope.message_limit
        return 0 < limit < len(self.in_flight[link])

    def _with_bad_vote(self, link: int) -> tuple[SignedBatch, ...]:
        """The message, and the bad vote that the scope says an external node passes on: in the place of a vote that it
        should have, if it has one of every attester."""
        system = self.layout.system
        message, bad_votes = self.in_flight[link], system.scope.bad_votes
        if system.scope.some_bad_votes and link not in self.spoilt:
            return message
        if not bad_votes or not system.topology.is_external(system.topology.links[link][0]):
            return message
        genesis = -1 if bad_votes == FOREIGN_GENESIS else int(message[0].batch.genesis[1:])
        missing = [name for name in system.topology.attesters if name not in {vote.key for vote in message}]
        key = missing[0] if missing else message[-1].key
        others = [vote for vote in message if vote.key != key]
        if not missing and system.revision.skips_bad_signatures and bad_votes != FOREIGN_GENESIS:
            return message
        return (*others, signed(key, (U64_MAX, 0, genesis), valid=bad_votes == FOREIGN_GENESIS))


def _subjects(votes: BatchVotes) -> Subjects:
    return {key: subject_of(vote.batch) for key, vote in votes.votes.items()}
