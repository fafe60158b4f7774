"""What attesters sign and what certificates are, in full fidelity, as both designs have them.

Cryptography is left out: a signature is the exact message that it is over, and whether it is valid.

Source: era-consensus, `node/libs/roles/src/attester/messages/batch.rs` and `msg.rs`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from model import rules
from model.committee import Committee


@dataclass(frozen=True)
class Batch:
    """What an attester signs: batch `number` has this `hash`, on the chain with this `genesis` hash.

    Source: `batch.rs`, `Batch`.
    """

    number: int
    hash: str
    genesis: str

    def is_newer_than(self, other: Batch) -> bool:
        """Whether a vote for this replaces a vote for the other: by number, then hash, then genesis."""
        # The rule ranks two components; a hash paired with its genesis lets it rank the third as well.
        mine, theirs = (self.hash, self.genesis), (other.hash, other.genesis)
        return bool(rules.is_newer(self.number, mine, other.number, theirs))


@dataclass(frozen=True)
class SignedBatch:
    """A vote: `batch` with a signature by `key`, which is `valid` or not.

    Source: `msg.rs`, `Signed`.
    """

    key: str
    batch: Batch
    valid: bool = True


class CertificateError(ValueError):
    """A certificate that does not verify. Source: `batch.rs`, `BatchQCVerifyError`."""


class OtherGenesis(CertificateError):
    """The certificate is of another fork than `genesis`."""

    def __init__(self, genesis: str) -> None:
        self.genesis = genesis
        super().__init__(f"genesis mismatch: the certificate is not of {genesis}")


class UnknownSigners(CertificateError):
    """`keys` signed and are not in the committee."""

    def __init__(self, keys: Iterable[str]) -> None:
        self.keys = tuple(sorted(keys))
        super().__init__(f"signers outside the committee: {', '.join(self.keys)}")


class NotEnoughSigners(CertificateError):
    """The signers weigh `got`, and a quorum is `want`."""

    def __init__(self, got: int, want: int) -> None:
        self.got, self.want = got, want
        super().__init__(f"not enough signers: their weight is {got}, a quorum is {want}")


class ForeignSignatures(CertificateError):
    """The signatures of `keys` are over another message than the certificate's."""

    def __init__(self, keys: Iterable[str]) -> None:
        self.keys = tuple(sorted(keys))
        super().__init__(f"signatures over another message: {', '.join(self.keys)}")


@dataclass(frozen=True)
class BatchQC:
    """A batch quorum certificate: `message`, and by key of the signer the message that each signature is over.

    Source: `batch.rs`, `BatchQC`.
    """

    message: Batch
    signatures: Mapping[str, Batch]

    def verify(self, committee: Committee, genesis: str | None = None) -> None:
        """Check the certificate, in the order of the source. Before pull request 175 it is not asked whether the
        genesis is the node's own; from then on it is, first, and `genesis` is given.

        Raises `OtherGenesis`, `UnknownSigners`, `NotEnoughSigners` or `ForeignSignatures`. Source: `BatchQC::verify`.
        """
        if genesis is not None and rules.is_other_genesis(self.message.genesis, genesis):
            raise OtherGenesis(genesis)
        strangers = [key for key in self.signatures if key not in committee]
        if strangers:
            raise UnknownSigners(strangers)
        weight = committee.weight_of_keys(self.signatures)
        if not rules.reaches(weight, committee.threshold):
            raise NotEnoughSigners(weight, committee.threshold)
        foreign = [key for key, message in self.signatures.items() if message != self.message]
        if foreign:
            raise ForeignSignatures(foreign)

    def verifies(self, committee: Committee, genesis: str | None = None) -> bool:
        """Whether `verify` raises nothing."""
        try:
            self.verify(committee, genesis)
        except CertificateError:
            return False
        return True
