"""A connection between two nodes with attestation controllers, which push and pull, against the naive controllers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

import model.controller_design.network as network
from model.algebra import FALSE, TRUE, Bool, const
from model.controller_design.attestation import Attestation
from model.controller_design.gossip import ANSWERED, CALLED, IDLE, INSERTED
from model.controller_design.node import OTHER_HASH, OWN_HASH
from model.scope import Scope, instance
from model.votes import NONE, Vote
from properties.stateful.constants import flag, initial, is_possible, number, taken
from properties.stateful.controller_design.oracle import NaiveController, NaiveStart
from properties.stateful.machine import LIFETIME, CountedMachine, counted
from properties.stateful.votes import NaiveVote

NAMES = "abc"
COMMITTEES = ({"a": 3, "b": 2, "c": 1}, {"b": 2, "c": 1})
LIMIT = 1
"""More votes than this make a message too large, where the size of messages is looked at."""

PHASES = {"idle": IDLE, "called": CALLED, "inserted": INSERTED, "answered": ANSWERED}


@dataclass
class NaiveCall:
    """One direction of the connection: what has become of the caller's call, which batch it asks for votes on, and the
    votes that are on their way."""

    phase: str = "idle"
    asks_for: tuple[int, str, str] | None = None
    votes: dict[str, NaiveVote] = field(default_factory=dict)


class PushPullMachine(CountedMachine):
    """Two controllers that start batches and get votes, and the calls that go both ways between them: pushed, inserted,
    answered, and the answer inserted. Each node is subscribed to its own controller for the other, by the name of the
    connection. In a message, votes are in any order.

    What the model knows of a batch is its number and whether its hash is the main node's. There are two committees.
    """

    def __init__(self) -> None:
        super().__init__()
        # All three attesters are Byzantine, so that their votes may be anywhere.
        committees = ";".join(",".join(str(each.get(name, 0)) for name in NAMES) for each in COMMITTEES)
        scope = Scope(instance("w3,2,1b3"), topology="relay", call_steps=True, committees=committees)
        system = self.system(scope, "pr175+era2684")
        self.state, self.topology = initial(system, system.state), system.topology
        (self.connection,) = self.topology.connections
        self.naive = [NaiveController(None) for _ in self.topology.places]
        self.calls = [NaiveCall() for _ in self.topology.links]
        for controller in self.naive:
            controller.subscribe("peer")

    def _attestation(self, end: int) -> Attestation:
        attestation: Attestation = self.state.nodes[end].attestation
        return attestation

    def _with(self, end: int, attestation: Attestation) -> None:
        self.state = self.state.with_node(end, replace(self.state.nodes[end], attestation=attestation))

    @rule(end=st.sampled_from([0, 1]), other=st.sampled_from([False] * 4 + [True]), place=st.sampled_from([0, 0, 0, 1]))
    @counted
    def start_next(self, end: int, other: bool, place: int) -> None:
        """The node that is behind starts the other's batch; where none is, one starts the next."""
        numbers = [self._number(each) for each in (0, 1)]
        if numbers[0] == numbers[1]:
            self._start(end, numbers[0] + 1, other, place)
        else:
            self._start(numbers.index(min(numbers)), max(numbers), other, place)

    @rule(end=st.sampled_from([0, 1]))
    @counted
    def hurry(self, end: int) -> None:
        """A node starts the batch after its own, whatever the other does."""
        self._start(end, self._number(end) + 1, False, 0)

    def _number(self, end: int) -> int:
        current = self.naive[end].attested()
        return -1 if current is None else current.number

    def _start(self, end: int, batch: int, other: bool, place: int) -> None:
        start = NaiveStart(batch, f"{'x' if other else 'h'}{batch}", "g0", COMMITTEES[place])
        subject = Vote(const(batch), const(OTHER_HASH if other else OWN_HASH))
        assert flag(self._attestation(end).begins(subject, const(place)))
        self.naive[end].history.append(start)
        self._with(end, self._attestation(end).started(subject, const(place), None))

    @rule(end=st.sampled_from([0, 1]), keys=st.lists(st.integers(0, 2), min_size=1, max_size=3, unique=True))
    @counted
    def vote(self, end: int, keys: list[int]) -> None:
        """Votes on its own batch come to a node from elsewhere."""
        self._vote(end, keys)

    def _vote(self, end: int, keys: list[int]) -> None:
        current = self.naive[end].attested()
        if current is not None:
            members = [NAMES[key] for key in keys if NAMES[key] in current.weights]
            self.naive[end].history.append([NaiveVote.on(name, current.batch) for name in members])
            here = self._attestation(end)
            self._with(end, here.inserted(here.batch, _flags(members)))

    @rule(link=st.sampled_from([0, 1]), steps=st.integers(1, 4), order=st.permutations(NAMES))
    @precondition(lambda self: any(self._can_go_on(link) for link in (0, 1)))
    @counted
    def go_on(self, link: int, steps: int, order: Sequence[str]) -> None:
        """A call takes its next steps, or the call of the other node does."""
        self._go_on(link if self._can_go_on(link) else 1 - link, steps, order)

    def _go_on(self, link: int, steps: int, order: Sequence[str]) -> None:
        for _ in range(steps):
            if self._can_go_on(link):
                self._step(link, order)

    @rule(
        link=st.sampled_from([0, 1]),
        other=st.sampled_from([False, False, True]),
        place=st.sampled_from([0, 0, 1]),
        keys=st.lists(st.integers(0, 2), min_size=1, max_size=3, unique=True),
        steps=st.integers(1, 4),
        order=st.permutations(NAMES),
    )
    @counted
    def meet(self, link: int, other: bool, place: int, keys: list[int], steps: int, order: Sequence[str]) -> None:
        """Both nodes start the same number, the peer perhaps with another hash or committee, and get votes; the caller
        goes on. This is where errors and answers with votes come from."""
        (caller, peer), later = self._ends(link), max(self._number(0), self._number(1)) + 1
        self._start(caller, later, False, 0)
        self._start(peer, later, other, place)
        self._vote(caller, keys)
        self._vote(peer, keys[:1])
        self._go_on(link, steps, order)

    def _can_go_on(self, link: int) -> bool:
        return self.calls[link].phase != "idle" or self._can_call(link)

    def _step(self, link: int, order: Sequence[str]) -> None:
        (caller, peer), phase, everybody = self._ends(link), self.calls[link].phase, (True,) * len(NAMES)
        if phase == "idle":
            self._call(link)
            step = network.call_peer(self.state, link, caller, everybody)
        elif phase == "called":
            looked_at = self._receive(peer, link, order)
            self.calls[link] = replace(self.calls[link], phase="inserted", votes={})
            step = network.receive_call(self.state, link, peer, looked_at)
        elif phase == "inserted":
            self._answer(link)
            step = network.answer_call(self.state, link, peer, everybody)
        else:
            looked_at = self._receive(caller, link, order)
            self.calls[link] = NaiveCall()
            step = network.receive_answer(self.state, link, caller, looked_at)
        self.count(phase)
        assert is_possible(step)
        self.state = taken(step)

    def _can_call(self, link: int) -> bool:
        return self.calls[link].phase == "idle" and self.naive[self._ends(link)[0]].news("peer") is not None

    def _ends(self, link: int) -> tuple[int, int]:
        caller, peer = self.topology.links[link]
        return caller, peer

    def _call(self, link: int) -> None:
        news = self.naive[self._ends(link)[0]].look("peer")
        assert news is not None
        start, votes = news
        self.count("new votes alone told", start is None)
        self.calls[link] = NaiveCall("called", None if start is None else start.batch, votes)

    def _receive(self, end: int, link: int, order: Sequence[str]) -> tuple[Bool, ...]:
        """A node takes in a list: which of its votes are looked at, before an error."""
        here, current = self.naive[end], self.naive[end].attested()
        message = [self.calls[link].votes[name] for name in order if name in self.calls[link].votes]
        error = here.added(message, current, here.votes())[1]
        here.history.append(message)
        if message:
            later = None if current is None else message[0].number - current.number
            self.count("early votes ignored", later is None or later > 0)
            self.count("late votes ignored", later is not None and later < 0)
        links = self.state.links[link]
        assert flag(self._attestation(end).has_error(links.batch, links.carried)) == (error is not None)
        if error is None:
            return _flags(vote.key for vote in message)
        self.count(f"error: {error}")
        is_error = [here.added([vote], current, here.votes())[1] is not None for vote in message]
        self.count("list cut off", not all(is_error))
        return _flags(vote.key for vote in message[: is_error.index(True)])

    def _answer(self, link: int) -> None:
        wanted, peer = self.calls[link].asks_for, self.naive[self._ends(link)[1]]
        votes = {} if wanted is None else peer.asked_for(wanted)
        self.count("asked for another batch", wanted is not None and not votes and bool(peer.votes()))
        self.count("votes pulled", bool(votes))
        self.calls[link] = replace(self.calls[link], phase="answered", votes=votes)

    @rule(link=st.sampled_from([0, 1]))
    @precondition(lambda self: any(self._can_exchange(link) for link in (0, 1)))
    @counted
    def exchange_votes(self, link: int) -> None:
        """A call from beginning to end, where both nodes have the same committee."""
        link = link if self._can_exchange(link) else 1 - link
        caller, peer = self._ends(link)
        self._call(link)
        self.naive[peer].history.append(list(self.calls[link].votes.values()))
        self._answer(link)
        self.naive[caller].history.append(list(self.calls[link].votes.values()))
        self.calls[link] = NaiveCall()
        self.state = taken(network.exchange_votes(self.state, link, (caller, peer), (True,) * len(NAMES)))

    def _can_exchange(self, link: int) -> bool:
        starts = [controller.attested() for controller in self.naive]
        return self._can_call(link) and len({str(start.weights) for start in starts if start is not None}) == 1

    @rule()
    @precondition(lambda self: self.age >= LIFETIME)
    @counted
    def reconnect(self) -> None:
        """The connection breaks, and a new one is made."""
        self._renewed()
        unlimited = replace(self.state.faults, disconnects=const(network.UNLIMITED))
        self.state = taken(network.reconnect(replace(self.state, faults=unlimited), self.connection))

    def _renewed(self) -> None:
        self.age = 0
        self.count("call lost", any(call.phase != "idle" for call in self.calls))
        self.calls = [NaiveCall() for _ in self.calls]
        for controller in self.naive:
            controller.subscribe("peer")

    @rule()
    @precondition(lambda self: self.age >= LIFETIME / 2 and any(self._is_oversized(link) for link in (0, 1)))
    @counted
    def refuse_message(self) -> None:
        """A message is too large, and the connection is made again."""
        link = next(link for link in (0, 1) if self._is_oversized(link))
        self._renewed()
        self.state = taken(network.refuse_message(self.state, link, LIMIT, self.connection))

    def _is_oversized(self, link: int) -> bool:
        return self.calls[link].phase in ("called", "answered") and len(self.calls[link].votes) > LIMIT

    @rule(end=st.sampled_from([0, 1]))
    @precondition(lambda self: self.age >= LIFETIME)
    @counted
    def restart(self, end: int) -> None:
        """A process starts again."""
        self.naive[end] = NaiveController(None)
        self._renewed()
        self.state = network.restarted(self.state, end, self.topology)

    @invariant()
    def agrees(self) -> None:
        """Both controllers, what they have told each other, the calls, and what can happen next."""
        for end, naive in enumerate(self.naive):
            here, current = self._attestation(end), naive.attested()
            assert _batch(here.batch) == (None if current is None else current.batch)
            assert _held(here.votes) == set(naive.votes())
            assert current is None or COMMITTEES[number(here.committee)] == current.weights
        for link, call in enumerate(self.calls):
            self._link_agrees(link, call)

    def _link_agrees(self, link: int, call: NaiveCall) -> None:
        here, (caller, peer), everybody = self.state.links[link], self._ends(link), (True,) * len(NAMES)
        moment = self.naive[caller].looks["peer"]
        told = None if moment is None else self.naive[caller].attested(moment)
        assert _batch(here.batch) == (None if told is None else told.batch)
        assert _held(here.told) == (set() if moment is None else set(self.naive[caller].votes(moment)))
        assert number(here.phase) == PHASES[call.phase]
        assert flag(here.asks) == (call.asks_for is not None)
        assert _held(here.carried) == set(call.votes)
        nobody = (FALSE,) * len(NAMES)
        steps = {
            "can call": network.call_peer(self.state, link, caller, everybody),
            "called": network.receive_call(self.state, link, peer, nobody),
            "inserted": network.answer_call(self.state, link, peer, everybody),
            "answered": network.receive_answer(self.state, link, caller, nobody),
        }
        expected = "can call" if self._can_call(link) else call.phase
        assert [name for name, step in steps.items() if is_possible(step)] == [expected] * (expected != "idle")
        oversized = network.refuse_message(self.state, link, LIMIT, self.connection)
        assert is_possible(oversized) == self._is_oversized(link)


def _flags(names: Iterable[str]) -> tuple[Bool, ...]:
    wanted = set(names)
    return tuple(TRUE if name in wanted else FALSE for name in NAMES)


def _held(flags: Sequence[Bool]) -> set[str]:
    return {name for name, here in zip(NAMES, flags, strict=True) if flag(here)}


def _batch(vote: Vote) -> tuple[int, str, str] | None:
    at = number(vote.number)
    return None if at == NONE else (at, f"{'h' if number(vote.variant) == OWN_HASH else 'x'}{at}", "g0")
