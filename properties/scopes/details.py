"""Named levels of detail: which steps of the protocol a scope tells apart.

From coarse to fine. A coarser level joins two steps into one or leaves a machine out, so that larger committees can be
searched; `tests/properties/test_details.py` compares the verdicts of the levels wherever both can be searched.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from model.scope import Instance, Scope


@dataclass(frozen=True)
class Detail:
    """A level of detail: its switches of `model.scope.Scope`, and in words what it tells apart."""

    name: str
    about: str
    switches: tuple[str, ...]

    def scope(self, instance: Instance, batches: int) -> Scope:
        """The scope of this level."""
        switches: dict[str, Any] = dict.fromkeys(self.switches, True)
        return replace(Scope(instance, batches), **switches)


STEPS = ("late_answers", "finder_steps", "attester_steps", "certificate_steps")

DETAILS = {
    detail.name: detail
    for detail in (
        Detail(
            "joined",
            "Reading the number and updating the watch are one step; the QC finder reads the status and sets the "
            "minimum in one step, and finds and queues a certificate in one; an attester reads the status and votes in "
            "one. Attesters' own registries have no minimum; a sealed batch can be signed everywhere at once. With "
            "attestation controllers, reading the number and starting the batch are one step, finding and inserting a "
            "certificate one, and a call and its answer one.",
            (),
        ),
        Detail(
            "stepwise",
            "Every step of the status runners, of the main node's QC finder and of the attester runners, or else of "
            "the attestation tasks, is a step of its own, so that numbers are stale when they arrive and an attester "
            "votes on the number that it has read.",
            STEPS,
        ),
        Detail(
            "calls",
            "For attestation controllers: like joined; and the four steps of a call are told apart, so that a message "
            "is under way, and an answer computed from a state that has changed since.",
            ("call_steps",),
        ),
        Detail(
            "own-registries",
            "Like stepwise; and every attester's node runs its own QC finder, which sets its own registry's minimum.",
            (*STEPS, "own_finders"),
        ),
        Detail(
            "full",
            "Like own registries; and votes are pushed in both directions, the steps of a call are told apart, and "
            "each node gets each batch and each commitment in its own time.",
            (*STEPS, "own_finders", "echo", "late_batches", "call_steps"),
        ),
    )
}
