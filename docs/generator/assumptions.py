"""The part of `docs/assumptions.md`: each assumption of each property dropped in turn, by searches."""

from __future__ import annotations

from collections.abc import Iterator

from docs.generator.tables import table
from model.revisions import PROPOSALS, REVISIONS
from properties.claims.assumptions import ASSUMPTIONS
from properties.claims.catalogue import CATALOGUE
from properties.claims.kinds import Kind, Property
from properties.render.command import repeat
from properties.results.dropped import Tried, bases, needed, search, tried
from properties.results.verdicts import Violated


def sentences() -> str:
    """What each of them says."""
    rows = ((f"`{each.name}`", each.sentence, ", ".join(each.designs)) for each in ASSUMPTIONS)
    return table(("name", "assumption", "designs"), rows)


def dropped() -> str:
    """For each property what breaks without which assumption, and what did not break without which others."""
    about = [claim for claim in CATALOGUE if claim.kind is not Kind.SOMETIMES]
    search(about)
    heads = ("property", "without", "breaks in", "on", "command")
    broken = table(heads, (row for claim in about for row in _broken(claim)))
    whole = table(("property", "looked at", "not broken without"), (row for claim in about for row in _whole(claim)))
    return f"{broken}\n### What nothing that was tried needed\n\n{whole}"


def _broken(claim: Property) -> Iterator[tuple[str, ...]]:
    for name, found in needed(claim).items():
        yield f"`{claim.name}`", f"`{name}`", _length(found), f"`{found.place.revision}`", _command(found)


def _length(found: Tried) -> str:
    assert isinstance(found.verdict, Violated)
    steps = len(found.verdict.trace.steps)
    return f"{steps} steps" + ("" if found.verdict.trace.loop is None else ", a loop among them")


def _command(found: Tried) -> str:
    assert isinstance(found.verdict, Violated)
    known = found.place.revision in (*REVISIONS, *PROPOSALS)
    return f"`{' '.join(repeat(found.verdict.trace, 'markdown').split()).replace(chr(92) + ' ', '')}`" if known else ""


def _whole(claim: Property) -> Iterator[tuple[str, ...]]:
    places = list(bases(claim))
    if not places:
        yield f"`{claim.name}`", "holds, and says something, in none of the scopes that were tried", ""
        return
    held = [each.name for each in ASSUMPTIONS if (found := list(tried(claim, each))) and not _breaks(found)]
    looked = "; ".join(f"`{place.revision}` in {place.scope.instance.name}, {place.scope.name}" for place in places)
    yield f"`{claim.name}`", looked, ", ".join(f"`{name}`" for name in held) or "-"


def _breaks(found: list[Tried]) -> bool:
    return any(isinstance(each.verdict, Violated) for each in found)
