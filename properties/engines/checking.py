"""Checks properties by exhaustive exploration, and turns what it finds into verdicts and traces."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property, lru_cache

import numpy as np
import numpy.typing as npt

from model.algebra import FALSE, Bool, Expression, any_of
from model.service import AttestationSystem
from properties.claims.catalogue import CATALOGUE
from properties.claims.kinds import Conjunct, Kind, Property
from properties.claims.points_of_no_return import UNCLASSIFIED
from properties.engines.confirmation import confirm_lasso, confirm_state, follow, is_closed
from properties.engines.explorer import Exploration, explore, first_where
from properties.engines.fairness import FairRuns
from properties.engines.graph import Bits, Graph, Indices, graph, reachable_later
from properties.engines.paths import path_to
from properties.engines.stepper import State, Stepper
from properties.engines.vectorised import Mask
from properties.engines.visited import concatenate, take
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

Finals = tuple[npt.NDArray[np.int16], list[int]]
"""For each state, by its number, a conjunct that can no longer come true although its `when` holds, -1 if there is
none; and in how many states each conjunct's `when` holds."""

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
        self._finals: dict[Property, Finals] = {}

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
        violations = [each.when & ~each.holds for each in conjuncts]
        place, counts = self._first_and_counts(any_of(violations), [each.when for each in conjuncts])
        if place is not None:
            run, state = self._run_to(place)
            confirm_state(self.stepper, state, any_of(violations), claim.sentence)
            # With symmetry the run ends in a permutation of the state that was found, where another conjunct may fail.
            fails = self.stepper.evaluator(*violations)(state)
            return Violated(self._trace(claim, run).about(failed=conjuncts[fails.index(True)].sentence))
        return self._holds_everywhere(conjuncts, counts) if self.search.complete else self._cut_short

    def _sometimes(self, claim: Property, conjuncts: tuple[Conjunct, ...]) -> Verdict:
        witness = any_of(each.when & each.holds for each in conjuncts)
        place = first_where(self.search, witness)
        if place is not None:
            run, state = self._run_to(place)
            confirm_state(self.stepper, state, witness, claim.sentence)
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
            return self._holds_everywhere(
                conjuncts, self._first_and_counts(FALSE, [each.when for each in conjuncts])[1]
            )
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
        return FairRuns(self.graph.without(self._left_out(claim)), fair)

    def _possible(self, claim: Property, conjuncts: tuple[Conjunct, ...]) -> Verdict:
        if not self.search.complete:
            return self._cut_short
        failed, counts = self._final_states(claim)
        final = np.flatnonzero(failed >= 0)
        if not final.size:
            return self._holds_everywhere(conjuncts, counts)
        traces = []
        for kind, of_kind in self._by_kind(claim, final):
            if of_kind.size:
                trace = self._final_trace(claim, kind, int(of_kind[0]), conjuncts[failed[of_kind[0]]])
                if trace is None:
                    return Unknown("the search that would confirm that a state is final was cut short")
                facts = {"states of this kind": int(of_kind.size), **(trace.facts or {})}
                traces.append(trace.about(kind=kind, facts=facts))
        return Violated(min(traces, key=lambda trace: len(trace.steps)), tuple(traces))

    def _by_kind(self, claim: Property, final: Indices) -> Iterator[tuple[str, Indices]]:
        """These states by the kind of counterexample that they are; some may be of several."""
        kinds = claim.kinds_in(self.system)
        unclassified = np.ones(len(final), dtype=bool)
        for kind, is_of_kind in zip(
            kinds, self._holding([each.holds(self.system) for each in kinds], final), strict=True
        ):
            unclassified &= ~is_of_kind
            yield kind.name, final[is_of_kind]
        yield UNCLASSIFIED, final[unclassified]

    def _final_states(self, claim: Property) -> Finals:
        """Where the property fails; looked for at once for all that are asked for and count on the same transitions."""
        if claim not in self._finals:
            others = (each for each in self._asked if each.kind is Kind.POSSIBLE and each != claim)
            alike = [each for each in others if self._left_out(each) == self._left_out(claim)]
            self._find_finals([claim, *alike])
        return self._finals[claim]

    def _find_finals(self, claims: Sequence[Property]) -> None:
        links = self.graph.without(self._left_out(claims[0]))
        asked = [(claim, place, each) for claim in claims for place, each in enumerate(claim.conjuncts(self.system))]
        for claim in claims:
            self._finals[claim] = np.full(self.search.states, -1, dtype=np.int16), []
        for first in range(0, len(asked), FEW_BITS):
            some = asked[first : first + FEW_BITS]
            later = reachable_later(links, self._bits([conjunct.holds for _, _, conjunct in some]))
            counts = np.zeros(len(some), dtype=np.int64)
            for piece, whens in self._evaluated([conjunct.when for _, _, conjunct in some]):
                for bit, ((claim, place, _), when) in enumerate(zip(some, whens, strict=True)):
                    counts[bit] += np.count_nonzero(when)
                    self._finals[claim][0][piece][when & ~_bit(later[piece], bit)] = place
            for (claim, _, _), count in zip(some, counts.tolist(), strict=True):
                self._finals[claim][1].append(count)

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
            final = np.flatnonzero(self._final_states(claim)[0] >= 0)
            kinds: dict[str | None, Indices] = dict(self._by_kind(claim, final))
        else:
            entries = self._fair_runs(claim).entries
            found = np.logical_or.reduce([entries(fails) for fails in self._fails(conjuncts)])
            kinds = {None: np.flatnonzero(found)}
        return {kind: self._among(states) for kind, states in kinds.items() if states.size}

    def _among(self, states: Indices) -> Callable[[State], bool]:
        """Whether a state is one of these."""
        words = take(concatenate(list(self.search.pieces())), states)
        packed = set(zip(*(word.tolist() for word in words), strict=True))
        return lambda state: self._packed(state) in packed

    @cached_property
    def _packed(self) -> Callable[[State], tuple[int, ...]]:
        """The words of a state; of the last one at once, as all properties are asked of it."""
        return lru_cache(maxsize=1)(self.search.vectorised.packing.packed)

    def _fails(self, conjuncts: Sequence[Conjunct]) -> Iterator[Mask]:
        """For each conjunct, in which states it fails."""
        for first in range(0, len(conjuncts), FEW_BITS):
            some = [each.when & ~each.holds for each in conjuncts[first : first + FEW_BITS]]
            bits = self._bits(some)
            yield from (_bit(bits, place) for place in range(len(some)))

    def _bits(self, conditions: Sequence[Bool]) -> Bits:
        """For each state, in the order of levels, which of these conditions hold, of at most `FEW_BITS`: a bit each."""
        kind = np.min_scalar_type((1 << len(conditions)) - 1)
        found = np.zeros(self.search.states, dtype=kind)
        for piece, holds in self._evaluated(conditions):
            for place, each in enumerate(holds):
                found[piece] |= each.astype(kind) << kind.type(place)
        return found

    def _evaluated(self, conditions: Sequence[Bool]) -> Iterator[tuple[slice, list[Mask]]]:
        """Piece by piece of all states: in which of them each condition holds."""
        evaluate, start = self.search.vectorised.compile(list(conditions)), 0
        for words in self.search.pieces():
            piece = slice(start, start + len(words[0]))
            yield piece, [np.broadcast_to(np.asarray(holds), words[0].shape) for holds in evaluate(*words)]
            start = piece.stop

    def _holding(self, conditions: Sequence[Bool], states: Indices) -> Iterator[Mask]:
        """For each condition, in which of these states it holds."""
        words = self.search.chosen(states)
        for holds in self.search.vectorised.compile(list(conditions))(*words):
            yield np.broadcast_to(np.asarray(holds), states.shape)

    def _first_and_counts(self, bad: Bool, others: Sequence[Bool]) -> tuple[tuple[int, int] | None, list[int]]:
        """The (level, place) of the first state where the first condition holds; if there is none, in how many states
        each of the others does."""
        counts = [0] * len(others)
        for piece, (is_bad, *holds) in self._evaluated([bad, *others]):
            found = np.flatnonzero(is_bad)
            if found.size:
                return self.search.located(piece.start + int(found[0])), counts
            counts = [count + int(np.count_nonzero(each)) for count, each in zip(counts, holds, strict=True)]
        return None, counts

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
