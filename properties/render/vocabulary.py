"""What the reports of one design are told with. Each design of `model` has a package of the same name here."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol

from model.algebra import Int
from model.revisions import CONTROLLER, REGISTRY
from model.scope import Scope

if TYPE_CHECKING:
    from properties.render.sequence import Event
    from properties.render.story import Story
    from properties.results.trace import TraceStep


class Facts(Protocol):
    """The names and numbers of a run, as sentences name them in braces."""

    def __getitem__(self, name: str, /) -> str: ...


@dataclass(frozen=True)
class Vocabulary:
    """The words of one design.

    Variables: `parts` matches one that is a part of a vote or certificate, whose field is its first group; `named` are
    those whose values have names; `meanings` are patterns, how each is written in a legend, and what it stands for;
    `derived` are expressions that no variable holds and a reader looks for. `coarse` says what a switch of the scope
    leaves out while it is off, `bounds` what else the scope has that matters in this design. `tell` has the events of a
    step, counted from 1.

    Violations: `explanations` say by property what is false in the last state. `causes` and `effects` say, by kind of
    counterexample or else by property, what led there and what follows; their sentences name `facts` in braces.
    `reason` is the violation that a run comes of: its own, or one that has the other in its wake.
    """

    parts: re.Pattern[str]
    named: tuple[tuple[re.Pattern[str], Mapping[int, str]], ...]
    meanings: tuple[tuple[str, str, str], ...]
    derived: Callable[[Any], Mapping[str, Int]]
    coarse: Mapping[str, str]
    bounds: Callable[[Scope], Iterator[str]]
    tell: Callable[[Story, int, TraceStep], Iterator[Event]]
    explanations: Mapping[str, Callable[[Story], str]]
    facts: Callable[[Story], Facts]
    reason: Callable[[Story], tuple[str, str | None]]
    causes: Mapping[str, str]
    effects: Mapping[str, str]

    def field_of(self, variable: str) -> str:
        """The field that a variable belongs to: a vote's number and hash are one field."""
        match = self.parts.fullmatch(variable)
        return match[1] if match else variable


def _imported(package: str) -> Callable[[], Vocabulary]:
    def vocabulary() -> Vocabulary:
        found: Vocabulary = import_module(f"properties.render.{package}").VOCABULARY
        return found

    return vocabulary


VOCABULARIES: dict[str, Callable[[], Vocabulary]] = {
    REGISTRY: _imported("registry_design"),
    CONTROLLER: _imported("controller_design"),
}
"""By design."""
