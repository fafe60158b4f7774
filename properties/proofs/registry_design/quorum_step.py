"""Finding a quorum, the one step that looks at all attesters at once, seen from the views of two.

Statement. Byzantine attesters weigh less than the threshold, and a quorum is found in a node's registry: then there is
an honest attester such that each view of it, as the supporter, with any other attester that is touched finds the very
same quorum. So the step of the N attesters is a step of views.

For a given N this is one formula for each node, about all weights and votes. For any N it is taken apart: what is found
is one vote, though several attesters may have it; an honest one is among those who have, by induction over the
attesters; and the view in which this one is the supporter finds its vote, which is the quorum. Each of these is a
formula about numbers. That `find_quorum` finds a first one among the votes that have the support of a quorum, and that
support is the sum of weights, taken one attester after the other, is read in the text: that much is argued by hand.
"""

from __future__ import annotations

from collections.abc import Iterator

import z3

from model import rules
from model.algebra import Bool, Expression, bool_variable, const, int_variable, truth, where
from model.registry_design.registry import Registry
from model.registry_design.system import RegistryDesign
from model.revisions import Revision
from model.transitions import Action
from model.votes import NONE, Electorate, Vote
from properties.engines.smt import Term, Terms, WholeNumbers, conjunction
from properties.proofs.committees import Committee
from properties.proofs.obligations import Budget, Outcome, Prover, Statement
from properties.proofs.registry_design.invariants import invariant
from properties.proofs.registry_design.open_system import open_system
from properties.proofs.registry_design.views import SUPPORTER_IS_FIRST, View, view_system

STEP = "quorum step"
LEMMA = "quorum lemma"


def of_size(revision: Revision, attesters: int, budget: Budget) -> list[Outcome]:
    """The statement for so many attesters of any weights: for each node, that some honest attester's views follow."""
    committee = Committee.of(attesters)
    whole, viewed = open_system(revision, committee), view_system(revision)
    before = Terms(WholeNumbers())
    known = invariant(whole, committee.byzantine, ("one_name_per_hash",))
    domains = [before.within_domain(each.expression) for each in whole.variables]
    domains += [before.within_domain(weight) for weight in committee.weights]
    named = [before(conjunct.holds) for conjunct in known]
    prover = Prover([*domains, *named, before(committee.is_below_threshold)], budget)
    outcomes = []
    for action in whole.actions:
        if action.name == "find_quorum":
            with prover.assuming(before(action.guard)):
                goal = f"{attesters} attesters, {action.node}: some honest attester's views find the same"
                outcomes.append(prover.prove(STEP, goal, _followed(whole, viewed, action, before, committee)))
    return outcomes


def _followed(
    whole: RegistryDesign, viewed: RegistryDesign, action: Action, before: Terms, committee: Committee
) -> Term:
    """That there is an honest attester whose views, as the supporter's, all take the step as it is."""
    attesters, names = range(len(committee.weights)), whole.topology.attesters
    ways = []
    for supporter in attesters:
        pairs = [(supporter, other) for other in attesters if other != supporter]
        touched = [keys for keys in pairs if action.node not in names or action.node in [names[key] for key in keys]]
        seen = [_seen(whole, viewed, action, before, keys) for keys in touched]
        ways.append(conjunction([before(~committee.byzantine[supporter]), *seen]))
    return z3.Or(ways)


def _seen(whole: RegistryDesign, viewed: RegistryDesign, action: Action, before: Terms, keys: tuple[int, int]) -> Term:
    """That the view of these attesters, of whom the first is the supporter, takes the step as it is."""
    view = View(whole, keys)
    onto = view.onto(viewed)
    shown: dict[Expression, Term] = {theirs: before(mine) for mine, theirs in onto.items()}
    lies, honesty = Committee.of(len(whole.topology.attesters)).byzantine, Committee.of(2).byzantine
    shown |= {theirs: before(lies[key]) for theirs, key in zip(honesty, keys, strict=True)}
    shown[SUPPORTER_IS_FIRST] = z3.BoolVal(True)
    there = Terms(before.numbers, shown)
    node = view.name_of(action.node)
    same = next(each for each in viewed.actions if each.name == action.name and each.node == node)
    expected = {variable.expression: there(value) for variable, value in same.updates}
    changes = {onto[variable.expression]: before(value) for variable, value in action.updates}
    equal = [changes.get(each, shown[each]) == expected.get(each, shown[each]) for each in {**changes, **expected}]
    return conjunction([there(same.guard), *equal])


def lemmas(revision: Revision, budget: Budget) -> list[Outcome]:
    """The parts of the statement for any number of attesters."""
    statements = [_what_is_found(), *_who_supports_it(), _what_the_view_finds(revision)]
    return [statement.prove(LEMMA, budget) for statement in statements]


def _vote(name: str) -> Vote:
    return Vote(int_variable(f"{name} number", NONE, None), int_variable(f"{name} variant", 0, None))


def _what_is_found() -> Statement:
    """`find_quorum` finds a first among the votes that count; whose it is does not matter."""
    one, other = _vote("one"), _vote("another")
    named_once = [vote.variant != vote.number + 1 for vote in (one, other)]
    neither = (~one.is_newer_than(other), ~other.is_newer_than(one))
    return Statement("all that are first among the quorums are one vote", (*named_once, *neither), _is(one, other))


def _who_supports_it() -> Iterator[Statement]:
    """As long as every attester of a quorum is Byzantine, the quorum weighs at most what the Byzantine attesters weigh;
    that is below the threshold."""
    quorum, byzantine = int_variable("quorum weight", 0, None), int_variable("byzantine weight", 0, None)
    weight, threshold = int_variable("next weight", 1, None), int_variable("threshold", 0, None)
    votes, lies = bool_variable("the next votes for the quorum"), bool_variable("the next is byzantine")
    grown, lying = quorum + where(votes, weight, const(0)), byzantine + where(lies, weight, const(0))
    yield Statement("no attesters weigh the same", (), const(0) <= const(0))
    yield Statement(
        "one attester more, Byzantine if in the quorum", (quorum <= byzantine, ~votes | lies), grown <= lying
    )
    yield Statement(
        "Byzantine attesters alone are no quorum",
        (quorum <= byzantine, byzantine < threshold),
        ~truth(rules.reaches(quorum, threshold)),
    )


def _what_the_view_finds(revision: Revision) -> Statement:
    """The supporter's vote is the quorum, and its view finds that and nothing else."""
    found, mine, other = _vote("quorum's"), _vote("supporter's"), _vote("other's")
    named_once = [vote.variant != vote.number + 1 for vote in (found, mine, other)]
    minimum = int_variable("minimum", 0, None)
    registry = Registry(minimum, (mine, other), revision=revision)
    seen = registry.find_quorum(Electorate((const(1), const(0)), const(1)))
    return Statement(
        "the supporter's view finds the quorum",
        (*named_once, mine.is_same_as(found), found.number != NONE, ~registry.is_kept_only(found)),
        seen.found & _is(seen.vote, found),
    )


def _is(vote: Vote, other: Vote) -> Bool:
    return (vote.number == other.number) & (vote.variant == other.variant)
