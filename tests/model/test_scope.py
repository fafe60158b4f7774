"""Every scope makes a system, or is refused in words."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from random import Random

import pytest

from model.revisions import REVISIONS, revision
from model.scope import BadScope, Scope, instance
from model.system import build
from tests.selfchecks.randomness import SWITCHES


@pytest.mark.deep
@pytest.mark.slow
def test_any_two_switches_make_a_system_or_are_refused() -> None:
    """Nothing that they make possible is outside the domains that are declared: each pair on three revisions, with
    values that one seed has chosen."""
    random = Random(1)
    built = 0
    for names in combinations(sorted(SWITCHES.keys() - {"topology"}), 2):
        scope = Scope(instance(random.choice(["n1f0b0", "n2f0b1"])), batches=2, topology="relay_chain")
        for name in random.sample([*REVISIONS], 3):
            try:
                build(revision(name), replace(scope, **{each: random.choice(SWITCHES[each]) for each in names}))  # type: ignore[arg-type]
                built += 1
            except BadScope:
                continue
    assert built > 500
