"""A built system as a specification: variables, definitions, every action with its guard and what it changes, fairness.

What is printed is what every engine runs on, not a description of it; a test reads it back and steps through it.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from functools import cached_property
from textwrap import wrap
from typing import Any

from model.algebra import Bool, Expression, conjuncts, leaves
from model.service import AttestationSystem
from model.transitions import Action, Variable
from properties.claims.catalogue import CATALOGUE
from properties.claims.kinds import Kind
from properties.engines.symmetry import Symmetry
from properties.render.command import scope_options
from properties.render.formulas import WIDTH, Formulas, common_path
from properties.render.vocabulary import vocabulary_of
from properties.render.words import Words, bounds, left_out

INDENT = "    "

READING = (
    "`none` is -1; `no` and `yes` are 0 and 1. A step is one action all of whose conditions hold. It assigns at once: "
    "all right sides are about the state before it. What is not assigned stays as it is."
)


def specification(system: AttestationSystem) -> str:
    return "\n".join(_Specification(system).lines()) + "\n"


class _Specification:
    def __init__(self, system: AttestationSystem) -> None:
        self.system = system
        guards = [part for action in system.actions for part in conjuncts(action.guard)]
        values = [value for action in system.actions for _, value in action.updates]
        self.formulas = Formulas([*guards, *values], names_of_the_model(system))

    def lines(self) -> Iterator[str]:
        yield from self._head()
        yield from self._variables()
        yield from self._definitions()
        for action in self.system.actions:
            yield from self._action(action)
        yield from self._fairness()

    def _head(self) -> Iterator[str]:
        name, *rest = about(self.system)
        yield f"# {name}"
        for text in (*rest, READING):
            yield from comment(text, "")

    def _variables(self) -> Iterator[str]:
        yield "\nvariables"
        variables = self.system.variables
        for text in legend(self.system):
            yield from comment(text)
        width = max((len(each.name) for each in variables), default=0)
        for each in variables:
            yield f"{INDENT}{each.name.ljust(width)}  in {_domain(each)}, at first {_value(each, each.initial)}"
        for attesters in Symmetry(self.system).classes:
            yield f"{INDENT}# interchangeable attesters: {', '.join(attesters)}"

    def _definitions(self) -> Iterator[str]:
        if self.formulas.definitions:
            yield "\ndefinitions"
        for node, name in self.formulas.definitions.items():
            yield from _assigned(f"{name} is", self.formulas.lines(node))

    def _action(self, action: Action) -> Iterator[str]:
        yield f"\naction {action} of {action.node}"
        yield from comment(action.transition.about)
        yield from comment(action.transition.source)
        yield f"{INDENT}when"
        for part in conjuncts(action.guard):
            named = part in self.formulas.definitions
            first, *more = [self.formulas.text(part)] if named else self.formulas.lines(part)
            yield from (f"{INDENT * 2}{line}" for line in (first, *more))
        yield f"{INDENT}then"
        for variable, value in action.updates:
            named = value in self.formulas.definitions
            lines = [self.formulas.text(value)] if named else self.formulas.lines(value)
            yield from (f"{INDENT}{line}" for line in _assigned(f"{variable.name} :=", lines))

    def _fairness(self) -> Iterator[str]:
        taken = list(dict.fromkeys(action.name for action in self.system.actions))
        yield "\nfairness"
        for claim in CATALOGUE:
            if claim.kind is Kind.EVENTUALLY:
                yield from comment(f"as {claim.name} assumes it: an action that stays possible is taken in the end")
                yield from _filled("taken in the end:", [name for name in taken if name in claim.fair])
                yield from _filled("not for ever:", [name for name in taken if name in claim.without])


def about(system: AttestationSystem) -> list[str]:
    """What a system is: the revision and the options that name it; what the revision is; the bounds; what is left
    out."""
    scope, design = system.scope, system.revision.design
    options = " ".join(f"--{name} {shlex.quote(value)}" for name, value in scope_options(scope))
    return [
        f"{system.revision.name} {options}",
        system.revision.about,
        f"bounds: {bounds(scope, design=design)}",
        f"left out: {'; '.join(left_out(scope, design)) or 'nothing'}",
    ]


def legend(system: AttestationSystem) -> Iterator[str]:
    """What the variables mean, and the numbers that stand for something."""
    vocabulary = vocabulary_of(system.revision.design)
    fields = [vocabulary.field_of(each.name) for each in system.variables]
    yield from (f"{label}: {meaning}" for label, meaning in Words(system).legend(fields).items())
    for pattern, names in vocabulary.named:
        named = next((each.name for each in system.variables if pattern.fullmatch(each.name)), None)
        if named:
            values = ", ".join(f"{number} is {word}" for number, word in names.items())
            yield f"a {named.rpartition('.')[2]}: {values}"


def names_of_the_model(system: AttestationSystem) -> dict[Expression, str]:
    """What the model has a word for: the properties of its records that are conditions or numbers."""
    nodes = zip(system.topology.places, system.state.nodes, strict=True)
    placed = [(place.name, node) for place, node in nodes]
    for record in _records(system.state):
        path = common_path(each for each in leaves(record) if each.op == "var")
        placed += [(path, record)] if path else []
    found: dict[str, Expression] = {"next_batch_to_attest": system.next_batch_to_attest}
    for path, record in placed:
        for name, value in (*_derived(record), *_counted(record, system)):
            if isinstance(value, Expression) and value.args:
                found.setdefault(f"{path}.{name}", value)
    return {value: name for name, value in reversed(found.items())}


def _records(part: object) -> Iterator[Any]:
    if isinstance(part, tuple):
        for each in part:
            yield from _records(each)
    elif is_dataclass(part) and not isinstance(part, Expression):
        yield part
        for field in fields(part):
            yield from _records(getattr(part, field.name))


def _derived(record: Any) -> Iterator[tuple[str, object]]:
    for name, member in vars(type(record)).items():
        if isinstance(member, property | cached_property):
            yield name, getattr(record, name)


def _counted(record: Any, system: AttestationSystem) -> Iterator[tuple[str, object]]:
    """What a registry finds in its votes, for this committee."""
    if hasattr(record, "find_quorum"):
        for attester, vote in zip(system.topology.attesters, record.votes, strict=True):
            yield f"support({attester})", record.support(vote, system.electorate)
            yield f"is_quorum({attester})", record.is_quorum(vote, system.electorate)
        quorum = record.find_quorum(system.electorate)
        yield "quorum.found", quorum.found
        yield "quorum.number", quorum.vote.number


def _domain(variable: Variable) -> str:
    if isinstance(variable.expression, Bool):
        return "no, yes"
    low = "" if variable.low is None else _value(variable, variable.low)
    return f"{low} .. {'' if variable.high is None else variable.high}"


def _value(variable: Variable, value: int) -> str:
    if isinstance(variable.expression, Bool):
        return "yes" if value else "no"
    return "none" if value == -1 else str(value)


def comment(text: str, indent: str = INDENT) -> list[str]:
    start = f"{indent}# "
    return wrap(text, WIDTH + 20, initial_indent=start, subsequent_indent=start, break_on_hyphens=False)


def _filled(start: str, names: list[str]) -> list[str]:
    text = f"{start} {', '.join(names) or 'nothing'}"
    return wrap(text, WIDTH + 20, initial_indent=INDENT, subsequent_indent=INDENT * 2, break_on_hyphens=False)


def _assigned(start: str, lines: list[str]) -> Iterator[str]:
    first, *more = lines
    yield f"{INDENT}{start} {first}"
    yield from (f"{INDENT * 2}{line}" for line in more)
