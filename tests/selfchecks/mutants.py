"""Engines that are broken on purpose, each in one place. The self-checks must notice every one of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any
from unittest.mock import patch

import numpy as np

from model.algebra import Expression
from model.service import AttestationSystem
from properties.claims.kinds import Property
from properties.engines import EngineError, bounded, checking, explorer, fairness, packing, storage
from properties.engines.code import Columns, Numbers
from properties.engines.explorer import Exploration, Graph, Keys, Recent, Run, Visited, take
from properties.engines.fairness import FairRuns
from properties.engines.packing import Packing, Slot, Words
from properties.engines.symmetry import Symmetry
from properties.engines.value_sets import ValueSets
from properties.engines.vectorised import Mask, Vectorised
from tests.selfchecks.comparison import Difference, compare

ITSELF = "the engines themselves"
"""Where an engine stops, as another does not confirm what it has found."""


@dataclass(frozen=True)
class Mutant:
    """One defect: what is wrong, and what stands in for what, as (owner, name, replacement)."""

    what: str
    owner: Any
    name: str
    broken: Any

    def notices(self, cases: Iterable[tuple[str, AttestationSystem, list[Property]]]) -> Difference | None:
        """The first thing that differs on these cases, with the defect in place; none if nothing does."""
        with ExitStack() as defect:
            defect.enter_context(patch.object(self.owner, self.name, self.broken))
            for _, system, properties in cases:
                try:
                    for difference in compare(system, properties):
                        return difference
                except (EngineError, ArithmeticError, LookupError, ValueError, AssertionError) as error:
                    return Difference(ITSELF, f"{type(error).__name__}: {error}")
        return None


def _known_by_place(self: Recent, words: Words) -> Words:
    place = (words[0] * explorer.MULTIPLIERS[0]) >> np.uint64(64 - explorer.RECENT)
    new = self.table[0][place] == 0
    self.table[0][place] = 1
    return take(words, new)


def _repeating(words: Words) -> Run:
    keys = explorer.keys_of(words)
    order = np.argsort(keys)
    return Run(keys[order], take(words, order))


def _forgetful(self: Visited, candidates: Run) -> Run:
    for run in self.runs[-1:]:
        candidates = candidates.without(run.contains(candidates))
    if len(candidates):
        self.runs.append(candidates)
    return candidates


_successors = Vectorised.successors


def _all_but_one(self: Vectorised, words: Words) -> Iterator[tuple[int, Any, Words]]:
    for action, sources, after in _successors(self, words):
        if action or len(words[0]) < 3:
            yield action, sources, after


def _first_pass_only(self: Packing, words: Words) -> Words:
    result = list(words)
    for blocks in self.classes:
        mask = np.uint64((1 << blocks[0].bits) - 1)
        for one, other in pairwise(blocks):
            a, b = ((result[block.word] >> np.uint64(block.shift)) & mask for block in (one, other))
            for block, column in ((one, np.maximum(a, b)), (other, np.minimum(a, b))):
                cleared = result[block.word] & ~(mask << np.uint64(block.shift))
                result[block.word] = cleared | (column << np.uint64(block.shift))
    return tuple(result)


def _bits_apart(self: Packing, words: Words) -> Words:
    result = list(words)
    for blocks in self.classes:
        for bit in range(blocks[0].bits):
            columns = [(words[block.word] >> np.uint64(block.shift + bit)) & np.uint64(1) for block in blocks]
            ordered = np.sort(np.array(columns), axis=0)[::-1]
            for block, column in zip(blocks, ordered, strict=True):
                place = np.uint64(block.shift + bit)
                result[block.word] = (result[block.word] & ~(np.uint64(1) << place)) | (column << place)
    return tuple(result)


_digits = storage._digits


def _all_but_the_last_digit(sizes: Any) -> list[storage.Digit]:
    *digits, last = _digits(sizes)
    return [*digits, last] if len(digits) == 0 else [*digits, replace(last, weight=0, value=None)]


def _first_word(words: Words) -> Keys:
    return words[0]


def _last_where(search: Exploration, condition: Any) -> tuple[int, int] | None:
    holds = search.vectorised.holds(condition)
    found = [
        (level, int(at)) for level in range(len(search.levels)) for at in np.flatnonzero(holds(search.level(level)))
    ]
    return found[-1] if found else None


def _any_predecessor(self: Graph, index: int) -> int:
    return max(int(sources[targets == index].max(initial=0)) for _, sources, targets in self.edges)


_graph = explorer.graph


def _without_some_edges(search: Exploration) -> Graph:
    links = _graph(search)
    return replace(links, edges=[(action, sources[:-1], targets[:-1]) for action, sources, targets in links.edges])


def _one_pass(links: Graph, now: Any) -> Any:
    later = now.copy()
    for _, sources, targets in links.edges:
        later[sources] |= later[targets]
    return later


def _everything_stays(self: FairRuns, labels: Any, stay: Mask) -> Mask:
    return np.ones(int(labels.max()) + 1, dtype=bool)


def _nothing_enabled_is_fair(self: FairRuns, labels: Any, stay: Mask) -> Mask:
    sizes = np.bincount(labels)
    result = sizes > 0
    for action, sources, _ in self.graph.edges:
        if self.fair[action]:
            result[labels[sources]] = False
    return result


def _without_regard_to_actions(self: Symmetry, a: str, b: str, *_: object) -> str | None:
    kinds = [[(each.low, each.high) for each in self._owned[name]] for name in (a, b)]
    return None if kinds[0] == kinds[1] else "their variables have other domains"


_write = Numbers.write


def _less_for_at_most(self: Numbers, node: Expression, args: list[str]) -> str:
    return f"({args[0]} < {args[1]})" if node.op == "le" else _write(self, node, args)


_write_columns = Columns.write


def _first_arm(self: Columns, node: Expression, args: list[str]) -> str:
    return f"({args[0]} & {args[1]})" if node.op == "and" and len(args) > 2 else _write_columns(self, node, args)


def _stays_out_of_its_domain(self: Slot) -> int:
    return ((1 << self.bits) - 1) << self.shift >> 1


_loop = fairness._loop


def _loop_for_nobody(graph: Graph, labels: Any, entry: int, fair: Sequence[bool]) -> tuple[tuple[int, int], ...]:
    return _loop(graph, labels, entry, [False] * len(fair))


MUTANTS = (
    Mutant("the table of recent states looks at the place alone", Recent, "unknown", _known_by_place),
    Mutant("successors are not deduplicated", Run, "of", staticmethod(_repeating)),
    Mutant("only the last run of visited states is looked into", Visited, "new", _forgetful),
    Mutant("the first action is not taken in larger levels", Vectorised, "successors", _all_but_one),
    Mutant("the mask of a variable is one bit too low", Slot, "mask", property(_stays_out_of_its_domain)),
    Mutant(
        "a domain has one value less than it has",
        packing,
        "bits_of",
        lambda variable: max(1, (variable.high - variable.low - 1).bit_length()),
    ),
    Mutant("of more than two conditions two are looked at", Columns, "write", _first_arm),
    Mutant("the one-step engine takes < for ≤", Numbers, "write", _less_for_at_most),
    Mutant("the key of a state is its first word", explorer, "keys_of", _first_word),
    Mutant("a stored state lacks its last digit", storage, "_digits", _all_but_the_last_digit),
    Mutant("blocks are sorted by one pass", Packing, "canonical", _first_pass_only),
    Mutant("bits are sorted, not blocks", Packing, "canonical", _bits_apart),
    Mutant("symmetry does not look at actions", Symmetry, "_obstacle", _without_regard_to_actions),
    Mutant("symmetry does not look at the property", Symmetry, "breaks", lambda *_: None),
    Mutant("the last state is reported, not the first", checking, "first_where", _last_where),
    Mutant("any predecessor will do", Graph, "predecessor", _any_predecessor),
    Mutant("a graph lacks the last edge of each chunk", checking, "graph", _without_some_edges),
    Mutant("what can be reached is looked for once", checking, "reachable_later", _one_pass),
    Mutant("more conjuncts than bits", checking, "FEW_BITS", 256),
    Mutant("fairness is ignored", FairRuns, "_can_stay", _everything_stays),
    Mutant("what is enabled once counts as neglected", FairRuns, "_can_stay", _nothing_enabled_is_fair),
    Mutant("a loop does not visit what fairness asks for", fairness, "_loop", _loop_for_nobody),
    Mutant("sets of values do not spread", ValueSets, "spread", lambda *_: None),
    Mutant("steps of a run are ordered that depend on each other", bounded, "_interfering", lambda actions: set()),
)
