"""What is wrong with the protocol: the findings, and which violations show each of them.

`findings.toml` is the one place for what is said of a finding as a whole. The table at the end of `attestation check`,
the command `attestation trace NAME`, the reports and `docs/findings/` take it from here. Where a finding is found, and
how short its run is, the searches say.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from model.revisions import design_of
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


def _read(path: Path) -> Iterator[Finding]:
    """The findings of a table, by severity and name."""
    for severity, findings in tomllib.loads(path.read_text(encoding="utf-8")).items():
        for name, fields in findings.items():
            shown_by = tuple(each for line in fields.pop("shown_by", ()) for each in _violations(line))
            yield Finding(name, severity=Severity(severity), shown_by=shown_by, **fields)


def _violations(line: str) -> Iterator[tuple[str, str | None]]:
    """`property, property: kind, kind`, or without kinds."""
    properties, _, kinds = line.partition(": ")
    yield from ((name, kind or None) for kind in kinds.split(", ") for name in properties.split(", "))


FINDINGS = tuple(_read(Path(__file__).parent / "findings.toml"))
"""All findings, worst first."""

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
