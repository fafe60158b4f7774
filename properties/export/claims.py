"""What a system is exported with: the properties that say something about it, by their kind."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from model.algebra import TRUE, Bool, Expression, any_of, conjuncts
from model.service import AttestationSystem
from model.transitions import Action, Transition
from properties.claims.catalogue import CATALOGUE
from properties.claims.kinds import Conjunct, Kind, Property


@dataclass(frozen=True)
class Claims:
    """The properties of one system, each with its conjuncts."""

    system: AttestationSystem

    @cached_property
    def _conjuncts(self) -> dict[str, tuple[Conjunct, ...]]:
        return {claim.name: claim.conjuncts(self.system) for claim in CATALOGUE}

    def of(self, kind: Kind) -> Iterator[Property]:
        """Those of a kind, in the order of reports."""
        return (claim for claim in CATALOGUE if claim.kind is kind and self._conjuncts[claim.name])

    def parts(self, claim: Property) -> tuple[Bool, ...]:
        """The conditions of the property's conjuncts, each wherever it speaks; those that always hold are left out."""
        conditions = (~(each.when & ~each.holds) for each in self._conjuncts[claim.name])
        return tuple(each for each in conditions if each is not TRUE) or (TRUE,)

    def witness(self, claim: Property) -> Bool:
        """What holds in a state that a `sometimes` property asks for."""
        return any_of(each.when & each.holds for each in self._conjuncts[claim.name])

    def stated(self, claim: Property) -> tuple[Bool, ...]:
        """What is written of a property about states or runs: its conditions; of a `sometimes` property the witness."""
        return (self.witness(claim),) if claim.kind is Kind.SOMETIMES else self.parts(claim)

    def formulas(self) -> list[Expression]:
        """All that an export writes: the conditions of actions, what they assign, and the properties."""
        actions = self.system.actions
        guards = [part for action in actions for part in conjuncts(action.guard)]
        values = [value for action in actions for _, value in action.updates]
        said = [claim for kind in (Kind.ALWAYS, Kind.SOMETIMES, Kind.EVENTUALLY) for claim in self.of(kind)]
        return [*guards, *values, *(part for claim in said for part in self.stated(claim))]

    def by_transition(self) -> list[list[Action]]:
        """The actions, those of one transition together."""
        found: dict[Transition, list[Action]] = {}
        for action in self.system.actions:
            found.setdefault(action.transition, []).append(action)
        return list(found.values())

    def is_fair(self, claim: Property, action: Action) -> bool:
        """Whether a property relies on it that the action is taken if it stays possible."""
        return action.name in claim.fair - claim.without

    def unsaid(self) -> str:
        """Which properties no formula of linear time says, in words."""
        left = ", ".join(claim.name for claim in self.of(Kind.POSSIBLE))
        return f"Left out, as no formula of linear time says what can still be reached: {left or 'nothing'}."
