"""Every property of the catalogue can fail: for each there is a broken model that the explorer finds."""

import pytest

from properties.claims.catalogue import CATALOGUE, claim
from properties.claims.kinds import Property
from properties.engines.checking import Check
from properties.results.verdicts import Unreached, Violated
from tests.broken_models import BROKEN_MODELS, BrokenModel, UnknownBrokenModel, broken_model


@pytest.mark.parametrize("broken", [one for one in BROKEN_MODELS if one.violates], ids=lambda broken: broken.name)
def test_a_broken_model_violates_what_it_says_and_the_true_model_does_not(broken: BrokenModel) -> None:
    claims = [claim(name) for name in broken.violates]
    sound = Check(broken.build()).verdicts(claims)
    assert {name: str(verdict) for name, verdict in sound.items() if not verdict.holds} == {}
    with broken.applied():
        wrong = Check(broken.build()).verdicts(claims)
    assert {
        name: str(verdict) for name, verdict in wrong.items() if not isinstance(verdict, Violated | Unreached)
    } == {}


@pytest.mark.parametrize("broken", BROKEN_MODELS, ids=lambda broken: broken.name)
def test_outside_the_context_the_model_is_as_before(broken: BrokenModel) -> None:
    before = [getattr(change.owner, change.attribute) for change in broken.changes]
    assert before
    with broken.applied():
        for change, original in zip(broken.changes, before, strict=True):
            assert getattr(change.owner, change.attribute) is not original
    assert [getattr(change.owner, change.attribute) for change in broken.changes] == before


@pytest.mark.parametrize("property", CATALOGUE, ids=lambda property: property.name)
def test_every_property_of_the_catalogue_can_fail(property: Property) -> None:
    assert [broken.name for broken in BROKEN_MODELS if property.name in broken.violates]


def test_names_are_distinct_and_found() -> None:
    assert len({broken.name for broken in BROKEN_MODELS}) == len(BROKEN_MODELS) >= 15
    assert broken_model("push_forgets").name == "push_forgets"
    with pytest.raises(UnknownBrokenModel) as error:
        broken_model("push")
    assert "push_forgets" in error.value.known
