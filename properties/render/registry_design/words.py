"""The variables of the vote-registry design in a reader's words."""

from __future__ import annotations

import re
from collections.abc import Iterator

from model.registry_design.qc_finder import PERSISTING, SETTING_MINIMUM, WAITING_FOR_QUORUM, WAITING_FOR_STATUS
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


def bounds(scope: Scope) -> Iterator[str]:
    """What else the scope has."""
    several = "s" * (scope.queue > 1)
    waiting = f"at most {scope.queue} certificate{several} waiting to be inserted"
    yield waiting if scope.queue else "certificates are inserted at once"
    if scope.bad_votes:
        which = "some messages" if scope.some_bad_votes else "all messages"
        yield f"{which} of external nodes also have a vote with {scope.bad_votes}"
    if scope.message_limit:
        yield f"at most {scope.message_limit} votes in a message"
    if scope.replays:
        yield "whatever an honest attester has ever voted, anybody may pass on again, to any node"
    if scope.lesser_hashes:
        yield f"{scope.lesser_hashes} hashes of no batch that are less than those of all batches"
