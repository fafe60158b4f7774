"""When and where the modelled code lived: each pull request as merged, and the releases in which they ran together."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Merge:
    """A pull request: repository, commit and day of its merge, and the code that decides what the part is about."""

    repository: str
    commit: str
    day: str
    decides: str


ERA_CONSENSUS, ZKSYNC_ERA = "matter-labs/era-consensus", "matter-labs/zksync-era"

MOVED = {
    (part, "core/lib/dal/src/consensus_dal.rs"): "core/lib/dal/src/consensus_dal/mod.rs"
    for part in ("era3040", "era3148", "era3180", "era3512")
}
"""Files that the model names by their first path, where a part has them elsewhere."""


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


_TABLES = tomllib.loads((Path(__file__).parent / "history.toml").read_text(encoding="utf-8"))

MERGES: dict[str, Merge] = {
    part: Merge(repository, **merged)
    for repository in (ERA_CONSENSUS, ZKSYNC_ERA)
    for part, merged in _TABLES[repository].items()
}
"""By part of a revision."""

RELEASES: dict[str, Releases] = {revision: Releases(**released) for revision, released in _TABLES["releases"].items()}
"""The revisions that were in a release of zksync-era."""


def ran(revision: str) -> str:
    """Whether these pull requests ever ran together."""
    pair = "+".join(revision.split("+")[:2])
    if pair in RELEASES:
        ran = f"yes: zksync-era's {RELEASES[pair]}"
        return ran if pair == revision else f"no; without the proposals {ran}"
    return "no: these pull requests were never in one release"
