"""What stands behind each property: searches, theorems, mutants, side by side; the worst first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from model.revisions import CONTROLLER, design_of
from properties.claims.catalogue import CATALOGUE
from properties.claims.kinds import Kind, Property
from properties.results.expected import Row

SEALED, GENESIS, REDESIGN = "sealed", "genesis", "PR175"
"""Where attestation starts, in the vote registry's design; and the other design."""

GROUPS = (SEALED, GENESIS, REDESIGN)

FAILS, HOLDS = {"VIOLATED", "UNREACHED"}, {"EXHAUSTED", "REACHED"}

HEADS = ("property", *GROUPS, "millions", "theorem", "only")

EXPLAINED = """\
sealed, genesis, PR175: in how many searches it fails, of how many in which it
says something (of revisions with either start, and of the redesign).
millions: states of the searches in which it holds. theorem: whether
`attestation prove` has one about it (R: the registry's design, C: the
controller's; else -). only: mutants of the kept survey that no other
property notices (`attestation mutate`)."""


@dataclass(frozen=True)
class Assurance:
    """One property: by group of revisions how many searches it `fails` in and `holds` in, over how many `states` it
    holds, for which designs there is a theorem, and how many mutants it `alone` notices."""

    claim: Property
    fails: Mapping[str, int]
    holds: Mapping[str, int]
    states: int
    theorem: str
    alone: int

    @property
    def cells(self) -> tuple[str, ...]:
        """A row of the table."""
        searched = (self._share(group) for group in GROUPS)
        return (self.claim.name, *searched, f"{self.states / 1e6:.1f}", self.theorem, str(self.alone or ""))

    def _share(self, group: str) -> str:
        total = self.fails[group] + self.holds[group]
        return f"{self.fails[group]}/{total}" if total else "-"

    @property
    def weight(self) -> tuple[int, int]:
        """What is worst comes first: what fails most; and witnesses, which are no promise, last."""
        return int(self.claim.kind is Kind.SOMETIMES), -sum(self.fails.values())


def assurances(rows: Iterable[tuple[str, Row]]) -> list[Assurance]:
    """Of every property, from the verdicts of searches, each with its revision."""
    from properties.mutation.survey import VERDICT, saved

    fails = {claim.name: Counter[str]() for claim in CATALOGUE}
    holds = {claim.name: Counter[str]() for claim in CATALOGUE}
    states = Counter[str]()
    for revision, row in rows:
        for name in fails:
            word = str(row.get(name, "")).partition(":")[0]
            fails[name][_group(revision)] += word in FAILS
            holds[name][_group(revision)] += word in HOLDS
            states[name] += int(row["states"]) if word in HOLDS else 0
    alone = Counter(each.checks[0] for each in saved()[2] if each.how == VERDICT and len(each.checks) == 1)
    found = [
        Assurance(claim, fails[claim.name], holds[claim.name], states[claim.name], _theorem(claim), alone[claim.name])
        for claim in CATALOGUE
    ]
    return sorted(found, key=lambda each: each.weight)


def _group(revision: str) -> str:
    if design_of(revision) == CONTROLLER:
        return REDESIGN
    return SEALED if "era2480" in revision.split("+") else GENESIS


def _theorem(claim: Property) -> str:
    from properties.proofs.theorems import ABOUT, DESIGNS

    name = ABOUT.get(claim.name, claim.name)
    letters = (("C" if design == CONTROLLER else "R") for design, proofs in DESIGNS.items() if name in proofs.theorems)
    return "".join(letters) or "-"


def table(found: Iterable[Assurance]) -> str:
    """The table, in 80 columns, and what its words mean."""
    rows = [HEADS, *(each.cells for each in found)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join([*_lines(rows, widths), "", EXPLAINED])


def _lines(rows: Iterable[tuple[str, ...]], widths: list[int]) -> Iterator[str]:
    for first, *cells in rows:
        rest = (cell.rjust(width) for cell, width in zip(cells, widths[1:], strict=True))
        yield " ".join([first.ljust(widths[0]), *rest]).rstrip()
