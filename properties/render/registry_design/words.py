"""The variables of the vote-registry design in a reader's words."""

from __future__ import annotations

import re
from collections.abc import Iterator

from model.algebra import Int
from model.registry_design.qc_finder import PERSISTING, SETTING_MINIMUM, WAITING_FOR_QUORUM, WAITING_FOR_STATUS
from model.registry_design.system import RegistryDesign
from model.scope import Scope

PHASES = {
    WAITING_FOR_STATUS: "waiting for status",
    WAITING_FOR_QUORUM: "waiting for quorum",
    SETTING_MINIMUM: "setting minimum",
    PERSISTING: "persisting",
}
"""The phases of the QC finder's loop."""

NAMED = ((re.compile(r".+\.phase"), PHASES),)
"""Variables whose values have names."""

PARTS = re.compile(r"(.+\.(?:registry|old|in_flight|queue)\.\w+|.+\.quorum)\.(?:number|variant|genesis)")
"""A variable that is a part of a vote or of a certificate: a batch number, which hash, which fork."""

MEANINGS: tuple[tuple[str, str, str], ...] = (
    (r"next_batch_to_attest", "next_batch_to_attest", "the batch that the main node's database asks for now"),
    (r"sealed", "sealed", "how many batches the main node has sealed"),
    (r"(\S+)\.registry\.min_batch_number", "{}.registry.min_batch_number", "votes below it are skipped by {}"),
    (r"(\S+)\.registry\.\w+", "{}.registry.x", "the vote of attester x in the vote registry of {}"),
    (r"(\S+)-(\S+)\.old\.\w+", "x-y.old.z", "the vote of z that x pushed to y last; not pushed again"),
    (r"(\S+)-(\S+)\.in_flight\.\w+", "x-y.in_flight.z", "the vote of z on its way from x to y"),
    (r"(\S+)\.store\.queue\.\d+", "{}.store.queue.n", "certificates that {} has found and not yet inserted"),
    (
        r"(\S+)\.store\.certified\.\d+",
        "{}.store.certified.n",
        "whether the database of {} has the certificate of batch n",
    ),
    (r"(\S+)\.store\.smallest_certified", "{}.store.smallest_certified", "the first batch with a certificate at {}"),
    (r"(\S+)\.store\.largest_certified", "{}.store.largest_certified", "the last batch with a certificate at {}"),
    (r"(\S+)\.store\.had_gap", "{}.store.had_gap", "whether the certificates at {} ever had a gap"),
    (r"(\S+)\.store\.persisted", "x.store.persisted", "how many batches the node x itself has"),
    (r"(\S+)\.store\.commitment\.\d+", "x.store.commitment.n", "whether the node x can sign batch n"),
    (
        r"(\S+)\.status\.next_batch_to_attest",
        "x.status.next_batch_to_attest",
        "what the node x was told to attest next",
    ),
    (r"(\S+)\.status\.unseen_by_(\w+)", "x.status.unseen_by_y", "whether y, a part of node x, has yet to look at that"),
    (r"(\S+)\.finder\.phase", "{}.finder.phase", "where the QC finder of {} stands in its loop"),
    (r"(\S+)\.finder\.number", "{}.finder.number", "the status that the QC finder of {} has read"),
    (r"(\S+)\.finder\.quorum", "{}.finder.quorum", "the certificate that the QC finder of {} is about to store"),
    (r"(\S+)\.polled", "x.polled", "an answer of the main node that x has yet to put into its status"),
    (r"(\S+)\.attesting", "x.attesting", "the batch that attester x has set out to vote on"),
    (r"(\S+)\.store\.pruned", "{}.store.pruned", "the batch that was pruned from the database of {}"),
    (r"(\S+)\.genesis", "x.genesis", "which fork of the chain the node x is on"),
    (r"first_batch", "first_batch", "the first batch of the main node's fork"),
    (r"has_first_block", "has_first_block", "whether the main node has the first block of its fork's genesis"),
    (r"restarts_left", "restarts_left", "how many restarts the scope still allows"),
    (r"(\S+)\.runs", "x.runs", "whether the consensus of the node x runs: after an error it may end for good"),
    (r"replica\.next_batch_to_attest", "replica.next_batch_to_attest", "what the API answers from a replica that lags"),
    (r"replica\.genesis", "replica.genesis", "the fork that the replica's answer is of"),
    (r"stale_answers_left", "stale_answers_left", "how many answers of the replica the scope still allows"),
    (r"(\S+)-(\S+)\.is_spoilt", "x-y.is_spoilt", "whether the message from x to y has a bad vote, too"),
    (r"errors_left", "errors_left", "how many errors without a cause in the model the scope still allows"),
    (r"disconnects_left", "disconnects_left", "how many broken connections the scope still allows"),
)
"""Variables by pattern: how the pattern is written in a legend, and what it stands for."""


COARSE: dict[str, str] = {
    "late_answers": "asking the main node for the next batch and storing its answer is one step, so that no answer is "
    "out of date when it arrives",
    "finder_steps": "the QC finder reads the status and sets the minimum in one step, and finds a quorum and hands its "
    "certificate to the database in one step",
    "attester_steps": "an attester reads the status and publishes its vote in one step",
    "own_finders": "the attesters' own QC finders are left out, and with them the minimum of their own registries",
    "echo": "votes flow towards the main node only",
    "late_batches": "every node has each batch, ready to be signed, as soon as the main node seals it",
}
"""What a switch of the scope leaves out while it is off."""


def bounds(scope: Scope) -> Iterator[str]:
    """What else the scope has."""
    several = "s" * (scope.queue > 1)
    waiting = f"at most {scope.queue} certificate{several} waiting to be inserted"
    yield waiting if scope.queue else "certificates are inserted at once"
    if scope.bad_votes:
        which = "some messages" if scope.some_bad_votes else "all messages"
        yield f"{which} of external nodes also have a vote with {scope.bad_votes}"
    if scope.replays:
        yield "whatever an honest attester has ever voted, anybody may pass on again, to any node"
    if scope.lesser_hashes:
        yield f"{scope.lesser_hashes} hashes of no batch that are less than those of all batches"


def derived(system: RegistryDesign) -> dict[str, Int]:
    """What the main node's database would answer."""
    return {"next_batch_to_attest": system.next_batch_to_attest}
