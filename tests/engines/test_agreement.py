"""The engines run one text: the vectorised one reaches exactly the states that the one-step engine reaches."""

from __future__ import annotations

import pytest

from model.registry_design.system import RegistryDesign
from model.revisions import revision
from model.scope import Scope, instance
from model.system import build
from properties.engines.explorer import explore
from properties.engines.stepper import State, Stepper
from properties.engines.visited import concatenate

FINE = {"late_answers": True, "finder_steps": True, "attester_steps": True}

SCOPES = {
    "n2f0b0 joined": ("pr161+era2480", Scope(instance("n2f0b0"), 2)),
    "n1f0b0 with own-registries": ("pr161+era2480", Scope(instance("n1f0b0"), 2, own_finders=True, **FINE)),
    "n1f0b0 with echo": ("pr161+era2539", Scope(instance("n1f0b0"), 2, own_finders=True, echo=True, **FINE)),
    "n2f0b1, forged votes": ("pr161+era2480", Scope(instance("n2f0b1"), 2)),
    "w3,2,1b1, weights": ("pr161+era2539", Scope(instance("w3,2,1b1"), 2)),
    "n1f0b0 with faults": ("pr161+era2539", Scope(instance("n1f0b0"), 2, restarts=1, disconnects=1)),
    "n1f0b0, late batches": ("pr161+era2480", Scope(instance("n1f0b0"), 2, late_batches=True)),
    "n1f0b0 behind a relay": ("pr161+era2539", Scope(instance("n1f0b0"), 2, topology="relay")),
    "more than one word": ("pr161+era2539", Scope(instance("n2f0b0"), 2, own_finders=True, **FINE)),
}


def reachable(system: RegistryDesign) -> tuple[set[State], int, int]:
    """The states, the number of transitions and the depth, by a plain search on the one-step engine."""
    stepper = Stepper(system)
    seen, level, depth, transitions = {stepper.initial}, [stepper.initial], -1, 0
    while level:
        depth += 1
        following = []
        for state in level:
            for _, after in stepper.successors(state):
                transitions += 1
                if after not in seen:
                    seen.add(after)
                    following.append(after)
        level = following
    return seen, transitions, depth


@pytest.mark.parametrize("name", SCOPES)
def test_both_engines_reach_the_same_states(name: str) -> None:
    revision_name, scope = SCOPES[name]
    system = build(revision(revision_name), scope)
    search = explore(system)
    states, transitions, depth = reachable(system)
    assert set(search.vectorised.packing.unpack(concatenate(list(search.pieces())))) == states
    assert (search.states, search.transitions, search.depth) == (len(states), transitions, depth)


def test_scopes_of_one_and_of_several_words_are_covered() -> None:
    words = {explore(build(revision(r), scope)).vectorised.packing.words for r, scope in SCOPES.values()}
    assert {1, 2} <= words


def test_packing_is_lossless() -> None:
    system = build(revision("pr161+era2539"), Scope(instance("n1f0b1"), 2, restarts=2))
    stepper = Stepper(system)
    search = explore(system)
    packing = search.vectorised.packing
    assert packing.unpack(packing.pack([stepper.initial])) == [stepper.initial]
    everything = packing.unpack(concatenate(list(search.pieces())))
    again = packing.unpack(packing.pack(everything))
    assert again == everything
