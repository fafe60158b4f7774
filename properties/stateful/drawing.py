"""What the scopes of all designs are drawn from: topologies in turn, committees, and who in them is Byzantine.

A Byzantine subset is always the last attesters of a committee; their weights are drawn like all others, so that any
combination of weights can be Byzantine.
"""

from __future__ import annotations

from dataclasses import replace
from random import Random

from model.committee import U64_MAX
from model.rules import max_faulty_weight
from model.scope import Instance, Scope, instance
from model.topology import TOPOLOGIES, attester_names

LARGEST_COMMITTEE = 12

IN_TURN = (*sorted(TOPOLOGIES), "direct", "direct")
"""The topologies of successive scopes. Of four successive scopes, one each has one, two, three and more attesters; an
odd number of topologies lets each meet every size."""


def committee(random: Random, number: int) -> tuple[str, list[int]]:
    """The topology and the weights of the scope of this number."""
    turn, topology = number // len(IN_TURN), IN_TURN[number % len(IN_TURN)]
    largest = 4 if topology == "mesh" else LARGEST_COMMITTEE
    return topology, _weights(random, min(largest, number % 4 + 1 if number % 4 < 3 else random.randint(4, 4 + turn)))


def _weights(random: Random, size: int) -> list[int]:
    """Equal, small or huge weights; at times the largest sum that there can be."""
    top = random.choice([1, 1, 3, 100, U64_MAX // size])
    weights = [random.randint(1, top) for _ in range(size)]
    if random.random() < 0.2:
        weights[random.randrange(size)] += U64_MAX - sum(weights)
    return weights


def byzantine(random: Random, weights: list[int]) -> int:
    """None of them, as many as are tolerated, or any number."""
    faulty = max_faulty_weight(sum(weights))
    tolerated = max(count for count in range(len(weights)) if sum(weights[len(weights) - count :]) <= faulty)
    return random.choice([0, tolerated, tolerated, random.randint(0, len(weights))])


def completed(random: Random, scope: Scope) -> Scope:
    """The scope with what depends on the rest of it: how many batches are pruned; and at times the first attester is
    the main node, and the others' nodes have the letters from a on: where there is an honest one, and the last letter
    is not that of a node to which something happens."""
    honest = len(scope.instance.weights) - scope.instance.byzantine
    can_attest = honest > 0 and attester_names(honest)[-1] not in scope.named_nodes.values()
    attests = can_attest and random.random() < 0.3
    pruned = min(random.choice([1, 1, 2, 3]), max(1, (scope.batches or 2) - 1)) if scope.pruned else 1
    return replace(scope, main_attests=attests, pruned_batches=pruned)


def named(weights: list[int], byzantine: int) -> Instance:
    """The instance of these weights."""
    return instance(f"w{','.join(map(str, weights))}b{byzantine}")
