"""Symmetry merges exactly the states that differ by a permutation of equal attesters, and only where that is sound."""

from __future__ import annotations

from itertools import permutations

import pytest

from model.registry_design.system import RegistryDesign
from model.revisions import revision
from model.scope import Scope, instance
from model.system import build
from properties.checking import Check
from properties.claims.catalogue import CATALOGUE, claim
from properties.claims.kinds import Kind
from properties.engines.explorer import concatenate, explore
from properties.engines.packing import Packing, UnsoundSymmetry
from properties.engines.stepper import State
from properties.verdicts import Violated


def permuted(system: RegistryDesign, state: State, names: tuple[str, ...]) -> State:
    """The state in which the attesters of the first class have changed places."""
    exchange = dict(zip(system.symmetric[0], names, strict=True))
    value = {variable.name: number for variable, number in zip(system.variables, state, strict=True)}

    def source(name: str) -> str:
        parts = [[exchange.get(end, end) for end in part.split("-")] for part in name.split(".")]
        return ".".join("-".join(ends) for ends in parts)

    return tuple(value[source(variable.name)] for variable in system.variables)


@pytest.mark.parametrize(("committee", "name"), [("n3f0b0", "pr161+era2539"), ("n2f0b0", "pr161+era2480")])
def test_orbits_of_the_classes_are_all_states(committee: str, name: str) -> None:
    system = build(revision(name), Scope(instance(committee), 2))
    whole, classes = explore(system), explore(system, symmetry=True)
    packing = whole.vectorised.packing
    orbits = {
        permuted(system, state, names)
        for state in packing.unpack(concatenate(classes.levels))
        for names in permutations(system.symmetric[0])
    }
    assert orbits == set(packing.unpack(concatenate(whole.levels)))


@pytest.mark.parametrize("name", ["pr161+era2480", "pr161+era2539"])
def test_verdicts_and_lengths_are_the_same_with_and_without(name: str) -> None:
    system = build(revision(name), Scope(instance("n2f0b0"), 3))
    with_symmetry, without = Check(system, symmetry=True).verdicts(), Check(system).verdicts()
    exact = {claim.name for claim in CATALOGUE if claim.kind is Kind.EVENTUALLY}
    for name_of_claim, verdict in without.items():
        if name_of_claim in exact:
            continue
        assert with_symmetry[name_of_claim].word == verdict.word
        if isinstance(verdict, Violated):
            other = with_symmetry[name_of_claim]
            assert isinstance(other, Violated)
            lengths = [(trace.kind, len(trace.steps)) for trace in verdict.kinds]
            assert [(trace.kind, len(trace.steps)) for trace in other.kinds] == lengths


def test_fair_runs_are_not_looked_for_where_permuted_attesters_count_as_one() -> None:
    check = Check(build(revision("pr161+era2539"), Scope(instance("n2f0b0"), 2)), symmetry=True)
    with pytest.raises(UnsoundSymmetry, match="search without symmetry"):
        check.verdict(claim("every_batch_certified"))
    assert check.verdicts()["every_batch_certified"].word == "NOT_CHECKED"


def test_attesters_of_different_weight_are_not_interchangeable() -> None:
    system = build(revision("pr161+era2539"), Scope(instance("w3,2,1b0"), 2))
    assert system.symmetric == ()
    with pytest.raises(UnsoundSymmetry, match="no two attesters are interchangeable"):
        explore(system, symmetry=True)


def test_byzantine_and_honest_attesters_are_not_interchangeable() -> None:
    system = build(revision("pr161+era2539"), Scope(instance("n6f1b2"), 2))
    assert system.symmetric == (("a", "b", "c", "d"), ("e", "f"))


def test_votes_that_attesters_have_of_each_other_forbid_symmetry() -> None:
    system = build(revision("pr161+era2539"), Scope(instance("n2f0b0"), 2, echo=True))
    assert not Packing(system).has_symmetry
    with pytest.raises(UnsoundSymmetry, match="relates two attesters"):
        explore(system, symmetry=True)
