"""A system in Promela, for SPIN: one process, one `d_step` for each action.

An `always` property is an assertion in each state, an `eventually` property a formula of linear temporal logic. SPIN's
own fairness is about processes, of which there is one; and a formula that lists the fair actions would be too large for
it. So a counter goes round the fair actions: it waits for each until that is taken, or cannot be. A run is fair if the
counter goes round for ever. Only with that does the model have the counter, and a step that changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from textwrap import wrap

from model.algebra import Bool, Expression, Int, conjuncts, name_of, post_order, variables_of
from model.service import AttestationSystem
from model.transitions import Action, Variable
from properties.claims.kinds import Kind, Property
from properties.engines.packing import bits_of
from properties.engines.stepper import Stepper
from properties.export.claims import Claims
from properties.export.names import Names
from properties.render.formulas import WIDTH, Formulas, Notation
from properties.render.specification import about, legend, names_of_the_model

WORDS = """
    active assert atomic bit bool break byte chan d_step do else empty enabled end eval false fi full goto hidden if
    init inline int len ltl mtype nempty never nfull none now od of printf priority proctype provided run short skip
    timeout trace true typedef unless unsigned until weak always eventually next took turn round fault CLAIM
    FAIR
"""
RESERVED = frozenset(WORDS.split())
"""The words of Promela, and of the model."""

HOW_TO_RUN = (
    "Safety: spin -a -DCLAIM=no_gaps_on_main_node FILE; gcc -O3 -DSAFETY -DNOREDUCE -o pan pan.c; ./pan -m1000000. "
    "CLAIM is a property of those below; a witness of one that is said to happen is searched with "
    "-DCLAIM='!certificate_stored'; without CLAIM the states are counted. With gcc -DBFS the run that is found is a "
    "shortest one. Liveness: spin -a -DFAIR FILE; gcc -O3 -DNOREDUCE -o pan pan.c; ./pan -a -m1000000 -N "
    "every_batch_certified."
)


NO_ACTION = 255
"""What the counter that goes round the fair actions is told of a step that none of them takes."""


MOST_OPERATORS = 200_000
"""SPIN spells definitions out wherever they are used, and takes minutes where that makes more operators than these."""


class Unwritable(ValueError):
    """What Promela cannot say as it is meant."""


def promela(system: AttestationSystem) -> str:
    """The system as a Promela model. Raises `Unwritable`."""
    return "\n".join(_Model(system).lines()) + "\n"


class _Model:
    def __init__(self, system: AttestationSystem) -> None:
        self.system = system
        self.claims = Claims(system)
        self.names = Names(RESERVED)
        for variable in system.variables:
            self.names(variable.name)
        roots = self.claims.formulas()
        _refuse(roots)
        notation = Notation(
            variable=lambda node: self.names(name_of(node)),
            definition=self.names,
            truths=("false", "true"),
            conjunction="&&",
            disjunction="||",
            negation="!",
            equal="==",
            quotient="/",
            choice=("(", " -> ", ": ", ")"),
        )
        self.formulas = Formulas(roots, names_of_the_model(system), notation)
        self.eventual = list(self.claims.of(Kind.EVENTUALLY))
        self.temporaries = 0

    def lines(self) -> Iterator[str]:
        for text in (*about(self.system), "`none` is -1.", HOW_TO_RUN):
            yield from _comment(text)
        yield "\n#define none (-1)\n"
        for text in legend(self.system):
            yield from _comment(text)
        for variable in self.system.variables:
            yield from self._declared(variable)
        yield ""
        for node, name in self.formulas.definitions.items():
            yield from _macro(name, self.formulas.spelt_lines(node))
        yield from self._properties()
        effects = [line for same in self.claims.by_transition() for line in self._transition(same)]
        yield ""
        yield from (f"short before_{number} = 0;" for number in range(1, self.temporaries + 1))
        yield from effects
        yield from self._fairness()
        yield from self._process()

    def _declared(self, variable: Variable) -> Iterator[str]:
        """Promela's numbers are natural ones: what can be less is stored with an offset, and read without it."""
        name, low = self.names(variable.name), variable.low or 0
        if variable.is_boolean:
            yield f"bit {name} = {variable.initial};"
        elif low == 0:
            yield f"unsigned {name} : {bits_of(variable)} = {variable.initial};"
        else:
            yield f"unsigned {name}_stored : {bits_of(variable)} = {variable.initial - low};"
            yield f"#define {name} ({name}_stored {'-' if low < 0 else '+'} {abs(low)})"

    def _all_of(self, parts: Sequence[Bool]) -> Iterator[str]:
        """The conjunction of these, each in lines of its own."""
        for place, part in enumerate(parts):
            lines = self.formulas.lines(part)
            if len(parts) > 1 and any("||" in line for line in lines):
                lines = [f"({lines[0]}", *lines[1:-1], f"{lines[-1]})"] if lines[1:] else [f"({lines[0]})"]
            yield from (lines if place == 0 else [f"&& {lines[0]}", *lines[1:]])

    def _properties(self) -> Iterator[str]:
        for kind in (Kind.ALWAYS, Kind.SOMETIMES):
            for claim in self.claims.of(kind):
                yield ""
                yield from _comment(f"{kind}: {claim.sentence}")
                parts = self.claims.stated(claim)
                if spelt_out(parts) > MOST_OPERATORS:
                    yield from _comment(f"{claim.name} is left out: spelt out it is too long for SPIN.")
                else:
                    yield from _macro(claim.name, list(self._all_of(parts)))
        yield ""
        yield from _comment(self.claims.unsaid())

    def _transition(self, actions: list[Action]) -> Iterator[str]:
        """The actions of one transition, under what its docstring says."""
        about = actions[0].transition
        yield from ["", *_comment(f"{about.about} ({about.source})")]
        for action in actions:
            name = self.names.action(action)
            yield from _macro(f"can_{name}", list(self._all_of(conjuncts(action.guard))))
            yield f"#define {name} {_continued(['', *self._effect(action)])}"

    def _effect(self, action: Action) -> Iterator[str]:
        """What an action assigns, one after the other, though all right sides are about the state before it: nothing is
        assigned that another right side still reads. Where that is a circle, one value is kept until the others are
        assigned."""
        left = {variable.expression: (variable, value) for variable, value in action.updates}
        kept: list[tuple[Variable, str]] = []
        while left:
            readers: dict[Expression, set[Expression]] = {}
            for target, (_, value) in left.items():
                for leaf in variables_of([value]):
                    readers.setdefault(leaf, set()).add(target)
            free = next((each for each in left if readers.get(each, set()) <= {each}), None)
            variable, value = left.pop(next(iter(left)) if free is None else free)
            lines = self.formulas.lines(self._as_stored(variable, value))
            if free is None:
                self.temporaries = max(self.temporaries, len(kept) + 1)
                kept.append((variable, f"before_{len(kept) + 1}"))
                yield from _assigned(kept[-1][1], lines)
            else:
                yield from _assigned(self._place(variable), lines)
        for variable, text in kept:
            yield f"{self._place(variable)} = {text}; {text} = 0;"

    def _place(self, variable: Variable) -> str:
        return f"{self.names(variable.name)}{'_stored' if variable.low else ''}"

    def _as_stored(self, variable: Variable, value: Expression) -> Expression:
        return value - variable.low if isinstance(value, Int) and variable.low else value

    def _fairness(self) -> Iterator[str]:
        """What is done after each step: nothing, or the counter of the fair actions."""
        yield ""
        guards = [action.guard for action in self.system.actions]
        if self.eventual and spelt_out(guards) * len(guards) > MOST_OPERATORS:
            yield from _comment(f"{', '.join(claim.name for claim in self.eventual)}: left out, too long for SPIN.")
            self.eventual = []
        if not self.eventual:
            yield "#define took(number, is_fault)"
            return
        yield from _comment(
            "turn: the fair action that is waited for. round: whether each was taken, or could not be, since the last "
            "round. fault: whether the last step was one of those that do not go on for ever."
        )
        yield "#ifdef FAIR"
        fair = [self.names.action(action) for action in self.system.actions if self.is_fair(action)]
        chosen = "false"
        for number, name in reversed(list(enumerate(fair))):
            chosen = f"(turn == {number} -> can_{name} : {chosen})"
        yield from ["byte turn = 0;", "bit round = 0;", "bit fault = 0;"]
        bits = [(f"{claim.name}_{number}", part) for claim in self.eventual for number, part in self._numbered(claim)]
        initial = Stepper(self.system).evaluator(*(part for _, part in bits))(Stepper(self.system).initial)
        yield from (f"bit {name} = {int(value)};" for (name, _), value in zip(bits, initial, strict=True))
        yield f"#define awaited_is_possible {chosen}"
        step = ["; fault = is_fault;", "if", ":: turn == number || !awaited_is_possible ->"]
        step += [
            f"    round = (turn == {len(fair) - 1}); turn = (round -> 0 : turn + 1)",
            ":: else -> round = 0",
            "fi;",
        ]
        for name, part in bits:
            step += _assigned(name, self.formulas.lines(part))
        yield f"#define took(number, is_fault) {_continued(['', *step])}"
        for claim in self.eventual:
            goals = " && ".join(f"([]<> {claim.name}_{number})" for number, _ in self._numbered(claim))
            yield from _comment(f"eventually: {claim.sentence} Assumed: {claim.assumptions}.")
            yield f"ltl {claim.name} {{ (([]<> round) && (<>[] !fault)) -> ({goals}) }}"
        yield from ["#else", "#define took(number, is_fault)", "#endif"]

    def _numbered(self, claim: Property) -> list[tuple[int, Bool]]:
        return list(enumerate(self.claims.parts(claim), 1))

    def is_fair(self, action: Action) -> bool:
        return any(self.claims.is_fair(claim, action) for claim in self.eventual)

    def _process(self) -> Iterator[str]:
        yield "\nactive proctype nodes() {"
        yield "end:"
        yield "    do"
        number = 0
        for action in self.system.actions:
            name = self.names.action(action)
            is_fair, is_fault = self.is_fair(action), any(action.name in claim.without for claim in self.eventual)
            told = f"{number if is_fair else NO_ACTION}, {'true' if is_fault else 'false'}"
            yield f"    :: d_step {{ can_{name} -> {name} took({told}) }}"
            number += is_fair
        if self.eventual:
            yield from ["#ifdef FAIR", f"    :: d_step {{ true took({NO_ACTION}, false) }}", "#endif"]
        yield from ["#ifdef CLAIM", "    :: d_step { !(CLAIM) -> assert(false) }", "#endif"]
        yield "    od"
        yield "}"


def _refuse(roots: Sequence[Expression]) -> None:
    """Raises `Unwritable` for what numbers of 32 bits, or a division that rounds towards 0, would get wrong."""
    for node in post_order(roots):
        if not (node.low is not None and node.low >= -(2**31) and node.high is not None and node.high < 2**31):
            raise Unwritable(f"Promela has numbers of 32 bits, and here are some of {node.low} to {node.high}")
        if node.op == "floordiv" and node.args[0].low is not None and node.args[0].low < 0:
            raise Unwritable(f"{node} may divide a negative number, which Promela does not round down")


def spelt_out(roots: Sequence[Expression]) -> int:
    """How many operators and operands these have if nothing is defined once and used often."""
    sizes: dict[Expression, int] = {}
    for node in post_order(roots):
        sizes[node] = 1 + sum(sizes[arg] for arg in node.args)
    return sum(sizes[root] for root in roots)


def _assigned(place: str, lines: Sequence[str]) -> list[str]:
    first, *more = lines
    last = [f"{more[-1]};"] if more else []
    return [f"{place} = {first}{'' if more else ';'}", *more[:-1], *last]


def _continued(lines: Sequence[str]) -> str:
    return " \\\n    ".join(lines)


def _macro(name: str, lines: Sequence[str]) -> Iterator[str]:
    """A condition or number by name."""
    if len(lines) == 1 and len(lines[0]) < WIDTH - len(name):
        yield f"#define {name} ({lines[0]})"
        return
    yield f"#define {name} ({_continued(['', *lines])})"


def _comment(text: str) -> list[str]:
    lines = wrap(text.replace("*/", "* /"), WIDTH + 16, break_on_hyphens=False)
    return ["/* " + "\n   ".join(lines) + " */"]
