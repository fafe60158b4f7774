"""The table of expectations, `expected.toml`: the verdict of every property on every revision in every scope.

It has *defaults* and *scopes*. The defaults are written by hand: for a property, or for a kind of property, each line
names the words of scopes and revisions that it is about (`*` is about all), and the verdict there; the last line that
fits decides, and lines of the property come after those of its kind. The scopes are written by `attestation check
--toml`: for each revision, or for those that say the same together, the states and transitions that were found, and
each verdict that is not the default one. So a default never hides a difference: a verdict that nobody has listed must
be the default one.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from model.revisions import REVISIONS
from properties.claims.catalogue import CATALOGUE
from properties.scopes.plans import PLANS, Plan

EXPECTED = Path(__file__).parent / "expected.toml"

SYMMETRIC = "symmetry"
"""The word of scopes in which permuted attesters count as one; their names do not say it."""

ALL = "*"

FIRST_SCOPE = "\n[scopes."
"""Where the part of the table begins that is not written by hand."""

FIGURES = ("states", "transitions")
"""How many there are, which is no verdict. A scope that was last searched before they were counted lacks the latter."""

Row = dict[str, Any]
"""One revision in one scope: the figures, and verdicts by property."""


@dataclass(frozen=True)
class Defaults:
    """The verdicts that need not be listed: by property or kind, selectors and what they say."""

    sections: Mapping[str, Mapping[str, str]]

    def verdict(self, name: str, words: set[str]) -> str | None:
        """What the property says by default where these words are; None if no line fits."""
        return self.deciding(name, words)[1]

    def deciding(self, name: str, words: set[str]) -> tuple[tuple[str, str] | None, str | None]:
        """The line that decides, as (section, selector), and its verdict."""
        found: tuple[tuple[str, str] | None, str | None] = None, None
        for section in (KINDS.get(name), name):
            for selector, verdict in self.sections.get(section or "", {}).items():
                if selector == ALL or words.issuperset(selector.split(", ")):
                    found = (section or "", selector), verdict
        return found

    def row(self, words: set[str]) -> Row:
        """The default verdict of every property that has one; also of those that the catalogue has no longer."""
        forgotten = [name for name in self.sections if name not in KINDS and name not in KINDS.values()]
        verdicts = {name: self.verdict(name, words) for name in (*KINDS, *forgotten)}
        return {name: verdict for name, verdict in verdicts.items() if verdict is not None}


KINDS: Mapping[str, str] = {claim.name: claim.kind.value for claim in CATALOGUE}
"""The kind of each property."""


def plan_of(revision: str, scope: str) -> Plan | None:
    """The scope of the ledger that has this name, for this revision; None if that is not planned. Plans for other
    revisions may have the same name."""
    planned = revision in REVISIONS
    return next((plan for plan in _named().get(scope, ()) if planned and plan.is_for(revision)), None)


@cache
def _named() -> dict[str, list[Plan]]:
    named: dict[str, list[Plan]] = {}
    for plan in PLANS:
        named.setdefault(plan.name, []).append(plan)
    return named


def words(plan: Plan, revision: str) -> set[str]:
    """What selectors know of a scope and a revision: the parts of their names."""
    return {*plan.name.split(", "), *revision.split("+"), *([SYMMETRIC] if plan.symmetry else [])}


@cache
def expectations() -> dict[str, dict[str, Row]]:
    """The table: revision, scope, property, verdict; and the figures."""
    return expanded(EXPECTED.read_text(encoding="utf-8"))


def expanded(text: str) -> dict[str, dict[str, Row]]:
    """A table with all that it says by default; without scopes that are not planned."""
    table = tomllib.loads(text)
    defaults = Defaults(table["defaults"])
    found: dict[str, dict[str, Row]] = {}
    for name, rows in table["scopes"].items():
        for revision, row in ((each, row) for together, row in rows.items() for each in together.split(", ")):
            plan = plan_of(revision, name)
            if plan is not None:
                usual = defaults.row(words(plan, revision))
                figures = {each: row[each] for each in FIGURES if each in row}
                found.setdefault(revision, {})[name] = {**figures, **usual, **row}
    return found


def merged(text: str, rows: Mapping[tuple[str, str], Row]) -> str:
    """The table with these rows, by (revision, scope), instead of those that it has; what is no longer planned is
    left out. The defaults stay as they are."""
    kept = {(revision, name): row for revision, scopes in expanded(text).items() for name, row in scopes.items()}
    head = text.partition(FIRST_SCOPE)[0].rstrip("\n")
    defaults = Defaults(tomllib.loads(head)["defaults"])
    return "\n".join([f"{head}\n", *_scopes(defaults, {**kept, **rows})])


def _scopes(defaults: Defaults, rows: Mapping[tuple[str, str], Row]) -> Iterator[str]:
    for name, plans in _named().items():
        together: dict[tuple[str, ...], list[str]] = {}
        for revision, plan in ((revision, plan) for revision in REVISIONS for plan in plans if plan.is_for(revision)):
            if (revision, name) in rows:
                said = _said(rows[revision, name], defaults.row(words(plan, revision)))
                together.setdefault(tuple(said), []).append(revision)
        if together:
            lines = [f'"{", ".join(revisions)}".{each}' for said, revisions in together.items() for each in said]
            yield "\n".join([f'[scopes."{name}"]', *lines]) + "\n"


def _said(row: Row, usual: Row) -> Iterator[str]:
    """The figures, and what is not said by default, in the order of the catalogue."""
    yield from (f"{each} = {row[each]}" for each in FIGURES if each in row)
    yield from (f'{name} = "{row[name]}"' for name in KINDS if name in row and row[name] != usual.get(name))
