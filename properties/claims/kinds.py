"""What a property is: its kind, its conjuncts, and the kinds of its counterexamples."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import TypeVar

from model.algebra import FALSE, TRUE, Bool, any_of
from model.service import AttestationSystem
from model.transitions import Transition
from model.votes import NONE


class Kind(StrEnum):
    """What it means that a property holds."""

    ALWAYS = "always"
    """In every reachable state."""
    POSSIBLE = "possible"
    """From every reachable state where a conjunct's `when` holds, a state where it `holds` can still be reached,
    without any step that the property is `without`."""
    EVENTUALLY = "eventually"
    """No fair run stays for ever in states where a conjunct's `when` holds and the conjunct does not. A run is fair if
    an action of a transition that the property calls `fair`, once enabled without interruption, is taken."""
    SOMETIMES = "sometimes"
    """In some reachable state. It is a witness that the search goes where it should."""


@dataclass(frozen=True)
class Conjunct:
    """A part of a property, in words and as conditions. It says something only where `when` holds."""

    sentence: str
    holds: Bool
    when: Bool = TRUE


@dataclass(frozen=True)
class CounterexampleKind:
    """A kind of counterexample to one property: a name, the predicate that defines it, in words and as a condition on
    the state where the property fails, and why it is final. Kinds of different designs may have one name."""

    name: str
    sentence: str
    because: str
    holds: Callable[[AttestationSystem], Bool]
    design: type = object


D = TypeVar("D", bound=AttestationSystem)

Conjuncts = Callable[[AttestationSystem], tuple[Conjunct, ...]]


def only_of(design: type[D], conjuncts: Callable[[D], tuple[Conjunct, ...]]) -> Conjuncts:
    """A claim about what one design alone has: it says nothing of another."""
    return lambda system: conjuncts(system) if isinstance(system, design) else ()


def kind_of(design: type[D], name: str, sentence: str, because: str, holds: Callable[[D], Bool]) -> CounterexampleKind:
    """A kind of counterexamples that one design alone can have: in another, no state is of it."""
    return CounterexampleKind(name, sentence, because, partial(_holds_in, design, holds), design)


def about_asked(
    design: type[D], name: str, sentence: str, because: str, holds: Callable[[D], Bool]
) -> CounterexampleKind:
    """A kind of counterexamples that speaks of the batch that is asked for: there must be one."""
    return kind_of(
        design, name, sentence, because, lambda system: holds(system) & (system.next_batch_to_attest != NONE)
    )


def _holds_in(design: type[D], holds: Callable[[D], Bool], system: AttestationSystem) -> Bool:
    return holds(system) if isinstance(system, design) else FALSE


@dataclass(frozen=True)
class Property:
    """A claim about the protocol. `conjuncts` says it of a given system; there are none where it does not apply.

    `source` names where the claim, or the code that it is about, comes from; `needs`, what a scope must have for the
    claim to say anything in it. `without` names transitions that do not
    count as ways to what is possible, and that do not go on for ever: faults, above all. `fair` names those that an
    `eventually` property relies on.
    """

    name: str
    kind: Kind
    sentence: str
    assumptions: str
    source: str
    conjuncts: Conjuncts
    kinds: tuple[CounterexampleKind, ...] = ()
    without: frozenset[str] = frozenset()
    fair: frozenset[str] = frozenset()
    needs: str = ""

    def kinds_in(self, system: AttestationSystem) -> tuple[CounterexampleKind, ...]:
        """The kinds that a system of this design can have; in it each has a name of its own."""
        return tuple(kind for kind in self.kinds if isinstance(system, kind.design))


def witness(
    design: type[D],
    name: str,
    sentence: str,
    source: str,
    condition: Callable[[D], Bool],
    applies: Callable[[D], bool] = lambda _: True,
    needs: str = "",
) -> Property:
    """A `sometimes` property of systems of one design, or of any, where it applies: that a state satisfies a
    condition."""

    def conjuncts(system: D) -> tuple[Conjunct, ...]:
        return (Conjunct("it happens", condition(system)),) if applies(system) else ()

    return Property(name, Kind.SOMETIMES, sentence, "none", source, only_of(design, conjuncts), needs=needs)


def is_possible(system: AttestationSystem, transition: Transition, node: str = "", *arguments: tuple[str, str]) -> Bool:
    """Whether a step of this transition, of the node and with the arguments if these are given, is possible now."""
    return any_of(
        action.guard
        for action in system.actions
        if action.name == transition.name
        and node in ("", action.node)
        and all(argument in action.arguments for argument in arguments)
    )
