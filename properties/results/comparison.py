"""What changes from one revision to another: verdicts, transitions, and what can be seen to happen.

*Seen* is what both designs have: the number that each node goes by, the votes that the main node holds, and the
certificates that it has stored.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from model.algebra import Expression, const
from model.revisions import CONTROLLER, REGISTRY, of_design
from model.revisions import revision as by_name
from model.scope import BadScope
from model.service import AttestationSystem
from model.system import build
from properties.engines.checking import Check
from properties.engines.observation import Observed, Seen, differences
from properties.engines.packing import Packing
from properties.engines.visited import concatenate
from properties.engines.workers import Workers
from properties.results.expected import FIGURES
from properties.results.ledger import Entry, conditions_of, expressions_of, left_open, summary
from properties.results.trace import Trace, record
from properties.scopes.plans import Plan

Indices = npt.NDArray[np.int64]

FEW_STATES = 20_000
"""Behaviour is compared where neither system has more states than this; verdicts are compared in any case."""

VIOLATED = "VIOLATED"

MOST_PAIRS = 20_000
"""So many pairs of sets of states are looked at before the comparison of what is seen is cut short."""


def observations(system: AttestationSystem) -> dict[str, Expression]:
    """What is seen of a state, in words with room for the value: as both designs have it."""
    topology, main = system.topology, system.topology.main
    places = [place.name for place in topology.places]
    seen: dict[str, Expression] = {f"{name} goes by batch {{}}": system.told(at) for at, name in enumerate(places)}
    votes = system.votes(main)
    for attester, vote in zip(topology.attesters, votes, strict=True):
        seen |= {f"{places[main]} holds the vote of {attester} on batch {{}}": vote.number}
        seen |= {f"{places[main]} holds the vote of {attester} with hash {{}}": vote.variant}
    for number in range(system.scope.batches or 0):
        seen[f"{places[main]} has the certificate of batch {number}"] = system.main.store.certified.contains(
            const(number)
        )
    return seen


class Behaviour:
    """One system, searched to its end, as a graph whose states are known by what is seen of them."""

    def __init__(self, revision: str, plan: Plan, max_states: int | None) -> None:
        self.system = build(by_name(revision), plan.scope)
        self.symmetry = plan.symmetry and Packing(self.system).has_symmetry
        self.check = Check(self.system, self.symmetry, max_states)
        found = self.check.verdicts()
        self.verdicts = {name: summary(verdict) for name, verdict in found.items() if not left_open([verdict])}
        self.is_decided = self.check.search.complete and self.verdicts.keys() == found.keys()

    @property
    def states(self) -> int:
        """How many states were searched."""
        return self.check.search.states

    @property
    def is_small(self) -> bool:
        """Whether its behaviour can be compared: all of it is there, state by state."""
        return self.is_decided and not self.symmetry and self.states <= FEW_STATES

    @cached_property
    def edges(self) -> tuple[Indices, Indices, Indices]:
        """All transitions: their action, source and target."""
        parts = [(np.full(len(each.after), each.action), each.sources, each.targets) for each in self.check.graph.edges]
        nothing = (np.zeros(0, np.int64),) * 3
        action, source, target = map(np.concatenate, zip(nothing, *parts, strict=True))
        return action, source, target

    def values(self, expressions: list[Expression]) -> list[Seen]:
        """The values of these expressions in each state."""
        words = concatenate(list(self.check.search.pieces()))
        columns = self.check.search.vectorised.compile(expressions)(*words)
        whole = [np.broadcast_to(np.asarray(column).astype(np.int64), words[0].shape) for column in columns]
        return [tuple(row) for row in np.stack(whole, axis=1).tolist()]

    @cached_property
    def observed(self) -> Observed:
        """The graph, and what is seen of it."""
        _, sources, targets = self.edges
        found: list[set[int]] = [set() for _ in range(self.states)]
        for source, target in zip(sources.tolist(), targets.tolist(), strict=True):
            found[source].add(target)
        return Observed([sorted(each) for each in found], self.values(list(observations(self.system).values())))

    def run(self, sights: list[Seen]) -> NewRun:
        """A shortest run of which this is seen."""
        trace = record(self.check.stepper, list(self._actions(self.observed.run(sights))))
        return NewRun(trace, tuple(self._sights(trace)))

    def _actions(self, states: list[int]) -> Iterator[int]:
        action, source, target = self.edges
        for before, after in pairwise(states):
            yield int(action[(source == before) & (target == after)].min())

    def _sights(self, trace: Trace) -> Iterator[dict[str, int]]:
        """What is seen to change at each step of a run."""
        seen = observations(self.system)
        stepper = self.check.stepper
        evaluate, state = stepper.evaluator(*seen.values()), stepper.initial
        before = evaluate(state)
        for step in trace.steps:
            state = stepper.apply(state, stepper.index[(step.node, step.call)])
            after = evaluate(state)
            rows = zip(seen, before, after, strict=True)
            yield {name: int(new) for name, old, new in rows if old != new}
            before = after


@dataclass(frozen=True)
class NewRun:
    """A run that one revision has, and of which the other has nothing that looks the same: the steps, and what is seen
    to change at each."""

    trace: Trace
    sights: tuple[dict[str, int], ...]

    @property
    def seen(self) -> int:
        """At how many steps something is seen to change."""
        return sum(map(bool, self.sights))

    @property
    def size(self) -> tuple[int, int]:
        """By what the shortest is meant."""
        return self.seen, len(self.trace.steps)


@dataclass(frozen=True)
class Compared:
    """Two revisions in one scope. `changed` has the verdicts before and after, of what neither search has left open;
    it is `complete` if that is everything. What is seen was compared if `is_seen`; it `is_whole` if that went to the
    end. `gained` and `lost` count transitions by action, over the whole state if `has_same_variables`, and otherwise
    over what is seen."""

    plan: Plan
    states: tuple[int, int]
    complete: bool
    changed: Mapping[str, tuple[str, str]]
    is_same_system: bool = False
    is_seen: bool = False
    is_whole: bool = False
    has_same_variables: bool = False
    gained: Mapping[str, int] = field(default_factory=dict)
    lost: Mapping[str, int] = field(default_factory=dict)
    possible: NewRun | None = None
    impossible: NewRun | None = None

    @property
    def is_equal(self) -> bool:
        """Whether nothing differs for whoever sees votes, statuses and certificates, as was decided to the end."""
        return self.is_same_system or (self.is_whole and self.possible is None and self.impossible is None)


def compare_all(
    revisions: tuple[str, str], plans: list[Plan], workers: Workers, max_states: int | None = None
) -> Iterator[Compared]:
    """Both revisions in each of the scopes in which both can be built, in the order of the scopes."""
    found = workers.map(partial(compare, revisions, max_states=max_states), plans)
    return (each for each in found if each is not None)


def compare(
    revisions: tuple[str, str],
    plan: Plan,
    max_states: int | None = None,
    behaviour: Callable[[str, Plan, int | None], Behaviour] = Behaviour,
) -> Compared | None:
    """Two revisions in one scope; none where one of them is not in it. `behaviour` may know that of one of them."""
    try:
        systems = [build(by_name(name), plan.scope) for name in revisions]
    except BadScope:
        return None
    if len({expressions_of(system) for system in systems}) == 1 == len({conditions_of(system) for system in systems}):
        search = Check(systems[0], plan.symmetry and Packing(systems[0]).has_symmetry, max_states).search
        return Compared(plan, (search.states, search.states), search.complete, {}, is_same_system=True)
    before, after = (behaviour(name, plan, max_states) for name in revisions)
    complete = before.is_decided and after.is_decided
    pairs = {name: (old, after.verdicts[name]) for name, old in before.verdicts.items() if name in after.verdicts}
    changed = {name: (old, new) for name, (old, new) in pairs.items() if old != new}
    states = before.states, after.states
    if not (before.is_small and after.is_small):
        return Compared(plan, states, complete, changed)
    same_variables = _declared(before.system) == _declared(after.system)
    gained, lost = _transitions(before, after, same_variables)
    found = differences(before.observed, after.observed, MOST_PAIRS)
    return Compared(
        *(plan, states, complete, changed),
        is_seen=True,
        is_whole=found.is_whole,
        has_same_variables=same_variables,
        gained=gained,
        lost=lost,
        possible=after.run(found.second) if found.second else None,
        impossible=before.run(found.first) if found.first else None,
    )


def _declared(system: AttestationSystem) -> list[tuple[str, int | None, int | None, int]]:
    return [(each.name, each.low, each.high, each.initial) for each in system.variables]


def _transitions(before: Behaviour, after: Behaviour, whole: bool) -> tuple[Counter[str], Counter[str]]:
    """How many transitions each action has gained and lost, that change something."""
    of = [_labelled(each, whole) for each in (before, after)]
    gained, lost = of[1] - of[0], of[0] - of[1]
    return Counter(action for action, _, _ in gained), Counter(action for action, _, _ in lost)


def _labelled(behaviour: Behaviour, whole: bool) -> set[tuple[str, Seen, Seen]]:
    system = behaviour.system
    names = [action.name for action in system.actions]
    known = behaviour.values([each.expression for each in system.variables]) if whole else behaviour.observed.seen
    columns = (column.tolist() for column in behaviour.edges)
    return {(names[a], known[s], known[t]) for a, s, t in zip(*columns, strict=True) if known[s] != known[t]}


def _neighbours() -> Iterator[tuple[str, str]]:
    yield "pr161+era2480", "pr161+era2539"
    for design in (REGISTRY, CONTROLLER):
        yield from pairwise(name for name in of_design(design) if not name.endswith("+era2480"))
        if design == REGISTRY:
            yield "pr170+era2539", "pr175+era2657"


NEIGHBOURS = list(_neighbours())
"""Each pull request and what it followed; of zksync-era's start, with that at the genesis."""


def changes(entries: Iterable[Entry]) -> Iterator[str]:
    """From each revision to its neighbour: the properties whose verdict gets worse, and those where it gets better, in
    the scopes that both were searched in; a line each."""
    rows = {(entry.revision, entry.plan.name): entry.row for entry in entries if entry.complete}
    for before, after in NEIGHBOURS:
        both = [
            (rows[before, scope], row)
            for (name, scope), row in rows.items()
            if name == after and (before, scope) in rows
        ]
        for word, chosen in (("worse", worsens), ("better", lambda old, new: worsens(new, old))):
            names = {
                each for old, new in both for each in old.keys() - {*FIGURES} if chosen(str(old[each]), str(new[each]))
            }
            if names:
                yield f"{before} → {after}: {word}: {', '.join(sorted(names))}"


def worsens(before: str, after: str) -> bool:
    """Whether a verdict gets worse: a violation, or a kind of it, where there was none."""
    return after.startswith(VIOLATED) and not (before.startswith(VIOLATED) and _kinds(after) <= _kinds(before))


def _kinds(verdict: str) -> set[str]:
    return set(verdict.partition(": ")[2].split(", "))


def shortest(compared: list[Compared], newly_possible: bool) -> NewRun | None:
    """The run with the fewest changes that can be seen, over all scopes, of those that are new or that are no more."""
    runs = [each.possible if newly_possible else each.impossible for each in compared]
    return min((run for run in runs if run is not None), key=lambda run: run.size, default=None)
