"""Where the protocol's own source is, as links, and what its tests look at."""

from __future__ import annotations

import re

ERA_CONSENSUS = "https://github.com/matter-labs/era-consensus"
COMMIT = "bce5e3e8189b3f0d3b5eb2aed758a483ba032036"
"""era-consensus pull request 161, as merged: what the model's transitions were read from."""

FOLDERS = {"executor": "node/actors", "network": "node/actors", "storage": "node/libs", "roles": "node/libs"}
"""Where era-consensus keeps its crates."""

PULL_REQUEST = re.compile(r"(era-consensus|zksync-era) PR (\d+)")
FILE = re.compile(rf"(?<![\w/])((?:{'|'.join(FOLDERS)})/[\w/]+\.rs)")


def file_url(path: str) -> str:
    """The address of a file of era-consensus, named as the model names it: without the folder of the crate."""
    return f"{ERA_CONSENSUS}/blob/{COMMIT}/{FOLDERS[path.split('/')[0]]}/{path}"


def linked(source: str) -> str:
    """A source in Markdown, its files and pull requests as links."""
    text = FILE.sub(lambda match: f"[{match[1]}]({file_url(match[1])})", source)
    return PULL_REQUEST.sub(r"[\g<0>](https://github.com/matter-labs/\1/pull/\2)", text)


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
