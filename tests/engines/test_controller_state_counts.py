"""The state counts of small scopes with attestation controllers. A change of the model that nobody meant shows here."""

from __future__ import annotations

import pytest

from model.revisions import revision
from model.scope import Scope, instance
from model.system import build
from properties.engines.explorer import explore
from properties.scopes.details import DETAILS

PINNED = {
    ("pr175+era2657", "n1f0b0", 2, "joined"): (80, 160, 11),
    ("pr175+era2657", "n2f0b0", 3, "joined"): (4_586, 16_506, 23),
    ("pr175+era2657", "n2f0b0", 3, "stepwise"): (11_580, 46_860, 38),
    ("pr175+era2657", "n1f0b0", 2, "full"): (3_626, 11_911, 35),
    ("pr175+era2657", "n2f0b0", 2, "calls"): (195_480, 825_045, 40),
    ("pr175+era2684", "n2f0b0", 4, "joined"): (4_587, 16_507, 24),
    ("pr175+era2684", "n2f0b0", 4, "stepwise"): (11_588, 46_880, 39),
    ("pr175+era3512", "n2f0b0", 4, "joined"): (4_587, 16_507, 24),
}


@pytest.mark.parametrize(("name", "committee", "batches", "detail"), PINNED)
def test_states_transitions_and_depth(name: str, committee: str, batches: int, detail: str) -> None:
    search = explore(build(revision(name), DETAILS[detail].scope(instance(committee), batches)))
    assert search.complete
    assert (search.states, search.transitions, search.depth) == PINNED[name, committee, batches, detail]


def test_classes_of_states_under_symmetry() -> None:
    search = explore(build(revision("pr175+era2657"), Scope(instance("n3f0b0"), 3)), symmetry=True)
    assert (search.states, search.transitions, search.depth) == (24_352, 123_356, 30)
