"""Systems of this design with an open committee, any number of batches, and what their environment may do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from model.algebra import TRUE, Bool, Expression, Int, bool_variable, int_variable
from model.committees import CommitteeRead, Committees
from model.controller_design.system import ControllerDesign, assemble
from model.revisions import Revision
from model.scope import Instance, Scope
from model.topology import MAIN
from properties.proofs.committees import Committee
from properties.proofs.environment import Actions, Freedom, Liberty, Openness, actions_of, any_number, of_nodes

ALL_DETAIL = Scope(
    Instance("any", (), 0),
    batches=None,
    late_answers=True,
    late_batches=True,
    call_steps=True,
    certificate_steps=True,
    echo=True,
    restarts=None,
    disconnects=None,
    errors=None,
    stale_answers=None,
    handed_on=True,
)
"""Every step of the protocol by itself; votes pushed and pulled both ways on every connection; any number of batches,
of restarts, of broken connections, of transient errors of the tasks, and of answers from an API that lags. What an
honest attester signs anybody may pass on to any node that collects it, even before it is signed: more than there is."""

TWO_COMMITTEES = 2


@dataclass(frozen=True)
class AnyCommittees(Committees):
    """Two committees, of any members and weights, and nothing known of which of them a node reads for a batch, or
    whether it reads any: so every node may read another one for the same batch, and another each time that it asks."""

    def of_batch(self, number: Int) -> CommitteeRead:
        return CommitteeRead(PLACE, IS_REQUIRED, IS_ERROR)


PLACE = int_variable("the committee read", 0, TWO_COMMITTEES - 1)
IS_REQUIRED, IS_ERROR = bool_variable("a committee is required"), bool_variable("the committee cannot be read")


def open_system(
    revision: Revision, committees: tuple[Committee, ...], scope: Scope = ALL_DETAIL, *, any_of_them: bool = False
) -> ControllerDesign:
    """The system of a revision with open committees, of which the first is that of the genesis. Where `any_of_them`, it
    is open which of them is a batch's."""
    electorates = tuple(committee.electorate for committee in committees)
    known = AnyCommittees(electorates) if any_of_them else Committees(electorates)
    size = len(committees[0].weights)
    named = replace(scope, instance=Instance(f"any {size}", (1,) * size, 0))
    return assemble(revision, named, electorates[0], committees[0].byzantine, committees=known)


def fixed(size: int) -> tuple[Committee, ...]:
    """One committee for all batches."""
    return (Committee.of(size),)


def either(size: int) -> tuple[Committee, ...]:
    """Two committees; any attester may be a member of either."""
    return Committee.of(size, least=0), Committee.of(size, "other weight", least=0)


def liberties(system: ControllerDesign, committees: tuple[Committee, ...]) -> Iterator[Liberty]:
    """What the environment of such a system may do: at any time, and any number of times."""
    actions = actions_of(system)
    names, byzantine = [place.name for place in system.topology.places], committees[0].byzantine
    yield from (committee.any_liars for committee in committees)
    if isinstance(system.committees, AnyCommittees):
        place, flags = any_number("place", 0), [bool_variable(f"any flag {number}") for number in (0, 1)]
        picks: dict[Expression, Expression] = {PLACE: place, IS_REQUIRED: flags[0], IS_ERROR: flags[1]}
        yield Openness("any committee may be read, or none", place <= 1, picks)
    yield Freedom("the main node may seal a batch", TRUE, actions.get((MAIN, "seal_batch()")))
    for name, node in zip(names, system.state.nodes, strict=True):
        lives = node.runs & node.task.is_alive
        yield Freedom(f"the task of {name} may fail", lives, actions.get((name, "fail_once()")))
    yield from of_nodes(system, actions, "provide_hash", "hash")
    for index in range(len(names)):
        yield from _gifts(system, byzantine, index, actions)
        if names[index] != MAIN:
            yield _old_answer(system, byzantine, index, actions)


def _gifts(system: ControllerDesign, byzantine: tuple[Bool, ...], index: int, actions: Actions) -> Iterator[Freedom]:
    """Any attester's vote may come to any node that collects it, whoever sends it."""
    node, name = system.state.nodes[index], system.topology.places[index].name
    for key, signer in enumerate(system.topology.attesters):
        takes = node.runs & node.attestation.takes(key, node.attestation.batch)
        is_there = node.attestation.votes[key]
        forged = actions.get((signer, f"forge_vote(at={name})"))
        old = actions.get((name, f"hand_on_vote(signer={signer})"))
        yield Freedom(f"{signer} may send its vote to {name}", takes & byzantine[key], forged, {}, is_there)
        yield Freedom(f"anybody may send {name} the vote of {signer}", takes & ~byzantine[key], old, {}, is_there)


def _old_answer(system: ControllerDesign, byzantine: tuple[Bool, ...], index: int, actions: Actions) -> Freedom:
    """The API may answer with any number that was asked for before: from the first that is attested on."""
    node, place = system.state.nodes[index], system.topology.places[index]
    action, number = actions.get((place.name, "read_old_status()")), any_number("answer", 0)
    is_honest = TRUE if place.key is None else ~byzantine[place.key]
    given = is_honest & node.is_listening_to(number) & (number < system.next_batch_to_attest)
    given &= system.is_to_attest(number)
    picks = dict[Expression, Expression](zip(action.choices if action else (), (number,), strict=False))
    return Freedom(f"{place.name} may read any old number", given, action, picks, node.task.number == number)
