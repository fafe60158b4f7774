"""The full-fidelity registries of all nodes, run in lockstep with the guarded commands of the system.

`Mirror` follows a run of the system action by action. What an action does to a registry or a link, the mirror does with
`batch_votes`: messages are lists of signed votes, support is counted as votes come and go. After every action the
two must agree on every registry and link that either of them touched, and on the certificate that is found there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from model.algebra import Expression, Int, leaves
from model.committee import U64_MAX, Committee
from model.messages import Batch, SignedBatch
from model.registry_design.batch_votes import BatchVotes, BatchVotesWatch, VoteError
from model.registry_design.network import RESTARTS
from model.scope import FOREIGN_GENESIS
from model.transitions import Action
from model.votes import NONE, Vote
from properties.engines.stepper import State
from properties.stateful.models import Model

PUSHER = "pusher"
LEAST_HASH = -1_000
"""Less than any hash that a scope has."""

Subjects = dict[str, tuple[int, int, int]]
"""(number, hash, genesis) by attester."""


class Disagreement(AssertionError):
    """The registry in full fidelity and the guarded commands differ; the message says where."""


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


@dataclass(frozen=True)
class Layout:
    """How to read registries, links and the numbers that a step uses from a state of the system."""

    model: Model

    @cached_property
    def committee(self) -> Committee:
        """The committee of the scope."""
        weights = self.model.system.scope.instance.weights
        return Committee(zip(self.model.system.topology.attesters, weights, strict=True))

    @cached_property
    def places(self) -> dict[str, int]:
        """The position of each node."""
        return {place.name: index for index, place in enumerate(self.model.system.topology.places)}

    @cached_property
    def links(self) -> dict[tuple[str, str], int]:
        """The position of each link, by sender and receiver."""
        names = list(self.places)
        ends = self.model.system.topology.links
        return {(names[sender], names[receiver]): index for index, (sender, receiver) in enumerate(ends)}

    @cached_property
    def registries(self) -> list[Callable[[State], Subjects]]:
        """For each node, its votes."""
        return [self._votes(node.registry.votes) for node in self.model.system.state.nodes]

    @cached_property
    def minima(self) -> list[Callable[[State], tuple[int, ...]]]:
        """For each node, its minimum."""
        return [self._evaluator(node.registry.min_batch_number) for node in self.model.system.state.nodes]

    @cached_property
    def geneses(self) -> list[Callable[[State], tuple[int, ...]]]:
        """For each node, the fork that it is on."""
        return [self._evaluator(node.genesis) for node in self.model.system.state.nodes]

    @cached_property
    def old(self) -> list[Callable[[State], Subjects]]:
        """For each link, what was pushed last."""
        return [self._votes(link.old) for link in self.model.system.state.links]

    @cached_property
    def in_flight(self) -> list[Callable[[State], Subjects]]:
        """For each link, the message on its way."""
        return [self._votes(link.in_flight) for link in self.model.system.state.links]

    @cached_property
    def certificates(self) -> list[Callable[[State], tuple[int, ...]]]:
        """For each node: whether there is a quorum, whether its certificate verifies, and its subject."""
        electorate = self.model.system.electorate
        found = [(node.registry, node.registry.find_quorum(electorate)) for node in self.model.system.state.nodes]
        return [
            self._evaluator(
                quorum.found,
                registry.certificate_verifies(quorum.vote, electorate),
                quorum.vote.number,
                quorum.vote.hash,
                quorum.vote.genesis,
            )
            for registry, quorum in found
        ]

    @cached_property
    def attesting(self) -> list[Callable[[State], tuple[int, ...]]]:
        """For each node, the number that its attester votes on when it publishes: what it has read, or, where reading
        and publishing are one step, what the status says."""
        nodes = self.model.system.state.nodes
        return [self._read(node.attester.number, node.status.next_batch_to_attest) for node in nodes]

    @cached_property
    def finding(self) -> list[Callable[[State], tuple[int, ...]]]:
        """For each node, the number that its finder sets as the minimum: what it has read, or what the status says."""
        nodes = self.model.system.state.nodes
        return [self._read(node.finder.number, node.status.next_batch_to_attest) for node in nodes]

    @cached_property
    def touched(self) -> list[tuple[frozenset[int], frozenset[int]]]:
        """For each action, the nodes and the links whose votes it changes."""
        state = self.model.system.state
        nodes = [set(leaves(node.registry)) for node in state.nodes]
        links = [set(leaves(link)) for link in state.links]
        return [(_touched(action, nodes), _touched(action, links)) for action in self.model.system.actions]

    def _evaluator(self, *expressions: Expression) -> Callable[[State], tuple[int, ...]]:
        return self.model.stepper.evaluator(*expressions)

    def _read(self, number: Int, otherwise: Int) -> Callable[[State], tuple[int, ...]]:
        return self._evaluator(otherwise if number.is_constant else number)

    def _votes(self, votes: tuple[Vote, ...]) -> Callable[[State], Subjects]:
        pairs = zip(self.model.system.topology.attesters, votes, strict=True)
        possible = [(name, vote) for name, vote in pairs if not vote.number.is_constant]
        names = [name for name, _ in possible]
        values = self._evaluator(*(part for _, vote in possible for part in (vote.number, vote.hash, vote.genesis)))

        def read(state: State) -> Subjects:
            flat = values(state)
            subjects = zip(flat[::3], flat[1::3], flat[2::3], strict=True)
            return {name: subject for name, subject in zip(names, subjects, strict=True) if subject[0] != NONE}

        return read


def _touched(action: Action, parts: list[set[Expression]]) -> frozenset[int]:
    changed = {variable.expression for variable, _ in action.updates}
    return frozenset(index for index, part in enumerate(parts) if changed & part)


class Mirror:
    """The full-fidelity side of one run. `contaminated` says whether the last action left a registry with a quorum
    whose certificate does not verify."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.registries = [self._started() for _ in layout.places]
        self.old = [BatchVotes() for _ in layout.links]
        self.in_flight: list[tuple[SignedBatch, ...]] = [() for _ in layout.links]
        self.spoilt: set[int] = set()
        self.contaminated = False

    def _started(self) -> BatchVotesWatch:
        return BatchVotesWatch().subscribe(PUSHER)

    def follow(self, place: int, before: State, after: State) -> None:
        """Do what the action did, and compare. Raises `Disagreement`."""
        action = self.layout.model.stepper.action(place)
        handler = _HANDLERS.get(action.name)
        if handler is not None:
            try:
                handler(self, action, before)
            except VoteError as error:
                raise Disagreement(f"{action} of {action.node} is an error in full fidelity: {error}") from None
        nodes, links = self.layout.touched[place]
        self.contaminated = False
        for node in nodes:
            self._compare_registry(node, after)
        for link in links:
            self._compare_link(link, after)

    def compare(self, state: State) -> None:
        """Compare everything. Raises `Disagreement`."""
        for node in range(len(self.registries)):
            self._compare_registry(node, state)
        for link in range(len(self.old)):
            self._compare_link(link, state)

    def _compare_registry(self, node: int, state: State) -> None:
        votes, layout = self.registries[node].votes, self.layout
        name = list(layout.places)[node]
        _agree(f"the votes of {name}", _subjects(votes), layout.registries[node](state))
        _agree(f"the minimum of {name}", votes.min_batch_number, layout.minima[node](state)[0])
        found, verifies, *subject = layout.certificates[node](state)
        certificate = votes.find_quorum(layout.committee, self._genesis(node, state))
        _agree(f"whether {name} has a quorum", certificate is not None, bool(found))
        if certificate is not None:
            _agree(f"the certificate of {name}", subject_of(certificate.message), tuple(subject))
            is_valid = certificate.verifies(layout.committee)
            _agree(f"whether the certificate of {name} verifies", is_valid, bool(verifies))
            self.contaminated |= not is_valid

    def _compare_link(self, link: int, state: State) -> None:
        name = "-".join(list(self.layout.links)[link])
        _agree(f"what was pushed on {name}", _subjects(self.old[link]), self.layout.old[link](state))
        message = {vote.key: subject_of(vote.batch) for vote in self.in_flight[link]}
        _agree(f"the message on {name}", message, self.layout.in_flight[link](state))

    def _genesis(self, node: int, state: State) -> str:
        return genesis_name(self.layout.geneses[node](state)[0])

    def _update(self, node: int, state: State, *votes: SignedBatch) -> None:
        skips = self.layout.model.system.revision.skips_bad_signatures
        self.registries[node] = self.registries[node].update(
            self.layout.committee, self._genesis(node, state), votes, skip_bad_signatures=skips
        )

    def publish_vote(self, action: Action, before: State) -> None:
        """An honest vote goes through the own registry."""
        node = self.layout.places[action.node]
        number, genesis = self.layout.attesting[node](before)[0], self.layout.geneses[node](before)[0]
        self._update(node, before, signed(action.node, (number, number, genesis)))

    def forge_vote(self, action: Action, before: State) -> None:
        """A Byzantine vote arrives at some node."""
        arguments = dict(action.arguments)
        number, variant = int(arguments["number"]), int(arguments["variant"])
        node = self.layout.places[str(arguments["at"])]
        hash = variant - 1 if variant else number
        self._update(node, before, signed(action.node, (number, hash, self.layout.geneses[node](before)[0])))

    def set_min_batch_number(self, action: Action, before: State) -> None:
        """The finder sets the minimum."""
        node = self.layout.places[action.node]
        number = self.layout.finding[node](before)[0]
        self.registries[node] = self.registries[node].set_min_batch_number(number)

    def push_votes(self, action: Action, before: State) -> None:
        """The pusher wakes up, and sends what is newer than its last push."""
        link = self.layout.links[action.node, str(dict(action.arguments)["to"])]
        node = self.layout.places[action.node]
        watch = self.registries[node].look(PUSHER)
        self.in_flight[link] = watch.votes.get_newer(self.old[link])
        self.registries[node], self.old[link] = watch, watch.votes
        self.spoilt.discard(link)

    def push_bad_vote(self, action: Action, before: State) -> None:
        """The same, and this message has a bad vote."""
        self.push_votes(action, before)
        self.spoilt.add(self.layout.links[action.node, str(dict(action.arguments)["to"])])

    def receive_votes(self, action: Action, before: State) -> None:
        """The message arrives, with what the external node adds to it."""
        link = self._link_to(action)
        self._update(self.layout.places[action.node], before, *self._with_bad_vote(link))
        self.in_flight[link] = ()

    def refuse_votes(self, action: Action, before: State) -> None:
        """The message is an error: it changes nothing, and the connection is made again."""
        link = self._link_to(action)
        try:
            self._update(self.layout.places[action.node], before, *self._with_bad_vote(link))
        except VoteError:
            self._reconnect({action.node, str(dict(action.arguments)["from"])})
        else:
            raise Disagreement(f"the message to {action.node} is no error in full fidelity")

    def _link_to(self, action: Action) -> int:
        return self.layout.links[str(dict(action.arguments)["from"]), action.node]

    def _with_bad_vote(self, link: int) -> tuple[SignedBatch, ...]:
        """The message, and the bad vote that the scope says an external node passes on: in the place of a vote that it
        should have, if it has one of every attester."""
        system = self.layout.model.system
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

    def restart_node(self, action: Action, before: State) -> None:
        """The registry is lost, and every connection is new."""
        self.registries[self.layout.places[action.node]] = self._started()
        for ends, link in self.layout.links.items():
            if action.node in ends:
                self._connect(link)

    def reconnect(self, action: Action, before: State) -> None:
        """A connection is new, in both directions."""
        self._reconnect({action.node, str(dict(action.arguments)["to"])})

    def _reconnect(self, ends: set[str]) -> None:
        for names, link in self.layout.links.items():
            if set(names) == ends:
                self._connect(link)

    def _connect(self, link: int) -> None:
        self.old[link], self.in_flight[link] = BatchVotes(), ()


_HANDLERS: dict[str, Callable[[Mirror, Action, State], None]] = {
    "publish_vote": Mirror.publish_vote,
    "forge_vote": Mirror.forge_vote,
    "set_min_batch_number": Mirror.set_min_batch_number,
    "push_votes": Mirror.push_votes,
    "push_bad_vote": Mirror.push_bad_vote,
    "receive_votes": Mirror.receive_votes,
    "refuse_votes": Mirror.refuse_votes,
    "reconnect": Mirror.reconnect,
    **{transition.name: Mirror.restart_node for transition in RESTARTS},
}
"""What the mirror does, by the name of the transition. Any other must leave registries and links as they are."""


def _subjects(votes: BatchVotes) -> Subjects:
    return {key: subject_of(vote.batch) for key, vote in votes.votes.items()}


def _agree(what: str, full: object, guarded: object) -> None:
    if full != guarded:
        raise Disagreement(f"{what}: in full fidelity {full}, by the guarded commands {guarded}")
