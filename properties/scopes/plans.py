"""The scopes of the ledger: which committees, bounds and switches, at which level of detail, on which revisions."""

from __future__ import annotations

from dataclasses import dataclass

from model.revisions import CONTROLLER, REGISTRY, REVISIONS, design_of, of_design
from model.scope import BAD_SIGNATURE, FOREIGN_GENESIS, Scope, instance
from properties.scopes.details import DETAILS
from properties.scopes.switches import Value, switched, texts


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
        return design_of(revision) in self.designs and (not self.revisions or revision in self.revisions)


def _with(
    instance: str,
    batches: int,
    designs: tuple[str, ...] = (REGISTRY, CONTROLLER),
    detail: str = "joined",
    **switches: Value,
) -> Plan:
    """A small scope for what is off elsewhere."""
    return Plan(instance, detail, batches, switches=tuple(switches.items()), designs=designs)


SHARP = ("pr161+era2539",)
"""The bounds on Byzantine weight are measured on the revision that is sound without Byzantine attesters."""

FIRST_AND_LAST = ("pr161+era2480", "pr161+era2539", "pr170+era2480", "pr170+era2539")
"""The large scopes are for these only: what is merged between them shows in the small scopes already."""

OF_EACH_DESIGN = (*FIRST_AND_LAST, "pr175+era2657", "pr175+era3512")
"""Those, and the first and the last with attestation controllers."""

PRUNED_RELAY = ("pr161+era2539", "pr170+era2539", *of_design(CONTROLLER))
"""Where the relay is all that goes wrong."""

BETWEEN = tuple(name for name in REVISIONS if name not in OF_EACH_DESIGN)
"""The others."""

WIRED = ("pr167+era2539", "pr170+era2539")
"""Those that ran with each other. (What the others make of a former fork's answers is on a page of the findings.)"""

REFUSING = ("pr167+era2480", "pr169+era2480", "pr170+era2480")
"""Where a smaller number is an error, and the number falls: who is restarted after an error makes the difference."""

SWEPT = (
    *(f"n6f1b{byzantine}" for byzantine in range(7)),
    *(f"w3,2,1b{byzantine}" for byzantine in range(4)),
    *(f"w4,3,2,1b{byzantine}" for byzantine in range(1, 4)),
)
"""Committees with more and more Byzantine weight."""

OLD, NEW = (REGISTRY,), (CONTROLLER,)

RELAY_FAULTS: tuple[tuple[str, Value], ...] = (("topology", "relay"), ("restarts", 1), ("disconnects", 1))

FIXED = ("pr175+era2657",)
"""The revision with one committee for all batches; and calls are the same in all revisions with controllers."""

PER_BATCH = tuple(name for name in of_design(CONTROLLER) if name not in FIXED)
"""Those with a committee for each batch."""

EQUIVOCATION: tuple[tuple[str, Value], ...] = (
    ("topology", "chain"),
    ("divergences", 2),
    ("astray", "ab"),
    ("restarts", 1),
    ("restarting", "b"),
)

DIFFERING: tuple[tuple[str, Value], ...] = (("topology", "chain"), ("committees", "1,1;0,1"))
"""An attester passes on the other's votes, and is in the committee of the genesis alone."""

FALLBACK: tuple[tuple[str, Value], ...] = (("fallbacks", 1), ("restarts", 1), ("astray", "a"))

CONTROLLERS = (
    Plan("n2f0b0", "joined", batches=4, designs=NEW),
    Plan("n2f0b0", "calls", batches=2, revisions=FIXED),
    Plan("n1f0b0", "calls", batches=3, designs=NEW),
    *(Plan(f"n3f0b{byzantine}", "joined", batches=4, symmetry=True, designs=NEW) for byzantine in (1, 2, 3)),
    Plan("n2f0b0", "joined", 4, switches=(("committees", "1,1;1,0;0,1;1,1"),), revisions=PER_BATCH),
    _with("n2f0b0", 3, NEW, topology="chain", restarts=1, disconnects=1),
    _with("n1f0b0", 3, NEW, "stepwise", stale_answers=2),
    _with("n1f0b0", 4, NEW, restores=1),
    _with("n1f0b0", 4, NEW, restores=1, restarts=None, restarting="M"),
    _with("n1f0b0", 4, NEW, restores=1, restarts=None),
    _with("n1f0b0", 3, NEW, "stepwise", pruned="a"),
    _with("n1f0b0", 3, NEW, "stepwise", pruned="a", prunes_certified=True, restarts=1),
    _with("n1f0b0", 3, NEW, errors=1, failing="a", restarts=None, restarting="M"),
    _with("n1f0b0", 3, NEW, errors=1, failing="M", restarts=None, restarting="M"),
    _with("n1f0b0", 3, NEW, errors=1, restarts=None),
    _with("n1f0b0", 3, NEW, regeneses=1, stale_answers=1),
    Plan("n1f0b0", "joined", 4, switches=(("committees", "1;1;error;1"), ("restarts", None)), revisions=PER_BATCH),
    Plan("n1f0b0", "joined", 4, switches=(("committees", "1;1;none;1"), ("restarts", None)), revisions=PER_BATCH),
    _with("n1f0b0", 3, NEW, topology="relay", errors=1, failing="X"),
    Plan("n2f0b0", "calls", 2, switches=(*DIFFERING, ("split", "a")), revisions=PER_BATCH),
    Plan("n2f0b0", "calls", 2, switches=(*DIFFERING, *FALLBACK), revisions=PER_BATCH),
    Plan("n2f0b0", "calls", 1, switches=(("echo", True), ("message_limit", 1)), revisions=FIXED),
    Plan("n2f0b0", "calls", 2, switches=(("echo", True), ("message_limit", 1)), revisions=PER_BATCH),
    _with("n1f0b0", 3, NEW, divergences=1, astray="a", restarts=1),
    Plan("n2f0b0", "joined", 1, switches=EQUIVOCATION, revisions=FIXED),
    Plan("n2f0b0", "calls", 2, deep=True, switches=(("echo", True),), revisions=FIXED),
)
"""What is for attestation controllers alone."""

PLANS = (
    Plan("n2f0b0", "joined"),
    Plan("n2f0b0", "stepwise", revisions=OF_EACH_DESIGN),
    Plan("n1f0b0", "own-registries", revisions=FIRST_AND_LAST),
    Plan("n2f0b0", "own-registries", batches=2, designs=OLD),
    Plan("n3f0b0", "joined", symmetry=True),
    Plan("n6f1b1", "joined", batches=2, symmetry=True, revisions=FIRST_AND_LAST),
    Plan("w5,1b1", "joined", batches=2, revisions=(*FIRST_AND_LAST, *of_design(CONTROLLER))),
    Plan("n1f0b0", "full", batches=2, revisions=OF_EACH_DESIGN),
    _with("n1f0b0", 3, topology="relay"),
    _with("n2f0b0", 2, restarts=1, disconnects=1),
    _with("n1f0b0", 3, restarts=None, restarting="M"),
    _with("n1f0b0", 3, echo=True, restarts=None, restarting="M"),
    Plan("n1f0b0", "joined", 2, switches=RELAY_FAULTS, revisions=OF_EACH_DESIGN),
    Plan("n1f0b0", "joined", switches=(("topology", "observed"),), revisions=OF_EACH_DESIGN),
    _with("n2f0b0", 2, topology="mesh"),
    Plan("n1f0b0", "joined", switches=(("late_batches", True), ("queue", 2)), revisions=FIRST_AND_LAST),
    Plan("n2f0b1", "joined", 2, switches=(("topology", "relay"),), revisions=OF_EACH_DESIGN),
    _with("n1f0b0", 3, pruned="M"),
    _with("n1f0b0", 3, pruned="a"),
    _with("n1f0b0", 3, pruned="M", pruned_batches=2),
    _with("n1f0b0", 3, pruned="a", pruned_batches=2),
    Plan("n1f0b0", "joined", switches=(("topology", "relay"), ("pruned", "X")), revisions=PRUNED_RELAY),
    _with("n1f0b0", 2, errors=1),
    _with("n1f0b0", 2, OLD, topology="relay", unanswered="X"),
    _with("n1f0b0", 2, OLD, stale_answers=None),
    Plan("n1f0b0", "joined", switches=(("regeneses", 1), ("stale_answers", None)), revisions=WIRED),
    Plan("n1f0b0", "joined", switches=(("supervised", "all"),), revisions=REFUSING),
    _with("n1f0b0", 3, regeneses=1),
    _with("n1f0b0", 2, OLD, topology="relay", regeneses=1),
    _with("n1f0b0", 2, OLD, topology="relay", replays=True),
    _with("n1f0b0", 2, OLD, topology="relay", bad_votes=BAD_SIGNATURE),
    _with("n1f0b0", 2, OLD, topology="relay", bad_votes=FOREIGN_GENESIS),
    _with("n2f0b0", 2, OLD, topology="relay", message_limit=1),
    _with("n2f0b0", 1, OLD, echo=True, message_limit=1),
    _with("n2f0b0", 3, main_attests=True),
    _with("n1f0b0", 3, detail="stepwise", main_attests=True),
    _with("n2f0b0", 2, main_attests=True, restarts=1, disconnects=1),
    _with("n2f0b0", 3, main_attests=True, echo=True, restarts=None, restarting="M"),
    _with("n1f0b0", 3, detail="stepwise", main_attests=True, pruned="M"),
    _with("n1f0b0", 2, main_attests=True, errors=1),
    *CONTROLLERS,
    Plan("n2f0b0", "stepwise", deep=True, revisions=BETWEEN),
    Plan("n1f0b0", "own-registries", deep=True, revisions=BETWEEN, designs=OLD),
    Plan("n4f0b0", "joined", deep=True, symmetry=True, revisions=FIRST_AND_LAST),
    Plan("n2f0b0", "own-registries", deep=True, symmetry=True, revisions=FIRST_AND_LAST),
    Plan("n3f0b0", "stepwise", deep=True, symmetry=True, revisions=FIRST_AND_LAST),
    Plan("n3f0b1", "joined", 2, deep=True, switches=(("topology", "mesh"),), revisions=SHARP),
    *(Plan(name, "joined", deep=True, symmetry=True, revisions=SHARP) for name in SWEPT),
)
