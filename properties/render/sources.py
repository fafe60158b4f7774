"""Where the protocol's own source is, as links, and what its tests look at.

A source names a file as the model does; the link goes to the commit of the part of the revision that it belongs to.
"""

from __future__ import annotations

import re

from model.revisions import PARTS
from properties.results.history import ERA_CONSENSUS, MERGES, MOVED, ZKSYNC_ERA

GITHUB = "https://github.com"

COMMIT = MERGES["pr161"].commit
"""Where the tests of era-consensus were read."""

CRATES = {"executor": "node/actors", "network": "node/actors", "storage": "node/libs", "roles": "node/libs"}
"""Where era-consensus keeps its crates; the model names its files from the crate on."""

PULL_REQUEST = re.compile(r"(era-consensus|zksync-era) PR (\d+)")
FILE = re.compile(rf"(?<![\w/])((?:core|{'|'.join(CRATES)})/[\w/]+\.rs)")


def file_url(path: str, revision: str) -> str:
    """The address of a file, at the commit of that part of the revision which is of its repository."""
    crate = path.split("/")[0]
    repository = ERA_CONSENSUS if crate in CRATES else ZKSYNC_ERA
    part = next(part for part in revision.split("+") if part in MERGES and MERGES[part].repository == repository)
    place = f"{CRATES[crate]}/{path}" if crate in CRATES else MOVED.get((part, path), path)
    return f"{GITHUB}/{repository}/blob/{MERGES[part].commit}/{place}"


def linked(source: str, revision: str) -> str:
    """A source in Markdown, its files and pull requests as links."""
    text = FILE.sub(lambda match: f"[{match[1]}]({file_url(match[1], revision)})", source)
    return PULL_REQUEST.sub(rf"[\g<0>]({GITHUB}/matter-labs/\1/pull/\2)", text)


def decided(revision: str) -> list[str]:
    """For each part of a revision what it does, when it was merged, and the code that decides it, in Markdown."""
    return [
        f"{linked(PARTS[part].about, revision)} (merged {MERGES[part].day}; {linked(MERGES[part].decides, revision)})"
        if part in MERGES
        else linked(PARTS[part].about, revision)
        for part in revision.split("+")
    ]


_ONE_VOTE = (
    "`test_batch_votes_quorum` in network/src/gossip/tests/mod.rs lets every attester vote once, on one of two batches "
    "whose hashes are drawn at random and so differ. It looks at the certificate's message and that there is a "
    "signature at all; it never calls `BatchQC::verify`. A vote on another batch with the same hash does not occur."
)
_ONE_BATCH = (
    "`test_batch_votes_propagation` in network/src/gossip/tests/mod.rs has one batch only. All nodes share one store "
    "in memory, which inserts a certificate at once and asks for the first batch that has none; and the test publishes "
    "the votes itself instead of running the attesters. So the number to attest never moves while a certificate waits "
    "to be inserted, and nobody votes on a number that is out of date."
)
_NO_ATTESTER = (
    "The executors of executor/src/tests.rs run without attesters, on a status that nobody ever updates; so no test "
    "runs poll, vote and QC finder together over more than one batch."
)

MISSED_BY: dict[str, tuple[str, ...]] = {
    "certificates_verify": (_ONE_VOTE,),
    "progress_possible": (_ONE_BATCH, _NO_ATTESTER),
    "no_gaps_on_main_node": (_ONE_BATCH, _NO_ATTESTER),
    "attestation_starts_at_first_batch": (_ONE_BATCH, _NO_ATTESTER),
}
"""Why era-consensus' own tests, at this commit, do not meet a violation, by property; from reading them."""


def since_then(revision: str) -> str:
    """What else there is to say of the tests of a later revision: `pr161`, `pr166` and so on are in its name."""
    pull_request = re.match(r"pr(\d+)", revision)
    if pull_request is None or int(pull_request[1]) < 166:
        return ""
    return (
        " From PR 166 on the executor's tests also have `test_attestation_status_runner`, which polls and updates a "
        "status, but without an executor."
    )
