"""What notices a mutant: the cheapest checks first, up to the first that says something else than of the true model.

1. *Expressions.* The systems of the ledger are built. Where no guard or effect has changed, nothing is searched.
2. *Recordings* of the real vote registry and attestation controller, if the mutated file is part of these.
3. *Verdicts.* Of the scopes with at most `FEW_STATES` states whose expressions have changed, the smallest first, until
   a verdict differs from the table of expectations; and `MORE` of them after it, to see which properties notice.
4. *Z3* where no count of states has changed: whether every changed action has the same guard and effect in every state
   of its variables' domains. What it proves equal is not looked at further.
5. *Proofs*, their environment included, of one early and one late revision of each design, if the open systems that
   they are about have changed.
6. *Logs* of the real system, the first `RUNS` runs of each design: one is rejected.
7. *Tests*: the refinement for what is in full fidelity, and those of the model.

The number of states is not a verdict. A mutant that is noticed by that alone, or by a crash, is told apart.
"""

from __future__ import annotations

import importlib
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from itertools import chain, islice
from pathlib import Path
from typing import Any

from model.revisions import CONTROLLER, REGISTRY, REVISIONS, design_of
from model.topology import TOPOLOGIES
from properties.mutation.equivalence import are_equal
from properties.mutation.loading import in_force
from properties.mutation.operators import Mutant
from properties.results.expected import expectations
from properties.results.ledger import conditions_of, expressions_of
from properties.scopes.plans import PLANS

ROOT = Path(__file__).parents[2]
RECORDINGS = ROOT / "tests" / "conformance"

FEW_STATES, MORE, MOST_STATES, RUNS = 3000, 2, 100_000, 5
SECONDS = 60
"""So much of processor time a mutant gets in one process; one that is not done by then does not end."""

VERDICT, RECORDING, PROOF, LOG, TEST = "verdict", "recording", "proof", "log", "test"
COUNT, CRASH, TIME = "number of states", "crash", "does not end"
SEMANTIC = (VERDICT, RECORDING, PROOF, LOG, TEST)

FULL_FIDELITY = {
    "registry": ("registry_design/batch_votes.py", "rules.py", "committee.py", "messages.py"),
    "controller": (
        "controller_design/controller.py",
        "controller_design/rules.py",
        "rules.py",
        "committee.py",
        "messages.py",
    ),
}
"""The files of what recordings of a component are held against."""

IN_THE_SYSTEM = ("rules.py", "controller_design/rules.py")
"""Those of them that the systems decide by, too."""

PROVED = {REGISTRY: ("pr161+era2539", "pr170+era2480"), CONTROLLER: ("pr175+era2657", "pr175+era2684")}

REFINEMENT = (
    "tests/stateful/test_registry_refinement.py",
    "tests/stateful/test_controller_refinement.py",
    "tests/proofs/test_registry.py",
)
REFINED = ("registry_design/registry.py", "controller_design/attestation.py", "votes.py")
"""The files of the machines in the system that those in full fidelity refine."""

TESTS = {REGISTRY: "tests/model/registry_design", CONTROLLER: "tests/model/controller_design"}
"""Beside those of what both designs share. They are asked of what is the same in every scope, too: a part of the model
that no scope has may have tests of its own."""


@dataclass(frozen=True)
class Kill:
    """What notices a mutant: the kind of check, which ones, where, and the shortest run that shows it."""

    how: str
    checks: tuple[str, ...]
    where: str = ""
    run: tuple[str, ...] = ()


@dataclass(frozen=True)
class Case:
    """One revision in one scope of the ledger: its place among the plans, and what the true model says there."""

    revision: str
    plan: int
    expressions: int
    states: int
    is_searched: bool

    @property
    def where(self) -> str:
        """The revision and the scope."""
        return f"{self.revision} in {PLANS[self.plan].name}"


class TakesTooLong(Exception):
    """The mutant has used up its time."""


Place = tuple[str, int | str]
"""A system: a revision, and a scope of the ledger by its place among the plans; or the open scope of the proofs, by its
topology."""

Load = Callable[[str], Any]
"""How a module is found: as it is, or with the mutant in force."""

_alive: list[object] = []
"""Expressions are compared by identity, so what they are compared with must stay."""


@cache
def cases() -> list[Case]:
    """The systems of the ledger, each once; those that are searched first, the smallest first."""
    found: dict[object, Case] = {}
    for place, plan in enumerate(PLANS):
        for revision in REVISIONS:
            if plan.is_for(revision):
                system = _system((revision, place), _true)
                _alive.append(system)
                states = int(expectations()[revision][plan.name]["states"])
                few = states <= FEW_STATES and not plan.symmetry and not plan.deep
                said = hash(expressions_of(system))
                found.setdefault(said, Case(revision, place, said, states, few))
    return sorted(found.values(), key=lambda case: (not case.is_searched, case.states))


@cache
def open_systems() -> dict[Place, int]:
    """The systems without bounds that proofs are about, in every topology, and what each says."""
    places = [(name, topology) for name in chain(*PROVED.values()) for topology in TOPOLOGIES]
    systems = {place: _system(place, _true) for place in places}
    _alive.extend(systems.values())
    return {place: hash(expressions_of(system)) for place, system in systems.items()}


@cache
def conditions() -> dict[Case, int]:
    """What the properties say in each scope of the ledger, of one revision there."""
    first = {case.plan: case for case in reversed(cases())}
    said = {case: conditions_of(_system((case.revision, case.plan), _true)) for case in first.values()}
    _alive.extend(said.values())
    return {case: hash(each) for case, each in said.items()}


def _system(place: Place, load: Load) -> Any:
    revision, where = place
    if isinstance(where, int):
        scope = load("properties.scopes.plans").PLANS[where].scope
    else:
        design = "registry_design" if design_of(revision) == REGISTRY else "controller_design"
        wide = load(f"properties.proofs.{design}.open_system").ALL_DETAIL
        scope = replace(wide, topology=where, instance=load("model.scope").instance("n2f0b1"))
    return load("model.system").build(load("model.revisions").REVISIONS[revision], scope)


@cache
def _true(name: str) -> Any:
    """A module as it is; asked for the first time before any mutant is in force."""
    return importlib.import_module(name)


def prepare() -> None:
    """Find out all that the true model says: processes that are forked after it know it."""
    for ask in (cases, open_systems, conditions, proved):
        ask()


def examine(mutant: Mutant) -> tuple[Kill | None, str]:
    """What notices the mutant; or else, why it is the same as the true model, if it is known to be."""
    weaker: list[Kill] = []
    _changed.clear()
    for known, search in ((), _recordings), ((cases,), _verdicts), ((open_systems, conditions, proved), _rest):
        # What the true model says must be known before the mutant is in force.
        for ask in known:
            ask()
        try:
            with _time_limit(), in_force(mutant):
                for found in search(mutant):
                    if isinstance(found, str):
                        return None, found
                    if found.how in SEMANTIC:
                        return found, ""
                    weaker.append(found)
        except TakesTooLong:
            weaker.append(Kill(TIME, (f"after {SECONDS} s",)))
        except Exception as error:
            weaker.append(_crashed(error, ""))
    return (weaker[0] if weaker else None), ""


def _rest(mutant: Mutant) -> Iterator[Kill | str]:
    """The slow checks; and, if nothing notices, why that is, in a word."""
    why = "" if _is_in_full_fidelity(mutant) else _equality(mutant)
    if why == SAME:
        yield why
    for search in (_tests,) if why else (_proofs, _logs, _tests):
        yield from search(mutant)
    if why:
        yield why


UNCHANGED, SAME = "the same expressions", "proved equal by Z3"
"""Why a mutant is no mistake in any scope that is looked at."""


def _fresh(name: str) -> Any:
    """A module in which the mutant is in force."""
    return importlib.import_module(name)


def _recordings(mutant: Mutant) -> Iterator[Kill]:
    for component, files in FULL_FIDELITY.items():
        if mutant.file in files:
            replay = getattr(_fresh(f"properties.recordings.{component}"), f"replay_{component}")
            name = "vote-registry" if component == "registry" else component
            with _fresh("properties.recordings.format").open_recording(RECORDINGS / f"{name}.jsonl.gz") as lines:
                try:
                    outcome = replay(lines)
                except Exception as error:
                    yield _crashed(error, f"recordings of the {component}")
                    continue
            if type(outcome).__name__ == "Difference":
                yield Kill(RECORDING, (f"{component}, {outcome.field}",), f"{outcome.scenario}, step {outcome.step}")


def _verdicts(mutant: Mutant) -> Iterator[Kill]:
    """From the searched scopes: what differs in the first that has another verdict, and in a few after it."""
    first, left = "", MORE
    names: dict[str, None] = {}
    run: tuple[str, ...] = ()
    for case in _cases_of(mutant):
        if not case.is_searched or not left:
            break
        if first:
            left -= 1
        try:
            if not _has_changed(case):
                continue
            entry = _fresh("properties.results.ledger").check(
                case.revision, _fresh("properties.scopes.plans").PLANS[case.plan], MOST_STATES
            )
        except TakesTooLong:
            raise
        except Exception as error:
            yield _crashed(error, case.where)
            continue
        differing = _differing(case, entry)
        if differing:
            first = first or case.where
            run = run or _shortest(entry, differing)
            names |= dict.fromkeys(differing)
        elif entry.states != case.states and not first:
            yield Kill(COUNT, (f"{entry.states:,} and not {case.states:,}",), case.where)
    if first:
        yield Kill(VERDICT, tuple(names), first, run)


_changed: dict[Case, bool] = {}
"""What is known of the mutant that is in force."""


def _has_changed(case: Case) -> bool:
    if case not in _changed:
        _changed[case] = _says_something_else(case)
    return _changed[case]


def _says_something_else(case: Case) -> bool:
    system = _system((case.revision, case.plan), _fresh)
    return bool(hash(_fresh("properties.results.ledger").expressions_of(system)) != case.expressions)


def _differing(case: Case, entry: Any) -> list[str]:
    expected = expectations()[case.revision][PLANS[case.plan].name]
    return [
        name
        for name, verdict in entry.row.items()
        if name != "states" and verdict != expected.get(name) and (entry.complete or verdict != "UNKNOWN")
    ]


def _shortest(entry: Any, differing: list[str]) -> tuple[str, ...]:
    """The shortest run that belongs to one of these verdicts."""
    traces = [trace for name in differing if (trace := getattr(entry.verdicts[name], "trace", None)) is not None]
    shortest = min(traces, key=lambda trace: len(trace.steps), default=None)
    return tuple(f"{step.node}: {step.call}" for step in shortest.steps) if shortest else ()


def _crashed(error: Exception, where: str) -> Kill:
    if isinstance(error, TakesTooLong):
        raise error
    return Kill(CRASH, (f"{type(error).__name__}: {error}"[:120],), where)


def _is_in_full_fidelity(mutant: Mutant) -> bool:
    """Whether the file is, or is part of, a machine that no system of the ledger has in it."""
    alone = "registry_design/registry_with_support.py"
    return mutant.file == alone or any(mutant.file in files for files in FULL_FIDELITY.values())


def _equality(mutant: Mutant) -> str:
    """Why the model is the same in all systems of the ledger, in the open systems of the proofs in every topology, and
    in all that properties say; empty if it is not known to be."""
    ledger, designs = _fresh("properties.results.ledger"), _designs(mutant)
    changed: list[Place] = [(case.revision, case.plan) for case in _cases_of(mutant) if _has_changed(case)]
    changed += [
        place
        for place, before in open_systems().items()
        if design_of(place[0]) in designs and hash(ledger.expressions_of(_system(place, _fresh))) != before
    ]
    for case, before in conditions().items():
        if hash(ledger.conditions_of(_system((case.revision, case.plan), _fresh))) != before:
            return ""
    if not changed:
        return UNCHANGED
    return SAME if all(are_equal(_system(place, _true), _system(place, _fresh)) for place in changed) else ""


def _cases_of(mutant: Mutant) -> list[Case]:
    """The systems of the ledger that the file can be part of."""
    return [case for case in cases() if design_of(case.revision) in _designs(mutant)]


def _designs(mutant: Mutant) -> list[str]:
    """The designs that a file is part of."""
    alone = {"registry_design": [REGISTRY], "controller_design": [CONTROLLER]}
    return alone.get(mutant.file.split("/")[0], [REGISTRY, CONTROLLER])


@cache
def proved() -> dict[str, list[tuple[str, str]]]:
    """For each revision whose theorems are asked: each theorem and its verdict, of the true model."""
    return {name: _proved(name) for name in chain(*PROVED.values())}


def _proved(name: str) -> list[tuple[str, str]]:
    theorems, revisions = _fresh("properties.proofs.theorems"), _fresh("model.revisions").REVISIONS
    budget = _fresh("properties.proofs.obligations").Budget(30)
    session = theorems.DESIGNS[revisions[name].design].session(revisions[name], budget, (2,), among_many=True)
    return [(result.theorem, result.verdict.word) for result in theorems.results(session)]


def _proofs(mutant: Mutant) -> Iterator[Kill]:
    for name in chain(*(PROVED[design] for design in _designs(mutant))):
        try:
            if not _is_in_full_fidelity(mutant) and not _has_open_change(name):
                continue
            found = dict(_proved(name))
        except Exception as error:
            yield _crashed(error, f"proofs about {name}")
            continue
        differing = [theorem for theorem, word in proved()[name] if found.get(theorem) != word]
        if differing:
            yield Kill(PROOF, tuple(differing), name)
            return


def _has_open_change(name: str) -> bool:
    """Whether an open system of this revision says something else."""
    said = _fresh("properties.results.ledger").expressions_of
    return any(
        hash(said(_system(place, _fresh))) != before for place, before in open_systems().items() if place[0] == name
    )


def _logs(mutant: Mutant) -> Iterator[Kill]:
    for design, name in ((REGISTRY, "system-logs"), (CONTROLLER, "controller-logs")):
        if design not in _designs(mutant):
            continue
        reading, following = _fresh("properties.logs.reading"), _fresh("properties.logs.following")
        with _fresh("properties.recordings.format").open_recording(RECORDINGS / f"{name}.jsonl.gz") as lines:
            try:
                for recorded in islice(reading.read_runs(lines), RUNS):
                    if type(following.follow(recorded, None)).__name__ != "Accepted":
                        yield Kill(LOG, (f"run {recorded.number} is rejected",), f"{name}.jsonl.gz")
                        return
            except Exception as error:
                yield _crashed(error, f"{name}.jsonl.gz")


def _tests(mutant: Mutant) -> Iterator[Kill]:
    shared = [str(path.relative_to(ROOT)) for path in sorted((ROOT / "tests" / "model").glob("test_*.py"))]
    wanted = [*(TESTS[design] for design in _designs(mutant)), *shared]
    if mutant.file in REFINED or _is_in_full_fidelity(mutant):
        wanted = [*REFINEMENT, *wanted]
    command = [sys.executable, "-m", "properties.mutation", mutant.key, "-x", "-q", "--tb=no", "-p", "no:cacheprovider"]
    try:
        done = subprocess.run(
            [*command, *wanted], cwd=ROOT, capture_output=True, text=True, timeout=4 * SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        yield Kill(TIME, ("the tests",))
        return
    failed = [line.split()[1] for line in done.stdout.splitlines() if line.startswith("FAILED ")]
    if failed:
        yield Kill(TEST, (failed[0].removeprefix("tests/"),))
    elif done.returncode:
        yield Kill(CRASH, ("the tests cannot be run",))


@contextmanager
def _time_limit() -> Iterator[None]:
    def stop(*_: object) -> None:
        raise TakesTooLong

    before: Callable[..., Any] | int | None = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
