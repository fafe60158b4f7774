"""The conditions that define the kinds of points of no return: what has become of the main node, of a relay, of an
attester, so that the batch that the main node asks for stays without certificate."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise

from model.algebra import FALSE, TRUE, Bool, Int, all_of, any_of, const, truth
from model.registry_design.node import ATTESTER, FINDER, Node
from model.registry_design.qc_finder import PERSISTING, SETTING_MINIMUM, WAITING_FOR_QUORUM, WAITING_FOR_STATUS
from model.registry_design.system import RegistryDesign
from model.revisions import AFTER_FIRST_ANSWER, NEVER
from model.topology import Topology
from model.votes import NONE, Vote


def _stays(system: RegistryDesign, node: Node) -> Bool:
    """Whether no status will make the node start anew: from PR 167 on, one that is smaller than the node's stops it,
    which is no way out if nobody restarts it then."""
    if not (system.revision.refuses_smaller_number and node.is_supervised):
        return TRUE
    return node.status.next_batch_to_attest <= system.next_batch_to_attest


def _stays_above(system: RegistryDesign, node: Node) -> Bool:
    """Whether no status will wake the node's finder out of its waiting for a quorum."""
    if not system.revision.finder_listens or FINDER not in node.status.subscribers:
        return _stays(system, node)
    is_told = (node.status.next_batch_to_attest == system.next_batch_to_attest) & ~node.status.has_news(FINDER)
    return is_told & _stays(system, node)


def _waits_above(system: RegistryDesign, node: Node) -> Bool:
    """Whether the node's finder waits for a quorum above the batch that is asked for."""
    is_above = node.registry.min_batch_number > system.next_batch_to_attest
    return node.finder.is_in(WAITING_FOR_QUORUM) & is_above & _stays_above(system, node)


def _will_wait_above(system: RegistryDesign, node: Node) -> Bool:
    """Whether the node's finder will wait in this way, whatever happens."""
    is_above = node.finder.number > system.next_batch_to_attest
    return node.finder.is_in(SETTING_MINIMUM) & is_above & _stays_above(system, node)


def registry_minimum(system: RegistryDesign) -> Bool:
    return _waits_above(system, system.main)


def minimum_to_come(system: RegistryDesign) -> Bool:
    return _will_wait_above(system, system.main)


def overtaken(system: RegistryDesign) -> Bool:
    main, asked = system.main, system.next_batch_to_attest
    found = main.registry.find_quorum(system.electorate)
    at_hand = main.finder.is_in(WAITING_FOR_QUORUM) & found.found & (found.vote.number > asked)
    on_its_way = any_of(place.number > asked for place in (*main.store.queue.places, main.finder.quorum))
    return at_hand | on_its_way


def newer_vote(system: RegistryDesign, node: Node, key: int) -> Bool:
    asked = system.next_batch_to_attest
    return ((node.registry.votes[key].number > asked) | (node.attester.number > asked)) & _stays(system, node)


def own_minimum(system: RegistryDesign, node: Node, key: int) -> Bool:
    return _waits_above(system, node) | _will_wait_above(system, node)


def newer_vote_at_main(system: RegistryDesign, node: Node, key: int) -> Bool:
    is_newer = system.main.registry.votes[key].number > system.next_batch_to_attest
    return is_newer & _stays(system, system.main)


def own_vote_comes_back(system: RegistryDesign, node: Node, key: int) -> Bool:
    if node is not system.main:
        return FALSE  # what others have of an attester's votes is on their way to the main node
    others = [other for other in system.state.nodes if other is not node]
    return any_of(other.registry.votes[key].number > system.next_batch_to_attest for other in others)


def _position(system: RegistryDesign, key: int) -> int:
    """Where an attester's node is."""
    return next(index for index, place in enumerate(system.topology.places) if place.key == key)


def _on_the_way(system: RegistryDesign, key: int, is_bad: Callable[[int, Node], Bool]) -> Bool:
    """Whether on every way of an attester's votes to the main node there is a node of which, and of whose position, it
    holds."""
    ways, nodes = _ways(system.topology, (_position(system, key),)), system.state.nodes
    return all_of(any_of(is_bad(relay, nodes[relay]) for relay in way[1:-1]) for way in ways)


def _ways(topology: Topology, begun: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """The ways to the main node that begin so, none of them through a node twice."""
    if begun[-1] == topology.main:
        yield begun
        return
    for sender, receiver in topology.links:
        if sender == begun[-1] and receiver not in begun:
            yield from _ways(topology, (*begun, receiver))


def newer_vote_at_relay(system: RegistryDesign, node: Node, key: int) -> Bool:
    asked = system.next_batch_to_attest
    return _on_the_way(system, key, lambda _, relay: (relay.registry.votes[key].number > asked) & _stays(system, relay))


def relay_minimum(system: RegistryDesign, node: Node, key: int) -> Bool:
    return _on_the_way(system, key, lambda _, relay: own_minimum(system, relay, key))


def own_vote_skipped(system: RegistryDesign, node: Node, key: int) -> Bool:
    asked, status = system.next_batch_to_attest, node.status
    has_looked = (status.next_batch_to_attest == asked) & ~status.has_news(ATTESTER) & (node.attester.number != asked)
    return has_looked & (node.registry.votes[key].number < asked)


def vote_lost(system: RegistryDesign, node: Node, key: int) -> Bool:
    if node is system.main:
        return FALSE  # its vote has no way to go
    asked = system.next_batch_to_attest
    links = [(link, *ends) for link, ends in zip(system.state.links, system.topology.links, strict=True)]
    pushed = {link: (link.old[key].number == asked) & (link.in_flight[key].number == NONE) for link, _, _ in links}
    is_pushed = all_of(pushed[link] for link, sender, _ in links if system.state.nodes[sender] is node)
    rests = all_of(
        (system.state.nodes[sender].registry.votes[key].number != asked) | pushed[link] for link, sender, _ in links
    )
    is_lost = is_pushed & rests & (system.main.registry.votes[key].number != asked)
    return is_lost & _stays(system, node) & _stays(system, system.main)


def batch_pruned(system: RegistryDesign, node: Node, key: int) -> Bool:
    asked, store = system.next_batch_to_attest, node.store
    has_not_voted = (node.registry.votes[key].number < asked) | _is_nowhere(system, key, asked)
    return (store.is_pruned(asked) & has_not_voted) | store.is_pruned(node.attester.number)


def _is_nowhere(system: RegistryDesign, key: int, number: Int) -> Bool:
    """Whether no node has the attester's vote on this batch, and none is on its way."""
    registries = [node.registry.votes[key] for node in system.state.nodes]
    on_their_way = [link.in_flight[key] for link in system.state.links]
    return all_of(vote.number != number for vote in (*registries, *on_their_way))


def _never_hears_of_asked(system: RegistryDesign, node: Node, subscriber: str) -> Bool:
    """Whether a machine of a node that nobody restarts will go by a later number than the one that is asked for, or
    end with the node: from PR 167 on, a smaller number than the one before is an error there."""
    if not system.revision.refuses_smaller_number or node.is_supervised:
        return FALSE
    asked, told, read = system.next_batch_to_attest, node.status.next_batch_to_attest, node.runner.polled
    has_news = node.status.has_news(subscriber)
    will_end = ~node.runner.is_idle & node.refuses_number(read)
    # A finder that goes by an earlier number can find a quorum for the one that is asked for.
    is_of_no_use = ~has_news | (truth(subscriber == ATTESTER) & (told < asked))
    return (told > asked) | ((read > asked) & ~(has_news & (told <= asked))) | (will_end & is_of_no_use)


def error_to_come(system: RegistryDesign) -> Bool:
    main, asked = system.main, system.next_batch_to_attest
    looks_up = main.finder.is_in(WAITING_FOR_STATUS) | main.finder.is_in(PERSISTING)
    nothing_at_hand = all_of(place.number < asked for place in (*main.store.queue.places, main.finder.quorum))
    finder_goes_by_it = _never_hears_of_asked(system, main, FINDER) & looks_up & nothing_at_hand
    return finder_goes_by_it | quorum_lost(own_vote_too_late)(system)


def is_gone(system: RegistryDesign, node: Node) -> Bool:
    """Whether an error has ended the consensus of a node, or will as it is on a former fork, and nobody restarts it."""
    is_behind = node.genesis != system.main.genesis
    return ~node.runs | (is_behind & truth(not node.is_supervised))


def _votes_too_late(system: RegistryDesign, node: Node, key: int) -> Bool:
    has_yet_to_vote = (node.attester.number != system.next_batch_to_attest) & (
        node.registry.votes[key].number < system.next_batch_to_attest
    )
    return _never_hears_of_asked(system, node, ATTESTER) & has_yet_to_vote


def own_vote_too_late(system: RegistryDesign, node: Node, key: int) -> Bool:
    return _votes_too_late(system, node, key) if node is system.main else FALSE


def attester_dead(system: RegistryDesign, node: Node, key: int) -> Bool:
    if node is system.main:
        return FALSE  # what ends there is more than an attester
    return is_gone(system, node) | _votes_too_late(system, node, key)


def relay_dead(system: RegistryDesign, node: Node, key: int) -> Bool:
    def is_dead(_: int, relay: Node) -> Bool:
        hears_too_late = _never_hears_of_asked(system, relay, FINDER) & relay.finder.is_in(WAITING_FOR_STATUS)
        return is_gone(system, relay) | hears_too_late

    return _on_the_way(system, key, is_dead)


def message_too_large(system: RegistryDesign, node: Node, key: int) -> Bool:
    """Whether the main node lacks an attester's vote, and on every way of it a sender has more votes to push than a
    message can have: at once, or again when the connection is made anew, as it is after a message that is refused."""
    topology, links = system.topology, dict(zip(system.topology.links, system.state.links, strict=True))

    def is_choked(ends: tuple[int, int]) -> Bool:
        link, (sender, receiver) = links[ends], (system.state.nodes[index] for index in ends)
        is_refused = ~link.is_idle & receiver.refuses_message(link)
        is_too_much_again = is_refused & link.is_too_large(sender.registry.votes)
        return is_too_much_again | any_of(
            map(link.is_too_large, (link.in_flight, sender.registry.newer_than(link.old)))
        )

    ways = [list(pairwise(way)) for way in _ways(topology, (_position(system, key),))]
    is_missing = system.main.registry.votes[key].number != system.next_batch_to_attest
    return is_missing & all_of(any_of(map(is_choked, way)) for way in ways)


def never_answered(system: RegistryDesign, node: Node, key: int) -> Bool:
    """Whether the attester is never told a number, or a node on the way of its votes that takes no part before."""
    starts_late = system.revision.executor == AFTER_FIRST_ANSWER
    takes_no_part = _on_the_way(system, key, lambda relay, _: truth(starts_late and _has_no_answers(system, relay)))
    return truth(_has_no_answers(system, _position(system, key))) | takes_no_part


def _has_no_answers(system: RegistryDesign, node: int) -> bool:
    return not system.scope.is_answered(system.topology.places[node].name)


def executor_waits(system: RegistryDesign) -> Bool:
    """Whether the executor of a node whose calls are never answered waits for the first answer."""
    some = any(_has_no_answers(system, index) for index in range(len(system.topology.places)))
    return truth(some and system.revision.executor == AFTER_FIRST_ANSWER)


def never_starts(system: RegistryDesign) -> Bool:
    return truth(system.revision.executor == NEVER)


def messages_refused(system: RegistryDesign) -> Bool:
    """Whether every message of an external node has a bad vote, and is refused even if it has nothing else."""
    if not system.scope.bad_votes or system.scope.some_bad_votes or system.revision.executor == NEVER:
        return FALSE
    nodes, links = system.state.nodes, zip(system.state.links, system.topology.links, strict=True)
    return any_of(
        nodes[receiver].refuses_message(link.delivered())
        for link, (sender, receiver) in links
        if system.topology.is_external(sender)
    )


def pruned_in_the_way(system: RegistryDesign) -> Bool:
    main = system.main
    found = main.registry.find_quorum(system.electorate)
    at_hand = main.finder.is_in(WAITING_FOR_QUORUM) & found.found & main.store.is_pruned(found.vote.number)
    on_its_way = any_of(main.store.is_pruned(place.number) for place in (*main.store.queue.places, main.finder.quorum))
    return main.store.is_pruned(system.next_batch_to_attest) | at_hand | on_its_way


def pruned_too_early(system: RegistryDesign) -> Bool:
    main = system.main

    def is_informed(node: Node, key: int) -> Bool:
        numbers = (node.status.next_batch_to_attest, node.registry.votes[key].number)
        # What a node knows of the fork before is forgotten when it restarts on this one.
        return (node.genesis == main.genesis) & any_of(
            (number != NONE) & ~main.store.is_pruned(number) for number in numbers
        )

    informed = system.electorate.weight_of(
        [
            any_of(
                is_informed(node, key)
                for place, node in zip(system.topology.places, system.state.nodes, strict=True)
                if place.key == key
            )
            for key in range(len(system.electorate.weights))
        ]
    )
    main_is_uninformed = main.finder.is_in(WAITING_FOR_STATUS) & ~main.status.has_news(FINDER)
    is_none = (system.next_batch_to_attest == NONE) & (main.store.pruned != NONE)
    return is_none & (main_is_uninformed | (informed < system.electorate.threshold))


SINGLE_LOSSES = (
    newer_vote,
    own_minimum,
    own_vote_skipped,
    vote_lost,
    newer_vote_at_main,
    own_vote_comes_back,
    newer_vote_at_relay,
    relay_minimum,
    batch_pruned,
    attester_dead,
    own_vote_too_late,
    relay_dead,
    never_answered,
    message_too_large,
)


def lost_in_several_ways(system: RegistryDesign) -> Bool:
    together = quorum_lost(*SINGLE_LOSSES)(system)
    return together & ~any_of(quorum_lost(loss)(system) for loss in SINGLE_LOSSES)


Loss = Callable[[RegistryDesign, Node, int], Bool]


def quorum_lost(*losses: Loss) -> Callable[[RegistryDesign], Bool]:
    """Whether the attesters that are not lost in one of these ways are too light for a quorum, while without such
    losses they would not be."""

    def holds(system: RegistryDesign) -> Bool:
        return _is_too_light(system, losses) & ~byzantine_weight(system)

    return holds


def false_certificate(system: RegistryDesign) -> Bool:
    main = system.main
    found = main.registry.find_quorum(system.electorate)
    at_hand = main.finder.is_in(WAITING_FOR_QUORUM) & found.found & (found.vote.variant != 0)
    return at_hand | any_of(place.variant != 0 for place in (*main.store.queue.places, main.finder.quorum))


def byzantine_weight(system: RegistryDesign) -> Bool:
    return _is_too_light(system, ())


def _is_too_light(system: RegistryDesign, losses: tuple[Loss, ...]) -> Bool:
    """Whether the attesters that are not lost in one of these ways make no quorum. Nobody can count on a Byzantine
    attester."""
    nodes = {place.key: node for place, node in zip(system.topology.places, system.state.nodes, strict=True)}
    lost = [
        any_of(loss(system, nodes[key], key) for loss in losses) if key in nodes else ~_is_at_hand(system, key)
        for key in range(len(system.electorate.weights))
    ]
    return system.electorate.weight_of([~one for one in lost]) < system.electorate.threshold


def _is_at_hand(system: RegistryDesign, key: int) -> Bool:
    """Whether the main node has this attester's vote for the batch that is asked for, if there is one, and nobody has a
    newer one that will come along with other votes and replace it."""
    asked = Vote(system.next_batch_to_attest, const(0))
    others = [*(node.registry.votes for node in system.state.nodes), *(link.in_flight for link in system.state.links)]
    is_replaced = any_of(votes[key].is_newer_than(asked) for votes in others)
    return (asked.number != NONE) & asked.is_same_as(system.main.registry.votes[key]) & ~is_replaced
