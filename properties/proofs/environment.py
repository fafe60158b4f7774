"""What the environment may do, asserted beside every proof: nothing else would notice an adversary who can do less.

Narrowing the environment can only help a proof, so no obligation about what actions keep fails where a forged vote can
suddenly have no number but 0. Hence each theorem comes with its *freedoms*: wherever the circumstances allow it, the
action is possible with every number that the environment may pick, and has the effect that makes it worth while. And
every variable that a proof leaves open is spoken about by one of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from model.algebra import FALSE, TRUE, Bool, Expression, Int, int_variable, name_of, variables_of
from model.service import AttestationSystem
from model.transitions import Action
from properties.engines.smt import Term, Terms, WholeNumbers, conjunction
from properties.proofs.obligations import Answer, Budget, Outcome, Prover

ENVIRONMENT = "environment"


@dataclass(frozen=True)
class Freedom:
    """That something is possible wherever `given` holds, whatever the environment picks, and has this effect.

    `action` is possible then (none: the model has no such action, so that this is no freedom); `picks` has, for each
    variable that the model leaves open, what it may be: an expression over variables whose domains are stated here, and
    not taken from the model. `effect` is of the state afterwards.
    """

    name: str
    given: Bool
    action: Action | None
    picks: Mapping[Expression, Expression] = field(default_factory=dict)
    effect: Bool = TRUE

    def obligation(self, before: Terms, state: Sequence[Expression]) -> Term:
        """The freedom as a formula over the state before and the picks."""
        assert self.action is not None
        here = {variable: before(variable) for variable in state}
        chosen = {open_one: before(pick) for open_one, pick in self.picks.items()}
        taken = Terms(before.numbers, {**here, **chosen})
        changed = {variable.expression: taken(value) for variable, value in self.action.updates}
        after = Terms(before.numbers, {**here, **changed})
        admitted = [taken.within_domain(open_one) for open_one in self.picks]
        return conjunction([*admitted, taken(self.action.guard), after(self.effect)])


@dataclass(frozen=True)
class Openness:
    """That variables of the committee may have any values that satisfy `given`, and `then` holds of these."""

    name: str
    given: Bool
    picks: Mapping[Expression, Expression]
    then: Bool = TRUE

    def obligation(self, before: Terms, state: Sequence[Expression]) -> Term:
        """The same as a formula over the picks."""
        taken = Terms(before.numbers, {open_one: before(pick) for open_one, pick in self.picks.items()})
        return conjunction([*(taken.within_domain(open_one) for open_one in self.picks), taken(self.then)])


Liberty = Freedom | Openness

Actions = Mapping[tuple[str, str], Action]


def actions_of(system: AttestationSystem) -> Actions:
    """The actions of a system by node and call."""
    return {(action.node, str(action)): action for action in system.actions}


def of_nodes(system: AttestationSystem, actions: Actions, provides: str, what: str) -> Iterator[Freedom]:
    """At any time, and any number of times: any node may restart, or get its next batch, by the action that provides
    it; and any connection may break."""
    names = [place.name for place in system.topology.places]
    for name, node in zip(names, system.state.nodes, strict=True):
        yield Freedom(f"{name} may restart", TRUE, actions.get((name, "restart_node()")))
        is_behind = node.store.persisted < system.state.sealed
        yield Freedom(f"{name} may get its next {what}", is_behind, actions.get((name, f"{provides}()")))
    for links in system.topology.connections:
        one, other = (names[end] for end in system.topology.links[links[0]])
        broken = actions.get((one, f"reconnect(to={other})"))
        yield Freedom(f"the connection of {one} and {other} may break", TRUE, broken)


def anything(name: str, low: int, like: Expression) -> Openness:
    """That an open number is any number from `low` on."""
    pick = any_number(name, low)
    return Openness(f"{name_of(like)} is any number from {low} on", TRUE, {like: pick})


def any_number(name: str, low: int) -> Int:
    """A number from `low` on, by a name that no model uses."""
    return int_variable(f"any {name}", low, None)


def prove(
    liberties: Iterable[Liberty], state: Sequence[Expression], open_ones: Iterable[Expression], budget: Budget
) -> list[Outcome]:
    """That the environment has these liberties, in any state of these variables, and that nothing else is open."""
    liberties = list(liberties)
    spoken_about = {variable for each in liberties for variable in each.picks}
    outcomes = [
        Outcome(ENVIRONMENT, f"{name_of(each)} is open, and nothing says what it may be", Answer.REFUTED)
        for each in open_ones
        if each not in spoken_about
    ]
    before = Terms(WholeNumbers())
    prover = Prover([before.within_domain(variable) for variable in state], budget)
    possible = (each for each in liberties if each.given is not FALSE)
    return [*outcomes, *(_proved(each, prover, before, state) for each in possible)]


def _proved(liberty: Liberty, prover: Prover, before: Terms, state: Sequence[Expression]) -> Outcome:
    if isinstance(liberty, Freedom) and liberty.action is None:
        return Outcome(ENVIRONMENT, liberty.name, Answer.REFUTED, why="there is no such action")
    if fixed := [str(open_one) for open_one in liberty.picks if open_one.op != "var"]:
        return Outcome(ENVIRONMENT, liberty.name, Answer.REFUTED, why=f"{', '.join(fixed)} is not open")
    with prover.assuming(before(liberty.given), *_domains(liberty, before)):
        return prover.prove(ENVIRONMENT, liberty.name, liberty.obligation(before, state))


def _domains(liberty: Liberty, before: Terms) -> Iterator[Term]:
    effect = liberty.effect if isinstance(liberty, Freedom) else TRUE
    for variable in variables_of([liberty.given, effect, *liberty.picks.values()]):
        yield before.within_domain(variable)


def confined(outcomes: Iterable[Outcome]) -> str:
    """What the environment should be able to do and cannot, or is not known to; empty if there is nothing."""
    less = (each.goal for each in outcomes if each.subject == ENVIRONMENT and each.answer is not Answer.PROVED)
    return "; ".join(less)
