"""Small systems whose times are known without a search."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest

from model.algebra import Bool, Int, const, truth
from model.revisions import REVISIONS
from model.scope import Scope, instance
from model.service import AttestationSystem
from model.topology import direct
from model.transitions import Action, Namespace, Transition, Variable
from model.votes import Electorate

Effect = tuple[str, int | Int | Bool]
Declared = tuple[str, str, Bool, Sequence[Effect]]


@dataclass(frozen=True)
class Counts:
    """Batches sealed, and batches with a certificate."""

    sealed: Int
    certified: Int


@dataclass(frozen=True)
class Toy(AttestationSystem):
    """A system that is nothing but its actions."""

    @property
    def next_batch_to_attest(self) -> Int:
        return self.state.certified  # type: ignore[no-any-return]

    @property
    def main(self) -> Any:
        largest = self.state.certified - 1
        return SimpleNamespace(store=SimpleNamespace(certified=SimpleNamespace(largest=largest)))


# What the claims ask of a service, nothing here does.
Toy.__abstractmethods__ = frozenset()


class Maker:
    """Declares variables and actions, by name and node."""

    def __init__(self) -> None:
        self.space = Namespace()
        self.actions: list[Action] = []
        self.sealed = self.space.number("sealed", 0, 1000, 1)
        self.certified = self.space.number("certified", 0, 1000, 1)

    def flag(self, name: str, initial: bool = False) -> Bool:
        return self.space.flag(name, initial)

    def number(self, name: str, high: int) -> Int:
        return self.space.number(name, 0, high, 0)

    def action(self, name: str, node: str, guard: Bool, **effects: int | Bool | Int) -> None:
        variables = {variable.name: variable for variable in self.space.declared}
        updates = tuple((variables[place], _expression(variables[place], value)) for place, value in effects.items())
        self.actions.append(Action(Transition(name, "", "", lambda: None), node, (), guard, updates))

    def seals(self, **effects: int) -> None:
        """A batch is sealed as soon as the one before it has its certificate, and the work on it begins."""
        idle = self.sealed == self.certified
        self.action("seal_batch", "M", idle, sealed=self.sealed + 1, **effects)

    def certifies(self, guard: Bool, **effects: int) -> None:
        waiting = self.sealed > self.certified
        self.action("insert_qc", "M", waiting & guard, certified=self.certified + 1, **effects)

    @property
    def system(self) -> Toy:
        scope = Scope(instance("n2f0b0"))
        topology = direct(("a", "b"), ("a", "b"), echo=False)
        return Toy(
            name="toy",
            state=Counts(self.sealed, self.certified),
            variables=tuple(self.space.declared),
            actions=tuple(self.actions),
            topology=topology,
            electorate=Electorate((const(1), const(1)), const(2)),
            revision=REVISIONS["pr161+era2539"],
            scope=scope,
        )


def _expression(variable: Variable, value: int | Bool | Int) -> Bool | Int:
    if isinstance(value, Bool | Int):
        return value
    return truth(bool(value)) if variable.is_boolean else const(value)


@pytest.fixture
def maker() -> Callable[[], Maker]:
    return Maker
