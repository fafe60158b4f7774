"""The vote registry by induction over its operations, and what a certificate's signers have signed.

`registry_with_support` follows the support of one arbitrary subject, so the proofs are about every entry. Weights
are any that a committee accepts: each at least 1, and their sum a u64.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from model import rules
from model.algebra import TRUE, Bool, Expression, all_of, any_of, int_variable, truth, variables_of, where
from model.committee import U64_MAX
from model.registry_design.registry import Quorum, Registry
from model.registry_design.registry_with_support import SUBJECT, RegistrySystem, registry_system
from model.registry_design.system import RegistryDesign
from model.revisions import AS_MERGED, Revision
from model.topology import attester_names
from model.votes import NONE, Vote
from properties.claims.catalogue import claim
from properties.proofs.committees import Committee
from properties.proofs.environment import Freedom, Liberty, any_number, anything
from properties.proofs.induction import Induction, Invariant
from properties.proofs.obligations import Budget, Outcome, Statement
from properties.proofs.registry_design.invariants import HASHES, invariant
from properties.proofs.registry_design.open_system import liberties, open_system

CERTIFICATE = "certificate"
OTHER = Vote(int_variable("other.number", 0, None), int_variable("other.variant", 0, None))
"""A second subject, as open as the first."""

Argument = Induction[RegistryDesign]


def is_accepted(committee: Committee) -> Bool:
    """Whether the source accepts a committee of these positive weights: their sum is a u64."""
    return committee.total_weight <= U64_MAX


def induction(attesters: int) -> Induction[RegistrySystem]:
    """Support is the recount, after any operations; two subjects never have a quorum; no sum ever saturates."""
    committee = Committee.of(attesters)
    system = registry_system(committee.electorate)
    registry, support = system.state.registry, system.state.support
    conjuncts = (
        Invariant(
            "support_matches_votes",
            "The weight recorded behind a (number, hash) is that of the votes for it.",
            (support == registry.support(SUBJECT, system.electorate),),
        ),
        Invariant(
            "votes_above_minimum",
            "There is no vote below the minimum.",
            tuple((vote.number == NONE) | (vote.number >= registry.min_batch_number) for vote in registry.votes),
        ),
    )
    free = tuple(_liberties(system, committee))
    return Induction(system, conjuncts, is_accepted(committee), dict(_goals(system, committee)), liberties=free)


def _liberties(system: RegistrySystem, committee: Committee) -> Iterator[Liberty]:
    """Any operations on the registry, with any votes; and the subjects are any."""
    sums_to_u64 = "any weights may be whose sum is a u64"
    yield committee.liberty(sums_to_u64, lambda any_one: any_one.total_weight <= 2**64 - 1, is_accepted(committee))
    for subject in (SUBJECT, OTHER):
        yield from (anything(f"{part}", 0, part) for part in (subject.number, subject.variant))
    vote, registry = Vote(any_number("number", 0), any_number("variant", 0)), system.state.registry
    for action in system.actions:
        picks = dict[Expression, Expression](zip(action.choices, (vote.number, vote.variant), strict=False))
        if action.name == "update":
            key = [f"update(attester={name})" for name in attester_names(len(registry.votes))].index(str(action))
            there = registry.votes[key]
            added = (there.number == vote.number) & (there.variant == vote.variant)
            yield Freedom(f"any {action}", registry.admits(key, vote), action, picks, added)
        else:
            yield Freedom(f"any {action}", TRUE, action, picks, registry.min_batch_number == vote.number)


def _goals(system: RegistrySystem, committee: Committee) -> Iterator[tuple[str, Bool]]:
    registry, electorate = system.state.registry, system.electorate
    quorums = [
        truth(rules.reaches(registry.support(vote, electorate), electorate.threshold)) for vote in (SUBJECT, OTHER)
    ]
    yield "at_most_one_quorum", ~all_of(quorums) | SUBJECT.is_same_as(OTHER)
    support, pairs = system.state.support, list(zip(registry.votes, electorate.weights, strict=True))
    left = [where(vote.is_same_as(SUBJECT), support - weight, support) for vote, weight in pairs]
    yield "no_difference_saturates", all_of(rest >= 0 for rest in left)
    yield "no_sum_saturates", all_of(rest + weight <= U64_MAX for rest, (_, weight) in zip(left, pairs, strict=True))


def hashes(system: RegistryDesign, committee: Committee, *goals: str) -> Induction[RegistryDesign]:
    """What honest attesters sign: an induction that does not depend on where attestation starts. Its goals are
    properties of the catalogue, of every node."""
    implied = {name: all_of(~part.when | part.holds for part in claim(name).conjuncts(system)) for name in goals}
    conjuncts = invariant(system, committee.byzantine, HASHES)
    free: tuple[Liberty, ...] = (committee.lighter_liars, *liberties(system, committee.byzantine))
    return Induction(system, conjuncts, committee.is_below_threshold, implied, liberties=free)


@dataclass(frozen=True)
class Certificate:
    """The certificate that `find_quorum` makes of the main node's registry, with any votes that the conjuncts `HASHES`
    allow; that these are an invariant is the induction `hashes`."""

    committee: Committee
    system: RegistryDesign
    quorum: Quorum

    @staticmethod
    def of(attesters: int, revision: Revision = AS_MERGED) -> Certificate:
        """For a committee of so many attesters, by the rules of a revision."""
        committee = Committee.of(attesters)
        system = open_system(revision, committee)
        return Certificate(committee, system, system.main.registry.find_quorum(committee.electorate))

    @property
    def registry(self) -> Registry:
        """The main node's registry."""
        return self.system.main.registry

    @property
    def given(self) -> tuple[Bool, ...]:
        """A quorum is found among such votes: what the invariant says of this registry's votes alone."""
        votes = {leaf for vote in self.registry.votes for leaf in (vote.number, vote.variant)}
        known = votes | set(self.committee.byzantine)
        parts = (part for each in hashes(self.system, self.committee).invariant for part in each.parts)
        about_votes = (part for part in parts if (read := {*variables_of([part])}) & votes and read <= known)
        return (self.quorum.found, *about_votes)

    @property
    def signed(self) -> tuple[Bool, ...]:
        """Whether each attester's signature is in the certificate, which the source decides by the hash alone."""
        collected = (self.registry.is_collected(vote, self.quorum.vote) for vote in self.registry.votes)
        present = (vote.number != NONE for vote in self.registry.votes)
        return tuple(there & signed for there, signed in zip(present, collected, strict=True))

    @property
    def exact(self) -> tuple[Bool, ...]:
        """Whether each attester signed exactly the certificate's message."""
        return tuple(vote.is_same_as(self.quorum.vote) for vote in self.registry.votes)

    def statements(self) -> list[Statement]:
        """What holds of the signers, and under which assumptions."""
        committee, pairs = self.committee, list(zip(self.signed, self.exact, strict=True))
        honest_exact = all_of(
            lies | ~signed | exact for (signed, exact), lies in zip(pairs, committee.byzantine, strict=True)
        )
        quorum = truth(rules.reaches(committee.electorate.weight_of(self.exact), committee.electorate.threshold))
        nobody_else = all_of(~signed | exact for signed, exact in pairs)
        below = (*self.given, committee.is_below_threshold)
        return [
            Statement("every honest signer signed exactly the message", below, honest_exact),
            Statement("those who signed exactly the message are a quorum", self.given, quorum),
            Statement("it is over the batch's own hash", below, self.quorum.vote.variant == 0),
            Statement("it verifies if every signer signed the message", (*self.given, nobody_else), self.verifies),
            Statement("it verifies if all are honest", (*self.given, ~any_of(committee.byzantine)), self.verifies),
        ]

    @property
    def verifies(self) -> Bool:
        """Whether `BatchQC::verify` accepts it."""
        return self.registry.certificate_verifies(self.quorum.vote, self.committee.electorate)

    def prove(self, budget: Budget) -> list[Outcome]:
        return [statement.prove(CERTIFICATE, budget) for statement in self.statements()]
