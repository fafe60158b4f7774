"""What the true model says, which mutants are held against: found out once, and known to what is forked then.

Beside what is said, it is kept which functions of the model that took: a mistake in any other changes nothing there.
"""

from __future__ import annotations

import ast
import gc
import importlib
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, replace
from functools import cache
from io import StringIO
from itertools import chain
from multiprocessing.connection import Connection
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, ClassVar
from unittest.mock import patch

import pytest
import z3

from model.algebra import Bool
from model.revisions import CONTROLLER, REGISTRY, REVISIONS, design_of
from model.topology import TOPOLOGIES
from properties.engines.explorer import Exploration, explore
from properties.engines.workers import Forked
from properties.mutation.loading import in_force
from properties.mutation.operators import MODEL, Mutant
from properties.results.expected import expectations
from properties.results.ledger import conditions_of, expressions_of
from properties.scopes.plans import PLANS

ROOT = Path(__file__).parents[2]

FEW_STATES, LARGER_STATES = 3000, 70_000
"""Scopes of at most so many states are searched for every mutant that changes them, and for those left at the end."""

PROVED = {REGISTRY: ("pr161+era2539", "pr170+era2480"), CONTROLLER: ("pr175+era2657", "pr175+era2684")}
"""The revisions whose theorems are asked."""

REFINEMENT = {
    "tests/stateful/test_registry_refinement.py": (REGISTRY,),
    "tests/stateful/test_controller_refinement.py": (CONTROLLER,),
    "tests/proofs/test_registry.py": (REGISTRY,),
}
TESTS = {
    "tests/model": (REGISTRY, CONTROLLER),
    "tests/model/registry_design": (REGISTRY,),
    "tests/model/controller_design": (CONTROLLER,),
    **REFINEMENT,
}
"""Files with tests, or the folders that they are in, and the designs that they are about."""

Function = tuple[str, str]
"""A file of the model, and the name of a function in it."""

Functions = frozenset[Function]

Place = tuple[str, int | str]
"""A system: a revision, and a scope of the ledger by its place among the plans; or the open scope of the proofs, by its
topology."""

Load = Callable[[str], Any]
"""How a module is found: as it is, or with the mutant in force."""


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


@dataclass(frozen=True)
class TestFile:
    """A file with tests: the designs that it is about, the processor time that it takes, in seconds, and the functions
    of the model that it calls."""

    name: str
    designs: tuple[str, ...]
    seconds: float
    calls: Functions


_alive: list[object] = []
"""Expressions are compared by identity, so what they are compared with must stay."""


def prepare() -> None:
    """Find out all that the true model says: processes that are forked after it know it."""
    for ask in (cases, open_systems, conditions, all_proved, tested):
        ask()
    # What is known stays: to look through it for what can go takes longer than most mutants.
    gc.freeze()


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


@cache
def conditions() -> dict[Place, tuple[int, Functions]]:
    """What the properties say in each scope of the ledger, of one revision there, and what is called for it."""
    first = {case.plan: case for case in reversed(cases())}
    places: list[Place] = [(case.revision, case.plan) for case in first.values()]
    return {place: _said(place, conditions_of) for place in places}


@cache
def explored(place: Place) -> tuple[Exploration, list[Bool]]:
    """All states of the true model there, and every condition that a verdict depends on."""
    system = built(place, true)
    return explore(system), list(conditions_of(system))


@cache
def proved(name: str) -> tuple[list[tuple[str, str]], Functions]:
    """Each theorem about a revision, and its verdict; and what is called for them."""
    with calling() as called:
        said = list(theorems(name, true))
    return said, functions_of(called)


def all_proved() -> None:
    """Find out what `proved` says of every revision."""
    for name in chain(*PROVED.values()):
        proved(name)


def theorems(name: str, load: Load) -> Iterator[tuple[str, str]]:
    """Each theorem about a revision, and its verdict. What the true model has asked, too, Z3 is not asked again."""
    design = load("model.revisions").REVISIONS[name]
    obligations, proofs = load("properties.proofs.obligations"), load("properties.proofs.theorems")
    session = proofs.DESIGNS[design.design].session(design, obligations.Budget(30), (2,), among_many=True)
    # No longer than that: whatever else is proved in this process is asked of Z3.
    with patch.object(obligations, "new_solver", Remembering):
        for result in proofs.results(session):
            yield result.theorem, result.verdict.word


class Remembering(z3.Solver):  # type: ignore[misc]  # Z3 has no types
    """A solver that knows what was found to be impossible before. Equal terms are one object, with one number."""

    impossible: ClassVar[dict[frozenset[int], object]] = {}

    def __init__(self) -> None:
        super().__init__()
        self.set("ctrl_c", False)

    def check(self, *assumptions: Any) -> Any:
        """As Z3 says."""
        asked = self.assertions()
        key = frozenset(each.get_id() for each in asked)
        if key in self.impossible:
            return z3.unsat
        found = super().check(*assumptions)
        if found == z3.unsat:
            # Kept, as the number of a term that is gone is given to another.
            self.impossible[key] = asked
        return found


@cache
def tested() -> list[TestFile]:
    """The tests of the model and of what it refines, the quickest first. Each is run in a process of its own, as what
    one has built another would not build again."""
    # Loaded here, and not for each mutant. (Tests are never run in this process: pytest would catch its signals.)
    importlib.import_module("hypothesis.stateful")
    return sorted((_traced(*each) for each in _test_files()), key=lambda each: each.seconds)


def _test_files() -> Iterator[tuple[str, tuple[str, ...]]]:
    for name, designs in TESTS.items():
        for path in [ROOT / name] if name.endswith(".py") else sorted((ROOT / name).glob("test_*.py")):
            yield path.relative_to(ROOT).as_posix(), designs


def _traced(name: str, designs: tuple[str, ...]) -> TestFile:
    def trace(to: Connection) -> None:
        started = time.process_time()
        with calling() as called:
            failed, _ = failing([name], None)
        to.send((failed, time.process_time() - started, functions_of(called)))

    with Forked([trace]) as forked:
        failed, seconds, calls = forked.receive(0)
    if failed:
        raise AssertionError(f"without a mutant, {failed} fails")
    return TestFile(name, designs, seconds, calls)


class _First:
    """A plugin of pytest that remembers the first test that fails, and whether it is an assertion that does."""

    failed, is_assertion = "", False

    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> None:
        """Called by pytest when a part of a test is done."""
        if call.excinfo and not self.failed and not call.excinfo.errisinstance(pytest.skip.Exception):
            self.failed = item.nodeid.removeprefix("tests/")
            self.is_assertion = call.excinfo.errisinstance((AssertionError, pytest.fail.Exception))


OPTIONS = ("-x", "-q", "--tb=no", "-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning")
"""Of pytest. Hypothesis is there already, and its own assertions need no better messages."""


def failing(files: Sequence[str], mutant: Mutant | None) -> tuple[str, bool]:
    """The first test of these files that fails, and whether an assertion does, and nothing worse; no name where all
    pass."""
    os.chdir(ROOT)
    first = _First()
    with in_force(mutant), redirect_stdout(StringIO()):
        status = pytest.main([*OPTIONS, *files], plugins=[first])
    return first.failed or ("they cannot be run" if status else ""), first.is_assertion


def run_tests(files: Sequence[str], mutant: Mutant) -> tuple[str, bool]:
    """The same, from a process of its own. Raises `ProcessLost` where it has ended without an answer."""
    with Forked([lambda to: to.send(failing(files, mutant))]) as forked:
        failed, is_assertion = forked.receive(0)
    return failed, is_assertion


@contextmanager
def calling() -> Iterator[set[CodeType]]:
    """What is called within."""
    called: set[CodeType] = set()

    def see(frame: FrameType, event: str, _: object) -> None:
        if event == "call":
            called.add(frame.f_code)

    sys.setprofile(see)
    try:
        yield called
    finally:
        sys.setprofile(None)


def _said(place: Place, of: Callable[[Any], object] = expressions_of) -> tuple[int, Functions]:
    """What the true model says of a system, and which of its functions are called for that."""
    with calling() as called:
        said = of(built(place, true))
    _alive.append(said)
    return hash(said), functions_of(called)


def functions_of(called: set[CodeType]) -> Functions:
    """The functions of the model among what is called, as mutants name them: what is written within one without a name
    of its own is part of it."""
    return frozenset(
        (Path(code.co_filename).relative_to(MODEL).as_posix(), code.co_qualname.replace(".<locals>", "").split(".<")[0])
        for code in called
        if code.co_filename.startswith(str(MODEL))
    )


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


def matters(functions: Functions, mutant: Mutant) -> bool:
    """Whether the mistake can matter where these are called."""
    return (mutant.file, mutant.function) in functions or mutant.function not in _functions(mutant.file)


def built(place: Place, load: Load) -> Any:
    """The system in that place."""
    revision, where = place
    if isinstance(where, int):
        scope = load("properties.scopes.plans").PLANS[where].scope
    else:
        design = "registry_design" if design_of(revision) == REGISTRY else "controller_design"
        wide = load(f"properties.proofs.{design}.open_system").ALL_DETAIL
        scope = replace(wide, topology=where, instance=load("model.scope").instance("n2f0b1"))
    return load("model.system").build(load("model.revisions").REVISIONS[revision], scope)


@cache
def true(name: str) -> Any:
    """A module as it is; asked for the first time before any mutant is in force."""
    return importlib.import_module(name)


def fresh(name: str) -> Any:
    """A module in which the mutant is in force."""
    return importlib.import_module(name)
