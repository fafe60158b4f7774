"""The part of `docs/assumptions.md`: each assumption of each property dropped in turn, by searches."""

from __future__ import annotations

from collections.abc import Iterator

from docs.generator.tables import table
from model.revisions import PROPOSALS, REVISIONS
from properties.claims.assumptions import ASSUMPTIONS
from properties.claims.catalogue import claim
from properties.claims.kinds import Property
from properties.render.command import repeat
from properties.results.dropped import Tried, bases, needed, search, tried
from properties.results.verdicts import Violated

ABOUT = (
    "no_gaps_on_main_node",
    "attestation_starts_at_first_batch",
    "at_most_one_quorum",
    "certificates_verify",
    "certificates_match_batches",
    "no_vote_below_minimum",
    "progress_possible",
    "every_batch_certified",
)
"""The properties on the page: those that the protocol is for. All of them take the better part of an hour."""


def sentences() -> str:
    """What each of them says."""
    rows = ((f"`{each.name}`", each.sentence, ", ".join(each.designs)) for each in ASSUMPTIONS)
    return table(("name", "assumption", "designs"), rows)


def dropped() -> str:
    """For each property what breaks without which assumption, and what did not break without which others."""
    about = [claim(name) for name in ABOUT]
    search(about)
    heads = ("property", "without", "breaks in", "on", "command")
    broken = table(heads, (row for each in about for row in _broken(each)))
    whole = table(("property", "looked at", "not broken without"), (row for each in about for row in _whole(each)))
    return f"{broken}\n### What nothing that was tried needed\n\n{whole}"


def _broken(about: Property) -> Iterator[tuple[str, ...]]:
    for name, found in needed(about).items():
        yield f"`{about.name}`", f"`{name}`", _length(found), f"`{found.place.revision}`", _command(found)


def _length(found: Tried) -> str:
    assert isinstance(found.verdict, Violated)
    steps = len(found.verdict.trace.steps)
    return f"{steps} steps" + ("" if found.verdict.trace.loop is None else ", a loop among them")


def _command(found: Tried) -> str:
    assert isinstance(found.verdict, Violated)
    known = found.place.revision in (*REVISIONS, *PROPOSALS)
    return f"`{' '.join(repeat(found.verdict.trace, 'markdown').split()).replace(chr(92) + ' ', '')}`" if known else ""


def _whole(about: Property) -> Iterator[tuple[str, ...]]:
    places = list(bases(about))
    if not places:
        yield f"`{about.name}`", "holds, and says something, in none of the scopes that were tried", ""
        return
    held = [each.name for each in ASSUMPTIONS if (found := list(tried(about, each))) and not _breaks(found)]
    looked = "; ".join(f"`{place.revision}` in {place.scope.instance.name}, {place.scope.name}" for place in places)
    yield f"`{about.name}`", looked, ", ".join(f"`{name}`" for name in held) or "-"


def _breaks(found: list[Tried]) -> bool:
    return any(isinstance(each.verdict, Violated) for each in found)
