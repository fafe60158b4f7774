"""What is proved, for each design of the service; and what of it one run of the prover shows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from model.revisions import Revision
from properties.claims.catalogue import CATALOGUE
from properties.claims.kinds import Kind
from properties.proofs.registry_design import theorems as registry_design
from properties.proofs.registry_design.start_up_deadlock import NO_DEADLOCK, PROGRESS
from properties.proofs.results import Result
from properties.proofs.session import Session, listed
from properties.proofs.theorem import Theorems

THEOREMS: Theorems = registry_design.THEOREMS

ABOUT = {PROGRESS: NO_DEADLOCK}
"""Properties that have no theorem of their own, and the weaker one that is shown when they are asked for."""

SEARCHED = tuple(each.name for each in CATALOGUE if each.kind is Kind.ALWAYS and each.name not in THEOREMS)
"""The `always` properties that have no theorem: bounded search tells about them."""


def results(session: Session, claims: Sequence[str]) -> Iterator[Result]:
    """What can be shown about these properties of a revision: by theorems, or else by bounded search."""
    for name in claims:
        session.restart_the_clock()
        if name not in THEOREMS:
            yield session.bounded(name)
        for theorem in THEOREMS.get(name, ()):
            if not (session.among_many and theorem.takes_long) and theorem.name not in session.repeated:
                session.restart_the_clock()
                yield from theorem.prove(session, theorem.chosen(session.sizes, session.among_many))


def shared(revisions: Sequence[Revision]) -> list[frozenset[str]]:
    """For each revision, the names of the theorems that a revision before it has shown for it, too."""
    seen: set[tuple[str, object]] = set()
    result = []
    for revision in revisions:
        keys = {
            (theorem.name, theorem.depends(revision))
            for theorems in THEOREMS.values()
            for theorem in theorems
            if theorem.depends
        }
        result.append(frozenset(name for name, value in keys if (name, value) in seen))
        seen |= keys
    return result


def left_out(asked: tuple[int, ...] | None, among_many: bool, claims: Sequence[str]) -> list[str]:
    """What a run does not prove of what another would, in words."""
    found = []
    for theorem in (theorem for name in claims for theorem in THEOREMS.get(name, ())):
        chosen = theorem.chosen(asked, among_many)
        if among_many and theorem.takes_long:
            found.append(f"{theorem.name} (proved for one revision at a time)")
        elif among_many and theorem.depends:
            found.append(f"{theorem.name}, for revisions with the same rules as an earlier one")
        if asked and theorem.sizes and chosen != asked:
            found.append(f"{theorem.name}: at most {theorem.most} attesters, so N = {listed(chosen)}")
        elif among_many and theorem.few and theorem.few != theorem.sizes:
            found.append(f"{theorem.name}: only N = {listed(chosen)} of {listed(theorem.sizes)}")
    if among_many and NO_DEADLOCK in claims:
        found.append("permanence of the deadlock with votes both ways (proved for one revision at a time)")
    return found
