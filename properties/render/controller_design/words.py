"""The variables of the attestation-controller design in a reader's words."""

from __future__ import annotations

import re
from collections.abc import Iterator

from model.controller_design import task
from model.controller_design.gossip import ANSWERED, CALLED, IDLE, INSERTED
from model.scope import Scope

TASKS = {
    task.READING_STATUS: "reading the status",
    task.WAITING_FOR_HASH: "waiting for the hash",
    task.WAITING_FOR_CERTIFICATE: "waiting for the certificate",
    task.INSERTING: "inserting the certificate",
    task.DEAD: "ended by an error",
}
"""The phases of the attestation task."""

CALLS = {IDLE: "none", CALLED: "under way", INSERTED: "votes inserted", ANSWERED: "answered"}
"""The phases of a call."""

NAMED = ((re.compile(r".+\.task\.phase"), TASKS), (re.compile(r".+-.+\.phase"), CALLS))
"""Variables whose values have names."""

PARTS = re.compile(r"(.+\.(?:attestation|told))\.(?:number|variant|genesis)")
"""A variable that is a part of a batch: its number, which hash, which fork."""


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
