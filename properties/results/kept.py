"""What earlier runs have found, which take too long for each `attestation check`; and of which model they were.

`python -m docs.generator.kept` writes `kept.json`, part by part.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from model.algebra import Expression, post_order
from model.revisions import CONTROLLER, design_of
from model.revisions import revision as by_name
from model.system import build
from properties.results.ledger import conditions_of
from properties.scopes.plans import PLANS

KEPT = Path(__file__).parent / "kept.json"
"""By part: the command that made it, what it found, and, by group of revisions, of which model that is."""

SEALED, GENESIS, REDESIGN = "sealed", "genesis", "PR175"
"""Where attestation starts, in the vote registry's design; and the other design."""

GROUPS: Mapping[str, tuple[str, str]] = {
    REDESIGN: ("attestation controllers (era-consensus PR 175 on)", "pr175+era3512"),
    GENESIS: ("start at the genesis (zksync-era PR 2539)", "pr170+era2539"),
    SEALED: ("start at the last sealed batch (zksync-era PR 2480)", "pr161+era2480"),
}
"""Each group of revisions: what they are, and the one that Z3 is asked about."""


COMMUTATIVE = ("and", "eq", "add")
"""Operators whose operands may stand in any order."""


def group_of(revision: str) -> str:
    """The group of a revision."""
    if design_of(revision) == CONTROLLER:
        return REDESIGN
    return SEALED if "era2480" in revision.split("+") else GENESIS


@cache
def _parts() -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads(KEPT.read_text(encoding="utf-8"))
    return found


def kept(part: str) -> Mapping[str, Any]:
    """What a longer run has found: by group of revisions; of dropped assumptions, by property."""
    found: Mapping[str, Any] = _parts()[part]["found"]
    return found


def is_current(group: str) -> bool:
    """Whether what is kept was found out about the model that there is."""
    return all(part["model"][group] == digest(group) for part in _parts().values())


@cache
def digest(group: str) -> str:
    """A digest of what the group's revision that Z3 is asked about does in every scope of the ledger, and of what
    properties say there; whatever the text of the model is otherwise."""
    revision = by_name(GROUPS[group][1])
    plans = [plan for plan in PLANS if plan.is_for(revision.name)]
    found = sha256()
    for plan in plans:
        system = build(revision, plan.scope)
        updates = [update for action in system.actions for update in action.updates]
        names = [
            *((each.name, each.initial) for each in system.variables),
            *((each.node, str(each), len(each.updates)) for each in system.actions),
            *(variable.name for variable, _ in updates),
        ]
        roots = [*(action.guard for action in system.actions), *(value for _, value in updates), *conditions_of(system)]
        found.update(f"{names}\n{_written(roots)}".encode())
    return found.hexdigest()


def _written(roots: list[Expression]) -> list[str]:
    """Each expression as text, the same in every process: in which order two are compared, or the parts of a condition
    are written, depends on what else was built before."""
    texts: dict[Expression, str] = {}
    for node in post_order(roots):
        parts = [texts[arg] for arg in node.args]
        parts = sorted(parts) if node.op in COMMUTATIVE else parts
        texts[node] = sha256(repr((node.op, node.value, node.low, node.high, parts)).encode()).hexdigest()
    return [texts[root] for root in roots]
