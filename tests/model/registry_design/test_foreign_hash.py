"""A certificate over another hash than the batch's own is never inserted: the node stops instead."""

import pytest

from model.algebra import any_of
from model.registry_design.system import RegistryDesign
from model.revisions import NEVER, REGISTRY, REVISIONS, of_design
from model.scope import Scope, instance
from model.system import build
from properties.engines.explorer import explore, first_where


@pytest.mark.parametrize("revision", [name for name in of_design(REGISTRY) if REVISIONS[name].executor != NEVER])
def test_the_certificate_of_another_hash_waits_and_is_not_inserted(revision: str) -> None:
    """With a queue, so that finding and inserting are two steps; the one attester there is signs what it likes."""
    system = build(REVISIONS[revision], Scope(instance("n1f0b1"), batches=2, queue=1))
    assert isinstance(system, RegistryDesign)
    head = system.main.store.queue.head
    is_foreign = (head.number >= 0) & (head.variant != 0) & system.main.store.has_commitment(head.number)
    inserting = any_of(action.guard for action in system.actions if action.name == "insert_qc")
    search = explore(system)
    assert first_where(search, inserting) is not None
    assert first_where(search, is_foreign) is not None
    assert first_where(search, is_foreign & inserting) is None
