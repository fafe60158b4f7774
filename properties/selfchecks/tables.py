"""The tables of docs/self-checks.md: how much was compared, and who noticed which defect."""

from __future__ import annotations

from functools import cache

from model.service import AttestationSystem
from properties.claims.kinds import Property
from properties.documentation.tables import table
from properties.selfchecks.comparison import Tally, cases, compare, is_small
from properties.selfchecks.mutants import MUTANTS

SEED, MODELS, SYSTEMS = 0, 60, 120
"""The random cases of the docs and of the slow tests."""

Case = tuple[str, AttestationSystem, list[Property]]


@cache
def small_cases(seed: int, models: int, systems: int) -> tuple[Case, ...]:
    """The cases that the reference can take."""
    return tuple(case for case in cases(seed, models, systems) if is_small(case[1]))


def compared() -> str:
    """What the engines agree on with the reference and with each other. Raises `AssertionError` where they do not."""
    tally = Tally()
    for name, system, properties in small_cases(SEED, MODELS, SYSTEMS):
        for difference in compare(system, properties, tally):
            raise AssertionError(f"{name}: {difference}")
    rows = ((name, row["systems"], f"{row['states']:,}", row["verdicts"] or "") for name, row in tally.of.items())
    words = ", ".join(f"{count} {word}" for word, count in sorted(tally.words.items()))
    return f"{table(('compared', 'systems', 'states', 'verdicts'), rows)}\nThe verdicts on all states: {words}.\n"


def noticed() -> str:
    """For each broken engine, which comparison notices it."""
    found = ((mutant, mutant.notices(small_cases(SEED, MODELS, SYSTEMS)[::-1])) for mutant in MUTANTS)
    rows = ((mutant.what, each.comparison if each else "nobody") for mutant, each in found)
    return table(("defect", "first noticed by"), rows)
