"""The views of two attesters, against the system that they are views of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import permutations

import pytest

from model.algebra import TRUE, Expression, bool_variable
from model.registry_design.system import RegistryDesign
from model.revisions import PROPOSALS, REVISIONS, compose
from model.scope import Scope, instance
from model.system import assemble, build
from model.transitions import Variable
from properties.engines.stepper import State, Stepper
from properties.proofs.committees import Committee
from properties.proofs.induction import Invariant
from properties.proofs.obligations import Answer, Budget, Outcome
from properties.proofs.registry_design import any_size, quorum_step
from properties.proofs.registry_design.any_size import actor_of
from properties.proofs.registry_design.invariants import NO_GAP
from properties.proofs.registry_design.open_system import ALL_DETAIL
from properties.proofs.registry_design.views import SUPPORTER_IS_FIRST, View, view_electorate, view_system

BUDGET = Budget(60)


def fixed(system: RegistryDesign, values: dict[Expression, int]) -> RegistryDesign:
    """The system with open variables fixed: as variables that nothing changes."""
    return replace(system, variables=(*system.variables, *(Variable(each, value) for each, value in values.items())))


class Views:
    """A system with some Byzantine attesters, the one-step engine on it and on its views."""

    def __init__(self, revision: str, scope: Scope) -> None:
        weights = scope.instance.weights
        honest = len(weights) - scope.instance.byzantine
        self.liars = [key >= honest for key in range(len(weights))]
        byzantine = Committee.of(len(weights)).byzantine
        electorate = build(REVISIONS[revision], scope).electorate
        values = dict(zip(byzantine, map(int, self.liars), strict=True))
        self.whole = fixed(assemble(REVISIONS[revision], scope, electorate, byzantine), values)
        self.stepper = Stepper(self.whole)
        self.viewed = view_system(REVISIONS[revision], scope)
        self.steppers: dict[tuple[bool, bool], Stepper] = {}
        self.known: dict[tuple[bool, bool, State], dict[tuple[str, str], State]] = {}
        self.places = {keys: self._places(keys) for keys in permutations(range(len(weights)), 2)}

    def _places(self, keys: tuple[int, int]) -> list[int]:
        """For each variable of the view system, the place in the whole state that it shows."""
        onto = {theirs: mine for mine, theirs in View(self.whole, keys).onto(self.viewed).items()}
        return [self.stepper.places[onto[variable.expression]] for variable in self.viewed.variables]

    def seen(self, keys: tuple[int, int], state: State) -> State:
        """The state, from the view of these attesters."""
        return tuple(state[place] for place in self.places[keys])

    def successors(self, keys: tuple[int, int], seen: State) -> dict[tuple[str, str], State]:
        """What the view system does in a state of a view, by node and call; the first attester is the supporter."""
        lies = (self.liars[keys[0]], self.liars[keys[1]])
        if (*lies, seen) not in self.known:
            stepper = self._stepper(lies)
            state = (*seen, *map(int, lies), 1)
            self.known[*lies, seen] = {
                (stepper.action(action).node, str(stepper.action(action))): after[: len(seen)]
                for action, after in stepper.successors(state)
            }
        return self.known[*lies, seen]

    def _stepper(self, lies: tuple[bool, bool]) -> Stepper:
        if lies not in self.steppers:
            values = dict(zip(Committee.of(2).byzantine, map(int, lies), strict=True))
            self.steppers[lies] = Stepper(fixed(self.viewed, {**values, SUPPORTER_IS_FIRST: 1}))
        return self.steppers[lies]

    def takes(self, keys: tuple[int, int], before: State, action: int, after: State) -> bool:
        """Whether the view takes the step."""
        done = self.stepper.action(action)
        names = dict(zip((self.whole.topology.attesters[key] for key in keys), "ab", strict=True))
        call = any_size._call(done, names)
        return self.successors(keys, self.seen(keys, before)).get(call) == self.seen(keys, after)

    def follow(self, before: State, action: int, after: State) -> bool:
        """Whether there is an attester k such that for every other one the view of both takes the step."""
        done = self.stepper.action(action)
        actor = actor_of(done, self.whole)
        attesters = range(len(self.liars))
        if actor is not None and done.name != "find_quorum":
            candidates = [self.whole.topology.attesters.index(actor)]
        else:
            candidates = [key for key in attesters if done.name != "find_quorum" or not self.liars[key]]
        fits = [
            all(self.takes((key, other), before, action, after) for other in attesters if other != key)
            for key in candidates
        ]
        return any(fits) if done.name == "find_quorum" else all(fits)

    def steps(self, most: int) -> Iterator[tuple[State, int, State]]:
        """Every step from every reachable state; of at most so many states."""
        found, todo = {self.stepper.initial}, [self.stepper.initial]
        while todo:
            state = todo.pop()
            for action, after in self.stepper.successors(state):
                yield state, action, after
                if after not in found:
                    found.add(after)
                    todo.append(after)
            assert len(found) < most, "the scope is exhausted"


SCOPES = {
    "three honest attesters": ("pr161+era2539", Scope(instance("n3f0b0"), 1)),
    "one of three lies": ("pr161+era2480", Scope(instance("w4,1,1b1"), 1, queue=2)),
    "a restart": ("pr167+era2480", Scope(instance("w1,1,1b0"), 1, restarts=1)),
    "every step": (
        "pr161+era2480",
        Scope(instance("n2f0b0"), 1, late_answers=True, finder_steps=True, attester_steps=True, own_finders=True),
    ),
    "two batches": ("pr161+era2480", Scope(instance("n2f0b0"), 2)),
    "two batches and a forger": ("pr161+era2539", Scope(instance("w5,1b1"), 2)),
    "a new connection": ("pr161+era2480", Scope(instance("n2f0b0"), 1, disconnects=1)),
    "old votes come again": ("pr161+era2480", Scope(instance("n2f0b0"), 1, restarts=1, replays=True)),
    "late batches": ("pr161+era2539", Scope(instance("n2f0b0"), 1, late_batches=True)),
}


@pytest.mark.parametrize(("revision", "scope"), SCOPES.values(), ids=SCOPES)
def test_every_step_is_a_step_of_views(revision: str, scope: Scope) -> None:
    views = Views(revision, scope)
    names = set()
    for before, action, after in views.steps(60_000):
        assert views.follow(before, action, after), views.stepper.action(action)
        names.add(views.stepper.action(action).name)
    assert {"find_quorum", "receive_votes", "insert_qc"} <= names


@pytest.mark.parametrize("name", ["pr161+era2480", "pr161+era2539", "pr166+era2539", "pr170+era2480"])
@pytest.mark.parametrize("attesters", [2, 4])
def test_systems_look_the_same_from_every_view(name: str, attesters: int) -> None:
    assert failed(any_size.of_size(REVISIONS[name], attesters)) == []


def failed(outcomes: Iterable[Outcome]) -> list[tuple[str, str | None]]:
    return [(outcome.goal, outcome.why) for outcome in outcomes if outcome.answer is not Answer.PROVED]


def test_views_do_not_cover_votes_both_ways() -> None:
    """With echo a push depends on the votes of all attesters, and the comparison says so."""
    found = failed(any_size.of_size(REVISIONS["pr161+era2539"], 3, replace(ALL_DETAIL, echo=True)))
    assert ("3 attesters look from a view like the view system", "push_votes(to=M) of a") in found


def test_an_attester_that_is_treated_apart_is_told() -> None:
    """A scope in which one of them alone can restart."""
    found = failed(any_size.of_size(REVISIONS["pr161+era2539"], 3, replace(ALL_DETAIL, restarting="a")))
    assert ("3 attesters are interchangeable", "restart_node() of a") in found


def test_an_invariant_about_two_attesters_is_no_part_of_the_argument() -> None:
    argument = any_size.induction(REVISIONS["pr161+era2539"])
    first, second = (node.attester.number for node in argument.system.state.nodes[1:])
    ordered = Invariant("ordered", "a is behind b", (first <= second,))
    one = Invariant("one", "only of a", (first <= 3,))
    for conjunct, why in ((ordered, "several attesters"), (one, "not say of the other")):
        ((_, said),) = failed(any_size.locality(replace(argument, invariant=(conjunct,))))
        assert said is not None
        assert why in said


def test_the_invariant_of_the_proof_is_local() -> None:
    outcomes = list(any_size.locality(any_size.induction(REVISIONS["pr161+era2480"])))
    assert len(outcomes) == len(NO_GAP)
    assert failed(outcomes) == []


@pytest.mark.parametrize("attesters", [2, 3, *(pytest.param(more, marks=pytest.mark.slow) for more in (4, 5))])
def test_a_quorum_is_found_by_some_honest_attesters_views(attesters: int) -> None:
    outcomes = quorum_step.of_size(REVISIONS["pr161+era2539"], attesters, BUDGET)
    assert len(outcomes) == attesters + 1, "on the main node, and on each attester's"
    assert failed(outcomes) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", [*sorted(REVISIONS), *sorted(PROPOSALS)])
def test_a_quorum_is_found_by_views_in_every_revision(name: str) -> None:
    assert failed(any_size.quorums(compose(name), (2, 3), BUDGET)) == []


def test_a_quorum_of_byzantine_attesters_is_found_by_no_honest_views(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Committee, "is_below_threshold", TRUE)
    found = failed(quorum_step.of_size(REVISIONS["pr161+era2539"], 2, BUDGET))
    assert any(goal.startswith("2 attesters, M:") for goal, _ in found)


def test_a_hash_with_two_names_is_found_by_no_views(monkeypatch: pytest.MonkeyPatch) -> None:
    """The quorum that is found may have the one name, and the honest attester's vote the other."""
    monkeypatch.setattr(quorum_step, "invariant", lambda *_: ())
    assert failed(quorum_step.of_size(REVISIONS["pr161+era2539"], 3, BUDGET)) != []


def test_the_quorum_step_taken_apart() -> None:
    outcomes = quorum_step.lemmas(REVISIONS["pr161+era2539"], BUDGET)
    assert len(outcomes) == 5
    assert failed(outcomes) == []


def test_the_supporter_must_be_honest_to_have_weight() -> None:
    byzantine = (bool_variable("byzantine.a"), bool_variable("byzantine.b"))
    first, second = view_electorate(byzantine).weights
    assert str(first) != str(second)
    assert {first.low, first.high} == {0, 1}
