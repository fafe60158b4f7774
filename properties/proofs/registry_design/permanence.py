"""The start-up deadlock is permanent: a predicate that no step but a restart of the main node leaves.

The predicate strengthens the kinds `registry_minimum` and `minimum_to_come` of `properties.claims.points_of_no_return`
until it is inductive. Its *barrier* is the main node's minimum, or the number that the finder is about to set it to:

* a certificate is stored, so that what the main node asks for moves by certificates only;
* the finder waits for a quorum, or is about to set the minimum and then will;
* the barrier is above the batch that the main node asks for;
* while the finder waits for a quorum, the registry has no vote below the barrier that counts;
* no certificate that waits to be inserted is a new one, or on another hash than its batch's, which would stop the node;
* the *strays* are lighter than a quorum: the attesters that are Byzantine, or that have a vote, a status, an answer or
  an intention at the barrier or above, anywhere, or have ever cast a vote there, which somebody may have kept;
* a QC finder that is about to set the minimum has read a number (so that numbers stay in their domains).

Nobody becomes a stray, as nobody is told a number above what is asked for; so no quorum forms at the barrier or above.
Votes below it are skipped; so the main node never stores another certificate, and asks for the same batch for ever.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from model.algebra import TRUE, Bool, Int, all_of, any_of, truth, where
from model.registry_design.network import System
from model.registry_design.node import Node
from model.registry_design.qc_finder import SETTING_MINIMUM, WAITING_FOR_QUORUM
from model.registry_design.system import RegistryDesign, build
from model.revisions import revision
from model.topology import MAIN
from model.transitions import Action
from model.votes import NONE, Vote
from properties.claims.points_of_no_return import POINTS_OF_NO_RETURN
from properties.engines.bounded import Search, Unrolling
from properties.engines.explorer import explore, first_where
from properties.engines.paths import path_to
from properties.engines.smt import Terms, WholeNumbers
from properties.engines.stepper import State, Stepper
from properties.proofs.committees import Committee
from properties.proofs.induction import Induction, Invariant, describe
from properties.proofs.obligations import Budget, Outcome, Prover
from properties.results.trace import Trace, record, replay

DEADLOCK = "deadlock"
ASKED = "asked"


def deadlock(system: RegistryDesign, byzantine: tuple[Bool, ...]) -> tuple[Invariant, ...]:
    main, asked = system.main, system.next_batch_to_attest
    finder, registry = main.finder, main.registry
    at = barrier(main)
    waits = finder.is_in(WAITING_FOR_QUORUM)
    idle = [(vote.number == NONE) | (vote.number >= at) | registry.is_kept_only(vote) for vote in registry.votes]
    largest = main.store.certified.largest
    queued = [(place.number <= largest) & (place.variant == 0) for place in main.store.queue.places]
    numbered = [~node.finder.is_in(SETTING_MINIMUM) | (node.finder.number != NONE) for node in system.state.nodes]
    strays = [lies | is_stray(system, key, at) for key, lies in enumerate(byzantine)]
    return (
        Invariant("certified", "The main node has a certificate.", (main.store.certified.largest != NONE,)),
        Invariant(
            "deaf",
            "The finder waits for a quorum, or is about to set the minimum and then will.",
            (waits | finder.is_in(SETTING_MINIMUM),),
        ),
        Invariant("barrier", "The barrier is above the batch that the main node asks for.", (at > asked,)),
        Invariant(
            "none_below",
            "While the finder waits, the registry has no vote below the barrier that counts.",
            tuple(~waits | each for each in idle),
        ),
        Invariant(
            "nothing_queued",
            "No certificate that waits to be inserted is a new one, or on another hash than its batch's.",
            tuple(queued),
        ),
        Invariant(
            "strays",
            "The attesters that could vote at the barrier or above are lighter than a quorum.",
            (system.electorate.weight_of(strays) < system.electorate.threshold,),
        ),
        Invariant("finder_phases", "A QC finder that is about to set the minimum has read a number.", tuple(numbered)),
    )


def barrier(main: Node) -> Int:
    """Below this number the main node takes, or is about to take, no interest in votes."""
    return where(main.finder.is_in(SETTING_MINIMUM), main.finder.number, main.registry.min_batch_number)


def is_stray(system: RegistryDesign, key: int, at: Int) -> Bool:
    """Whether this attester has, or may come to have, a vote on this number or a greater one."""
    owned = [node for place, node in zip(system.topology.places, system.state.nodes, strict=True) if place.key == key]
    told = [number for node in owned for number in (node.attester.number, node.status.next_batch_to_attest)]
    told += [node.runner.polled for node in owned]
    told += [node.cast.greatest for node in owned if node.cast]
    return any_of(number >= at for number in [*told, *(vote.number for vote in votes_of(system.state, key))])


def votes_of(state: System, key: int) -> Iterator[Vote]:
    """The votes of an attester, in registries and on connections."""
    for node in state.nodes:
        yield node.registry.votes[key]
    for link in state.links:
        yield from (link.old[key], link.in_flight[key])


def is_cure(action: Action) -> bool:
    """Whether an action is the restart of the main node, which is what the deadlock lasts until."""
    return action.name == "restart_node" and action.node == MAIN


@dataclass(frozen=True)
class Permanence:
    """The proof that the deadlock lasts, for an open committee of some size, in one revision."""

    system: RegistryDesign
    committee: Committee

    @property
    def predicate(self) -> tuple[Invariant, ...]:
        """The deadlock's conjuncts, on this system."""
        return deadlock(self.system, self.committee.byzantine)

    def closed(self, budget: Budget) -> list[Outcome]:
        """Every action but a restart of the main node keeps every conjunct, and the batch that is asked for, which has
        no certificate. Which obligations fail tells what may cure the deadlock."""
        return self.kept_by([action for action in self.system.actions if not is_cure(action)], budget)

    def kept_by(self, actions: Sequence[Action], budget: Budget) -> list[Outcome]:
        """That these actions keep the deadlock, and the batch that is asked for, which has no certificate."""
        argument = Induction(self.system, self.predicate, TRUE)
        before = Terms(WholeNumbers())
        prover = Prover(argument.hypotheses(before), budget)
        asked, stored = self.system.next_batch_to_attest, self.system.main.store.certified
        outcomes = [prover.prove(DEADLOCK, "the batch asked for has no certificate", before(~stored.contains(asked)))]
        for action in actions:
            outcomes += argument.kept(prover, before, action)
            after = argument.after(before, action)
            with prover.assuming(before(action.guard)):
                outcomes.append(prover.prove(describe(action), ASKED, after(asked) == before(asked)))
        return outcomes


def target(system: RegistryDesign) -> Bool:
    """The deadlock, in a system whose Byzantine attesters its scope names."""
    scope = system.scope
    honest = len(scope.instance.weights) - scope.instance.byzantine
    byzantine = tuple(truth(key >= honest) for key in range(len(scope.instance.weights)))
    return all_of(conjunct.holds for conjunct in deadlock(system, byzantine))


EXCLUDED_KINDS = ("registry_minimum", "minimum_to_come")
"""The kinds of points of no return that the deadlock is of."""


def kinds(system: RegistryDesign) -> dict[str, Bool]:
    """The predicates of these kinds, by name, from the catalogue."""
    return {kind.name: kind.holds(system) for kind in POINTS_OF_NO_RETURN if kind.name in EXCLUDED_KINDS}


def never(system: RegistryDesign, byzantine: tuple[Bool, ...]) -> dict[str, Bool]:
    """That a state is of none of the kinds, and not in the deadlock's predicate, by name."""
    excluded = {f"no {name}": ~holds for name, holds in kinds(system).items()}
    return {**excluded, "no deadlock": ~all_of(conjunct.holds for conjunct in deadlock(system, byzantine))}


def search(
    system: RegistryDesign, max_depth: int, seconds: float | None, smt2: Path | None = None
) -> tuple[Trace | None, Search]:
    """The shortest run into the deadlock, in a bounded scope, by Z3. The last state is of one of the kinds; of none,
    where a smaller status will stop the node."""
    found = Unrolling(system, target(system), smt2=smt2).reaches(max_depth, seconds)
    if found.actions is None:
        return None, found
    stepper = Stepper(system)
    trace = record(stepper, found.actions, "progress_possible")
    predicates = kinds(system)
    holds = stepper.evaluator(*predicates.values())(replay(trace, stepper))
    kind = next((name for name, is_one in zip(predicates, holds, strict=True) if is_one), None)
    return trace.about(kind=kind), found


def check_old_votes(trace: Trace) -> None:
    """The run ends in the deadlock, too, where everybody may keep what is cast, which its scope does not tell. Raises
    `AssertionError`."""
    system = build(revision(trace.revision), replace(trace.scope, replays=True))
    stepper = Stepper(system)
    run = record(stepper, [stepper.index[step.node, step.call] for step in trace.steps])
    assert stepper.evaluator(target(system))(replay(run, stepper))[0], "the deadlock lasts, whatever is passed on again"


def first_run(system: RegistryDesign) -> Trace | None:
    """The first of the shortest runs into the deadlock in the explorer's order, which is the same every time; none if
    there is none. (Which of several shortest runs Z3 finds is up to Z3.)"""
    explored = explore(system)
    place = first_where(explored, target(system))
    if place is None:
        return None
    stepper = Stepper(system)
    return record(stepper, path_to(explored, stepper, place))


LOOK_AHEAD = 20_000
"""How many states after a run are looked at for a way out of the deadlock."""


def way_out(trace: Trace, system: RegistryDesign) -> list[str] | None:
    """The fewest steps, none of them a restart of the main node, that lead from the last state of a run into the
    deadlock out of it again; none if none is found among the first states that are looked at."""
    stepper = Stepper(system)
    stuck = stepper.evaluator(target(system))
    start = replay(trace, stepper)
    cause: dict[State, tuple[State, int] | None] = {start: None}
    queue = deque([start])
    while queue and len(cause) < LOOK_AHEAD:
        state = queue.popleft()
        if not stuck(state)[0]:
            return _steps(stepper, cause, state)
        for action, after in stepper.successors(state):
            if not is_cure(stepper.action(action)) and after not in cause:
                cause[after] = (state, action)
                queue.append(after)
    return None


def _steps(stepper: Stepper, cause: Mapping[State, tuple[State, int] | None], state: State) -> list[str]:
    steps: list[str] = []
    while (step := cause[state]) is not None:
        state, action = step
        steps.append(describe(stepper.action(action)))
    return steps[::-1]


@dataclass(frozen=True)
class Departure:
    """The first step of a run that another revision does not take: its number from 1, who acts, and the difference."""

    step: int
    action: str
    reason: str
    changes: Mapping[str, tuple[int, int]]


def departure(trace: Trace, cured: RegistryDesign) -> Departure | None:
    """Where a run of one revision leaves another revision's behaviour; none if the other can run it to the end. Where
    the other one asks for the genesis' first block, that is there from the start."""
    stepper = Stepper(cured)
    actions = [place for call, place in stepper.index.items() if call == (MAIN, "produce_first_block()")]
    state = stepper.initial
    for earlier in actions:
        state = stepper.apply(state, earlier)
    for number, step in enumerate(trace.steps, 1):
        place = stepper.index.get((step.node, step.call))
        action = f"{step.call} of {step.node}"
        if place is None or place not in stepper.enabled(state):
            return Departure(number, action, "is not possible", {})
        actions.append(place)
        changes = record(stepper, actions).steps[-1].changes
        if changes != step.changes:
            return Departure(number, action, "has another effect", changes)
        state = stepper.apply(state, place)
    return None
