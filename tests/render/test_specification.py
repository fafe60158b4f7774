"""What `attestation show` prints is what is checked: read back, it takes the same steps as the engine."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import pytest

from model.revisions import revision
from model.scope import BAD_SIGNATURE, Scope, instance
from model.system import build
from model.transitions import TransitionSystem
from properties.cli import main
from properties.engines.stepper import State, Stepper
from properties.render.specification import specification
from properties.scopes.details import DETAILS
from properties.scopes.switches import switched

GOLDEN = Path(__file__).parent / "specification.txt"

CONSTANTS = {"none": -1, "no": 0, "yes": 1}
SIGNS: Mapping[str, Callable[[int, int], int]] = {
    "=": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<=": lambda a, b: a <= b,
    ">=": lambda a, b: a >= b,
    "<": lambda a, b: a < b,
    ">": lambda a, b: a > b,
}


class Formula:
    """An evaluator for the formulas, by recursive descent; it knows nothing of the algebra."""

    def __init__(self, text: str, token: re.Pattern[str]) -> None:
        self.tokens = token.findall(text)
        assert "".join(self.tokens) == re.sub(r"\s", "", text), text
        self.at = 0

    def value(self, state: Callable[[str], int]) -> int:
        self.at, self.state = 0, state
        value = self.choice()
        assert self.at == len(self.tokens), self.tokens[self.at :]
        return value

    def take(self, *tokens: str) -> str | None:
        if self.at < len(self.tokens) and self.tokens[self.at] in tokens:
            self.at += 1
            return self.tokens[self.at - 1]
        return None

    def choice(self) -> int:
        if not self.take("if"):
            return self.disjunction()
        condition = self.choice()
        assert self.take("then")
        then = self.choice()
        assert self.take("else")
        otherwise = self.choice()
        return then if condition else otherwise

    def disjunction(self) -> int:
        values = [self.conjunction()]
        while self.take("or"):
            values.append(self.conjunction())
        return any(values) if len(values) > 1 else values[0]

    def conjunction(self) -> int:
        values = [self.negation()]
        while self.take("and"):
            values.append(self.negation())
        return all(values) if len(values) > 1 else values[0]

    def negation(self) -> int:
        return not self.negation() if self.take("not") else self.comparison()

    def comparison(self) -> int:
        left = self.sum()
        sign = self.take(*SIGNS)
        return SIGNS[sign](left, self.sum()) if sign else left

    def sum(self) -> int:
        value = self.product()
        while sign := self.take("+", "-"):
            value += self.product() if sign == "+" else -self.product()
        return value

    def product(self) -> int:
        value = self.atom()
        while sign := self.take("*", "//"):
            value = value * self.atom() if sign == "*" else value // self.atom()
        return value

    def atom(self) -> int:
        if self.take("("):
            value = self.choice()
            assert self.take(")")
            return value
        token = self.tokens[self.at]
        self.at += 1
        return int(token) if token.isdecimal() else CONSTANTS[token] if token in CONSTANTS else self.state(token)


def tokens(names: Iterable[str]) -> re.Pattern[str]:
    """The words of formulas in which these names stand for numbers; a name may have dots, and brackets in it."""
    words = sorted({*names, *CONSTANTS, "if", "then", "else", "and", "or", "not"}, key=len, reverse=True)
    known = "|".join(rf"{re.escape(word)}(?![\w.#(-])" for word in words)
    return re.compile(rf"\s*({known}|\d+|//|[<>!]=|[=<>()*+-])")


@dataclass
class Read:
    """A specification that was read back."""

    initial: dict[str, int] = field(default_factory=dict)
    domains: dict[str, tuple[int, int]] = field(default_factory=dict)
    definitions: dict[str, str] = field(default_factory=dict)
    guards: dict[str, list[str]] = field(default_factory=dict)
    assigned: dict[str, dict[str, str]] = field(default_factory=dict)

    _formulas: dict[str, Formula] = field(default_factory=dict)

    def evaluate(self, text: str, state: Mapping[str, int]) -> int:
        def lookup(name: str) -> int:
            if name in state:
                return state[name]
            if name not in known:
                known[name] = self.formula(self.definitions[name]).value(lookup)
            return known[name]

        known: dict[str, int] = {}
        return int(Formula.value(self.formula(text), lookup))

    def formula(self, text: str) -> Formula:
        # None is evaluated within itself, so that each needs to be read only once.
        if text not in self._formulas:
            self._formulas[text] = Formula(text, self.token)
        return self._formulas[text]

    @cached_property
    def token(self) -> re.Pattern[str]:
        return tokens([*self.initial, *self.definitions])

    def successors(self, state: Mapping[str, int]) -> dict[str, dict[str, int]]:
        return {
            action: {**state, **{name: self.evaluate(value, state) for name, value in self.assigned[action].items()}}
            for action, conditions in self.guards.items()
            if all(self.evaluate(condition, state) for condition in conditions)
        }


def read(text: str) -> Read:
    """Read a specification: sections by their first words, a deeper line belongs to the line above it."""
    found, section, action, part = Read(), "", "", ""
    for line in _joined(text):
        words = line.split()
        if not line.startswith(" "):
            section = words[0]
            if section == "action":
                action, part = line.removeprefix("action "), ""
                found.guards[action], found.assigned[action] = [], {}
        elif section == "variables":
            name, domain, first = re.fullmatch(r"(\S+) +in (.+), at first (\S+)", line.strip()).groups()  # type: ignore[union-attr]
            low, high = ("no", "yes") if domain == "no, yes" else domain.split(" .. ")
            found.domains[name] = (_number(low), _number(high))
            found.initial[name] = _number(first)
        elif section == "definitions":
            name, _, value = line.strip().partition(" is ")
            assert name not in found.definitions
            found.definitions[name] = value
        elif section == "action" and line.strip() in ("when", "then"):
            part = line.strip()
        elif section == "action" and part == "when":
            found.guards[action].append(line.strip())
        elif section == "action":
            name, _, value = line.strip().partition(" := ")
            found.assigned[action][name] = value
    return found


def _joined(text: str) -> list[str]:
    lines: list[str] = []
    for line in text.splitlines():
        indent = len(line) - len(line.lstrip())
        if not line.strip() or line.strip().startswith("#"):
            continue
        previous = len(lines[-1]) - len(lines[-1].lstrip()) if lines else 0
        opens = not lines or lines[-1].strip() in ("when", "then", "variables", "definitions", "fairness")
        if indent > previous and not opens and not lines[-1].startswith("action"):
            lines[-1] += f" {line.strip()}"
        else:
            lines.append(line)
    return lines


def _number(word: str) -> int:
    return CONSTANTS[word] if word in CONSTANTS else int(word)


def random_states(system: TransitionSystem[object], stepper: Stepper, read_back: Read, seed: int) -> list[State]:
    """States along random runs, and states that are drawn from the domains, of which few can be reached."""
    draw = random.Random(seed)
    names = [variable.name for variable in system.variables]
    states = [tuple(draw.randint(*read_back.domains[name]) for name in names) for _ in range(8)]
    state = stepper.initial
    for _ in range(25):
        states.append(state)
        after = [following for _, following in stepper.successors(state)]
        state = draw.choice(after) if after else stepper.initial
    return states


SMALL = DETAILS["joined"].scope(instance("n1f0b0"), 2)

SYSTEMS = {
    "as merged": ("pr161+era2480", SMALL),
    "all steps": ("pr170+era2480", DETAILS["full"].scope(instance("n2f0b0"), 2)),
    "a quorum of three": ("pr169+era2539", DETAILS["joined"].scope(instance("n3f0b0"), 2)),
    "a quorum of one": ("pr161+era2539", DETAILS["joined"].scope(instance("w5,1b1"), 2)),
    "a Byzantine attester with weights": ("pr161+era2539", DETAILS["stepwise"].scope(instance("w3,2,1b1"), 2)),
    "a relay and bad votes": ("pr170+era2539", switched(SMALL, [("topology", "relay"), ("bad_votes", BAD_SIGNATURE)])),
    "faults": ("pr167+era2480", switched(SMALL, [("restarts", 1), ("disconnects", 1), ("pruned", "M")])),
    "a fork": ("pr167+era2539", switched(SMALL, [("regeneses", 1)])),
    "proposals": (
        "pr161+era2480+finder_listens+votes_kept+asked_vote_wins",
        DETAILS["full"].scope(instance("n1f0b0"), 2),
    ),
}


@pytest.mark.parametrize("name", SYSTEMS)
def test_what_is_printed_takes_the_same_steps_as_the_engine(name: str) -> None:
    revision_name, scope = SYSTEMS[name]
    system = build(revision(revision_name), scope)
    stepper, found = Stepper(system), read(specification(system))
    assert found.initial == system.initial
    assert {each.name: (each.low, each.high) for each in system.variables} == found.domains
    for state in random_states(system, stepper, found, seed=1):
        expected = {
            f"{system.actions[place]} of {system.actions[place].node}": dict(
                stepper.named(_applied(stepper, state, place))
            )
            for place in stepper.enabled(state)
        }
        assert found.successors(dict(stepper.named(state))) == expected


def _applied(stepper: Stepper, state: State, place: int) -> State:
    """The values after the action, whether or not they are in their domains: drawn states need not be reachable."""
    action = stepper.action(place)
    values = stepper.evaluator(*(value for _, value in action.updates))(state)
    after = list(state)
    for (variable, _), value in zip(action.updates, values, strict=True):
        after[stepper.places[variable.expression]] = int(value)
    return tuple(after)


def test_a_sign_that_is_printed_wrongly_would_be_noticed() -> None:
    system = build(revision("pr161+era2480"), SMALL)
    stepper = Stepper(system)
    wrong = read(specification(system).replace("sealed < 2", "sealed <= 2"))
    states = random_states(system, stepper, wrong, seed=1)
    assert any(len(wrong.successors(dict(stepper.named(state)))) != len(stepper.enabled(state)) for state in states)


def test_the_specification_of_a_small_scope_is_as_it_was(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "--revision", "pr161+era2480", "--instance", "n1f0b0", "--batches", "2"]) == 0
    assert capsys.readouterr().out == GOLDEN.read_text(encoding="utf-8"), f"if it is meant, write it to {GOLDEN.name}"


def test_what_the_model_has_a_word_for_is_a_definition() -> None:
    found = read(specification(build(revision("pr161+era2480"), Scope(instance("n3f0b0")))))
    assert {"next_batch_to_attest", "M.registry.quorum.found", "M.registry.support(a)"} <= found.definitions.keys()


@pytest.mark.parametrize("name", SYSTEMS)
def test_definitions_are_made_of_what_comes_before_them(name: str) -> None:
    revision_name, scope = SYSTEMS[name]
    found = read(specification(build(revision(revision_name), scope)))
    known = [*found.initial]
    for name, text in found.definitions.items():
        Formula(text, tokens(known))
        known.append(name)
