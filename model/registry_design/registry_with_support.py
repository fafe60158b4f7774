"""The vote registry by itself, with the support that the source keeps beside the votes and updates vote by vote.

`registry`, as a part of the system, counts support when it is asked for. This machine keeps it as the source
does: a weight for each (number, hash), from which a replaced vote is taken and to which a new one is added, in
saturating u64 arithmetic. It follows the entry of *one* subject, a (number, hash) that is arbitrary and stays the same;
what is proved of it holds of every entry.

Source: era-consensus, `node/actors/network/src/gossip/batch_votes.rs`, `BatchVotes::add`, `remove` and
`set_min_batch_number`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from model.algebra import TRUE, Expression, Int, const, int_variable, where
from model.committee import U64_MAX
from model.registry_design.registry import Registry
from model.rules import is_below_minimum
from model.topology import attester_names
from model.transitions import Action, Namespace, Step, Transition, TransitionSystem, transition, updates
from model.votes import NO_VOTE, Electorate, Vote

SUBJECT = Vote(int_variable("subject.number", 0, None), int_variable("subject.variant", 0, None))
"""The (number, hash) whose entry is followed: open."""

REGISTRY = "registry"


@dataclass(frozen=True)
class SupportedRegistry:
    """The votes and the minimum, and the weight recorded behind the subject (0: no entry)."""

    registry: Registry
    support: Int

    def add(self, attester: int, vote: Vote, weight: Int) -> SupportedRegistry:
        """An admitted vote in place of its attester's former one. Source: `BatchVotes::add`."""
        cleared = self.remove(attester, weight)
        grown = where(vote.is_same_as(SUBJECT), saturating(cleared.support + weight), cleared.support)
        return SupportedRegistry(cleared.registry.add(attester, vote), grown)

    def remove(self, attester: int, weight: Int) -> SupportedRegistry:
        """Without the attester's vote. Source: `BatchVotes::remove`."""
        votes = self.registry.votes
        left = where(votes[attester].is_same_as(SUBJECT), saturating(self.support - weight), self.support)
        cleared = (*votes[:attester], NO_VOTE, *votes[attester + 1 :])
        return SupportedRegistry(replace(self.registry, votes=cleared), left)


def saturating(weight: Int) -> Int:
    """What u64 arithmetic that saturates makes of a sum or difference of two u64."""
    return where(weight < 0, const(0), where(weight > U64_MAX, const(U64_MAX), weight))


@transition("network/src/gossip/batch_votes.rs: BatchVotes::update, one vote of the message")
def update(state: SupportedRegistry, attester: int, vote: Vote, weight: Int) -> Step[SupportedRegistry]:
    """A member's vote with a good signature comes in, and is admitted. (What is skipped or an error adds nothing.)"""
    return Step(state.registry.admits(attester, vote), state.add(attester, vote, weight))


@transition("network/src/gossip/batch_votes.rs: BatchVotes::set_min_batch_number")
def set_min_batch_number(state: SupportedRegistry, number: Int) -> Step[SupportedRegistry]:
    """The minimum is set, up or down; votes and support below it are forgotten."""
    forgotten = is_below_minimum(SUBJECT.number, number)
    support = where(forgotten, const(0), state.support)
    return Step(TRUE, SupportedRegistry(state.registry.set_min_batch_number(number), support))


@dataclass(frozen=True)
class RegistrySystem(TransitionSystem[SupportedRegistry]):
    """A registry, and the operations on it in any order."""

    electorate: Electorate = field(kw_only=True)


def registry_system(electorate: Electorate) -> RegistrySystem:
    """A registry for these attesters, on any batch numbers and hashes."""
    names = attester_names(len(electorate.weights))
    space = Namespace()
    minimum = space.number("min_batch_number", 0, None, 0)
    votes = tuple(Vote.declare(space.within(name), None, None) for name in names)
    state = SupportedRegistry(Registry(minimum, votes), space.number("support", 0, U64_MAX, 0))
    number, variant = int_variable("next.number", 0, None), int_variable("next.variant", 0, None)

    def action(taken: Transition, step: Step[SupportedRegistry], *choices: Expression, **arguments: str) -> Action:
        variables = {variable.expression: variable for variable in space.declared}
        changes = updates(state, step.then, variables)
        return Action(taken, REGISTRY, tuple(arguments.items()), step.when, changes, choices)

    updating = (
        action(update, update(state, key, Vote(number, variant), weight), number, variant, attester=names[key])
        for key, weight in enumerate(electorate.weights)
    )
    setting = action(set_min_batch_number, set_min_batch_number(state, number), number)
    return RegistrySystem(
        name=f"registry of {len(names)}",
        state=state,
        variables=tuple(space.declared),
        actions=(*updating, setting),
        electorate=electorate,
    )
