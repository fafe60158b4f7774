"""The systems that the system machine runs on: any revision, in scopes far beyond what can be searched exhaustively.

A model has a number, from which everything about it is drawn, so that a number is all that a report needs to name.
Small numbers are small scopes. A Byzantine subset is always the last attesters of a committee; their weights are drawn
like all others, so that any combination of weights can be Byzantine.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property
from random import Random

from model.algebra import Bool
from model.batch_store import CertifiedBatches
from model.committee import U64_MAX
from model.registry_design.network import FAULTS
from model.registry_design.system import RegistryDesign, build
from model.revisions import NEVER, REGISTRY, REVISIONS, of_design
from model.rules import max_faulty_weight
from model.scope import ALL, BAD_SIGNATURE, EXTERNAL, FOREIGN_GENESIS, NOBODY, Instance, Scope, instance
from model.topology import MAIN, RELAY, RELAYED, TOPOLOGIES
from properties.claims.catalogue import CATALOGUE
from properties.claims.kinds import Conjunct, Kind
from properties.engines.stepper import State, Stepper
from properties.stateful.expectations import expected_to_hold

LARGEST_COMMITTEE = 12
MOST_FORGERIES = 240
"""How many forged votes a scope may tell apart: beyond that, its Byzantine attesters are made fewer."""


IN_TURN = (*sorted(TOPOLOGIES), "direct", "direct")
"""The topologies of successive scopes. Of four successive scopes, one each has one, two, three and more attesters."""


def scope_number(number: int, pool: int = 0) -> Scope:
    """The scope of this number, from 0 on, in this pool of them."""
    random = Random(f"scope {number} of pool {pool}" if pool else f"scope {number}")
    turn, topology = number // len(IN_TURN), IN_TURN[number % len(IN_TURN)]
    largest = 4 if topology == "mesh" else LARGEST_COMMITTEE
    weights = _weights(random, min(largest, number % 4 + 1 if number % 4 < 3 else random.randint(4, 4 + turn)))
    batches, echo = random.randint(2, 5), random.random() < 0.4
    targets = 3 + (len(weights) if echo else 0)
    bad_votes = random.choice(["", "", "", BAD_SIGNATURE, FOREIGN_GENESIS]) if topology in RELAYED else ""
    byzantine = min(_byzantine(random, weights), MOST_FORGERIES // (targets * batches * (batches + 3)))
    return Scope(
        _named(weights, byzantine),
        batches=batches,
        topology=topology,
        late_answers=random.random() < 0.7,
        finder_steps=random.random() < 0.7,
        attester_steps=random.random() < 0.7,
        own_finders=random.random() < 0.4,
        echo=echo,
        late_batches=random.random() < 0.4,
        queue=random.randint(0, 3),
        restarts=random.choice([0, 0, 1, 3, None]),
        disconnects=random.choice([0, 0, 1, 3, None]),
        lesser_hashes=random.choice([0, 0, 1]),
        pruned=random.choice(["", "", "", MAIN, "a" if len(weights) > byzantine else ""]),
        prunes_after_status=random.random() < 0.5,
        regeneses=random.choice([0, 0, 0, 1, 2]) if len(weights) <= 4 else 0,
        bad_votes=bad_votes,
        some_bad_votes=bool(bad_votes) and random.random() < 0.5,
        supervised=random.choice([EXTERNAL, EXTERNAL, ALL, NOBODY]),
        errors=random.choice([0, 0, 0, 1, None]),
        stale_answers=random.choice([0, 0, 0, 2, None]),
        unanswered=_unanswered(random, topology, len(weights) > byzantine),
    )


def _unanswered(random: Random, topology: str, has_attester: bool) -> str:
    """Mostly nobody; else the first attester's node, if it has one, or the external node."""
    names = ["a"] * has_attester + [RELAY] * (topology in (*RELAYED, "observed"))
    return random.choice(names) if names and random.random() < 0.15 else ""


def _weights(random: Random, size: int) -> list[int]:
    """Equal, small or huge weights; at times the largest sum that there can be."""
    top = random.choice([1, 1, 3, 100, U64_MAX // size])
    weights = [random.randint(1, top) for _ in range(size)]
    if random.random() < 0.2:
        weights[random.randrange(size)] += U64_MAX - sum(weights)
    return weights


def _byzantine(random: Random, weights: list[int]) -> int:
    """None of them, as many as are tolerated, or any number."""
    faulty = max_faulty_weight(sum(weights))
    tolerated = max(count for count in range(len(weights)) if sum(weights[len(weights) - count :]) <= faulty)
    return random.choice([0, tolerated, tolerated, random.randint(0, len(weights))])


def _named(weights: list[int], byzantine: int) -> Instance:
    return instance(f"w{','.join(map(str, weights))}b{byzantine}")


@dataclass(frozen=True)
class Model:
    """A system with its one-step engine, and what is asked of its states."""

    system: RegistryDesign

    def __str__(self) -> str:
        return f"{self.system.revision.name}, {self.system.scope.instance.name}, {self.system.scope.name}"

    @cached_property
    def stepper(self) -> Stepper:
        """The one-step engine."""
        return Stepper(self.system)

    @cached_property
    def families(self) -> tuple[str, ...]:
        """For each action, the name of its transition."""
        return tuple(action.name for action in self.system.actions)

    @cached_property
    def faults(self) -> frozenset[int]:
        """The actions that are faults: a fair run need not take them."""
        names = {transition.name for transition in FAULTS}
        return frozenset(place for place, name in enumerate(self.families) if name in names)

    @cached_property
    def invariants(self) -> tuple[tuple[str, Conjunct], ...]:
        """The conjuncts of all properties that must hold in every state, with the names of the properties."""
        always = [claim for claim in CATALOGUE if claim.kind is Kind.ALWAYS]
        claims = [claim for claim in always if expected_to_hold(claim.name, self.system)]
        return tuple((claim.name, conjunct) for claim in claims for conjunct in claim.conjuncts(self.system))

    @cached_property
    def holding(self) -> Callable[[State], tuple[int, ...]]:
        """For a state, which of the invariants hold."""
        return self.stepper.evaluator(*(conjunct.holds | ~conjunct.when for _, conjunct in self.invariants))

    @cached_property
    def witnesses(self) -> tuple[tuple[str, ...], Callable[[State], tuple[int, ...]]]:
        """The names of the properties of kind `sometimes`; and, for a state, of which of them it is a witness."""
        claims = [claim for claim in CATALOGUE if claim.kind is Kind.SOMETIMES]
        applicable = [(claim.name, conjuncts[0]) for claim in claims if (conjuncts := claim.conjuncts(self.system))]
        holding = self.stepper.evaluator(*(conjunct.holds for _, conjunct in applicable))
        return tuple(name for name, _ in applicable), holding

    @cached_property
    def uncertified(self) -> Callable[[State], tuple[int, ...]]:
        """For a state, whether each batch of the fork is sealed and without a certificate on the main node."""
        certified = self.system.main.store.certified
        assert isinstance(certified, CertifiedBatches)
        state = self.system.state
        missing: list[Bool] = [
            (state.sealed > batch) & (state.first_batch <= batch) & ~flag for batch, flag in enumerate(certified.flags)
        ]
        return self.stepper.evaluator(*missing)


ONE = instance("n1f0b0")

SHOWCASES: tuple[tuple[str, Scope], ...] = (
    ("pr161+era2480", Scope(ONE, batches=5, topology="relay")),
    ("pr161+era2480", Scope(ONE, batches=3, own_finders=True, finder_steps=True, attester_steps=True)),
    ("pr167+era2480", Scope(ONE, batches=5, topology="relay")),
    ("pr169+era2539", Scope(ONE, batches=2, topology="relay", bad_votes=BAD_SIGNATURE)),
    ("pr161+era2539", Scope(instance("w5,1b1"), batches=2, echo=True, restarts=3)),
    ("pr161+era2539", Scope(ONE, batches=3, late_batches=True, queue=2, restarts=None)),
    ("pr161+era2539", Scope(instance("n1f0b1"), batches=2)),
    ("pr169+era2539", Scope(ONE, batches=1, regeneses=9, stale_answers=None)),
)
"""Small systems in which something happens often that is rare elsewhere: a minimum is lowered, an own registry skips, a
smaller number stops a node, a message is refused, a certificate is contaminated, an external node has a gap, a restart
loses a queued certificate, a certificate over a false hash stops the main node, a node is told of a former fork."""


@cache
def showcase(place: int) -> Model:
    """One of the showcases."""
    name, scope = SHOWCASES[place]
    return Model(build(REVISIONS[name], scope))


MERGED = [REVISIONS[name] for name in of_design(REGISTRY)]

LIVE = [revision for revision in MERGED if revision.executor != NEVER]

ROUND = [*MERGED, *LIVE, *LIVE, *LIVE]
"""The revisions of successive models: all, and those that start more often."""


def built(number: int, pool: int = 0) -> Model:
    """`model_number`, built anew."""
    return Model(build(ROUND[number % len(ROUND)], scope_number(number, pool)))


@cache
def model_number(number: int, pool: int = 0) -> Model:
    """The model of this number, from 0 on, in this pool: the scope of this number, of the revision whose turn it is."""
    return built(number, pool)
