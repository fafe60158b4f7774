"""The revisions of the protocol: what each pull request changed, as switches.

A *part* is a pull request, or a change that we propose. A revision is named by its parts, joined by `+`: one of
era-consensus (`pr161` … `pr170`, each with what was merged before it), one of zksync-era (`era2480` or `era2539`),
and any proposals. With `pr175` another design begins, which goes with `era2657` … `era3512`. To add a part: a name, a
sentence and the switches that it sets, in `PARTS`; `docs/revisions.md` shows how.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

LAST_SEALED = "last sealed batch"
GENESIS_BATCH = "genesis batch"

AT_ONCE = "at once"
AFTER_FIRST_ANSWER = "after the first answer"
NEVER = "never"

REGISTRY = "vote registry"
CONTROLLER = "attestation controller"


@dataclass(frozen=True)
class Revision:
    """The switches of one revision; `AS_MERGED` has none of the later changes. `design` says which machines it is made
    of, and so which of the other switches mean anything.

    The vote registry. `start`: where attestation starts while no batch has a certificate. `executor`: when a node's
    executor starts, and with it gossip, QC finder and attester. `refuses_smaller_number`, `refuses_other_genesis`:
    whether such a status stops the node. `skips_bad_signatures`: whether a vote with a bad signature is skipped, and
    not an error. The rest are proposals.

    The attestation controller. `has_committee_per_batch`: whether the committee of a batch is read from the state at
    the end of the one before; `has_committee_without_registry`: whether it is that of the genesis for a node that knows
    of no registry of attesters, and not none. `skips_batch_zero`: whether attestation starts at batch 1 at least.
    `ignores_at_once`: whether a number is ignored as soon as it has been read, on the main node, too, and not once it
    has been started, on external nodes only. `verifies_before_insertion`: whether a certificate is verified before its
    insertion, which must be the first for the batch. `error_ends_task_only`: whether an error in the task ends nothing
    else. `ignores_fallback_config`: whether a running node takes no notice of a configuration that only lacks the
    registry. The rest are proposals.
    """

    name: str = ""
    about: str = ""
    design: str = REGISTRY
    start: str = ""
    executor: str = AT_ONCE
    refuses_smaller_number: bool = False
    refuses_other_genesis: bool = False
    skips_bad_signatures: bool = False
    skips_other_genesis: bool = False
    starts_after_pruned: bool = False
    drops_pruned: bool = False
    remembers_start: bool = False
    collects_by_number: bool = False
    keeps_votes_below_minimum: bool = False
    prefers_votes_at_minimum: bool = False
    finder_listens: bool = False
    sends_in_pieces: bool = False
    returns_errors: bool = False
    has_committee_per_batch: bool = False
    has_committee_without_registry: bool = True
    skips_batch_zero: bool = False
    ignores_at_once: bool = False
    verifies_before_insertion: bool = False
    error_ends_task_only: bool = False
    ignores_fallback_config: bool = False
    restarts_on_smaller: bool = False
    listens_while_waiting: bool = False
    restarts_task: bool = False
    skips_refused_votes: bool = False

    @property
    def least_attested(self) -> int:
        """The smallest number of a batch that is attested."""
        return 1 if self.skips_batch_zero else 0

    @property
    def asks_for_first_block(self) -> bool:
        """Whether the main node looks for the genesis' first block at each poll without a certificate."""
        return self.start == GENESIS_BATCH and not self.remembers_start


AS_MERGED = Revision()
"""Era-consensus PR 161 as merged."""


@dataclass(frozen=True)
class Part:
    """A pull request or a proposal: what it does, in a sentence, and the switches that it sets, on top of those of the
    part that it comes `after`. It changes one `design`, and goes together with parts of the same."""

    about: str
    switches: Mapping[str, str | bool] = field(default_factory=dict)
    after: str = ""
    repository: str = "proposal"
    design: str = REGISTRY

    @property
    def is_proposal(self) -> bool:
        """Whether nobody but us has suggested it."""
        return self.repository == "proposal"


def _consensus(about: str, after: str = "", **switches: str | bool) -> Part:
    return Part(f"era-consensus {about}", switches, after, "era-consensus")


def _era(about: str, **switches: str | bool) -> Part:
    return Part(f"zksync-era {about}", switches, repository="zksync-era")


def _era_later(about: str, after: str = "", **switches: str | bool) -> Part:
    return Part(f"zksync-era {about}", switches, after, "zksync-era", CONTROLLER)


def _proposal(about: str, design: str = REGISTRY, **switches: str | bool) -> Part:
    return Part(f"proposal: {about}", switches, design=design)


PARTS: dict[str, Part] = {
    "pr161": _consensus("PR 161: everybody polls the main node for the next batch to attest"),
    "pr165": _consensus(
        "PR 165: a node polls until the first number before its executor starts; as merged, that never returns",
        after="pr161",
        executor=NEVER,
    ),
    "pr166": _consensus(
        "PR 166: polling for the first number returns, and then the executor starts",
        after="pr165",
        executor=AFTER_FIRST_ANSWER,
    ),
    "pr167": _consensus(
        "PR 167: a smaller number, or another genesis, in the status stops the node",
        after="pr166",
        refuses_smaller_number=True,
        refuses_other_genesis=True,
    ),
    "pr169": _consensus("PR 169: the executor starts without waiting for a number", after="pr167", executor=AT_ONCE),
    "pr170": _consensus(
        "PR 170: a vote with a bad signature is skipped, and not an error", after="pr169", skips_bad_signatures=True
    ),
    "era2480": _era("PR 2480: attestation starts at the last sealed batch", start=LAST_SEALED),
    "era2539": _era("PR 2539: attestation starts at the batch of the genesis", start=GENESIS_BATCH),
    "pr175": Part(
        "era-consensus PR 175: one attestation controller in place of registry, minimum, status watch and QC finder; "
        "votes are for one batch at a time, pushed and pulled",
        repository="era-consensus",
        design=CONTROLLER,
    ),
    "era2657": _era_later("PR 2657: each node's task starts the batches, the main node's waits for the certificate"),
    "era2684": _era_later(
        "PR 2684: a committee for each batch, from batch 1 on; certificates are verified before they are inserted",
        after="era2657",
        has_committee_per_batch=True,
        skips_batch_zero=True,
        ignores_at_once=True,
        verifies_before_insertion=True,
    ),
    "era3040": _era_later("PR 3040: hashes are polled for every 5 s, and not every 500 ms", after="era2684"),
    "era3148": _era_later(
        "PR 3148: a running node takes no notice of a configuration that only lacks the registry of attesters",
        after="era3040",
        ignores_fallback_config=True,
    ),
    "era3180": _era_later(
        "PR 3180: an error ends the attestation task, and nothing else", after="era3148", error_ends_task_only=True
    ),
    "era3512": _era_later(
        "PR 3512: without a registry of attesters there is no committee, not that of the genesis",
        after="era3180",
        has_committee_without_registry=False,
    ),
    "prune_aware": _proposal(
        "without any certificate, and with the first batch pruned, attestation starts at the batch after it "
        "(named in zksync-era PR 2544)",
        starts_after_pruned=True,
    ),
    "pruned_dropped": _proposal(
        "a certificate whose batch was pruned is dropped from the queue, and not tried again for ever",
        drops_pruned=True,
    ),
    "foreign_skipped": _proposal(
        "a vote on another genesis is skipped, as one with a bad signature is from PR 170 on", skips_other_genesis=True
    ),
    "error_returned": _proposal(
        "the main node does not only log an error that ends its consensus, but returns it, as an external node does; "
        "so its process ends, and whoever supervises it restarts it",
        returns_errors=True,
    ),
    "start_kept": _proposal(
        "the main node stores where attestation starts, once, as soon as it has a batch, and does not decide it anew "
        "at every poll",
        remembers_start=True,
    ),
    "votes_by_number": _proposal(
        "a certificate collects the signatures with its hash and its number, not all with its hash",
        collects_by_number=True,
    ),
    "finder_listens": _proposal(
        "while it waits for a quorum, the QC finder listens to the status and sets the minimum when it changes",
        finder_listens=True,
    ),
    "votes_in_pieces": _proposal(
        "a pusher that has more votes to send than a message can have sends some of them first, and then the others",
        sends_in_pieces=True,
    ),
    "votes_kept": _proposal(
        "the registry keeps votes below its minimum, and only finds no quorum there",
        keeps_votes_below_minimum=True,
    ),
    "asked_vote_wins": _proposal(
        "in the registry, and for the pusher, a vote at the minimum replaces a vote on any other batch",
        prefers_votes_at_minimum=True,
    ),
    "smaller_number_restarts": _proposal(
        "a node that is asked for a smaller number than it wants restarts; the main node looks at what its database "
        "asks for while it waits, too, and inserts only the certificate of that batch",
        CONTROLLER,
        restarts_on_smaller=True,
    ),
    "hash_wait_listens": _proposal(
        "while it waits for a hash, the task listens to the status, and turns to a later number",
        CONTROLLER,
        listens_while_waiting=True,
    ),
    "task_restarts": _proposal("after an error the attestation task begins anew", CONTROLLER, restarts_task=True),
    "calls_in_pieces": _proposal(
        "a call or an answer with more votes than a message can have has some of them; an answer leaves out what the "
        "caller has told, and a caller whose answer was full asks again",
        CONTROLLER,
        sends_in_pieces=True,
    ),
    "refused_votes_skipped": _proposal(
        "a vote that is an error is skipped, and does not end its list", CONTROLLER, skips_refused_votes=True
    ),
}


class UnknownRevision(KeyError):
    """No revision has this name. `known` lists names to choose from; parts of them can be recombined."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name
        self.known = sorted([*REVISIONS, *PROPOSALS])


def compose(name: str) -> Revision:
    """The revision with the switches of all its parts, each after the parts that it builds on.

    Raises `UnknownRevision` unless the parts are one of each repository and any proposals, in this order, and all of
    them are of one design.
    """
    parts = name.split("+")
    repositories = [PARTS[part].repository for part in parts if part in PARTS]
    if repositories != ["era-consensus", "zksync-era", *["proposal"] * (len(parts) - 2)] or len({*parts}) < len(parts):
        raise UnknownRevision(name)
    designs = {PARTS[part].design for part in parts}
    if len(designs) > 1:
        raise UnknownRevision(name)
    about = "; ".join(PARTS[part].about for part in parts)
    revision = replace(AS_MERGED, name=name, about=about, design=designs.pop())
    for part in parts:
        for merged in reversed(history(part)):
            revision = replace(revision, **PARTS[merged].switches)  # type: ignore[arg-type] # by name: str or bool
    return revision


def without(name: str, part: str) -> str:
    """The name of a revision without one of its parts."""
    return "+".join(each for each in name.split("+") if each != part)


def proposals_in(name: str) -> tuple[str, ...]:
    """The proposals among the parts of a revision."""
    return tuple(part for part in name.split("+") if PARTS[part].is_proposal)


def without_proposals(name: str) -> str:
    """The name of a revision without the proposals among its parts."""
    return "+".join(part for part in name.split("+") if not PARTS[part].is_proposal)


def idle_parts(name: str) -> tuple[str, ...]:
    """The proposals in a revision that set no switch that is not set without them: they change nothing anywhere."""
    plain = replace(compose(name), name="", about="")
    return tuple(
        part for part in proposals_in(name) if replace(compose(without(name, part)), name="", about="") == plain
    )


def history(part: str) -> tuple[str, ...]:
    """The part and all that it comes after, latest first."""
    before = PARTS[part].after
    return (part, *history(before)) if before else (part,)


REVISIONS: dict[str, Revision] = {
    name: compose(name)
    for name in (
        *(
            f"{consensus}+{era}"
            for consensus in ("pr161", "pr165", "pr166", "pr167", "pr169", "pr170")
            for era in ("era2480", "era2539")
        ),
        *(f"pr175+{era}" for era in ("era2657", "era2684", "era3040", "era3148", "era3180", "era3512")),
    )
}
"""The protocol as it was merged, step by step."""


def design_of(name: str) -> str:
    """The design of a revision, which all of its parts have. Raises `UnknownRevision`."""
    part = PARTS.get(name.partition("+")[0])
    if part is None:
        raise UnknownRevision(name)
    return part.design


def of_design(design: str) -> list[str]:
    """The revisions of one design, in their order."""
    return [name for name, revision in REVISIONS.items() if revision.design == design]


PROPOSALS: dict[str, Revision] = {
    name: compose(name)
    for name in (
        "pr161+era2480+start_kept",
        "pr161+era2480+votes_by_number",
        "pr161+era2480+finder_listens",
        "pr161+era2480+votes_kept",
        "pr161+era2480+finder_listens+votes_kept",
        "pr161+era2480+asked_vote_wins",
        "pr161+era2480+finder_listens+votes_kept+asked_vote_wins",
        "pr161+era2539+votes_by_number",
        "pr169+era2539+prune_aware",
        "pr169+era2539+pruned_dropped",
        "pr169+era2539+prune_aware+pruned_dropped",
        "pr169+era2539+start_kept",
        "pr169+era2539+start_kept+pruned_dropped",
        "pr170+era2539+foreign_skipped",
        "pr170+era2539+votes_in_pieces",
        "pr175+era3512+smaller_number_restarts",
        "pr175+era2657+hash_wait_listens",
        "pr175+era3512+task_restarts",
        "pr175+era3512+refused_votes_skipped",
        "pr175+era3512+calls_in_pieces",
        "pr167+era2480+error_returned",
        "pr170+era2539+error_returned",
    )
}
"""Combinations with our proposals that the documentation reports on. Any other can be named, too."""


def revision(name: str) -> Revision:
    """The revision of this name. Raises `UnknownRevision`."""
    return compose(name)
