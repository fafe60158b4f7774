"""How many seeds find a known defect in few runs, with and without an aim for Hypothesis to maximise (`target`).

Hypothesis turns to the aim after half of the runs, so there is something to see only where they do not suffice.
"""

from __future__ import annotations

from model.registry_design.system import RegistryDesign, build
from model.revisions import REVISIONS
from model.scope import Scope, instance
from properties.claims.catalogue import claim
from properties.engines.stepper import Stepper
from properties.stateful.search import Aim, Condition, holds, search

SEEDS, BUDGET, LONGEST = range(40), 60, 120

DEFECTS = (
    ("no_gaps_on_main_node", "pr161+era2480", Scope(instance("n2f0b0"), batches=3)),
    ("certificates_verify", "pr161+era2539", Scope(instance("n6f1b1"), batches=2)),
)


def run() -> None:
    """Print one line for each defect and aim."""
    for name, revision, scope in DEFECTS:
        system = build(REVISIONS[revision], scope)
        stepper = Stepper(system)
        (conjunct,) = claim(name).conjuncts(system)
        condition = holds(stepper, conjunct.when & ~conjunct.holds)
        for what, aim in {"nothing": None, **aims(stepper, system)}.items():
            found = sum(_is_found(stepper, condition, aim, seed) for seed in SEEDS)
            print(f"{name}, {scope.instance.name}, aim at {what}: {found} of {len(SEEDS)} seeds, {BUDGET} runs each")


def aims(stepper: Stepper, system: RegistryDesign) -> dict[str, Aim]:
    """What could be near to a defect."""
    nodes = system.state.nodes
    stale = stepper.evaluator(*(flag for node in nodes for flag in node.status.unseen))
    votes = stepper.evaluator(*(vote.number >= 0 for vote in system.main.registry.votes))
    return {"stale statuses": lambda state: sum(stale(state)), "votes": lambda state: sum(votes(state))}


def _is_found(stepper: Stepper, condition: Condition, aim: Aim | None, seed: int) -> bool:
    return bool(search(stepper, {"it": condition}, seed, BUDGET, LONGEST, wanted=1, aim=aim))
