"""Which assumptions a property needs: each is dropped in turn, all else as it was, and the search says what breaks.

A property is searched where it holds and says something, on the first and the last revision of each design that
starts attestation at the genesis: in the plain scope, or, where it says nothing there, in one that has what it needs.
Where an assumption cannot be dropped there, the scope is changed before, and the property must hold in that, too. With
an assumption go those alone that are stronger.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import islice
from typing import Any

from model.revisions import PROPOSALS, design_of
from model.revisions import REVISIONS as REVISIONS_BY_NAME
from model.revisions import revision as by_name
from model.scope import BAD_SIGNATURE, BadScope, Scope, instance
from model.system import build
from model.topology import MAIN
from properties.claims.assumptions import ASSUMPTIONS, Assumption, Drop
from properties.claims.catalogue import claim
from properties.claims.kinds import Property
from properties.engines.checking import Check
from properties.render.command import repeat
from properties.results.cures import changed
from properties.results.verdicts import Exhausted, NotApplicable, Unknown, Verdict, Violated

REVISIONS = ("pr161+era2539", "pr170+era2539", "pr175+era2657", "pr175+era3512")

PLAIN = Scope(instance("n2f0b0"), batches=3)
ONE = replace(PLAIN, instance=instance("n1f0b0"))
BASES = (
    PLAIN,
    replace(ONE, restarts=None, restarting=MAIN),
    replace(ONE, regeneses=1),
    replace(ONE, batches=2, topology="relay", bad_votes=BAD_SIGNATURE),
)
"""The scopes in which something is dropped; a property is looked at in the first in which it says something."""

MOST_STATES = 1_500_000
"""A larger search is cut short, and what it leaves open is said to be."""


@dataclass(frozen=True)
class Place:
    """A revision in a scope."""

    revision: str
    scope: Scope

    @property
    def name(self) -> str:
        """The committee and the scope, in words."""
        return f"{self.scope.instance.name}, {self.scope.name}"

    def after(self, drop: Drop) -> Place | None:
        """The same with these changes; none if there is no such scope."""
        revision = changed(self.revision, drop.part) if drop.part else self.revision
        committee = instance(drop.instance) if drop.instance else self.scope.instance
        try:
            scope = replace(self.scope, instance=committee, **drop.switches)  # type: ignore[arg-type] # by name
            build(by_name(revision), scope)
        except BadScope:
            return None
        return Place(revision, scope)

    def loses(self, assumption: Assumption, place: Place) -> bool:
        """Whether this assumption is made here and not in that place, and no other is lost but those that imply it."""
        lost = {each.name for each in ASSUMPTIONS if self.makes(each) and not place.makes(each)}
        stronger = {each.name for each in ASSUMPTIONS if assumption.name in each.implies}
        return assumption.name in lost <= {assumption.name} | stronger

    def makes(self, assumption: Assumption) -> bool:
        """Whether the assumption is made here."""
        return assumption.holds(by_name(self.revision), self.scope)


@dataclass(frozen=True)
class Found:
    """What a search says of a property, as the word of its verdict; the steps of the run that violates it, of which
    some may go round for ever; and the command that repeats it, if others can."""

    word: str
    steps: int = 0
    loops: bool = False
    command: str = ""


Asked = tuple[Place, tuple[str, ...]]
"""A place, and the properties that are asked about there."""


def judged(asked: Asked) -> dict[str, Found]:
    """What one search says of all these properties, by name."""
    place, names = asked
    check = Check(build(by_name(place.revision), place.scope), max_states=MOST_STATES)
    return {name: _found(place, verdict) for name, verdict in check.verdicts([claim(each) for each in names]).items()}


def _found(place: Place, verdict: Verdict) -> Found:
    if not isinstance(verdict, Violated):
        return Found(verdict.word)
    is_known = place.revision in (*REVISIONS_BY_NAME, *PROPOSALS)
    command = " ".join(repeat(verdict.trace, "markdown").replace("\\\n", " ").split()) if is_known else ""
    return Found(verdict.word, len(verdict.trace.steps), verdict.trace.loop is not None, command)


def survey(
    claims: Sequence[Property], search: Callable[[Iterable[Asked]], Iterable[dict[str, Found]]]
) -> dict[str, dict[str, Any]]:
    """For each property, by its name: where it was `looked_at`; which assumptions are `needed`, each with the shortest
    run without it and the revisions that have one; which are `implied` by a stronger one of these; without which
    it `held`, or in each search was `silent`; and which are `open`, as their searches were too large. A place is
    searched once for all properties; `search` does it."""
    plain = [Place(revision, scope) for revision in REVISIONS for scope in BASES]
    names = tuple(each.name for each in claims)
    first = dict(zip(plain, search((place, names) for place in plain), strict=True))
    bases = {name: list(_bases(name, first)) for name in names}
    dropped: dict[Place, list[tuple[str, Place, Place]]] = {}
    asked: dict[Place, dict[str, None]] = {}
    for base in {base: None for those in bases.values() for base in those}:
        for assumption, before, place in _without(base):
            dropped.setdefault(place, []).append((assumption.name, base, before))
            for each in (before, place):
                asked.setdefault(each, {}).update((name, None) for name in names if base in bases[name])
    more = [(place, tuple(those)) for place, those in asked.items() if place not in first]
    found = {**first, **dict(zip((place for place, _ in more), search(more), strict=True))}
    tried = {name: list(_tried(name, bases[name], dropped, found)) for name in names}
    return {name: _outcome(bases[name], tried[name]) for name in names}


Tried = tuple[str, Place, Place, Found]
"""An assumption, where it was made, where it was dropped, and what was found there."""


def _tried(
    name: str,
    bases: Sequence[Place],
    dropped: Mapping[Place, Iterable[tuple[str, Place, Place]]],
    found: Mapping[Place, Mapping[str, Found]],
) -> Iterator[Tried]:
    for place, those in dropped.items():
        for assumption, base, before in those:
            if base in bases:
                yield assumption, base, place, _learned(found[before][name], found[place][name])


def _learned(before: Found, after: Found) -> Found:
    """What is found without an assumption, if the property holds with it; else nothing, or how far the search went."""
    if before.word == Exhausted.word:
        return after
    return Found(Unknown.word if before.word == Unknown.word else NotApplicable.word)


def _bases(name: str, found: Mapping[Place, Mapping[str, Found]]) -> Iterator[Place]:
    """Where the property holds, and says something: on each revision in the first of the scopes in which it does."""
    for revision in REVISIONS:
        places = (place for place in found if place.revision == revision)
        yield from islice((place for place in places if found[place][name].word == Exhausted.word), 1)


def _without(base: Place) -> Iterator[tuple[Assumption, Place, Place]]:
    """Each assumption that can be dropped by itself, where it still is made, and where it no longer is."""
    for assumption in ASSUMPTIONS:
        for drop in assumption.drops if design_of(base.revision) in assumption.designs else ():
            before = base.after(drop.within) if drop.within else base
            place = before and before.after(drop)
            if before and place and before.loses(assumption, place):
                yield assumption, before, place


def _outcome(bases: Sequence[Place], tried: Sequence[Tried]) -> dict[str, Any]:
    outcome: dict[str, Any] = {"looked_at": [f"{place.revision} in {place.name}" for place in bases], "needed": {}}
    of = {each.name: [one for one in tried if one[0] == each.name] for each in ASSUMPTIONS}
    broken = {name: [one for one in those if one[3].word == Violated.word] for name, those in of.items()}
    designs = {name: {design_of(one[1].revision) for one in those} for name, those in broken.items()}
    implied = {
        weaker
        for each in ASSUMPTIONS
        for weaker in each.implies
        if broken[each.name] and designs[weaker] <= designs[each.name]
    }
    for name, those in of.items():
        if broken[name] and name not in implied:
            outcome["needed"][name] = _shortest(broken[name])
        elif those:
            outcome.setdefault(_class({one[3].word for one in those}), []).append(name)
    return outcome


def _shortest(broken: Sequence[Tried]) -> dict[str, Any]:
    *_, place, found = min(broken, key=lambda each: each[3].steps)
    return {"on": place.revision, "bases": sorted({each[1].revision for each in broken}), **asdict(found)}


def _class(words: Collection[str]) -> str:
    """What becomes of a property without an assumption that it does not need."""
    classes: dict[type[Verdict], str] = {Violated: "implied", Unknown: "open", Exhausted: "held"}
    return next((name for verdict, name in classes.items() if verdict.word in words), "silent")
