"""The scopes that the system machine runs the vote registry in."""

from __future__ import annotations

from random import Random

from model.revisions import NEVER, REGISTRY, REVISIONS, of_design
from model.scope import ALL, BAD_SIGNATURE, EXTERNAL, FOREIGN_GENESIS, NOBODY, Scope, instance
from model.topology import MAIN, RELAY, RELAYED
from properties.stateful import drawing

MOST_FORGERIES = 240
"""How many forged votes a scope may tell apart: beyond that, its Byzantine attesters are made fewer."""


def scope_number(number: int, pool: int = 0) -> Scope:
    """The scope of this number, from 0 on, in this pool of them."""
    random = Random(f"scope {number} of pool {pool}" if pool else f"scope {number}")
    topology, weights = drawing.committee(random, number)
    batches, echo = random.randint(2, 5), random.random() < 0.4
    targets = 3 + (len(weights) if echo else 0)
    bad_votes = random.choice(["", "", "", BAD_SIGNATURE, FOREIGN_GENESIS]) if topology in RELAYED else ""
    byzantine = min(drawing.byzantine(random, weights), MOST_FORGERIES // (targets * batches * (batches + 3)))
    scope = Scope(
        drawing.named(weights, byzantine),
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
        message_limit=random.choice([0, 0, 0, 1, 2]),
    )
    return drawing.completed(random, scope)


def _unanswered(random: Random, topology: str, has_attester: bool) -> str:
    """Mostly nobody; else the first attester's node, if it has one, or the external node."""
    names = ["a"] * has_attester + [RELAY] * (topology in (*RELAYED, "observed"))
    return random.choice(names) if names and random.random() < 0.15 else ""


ONE = instance("n1f0b0")

SHOWCASES: tuple[tuple[str, Scope], ...] = (
    ("pr161+era2480", Scope(ONE, batches=5, topology="relay")),
    ("pr161+era2480", Scope(ONE, batches=3, own_finders=True, finder_steps=True, attester_steps=True)),
    ("pr167+era2480", Scope(ONE, batches=5, topology="relay")),
    ("pr169+era2539", Scope(ONE, batches=3, topology="relay", bad_votes=BAD_SIGNATURE, some_bad_votes=True)),
    ("pr161+era2539", Scope(instance("w5,1b1"), batches=2, echo=True, restarts=3)),
    ("pr161+era2539", Scope(ONE, batches=3, late_batches=True, queue=2, restarts=None)),
    ("pr161+era2539", Scope(instance("n1f0b1"), batches=2)),
    ("pr169+era2539", Scope(ONE, batches=1, regeneses=9, stale_answers=None)),
)
"""Small systems in which something happens often that is rare elsewhere: a minimum is lowered, an own registry skips, a
smaller number stops a node, a message is refused, a certificate is contaminated, an external node has a gap, a restart
loses a queued certificate, a certificate over a false hash stops the main node, a node is told of a former fork."""

MERGED = [REVISIONS[name] for name in of_design(REGISTRY)]

LIVE = [revision for revision in MERGED if revision.executor != NEVER]

ROUND = [*MERGED, *LIVE, *LIVE, *LIVE]
"""The revisions of successive models: all, and those that start more often."""
