"""The systems that are exported in tests: both designs, with and without faults, attesters alike and not."""

from __future__ import annotations

from model.revisions import revision
from model.scope import Scope, instance
from model.service import AttestationSystem
from model.system import build
from properties.scopes.details import DETAILS
from properties.scopes.switches import parse, switched


def scope(committee: str, batches: int, detail: str = "joined", *switches: str) -> Scope:
    return switched(DETAILS[detail].scope(instance(committee), batches), map(parse, switches))


SYSTEMS = {
    "last sealed": ("pr161+era2480", scope("n2f0b0", 3)),
    "last sealed, all steps": ("pr161+era2480", scope("n1f0b0", 2, "stepwise")),
    "genesis": ("pr161+era2539", scope("n3f0b0", 3)),
    "own registries": ("pr161+era2539", scope("n2f0b0", 2, "own-registries")),
    "Byzantine": ("pr161+era2539", scope("w5,1b1", 2)),
    "weights": ("pr169+era2539", scope("w3,2,1b1", 1)),
    "a relay": ("pr170+era2539", scope("n1f0b0", 2, "joined", "topology=relay", "restarts=1", "disconnects=1")),
    "bad votes": ("pr170+era2539", scope("n1f0b0", 2, "joined", "topology=relay", "bad_votes=bad signature")),
    "any number of restarts": ("pr161+era2480", scope("n1f0b0", 3, "joined", "restarts=any", "restarting=M")),
    "a fork": ("pr167+era2539", scope("n1f0b0", 2, "joined", "regeneses=1", "stale_answers=any")),
    "controllers": ("pr175+era2657", scope("n2f0b0", 3)),
    "controllers, all steps": ("pr175+era2657", scope("n1f0b0", 2, "full")),
    "committees": ("pr175+era2684", scope("n2f0b0", 3, "joined", "committees=1,1;1,0;0,1")),
    "errors": ("pr175+era3180", scope("n1f0b0", 3, "joined", "errors=1", "restarts=any")),
    "a restored database": ("pr175+era3512", scope("n1f0b0", 3, "joined", "restores=1")),
    "a fallback": ("pr175+era2684", scope("n1f0b0", 2, "calls", "fallbacks=1", "restarts=1", "astray=a")),
}


def system(name: str) -> AttestationSystem:
    revision_name, bounds = SYSTEMS[name]
    return build(revision(revision_name), bounds)
