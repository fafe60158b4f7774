"""Where the stored certificates start, on which proofs about both designs rest."""

from __future__ import annotations

from model.algebra import Bool, Int, any_of
from model.batch_store import Certificates, CertifiedBatches, CertifiedRange
from model.votes import NONE


def starts_with(certified: Certificates, first: Int) -> Bool:
    """That the certificates, if there are any, start with this batch."""
    if isinstance(certified, CertifiedRange):
        is_empty = (certified.largest == NONE) & (certified.smallest == NONE)
        return is_empty | ((first != NONE) & (certified.smallest == first) & (certified.largest >= first))
    assert isinstance(certified, CertifiedBatches)
    earlier = any_of(flag & (first > number) for number, flag in enumerate(certified.flags))
    return (certified.contains(first) | ~any_of(certified.flags)) & ~earlier
