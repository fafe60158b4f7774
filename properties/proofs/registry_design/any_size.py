"""No gaps for any number of attesters: a view of the main node and two of them.

Statement. In the `direct` topology, where votes flow from the attesters to the main node, for every number N >= 2 of
attesters, all weights and all Byzantine members below the threshold: every conjunct of the invariant holds in every
reachable state, and so does no gap. (N = 1 is proved as it is, by `properties.proofs.induction`.)

A *view* is the main node with two attesters: their nodes, their connections, their votes in every registry. The *view
system* is built from the same text as any other system, for two attesters, with one thing changed: the electorate, in
which exactly one attester has weight, 1, if it is honest, and the threshold is 1. So in a view a quorum is found where
an honest attester has voted for it.

Argument. (1) Each part of the invariant speaks about the main node and one attester at most, and says the same of all;
so it holds of all N attesters if it holds in every view. (2) A step of the N attesters is a step of views: for the
attester k that acts (any, if the main node acts for itself) and any other one i, the view of k and i takes the same
action. Only finding a quorum looks at more than two attesters; there, k is an honest attester among those that voted
for the quorum, which the quorum lemma provides, and that has the weight in the view. (3) Every action of the view
system keeps the invariant of the view. Hence every step of the N attesters keeps it for each i.

(1) is checked on the graph of expressions, by `check_locality`, and (3) proved by Z3, as is the lemma, in `lemmas`.
(2) is checked in two ways: all actions but `find_quorum` have, seen from the view, the very expressions that the view
system has, by `check_steps` (an identity of graphs, so it holds in every state); and the tests check in small scopes,
for every reachable state, step and view, that the view takes the step, which includes `find_quorum`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import permutations

from model import rules
from model.algebra import (
    TRUE,
    Bool,
    Expression,
    bool_variable,
    const,
    int_variable,
    leaves,
    truth,
    variables_of,
    where,
)
from model.registry_design.gossip import Link
from model.registry_design.network import System
from model.registry_design.node import Node
from model.registry_design.registry import Registry
from model.registry_design.system import RegistryDesign, assemble
from model.revisions import Revision
from model.scope import Instance, Scope
from model.topology import Topology
from model.transitions import Action
from model.votes import NONE, Electorate, Vote
from properties.proofs.committees import Committee
from properties.proofs.induction import Induction, Invariant
from properties.proofs.obligations import Budget, Outcome, Statement
from properties.proofs.registry_design.invariants import no_gap_invariant
from properties.proofs.registry_design.open_system import ALL_DETAIL, open_system

SUPPORTER_IS_FIRST = bool_variable("the supporter is the first of the view")
"""Which of the two attesters has the weight: open, so that every proof covers both."""

LEMMA = "quorum lemma"


class NotLocal(ValueError):
    """A part of the invariant speaks about several attesters, so that views of two do not prove it of all."""


def view_electorate(byzantine: Sequence[Bool]) -> Electorate:
    """The weights of a view of two attesters: 1 for the supporter, if honest; a quorum weighs 1."""
    chosen = (SUPPORTER_IS_FIRST, ~SUPPORTER_IS_FIRST)
    weights = (where(pick & ~lies, const(1), const(0)) for pick, lies in zip(chosen, byzantine, strict=True))
    return Electorate(tuple(weights), const(1))


def view_system(revision: Revision, scope: Scope = ALL_DETAIL) -> RegistryDesign:
    """The system of a view: two attesters, of whom one supports what the finder finds."""
    byzantine = Committee.of(2).byzantine
    named = replace(scope, instance=Instance("any n", (1, 1), 0))
    return assemble(revision, named, view_electorate(byzantine), byzantine)


def induction(revision: Revision, scope: Scope = ALL_DETAIL) -> Induction[RegistryDesign]:
    """The inductive argument on the view system. Raises `NotLocal` if its invariant does not carry over."""
    system = view_system(revision, scope)
    invariant = no_gap_invariant(system, Committee.of(2).byzantine)
    check_locality(system, invariant)
    return Induction(system, invariant, TRUE, {"no_gaps_on_main_node": ~system.main.store.certified.has_gap})


def check_locality(system: RegistryDesign, invariant: Iterable[Invariant]) -> None:
    """Each part speaks about one attester at most, and what it says of one it says of the other. Raises `NotLocal`."""
    first, second = (of_attester(system, key) for key in (0, 1))
    swap = {**dict(zip(first, second, strict=True)), **dict(zip(second, first, strict=True))}
    for conjunct in invariant:
        for part in conjunct.parts:
            read = set(variables_of([part]))
            if read & set(first) and read & set(second):
                raise NotLocal(f"{conjunct.name} speaks about several attesters at once: {part}")
            if not any(alike(part, other, swap) for other in conjunct.parts):
                raise NotLocal(f"{conjunct.name} says of one attester what it does not say of the other: {part}")


def check_steps(revision: Revision, scope: Scope = ALL_DETAIL, attesters: int = 3) -> int:
    """That the actions of a system of so many attesters, but for finding a quorum, look from every view like those of
    the view system: the same expressions. Returns how many (action, view) were compared. Raises `NotLocal`."""
    committee = Committee.of(attesters)
    whole, viewed = open_system(revision, committee, scope), view_system(revision, scope)
    actions = {(action.node, str(action)): action for action in viewed.actions}
    compared = 0
    for keys in permutations(range(attesters), 2):
        view = View(whole, keys)
        names = {whole.topology.attesters[key]: viewed.topology.attesters[place] for place, key in enumerate(keys)}
        renaming = view.onto(viewed)
        renaming |= {committee.byzantine[key]: Committee.of(2).byzantine[place] for place, key in enumerate(keys)}
        for action in whole.actions:
            if actor_of(action, whole) in (None, *names) and action.name != "find_quorum":
                if (call := _renamed_call(action, names)) not in actions:
                    raise NotLocal(f"the view system has no {call[1]} of {call[0]}")
                _compare(action, actions[call], renaming)
                compared += 1
    return compared


def _compare(action: Action, seen: Action, renaming: Renaming) -> None:
    """That the action does to the view what the view system's does. Raises `NotLocal`."""
    changes = {renaming[v.expression]: value for v, value in action.updates if v.expression in renaming}
    expected = {variable.expression: value for variable, value in seen.updates}
    same = changes.keys() == expected.keys() and alike(action.guard, seen.guard, renaming)
    if not same or not all(alike(value, expected[variable], renaming) for variable, value in changes.items()):
        raise NotLocal(f"{action} of {action.node} does not look like {seen} of {seen.node} from the view")


def actor_of(action: Action, system: RegistryDesign) -> str | None:
    """The attester that an action is about: whose node acts, or whose connection or vote it is; none if it is the main
    node's own."""
    about = [action.node, *(value for _, value in action.arguments)]
    return next((name for name in system.topology.attesters if name in about), None)


def _renamed_call(action: Action, names: dict[str, str]) -> tuple[str, str]:
    arguments = tuple((label, names.get(str(value), value)) for label, value in action.arguments)
    return names.get(action.node, action.node), str(replace(action, arguments=arguments))


Renaming = dict[Expression, Expression]


def alike(a: Expression, b: Expression, renaming: Renaming) -> bool:
    """Whether the graphs of two expressions are the same after the variables of the first are renamed."""
    known: dict[tuple[Expression, Expression], bool] = {}

    def compare(a: Expression, b: Expression) -> bool:
        if (a, b) not in known:
            known[a, b] = same(a, b)
        return known[a, b]

    def same(a: Expression, b: Expression) -> bool:
        if a.op == "var":
            return renaming.get(a, a) is b
        if a.op != b.op or a.value != b.value or len(a.args) != len(b.args):
            return False
        # The algebra keeps the operands of an equation in the order of their creation, which says nothing.
        orders = [b.args, b.args[::-1]] if a.op == "eq" else [b.args]
        return any(all(compare(x, y) for x, y in zip(a.args, order, strict=True)) for order in orders)

    return compare(a, b)


def lemmas(budget: Budget) -> list[Outcome]:
    """The quorum lemma, for any number of attesters, and that the supporter's vote is the quorum.

    The lemma is proved by induction over the attesters: as long as every attester of a quorum is Byzantine, the quorum
    weighs at most what the Byzantine attesters weigh; the latter is below the threshold, so some attester of a quorum
    is honest. Where each hash has one name, votes on the same batch and hash are equal.
    """
    quorum, byzantine = int_variable("quorum weight", 0, None), int_variable("byzantine weight", 0, None)
    weight, threshold = int_variable("next weight", 1, None), int_variable("threshold", 0, None)
    votes, lies = bool_variable("the next votes for the quorum"), bool_variable("the next is byzantine")
    grown, lying = quorum + where(votes, weight, const(0)), byzantine + where(lies, weight, const(0))
    mine, theirs = (
        Vote(int_variable(f"{whose} number", NONE, None), int_variable(f"{whose} variant", 0, None))
        for whose in ("supporter's", "quorum's")
    )
    named_once = [vote.variant != vote.number + 1 for vote in (mine, theirs)]
    statements = [
        Statement("no attesters weigh the same", (), const(0) <= const(0)),
        Statement(
            "one attester more, Byzantine if in the quorum", (quorum <= byzantine, ~votes | lies), grown <= lying
        ),
        Statement(
            "Byzantine attesters alone are no quorum",
            (quorum <= byzantine, byzantine < threshold),
            ~truth(rules.reaches(quorum, threshold)),
        ),
        Statement(
            "the supporter's vote is the quorum",
            (*named_once, mine.is_same_as(theirs), mine.number != NONE),
            (mine.number == theirs.number) & (mine.variant == theirs.variant),
        ),
    ]
    return [statement.prove(LEMMA, budget) for statement in statements]


@dataclass(frozen=True)
class View:
    """How the system of N attesters looks from the main node and the attesters with these keys, in this order."""

    system: RegistryDesign
    keys: tuple[int, ...]

    @property
    def state(self) -> System:
        """The state, without what the view does not see."""
        state, topology = self.system.state, self.system.topology
        nodes = [(place.key, node) for place, node in zip(topology.places, state.nodes, strict=True)]
        seen = [self._node(node) for key, node in nodes if key is None]
        seen += [self._node(node) for wanted in self.keys for key, node in nodes if key == wanted]
        return replace(state, nodes=tuple(seen), links=tuple(self._links(topology)))

    def _links(self, topology: Topology) -> Iterator[Link]:
        for wanted in self.keys:
            for link, ends in zip(self.system.state.links, topology.links, strict=True):
                if wanted in {topology.places[end].key for end in ends}:
                    yield replace(link, old=self._votes(link.old), in_flight=self._votes(link.in_flight))

    def _node(self, node: Node) -> Node:
        registry = Registry(node.registry.min_batch_number, self._votes(node.registry.votes))
        return replace(node, registry=registry)

    def _votes(self, votes: Sequence[Vote]) -> tuple[Vote, ...]:
        return tuple(votes[key] for key in self.keys)

    def onto(self, viewed: RegistryDesign) -> dict[Expression, Expression]:
        """For each variable that the view sees, the variable of the view system that it is."""
        pairs = zip(leaves(self.state), leaves(viewed.state), strict=True)
        return {mine: theirs for mine, theirs in pairs if mine.op == "var"}


def of_attester(system: RegistryDesign, key: int) -> list[Expression]:
    """The variables of an attester: its node's, its connection's, its votes', and whether it is Byzantine."""
    others = {leaf for other in range(len(system.topology.attesters)) if other != key for leaf in _seen(system, other)}
    own = [leaf for leaf in _seen(system, key) if leaf not in others]
    return [*own, Committee.of(len(system.topology.attesters)).byzantine[key]]


def _seen(system: RegistryDesign, key: int) -> list[Expression]:
    return [leaf for leaf in leaves(View(system, (key,)).state) if leaf.op == "var"]
