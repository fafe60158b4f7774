"""An assumption is needed if the property breaks without it, and by itself: found by search, not by decree."""

from __future__ import annotations

import shlex
from functools import partial

import pytest

from docs.generator.kept import dropped
from model.revisions import revision
from model.scope import BadScope, Scope, instance
from model.system import build
from properties.claims.assumptions import (
    ALL_HONEST,
    ASSUMPTIONS,
    GENESIS_START,
    HONEST_VOTE,
    MAJORITY,
    Assumption,
    Drop,
)
from properties.claims.catalogue import CATALOGUE, claim
from properties.claims.kinds import Kind
from properties.cli import main
from properties.results.dropped import PLAIN, REVISIONS, Asked, Found, Place, judged, survey
from properties.results.kept import kept

CLASSES = ("needed", "implied", "held", "silent", "open")
PLACE = Place(REVISIONS[0], PLAIN)


@pytest.fixture
def one_revision(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("properties.results.dropped.REVISIONS", REVISIONS[:1])


def test_one_search_judges_all_properties_of_a_place() -> None:
    without = next(place for drop in MAJORITY.drops if (place := PLACE.after(drop)))
    found = judged((without, ("at_most_one_quorum", "no_vote_below_minimum")))
    assert (found["at_most_one_quorum"].word, found["at_most_one_quorum"].steps) == ("VIOLATED", 15)
    assert found["no_vote_below_minimum"] == Found("EXHAUSTED")


@pytest.mark.usefixtures("one_revision")
def test_each_place_is_searched_once_and_the_shortest_run_is_taken() -> None:
    asked: list[Place] = []

    def search(every: Asked) -> dict[str, Found]:
        place, names = every
        asked.append(place)
        if place.scope.quorum:
            return dict.fromkeys(names, Found("VIOLATED", 5 + place.scope.instance.byzantine))
        if place.scope.echo:
            return dict.fromkeys(names, Found("VACUOUS"))
        return dict.fromkeys(names, Found("UNKNOWN" if place.scope.replays else "EXHAUSTED"))

    outcome = survey([claim("at_most_one_quorum")], partial(map, search))["at_most_one_quorum"]
    assert len(asked) == len({*asked})
    assert {name: found["steps"] for name, found in outcome["needed"].items()} == {"majority": 5}
    assert outcome["needed"]["majority"]["bases"] == ["pr161+era2539"]
    assert (outcome["silent"], outcome["open"]) == (["small-messages", "one-way"], ["in-order"])
    assert "implied" not in outcome
    assert "no-restart" in outcome["held"]


@pytest.mark.usefixtures("one_revision")
def test_a_weaker_assumption_is_implied_by_a_stronger_one_that_is_needed() -> None:
    def search(every: Asked) -> dict[str, Found]:
        place, names = every
        return dict.fromkeys(names, Found("VIOLATED" if place.scope.instance.byzantine else "EXHAUSTED"))

    outcome = survey([claim("certificates_verify")], partial(map, search))["certificates_verify"]
    assert list(outcome["needed"]) == ["all-honest"]
    assert outcome["implied"] == ["honest-quorum", "honest-vote"]


@pytest.mark.usefixtures("one_revision")
def test_what_breaks_before_the_assumption_is_dropped_does_not_need_it() -> None:
    """A relay is put in for `answers`, and a fork for one way to drop `no-error`."""

    def search(every: Asked) -> dict[str, Found]:
        place, names = every
        is_broken = place.scope.topology != "direct" or place.scope.regeneses
        return dict.fromkeys(names, Found("VIOLATED" if is_broken else "EXHAUSTED"))

    outcome = survey([claim("status_never_falls")], partial(map, search))["status_never_falls"]
    assert list(outcome["needed"]) == ["no-fork", "direct"]
    assert {"answers", "no-error"} <= {*outcome["held"]}
    assert "no-bad-votes" in outcome["silent"]  # it can be dropped behind a relay only


def test_with_an_assumption_go_those_alone_that_are_stronger() -> None:
    both = PLACE.after(Drop({"quorum": 1}, "n2f0b1"))
    assert both is not None
    assert not PLACE.loses(MAJORITY, both)  # nor is Byzantine weight below such a threshold
    byzantine = PLACE.after(HONEST_VOTE.drops[0])
    assert byzantine is not None
    assert PLACE.loses(HONEST_VOTE, byzantine)


def test_what_is_kept_has_every_promise_and_every_assumption_in_one_class() -> None:
    found, names = kept("dropped"), {each.name for each in ASSUMPTIONS}
    assert [*found] == [each.name for each in CATALOGUE if each.kind is not Kind.SOMETIMES]
    for outcome in found.values():
        classed = [name for kind in CLASSES for name in outcome.get(kind, ())]
        assert len(classed) == len({*classed})
        assert {*classed} <= names
        assert outcome["looked_at"]


@pytest.mark.parametrize(("name", "assumption"), [("at_most_one_quorum", "majority"), ("progress_possible", "answers")])
def test_the_command_that_is_kept_prints_the_run(
    name: str, assumption: str, capsys: pytest.CaptureFixture[str]
) -> None:
    needed = kept("dropped")[name]["needed"][assumption]
    assert main(shlex.split(needed["command"])[1:]) == 0
    assert f": {needed['steps']} step" in capsys.readouterr().out


@pytest.mark.slow
def test_one_quorum_is_what_is_kept() -> None:
    name = "at_most_one_quorum"
    assert survey([claim(name)], partial(map, judged))[name] == kept("dropped")[name]


@pytest.mark.deep
@pytest.mark.slow
def test_all_that_is_kept_is_what_the_searches_say() -> None:
    assert dropped() == kept("dropped")


def test_an_assumption_is_made_where_it_is_looked_at_and_not_where_it_is_dropped() -> None:
    assert PLACE.makes(MAJORITY)
    assert not any(place.makes(MAJORITY) for drop in MAJORITY.drops if (place := PLACE.after(drop)))


@pytest.mark.parametrize("assumption", [GENESIS_START, HONEST_VOTE, ALL_HONEST])
def test_assumptions_of_the_registry_are_made_of_itself_by_the_controller(assumption: Assumption) -> None:
    assert Place("pr175+era3512", Scope(instance("n2f0b2"))).makes(assumption)


def test_a_quorum_of_ones_own_is_for_the_registry_alone() -> None:
    with pytest.raises(BadScope, match="a quorum of one's own"):
        build(revision("pr175+era3512"), Scope(instance("n1f0b0"), quorum=1))
