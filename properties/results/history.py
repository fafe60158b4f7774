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
MAIN_TASK, EXTERNAL_TASK = "core/node/consensus/src/mn.rs", "core/node/consensus/src/en.rs"

MOVED = {
    (part, QUERY): "core/lib/dal/src/consensus_dal/mod.rs" for part in ("era3040", "era3148", "era3180", "era3512")
}
"""Files that the model names by their first path, where a part has them elsewhere."""

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
    "pr175": Merge(
        ERA_CONSENSUS,
        "b9c5fa7b435bf5239d66eca01f4d0f1b25f29aca",
        "16 August 2024",
        "network/src/gossip/attestation/mod.rs, network/src/gossip/runner.rs",
    ),
    "era2657": Merge(
        ZKSYNC_ERA,
        "8b8397a1cca6c29b25e22d3ccbfa349c83740d66",
        "16 August 2024",
        f"{MAIN_TASK}, {EXTERNAL_TASK}: run_attestation_updater",
    ),
    "era2684": Merge(
        ZKSYNC_ERA,
        "92dde039ee8a0bc08e2019b7fa6f243a34d9816f",
        "10 September 2024",
        f"{MAIN_TASK}, {EXTERNAL_TASK}: run_attestation_controller; core/node/consensus/src/registry/mod.rs",
    ),
    "era3040": Merge(
        ZKSYNC_ERA,
        "d3edc3d817c151ed00d4fa822fdae0a746e33356",
        "9 October 2024",
        f"{MAIN_TASK}, {EXTERNAL_TASK}: run_attestation_controller",
    ),
    "era3148": Merge(
        ZKSYNC_ERA,
        "caee55fef4eed0ec58cceaeba277bbdedf5c6f51",
        "23 October 2024",
        f"{EXTERNAL_TASK}: the task that watches the main node's configuration",
    ),
    "era3180": Merge(
        ZKSYNC_ERA,
        "6ee9f1f431f95514d58db87a4562e09df9d09f86",
        "28 October 2024",
        f"{MAIN_TASK}, {EXTERNAL_TASK}: run_attestation_controller",
    ),
    "era3512": Merge(
        ZKSYNC_ERA,
        "0d40f170d91c9f59de11eaa6e40efab6f7a7d89d",
        "22 January 2025",
        "core/node/consensus/src/registry/mod.rs: attester_committee_for",
    ),
}
"""By part of a revision."""


@dataclass(frozen=True)
class Releases:
    """Releases of zksync-era's core, the first and the last with their days, and what is to be said of the end."""

    first: str
    since: str
    last: str = ""
    until: str = ""
    end: str = ""

    def __str__(self) -> str:
        """All of it in words."""
        last, until = f" to {self.last}" * bool(self.last), f" to {self.until}" * bool(self.until)
        return f"core {self.first}{last} ({self.since}{until}){self.end}"


RELEASES: dict[str, Releases] = {
    "pr167+era2539": Releases("24.14.0", "1 August 2024", end=", which PR 2574 reverted the day after"),
    "pr170+era2539": Releases("24.15.0", "7 August 2024", "24.18.0", "14 August 2024", ", until the redesign"),
    "pr175+era2657": Releases("24.19.0", "21 August 2024", "24.24.0", "5 September 2024"),
    "pr175+era2684": Releases("24.25.0", "19 September 2024", "24.28.0", "2 October 2024"),
    "pr175+era3040": Releases("24.29.0", "14 October 2024", "24.29.1", "21 October 2024"),
    "pr175+era3148": Releases("25.0.0", "23 October 2024"),
    "pr175+era3180": Releases("25.1.0", "4 November 2024", "26.1.0", "21 January 2025"),
    "pr175+era3512": Releases("26.2.0", "24 January 2025", "28.0.0", "5 May 2025", "; 28.1.0 is without attestation"),
}
"""The revisions that were in a release of zksync-era. From PR 2684 on they depend on later versions of era-consensus,
which attest as PR 175 does."""


def ran(revision: str) -> str:
    """Whether these pull requests ever ran together."""
    pair = "+".join(revision.split("+")[:2])
    if pair in RELEASES:
        ran = f"yes: zksync-era's {RELEASES[pair]}"
        return ran if pair == revision else f"no; without the proposals {ran}"
    return "no: these pull requests were never in one release"
