"""A `#[tokio::test]` for era-consensus: what happened to one attestation controller, played to the real `Controller`.

It is for what a single controller gets wrong: a list of votes ends with its first error, and honest votes behind it are
lost. Source: era-consensus at `b9c5fa7b`, `node/actors/network/src/gossip/attestation/tests.rs`, whose ways of making
keys, committees and votes it follows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from model.algebra import Bool, Expression, Int, any_of
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
        named = f"{trace.claim} of the kind {trace.kind}" if trace.kind else trace.claim
        raise CannotRender(
            f"a Rust test needs a violation within the controller, that is {CUT_OFF}, or {STANDSTILL} of the kind "
            f"{KIND}; for {named} ask for markdown or pytest"
        )
    if trace.scope.batches is None or trace.scope.regeneses:
        raise CannotRender("a Rust test needs a scope with a number of batches and one genesis")
    story = Story(trace)
    system, topology = story.of(ControllerDesign), story.system.topology
    nodes = range(len(topology.places)) if trace.claim == CUT_OFF else (topology.main,)
    played = next((each for each in (Played(story, node) for node in nodes) if each.is_about_it), None)
    if played is None:
        raise CannotRender(
            "in no list of this run that comes to one controller do votes of a quorum stand behind an error"
        )
    committees = [
        ", ".join(f"({key}, {weight.value})" for key, weight in enumerate(electorate.weights) if weight.value)
        for electorate in system.committees.electorates
    ]
    return filled(
        __package__,
        explanation=comment(trace, played.explanation, PLACE),
        name=f"{trace.kind or trace.claim}_at_{played.name}".lower(),
        attesters=len(topology.attesters),
        batches=trace.scope.batches,
        committees=_array([f"committee(&[{members}])" for members in committees]),
        operations="\n".join(f"    {line}".rstrip() for line in played.operations()),
    )


@dataclass(frozen=True)
class Letter:
    """A list of votes that a controller is given: on which batch, whose votes in this order, and whether one of them is
    an error."""

    batch: str
    keys: tuple[int, ...]
    is_error: bool


class Played:
    """What happens to the controller of one node. `letters` are the lists that each step gives to it, `pending` those
    that are on their way to it in the end; `told` are the members whose votes on what is attested in the end were given
    to it, or were its own, and `taken` the votes that it has once everything has arrived."""

    def __init__(self, story: Story, node: int) -> None:
        self.story, self.node, self.system = story, node, story.of(ControllerDesign)
        self.name, self.key = self.system.topology.places[node].name, self.system.topology.places[node].key
        self.attestation = self.system.state.nodes[node].attestation
        self.subject = (self.attestation.batch.number, self.attestation.batch.variant)
        self.last = len(story.trace.steps)
        self.letters = [list(self._letters(number, step)) for number, step in enumerate(story.trace.steps, 1)]
        self.pending = list(self._pending())
        attested, held = self._batch(self.subject, self.last), self._keys(self.attestation.votes, self.last)
        given = [letter for letters in (*self.letters, self.pending) for letter in letters if letter.batch == attested]
        sound = [letter for letter in self.pending if letter.batch == attested and not letter.is_error]
        committees, committee = self.attestation.committees, self.attestation.committee
        self.told = {
            key
            for key in {*held, *(key for letter in given for key in letter.keys)}
            if self._value(committees.has_member(committee, key), self.last)
        }
        self.taken = {*held, *(key for letter in sound for key in letter.keys)}

    @property
    def explanation(self) -> str:
        whose = "the main node" if self.node == self.system.topology.main else self.name
        return (
            f"The controller of {whose} is given a list of votes of which one is an error to it: its attester is not "
            "in the committee that was started here, or it is over another hash. The votes of members that stand "
            "behind it in the list are not looked at. Their sender counts them as told, and does not tell them again."
        )

    @property
    def is_about_it(self) -> bool:
        """Whether a member's vote is cut off here; where attestation stands still, a quorum must have been told."""
        if self._value(self.attestation.batch.number, self.last) == NONE or not self.told - self.taken:
            return False
        if self.story.trace.claim == CUT_OFF:
            return True
        votes = tuple(any_of([key in self.told]) for key in range(len(self.attestation.votes)))
        quorum = self.attestation.committees.is_quorum(self.attestation.committee, votes)
        return bool(self._value(quorum, self.last))

    def _value(self, expression: Expression, number: int) -> int:
        """The value after so many steps."""
        return self.story.value(expression, number)

    def _batch(self, subject: tuple[Int, Int], number: int) -> str:
        """A batch's number and hash after so many steps, as the test writes them."""
        batch, variant = (self._value(part, number) for part in subject)
        return f"{batch}, {0 if variant == OWN_HASH else 1}"

    def _keys(self, votes: Sequence[Bool], number: int) -> list[int]:
        return [key for key, vote in enumerate(votes) if self._value(vote, number)]

    def _letters(self, number: int, step: TraceStep) -> Iterator[Letter]:
        """The lists that a step gives to the controller; `number` counts from 1."""
        topology = self.system.topology
        if step.action in (receive_call.name, receive_answer.name) and step.node == self.name:
            other = topology.position(str(step.arguments["from"]))
            ends = (self.node, other) if step.action == receive_answer.name else (other, self.node)
            link = self.system.state.links[topology.links.index(ends)]
            yield from self._letter(link, number - 1, str(step.arguments.get("before_error", "")))
        elif step.action in (exchange_votes.name, forge_vote.name, hand_on_vote.name):
            before, held = (self._keys(self.attestation.votes, each) for each in (number - 1, number))
            if news := [key for key in held if key not in before]:
                yield Letter(self._batch(self.subject, number), tuple(news), is_error=False)

    def _pending(self) -> Iterator[Letter]:
        """The lists that are on their way to the controller in the end, an error first."""
        for link, (caller, peer) in zip(self.system.state.links, self.system.topology.links, strict=True):
            phase = self._value(link.phase, self.last)
            if (peer == self.node and phase == CALLED) or (caller == self.node and phase == ANSWERED):
                yield from self._letter(link, self.last, "")

    def _letter(self, link: Link, number: int, before_error: str) -> Iterator[Letter]:
        """A message in the order that the step has it in, or the worst: what was looked at, errors, and the rest."""
        carried = self._keys(link.carried, number)
        if not carried:
            return
        ends = [self.attestation.ends_list(key, link.batch) for key in range(len(link.carried))]
        errors = [key for key in carried if self._value(ends[key], number)]
        looked_at = [key for key in carried if self.system.topology.attesters[key] in before_error] if errors else []
        order = dict.fromkeys((*looked_at, *errors, *carried))
        yield Letter(self._batch((link.batch.number, link.batch.variant), number), tuple(order), bool(errors))

    def operations(self) -> Iterator[str]:
        """The calls that the real controller sees, in order, and what is asked of it in the end."""
        fresh = f"let ctrl = Controller::new({'None' if self.key is None else f'Some(keys[{self.key}].clone())'});"
        yield fresh
        attested = (*self.subject, self.attestation.committee)
        for number, letters in enumerate(self.letters, 1):
            before, after = ([self._value(part, each) for part in attested] for each in (number - 1, number))
            if before[0] != NONE and after[0] == NONE:
                yield fresh
            elif before != after and after[0] != NONE:
                info = f"info({self._batch(self.subject, number)}, {after[2]})"
                yield from _call("start_attestation", info, ".unwrap();")
            yield from (line for letter in letters for line in _insertion(letter))
        yield from (line for letter in self.pending for line in _insertion(letter))
        yield ""
        batch = self._batch(self.subject, self.last)
        if self.story.trace.claim == STANDSTILL:
            yield "// The votes of a quorum have come."
            yield "let state = ctrl.state.subscribe();"
            yield "let cert = state.borrow().as_ref().unwrap().cert();"
            yield 'let qc = cert.expect("there should be a certificate");'
            committee = self._value(self.attestation.committee, self.last)
            yield f"qc.verify(genesis, &committees[{committee}]).unwrap();"
            return
        yield f"let held = ctrl.votes(&batch({batch}));"
        for key in sorted(self.told - self.taken):
            yield f"let lost = vote({key}, {batch});"
            yield 'assert!(held.contains(&lost), "a member\'s vote should be there");'


def _insertion(letter: Letter) -> Iterator[str]:
    votes = ", ".join(f"vote({key}, {letter.batch})" for key in letter.keys)
    if letter.is_error:
        yield "// The error is only logged by whoever inserts the list."
    ending = ".unwrap_err();" if letter.is_error else ".unwrap();"
    yield from _call("insert_votes", f"[{votes}].into_iter()", ending)


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
