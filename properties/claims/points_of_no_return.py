"""The kinds of points of no return: states from which the batch that the main node asks for stays without certificate.

The kinds are not exclusive: one state can be final for several reasons. Every point of no return that the explorer
finds must be of one of them; one that is not is reported as `unclassified`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from model.algebra import TRUE, Bool, Int, all_of, any_of, const, truth
from model.registry_design.network import refuse_votes
from model.registry_design.node import ATTESTER, FINDER, Node
from model.registry_design.qc_finder import SETTING_MINIMUM, WAITING_FOR_QUORUM, WAITING_FOR_STATUS
from model.registry_design.system import RegistryDesign
from model.revisions import NEVER
from model.votes import NONE, Vote
from properties.claims.kinds import CounterexampleKind, kind_of

UNCLASSIFIED = "unclassified"
"""The kind of a point of no return that none of the predicates below describes."""


def _stays(system: RegistryDesign, node: Node) -> Bool:
    """Whether no status will stop the node: from PR 167 on, one that is smaller than the node's does."""
    if not system.revision.refuses_smaller_number:
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


def _registry_minimum(system: RegistryDesign) -> Bool:
    return _waits_above(system, system.main)


def _minimum_to_come(system: RegistryDesign) -> Bool:
    return _will_wait_above(system, system.main)


def _overtaken(system: RegistryDesign) -> Bool:
    main, asked = system.main, system.next_batch_to_attest
    found = main.registry.find_quorum(system.electorate)
    at_hand = main.finder.is_in(WAITING_FOR_QUORUM) & found.found & (found.vote.number > asked)
    on_its_way = any_of(place.number > asked for place in (*main.store.queue.places, main.finder.quorum))
    return at_hand | on_its_way


def _newer_vote(system: RegistryDesign, node: Node, key: int) -> Bool:
    asked = system.next_batch_to_attest
    return ((node.registry.votes[key].number > asked) | (node.attester.number > asked)) & _stays(system, node)


def _own_minimum(system: RegistryDesign, node: Node, key: int) -> Bool:
    return _waits_above(system, node) | _will_wait_above(system, node)


def _newer_vote_at_main(system: RegistryDesign, node: Node, key: int) -> Bool:
    is_newer = system.main.registry.votes[key].number > system.next_batch_to_attest
    return is_newer & _stays(system, system.main)


def _relays(system: RegistryDesign) -> Iterator[Node]:
    """The external nodes without which no attester's vote comes to the main node."""
    topology = system.topology
    to_main = [sender for sender, receiver in topology.links if receiver == topology.main]
    if all(topology.is_external(sender) for sender in to_main):
        yield from (system.state.nodes[sender] for sender in to_main)


def _newer_vote_at_relay(system: RegistryDesign, node: Node, key: int) -> Bool:
    return any_of(
        (relay.registry.votes[key].number > system.next_batch_to_attest) & _stays(system, relay)
        for relay in _relays(system)
    )


def _own_vote_skipped(system: RegistryDesign, node: Node, key: int) -> Bool:
    asked, status = system.next_batch_to_attest, node.status
    has_looked = (status.next_batch_to_attest == asked) & ~status.has_news(ATTESTER) & (node.attester.number != asked)
    return has_looked & (node.registry.votes[key].number < asked)


def _vote_lost(system: RegistryDesign, node: Node, key: int) -> Bool:
    asked = system.next_batch_to_attest
    links = [(link, *ends) for link, ends in zip(system.state.links, system.topology.links, strict=True)]
    pushed = {link: (link.old[key].number == asked) & (link.in_flight[key].number == NONE) for link, _, _ in links}
    is_pushed = all_of(pushed[link] for link, sender, _ in links if system.state.nodes[sender] is node)
    rests = all_of(
        (system.state.nodes[sender].registry.votes[key].number != asked) | pushed[link] for link, sender, _ in links
    )
    is_lost = is_pushed & rests & (system.main.registry.votes[key].number != asked)
    return is_lost & _stays(system, node) & _stays(system, system.main)


def _batch_pruned(system: RegistryDesign, node: Node, key: int) -> Bool:
    asked, pruned = system.next_batch_to_attest, node.store.pruned
    has_pruned_asked = (pruned == asked) & (node.registry.votes[key].number < asked)
    return (pruned != NONE) & (has_pruned_asked | (node.attester.number == pruned))


def _relay_minimum(system: RegistryDesign) -> Bool:
    return any_of(_waits_above(system, relay) | _will_wait_above(system, relay) for relay in _relays(system))


def _never_starts(system: RegistryDesign) -> Bool:
    return truth(system.revision.executor == NEVER)


def _messages_refused(system: RegistryDesign) -> Bool:
    refuses = any(action.name == refuse_votes.name for action in system.actions)
    return truth(refuses and bool(system.scope.bad_votes) and system.revision.executor != NEVER)


def _pruned_in_the_way(system: RegistryDesign) -> Bool:
    main = system.main
    found = main.registry.find_quorum(system.electorate)
    at_hand = main.finder.is_in(WAITING_FOR_QUORUM) & found.found & (found.vote.number == main.store.pruned)
    on_its_way = any_of(place.number == main.store.pruned for place in (*main.store.queue.places, main.finder.quorum))
    is_asked = system.next_batch_to_attest == main.store.pruned
    return (main.store.pruned != NONE) & (is_asked | at_hand | on_its_way)


def _pruned_too_early(system: RegistryDesign) -> Bool:
    def counts(number: Int) -> Bool:
        return (number != NONE) & (number != system.main.store.pruned)

    informed = system.electorate.weight_of(
        [
            any_of(
                counts(node.status.next_batch_to_attest) | counts(node.registry.votes[key].number)
                for place, node in zip(system.topology.places, system.state.nodes, strict=True)
                if place.key == key
            )
            for key in range(len(system.electorate.weights))
        ]
    )
    main = system.main
    main_is_uninformed = main.finder.is_in(WAITING_FOR_STATUS) & ~main.status.has_news(FINDER)
    is_none = (system.next_batch_to_attest == NONE) & (main.store.pruned != NONE)
    return is_none & (main_is_uninformed | (informed < system.electorate.threshold))


SINGLE_LOSSES = (
    _newer_vote,
    _own_minimum,
    _own_vote_skipped,
    _vote_lost,
    _newer_vote_at_main,
    _newer_vote_at_relay,
    _batch_pruned,
)


def _lost_in_several_ways(system: RegistryDesign) -> Bool:
    together = _quorum_lost(*SINGLE_LOSSES)(system)
    return together & ~any_of(_quorum_lost(loss)(system) for loss in SINGLE_LOSSES)


Loss = Callable[[RegistryDesign, Node, int], Bool]


def _quorum_lost(*losses: Loss) -> Callable[[RegistryDesign], Bool]:
    """Whether the attesters that are not lost in one of these ways are too light for a quorum, while without such
    losses they would not be."""

    def holds(system: RegistryDesign) -> Bool:
        return _is_too_light(system, losses) & ~_byzantine_weight(system)

    return holds


def _false_certificate(system: RegistryDesign) -> Bool:
    main = system.main
    found = main.registry.find_quorum(system.electorate)
    at_hand = main.finder.is_in(WAITING_FOR_QUORUM) & found.found & (found.vote.variant != 0)
    return at_hand | any_of(place.variant != 0 for place in (*main.store.queue.places, main.finder.quorum))


def _byzantine_weight(system: RegistryDesign) -> Bool:
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
    """Whether the main node has this attester's vote for the batch that is asked for, and nobody has a newer one that
    will come along with other votes and replace it."""
    asked = Vote(system.next_batch_to_attest, const(0))
    others = [*(node.registry.votes for node in system.state.nodes), *(link.in_flight for link in system.state.links)]
    is_replaced = any_of(votes[key].is_newer_than(asked) for votes in others)
    return asked.is_same_as(system.main.registry.votes[key]) & ~is_replaced


def _about_asked(name: str, sentence: str, because: str, holds: Callable[[RegistryDesign], Bool]) -> CounterexampleKind:
    """A kind that speaks of the batch that is asked for: there must be one."""
    return _kind(name, sentence, because, lambda system: holds(system) & (system.next_batch_to_attest != NONE))


_kind = partial(kind_of, RegistryDesign)


NEVER_STARTS = _kind(
    "never_starts",
    "The executor waits for an initialisation that never returns.",
    "The loop that polls for the first number goes on after it has one.",
    _never_starts,
)

MESSAGES_REFUSED = _kind(
    "messages_refused",
    "Every message of the external node has a vote that is an error.",
    "An error drops the whole message and closes the connection; the next one pushes the same votes again. Nothing "
    "that passes through the external node arrives.",
    _messages_refused,
)

PRUNED_TOO_EARLY = _kind(
    "pruned_too_early",
    "The first batch is pruned, there is no certificate (any more), and the main node's finder waits for a number, or "
    "so many attesters have been told none but that of the pruned batch that the others make no quorum.",
    "The query finds neither a certificate nor the genesis' first block, and answers none for ever. Nobody is told "
    "another number, and the certificate of the pruned batch cannot be inserted.",
    _pruned_too_early,
)

PRUNED_IN_THE_WAY = _kind(
    "pruned_in_the_way",
    "The main node asks for a batch that it has pruned, or has its certificate at hand or in the queue.",
    "The certificate of a pruned batch cannot be inserted. The task that inserts certificates tries it again for ever, "
    "and no other before it.",
    _pruned_in_the_way,
)

POINTS_OF_NO_RETURN: tuple[CounterexampleKind, ...] = (
    _about_asked(
        "registry_minimum",
        "The main node's finder waits for a quorum, and its registry's minimum is above the batch that it asks for.",
        "The registry skips every vote for the batch that is asked for. The attesters are told no other number, so no "
        "quorum forms at or above the minimum; and the finder looks at the status, and so lowers the minimum, only "
        "after it has found one.",
        _registry_minimum,
    ),
    _about_asked(
        "minimum_to_come",
        "The main node's finder has read a status that is out of date and is about to set a minimum above the batch "
        "that is asked for.",
        "Nothing can stop the finder between reading the status and setting the minimum; then it waits for a quorum "
        "above the batch that is asked for.",
        _minimum_to_come,
    ),
    _about_asked(
        "newer_vote",
        "So many attesters have voted, or have set out to vote, on a later batch that the others make no quorum.",
        "An attester's own registry skips a vote that is not newer than the one it has. So these attesters can never "
        "again vote on the batch that is asked for, although they are told to.",
        _quorum_lost(_newer_vote),
    ),
    _about_asked(
        "own_minimum",
        "So many attesters have a minimum above the batch that is asked for in their own registries that the others "
        "make no quorum.",
        "An attester publishes through its own registry, which skips votes below the minimum that its own finder has "
        "set from an older status. That finder waits for a quorum and does not look at the status again.",
        _quorum_lost(_own_minimum),
    ),
    _about_asked(
        "own_vote_skipped",
        "So many attesters have looked at the number that is asked for, and have no vote on it in their own "
        "registries, that the others make no quorum.",
        "The vote was skipped by the attester's own registry, which had a larger minimum at that time. Publishing "
        "reports no error, and the attester votes on a number once.",
        _quorum_lost(_own_vote_skipped),
    ),
    _about_asked(
        "vote_lost",
        "So many votes for the batch that is asked for were skipped or dropped on the way to the main node, and will "
        "not be pushed again, that the others make no quorum.",
        "A vote is pushed once on a connection, whatever the receiver does with it. That the minimum is lower by now, "
        "or that the attester casts the same vote once more, does not bring it back.",
        _quorum_lost(_vote_lost),
    ),
    _about_asked(
        "overtaken",
        "A certificate of a later batch has been found and will be stored first.",
        "Once the later certificate is stored, the main node asks for the batch after it, and never again for this "
        "one: a gap.",
        _overtaken,
    ),
    _about_asked(
        "false_certificate",
        "The main node has found a certificate over another hash than the batch's own.",
        "Inserting it is fatal to the node. After its restart the connections push the same votes again, and the same "
        "certificate is found before any other.",
        _false_certificate,
    ),
    _about_asked(
        "byzantine_weight",
        "The main node does not have the votes of Byzantine attesters, and the others make no quorum.",
        "A Byzantine attester need not vote at all; the honest attesters are too light to make a quorum without it.",
        _byzantine_weight,
    ),
    _about_asked(
        "newer_vote_at_main",
        "The main node has votes on later batches of so many attesters that the others make no quorum.",
        "A registry skips a vote that is not newer than the one it has of the same attester, and drops only what is "
        "below its minimum. That the attester itself has forgotten its vote does not help.",
        _quorum_lost(_newer_vote_at_main),
    ),
    _about_asked(
        "newer_vote_at_relay",
        "The external node has votes on later batches of so many attesters that the others make no quorum.",
        "It skips the votes for the batch that is asked for, as the main node would, and so the main node never hears "
        "of them.",
        _quorum_lost(_newer_vote_at_relay),
    ),
    _about_asked(
        "relay_minimum",
        "An external node has a minimum above the batch that is asked for, or is about to set it, and its finder waits "
        "for a quorum.",
        "What the attesters send through the external node is skipped there, and the main node never hears of it. The "
        "external node's finder does not look at the status again.",
        _relay_minimum,
    ),
    _about_asked(
        "pruned_at_attesters",
        "So many attesters have pruned the batch that is asked for, or wait for one that they have pruned, that the "
        "others make no quorum.",
        "What an attester signs is computed from the batch in its own database. It waits for ever if that is gone, and "
        "meanwhile it does not look at the status.",
        _quorum_lost(_batch_pruned),
    ),
    NEVER_STARTS,
    MESSAGES_REFUSED,
    PRUNED_IN_THE_WAY,
    _about_asked(
        "attesters_lost",
        "So many attesters are lost that the others make no quorum, some in one of the ways of the other kinds, some "
        "in another; no way alone accounts for it.",
        "Each of the reasons is final for its attester.",
        _lost_in_several_ways,
    ),
)
"""Why a batch stays without a certificate, if no node restarts."""

OUTLIVES_RESTARTS_OF_OTHERS = tuple(
    kind
    for kind in POINTS_OF_NO_RETURN
    if kind in (NEVER_STARTS, MESSAGES_REFUSED)
    or kind.name in ("newer_vote", "own_minimum", "own_vote_skipped", "byzantine_weight")
    or kind.name in ("newer_vote_at_relay", "relay_minimum", "pruned_at_attesters")
)
"""Those that rest on what another node than the main node remembers, or on what no restart changes. Its restart
undoes the others: its registry, its finder and its connections are new."""
