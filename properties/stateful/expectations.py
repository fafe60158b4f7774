"""Which properties must hold on a system: the table of expectations, for scopes that are not in its rows.

The table of expectations (`properties.ledger`) has a verdict for every property in every scope of the plan. The system
machine runs in other scopes, so here is the condition under which each property must hold in all scopes. Where it says
that a property need not hold, nothing is asserted by the machine; that it then *fails* is asserted in the small scopes,
where the failing runs are known.
"""

from __future__ import annotations

from collections.abc import Callable

from model.revisions import GENESIS_BATCH, NEVER
from model.scope import ALL, BAD_SIGNATURE, EXTERNAL, FOREIGN_GENESIS
from model.service import AttestationSystem
from model.topology import MAIN


def _always(system: AttestationSystem) -> bool:
    return True


def _nobody_forges(system: AttestationSystem) -> bool:
    return system.scope.instance.byzantine == 0 or system.revision.collects_by_number


def _quorums_have_an_honest_vote(system: AttestationSystem) -> bool:
    return bool(system.scope.instance.byzantine_weight < system.electorate.threshold.value)


def _starts_at_genesis(system: AttestationSystem) -> bool:
    """From there on the main node asks for one batch after the other, and nobody hears of a former fork's numbers."""
    scope, revision = system.scope, system.revision
    hears_of_former_fork = scope.regeneses and scope.stale_answers != 0 and not revision.refuses_other_genesis
    return revision.start == GENESIS_BATCH and not hears_of_former_fork and _quorums_have_an_honest_vote(system)


def _starts_at_first_batch(system: AttestationSystem) -> bool:
    return _starts_at_genesis(system) and not system.revision.starts_after_pruned


def _all_take_part(system: AttestationSystem) -> bool:
    """Executors start, the honest attesters make a quorum, votes get through, and no batch is pruned too early."""
    instance, scope, revision = system.scope.instance, system.scope, system.revision
    honest = instance.total_weight - instance.byzantine_weight
    votes_pass = not scope.bad_votes or scope.some_bad_votes or _bad_votes_are_skipped(system)
    is_kept = not scope.pruned or (scope.pruned == MAIN and revision.starts_after_pruned and revision.drops_pruned)
    is_quorum = bool(honest >= system.electorate.threshold.value)
    is_calm = scope.errors == 0 and (scope.supervised == EXTERNAL or not (scope.regeneses or scope.stale_answers != 0))
    lives = revision.executor != NEVER and not scope.unanswered and (is_calm or scope.supervised == ALL)
    return _starts_at_genesis(system) and is_quorum and lives and votes_pass and is_kept


def _numbers_only_rise(system: AttestationSystem) -> bool:
    is_monotone = (
        system.revision.start == GENESIS_BATCH and not system.scope.regeneses and system.scope.stale_answers == 0
    )
    return is_monotone or system.revision.refuses_smaller_number


def _bad_votes_are_skipped(system: AttestationSystem) -> bool:
    skipped = {
        BAD_SIGNATURE: system.revision.skips_bad_signatures,
        FOREIGN_GENESIS: system.revision.skips_other_genesis,
    }
    return skipped.get(system.scope.bad_votes, False)


def _nobody_diverges(system: AttestationSystem) -> bool:
    return system.scope.divergences == 0


def _no_task_fails(system: AttestationSystem) -> bool:
    """Nothing in the scope can be an error in an attestation task."""
    scope = system.scope
    return not (scope.errors or scope.pruned or scope.restores or scope.regeneses or scope.committees)


HOLDS_WHERE: dict[str, Callable[[AttestationSystem], bool]] = {
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
"""For each property of kind `always`, the systems on which it must hold. Of the others there is `progress_possible`, as
what a run that is driven fairly to its rest can show: every sealed batch is certified then."""


def expected_to_hold(name: str, system: AttestationSystem) -> bool:
    """Whether the property must hold on this system. Nothing is said of a property that is not in the table; a test
    says that all are."""
    return name in HOLDS_WHERE and HOLDS_WHERE[name](system)
