"""The registry by induction over its operations, and what the signers of a certificate have signed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from model.algebra import TRUE, const
from model.committee import Committee as Members
from model.messages import Batch, SignedBatch
from model.registry_design import registry_with_support
from model.registry_design.batch_votes import BatchVotes
from model.registry_design.registry_with_support import SUBJECT, registry_system
from model.revisions import compose
from model.votes import NONE, Electorate
from properties.engines.code import Numbers, compile_expressions
from properties.proofs.committees import Committee
from properties.proofs.induction import first_failure, is_proved
from properties.proofs.obligations import Answer, Budget
from properties.proofs.registry_design import registry
from properties.proofs.registry_design.certificates import one_quorum, signers
from properties.proofs.registry_design.certificates import verify as verify_theorem
from properties.proofs.registry_design.session import RegistrySession
from properties.proofs.results import Result
from properties.results.trace import replay
from properties.results.verdicts import NotInductive, Proved, Violated
from tests.broken_models import BROKEN_MODELS

BUDGET = Budget(30)


@pytest.mark.parametrize("attesters", [1, 2, 3, 5])
def test_support_is_the_recount_after_any_operations(attesters: int) -> None:
    outcomes = registry.induction(attesters).prove(BUDGET)
    assert [outcome.name for outcome in outcomes if outcome.answer is not Answer.PROVED] == []
    assert {"invariant / at_most_one_quorum", "invariant / no_sum_saturates"} < {outcome.name for outcome in outcomes}


def test_the_registry_is_empty_at_first() -> None:
    assert registry.induction(1).system.initial == {
        "min_batch_number": 0,
        "a.number": NONE,
        "a.variant": 0,
        "support": 0,
    }


def test_the_sum_of_the_weights_must_be_a_u64() -> None:
    """Where it is not, sums saturate, and the support is no recount; the committee refuses such weights."""
    outcomes = replace(registry.induction(2), assuming=TRUE).prove(BUDGET)
    failure = first_failure(outcomes)
    assert failure is not None
    assert failure.goal == "support_matches_votes"


def test_support_that_is_not_taken_from_is_no_recount(monkeypatch: pytest.MonkeyPatch) -> None:
    def forgetful(self: registry_with_support.SupportedRegistry, *_: object) -> object:
        return self

    monkeypatch.setattr(registry_with_support.SupportedRegistry, "remove", forgetful)
    assert first_failure(registry.induction(2).prove(BUDGET)) is not None


@pytest.mark.parametrize("name", ["threshold_of_half", "threshold_too_low", "minimum_drops_nothing"])
def test_a_broken_registry_fails_its_proof(name: str) -> None:
    with next(broken for broken in BROKEN_MODELS if broken.name == name).applied():
        assert first_failure(registry.induction(2).prove(BUDGET)) is not None


MEMBERS = Members([("a", 2), ("b", 3)])
OPERATIONS = (*((key, number, hash) for key in "ab" for number in (0, 1) for hash in "01"), 0, 1)


def test_the_machine_is_the_full_fidelity_registry() -> None:
    """All sequences of four operations, on both; the recorded support of batch 1's own hash is the same after each."""
    system = registry_system(Electorate((const(2), const(3)), const(MEMBERS.threshold)))
    places = {variable.expression: place for place, variable in enumerate(system.variables)}
    inputs = (*system.actions[0].choices, SUBJECT.number, SUBJECT.variant)
    places |= {chosen: len(places) + place for place, chosen in enumerate(inputs)}
    run = [
        compile_expressions("run", "state", [a.guard, *(value for _, value in a.updates)], Numbers(places), {})
        for a in system.actions
    ]

    def step(state: tuple[int, ...], operation: tuple[str, int, str] | int) -> tuple[int, ...]:
        attester, number, variant = (2, operation, 0) if isinstance(operation, int) else chosen(*operation)
        guard, *values = run[attester]((*state, number, variant, 1, 0))
        after = dict(zip((variable.name for variable, _ in system.actions[attester].updates), values, strict=True))
        names = (variable.name for variable in system.variables)
        return tuple(after.get(name, old) if guard else old for name, old in zip(names, state, strict=True))

    initial = tuple(variable.initial for variable in system.variables)
    supports = {variable.name: place for place, variable in enumerate(system.variables)}["support"]
    compared, todo = 0, [(initial, BatchVotes(), 0)]
    while todo:
        state, votes, depth = todo.pop()
        assert state[supports] == votes.support_of(1, "1")
        compared += 1
        if depth < 4:
            todo += [(step(state, each), full(votes, each), depth + 1) for each in OPERATIONS]
    assert compared == sum(len(OPERATIONS) ** depth for depth in range(5))


def chosen(key: str, number: int, hash: str) -> tuple[int, int, int]:
    """Attester, number and variant: hash h is that of batch h, so variant 0 if h is the number, else h + 1."""
    return "ab".index(key), number, 0 if int(hash) == number else int(hash) + 1


def full(votes: BatchVotes, operation: tuple[str, int, str] | int) -> BatchVotes:
    """The operation on the registry in full fidelity."""
    if isinstance(operation, int):
        return votes.set_min_batch_number(operation)
    key, number, hash = operation
    return votes.update(MEMBERS, "genesis", [SignedBatch(key, Batch(number, hash, "genesis"))]).registry


@pytest.mark.parametrize("attesters", [1, 2, 3, 4])
def test_what_the_signers_have_signed(attesters: int) -> None:
    assert is_proved(registry.Certificate.of(attesters).prove(BUDGET))


@pytest.mark.parametrize("goal", ["every honest signer signed exactly the message", "it is over the batch's own hash"])
def test_without_the_bound_on_byzantine_weight_signers_may_differ(goal: str) -> None:
    statement = next(each for each in registry.Certificate.of(2).statements() if each.name == goal)
    unbounded = replace(statement, given=statement.given[:-1])
    assert unbounded.prove("x", BUDGET).answer is Answer.REFUTED


def test_a_certificate_need_not_verify() -> None:
    """One Byzantine signature on another number with the same hash is collected, too: by Z3, and by a run."""
    result = verify("pr161+era2539", 2)
    assert isinstance(result.verdict, Violated)
    replay(result.verdict.trace)
    assert result.transit is not None
    votes, committee = result.transit.before, result.transit.open
    assert votes["M.registry.a.number"] != votes["M.registry.b.number"]
    assert committee["byzantine.a"] + committee["byzantine.b"] == 1


@pytest.mark.slow
def test_collecting_by_number_cures_it() -> None:
    """Where attestation starts does not matter to it: what it rests on is an invariant with the last-sealed start."""
    for size in (1, 2, 4):
        result = verify("pr161+era2480+votes_by_number", size)
        assert isinstance(result.verdict, Proved)
        assert f"N = {size}" in str(result.verdict)
        assert any(outcome.name == "publish_vote() of a / honest_hashes" for outcome in result.outcomes)


def verify(revision: str, size: int) -> Result:
    return next(verify_theorem(RegistrySession(compose(revision), BUDGET), (size,)))


def test_the_premise_about_signers_is_the_invariants() -> None:
    """It is proved in the same result; and without it what honest attesters sign is anything."""
    certificate = registry.Certificate.of(2)
    result = next(signers(RegistrySession(compose("pr161+era2480"), BUDGET), (2,)))
    assert isinstance(result.verdict, Proved)
    assert {"honest_hashes", "one_name_per_hash"} <= {outcome.goal for outcome in result.outcomes}
    assert len(certificate.given) == 1 + 2 * len(certificate.registry.votes), "found, and two parts for each vote"
    own_hash = next(each for each in certificate.statements() if each.name == "it is over the batch's own hash")
    unfounded = replace(own_hash, given=(certificate.quorum.found, certificate.committee.is_below_threshold))
    assert unfounded.prove("x", BUDGET).answer is Answer.REFUTED


def test_a_refuted_registry_is_not_inductive_and_says_where() -> None:
    with next(broken for broken in BROKEN_MODELS if broken.name == "minimum_drops_nothing").applied():
        result = next(one_quorum(RegistrySession(compose("pr161+era2539"), BUDGET), (1,)))
    assert isinstance(result.verdict, NotInductive)
    assert result.transit is not None
    assert result.transit.action == "set_min_batch_number() of registry"


def test_a_registry_with_other_rules_is_not_the_one_that_is_proved() -> None:
    result = next(one_quorum(RegistrySession(compose("pr161+era2480+votes_kept"), BUDGET), (1,)))
    assert result.verdict.word == "UNKNOWN"


def test_the_committee_is_open() -> None:
    committee = Committee.of(3)
    assert [weight.high for weight in committee.weights] == [None] * 3
    assert [weight.low for weight in committee.weights] == [1] * 3
