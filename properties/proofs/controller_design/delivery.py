"""The theorem that takes the place of the start-up deadlock's: no vote is refused for ever.

In the older design a node refuses a vote once, for being below its minimum, and never gets it again. Here a node that
ignores a vote, for being at another number, asks for it when it starts that number; and an attester's vote is there as
soon as it has started. So while the main node waits for a certificate, each honest attester's vote is there, or still
to come. The proof looks at the main node, one attester and the two ways of their connection; all else is arbitrary.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product

from model.algebra import TRUE, Bool
from model.controller_design.node import start_fails
from model.controller_design.system import ControllerDesign
from model.controller_design.task import WAITING_FOR_CERTIFICATE, WAITING_FOR_HASH
from properties.proofs.controller_design.certification import of_main_node
from properties.proofs.controller_design.invariants import (
    attester,
    is_here_or_to_come,
    main_node,
    node_of,
    seen_of_attester,
)
from properties.proofs.controller_design.session import ENVIRONMENT, WITHOUT, ControllerSession
from properties.proofs.induction import Induction, first_failure
from properties.proofs.obligations import Outcome
from properties.proofs.projection import projection
from properties.proofs.results import Result, proved
from properties.proofs.session import listed

NO_DEADLOCK = "no_start_up_deadlock"

DIRECTLY_CONNECTED = ("direct", "observed", "mesh")
"""The topologies in which every attester is connected to the main node, whoever else it is connected to."""


def no_vote_lost(session: ControllerSession, sizes: Sequence[int]) -> Iterator[Result]:
    sentence = (
        "With any number N >= 1 of attesters of any weights, each connected to the main node, and one committee for "
        f"all batches, {ENVIRONMENT}: while the main node waits for the certificate of n, each honest attester that "
        "has started n has its vote at the main node, or the connection still brings it; and one that has not started "
        "n ignores no number up to n, unless it waits for a batch's hash already. No start is refused. So no vote is "
        "refused for ever, and the deadlock of PR 161 cannot happen."
    )
    case = session.case(NO_DEADLOCK, "no start-up deadlock", sentence)
    outcomes: list[Outcome] = []
    for within, argument in _arguments(session, sizes):
        outcomes += argument.prove(case.budget.within(within))
        if first_failure(outcomes):
            yield case.refuted(argument, outcomes)
            return
    how = "induction on the main node, one attester and their connection, all else arbitrary"
    about = (
        f"any weights, any Byzantine weight; each attester of N = {listed(sizes)}, in the topologies "
        f"{', '.join(DIRECTLY_CONNECTED)}; that more add only to what is arbitrary is argued by hand; {WITHOUT}"
    )
    beyond = (
        "an attester whose task has ended goes on when its process restarts, and not before; that enough attesters get "
        "so far is progress_possible, for the explorer: attestation check"
    )
    free = session.environment(max(sizes), one_committee=True)
    yield case.concluded(proved(outcomes, how, about), outcomes, argument, free, beyond)


def _arguments(session: ControllerSession, sizes: Sequence[int]) -> Iterator[tuple[str, Induction[ControllerDesign]]]:
    yield "main node", of_main_node(session, one_committee=True)
    for topology, many in product(DIRECTLY_CONNECTED, sizes):
        yield from ((f"{topology} {many} {key}", of_attester(session, many, topology, key)) for key in range(many))


def of_attester(session: ControllerSession, size: int, topology: str, key: int) -> Induction[ControllerDesign]:
    """The argument about one attester beside the main node; what holds of that alone is the argument of its own."""
    system = session.system(size, topology, one_committee=True)
    part = projection(system, seen_of_attester(system, key))
    node = node_of(system, key)
    goals = {
        "while the main node waits, the vote is there or to come": does_not_wait_in_vain(system, key),
        "no start is refused": ~start_fails(system.main) & ~start_fails(node),
    }
    return Induction(part, attester(part, key), TRUE, goals, given=main_node(part))


def does_not_wait_in_vain(system: ControllerDesign, key: int) -> Bool:
    """While the main node waits for a certificate: the attester's vote is there, or to come, or it has yet to start the
    batch, and ignores no number up to it unless it is about to."""
    main, node = system.main, node_of(system, key)
    number, batch = main.attestation.batch.number, node.attestation.batch.number
    goes_on = (node.task.next_number <= number) | node.task.is_in(WAITING_FOR_HASH)
    comes = (batch == number) & is_here_or_to_come(system, key)
    return ~main.task.is_in(WAITING_FOR_CERTIFICATE) | comes | ((batch < number) & goes_on)
