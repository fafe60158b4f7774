"""A `#[tokio::test]` for era-consensus: what happened to one attestation controller, played to the real `Controller`.

It is for what a single controller gets wrong: a list of votes ends with its first error, and honest votes behind it are
lost. Source: era-consensus at `b9c5fa7b`, `node/actors/network/src/gossip/attestation/tests.rs`, whose ways of making
keys, committees and votes it follows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from model.algebra import Bool, Int, any_of
from model.controller_design.attestation import Attestation
from model.controller_design.gossip import ANSWERED, CALLED, Link
from model.controller_design.network import exchange_votes, forge_vote, hand_on_vote, receive_answer, receive_call
from model.controller_design.node import OWN_HASH
from model.controller_design.system import ControllerDesign
from model.votes import NONE
from properties.render import CannotRender
from properties.render.rust_test import comment, filled
from properties.render.story import Story
from properties.results.trace import Trace, TraceStep

COMMIT = "b9c5fa7b"
PLACE = f"node/actors/network/src/gossip/attestation/tests.rs at {COMMIT} (PR 175)"
SHORT = 60
"""The longest chain of calls, and the longest array, that rustfmt leaves on one line."""

CUT_OFF = "list_cut_off"
STANDSTILL, KIND = "progress_possible", "votes_cut_off"


def render(trace: Trace) -> str:
    """The test, ready to be pasted into `gossip/attestation/tests.rs`. Raises `CannotRender` if the trace is none of a
    single controller."""
    if trace.claim != CUT_OFF and (trace.claim, trace.kind) != (STANDSTILL, KIND):
        raise CannotRender(
            f"a Rust test needs a violation within the controller, that is {CUT_OFF}, or {STANDSTILL} of the kind "
            f"{KIND}; for {_named(trace)} ask for markdown or pytest"
        )
    if trace.scope.batches is None or trace.scope.regeneses:
        raise CannotRender("a Rust test needs a scope with a number of batches and one genesis")
    story = Story(trace)
    played = _played(story)
    return filled(
        __package__,
        explanation=comment(trace, played.explanation, PLACE),
        name=f"{trace.kind or trace.claim}_at_{played.node}".lower(),
        attesters=len(played.system.topology.attesters),
        batches=trace.scope.batches,
        committees=_array([f"committee(&[{members}])" for members in played.committees]),
        operations="\n".join(f"    {line}".rstrip() for line in played.operations()),
    )


def _named(trace: Trace) -> str:
    return f"{trace.claim} of the kind {trace.kind}" if trace.kind else trace.claim


def _played(story: Story) -> Played:
    """The controller that cuts off a list, with all that happens to it. Raises `CannotRender` if none does."""
    system = story.system
    assert isinstance(system, ControllerDesign)
    names = [place.name for place in system.topology.places]
    everybody = [Played(story, system, name) for name in names]
    for played in everybody if story.trace.claim == CUT_OFF else [everybody[system.topology.main]]:
        if played.is_about_it:
            return played
    raise CannotRender("in no list of this run that comes to one controller do votes of a quorum stand behind an error")


@dataclass(frozen=True)
class Letter:
    """A list of votes that a controller is given: on which batch, whose votes in this order, and whether one of them is
    an error."""

    batch: str
    keys: tuple[int, ...]
    is_error: bool

    @property
    def votes(self) -> list[str]:
        return [f"vote({key}, {self.batch})" for key in self.keys]


@dataclass(frozen=True)
class Played:
    """What happens to the controller of one node."""

    story: Story
    system: ControllerDesign
    node: str

    @property
    def explanation(self) -> str:
        whose = "the main node" if self.position == self.system.topology.main else self.node
        return (
            f"The controller of {whose} is given a list of votes of which one is an error to it: its attester is not "
            "in the committee that was started here, or it is over another hash. The votes of members that stand "
            "behind it in the list are not looked at. Their sender counts them as told, and does not tell them again."
        )

    @property
    def position(self) -> int:
        return self.system.topology.position(self.node)

    @property
    def attestation(self) -> Attestation:
        """The controller, as the guarded commands have it."""
        return self.system.state.nodes[self.position].attestation

    @property
    def last(self) -> int:
        return len(self.story.trace.steps)

    @property
    def committees(self) -> Iterator[str]:
        for electorate in self.system.committees.electorates:
            members = ((key, weight.value) for key, weight in enumerate(electorate.weights) if weight.value)
            yield ", ".join(f"({key}, {weight})" for key, weight in members)

    # What it is told.

    def batch(self, number: int) -> str:
        """What is attested after so many steps, as the test writes it."""
        batch, variant = (self.story.value(part, number) for part in self._subject)
        return f"{batch}, {0 if variant == OWN_HASH else 1}"

    @property
    def _subject(self) -> tuple[Int, Int]:
        return (self.attestation.batch.number, self.attestation.batch.variant)

    def letters(self, number: int, step: TraceStep) -> Iterator[Letter]:
        """The lists that a step gives to the controller; `number` counts from 1."""
        if step.action in (receive_call.name, receive_answer.name) and step.node == self.node:
            link = self._link(str(step.arguments["from"]), is_answer=step.action == receive_answer.name)
            yield from self._letter(link, number - 1, str(step.arguments.get("before_error", "")))
        elif step.action in (exchange_votes.name, forge_vote.name, hand_on_vote.name):
            news = self._held(number) - self._held(number - 1)
            if news:
                yield Letter(self.batch(number), tuple(sorted(news)), is_error=False)

    def pending(self) -> Iterator[Letter]:
        """The lists that are on their way to the controller in the end, an error first."""
        for link, (caller, peer) in zip(self.system.state.links, self.system.topology.links, strict=True):
            phase = self.story.value(link.phase, self.last)
            if (peer == self.position and phase == CALLED) or (caller == self.position and phase == ANSWERED):
                yield from self._letter(link, self.last, "")

    def _link(self, other: str, is_answer: bool) -> Link:
        position = self.system.topology.position(other)
        ends = (self.position, position) if is_answer else (position, self.position)
        return self.system.state.links[self.system.topology.links.index(ends)]

    def _letter(self, link: Link, number: int, before_error: str) -> Iterator[Letter]:
        """A message in the order that the step has it in, or the worst: what was looked at, errors, and the rest."""
        carried = self._keys(link.carried, number)
        if not carried:
            return
        ends = [self.attestation.ends_list(key, link.batch) for key in range(len(link.carried))]
        errors = [key for key in carried if self.story.value(ends[key], number)]
        looked_at = [key for key in carried if self.system.topology.attesters[key] in before_error] if errors else []
        order = dict.fromkeys((*looked_at, *errors, *carried))
        batch, variant = (self.story.value(part, number) for part in (link.batch.number, link.batch.variant))
        yield Letter(f"{batch}, {0 if variant == OWN_HASH else 1}", tuple(order), bool(errors))

    def _keys(self, votes: Sequence[Bool], number: int) -> list[int]:
        return [key for key, vote in enumerate(votes) if self.story.value(vote, number)]

    def _held(self, number: int) -> set[int]:
        return set(self._keys(self.attestation.votes, number))

    # Whether that is what is wrong.

    @cached_property
    def told(self) -> set[int]:
        """The members whose votes on what is attested in the end were given to the controller, or were its own."""
        attested, told = self.batch(self.last), self._held(self.last)
        steps = enumerate(self.story.trace.steps, 1)
        letters = [letter for number, step in steps for letter in self.letters(number, step)]
        for letter in (*letters, *self.pending()):
            if letter.batch == attested:
                told |= set(letter.keys)
        members = [self.attestation.committees.has_member(self.attestation.committee, key) for key in sorted(told)]
        pairs = zip(sorted(told), members, strict=True)
        return {key for key, member in pairs if self.story.value(member, self.last)}

    @property
    def is_about_it(self) -> bool:
        """Whether a member's vote is cut off here; where attestation stands still, a quorum must have been told."""
        if self.story.value(self.attestation.batch.number, self.last) == NONE or not self.told - self._taken:
            return False
        if self.story.trace.claim == CUT_OFF:
            return True
        votes = tuple(any_of([key in self.told]) for key in range(len(self.attestation.votes)))
        quorum = self.attestation.committees.is_quorum(self.attestation.committee, votes)
        return bool(self.story.value(quorum, self.last))

    @property
    def _taken(self) -> set[int]:
        """The votes that are there once everything has arrived."""
        taken = self._held(self.last)
        for letter in self.pending():
            if not letter.is_error and letter.batch == self.batch(self.last):
                taken |= set(letter.keys)
        return taken

    # The test.

    def operations(self) -> Iterator[str]:
        """The calls that the real controller sees, in order, and what is asked of it in the end."""
        key = self.system.topology.places[self.position].key
        yield f"let ctrl = Controller::new({'None' if key is None else f'Some(keys[{key}].clone())'});"
        for number, step in enumerate(self.story.trace.steps, 1):
            yield from self._restart(number, key)
            yield from self._start(number)
            for letter in self.letters(number, step):
                yield from self._insert(letter)
        for letter in self.pending():
            yield from self._insert(letter)
        yield ""
        yield from self._ending()

    def _restart(self, number: int, key: int | None) -> Iterator[str]:
        before, after = (self.story.value(self.attestation.batch.number, at) for at in (number - 1, number))
        if before != NONE and after == NONE:
            yield f"let ctrl = Controller::new({'None' if key is None else f'Some(keys[{key}].clone())'});"

    def _start(self, number: int) -> Iterator[str]:
        attested = (*self._subject, self.attestation.committee)
        before, after = ([self.story.value(part, at) for part in attested] for at in (number - 1, number))
        if before != after and after[0] != NONE:
            yield from _call("start_attestation", f"info({self.batch(number)}, {after[2]})", ".unwrap();")

    def _insert(self, letter: Letter) -> Iterator[str]:
        votes = f"[{', '.join(letter.votes)}].into_iter()"
        if letter.is_error:
            yield "// The error is only logged by whoever inserts the list."
            yield from _call("insert_votes", votes, ".unwrap_err();")
        else:
            yield from _call("insert_votes", votes, ".unwrap();")

    def _ending(self) -> Iterator[str]:
        attested = self.batch(self.last)
        if self.story.trace.claim == STANDSTILL:
            yield "// The votes of a quorum have come."
            yield "let state = ctrl.state.subscribe();"
            yield "let cert = state.borrow().as_ref().unwrap().cert();"
            yield 'let qc = cert.expect("there should be a certificate");'
            committee = self.story.value(self.attestation.committee, self.last)
            yield f"qc.verify(genesis, &committees[{committee}]).unwrap();"
            return
        yield f"let held = ctrl.votes(&batch({attested}));"
        for key in sorted(self.told - self._taken):
            yield f"let lost = vote({key}, {attested});"
            yield 'assert!(held.contains(&lost), "a member\'s vote should be there");'


def _array(elements: Sequence[str]) -> str:
    """An array of these, as rustfmt breaks it."""
    whole = ", ".join(elements)
    if len(whole) <= SHORT:
        return f"[{whole}]"
    return "\n".join(["[", *(f"        {element}," for element in elements), "    ]"])


def _call(method: str, argument: str, ending: str) -> Iterator[str]:
    """A call on the controller, as rustfmt breaks it."""
    whole = f"ctrl.{method}({argument}).await{ending}"
    if len(whole.rstrip(";")) <= SHORT:
        yield whole
        return
    yield f"ctrl.{method}({argument})"
    yield "    .await"
    yield f"    {ending}"
