"""The invariants of this design: the main node's task goes from one number to the next, and no vote is lost.

The main node certifies only what it has started, in sequence. So nothing depends on what attesters do, how much they
weigh, or who is Byzantine: the parts of `main_node` speak about the main node alone.
"""

from __future__ import annotations

from collections.abc import Sequence

from model.algebra import TRUE, Bool, Expression, any_of, leaves
from model.controller_design.gossip import ANSWERED, CALLED, INSERTED, Link
from model.controller_design.network import first_to_attest
from model.controller_design.node import Node
from model.controller_design.system import ControllerDesign
from model.controller_design.task import INSERTING, WAITING_FOR_CERTIFICATE, WAITING_FOR_HASH
from properties.proofs.certified import starts_with
from properties.proofs.induction import Invariant


def main_node(system: ControllerDesign) -> tuple[Invariant, ...]:
    """What holds of the main node, whatever all others do."""
    main, asked = system.main, system.next_batch_to_attest
    task, batch, certified = main.task, main.attestation.batch, main.store.certified
    is_collecting = task.is_in(WAITING_FOR_CERTIFICATE) | task.is_in(INSERTING)
    has_number = task.is_in(WAITING_FOR_HASH) | is_collecting
    # A task that begins anew, as is proposed, comes to a number that its controller attests already.
    comes_anew = ~task.is_alive if not system.revision.restarts_task else TRUE
    starts = starts_with(certified, first_to_attest(system.state, system.revision))
    return (
        Invariant("no_gap", "The main node has never had a gap.", (~certified.has_gap,)),
        Invariant("certified_from_first", "The main node's certificates start at the first batch.", (starts,)),
        Invariant(
            "task_at_asked",
            "The main node's task, where it has a number, has the one that the database asks for.",
            (~has_number | (task.number == asked),),
        ),
        Invariant(
            "started_asked",
            "While the task waits for a certificate, or inserts it, its controller attests that number.",
            (~is_collecting | (batch.number == asked),),
        ),
        Invariant(
            "started_before",
            "At any other time what the controller attests is a smaller number; where a task begins anew, none above.",
            ((batch.number <= asked), is_collecting | comes_anew | (batch.number < asked)),
        ),
        Invariant(
            "has_batch",
            "While the task waits for a certificate, or inserts it, the database has the batch.",
            (~is_collecting | main.has_hash(task.number),),
        ),
    )


def verified(system: ControllerDesign) -> tuple[Invariant, ...]:
    """What holds of the votes that the main node has."""
    attestation = system.main.attestation
    members = (~vote | attestation.committees.has_member(attestation.committee, key) for key, vote in held(system))
    in_hand = ~system.main.task.is_in(INSERTING) | attestation.has_quorum
    return (
        Invariant("members", "Every vote that the main node has is of a member of its committee.", tuple(members)),
        Invariant("quorum_in_hand", "While the task inserts a certificate, its votes are a quorum.", (in_hand,)),
    )


def held(system: ControllerDesign) -> list[tuple[int, Bool]]:
    """The votes of the main node's controller, by key."""
    return list(enumerate(system.main.attestation.votes))


def attester(system: ControllerDesign, key: int) -> tuple[Invariant, ...]:
    """What holds of an attester and the two ways of its connection to the main node: no vote of its is lost."""
    main, node, (up, down) = system.main, node_of(system, key), links_of(system, key)
    asked, task, batch = system.next_batch_to_attest, node.task, node.attestation.batch
    waits = task.is_in(WAITING_FOR_HASH)
    ignored = ~waits | (task.next_number > task.number) if system.revision.ignores_at_once else TRUE
    is_heeding = (task.next_number <= asked) | (batch.number == asked) | (waits & (task.number == asked))
    return (
        Invariant(
            "own_vote",
            "An attester that has started a batch has its own vote on it.",
            (~node.attestation.is_on | node.attestation.votes[key],),
        ),
        Invariant(
            "not_ahead",
            "No attester has read, or started, a number above what the main node asks for.",
            (task.number <= asked, batch.number <= asked, task.next_number <= asked + 1),
        ),
        Invariant(
            "goes_on",
            "What an attester waits to start is above what it has started; what it ignores, it has read.",
            (~waits | (task.number > batch.number), ~task.is_alive | (task.next_number > batch.number), ignored),
        ),
        Invariant(
            "heeds", "An attester ignores what is asked for only if it has started it, or is about to.", (is_heeding,)
        ),
        Invariant(
            "told",
            "What a node has told its peer is at most what it has started.",
            (up.batch.number <= batch.number, down.batch.number <= main.attestation.batch.number),
        ),
        Invariant(
            "no_vote_lost",
            "While both are at the same number, the attester's vote is at the main node, or on its way, or still to be "
            "pushed or pulled.",
            (~is_at_same(main, node) | is_here_or_to_come(system, key),),
        ),
    )


def is_at_same(main: Node, node: Node) -> Bool:
    """Whether both have started the same number."""
    return main.attestation.is_on & (main.attestation.batch.number == node.attestation.batch.number)


def is_here_or_to_come(system: ControllerDesign, key: int) -> Bool:
    """Whether an attester's vote on what the main node attests is there, or its connection still brings it."""
    number, (up, down) = system.main.attestation.batch.number, links_of(system, key)
    to_be_pushed = (up.batch.number != number) | ~up.told[key]
    pushed = up.is_in(CALLED) & up.carried[key] & (up.batch.number == number)
    to_be_pulled = down.batch.number != number
    asked_for = (down.is_in(CALLED) | down.is_in(INSERTED)) & down.asks
    pulled = down.is_in(ANSWERED) & down.carried[key]
    return any_of([system.main.attestation.votes[key], to_be_pushed, pushed, to_be_pulled, asked_for, pulled])


def node_of(system: ControllerDesign, key: int) -> Node:
    places = zip(system.topology.places, system.state.nodes, strict=True)
    return next(node for place, node in places if place.key == key)


def links_of(system: ControllerDesign, key: int) -> tuple[Link, Link]:
    """The calls of an attester's node to the main node, and those of the main node to it."""
    topology = system.topology
    node = next(index for index, place in enumerate(topology.places) if place.key == key)
    by_ends = dict(zip(topology.links, system.state.links, strict=True))
    return by_ends[node, topology.main], by_ends[topology.main, node]


def seen_of_main(system: ControllerDesign) -> list[Expression]:
    """The variables that `main_node` speaks about, and those that they depend on: none of any other node, no vote."""
    main = system.main
    record = (system.state.sealed, main.store, main.task, main.attestation.batch, main.attestation.committee, main.runs)
    return [leaf for leaf in leaves(record) if leaf.op == "var"]


def seen_of_votes(system: ControllerDesign, keys: Sequence[int]) -> list[Expression]:
    """The same, and these attesters' votes at the main node."""
    votes = [system.main.attestation.votes[key] for key in keys]
    return [*seen_of_main(system), *(vote for vote in votes if vote.op == "var")]


def seen_of_attester(system: ControllerDesign, key: int) -> list[Expression]:
    """The same, and the attester's node and connection, as far as its own vote is concerned."""
    node = node_of(system, key)
    links = ((link.phase, link.batch, link.told[key], link.asks, link.carried[key]) for link in links_of(system, key))
    own = (node.store, node.task, node.attestation.batch, node.attestation.committee, node.attestation.votes[key])
    record = (*own, *links)
    return [*seen_of_votes(system, (key,)), *(leaf for leaf in leaves(record) if leaf.op == "var")]
