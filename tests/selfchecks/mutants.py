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
from properties.engines import EngineError, bounded, checking, fairness, graph, packing, storage, visited
from properties.engines.checking import Check
from properties.engines.code import Columns, Numbers
from properties.engines.fairness import FairRuns, Part
from properties.engines.graph import Edges, Graph, Lookup
from properties.engines.packing import Packing, Slot, Words
from properties.engines.storage import Stored
from properties.engines.symmetry import Symmetry
from properties.engines.value_sets import ValueSets
from properties.engines.vectorised import Mask, Vectorised
from properties.engines.visited import Recent, Run, Shard, compress, take
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


def _known_by_place(self: Recent, columns: Stored) -> Stored:
    place = ((columns[0] * visited.SPREAD) >> np.uint64(60)).view(np.int64)
    new = self.table[0][place] == 0
    self.table[0][place] = 1
    return compress(columns, new)


def _repeating(columns: Stored, kind: str = "") -> Run:
    return Run(take(columns, np.argsort(columns[0])))


def _forgetful(self: Shard, candidates: Run) -> Run:
    for run in self.runs[-1:]:
        candidates = Run(compress(candidates.columns, ~run.places(candidates.columns)[1]))
    if len(candidates):
        self.runs.append(candidates)
    return candidates


_enabled = Vectorised.enabled


def _all_but_one(self: Vectorised, words: Words) -> Iterator[tuple[int, Any]]:
    for action, places in _enabled(self, words):
        if action or len(words[0]) < 3:
            yield action, places


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


_numbers = storage._numbers


def _all_but_the_last_digit(sizes: Any) -> Iterator[list[storage.Digit]]:
    for *digits, last in _numbers(sizes):
        yield [*digits, replace(last, weight=0, value=None)] if digits else [last]


def _last_where(self: Check, claim: Property) -> tuple[tuple[int, int] | None, list[int]]:
    place, counts = _seen(self, claim)
    if place is not None:
        holds = self.search.vectorised.holds(self._looked_for(claim))
        words = map(self.search.level, range(len(self.search.levels)))
        place = [(level, int(at)) for level, each in enumerate(words) for at in np.flatnonzero(holds(each))][-1]
    return place, counts


_bit = checking._bit
_seen = Check._seen


def _any_predecessor(self: Graph, index: int) -> int:
    return max(int(each.sources[each.targets == index].max(initial=0)) for each in self.edges)


_edges = Lookup.edges


def _without_the_last(self: Lookup, place: tuple[int, int]) -> list[Edges]:
    several = (each for each in _edges(self, place) if len(each.places) > 1)
    return [replace(each, places=each.places[:-1], after=each.after[:-1]) for each in several]


def _one_sweep(links: Graph, look: Any) -> None:
    for chunk in links.chunks:
        look(chunk, chunk.edges)


def _everything_stays(self: FairRuns, stay: Mask) -> Mask:
    return stay


def _nothing_enabled_is_fair(self: FairRuns, labels: Any, stay: Mask) -> Mask:
    part = self._cyclic
    result = np.bincount(labels) > 0
    result[labels[part.sources[np.array(self.fair)[part.actions]]]] = False
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


def _loop_for_nobody(part: Part, labels: Any, entry: int, fair: Sequence[bool]) -> tuple[tuple[int, int], ...]:
    return _loop(part, labels, entry, [False] * len(fair))


MUTANTS = (
    Mutant("the table of recent states looks at the place alone", Recent, "unknown", _known_by_place),
    Mutant("successors are not deduplicated", Run, "of", staticmethod(_repeating)),
    Mutant("only the last run of visited states is looked into", Shard, "new", _forgetful),
    Mutant("the first action is not taken in larger levels", Vectorised, "enabled", _all_but_one),
    Mutant("the mask of a variable is one bit too low", Slot, "mask", property(_stays_out_of_its_domain)),
    Mutant(
        "a domain has one value less than it has",
        packing,
        "bits_of",
        lambda variable: max(1, (variable.high - variable.low - 1).bit_length()),
    ),
    Mutant("of more than two conditions two are looked at", Columns, "write", _first_arm),
    Mutant("the one-step engine takes < for ≤", Numbers, "write", _less_for_at_most),
    Mutant("the key of a state is its first number", storage, "hashed", lambda number, index: 0 * number),
    Mutant("a stored state lacks its last digit", storage, "_numbers", _all_but_the_last_digit),
    Mutant("blocks are sorted by one pass", Packing, "canonical", _first_pass_only),
    Mutant("bits are sorted, not blocks", Packing, "canonical", _bits_apart),
    Mutant("symmetry does not look at actions", Symmetry, "_obstacle", _without_regard_to_actions),
    Mutant("symmetry does not look at the property", Symmetry, "breaks", lambda *_: None),
    Mutant("the last state is reported, not the first", Check, "_seen", _last_where),
    Mutant("any predecessor will do", Graph, "predecessor", _any_predecessor),
    Mutant("a graph lacks the last edge of each chunk", Lookup, "edges", _without_the_last),
    Mutant("what can be reached is looked for once", graph, "sweep", _one_sweep),
    Mutant("a conjunct has the bit of another", checking, "_bit", lambda bits, place: _bit(bits, max(0, place - 1))),
    Mutant("fairness is ignored", FairRuns, "entries", _everything_stays),
    Mutant("what is enabled once counts as neglected", FairRuns, "_can_stay", _nothing_enabled_is_fair),
    Mutant("a loop does not visit what fairness asks for", fairness, "_loop", _loop_for_nobody),
    Mutant("sets of values do not spread", ValueSets, "spread", lambda *_: None),
    Mutant("steps of a run are ordered that depend on each other", bounded, "_interfering", lambda actions: set()),
)
