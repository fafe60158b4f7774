"""Random systems and properties: scopes of the model with any switches, and systems that are nothing but small.

Whatever is random comes from one seed, so that a run can be repeated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from random import Random
from typing import cast

from model.algebra import TRUE, Bool, Expression, Int, all_of, any_of, const, greatest, total, where
from model.revisions import PROPOSALS, REVISIONS, revision
from model.scope import BAD_SIGNATURE, FOREIGN_GENESIS, SUPERVISED, BadScope, Scope, instance
from model.service import AttestationSystem
from model.system import build
from model.transitions import Action, Namespace, Step, Variable, transition, updates
from properties.claims.kinds import Conjunct, CounterexampleKind, Kind, Property

INSTANCES = ("n1f0b0", "n1f0b0", "n1f0b1", "n2f0b0", "n2f0b0", "n2f0b1", "n2f0b2", "n3f0b0", "n3f0b0", "w2,1b0")

SWITCHES: dict[str, tuple[object, ...]] = {
    "topology": ("relay", "relays", "relay_chain", "observed", "mesh"),
    "queue": (0, 2),
    "restarts": (1, None),
    "disconnects": (1, None),
    "lesser_hashes": (1,),
    "restarting": ("M", "a"),
    "pruned": ("M", "a"),
    "pruned_batches": (2,),
    "regeneses": (1,),
    "bad_votes": (BAD_SIGNATURE, FOREIGN_GENESIS),
    "supervised": SUPERVISED,
    "unanswered": ("a", "X"),
    "committees": ("1,1;2,1", "1;none", "1,1,1;error"),
    "split": ("M", "a"),
    "errors": (1, None),
    "failing": ("M", "a"),
    "stale_answers": (1,),
    "restores": (1,),
    "fallbacks": (1,),
    "divergences": (1,),
    "astray": ("a", "ab"),
    "message_limit": (1,),
    "quorum": (1, 2),
    **dict.fromkeys(
        (
            "main_attests",
            "late_answers",
            "finder_steps",
            "attester_steps",
            "own_finders",
            "echo",
            "late_batches",
            "some_bad_votes",
            "prunes_after_status",
            "prunes_certified",
            "replays",
            "call_steps",
            "certificate_steps",
        ),
        (True,),
    ),
}
"""Every switch of a scope, but for the one that recorded logs alone have, with the values that are not its default."""


def random_scope(random: Random) -> tuple[str, Scope]:
    """A revision and a scope, with any few of the switches."""
    while True:
        switches = {
            name: random.choice(SWITCHES[name])
            for name in random.sample(sorted(SWITCHES), random.choice((0, 1, 2, 3, 4, 5)))
        }
        committee, batches = instance(random.choice(INSTANCES)), random.choice((1, 1, 2, 2, 3))
        try:
            return random.choice([*REVISIONS, *PROPOSALS]), Scope(committee, batches, **switches)  # type: ignore[arg-type]
        except BadScope:
            continue


def random_model(random: Random) -> tuple[str, AttestationSystem]:
    """A random scope of the model, by name, and its system."""
    while True:
        name, scope = random_scope(random)
        try:
            return f"{name}, {scope.instance.name}, {scope.name}", build(revision(name), scope)
        except BadScope:
            continue


@cache
def _frame() -> AttestationSystem:
    """A system of the model. Checks take no others, so that one of another making is this with other contents."""
    return build(next(iter(REVISIONS.values())), Scope(instance("n1f0b0"), 1))


@transition("a random system")
def one(state: object) -> Step[object]:
    """A step of a random system."""
    raise AssertionError


@transition("a random system")
def another(state: object) -> Step[object]:
    """A step of a random system, of another name."""
    raise AssertionError


def random_system(random: Random) -> tuple[str, AttestationSystem]:
    """Up to three attesters that do alike, with one exception or none; what each does is random."""
    number = random.choice((1, 2, 2, 3, 3))
    space = Namespace()
    shared = tuple(space.within("common").number(f"n{place}", *random_domain(random)) for place in range(2))
    domains = [random_domain(random) for _ in range(random.choice((1, 1, 2)))]
    blocks = tuple(
        tuple(space.within(name).owned_by(name).number(f"n{place}", *each) for place, each in enumerate(domains))
        for name in "abc"[:number]
    )
    state = (shared, blocks)
    variables = {variable.expression: variable for variable in space.declared}
    actions = []
    for place in range(random.choice((2, 3, 4, 5))):
        seed, taken = random.randrange(2**32), random.choice((one, another))
        for index in range(number):
            step = _random_step(Random(seed), state, index)
            changes = updates(state, step.then, variables)
            if changes:
                arguments: tuple[tuple[str, int | str], ...] = (("place", place), ("of", "abc"[index]))
                actions.append(Action(taken, "M", arguments, step.when, changes))
    if random.random() < 0.3 and len(actions) > 1:
        actions.pop(random.randrange(len(actions)))
    declared = space.declared
    if random.random() < 0.15:
        place = random.randrange(len(declared))
        declared[place] = _starting_elsewhere(random, declared[place])
    return NO_MODEL, replace(_frame(), variables=tuple(declared), actions=tuple(actions))


NO_MODEL = "a random system"
"""The name of a system that is no scope of the model."""


def random_domain(random: Random) -> tuple[int, int, int]:
    """The least, the greatest and the first value of a variable."""
    low = random.choice((-1, 0, 0, 5))
    return low, low + random.choice((1, 2, 3)), low


def _starting_elsewhere(random: Random, variable: Variable) -> Variable:
    return replace(variable, initial=random.randint(variable.low or 0, variable.high or 0))


State = tuple[tuple[Int, ...], tuple[tuple[Int, ...], ...]]


def _random_step(random: Random, state: State, index: int) -> Step[State]:
    """A step of one attester. It may read all, the others in no order; it changes what is its own or what is common."""
    shared, blocks = state
    readable = [*shared, *blocks[index], *_in_no_order(random, blocks)]
    guard = any_of(random_condition(random, readable) for _ in range(random.choice((1, 2, 2))))
    common, own = list(shared), list(blocks[index])
    for part in (common, own):
        if random.random() < 0.7:
            place = random.randrange(len(part))
            part[place] = _within(random_number(random, readable), part[place])
    after = tuple(tuple(own) if place == index else block for place, block in enumerate(blocks))
    return Step(guard, (tuple(common), after))


def _in_no_order(random: Random, blocks: tuple[tuple[Int, ...], ...]) -> list[Int]:
    """Numbers about all attesters that no exchange of attesters changes."""
    place = random.randrange(len(blocks[0]))
    of_all = [block[place] for block in blocks]
    value = random.randint(of_all[0].low or 0, of_all[0].high or 0)
    return [greatest(of_all), total(where(each == value, const(1), const(0)) for each in of_all)]


def _within(value: Int, variable: Int) -> Int:
    """The value, brought into the variable's domain: what is beyond it goes round."""
    low, high = const(variable.low or 0), const(variable.high or 0)
    return where(value < low, high, where(value > high, low, value))


def random_number(random: Random, readable: list[Int]) -> Int:
    """A number made of these."""
    chosen = random.choice(readable)
    match random.randrange(5):
        case 0:
            return const(random.randint(-1, 6))
        case 1:
            return chosen + random.choice((-1, 1, 1))
        case 2:
            return where(random_condition(random, readable), chosen, random.choice(readable))
        case 3:
            return (chosen + random.choice(readable) + 2) // 2
    return chosen + 1


def random_condition(random: Random, readable: list[Int]) -> Bool:
    """A condition on these numbers."""
    chosen = random.choice(readable)
    value = random.randint(chosen.low or 0, chosen.high or 0)
    conditions: list[Callable[[], Bool]] = [
        lambda: chosen <= value,
        lambda: chosen >= value,
        lambda: chosen != value,
        lambda: chosen == random.choice(readable),
        lambda: (chosen <= value) | (random.choice(readable) < random.choice(readable)),
    ]
    return random.choice(conditions)()


def random_properties(random: Random, system: AttestationSystem) -> Iterator[Property]:
    """Properties of every kind: about one attester, about each, and about all in no order; and one of many parts."""
    names = sorted({action.name for action in system.actions})
    for kind in Kind:
        for of_each in (False, True):
            yield _random_property(random, system, kind, names, of_each)
    if random.random() < 0.1:
        parts = tuple(_parts(random, system, of_each=False)[0] for _ in range(70))
        yield Property("many parts", Kind.POSSIBLE, "", "", "", lambda _: parts, without=frozenset(names[:1]))


def _random_property(
    random: Random, system: AttestationSystem, kind: Kind, names: list[str], of_each: bool
) -> Property:
    parts = _parts(random, system, of_each)
    described = _condition(random, system, None)
    kinds = (CounterexampleKind("described", "", "", lambda _: described),) if kind is Kind.POSSIBLE else ()
    without = frozenset(name for name in names if random.random() < 0.3)
    fair = frozenset(name for name in names if random.random() < 0.7)
    about = "each" if of_each else "one or all"
    return Property(f"{kind} about {about}", kind, "", "", "", lambda _: parts, kinds, without, fair)


def _parts(random: Random, system: AttestationSystem, of_each: bool) -> tuple[Conjunct, ...]:
    owners = sorted({variable.owner for variable in system.variables if variable.owner})
    chosen: list[str | None] = list(owners) if of_each and owners else [random.choice([*owners, None, None, None])]
    seed = random.randrange(2**32)
    return tuple(_conjunct(Random(seed), system, owner) for owner in chosen)


def _conjunct(random: Random, system: AttestationSystem, owner: str | None) -> Conjunct:
    holds = _condition(random, system, owner)
    when = _condition(random, system, owner) if random.random() < 0.5 else TRUE
    return Conjunct(f"of {owner}", holds, when)


def _condition(random: Random, system: AttestationSystem, owner: str | None) -> Bool:
    """A condition on what is nobody's and, with an owner, what is its own; without, on all attesters in no order."""
    owned: dict[str | None, list[Expression]] = {}
    for variable in system.variables:
        owned.setdefault(variable.owner, []).append(variable.expression)
    of_nobody = owned.pop(None, [])
    if random.random() < 0.4 and of_nobody:
        return _about(random, of_nobody)
    if owner is not None:
        return _about(random, owned[owner])
    seed, quantifier = random.randrange(2**32), random.choice((any_of, all_of))
    return quantifier(_about(Random(seed), variables) for variables in owned.values()) if owned else TRUE


def _about(random: Random, variables: list[Expression]) -> Bool:
    """A condition on one or two of these variables, by their places."""
    first, second = (variables[random.randrange(len(variables))] for _ in range(2))
    one_of, other = (
        each if isinstance(each, Bool) else random_condition(random, [cast(Int, each)]) for each in (first, second)
    )
    return random.choice((one_of, one_of & other, one_of | other, ~one_of))
