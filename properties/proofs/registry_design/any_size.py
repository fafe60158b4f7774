"""No gaps for any number of attesters: a view of the main node and two of them.

Statement. In the `direct` topology, where votes flow from the attesters to the main node, for every number N >= 2 of
attesters, all weights and all Byzantine members below the threshold: every conjunct of the invariant holds in every
reachable state, and so does no gap. (N = 1 is proved as it is, by `properties.proofs.induction`.)

A *view* is the main node with two attesters: their nodes, their connections, their votes in every registry. The *view
system* is built from the same text as any other system, for two attesters, with one thing changed: the electorate, in
which exactly one attester has weight, 1, if it is honest, and the threshold is 1. So in a view a quorum is found where
an honest attester has voted for it.

Argument. (1) Each part of the invariant speaks about the main node and one attester at most, and says the same of all;
so it holds of all N attesters if it holds in every view. (2) The initial state of the N attesters is that of the view
system, from every view, and a step of theirs is a step of views: for the attester k that acts (any, if the main node
acts for itself) and any other one i, the view of k and i takes the same action. Only finding a quorum looks at more
than two attesters; there, k is an honest attester among those that voted for the quorum, and has the weight in the
view. (3) Every action of the view system keeps the invariant of the view. Hence every step of the N attesters keeps it
for each i.

(1) is an obligation on the graph of expressions (`locality`), and (3) are obligations of Z3. (2), for several N, is two
obligations on the graph: the exchange of two neighbours maps the system to itself, so that all
views are alike (`symmetry`), and one view has the very expressions of the view system (`likeness`); beside them stands
the step that finds a quorum (`quorum_step`), by Z3, for each N up to `MOST_WITH_QUORUM` and, taken apart, for any.
What is left is that a system of more attesters is built like those: its text knows no attester by name or number. That
much is argued by hand, and the verdict says so. The tests check besides, in small scopes, for every reachable state,
step and view, that the view takes the step.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

from model.algebra import TRUE, Expression, variables_of
from model.registry_design.system import RegistryDesign
from model.revisions import Revision
from model.scope import Scope
from model.transitions import Action, Variable
from properties.engines.symmetry import Forms, Numbering
from properties.proofs.committees import Committee
from properties.proofs.environment import Openness
from properties.proofs.induction import Induction
from properties.proofs.obligations import Answer, Budget, Outcome
from properties.proofs.projection import within
from properties.proofs.registry_design import quorum_step
from properties.proofs.registry_design.invariants import no_gap_invariant
from properties.proofs.registry_design.open_system import ALL_DETAIL, liberties, open_system
from properties.proofs.registry_design.views import SUPPORTER_IS_FIRST, View, of_attester, view_system
from properties.proofs.session import listed

MOST_WITH_QUORUM = 5
"""Up to how many attesters finding a quorum is proved as it is."""

VIEWS = "views"


def induction(revision: Revision, scope: Scope = ALL_DETAIL) -> Induction[RegistryDesign]:
    """The inductive argument on the view system."""
    system, committee = view_system(revision, scope), Committee.of(2)
    return Induction(
        system,
        no_gap_invariant(system, committee.byzantine),
        TRUE,
        {"no_gaps_on_main_node": ~system.main.store.certified.has_gap},
        liberties=(*_open_views(system, committee), *liberties(system, committee.byzantine)),
    )


def _open_views(system: RegistryDesign, committee: Committee) -> Iterator[Openness]:
    """Each of the two attesters may be Byzantine, each may be the supporter, with the weight of a quorum if honest."""
    lies = dict[Expression, Expression]({flag: flag for flag in committee.byzantine})
    yield Openness("any of the two may be Byzantine", TRUE, lies)
    for key, (first, name) in enumerate(((TRUE, "first"), (~TRUE, "second"))):
        honest, electorate = ~committee.byzantine[key], system.electorate
        alone = electorate.weight_of([TRUE if other == key else ~TRUE for other in range(2)])
        supports = alone >= electorate.threshold
        yield Openness(f"the {name} may be the supporter", honest, {SUPPORTER_IS_FIRST: first}, supports)


def locality(argument: Induction[RegistryDesign]) -> Iterator[Outcome]:
    """Each part of the invariant speaks about one attester at most, and what it says of one it says of the other."""
    first, second = (of_attester(argument.system, key) for key in (0, 1))
    swap = {**dict(zip(first, second, strict=True)), **dict(zip(second, first, strict=True))}
    numbering = Numbering()
    as_it_is, exchanged = Forms(numbering, {}), Forms(numbering, swap)
    for conjunct in argument.invariant:
        said, why = {as_it_is(part) for part in conjunct.parts}, None
        for part in conjunct.parts:
            read = set(variables_of([part]))
            if read & {*first} and read & {*second}:
                why = f"it speaks about several attesters at once: {part}"
            elif exchanged(part) not in said:
                why = f"it says of one attester what it does not say of the other: {part}"
        yield _outcome(f"{conjunct.name} says the same of each attester by itself", why)


def by_hand(sizes: Sequence[int]) -> str:
    """What stands between those sizes and any, in words."""
    whole = listed([size for size in sizes if size <= MOST_WITH_QUORUM]) or "none"
    return (
        f"views compared for N = {listed(sizes)}, finding a quorum proved as it is for N = {whole}; that the model's "
        "text treats more attesters alike, and adds up their weights, is argued by hand"
    )


def compared(revision: Revision, sizes: Sequence[int], scope: Scope = ALL_DETAIL) -> list[Outcome]:
    """That systems of so many attesters look, from every view, like the view system, but for finding a quorum."""
    return [outcome for size in sizes for outcome in of_size(revision, size, scope)]


def of_size(revision: Revision, attesters: int, scope: Scope = ALL_DETAIL) -> Iterator[Outcome]:
    """The same for so many attesters: all views are alike, and one of them is the view system."""
    whole = open_system(revision, Committee.of(attesters), scope)
    yield _outcome(f"{attesters} attesters are interchangeable", _told_apart(whole))
    yield _outcome(f"{attesters} attesters look from a view like the view system", _seen_apart(whole, revision, scope))


def _outcome(goal: str, why: str | None) -> Outcome:
    return Outcome(VIEWS, goal, Answer.REFUTED if why else Answer.PROVED, why=why)


def _told_apart(whole: RegistryDesign) -> str | None:
    """What an exchange of two neighbours changes; none if nothing."""
    numbering = Numbering()
    as_it_is, keys = Forms(numbering, {}), list(range(len(whole.topology.attesters)))
    known = {_call(action, {}): as_it_is.of_action(action) for action in _local(whole)}
    for one, other in pairwise(keys):
        order = [{one: other, other: one}.get(key, key) for key in keys]
        renaming = View(whole, tuple(order)).onto(whole) | _flags(order, keys)
        names = {whole.topology.attesters[a]: whole.topology.attesters[b] for a, b in zip(order, keys, strict=True)}
        exchanged = Forms(numbering, renaming)
        for action in _local(whole):
            if known.get(_call(action, names)) != exchanged.of_action(action):
                return f"{action} of {action.node}"
        if why := _starts_apart(whole.variables, whole.variables, renaming):
            return why
    return None


def _seen_apart(whole: RegistryDesign, revision: Revision, scope: Scope) -> str | None:
    """What the first two attesters' view of the system has that the view system does not have; none if nothing."""
    viewed, keys = view_system(revision, scope), (0, 1)
    names = {whole.topology.attesters[key]: viewed.topology.attesters[key] for key in keys}
    renaming = View(whole, keys).onto(viewed)
    numbering = Numbering()
    seen, expected = Forms(numbering, renaming | _flags(keys, keys)), Forms(numbering, {})
    known = {_call(action, {}): expected.of_action(action) for action in _local(viewed)}
    for action in _local(whole):
        is_seen = actor_of(action, whole) in (None, *names)
        if is_seen and known.get(_call(action, names)) != seen.of_action(within(action, renaming)):
            return f"{action} of {action.node}"
    return _starts_apart(whole.variables, viewed.variables, renaming)


def _flags(these: Iterable[int], become: Iterable[int]) -> dict[Expression, Expression]:
    """The renaming of who is Byzantine, and of the weights, by keys."""
    pairs = list(zip(these, become, strict=True))
    committee = Committee.of(1 + max(key for pair in pairs for key in pair))
    renaming: dict[Expression, Expression] = {}
    for one, other in pairs:
        renaming |= {committee.byzantine[one]: committee.byzantine[other]}
        renaming |= {committee.weights[one]: committee.weights[other]}
    return renaming


def _starts_apart(
    mine: Iterable[Variable], theirs: Iterable[Variable], renaming: Mapping[Expression, Expression]
) -> str | None:
    """A variable whose initial value or domain is not that of the one that it becomes; none if there is none."""
    known = {each.expression: each for each in theirs}
    for each in mine:
        other = known.get(renaming[each.expression]) if each.expression in renaming else each
        if other is None or (each.initial, each.low, each.high) != (other.initial, other.low, other.high):
            return f"{each.name} at the start"
    return None


def _local(system: RegistryDesign) -> Iterator[Action]:
    """The actions that look at one attester at most; finding a quorum is `quorum_step`'s."""
    return (action for action in system.actions if action.name != "find_quorum")


def actor_of(action: Action, system: RegistryDesign) -> str | None:
    """The attester that an action is about: whose node acts, or whose connection or vote it is; none if it is the main
    node's own."""
    about = [action.node, *(value for _, value in action.arguments)]
    return next((name for name in system.topology.attesters if name in about), None)


def _call(action: Action, names: Mapping[str, str]) -> tuple[str, str]:
    """The action's node and call after the attesters are renamed."""
    arguments = tuple((label, names.get(str(value), value)) for label, value in action.arguments)
    return names.get(action.node, action.node), str(replace(action, arguments=arguments))


def quorums(revision: Revision, sizes: Sequence[int], budget: Budget) -> list[Outcome]:
    """That finding a quorum is a step of views: as it is for few attesters, and taken apart for any number."""
    outcomes = quorum_step.lemmas(revision, budget.within("lemma"))
    for size in (size for size in sizes if size <= MOST_WITH_QUORUM):
        outcomes += quorum_step.of_size(revision, size, budget.within(f"quorum {size}"))
    return outcomes
