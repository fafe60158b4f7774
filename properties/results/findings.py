"""What is wrong with the protocol: the findings, and which violations show each of them.

This is the one place for what is said of a finding as a whole. The table at the end of `attestation check`, the command
`attestation trace NAME`, the reports and `docs/findings/` take it from here. Where a finding is found, and how short
its run is, the searches say.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from model.revisions import CONTROLLER, REGISTRY, design_of
from properties.results.history import RELEASES


class Severity(StrEnum):
    """What a finding means for the main node, worst first."""

    STUCK = "stuck"
    """It certifies nothing more, until somebody restarts nodes."""
    GAP = "gap"
    """A batch stays without certificate."""
    INVALID = "invalid"
    """A certificate is no good."""
    NOTE = "note"
    """No harm by itself."""


@dataclass(frozen=True)
class Finding:
    """A finding: `name` is also that of its page in `docs/findings/`, if `has_page`.

    `summary` is what goes wrong, in a table: at most 40 characters. `shown_by` are the violations that show it, as
    (property, kind); the first is the one to look at, on the revision `shown_on` if that is named. `cured_by` are parts
    of revisions, in words. `known_since`: who described it first, as far as we know, and when. Where one property fails
    for different reasons in the two designs, `design` is the one that the finding is about.
    """

    name: str
    title: str
    summary: str
    severity: Severity
    shown_by: tuple[tuple[str, str | None], ...] = ()
    shown_on: str = ""
    cured_by: str = ""
    known_since: str = "this model"
    has_page: bool = True
    design: str = ""

    def is_about(self, revision: str) -> bool:
        """Whether the finding can be one of this revision."""
        return self.design in ("", design_of(revision))


def _each(properties: Iterable[str], *kinds: str) -> tuple[tuple[str, str | None], ...]:
    return tuple((name, kind) for kind in kinds for name in properties)


STUCK = ("progress_possible", "attestation_can_start")
"""The properties whose violation is that the main node is stuck."""

OUT_OF_ORDER = ("attestation_starts_at_first_batch", "one_batch_at_a_time")
"""The properties whose violation is that batches are attested before others."""

ASK_THE_SAME = "PR 2539, `start_kept`"
"""What cures everything that comes of a number that falls."""

RACE = "this model; the race that it begins with: zksync-era PR 2480, in a comment (26 July 2024)"
"""Who knew of what comes of a number that falls."""

FINDINGS: tuple[Finding, ...] = (
    Finding(
        "registry-minimum",
        "The registry minimum deadlocks the main node",
        "The minimum deadlocks the main node",
        Severity.STUCK,
        _each(STUCK, "registry_minimum", "minimum_to_come"),
        cured_by=ASK_THE_SAME,
        known_since="era-consensus PR 161, its description (31 July 2024)",
    ),
    Finding(
        "newer-vote",
        "Attesters that have voted on a later batch can never vote on an earlier one",
        "No attester can vote on an earlier batch",
        Severity.STUCK,
        _each(STUCK, "newer_vote"),
        cured_by=ASK_THE_SAME,
        known_since=RACE,
    ),
    Finding(
        "own-minimum",
        "An attester is caught in the minimum of its own registry",
        "An attester's own minimum skips its vote",
        Severity.STUCK,
        _each(STUCK, "own_minimum", "own_vote_skipped"),
        cured_by=ASK_THE_SAME,
        known_since=RACE,
    ),
    Finding(
        "vote-lost",
        "A skipped vote is not pushed again",
        "A skipped vote is not pushed again",
        Severity.STUCK,
        _each(STUCK, "vote_lost", "attesters_lost"),
        cured_by=ASK_THE_SAME,
        known_since=RACE,
    ),
    Finding(
        "refusal-is-no-cure",
        "Refusing smaller numbers does not cure the start-up deadlock",
        "PR 167 does not cure the deadlock",
        Severity.STUCK,
        _each(STUCK, "error_to_come", "newer_vote_at_main"),
        shown_on="pr167+era2480",
        cured_by=ASK_THE_SAME,
        known_since=RACE,
    ),
    Finding(
        "consensus-ends",
        "One error ends the main node's consensus for good",
        "An error ends the main node's consensus",
        Severity.STUCK,
        (
            *_each(STUCK, "consensus_dead", "attesters_dead", "relay_dead"),
            ("executor_can_start", "node_gone"),
        ),
        shown_on="pr170+era2539",
        cured_by="`error_returned`",
        known_since="zksync-era, by intent: a comment in core/node/consensus/src/era.rs (before 26 July 2024)",
    ),
    Finding(
        "relay-skips-votes",
        "A relay skips the votes that the main node asks for",
        "A relay skips the votes asked for",
        Severity.STUCK,
        _each(STUCK, "relay_minimum", "newer_vote_at_relay"),
        cured_by=ASK_THE_SAME,
        known_since=RACE,
        has_page=False,
    ),
    Finding(
        "restart-is-no-cure",
        "A restart of the main node alone need not help",
        "Restarting the main node does not help",
        Severity.STUCK,
        _each(
            ("restarts_help",), "newer_vote", "own_minimum", "own_vote_skipped", "newer_vote_at_relay", "relay_minimum"
        ),
        shown_on="pr170+era2480",
        cured_by=ASK_THE_SAME,
        known_since=RACE,
    ),
    Finding(
        "never-starts",
        "As PR 165 was merged, the executor never starts",
        "As of PR 165 no executor ever starts",
        Severity.STUCK,
        _each(("executor_can_start", *STUCK, "restarts_help"), "never_starts"),
        cured_by="PR 166",
        known_since="era-consensus PR 166 (1 August 2024)",
        has_page=False,
    ),
    Finding(
        "pruned-main-node",
        "A pruned main node never attests",
        "A pruned main node never attests",
        Severity.STUCK,
        (
            *_each(("attestation_can_start", "progress_possible"), "pruned_in_the_way"),
            *_each(("attestation_can_start", "executor_can_start"), "pruned_too_early"),
            *_each(STUCK, "nothing_asked", "asked_batch_pruned"),
        ),
        cured_by="`prune_aware` with `pruned_dropped`",
        known_since="zksync-era PR 2544, in part: its test never finished for it (1 August 2024)",
    ),
    Finding(
        "never-answered",
        "A node whose calls are never answered takes no part in gossip",
        "Without answers a node passes on nothing",
        Severity.STUCK,
        (*_each(STUCK, "never_answered"), ("executor_can_start", "executor_waits")),
        cured_by="PR 169",
        known_since="zksync-era PR 2574, which reverts PR 2544 for it (2 August 2024)",
    ),
    Finding(
        "pruned-attester",
        "Attesters that have pruned a batch can never vote on it",
        "Attesters that prune cannot vote",
        Severity.STUCK,
        _each((*STUCK, "restarts_help"), "pruned_at_attesters", "batch_not_there"),
    ),
    Finding(
        "bad-vote-cuts-connection",
        "One bad vote cuts a connection for good",
        "One bad vote cuts a connection for good",
        Severity.STUCK,
        (
            *_each(STUCK, "messages_refused"),
            ("connections_survive_bad_votes", None),
            ("restarts_help", "messages_refused"),
        ),
        cured_by="PR 170 (bad signatures), `foreign_skipped` (another genesis)",
        known_since="era-consensus PR 170, for bad signatures (2 August 2024)",
        has_page=False,
    ),
    Finding(
        "task-ends",
        "An error ends a node's attestation task for good",
        "An error ends a node's attestation task",
        Severity.STUCK,
        (
            *_each(STUCK, "main_task_dead"),
            *_each((*STUCK, "restarts_help"), "attester_task_dead", "nodes_lost_in_several_ways"),
            ("attestation_lives_with_process", None),
        ),
        shown_on="pr175+era3512",
        cured_by="`task_restarts`",
    ),
    Finding(
        "restored-database",
        "A main node with a restored database asks for what its nodes have passed",
        "After a restore nodes ignore the number",
        Severity.STUCK,
        (
            *_each(STUCK, "main_is_ahead"),
            *_each((*STUCK, "restarts_help"), "ignored_as_lower"),
            *((name, None) for name in ("no_gaps_on_main_node", *OUT_OF_ORDER)),
        ),
        cured_by="`smaller_number_restarts`, shown on pr175+era3512, joined",
        design=CONTROLLER,
    ),
    Finding(
        "deaf-to-status",
        "A task that waits for a hash does not hear of later numbers",
        "A task that waits for a hash is deaf",
        Severity.STUCK,
        _each((*STUCK, "restarts_help"), "deaf_to_status"),
        cured_by="`hash_wait_listens`, shown on pr175+era2657, where the batch asked for is there",
    ),
    Finding(
        "committee-unreadable",
        "A committee that cannot be read stops attestation",
        "An unreadable committee stops everything",
        Severity.STUCK,
        _each((*STUCK, "restarts_help"), "committee_unreadable", "committee_unreadable_for_attesters"),
    ),
    Finding(
        "relay-not-there",
        "An external node passes on no votes for a batch that it has not started",
        "A relay must have started the batch, too",
        Severity.STUCK,
        _each((*STUCK, "restarts_help"), "relay_not_there"),
        cured_by="`task_restarts`, where an error is the reason",
    ),
    Finding(
        "votes-cut-off",
        "Votes that stand behind an error in a list are lost",
        "Votes behind an error in a list are lost",
        Severity.STUCK,
        (*_each(STUCK, "votes_cut_off"), ("early_votes_arrive", None)),
        cured_by="`refused_votes_skipped`",
    ),
    Finding(
        "message-too-large",
        "A node with more votes than a message can have tells none",
        "More votes than a message can have",
        Severity.STUCK,
        _each(STUCK, "message_too_large"),
    ),
    Finding(
        "no-committee",
        "The main node never gets beyond a batch that has no committee",
        "A batch without a committee is the last",
        Severity.STUCK,
        _each((*STUCK, "restarts_help"), "not_required"),
    ),
    Finding(
        "other-hash",
        "Attesters that have computed another hash cannot vote until they restart",
        "Votes over another hash are lost",
        Severity.STUCK,
        _each((*STUCK, "restarts_help"), "other_hash"),
        cured_by="a restart of these nodes, for progress",
    ),
    Finding(
        "gap",
        "A gap, although every attester is honest",
        "A gap, although all attesters are honest",
        Severity.GAP,
        (("no_gaps_on_main_node", None), *_each(STUCK, "overtaken")),
        cured_by=ASK_THE_SAME,
        known_since=RACE,
        design=REGISTRY,
    ),
    Finding(
        "first-batches",
        "History before the first certificate is never attested",
        "The first batches are never attested",
        Severity.GAP,
        (("attestation_starts_at_first_batch", None),),
        cured_by="PR 2539",
        known_since="zksync-era PR 2480, by intent (26 July 2024)",
        design=REGISTRY,
    ),
    Finding(
        "old-fork-answers",
        "Answers of the former fork make gaps and deadlocks, also with PR 2539's start",
        "Old answers after a fork make gaps",
        Severity.GAP,
        cured_by="PR 167",
    ),
    Finding(
        "never-certified",
        "A batch that can be signed everywhere is never certified",
        "Some batch is not certified in the end",
        Severity.GAP,
        (("every_batch_certified", None),),
        cured_by="what cures the others",
        has_page=False,
    ),
    Finding(
        "certificate-does-not-verify",
        "One Byzantine attester makes certificates that do not verify",
        "1 Byzantine attester spoils certificates",
        Severity.INVALID,
        (("certificates_verify", None),),
        cured_by="`votes_by_number`",
    ),
    Finding(
        "signs-twice",
        "An honest attester signs two hashes of one batch",
        "An honest attester signs two hashes",
        Severity.NOTE,
        (("honest_attesters_sign_once", None),),
        has_page=False,
    ),
    Finding(
        "number-falls",
        "The number that a node has been told falls",
        "The number that a node is told falls",
        Severity.NOTE,
        (("status_never_falls", None),),
        cured_by="PR 167 (the node stops)",
        known_since="era-consensus PR 161, in its story of the deadlock (31 July 2024)",
        has_page=False,
    ),
    Finding(
        "voting-ahead",
        "Attesters vote on a batch before those before it are certified",
        "Attesters vote ahead of certificates",
        Severity.NOTE,
        (("one_batch_at_a_time", None),),
        cured_by=ASK_THE_SAME,
        known_since=RACE,
        has_page=False,
        design=REGISTRY,
    ),
    Finding(
        "subscribers",
        "A new subscriber of the status watch does not start as seen",
        "A new subscriber does not start as seen",
        Severity.NOTE,
    ),
)
"""All findings, worst first; in the order of `docs/findings/README.md`."""

RAN = tuple(RELEASES)
"""The revisions that ran with each other. The other pairs say what would have happened, or what one of the pull
requests is worth by itself."""


@dataclass(frozen=True)
class Column:
    """Revisions that the table of findings puts together, in a few letters and in words: those with the part `of`, and
    without the parts `not_of`."""

    title: str
    about: str
    of: str
    not_of: tuple[str, ...] = ()

    def has(self, revision: str) -> bool:
        """Whether the revision belongs here."""
        parts = revision.split("+")
        return self.of in parts and not any(part in parts for part in self.not_of)


COLUMNS = (
    Column("sealed", "attestation starts at the last sealed batch (zksync-era PR 2480)", "era2480"),
    Column("genesis", "attestation starts at the batch of the genesis (zksync-era PR 2539)", "era2539"),
    Column("PR175", "attestation controllers in place of vote registries (era-consensus PR 175 on)", "pr175"),
)
"""The columns of the table: where attestation starts, and the design that came after."""


def finding_of(property: str, kind: str | None, revision: str) -> Finding | None:
    """The finding that a violation on a revision shows; None if it shows nothing that is known."""
    shown = (each for each in FINDINGS if (property, kind) in each.shown_by)
    return next((each for each in shown if each.is_about(revision)), None)


def known_since(property: str, kind: str | None, revision: str) -> str:
    """Who described first what a violation on a revision shows, as far as we know."""
    finding = finding_of(property, kind, revision)
    return finding.known_since if finding else "this model"
