"""Which action of the model each event of a log is, and what must agree. This is the mapping that `docs/` shows.

A rule looks at the event and gives a `Reading`: the sequences of model actions that the event may be (the empty one
where nothing happens that the model has a state for), and how to compute, from the model's states before and after,
the fields that the log recorded. The actions are the model's own, and so are their guards.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from model.algebra import TRUE, Bool, all_of, const
from model.messages import Batch, SignedBatch
from model.registry_design.batch_votes import UpdateOutcome
from model.registry_design.gossip import Link
from model.registry_design.network import (
    forge_vote,
    hand_on_vote,
    persist_batch,
    provide_commitment,
    push_votes,
    receive_votes,
    reconnect,
    restart_node,
    seal_batch,
)
from model.registry_design.node import (
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
from model.registry_design.qc_finder import PERSISTING, WAITING_FOR_STATUS
from model.topology import MAIN
from model.transitions import Transition
from model.votes import NONE, Vote
from properties.engines.stepper import State
from properties.logs.ledger import Call, Ledger, Message, Misfit
from properties.logs.reading import Event
from properties.logs.setting import GENESIS, Setting


@dataclass(frozen=True)
class Move:
    """One thing that an event can be: actions of the model, by (node, text), in this order; and a condition on the
    state before, where there is more to say than the actions' guards do."""

    actions: tuple[tuple[str, str], ...] = ()
    when: Bool = TRUE


Fields = Callable[[State, State], Mapping[str, Any]]


@dataclass(frozen=True)
class Reading:
    """What an event can be in the model, and the fields that the model gives, from the states before and after."""

    moves: tuple[Move, ...]
    fields: Fields


@dataclass
class Context:
    """What a rule needs to know: the model of the run, and the record of the run so far."""

    setting: Setting
    ledger: Ledger


@dataclass(frozen=True)
class Rule:
    """How one kind of event is read. `actions`, `sources` and `note` are for the reader of the table: the actions that
    it can be, where the real code does it, and what else is asked of it; `compares` are the fields of the log that the
    model must agree with."""

    event: str
    actions: tuple[Transition, ...]
    sources: tuple[str, ...]
    compares: tuple[str, ...]
    note: str
    read: Callable[[Context, Event], Reading]


RULES: dict[str, Rule] = {}


def rule(
    event: str, *actions: Transition, compares: Sequence[str] = (), source: str = ""
) -> Callable[[Callable[[Context, Event], Reading]], Callable[[Context, Event], Reading]]:
    """Declare the rule of a kind of event; the function's docstring is the note. `source` is for events that are no
    action."""

    def declare(read: Callable[[Context, Event], Reading]) -> Callable[[Context, Event], Reading]:
        note = " ".join((read.__doc__ or "").split())
        sources = dict.fromkeys((*(action.source for action in actions), *([source] if source else [])))
        RULES[event] = Rule(event, actions, tuple(sources), tuple(compares), note, read)
        return read

    return declare


def _nothing(before: State, after: State) -> Mapping[str, Any]:
    return {}


def _action(node: str, transition: Transition, **arguments: int | str) -> Move:
    """One action of the model."""
    text = ", ".join(f"{name}={value}" for name, value in arguments.items())
    return Move(((node, f"{transition.name}({text})"),))


@rule("batch_sealed", seal_batch, compares=["number"])
def _batch_sealed(at: Context, event: Event) -> Reading:
    """Only on the main node; not more batches than the header says."""
    if event.node != MAIN:
        raise Misfit(f"{event.node} seals a batch; only {MAIN} does")
    sealed = at.setting.system.state.sealed
    move = _action(MAIN, seal_batch)
    return Reading(
        (Move(move.actions, sealed < at.setting.header.batches),),
        lambda before, after: {"number": at.setting.value(before, sealed)},
    )


@rule("batch_persisted", persist_batch, compares=["number"])
def _batch_persisted(at: Context, event: Event) -> Reading:
    """The node's batches come in order."""
    persisted = at.setting.node(event.node).store.persisted
    return Reading(
        (_action(event.node, persist_batch),), lambda before, after: {"number": at.setting.value(before, persisted)}
    )


@rule("commitment_available", provide_commitment)
def _commitment_available(at: Context, event: Event) -> Reading:
    """Once per node and batch, in any order, after the batch was sealed."""
    return Reading((_action(event.node, provide_commitment, number=event["number"]),), _nothing)


@rule("status_polled", poll_status, compares=["result"])
def _status_polled(at: Context, event: Event) -> Reading:
    """Another result than that of the node's last poll, for others are not logged. No action if the watch has the
    number already, or the answer is null or an error; null on the main node means that its database has no answer,
    elsewhere the call may have failed."""
    node, result = at.setting.node(event.node), event["result"]
    at.ledger.poll(event.node, result)
    asked = at.setting.asked
    if result == "error" or (result is None and event.node != MAIN):
        return Reading((Move(when=node.runner.is_idle),), _nothing)
    unchanged = Move(when=node.runner.is_idle & ((asked == NONE) | (asked == node.status.next_batch_to_attest)))
    return Reading(
        (_action(event.node, poll_status), unchanged),
        lambda before, after: {"result": at.setting.number(before, asked)},
    )


@rule("status_changed", update_status, compares=["number"])
def _status_changed(at: Context, event: Event) -> Reading:
    """With the number of the poll before it."""
    status = at.setting.node(event.node).status
    return Reading(
        (_action(event.node, update_status),),
        lambda before, after: {"number": at.setting.number(after, status.next_batch_to_attest)},
    )


@rule("status_read", read_status, read_status_to_attest, compares=["number"])
def _status_read(at: Context, event: Event) -> Reading:
    """By the finder or by the attester; no action if the number is null. The finder must have returned from storing a
    certificate."""
    node, is_finder = at.setting.node(event.node), event["by"] == "finder"
    status = node.status.next_batch_to_attest
    if is_finder:
        at.ledger.must_be_over(event.node)
    if event["number"] is None:
        waits = node.finder.is_in(WAITING_FOR_STATUS) if is_finder else node.attester.is_waiting
        return Reading((Move(when=waits),), lambda before, after: {"number": at.setting.number(before, status)})
    read = node.finder.number if is_finder else node.attester.number
    return Reading(
        (_action(event.node, read_status if is_finder else read_status_to_attest),),
        lambda before, after: {"number": at.setting.number(after, read)},
    )


@rule("minimum_set", set_min_batch_number, compares=["number", "registry"])
def _minimum_set(at: Context, event: Event) -> Reading:
    """With the number that the finder has read."""
    setting, finder = at.setting, at.setting.node(event.node).finder
    return Reading(
        (_action(event.node, set_min_batch_number),),
        lambda before, after: {
            "number": setting.number(before, finder.number),
            "registry": setting.registry(after, event.node),
        },
    )


@rule("vote_published", publish_vote, forge_vote, compares=["key", "number", "hash", "added", "registry"])
def _vote_published(at: Context, event: Event) -> Reading:
    """An honest attester's vote is on the number that it has read, with the batch's own hash. A Byzantine attester's
    is any vote with its own key; no action if its registry skips it."""
    if event.node not in at.setting.keys:
        raise Misfit(f"{event.node} is no attester")
    if event.node in at.setting.header.byzantine:
        return _forgery_published(at, event)
    setting, node = at.setting, at.setting.node(event.node)
    return Reading(
        (_action(event.node, publish_vote),),
        lambda before, after: {
            "key": event.node,
            **setting.subject(before, Vote(node.attester.number, const(0))),
            **_published(setting, event.node, before, after),
        },
    )


def _published(setting: Setting, node: str, before: State, after: State) -> dict[str, Any]:
    """What a registry says of a vote that was published: a vote that is added is newer, so the registry changes."""
    registry = setting.registry(after, node)
    return {"added": registry != setting.registry(before, node), "registry": registry}


def _forgery_published(at: Context, event: Event) -> Reading:
    node = at.setting.node(event.node)
    number = at.setting.subjects.number(event["number"])
    variant = at.setting.subjects.variant(event["number"], event["hash"])
    key = at.setting.keys.index(event.node)
    skipped = Move(when=~node.registry.admits(key, Vote(const(number), const(variant))))
    return Reading(
        (_action(event.node, forge_vote, at=event.node, number=number, variant=variant), skipped),
        lambda before, after: {"key": event.node, **_published(at.setting, event.node, before, after)},
    )


@rule("connected", source="network/src/gossip/runner.rs: run_stream")
def _connected(at: Context, event: Event) -> Reading:
    """The model's connections are there from the start, and nothing has been pushed on a new one."""
    _must_be_neighbours(at, event.node, event["peer"])
    at.ledger.connect(event.node, event["peer"])
    return Reading((Move(when=_is_new(at.setting.links[event.node, event["peer"]])),), _nothing)


@rule("disconnected", reconnect)
def _disconnected(at: Context, event: Event) -> Reading:
    """The model's connections break and are made again in one step; no action if there is nothing to lose, as on the
    second end. The reason must be known from the log."""
    node, peer = event.node, event["peer"]
    _must_be_neighbours(at, node, peer)
    at.ledger.disconnect(node, peer, event["reason"])
    links = at.setting.links
    nothing_to_lose = Move(when=_is_new(links[node, peer]) & _is_new(links[peer, node]))
    dialer, listener = (node, peer) if (node, peer) in at.setting.header.connections else (peer, node)
    lost = Move(_action(dialer, reconnect, to=listener).actions, ~nothing_to_lose.when)
    return Reading((nothing_to_lose, lost), _nothing)


def _must_be_neighbours(at: Context, node: str, peer: str) -> None:
    if (node, peer) not in at.setting.links:
        raise Misfit(f"the header's topology has no connection between {node} and {peer}")


def _is_new(link: Link) -> Bool:
    """Whether nothing has been pushed on this link since it was made."""
    return all_of(vote.number == NONE for vote in (*link.old, *link.in_flight))


@rule("votes_pushed", push_votes, compares=["votes"])
def _votes_pushed(at: Context, event: Event) -> Reading:
    """Only on a connection that is up. A message of a node's own making is kept until it arrives, and no action."""
    node, peer = event.node, event["to"]
    at.ledger.must_be_up(node, peer)
    if node in at.setting.header.raw:
        at.ledger.send(node, peer, event["votes"])
        return Reading((Move(),), lambda before, after: {"votes": event["votes"]})
    link = at.setting.links[node, peer]
    return Reading(
        (_action(node, push_votes, to=peer),),
        lambda before, after: {"votes": at.setting.message(after, link.in_flight)},
    )


@rule("votes_received", receive_votes, forge_vote, hand_on_vote, compares=["votes", "outcome", "registry"])
def _votes_received(at: Context, event: Event) -> Reading:
    """Only on a connection that is up. A message of a node's own making is taken by the registry in full fidelity; the
    votes that this adds are the actions, none after an error: Byzantine ones, and others that its sender was sent."""
    node, peer = event.node, event["from"]
    at.ledger.must_be_up(node, peer)
    at.ledger.hear(node, event["votes"])
    if peer in at.setting.header.raw:
        return _raw_received(at, event, at.ledger.receive(peer, node))
    setting, link = at.setting, at.setting.links[peer, node]

    def fields(before: State, after: State) -> Mapping[str, Any]:
        registry, earlier = setting.registry(after, node), setting.registry(before, node)["votes"]
        added = [key for key, vote in registry["votes"].items() if vote != earlier.get(key)]
        return {
            "votes": setting.message(before, link.in_flight),
            "outcome": {"added": added},
            "registry": registry,
        }

    return Reading((_action(node, receive_votes, **{"from": peer}),), fields)


def _raw_received(at: Context, event: Event, message: Message) -> Reading:
    setting, node = at.setting, event.node
    if "error" in event["outcome"]:
        at.ledger.failed.add(frozenset((node, event["from"])))

    def fields(before: State, after: State) -> Mapping[str, Any]:
        outcome = _outcome(setting, before, node, message)
        added = outcome.registry.votes.items() - setting.full_registry(before, node).votes.items()
        said = {"added": sorted(key for key, _ in added)} if outcome.error is None else {"error": str(outcome.error)}
        return {"votes": message, "outcome": said, "registry": setting.registry(after, node)}

    return Reading((Move(tuple(_forgeries(at, event, message))),), fields)


def _forgeries(at: Context, event: Event, message: Message) -> list[tuple[str, str]]:
    """The actions that add what the log says was added: whether that is right, the fields tell."""
    added = set(event["outcome"].get("added", ()))
    actions: list[tuple[str, str]] = []
    for vote in message:
        if vote["key"] in added and vote["key"] not in at.setting.header.byzantine:
            if not at.ledger.has_heard(event["from"], vote):
                raise Misfit(
                    f"a made-up message adds a vote of {vote['key']}, which is not Byzantine, and "
                    f"{event['from']} has never been sent that vote"
                )
            actions += _action(event.node, hand_on_vote, signer=vote["key"], number=vote["number"]).actions
        elif vote["key"] in added:
            number, variant = vote["number"], at.setting.subjects.variant(vote["number"], vote["hash"])
            at_number = at.setting.subjects.number(number)
            move = _action(vote["key"], forge_vote, at=event.node, number=at_number, variant=variant)
            actions += move.actions
    return actions


def _outcome(setting: Setting, state: State, node: str, message: Message) -> UpdateOutcome:
    """What the registry in full fidelity makes of a message."""
    votes = [
        SignedBatch(
            vote["key"],
            Batch(vote["number"], vote["hash"], vote.get("genesis", GENESIS)),
            valid="signature" not in vote,
        )
        for vote in message
    ]
    skips = setting.system.revision.skips_bad_signatures
    registry = setting.full_registry(state, node)
    return registry.update(setting.committee, GENESIS, votes, skip_bad_signatures=skips)


@rule("quorum_found", find_quorum, compares=["number", "hash", "signers", "verifies"])
def _quorum_found(at: Context, event: Event) -> Reading:
    """The signers are the attesters whose votes have the certificate's hash."""
    setting, node = at.setting, at.setting.node(event.node)
    quorum = node.registry.find_quorum(setting.system.electorate).vote
    signed = [(vote.number != NONE) & node.registry.is_collected(vote, quorum) for vote in node.registry.votes]
    verifies = node.registry.certificate_verifies(quorum, setting.system.electorate)
    at.ledger.found(event.node, event["verifies"])

    def fields(before: State, after: State) -> Mapping[str, Any]:
        flags = zip(setting.keys, setting.values(before, *signed), strict=True)
        return {
            **setting.subject(after, node.finder.quorum),
            "signers": [key for key, has_signed in flags if has_signed],
            "verifies": bool(setting.value(before, verifies)),
        }

    return Reading((_action(event.node, find_quorum),), fields)


@rule("qc_persist_started", store_qc, compares=["number"])
def _qc_persist_started(at: Context, event: Event) -> Reading:
    """The call begins. With an asynchronous store it queues the certificate, which nobody else can see before the
    insertion; with a synchronous one there is no action yet, and the batch must be there."""
    setting, node = at.setting, at.setting.node(event.node)
    quorum = node.finder.quorum.number
    at.ledger.must_be_over(event.node)
    at.ledger.calls[event.node] = Call(event["number"], is_inserted=not setting.header.is_sync)
    has_batch = node.finder.is_in(PERSISTING) & node.store.has(quorum)
    return Reading(
        (Move(when=has_batch) if setting.header.is_sync else _action(event.node, store_qc),),
        lambda before, after: {"number": setting.number(before, quorum)},
    )


@rule("qc_persisted", insert_qc, store_qc, compares=["number", "stored", "verifies"])
def _qc_persisted(at: Context, event: Event) -> Reading:
    """The insertion: by the background task with an asynchronous store, within `store_qc` with a synchronous one. The
    certificate is the one that was found, so it verifies if that one did."""
    setting, node, is_sync = at.setting, at.setting.node(event.node), at.setting.header.is_sync
    certificate = node.finder.quorum if is_sync else node.store.queue.head
    is_there = node.store.certified.contains(certificate.number)
    if is_sync:
        if event.node not in at.ledger.calls:
            raise Misfit(f"the finder of {event.node} is not storing a certificate")
        at.ledger.calls[event.node].is_inserted = True
    verifies = at.ledger.inserted(event.node)
    return Reading(
        (_action(event.node, store_qc if is_sync else insert_qc),),
        lambda before, after: {
            "number": setting.number(before, certificate.number),
            "stored": not setting.value(before, is_there),
            "verifies": verifies,
        },
    )


@rule("qc_persist_returned", compares=["number"], source="storage/src/batch_store/mod.rs: BatchStore::persist_batch_qc")
def _qc_persist_returned(at: Context, event: Event) -> Reading:
    """The call is over; with a synchronous store the certificate must have been inserted."""
    call = at.ledger.calls.pop(event.node, None)
    if call is None:
        raise Misfit(f"the finder of {event.node} is not storing a certificate")
    if not call.is_inserted:
        raise Misfit(f"the certificate of {call.number} has not been inserted at {event.node}")
    return Reading((Move(),), lambda before, after: {"number": call.number})


@rule("node_restarted", restart_node)
def _node_restarted(at: Context, event: Event) -> Reading:
    """With what the log says is lost with it."""
    at.ledger.restart(event.node)
    return Reading((_action(event.node, restart_node),), _nothing)


COMPARED_AT_END: Final = ("reason", "main_qcs", "gap", "next_batch_to_attest", "registries")
