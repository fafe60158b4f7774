"""The model's values in a reader's words: votes as `batch 1`, phases by name, and what every variable stands for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from model.revisions import REGISTRY
from model.scope import EXTERNAL, RESTARTED, Scope
from model.service import AttestationSystem
from model.topology import MAIN
from model.votes import NONE
from properties.render.vocabulary import vocabulary_of
from properties.results.trace import Arrangement, Trace


@dataclass(frozen=True)
class Change:
    """One field before and after a step, in words."""

    field: str
    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.field}: {self.before} → {self.after}"


def vote(number: int, variant: int, genesis: int, batches: int | None) -> str:
    """A vote or certificate in words.

    `variant` is 0 for the batch's own hash and h + 1 for the hash of batch h; beyond the last batch, or below 0, it is
    a hash of no batch. `genesis` is 0 for the fork that the chain begins with.
    """
    if number == NONE:
        return "none"
    fork = f" of fork {genesis}" if genesis else ""
    if variant == 0:
        return f"batch {number}{fork}"
    is_of_batch = variant > 0 and (batches is None or variant <= batches)
    return f"batch {number}{fork} with {f'the hash of batch {variant - 1}' if is_of_batch else 'a hash of no batch'}"


@cache
def _pattern(label: str) -> re.Pattern[str]:
    """The fields that a label of a legend is about."""
    placeholder = {"{}": r"(\S+)", "n": r"\d+", "x": r"\S+", "y": r"\S+", "z": r"\S+"}
    parts = re.split(r"(\{\}|(?<![a-z])[nxyz](?![a-z]))", label)
    return re.compile("".join(placeholder.get(part, re.escape(part)) for part in parts))


class Words:
    """The vocabulary of one system."""

    def __init__(self, system: AttestationSystem, arrangement: Arrangement | None = None) -> None:
        self.system = system
        self.vocabulary = vocabulary_of(system.revision.design)
        self.arrangement = arrangement
        self._flags = {variable.name for variable in system.variables if variable.is_boolean}
        self._numbers = {variable.name for variable in system.variables if variable.low == NONE}

    def values(self, state: Mapping[str, int]) -> dict[str, str]:
        return {field: self._value(field, state) for field in dict.fromkeys(map(self.vocabulary.field_of, state))}

    def _value(self, field: str, state: Mapping[str, int]) -> str:
        if field not in state:
            number, variant, genesis = (state.get(f"{field}.{part}", 0) for part in ("number", "variant", "genesis"))
            return vote(number, variant, genesis, self.system.scope.batches)
        value = state[field]
        if field in self._flags:
            return "yes" if value else "no"
        for pattern, names in self.vocabulary.named:
            if pattern.fullmatch(field):
                return names.get(value, str(value))
        return "none" if value == NONE and field in self._numbers else str(value)

    def legend(self, fields: list[str]) -> dict[str, str]:
        """What these fields stand for, by label, in the order of the labels."""
        found: dict[str, str] = {}
        for label, meaning in self.vocabulary.meanings.items():
            for match in filter(None, map(_pattern(label).fullmatch, fields)):
                owner = match[1] if match.groups() else ""
                found.setdefault(label.format(owner), meaning.format(self.node(owner)))
        return found

    def node(self, name: str) -> str:
        """A node in words."""
        if name == MAIN:
            return "the main node"
        return f"attester {name}" if name in self.system.topology.attesters else f"node {name}"

    def cast(self) -> Iterator[tuple[str, str]]:
        """Who takes part, and what each is."""
        scope, topology = self.system.scope, self.system.topology
        places = {place.name: place.key for place in topology.places}
        for name, key in places.items():
            if key is None:
                yield name, self.node(MAIN) if name == MAIN else "an external node"
        # A Byzantine attester has no node, but for recorded runs.
        known = self.arrangement.byzantine if self.arrangement else frozenset[str]()
        honest = [name for name in topology.attesters if name in places and name not in known]
        forgers = [name for name in topology.attesters if name not in honest]
        for names, what in ((honest, "an attester"), (forgers, "a Byzantine attester")):
            for name in names:
                weight = scope.instance.weights[topology.attesters.index(name)]
                also = f"{self.node(MAIN)}, " if name == MAIN else ""
                yield name, f"{also}{what} with weight {weight}"


FAULTS = {
    "restarts": "no node restarts",
    "disconnects": "no connection breaks",
    "errors": "no error without a cause in the model",
    "regeneses": "the chain never forks",
}
"""What is left out while so many faults as none may happen."""


def bounds(scope: Scope, arrangement: Arrangement | None = None, design: str = REGISTRY) -> str:
    """The bounds of the scope in words; the connections are those of the arrangement, if one is given."""
    batches = "any number of batches" if scope.batches is None else f"batches 0 … {scope.batches - 1}"
    faults = [f"any number of {name.replace('_', ' ')}" for name, count in scope.faults.items() if count is None]
    faults += [f"at most {count} {name.replace('_', ' ')}" for name, count in scope.faults.items() if count]
    topology = f"topology {scope.topology}"
    if arrangement is not None:
        topology = "connections " + ", ".join("–".join(ends) for ends in arrangement.connections)
    return "; ".join([batches, topology, *vocabulary_of(design).bounds(scope), *faults, *_special(scope)])


def _special(scope: Scope) -> Iterator[str]:
    """What few scopes have, whatever the design."""
    if scope.main_attests:
        yield "the main node is the first attester"
    if scope.supervised != EXTERNAL:
        yield f"after an error {RESTARTED[scope.supervised]}"
    if scope.pruned:
        when = ", but not before that has a status" if scope.prunes_after_status else ""
        when += ", but no batch before it has its certificate" if scope.prunes_certified else ""
        many = f"the first {scope.pruned_batches} batches, with their certificates, are pruned one after the other"
        what = many if scope.pruned_batches > 1 else "the first batch, with its certificate, is pruned"
        yield f"{what} from node {scope.pruned} at some time{when}"
    if scope.unanswered:
        yield f"the main node's API never answers {scope.unanswered}"


def left_out(scope: Scope, design: str = REGISTRY) -> list[str]:
    """What the scope leaves out, in words."""
    coarse = [words for switch, words in vocabulary_of(design).coarse.items() if not getattr(scope, switch)]
    return coarse + [words for fault, words in FAULTS.items() if scope.faults[fault] == 0]


def committee(scope: Scope) -> str:
    weights, byzantine = scope.instance.weights, scope.instance.byzantine
    equal = len(set(weights)) == 1
    each = (
        f"of weight {weights[0]}" + " each" * (len(weights) > 1)
        if equal
        else f"of weights {', '.join(map(str, weights))}"
    )
    count = f"{len(weights)} attester{'s' * (len(weights) > 1)}"
    return f"{count} {each}, of which {byzantine if byzantine else 'none'} Byzantine"


def loop(trace: Trace) -> str:
    """What a lasso does after its last step."""
    if trace.loop == len(trace.steps):
        return "After the last step nothing that must happen changes anything any more"
    return f"After the last step the state is that after step {trace.loop} again: what follows it repeats for ever"
