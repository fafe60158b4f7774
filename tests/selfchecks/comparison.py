"""One random case: the verdicts of the engines, in several arrangements, against the reference and each other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import cast
from unittest.mock import patch

from model.algebra import Bool, Expression, Int, all_of, truth
from model.service import AttestationSystem
from properties.claims.catalogue import CATALOGUE
from properties.claims.kinds import Property
from properties.engines import packing, storage, visited
from properties.engines.bounded import Unrolling
from properties.engines.checking import Check
from properties.engines.packing import Packing, bits_of
from properties.engines.value_sets import ValueSets
from properties.results.verdicts import Exhausted, NotChecked, Reached, Verdict, Violated
from tests.selfchecks.randomness import random_model, random_properties, random_system
from tests.selfchecks.reference import Answer, Reference, State

MOST_STATES = 400
"""Larger systems are left out: the reference is slow."""

UNROLLED = 4
"""So deep the solver looks."""

REFERENCE, SYMMETRY, LAYOUT, STORED, SETS, UNROLLING = (
    "exact search = reference",
    "symmetric search = exact search",
    "two words = one word",
    "two words, stored in one = one word",
    "value sets have every value",
    "solver finds the shortest run",
)


@dataclass(frozen=True)
class Difference:
    """Where two ways of finding out the same do not agree."""

    comparison: str
    what: str


@dataclass
class Tally:
    """How much was compared: systems, states, and verdicts, each in all and by comparison."""

    systems: int = 0
    states: int = 0
    verdicts: int = 0
    words: Counter[str] = field(default_factory=Counter)
    of: dict[str, Counter[str]] = field(default_factory=dict)

    def count(self, comparison: str, states: int, verdicts: int) -> None:
        """One system has been compared in this way."""
        self.of.setdefault(comparison, Counter()).update(systems=1, states=states, verdicts=verdicts)


def cases(seed: int, models: int, systems: int) -> Iterator[tuple[str, AttestationSystem, list[Property]]]:
    """So many random scopes of the model with every property of the catalogue and random ones, and so many random
    systems with random properties."""
    random = Random(seed)
    for number in range(models + systems):
        name, system = random_model(random) if number < models else random_system(random)
        properties = [*(CATALOGUE if number < models else ()), *random_properties(random, system)]
        yield name, system, properties


def is_small(system: AttestationSystem) -> bool:
    """Whether the plain reference can take the system, by the engine's own count, which it then has to confirm."""
    from properties.engines.explorer import explore

    return explore(system, max_states=MOST_STATES).complete


def compare(
    system: AttestationSystem, properties: Sequence[Property], tally: Tally | None = None
) -> Iterator[Difference]:
    """Every difference that there is."""
    tally = tally or Tally()
    asked = {claim.name: claim for claim in properties if claim.conjuncts(system)}
    reference = Reference(system, list(_conditions(system, asked.values())))
    expected = {name: _expected(reference, claim) for name, claim in asked.items()}
    tally.systems += 1
    tally.states += len(reference.values)
    exact = Check(system, max_states=4 * len(reference.values) + 100)
    yield from _figures(exact, reference)
    found = {name: answer(exact.verdict(claim)) for name, claim in asked.items()}
    yield from _unequal(REFERENCE, expected, found)
    tally.words.update(each.word for each in expected.values())
    tally.count(REFERENCE, exact.search.states, len(found))
    yield from _symmetric(system, asked, reference, expected, tally)
    yield from _in_two_words(system, asked, expected, tally)
    yield from _sets(system, reference, tally)
    yield from _unrolled(system, reference, tally)


def _conditions(system: AttestationSystem, properties: Collection[Property]) -> Iterator[Expression]:
    for claim in properties:
        for conjunct in claim.conjuncts(system):
            yield from (conjunct.when, conjunct.holds)
        yield from (kind.holds(system) for kind in claim.kinds_in(system))


def _expected(reference: Reference, claim: Property) -> Answer:
    kinds = [(kind.name, kind.holds(reference.system)) for kind in claim.kinds_in(reference.system)]
    return reference.answer(claim, claim.conjuncts(reference.system), kinds)


def answer(verdict: Verdict) -> Answer:
    """A verdict of the engines, as far as it can be compared."""
    if isinstance(verdict, Violated):
        steps = len(verdict.trace.steps) - verdict.loop
        return Answer(verdict.word, steps, {str(trace.kind): len(trace.steps) for trace in verdict.kinds})
    if isinstance(verdict, Reached):
        return Answer(verdict.word, len(verdict.trace.steps))
    spoken_of = tuple(states for _, states in verdict.spoken_of) if isinstance(verdict, Exhausted) else ()
    return Answer(verdict.word, spoken_of=spoken_of)


def _unequal(comparison: str, expected: dict[str, Answer], found: dict[str, Answer]) -> Iterator[Difference]:
    for name, each in found.items():
        if each != expected[name]:
            yield Difference(comparison, f"{name}: {each}, not {expected[name]}")


def _figures(check: Check, reference: Reference) -> Iterator[Difference]:
    """The states, level by level, and the number of transitions."""
    search = check.search
    states = [search.vectorised.packing.unpack(search.level(level)) for level in range(len(search.levels))]
    distances = {state: level for level, at in enumerate(states) for state in at}
    figures = (distances, search.transitions, search.states)
    if figures != (reference.distance, reference.graph.number_of_edges(), len(reference.values)):
        yield Difference(REFERENCE, f"{search.states} states, {search.transitions} transitions")


def _symmetric(
    system: AttestationSystem,
    asked: dict[str, Property],
    reference: Reference,
    expected: dict[str, Answer],
    tally: Tally,
) -> Iterator[Difference]:
    """Where permuted attesters count as one: as many classes as the orbits of the states, as far away, and the same
    verdicts. How many states there are is another matter, and what may not be checked is not."""
    layout = Packing(system)
    if not layout.has_symmetry:
        return
    check = Check(system, symmetry=True, max_states=4 * len(reference.values) + 100)
    orbits: dict[State, int] = {}
    for state, distance in reference.distance.items():
        key = _sorted(system, layout.symmetry.classes, state)
        orbits[key] = min(distance, orbits.get(key, distance))
    levels = [len(level[0]) for level in check.search.levels]
    if levels != [list(orbits.values()).count(level) for level in range(len(levels))] or sum(levels) != len(orbits):
        yield Difference(SYMMETRY, f"{check.search.states} classes, not {len(orbits)}")
    verdicts = {name: check.verdict(claim) for name, claim in asked.items()}
    found = {name: _without_counts(answer(each)) for name, each in verdicts.items() if not isinstance(each, NotChecked)}
    yield from _unequal(SYMMETRY, {name: _without_counts(each) for name, each in expected.items()}, found)
    tally.count(SYMMETRY, check.search.states, len(found))


def _without_counts(each: Answer) -> Answer:
    return Answer(each.word, each.steps, each.kinds)


def _sorted(system: AttestationSystem, classes: Sequence[Sequence[str]], state: State) -> State:
    """The state with what belongs to the attesters of each class in ascending order."""
    places = {
        name: [at for at, each in enumerate(system.variables) if each.owner == name]
        for names in classes
        for name in names
    }
    result = list(state)
    for names in classes:
        blocks = sorted(tuple(state[at] for at in places[name]) for name in names)
        for name, block in zip(names, blocks, strict=True):
            for at, value in zip(places[name], block, strict=True):
                result[at] = value
    return tuple(result)


def _in_two_words(
    system: AttestationSystem, asked: dict[str, Property], expected: dict[str, Answer], tally: Tally
) -> Iterator[Difference]:
    """With words so short that a state takes several; and is stored so, or all the same in one. The table of recent
    states has two places: elsewhere it knows all states of such small systems, and nothing else has to."""
    bits = sum(map(bits_of, system.variables))
    short = max(bits // 2, *map(bits_of, system.variables))
    for comparison, numbers in ((LAYOUT, 0), (STORED, storage.NUMBERS)):
        with (
            patch.object(packing, "WORD", short),
            patch.object(storage, "NUMBERS", numbers),
            patch.object(visited, "RECENT", 1),
        ):
            check = Check(system, max_states=4 * sum(1 for _ in system.variables) + 10 * MOST_STATES)
            if check.search.vectorised.packing.words < 2:
                return
            found = {name: answer(check.verdict(claim)) for name, claim in asked.items()}
        yield from _unequal(comparison, expected, found)
        tally.count(comparison, check.search.states, len(found))


def _sets(system: AttestationSystem, reference: Reference, tally: Tally) -> Iterator[Difference]:
    """The sets of values that a variable can ever have."""
    analysis = ValueSets(system)
    for split in (None, system.variables[0].expression):
        sets = analysis.reachable(reference.initial, split)
        for place, variable in enumerate(system.variables):
            if not {state[place] for state in reference.values} <= sets[variable.expression]:
                yield Difference(SETS, variable.name)
    tally.count(SETS, len(reference.values), 0)


def _unrolled(system: AttestationSystem, reference: Reference, tally: Tally) -> Iterator[Difference]:
    """The shortest run to one state that is not too far for the solver."""
    if len(system.actions) > 12 or len(system.variables) > 12:
        return
    within = {state: steps for state, steps in reference.distance.items() if steps <= UNROLLED}
    far = max(within, key=lambda state: (within[state], state))
    there = all_of(_is(each.expression, value) for each, value in zip(system.variables, far, strict=True))
    run = Unrolling(system, there).reaches(UNROLLED).actions
    if run is None or len(run) != within[far]:
        yield Difference(UNROLLING, f"{run and len(run)} steps to {far}, not {within[far]}")
    tally.count(UNROLLING, len(reference.values), 0)


def _is(variable: Expression, value: int) -> Bool:
    """That the variable has this value."""
    return variable.iff(truth(bool(value))) if isinstance(variable, Bool) else cast(Int, variable) == value
