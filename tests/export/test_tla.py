"""The exported TLA+ module: it parses, its actions take the engine's steps, and TLC, where it is, counts the same."""

from __future__ import annotations

import os
import random
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from model.algebra import all_of
from model.service import AttestationSystem
from properties.claims.kinds import Kind
from properties.engines.checking import Check
from properties.engines.explorer import explore
from properties.engines.packing import Packing
from properties.engines.stepper import State, Stepper
from properties.export.claims import Claims
from properties.export.tla import Exported, tla
from properties.results.verdicts import Violated
from tests.export.systems import SYSTEMS, system
from tests.export.tla_evaluator import Module

JAR = os.environ.get("TLA2TOOLS_JAR", "")
needs_tlc = pytest.mark.skipif(
    not JAR or shutil.which("java") is None, reason="TLA2TOOLS_JAR names no jar of the TLA+ tools, or there is no Java"
)


def states(stepper: Stepper, seed: int) -> list[State]:
    """States along random runs, and some that are drawn from the domains, of which few can be reached."""
    draw = random.Random(seed)
    variables = stepper.system.variables
    found = [tuple(draw.randint(each.low or 0, each.high or 0) for each in variables) for _ in range(5)]
    state = stepper.initial
    for _ in range(20):
        found.append(state)
        after = [following for _, following in stepper.successors(state)]
        state = draw.choice(after) if after else stepper.initial
    return found


def written(exported: Exported, built: AttestationSystem, values: Mapping[str, int]) -> dict[str, object]:
    """The state as the module has it."""
    found: dict[str, object] = {}
    for variable in built.variables:
        value = bool(values[variable.name]) if variable.is_boolean else values[variable.name]
        place = exported.places[variable.name]
        if "[" in place:
            function, attester = place.removesuffix("]").split("[")
            found.setdefault(function, {})[attester] = value  # type: ignore[index]
        else:
            found[place] = value
    return found


def steps(module: Module, state: Mapping[str, object]) -> list[tuple[str, dict[str, object]]]:
    taken = ((name, module.step(name, state)) for name in module.names_in("Next"))
    return [(name, after) for name, after in taken if after is not None]


def after(stepper: Stepper, place: int, state: State) -> dict[str, int]:
    """The values after an action, whether or not they are in their domains: drawn states need not be reachable."""
    changes = stepper.action(place).updates
    values = stepper.evaluator(*(value for _, value in changes))(state)
    new = {variable.name: int(value) for (variable, _), value in zip(changes, values, strict=True)}
    return {**stepper.named(state), **new}


@pytest.mark.parametrize("name", SYSTEMS)
def test_the_module_takes_the_same_steps_as_the_engine(name: str) -> None:
    built = system(name)
    exported, stepper = tla(built, "M"), Stepper(built)
    module = Module(exported.module)
    assert module.initial() == written(exported, built, built.initial)
    assert len(module.names_in("Next")) == len(built.actions)
    for state in states(stepper, seed=1):
        expected = [written(exported, built, after(stepper, place, state)) for place in stepper.enabled(state)]
        found = steps(module, written(exported, built, stepper.named(state)))
        assert [each for _, each in found] == expected
        numbers = [module.names_in("Next").index(taken) for taken, _ in found]
        assert numbers == list(stepper.enabled(state)), "each step by the action of its name"


@pytest.mark.parametrize("name", SYSTEMS)
def test_the_module_has_the_same_properties(name: str) -> None:
    built = system(name)
    exported, stepper, claims = tla(built, "M"), Stepper(built), Claims(built)
    module = Module(exported.module)
    stated = [claim for kind in (Kind.ALWAYS, Kind.SOMETIMES) for claim in claims.of(kind)]
    evaluate = stepper.evaluator(*(all_of(claims.stated(claim)) for claim in stated))
    tried = states(stepper, seed=2)
    for number, state in enumerate(tried):
        values = written(exported, built, stepper.named(state))
        assert [bool(module.holds(claim.name, values)) for claim in stated] == list(map(bool, evaluate(state)))
        if number >= 5:
            assert module.holds("Types", values)
    every = f"{exported.invariants}{exported.live}"
    for kind, word in ((Kind.ALWAYS, "INVARIANT"), (Kind.EVENTUALLY, "PROPERTY")):
        assert all(f"\n{word} {claim.name}\n" in every for claim in claims.of(kind))


@pytest.mark.parametrize("name", SYSTEMS)
def test_fairness_is_of_the_actions_that_the_property_names(name: str) -> None:
    built = system(name)
    module = Module(tla(built, "M").module)
    for claim in Claims(built).of(Kind.EVENTUALLY):
        text = module.definitions[f"fair_for_{claim.name}"].text.decode()
        places = {action: place for place, action in enumerate(module.names_in("Next"))}
        fair = {places[action] for action in re.findall(r"WF_vars\((\w+)\)", text)}
        ending = {places[action] for action in re.findall(r"\w+", text.partition("<>[][")[2]) if action in places}
        assert fair == {n for n, each in enumerate(built.actions) if each.name in claim.fair - claim.without}
        assert ending == {n for n, each in enumerate(built.actions) if each.name in claim.without}


def test_symmetry_is_where_ours_is_and_not_for_fair_runs() -> None:
    for name in SYSTEMS:
        exported = tla(system(name), "M")
        assert ("SYMMETRY Symmetry" in exported.invariants) == Packing(system(name)).has_symmetry
        assert "SYMMETRY" not in exported.live
    assert "SYMMETRY Symmetry" in tla(system("genesis"), "M").invariants
    assert "SYMMETRY" not in tla(system("committees"), "M").invariants


def test_a_sign_that_is_written_wrongly_would_be_noticed() -> None:
    built = system("last sealed")
    exported, stepper = tla(built, "M"), Stepper(built)
    wrong = exported.module.replace("/\\ sealed < 3", "/\\ sealed <= 3")
    assert wrong != exported.module
    drawn = [written(exported, built, stepper.named(state)) for state in states(stepper, seed=1)]
    assert any(steps(Module(wrong), each) != steps(Module(exported.module), each) for each in drawn)


@pytest.mark.parametrize("name", SYSTEMS)
def test_every_name_is_given_once_and_before_it_is_used(name: str) -> None:
    module = Module(tla(system(name), "M").module)
    known = {*module.variables, *system(name).topology.attesters}
    assert len(module.variables) == len(set(module.variables))
    for defined, right in module.definitions.items():
        assert defined not in known
        assert set(references(right)) <= known | {"x", "Permutations"}, defined
        known.add(defined)


def references(node: Any) -> Iterator[str]:
    if node.type == "identifier_ref":
        yield node.text.decode()
    for child in node.children:
        yield from references(child)


def tlc(folder: Path, exported: Exported, configuration: str, *options: str) -> str:
    """What TLC says."""
    (folder / "M.tla").write_text(exported.module, encoding="utf-8")
    (folder / "M.cfg").write_text(configuration, encoding="utf-8")
    command = ["java", "-XX:+UseParallelGC", "-cp", JAR, "tlc2.TLC", *options, "M.tla"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False).stdout


def counts(said: str) -> tuple[int, int]:
    """The distinct states, and the depth in steps."""
    found = re.findall(r"([\d,]+) distinct states found, 0 states left", said)
    depth = re.search(r"depth of the complete state graph search is (\d+)", said)
    assert found, said
    assert depth, said
    return int(found[-1].replace(",", "")), int(depth[1]) - 1


@needs_tlc
@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in SYSTEMS if name != "own registries"])
def test_tlc_has_the_same_states(name: str, tmp_path: Path) -> None:
    built = system(name)
    exported = tla(built, "M")
    only_types = re.sub(r"(?m)^INVARIANT (?!Types).*\n", "", exported.invariants)
    for symmetry in (False, "SYMMETRY" in only_types):
        configuration = only_types if symmetry else only_types.replace("SYMMETRY Symmetry\n", "")
        found = explore(built, symmetry)
        assert counts(tlc(tmp_path, exported, configuration)) == (found.states, found.depth)


@needs_tlc
@pytest.mark.slow
@pytest.mark.parametrize("name", ["last sealed", "Byzantine", "any number of restarts", "errors", "controllers"])
def test_tlc_agrees_on_what_holds(name: str, tmp_path: Path) -> None:
    built = system(name)
    exported, claims = tla(built, "M"), Claims(built)
    verdicts = Check(built).verdicts([claim for kind in Kind for claim in claims.of(kind)])
    broken = re.search(r"Invariant (\w+) is violated", tlc(tmp_path, exported, exported.invariants))
    violated = {name for name, verdict in verdicts.items() if isinstance(verdict, Violated)}
    assert (broken is not None) == any(claim.name in violated for claim in claims.of(Kind.ALWAYS))
    assert broken is None or broken[1] in violated
    said = tlc(tmp_path, exported, re.sub(r"(?m)^INVARIANT .*\n", "", exported.live))
    is_broken = re.search(r"emporal propert.* violated", said) is not None
    assert is_broken == any(claim.name in violated for claim in claims.of(Kind.EVENTUALLY))


@needs_tlc
def test_sany_reads_the_module(tmp_path: Path) -> None:
    (tmp_path / "M.tla").write_text(tla(system("controllers"), "M").module, encoding="utf-8")
    done = subprocess.run(["java", "-cp", JAR, "tla2sany.SANY", "M.tla"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0
    assert "error" not in done.stdout.lower()
