"""A system as SMT-LIB 2: its initial state, its steps, and what is asked of them.

A state is a value of a datatype with a field for each variable; an action is a relation of two states. What is asked of
a property is either whether it is inductive, or whether a run of so many steps violates it, or has its witness.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import z3

from model.algebra import Expression
from model.service import AttestationSystem
from model.transitions import Action
from properties.claims.kinds import Kind, Property
from properties.engines.smt import Terms, WholeNumbers
from properties.export.claims import Claims
from properties.render.specification import about, legend

READING = "-1 is none. The steps have been simplified by the domains, and mean nothing outside of these."


def smtlib(system: AttestationSystem, claims: Sequence[Property], depth: int | None) -> str:
    """The system, and what is asked of these properties, which are about states and say something of it: without a
    depth whether each is inductive, else whether a run of at most so many steps violates it, or has its witness."""
    script = _Script(system)
    asked = script.inductive(claims) if depth is None else script.bounded(claims, depth)
    return "\n".join([*script.lines(claims), *asked]) + "\n"


class _Script:
    def __init__(self, system: AttestationSystem) -> None:
        self.system, self.claims = system, Claims(system)
        self.variables = [variable.expression for variable in system.variables]
        state = z3.Datatype("State")
        sorts = [z3.BoolSort() if each.is_boolean else z3.IntSort() for each in system.variables]
        self.fields = list(zip([f"|{each.name}|" for each in system.variables], sorts, strict=True))
        state.declare("state", *((each.name, sort) for each, sort in zip(system.variables, sorts, strict=True)))
        sort = state.create()
        here = z3.Const("s", sort)
        self.terms = Terms(
            WholeNumbers(), {each: sort.accessor(0, place)(here) for place, each in enumerate(self.variables)}
        )

    def lines(self, claims: Iterable[Property]) -> Iterator[str]:
        yield from (f"; {text}" for text in (*about(self.system), READING, *legend(self.system)))
        yield "(set-logic ALL)"
        fields = "".join(f"\n  ({name} {sort})" for name, sort in self.fields)
        yield f"(declare-datatypes ((State 0)) (((state{fields}))))"
        domains = [self.terms.within_domain(each) for each in self.variables]
        yield _predicate("domains", [each.sexpr() for each in domains if not z3.is_true(each)])
        yield _predicate("initial", [f"(= s {self._made(self._initial())})"])
        for actions in self.claims.by_transition():
            said = actions[0].transition
            yield f"\n; {said.about} ({said.source})"
            yield from map(self._action, actions)
        steps = "".join(f"\n  ({_name(action)} s t)" for action in self.system.actions)
        yield f"(define-fun step ((s State) (t State)) Bool (or{steps}))"
        for claim in claims:
            yield f"\n; {claim.kind}: {claim.sentence}"
            yield _predicate(claim.name, [self._text(part) for part in self.claims.stated(claim)])

    def _text(self, expression: Expression) -> str:
        return str(self.terms(expression).sexpr())

    def _initial(self) -> Iterator[str]:
        for each in self.system.variables:
            number = WholeNumbers().constant(each.initial).sexpr()
            yield str(bool(each.initial)).lower() if each.is_boolean else number

    def _made(self, values: Iterable[str]) -> str:
        return "(state" + "".join(f"\n    {value}" for value in values) + ")"

    def _action(self, action: Action) -> str:
        changed = {variable.expression: value for variable, value in action.updates}
        after = self._made(self._text(changed.get(each, each)) for each in self.variables)
        guard = self._text(action.guard)
        return f"(define-fun {_name(action)} ((s State) (t State)) Bool (and\n  {guard}\n  (= t {after})))"

    def inductive(self, claims: Iterable[Property]) -> Iterator[str]:
        """For each property whether some step leads out of it, within the domains, or it fails at the start. That is
        less than whether it holds: a state where it is broken may be out of reach."""
        yield "(declare-const s State)\n(declare-const t State)"
        for claim in claims:
            broken = f"(or (and (initial s) (not ({claim.name} s))) (and (domains s) ({claim.name} s) (step s t)"
            asked = f"{broken} (not (and (domains t) ({claim.name} t)))))"
            yield from _query(f"{claim.name}: unsat if it is inductive", asked)

    def bounded(self, claims: Iterable[Property], depth: int) -> Iterator[str]:
        """For each property whether a run of at most so many steps violates it, or has its witness."""
        yield from (f"(declare-const s{number} State)" for number in range(depth + 1))
        yield "(assert (initial s0))"
        for claim in claims:
            sought = f"({claim.name} s%d)" if claim.kind is Kind.SOMETIMES else f"(not ({claim.name} s%d))"
            asked = sought % depth
            for number in reversed(range(depth)):
                asked = f"(or {sought % number}\n  (and (step s{number} s{number + 1}) {asked}))"
            what = "its witness" if claim.kind is Kind.SOMETIMES else "a violation"
            yield from _query(f"{claim.name}: sat if a run of at most {depth} steps gets to {what}", asked)


def _predicate(name: str, parts: Sequence[str]) -> str:
    """A condition on a state. SMT-LIB knows no empty conjunction, and none of one part."""
    lines = "".join(f"\n  {part}" for part in parts)
    return f"(define-fun {name} ((s State)) Bool {f'(and{lines})' if len(parts) > 1 else (lines or 'true')})"


def _query(meaning: str, asked: str) -> list[str]:
    return [f'\n(echo "{meaning}")', "(push 1)", f"(assert {asked})", "(check-sat)", "(pop 1)"]


def _name(action: Action) -> str:
    return f"|{action} of {action.node}|"
