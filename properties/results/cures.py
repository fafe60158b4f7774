"""For every defect that the model shows, the smallest change that we found against it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from itertools import combinations

from model.revisions import PARTS, design_of
from model.rules import threshold
from model.scope import BAD_SIGNATURE, FOREIGN_GENESIS, Scope, instance
from model.topology import MAIN
from properties.results.expected import expectations
from properties.scopes.plans import PLANS

ONE = Scope(instance("n1f0b0"), batches=3)
OWN = replace(ONE, own_finders=True)


Violation = tuple[str, str | None]
"""A property, and the kind of counterexample, if it has kinds."""


@dataclass(frozen=True)
class Change:
    """Parts that a revision gets, in a few words what they do, where in the real code that goes, and its price."""

    parts: str
    says: str
    where: str
    price: str = "none"


@dataclass(frozen=True)
class Cure:
    """A defect and a change against it, on the revision `before`. That it cures is searched for one property (`claim`)
    in one `scope`. `answers` are the kinds of counterexamples that it is offered for, where there are kinds, or other
    properties that are violated for the same reason."""

    defect: str
    change: Change
    before: str
    claim: str
    scope: Scope
    answers: tuple[str, ...] = ()
    against: str = ""
    """The part that has the defect, if not all revisions without the change have it."""

    @property
    def after(self) -> str:
        """The revision with the change."""
        return changed(self.before, self.change.parts)

    def is_for(self, revision: str, scope: Scope) -> bool:
        """Whether this revision lacks it, and may need it in this scope."""
        is_of_design = design_of(revision) == design_of(self.before)
        has_defect = self.against in ("", *revision.split("+")) and self.scope.bad_votes in ("", scope.bad_votes)
        return is_of_design and has_defect and changed(revision, self.change.parts) != revision

    def is_against(self, claim: str, kind: str | None) -> bool:
        """Whether it is offered against such a violation."""
        return (kind or claim) in self.answers or (self.claim == claim and not self.answers)


def changed(revision: str, parts: str) -> str:
    """The revision with these parts: a proposal is added, a part of a repository takes the place of its like."""
    names = revision.split("+")
    for part in parts.split("+"):
        if PARTS[part].is_proposal:
            names += [part] * (part not in names)
        else:
            repositories = [PARTS[name].repository for name in names]
            names[repositories.index(PARTS[part].repository)] = part
    return "+".join(names)


STATUS_QUERY = "zksync-era: the query behind `next_batch_to_attest`"
UPDATE = "era-consensus: `BatchVotes::update`"

GENESIS_START = Change(
    "era2539",
    "start attestation at the batch of the genesis, as zksync-era PR 2539 does: the number that is asked for then "
    "never falls",
    STATUS_QUERY,
    "all history is attested, which takes a poll for each batch",
)
KEPT_START = Change(
    "start_kept",
    "let the main node store where attestation starts, once, instead of deciding it anew at every poll (`start_kept`)",
    STATUS_QUERY,
    "batches before the start never get a certificate, as PR 2480 means it",
)
EXECUTOR_STARTS = Change(
    "pr166",
    "let the loop that polls for the first number end once it has one, as era-consensus PR 166 does",
    "era-consensus: the loop that polls for the first number",
)
EXECUTOR_AT_ONCE = Change(
    "pr169",
    "start the executor without waiting for a number, as era-consensus PR 169 does",
    "era-consensus: the executor",
)
SMALLER_REFUSED = Change(
    "pr167",
    "let a smaller number, or another genesis, stop the node, as era-consensus PR 167 does",
    "era-consensus: `AttestationStatusWatch::update`",
    "the node stops, and somebody has to start it again",
)
IN_PIECES = Change(
    "votes_in_pieces",
    "let a pusher that has more votes to send than a message can have send some of them first, and count no more than "
    "these as pushed (`votes_in_pieces`)",
    "era-consensus: the task of `run_stream` that pushes batch votes",
)
VOTES_BY_NUMBER = Change(
    "votes_by_number",
    "let `BatchVotes::find_quorum` collect signatures by number and hash, not by hash alone (`votes_by_number`)",
    "era-consensus: `BatchVotes::find_quorum` also compares the number of a vote",
)
PRUNING_MINDED = Change(
    "prune_aware+pruned_dropped",
    "let the query take pruning into account, and let the task that inserts certificates give up on one whose batch "
    "was pruned (`prune_aware` with `pruned_dropped`)",
    f"{STATUS_QUERY}, and the task that inserts certificates",
    "the pruned batch never gets a certificate",
)
BAD_SIGNATURES_SKIPPED = Change(
    "pr170", "skip a vote with a bad signature instead of taking it for an error, as era-consensus PR 170 does", UPDATE
)
FOREIGN_SKIPPED = Change(
    "foreign_skipped", "skip a vote on another genesis instead of taking it for an error (`foreign_skipped`)", UPDATE
)

ERROR_RETURNED = Change(
    "error_returned",
    "let the main node return an error that ends its consensus, as external nodes do, so that its process ends and is "
    "restarted (`error_returned`)",
    "zksync-era: `era::run_main_node`",
    "the whole server restarts after an error, its API included",
)

TASK = "zksync-era: `run_attestation_controller`, in `mn.rs` and `en.rs`"

SMALLER_RESTARTS = Change(
    "smaller_number_restarts",
    "let a node restart that is asked for a smaller number than it wants; let the main node look at what its database "
    "asks for while it waits, too, and insert only the certificate of that batch (`smaller_number_restarts`)",
    TASK,
    "a number of a lagging replica restarts a node, too",
)
WAIT_LISTENS = Change(
    "hash_wait_listens",
    "let the task listen to the status while it waits for a hash, and turn to a later number (`hash_wait_listens`)",
    TASK,
)
TASK_RESTARTS = Change(
    "task_restarts",
    "let the task begin anew after an error, after a pause (`task_restarts`)",
    TASK,
    "an error that comes again and again is logged again and again",
)
CALLS_IN_PIECES = Change(
    "calls_in_pieces",
    "let a call or an answer with more votes than a message can have carry some of them, leave out of an answer what "
    "the caller has told, and let a caller whose answer was full ask again (`calls_in_pieces`)",
    "era-consensus: the task of `run_stream` that calls `push_batch_votes`, and `PushServer`",
    "a peer has to remember, for each connection, what it was told",
)
REFUSED_SKIPPED = Change(
    "refused_votes_skipped",
    "skip a vote that is an error, and look at the rest of its list (`refused_votes_skipped`)",
    "era-consensus: `State::insert_votes` of the attestation controller",
)

FALLS = (
    *("registry_minimum", "minimum_to_come", "newer_vote", "own_minimum", "own_vote_skipped", "vote_lost", "overtaken"),
    *("newer_vote_at_main", "own_vote_comes_back", "newer_vote_at_relay", "relay_minimum"),
    *("attesters_lost", "error_to_come"),
)
"""The points of no return that come of a number that falls."""

BAD_VOTES = Scope(instance("n1f0b0"), batches=2, topology="relay", bad_votes=BAD_SIGNATURE)
PRUNED_AND_RESTARTED = replace(
    ONE, late_answers=True, certificate_steps=True, pruned="a", prunes_certified=True, restarts=1
)
DIFFERING_COMMITTEES = Scope(
    instance("n2f0b0"), batches=2, call_steps=True, topology="chain", committees="1,1;0,1", split="a"
)
CROWDED = Scope(instance("n2f0b0"), batches=2, echo=True, message_limit=1)
RESTARTING = replace(ONE, echo=True, restarts=None, restarting=MAIN)


def _against_fall(
    defect: str, claim: str, scope: Scope, *answers: str, before: str = "pr161+era2480"
) -> Iterator[Cure]:
    """The changes against a number that falls."""
    for change in (GENESIS_START, KEPT_START):
        yield Cure(defect, change, before, claim, scope, answers, "era2480")


CURES: tuple[Cure, ...] = (
    *_against_fall(
        "points of no return, as the number that is asked for falls",
        *("progress_possible", OWN, *FALLS),
    ),
    *_against_fall("gaps with honest attesters", "no_gaps_on_main_node", OWN),
    *_against_fall(
        "a restart of the main node alone does not help", "restarts_help", RESTARTING, before="pr170+era2480"
    ),
    Cure(
        *("history is left out", GENESIS_START, "pr161+era2480", "attestation_starts_at_first_batch", ONE),
        against="era2480",
    ),
    Cure(
        *("a Byzantine attester spoils certificates", VOTES_BY_NUMBER, "pr161+era2539", "certificates_verify"),
        scope=Scope(instance("w5,1b1"), batches=2),
    ),
    Cure(
        *("the executor never starts", EXECUTOR_STARTS, "pr165+era2539", "executor_can_start", ONE),
        answers=("never_starts",),
        against="pr165",
    ),
    Cure(
        "the executor waits for a number that a pruned main node never names",
        *(EXECUTOR_AT_ONCE, "pr166+era2539", "executor_can_start", replace(ONE, pruned=MAIN)),
    ),
    Cure(
        "after a fork, a running node takes a smaller number for what it was told",
        *(SMALLER_REFUSED, "pr166+era2539", "status_never_falls", replace(ONE, regeneses=1)),
    ),
    Cure(
        "a main node that is pruned early never attests",
        *(PRUNING_MINDED, "pr169+era2539", "attestation_can_start", replace(ONE, pruned=MAIN)),
        answers=("pruned_in_the_way", "pruned_too_early"),
    ),
    *(
        Cure(
            f"{who} has more votes than a message can have",
            *(change, before, "progress_possible", scope),
            answers=("message_too_large",),
        )
        for who, change, before, scope in (
            ("a relay", IN_PIECES, "pr170+era2539", replace(CROWDED, topology="relay", echo=False)),
            ("an attester", IN_PIECES, "pr170+era2539", replace(CROWDED, batches=1)),
            ("a node", CALLS_IN_PIECES, "pr175+era3512", replace(CROWDED, call_steps=True)),
        )
    ),
    Cure(
        "an error ends the main node's consensus for good",
        *(ERROR_RETURNED, "pr170+era2539", "progress_possible", replace(ONE, errors=1)),
        answers=("consensus_dead", "node_gone"),
    ),
    *(
        Cure(defect, SMALLER_RESTARTS, "pr175+era3512", claim, replace(ONE, batches=4, restores=1), answers)
        for defect, claim, answers in (
            ("after a restore, nodes ignore the number", "progress_possible", ("main_is_ahead", "ignored_as_lower")),
            ("a gap after a restore", "no_gaps_on_main_node", ()),
            ("after a restore, the first batches are left out", "attestation_starts_at_first_batch", ()),
        )
    ),
    Cure(
        "a task that waits for a hash does not hear of later numbers",
        *(WAIT_LISTENS, "pr175+era2657", "progress_possible", PRUNED_AND_RESTARTED, ("deaf_to_status",)),
    ),
    Cure(
        "an error ends a node's attestation task for good",
        *(TASK_RESTARTS, "pr175+era3512", "progress_possible", replace(ONE, errors=1)),
        answers=("main_task_dead", "attester_task_dead", "relay_not_there", "attestation_lives_with_process"),
    ),
    Cure(
        "votes that stand behind an error in a list are lost",
        *(REFUSED_SKIPPED, "pr175+era3512", "progress_possible", DIFFERING_COMMITTEES, ("votes_cut_off",)),
    ),
    Cure(
        "one bad signature cuts a connection for good",
        *(BAD_SIGNATURES_SKIPPED, "pr169+era2539", "progress_possible", BAD_VOTES),
        answers=("messages_refused", "connections_survive_bad_votes"),
    ),
    Cure(
        "one vote on another genesis does",
        *(FOREIGN_SKIPPED, "pr170+era2539", "progress_possible", replace(BAD_VOTES, bad_votes=FOREIGN_GENESIS)),
        answers=("messages_refused", "connections_survive_bad_votes"),
    ),
)
"""For every defect that the model shows, a change of which it shows that it cures, in the same scope."""


def advice(revision: str, scope: Scope, violated: Violation, reason: Violation) -> str:
    """What cures a violation that comes of this reason, and how that was shown."""
    committee = scope.instance
    tolerated = committee.total_weight - threshold(committee.total_weight)
    is_beyond = committee.byzantine_weight >= threshold(committee.total_weight) and reason[0] != "certificates_verify"
    if reason[1] == "byzantine_weight" or is_beyond:
        return f"None within the protocol, which tolerates a Byzantine weight of {tolerated}."
    possible = [cure for cure in CURES if cure.is_for(revision, scope)]
    offered = [cure for cure in possible if cure.is_against(*reason)]
    for cures in (*((cure,) for cure in offered), *combinations(possible, 2)):
        after = changed(revision, "+".join(cure.change.parts for cure in cures))
        is_gone = _is_gone(after, scope, *violated)
        if is_gone or (is_gone is None and len(cures) == 1):
            says = "; and ".join(cure.change.says for cure in cures)
            shown = f"In this very scope `{after}` has no such run" if is_gone else _shown(cures[0])
            return f"{says[0].upper()}{says[1:]}. {shown} (exhaustive search)."
    return "None that was shown to help in this scope."


@cache
def _planned() -> dict[Scope, str]:
    """The names that the ledger has for scopes."""
    return {plan.scope: plan.name for plan in PLANS}


def _is_gone(revision: str, scope: Scope, claim: str, kind: str | None) -> bool | None:
    """Whether the ledger says that the revision has no such violation in this scope; None if it does not say."""
    verdict = expectations().get(revision, {}).get(_planned().get(scope, ""), {}).get(claim)
    if verdict is None:
        return None
    return kind not in verdict.partition(": ")[2].split(", ") if kind else not verdict.startswith("VIOLATED")


def _shown(cure: Cure) -> str:
    scope = f"{cure.scope.instance.name}, {cure.scope.name}"
    return f"Shown for `{cure.claim}` in the scope {scope}: `{cure.before}` violates it, `{cure.after}` does not"
