"""Z3's relation and the one-step engine agree, for every action, in every reachable state of small scopes."""

from __future__ import annotations

from dataclasses import replace

import pytest
import z3

from model.registry_design import network, node
from model.registry_design.system import RegistryDesign
from model.revisions import REVISIONS, compose
from model.scope import BAD_SIGNATURE, Scope, instance
from model.system import build
from model.transitions import Action, Transition
from properties.engines.smt import BitVectors, Numbers, Term, Terms, Unbounded, WholeNumbers
from properties.engines.stepper import State, Stepper

pytestmark = pytest.mark.slow

STEPS = {"late_answers": True, "finder_steps": True, "attester_steps": True}
SCOPES = {
    "joined, two attesters": Scope(instance("n2f0b0"), 1),
    "joined, one forger": Scope(instance("w5,1b1"), 1, restarts=1),
    "stepwise": Scope(instance("n1f0b0"), 1, **STEPS),
    "votes both ways": Scope(instance("n1f0b0"), 1, finder_steps=True, echo=True, own_finders=True, late_batches=True),
    "a new connection": Scope(instance("n1f0b0"), 1, disconnects=1, queue=2),
    "a falling number": Scope(instance("n1f0b0"), 3),
    "a fork": Scope(instance("n1f0b0"), 1, regeneses=1),
    "bad votes": Scope(instance("n1f0b0"), 1, topology="relay", bad_votes=BAD_SIGNATURE),
    "a pruned batch": Scope(instance("n1f0b0"), 2, pruned="M"),
    "old votes": Scope(instance("n1f0b0"), 1, restarts=1, replays=True),
    "a false certificate": Scope(instance("n1f0b1"), 1, restarts=1),
    "some bad votes": Scope(instance("n1f0b0"), 1, topology="relay", bad_votes=BAD_SIGNATURE, some_bad_votes=True),
    "an error": Scope(instance("n1f0b0"), 1, errors=1),
    "old answers": Scope(instance("n1f0b0"), 1, regeneses=1, stale_answers=1),
}

CASES = [
    ("joined, two attesters", "pr161+era2480", "whole numbers"),
    ("joined, one forger", "pr170+era2539", "whole numbers"),
    ("stepwise", "pr167+era2480", "bit-vectors"),
    ("votes both ways", "pr169+era2539", "bit-vectors"),
    ("a new connection", "pr161+era2539", "whole numbers"),
    ("a falling number", "pr167+era2480", "bit-vectors"),
    ("a fork", "pr169+era2480", "whole numbers"),
    ("bad votes", "pr169+era2539", "bit-vectors"),
    ("a pruned batch", "pr161+era2480+start_kept", "whole numbers"),
    ("old votes", "pr161+era2539", "bit-vectors"),
    ("a false certificate", "pr161+era2539", "bit-vectors"),
    ("some bad votes", "pr169+era2539", "bit-vectors"),
    ("an error", "pr170+era2539", "whole numbers"),
    ("old answers", "pr170+era2539", "bit-vectors"),
]


def reachable(stepper: Stepper) -> set[State]:
    """All states that the one-step engine reaches."""
    found, todo = {stepper.initial}, [stepper.initial]
    while todo:
        for _, after in stepper.successors(todo.pop()):
            if after not in found:
                found.add(after)
                todo.append(after)
    return found


class Relation:
    """The actions as Z3 sees them, asked about concrete states."""

    def __init__(self, system: RegistryDesign, numbers: Numbers) -> None:
        self.system, self.before = system, Terms(numbers)
        self.state = [self.before(variable.expression) for variable in system.variables]
        self.actions = [self._terms(action) for action in system.actions]

    def _terms(self, action: Action) -> tuple[Term, dict[int, Term]]:
        places = {variable.expression: place for place, variable in enumerate(self.system.variables)}
        changes = {places[variable.expression]: self.before(value) for variable, value in action.updates}
        return self.before(action.guard), changes

    def successors(self, state: State) -> dict[int, State]:
        """For each action that the relation allows, the state after it, as Z3 evaluates both."""
        solver = z3.Solver()
        for term, value in zip(self.state, state, strict=True):
            solver.add(term == bool(value) if z3.is_bool(term) else term == value)
        assert solver.check() == z3.sat
        model, found = solver.model(), {}
        for place, (guard, changes) in enumerate(self.actions):
            holds = model.eval(guard, model_completion=True)
            assert z3.is_true(holds) or z3.is_false(holds)
            if z3.is_true(holds):
                found[place] = self._after(model, state, changes)
        return found

    def _after(self, model: Term, state: State, changes: dict[int, Term]) -> State:
        after = list(state)
        for place, term in changes.items():
            value = model.eval(term, model_completion=True)
            after[place] = int(z3.is_true(value)) if z3.is_bool(term) else self.before.numbers.value(value)
        return tuple(after)


@pytest.mark.parametrize(("scope", "revision", "numbers"), CASES)
def test_every_action_has_the_same_successors(scope: str, revision: str, numbers: str) -> None:
    system = build(compose(revision), SCOPES[scope])
    roots = [variable.expression for variable in system.variables]
    for action in system.actions:
        roots += [action.guard, *(value for _, value in action.updates)]
    stepper = Stepper(system)
    relation = Relation(system, BitVectors(roots) if numbers == "bit-vectors" else WholeNumbers())
    for state in reachable(stepper):
        expected = dict(stepper.successors(state))
        assert relation.successors(state) == expected


def test_the_scopes_take_every_kind_of_action() -> None:
    """So the relation of each transition of the model was compared. `restart` is a part of other ones; no node lets a
    vote of a former fork in, so that the relation of `replay_vote` is compared where it is never possible."""
    transitions = {each.name for module in (node, network) for each in vars(module).values() if is_transition(each)}
    taken = set()
    for scope, revision, _ in CASES:
        stepper = Stepper(build(compose(revision), SCOPES[scope]))
        taken |= {stepper.action(place).name for state in reachable(stepper) for place in stepper.enabled(state)}
    assert taken == transitions - {"restart", "replay_vote"}


def is_transition(value: object) -> bool:
    return isinstance(value, Transition)


def test_numbers_without_bounds_have_no_bit_vector() -> None:
    system = build(REVISIONS["pr161+era2480"], replace(Scope(instance("n1f0b0")), batches=None))
    with pytest.raises(Unbounded, match="no bounds"):
        BitVectors(variable.expression for variable in system.variables)
