"""Every fault of a scope happens where its switch is on, only there, and does what it says."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from functools import cache

import pytest

from model.algebra import FALSE, const
from model.registry_design.attestation_status import Answer
from model.registry_design.network import FAULTS
from model.registry_design.node import poll_status
from model.registry_design.system import RegistryDesign
from model.revisions import revision
from model.scope import BAD_SIGNATURE, FOREIGN_GENESIS, BadScope, Scope, instance
from model.system import build
from model.topology import MAIN
from model.votes import NONE
from properties.engines.checking import Check
from properties.engines.explorer import explore
from properties.engines.stepper import State, Stepper
from properties.results.verdicts import Exhausted

ONE = instance("n1f0b0")
PLAIN = Scope(ONE, batches=2)


def actions_of(name: str, scope: Scope) -> set[str]:
    return {action.name for action in build(revision(name), scope).actions}


def edges(system: RegistryDesign) -> Iterator[tuple[dict[str, int], str, dict[str, int]]]:
    """Every step of every reachable state: the state before, the node and action, the state after."""
    stepper = Stepper(system)
    seen: set[State] = {stepper.initial}
    todo = [stepper.initial]
    while todo:
        state = todo.pop()
        for place, after in stepper.successors(state):
            action = stepper.action(place)
            yield dict(stepper.named(state)), f"{action.node} {action}", dict(stepper.named(after))
            if after not in seen:
                seen.add(after)
                todo.append(after)


@cache
def edges_of(name: str, scope: Scope) -> list[tuple[dict[str, int], str, dict[str, int]]]:
    return list(edges(build(revision(name), scope)))


def steps(name: str, scope: Scope, action: str) -> list[tuple[dict[str, int], dict[str, int]]]:
    found = [(before, after) for before, text, after in edges_of(name, scope) if text == action]
    assert found, f"{action} never happens"
    return found


def test_without_switches_there_is_no_fault() -> None:
    faults = {transition.name for transition in FAULTS} | {"refuse_votes", "refuse_status", "prune"}
    for name in ("pr161+era2480", "pr161+era2539"):
        assert not faults & actions_of(name, PLAIN)


@pytest.mark.parametrize(
    ("scope", "action"),
    [
        (replace(PLAIN, restarts=1), "restart_node"),
        (replace(PLAIN, disconnects=1), "reconnect"),
        (replace(PLAIN, pruned=MAIN), "prune"),
        (replace(PLAIN, regeneses=1), "regenesis"),
        (replace(PLAIN, regeneses=1), "restart_on_new_genesis"),
        (replace(PLAIN, topology="relay", bad_votes=BAD_SIGNATURE), "refuse_votes"),
        (replace(PLAIN, late_batches=True), "persist_batch"),
        (replace(PLAIN, late_batches=True), "provide_commitment"),
        (Scope(instance("n2f0b1"), batches=1), "forge_vote"),
    ],
)
def test_a_switch_brings_its_fault_and_more_states(scope: Scope, action: str) -> None:
    plain = Scope(instance("n2f0b0"), batches=1) if scope.instance.byzantine else PLAIN
    assert action in actions_of("pr161+era2539", scope)
    assert action not in actions_of("pr161+era2539", plain)
    happens = explore(build(revision("pr161+era2539"), scope))
    assert happens.complete
    assert happens.states != explore(build(revision("pr161+era2539"), plain)).states


def test_any_number_of_faults_is_a_scope_of_its_own() -> None:
    states = [
        explore(build(revision("pr161+era2480"), replace(PLAIN, restarts=restarts))).states for restarts in (0, 1, None)
    ]
    system = build(revision("pr161+era2480"), replace(PLAIN, restarts=None))
    assert not any(variable.name == "restarts_left" for variable in system.variables)
    assert states[0] < states[2] < states[1]


def test_a_restart_loses_the_queue_and_keeps_certificates() -> None:
    found = steps("pr161+era2539", replace(PLAIN, restarts=1), f"{MAIN} restart_node()")
    assert any(before["M.store.queue.0.number"] != NONE for before, _ in found)
    for before, after in found:
        assert after["M.store.queue.0.number"] == NONE
        assert after["M.status.next_batch_to_attest"] == NONE
        assert after["M.registry.a.number"] == NONE
        assert after["M.registry.min_batch_number"] == 0
        assert after["a-M.old.a.number"] == after["a-M.in_flight.a.number"] == NONE
        assert [after[f"M.store.certified.{n}"] for n in range(2)] == [
            before[f"M.store.certified.{n}"] for n in range(2)
        ]


def test_only_the_named_node_restarts() -> None:
    system = build(revision("pr161+era2539"), replace(PLAIN, restarts=1, restarting="a"))
    assert [action.node for action in system.actions if action.name == "restart_node"] == ["a"]
    with pytest.raises(BadScope, match="no node 'b' that restarts; the nodes are M, a"):
        build(revision("pr161+era2539"), replace(PLAIN, restarts=1, restarting="b"))


def test_a_new_connection_pushes_the_whole_registry_again() -> None:
    found = steps("pr161+era2539", replace(PLAIN, disconnects=1), "a reconnect(to=M)")
    assert any(before["a-M.in_flight.a.number"] != NONE for before, _ in found)
    for before, after in found:
        assert after["a-M.old.a.number"] == after["a-M.in_flight.a.number"] == NONE
        assert after["a.registry.a.number"] == before["a.registry.a.number"]


def test_a_bad_vote_costs_the_message_and_the_connection_but_no_vote_in_a_registry() -> None:
    scope = replace(PLAIN, topology="relay", bad_votes=FOREIGN_GENESIS)
    for before, after in steps("pr170+era2539", scope, f"{MAIN} refuse_votes(from=X)"):
        assert before["X-M.in_flight.a.number"] != NONE
        assert after["X-M.in_flight.a.number"] == after["X-M.old.a.number"] == NONE
        assert after["M.registry.a.number"] == before["M.registry.a.number"] == NONE
        assert after["X.registry.a.number"] == before["X.registry.a.number"]


def test_some_messages_have_a_bad_vote_and_others_have_none() -> None:
    scope = replace(PLAIN, topology="relay", bad_votes=FOREIGN_GENESIS, some_bad_votes=True)
    refused = steps("pr170+era2539", scope, f"{MAIN} refuse_votes(from=X)")
    received = steps("pr170+era2539", scope, f"{MAIN} receive_votes(from=X)")
    for (before, after), is_bad in [*((each, True) for each in refused), *((each, False) for each in received)]:
        assert bool(before["X-M.is_spoilt"]) is is_bad
        assert not after["X-M.is_spoilt"]
    with pytest.raises(BadScope, match="of which kind, bad_votes says"):
        replace(PLAIN, some_bad_votes=True)


@pytest.mark.parametrize(("topology", "ways"), [("relays", {"XM", "YM"}), ("relay_chain", {"YXM"})])
def test_several_external_nodes_pass_votes_on(topology: str, ways: set[str]) -> None:
    links = build(revision("pr161+era2539"), replace(PLAIN, topology=topology)).topology
    names = [place.name for place in links.places]
    edges = {(names[sender], names[receiver]) for sender, receiver in links.links}
    taken = {("a", way[0]) for way in ways} | {pair for way in ways for pair in itertools.pairwise(way)}
    assert edges == taken
    certified = explore(build(revision("pr161+era2539"), replace(PLAIN, topology=topology, batches=1)))
    assert certified.complete


def test_bad_signatures_are_an_error_until_pull_request_170() -> None:
    scope = replace(PLAIN, topology="relay", bad_votes=BAD_SIGNATURE)
    assert "refuse_votes" in actions_of("pr169+era2539", scope)
    assert "refuse_votes" not in actions_of("pr170+era2539", scope)


def test_a_smaller_number_restarts_an_attester_and_costs_no_fault() -> None:
    scope = Scope(ONE, batches=3)
    for before, after in steps("pr167+era2480", scope, "a refuse_status()"):
        assert before["a.status.next_batch_to_attest"] > 0
        assert after["a.status.next_batch_to_attest"] == NONE
        assert after["a.registry.a.number"] == NONE
    assert "refuse_status" not in actions_of("pr166+era2480", scope)


THREE = Scope(ONE, batches=3)


def test_a_smaller_number_ends_the_consensus_of_the_main_node_and_only_that() -> None:
    """The attester is answered as before; it has no connection, and no certificate comes. (By then all batches of the
    scope are sealed.)"""
    system = build(revision("pr167+era2480"), THREE)
    asked = Stepper(system).evaluator(system.next_batch_to_attest)
    for before, after in steps("pr167+era2480", THREE, f"{MAIN} refuse_status()"):
        assert (before["M.runs"], after["M.runs"]) == (1, 0)
        assert after["M.registry.a.number"] == after["M.status.next_batch_to_attest"] == NONE
    dead = [(before, text, after) for before, text, after in edges_of("pr167+era2480", THREE) if not before["M.runs"]]
    assert {text for _, text, _ in dead} == {"a update_status()", "a publish_vote()", "a refuse_status()"}
    for before, _, after in dead:
        assert not after["M.runs"]
        answers = [asked(tuple(state[each.name] for each in system.variables))[0] for state in (before, after)]
        assert answers == [1, 1]


def test_a_dead_main_node_can_be_restarted_by_an_operator() -> None:
    scope = replace(THREE, restarts=1, restarting=MAIN)
    found = steps("pr167+era2480", scope, f"{MAIN} restart_node()")
    assert any(not before["M.runs"] for before, _ in found)
    assert all(after["M.runs"] for _, after in found)


def test_who_is_supervised_is_restarted_at_once() -> None:
    for supervised, dying in (("external", {MAIN}), ("all", set()), ("nobody", {MAIN, "a"})):
        system = build(revision("pr167+era2480"), replace(THREE, supervised=supervised))
        assert {name.removesuffix(".runs") for name in system.initial if name.endswith(".runs")} == dying
    with pytest.raises(BadScope, match="'everybody' of supervised; there are: external, all, nobody"):
        replace(THREE, supervised="everybody")


def test_a_node_is_in_no_state_of_death_where_nothing_can_end_it() -> None:
    for name in ("pr161+era2480", "pr166+era2539"):
        system = build(revision(name), replace(PLAIN, restarts=1, disconnects=1, regeneses=1))
        assert not any(variable.endswith(".runs") for variable in system.initial)


def test_an_error_without_a_cause_restarts_an_attester_and_ends_the_main_node() -> None:
    scope = replace(PLAIN, errors=1)
    for before, after in steps("pr161+era2539", scope, f"{MAIN} fail_once()"):
        assert (before["errors_left"], after["errors_left"], after["M.runs"]) == (1, 0, 0)
        assert [after[f"M.store.certified.{n}"] for n in range(2)] == [
            before[f"M.store.certified.{n}"] for n in range(2)
        ]
    for before, after in steps("pr161+era2539", scope, "a fail_once()"):
        assert before["a.registry.a.number"] == NONE or after["a.registry.a.number"] == NONE
        assert after["M.runs"]


def test_a_replica_answers_what_the_main_node_answered_before() -> None:
    scope = replace(PLAIN, stale_answers=1)
    old = steps("pr161+era2539", scope, "a read_old_status()")
    for before, after in old:
        assert after["a.polled"] == before["replica.next_batch_to_attest"] > NONE
        assert (before["stale_answers_left"], after["stale_answers_left"]) == (1, 0)
    assert any(before["replica.next_batch_to_attest"] < before["a.status.next_batch_to_attest"] for before, _ in old)
    system = build(revision("pr161+era2539"), scope)
    assert not any(action.node == MAIN and action.name == "read_old_status" for action in system.actions)


@pytest.mark.slow
def test_from_pull_request_167_on_an_answer_of_the_former_fork_is_an_error() -> None:
    scope = replace(PLAIN, batches=1, regeneses=1, stale_answers=1)
    for before, after in steps("pr167+era2539", scope, "a refuse_old_genesis()"):
        assert before["a.genesis"] == before["M.genesis"] == 1 > before["replica.genesis"]
        assert after["a.status.next_batch_to_attest"] == NONE
    assert "refuse_old_genesis" not in actions_of("pr166+era2539", scope)
    heeded = steps("pr161+era2539", scope, "a read_old_status()")
    assert any(before["a.genesis"] > before["replica.genesis"] for before, _ in heeded)


def test_a_node_whose_calls_are_not_answered_never_has_a_number() -> None:
    scope = replace(PLAIN, topology="relay", unanswered="X")
    for name, takes_part in (("pr167+era2539", False), ("pr169+era2539", True)):
        states = [before for before, _, _ in edges_of(name, scope)]
        assert all(state["X.status.next_batch_to_attest"] == NONE for state in states)
        assert any(state["X.registry.a.number"] != NONE for state in states) is takes_part
    with pytest.raises(BadScope, match=r"no node 'Y' to get no answers"):
        build(revision("pr161+era2539"), replace(scope, unanswered="X,Y"))


def test_a_certificate_over_a_false_hash_ends_the_main_node() -> None:
    scope = Scope(instance("n1f0b1"), batches=1)
    for before, after in steps("pr161+era2539", scope, f"{MAIN} stop_on_mismatch()"):
        assert before["M.store.queue.0.variant"] != 0
        assert not after["M.runs"]


@pytest.mark.parametrize("late", [False, True])
def test_a_number_read_earlier_is_compared_when_it_arrives(late: bool) -> None:
    scope = Scope(ONE, batches=3, late_answers=late)
    for before, _ in steps("pr169+era2480", scope, "a refuse_status()"):
        assert not late or NONE < before["a.polled"] < before["a.status.next_batch_to_attest"]


def test_an_answer_of_none_or_an_error_changes_nothing_but_when_an_executor_starts() -> None:
    """In PR 161 a node without a number gossips like any other: no state stands for an answer that has none. From PR
    165 to 167 it is kept out of gossip until an answer has a number."""
    node = build(revision("pr161+era2539"), PLAIN).main
    assert poll_status(node, Answer(const(NONE), node.genesis)).when is FALSE
    for name, is_kept_out in (("pr161", False), ("pr166", True), ("pr167", True), ("pr169", False)):
        before_answer = [
            before
            for before, _, _ in edges(build(revision(f"{name}+era2539"), PLAIN))
            if before["M.status.next_batch_to_attest"] == NONE
        ]
        assert before_answer
        assert all(state["M.registry.a.number"] == NONE for state in before_answer) is is_kept_out
        in_flight = [state for state in before_answer if state["a-M.in_flight.a.number"] != NONE]
        assert (not in_flight) is is_kept_out


def test_the_first_batch_is_pruned_once_it_is_there() -> None:
    for before, after in steps("pr161+era2539", replace(PLAIN, pruned=MAIN), f"{MAIN} prune()"):
        assert before["sealed"] >= 1
        assert (before["M.store.pruned"], after["M.store.pruned"]) == (NONE, 0)
        assert not after["M.store.certified.0"]
    waiting = replace(PLAIN, pruned=MAIN, prunes_after_status=True)
    for before, _ in steps("pr161+era2539", waiting, f"{MAIN} prune()"):
        assert before["M.status.next_batch_to_attest"] != NONE


@pytest.mark.parametrize("name", ["pr161+era2539", "pr175+era3512"])
def test_batches_are_pruned_one_after_the_other_as_many_as_the_scope_says(name: str) -> None:
    """From the first that can be attested on, and none that is not sealed; what was pruned has no certificate then."""
    scope = replace(PLAIN, batches=4, pruned=MAIN, pruned_batches=2)
    first = 0 if name == "pr161+era2539" else 1
    found = set()
    for before, after in steps(name, scope, f"{MAIN} prune()"):
        gone = after["M.store.pruned"]
        found.add((before["M.store.pruned"], gone))
        assert before["sealed"] > gone
        assert not after[f"M.store.certified.{gone}"]
    assert found == {(NONE, first), (first, first + 1)}


def test_the_first_batch_of_a_later_fork_is_pruned_as_well() -> None:
    scope = replace(PLAIN, batches=3, pruned=MAIN, regeneses=1)
    assert {after["M.store.pruned"] for _, after in steps("pr161+era2539", scope, f"{MAIN} prune()")} >= {0, 1}


def test_a_first_batch_that_is_pruned_is_no_gap_at_the_start() -> None:
    """Nor are the first two."""
    for name in ("pr161+era2539", "pr169+era2539+prune_aware+pruned_dropped"):
        scope = replace(PLAIN, batches=4, pruned=MAIN, pruned_batches=2)
        verdicts = Check(build(revision(name), scope)).verdicts()
        assert isinstance(verdicts["attestation_starts_at_first_batch"], Exhausted)
        works = isinstance(verdicts["progress_possible"], Exhausted) and isinstance(
            verdicts["attestation_can_start"], Exhausted
        )
        assert works is name.endswith("pruned_dropped")


def test_an_attester_signs_no_batch_that_it_has_pruned() -> None:
    """What is signed is computed from the batch: a vote on it is never cast after the pruning, and kept if it was."""
    scope = replace(PLAIN, pruned="a", attester_steps=True)
    votes = steps("pr161+era2539", scope, "a publish_vote()")
    assert any(before["a.store.pruned"] == NONE for before, _ in votes)
    for before, _ in votes:
        assert before["a.attesting"] != before["a.store.pruned"]
    waits = [
        before
        for before, *_ in edges_of("pr161+era2539", scope)
        if before["a.attesting"] == before["a.store.pruned"] == 0
    ]
    assert waits


def test_a_regenesis_reverts_batches_and_certificates_and_nodes_follow_one_by_one() -> None:
    scope = replace(PLAIN, regeneses=1, late_batches=True)
    for before, after in steps("pr161+era2539", scope, f"{MAIN} regenesis(first=1)"):
        assert before["sealed"] >= 1
        assert (after["sealed"], after["first_batch"], after["M.genesis"]) == (1, 1, 1)
        assert not any(after[f"M.store.certified.{number}"] for number in range(2))
        assert after["a.genesis"] == 0
    for before, after in steps("pr161+era2539", scope, "a restart_on_new_genesis()"):
        assert (before["a.genesis"], after["a.genesis"]) == (0, 1)
        assert after["a.store.persisted"] <= min(before["a.store.persisted"], before["first_batch"])
        assert after["a.registry.a.number"] == NONE


@pytest.mark.slow
def test_votes_do_not_travel_between_forks() -> None:
    scope = Scope(instance("n2f0b0"), batches=2, regeneses=1, topology="mesh")
    pushed = [
        (before, text)
        for before, text, _ in edges(build(revision("pr161+era2539"), scope))
        if "push_votes" in text or "receive_votes" in text
    ]
    assert any(before["M.genesis"] == 1 and before["a.genesis"] == before["b.genesis"] == 0 for before, _ in pushed)
    for before, text in pushed:
        sender, receiver = (text[0], text[-2]) if "push" in text else (text[-2], text[0])
        assert before[f"{sender}.genesis"] == before[f"{receiver}.genesis"]


def test_a_byzantine_attester_signs_anything_for_anybody() -> None:
    scope = Scope(instance("n2f0b1"), batches=2, topology="relay")
    forged = {
        tuple(value for _, value in action.arguments)
        for action in build(revision("pr161+era2539"), scope).actions
        if action.name == "forge_vote"
    }
    # At the main node and at the relay; on each batch the own hash, the other batch's, and one of no batch.
    assert forged == {
        (node, number, variant)
        for node in ("M", "X")
        for number in (0, 1)
        for variant in range(4)
        if variant != number + 1
    }


def test_two_nodes_can_have_different_votes_of_a_byzantine_attester() -> None:
    scope = Scope(instance("n2f0b1"), batches=1, topology="relay")
    states = [after for _, _, after in edges(build(revision("pr161+era2539"), scope))]
    assert any(
        state["M.registry.b.number"] == state["X.registry.b.number"] == 0
        and state["M.registry.b.variant"] != state["X.registry.b.variant"]
        for state in states
    )


def test_a_second_certificate_waits_behind_one_without_metadata() -> None:
    system = build(revision("pr161+era2480"), replace(PLAIN, late_batches=True, queue=2))
    blocked = [
        (before, text)
        for before, text, _ in edges(system)
        if (before["M.store.queue.0.number"], before["M.store.queue.1.number"]) == (0, 1)
        and before["M.store.commitment.1"]
        and not before["M.store.commitment.0"]
    ]
    assert blocked
    assert not any(text == f"{MAIN} insert_qc()" for _, text in blocked)


@pytest.mark.parametrize(
    ("switches", "message"),
    [
        ({"bad_votes": BAD_SIGNATURE}, "topology relay"),
        ({"bad_votes": "smell", "topology": "relay"}, "'bad signature' or 'foreign genesis'"),
        ({"regeneses": 1, "batches": None}, "number of batches"),
    ],
)
def test_switches_that_do_not_go_together_are_refused(switches: dict[str, object], message: str) -> None:
    with pytest.raises(BadScope, match=message):
        Scope(ONE, **switches)


def test_a_node_that_does_not_exist_is_not_pruned() -> None:
    with pytest.raises(BadScope, match="no node 'X' to prune; the nodes are M, a"):
        build(revision("pr161+era2539"), replace(PLAIN, pruned="X"))


def test_faults_are_named_in_the_scope() -> None:
    scope = replace(PLAIN, pruned=MAIN, regeneses=2, restarts=None, topology="relay", bad_votes=BAD_SIGNATURE)
    for words in ("M is pruned", "2 regeneses", "any number of restarts", "a vote with bad signature"):
        assert words in scope.name
