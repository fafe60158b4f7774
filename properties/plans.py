"""The scopes of the ledger: which committees, bounds and switches, at which level of detail, on which revisions."""

from __future__ import annotations

from dataclasses import dataclass

from model.revisions import CONTROLLER, REGISTRY
from model.revisions import revision as by_name
from model.scope import BAD_SIGNATURE, FOREIGN_GENESIS, Scope, instance
from properties.details import DETAILS
from properties.switches import Value, switched, texts


@dataclass(frozen=True)
class Plan:
    """A scope of the ledger: an instance, a level of detail, and what else is switched on.

    `deep` ones take minutes and run only when asked for. With `symmetry`, permuted attesters count as one, which makes
    room for more of them but leaves no verdict on fair runs. `revisions` are those that it is for, if not for all of
    its `designs`.
    """

    instance: str
    detail: str
    batches: int = 3
    deep: bool = False
    symmetry: bool = False
    switches: tuple[tuple[str, Value], ...] = ()
    revisions: tuple[str, ...] = ()
    designs: tuple[str, ...] = (REGISTRY, CONTROLLER)

    @property
    def name(self) -> str:
        """How the ledger and the table of expectations call it."""
        return ", ".join([self.instance, f"{self.batches} batches", self.detail, *texts(self.switches)])

    @property
    def scope(self) -> Scope:
        """The scope itself."""
        return switched(DETAILS[self.detail].scope(instance(self.instance), self.batches), self.switches)

    def is_for(self, revision: str) -> bool:
        """Whether the revision is to be checked in this scope."""
        return by_name(revision).design in self.designs and (not self.revisions or revision in self.revisions)


def _with(instance: str, batches: int, **switches: Value) -> Plan:
    """A small scope for what is off elsewhere."""
    return Plan(instance, "joined", batches, switches=tuple(switches.items()))


SHARP = ("pr161+era2539",)
"""The bounds on Byzantine weight are measured on the revision that is sound without Byzantine attesters."""

FIRST_AND_LAST = ("pr161+era2480", "pr161+era2539", "pr170+era2480", "pr170+era2539")
"""The large scopes are for these only: what is merged between them shows in the small scopes already."""

SWEPT = (
    *(f"n6f1b{byzantine}" for byzantine in range(7)),
    *(f"w3,2,1b{byzantine}" for byzantine in range(4)),
    *(f"w4,3,2,1b{byzantine}" for byzantine in range(1, 4)),
)
"""Committees with more and more Byzantine weight."""

RELAY_FAULTS: tuple[tuple[str, Value], ...] = (("topology", "relay"), ("restarts", 1), ("disconnects", 1))

PLANS = (
    Plan("n2f0b0", "joined"),
    Plan("n2f0b0", "stepwise"),
    Plan("n1f0b0", "own-registries"),
    Plan("n2f0b0", "own-registries", batches=2),
    Plan("n3f0b0", "joined", symmetry=True),
    Plan("n6f1b1", "joined", batches=2, symmetry=True, revisions=FIRST_AND_LAST),
    Plan("n1f0b0", "full", batches=2, revisions=FIRST_AND_LAST),
    _with("n1f0b0", 3, topology="relay"),
    _with("n2f0b0", 2, restarts=1, disconnects=1),
    _with("n1f0b0", 3, restarts=None, restarting="M"),
    _with("n1f0b0", 3, echo=True, restarts=None, restarting="M"),
    Plan("n1f0b0", "joined", 2, switches=RELAY_FAULTS, revisions=FIRST_AND_LAST),
    Plan("n1f0b0", "joined", switches=(("topology", "observed"),), revisions=FIRST_AND_LAST),
    _with("n2f0b0", 2, topology="mesh"),
    Plan("n1f0b0", "joined", switches=(("late_batches", True), ("queue", 2)), revisions=FIRST_AND_LAST),
    Plan("n2f0b1", "joined", 2, switches=(("topology", "relay"),), revisions=FIRST_AND_LAST),
    _with("n1f0b0", 2, pruned="M"),
    _with("n1f0b0", 2, pruned="a"),
    _with("n1f0b0", 3, regeneses=1),
    _with("n1f0b0", 2, topology="relay", bad_votes=BAD_SIGNATURE),
    _with("n1f0b0", 2, topology="relay", bad_votes=FOREIGN_GENESIS),
    Plan("n4f0b0", "joined", deep=True, symmetry=True, revisions=FIRST_AND_LAST),
    Plan("n2f0b0", "own-registries", deep=True, symmetry=True, revisions=FIRST_AND_LAST),
    Plan("n3f0b0", "stepwise", deep=True, symmetry=True, revisions=FIRST_AND_LAST),
    Plan("n3f0b1", "joined", 2, deep=True, switches=(("topology", "mesh"),), revisions=SHARP),
    *(Plan(name, "joined", deep=True, symmetry=True, revisions=SHARP) for name in SWEPT),
)
