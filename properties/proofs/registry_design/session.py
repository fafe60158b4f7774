"""What the theorems about this design share: the inductive argument behind no gaps, and a run to a gap."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from model.algebra import TRUE
from model.registry_design.system import RegistryDesign, build
from model.scope import Scope, instance
from model.topology import MAIN
from properties.engines.stepper import Stepper
from properties.proofs.committees import Committee
from properties.proofs.induction import Induction, is_proved
from properties.proofs.obligations import Outcome
from properties.proofs.registry_design import bound
from properties.proofs.registry_design.invariants import idle, no_gap_invariant
from properties.proofs.registry_design.open_system import ALL_DETAIL, liberties, open_system
from properties.proofs.results import Result, Searched
from properties.proofs.session import SEARCH_DEPTH, Case, Session, holds
from properties.results.trace import BadTrace, Trace, record, replay

NO_GAPS = "no_gaps_on_main_node"

ASSUMED = (
    "of which any may be Byzantine as long as they weigh less than the threshold, and with any number of batches, "
    "restarts and broken connections, and of old votes passed on by anybody"
)
NEVER_STARTS = "the executor never starts, so that no certificate is ever found"
QUEUED = "each insertion queue having two places, without pruning or regenesis"
ONE_WAY = "connected directly, votes one way, no pruning or regenesis"
"""What a verdict is about beside the numbers of attesters and weights."""

SMALLEST = Scope(instance("n1f0b0"), 3)
"""Where the reachable gap is looked for: one attester of weight 1 is enough."""

Argument = Induction[RegistryDesign]


@dataclass
class RegistrySession(Session):
    """A session about a revision of this design."""

    CERTIFIES: ClassVar[str] = f"insert_qc() of {MAIN}"

    _arguments: dict[tuple[int, Scope], Argument] = field(default_factory=dict, init=False)
    _inductions: dict[tuple[int, Scope], list[Outcome]] = field(default_factory=dict, init=False)
    _gaps: dict[str, tuple[Trace | None, Searched]] = field(default_factory=dict, init=False)

    def why_nothing_happens(self, system: Any) -> str | None:
        """The main node never finds a certificate: tried, by induction, where it has no step that does."""
        if not isinstance(system, RegistryDesign):
            return None
        if any(action.name == "find_quorum" and action.node == MAIN for action in system.actions):
            return None
        is_idle = is_proved(Induction(system, (idle(system),), TRUE).prove(replace(self.budget, smt2=None)))
        return NEVER_STARTS if is_idle else None

    def argument(self, size: int, scope: Scope = ALL_DETAIL) -> Argument:
        """The inductive argument for so many attesters."""
        if (size, scope) not in self._arguments:
            committee = Committee.of(size)
            system = open_system(self.revision, committee, scope)
            self._arguments[size, scope] = Induction(
                system,
                no_gap_invariant(system, committee.byzantine),
                committee.is_below_threshold,
                {NO_GAPS: holds(system, NO_GAPS)},
                liberties=(committee.lighter_liars, *liberties(system, committee.byzantine)),
            )
        return self._arguments[size, scope]

    def induction(self, size: int, scope: Scope = ALL_DETAIL) -> list[Outcome]:
        """The obligations of the inductive argument, each proved once."""
        if (size, scope) not in self._inductions:
            self._inductions[size, scope] = self.argument(size, scope).prove(self.within(named(size, scope)))
        return self._inductions[size, scope]

    def gap_or_not_inductive(
        self, case: Case, failed: Argument, outcomes: Sequence[Outcome], scope: Scope, failure: Outcome | None = None
    ) -> Result:
        """The induction fails: where, the smallest counterexample to it, and a gap that is reached in the scope, if
        one is reached by a single attester."""
        trace, searched = self.reachable_gap(scope.topology)
        run = carried_over(trace, build(self.revision, scope)) if trace else None
        return case.refuted(failed, outcomes, failure, run, searched)

    def reachable_gap(self, topology: str) -> tuple[Trace | None, Searched]:
        """The shortest run to a gap with one honest attester. A mesh of one attester is a direct connection, and of two
        external nodes side by side one is enough."""
        topology = {"relay": "relay", "relays": "relay", "relay_chain": "relay_chain"}.get(topology, "direct")
        if topology not in self._gaps:
            scope = replace(SMALLEST, topology=topology)
            folder = self.within(f"gap {topology}").smt2
            trace, search = bound.find_gap(self.revision, scope, SEARCH_DEPTH, self.search_seconds, folder)
            self._gaps[topology] = trace, Searched("a gap", f"{scope.instance.name}, {scope.name}", search)
        return self._gaps[topology]


def named(size: int, scope: Scope) -> str:
    """The folder of an inductive argument's queries."""
    return f"no gaps {size} {scope.topology if scope.echo else ''}"


def heavy_scope(size: int, scope: Scope) -> Scope:
    """A committee of so many attesters of which the first makes a quorum by itself, with connections as in `scope`."""
    weights = [4 * (size - 1) + 1, *[1] * (size - 1)]
    heavy = instance(f"w{','.join(map(str, weights))}b0")
    return replace(SMALLEST, instance=heavy, topology=scope.topology, echo=scope.echo)


def carried_over(trace: Trace, system: RegistryDesign) -> Trace:
    """The same actions as a run of a system with more attesters, which do nothing. Raises `BadTrace` if it is none."""
    stepper = Stepper(system)
    missing = [step for step in trace.steps if (step.node, step.call) not in stepper.index]
    if missing:
        raise BadTrace(f"{system.name} has no {missing[0].call} of {missing[0].node}")
    run = record(stepper, [stepper.index[step.node, step.call] for step in trace.steps], trace.claim)
    is_gap = stepper.evaluator(bound.gap(system))
    assert is_gap(replay(run, stepper))[0], "the run of one attester ends in a gap for several"
    return run
