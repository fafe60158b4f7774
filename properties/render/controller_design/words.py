"""The variables of the attestation-controller design in a reader's words."""

from __future__ import annotations

import re
from collections.abc import Iterator

from model.algebra import Int
from model.controller_design.gossip import ANSWERED, CALLED, IDLE, INSERTED
from model.controller_design.network import (
    fail_once,
    fail_to_certify,
    fail_to_start,
    read_old_genesis,
    refuse_genesis,
    regenesis,
    restart_node,
    restart_on_new_genesis,
    restart_with_registry,
    restart_without_registry,
)
from model.controller_design.system import ControllerDesign
from model.controller_design.task import (
    DEAD,
    INSERTING,
    READING_STATUS,
    WAITING_FOR_CERTIFICATE,
    WAITING_FOR_HASH,
)
from model.scope import Scope

TASKS = {
    READING_STATUS: "reading the status",
    WAITING_FOR_HASH: "waiting for the hash",
    WAITING_FOR_CERTIFICATE: "waiting for the certificate",
    INSERTING: "inserting the certificate",
    DEAD: "ended by an error",
}
"""The phases of the attestation task."""

CALLS = {IDLE: "none", CALLED: "under way", INSERTED: "votes inserted", ANSWERED: "answered"}
"""The phases of a call."""

NAMED = ((re.compile(r".+\.task\.phase"), TASKS), (re.compile(r".+-.+\.phase"), CALLS))
"""Variables whose values have names."""

PARTS = re.compile(r"(.+\.(?:attestation|told))\.(?:number|variant|genesis)")
"""A variable that is a part of a batch: its number, which hash, which fork."""

MEANINGS: tuple[tuple[str, str, str], ...] = (
    (r"next_batch_to_attest", "next_batch_to_attest", "the batch that the main node's database asks for now"),
    (r"sealed", "sealed", "how many batches the main node has sealed"),
    (r"(\S+)\.attestation", "x.attestation", "the batch that the controller of node x has started"),
    (r"(\S+)\.attestation\.committee", "x.attestation.committee", "the committee it has started it with, by its place"),
    (r"(\S+)\.attestation\.votes\.\w+", "x.attestation.votes.y", "whether the controller of x has the vote of y on it"),
    (r"(\S+)\.task\.phase", "x.task.phase", "where the attestation task of node x stands"),
    (r"(\S+)\.task\.number", "x.task.number", "the batch that the task has in hand"),
    (r"(\S+)\.task\.next_number", "x.task.next_number", "numbers below it are ignored by the task of x"),
    (r"(\S+)-(\S+)\.phase", "x-y.phase", "where the call of x to y stands"),
    (r"(\S+)-(\S+)\.told", "x-y.told", "the batch that x has told y about on this connection"),
    (r"(\S+)-(\S+)\.told\.votes\.\w+", "x-y.told.votes.z", "whether x has told y the vote of z on that batch"),
    (r"(\S+)-(\S+)\.asks", "x-y.asks", "whether the call of x to y asks for votes"),
    (
        r"(\S+)-(\S+)\.carried\.votes\.\w+",
        "x-y.carried.votes.z",
        "whether the vote of z is in that call, or in its answer",
    ),
    (
        r"(\S+)\.store\.certified\.\d+",
        "{}.store.certified.n",
        "whether the database of {} has the certificate of batch n",
    ),
    (r"(\S+)\.store\.smallest_certified", "{}.store.smallest_certified", "the first batch with a certificate at {}"),
    (r"(\S+)\.store\.largest_certified", "{}.store.largest_certified", "the last batch with a certificate at {}"),
    (r"(\S+)\.store\.had_gap", "{}.store.had_gap", "whether the certificates at {} ever had a gap"),
    (r"(\S+)\.store\.persisted", "x.store.persisted", "how many batches the node x itself has, with their hashes"),
    (r"(\S+)\.store\.pruned", "{}.store.pruned", "the batch up to which the database of {} was pruned"),
    (r"(\S+)\.diverged", "{}.diverged", "the batch of which {} has another hash than the main node"),
    (r"(\S+)\.genesis", "x.genesis", "which fork of the chain the node x is on"),
    (r"(\S+)\.runs", "{}.runs", "whether the consensus component of {} runs"),
    (r"(\S+)\.has_fallback", "{}.has_fallback", "whether {} was started without knowing of the registry of attesters"),
    (r"first_batch", "first_batch", "the first batch of the main node's fork"),
    (r"(\w+)_left", "x_left", "how many faults of this kind the scope still allows"),
)
"""Variables by pattern: how the pattern is written in a legend, and what it stands for."""

ERRORS = {
    fail_to_start.name: "the batch cannot be started",
    fail_to_certify.name: "the certificate cannot be stored",
    fail_once.name: "a call of its task fails",
    refuse_genesis.name: "reads a status of the new fork",
    read_old_genesis.name: "reads an old status, of the former fork",
}
"""The errors of a task."""

RESTARTS = {
    restart_node.name: "restarts",
    restart_on_new_genesis.name: "learns of the new fork and restarts on it",
    restart_without_registry.name: "restarts with the fallback, which knows of no registry of attesters",
    restart_with_registry.name: "learns of the registry of attesters and restarts",
    regenesis.name: "restarts on a new fork",
}
"""Why a node starts anew."""

COARSE: dict[str, str] = {
    "late_answers": "a node reads the status and starts the batch in one step, so that no answer is out of date when "
    "it is acted on, and nothing waits for a hash",
    "call_steps": "a call, its votes, its answer and the votes of that are one step",
    "certificate_steps": "the main node finds a certificate and inserts it in one step",
    "late_batches": "every node has each batch and its hash as soon as the main node seals it",
}
"""What a switch of the scope leaves out while it is off."""


def bounds(scope: Scope) -> Iterator[str]:
    """What else the scope has."""
    if scope.committees:
        yield f"committees {scope.committees}"
    if scope.split:
        yield f"node {scope.split} may find any committee for a batch"
    if scope.failing:
        yield f"only the task of node {scope.failing} fails by itself"
    if scope.astray:
        yield f"only node {scope.astray} goes astray"
    if scope.message_limit:
        yield f"at most {scope.message_limit} votes in a message"


def derived(system: ControllerDesign) -> dict[str, Int]:
    """What the main node's database would answer."""
    return {"next_batch_to_attest": system.next_batch_to_attest}
