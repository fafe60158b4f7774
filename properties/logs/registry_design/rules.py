"""Which action of the vote-registry design each event of a log is, and what must agree: `docs/` shows this mapping."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from model.algebra import Bool, all_of, const
from model.registry_design import network
from model.registry_design import node as steps
from model.registry_design.batch_votes import UpdateOutcome
from model.registry_design.qc_finder import PERSISTING, WAITING_FOR_STATUS
from model.revisions import Revision, revision
from model.rules import threshold
from model.topology import MAIN
from model.votes import NONE, Vote
from properties.engines.stepper import State
from properties.logs.ledger import Message, Misfit
from properties.logs.registry_design.ledger import Call, RegistryLedger
from properties.logs.registry_design.reading import LAST_SEALED_START
from properties.logs.registry_design.setting import RegistrySetting
from properties.logs.rules import Context, Move, Reading, Rules, action, reason_at_end, signed
from properties.logs.runs import Event, Run
from properties.logs.setting import GENESIS

REVISIONS: Final = {True: "pr161+era2480", False: "pr161+era2539"}
"""The revision that a log is of, by whether it starts at the last sealed batch."""

RULES: Rules[RegistryContext] = Rules()
rule = RULES.rule


class RegistryContext(Context[RegistrySetting, RegistryLedger]):
    """A run of the vote-registry design that is being followed."""

    rules = RULES

    @staticmethod
    def revision_of(run: Run) -> Revision:
        """By where attestation starts."""
        return revision(REVISIONS[run.header.fields["start"] == LAST_SEALED_START])

    @classmethod
    def of(cls, run: Run, revision: Revision) -> RegistryContext:
        return cls(RegistrySetting(run, revision), RegistryLedger())

    @property
    def contradiction(self) -> str | None:
        said, quorum = self.setting.header.fields["threshold"], threshold(self.setting.committee.total_weight)
        return None if said == quorum else f"the header's threshold is {said}; for these weights it is {quorum}"

    def silent(self, state: State) -> Iterator[int]:
        """The genesis' first block; and polls that give the same number as that node's last one that was logged."""
        stepper, asked = self.setting.stepper, self.setting.asked
        first_block = stepper.index.get((MAIN, f"{network.produce_first_block.name}()"))
        if first_block is not None and stepper.is_enabled(state, first_block):
            yield first_block
        for node, result in self.ledger.polled.items():
            if isinstance(result, int):
                poll = stepper.index[node, f"{steps.poll_status.name}()"]
                if stepper.is_enabled(state, poll) and self.setting.number(state, asked) == result:
                    yield poll

    def is_new(self, sender: str, receiver: str) -> Bool:
        link = self.setting.links[sender, receiver]
        return all_of(vote.number == NONE for vote in (*link.old, *link.in_flight))

    def at_end(self, state: State, end: Event) -> Mapping[str, Any]:
        setting, certified = self.setting, self.setting.node(MAIN).store.certified
        return {
            "reason": reason_at_end(setting, state, end, last=setting.header.batches - 1),
            "main_qcs": setting.certified(state),
            "gap": bool(setting.value(state, certified.has_gap)),
            "next_batch_to_attest": setting.number(state, setting.asked),
            "registries": {node: setting.registry(state, node) for node in setting.header.nodes},
        }


@rule("batch_sealed", network.seal_batch, compares=["number"])
def _batch_sealed(at: RegistryContext, event: Event) -> Reading:
    """Only on the main node; not more batches than the header says."""
    if event.node != MAIN:
        raise Misfit(f"{event.node} seals a batch; only {MAIN} does")
    sealed = at.setting.system.state.sealed
    move = action(MAIN, network.seal_batch)
    return Reading(
        (Move(move.actions, sealed < at.setting.header.batches),),
        lambda before, after: {"number": at.setting.value(before, sealed)},
    )


@rule("batch_persisted", network.persist_batch, compares=["number"])
def _batch_persisted(at: RegistryContext, event: Event) -> Reading:
    """The node's batches come in order."""
    persisted = at.setting.node(event.node).store.persisted
    return Reading(
        (action(event.node, network.persist_batch),),
        lambda before, after: {"number": at.setting.value(before, persisted)},
    )


@rule("commitment_available", network.provide_commitment)
def _commitment_available(at: RegistryContext, event: Event) -> Reading:
    """Once per node and batch, in any order, after the batch was sealed."""
    return Reading((action(event.node, network.provide_commitment, number=event["number"]),))


@rule("status_polled", steps.poll_status, compares=["result"])
def _status_polled(at: RegistryContext, event: Event) -> Reading:
    """Another result than that of the node's last poll, for others are not logged. No action if the watch has the
    number already, or the answer is null or an error; null on the main node means that its database has no answer,
    elsewhere the call may have failed."""
    node, result = at.setting.node(event.node), event["result"]
    at.ledger.poll(event.node, result)
    asked = at.setting.asked
    if result == "error" or (result is None and event.node != MAIN):
        return Reading((Move(when=node.runner.is_idle),))
    unchanged = Move(when=node.runner.is_idle & ((asked == NONE) | (asked == node.status.next_batch_to_attest)))
    return Reading(
        (action(event.node, steps.poll_status), unchanged),
        lambda before, after: {"result": at.setting.number(before, asked)},
    )


@rule("status_changed", steps.update_status, compares=["number"])
def _status_changed(at: RegistryContext, event: Event) -> Reading:
    """With the number of the poll before it."""
    status = at.setting.node(event.node).status
    return Reading(
        (action(event.node, steps.update_status),),
        lambda before, after: {"number": at.setting.number(after, status.next_batch_to_attest)},
    )


@rule("status_read", steps.read_status, steps.read_status_to_attest, compares=["number"])
def _status_read(at: RegistryContext, event: Event) -> Reading:
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
        (action(event.node, steps.read_status if is_finder else steps.read_status_to_attest),),
        lambda before, after: {"number": at.setting.number(after, read)},
    )


@rule("minimum_set", steps.set_min_batch_number, compares=["number", "registry"])
def _minimum_set(at: RegistryContext, event: Event) -> Reading:
    """With the number that the finder has read."""
    setting, finder = at.setting, at.setting.node(event.node).finder
    return Reading(
        (action(event.node, steps.set_min_batch_number),),
        lambda before, after: {
            "number": setting.number(before, finder.number),
            "registry": setting.registry(after, event.node),
        },
    )


@rule("vote_published", steps.publish_vote, network.forge_vote, compares=["key", "number", "hash", "added", "registry"])
def _vote_published(at: RegistryContext, event: Event) -> Reading:
    """An honest attester's vote is on the number that it has read, with the batch's own hash. A Byzantine attester's
    is any vote with its own key; no action if its registry skips it."""
    if event.node not in at.setting.keys:
        raise Misfit(f"{event.node} is no attester")
    if event.node in at.setting.header.byzantine:
        return _forgery_published(at, event)
    setting, node = at.setting, at.setting.node(event.node)
    return Reading(
        (action(event.node, steps.publish_vote),),
        lambda before, after: {
            "key": event.node,
            **setting.subject(before, Vote(node.attester.number, const(0))),
            **_published(setting, event.node, before, after),
        },
    )


def _published(setting: RegistrySetting, node: str, before: State, after: State) -> dict[str, Any]:
    """What a registry says of a vote that was published: a vote that is added is newer, so the registry changes."""
    registry = setting.registry(after, node)
    return {"added": registry != setting.registry(before, node), "registry": registry}


def _forgery_published(at: RegistryContext, event: Event) -> Reading:
    node = at.setting.node(event.node)
    number = at.setting.subjects.number(event["number"])
    variant = at.setting.subjects.variant(event["number"], event["hash"])
    key = at.setting.keys.index(event.node)
    skipped = Move(when=~node.registry.admits(key, Vote(const(number), const(variant))))
    return Reading(
        (action(event.node, network.forge_vote, at=event.node, number=number, variant=variant), skipped),
        lambda before, after: {"key": event.node, **_published(at.setting, event.node, before, after)},
    )


@rule("connected", source="network/src/gossip/runner.rs: run_stream")
def _connected(at: RegistryContext, event: Event) -> Reading:
    """The model's connections are there from the start, and nothing has been pushed on a new one."""
    return at.connected(event)


@rule("disconnected", network.reconnect)
def _disconnected(at: RegistryContext, event: Event) -> Reading:
    """The model's connections break and are made again in one step; no action if there is nothing to lose, as on the
    second end. The reason must be known from the log."""
    return at.disconnected(event, network.reconnect)


@rule("votes_pushed", network.push_votes, compares=["votes"])
def _votes_pushed(at: RegistryContext, event: Event) -> Reading:
    """Only on a connection that is up. A message of a node's own making is kept until it arrives, and no action."""
    node, peer = event.node, event["to"]
    at.ledger.must_be_up(node, peer)
    if node in at.setting.raw:
        at.ledger.send(node, peer, event["votes"])
        return Reading((Move(),), lambda before, after: {"votes": event["votes"]})
    link = at.setting.links[node, peer]
    return Reading(
        (action(node, network.push_votes, to=peer),),
        lambda before, after: {"votes": at.setting.message(after, link.in_flight)},
    )


@rule(
    "votes_received",
    network.receive_votes,
    network.forge_vote,
    network.hand_on_vote,
    compares=["votes", "outcome", "registry"],
)
def _votes_received(at: RegistryContext, event: Event) -> Reading:
    """Only on a connection that is up. A message of a node's own making is taken by the registry in full fidelity; the
    votes that this adds are the actions, none after an error: Byzantine ones, and others that its sender was sent."""
    node, peer = event.node, event["from"]
    at.ledger.must_be_up(node, peer)
    at.ledger.hear(node, event["votes"])
    if peer in at.setting.raw:
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

    return Reading((action(node, network.receive_votes, **{"from": peer}),), fields)


def _raw_received(at: RegistryContext, event: Event, message: Message) -> Reading:
    setting, node = at.setting, event.node
    if "error" in event["outcome"]:
        at.ledger.failed.add(frozenset((node, event["from"])))

    def fields(before: State, after: State) -> Mapping[str, Any]:
        outcome = _outcome(setting, before, node, message)
        added = outcome.registry.votes.items() - setting.full_registry(before, node).votes.items()
        said = {"added": sorted(key for key, _ in added)} if outcome.error is None else {"error": str(outcome.error)}
        return {"votes": message, "outcome": said, "registry": setting.registry(after, node)}

    return Reading((Move(tuple(_forgeries(at, event, message))),), fields)


def _forgeries(at: RegistryContext, event: Event, message: Message) -> list[tuple[str, str]]:
    """The actions that add what the log says was added: whether that is right, the fields tell."""
    added = set(event["outcome"].get("added", ()))
    actions: list[tuple[str, str]] = []
    for vote in message:
        if vote["key"] in added and vote["key"] not in at.setting.header.byzantine:
            at.ledger.must_have_heard(event["from"], vote)
            actions += action(event.node, network.hand_on_vote, signer=vote["key"], number=vote["number"]).actions
        elif vote["key"] in added:
            number, variant = vote["number"], at.setting.subjects.variant(vote["number"], vote["hash"])
            at_number = at.setting.subjects.number(number)
            move = action(vote["key"], network.forge_vote, at=event.node, number=at_number, variant=variant)
            actions += move.actions
    return actions


def _outcome(setting: RegistrySetting, state: State, node: str, message: Message) -> UpdateOutcome:
    """What the registry in full fidelity makes of a message."""
    skips = setting.system.revision.skips_bad_signatures
    registry = setting.full_registry(state, node)
    return registry.update(setting.committee, GENESIS, signed(message), skip_bad_signatures=skips)


@rule("quorum_found", steps.find_quorum, compares=["number", "hash", "signers", "verifies"])
def _quorum_found(at: RegistryContext, event: Event) -> Reading:
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

    return Reading((action(event.node, steps.find_quorum),), fields)


@rule("qc_persist_started", steps.store_qc, compares=["number"])
def _qc_persist_started(at: RegistryContext, event: Event) -> Reading:
    """The call begins. With an asynchronous store it queues the certificate, which nobody else can see before the
    insertion; with a synchronous one there is no action yet, and the batch must be there."""
    setting, node = at.setting, at.setting.node(event.node)
    quorum = node.finder.quorum.number
    at.ledger.must_be_over(event.node)
    at.ledger.calls[event.node] = Call(event["number"], is_inserted=not setting.is_sync)
    has_batch = node.finder.is_in(PERSISTING) & node.store.has(quorum)
    return Reading(
        (Move(when=has_batch) if setting.is_sync else action(event.node, steps.store_qc),),
        lambda before, after: {"number": setting.number(before, quorum)},
    )


@rule("qc_persisted", steps.insert_qc, steps.store_qc, compares=["number", "stored", "verifies"])
def _qc_persisted(at: RegistryContext, event: Event) -> Reading:
    """The insertion: by the background task with an asynchronous store, within `store_qc` with a synchronous one. The
    certificate is the one that was found, so it verifies if that one did."""
    setting, node, is_sync = at.setting, at.setting.node(event.node), at.setting.is_sync
    certificate = node.finder.quorum if is_sync else node.store.queue.head
    is_there = node.store.certified.contains(certificate.number)
    if is_sync:
        if event.node not in at.ledger.calls:
            raise Misfit(f"the finder of {event.node} is not storing a certificate")
        at.ledger.calls[event.node].is_inserted = True
    verifies = at.ledger.inserted(event.node)
    return Reading(
        (action(event.node, steps.store_qc if is_sync else steps.insert_qc),),
        lambda before, after: {
            "number": setting.number(before, certificate.number),
            "stored": not setting.value(before, is_there),
            "verifies": verifies,
        },
    )


@rule("qc_persist_returned", compares=["number"], source="storage/src/batch_store/mod.rs: BatchStore::persist_batch_qc")
def _qc_persist_returned(at: RegistryContext, event: Event) -> Reading:
    """The call is over; with a synchronous store the certificate must have been inserted."""
    call = at.ledger.calls.pop(event.node, None)
    if call is None:
        raise Misfit(f"the finder of {event.node} is not storing a certificate")
    if not call.is_inserted:
        raise Misfit(f"the certificate of {call.number} has not been inserted at {event.node}")
    return Reading((Move(),), lambda before, after: {"number": call.number})


@rule("node_restarted", network.restart_node)
def _node_restarted(at: RegistryContext, event: Event) -> Reading:
    """With what the log says is lost with it."""
    at.ledger.restart(event.node)
    return Reading((action(event.node, network.restart_node),))
