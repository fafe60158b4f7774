"""What notices a mutant: the cheapest checks first, up to the first that says something else than of the true model.

1. *Expressions.* The systems of the ledger are built for which the true model calls the mutated function. Where no
   guard or effect has changed, nothing is searched; where none has in all of them, nothing more is asked.
2. *Recordings* of the real vote registry and attestation controller, if the mutated file is part of these.
3. *Verdicts.* Of the scopes with at most `FEW_STATES` states whose expressions have changed, the smallest first, until
   a verdict differs from the table of expectations; and `MORE` of them after it, to see which properties notice.
4. *Z3* where no count of states has changed: whether every changed action has the same guard and effect in every state
   of its variables' domains. What it proves equal is not looked at further.
5. *Proofs*, their environment included, of one early and one late revision of each design, if the open systems that
   they are about have changed.
6. *Logs* of the real system, the first `RUNS` runs of each design: one is rejected.
7. *Tests*: the refinement for what is in full fidelity, and those of the model.
8. *Larger scopes*, one for each plan, of those with at most `LARGER_STATES` states where an expression or what a
   property says has changed: verdicts, and all states and transitions.

A number of states or transitions is not a verdict. A mutant that is noticed by that alone, or by a crash, is told
apart.
"""

from __future__ import annotations

import ast
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
from types import CodeType, FrameType
from typing import Any

from model.revisions import CONTROLLER, REGISTRY, REVISIONS, design_of
from model.topology import TOPOLOGIES
from properties.mutation.equivalence import are_equal, behave_the_same
from properties.mutation.loading import in_force
from properties.mutation.operators import MODEL, Mutant
from properties.results.expected import FIGURES, expectations
from properties.results.ledger import conditions_of, expressions_of
from properties.scopes.plans import PLANS

ROOT = Path(__file__).parents[2]
RECORDINGS = ROOT / "tests" / "conformance"

FEW_STATES, MORE, MOST_STATES, RUNS = 3000, 2, 100_000, 5
LARGER_STATES = 70_000
SECONDS = 120
"""So much of processor time a mutant gets in one process; one that is not done by then does not end."""

VERDICT, RECORDING, PROOF, LOG, TEST = "verdict", "recording", "proof", "log", "test"
COUNT, CRASH, TIME = "number of states or transitions", "crash", "does not end"
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
"""Beside those of what both designs share."""


@dataclass(frozen=True)
class Kill:
    """What notices a mutant: the kind of check, which ones, where, and the shortest run that shows it."""

    how: str
    checks: tuple[str, ...]
    where: str = ""
    run: tuple[str, ...] = ()


Function = tuple[str, str]
"""A file of the model, and the name of a function in it."""

Functions = frozenset[Function]


@dataclass(frozen=True)
class Case:
    """One revision in one scope of the ledger: its place among the plans, what the true model says there, and the
    functions of the model that it took to say so."""

    revision: str
    plan: int
    expressions: int
    states: int
    is_searched: bool
    can_be_compared: bool
    calls: Functions

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
                states = int(expectations()[revision][plan.name]["states"])
                plain = not plan.symmetry and not plan.deep
                few, some = plain and states <= FEW_STATES, plain and states <= LARGER_STATES
                said, calls = _said((revision, place))
                found.setdefault((said, calls), Case(revision, place, said, states, few, some, calls))
    return sorted(found.values(), key=lambda case: (not case.is_searched, case.states))


@cache
def open_systems() -> dict[Place, tuple[int, Functions]]:
    """The systems without bounds that proofs are about, in every topology: what each says, and what that calls."""
    places: list[Place] = [(name, topology) for name in chain(*PROVED.values()) for topology in TOPOLOGIES]
    return {place: _said(place) for place in places}


def _said(place: Place, of: Callable[[Any], object] = expressions_of) -> tuple[int, Functions]:
    """What the true model says of a system, and which of its functions are called for that."""
    called: set[CodeType] = set()

    def see(frame: FrameType, event: str, _: object) -> None:
        if event == "call":
            called.add(frame.f_code)

    sys.setprofile(see)
    try:
        said = of(_system(place, _true))
    finally:
        sys.setprofile(None)
    _alive.append(said)
    return hash(said), frozenset(_named(code) for code in called if code.co_filename.startswith(str(MODEL)))


def _named(code: CodeType) -> Function:
    """A function as mutants name it: what is written within one without a name of its own is part of it."""
    name = code.co_qualname.replace(".<locals>", "")
    return Path(code.co_filename).relative_to(MODEL).as_posix(), name.partition(".<")[0]


@cache
def _functions(file: str) -> set[str]:
    """The functions of a file; what else it has is done when the file is imported."""
    found, waiting = set[str](), [("", node) for node in ast.parse((MODEL / file).read_text(encoding="utf-8")).body]
    while waiting:
        within, node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            name = f"{within}{node.name}"
            found |= {name} if isinstance(node, ast.FunctionDef) else set()
            waiting += [(f"{name}.", inner) for inner in node.body]
    return found


def _calls(functions: Functions, mutant: Mutant) -> bool:
    """Whether the mistake can matter where these are called."""
    return (mutant.file, mutant.function) in functions or mutant.function not in _functions(mutant.file)


@cache
def conditions() -> dict[Place, tuple[int, Functions]]:
    """What the properties say in each scope of the ledger, of one revision there, and what is called for it."""
    first = {case.plan: case for case in reversed(cases())}
    places: list[Place] = [(case.revision, case.plan) for case in first.values()]
    return {place: _said(place, conditions_of) for place in places}


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
    if why:
        yield why
    for search in (_proofs, _logs, _tests, _larger):
        yield from search(mutant)


UNCHANGED, SAME = "the same expressions", "proved equal by Z3"
"""Why a mutant is no mistake in any scope that is looked at."""

SAME_RUNS = "the same states, and as many transitions"
SAME_VERDICTS = "the same states and verdicts, and as many transitions"
"""Why none of the larger scopes shows a mutant, either; the latter where properties are said in other words, too."""


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
        elif not first:
            yield from _miscounted(case, entry)
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


def _larger(mutant: Mutant) -> Iterator[Kill | str]:
    """From scopes of all sizes: another verdict, or another number of states; or that no run is another."""
    changed = {case.plan: case for case in _cases_of(mutant) if case.can_be_compared and _has_changed(case)}
    said_otherwise = {case.plan: case for case in cases() if case.can_be_compared and _is_said_otherwise(case, mutant)}
    for case in {**said_otherwise, **changed}.values():
        plan = _fresh("properties.scopes.plans").PLANS[case.plan]
        entry = _fresh("properties.results.ledger").check(case.revision, plan, MOST_STATES)
        differing = _differing(case, entry)
        if differing:
            yield Kill(VERDICT, tuple(differing), case.where, _shortest(entry, differing))
        else:
            yield from _miscounted(case, entry)
    places: list[Place] = [(case.revision, case.plan) for case in changed.values()]
    if places and all(behave_the_same(_system(place, _true), _system(place, _fresh)) for place in places):
        yield SAME_VERDICTS if said_otherwise else SAME_RUNS


def _is_said_otherwise(case: Case, mutant: Mutant) -> bool:
    """Whether a property says something else there, so far as that was looked at."""
    before, calls = conditions().get((case.revision, case.plan), (0, frozenset()))
    if not _calls(calls, mutant):
        return False
    system = _system((case.revision, case.plan), _fresh)
    return bool(hash(_fresh("properties.results.ledger").conditions_of(system)) != before)


def _miscounted(case: Case, entry: Any) -> Iterator[Kill]:
    expected = _expected(case)
    for each in FIGURES:
        if entry.row[each] != expected.get(each, entry.row[each]):
            yield Kill(COUNT, (f"{entry.row[each]:,} {each} and not {expected[each]:,}",), case.where)
            return


def _expected(case: Case) -> dict[str, Any]:
    return expectations()[case.revision][PLANS[case.plan].name]


def _differing(case: Case, entry: Any) -> list[str]:
    expected = _expected(case)
    return [
        name
        for name, verdict in entry.row.items()
        if name not in FIGURES and verdict != expected.get(name) and (entry.complete or verdict != "UNKNOWN")
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
        for place, (before, calls) in open_systems().items()
        if design_of(place[0]) in designs
        and _calls(calls, mutant)
        and hash(ledger.expressions_of(_system(place, _fresh))) != before
    ]
    if any(_is_said_otherwise(case, mutant) for case in cases()):
        return ""
    if not changed:
        return UNCHANGED
    return SAME if all(are_equal(_system(place, _true), _system(place, _fresh)) for place in changed) else ""


def _cases_of(mutant: Mutant) -> list[Case]:
    """The systems of the ledger that the file can be part of."""
    return [case for case in cases() if design_of(case.revision) in _designs(mutant) and _calls(case.calls, mutant)]


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
            if not _is_in_full_fidelity(mutant) and not _has_open_change(mutant, name):
                continue
            found = dict(_proved(name))
        except Exception as error:
            yield _crashed(error, f"proofs about {name}")
            continue
        differing = [theorem for theorem, word in proved()[name] if found.get(theorem) != word]
        if differing:
            yield Kill(PROOF, tuple(differing), name)
            return


def _has_open_change(mutant: Mutant, name: str) -> bool:
    """Whether an open system of this revision says something else."""
    said = _fresh("properties.results.ledger").expressions_of
    return any(
        hash(said(_system(place, _fresh))) != before
        for place, (before, calls) in open_systems().items()
        if place[0] == name and _calls(calls, mutant)
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
            [*command, *wanted], cwd=ROOT, capture_output=True, text=True, timeout=2 * SECONDS, check=False
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
