"""How much of the protocol a search covers: the committee, the bounds, and which steps are told apart.

Every switch that is off makes the model coarser: a machine is left out, or two steps are joined to one. A verdict is
about the scope that it names, and about no finer one; `docs/detail.md` shows what each switch changes in a small scope.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields

from model.committee import U64_MAX
from model.rules import max_faulty_weight
from model.topology import RELAYED, TOPOLOGIES

BAD_SIGNATURE = "bad signature"
FOREIGN_GENESIS = "foreign genesis"

EXTERNAL, ALL, NOBODY = "external", "all", "nobody"
SUPERVISED = (EXTERNAL, ALL, NOBODY)
"""Whose consensus is started anew after an error."""


NUMBER = "(?:0|[1-9][0-9]*)"
"""How numbers are written in names: in one way each."""


class BadInstance(ValueError):
    """A name that describes no possible committee; the message says what is wrong and what would be right."""


@dataclass(frozen=True)
class Instance:
    """A committee by its weights, in order; the last `byzantine` attesters are Byzantine."""

    name: str
    weights: tuple[int, ...]
    byzantine: int

    @property
    def total_weight(self) -> int:
        """The weight of all attesters."""
        return sum(self.weights)

    @property
    def byzantine_weight(self) -> int:
        """The weight of the Byzantine attesters."""
        return sum(self.weights[len(self.weights) - self.byzantine :])


def instance(name: str) -> Instance:
    """The instance of this name: `n6f1b1` (6 attesters of weight 1, tolerating 1, 1 Byzantine) or `w3,2,1b1` (these
    weights, the last 1 Byzantine). Raises `BadInstance`."""
    equal = re.fullmatch(rf"n({NUMBER})f({NUMBER})b({NUMBER})", name)
    weighted = re.fullmatch(rf"w({NUMBER}(?:,{NUMBER})*)b({NUMBER})", name)
    if equal:
        attesters, faulty, byzantine = map(int, equal.groups())
        if attesters > MAX_ATTESTERS:
            raise BadInstance(f"instance {name}: {attesters} attesters are too many; at most {MAX_ATTESTERS} are named")
        weights = (1,) * attesters
    elif weighted:
        weights, byzantine = tuple(map(int, weighted[1].split(","))), int(weighted[2])
    else:
        raise BadInstance(f"instance {name!r} is neither like n6f1b1 (equal weights) nor like w3,2,1b1 (weights)")
    _refuse_impossible(name, weights, byzantine)
    if equal and faulty != max_faulty_weight(len(weights)):
        tolerated = max_faulty_weight(len(weights))
        raise BadInstance(
            f"instance {name}: {len(weights)} attesters tolerate f = {tolerated}, not {faulty}; "
            f"write n{len(weights)}f{tolerated}b{byzantine}"
        )
    return Instance(name, weights, byzantine)


MAX_ATTESTERS = 26
"""Attesters are named a … z."""


def _refuse_impossible(name: str, weights: tuple[int, ...], byzantine: int) -> None:
    if not weights:
        raise BadInstance(f"instance {name}: a committee needs at least one attester, as in n1f0b0")
    if len(weights) > MAX_ATTESTERS:
        raise BadInstance(f"instance {name}: {len(weights)} attesters are too many; at most {MAX_ATTESTERS} are named")
    if 0 in weights:
        raise BadInstance(f"instance {name}: a weight of 0 is refused by the committee; weights are 1 or more")
    if sum(weights) > U64_MAX:
        raise BadInstance(f"instance {name}: the weights sum to {sum(weights)}, beyond u64 (at most {U64_MAX})")
    if byzantine > len(weights):
        raise BadInstance(
            f"instance {name}: {byzantine} Byzantine of {len(weights)} attesters; at most {len(weights)} can be"
        )


class BadScope(ValueError):
    """Switches that do not go together; the message says which."""


@dataclass(frozen=True)
class Scope:
    """The bounds and switches of one model. Numbers of batches are 0 … `batches` - 1.

    `restarts` and `disconnects`: how many there may be (None: any number); `restarting` names the only node that can
    restart, where it is not empty. `lesser_hashes`: how many hashes of no batch are less than those of all batches; one
    is greater than all, always. `pruned` names a node whose first `pruned_batches` are pruned, one after the other,
    each at some time: before all else, as on a node recovered from a snapshot, or never; with `prunes_after_status`
    not before that node has a status. `regeneses`: how often the chain forks. `bad_votes`: every
    message of an external node has, besides what it should have, a vote with a `BAD_SIGNATURE`, or of a
    `FOREIGN_GENESIS`, as happens between nodes of different versions; which of the two refuses the other's votes makes
    no difference here. With `some_bad_votes` it may have one, or none. `replays`: what an honest attester has ever cast
    anybody may have kept, and pass on to any node, any number of times. `handed_on` is the same for the scopes of
    recorded logs alone, where whether a vote was ever cast is for the log to say. `errors`: how many errors there may
    be that have no cause in the model, such as a failed call of a database; with `failing`, of this node only.
    `supervised` says who is started anew, at once, after an error that ends a process or, on the main node, its
    consensus: `EXTERNAL` nodes, that is all but the main node, which has nobody who notices; `ALL`, or `NOBODY`.
    `stale_answers`: how often the main node's API answers from a replica of its database that lags. `unanswered` names
    the nodes, joined by commas, whose calls are never answered. `main_attests`: the first attester's node is the main
    node, as in the recorded logs. `message_limit`: the most votes that a message can have (0: any number). `quorum`:
    the weight that makes a certificate, if it is not that of the protocol (0); in the vote registry's design alone.

    The attestation controller alone. `call_steps` tells the steps of a call apart; `certificate_steps` the finding of a
    certificate and its insertion. `committees`: the weights for batch 0, 1 …, the last ones for all later batches, if
    they are not those of the instance: numbers joined by commas, `none` or `error`, each batch after a `;`. `split`
    names a node that starts any batch with any of them. `prunes_certified`: a batch is pruned once it has its
    certificate. Further faults: `restores` of the main node's database, `fallbacks` and `divergences` of the nodes
    `astray` (their letters), which come up without the registry of attesters, or execute a batch otherwise. Raises
    `BadScope`.
    """

    instance: Instance
    batches: int | None = 3
    topology: str = "direct"
    main_attests: bool = False
    late_answers: bool = False
    finder_steps: bool = False
    attester_steps: bool = False
    own_finders: bool = False
    echo: bool = False
    late_batches: bool = False
    queue: int = 1
    restarts: int | None = 0
    disconnects: int | None = 0
    lesser_hashes: int = 0
    restarting: str = ""
    pruned: str = ""
    pruned_batches: int = 1
    prunes_after_status: bool = False
    prunes_certified: bool = False
    regeneses: int = 0
    bad_votes: str = ""
    some_bad_votes: bool = False
    supervised: str = EXTERNAL
    unanswered: str = ""
    replays: bool = False
    handed_on: bool = False
    call_steps: bool = False
    certificate_steps: bool = False
    committees: str = ""
    split: str = ""
    errors: int | None = 0
    failing: str = ""
    stale_answers: int | None = 0
    restores: int = 0
    fallbacks: int = 0
    divergences: int = 0
    astray: str = ""
    message_limit: int = 0
    quorum: int = 0

    def __post_init__(self) -> None:
        if self.bad_votes and (self.topology not in RELAYED or self.bad_votes not in (BAD_SIGNATURE, FOREIGN_GENESIS)):
            raise BadScope(
                f"bad votes ({self.bad_votes!r}) come from an external node: {BAD_SIGNATURE!r} or {FOREIGN_GENESIS!r}, "
                f"with the topology {' or '.join(RELAYED)}"
            )
        if self.some_bad_votes and not self.bad_votes:
            raise BadScope("some bad votes: of which kind, bad_votes says")
        if self.pruned_batches < 1 or (self.pruned_batches > 1 and not self.pruned):
            raise BadScope("pruned_batches is how many batches are pruned, 1 or more; pruned says of which node")
        if self.batches is not None and 1 < self.pruned_batches >= self.batches:
            raise BadScope(f"pruned_batches={self.pruned_batches} leaves none of {self.batches} batches to be attested")
        if self.supervised not in SUPERVISED:
            raise BadScope(f"unknown value {self.supervised!r} of supervised; there are: {', '.join(SUPERVISED)}")
        if self.topology not in TOPOLOGIES:
            raise BadScope(f"unknown topology {self.topology!r}; there are: {', '.join(TOPOLOGIES)}")
        if self.main_attests and self.instance.byzantine == len(self.instance.weights):
            raise BadScope("main_attests: the first attester is the main node, which is honest; here all are Byzantine")
        if self.regeneses and self.batches is None:
            raise BadScope("a regenesis needs a number of batches")
        if (self.fallbacks or self.divergences) and not self.astray:
            raise BadScope("fallbacks and divergences happen to certain nodes; astray says to which nodes")
        if self.replays and (self.regeneses or self.handed_on):
            raise BadScope("replays are of votes on the same fork, and not of those that a log hands on")

    @property
    def name(self) -> str:
        """The bounds and the switches that are on."""
        topology = [] if self.topology == "direct" else [self.topology]
        on = [field.name.replace("_", " ") for field in fields(self) if getattr(self, field.name) is True]
        counts = {name: "any number of" if count is None else count for name, count in self.faults.items()}
        faults = [f"{count} {name.replace('_', ' ')}" for name, count in counts.items() if count]
        told = [f"only {self.restarting} restarts"] if self.restarting else []
        of_batches = f" of {self.pruned_batches} batches" if self.pruned_batches > 1 else ""
        told += [f"{self.pruned} is pruned{of_batches}"] if self.pruned else []
        which = "some messages of external nodes have" if self.some_bad_votes else "every message of external nodes has"
        told += [f"{which} a vote with {self.bad_votes}"] if self.bad_votes else []
        told += [f"after an error {RESTARTED[self.supervised]}"] if self.supervised != EXTERNAL else []
        told += [f"only the task of {self.failing} fails"] if self.failing else []
        told += [f"{self.unanswered} gets no answers"] if self.unanswered else []
        told += [f"{self.astray} goes astray"] if self.astray else []
        told += [f"committees {self.committees}"] if self.committees else []
        told += [f"a weight of {self.quorum} is a quorum"] if self.quorum else []
        told += [f"{self.message_limit} votes a message at most"] if self.message_limit else []
        return ", ".join([f"{self.batches} batches", f"queue {self.queue}", *topology, *on, *faults, *told])

    @property
    def named_nodes(self) -> dict[str, str]:
        """The nodes that the scope names, by what becomes of them; empty where it names none."""
        return {
            **{f"to go astray ({name})": name for name in self.astray},
            **{f"to get no answers ({name})": name for name in self.unanswered.split(",")},
            "to prune": self.pruned,
            "that restarts": self.restarting,
            "whose task fails": self.failing,
            "with committees of its own": self.split,
        }

    def is_answered(self, node: str) -> bool:
        """Whether the main node's API ever answers this node."""
        return node not in self.unanswered.split(",")

    @property
    def faults(self) -> dict[str, int | None]:
        """How many faults of each kind may happen; None: any number."""
        names = ("restarts", "disconnects", "regeneses", "errors", "stale_answers", "restores")
        return {name: getattr(self, name) for name in (*names, "fallbacks", "divergences")}

    def is_supervised(self, is_silent: bool) -> bool:
        """Whether a node is started anew after an error: one whose process ends, or one that `is_silent` about it."""
        return self.supervised == ALL or (self.supervised == EXTERNAL and not is_silent)

    def polls_late(self, is_main: bool) -> bool:
        """Whether a node reads a number and puts it into its watch in two steps: always where it may be an old one."""
        return self.late_answers or (self.stale_answers != 0 and not is_main)


RESTARTED = {
    EXTERNAL: "each node but the main node is restarted",
    ALL: "every node is restarted",
    NOBODY: "no node is restarted",
}
"""Who restarts after an error, in words."""
