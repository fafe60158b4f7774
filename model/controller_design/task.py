"""Where a node's attestation task stands: `run_attestation_updater`, from zksync-era PR 2684 on
`run_attestation_controller`.

The main node's goes round: read the status, wait for the batch's hash, start, wait for the certificate, insert it. That
of an external node, which an attester has as well, reads the status from the main node's API, waits for the hash and
starts; it waits for no certificate.

Sources: zksync-era, `core/node/consensus/src/mn.rs` and `en.rs`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from model.algebra import Bool, Int, const
from model.votes import NONE

READING_STATUS = 0
WAITING_FOR_HASH = 1
WAITING_FOR_CERTIFICATE = 2
INSERTING = 3
DEAD = 4
"""The task has ended with an error, and nothing starts it again while the process lives."""


@dataclass(frozen=True)
class Task:
    """The phase, the number in hand (`NONE` while the status is read), and the least number that is not ignored."""

    phase: Int
    number: Int
    next_number: Int

    @staticmethod
    def fresh() -> Task:
        """The task of a process that has just started."""
        return Task(const(READING_STATUS), const(NONE), const(0))

    def is_in(self, phase: int) -> Bool:
        """Whether the task is in this phase."""
        return self.phase == phase

    @property
    def is_alive(self) -> Bool:
        """Whether the task has not ended."""
        return self.phase != DEAD

    def waiting_for_hash(self, number: Int) -> Task:
        """The number has been read. The task does not look at the status until the own database has the hash."""
        return replace(self, phase=const(WAITING_FOR_HASH), number=number)

    def waiting_for_certificate(self) -> Task:
        """The number has been started, and the main node wants its certificate, and no other."""
        return replace(self, phase=const(WAITING_FOR_CERTIFICATE))

    def inserting(self) -> Task:
        """The certificate is in hand."""
        return replace(self, phase=const(INSERTING))

    def reading_status(self) -> Task:
        """The top of the loop."""
        return replace(self, phase=const(READING_STATUS), number=const(NONE))

    def ignoring_below(self, number: Int) -> Task:
        """Smaller numbers are ignored from now on."""
        return replace(self, next_number=number)

    def dead(self) -> Task:
        """The task has ended."""
        return Task(const(DEAD), const(NONE), const(0))
