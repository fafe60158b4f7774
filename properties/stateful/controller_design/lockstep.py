"""The full-fidelity controllers of all nodes, and their subscribers, run in lockstep with the guarded commands.

Messages are lists of signed votes, committees have members and weights, subscribers are told what is new to them. What
is compared is every controller with its certificate, and every link. Of the votes in a message, the mirror has those
that can come to both ends in the scope.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any

from model.algebra import Expression, Int, const
from model.committee import Committee
from model.controller_design import network
from model.controller_design import node as steps
from model.controller_design.attestation import Attestation
from model.controller_design.controller import Controller, Info, StartRefused
from model.controller_design.node import OWN_HASH, Node
from model.controller_design.system import ControllerDesign
from model.messages import Batch, BatchQC, SignedBatch
from model.transitions import Action
from properties.claims.controller_design import FAILURES
from properties.engines.handlers import handles
from properties.engines.stepper import State
from properties.stateful import lockstep
from properties.stateful.lockstep import Disagreement, Test, agree

REFUSED = "start refused"


def batch_of(number: int, variant: int, genesis: int) -> Batch:
    """A batch as the controller in full fidelity takes it."""
    return Batch(number, f"h{number}" if variant == OWN_HASH else f"x{number}", f"g{genesis}")


class Layout(lockstep.Layout):
    """How to read controllers and links, and what a node is about to start, from a state of the system."""

    @staticmethod
    def compared(node: Any) -> Any:
        return node.attestation

    @property
    def system(self) -> ControllerDesign:
        """The system, which is of this design."""
        system = self.model.system
        assert isinstance(system, ControllerDesign)
        return system

    @cached_property
    def committees(self) -> list[Committee]:
        """All committees of the scope, by their places."""
        names = self.system.topology.attesters
        weights = [[(weight.value or 0) for weight in each.weights] for each in self.system.committees.electorates]
        return [Committee([pair for pair in zip(names, each, strict=True) if pair[1]]) for each in weights]

    @cached_property
    def passing(self) -> list[frozenset[str]]:
        """For each link the attesters whose votes can pass on it in the scope."""
        names = self.system.topology.attesters
        return [
            frozenset(name for name, told in zip(names, link.told, strict=True) if not told.is_constant)
            for link in self.system.state.links
        ]

    @cached_property
    def controllers(self) -> list[Test]:
        """For each node: what it attests, by which committee, whether there is a certificate, and whether it verifies;
        then a flag for each attester's vote."""
        return self.on_nodes(lambda node: self._controller(node.attestation))

    def _controller(self, here: Attestation) -> Iterator[Expression]:
        yield from _subject(here)
        yield from (here.committee, here.has_quorum, here.certificate_verifies, *here.votes)

    @cached_property
    def told(self) -> list[Test]:
        """For each link, the batch that was told last, and a flag for each vote."""
        return self.on_links(lambda link, *_: (*_subject(link), *link.told))

    @cached_property
    def calls(self) -> list[Test]:
        """For each link, whether the call asks for votes, and a flag for each vote that is on its way."""
        return self.on_links(lambda link, *_: (link.asks, *link.carried))

    @cached_property
    def to_start(self) -> list[Test]:
        """For each node, the batch that it starts next, and the place of its committee."""
        return self.on_nodes(lambda node: _to_start(node, self._number(node)))

    @cached_property
    def to_start_if_asked(self) -> list[list[Test]]:
        """For each node, the same if it is told this number."""
        batches = range((self.system.scope.batches or 0) + 1)
        return [[self.test(*_to_start(node, const(number))) for number in batches] for node in self.system.state.nodes]

    def _number(self, node: Node) -> Int:
        """What it has read; or, where reading and starting are one step, what it is asked for."""
        return node.task.number if self.system.scope.late_answers else self.system.next_batch_to_attest


def _to_start(node: Node, number: Int) -> tuple[Int, ...]:
    batch = node.own_batch(number)
    return batch.number, batch.variant, batch.genesis, node.committee_of(number).place


def _subject(holder: Any) -> tuple[Int, Int, Int]:
    return holder.batch.number, holder.batch.variant, holder.batch.genesis


class Mirror(lockstep.Mirror):
    """The controllers in full fidelity. A link's caller is subscribed to its own controller, as the link's position."""

    layout: Layout

    def __init__(self, layout: Layout) -> None:
        keys = [place.name if place.key is not None else None for place in layout.system.topology.places]
        self.controllers = [Controller(key) for key in keys]
        self.callers = [caller for caller, _ in layout.system.topology.links]
        self.asked: list[Batch | None] = [None] * len(layout.links)
        self.carried: list[tuple[SignedBatch, ...]] = [()] * len(layout.links)
        super().__init__(layout)

    def start(self, node: int) -> None:
        self.controllers[node] = Controller(self.controllers[node].key)

    def connect(self, link: int) -> None:
        caller = self.callers[link]
        self.controllers[caller] = self.controllers[caller].subscribe(link)
        self.asked[link], self.carried[link] = None, ()

    def compare_node(self, node: int, state: State) -> None:
        name, attesters = self.layout.node_names[node], self.layout.system.topology.attesters
        number, variant, genesis, place, has_quorum, verifies, *flags = self.layout.controllers[node](state)
        here = self.controllers[node].state
        agree(f"whether {name} attests", here is not None, number >= 0)
        if here is None:
            return
        agree(f"what {name} attests", here.info.batch_to_attest, batch_of(number, variant, genesis))
        agree(f"the committee of {name}", here.info.committee, self.layout.committees[place])
        agree(f"the votes of {name}", set(here.votes), _names(attesters, flags))
        certificate = here.cert()
        agree(f"whether {name} has a certificate", certificate is not None, bool(has_quorum))
        if certificate is not None:
            is_valid = certificate.verifies(here.info.committee, here.info.batch_to_attest.genesis)
            agree(f"whether the certificate of {name} verifies", is_valid, bool(verifies))

    def compare_link(self, link: int, state: State) -> None:
        name, attesters = self.layout.link_names[link], self.layout.system.topology.attesters
        number, variant, genesis, *flags = self.layout.told[link](state)
        previous = self.controllers[self.callers[link]].receivers[link].previous
        told = None if previous is None else previous.info.batch_to_attest
        agree(f"what was told on {name}", told, batch_of(number, variant, genesis) if number >= 0 else None)
        votes = set() if previous is None else set(previous.votes) & self.layout.passing[link]
        agree(f"the votes told on {name}", votes, _names(attesters, flags))
        asks, *flags = self.layout.calls[link](state)
        agree(f"whether the call on {name} asks", self.asked[link] is not None, bool(asks))
        agree(f"the votes under way on {name}", {vote.key for vote in self.carried[link]}, _names(attesters, flags))

    @handles(network.reconnect, network.refuse_message)
    def reconnect(self, action: Action, before: State) -> None:
        """A connection is made again."""
        self.connect_again(action)

    @handles(*network.RESTARTS)
    def restart(self, action: Action, before: State) -> None:
        """A node starts anew."""
        self.start_again(action.node)

    @handles(steps.start_attestation)
    def start_attestation(self, action: Action, before: State) -> None:
        """The task starts a batch, with the committee that it finds, or that the action says."""
        node = self.layout.places[action.node]
        *subject, place = self.layout.to_start[node](before)
        self._start(node, subject, int(dict(action.arguments).get("committee", place)))

    @handles(network.read_old_status)
    def read_old_status(self, action: Action, before: State) -> None:
        """Where reading and starting are one step, the task starts an old batch."""
        if not self.layout.system.scope.late_answers:
            node = self.layout.places[action.node]
            *subject, place = self.layout.to_start_if_asked[node][int(dict(action.arguments)["answer"])](before)
            self._start(node, subject, place)

    def _start(self, node: int, subject: Iterable[int], place: int) -> None:
        info = Info(batch_of(*subject), self.layout.committees[place])
        try:
            self.controllers[node] = self.controllers[node].start_attestation(info)
        except StartRefused as refused:
            raise Disagreement(f"starting {info.batch_to_attest} is refused in full fidelity: {refused}") from None

    @handles(steps.find_certificate)
    def find_certificate(self, action: Action, before: State) -> None:
        """The main node's task waits for the certificate of what its controller attests, and has it."""
        node = self.layout.places[action.node]
        number = self.layout.controllers[node](before)[0]
        waited = self.controllers[node].wait_for_cert(number)
        agree(f"whether {action.node} has its certificate", isinstance(waited, BatchQC), True)

    @handles(steps.insert_certificate)
    def insert_certificate(self, action: Action, before: State) -> None:
        """Where it is one step, the task finds the certificate, too."""
        if not self.layout.system.scope.certificate_steps:
            self.find_certificate(action, before)

    @handles(network.call_peer)
    def call_peer(self, action: Action, before: State) -> None:
        """The caller looks at what is new to its peer."""
        self._call(self.layout.link_of(action))

    def _call(self, link: int) -> None:
        caller = self.callers[link]
        self.controllers[caller], diff = self.controllers[caller].wait_for_diff(link)
        if diff is None:
            raise Disagreement("a call of somebody to whom nothing is new in full fidelity")
        self.asked[link] = None if diff.info is None else diff.info.batch_to_attest
        self.carried[link] = self._passing(link, diff.votes)

    def _passing(self, link: int, votes: Iterable[SignedBatch]) -> tuple[SignedBatch, ...]:
        return tuple(vote for vote in votes if vote.key in self.layout.passing[link])

    @handles(network.receive_call, network.receive_answer)
    def receive(self, action: Action, before: State) -> None:
        """Either end deals with the votes that have come; an answer ends the call."""
        link = self._link_of_message(action)
        before_error = dict(action.arguments).get("before_error")
        self._insert(self.layout.places[action.node], self.carried[link], before_error)
        self.carried[link] = ()
        if action.name == "receive_answer":
            self.asked[link] = None

    def _link_of_message(self, action: Action) -> int:
        ends = (str(dict(action.arguments)["from"]), action.node)
        return self.layout.links[ends[::-1] if action.name == "receive_answer" else ends]

    def _insert(self, node: int, votes: Iterable[SignedBatch], before_error: int | str | None = None) -> None:
        """The votes in an order such that these, and no more, come before the error; without, there is none."""
        first = str(before_error or "")
        inserted = self.controllers[node].insert_votes(sorted(votes, key=lambda vote: self._rank(node, vote, first)))
        agree("whether a list has an error", inserted.error is not None, before_error is not None)
        self.controllers[node] = inserted.controller

    def _rank(self, node: int, vote: SignedBatch, first: str) -> int:
        """First those before the error, then those that are one, then the others."""
        if vote.key in first:
            return 0
        return 1 if self.controllers[node].insert_votes([vote]).error else 2

    @handles(network.answer_call)
    def answer_call(self, action: Action, before: State) -> None:
        """The called node answers, if it is asked."""
        self._answer(self._link_of_message(action), self.layout.places[action.node])

    def _answer(self, link: int, node: int) -> None:
        wanted = self.asked[link]
        self.carried[link] = () if wanted is None else self._passing(link, self.controllers[node].votes(wanted))

    @handles(network.exchange_votes)
    def exchange_votes(self, action: Action, before: State) -> None:
        """A call from beginning to end."""
        link = self.layout.link_of(action)
        caller, peer = self.layout.system.topology.links[link]
        self._call(link)
        self._insert_any(peer, self.carried[link])
        self._answer(link, peer)
        self._insert_any(caller, self.carried[link])
        self.asked[link], self.carried[link] = None, ()

    def _insert_any(self, node: int, votes: Iterable[SignedBatch]) -> None:
        self.controllers[node] = self.controllers[node].insert_votes(votes).controller

    @handles(network.forge_vote)
    def forge_vote(self, action: Action, before: State) -> None:
        """A Byzantine vote on what the node attests."""
        node = self.layout.places[str(dict(action.arguments)["at"])]
        here = self.controllers[node].state
        if here is None:
            raise Disagreement(f"{action} comes to a node that attests nothing in full fidelity")
        self._insert(node, [SignedBatch(action.node, here.info.batch_to_attest)])

    @handles(*FAILURES)
    def fail(self, action: Action, before: State) -> None:
        """An error in a task ends the controller, too, up to zksync-era PR 3170."""
        if action.name == "fail_to_start":
            self._note_refusal(self.layout.places[action.node], before)
        revision = self.layout.system.revision
        if not (revision.error_ends_task_only or revision.restarts_task):
            self.start_again(action.node)

    def _note_refusal(self, node: int, before: State) -> None:
        *subject, place = self.layout.to_start[node](before)
        try:
            self.controllers[node].start_attestation(Info(batch_of(*subject), self.layout.committees[place]))
        except StartRefused:
            self.noticed.append(REFUSED)


def _names(attesters: tuple[str, ...], flags: Iterable[int]) -> set[str]:
    return {name for name, flag in zip(attesters, flags, strict=True) if flag}
