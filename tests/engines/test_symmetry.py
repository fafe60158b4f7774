"""Symmetry merges exactly the states that differ by a permutation of equal attesters, and only where that is sound."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.algebra import Expression, const, greatest, int_variable, where
from model.registry_design.system import RegistryDesign
from model.revisions import revision
from model.scope import Scope, instance
from model.system import build
from model.transitions import TransitionSystem, Variable
from model.votes import NONE
from properties.claims.catalogue import CATALOGUE, claim
from properties.claims.kinds import Conjunct, CounterexampleKind, Kind, Property
from properties.engines.checking import Check
from properties.engines.explorer import explore
from properties.engines.packing import Packing, UnsoundSymmetry
from properties.engines.stepper import State, Stepper
from properties.engines.symmetry import Forms, Numbering
from properties.engines.visited import concatenate
from properties.results.verdicts import Reached, Verdict, Violated


def classes_of(system: RegistryDesign) -> tuple[tuple[str, ...], ...]:
    return Packing(system).symmetry.classes


def permuted(system: RegistryDesign, state: State, exchange: dict[str, str]) -> State:
    """The state in which these attesters have changed places."""
    value = {variable.name: number for variable, number in zip(system.variables, state, strict=True)}

    def source(name: str) -> str:
        parts = [[exchange.get(end, end) for end in part.split("-")] for part in name.split(".")]
        return ".".join("-".join(ends) for ends in parts)

    return tuple(value[source(variable.name)] for variable in system.variables)


@pytest.mark.parametrize(("committee", "name"), [("n3f0b0", "pr161+era2539"), ("n2f0b0", "pr161+era2480")])
def test_orbits_of_the_classes_are_all_states(committee: str, name: str) -> None:
    system = build(revision(name), Scope(instance(committee), 2))
    whole, classes = explore(system), explore(system, symmetry=True)
    packing, (names,) = whole.vectorised.packing, classes_of(system)
    orbits = {
        permuted(system, state, dict(zip(names, changed, strict=True)))
        for state in packing.unpack(concatenate(classes.levels))
        for changed in permutations(names)
    }
    assert orbits == set(packing.unpack(concatenate(whole.levels)))


@pytest.mark.parametrize("name", [pytest.param("pr161+era2480", marks=pytest.mark.slow), "pr161+era2539"])
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


RESTARTING_B = Scope(instance("n2f0b0"), 2, restarts=None, restarting="b")


def test_an_attester_that_alone_restarts_counts_by_itself() -> None:
    """The classes were once made of weights and Byzantine membership: 348 of the 2,649 were missed, and said to be
    exhausted."""
    system = build(revision("pr161+era2480"), RESTARTING_B)
    assert classes_of(system) == ()
    assert Packing(system).symmetry.refusals == ["a and b: restart_node() of b has no counterpart"]
    exact = explore(system)
    assert exact.states == 3_375
    states = exact.vectorised.packing.unpack(concatenate(exact.levels))
    assert len({frozenset([state, permuted(system, state, {"a": "b", "b": "a"})]) for state in states}) == 2_649
    with pytest.raises(UnsoundSymmetry, match="no two attesters are interchangeable; a and b: restart_node"):
        explore(system, symmetry=True)


def test_a_search_where_one_attester_is_told_apart_is_followed_to_every_trace() -> None:
    """Under a symmetry that is none, the one-step engine could not follow the explorer."""
    verdicts = Check(build(revision("pr170+era2539"), replace(RESTARTING_B, batches=3))).verdicts()
    assert {"EXHAUSTED", "REACHED"} <= {verdict.word for verdict in verdicts.values()}


def test_three_attesters_of_whom_one_is_told_apart_leave_a_class_of_two() -> None:
    system = build(revision("pr161+era2539"), replace(RESTARTING_B, instance=instance("n3f0b0")))
    assert classes_of(system) == (("a", "c"),)


def about(kind: Kind, *pairs: tuple[str, str]) -> Property:
    """Of each pair: who has the second attester's vote in the main node's registry has the first one's, too."""

    def conjuncts(system: RegistryDesign) -> tuple[Conjunct, ...]:
        has = {key: vote.number != NONE for key, vote in zip("ab", system.main.registry.votes, strict=True)}
        return tuple(Conjunct(f"{a} if {b}", has[a], has[b]) for a, b in pairs)

    return Property("votes", kind, "", "", "", conjuncts)


BOTH = (("a", "b"), ("b", "a"))
NO_KIND = CounterexampleKind("of a", "", "", lambda system: system.main.registry.votes[0].number == 0)


@pytest.mark.parametrize("kind", [Kind.ALWAYS, Kind.SOMETIMES])
def test_a_question_about_states_must_be_asked_of_all_permutations(kind: Kind) -> None:
    system = build(revision("pr161+era2480"), Scope(instance("n2f0b0"), 2))
    classes, exact = Check(system, symmetry=True), Check(system)
    refused = classes.verdict(about(kind, ("a", "b")))
    assert str(refused) == "NOT_CHECKED(it tells a and b apart, who count as one here)"
    assert exact.verdict(about(kind, ("a", "b"))).word != "NOT_CHECKED"
    assert length(classes.verdict(about(kind, *BOTH))) == length(exact.verdict(about(kind, *BOTH)))


def length(verdict: Verdict) -> int:
    assert isinstance(verdict, Violated | Reached)
    return len(verdict.trace.steps)


def test_a_question_about_all_that_follows_must_be_the_same_for_all_permutations() -> None:
    """With a conjunct for each attester the shortest violation had another length (17) than it has (19)."""
    system = build(revision("pr161+era2480"), Scope(instance("n2f0b0"), 2))
    classes = Check(system, symmetry=True)
    assert classes.verdict(about(Kind.POSSIBLE, *BOTH)).word == "NOT_CHECKED"
    claimed = claim("progress_possible")
    assert classes.verdict(claimed).word == "EXHAUSTED"
    assert classes.verdict(replace(claimed, kinds=(*claimed.kinds, NO_KIND))).word == "NOT_CHECKED"


def test_fair_runs_are_not_looked_for_where_permuted_attesters_count_as_one() -> None:
    check = Check(build(revision("pr161+era2539"), Scope(instance("n2f0b0"), 2)), symmetry=True)
    assert check.verdict(claim("every_batch_certified")).word == "NOT_CHECKED"


def test_attesters_of_different_weight_are_not_interchangeable() -> None:
    system = build(revision("pr161+era2539"), Scope(instance("w3,2,1b0"), 2))
    assert classes_of(system) == ()
    with pytest.raises(UnsoundSymmetry, match="no two attesters are interchangeable"):
        explore(system, symmetry=True)


def test_byzantine_and_honest_attesters_are_not_interchangeable() -> None:
    system = build(revision("pr161+era2539"), Scope(instance("n6f1b2"), 2))
    assert classes_of(system) == (("a", "b", "c", "d"), ("e", "f"))


def test_votes_that_attesters_have_of_each_other_forbid_symmetry() -> None:
    system = build(revision("pr161+era2539"), Scope(instance("n2f0b0"), 2, echo=True))
    assert not Packing(system).has_symmetry
    with pytest.raises(UnsoundSymmetry, match="relates two attesters"):
        explore(system, symmetry=True)


X, Y, Z = (int_variable(name, -1, 5) for name in "xyz")


def forms(*expressions: Expression, exchange: dict[Expression, Expression] | None = None) -> list[int]:
    return list(map(Forms(NUMBERING, exchange or {}), expressions))


NUMBERING = Numbering()


def test_the_order_of_operands_means_nothing_where_it_means_nothing() -> None:
    same = [
        [X + Y + Z, Z + (Y + X)],
        [(X <= 1) & (Y <= 2) & (Z <= 3), (Z <= 3) & ((Y <= 2) & (X <= 1))],
        [X == Y, Y == X],
        [greatest(order) for order in permutations([X, Y, Z])],
        [greatest([X, greatest([Y, Z])]), greatest([greatest([Z, X]), Y])],
        [where(X <= Y, X, Y), where(Y <= X, Y, X), where(X > Y, Y, X)],
    ]
    for expressions in same:
        assert len(set(forms(*expressions))) == 1
    differ = [
        X - Y,
        Y - X,
        X <= Y,
        Y <= X,
        greatest([X, Y]),
        greatest([X, Z]),
        where(X <= Y, X, Y),
        where(X <= Y, X, Z),
    ]
    assert len(set(forms(*differ))) == len(differ)


def test_an_exchange_is_made_in_every_part() -> None:
    exchange: dict[Expression, Expression] = {X: Y, Y: X}
    assert forms(X - Y + Z, exchange=exchange) == forms(Y - X + Z)
    assert forms(greatest([X, Y, Z]), exchange=exchange) == forms(greatest([X, Y, Z]))
    assert forms(where(X <= Z, X, Y), exchange=exchange) != forms(where(X <= Z, X, Y))


@given(st.lists(st.tuples(*[st.integers(-1, 5)] * 3), min_size=1, max_size=5))
def test_the_greatest_is_the_greatest(states: list[tuple[int, int, int]]) -> None:
    system = TransitionSystem("numbers", (), tuple(Variable(each, 0) for each in (X, Y, Z)), ())
    evaluate = Stepper(system).evaluator(greatest([X, Y, Z, X]), greatest([X, const(2)]), greatest([const(-1), Y]))
    for state in states:
        assert evaluate(state) == (max(state), max(state[0], 2), state[1])
