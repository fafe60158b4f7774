"""The systems that the system machine runs on: any revision, in scopes far beyond what can be searched exhaustively.

A model has a number, from which everything about it is drawn, so that a number is all that a report needs to name.
Designs take turns; small numbers are small scopes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property

from model.algebra import Bool
from model.batch_store import CertifiedBatches
from model.controller_design.network import FAULTS as CONTROLLER_FAULTS
from model.registry_design.network import FAULTS as REGISTRY_FAULTS
from model.revisions import CONTROLLER, REGISTRY, REVISIONS, Revision
from model.scope import Scope
from model.service import AttestationSystem
from model.system import build
from properties.claims.catalogue import CATALOGUE
from properties.claims.kinds import Conjunct, Kind
from properties.engines.stepper import State, Stepper
from properties.stateful.controller_design import scopes as controllers
from properties.stateful.expectations import expected_to_hold
from properties.stateful.registry_design import scopes as registries

FAULTS = frozenset(transition.name for transition in (*REGISTRY_FAULTS, *CONTROLLER_FAULTS))
"""The names of all faults of all designs."""

PROGRESS = "progress_possible"
"""What a run that is driven fairly to its rest shows."""


@dataclass(frozen=True, eq=False)
class Model:
    """A system with its one-step engine, and what is asked of its states. Each is equal to itself alone: from Python
    3.13 on equality would compare expressions, which gives an expression."""

    system: AttestationSystem

    def __str__(self) -> str:
        return f"{self.system.revision.name}, {self.system.scope.instance.name}, {self.system.scope.name}"

    @cached_property
    def stepper(self) -> Stepper:
        """The one-step engine."""
        return Stepper(self.system)

    @cached_property
    def families(self) -> tuple[str, ...]:
        """For each action, the name of its transition."""
        return tuple(action.name for action in self.system.actions)

    @cached_property
    def faults(self) -> frozenset[int]:
        """The actions that are faults: a fair run need not take them."""
        return frozenset(place for place, name in enumerate(self.families) if name in FAULTS)

    @property
    def design(self) -> str:
        """The design that it is of."""
        return self.system.revision.design

    @property
    def must_progress(self) -> bool:
        """Whether every batch must be certified when nothing is left to do."""
        return expected_to_hold(PROGRESS, self.system.revision, self.system.scope)

    @cached_property
    def invariants(self) -> tuple[tuple[str, Conjunct], ...]:
        """The conjuncts of all properties that must hold in every state, with the names of the properties."""
        always = [claim for claim in CATALOGUE if claim.kind is Kind.ALWAYS]
        claims = [claim for claim in always if expected_to_hold(claim.name, self.system.revision, self.system.scope)]
        return tuple((claim.name, conjunct) for claim in claims for conjunct in claim.conjuncts(self.system))

    @cached_property
    def holding(self) -> Callable[[State], tuple[int, ...]]:
        """For a state, which of the invariants hold."""
        return self.stepper.evaluator(*(conjunct.holds | ~conjunct.when for _, conjunct in self.invariants))

    @cached_property
    def witnesses(self) -> tuple[tuple[str, ...], Callable[[State], tuple[int, ...]]]:
        """The names of the properties of kind `sometimes`; and, for a state, of which of them it is a witness."""
        claims = [claim for claim in CATALOGUE if claim.kind is Kind.SOMETIMES]
        applicable = [(claim.name, conjuncts[0]) for claim in claims if (conjuncts := claim.conjuncts(self.system))]
        holding = self.stepper.evaluator(*(conjunct.holds for _, conjunct in applicable))
        return tuple(name for name, _ in applicable), holding

    @cached_property
    def uncertified(self) -> Callable[[State], tuple[int, ...]]:
        """For a state, whether each batch of the fork is sealed and without a certificate on the main node."""
        certified = self.system.main.store.certified
        assert isinstance(certified, CertifiedBatches)
        state = self.system.state
        missing: list[Bool] = [
            (state.sealed > batch) & self.system.is_to_attest(batch) & ~flag
            for batch, flag in enumerate(certified.flags)
        ]
        return self.stepper.evaluator(*missing)


@dataclass(frozen=True)
class Drawn:
    """How the models of a design are drawn: the scope of a number, in a pool; the revisions of successive models; and
    `showcases`, small systems in which something happens often that is rare elsewhere."""

    scope_number: Callable[[int, int], Scope]
    revisions: Sequence[Revision]
    showcases: Sequence[tuple[str, Scope]]


DESIGNS = (REGISTRY, CONTROLLER)
"""The designs, in turn."""

DRAWN = {
    REGISTRY: Drawn(registries.scope_number, registries.ROUND, registries.SHOWCASES),
    CONTROLLER: Drawn(controllers.scope_number, controllers.ROUND, controllers.SHOWCASES),
}


@cache
def showcase(design: str, place: int) -> Model:
    """One of the showcases of a design."""
    name, scope = DRAWN[design].showcases[place]
    return Model(build(REVISIONS[name], scope))


def scope_number(number: int, pool: int = 0) -> Scope:
    """The scope of this number, from 0 on, in this pool of them."""
    place, turn = divmod(number, len(DESIGNS))
    return DRAWN[DESIGNS[turn]].scope_number(place, pool)


def built(number: int, pool: int = 0) -> Model:
    """`model_number`, built anew."""
    place, turn = divmod(number, len(DESIGNS))
    revisions = DRAWN[DESIGNS[turn]].revisions
    return Model(build(revisions[place % len(revisions)], scope_number(number, pool)))


@cache
def model_number(number: int, pool: int = 0) -> Model:
    """The model of this number, from 0 on, in this pool: the scope of this number, of the revision whose turn it is."""
    return built(number, pool)
