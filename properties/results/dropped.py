"""Which assumptions a property needs: each is dropped in turn, all else as it was, and the search says what breaks.

A property is searched where it holds and says something, on the first and the last revision of each design that
starts attestation at the genesis: in the plain scope, or, where it says nothing there, in one that has what it needs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache, lru_cache

from model.revisions import design_of
from model.revisions import revision as by_name
from model.scope import BAD_SIGNATURE, BadScope, Scope, instance
from model.system import build
from model.topology import MAIN
from properties.claims.assumptions import ASSUMPTIONS, Assumption, Drop
from properties.claims.kinds import Property
from properties.engines.checking import Check
from properties.results.cures import changed
from properties.results.verdicts import Exhausted, Verdict, Violated

REVISIONS = ("pr161+era2539", "pr170+era2539", "pr175+era2657", "pr175+era3512")

PLAIN = Scope(instance("n2f0b0"), batches=3)
ONE = replace(PLAIN, instance=instance("n1f0b0"))
BASES = (
    PLAIN,
    replace(ONE, restarts=None, restarting=MAIN),
    replace(ONE, regeneses=1),
    replace(ONE, topology="relay", bad_votes=BAD_SIGNATURE),
)
"""The scopes in which something is dropped; a property is looked at in the first in which it says something."""


@dataclass(frozen=True)
class Place:
    """A revision in a scope."""

    revision: str
    scope: Scope

    def without(self, drop: Drop) -> Place | None:
        """The same without an assumption; none if it cannot be dropped here."""
        revision = changed(self.revision, drop.part) if drop.part else self.revision
        committee = instance(drop.instance) if drop.instance else self.scope.instance
        try:
            scope = replace(self.scope, instance=committee, **drop.switches)  # type: ignore[arg-type] # by name
            build(by_name(revision), scope)
        except BadScope:
            return None
        return Place(revision, scope)

    def makes(self, assumption: Assumption) -> bool:
        """Whether the assumption is made here."""
        return assumption.holds(by_name(self.revision), self.scope)


@lru_cache(maxsize=4)
def _check(place: Place) -> Check:
    return Check(build(by_name(place.revision), place.scope))


@cache
def verdict(claim: Property, place: Place) -> Verdict:
    """The verdict on a property, from a search."""
    return _check(place).verdict(claim)


def search(claims: Iterable[Property]) -> None:
    """Find out all that is needed about these properties, place by place: a search is done once, and not kept."""
    asked: dict[Place, list[Property]] = {}
    for claim in claims:
        for _, place in _dropped(claim):
            asked.setdefault(place, []).append(claim)
    for place, those in asked.items():
        for claim in those:
            verdict(claim, place)


def bases(claim: Property) -> Iterator[Place]:
    """Where the property holds, and says something: on each revision in the first of the scopes in which it does."""
    for revision in REVISIONS:
        places = (Place(revision, scope) for scope in BASES)
        found = next((place for place in places if isinstance(verdict(claim, place), Exhausted)), None)
        if found is not None:
            yield found


@dataclass(frozen=True)
class Tried:
    """What becomes of a property without an assumption, in one place."""

    assumption: Assumption
    place: Place
    verdict: Verdict


def _dropped(claim: Property) -> Iterator[tuple[Assumption, Place]]:
    """Each assumption that can be dropped where the property holds, and where that leads."""
    for assumption in ASSUMPTIONS:
        for base in bases(claim):
            for drop in assumption.drops if design_of(base.revision) in assumption.designs else ():
                place = base.without(drop)
                if place is not None and not place.makes(assumption):
                    yield assumption, place


def tried(claim: Property, assumption: Assumption) -> Iterator[Tried]:
    """The property in every place where it held, without the assumption."""
    for each, place in _dropped(claim):
        if each is assumption:
            yield Tried(assumption, place, verdict(claim, place))


def breaking(claim: Property, assumption: Assumption) -> Tried | None:
    """The shortest run that violates the property without the assumption."""
    broken = [(each, each.verdict) for each in tried(claim, assumption)]
    steps = [(len(found.trace.steps), each) for each, found in broken if isinstance(found, Violated)]
    return min(steps, key=lambda pair: pair[0])[1] if steps else None


def needed(claim: Property) -> dict[str, Tried]:
    """What breaks the property, by assumption; without what a stronger one that is needed implies."""
    broken = {each.name: found for each in ASSUMPTIONS if (found := breaking(claim, each))}
    implied = {weaker for each in ASSUMPTIONS if each.name in broken for weaker in each.implies}
    return {name: found for name, found in broken.items() if name not in implied}
