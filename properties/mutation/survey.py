"""What notices each of many mutants: who does the work, which are looked at, and why some are noticed by nothing."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from properties.engines.workers import Workers
from properties.mutation.operators import Mutant, files, mutants

REASONS = Path(__file__).parent / "reasons.toml"
"""By the name of a mutant that nothing notices: why that is right."""

SEMANTIC, OTHERWISE, EQUIVALENT, UNUSED, UNSEEN, EXPLAINED, UNEXPLAINED = (
    "noticed by what it does",
    "noticed otherwise",
    "proved equal",
    "the same in every scope",
    "in no run of a scope",
    "explained",
    "unexplained",
)
"""What becomes of a mutant. *Otherwise* is by a number of states, a crash or a time limit alone; *the same in every
scope* has equal expressions wherever the model is checked, whether or not it is the same elsewhere; *in no run of a
scope* has other expressions, but the same states and transitions in the scopes that were searched for that."""

VERDICT, RECORDING, PROOF, LOG, TEST = "verdict", "recording", "proof", "log", "test"
COUNT, CRASH, TIME = "number of states or transitions", "crash", "does not end"
SEMANTIC_CHECKS = (VERDICT, RECORDING, PROOF, LOG, TEST)
"""The checks, those that see what the model does, and the others."""

UNCHANGED, SAME = "the same expressions", "proved equal by Z3"
"""Why a mutant is no mistake in any scope that is looked at."""

SAME_RUNS = "the same states, and as many transitions"
SAME_VERDICTS = "the same states and verdicts, and as many transitions"
"""Why none of the larger scopes shows a mutant, either; the latter where properties are said in other words, too."""

SAVED = Path(__file__).parent / "survey.json"
"""The last survey that was kept, by `attestation mutate --save`; `docs/mutants.md` is made from it."""


@dataclass(frozen=True)
class Finding:
    """What became of a mutant: what noticed it, or why nothing had to."""

    mutant: Mutant
    how: str
    checks: tuple[str, ...] = ()
    where: str = ""
    run: tuple[str, ...] = ()
    why: str = ""

    @property
    def outcome(self) -> str:
        """The class that it is counted in."""
        if self.how in SEMANTIC_CHECKS:
            return SEMANTIC
        if self.how:
            return OTHERWISE
        known = {
            UNCHANGED: UNUSED,
            SAME: EQUIVALENT,
            SAME_RUNS: UNSEEN,
            SAME_VERDICTS: UNSEEN,
            "": UNEXPLAINED,
        }
        return known.get(self.why, EXPLAINED)

    def as_json(self) -> dict[str, Any]:
        """The same for machines."""
        return {"name": self.mutant.key, "outcome": self.outcome, **asdict(self)}


def saved() -> tuple[str, int, list[Finding]]:
    """The command that was kept, of how many mutants it was a choice, and what it found."""
    kept = json.loads(SAVED.read_text(encoding="utf-8"))
    found = [
        Finding(
            Mutant(**each["mutant"]), each["how"], tuple(each["checks"]), each["where"], tuple(each["run"]), each["why"]
        )
        for each in kept["mutants"]
    ]
    return kept["command"], kept["total"], found


def chosen(file: str | None, sample: int | None, seed: int) -> list[Mutant]:
    """The mutants of a file or of all, or so many of them, which a hash of the seed and the name chooses: where the
    model changes, a sample changes no more than it must."""
    every = [mutant for name in ([file] if file else files()) for mutant in mutants(name)]
    return sorted(every, key=lambda mutant: sha256(f"{seed} {mutant.key}".encode()).digest())[:sample]


def survey(chosen: Sequence[Mutant], workers: Workers) -> Iterator[Finding]:
    """What becomes of each, in their order."""
    return workers.map(finding, chosen)


def finding(mutant: Mutant) -> Finding:
    """What becomes of a mutant."""
    from properties.mutation.checks import examine

    kill, why = examine(mutant)
    if kill is not None:
        return Finding(mutant, kill.how, kill.checks, kill.where, kill.run)
    return Finding(mutant, "", why=reasons().get(mutant.key, why))


def reasons() -> dict[str, str]:
    """Why a mutant that nothing notices is no mistake, or none that matters: by its name."""
    table: dict[str, str] = tomllib.loads(REASONS.read_text(encoding="utf-8"))["reasons"]
    return table
