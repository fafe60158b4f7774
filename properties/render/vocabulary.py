"""What the reports of one design are told with. Each design of `model` has a package of the same name here."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from model.revisions import CONTROLLER, REGISTRY
from model.scope import Scope

if TYPE_CHECKING:
    from properties.render.facts import Facts
    from properties.render.sequence import Teller
    from properties.render.story import Story


@dataclass(frozen=True)
class Vocabulary:
    """The words of one design.

    Variables: `parts` matches one that is a part of a vote or certificate, whose field is its first group; `named` are
    those whose values have names; `meanings` say what each stands for, by the label that it has in a legend: `{}`, x, y
    and z are names of nodes and attesters, n is a number. `coarse` says what a switch of the scope leaves out while it
    is off, `bounds` what else the scope has that matters in this design. `teller` has the events of a step.

    Violations: `explanations` say by property what is false in the last state. `causes` and `effects` say, by kind of
    counterexample or else by property, what led there and what follows. All these sentences name `facts` in braces.
    `reason` is the violation that a run comes of: its own, or one that has the other in its wake.
    """

    parts: re.Pattern[str]
    named: tuple[tuple[re.Pattern[str], Mapping[int, str]], ...]
    bounds: Callable[[Scope], Iterator[str]]
    teller: type[Teller]
    facts: type[Facts]
    reason: Callable[[Story], tuple[str, str | None]]
    meanings: Mapping[str, str]
    coarse: Mapping[str, str]
    causes: Mapping[str, str]
    effects: Mapping[str, str]
    explanations: Mapping[str, str] = field(default_factory=dict)

    def field_of(self, variable: str) -> str:
        """The field that a variable belongs to: a vote's number and hash are one field."""
        match = self.parts.fullmatch(variable)
        return match[1] if match else variable


def texts(package: str) -> dict[str, Any]:
    """The texts of a design, `words.toml`."""
    return tomllib.loads(files(package).joinpath("words.toml").read_text(encoding="utf-8"))


def vocabulary_of(design: str) -> Vocabulary:
    """The vocabulary of a design, imported when it is needed."""
    package = {REGISTRY: "registry_design", CONTROLLER: "controller_design"}[design]
    found: Vocabulary = import_module(f"properties.render.{package}").VOCABULARY
    return found
