"""What properties take for granted: in words, as a condition on a revision and a scope, and as ways to do without.

An assumption is data, so that nobody has to believe it. That those of a property are *enough* is seen in every scope
where they are made. That each is *needed* is seen where it alone is dropped, and all else is as it was
(`properties.results.dropped`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from model.algebra import FALSE, TRUE, const
from model.committees import Committees
from model.revisions import CONTROLLER, GENESIS_BATCH, NEVER, REGISTRY, Revision
from model.rules import threshold
from model.scope import ALL, BAD_SIGNATURE, EXTERNAL, FOREIGN_GENESIS, NOBODY, Scope
from model.service import electorate_of
from model.topology import MAIN

Condition = Callable[[Revision, Scope], bool]

DESIGNS = (REGISTRY, CONTROLLER)


@dataclass(frozen=True)
class Drop:
    """A way to do without an assumption: switches of the scope, and perhaps another committee (by its name), or another
    part of the revision in the place of its like. What is `within` is changed before, as there would be nothing to drop
    otherwise, or too much to search; the property must hold then, too."""

    switches: Mapping[str, str | int | bool | None] = field(default_factory=dict)
    instance: str = ""
    part: str = ""
    within: Drop | None = None


@dataclass(frozen=True)
class Assumption:
    """Something that a property takes for granted. `is_made` tells whether a revision in a scope keeps to it; each of
    the `drops` does not. It is about these `designs`, and made of itself in others. `implies` names weaker ones."""

    name: str
    sentence: str
    is_made: Condition
    drops: tuple[Drop, ...]
    designs: tuple[str, ...] = DESIGNS
    implies: tuple[str, ...] = ()

    def holds(self, revision: Revision, scope: Scope) -> bool:
        """Whether it is made there."""
        return revision.design not in self.designs or self.is_made(revision, scope)


def _drop(instance: str = "", part: str = "", within: Drop | None = None, **switches: str | int | bool | None) -> Drop:
    return Drop(switches, instance, part, within)


ONE = _drop("n1f0b0")
RELAYED = _drop("n1f0b0", topology="relay")


def _is_off(*switches: str) -> Condition:
    """None of these switches of the scope is on."""
    return lambda revision, scope: not any(getattr(scope, name) != 0 for name in switches)


def _threshold(scope: Scope) -> int:
    return scope.quorum or int(threshold(scope.instance.total_weight))


def _honest_make_a_quorum(revision: Revision, scope: Scope) -> bool:
    return scope.instance.total_weight - scope.instance.byzantine_weight >= _threshold(scope)


def _are_readable(revision: Revision, scope: Scope) -> bool:
    """Each batch has a committee, and the honest attesters make a quorum in it."""
    committees = Committees.of(electorate_of(scope), scope.committees)
    honest = len(scope.instance.weights) - scope.instance.byzantine
    votes = tuple(TRUE if key < honest else FALSE for key in range(len(scope.instance.weights)))
    return all(place >= 0 and committees.is_quorum(const(place), votes) is TRUE for place in committees.schedule)


def _is_calm(revision: Revision, scope: Scope) -> bool:
    if scope.supervised == ALL and not revision.error_ends_task_only:
        return True
    if revision.design == CONTROLLER:
        return revision.restarts_task or scope.errors == 0
    return scope.errors == 0 and (scope.supervised == EXTERNAL or not (scope.regeneses or scope.stale_answers != 0))


def _minds_pruning(revision: Revision, scope: Scope) -> bool:
    """An attester that has set out to vote on the batch waits for it for ever, whatever its node asks for."""
    is_main_alone = scope.pruned == MAIN and not scope.main_attests
    return is_main_alone and revision.starts_after_pruned and revision.drops_pruned


def _bad_votes_are_skipped(revision: Revision, scope: Scope) -> bool:
    skipped = {BAD_SIGNATURE: revision.skips_bad_signatures, FOREIGN_GENESIS: revision.skips_other_genesis}
    return skipped.get(scope.bad_votes, True)


def _hears_of_former_fork(revision: Revision, scope: Scope) -> bool:
    return bool(scope.regeneses) and scope.stale_answers != 0 and not revision.refuses_other_genesis


OLD, NEW = (REGISTRY,), (CONTROLLER,)

ALL_HONEST = Assumption(
    "all-honest",
    "no attester is Byzantine, or certificates collect votes by number",
    lambda revision, scope: scope.instance.byzantine == 0 or revision.collects_by_number,
    (_drop("w5,1b1"),),
    OLD,
    implies=("honest-quorum", "honest-vote"),
)
HONEST_QUORUM = Assumption(
    "honest-quorum",
    "honest weight reaches the threshold",
    _honest_make_a_quorum,
    (_drop("n2f0b1"),),
    implies=("honest-vote",),
)
HONEST_VOTE = Assumption(
    "honest-vote",
    "Byzantine weight does not reach the threshold",
    lambda revision, scope: scope.instance.byzantine_weight < _threshold(scope),
    (_drop("n2f0b2"),),
    OLD,
)
MAJORITY = Assumption(
    "majority",
    "a quorum has more than half of the weight",
    lambda revision, scope: 2 * _threshold(scope) > scope.instance.total_weight,
    (_drop(quorum=1),),
    OLD,
)
GENESIS_START = Assumption(
    "genesis-start",
    "attestation starts at the batch of the genesis",
    lambda revision, scope: revision.start == GENESIS_BATCH,
    (_drop(part="era2480"),),
    OLD,
)
NO_FORK = Assumption(
    "no-fork", "the chain does not fork", _is_off("regeneses"), (_drop(within=ONE, regeneses=1),), implies=("own-fork",)
)
FRESH_ANSWERS = Assumption(
    "fresh-answers",
    "the main node's API answers from its own database",
    _is_off("stale_answers"),
    (_drop(within=ONE, stale_answers=2),),
    implies=("own-fork",),
)
OWN_FORK = Assumption(
    "own-fork",
    "no node hears of a former fork's number, or it refuses another genesis",
    lambda revision, scope: not _hears_of_former_fork(revision, scope),
    (_drop(within=ONE, regeneses=1, stale_answers=1),),
    OLD,
)
NO_RESTORE = Assumption(
    "no-restore",
    "the main node's database is not restored",
    _is_off("restores"),
    (_drop(within=_drop("n1f0b0", batches=4), restores=1),),
    NEW,
)
NO_PRUNING = Assumption(
    "no-pruning",
    "no batch is pruned before its successor has a certificate",
    lambda revision, scope: not scope.pruned or _minds_pruning(revision, scope),
    (_drop(pruned=MAIN), _drop(pruned="a"), _drop(within=RELAYED, pruned="X")),
)
NO_ERROR = Assumption(
    "no-error",
    "nobody has an error, or everybody who has one begins anew",
    _is_calm,
    (_drop(errors=1), _drop(within=_drop("n1f0b0", regeneses=1), supervised=NOBODY)),
)
EXECUTOR_STARTS = Assumption(
    "executor-starts",
    "polling for the first number returns",
    lambda revision, scope: revision.executor != NEVER,
    (_drop(part="pr165"),),
    OLD,
)
ANSWERS = Assumption(
    "answers",
    "the main node's API answers every node in the end",
    lambda revision, scope: not scope.unanswered,
    (_drop(unanswered="a"), _drop(within=RELAYED, unanswered="X")),
    OLD,
)
NO_BAD_VOTES = Assumption(
    "no-bad-votes",
    "not every message has a vote that is an error, which closes its connection",
    lambda revision, scope: scope.some_bad_votes or _bad_votes_are_skipped(revision, scope),
    tuple(_drop(within=RELAYED, bad_votes=bad) for bad in (BAD_SIGNATURE, FOREIGN_GENESIS)),
    OLD,
)
_EQUIVOCATING = _drop("n2f0b0", batches=1, topology="chain", restarts=1, restarting="b")
SAME_HASH = Assumption(
    "same-hash",
    "all nodes come to the same hash of a batch",
    _is_off("divergences"),
    (
        _drop(divergences=1, astray="a"),
        _drop(within=_EQUIVOCATING, divergences=2, astray="ab"),
    ),
    NEW,
)
_DIFFERING = _drop(batches=2, topology="chain", call_steps=True, committees="1,1;0,1")
SAME_COMMITTEE = Assumption(
    "same-committee",
    "all nodes have the same committee for a batch",
    lambda revision, scope: not (scope.split or scope.fallbacks),
    (
        _drop(within=_DIFFERING, split="a"),
        _drop(within=replace(_DIFFERING, switches={**_DIFFERING.switches, "restarts": 1}), fallbacks=1, astray="a"),
    ),
    NEW,
)
READABLE_COMMITTEES = Assumption(
    "honest-committees",
    "every batch has a committee, in which honest weight reaches the threshold",
    _are_readable,
    tuple(_drop(within=_drop("n1f0b0", batches=4), committees=each) for each in ("1;1;error;1", "1;1;none;1")),
    NEW,
    implies=("honest-quorum",),
)
SMALL_MESSAGES = Assumption(
    "small-messages",
    "every vote that a node has fits into one message, or it is sent in pieces",
    lambda revision, scope: not scope.message_limit or revision.sends_in_pieces,
    (_drop(within=_drop(batches=1, call_steps=True, echo=True), message_limit=1),),
)

NO_RESTART = Assumption("no-restart", "no node restarts", _is_off("restarts"), (_drop(restarts=None),))
NO_DISCONNECT = Assumption("no-disconnect", "no connection breaks", _is_off("disconnects"), (_drop(disconnects=None),))
DIRECT = Assumption(
    "direct",
    "every attester is connected to the main node, and nobody else is between",
    lambda revision, scope: scope.topology == "direct",
    (
        _drop(within=_drop("n1f0b0", batches=2), topology="relays"),
        *(_drop(within=ONE, topology=each) for each in ("relay", "relay_chain", "observed")),
        *(_drop(topology=each) for each in ("chain", "mesh")),
    ),
)
ONE_WAY = Assumption("one-way", "votes flow towards the main node only", _is_off("echo"), (_drop(echo=True),))
IN_ORDER = Assumption(
    "in-order",
    "a vote arrives once, and none that is older after it",
    _is_off("replays"),
    (_drop(within=_drop(restarts=None), replays=True),),
    OLD,
)
BATCHES_AT_ONCE = Assumption(
    "batches-at-once",
    "a batch is everywhere as soon as it is sealed",
    _is_off("late_batches"),
    (_drop(late_batches=True),),
)
OWN_STEPS = Assumption(
    "joined-steps",
    "steps that follow each other are one",
    _is_off("late_answers", "finder_steps", "attester_steps", "call_steps", "certificate_steps"),
    (
        _drop(
            within=ONE,
            late_answers=True,
            finder_steps=True,
            attester_steps=True,
            call_steps=True,
            certificate_steps=True,
        ),
    ),
)

ASSUMPTIONS = (
    ALL_HONEST,
    HONEST_QUORUM,
    HONEST_VOTE,
    MAJORITY,
    GENESIS_START,
    EXECUTOR_STARTS,
    NO_FORK,
    FRESH_ANSWERS,
    OWN_FORK,
    NO_RESTORE,
    NO_PRUNING,
    NO_ERROR,
    ANSWERS,
    NO_BAD_VOTES,
    SAME_HASH,
    SAME_COMMITTEE,
    READABLE_COMMITTEES,
    SMALL_MESSAGES,
    NO_RESTART,
    NO_DISCONNECT,
    DIRECT,
    ONE_WAY,
    IN_ORDER,
    BATCHES_AT_ONCE,
    OWN_STEPS,
)
"""Everything that is dropped in turn."""
