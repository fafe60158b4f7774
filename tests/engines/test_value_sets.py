"""The over-approximation must have every value of every state that can be reached, and be of use nevertheless."""

import pytest

from model.algebra import Expression
from model.registry_design.system import RegistryDesign
from model.revisions import revision
from model.scope import Scope, instance
from model.system import build
from properties.engines.stepper import State, Stepper
from properties.engines.value_sets import Reach, ValueSets

SCOPES = [
    Scope(instance("n1f0b0"), batches=2, own_finders=True, finder_steps=True),
    Scope(instance("n2f0b0"), batches=2),
    Scope(instance("n1f0b1"), batches=2, lesser_hashes=1),
]


def reachable(stepper: Stepper, start: State) -> set[State]:
    seen, todo = {start}, [start]
    while todo:
        for _, after in stepper.successors(todo.pop()):
            if after not in seen:
                seen.add(after)
                todo.append(after)
    return seen


def outside(system: RegistryDesign, states: set[State], reach: Reach) -> set[str]:
    """The variables that take a value that is not in their set."""
    return {
        variable.name
        for place, variable in enumerate(system.variables)
        if not {state[place] for state in states} <= reach[variable.expression]
    }


@pytest.mark.parametrize("scope", SCOPES, ids=lambda scope: scope.name)
def test_no_reachable_value_is_missing(scope: Scope) -> None:
    system = build(revision("pr161+era2480"), scope)
    stepper, analysis = Stepper(system), ValueSets(system)
    everything = sorted(reachable(stepper, stepper.initial))
    for start in everything[:: max(1, len(everything) // 12)]:
        states, reach = reachable(stepper, start), analysis.reachable(start)
        assert outside(system, states, reach) == set()
        for split in splits(system):
            reach = analysis.reachable(start, split, reach)
            assert outside(system, states, reach) == set()


def splits(system: RegistryDesign) -> list[Expression]:
    candidates = [vote.number for vote in system.main.registry.votes]
    candidates += [system.main.finder.phase, system.main.status.next_batch_to_attest]
    return [candidate for candidate in candidates if not candidate.is_constant]


def test_an_earlier_result_only_gets_smaller() -> None:
    system = build(revision("pr161+era2480"), SCOPES[0])
    stepper, analysis = Stepper(system), ValueSets(system)
    first = analysis.reachable(stepper.initial)
    second = analysis.reachable(stepper.initial, system.main.finder.phase, first)
    assert all(second[variable] <= first[variable] for variable in first)


def test_what_cannot_happen_any_more_is_seen() -> None:
    system = build(revision("pr161+era2480"), SCOPES[1])
    stepper = Stepper(system)
    analysis = ValueSets(system, lambda action: action.name != "seal_batch")
    sealed = next(variable.expression for variable in system.variables if variable.name == "sealed")
    assert analysis.reachable(stepper.initial)[sealed] == {0}


def test_a_scope_without_bounds_is_refused() -> None:
    system = build(revision("pr161+era2480"), Scope(instance("n1f0b0"), batches=None))
    with pytest.raises(ValueError, match="has no bounds"):
        ValueSets(system)
