"""Systems with an open committee: any weights, any Byzantine members, any number of batches."""

from __future__ import annotations

from dataclasses import dataclass, replace

from model import rules
from model.algebra import Bool, Int, bool_variable, int_variable, total
from model.registry_design.system import RegistryDesign, assemble
from model.revisions import Revision
from model.scope import Instance, Scope
from model.topology import attester_names
from model.votes import Electorate


@dataclass(frozen=True)
class Committee:
    """Attesters whose weights (1 or more) and honesty are open."""

    weights: tuple[Int, ...]
    byzantine: tuple[Bool, ...]

    @staticmethod
    def of(attesters: int) -> Committee:
        """A committee of this size."""
        names = attester_names(attesters)
        weights = tuple(int_variable(f"weight.{name}", 1, None) for name in names)
        return Committee(weights, tuple(bool_variable(f"byzantine.{name}") for name in names))

    @property
    def electorate(self) -> Electorate:
        """The weights and the threshold of the source's rule."""
        return Electorate(self.weights, rules.threshold(self.total_weight))

    @property
    def total_weight(self) -> Int:
        """The weight of all attesters."""
        return total(self.weights)

    @property
    def byzantine_weight(self) -> Int:
        """The weight of the Byzantine attesters."""
        return self.electorate.weight_of(self.byzantine)

    @property
    def is_below_threshold(self) -> Bool:
        """The assumption under which no gap is proved: the Byzantine attesters make no quorum by themselves."""
        return self.byzantine_weight < self.electorate.threshold


ALL_DETAIL = Scope(
    Instance("any", (), 0),
    batches=None,
    late_answers=True,
    finder_steps=True,
    attester_steps=True,
    own_finders=True,
    late_batches=True,
    queue=2,
    restarts=None,
    disconnects=None,
)
"""Every step of the protocol by itself, a QC finder on every node, any number of batches and of faults; votes flow from
the attesters to the main node only. Commitments are not told apart from batches where these have no bound, so that a
node can sign and insert earlier than the real one: it does more, never less."""

EVERY_WAY = replace(ALL_DETAIL, echo=True)
"""The same, and votes flow in both directions of every connection."""


def open_system(revision: Revision, committee: Committee, scope: Scope = ALL_DETAIL) -> RegistryDesign:
    """The system of a revision with an open committee."""
    size = len(committee.weights)
    named = replace(scope, instance=Instance(f"any {size}", (1,) * size, 0))
    return assemble(revision, named, committee.electorate, committee.byzantine)
