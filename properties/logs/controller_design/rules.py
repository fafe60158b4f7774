"""Which action of the controller design each event of a log is, and what must agree: `docs/` shows this mapping."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from model.algebra import Bool
from model.controller_design import network
from model.controller_design.controller import Inserted
from model.controller_design.gossip import IDLE
from model.controller_design.node import find_certificate, insert_certificate, read_status, start_attestation
from model.controller_design.rules import is_unasked
from model.controller_design.task import READING_STATUS
from model.messages import Batch
from model.revisions import Revision, revision
from model.topology import MAIN
from model.transitions import Transition
from model.votes import NONE
from properties.engines.stepper import State
from properties.logs.controller_design.ledger import Call, ControllerLedger
from properties.logs.controller_design.reading import UNASKED
from properties.logs.controller_design.setting import ControllerSetting, own_hash
from properties.logs.ledger import Message, Misfit
from properties.logs.rules import Context, Move, Reading, Rules, action, reason_at_end, signed
from properties.logs.runs import STUCK, Event, Run
from properties.logs.setting import GENESIS

REVISION: Final = "pr175+era2684"

RULES: Rules[ControllerContext] = Rules()
rule = RULES.rule


class ControllerContext(Context[ControllerSetting, ControllerLedger]):
    """A run of the controller design that is being followed."""

    rules = RULES

    @staticmethod
    def revision_of(run: Run) -> Revision:
        """The first one with a committee for each batch."""
        return revision(REVISION)

    @classmethod
    def of(cls, run: Run, revision: Revision) -> ControllerContext:
        return cls(ControllerSetting(run, revision), ControllerLedger())

    @property
    def contradiction(self) -> str | None:
        for name, committee in self.setting.committees.items():
            said = self.setting.header.fields["thresholds"][name]
            if said != committee.threshold:
                return f"the header's threshold of {name} is {said}; for these weights it is {committee.threshold}"
        return None

    def silent(self, state: State) -> Iterator[int]:
        """None: each node's first poll after it has started is logged, and whatever differs from the one before."""
        return iter(())

    def read(self, event: Event) -> Reading:
        self.ledger.expect(event)
        return super().read(event)

    def is_new(self, sender: str, receiver: str) -> Bool:
        link = self.setting.links[sender, receiver]
        return link.is_in(IDLE) & (link.batch.number == NONE)

    def at_end(self, state: State, end: Event) -> Mapping[str, Any]:
        setting = self.setting
        reason = reason_at_end(setting, state, end, last=setting.log.numbers[-1])
        return {
            "reason": "not stuck: a hash is missing"
            if reason == STUCK and setting.is_waiting_for_hashes(state)
            else reason,
            "main_qcs": setting.certified(state),
            "states": {node: self.state_of(state, node) for node in setting.honest},
        }

    def state_of(self, state: State, node: str) -> dict[str, Any] | None:
        """What a node attests, as the log tells it: nothing of a Byzantine one."""
        if node in self.setting.header.byzantine:
            return None
        return self.setting.state_of(state, node, self.ledger.committees.get(node))

    def must_be_honest(self, event: Event) -> None:
        """Raise `Misfit` for a node of which only messages are logged."""
        if event.node in self.setting.header.byzantine:
            raise Misfit(f"{event.node} is Byzantine: only its messages are logged")


@rule(
    "hash_available",
    network.seal_batch,
    network.provide_hash,
    network.diverge,
    network.execute_again,
    compares=["number", "hash"],
)
def _hash_available(at: ControllerContext, event: Event) -> Reading:
    """The node's batches come in order, on the main node as soon as they are sealed. With another hash than `h<n>` the
    node has executed the batch otherwise; a second line for a batch, after a restart, is that it has executed it again.
    (Where batch 0 is never attested, the model has it, and provides it before the first.)"""
    at.must_be_honest(event)
    setting, node, name = at.setting, at.setting.node(event.node), event.node
    is_first = event["number"] == setting.log.first_batch
    count = 1 + (setting.revision.least_attested if is_first else 0)
    provided = action(name, network.provide_hash)
    if event["hash"] != own_hash(event["number"]):
        provided = action(name, network.diverge).and_then(provided)
    for _ in range(count - 1):
        provided = action(name, network.provide_hash).and_then(provided)
    for _ in range(count if name == MAIN else 0):
        provided = action(MAIN, network.seal_batch).and_then(provided)

    def fields(before: State, after: State) -> Mapping[str, Any]:
        was_diverged, diverged = setting.value(before, node.diverged), setting.value(after, node.diverged)
        is_again = was_diverged != NONE and diverged == NONE
        number = setting.recorded_number(was_diverged if is_again else setting.value(after, node.store.persisted) - 1)
        is_other = diverged != NONE and number == setting.recorded_number(diverged)
        return {"number": number, "hash": setting.astray[1] if is_other and setting.astray else own_hash(number)}

    return Reading((provided, action(name, network.execute_again)), fields)


@rule("status_polled", read_status, compares=["result"])
def _status_polled(at: ControllerContext, event: Event) -> Reading:
    """Another result than that of the node's last poll since it started, for others are not logged. No action if the
    node has started the number already, or the answer is null or an error. Null means that the main node's database has
    no batch to attest yet, an error that the main node is down: it has restarted, and not polled since."""
    at.must_be_honest(event)
    setting, node, result = at.setting, at.setting.node(event.node), event["result"]
    at.ledger.poll(event.node, result)
    reads = node.runs & node.task.is_in(READING_STATUS)
    if result == "error":
        return Reading((Move(when=reads),))
    ignores = Move(when=reads & ~node.is_listening_to(setting.asked))
    moves = (Move(when=reads),) if result is None else (action(event.node, read_status), ignores)
    return Reading(moves, lambda before, after: {"result": setting.answer(before)})


@rule("attestation_started", start_attestation, compares=["number", "hash", "committee", "outcome", "state"])
def _attestation_started(at: ControllerContext, event: Event) -> Reading:
    """The number that the node has read, with the hash that it has. With the committee that the header names; in
    the profile `split` one node may start others."""
    at.must_be_honest(event)
    setting, name = at.setting, event.node
    named = setting.log.committee_name(event["number"])
    if event["committee"] not in setting.places or (event["committee"] != named and name != setting.dissenter):
        raise Misfit(f"{name} starts {event['number']} by {event['committee']}, and the header names {named}")
    at.ledger.start(name, event["number"], event["committee"])
    committee = at.ledger.committees[name]
    arguments = {"committee": setting.places[event["committee"]]} if name == setting.dissenter else {}

    def fields(before: State, after: State) -> Mapping[str, Any]:
        state = setting.state_of(after, name, committee) or {}
        started = {field: state.get(field) for field in ("number", "hash", "committee")}
        return {**started, "outcome": "ok", "state": state}

    return Reading((action(name, start_attestation, **arguments),), fields)


@rule("connected", source="network/src/gossip/runner.rs: run_stream")
def _connected(at: ControllerContext, event: Event) -> Reading:
    """The model's connections are there from the start, and nothing has been told on a new one."""
    return at.connected(event)


@rule("disconnected", network.reconnect)
def _disconnected(at: ControllerContext, event: Event) -> Reading:
    """The model's connections break and are made again in one step; no action if there is nothing to lose, as on the
    second end. An error is an answer that was not asked for; after `restart` the node of one end restarts."""
    return at.disconnected(event, network.reconnect)


@rule("request_sent", network.call_peer, compares=["want", "votes"])
def _request_sent(at: ControllerContext, event: Event) -> Reading:
    """Only on a connection that is up, with no call in flight on it. What a Byzantine node sends is kept until it
    arrives, and no action."""
    setting, caller, peer = at.setting, event.node, event["to"]
    at.ledger.send(caller, peer, event)
    if caller in setting.header.byzantine:
        return Reading((Move(),))
    link = setting.links[caller, peer]

    def fields(before: State, after: State) -> Mapping[str, Any]:
        wanted = setting.subject(after, link.batch) if setting.value(after, link.asks) else None
        return {"want": wanted, "votes": _listed(event["votes"], setting.message(after, link.batch, link.carried))}

    return Reading((action(caller, network.call_peer, to=peer),), fields)


def _listed(recorded: Message, modelled: Sequence[Mapping[str, Any]]) -> Message:
    """The modelled votes in the order that was recorded, which the real code leaves to a hash map; in their own order
    if they are others."""
    by_key = {vote["key"]: vote for vote in modelled}
    keys = [vote["key"] for vote in recorded]
    return [by_key[key] for key in keys] if sorted(keys) == sorted(by_key) else modelled


@rule(
    "request_received",
    network.receive_call,
    network.forge_vote,
    network.hand_on_vote,
    compares=["votes", "outcome", "state"],
)
def _request_received(at: ControllerContext, event: Event) -> Reading:
    """What was sent, in the same order. The controller in full fidelity says what becomes of it, and which votes
    stand before an error. Of what a Byzantine node made up, the votes that are added are the actions: its own, and
    others that it was sent. What a Byzantine node makes of a call is its own affair."""
    node, caller = event.node, event["from"]
    call = at.ledger.receive(caller, node)
    return _message_taken(at, event, caller, call.votes, network.receive_call if caller not in at.setting.raw else None)


@rule("request_answered", network.answer_call, compares=["want", "votes"])
def _request_answered(at: ControllerContext, event: Event) -> Reading:
    """With the votes on what is wanted, as it is then. A Byzantine node's answer is kept until it arrives."""
    setting, node, caller = at.setting, event.node, event["to"]
    call = at.ledger.answer(caller, node, event["votes"])
    if node in setting.raw:
        return Reading(
            (action(node, network.answer_call, **{"from": caller}),), lambda before, after: {"want": call.want}
        )
    if caller in setting.raw:
        return Reading((Move(),), lambda before, after: _answered(at, event, call, before))
    link = setting.links[caller, node]

    def fields(before: State, after: State) -> Mapping[str, Any]:
        votes = _listed(event["votes"], setting.message(after, link.batch, link.carried))
        return {"want": call.want, "votes": votes}

    return Reading((action(node, network.answer_call, **{"from": caller}),), fields)


def _answered(at: ControllerContext, event: Event, call: Call, state: State) -> Mapping[str, Any]:
    """What a node answers to a call that a Byzantine one made up."""
    held: list[dict[str, Any]] = []
    if call.want is not None:
        want = Batch(call.want["number"], call.want["hash"], GENESIS)
        answer = at.setting.full_controller(state, event.node).votes(want)
        held = [{"key": vote.key, "number": want.number, "hash": want.hash} for vote in answer]
    return {"want": call.want, "votes": _listed(event["votes"], held)}


@rule(
    "answer_received",
    network.receive_answer,
    network.forge_vote,
    network.hand_on_vote,
    compares=["votes", "outcome", "state"],
)
def _answer_received(at: ControllerContext, event: Event) -> Reading:
    """As with calls. An answer without votes changes nothing. One that was not asked for changes nothing, either, and
    the connection closes: only a Byzantine node gives one."""
    node, peer = event.node, event["from"]
    call = at.ledger.finish(node, peer)
    if node not in at.setting.raw and is_unasked(bool(call.answer), call.want is None):
        at.ledger.failed.add(frozenset((node, peer)))
        return Reading(
            (Move(),),
            lambda before, after: {"votes": call.answer, "outcome": UNASKED, "state": at.state_of(after, node)},
        )
    return _message_taken(at, event, peer, call.answer, network.receive_answer if node not in at.setting.raw else None)


def _message_taken(
    at: ControllerContext, event: Event, sender: str, message: Message, transition: Transition | None
) -> Reading:
    """A message arrives, by this transition; by none if it belongs to a call that a Byzantine node made."""
    setting, node = at.setting, event.node
    arrives = Move() if transition is None else action(node, transition, **{"from": sender})
    if node in setting.raw:
        at.ledger.hear(node, message)
        return Reading((arrives,), lambda before, after: {"votes": message, "outcome": None, "state": None})
    is_answer = event.kind == "answer_received"

    def fields(before: State, after: State) -> Mapping[str, Any]:
        error = _inserted(at, before, node, message).error
        outcome = "ok" if error is None else {"error": error.reason}
        return {
            "votes": message,
            "outcome": None if is_answer and not message else outcome,
            "state": at.state_of(after, node),
        }

    def moves(state: State) -> tuple[Move, ...]:
        inserted = _inserted(at, state, node, message)
        if sender in setting.raw:
            return (Move(arrives.actions + tuple(_forgeries(at, event, state, inserted))),)
        assert transition is not None
        if inserted.error is None:
            return (arrives,)
        keys = [vote["key"] for vote in message]
        before = sorted(keys[: keys.index(inserted.error.vote.key)])
        return (action(node, transition, **{"from": sender, "before_error": "".join(before)}),)

    return Reading((), fields, moves)


def _inserted(at: ControllerContext, state: State, node: str, message: Message) -> Inserted:
    """What the controller in full fidelity makes of a message."""
    return at.setting.full_controller(state, node).insert_votes(signed(message))


def _forgeries(at: ControllerContext, event: Event, state: State, inserted: Inserted) -> Iterator[tuple[str, str]]:
    """The actions that add what a message of a Byzantine node's making adds. Raises `Misfit` for a vote that it cannot
    have."""
    here = at.setting.full_controller(state, event.node)
    if here.state is None or inserted.controller.state is None:
        return
    for key, vote in inserted.controller.state.votes.items():
        if key in here.state.votes:
            continue
        if key in at.setting.header.byzantine:
            yield from action(key, network.forge_vote, at=event.node).actions
        else:
            batch = vote.batch
            at.ledger.must_have_heard(event["from"], {"key": key, "number": batch.number, "hash": batch.hash})
            yield from action(event.node, network.hand_on_vote, signer=key).actions


@rule("cert_found", find_certificate, compares=["number", "hash", "signers", "verifies"])
def _cert_found(at: ControllerContext, event: Event) -> Reading:
    """On the main node, for the number that it has started; all who have voted sign."""
    setting, attestation = at.setting, at.setting.system.main.attestation
    if event.node != MAIN:
        raise Misfit(f"{event.node} finds a certificate; only {MAIN} waits for one")
    return Reading(
        (action(MAIN, find_certificate),),
        lambda before, after: {
            **(setting.subject(before, attestation.batch) or {}),
            "signers": setting.held(before, attestation.votes),
            "verifies": bool(setting.value(before, attestation.certificate_verifies)),
        },
    )


@rule("qc_inserted", insert_certificate, compares=["number"])
def _qc_inserted(at: ControllerContext, event: Event) -> Reading:
    """On the main node, the certificate that it has found."""
    number = at.setting.system.main.attestation.batch.number
    if event.node != MAIN:
        raise Misfit(f"{event.node} inserts a certificate; only {MAIN} does")
    return Reading(
        (action(MAIN, insert_certificate),), lambda before, after: {"number": at.setting.number(before, number)}
    )


@rule("node_restarted", network.restart_node)
def _node_restarted(at: ControllerContext, event: Event) -> Reading:
    """With what the log says is lost with it; its connections have been lost before."""
    at.must_be_honest(event)
    at.ledger.restart(event.node)
    return Reading((action(event.node, network.restart_node),))
