"""An assumption is needed if the property breaks without it, and by itself: found by search, not by decree."""

from __future__ import annotations

import pytest

from model.revisions import revision
from model.scope import BadScope, Scope, instance
from model.system import build
from properties.claims.assumptions import ASSUMPTIONS
from properties.claims.catalogue import claim
from properties.results.dropped import Place, bases, breaking, needed, tried
from properties.results.trace import replay
from properties.results.verdicts import Violated

QUORUM = claim("at_most_one_quorum")
NAMED = {each.name: each for each in ASSUMPTIONS}
MAJORITY, NO_RESTART = NAMED["majority"], NAMED["no-restart"]


@pytest.mark.slow
def test_a_majority_is_needed_for_one_quorum_and_nothing_else() -> None:
    assert list(needed(QUORUM)) == [MAJORITY.name]


def test_what_breaks_is_a_run_of_the_model() -> None:
    found = breaking(QUORUM, MAJORITY)
    assert found is not None
    assert isinstance(found.verdict, Violated)
    assert found.place.scope.quorum == 1
    replay(found.verdict.trace)


@pytest.mark.slow
def test_what_is_tried_and_breaks_nothing_is_not_needed() -> None:
    assert list(tried(QUORUM, NO_RESTART))
    assert breaking(QUORUM, NO_RESTART) is None


@pytest.mark.slow
def test_an_assumption_is_made_where_it_is_looked_at_and_not_where_it_is_dropped() -> None:
    assert all(place.makes(MAJORITY) for place in bases(QUORUM))
    assert not any(found.place.makes(MAJORITY) for found in tried(QUORUM, MAJORITY))


@pytest.mark.parametrize("assumption", [NAMED[name] for name in ("genesis-start", "honest-vote", "all-honest")])
def test_assumptions_of_the_registry_are_made_of_itself_by_the_controller(assumption: object) -> None:
    place = Place("pr175+era3512", Scope(instance("n2f0b2")))
    assert place.makes(assumption)  # type: ignore[arg-type] # it is one


def test_a_quorum_of_ones_own_is_for_the_registry_alone() -> None:
    with pytest.raises(BadScope, match="a quorum of one's own"):
        build(revision("pr175+era3512"), Scope(instance("n1f0b0"), quorum=1))
