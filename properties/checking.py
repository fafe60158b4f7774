"""Checks properties by exhaustive exploration, and turns what it finds into verdicts and traces."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property, lru_cache

import numpy as np
import numpy.typing as npt

from model.algebra import TRUE, Bool
from model.service import AttestationSystem
from properties.claims.catalogue import CATALOGUE
from properties.claims.kinds import Conjunct, Kind, Property
from properties.claims.points_of_no_return import UNCLASSIFIED
from properties.engines.explorer import (
    Exploration,
    Graph,
    concatenate,
    explore,
    graph,
    reachable_later,
    take,
)
from properties.engines.fairness import FairRuns
from properties.engines.packing import UnsoundSymmetry, Words
from properties.engines.stepper import State, Stepper
from properties.engines.vectorised import Mask
from properties.trace import Trace, record
from properties.verdicts import (
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

CUT_SHORT = "the search was cut short"


class Check:
    """One system, explored once, and the verdict of every property on it."""

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

    def verdicts(self, properties: Sequence[Property] = CATALOGUE) -> dict[str, Verdict]:
        """The verdict of each property, by name. With symmetry, those about fair runs are not checked."""
        unsound = {claim.name for claim in properties if self.search.symmetry and claim.kind is Kind.EVENTUALLY}
        return {
            claim.name: NotChecked("permuted attesters count as one here, which would confuse fair runs")
            if claim.name in unsound and claim.conjuncts(self.system)
            else self.verdict(claim)
            for claim in properties
        }

    def verdict(self, claim: Property) -> Verdict:
        """The verdict of one property."""
        conjuncts = claim.conjuncts(self.system)
        if not conjuncts:
            return NotApplicable(f"it needs {claim.needs}")
        if claim.kind is Kind.ALWAYS:
            return self._always(claim, conjuncts)
        if claim.kind is Kind.SOMETIMES:
            return self._sometimes(claim, conjuncts[0])
        if claim.kind is Kind.EVENTUALLY:
            return self._eventually(claim, conjuncts)
        return self._possible(claim, conjuncts)

    def _holds_everywhere(self, conjuncts: tuple[Conjunct, ...]) -> Verdict:
        """The verdict where nothing violates these conjuncts: vacuous if none has a state to speak about."""
        if not any(conjunct.when is TRUE or self._first(conjunct.when) for conjunct in conjuncts):
            return Vacuous(self.search.states)
        return Exhausted(self.search.states, self.search.depth)

    def _always(self, claim: Property, conjuncts: tuple[Conjunct, ...]) -> Verdict:
        violations = [each.when & ~each.holds for each in conjuncts]
        places = [place for violation in violations if (place := self._first(violation)) is not None]
        if places:
            trace = self._trace(claim, min(places))
            # With symmetry the run ends in a permutation of the state that was found, where another conjunct may fail.
            last = tuple(trace.states[-1][variable.name] for variable in self.system.variables)
            fails = self.stepper.evaluator(*violations)(last)
            return Violated(trace.about(failed=conjuncts[fails.index(True)].sentence))
        return self._holds_everywhere(conjuncts) if self.search.complete else Unknown(CUT_SHORT)

    def _sometimes(self, claim: Property, conjunct: Conjunct) -> Verdict:
        place = self._first(conjunct.holds)
        if place is not None:
            return Reached(self._trace(claim, place))
        return Unreached(self.search.states) if self.search.complete else Unknown(CUT_SHORT)

    def _eventually(self, claim: Property, conjuncts: tuple[Conjunct, ...]) -> Verdict:
        if self.search.symmetry:
            raise UnsoundSymmetry(
                f"{claim.name} is about fair runs, which symmetry confuses: an action of one attester may be taken in "
                "one permutation and neglected in another; search without symmetry"
            )
        if not self.search.complete:
            return Unknown(CUT_SHORT)
        runs, lassos = self._fair_runs(claim), []
        for conjunct in conjuncts:
            lasso = runs.lasso(self._fails(conjunct))
            if lasso is not None:
                lassos.append((lasso.entry, lasso, conjunct))
        if not lassos:
            return self._holds_everywhere(conjuncts)
        _, lasso, conjunct = min(lassos, key=lambda found: found[0])
        stem = path_to(self.search, self.stepper, self.graph.locate(lasso.entry), self.graph)
        trace = record(self.stepper, [*stem, *(action for action, _ in lasso.loop)], claim.name)
        return Violated(trace.about(failed=conjunct.sentence, loop=len(stem)))

    def _fair_runs(self, claim: Property) -> FairRuns:
        fair = [action.name in claim.fair for action in self.system.actions]
        return FairRuns(self._graph_without(claim), self.search.states, fair)

    def _possible(self, claim: Property, conjuncts: tuple[Conjunct, ...]) -> Verdict:
        if not self.search.complete:
            return Unknown(CUT_SHORT)
        final, failed = self._final_states(claim, conjuncts)
        if not final.any():
            return self._holds_everywhere(conjuncts)
        traces = [
            trace
            for kind, of_kind in self._by_kind(claim, final)
            for trace in self._final_trace(claim, kind, of_kind, failed)
        ]
        return Violated(min(traces, key=lambda trace: len(trace.steps)), tuple(traces))

    def _by_kind(self, claim: Property, final: Mask) -> Iterator[tuple[str, Mask]]:
        """These states by the kind of counterexample that they are; some may be of several."""
        unclassified = final.copy()
        for kind in claim.kinds:
            of_kind = final & self._holds(kind.holds(self.system))
            unclassified &= ~of_kind
            yield kind.name, of_kind
        yield UNCLASSIFIED, unclassified

    def _final_states(self, claim: Property, conjuncts: tuple[Conjunct, ...]) -> tuple[Mask, npt.NDArray[np.int8]]:
        """In which states some conjunct can no longer come true although its `when` holds; and which conjunct."""
        goals = np.zeros(self.search.states, dtype=np.uint64)
        for number, conjunct in enumerate(conjuncts):
            goals |= self._holds(conjunct.holds).astype(np.uint64) << np.uint64(number)
        later = reachable_later(self._graph_without(claim), goals)
        failed = np.full(self.search.states, -1, dtype=np.int8)
        for number, conjunct in enumerate(conjuncts):
            can_come_true = (later >> np.uint64(number)) & np.uint64(1) != 0
            failed[self._holds(conjunct.when) & ~can_come_true] = number
        self._sentences = [conjunct.sentence for conjunct in conjuncts]
        return failed >= 0, failed

    def _final_trace(self, claim: Property, kind: str, states: Mask, failed: npt.NDArray[np.int8]) -> list[Trace]:
        """The shortest trace to one of these states, if there are any."""
        found = np.flatnonzero(states)
        if not found.size:
            return []
        index = int(found[0])
        trace = self._trace(claim, self.graph.locate(index))
        facts = {"states of this kind": int(found.size), **(trace.facts or {})}
        return [trace.about(kind=kind, failed=self._sentences[failed[index]], facts=facts)]

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
            kinds: dict[str | None, Mask] = dict(self._by_kind(claim, self._final_states(claim, conjuncts)[0]))
        else:
            entries = self._fair_runs(claim).entries
            kinds = {None: np.logical_or.reduce([entries(self._fails(conjunct)) for conjunct in conjuncts])}
        return {kind: self._among(states) for kind, states in kinds.items() if states.any()}

    def _among(self, states: Mask) -> Callable[[State], bool]:
        """Whether a state is one of these."""
        words = take(concatenate(self.search.levels), states)
        packed = set(zip(*(word.tolist() for word in words), strict=True))
        return lambda state: self._packed(state) in packed

    @cached_property
    def _packed(self) -> Callable[[State], tuple[int, ...]]:
        """The words of a state; of the last one at once, as all properties are asked of it."""
        return lru_cache(maxsize=1)(self.search.vectorised.packing.packed)

    def _fails(self, conjunct: Conjunct) -> Mask:
        """In which states the conjunct fails."""
        return self._holds(conjunct.when & ~conjunct.holds)

    def _holds(self, condition: Bool) -> Mask:
        """The condition in every state, in the order of levels."""
        holds = self.search.vectorised.holds(condition)
        return np.concatenate([holds(words) for words in self.search.levels])

    def _first(self, condition: Bool) -> tuple[int, int] | None:
        """The first state, as (level, place), in which the condition holds."""
        holds = self.search.vectorised.holds(condition)
        for level, words in enumerate(self.search.levels):
            found = np.flatnonzero(holds(words))
            if found.size:
                return level, int(found[0])
        return None

    def _trace(self, claim: Property, place: tuple[int, int]) -> Trace:
        facts = {"states in all": self.search.states, "symmetry": int(self.search.symmetry)}
        # For a single trace the graph is not worth its making; once something has needed it, it has all predecessors.
        links = self.__dict__.get("graph")
        return record(self.stepper, path_to(self.search, self.stepper, place, links), claim.name).about(facts=facts)


def path_to(search: Exploration, stepper: Stepper, place: tuple[int, int], links: Graph | None = None) -> list[int]:
    """The actions of a shortest run from the start of the search to the state (level, place); with symmetry, to a
    state of its class. It is the same run with the graph and without."""
    waypoints = _linked(search, place, links) if links else _searched(search, place)
    packing = search.vectorised.packing
    state, actions = search.start, []
    for waypoint in reversed(waypoints[:-1]):
        for action, after in stepper.successors(state):
            if _same(search.normal(packing.pack([after])), waypoint)[0]:
                actions.append(action)
                state = after
                break
        else:
            raise AssertionError("the one-step engine does not follow the explorer")
    return actions


def _linked(search: Exploration, place: tuple[int, int], links: Graph) -> list[Words]:
    """The states of a shortest run, the last one first, by the edges of the graph."""
    level, index = place
    states = [int(links.offsets[level]) + index]
    for _ in range(level):
        states.append(links.predecessor(states[-1]))
    places = map(links.locate, states)
    return [take(search.levels[level], slice(index, index + 1)) for level, index in places]


def _searched(search: Exploration, place: tuple[int, int]) -> list[Words]:
    """The states of a shortest run, the last one first, by expanding the levels anew."""
    level, index = place
    waypoints = [take(search.levels[level], slice(index, index + 1))]
    for earlier in range(level - 1, -1, -1):
        waypoints.append(_predecessor(search, search.levels[earlier], waypoints[-1]))
    return waypoints


def _same(words: Words, target: Words) -> Mask:
    """Which of the states are the target."""
    result = np.ones(len(words[0]), dtype=bool)
    for word, wanted in zip(words, target, strict=True):
        result &= word == wanted[0]
    return result


def _predecessor(search: Exploration, level: Words, target: Words) -> Words:
    """The first state of the level that has the target among its successors."""
    for start in range(0, len(level[0]), 1 << 15):
        chunk = take(level, slice(start, start + (1 << 15)))
        first = min(
            (
                int(sources[same][0])
                for _, sources, after in search.vectorised.successors(chunk)
                if (same := _same(search.normal(after), target)).any()
            ),
            default=None,
        )
        if first is not None:
            return take(chunk, slice(first, first + 1))
    raise AssertionError("a state of the search has no predecessor in the level before")
