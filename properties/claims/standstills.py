"""How the attestation controller comes to a standstill: the kinds of its points of no return, each with its predicate.

The kinds are not exclusive: one state can be final for several reasons. Every point of no return that the explorer
finds must be of one of them; one that is not is reported as `unclassified`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from model.algebra import FALSE, Bool, Int, any_of
from model.controller_design.gossip import ANSWERED, CALLED, Link
from model.controller_design.node import Node
from model.controller_design.system import ControllerDesign
from model.controller_design.task import READING_STATUS, WAITING_FOR_HASH
from model.votes import NONE
from properties.claims.kinds import CounterexampleKind, about_asked, kind_of

Holds = Callable[[ControllerDesign], Bool]
Loss = Callable[[ControllerDesign, Node], Bool]
"""Whether a node cannot start, or has not started and will not start, the batch that is asked for."""


def _has_started(node: Node, number: Int) -> Bool:
    return node.attestation.batch.number == number


def _has_in_hand(node: Node, number: Int) -> Bool:
    return _has_started(node, number) | (node.task.number == number)


def _ignores(system: ControllerDesign, node: Node) -> Bool:
    asked = system.next_batch_to_attest
    is_behind = (node.task.next_number > asked) | (node.task.number > asked)
    return node.task.is_alive & is_behind & ~_has_in_hand(node, asked) & node.committee_of(asked).is_required


def _is_deaf(system: ControllerDesign, node: Node) -> Bool:
    is_gone = node.task.is_in(WAITING_FOR_HASH) & (node.task.number <= node.store.pruned)
    return is_gone & ~_has_started(node, system.next_batch_to_attest)


def _has_lost_batch(system: ControllerDesign, node: Node) -> Bool:
    asked = system.next_batch_to_attest
    return (node.store.pruned >= asked) & ~_has_started(node, asked)


def _is_dead(system: ControllerDesign, node: Node) -> Bool:
    if node is system.main:
        return FALSE  # that is a kind of its own
    return ~node.task.is_alive & (~node.runs | ~_has_started(node, system.next_batch_to_attest))


def _reads_no_committee(system: ControllerDesign, node: Node) -> Bool:
    asked = system.next_batch_to_attest
    return node.committee_of(asked).is_error & ~_has_started(node, asked)


def _skips(system: ControllerDesign, node: Node) -> Bool:
    asked = system.next_batch_to_attest
    return ~node.committee_of(asked).is_required & ~_has_started(node, asked) & ~node.has_fallback


def _keeps_hash(node: Node, number: Int) -> Bool:
    """Whether the node has another hash of this batch, and will have as long as its process lives."""
    return (node.diverged == number) & (node.attestation.is_on | (node.task.number == number))


def _has_other_hash(system: ControllerDesign, node: Node) -> Bool:
    asked = system.next_batch_to_attest
    differs = node.own_batch(asked).variant != system.main.own_batch(asked).variant
    return differs & (_keeps_hash(node, asked) | _keeps_hash(system.main, asked))


LOSSES: tuple[Loss, ...] = (
    _ignores,
    _is_deaf,
    _has_lost_batch,
    _is_dead,
    _reads_no_committee,
    _skips,
    _has_other_hash,
)


def _is_quorum(system: ControllerDesign, counts: Callable[[int], Bool]) -> Bool:
    """Whether the attesters that count, and those whose votes the main node has and waits for, make a quorum in the
    committee of the batch that is asked for."""
    asked, main = system.next_batch_to_attest, system.main
    is_waited_for = _has_started(main, asked) & (main.task.number == asked)
    votes = (is_waited_for & vote for vote in main.attestation.votes)
    place = main.committee_of(asked).place
    return system.committees.is_quorum(place, tuple(vote | counts(key) for key, vote in enumerate(votes)))


def _is_too_light(system: ControllerDesign, losses: tuple[Loss, ...]) -> Bool:
    """Whether the attesters whose nodes are not lost in one of these ways make no quorum. Nobody can count on a
    Byzantine attester."""
    nodes = {place.key: node for place, node in zip(system.topology.places, system.state.nodes, strict=True)}

    def counts(key: int) -> Bool:
        return ~any_of(loss(system, nodes[key]) for loss in losses) if key in nodes else FALSE

    return ~_is_quorum(system, counts)


def _byzantine_weight(system: ControllerDesign) -> Bool:
    return _is_too_light(system, ())


def _quorum_lost(*losses: Loss) -> Holds:
    """Whether the attesters that are not lost in one of these ways are too light for a quorum, while without such
    losses they would not be."""
    return lambda system: _is_too_light(system, losses) & ~_byzantine_weight(system)


def _lost_in_several_ways(system: ControllerDesign) -> Bool:
    together = _quorum_lost(*LOSSES)(system)
    return together & ~any_of(_quorum_lost(loss)(system) for loss in LOSSES)


def _relays(system: ControllerDesign) -> Iterator[int]:
    """The external nodes without which no attester's vote comes to the main node."""
    topology = system.topology
    to_main = [caller for caller, peer in topology.links if peer == topology.main]
    if all(topology.is_external(caller) for caller in to_main):
        yield from to_main


def _has_too_few_votes(system: ControllerDesign) -> Bool:
    return ~_is_quorum(system, lambda key: FALSE)


def _relay_not_there(system: ControllerDesign) -> Bool:
    relays = [system.state.nodes[index] for index in _relays(system)]
    return _has_too_few_votes(system) & any_of(loss(system, relay) for relay in relays for loss in LOSSES)


def _is_told(system: ControllerDesign, link: Link, key: int) -> Bool:
    return link.told[key] & (link.batch.number == system.next_batch_to_attest)


def _votes_cut_off(system: ControllerDesign) -> Bool:
    """Whether, without the votes that their peers count as told to the main node or to a relay although these have not
    taken them, there is no quorum."""
    if len(system.committees.electorates) < 2:
        return FALSE
    targets = {system.topology.main, *_relays(system)}
    links = list(zip(system.state.links, system.topology.links, strict=True))

    def counts(key: int) -> Bool:
        return ~any_of(
            _is_told(system, link, key) & ~system.state.nodes[peer].attestation.votes[key]
            for link, (_, peer) in links
            if peer in targets
        )

    asked = system.next_batch_to_attest
    return _has_started(system.main, asked) & ~_is_quorum(system, counts)


def _message_too_large(system: ControllerDesign) -> Bool:
    """Whether some node holds more votes on the batch that is asked for than a message can have, or is about to; or
    has told the main node a vote too early, and will have too many by the time that it is asked for it."""
    limit, asked, main = system.scope.message_limit, system.next_batch_to_attest, system.main
    if not limit:
        return FALSE
    crowded = [_has_started(node, asked) & (node.attestation.count > limit) for node in system.state.nodes]
    for link, ends in zip(system.state.links, system.topology.links, strict=True):
        for end, phase in zip(ends, (ANSWERED, CALLED), strict=True):
            receiver = system.state.nodes[end].attestation
            after = receiver.inserted(link.batch, link.carried).count
            crowded.append(_has_started(system.state.nodes[end], asked) & link.is_in(phase) & (after > limit))
        if ends[1] == system.topology.main:
            caller = system.state.nodes[ends[0]].attestation
            was_early = any_of(_is_told(system, link, key) & ~vote for key, vote in enumerate(main.attestation.votes))
            together = caller.inserted(caller.batch, main.attestation.votes).count > limit
            crowded.append(_has_started(main, asked) & was_early & together)
    return _has_too_few_votes(system) & any_of(crowded)


def _main_is_ahead(system: ControllerDesign) -> Bool:
    main, asked = system.main, system.next_batch_to_attest
    is_ignored = (
        main.task.is_in(READING_STATUS) & (main.task.next_number > asked) & main.committee_of(asked).is_required
    )
    return main.runs & ((main.attestation.batch.number > asked) | (main.task.number > asked) | is_ignored)


_kind, _about_asked = partial(kind_of, ControllerDesign), partial(about_asked, ControllerDesign)

CONSENSUS_DEAD = _kind(
    "consensus_dead",
    "An error has ended the consensus of the main node, whose process lives on.",
    "Nothing starts the consensus again while the process lives; and the process does not end.",
    lambda system: ~system.main.runs,
)

NODE_GONE = _kind(
    "node_gone",
    "An error has ended the consensus of a node, and nobody restarts it.",
    "Nothing starts the consensus again while the process lives.",
    lambda system: any_of(~node.runs for node in system.state.nodes),
)

NOTHING_ASKED = _kind(
    "nothing_asked",
    "The first batch was pruned from the main node's database before any batch had a certificate.",
    "The query finds neither a certificate nor the first block, and answers none. The main node's task asks again, for "
    "ever.",
    lambda system: (system.next_batch_to_attest == NONE) & (system.main.store.pruned != NONE),
)

STANDSTILLS: tuple[CounterexampleKind, ...] = (
    CONSENSUS_DEAD,
    NOTHING_ASKED,
    _kind(
        "main_task_dead",
        "An error has ended the attestation task of the main node, whose gossip and API live on.",
        "The task is not started again while the process lives. The controller stays at its number, and the API goes "
        "on asking for it.",
        lambda system: system.main.runs & ~system.main.task.is_alive,
    ),
    _about_asked(
        "main_is_ahead",
        "The main node has started, or read, a later number than the one that its database asks for.",
        "It waits for the later certificate; once that is there, the number that was asked for is passed over. If it "
        "reads the status, it ignores the number; before PR 2684 its controller refuses it, and its consensus ends.",
        _main_is_ahead,
    ),
    _about_asked(
        "committee_unreadable",
        "The committee of the batch that is asked for cannot be read on the main node.",
        "It is read from the state before that batch, which is what it is: the error comes again after each restart.",
        lambda system: _reads_no_committee(system, system.main),
    ),
    _about_asked(
        "not_required",
        "The main node finds no committee for the batch that it asks for, so that no votes are required.",
        "It wants a later number, but its database asks for this one as long as there is no certificate.",
        lambda system: _skips(system, system.main),
    ),
    _about_asked(
        "asked_batch_pruned",
        "The main node asks for a batch that it has pruned.",
        "Its hash never comes, or its certificate cannot be inserted.",
        lambda system: system.main.store.pruned >= system.next_batch_to_attest,
    ),
    _about_asked(
        "byzantine_weight",
        "The main node does not have the votes of Byzantine attesters, and the others make no quorum.",
        "A Byzantine attester need not vote at all; the honest attesters are too light to make a quorum without it.",
        _byzantine_weight,
    ),
    _about_asked(
        "ignored_as_lower",
        "So many attesters' nodes ignore the number that is asked for, as they have had a later one, that the others "
        "make no quorum.",
        "The task remembers the next number that it wants, and takes no notice of smaller ones, without an error, "
        "until its process restarts.",
        _quorum_lost(_ignores),
    ),
    _about_asked(
        "deaf_to_status",
        "So many attesters' nodes wait for the hash of a batch that they do not have any longer that the others make "
        "no quorum.",
        "The hash never comes; and while the task waits for it, it does not look at the status.",
        _quorum_lost(_is_deaf),
    ),
    _about_asked(
        "batch_not_there",
        "So many attesters' nodes do not have the batch that is asked for any longer that the others make no quorum.",
        "Without the batch there is no hash to sign.",
        _quorum_lost(_has_lost_batch),
    ),
    _about_asked(
        "attester_task_dead",
        "So many attesters' nodes have lost their attestation task by an error that the others make no quorum.",
        "From PR 3180 on an error ends the task alone, and nothing starts it again while the process lives; before, it "
        "ends the process, which is gone where nobody supervises it.",
        _quorum_lost(_is_dead),
    ),
    _about_asked(
        "committee_unreadable_for_attesters",
        "So many attesters' nodes cannot read the committee of the batch that is asked for that the others make no "
        "quorum.",
        "They do not have the state before that batch; that stays so.",
        _quorum_lost(_reads_no_committee),
    ),
    _about_asked(
        "other_hash",
        "So many attesters' nodes have another hash of the batch that is asked for than the main node that the others "
        "make no quorum.",
        "Votes over another hash are errors. A node has the main node's hash only after a restart.",
        _quorum_lost(_has_other_hash),
    ),
    _about_asked(
        "relay_not_there",
        "The external node that all votes pass through has not started the batch that is asked for, and will not.",
        "A node keeps and passes on votes only for the number that it has started itself.",
        _relay_not_there,
    ),
    _about_asked(
        "votes_cut_off",
        "Votes stood behind an error in a list, and were not looked at; without them there is no quorum.",
        "The sender counts them as told, and does not tell them again on this connection.",
        _votes_cut_off,
    ),
    _about_asked(
        "message_too_large",
        "A node holds more votes than a message can have, and the main node has too few.",
        "Whoever tells all of them, or answers with them, closes the connection; a new connection tells all of them.",
        _message_too_large,
    ),
    _about_asked(
        "nodes_lost_in_several_ways",
        "So many attesters' nodes are lost that the others make no quorum, some in one of the ways of the other kinds, "
        "some in another; no way alone accounts for it.",
        "Each of the reasons is final for its node.",
        _lost_in_several_ways,
    ),
)
"""Why a batch stays without a certificate in this design, if no node restarts."""

UNDONE_BY_MAIN_RESTART = ("consensus_dead", "main_task_dead", "main_is_ahead", "votes_cut_off", "message_too_large")

LASTING_STANDSTILLS = tuple(kind for kind in STANDSTILLS if kind.name not in UNDONE_BY_MAIN_RESTART)
"""Those that rest on what another node than the main node remembers, or on what no restart changes."""
