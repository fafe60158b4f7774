"""Which properties must hold on a system: the table of expectations, for scopes that are not in its rows.

The table of expectations has a verdict for every property in every scope of the plan. The system machine runs in other
scopes, so here is the condition under which each property must hold in all scopes. Where it says that a property need
not hold, nothing is asserted by the machine; that it then *fails* is asserted in the small scopes,
where the failing runs are known.
"""

from __future__ import annotations

from collections.abc import Callable

from model.revisions import CONTROLLER, GENESIS_BATCH, NEVER, Revision
from model.rules import threshold
from model.scope import ALL, BAD_SIGNATURE, EXTERNAL, FOREIGN_GENESIS, Scope
from model.topology import MAIN

Condition = Callable[[Revision, Scope], bool]


def _always(revision: Revision, scope: Scope) -> bool:
    return True


def _has_controllers(revision: Revision) -> bool:
    return revision.design == CONTROLLER


def _nobody_forges(revision: Revision, scope: Scope) -> bool:
    """A controller has votes on one batch and hash alone, so that there is nothing to mix."""
    return _has_controllers(revision) or scope.instance.byzantine == 0 or revision.collects_by_number


def _quorums_have_an_honest_vote(revision: Revision, scope: Scope) -> bool:
    """Or need none, where the main node's own hash is the only one that it collects votes on."""
    return _has_controllers(revision) or scope.instance.byzantine_weight < threshold(scope.instance.total_weight)


def _starts_at_genesis(revision: Revision, scope: Scope) -> bool:
    """From there on the main node asks for one batch after the other, and nobody hears of a former fork's numbers."""
    starts = _has_controllers(revision) or (
        revision.start == GENESIS_BATCH and not _hears_of_former_fork(revision, scope)
    )
    return starts and not scope.restores and _quorums_have_an_honest_vote(revision, scope)


def _hears_of_former_fork(revision: Revision, scope: Scope) -> bool:
    return bool(scope.regeneses and scope.stale_answers != 0 and not revision.refuses_other_genesis)


def _starts_at_first_batch(revision: Revision, scope: Scope) -> bool:
    return _starts_at_genesis(revision, scope) and not revision.starts_after_pruned


def _all_take_part(revision: Revision, scope: Scope) -> bool:
    """The honest attesters make a quorum and take part in time, votes get through, and no batch is pruned too early."""
    instance = scope.instance
    is_quorum = instance.total_weight - instance.byzantine_weight >= threshold(instance.total_weight)
    lives = _controllers_live(revision, scope) if _has_controllers(revision) else _registries_live(revision, scope)
    return _starts_at_genesis(revision, scope) and is_quorum and lives


def _registries_live(revision: Revision, scope: Scope) -> bool:
    votes_pass = not scope.bad_votes or scope.some_bad_votes or _bad_votes_are_skipped(revision, scope)
    votes_pass = votes_pass and (not scope.message_limit or revision.sends_in_pieces)
    minds_pruning = scope.pruned == MAIN and revision.starts_after_pruned and revision.drops_pruned
    is_kept = not scope.pruned or (minds_pruning and not scope.main_attests)
    is_calm = scope.errors == 0 and (scope.supervised == EXTERNAL or not (scope.regeneses or scope.stale_answers != 0))
    lives = revision.executor != NEVER and not scope.unanswered and (is_calm or scope.supervised == ALL)
    return lives and votes_pass and is_kept


def _controllers_live(revision: Revision, scope: Scope) -> bool:
    """No error, or one after which somebody starts anew; everybody has one committee, and comes to the same hash."""
    is_restarted = not revision.error_ends_task_only and scope.supervised == ALL
    is_calm = _no_task_fails(revision, scope) or is_restarted
    has_one_view = not (scope.divergences or scope.split or scope.fallbacks or scope.message_limit)
    return is_calm and has_one_view and not scope.pruned and not _committees_differ(scope)


def _committees_differ(scope: Scope) -> bool:
    """Whether there are batches without committee, or with one of which the honest attesters might be no quorum."""
    return bool(scope.committees)


def _numbers_only_rise(revision: Revision, scope: Scope) -> bool:
    is_monotone = revision.start == GENESIS_BATCH and not scope.regeneses and scope.stale_answers == 0
    return is_monotone or revision.refuses_smaller_number or _has_controllers(revision)


def _bad_votes_are_skipped(revision: Revision, scope: Scope) -> bool:
    skipped = {BAD_SIGNATURE: revision.skips_bad_signatures, FOREIGN_GENESIS: revision.skips_other_genesis}
    return skipped.get(scope.bad_votes, False)


def _nobody_diverges(revision: Revision, scope: Scope) -> bool:
    return scope.divergences == 0


def _no_task_fails(revision: Revision, scope: Scope) -> bool:
    """Nothing in the scope can be an error in an attestation task."""
    return scope.errors == 0 and not (scope.pruned or scope.restores or scope.regeneses or scope.committees)


HOLDS_WHERE: dict[str, Condition] = {
    "no_gaps_on_main_node": _starts_at_genesis,
    "attestation_starts_at_first_batch": _starts_at_first_batch,
    "at_most_one_quorum": _always,
    "certificates_verify": _nobody_forges,
    "certificates_match_batches": _quorums_have_an_honest_vote,
    "no_vote_below_minimum": _always,
    "progress_possible": _all_take_part,
    "status_never_falls": _numbers_only_rise,
    "connections_survive_bad_votes": _bad_votes_are_skipped,
    "no_certificate_mixes_forks": _always,
    "one_batch_at_a_time": _starts_at_first_batch,
    "honest_attesters_sign_once": _nobody_diverges,
    "inserted_certificates_verify": _always,
    "one_certificate_per_batch": _always,
    "certificates_are_not_skipped": _always,
    "attestation_lives_with_process": _no_task_fails,
}
"""For each property of kind `always`, where it must hold. Of the others there is `progress_possible`, as
what a run that is driven fairly to its rest can show: every sealed batch is certified then."""


def expected_to_hold(name: str, revision: Revision, scope: Scope) -> bool:
    """Whether the property must hold in this scope of the revision. Nothing is said of a property that is not in the
    table; a test says that all are."""
    return name in HOLDS_WHERE and HOLDS_WHERE[name](revision, scope)
