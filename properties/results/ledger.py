"""The main job: every property on every revision, in the scopes of the plan, against the table of expectations."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, wait
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from textwrap import fill

from model.algebra import Bool
from model.revisions import REVISIONS, proposals_in, without
from model.revisions import revision as by_name
from model.scope import BadScope, Scope
from model.service import AttestationSystem
from model.system import build
from properties.claims.catalogue import CATALOGUE
from properties.engines.workers import Workers
from properties.render import FORMATS
from properties.results.expected import FIGURES, Row, expectations
from properties.results.places import plainness
from properties.results.trace import Trace
from properties.results.verdicts import NotApplicable, Unknown, Verdict, Violated
from properties.scopes.plans import PLANS, Plan
from properties.scopes.switches import DEFAULTS, switched

NOTHING = "nothing of this"
"""How what is expected begins where the table of expectations has no verdict; then comes what it does not have."""

NO_VERDICT = "no verdict"
"""What is found where the table has a property that is not in the catalogue."""


@dataclass(frozen=True)
class Entry:
    """The verdicts of one revision in one scope; `complete` is false if a bound or want of memory has cut the search
    short, or has left a verdict open after it."""

    revision: str
    plan: Plan
    states: int
    transitions: int
    depth: int
    seconds: float
    verdicts: dict[str, Verdict]
    complete: bool = True
    shared: bool = False
    """Whether the search was of another revision, which is the same system here."""

    def of(self, revision: str) -> Entry:
        """The same for another revision that is the same system in this scope."""
        verdicts = {name: verdict.of(revision) for name, verdict in self.verdicts.items()}
        return replace(self, revision=revision, verdicts=verdicts, shared=revision != self.revision)

    @property
    def row(self) -> Row:
        """This as the table of expectations has it."""
        return {
            **{each: getattr(self, each) for each in FIGURES},
            **{name: summary(verdict) for name, verdict in self.verdicts.items()},
        }

    @property
    def is_listed(self) -> bool:
        """Whether the table of expectations has this scope of this revision."""
        return self.plan.name in expectations().get(self.revision, {})

    def differences(self) -> Iterator[tuple[str, str, str]]:
        """The properties whose verdict is not the expected one: (property, expected, found). What a bound has left open
        is none of them."""
        if not self.is_listed:
            yield from self._unlisted()
            return
        expected = expectations()[self.revision][self.plan.name]
        found = {name: summary(verdict) for name, verdict in self.verdicts.items() if not self._is_left_open(verdict)}
        for name, verdict in found.items():
            wanted = expected.get(name, f"{NOTHING} property")
            if verdict != wanted:
                yield name, wanted, verdict
        for name in expected:
            if name not in self.verdicts and name not in FIGURES:
                yield name, expected[name], NO_VERDICT
        for name in FIGURES:
            found_now = getattr(self, name)
            if self.complete and expected.get(name, found_now) != found_now:
                yield name, str(expected[name]), str(found_now)

    def _unlisted(self) -> Iterator[tuple[str, str, str]]:
        """What is wrong where the table has nothing: that it has nothing, if the scope is one of the ledger; and every
        violation, and what is left open."""
        missing = f"{NOTHING} {'scope' if self.revision in expectations() else 'revision'}"
        if self.revision in REVISIONS and any(self.plan == plan and plan.is_for(self.revision) for plan in PLANS):
            yield "scope", missing, f"{len(self.verdicts)} verdicts"
        for name, verdict in self.verdicts.items():
            if isinstance(verdict, Violated | Unknown) and not self._is_left_open(verdict):
                yield name, missing, summary(verdict)

    def _is_left_open(self, verdict: Verdict) -> bool:
        return not self.complete and isinstance(verdict, Unknown)


def left_open(verdicts: Iterable[Verdict]) -> list[Unknown]:
    """Those that a bound or want of memory has left open."""
    return [verdict for verdict in verdicts if isinstance(verdict, Unknown)]


def summary(verdict: Verdict) -> str:
    """A verdict as the table of expectations has it: the word, and the kinds of violations."""
    kinds = [str(trace.kind) for trace in verdict.kinds] if isinstance(verdict, Violated) else []
    return f"{verdict.word}: {', '.join(kinds)}" if kinds else verdict.word


def check(revision: str, plan: Plan, max_states: int | None = None) -> Entry:
    """Explore one scope and judge every property in it."""
    from properties.engines.checking import Check
    from properties.engines.packing import Packing

    system = build(by_name(revision), plan.scope)
    done = Check(system, plan.symmetry and Packing(system).has_symmetry, max_states)
    verdicts = done.verdicts()
    search = done.search
    figures = search.states, search.transitions, search.depth, search.seconds
    return Entry(revision, plan, *figures, verdicts, search.complete and not left_open(verdicts.values()))


def check_all(
    revisions: Collection[str],
    plans: Iterable[Plan],
    workers: Workers,
    max_states: int | None = None,
    tick: Callable[[], None] = lambda: None,
) -> Iterator[Entry]:
    """Check all pairs, the finished ones as they come; calls `tick` at least every second meanwhile. Where several
    revisions are the same system in a scope, because what tells them apart is not in it, that system is searched once.
    """
    groups: list[tuple[Plan, list[str]]] = []
    for of_plan in workers.map(partial(_same_systems, tuple(revisions)), plans):
        groups += of_plan
        tick()
    # The longest first: if one came last, a single process would be busy with it while the others have nothing to do.
    groups.sort(key=lambda group: _expected_states(group[1][0], group[0]), reverse=True)
    running = {workers.submit(check, names[0], plan, max_states): names for plan, names in groups}
    while running:
        for future in wait(running, 1, FIRST_COMPLETED).done:
            yield from (future.result().of(name) for name in running.pop(future))
        tick()


def _expected_states(revision: str, plan: Plan) -> float:
    """How large a search will be; one that nobody has done may be the largest."""
    return states_of(revision, plan) or float("inf")


def states_of(revision: str, plan: Plan) -> int | None:
    """How many states the table of expectations has for a revision in a scope."""
    row = expectations().get(revision, {}).get(plan.name)
    return int(row["states"]) if row else None


STATES_PER_SECOND = 200_000
"""So many states a process gets through, all verdicts and reports included: measured over all scopes that are checked
by default, on one of two cores. Good for saying about how long a run will take, and for nothing else."""


def expected_seconds(sizes: Collection[int], workers: int) -> float:
    """About how long it takes to search scopes with so many states each."""
    return max([sum(sizes) / workers, *sizes]) / STATES_PER_SECOND


def same_systems(revisions: Collection[str], plan: Plan) -> Iterator[tuple[Plan, list[str]]]:
    """The revisions, in groups whose systems and properties are the same expressions in this scope."""
    wanted = [name for name in revisions if plan.is_for(name)]
    systems = {name: build(by_name(name), plan.scope) for name in wanted}
    for alike in _grouped(systems, expressions_of):
        if len(alike) == 1:
            yield plan, list(alike)
        else:
            yield from ((plan, list(same)) for same in _grouped(alike, conditions_of))


def _same_systems(revisions: Collection[str], plan: Plan) -> list[tuple[Plan, list[str]]]:
    """For another process, which cannot send what is still to come."""
    return list(same_systems(revisions, plan))


def idle_in(name: str, scope: Scope) -> list[str]:
    """The proposals in a revision that change nothing in this scope: without them it is the same system."""
    system = build(by_name(name), scope)
    others = {part: build(by_name(without(name, part)), scope) for part in proposals_in(name)}
    return [
        part for part, other in others.items() if len(list(_grouped({"": system, part: other}, expressions_of))) == 1
    ]


def idle_switches(system: AttestationSystem, given: Iterable[str]) -> list[str]:
    """Those of the given switches of its scope that change nothing: as if they were not set it is the same system."""
    return [name for name in given if _is_idle(system, name)]


def _is_idle(system: AttestationSystem, name: str) -> bool:
    try:
        plain = switched(system.scope, [(name, DEFAULTS[name])])
        other = build(system.revision, plain)
    except BadScope:
        return False
    return plain != system.scope and len(list(_grouped({"": system, name: other}, expressions_of))) == 1


Systems = dict[str, AttestationSystem]


def _grouped(systems: Systems, key: Callable[[AttestationSystem], object]) -> Iterable[Systems]:
    groups: dict[object, Systems] = {}
    for name, system in systems.items():
        groups.setdefault(key(system), {})[name] = system
    return groups.values()


def expressions_of(system: AttestationSystem) -> object:
    """The variables and every guard and effect; equal expressions are identical."""
    actions = (
        (each.node, str(each), each.guard, *((variable.name, value) for variable, value in each.updates))
        for each in system.actions
    )
    return tuple((each.expression, each.initial) for each in system.variables), tuple(actions)


def conditions_of(system: AttestationSystem) -> tuple[Bool, ...]:
    """Every condition that a verdict depends on."""
    found = list[Bool]()
    for claim in CATALOGUE:
        found += chain.from_iterable((each.when, each.holds) for each in claim.conjuncts(system))
        found += (kind.holds(system) for kind in claim.kinds)
    return tuple(found)


def in_order(entries: Iterable[Entry]) -> list[Entry]:
    """Entries in the order of plans and revisions."""
    found = list(entries)
    plans, revisions = [*PLANS, *(entry.plan for entry in found)], [*REVISIONS, *(entry.revision for entry in found)]
    return sorted(found, key=lambda entry: (plans.index(entry.plan), revisions.index(entry.revision)))


def reports(entries: list[Entry]) -> list[tuple[Entry, Trace]]:
    """Of every violation, and of each kind of it, on every revision the trace in the plainest scope that has it."""
    smallest: dict[tuple[str, str, str | None], tuple[Entry, Trace]] = {}
    for entry in sorted(entries, key=lambda entry: plainness(entry.plan, entry.states)):
        for verdict in entry.verdicts.values():
            for trace in verdict.traces if isinstance(verdict, Violated) else ():
                smallest.setdefault((entry.revision, trace.claim, trace.kind), (entry, trace))
    return list(smallest.values())


def render_all(traces: Iterable[Trace], format: str, workers: Workers) -> Iterator[str]:
    """The traces in one format, in order."""
    return workers.map(partial(render, format), traces)


def render(format: str, trace: Trace) -> str:
    """One trace in this format."""
    return FORMATS[format](trace)


def table(entries: list[Entry], width: int = 140) -> str:
    """The ledger: for each scope a table, one row a property, one column a revision; columns that do not fit into the
    width follow below."""
    blocks = []
    for plan in dict.fromkeys(entry.plan for entry in entries):
        columns = [entry for entry in entries if entry.plan == plan]
        symmetry = "; attesters in any order count once" if plan.symmetry else ""
        how = "exhaustive search" if all(entry.complete for entry in columns) else "search cut short"
        title = f"{plan.name} ({how}{symmetry})"
        blocks.append("\n\n".join([f"{title}\n{'-' * len(title)}", *_tables(columns, width)]))
    return "\n\n".join(blocks)


def _tables(entries: list[Entry], width: int) -> Iterator[str]:
    """The columns of one scope, as many beside each other as fit; then the properties that say nothing in it."""
    silent = [claim.name for claim in CATALOGUE if all(_says_nothing(entry, claim.name) for entry in entries)]
    rows = [claim.name for claim in CATALOGUE if claim.name not in silent]
    head = _padded(["", *rows, "states", "depth"])
    beside: list[list[str]] = []
    for column in (_column(entry, rows) for entry in entries):
        if beside and len(head[0]) + sum(2 + len(each[0]) for each in (*beside, column)) > width:
            yield _joined(head, beside)
            beside = []
        beside.append(column)
    yield _joined(head, beside)
    if silent:
        yield fill(f"NOT_APPLICABLE to this scope: {', '.join(silent)}", width)


def _says_nothing(entry: Entry, name: str) -> bool:
    return isinstance(entry.verdicts[name], NotApplicable)


def _column(entry: Entry, rows: list[str]) -> list[str]:
    cells = [cell(entry.verdicts[name]) for name in rows]
    states = f"{entry.states:,}" if entry.complete else f"{entry.states:,}, cut short"
    return _padded([entry.revision, *cells, states, str(entry.depth)])


def _padded(cells: list[str]) -> list[str]:
    width = max(map(len, cells))
    return [text.ljust(width) for text in cells]


def _joined(head: list[str], columns: list[list[str]]) -> str:
    return "\n".join("  ".join(row).rstrip() for row in zip(head, *columns, strict=True))


def cell(verdict: Verdict) -> str:
    """A verdict in the ledger: the word, and the length of the trace where that is the shortest there is."""
    trace = getattr(verdict, "trace", None)
    if trace is None:
        return verdict.word
    # The loop that is found is a fair one, and not the shortest.
    return f"{verdict.word} by a loop" if trace.loop is not None else f"{verdict.word} in {len(trace.steps)}"
