"""The state counts of small scopes. A change of the model that nobody meant shows here first."""

from __future__ import annotations

import pytest

from model.revisions import revision
from model.scope import Scope, instance
from model.system import build
from properties.engines.explorer import explore
from properties.scopes.details import DETAILS

PINNED = {
    ("pr161+era2480", "n1f0b0", 3, "joined"): (1_498, 3_992, 35),
    ("pr161+era2539", "n1f0b0", 3, "joined"): (121, 239, 31),
    ("pr161+era2480", "n2f0b0", 2, "joined"): (1_632, 5_369, 30),
    ("pr161+era2480", "n2f0b0", 3, "joined"): (26_232, 106_387, 49),
    ("pr161+era2539", "n2f0b0", 3, "joined"): (505, 1_377, 44),
    ("pr161+era2480", "n2f0b0", 3, "stepwise"): (482_429, 2_321_727, 87),
    ("pr161+era2539", "n2f0b0", 3, "stepwise"): (1_803, 5_432, 71),
    ("pr161+era2480", "n2f0b0", 2, "own-registries"): (190_031, 933_569, 54),
    ("pr161+era2539", "n2f0b0", 2, "own-registries"): (12_262, 46_671, 55),
    ("pr161+era2480", "n3f0b0", 3, "joined"): (683_452, 3_820_184, 63),
    ("pr161+era2539", "n3f0b0", 3, "joined"): (2_353, 8_321, 57),
    ("pr161+era2480", "n1f0b0", 2, "full"): (411_926, 2_346_406, 57),
    ("pr161+era2539", "n1f0b0", 2, "full"): (36_019, 170_977, 58),
}


@pytest.mark.parametrize(("name", "committee", "batches", "detail"), PINNED)
def test_states_transitions_and_depth(name: str, committee: str, batches: int, detail: str) -> None:
    system = build(revision(name), DETAILS[detail].scope(instance(committee), batches))
    search = explore(system)
    assert search.complete
    assert (search.states, search.transitions, search.depth) == PINNED[name, committee, batches, detail]


SYMMETRIC = {
    ("pr161+era2480", "n2f0b0", 3): (13_865, 56_136, 49),
    ("pr161+era2480", "n3f0b0", 3): (127_524, 711_809, 63),
    ("pr161+era2539", "n3f0b0", 3): (685, 2_403, 57),
    ("pr161+era2539", "n6f1b1", 2): (19_952, 153_669, 57),
}


@pytest.mark.parametrize(("name", "committee", "batches"), SYMMETRIC)
def test_classes_of_states_under_symmetry(name: str, committee: str, batches: int) -> None:
    search = explore(build(revision(name), Scope(instance(committee), batches)), symmetry=True)
    assert (search.states, search.transitions, search.depth) == SYMMETRIC[name, committee, batches]
