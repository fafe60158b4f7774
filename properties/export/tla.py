"""A system as a TLA+ module, with the configurations that TLC reads.

Variables of interchangeable attesters are functions of the attester, who is a model value, so that TLC's symmetry is
ours. Everything else is a variable of its own. Fairness is stated with each temporal property, which relies on it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from textwrap import fill, wrap

from model.algebra import Bool, Expression, conjuncts
from model.service import AttestationSystem
from model.transitions import Action, Variable
from properties.claims.kinds import Kind, Property
from properties.engines.symmetry import Symmetry
from properties.export.claims import Claims
from properties.export.names import Names
from properties.render.formulas import WIDTH, Formulas, Notation
from properties.render.specification import about, legend, names_of_the_model

WORDS = """
    ASSUME ASSUMPTION AXIOM BOOLEAN CASE CHOOSE CONSTANT CONSTANTS DOMAIN ELSE ENABLED EXCEPT EXTENDS FALSE IF IN
    INSTANCE LET LOCAL MODULE OTHER SF_ SUBSET THEN THEOREM TRUE UNCHANGED UNION VARIABLE VARIABLES WF_ WITH Int Nat
    Permutations none vars Init Next Spec Types Symmetry ConstInit
"""
RESERVED = frozenset(WORDS.split())
"""The words of TLA+, and of the module."""

IN, OR, UNION = "\\in", " \\/ ", " \\cup "

READING = (
    "`none` is -1. A step is one action all of whose conditions hold. An x in the name of a function stands for the "
    "attester that it is applied to. NAME.cfg has the invariants for TLC, NAME_live.cfg what must happen in the end, "
    "which symmetry would confuse."
)


@dataclass(frozen=True)
class Exported:
    """A module and its configurations: of the invariants, under symmetry where there is any, and of the rest, which
    symmetry would confuse. `places` says how the module writes each variable of the system."""

    module: str
    invariants: str
    live: str
    places: dict[str, str]


def tla(system: AttestationSystem, name: str) -> Exported:
    """The system as a module of this name."""
    made = _Module(system, name)
    module, invariants, live = ("\n".join(lines) + "\n" for lines in (made.lines(), made.safety(), made.liveness()))
    places = {each.name: made.places[each.expression].text for each in system.variables}
    return Exported(module, invariants, live, places)


@dataclass(frozen=True)
class _Place:
    """Where the value of a variable is: a variable of the module, and the attester that it is applied to, if any."""

    name: str
    attester: str = ""

    @property
    def text(self) -> str:
        return f"{self.name}[{self.attester}]" if self.attester else self.name


class _Module:
    def __init__(self, system: AttestationSystem, name: str) -> None:
        self.system, self.name = system, name
        self.claims = Claims(system)
        self.symmetry = Symmetry(system)
        self.classes = () if any(each.shared for each in system.variables) else self.symmetry.classes
        self.attesters = [attester for names in self.classes for attester in names]
        self.names = Names({*RESERVED, *self.attesters})
        self.places = dict(self._places())
        notation = Notation(
            variable=lambda node: self.places[node].text,
            definition=self.names,
            truths=("FALSE", "TRUE"),
            conjunction="/\\",
            disjunction="\\/",
            negation="~",
            unequal="#",
            quotient="\\div",
            choice=("IF ", " THEN ", "ELSE ", ""),
            mixes=False,
        )
        self.formulas = Formulas(self.claims.formulas(), names_of_the_model(system), notation)
        self.actions = [(self.names.action(action), action) for action in system.actions]
        self.eventual = list(self.claims.of(Kind.EVENTUALLY))

    def _places(self) -> Iterator[tuple[Expression, _Place]]:
        for variable in self.system.variables:
            owner = variable.owner
            if owner in self.attesters:
                words = re.split(r"(\W)", variable.name)
                path = "".join("x" if word == owner else word for word in words)
                yield variable.expression, _Place(self._function(owner, path), owner)
            else:
                yield variable.expression, _Place(self.names(variable.name))

    def _function(self, owner: str, path: str) -> str:
        """The function of the attesters of a class; each class has its own."""
        number = next(place for place, names in enumerate(self.classes) if owner in names)
        return self.names(path if number == 0 else f"{path} {number + 1}")

    @property
    def groups(self) -> dict[str, list[Variable]]:
        """The variables of the system by that of the module which has them."""
        found: dict[str, list[Variable]] = {}
        for variable in self.system.variables:
            found.setdefault(self.places[variable.expression].name, []).append(variable)
        return found

    def lines(self) -> Iterator[str]:
        yield f"{'-' * 30} MODULE {self.name} {'-' * 30}"
        for text in (*about(self.system), READING):
            yield from _comment(text)
        yield "\nEXTENDS Integers, TLC\n"
        yield from self._declarations()
        yield from self._states()
        for node, name in self.formulas.definitions.items():
            yield from ["", *_defined(name, self.formulas.spelt_lines(node))]
        for actions in self.claims.by_transition():
            yield from self._transition(actions)
        yield "\nNext =="
        yield from (f"    \\/ {name}" for name, _ in self.actions)
        yield "\nSpec == Init /\\ [][Next]_vars"
        for kind in (Kind.ALWAYS, Kind.SOMETIMES):
            for claim in self.claims.of(kind):
                yield from self._about_states(claim)
        for claim in self.eventual:
            yield from self._about_runs(claim)
        yield ""
        yield from _comment(self.claims.unsaid())
        yield "=" * 80

    def _declarations(self) -> Iterator[str]:
        if self.attesters:
            yield "CONSTANTS"
            yield from _listed(self.attesters, ["ATTESTER"] * len(self.attesters))
            yield "\nConstInit =="
            yield from (f'    /\\ {name} = "{name}_OF_ATTESTER"' for name in self.attesters)
            groups = (f"Permutations({{{', '.join(names)}}})" for names in self.classes)
            yield f"\nSymmetry == {UNION.join(groups)}\n"
        yield "none == -1\n"
        for text in legend(self.system):
            yield from _comment(text)
        yield "VARIABLES"
        yield from _listed(list(self.groups), [self._type(each) for each in self.groups.values()])
        yield f"\nvars == {_tuple(self.groups)}"

    def _is_function(self, variables: list[Variable]) -> bool:
        return bool(self.places[variables[0].expression].attester)

    def _type(self, variables: list[Variable]) -> str:
        plain = "Bool" if variables[0].is_boolean else "Int"
        return f"ATTESTER -> {plain}" if self._is_function(variables) else plain

    def _states(self) -> Iterator[str]:
        """The domains of the variables, and the initial state."""
        types, values = ["", "Types =="], ["", "Init =="]
        for name, variables in self.groups.items():
            first = variables[0]
            domain = "BOOLEAN" if first.is_boolean else f"{first.low} .. {first.high}"
            value = self._initial(first)
            if self._is_function(variables):
                owners = ", ".join(self.places[each.expression].attester for each in variables)
                domain, value = f"[{{{owners}}} -> {domain}]", f"[x {IN} {{{owners}}} |-> {value}]"
            types.append(f"    /\\ {name} {IN} {domain}")
            values.append(f"    /\\ {name} = {value}")
        yield from (*types, *values)

    def _initial(self, variable: Variable) -> str:
        if variable.is_boolean:
            return "TRUE" if variable.initial else "FALSE"
        return "none" if variable.initial == -1 else str(variable.initial)

    def _transition(self, actions: list[Action]) -> Iterator[str]:
        """The actions of one transition, under what its docstring says."""
        about = actions[0].transition
        yield from ["", *_comment(f"{about.about} ({about.source})")]
        for action in actions:
            yield f"{self.names.action(action)} =="
            for part in conjuncts(action.guard):
                yield from _item(self.formulas.lines(part))
            changed: dict[str, list[tuple[Variable, Expression]]] = {}
            for variable, value in action.updates:
                changed.setdefault(self.places[variable.expression].name, []).append((variable, value))
            for target, changes in changed.items():
                yield from self._change(target, changes)
            if kept := [each for each in self.groups if each not in changed]:
                yield f"    /\\ UNCHANGED {_tuple(kept)}"

    def _change(self, target: str, changes: list[tuple[Variable, Expression]]) -> Iterator[str]:
        if not self.places[changes[0][0].expression].attester:
            first, *more = self._value_of(changes[0][1])
            yield from _item([f"{target}' = {first}", *more])
            return
        lines = [f"{target}' = [{target} EXCEPT"]
        for place, (variable, value) in enumerate(changes, 1):
            first, *more = self._value_of(value)
            inner = [f"    ![{self.places[variable.expression].attester}] = {first}", *(f"    {line}" for line in more)]
            inner[-1] += "," if place < len(changes) else "]"
            lines += inner
        yield from _item([f"{lines[0]} {lines[1].strip()}"] if len(lines) == 2 else lines)

    def _value_of(self, node: Expression) -> list[str]:
        """What is assigned. A condition is no operand of an equation as it is."""
        lines = self.formulas.lines(node)
        if isinstance(node, Bool) and node.args and node not in self.formulas.definitions:
            lines = [f"({lines[0]}", *lines[1:]]
            lines[-1] += ")"
        return lines

    def _about_states(self, claim: Property) -> Iterator[str]:
        yield ""
        yield from _comment(f"{claim.kind}: {claim.sentence}")
        yield f"{claim.name} =="
        for part in self.claims.stated(claim):
            yield from _item(self.formulas.lines(part))
        if claim.kind is Kind.SOMETIMES:
            yield f"never_{claim.name} == ~{claim.name}"

    def _about_runs(self, claim: Property) -> Iterator[str]:
        yield ""
        yield from _comment(f"Assumed for {claim.name}: {claim.assumptions}.")
        yield f"fair_for_{claim.name} =="
        yield from (f"    /\\ WF_vars({name})" for name, action in self.actions if self.claims.is_fair(claim, action))
        if ending := [name for name, action in self.actions if action.name in claim.without]:
            yield f"    /\\ <>[][~({OR.join(ending)})]_vars"
        yield ""
        yield from _comment(f"{claim.kind}: {claim.sentence}")
        yield f"{claim.name} == fair_for_{claim.name} =>"
        for part in self.claims.parts(claim):
            first, *more = self.formulas.lines(part)
            lines = [f"[]<>({first}", *more]
            yield from _item([*lines[:-1], f"{lines[-1]})"])

    def safety(self) -> Iterator[str]:
        """The configuration of the invariants that symmetry leaves alone."""
        yield from self._configuration()
        if self.attesters:
            yield "SYMMETRY Symmetry"
        yield from ("INVARIANT " + name for name in ("Types", *self._invariants(True)))
        yield from (f"\\* For a run to it: INVARIANT never_{claim.name}" for claim in self.claims.of(Kind.SOMETIMES))

    def liveness(self) -> Iterator[str]:
        """The configuration of what symmetry would confuse."""
        yield from self._configuration()
        yield from (f"INVARIANT {name}" for name in self._invariants(False))
        yield from (f"PROPERTY {claim.name}" for claim in self.eventual)

    def _configuration(self) -> Iterator[str]:
        yield "SPECIFICATION Spec"
        yield "CHECK_DEADLOCK FALSE"
        yield from (f"CONSTANT {name} = {name}" for name in self.attesters)

    def _invariants(self, are_symmetric: bool) -> Iterator[str]:
        for claim in self.claims.of(Kind.ALWAYS):
            parts = [(part,) for part in self.claims.parts(claim)]
            if (not self.attesters or self.symmetry.breaks(parts) is None) is are_symmetric:
                yield claim.name


def _item(lines: Sequence[str]) -> Iterator[str]:
    """An item of a conjunction; what continues it stands further to the right."""
    first, *more = lines
    yield f"    /\\ {first}"
    yield from (f"       {line}" for line in more)


def _defined(name: str, lines: Sequence[str]) -> Iterator[str]:
    if len(lines) == 1:
        yield f"{name} == {lines[0]}"
        return
    yield f"{name} =="
    yield from (f"    {line}" for line in lines)


def _listed(names: Sequence[str], types: Sequence[str]) -> Iterator[str]:
    """Declarations, each with its type as Apalache reads it."""
    for place, (name, kind) in enumerate(zip(names, types, strict=True), 1):
        yield f"    \\* @type: {kind};"
        yield f"    {name}{',' if place < len(names) else ''}"


def _tuple(names: Iterable[str]) -> str:
    return fill(f"<<{', '.join(names)}>>", WIDTH, subsequent_indent=" " * 12)


def _comment(text: str) -> list[str]:
    return wrap(text, WIDTH + 16, initial_indent="\\* ", subsequent_indent="\\* ", break_on_hyphens=False)
