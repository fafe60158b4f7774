"""The model of a run of the controller design."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, Final

from model.algebra import Bool, Expression, Int, const, where
from model.committee import Committee
from model.controller_design import network
from model.controller_design.controller import Controller, Info
from model.controller_design.controller import State as Attested
from model.controller_design.gossip import Link
from model.controller_design.node import OWN_HASH, Node
from model.controller_design.system import ControllerDesign
from model.messages import Batch, SignedBatch
from model.revisions import Revision
from model.scope import Scope
from model.topology import MAIN
from model.votes import NONE, Vote
from properties.engines.stepper import State
from properties.logs.controller_design.reading import OTHER_HASHES, SPLIT, ControllerHeader
from properties.logs.runs import Run
from properties.logs.setting import GENESIS, Setting, stepper_for
from properties.recordings.format import MalformedRecording
from properties.results.trace import Arrangement

ENVIRONMENT: Final = (
    network.seal_batch,
    network.provide_hash,
    network.diverge,
    network.execute_again,
    network.forge_vote,
    network.hand_on_vote,
    network.restart_node,
    network.reconnect,
)
"""What is not a step of the protocol: batches, forgeries and faults."""


def own_hash(number: int) -> str:
    """The hash of a batch, as a log has it."""
    return f"h{number}"


def strayed(run: Run, header: ControllerHeader) -> tuple[str, str] | None:
    """The node that has another hash of a batch than all others, in the profile that has one, and that hash; none if no
    node does.

    Raises `MalformedRecording` for a name that no scope has.
    """
    for event in run.events if header.fields["profile"] == OTHER_HASHES else ():
        if event.kind == "hash_available" and event["hash"] != own_hash(event["number"]):
            if len(event.node) > 1:
                raise MalformedRecording(event.line, f"{event.node} has another hash: name it by a single letter")
            return event.node, event["hash"]
    return None


def dissenting(run: Run, header: ControllerHeader) -> str:
    """The node that starts some numbers with another committee, in the profile that has one; empty if no node does."""
    if header.fields["profile"] == SPLIT:
        for event in run.events:
            is_start = event.kind == "attestation_started"
            if is_start and event["committee"] != header.committee_name(event["number"]):
                return event.node
    return ""


class ControllerSetting(Setting):
    """The model of one run. A state is read by node, with the log's names for what is in it.

    The model numbers batches from 0, and attests them from the least on that its revision attests.
    """

    environment = ENVIRONMENT
    certifying = "cert_found"
    schedules = 30
    """No step takes a certificate away again, so the order hardly matters."""

    def __init__(self, run: Run, revision: Revision) -> None:
        header = run.header
        assert isinstance(header, ControllerHeader)
        self.run, self.log = run, header
        self.keys = header.keys
        self.committees = header.committees
        self.revision = revision
        self.astray, self.dissenter = strayed(run, header), dissenting(run, header)
        self.offset = header.first_batch - self.revision.least_attested
        weights = tuple((key, 1) for key in self.keys)
        arrangement = Arrangement(weights, header.byzantine, tuple(header.nodes), header.connections)
        super().__init__(header, stepper_for(self.revision, self._scope(arrangement), arrangement), arrangement)
        assert isinstance(self.service, ControllerDesign)
        self.system = self.service

    def _scope(self, arrangement: Arrangement) -> Scope:
        """The scope of the run: every step on its own, and as much of everything as the run needs."""
        counts = Counter(event.kind for event in self.run.events)
        return Scope(
            arrangement.instance,
            batches=self.revision.least_attested + self.log.batches,
            late_answers=True,
            echo=True,
            late_batches=True,
            call_steps=True,
            certificate_steps=True,
            restarts=counts["node_restarted"],
            disconnects=counts["disconnected"],
            handed_on=bool(self.log.byzantine),
            committees=";".join([*["none"] * self.revision.least_attested, *self._schedule()]),
            split=self.dissenter,
            divergences=1 if self.astray else 0,
            astray=self.astray[0] if self.astray else "",
        )

    def _schedule(self) -> Iterator[str]:
        """The committee of each batch; and after the last batch those of none, which a node may start all the same."""
        scheduled = [name for number in self.log.numbers if (name := self.log.committee_name(number))]
        for name in (*scheduled, *(name for name in self.committees if name not in scheduled)):
            yield ",".join(str(weight) for weight in self._weights(self.committees[name]))

    def _weights(self, committee: Committee) -> list[int]:
        return [committee.weight(key) or 0 for key in self.keys]

    @cached_property
    def places(self) -> Mapping[str, int]:
        """The place of each committee in the model, by name; equal ones have the same."""
        electorates = [[weight.value for weight in one.weights] for one in self.system.committees.electorates]
        return {name: electorates.index(self._weights(committee)) for name, committee in self.committees.items()}

    def node(self, name: str) -> Node:
        return self.system.state.nodes[self.place(name)]

    @cached_property
    def links(self) -> Mapping[tuple[str, str], Link]:
        """The links by (caller, peer)."""
        names = [place.name for place in self.system.topology.places]
        pairs = zip(self.system.topology.links, self.system.state.links, strict=True)
        return {(names[caller], names[peer]): link for (caller, peer), link in pairs}

    @property
    def raw(self) -> frozenset[str]:
        """The nodes that send messages of their own making."""
        return self.header.byzantine

    @property
    def honest(self) -> list[str]:
        return [node for node in self.header.nodes if node not in self.header.byzantine]

    def recorded_number(self, number: int) -> int:
        return number + self.offset

    def number(self, state: State, number: Int) -> int | None:
        """A batch number as the log has it."""
        value = self.value(state, number)
        return None if value == NONE else self.recorded_number(value)

    def hash(self, number: int, variant: int) -> str:
        """The hash of the batch with this number in the log."""
        return own_hash(number) if variant == OWN_HASH or self.astray is None else self.astray[1]

    def subject(self, state: State, batch: Vote) -> dict[str, Any] | None:
        """Number and hash of a batch, as the log has them; none for no batch."""
        number, variant = self.values(state, batch.number, batch.variant)
        if number == NONE:
            return None
        recorded = self.recorded_number(number)
        return {"number": recorded, "hash": self.hash(recorded, variant)}

    def held(self, state: State, votes: Sequence[Bool]) -> list[str]:
        """The keys whose votes these are, in order."""
        flags = zip(self.keys, self.values(state, *votes), strict=True)
        return [key for key, flag in flags if flag]

    def message(self, state: State, batch: Vote, votes: Sequence[Bool]) -> list[dict[str, Any]]:
        """Votes on a batch as a list in the order of their keys."""
        subject = self.subject(state, batch) or {}
        return [{"key": key, **subject} for key in self.held(state, votes)]

    def state_of(self, state: State, node: str, committee: str | None) -> dict[str, Any] | None:
        """What a node attests, and its votes; `committee` is the name with which it was started."""
        attestation = self.node(node).attestation
        subject = self.subject(state, attestation.batch)
        if subject is None:
            return None
        place = self.value(state, attestation.committee)
        if committee is None or self.places[committee] != place:
            committee = next(name for name, at in self.places.items() if at == place)
        votes = self.held(state, attestation.votes)
        weight = self.committees[committee].weight_of_keys(votes)
        return {**subject, "committee": committee, "votes": votes, "total_weight": weight}

    def full_controller(self, state: State, node: str) -> Controller:
        """The controller of a node in full fidelity, with errors, strangers, signatures and other forks."""
        here = self.state_of(state, node, None)
        key = self.log.fields["keys"][node]
        if here is None:
            return Controller(key)
        batch = Batch(here["number"], here["hash"], GENESIS)
        votes = {each: SignedBatch(each, batch) for each in here["votes"]}
        info = Info(batch, self.committees[here["committee"]])
        return Controller(key, Attested(info, votes, here["total_weight"]))

    def answer(self, state: State) -> int | None:
        """What a poll gives: nothing before the main node's database has the first batch."""
        has_first = self.node(MAIN).store.persisted > self.revision.least_attested
        return self.number(state, where(has_first, self.asked, const(NONE)))

    def splits(self) -> Iterator[Expression]:
        """They say on which hash the votes are that a link carries or a node has, and which batch it has started."""
        yield from (link.batch.variant for link in self.system.state.links)
        for node in self.system.state.nodes:
            yield from (node.attestation.batch.variant, node.attestation.batch.number)

    def is_waiting_for_hashes(self, state: State) -> bool:
        """Whether an honest node has yet to get a batch."""
        last = self.revision.least_attested + self.log.batches
        return any(self.value(state, self.node(name).store.persisted) < last for name in self.honest)
