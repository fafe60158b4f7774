"""The theorems about the registry, and about what the signers of a certificate have signed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

from model.algebra import TRUE
from model.revisions import Revision
from model.scope import Scope, instance
from properties.proofs.committees import Committee
from properties.proofs.induction import Induction
from properties.proofs.obligations import Answer, answer_of
from properties.proofs.registry_design import registry
from properties.proofs.registry_design.invariants import ABOVE_MINIMUM, invariant
from properties.proofs.registry_design.open_system import liberties, open_system
from properties.proofs.registry_design.session import ASSUMED, ONE_WAY, RegistrySession
from properties.proofs.results import Result
from properties.proofs.session import FORGER_SCOPE, Case, attesters, holds
from properties.results.verdicts import Unknown

ONE_QUORUM, VERIFY, MATCH = "at_most_one_quorum", "certificates_verify", "certificates_match_batches"
NONE_BELOW = "no_vote_below_minimum"

Rules = tuple[bool, ...]


def registry_rules(revision: Revision) -> Rules:
    """The switches of a revision that its registry depends on."""
    return revision.collects_by_number, revision.keeps_votes_below_minimum, revision.prefers_votes_at_minimum


AS_MERGED_RULES: Rules = (False, False, False)


def one_quorum(session: RegistrySession, sizes: Sequence[int]) -> Iterator[Result]:
    for size in sizes:
        sentence = (
            f"With {attesters(size)} of any weights that a committee accepts, after any updates and changes of "
            "the minimum: the support recorded for each batch and hash is the weight of its votes, no addition or "
            "subtraction saturates, and two different subjects never have a quorum."
        )
        case = session.case(ONE_QUORUM, f"registry, {attesters(size)}", sentence)
        if registry_rules(session.revision) == AS_MERGED_RULES:
            how, about = "induction over operations", f"N = {size}, any weights"
            yield case.by_induction(registry.induction(size), how, about)
        else:
            why = "the registry with its support is modelled as merged, and this revision changes its rules"
            yield case.result(Unknown(why), [])


def signers(session: RegistrySession, sizes: Sequence[int]) -> Iterator[Result]:
    for size in sizes:
        sentence = (
            f"With {attesters(size)} of any weights: the signers that signed exactly the certificate's message "
            "are a quorum, and every honest signer is among them; it verifies if all signers are."
        )
        case = session.case(VERIFY, f"signers of a certificate, {attesters(size)}", sentence)
        certificate = registry.Certificate.of(size, session.revision)
        argument = registry.hashes(certificate.system, certificate.committee)
        premise = argument.prove(case.budget.within("what is signed"))
        if answer_of(premise) is Answer.REFUTED:
            yield case.refuted(argument, premise)
            continue
        statements = certificate.statements()
        outcomes = [*premise, *(statement.prove(registry.CERTIFICATE, case.budget) for statement in statements)]
        how = "induction over what is signed, and for any votes that it allows"
        verdict = case.of_statements(statements, outcomes, how, f"N = {size}, any weights; {ONE_WAY}")
        yield case.result(verdict, outcomes, argument.environment(case.budget))


def verify(session: RegistrySession, sizes: Sequence[int]) -> Iterator[Result]:
    """Whether Byzantine signatures can spoil a certificate."""
    yield from _from_hashes(session, VERIFY, "certificates verify", "every certificate that a finder finds", sizes)


def match(session: RegistrySession, sizes: Sequence[int]) -> Iterator[Result]:
    """Whether Byzantine votes can make a certificate over another hash."""
    yield from _from_hashes(session, MATCH, "certificates match batches", "each that the main node finds", sizes)


def _from_hashes(
    session: RegistrySession, name: str, theorem: str, about: str, sizes: Sequence[int]
) -> Iterator[Result]:
    """What follows from what honest attesters sign, wherever attestation starts."""
    for size in sizes:
        sentence = (
            f"With {attesters(size)} of any weights, connected to the main node, with votes flowing towards it, "
            f"{ASSUMED}, without pruning or regenesis, {theorem}: {about}."
        )
        committee = Committee.of(size)
        argument = registry.hashes(open_system(session.revision, committee), committee, name)
        case = session.case(name, f"{theorem}, {attesters(size)}", sentence)
        yield _by_induction(case, argument, size, "induction over what is signed")


def none_below_minimum(session: RegistrySession, sizes: Sequence[int]) -> Iterator[Result]:
    """Whether a registry keeps a vote below its minimum."""
    for size in sizes:
        sentence = (
            f"With {attesters(size)} of any weights, any of them Byzantine, connected to the main node, with "
            "votes flowing towards it, without pruning or regenesis, no registry has a vote below its minimum."
        )
        committee = Committee.of(size)
        system = open_system(session.revision, committee)
        argument = Induction(
            system,
            invariant(system, committee.byzantine, ABOVE_MINIMUM),
            TRUE,
            {NONE_BELOW: holds(system, NONE_BELOW)},
            liberties=(committee.any_liars, *liberties(system, committee.byzantine)),
        )
        case = session.case(NONE_BELOW, f"no vote below the minimum, {attesters(size)}", sentence)
        yield _by_induction(case, argument, size, "induction")


def _by_induction(case: Case, argument: registry.Argument, size: int, how: str) -> Result:
    """The result of an induction; where it fails, with a run that a search finds."""
    run = partial(case.session.search, case.claim, forger_scope(size))
    return case.by_induction(argument, how, f"N = {size}, any weights; {ONE_WAY}", run=run)


def forger_scope(size: int) -> Scope:
    """So many attesters, the last of them Byzantine, unless there is only one."""
    if size == 1:
        return replace(FORGER_SCOPE, instance=instance("n1f0b0"))
    weights = [4 * (size - 1) + 1, *[1] * (size - 1)]
    return replace(FORGER_SCOPE, instance=instance(f"w{','.join(map(str, weights))}b1"))
