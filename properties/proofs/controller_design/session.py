"""What the theorems about this design share: the open systems, and what their environment may do."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar

from model.algebra import TRUE
from model.controller_design.system import ControllerDesign
from model.revisions import Revision
from model.topology import MAIN
from properties.proofs.controller_design.open_system import ALL_DETAIL, either, fixed, liberties, open_system
from properties.proofs.induction import Induction
from properties.proofs.obligations import Outcome
from properties.proofs.session import Session

ENVIRONMENT = (
    "any of them Byzantine, whatever they weigh, with votes pushed and pulled, and any number of batches, restarts, "
    "broken connections, transient errors and old answers of the API, without pruning, regenesis or a restored database"
)
WITHOUT = "no pruning, regenesis or restored database"
"""What a verdict is about beside the numbers of attesters and weights."""

System = ControllerDesign


@dataclass
class ControllerSession(Session):
    """A session about a revision of this design."""

    CERTIFIES: ClassVar[str] = f"insert_certificate() of {MAIN}"

    _systems: dict[tuple[int, str, bool], System] = field(default_factory=dict, init=False)
    _freedom: dict[tuple[int, bool], list[Outcome]] = field(default_factory=dict, init=False)

    def system(self, size: int, topology: str = "direct", *, one_committee: bool = False) -> System:
        """The system of so many attesters. Where the revision has a committee for each batch, it is open which of two
        that is, unless there is to be one."""
        many = self.revision.has_committee_per_batch and not one_committee
        if (size, topology, many) not in self._systems:
            committees = either(size) if many else fixed(size)
            scope = replace(ALL_DETAIL, topology=topology)
            self._systems[size, topology, many] = open_system(self.revision, committees, scope, any_of_them=many)
        return self._systems[size, topology, many]

    def environment(self, size: int, *, one_committee: bool = False) -> list[Outcome]:
        """That the environment of that system may do what it should."""
        many = self.revision.has_committee_per_batch and not one_committee
        if (size, many) not in self._freedom:
            system, committees = self.system(size, one_committee=one_committee), either(size) if many else fixed(size)
            free = Induction(system, (), TRUE, liberties=tuple(liberties(system, committees)))
            folder = f"environment {size} {'one committee' if one_committee else ''}"
            self._freedom[size, many] = free.environment(self.within(folder))
        return self._freedom[size, many]

    @property
    def committees(self) -> str:
        """Which committees there are, in words."""
        if self.revision.has_committee_per_batch:
            return "each batch having any of two committees of any members and weights, or none, at each node"
        return "of any weights"


def rules(revision: Revision) -> tuple[bool, ...]:
    """The switches of a revision that matter where no node knows of no registry."""
    return (
        revision.has_committee_per_batch,
        revision.skips_batch_zero,
        revision.ignores_at_once,
        revision.verifies_before_insertion,
        revision.error_ends_task_only,
    )
