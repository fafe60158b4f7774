"""The hazards N1 to N9 that reading the redesign suggested, and what was found beside them: shown, and cured."""

from __future__ import annotations

from typing import Any

import pytest

from model.revisions import CONTROLLER, of_design, revision
from model.scope import Scope, instance
from model.system import build
from properties.claims.catalogue import claim
from properties.engines.checking import Check
from properties.engines.explorer import explore, first_where
from properties.results.verdicts import Exhausted, Verdict, Violated

STEPS = {"late_answers": True, "certificate_steps": True}
LAST = "pr175+era3512"


def scope(committee: str = "n1f0b0", batches: int = 3, **switches: Any) -> Scope:
    return Scope(instance(committee), batches, **switches)


def verdict(name: str, within: Scope, claimed: str = "progress_possible") -> Verdict:
    return Check(build(revision(name), within)).verdict(claim(claimed))


def steps(found: Verdict) -> dict[str | None, int]:
    """The length of a shortest run to each kind of violation."""
    assert isinstance(found, Violated)
    return {trace.kind: len(trace.steps) for trace in found.traces}


RESTORED = scope(batches=4, restores=1)


@pytest.mark.parametrize("name", of_design(CONTROLLER))
def test_n1_a_restored_database_leaves_a_gap_with_honest_attesters(name: str) -> None:
    assert steps(verdict(name, RESTORED, "no_gaps_on_main_node")) == {None: 16 if name.endswith("2657") else 17}


def test_n1_the_main_node_and_the_attesters_ignore_a_number_that_falls() -> None:
    assert steps(verdict(LAST, RESTORED)) == {"main_is_ahead": 7, "ignored_as_lower": 9}
    assert "consensus_dead" in steps(verdict("pr175+era2657", RESTORED))


@pytest.mark.parametrize("claimed", ["progress_possible", "no_gaps_on_main_node", "every_batch_certified"])
def test_n1_restarting_where_a_number_falls_cures_it(claimed: str) -> None:
    assert isinstance(verdict(f"{LAST}+smaller_number_restarts", RESTORED, claimed), Exhausted)


def test_n2_the_wait_for_a_hash_is_deaf_and_listening_cures_it() -> None:
    pruned = scope(pruned="a", prunes_certified=True, restarts=1, **STEPS)
    assert steps(verdict("pr175+era2657", pruned)) == {"deaf_to_status": 11}
    assert isinstance(verdict("pr175+era2657+hash_wait_listens", pruned), Exhausted)


def test_n3_one_stale_genesis_ends_attestation_from_3180_on() -> None:
    stale = scope(regeneses=1, stale_answers=1)
    assert steps(verdict("pr175+era3180", stale)) == {"attester_task_dead": 3}
    assert isinstance(verdict("pr175+era3148", stale), Exhausted)
    assert isinstance(verdict("pr175+era3180+task_restarts", stale), Exhausted)


def test_n3_an_error_on_an_attesters_node_cost_nothing_before() -> None:
    failing = scope(errors=1, failing="a")
    assert isinstance(verdict("pr175+era3148", failing, "every_batch_certified"), Exhausted)
    assert steps(verdict("pr175+era3180", failing)) == {"attester_task_dead": 1}


def test_n4_a_committee_that_cannot_be_read_outlives_all_restarts() -> None:
    poisoned = scope(batches=4, committees="1;1;error;1", restarts=None)
    for name in of_design(CONTROLLER)[1:]:
        assert "committee_unreadable" in steps(verdict(name, poisoned, "restarts_help"))


def test_a_node_recovered_at_the_last_certified_batch_loses_its_task_from_3180_on() -> None:
    recovered = scope("w5,1b0", 4, pruned="b", prunes_certified=True, **STEPS)
    dead = {}
    for name in ("pr175+era3148", "pr175+era3180"):
        system = build(revision(name), recovered)
        search, node = explore(system), system.state.nodes[system.topology.position("b")]  # type: ignore[attr-defined]
        dead[name] = first_where(search, ~node.task.is_alive)
        takes_part = (node.store.pruned == 1) & (node.attestation.batch.number == 3)
        assert first_where(search, takes_part) is not None
    assert dead["pr175+era3148"] is None
    assert dead["pr175+era3180"] is not None
    assert dead["pr175+era3180"][0] == 13


def test_n5_a_relay_without_a_task_cuts_off_all_behind_it_and_one_that_lags_nobody() -> None:
    assert steps(verdict("pr175+era3180", scope(topology="relay", errors=1, failing="X"))) == {"relay_not_there": 1}
    for claimed in ("progress_possible", "every_batch_certified", "early_votes_arrive"):
        lagging = scope(batches=2, topology="relay", restarts=1, disconnects=1, late_answers=True)
        assert isinstance(verdict("pr175+era2657", lagging, claimed), Exhausted)
        never_there = scope(batches=2, topology="relay", late_batches=True)
        assert isinstance(verdict("pr175+era2684", never_there, claimed), Exhausted)


@pytest.mark.parametrize("name", of_design(CONTROLLER))
def test_n5_a_relay_that_has_pruned_the_batch_cuts_off_all_behind_it_as_no_relay_did_before(name: str) -> None:
    pruned = scope(topology="relay", pruned="X")
    assert steps(verdict(name, pruned)) == {"relay_not_there": 2 if name.endswith("2657") else 3}
    assert isinstance(verdict("pr170+era2539", pruned), Exhausted)
    lasting = scope(batches=2, topology="relay", pruned="X", restarts=None)
    assert isinstance(verdict(name, lasting, "restarts_help"), Violated)


DIFFERING: dict[str, Any] = {"call_steps": True, "topology": "chain", "committees": "1,1;0,1"}


@pytest.mark.slow
def test_n6_a_stranger_cuts_off_a_list_while_the_difference_lasts() -> None:
    lasting = scope("n2f0b0", 2, split="a", **DIFFERING)
    assert steps(verdict("pr175+era2684", lasting)) == {"votes_cut_off": 12}
    assert isinstance(verdict(f"{LAST}+refused_votes_skipped", lasting), Exhausted)
    passing = scope("n2f0b0", 2, fallbacks=1, astray="a", **DIFFERING)
    assert isinstance(verdict("pr175+era2684", passing), Exhausted)


@pytest.mark.slow
def test_n7_a_late_attesters_own_vote_does_not_get_out() -> None:
    crowded = scope("n2f0b0", 1, call_steps=True, echo=True, message_limit=1)
    assert steps(verdict("pr175+era2657", crowded)) == {"message_too_large": 8}


def test_n8_a_batch_without_a_committee_is_the_last() -> None:
    none = scope(batches=4, committees="1;1;none;1", restarts=None)
    assert steps(verdict(LAST, none, "restarts_help")) == {"not_required": 6}


def test_n9_an_honest_attester_signs_twice_and_the_main_node_certifies_its_own_hash_only() -> None:
    twice = scope("n2f0b0", 1, topology="chain", divergences=2, astray="ab", restarts=1, restarting="b")
    assert steps(verdict("pr175+era2657", twice, "honest_attesters_sign_once")) == {None: 9}
    for claimed in ("certificates_match_batches", "inserted_certificates_verify"):
        assert isinstance(verdict("pr175+era2657", twice, claimed), Exhausted)
