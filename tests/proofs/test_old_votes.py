"""Old votes of honest attesters, passed on by anybody: in the proofs always, in a search with the switch `replays`."""

from __future__ import annotations

from dataclasses import replace

import pytest

from model.revisions import compose
from model.scope import BadScope, Scope, instance
from model.system import build
from properties.claims.catalogue import claim
from properties.engines.checking import Check
from properties.proofs.obligations import Answer, Budget
from properties.proofs.registry_design.open_system import ALL_DETAIL
from properties.proofs.registry_design.session import RegistrySession
from properties.results.verdicts import Exhausted, Verdict, Violated

ONE_RESTART = Scope(instance("n1f0b0"), 3, restarts=1, restarting="a")


def progress(revision: str, scope: Scope) -> Verdict:
    return Check(build(compose(revision), scope)).verdict(claim("progress_possible"))


def test_with_the_last_sealed_start_an_old_vote_is_one_more_way_to_lose_an_attester() -> None:
    """It is lost sooner than it could be without: its vote on the lower number, after a restart, is refused."""
    for replays, steps in ((False, 13), (True, 12)):
        found = progress("pr161+era2480", replace(ONE_RESTART, replays=replays))
        assert isinstance(found, Violated)
        assert len(found.trace.steps) == steps


def test_with_the_genesis_start_an_old_vote_does_no_harm() -> None:
    assert isinstance(progress("pr161+era2539", replace(ONE_RESTART, replays=True)), Exhausted)


def test_the_proofs_are_about_systems_with_old_votes() -> None:
    """Without the conjunct about what was ever cast the induction fails, at nothing but old votes."""
    assert ALL_DETAIL.replays
    argument = RegistrySession(compose("pr161+era2539"), Budget(30)).argument(1)
    kept = tuple(conjunct for conjunct in argument.invariant if conjunct.name != "votes_cast")
    outcomes = replace(argument, invariant=kept).prove(Budget(30))
    broken = {outcome.subject for outcome in outcomes if outcome.answer is not Answer.PROVED}
    assert broken == {f"hand_on_vote(signer={signer}) of {node}" for signer, node in ("aM", "aa")}


def test_old_votes_of_a_fork_are_another_matter() -> None:
    with pytest.raises(BadScope, match="on the same fork"):
        Scope(instance("n1f0b0"), regeneses=1, replays=True)
