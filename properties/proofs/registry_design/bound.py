"""The exact bound: there is no gap for certain if and only if the Byzantine weight is below the threshold.

"If" is the induction. "Only if" is a run: where Byzantine attesters make a quorum by themselves, they certify batch 2
after batch 0, and nobody ever certifies batch 1. Z3 finds it for one committee, and then proves every step of it
possible for all weights at the bound or above. The arithmetic of the threshold, for all total weights that the source
accepts, relates the bound to "honest majority".
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from model import rules
from model.algebra import FALSE, TRUE, Bool, Expression, Int, int_variable, total, truth
from model.committee import U64_MAX
from model.registry_design.system import RegistryDesign, assemble, build
from model.revisions import Revision
from model.scope import Scope, instance
from properties.engines.bounded import Search, Unrolling
from properties.engines.smt import Term, Terms, WholeNumbers
from properties.engines.stepper import Stepper
from properties.proofs import environment
from properties.proofs.committees import Committee, faulty_weight
from properties.proofs.environment import Openness, any_number
from properties.proofs.induction import describe, initial_terms
from properties.proofs.obligations import Budget, Outcome, Prover, Statement
from properties.results.trace import Trace, record

ARITHMETIC = "threshold"
AT_THE_BOUND = "run at the bound"
BATCHES = 3
AT_BOUND = Scope(instance("w1,5b1"), BATCHES)
"""The lightest committee with an honest attester in which Byzantine weight reaches the threshold: 5 of 6."""


TOTAL, BYZANTINE = int_variable("total weight", 1, U64_MAX), int_variable("byzantine weight", 0, U64_MAX)


def arithmetic() -> list[Statement]:
    """What holds of the threshold for every total weight W from 1 to 2^64 - 1, with f its largest faulty weight."""
    weight, byzantine = TOTAL, BYZANTINE
    faulty, quorum = rules.max_faulty_weight(weight), rules.threshold(weight)
    below = truth(byzantine < quorum)
    part = (byzantine <= weight,)
    return [
        Statement("f is the largest with W >= 5f + 1", (), (five(faulty) + 1 <= weight) & (weight <= five(faulty) + 5)),
        Statement(
            "no difference or quotient leaves u64",
            (),
            _is_u64(weight - 1) & _is_u64(faulty) & _is_u64(quorum),
        ),
        Statement("a quorum is possible, and takes a vote", (), (quorum >= 1) & (quorum <= weight)),
        Statement("Byzantine weight up to f is below the threshold", (*part, byzantine <= faulty), below),
        Statement("an honest majority is enough", (*part, byzantine + byzantine < weight), below),
        Statement("an honest weight above a fifth is enough", (*part, five(weight - byzantine) > weight), below),
        Statement(
            "the honest make a quorum if and only if at most f are Byzantine",
            part,
            truth(rules.reaches(weight - byzantine, quorum)).iff(byzantine <= faulty),
        ),
        Statement("two quorums share more than f", (), quorum + quorum - weight > faulty),
    ]


def any_total_weight(budget: Budget) -> list[Outcome]:
    """That the arithmetic is about every total weight of u64, and every weight of Byzantine attesters."""
    weight, part = any_number("total", 1), any_number("part", 0)
    openness = [
        Openness("any total weight from 1 to 2^64 - 1", weight <= 2**64 - 1, {TOTAL: weight}),
        Openness("any Byzantine weight up to 2^64 - 1", part <= 2**64 - 1, {BYZANTINE: part}),
    ]
    return environment.prove(openness, [], [TOTAL, BYZANTINE], budget)


def five(number: Int) -> Int:
    return total([number] * 5)


def _is_u64(value: Int) -> Bool:
    return (value >= 0) & (value <= U64_MAX)


def gap(system: RegistryDesign) -> Bool:
    return system.main.store.certified.has_gap


def find_gap(
    revision: Revision, scope: Scope, max_depth: int, seconds: float | None, smt2: Path | None = None
) -> tuple[Trace | None, Search]:
    """The shortest run to a gap in a bounded scope, replayed by the one-step engine."""
    system = build(revision, scope)
    search = Unrolling(system, gap(system), smt2=smt2).reaches(max_depth, seconds)
    if search.actions is None:
        return None, search
    return record(Stepper(system), search.actions, "no_gaps_on_main_node"), search


@dataclass(frozen=True)
class AnyWeights:
    """The system of a scope with its committee's weights left open; who is Byzantine stays. `at_bound`: what is assumed
    of the weights, that the Byzantine attesters make a quorum by themselves."""

    system: RegistryDesign
    committee: Committee
    at_bound: Bool

    @staticmethod
    def of(revision: Revision, scope: Scope) -> AnyWeights:
        size, byzantine = len(scope.instance.weights), scope.instance.byzantine
        liars = tuple(TRUE if key >= size - byzantine else FALSE for key in range(size))
        committee = replace(Committee.of(size), byzantine=liars)
        at_bound = truth(rules.reaches(committee.byzantine_weight, committee.electorate.threshold))
        return AnyWeights(assemble(revision, scope, committee.electorate, liars), committee, at_bound)

    def environment(self, budget: Budget) -> list[Outcome]:
        """That the weights may be any that the theorem's sentence allows."""
        weights = self.committee.weights
        anybody = replace(self.committee, weights=tuple(any_number(f"weight {key}", 1) for key in range(len(weights))))
        faulty, is_largest = faulty_weight(anybody)
        heavy = is_largest & (anybody.byzantine_weight + faulty >= anybody.total_weight)
        picks = dict[Expression, Expression](zip(weights, anybody.weights, strict=True))
        openness = Openness("any weights at the bound and above", heavy, picks, self.at_bound)
        return environment.prove([openness], [], weights, budget)

    def prove(self, run: Trace, budget: Budget) -> list[Outcome]:
        """That a run is possible, and ends in a gap, for all weights with which the Byzantine reach the threshold."""
        actions = {(action.node, str(action)): action for action in self.system.actions}
        weights = self.committee.weights
        rigid = Terms(WholeNumbers())
        prover = Prover([rigid(self.at_bound), *(rigid.within_domain(weight) for weight in weights)], budget)
        open_ones: dict[Expression, Term] = {weight: rigid(weight) for weight in weights}
        here = Terms(rigid.numbers, open_ones | initial_terms(self.system))
        outcomes = []
        for number, step in enumerate(run.steps, 1):
            action = actions[step.node, step.call]
            outcomes.append(prover.prove(AT_THE_BOUND, f"step {number}: {describe(action)}", here(action.guard)))
            after = {variable.expression: here(variable.expression) for variable in self.system.variables}
            after |= {variable.expression: here(value) for variable, value in action.updates}
            here = Terms(rigid.numbers, open_ones | after)
        return [*outcomes, prover.prove(AT_THE_BOUND, "it ends in a gap", here(gap(self.system)))]
