"""What is proved, for each design of the service; and what of it one run of the prover shows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from model.revisions import CONTROLLER, REGISTRY, Revision
from properties.claims.catalogue import CATALOGUE
from properties.claims.kinds import Kind
from properties.proofs.controller_design import certification
from properties.proofs.controller_design.certification import MATCH, NO_GAPS, VERIFY
from properties.proofs.controller_design.delivery import no_vote_lost
from properties.proofs.controller_design.session import ControllerSession, rules
from properties.proofs.registry_design import certificates, no_gaps
from properties.proofs.registry_design.certificates import NONE_BELOW, ONE_QUORUM, registry_rules
from properties.proofs.registry_design.session import RegistrySession
from properties.proofs.registry_design.start_up_deadlock import NO_DEADLOCK, PROGRESS, no_deadlock
from properties.proofs.results import Result
from properties.proofs.session import Session, Theorem, listed

Theorems = Mapping[str, tuple[Theorem, ...]]
"""The theorems about each property, by its name."""

UP_TO_5, UP_TO_6, UP_TO_8 = (tuple(range(1, most + 1)) for most in (5, 6, 8))

MOST_WITH_ECHO = 3
"""With how many attesters votes both ways, in every topology, are proved by default."""

OF_REGISTRY: Theorems = {
    NO_GAPS: (
        Theorem("no gaps", no_gaps.fixed_sizes, UP_TO_8, few=(1, 2, 3, 6)),
        Theorem("no gaps, any number of attesters", no_gaps.any_number, UP_TO_8[1:], few=(2, 3)),
        Theorem(
            "no gaps, every topology, votes both ways",
            no_gaps.topologies,
            (2, MOST_WITH_ECHO),
            most=MOST_WITH_ECHO,
            takes_long=True,
        ),
        Theorem("threshold arithmetic", no_gaps.arithmetic, depends=lambda _: None),
        Theorem("a gap is possible at the bound", no_gaps.at_the_bound),
    ),
    NO_DEADLOCK: (Theorem("no start-up deadlock", no_deadlock, UP_TO_6, few=(1, 2, 6), most=8),),
    ONE_QUORUM: (Theorem("registry", certificates.one_quorum, UP_TO_5, most=8, depends=registry_rules),),
    VERIFY: (
        Theorem("signers of a certificate", certificates.signers, UP_TO_5, most=8, depends=registry_rules),
        Theorem("certificates verify", certificates.verify, UP_TO_5, few=(1, 2), most=8),
    ),
    MATCH: (Theorem("certificates match batches", certificates.match, UP_TO_5, few=(1, 2), most=8),),
    NONE_BELOW: (Theorem("no vote below the minimum", certificates.none_below_minimum, UP_TO_6, few=(1, 2)),),
}
"""That of the start-up deadlock is weaker than `progress_possible`, and says so."""


def _of_few(name: str, prove: Callable[..., Iterator[Result]], few: tuple[int, ...] = (1, 2)) -> Theorem:
    """A theorem about controllers. With more attesters, the orders of a list that an error cuts off are too many."""
    return Theorem(name, prove, (1, 2, 3), few=few, most=3, depends=rules)


OF_CONTROLLER: Theorems = {
    NO_GAPS: (_of_few("no gaps", certification.no_gaps),),
    VERIFY: (
        _of_few("certificates verify", certification.fixed_sizes),
        _of_few("certificates verify, any number", certification.any_number),
    ),
    MATCH: (_of_few("certificates match batches", certification.match),),
    NO_DEADLOCK: (_of_few("no start-up deadlock", no_vote_lost, few=(2,)),),
}


@dataclass(frozen=True)
class Proofs:
    """The theorems about a design, and the kind of session that they are proved in."""

    session: Callable[..., Session]
    theorems: Theorems


DESIGNS: Mapping[str, Proofs] = {
    REGISTRY: Proofs(RegistrySession, OF_REGISTRY),
    CONTROLLER: Proofs(ControllerSession, OF_CONTROLLER),
}

CLAIMS = tuple(dict.fromkeys(name for proofs in DESIGNS.values() for name in proofs.theorems))
"""The properties about which there are theorems, in some design."""

ABOUT = {PROGRESS: NO_DEADLOCK}
"""Properties that have no theorem of their own, and the weaker one that is shown when they are asked for."""

SEARCHED = tuple(each.name for each in CATALOGUE if each.kind is Kind.ALWAYS and each.name not in CLAIMS)
"""The `always` properties that have no theorem: bounded search tells about them."""


def theorems_of(revision: Revision) -> Theorems:
    """The theorems about a revision's design, by property."""
    return DESIGNS[revision.design].theorems


def results(session: Session, claims: Sequence[str] | None = None) -> Iterator[Result]:
    """What can be shown about these properties of a revision, by theorems, or else by bounded search; or all theorems
    of its design."""
    theorems = theorems_of(session.revision)
    for name in theorems if claims is None else claims:
        session.restart_the_clock()
        if name not in theorems:
            yield session.bounded(name)
        for theorem in theorems.get(name, ()):
            if not (session.among_many and theorem.takes_long) and theorem.name not in session.repeated:
                session.restart_the_clock()
                yield from theorem.prove(session, theorem.chosen(session.sizes, session.among_many))


def shared(revisions: Sequence[Revision]) -> list[frozenset[str]]:
    """For each revision, the names of the theorems that a revision of its design has shown for it, too, before it."""
    seen: set[tuple[str, str, object]] = set()
    result = []
    for revision in revisions:
        keys = {
            (revision.design, theorem.name, theorem.depends(revision))
            for theorem in _each(theorems_of(revision))
            if theorem.depends
        }
        result.append(frozenset(name for design, name, value in keys if (design, name, value) in seen))
        seen |= keys
    return result


def _each(theorems: Theorems, claims: Iterable[str] | None = None) -> Iterator[Theorem]:
    for name in theorems if claims is None else claims:
        yield from theorems.get(name, ())


def left_out(
    revisions: Sequence[Revision], asked: tuple[int, ...] | None, claims: Sequence[str] | None = None
) -> list[str]:
    """What a run about these revisions does not prove of what another would, in words."""
    among_many, found = len(revisions) > 1, []
    designs = dict.fromkeys(revision.design for revision in revisions)
    for theorem in (theorem for design in designs for theorem in _each(DESIGNS[design].theorems, claims)):
        chosen = theorem.chosen(asked, among_many)
        if among_many and theorem.takes_long:
            found.append(f"{theorem.name} (proved for one revision at a time)")
        elif among_many and theorem.depends:
            found.append(f"{theorem.name}, for revisions with the same rules as an earlier one")
        if asked and theorem.sizes and chosen != asked:
            found.append(f"{theorem.name}: at most {theorem.most} attesters, so N = {listed(chosen)}")
        elif among_many and theorem.few and theorem.few != theorem.sizes:
            found.append(f"{theorem.name}: only N = {listed(chosen)} of {listed(theorem.sizes)}")
    if among_many and REGISTRY in designs and (claims is None or NO_DEADLOCK in claims):
        found.append("permanence of the deadlock with votes both ways (proved for one revision at a time)")
    return list(dict.fromkeys(found))
