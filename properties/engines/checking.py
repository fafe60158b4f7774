"""Checks properties by exhaustive exploration, and turns what it finds into verdicts and traces."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property, lru_cache

import numpy as np
import numpy.typing as npt

from model.algebra import Bool, Expression, any_of
from model.service import AttestationSystem
from properties.claims.catalogue import CATALOGUE
from properties.claims.kinds import Conjunct, CounterexampleKind, Kind, Property
from properties.claims.points_of_no_return import UNCLASSIFIED
from properties.engines.confirmation import confirm_lasso, confirm_state, follow, is_closed
from properties.engines.explorer import (
    Exploration,
    Graph,
    concatenate,
    explore,
    first_where,
    graph,
    reachable_later,
    take,
)
from properties.engines.fairness import FairRuns
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

Bits = npt.NDArray[np.uint64]

CUT_SHORT = "the search was cut short"

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
    ) -> None:
        self.system = system
        self.search = explore(system, symmetry, max_states, watch)
        self.stepper = Stepper(system)
        self._kinds: dict[CounterexampleKind, tuple[Bits, int]] = {}

    def verdicts(self, properties: Sequence[Property] = CATALOGUE) -> dict[str, Verdict]:
        """The verdict of each property, by name."""
        return {claim.name: self.verdict(claim) for claim in properties}

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
        return judge[claim.kind](claim, conjuncts)

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

    def _holds_everywhere(self, conjuncts: tuple[Conjunct, ...]) -> Verdict:
        """The verdict where nothing violates these conjuncts: vacuous if none has a state to speak about."""
        counts = self._counts([conjunct.when for conjunct in conjuncts])
        if not any(counts):
            return Vacuous(self.search.states)
        spoken_of = tuple((conjunct.sentence, count) for conjunct, count in zip(conjuncts, counts, strict=True))
        return Exhausted(self.search.states, self.search.depth, spoken_of)

    def _always(self, claim: Property, conjuncts: tuple[Conjunct, ...]) -> Verdict:
        violations = [each.when & ~each.holds for each in conjuncts]
        place = first_where(self.search, any_of(violations))
        if place is not None:
            run, state = self._run_to(place)
            confirm_state(self.stepper, state, any_of(violations), claim.sentence)
            # With symmetry the run ends in a permutation of the state that was found, where another conjunct may fail.
            fails = self.stepper.evaluator(*violations)(state)
            return Violated(self._trace(claim, run).about(failed=conjuncts[fails.index(True)].sentence))
        return self._holds_everywhere(conjuncts) if self.search.complete else Unknown(CUT_SHORT)

    def _sometimes(self, claim: Property, conjuncts: tuple[Conjunct, ...]) -> Verdict:
        witness = any_of(each.when & each.holds for each in conjuncts)
        place = first_where(self.search, witness)
        if place is not None:
            run, state = self._run_to(place)
            confirm_state(self.stepper, state, witness, claim.sentence)
            return Reached(self._trace(claim, run))
        return Unreached(self.search.states) if self.search.complete else Unknown(CUT_SHORT)

    def _eventually(self, claim: Property, conjuncts: tuple[Conjunct, ...]) -> Verdict:
        if not self.search.complete:
            return Unknown(CUT_SHORT)
        runs, lassos = self._fair_runs(claim), []
        for conjunct, fails in zip(conjuncts, self._fails(conjuncts), strict=True):
            lasso = runs.lasso(fails)
            if lasso is not None:
                lassos.append((lasso.entry, lasso, conjunct))
        if not lassos:
            return self._holds_everywhere(conjuncts)
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
        return FairRuns(self._graph_without(claim), self.search.states, fair)

    def _possible(self, claim: Property, conjuncts: tuple[Conjunct, ...]) -> Verdict:
        if not self.search.complete:
            return Unknown(CUT_SHORT)
        failed = self._failed(claim, conjuncts)
        if not (failed >= 0).any():
            return self._holds_everywhere(conjuncts)
        traces = []
        for kind, of_kind in self._by_kind(claim, failed >= 0):
            found = np.flatnonzero(of_kind)
            if found.size:
                trace = self._final_trace(claim, kind, int(found[0]), conjuncts[failed[found[0]]])
                if trace is None:
                    return Unknown("the search that would confirm that a state is final was cut short")
                facts = {"states of this kind": int(found.size), **(trace.facts or {})}
                traces.append(trace.about(kind=kind, facts=facts))
        return Violated(min(traces, key=lambda trace: len(trace.steps)), tuple(traces))

    def _by_kind(self, claim: Property, final: Mask) -> Iterator[tuple[str, Mask]]:
        """These states by the kind of counterexample that they are; some may be of several."""
        unclassified = final.copy()
        kinds = claim.kinds_in(self.system)
        self._find_kinds([kind for kind in kinds if kind not in self._kinds])
        for kind in kinds:
            of_kind = final & _bit(*self._kinds[kind])
            unclassified &= ~of_kind
            yield kind.name, of_kind
        yield UNCLASSIFIED, unclassified

    def _find_kinds(self, kinds: Sequence[CounterexampleKind]) -> None:
        """Ask of every state of which of these kinds it is; several properties ask for the same kinds."""
        for first in range(0, len(kinds), FEW_BITS):
            some = kinds[first : first + FEW_BITS]
            bits = self._bits([kind.holds(self.system) for kind in some])
            self._kinds |= {kind: (bits, place) for place, kind in enumerate(some)}

    def _failed(self, claim: Property, conjuncts: tuple[Conjunct, ...]) -> npt.NDArray[np.int32]:
        """For each state, by its number, a conjunct that can no longer come true although its `when` holds; -1 if there
        is none."""
        links = self._graph_without(claim)
        failed = np.full(self.search.states, -1, dtype=np.int32)
        for first in range(0, len(conjuncts), FEW_BITS):
            some = conjuncts[first : first + FEW_BITS]
            later = reachable_later(links, self._bits([conjunct.holds for conjunct in some]))
            when = self._bits([conjunct.when for conjunct in some])
            for bit in range(len(some)):
                failed[_bit(when & ~later, bit)] = first + bit
        return failed

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

    def _graph_without(self, claim: Property) -> Graph:
        """The graph without the transitions that the property does not count on."""
        counts = [action.name not in claim.without for action in self.system.actions]
        return replace(self.graph, edges=[edge for edge in self.graph.edges if counts[edge[0]]])

    @cached_property
    def graph(self) -> Graph:
        """The edges between all states."""
        return graph(self.search)

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
            kinds: dict[str | None, Mask] = dict(self._by_kind(claim, self._failed(claim, conjuncts) >= 0))
        else:
            entries = self._fair_runs(claim).entries
            kinds = {None: np.logical_or.reduce([entries(fails) for fails in self._fails(conjuncts)])}
        return {kind: self._among(states) for kind, states in kinds.items() if states.any()}

    def _among(self, states: Mask) -> Callable[[State], bool]:
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
        evaluate = self.search.vectorised.compile(list(conditions))
        found = np.zeros(self.search.states, dtype=np.uint64)
        start = 0
        for words in self.search.pieces():
            piece = found[start : start + len(words[0])]
            for place, holds in enumerate(evaluate(*words)):
                piece |= np.asarray(holds).astype(np.uint64) << np.uint64(place)
            start += len(piece)
        return found

    def _counts(self, conditions: Sequence[Bool]) -> list[int]:
        """In how many states each condition holds."""
        evaluate, counts = self.search.vectorised.compile(list(conditions)), [0] * len(conditions)
        for words in self.search.pieces():
            for place, holds in enumerate(evaluate(*words)):
                counts[place] += int(np.count_nonzero(np.broadcast_to(holds, words[0].shape)))
        return counts

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
    found: Mask = bits & np.uint64(1 << place) != 0
    return found
