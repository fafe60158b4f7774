"""The scopes that the system machine runs the attestation controller in."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from model.revisions import CONTROLLER, REVISIONS, of_design
from model.scope import ALL, EXTERNAL, NOBODY, Instance, Scope, instance
from model.topology import MAIN
from properties.stateful import drawing

MERGED = [REVISIONS[name] for name in of_design(CONTROLLER)]

ROUND = [*MERGED, MERGED[0]]
"""The revisions of successive models; as many as let each of them meet every topology."""

MOST_CUT_OFF = 4
"""How many attesters there are at most where lists can be cut off: each part of one that comes before an error makes an
action of its own."""


def scope_number(number: int, pool: int = 0) -> Scope:
    """The scope of this number, from 0 on, in this pool of them, for the revision whose turn it is."""
    random = Random(f"scope {number} of controllers, pool {pool}")
    topology, weights = drawing.committee(random, number)
    members = drawing.named(weights, drawing.byzantine(random, weights))
    honest = "".join("abcdefghijkl"[: len(weights) - members.byzantine])
    batches, calls, echo = random.randint(2, 5), random.random() < 0.6, random.random() < 0.4
    has_committees = ROUND[number % len(ROUND)].has_committee_per_batch and len(weights) <= MOST_CUT_OFF
    has_committees = has_committees and random.random() < 0.4
    astray = honest[: random.choice([0, 0, 1, 2])]
    scope = Scope(
        members,
        batches=batches,
        topology=topology,
        late_answers=random.random() < 0.7,
        call_steps=calls,
        certificate_steps=random.random() < 0.7,
        echo=echo,
        late_batches=random.random() < 0.4,
        restarts=random.choice([0, 0, 1, 3, None]),
        disconnects=random.choice([0, 0, 1, 3, None]),
        pruned=random.choice(["", "", "", MAIN, honest[:1]]),
        prunes_after_status=random.random() < 0.5,
        prunes_certified=random.random() < 0.5,
        regeneses=random.choice([0, 0, 0, 1, 2]) if len(weights) <= 4 else 0,
        supervised=random.choice([EXTERNAL, EXTERNAL, ALL, NOBODY]),
        errors=random.choice([0, 0, 0, 1, None]),
        committees=committees(random, members, batches) if has_committees else "",
        split=random.choice(["", honest[:1]]) if calls and has_committees else "",
        stale_answers=random.choice([0, 0, 1, 3, None]),
        restores=random.choice([0, 0, 0, 1]),
        fallbacks=random.choice([0, 1]) if calls and astray and has_committees else 0,
        divergences=random.choice([0, 0, 1, 2]) if astray else 0,
        astray=astray,
        message_limit=random.choice([0, 0, 1, 2]) if calls and echo else 0,
    )
    return drawing.completed(random, scope)


def committees(random: Random, members: Instance, batches: int) -> str:
    """Committees for the batches, as a scope names them: that of the genesis, a part of it, none, or an error."""
    return ";".join(_committee(random, members) for _ in range(random.randint(1, batches)))


def _committee(random: Random, members: Instance) -> str:
    left_out = random.randrange(len(members.weights)) if len(members.weights) > 1 else None
    part = ["0" if key == left_out else str(weight) for key, weight in enumerate(members.weights)]
    everybody = ",".join(map(str, members.weights))
    return random.choice([everybody, everybody, ",".join(part), ",".join(part), "none", "error"])


ONE, TWO, THREE = instance("n1f0b0"), instance("n2f0b0"), instance("n3f0b0")
HEAVY = instance("w5,1b0")
"""The first attester is a quorum, and leaves the other behind."""
CHAIN = Scope(TWO, batches=3, topology="chain", call_steps=True, restarts=2)
DIFFERING = Scope(THREE, batches=4, topology="chain", call_steps=True, committees="1,1,1;0,1,1", disconnects=1)
"""An attester passes on the others' votes, and is in the committee of the genesis alone."""

SHOWCASES: tuple[tuple[str, Scope], ...] = (
    ("pr175+era2684", replace(DIFFERING, fallbacks=2, astray="a")),
    ("pr175+era3180", replace(DIFFERING, split="a")),
    ("pr175+era2657", replace(CHAIN, echo=True, message_limit=1)),
    ("pr175+era3512", replace(CHAIN, divergences=2, astray="ab")),
    ("pr175+era2657", Scope(ONE, batches=5, restores=2)),
    ("pr175+era3148", Scope(ONE, batches=3, pruned=MAIN, prunes_after_status=True, certificate_steps=True)),
    ("pr175+era3040", Scope(HEAVY, batches=5, late_answers=True, late_batches=True, stale_answers=None, restarts=3)),
)
"""Small systems in which something happens often that is rare elsewhere: a node loses its registry of attesters, a list
is cut off, a message is too large, all votes of a list are over another hash, the controller refuses a smaller number,
a certificate cannot be inserted, an old number is read and started."""
