"""The tables of docs/self-checks.md: how much was compared, and who noticed which defect."""

from __future__ import annotations

from functools import cache

from docs.generator.tables import table
from model.service import AttestationSystem
from properties.claims.kinds import Property
from tests.selfchecks.comparison import Tally, cases, compare, is_small
from tests.selfchecks.mutants import MUTANTS
from tests.selfchecks.randomness import NO_MODEL

SEED, MODELS, SYSTEMS = 0, 100, 120
"""The random cases of the docs and of the slow tests."""

Case = tuple[str, AttestationSystem, list[Property]]


@cache
def small_cases(seed: int, models: int, systems: int) -> tuple[Case, ...]:
    """The cases that the reference can take."""
    return tuple(case for case in cases(seed, models, systems) if is_small(case[1]))


def compared() -> str:
    """What the engines agree on with the reference and with each other. Raises `AssertionError` where they do not."""
    tally, taken = Tally(), small_cases(SEED, MODELS, SYSTEMS)
    for name, system, properties in taken:
        for difference in compare(system, properties, tally):
            raise AssertionError(f"{name}: {difference}")
    rows = ((name, row["systems"], f"{row['states']:,}", row["verdicts"] or "") for name, row in tally.of.items())
    words = ", ".join(f"{count} {word}" for word, count in sorted(tally.words.items()))
    of_the_model = sum(name != NO_MODEL for name, _, _ in taken)
    drawn = f"{of_the_model} scopes of the model (of {MODELS} drawn) and {len(taken) - of_the_model} other systems"
    return f"{table(('compared', 'systems', 'states', 'verdicts'), rows)}\n{drawn}; {words}.\n"


def noticed() -> str:
    """For each broken engine, which comparison notices it."""
    found = ((mutant, mutant.notices(small_cases(SEED, MODELS, SYSTEMS)[::-1])) for mutant in MUTANTS)
    rows = ((mutant.what, each.comparison if each else "nobody") for mutant, each in found)
    return table(("defect", "first noticed by"), rows)
