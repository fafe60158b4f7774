"""When and where the modelled code lived: each pull request as merged, and the releases in which they ran together.

Read off the two repositories: the merges, which era-consensus a version of zksync-era depends on, and its tags.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Merge:
    """A pull request: repository, commit and day of its merge, and the code that decides what the part is about."""

    repository: str
    commit: str
    day: str
    decides: str


ERA_CONSENSUS, ZKSYNC_ERA = "matter-labs/era-consensus", "matter-labs/zksync-era"
QUERY = "core/lib/dal/src/consensus_dal.rs"

MERGES: dict[str, Merge] = {
    "pr161": Merge(
        ERA_CONSENSUS,
        "bce5e3e8189b3f0d3b5eb2aed758a483ba032036",
        "31 July 2024",
        "network/src/gossip/batch_votes.rs, network/src/gossip/mod.rs: run_batch_qc_finder",
    ),
    "pr165": Merge(
        ERA_CONSENSUS,
        "638b23e291a35fe9109c68d42f277903aaae0c42",
        "31 July 2024",
        "executor/src/attestation.rs: AttestationStatusRunner::init",
    ),
    "pr166": Merge(
        ERA_CONSENSUS,
        "aa29e87de0f87a55d2917d4e1e4de99d04364934",
        "1 August 2024",
        "executor/src/attestation.rs: AttestationStatusRunner::poll_until_some",
    ),
    "pr167": Merge(
        ERA_CONSENSUS,
        "ecbabff2d0de26470da639622f7563cf84c79a1b",
        "1 August 2024",
        "network/src/gossip/attestation_status.rs: AttestationStatusWatch::update",
    ),
    "pr169": Merge(
        ERA_CONSENSUS,
        "d1d3b51e77067855b87bd51d5d52206563d88982",
        "2 August 2024",
        "executor/src/attestation.rs: AttestationStatusRunner::init",
    ),
    "pr170": Merge(
        ERA_CONSENSUS,
        "920c95fe584da4ca1794a85f8097ce1a76cad15a",
        "2 August 2024",
        "network/src/gossip/batch_votes.rs: BatchVotes::update",
    ),
    "era2480": Merge(
        ZKSYNC_ERA,
        "c6b3adf3f29d3a89daa2cfffa1c0e5cb9770eb0d",
        "26 July 2024",
        f"{QUERY}: ConsensusDal::next_batch_to_attest",
    ),
    "era2539": Merge(
        ZKSYNC_ERA,
        "bac1082c257e202242aecb344ecea8bf24243a9d",
        "1 August 2024",
        f"{QUERY}: ConsensusDal::attestation_status",
    ),
}
"""By part of a revision."""

RELEASES: dict[str, str] = {
    "pr167+era2539": "in core 24.14.0 of zksync-era (1 August 2024), which PR 2574 reverted the day after",
    "pr170+era2539": "in core 24.15.0 to 24.18.0 of zksync-era (7 to 14 August 2024); 24.19.0 (21 August 2024) has "
    "the redesign",
}
"""The pairs that were ever wired together in a release (zksync-era PRs 2544 and 2583)."""


def ran(revision: str) -> str:
    """Whether these pull requests ever ran together."""
    pair = "+".join(revision.split("+")[:2])
    if pair in RELEASES:
        ran = f"yes, {RELEASES[pair]}"
        return ran if pair == revision else f"no; without the proposals {ran}"
    return "no: these pull requests were never in one release"
