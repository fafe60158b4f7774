"""Delay laws: when an action that its guard allows is taken. This is the one place where they are declared.

Semantics. Time is counted in whole milliseconds. Actions take no time; time passes between them.

* *When a clock starts*: an action's clock starts at the instant at which its guard comes to hold, and once the action
  has been taken, anew if the guard holds still.
* *Disabled meanwhile*: a clock stops when time passes while the guard does not hold; it starts from zero when the guard
  holds again. A guard that fails and holds again within one instant has not been disabled.
* `Delay(low, high)`: the action is taken when its clock is from `low` to `high`, ends included. Time does not pass
  beyond `high`. `Delay(0, 0)` is taken at once.
* `Poll(period)`: a clock of its own that nobody stops. Its process looks every `period`; the first look comes at any
  time within the first period. A look takes the action if the guard holds then, and is useless otherwise.
* `Limit(burst, every)`: taken at once if there is a permit, of which there are `burst` at most. One comes back every
  `every`, on a clock of its own with an unknown phase.
* `Never`: what the layer leaves out, such as faults.
* *Ties*: what falls on one instant happens in any order. The search takes every order; the simulation draws one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from math import gcd

from model.topology import MAIN
from model.transitions import Action

SECOND = 1000

POLL, HOP, COMMITMENT, INSERTION, AT_ONCE = "poll", "hop", "commitment", "insertion", "at once"
CAUSES = (POLL, HOP, COMMITMENT, INSERTION)
"""What time is lost to: a node that has not looked yet; gossip and its rate limit; a batch that a node does not have,
or cannot sign, yet; a certificate that is being stored."""


@dataclass(frozen=True)
class Delay:
    """From `low` to `high` milliseconds after enabling. The simulation draws `low + (high - low) * u ** skew`, u being
    uniform: with a skew of 1 evenly, with a larger one mostly short."""

    low: int
    high: int
    cause: str = AT_ONCE
    skew: float = 1.0


@dataclass(frozen=True)
class Poll:
    """A look every `period` milliseconds."""

    period: int
    cause: str = POLL


@dataclass(frozen=True)
class Limit:
    """At once, but not more often than `burst` times, and once more every `every` milliseconds."""

    burst: int
    every: int
    cause: str = HOP


@dataclass(frozen=True)
class Never:
    """Not at all."""

    cause: str = AT_ONCE


Law = Delay | Poll | Limit | Never


@dataclass(frozen=True)
class Parameters:
    """The durations, in milliseconds. `SOURCES` says where each comes from."""

    batch_time: int = 60 * SECOND
    poll: int = 5 * SECOND
    main_poll: int = 1 * SECOND
    answer: int = SECOND // 2
    batch_earliest: int = 1 * SECOND
    batch_latest: int = 3 * SECOND
    batch_polls: int = 2 * SECOND
    hop: int = SECOND // 2
    push_burst: int = 2
    push_every: int = SECOND // 2
    insertion: int = SECOND // 2

    @property
    def tick(self) -> int:
        """The largest unit that every duration is a whole number of."""
        return gcd(*(getattr(self, each.name) for each in fields(self) if each.name != "push_burst"))


DEFAULTS = Parameters()
ASSUMED = "assumption"
SOURCES: Mapping[str, tuple[str, str]] = {
    "batch_time": ("an L1 batch is sealed every", "PR 161's planning figure; the real period is not fixed"),
    "poll": ("attesters and external nodes poll the main node every", "zksync-era PR 2583, `en.rs`"),
    "main_poll": ("the main node polls its own database every", "zksync-era PR 2583, `mn.rs`"),
    "answer": ("the API answers within", ASSUMED),
    "batch_earliest": ("a node has a sealed batch, with its commitment, after at least", ASSUMED),
    "batch_latest": ("a node has it after at most", ASSUMED),
    "batch_polls": (
        "it notices that after at most",
        "two polls of 1 s (zksync-era PR 2583, `storage/store.rs`, `config.rs`); in the redesign one, of 0.5 s (PR "
        "2657, `storage/connection.rs`), later of 5 s (PR 3040)",
    ),
    "hop": ("a message of votes arrives within", ASSUMED),
    "push_burst": (
        "votes can be pushed at once, on one connection, this often",
        "era-consensus `network/src/config.rs`",
    ),
    "push_every": ("and once more every", "era-consensus `network/src/config.rs`"),
    "insertion": (
        "a certificate is in the database within",
        f"{ASSUMED}; the retry while the batch is missing is 50 ms (zksync-era PR 2583, `storage/store.rs`)",
    ),
}

SEALING, HAVING, CERTIFYING = ("seal_batch",), ("persist_batch", "provide_hash"), ("insert_qc", "insert_certificate")
"""The actions that seal a batch, that bring it to a node, and, on the main node, that store its certificate."""

IMMEDIATE = (
    *("set_min_batch_number", "find_quorum", "store_qc", "read_status_to_attest", "publish_vote"),
    *("stop_on_mismatch", "store_start", "start_attestation", "skip_batch", "find_certificate", "answer_call"),
    *("produce_first_block", "fail_to_start", "fail_to_certify", "refuse_genesis", "restart_on_new_genesis"),
)
FAULTS = (
    *("forge_vote", "hand_on_vote", "replay_vote", "restart_node", "reconnect", "regenesis", "prune", "fail_once"),
    *("read_old_status", "read_old_genesis", "restore_database", "diverge", "execute_again"),
    *("restart_without_registry", "restart_with_registry"),
)


def laws(given: Parameters) -> dict[str, tuple[Law, Law]]:
    """The law of each action by its name: on the main node, and on the others.

    In the redesign the main node's task reads the status as soon as it has stored a certificate; the call that an
    external node reads it by is one step, and its time is left out.
    """
    at_once = Delay(0, 0)
    answer = Delay(0, given.answer, POLL)
    batch = Delay(given.batch_earliest, given.batch_latest + given.batch_polls, COMMITMENT)
    hop, limit = Delay(0, given.hop, HOP, skew=2.0), Limit(given.push_burst, given.push_every)
    insertion = Delay(0, given.insertion, INSERTION)
    return {
        "seal_batch": (Delay(given.batch_time, given.batch_time), Never()),
        "poll_status": (Poll(given.main_poll), Poll(given.poll)),
        "read_status": (at_once, Poll(given.poll)),
        "update_status": (at_once, answer),
        "refuse_status": (at_once, answer),
        **dict.fromkeys(HAVING, (batch, batch)),
        **dict.fromkeys(CERTIFYING, (insertion, insertion)),
        **dict.fromkeys(("push_votes", "call_peer"), (limit, limit)),
        **dict.fromkeys(("receive_votes", "refuse_votes", "receive_call", "receive_answer"), (hop, hop)),
        **dict.fromkeys(IMMEDIATE, (at_once, at_once)),
        **dict.fromkeys(FAULTS, (Never(), Never())),
    }


def law_of(action: Action, declared: Mapping[str, tuple[Law, Law]]) -> Law:
    """The law of an action. Raises `KeyError` for one that has none: it must be declared."""
    on_main, elsewhere = declared[action.name]
    return on_main if action.node == MAIN else elsewhere
