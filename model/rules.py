"""The decisions of the vote registry, each written once.

The registry in full fidelity (`batch_votes` in `model.registry_design`) and the guarded commands of the system
(`registry` there) both decide by these functions. They are free of branches, so they take Python numbers and strings as
well as the expressions of `model.algebra`.

Source: era-consensus, `node/actors/network/src/gossip/batch_votes.rs`, `BatchVotes::update` and `find_quorum`;
`node/libs/roles/src/attester/messages/msg.rs`, `threshold`; `validator/messages/consensus.rs`, `max_faulty_weight`.
"""

from typing import Any


def max_faulty_weight(total_weight: Any) -> Any:
    """The weight f that may be faulty among `total_weight` = n: the largest f with n >= 5 f + 1."""
    return (total_weight - 1) // 5


def threshold(total_weight: Any) -> Any:
    """The weight that makes a quorum."""
    return total_weight - max_faulty_weight(total_weight)


def reaches(weight: Any, quorum: Any) -> Any:
    """Whether votes of this weight are a quorum."""
    return weight >= quorum


def is_below_minimum(number: Any, min_batch_number: Any) -> Any:
    """Whether the registry takes no interest in votes on this batch."""
    return number < min_batch_number


def is_newer(number: Any, hash: Any, than_number: Any, than_hash: Any) -> Any:
    """Whether a vote on (number, hash) replaces one on (than_number, than_hash): the order is lexicographic.

    The source compares the genesis last; two votes that are compared have the same one.
    """
    return (number > than_number) | ((number == than_number) & (hash > than_hash))


def is_other_genesis(genesis: Any, own: Any) -> Any:
    """Whether a vote is on another fork of the chain than the registry's node."""
    return genesis != own


def is_collected(vote_hash: Any, certificate_hash: Any) -> Any:
    """Whether a vote's signature goes into the certificate. The source asks for the hash alone, not for the number."""
    return vote_hash == certificate_hash
