"""Where attestation starts: what the main node's query answers before there is a certificate."""

from __future__ import annotations

from dataclasses import replace

from model.batch_store import CertifiedBatches
from model.registry_design.system import RegistryDesign
from model.revisions import REGISTRY, REVISIONS, compose, of_design
from model.scope import Scope, instance
from model.system import build
from model.votes import NONE
from properties.claims.catalogue import claim
from properties.engines.stepper import State, Stepper

GENESIS, LAST_SEALED = "pr161+era2539", "pr161+era2480"
SCOPE = Scope(instance("n1f0b0"), batches=2, regeneses=1)


class Run:
    """One run of a system, by the names of its actions."""

    def __init__(self, revision: str, scope: Scope = SCOPE) -> None:
        self.system: RegistryDesign = build(compose(revision), scope)
        self.stepper = Stepper(self.system)
        self.state: State = self.stepper.initial

    def take(self, *actions: tuple[str, str]) -> None:
        for action in actions:
            place = self.stepper.index[action]
            assert self.stepper.is_enabled(self.state, place), action
            self.state = self.stepper.apply(self.state, place)

    @property
    def possible(self) -> set[str]:
        return {self.stepper.action(place).name for place in self.stepper.enabled(self.state)}

    @property
    def answer(self) -> int:
        return self.stepper.evaluator(self.system.next_batch_to_attest)(self.state)[0]

    @property
    def certified(self) -> list[int]:
        certified = self.system.main.store.certified
        assert isinstance(certified, CertifiedBatches)
        return [n for n, flag in enumerate(self.stepper.evaluator(*certified.flags)(self.state)) if flag]

    def violates(self, name: str) -> bool:
        """Whether this state violates a property that must always hold."""
        conjuncts = claim(name).conjuncts(self.system)
        return any(self.stepper.evaluator(*(each.when & ~each.holds for each in conjuncts))(self.state))


FIRST_BLOCK, SEAL = ("M", "produce_first_block()"), ("M", "seal_batch()")


def test_with_the_query_of_2539_nothing_is_asked_for_before_the_first_block_is_there() -> None:
    run = Run(GENESIS, replace(SCOPE, regeneses=0))
    assert run.answer == NONE
    assert run.possible == {"produce_first_block"}


def test_the_first_batch_is_asked_for_while_it_is_open_and_voted_on_once_it_is_sealed() -> None:
    run = Run(GENESIS)
    run.take(FIRST_BLOCK)
    assert run.answer == 0
    run.take(("a", "update_status()"))
    assert "publish_vote" not in run.possible
    run.take(SEAL, ("a", "publish_vote()"))


def test_a_new_fork_has_no_answer_until_it_has_a_block() -> None:
    """Its genesis names the block after the last one that was not reverted."""
    run = Run(GENESIS)
    run.take(FIRST_BLOCK, SEAL, ("M", "regenesis(first=1)"))
    assert run.answer == NONE
    assert "seal_batch" not in run.possible
    run.take(FIRST_BLOCK)
    assert run.answer == 1


def test_the_query_of_2480_does_not_look_for_a_block() -> None:
    run = Run(LAST_SEALED)
    assert run.answer == 0
    run.take(SEAL, SEAL)
    assert run.answer == 1
    run.take(("M", "regenesis(first=1)"))
    assert run.answer == 0


def test_only_where_somebody_asks_for_the_first_block_it_is_in_the_state() -> None:
    for name, revision in ((name, REVISIONS[name]) for name in of_design(REGISTRY)):
        has_it = any(variable.name == "has_first_block" for variable in build(revision, SCOPE).variables)
        assert has_it == name.endswith("era2539")
    kept = build(compose("pr161+era2539+start_kept"), SCOPE)
    assert not any(variable.name == "has_first_block" for variable in kept.variables)


def test_a_fork_deletes_every_certificate_so_that_no_gap_can_reach_back_behind_it() -> None:
    """Batch 0 had its certificate; after a fork that begins with batch 1 it has none, and that is no gap."""
    certify = (("a", "update_status()"), ("a", "publish_vote()"), ("a", "push_votes(to=M)"))
    insert = (
        ("M", "receive_votes(from=a)"),
        ("M", "update_status()"),
        ("M", "set_min_batch_number()"),
        ("M", "find_quorum()"),
        ("M", "insert_qc()"),
    )
    run = Run(GENESIS, replace(SCOPE, batches=3))
    run.take(FIRST_BLOCK, SEAL, SEAL, *certify, *insert)
    assert run.certified == [0]
    run.take(("M", "regenesis(first=1)"))
    assert run.certified == []
    run.take(FIRST_BLOCK, ("a", "restart_on_new_genesis()"), SEAL, *certify, *insert, SEAL, *certify, *insert)
    assert run.certified == [1, 2]
    assert not run.violates("no_gaps_on_main_node")
    assert "current fork" in claim("no_gaps_on_main_node").sentence
