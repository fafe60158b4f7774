"""What stands behind each property, all engines side by side; the worst first.

What a run of `attestation check` searches is counted from its verdicts. What it cannot know is what is kept of earlier
runs (`properties.results.kept`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from textwrap import fill

from model.revisions import REVISIONS, design_of
from properties.claims.catalogue import CATALOGUE
from properties.claims.kinds import Kind, Property
from properties.results.expected import Row
from properties.results.findings import RAN
from properties.results.kept import GROUPS, group_of, is_current, kept
from properties.results.ledger import Entry
from properties.results.places import is_tolerated
from properties.results.verdicts import Exhausted

FAILS, HOLDS = {"VIOLATED", "UNREACHED"}, {"EXHAUSTED", "REACHED"}

Place = tuple[str, str]
"""A group of revisions, and a property."""

HEADS = ("property", "fails", "seen", "fired", "proof", "to", "runs", "steps", "own", "if")

EXPLAINED = """\
fails  in so many of the searches in which the property says something, with no
       more Byzantine weight than is tolerated; a search that revisions share
       counts for each of them
seen   so many states, all that there are, by the searches in which it holds
fired  so often a state had what a part of the property speaks about
proof  by Z3, for up to so many attesters of any weights (any: the step to any
       number is argued by hand), without pruning, regenesis or a restored
       database; some only where attesters are connected directly, some of them
       with votes one way only (attestation prove says which); (6): of a weaker
       sentence; fails: refuted
to     by Z3, no run of up to so many steps violates it in one small scope
       (attestation prove names it); 9!: one of 9 steps does
runs   random runs in which it was asserted, by Hypothesis, and their steps
own    mistakes in code of the group that only this property's verdict noticed,
       of {mutants} in all code (docs/mutants.md)
if     so many assumptions without each of which it fails (docs/assumptions.md)
-      nothing was done, or nothing found; k, M: thousands, millions
proof, to, runs, steps, own, if and recordings are not from these searches, but
from earlier runs: properties/results/kept.json (own: properties/mutation/
survey.json), and left out where only proposals were searched. Z3 was asked
about {revisions}. recordings: the
model can do what the real components did in so many, of so many.
What each property means: attestation properties."""


STALE = """\
The model or its properties are others than in the earlier runs, so what these have found of {groups} is left out; to
find it out anew: python -m docs.generator.kept"""


@dataclass(frozen=True)
class Assurance:
    """A property on a group of revisions: in how many searches it `fails`, in how many it `holds`, how many `states`
    these have, and how often it had something to say in them, `fired`; and in how many a revision `merged`, one without
    proposals, was searched: what is kept of earlier runs is about these, as long as the model is that of then."""

    claim: Property
    group: str
    fails: int
    holds: int
    states: int
    merged: int
    fired: int

    @property
    def cells(self) -> tuple[str, ...]:
        """A row of the table."""
        name, group = self.claim.name, self.group
        searched = name, f"{self.fails}/{self.fails + self.holds}", short(self.states), short(self.fired)
        if not (self.merged and is_current(group)):
            return *searched, *"-" * (len(HEADS) - len(searched))
        proof, depth = kept("proved")[group].get(name, ("", ""))
        driven = kept("driven")[group].get(name, (0, 0))
        needed = kept("dropped").get(name, {}).get("needed", {}).values()
        without = sum(any(group_of(base) == group for base in each["bases"]) for each in needed)
        return *searched, proof or "-", depth or "-", *map(short, (*driven, _alone()[group, name], without))

    @property
    def weight(self) -> tuple[bool, float, int]:
        """What is worst comes first: what fails in most of its searches; and witnesses, which are no promise, last."""
        return self.claim.kind is Kind.SOMETIMES, -self.fails / (self.fails + self.holds), -self.fails


def short(number: int) -> str:
    """A number in at most four characters; a dash for none."""
    for unit, letter in ((10**6, "M"), (10**3, "k")):
        if number >= 0.9995 * unit:
            return f"{number / unit:.{int(number < 9.95 * unit)}f}{letter}"
    return str(number or "-")


@cache
def _alone() -> Counter[Place]:
    """How many mutants of the kept survey, of those that a group's design can have, each property alone notices."""
    from properties.mutation.survey import VERDICT, saved

    alone = [each for each in saved()[2] if each.how == VERDICT and len(each.checks) == 1]
    designs = {group: design_of(revision) for group, (_, revision) in GROUPS.items()}
    return Counter(
        (group, each.checks[0]) for group in GROUPS for each in alone if designs[group] in each.mutant.designs
    )


def assurances(rows: Iterable[tuple[str, Row]], fired: Mapping[Place, int]) -> list[Assurance]:
    """Of every property that says something on a group of revisions, from the verdicts of searches, each with its
    revision; group by group."""
    fails, holds, states, merged = Counter[Place](), Counter[Place](), Counter[Place](), Counter[Place]()
    for revision, row in rows:
        for claim in CATALOGUE:
            place, word = (group_of(revision), claim.name), str(row.get(claim.name, "")).partition(":")[0]
            fails[place] += word in FAILS
            holds[place] += word in HOLDS
            states[place] += int(row["states"]) if word == Exhausted.word else 0
            merged[place] += revision in REVISIONS and word in FAILS | HOLDS
    found = (
        Assurance(claim, group, *(each.get((group, claim.name), 0) for each in (fails, holds, states, merged, fired)))
        for group in GROUPS
        for claim in CATALOGUE
    )
    order = [*GROUPS]
    said = [each for each in found if each.fails + each.holds]
    return sorted(said, key=lambda each: (order.index(each.group), *each.weight))


def of_entries(entries: Collection[Entry]) -> list[Assurance]:
    """The same of the searches of a run, where no more Byzantine weight is there than is tolerated."""
    tolerated = [entry for entry in entries if is_tolerated(entry.plan)]
    return assurances(((each.revision, each.row) for each in tolerated), fired(tolerated))


def fired(entries: Iterable[Entry]) -> Counter[Place]:
    """How often a state had what a property speaks about, where the property holds."""
    found = Counter[Place]()
    for entry in entries:
        for name, verdict in entry.verdicts.items():
            if isinstance(verdict, Exhausted):
                found[group_of(entry.revision), name] += sum(states for _, states in verdict.spoken_of)
    return found


def explained(groups: Iterable[str]) -> str:
    """What the heads mean; and of which groups nothing is said of earlier runs."""
    from properties.mutation.survey import saved

    _, total, found = saved()
    revisions = ", ".join(revision for _, revision in GROUPS.values())
    mutants = f"{total:,}" if len(found) == total else f"a sample, {len(found):,} of {total:,},"
    explained = EXPLAINED.format(mutants=mutants, revisions=revisions)
    stale = ", ".join(group for group in groups if not is_current(group))
    return f"{explained}\n{fill(STALE.format(groups=stale), 80)}" if stale else explained


def table(found: Collection[Assurance], everything: bool) -> str:
    """The ledger, in 80 columns, and what its words mean: a row for each property on each group of revisions. Unless
    everything is wanted, groups that never ran are summed up if others did, and so are all witnesses."""
    if not found:
        return ""
    groups = [group for group in GROUPS if any(each.group == group for each in found)]
    ran = [group for group in groups if group in map(group_of, RAN)]
    shown = groups if everything else ran or groups
    rows = [each for each in found if each.group in shown and (everything or each.claim.kind is not Kind.SOMETIMES)]
    widths = [max(map(len, column)) for column in zip(HEADS, *(each.cells for each in rows), strict=True)]
    parts = ["\n".join(_section(group, [each for each in rows if each.group == group], widths)) for group in shown]
    if not everything:
        parts += [fill(sentence, 80) for sentence in _summed_up(found, [each for each in groups if each not in shown])]
    return "\n\n".join([*parts, explained(shown)])


def _section(group: str, rows: Collection[Assurance], widths: list[int]) -> Iterator[str]:
    logs = kept("recorded")[group]
    is_known = is_current(group) and any(each.merged for each in rows)
    recordings = f"; recordings: {logs['agree']}/{logs['runs']}" if is_known else ""
    yield f"{group}: {GROUPS[group][0]}{recordings}"
    for first, *cells in (HEADS, *(each.cells for each in rows)):
        rest = (cell.rjust(width) for cell, width in zip(cells, widths[1:], strict=True))
        yield " ".join([first.ljust(widths[0]), *rest]).rstrip()


def _summed_up(found: Iterable[Assurance], silent: Collection[str]) -> Iterator[str]:
    """What the short ledger has no rows for."""
    for group in silent:
        failing = [
            f"{each.claim.name} {each.cells[1]}"
            for each in found
            if each.group == group and each.fails and each.claim.kind is not Kind.SOMETIMES
        ]
        yield f"{group}: {GROUPS[group][0]}; none ran in a release; fails: {', '.join(failing) or 'nothing'}."
    witnesses = [each for each in found if each.claim.kind is Kind.SOMETIMES]
    never = [f"{each.claim.name} ({each.group})" for each in witnesses if not each.holds]
    names = len({each.claim for each in witnesses})
    pairs = f"Of {len(witnesses)} pairs of a group and one of {names} situations that should occur"
    reached = f"{pairs} {len(witnesses) - len(never)} do in some search"
    yield f"{reached}; never: {', '.join(never) or 'none'}. (All rows: attestation check --all)"
