"""The kinds of points of no return: states from which the batch that the main node asks for stays without certificate.

The kinds are not exclusive: one state can be final for several reasons. Every point of no return that the explorer
finds must be of one of them; one that is not is reported as `unclassified`.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from model.algebra import Bool, any_of, truth
from model.registry_design.system import RegistryDesign
from model.service import AttestationSystem
from model.topology import MAIN
from properties.claims import reasons
from properties.claims.kinds import CounterexampleKind, about_asked, kind_of

UNCLASSIFIED = "unclassified"
"""The kind of a point of no return that none of the predicates below describes."""


_kind, _about_asked = partial(kind_of, RegistryDesign), partial(about_asked, RegistryDesign)

NEVER_STARTS = _kind(
    "never_starts",
    "The executor waits for an initialisation that never returns.",
    "The loop that polls for the first number goes on after it has one.",
    reasons.never_starts,
)

NODE_GONE = _kind(
    "node_gone",
    "An error has ended the consensus of a node, or will before the node can start, and nobody restarts it.",
    "The executor is a part of the consensus.",
    lambda system: any_of(reasons.is_gone(system, node) for node in system.state.nodes),
)

CONSENSUS_DEAD = _kind(
    "consensus_dead",
    "An error has ended the main node's consensus, and nobody restarts it.",
    "The error is logged, and the rest of the server goes on, its API included, which asks for the same batch for "
    "ever. Nobody on the main node hears of a vote, looks for a quorum or inserts a certificate.",
    lambda system: ~system.main.runs,
)

ERROR_TO_COME = _about_asked(
    "error_to_come",
    "The main node has been told, or has read, a later number than the one that it asks for, or has read a smaller "
    "one than it has been told; and its finder, or an attester that it is itself, will go by the status.",
    "If it is told before the finder looks, the smaller number is an error that ends its consensus; nobody restarts "
    "it. If the finder looks first, it waits for a quorum above the batch that is asked for, until the poll comes.",
    reasons.error_to_come,
)

EXECUTOR_WAITS = _kind(
    "executor_waits",
    "The executor of a node waits for the first answer of the main node's API, which never comes.",
    "PRs 165 to 167: there is no gossip before the first answer.",
    reasons.executor_waits,
)

MESSAGES_REFUSED = _kind(
    "messages_refused",
    "Every message of the external node has a vote that is an error.",
    "An error drops the whole message and closes the connection; the next one pushes the same votes again. Nothing "
    "that passes through the external node arrives.",
    reasons.messages_refused,
)

PRUNED_TOO_EARLY = _kind(
    "pruned_too_early",
    "The first batch is pruned, there is no certificate (any more), and the main node's finder waits for a number, or "
    "so many attesters have been told none but that of the pruned batch that the others make no quorum.",
    "The query finds neither a certificate nor the genesis' first block, and answers none for ever. Nobody is told "
    "another number, and the certificate of the pruned batch cannot be inserted.",
    reasons.pruned_too_early,
)

PRUNED_IN_THE_WAY = _kind(
    "pruned_in_the_way",
    "The main node asks for a batch that it has pruned, or has its certificate at hand or in the queue.",
    "The certificate of a pruned batch cannot be inserted. The task that inserts certificates tries it again for ever, "
    "and no other before it.",
    reasons.pruned_in_the_way,
)

POINTS_OF_NO_RETURN: tuple[CounterexampleKind, ...] = (
    _about_asked(
        "registry_minimum",
        "The main node's finder waits for a quorum, and its registry's minimum is above the batch that it asks for.",
        "The registry skips every vote for the batch that is asked for. The attesters are told no other number, so no "
        "quorum forms at or above the minimum; and the finder looks at the status, and so lowers the minimum, only "
        "after it has found one.",
        reasons.registry_minimum,
    ),
    _about_asked(
        "minimum_to_come",
        "The main node's finder has read a status that is out of date and is about to set a minimum above the batch "
        "that is asked for.",
        "Nothing can stop the finder between reading the status and setting the minimum; then it waits for a quorum "
        "above the batch that is asked for.",
        reasons.minimum_to_come,
    ),
    _about_asked(
        "newer_vote",
        "So many attesters have voted, or have set out to vote, on a later batch that the others make no quorum.",
        "An attester's own registry skips a vote that is not newer than the one it has. So these attesters can never "
        "again vote on the batch that is asked for, although they are told to.",
        reasons.quorum_lost(reasons.newer_vote),
    ),
    _about_asked(
        "own_minimum",
        "So many attesters have a minimum above the batch that is asked for in their own registries that the others "
        "make no quorum.",
        "An attester publishes through its own registry, which skips votes below the minimum that its own finder has "
        "set from an older status. That finder waits for a quorum and does not look at the status again.",
        reasons.quorum_lost(reasons.own_minimum),
    ),
    _about_asked(
        "own_vote_skipped",
        "So many attesters have looked at the number that is asked for, and have no vote on it in their own "
        "registries, that the others make no quorum.",
        "The vote was skipped by the attester's own registry, which had a larger minimum at that time. Publishing "
        "reports no error, and the attester votes on a number once.",
        reasons.quorum_lost(reasons.own_vote_skipped),
    ),
    _about_asked(
        "vote_lost",
        "So many votes for the batch that is asked for were skipped or dropped on the way to the main node, and will "
        "not be pushed again, that the others make no quorum.",
        "A vote is pushed once on a connection, whatever the receiver does with it. That the minimum is lower by now, "
        "or that the attester casts the same vote once more, does not bring it back.",
        reasons.quorum_lost(reasons.vote_lost),
    ),
    _about_asked(
        "overtaken",
        "A certificate of a later batch has been found and will be stored first.",
        "Once the later certificate is stored, the main node asks for the batch after it, and never again for this "
        "one: a gap.",
        reasons.overtaken,
    ),
    _about_asked(
        "false_certificate",
        "The main node has found a certificate over another hash than the batch's own.",
        "Inserting it is an error that ends the main node's consensus. If somebody restarts it, the connections push "
        "the same votes again, and the same certificate is found before any other.",
        reasons.false_certificate,
    ),
    _kind(
        "byzantine_weight",
        "The main node does not have the votes of Byzantine attesters, and the others make no quorum.",
        "A Byzantine attester need not vote at all; the honest attesters are too light to make a quorum without it.",
        reasons.byzantine_weight,
    ),
    _about_asked(
        "newer_vote_at_main",
        "The main node has votes on later batches of so many attesters that the others make no quorum.",
        "A registry skips a vote that is not newer than the one it has of the same attester, and drops only what is "
        "below its minimum. That the attester itself has forgotten its vote does not help.",
        reasons.quorum_lost(reasons.newer_vote_at_main),
    ),
    _about_asked(
        "own_vote_comes_back",
        "The main node is an attester, and others have a vote of it on a later batch, which comes back to it with "
        "their own; the others make no quorum.",
        "It has forgotten that vote in a restart, and votes on the batch that is asked for. But the later vote is "
        "newer, and takes the place of that.",
        reasons.quorum_lost(reasons.own_vote_comes_back),
    ),
    _about_asked(
        "newer_vote_at_relay",
        "Nodes through which their votes must pass have later votes of so many attesters that the others make no "
        "quorum.",
        "They skip the votes for the batch that is asked for, as the main node would, and so the main node never hears "
        "of them.",
        reasons.quorum_lost(reasons.newer_vote_at_relay),
    ),
    _about_asked(
        "relay_minimum",
        "Nodes through which so many attesters' votes must pass that the others make no quorum have a minimum above "
        "the batch that is asked for, or are about to set it, and their finders wait for a quorum.",
        "What the attesters send is skipped there, and the main node never hears of it. A finder that waits for a "
        "quorum does not look at the status again.",
        reasons.quorum_lost(reasons.relay_minimum),
    ),
    _about_asked(
        "pruned_at_attesters",
        "So many attesters have pruned the batch that is asked for, or wait for one that they have pruned, that the "
        "others make no quorum.",
        "What an attester signs is computed from the batch in its own database. It waits for ever if that is gone, and "
        "meanwhile it does not look at the status.",
        reasons.quorum_lost(reasons.batch_pruned),
    ),
    ERROR_TO_COME,
    CONSENSUS_DEAD,
    _about_asked(
        "attesters_dead",
        "Errors have ended the consensus of so many attesters' nodes, or will before these vote on the batch that is "
        "asked for, that the others make no quorum; and nobody restarts them.",
        "From PR 167 on a smaller number than before, and from the start another genesis, is an error.",
        reasons.quorum_lost(reasons.attester_dead),
    ),
    _about_asked(
        "relay_dead",
        "Errors have ended the consensus of nodes through which so many attesters' votes must pass that the others "
        "make no quorum, or will before these pass on votes; and nobody restarts them.",
        "What the attesters send does not come to the main node.",
        reasons.quorum_lost(reasons.relay_dead),
    ),
    _about_asked(
        "never_answered",
        "The main node's API never answers so many attesters, or nodes through which their votes must pass and which "
        "take no part before the first answer, that the others make no quorum.",
        "An attester that is told no number votes on none. Before PR 169 the executor of a node waits for the first "
        "answer, so that it passes on no votes either.",
        reasons.quorum_lost(reasons.never_answered),
    ),
    _about_asked(
        "message_too_large",
        "On every way of so many attesters' votes to the main node that the others make no quorum there is a node that "
        "has more votes to push than a message can have.",
        "The message is an error that closes the connection; on the new one the node pushes its whole registry, which "
        "is no smaller.",
        reasons.quorum_lost(reasons.message_too_large),
    ),
    NEVER_STARTS,
    MESSAGES_REFUSED,
    PRUNED_IN_THE_WAY,
    _about_asked(
        "attesters_lost",
        "So many attesters are lost that the others make no quorum, some in one of the ways of the other kinds, some "
        "in another; no way alone accounts for it.",
        "Each of the reasons is final for its attester.",
        reasons.lost_in_several_ways,
    ),
)
"""Why a batch stays without a certificate, if no node restarts."""

OUTLIVES_RESTART_OF_MAIN = (
    *("never_starts", "messages_refused", "byzantine_weight", "pruned_at_attesters"),
    *("newer_vote", "own_minimum", "own_vote_skipped", "own_vote_comes_back", "attesters_dead"),
    *("newer_vote_at_relay", "relay_minimum", "relay_dead", "never_answered", "message_too_large"),
)
"""The kinds that rest on what another node than the main node remembers, or on what no restart changes. A restart of
the main node undoes the others: its registry, its finder and its connections are new."""


def _unless_main_restarts(kind: CounterexampleKind) -> CounterexampleKind:
    def holds(system: AttestationSystem) -> Bool:
        return kind.holds(system) & truth(system.scope.restarting not in ("", MAIN))

    return kind if kind.name in OUTLIVES_RESTART_OF_MAIN else replace(kind, holds=holds)


IN_SPITE_OF_RESTARTS = tuple(_unless_main_restarts(kind) for kind in POINTS_OF_NO_RETURN)
"""Why a batch stays without a certificate, although nodes restart: those of the scope, which can be all."""
