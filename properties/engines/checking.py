"""Checks properties by exhaustive exploration, and turns what it finds into verdicts and traces."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property, lru_cache
from itertools import compress, islice

import numpy as np

from model.algebra import FALSE, Bool, Expression, any_of
from model.service import AttestationSystem
from properties.claims.catalogue import CATALOGUE
from properties.claims.kinds import Conjunct, Kind, Property
from properties.claims.points_of_no_return import UNCLASSIFIED
from properties.engines.confirmation import confirm_lasso, confirm_state, follow, is_closed
from properties.engines.explorer import Exploration, explore
from properties.engines.fairness import FairRuns
from properties.engines.graph import Bits, Graph, Indices, graph, reachable_later
from properties.engines.paths import path_to
from properties.engines.stepper import State, Stepper
from properties.engines.vectorised import Mask
from properties.results.trace import Trace, record
from properties.results.verdicts import (
    Exhausted,
    NotApplicable,
    NotChecked,
    Reached,
    Unknown,
    Unreached,
    Vacuous,
    Verdict,
    Violated,
)

Final = tuple[Bits, int, int]
"""Of a conjunct: which bit says of each state, by its number, that the conjunct can no longer come true although its
`when` holds, as (all bits, place); and in how many states its `when` holds."""

Sight = tuple[tuple[int, int] | None, list[int]]
"""The (level, place) of the first state that decides a property by itself, none if there is none; and in how many
states each conjunct's `when` holds."""

OVER_THE_GRAPH = (Kind.POSSIBLE, Kind.EVENTUALLY)

FEW_BITS = 64
"""So many conjuncts have a bit of a word each, while what can still be reached is computed."""

CLOSING_STATES = 1_000_000
"""The search that confirms a point of no return may look at so many states, or at as many as the search itself had."""


class Check:
    """One system, explored once, and the verdict of every property on it. Whatever is reported to be violated or
    reached has been confirmed on its run by the one-step engine; `NotConfirmed` is raised if it is not."""

    def __init__(
        self,
        system: AttestationSystem,
        symmetry: bool = False,
        max_states: int | None = None,
        watch: Callable[[Exploration], None] | None = None,
        processes: int = 1,
    ) -> None:
        self.system = system
        self.processes = processes
        self.search = explore(system, symmetry, max_states, watch, processes=processes)
        self.stepper = Stepper(system)
        self._asked: Sequence[Property] = ()
        self._sights: dict[Property, Sight] = {}
        self._finals: dict[Property, list[Final]] = {}
        self._graphs: dict[frozenset[int], Graph] = {}

    def verdicts(self, properties: Sequence[Property] = CATALOGUE) -> dict[str, Verdict]:
        """The verdict of each property, by name."""
        found = dict(self.judged(properties))
        return {claim.name: found[claim.name] for claim in properties}

    def judged(self, properties: Sequence[Property]) -> Iterator[tuple[str, Verdict]]:
        """The verdict of each property, with its name, as soon as there is one: those first that need no graph."""
        self._asked = properties
        for claim in sorted(properties, key=lambda claim: claim.kind in OVER_THE_GRAPH):
            yield claim.name, self.verdict(claim)

    def verdict(self, claim: Property) -> Verdict:
        """The verdict of one property. Where permuted attesters count as one, those are not checked that this would
        confuse."""
        conjuncts = claim.conjuncts(self.system)
        if not conjuncts:
            return NotApplicable(f"it needs {claim.needs}")
        obstacle = self._obstacle(claim, conjuncts) if self.search.symmetry else None
        if obstacle is not None:
            return NotChecked(obstacle)
        judge = {
            Kind.ALWAYS: self._always,
            Kind.SOMETIMES: self._sometimes,
            Kind.EVENTUALLY: self._eventually,
            Kind.POSSIBLE: self._possible,
        }
        try:
            return judge[claim.kind](claim, conjuncts)
        except MemoryError as error:
            return Unknown(f"out of memory: {error}")

    def _obstacle(self, claim: Property, conjuncts: tuple[Conjunct, ...]) -> str | None:
        """Why the property cannot be checked where permuted attesters count as one; none if it can.

        What is asked of single states must be the same set of questions after each permutation. What is asked of all
        that can be reached must be the same question, one by one: each is followed from state to state.
        """
        if claim.kind is Kind.EVENTUALLY:
            return "permuted attesters count as one here, which would confuse fair runs"
        each: list[tuple[Expression, ...]] = [(conjunct.when, conjunct.holds) for conjunct in conjuncts]
        kinds: list[tuple[Expression, ...]] = [(kind.holds(self.system),) for kind in claim.kinds_in(self.system)]
        is_about_states = claim.kind is not Kind.POSSIBLE
        together = [each] if is_about_states else [[one] for one in (*each, *kinds)]
        symmetry = self.search.vectorised.packing.symmetry
        broken = next((pair for conditions in together if (pair := symmetry.breaks(conditions))), None)
        return f"it tells {' and '.join(broken)} apart, who count as one here" if broken else None

    def _holds_everywhere(self, conjuncts: tuple[Conjunct, ...], counts: Sequence[int]) -> Verdict:
        """The verdict where nothing violates these conjuncts: vacuous if none has a state to speak about."""
        if not any(counts):
            return Vacuous(self.search.states)
        spoken_of = tuple((conjunct.sentence, count) for conjunct, count in zip(conjuncts, counts, strict=True))
        return Exhausted(self.search.states, self.search.depth, spoken_of)

    @property
    def _cut_short(self) -> Unknown:
        lacking = self.search.out_of_memory
        return Unknown("the search was cut short" + (f": {lacking}" if lacking else ""))

    def _always(self, claim: Property, conjuncts: tuple[Conjunct, ...]) -> Verdict:
        place, counts = self._seen(claim)
        if place is not None:
            run, state = self._run_to(place)
            violations = [each.when & ~each.holds for each in conjuncts]
            confirm_state(self.stepper, state, any_of(violations), claim.sentence)
            # With symmetry the run ends in a permutation of the state that was found, where another conjunct may fail.
            fails = self.stepper.evaluator(*violations)(state)
            return Violated(self._trace(claim, run).about(failed=conjuncts[fails.index(True)].sentence))
        return self._holds_everywhere(conjuncts, counts) if self.search.complete else self._cut_short

    def _sometimes(self, claim: Property, conjuncts: tuple[Conjunct, ...]) -> Verdict:
        place, _ = self._seen(claim)
        if place is not None:
            run, state = self._run_to(place)
            confirm_state(self.stepper, state, any_of(each.when & each.holds for each in conjuncts), claim.sentence)
            return Reached(self._trace(claim, run))
        return Unreached(self.search.states) if self.search.complete else self._cut_short

    def _eventually(self, claim: Property, conjuncts: tuple[Conjunct, ...]) -> Verdict:
        if not self.search.complete:
            return self._cut_short
        runs, lassos = self._fair_runs(claim), []
        for conjunct, fails in zip(conjuncts, self._fails(conjuncts), strict=True):
            lasso = runs.lasso(fails)
            if lasso is not None:
                lassos.append((lasso.entry, lasso, conjunct))
        if not lassos:
            return self._holds_everywhere(conjuncts, self._seen(claim)[1])
        _, lasso, conjunct = min(lassos, key=lambda found: found[0])
        stem, _ = self._run_to(self.graph.locate(lasso.entry))
        loop = [action for action, _ in lasso.loop]
        stay = conjunct.when & ~conjunct.holds
        confirm_lasso(
            self.stepper, follow(self.stepper, [*stem, *loop]), loop, stay, claim.fair - claim.without, claim.without
        )
        trace = record(self.stepper, [*stem, *loop], claim.name)
        return Violated(trace.about(failed=conjunct.sentence, loop=len(stem)))

    def _fair_runs(self, claim: Property) -> FairRuns:
        fair = [action.name in claim.fair - claim.without for action in self.system.actions]
        return FairRuns(self._links(claim), fair)

    def _possible(self, claim: Property, conjuncts: tuple[Conjunct, ...]) -> Verdict:
        if not self.search.complete:
            return self._cut_short
        finals, final = self._final_states(claim)
        if not final.size:
            return self._holds_everywhere(conjuncts, [count for _, _, count in finals])
        traces = []
        for kind, of_kind in self._by_kind(claim, final):
            if of_kind.size:
                first = int(of_kind[0])
                fails = (_bit(bits[first : first + 1], bit)[0] for bits, bit, _ in finals)
                *_, failed = compress(conjuncts, fails)
                trace = self._final_trace(claim, kind, first, failed)
                if trace is None:
                    return Unknown("the search that would confirm that a state is final was cut short")
                facts = {"states of this kind": int(of_kind.size), **(trace.facts or {})}
                traces.append(trace.about(kind=kind, facts=facts))
        return Violated(min(traces, key=lambda trace: len(trace.steps)), tuple(traces))

    def _by_kind(self, claim: Property, final: Indices) -> Iterator[tuple[str, Indices]]:
        """These states by the kind of counterexample that they are; some may be of several."""
        kinds = claim.kinds_in(self.system)
        (bits,) = self._bits([each.holds(self.system) for each in kinds], states=final)
        for place, kind in enumerate(kinds):
            yield kind.name, final[_bit(bits, place)]
        yield UNCLASSIFIED, final[bits == 0]

    def _final_states(self, claim: Property) -> tuple[list[Final], Indices]:
        """Where each conjunct fails, and the states where one does; looked for at once for all properties that are
        asked for and count on the same transitions."""
        if claim not in self._finals:
            others = (each for each in self._asked if each.kind is Kind.POSSIBLE and each != claim)
            alike = [each for each in others if self._left_out(each) == self._left_out(claim)]
            self._find_finals([claim, *alike])
        finals, found = self._finals[claim], np.zeros(self.search.states, dtype=bool)
        for bits, bit, _ in finals:
            found |= _bit(bits, bit)
        return finals, np.flatnonzero(found)

    def _find_finals(self, claims: Sequence[Property]) -> None:
        links = self._links(claims[0])
        self._finals |= {claim: [] for claim in claims}
        asked = [(claim, each) for claim in claims for each in claim.conjuncts(self.system)]
        for first in range(0, len(asked), FEW_BITS):
            some = asked[first : first + FEW_BITS]
            now, final = self._bits([each.holds for _, each in some], [each.when for _, each in some])
            counts = [int(np.count_nonzero(_bit(final, bit))) for bit in range(len(some))]
            final &= ~reachable_later(links, now)
            for bit, ((claim, _), count) in enumerate(zip(some, counts, strict=True)):
                self._finals[claim].append((final, bit, count))

    def _final_trace(self, claim: Property, kind: str, index: int, conjunct: Conjunct) -> Trace | None:
        """The shortest trace to this state, from which the conjunct can no longer come true; none if that cannot be
        confirmed for the number of states after it."""
        run, state = self._run_to(self.graph.locate(index))
        confirm_state(self.stepper, state, conjunct.when & ~conjunct.holds, conjunct.sentence)
        for described in claim.kinds_in(self.system):
            if described.name == kind:
                confirm_state(self.stepper, state, described.holds(self.system), described.sentence)
        most = max(CLOSING_STATES, self.search.states + 1)
        if not is_closed(self.stepper, state, conjunct.holds, claim.without, self.search.symmetry, most):
            return None
        return self._trace(claim, run).about(failed=conjunct.sentence)

    def _left_out(self, claim: Property) -> frozenset[int]:
        """The actions that the property does not count on."""
        return frozenset(n for n, action in enumerate(self.system.actions) if action.name in claim.without)

    def _links(self, claim: Property) -> Graph:
        """The transitions that the property counts on."""
        left_out = self._left_out(claim)
        if left_out not in self._graphs:
            self._graphs[left_out] = self.graph.without(left_out)
        return self._graphs[left_out]

    @cached_property
    def graph(self) -> Graph:
        """The edges between all states."""
        return graph(self.search, self.processes)

    def violating(self, claim: Property) -> dict[str | None, Callable[[State], bool]]:
        """By kind of counterexample, whether a state violates the property: a bad state; one that is final; or one
        where the loop of a fair run begins that never gets to what it should.

        Raises `ValueError` if that takes all states, and the search was cut short or takes permuted attesters for one.
        """
        conjuncts = claim.conjuncts(self.system)
        if claim.kind is Kind.ALWAYS:
            fails = self.stepper.evaluator(*(conjunct.when & ~conjunct.holds for conjunct in conjuncts))
            return {None: lambda state: any(fails(state))}
        if self.search.symmetry or not self.search.complete:
            raise ValueError(f"{claim.name} takes a complete search without symmetry")
        if claim.kind is Kind.POSSIBLE:
            kinds: dict[str | None, Indices] = dict(self._by_kind(claim, self._final_states(claim)[1]))
        else:
            entries = self._fair_runs(claim).entries
            found = np.logical_or.reduce([entries(fails) for fails in self._fails(conjuncts)])
            kinds = {None: np.flatnonzero(found)}
        return {kind: self._among(states) for kind, states in kinds.items() if states.size}

    def _among(self, states: Indices) -> Callable[[State], bool]:
        """Whether a state is one of these."""
        every = self.search.chosen(states)
        packed = {each for words in every for each in zip(*(word.tolist() for word in words), strict=True)}
        return lambda state: self._packed(state) in packed

    @cached_property
    def _packed(self) -> Callable[[State], tuple[int, ...]]:
        """The words of a state; of the last one at once, as all properties are asked of it."""
        return lru_cache(maxsize=1)(self.search.vectorised.packing.packed)

    def _fails(self, conjuncts: Sequence[Conjunct]) -> Iterator[Mask]:
        """For each conjunct, in which states it fails."""
        for first in range(0, len(conjuncts), FEW_BITS):
            some = [each.when & ~each.holds for each in conjuncts[first : first + FEW_BITS]]
            (bits,) = self._bits(some)
            yield from (_bit(bits, place) for place in range(len(some)))

    def _bits(self, *groups: Sequence[Bool], states: Indices | None = None) -> list[Bits]:
        """For each group of at most `FEW_BITS` conditions, and each of these states, or of all: which of the conditions
        hold, a bit each."""
        kinds = [np.min_scalar_type((1 << len(group)) - 1) for group in groups]
        found = [np.zeros(self.search.states if states is None else len(states), dtype=kind) for kind in kinds]
        for piece, holds in self._evaluated([each for group in groups for each in group], states):
            holding = iter(holds)
            for group, bits in zip(groups, found, strict=True):
                for place, each in enumerate(islice(holding, len(group))):
                    bits[piece] |= each.astype(bits.dtype) << bits.dtype.type(place)
        return found

    def _evaluated(
        self, conditions: Sequence[Bool], states: Indices | None = None
    ) -> Iterator[tuple[slice, list[Mask]]]:
        """Piece by piece of these states, or of all: in which of them each condition holds."""
        evaluate, start = self.search.vectorised.compile(list(conditions)), 0
        for words in self.search.pieces() if states is None else self.search.chosen(states):
            piece = slice(start, start + len(words[0]))
            yield piece, [np.broadcast_to(np.asarray(holds), words[0].shape) for holds in evaluate(*words)]
            start = piece.stop

    def _seen(self, claim: Property) -> Sight:
        """What one look at every state says of the property; it is looked at once for all that are asked for."""
        if claim not in self._sights:
            self._look([claim, *(each for each in self._asked if each != claim)])
        return self._sights[claim]

    def _look(self, claims: Sequence[Property]) -> None:
        asked = [
            (claim, [self._looked_for(claim), *(each.when for each in claim.conjuncts(self.system))])
            for claim in claims
            if claim.kind is not Kind.POSSIBLE
        ]
        self._sights |= {claim: (None, [0] * (len(conditions) - 1)) for claim, conditions in asked}
        for piece, holds in self._evaluated([each for _, conditions in asked for each in conditions]):
            holding = iter(holds)
            for claim, conditions in asked:
                (found, *whens), (place, counts) = islice(holding, len(conditions)), self._sights[claim]
                if place is None and found.any():
                    place = self.search.located(piece.start + int(found.argmax()))
                counts = [count + int(np.count_nonzero(each)) for count, each in zip(counts, whens, strict=True)]
                self._sights[claim] = place, counts

    def _looked_for(self, claim: Property) -> Bool:
        """Where in a single state the property is decided; of one that is about runs, nowhere."""
        conjuncts = claim.conjuncts(self.system)
        match claim.kind:
            case Kind.ALWAYS:
                return any_of(each.when & ~each.holds for each in conjuncts)
            case Kind.SOMETIMES:
                return any_of(each.when & each.holds for each in conjuncts)
        return FALSE

    def _run_to(self, place: tuple[int, int]) -> tuple[list[int], State]:
        """A shortest run to this state, and the state after it: with symmetry, one of its class."""
        # For a single trace the graph is not worth its making; once something has needed it, it has all predecessors.
        run = path_to(self.search, self.stepper, place, self.__dict__.get("graph"))
        return run, follow(self.stepper, run)[-1]

    def _trace(self, claim: Property, run: Sequence[int]) -> Trace:
        facts = {"states in all": self.search.states, "symmetry": int(self.search.symmetry)}
        return record(self.stepper, run, claim.name).about(facts=facts)


def _bit(bits: Bits, place: int) -> Mask:
    """In which states this bit is set."""
    found: Mask = bits & bits.dtype.type(1 << place) != 0
    return found
