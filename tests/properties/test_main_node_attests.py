"""A main node that is an attester: what is as with any other attester, and what is not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from model.revisions import CONTROLLER, PROPOSALS, revision
from model.scope import BadScope, Scope, instance
from model.system import build
from model.topology import MAIN
from properties.claims.catalogue import claim
from properties.engines.checking import Check
from properties.engines.packing import Packing
from properties.results.verdicts import Verdict, Violated
from properties.scopes.details import DETAILS

ALONE = Scope(instance("n1f0b0"), batches=3, main_attests=True)
PAIR = replace(ALONE, instance=instance("n2f0b0"))
RESTARTING = replace(PAIR, echo=True, restarts=None, restarting=MAIN)
PRUNED = replace(DETAILS["stepwise"].scope(instance("n1f0b0"), 2), pruned=MAIN)
MINDED = "pr169+era2539+prune_aware+pruned_dropped"


def verdict(name: str, scope: Scope, claimed: str = "progress_possible") -> Verdict:
    return Check(build(revision(name), scope)).verdict(claim(claimed))


def kinds(found: Verdict) -> dict[str | None, int]:
    assert isinstance(found, Violated)
    return {trace.kind: len(trace.steps) for trace in found.kinds}


@pytest.mark.parametrize("name", ["pr161+era2480", "pr170+era2539", "pr175+era3512"])
def test_the_first_attester_is_the_main_node_and_the_others_are_named_from_a_on(name: str) -> None:
    topology = build(revision(name), replace(PAIR, instance=instance("n3f0b0"))).topology
    assert topology.attesters == (MAIN, "a", "b")
    assert [(place.name, place.key) for place in topology.places] == [(MAIN, 0), ("a", 1), ("b", 2)]


def test_it_is_honest() -> None:
    with pytest.raises(BadScope, match="the first attester is the main node, which is honest"):
        Scope(instance("n2f0b2"), main_attests=True)


@pytest.mark.parametrize("name", ["pr161+era2480", "pr175+era3512"])
def test_only_the_others_are_interchangeable(name: str) -> None:
    """The main node's variables are nobody's, so that they tell no other attesters apart."""
    system = build(revision(name), replace(PAIR, instance=instance("n3f0b0")))
    assert Packing(system).symmetry.classes == (("a", "b"),)
    assert not any(variable.name.startswith("M.status") and variable.owner for variable in system.variables)


def test_its_own_vote_needs_no_connection() -> None:
    system = build(revision("pr161+era2539"), ALONE)
    assert not system.topology.links
    assert verdict("pr161+era2539", ALONE, "every_batch_certified").word == "EXHAUSTED"
    assert verdict("pr175+era3512", ALONE, "every_batch_certified").word == "EXHAUSTED"


@pytest.mark.slow
def test_the_deadlock_and_the_gap_need_no_second_node() -> None:
    found = kinds(verdict("pr161+era2480", ALONE))
    assert found["registry_minimum"] == 10 == min(found.values())
    gap = verdict("pr161+era2480", ALONE, "no_gaps_on_main_node")
    assert isinstance(gap, Violated)
    assert len(gap.trace.steps) == 13
    for name in ("pr161+era2539", "pr161+era2480+start_kept"):
        assert verdict(name, ALONE).word == verdict(name, ALONE, "no_gaps_on_main_node").word == "EXHAUSTED"


@pytest.mark.slow
def test_its_own_later_vote_comes_back_to_it_after_a_restart() -> None:
    found = kinds(verdict("pr161+era2480", RESTARTING, "restarts_help"))
    assert found["own_vote_comes_back"] == 16
    assert "own_vote_comes_back" not in kinds(verdict("pr161+era2480", replace(RESTARTING, echo=False)))
    for name in ("pr161+era2539", "pr161+era2480+start_kept"):
        assert verdict(name, RESTARTING, "restarts_help").word == "EXHAUSTED"


@pytest.mark.slow
def test_minding_pruning_is_no_cure_where_it_attests() -> None:
    """Its attester waits for the pruned batch, as any other would; that was not expected."""
    assert MINDED in PROPOSALS
    assert kinds(verdict(MINDED, replace(PRUNED, main_attests=True))) == {"pruned_at_attesters": 6}
    assert verdict(MINDED, PRUNED).word == "EXHAUSTED"


@pytest.mark.slow
def test_with_attestation_controllers_it_is_as_any_other() -> None:
    for name, each in PROPOSALS.items():
        if each.design == CONTROLLER:
            assert verdict(name, replace(PAIR, restarts=1, disconnects=1)).word == "EXHAUSTED"
