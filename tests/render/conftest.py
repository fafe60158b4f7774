"""Traces to render: real counterexamples, searched for once."""

from __future__ import annotations

import pytest

from model.revisions import revision
from model.scope import Scope, instance
from model.system import build
from properties.claims.catalogue import claim
from properties.engines.checking import Check
from properties.results.trace import Trace
from properties.results.verdicts import Reached, Violated


@pytest.fixture(scope="session")
def small() -> Check:
    """The smallest committee that is stuck for good."""
    return Check(build(revision("pr161+era2480"), Scope(instance("n2f0b0"))))


@pytest.fixture(scope="session")
def stuck(small: Check) -> dict[str | None, Trace]:
    """Points of no return, by kind."""
    verdict = small.verdict(claim("progress_possible"))
    assert isinstance(verdict, Violated)
    return {trace.kind: trace for trace in verdict.kinds}


@pytest.fixture(scope="session")
def vote_lost(stuck: dict[str | None, Trace]) -> Trace:
    """A point of no return in which a vote is skipped."""
    return stuck["vote_lost"]


@pytest.fixture(scope="session")
def gap(small: Check) -> Trace:
    """A gap on the main node."""
    verdict = small.verdict(claim("no_gaps_on_main_node"))
    assert isinstance(verdict, Violated)
    return verdict.trace


@pytest.fixture(scope="session")
def witness(small: Check) -> Trace:
    """A run in which all goes well."""
    verdict = small.verdict(claim("certificate_stored"))
    assert isinstance(verdict, Reached)
    return verdict.trace


@pytest.fixture(scope="session")
def bad_certificate() -> Trace:
    """A certificate that does not verify: a's vote is a quorum, and b, of tolerated weight, is Byzantine."""
    system = build(revision("pr161+era2480"), Scope(instance("w5,1b1"), batches=2))
    verdict = Check(system).verdict(claim("certificates_verify"))
    assert isinstance(verdict, Violated)
    return verdict.trace


@pytest.fixture(scope="session")
def restored() -> Trace:
    """A gap in the redesign: the main node's database is restored while a call is on its way."""
    scope = Scope(instance("n1f0b0"), batches=3, restores=1, call_steps=True)
    verdict = Check(build(revision("pr175+era2657"), scope)).verdict(claim("no_gaps_on_main_node"))
    assert isinstance(verdict, Violated)
    return verdict.trace
