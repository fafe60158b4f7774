"""Revisions are composed of parts, and every switch of a revision is shown to matter."""

from __future__ import annotations

from dataclasses import fields
from unittest.mock import patch

import pytest

from model.revisions import (
    AFTER_FIRST_ANSWER,
    AS_MERGED,
    AT_ONCE,
    NEVER,
    PARTS,
    PROPOSALS,
    REVISIONS,
    Part,
    UnknownRevision,
    compose,
    history,
    idle_parts,
    revision,
)
from model.scope import BAD_SIGNATURE, FOREIGN_GENESIS, Scope, instance
from model.system import build
from properties.engines.explorer import explore


def counts(name: str, scope: Scope) -> tuple[int, int, int]:
    search = explore(build(revision(name), scope))
    assert search.complete
    return search.states, search.transitions, search.depth


def test_there_are_twelve_merged_revisions() -> None:
    assert len(REVISIONS) == 18
    assert all(not PARTS[part].is_proposal for name in REVISIONS for part in name.split("+"))
    assert all(any(PARTS[part].is_proposal for part in name.split("+")) for name in PROPOSALS)


def test_each_pull_request_includes_those_before_it() -> None:
    assert history("pr170") == ("pr170", "pr169", "pr167", "pr166", "pr165", "pr161")
    last = revision("pr170+era2539")
    assert last.refuses_smaller_number
    assert last.refuses_other_genesis
    assert last.skips_bad_signatures
    assert not revision("pr166+era2539").refuses_smaller_number
    assert not revision("pr169+era2539").skips_bad_signatures


def test_when_the_executor_starts() -> None:
    found = {name: revision(f"{name}+era2480").executor for name in ("pr161", "pr165", "pr166", "pr167", "pr169")}
    assert found == {
        "pr161": AT_ONCE,
        "pr165": NEVER,
        "pr166": AFTER_FIRST_ANSWER,
        "pr167": AFTER_FIRST_ANSWER,
        "pr169": AT_ONCE,
    }


def test_parts_are_recombined_by_name() -> None:
    combined = compose("pr169+era2480+votes_kept")
    assert combined.keeps_votes_below_minimum
    assert combined.refuses_smaller_number
    assert combined.name == "pr169+era2480+votes_kept"
    assert combined.about.count(";") == 2


@pytest.mark.parametrize(
    "name",
    [
        "",
        "pr161",
        "era2480",
        "era2480+pr161",
        "pr161+pr165+era2480",
        "pr161+era2480+era2539",
        "pr161+era2480+none_such",
        "pr161+era2480+votes_kept+votes_kept",
        "votes_kept+pr161+era2480",
    ],
)
def test_what_is_no_revision_is_refused(name: str) -> None:
    with pytest.raises(UnknownRevision) as error:
        revision(name)
    assert error.value.name == name
    assert "pr161+era2480" in error.value.known


STOPS = Part("proposal: a smaller number stops the node", {"refuses_smaller_number": True})


def test_a_part_that_switches_what_is_switched_already_is_idle() -> None:
    with patch.dict(PARTS, {"stops": STOPS}):
        assert idle_parts("pr167+era2480+stops") == ("stops",)
        assert idle_parts("pr161+era2480+stops") == ()
        assert idle_parts("pr167+era2480+votes_kept+stops") == ("stops",)
    assert not any(idle_parts(name) for name in (*REVISIONS, *PROPOSALS))


def test_every_switch_is_set_by_some_part() -> None:
    switches = {field.name for field in fields(AS_MERGED)} - {"name", "about", "design"}
    assert switches == {switch for part in PARTS.values() for switch in part.switches}


JOINED = Scope(instance("n1f0b0"), batches=3)
OWN = Scope(instance("n1f0b0"), batches=3, own_finders=True)
FAILING = Scope(instance("n1f0b0"), batches=2, errors=1)
PRUNED = Scope(instance("n1f0b0"), batches=2, pruned="M")
FORKED = Scope(instance("n1f0b0"), batches=2, regeneses=1)
FOREIGN = Scope(instance("n1f0b0"), batches=2, topology="relay", bad_votes=FOREIGN_GENESIS)
BAD = Scope(instance("n1f0b0"), batches=2, topology="relay", bad_votes=BAD_SIGNATURE)


@pytest.mark.parametrize(
    ("scope", "without", "within"),
    [
        (JOINED, "pr161+era2480", "pr161+era2539"),
        (JOINED, "pr161+era2480", "pr165+era2480"),
        (JOINED, "pr165+era2480", "pr166+era2480"),
        (JOINED, "pr166+era2480", "pr167+era2480"),
        (JOINED, "pr167+era2480", "pr169+era2480"),
        (FORKED, "pr166+era2539", "pr167+era2539"),
        (BAD, "pr169+era2539", "pr170+era2539"),
        (PRUNED, "pr161+era2539", "pr161+era2539+prune_aware"),
        (PRUNED, "pr161+era2539", "pr161+era2539+start_kept"),
        (PRUNED, "pr161+era2480", "pr161+era2480+pruned_dropped"),
        (FOREIGN, "pr170+era2539", "pr170+era2539+foreign_skipped"),
        (FAILING, "pr170+era2539", "pr170+era2539+error_returned"),
        (OWN, "pr161+era2480", "pr161+era2480+finder_listens"),
        (JOINED, "pr161+era2480", "pr161+era2480+votes_kept"),
        (OWN, "pr161+era2480", "pr161+era2480+asked_vote_wins"),
    ],
)
def test_each_part_changes_what_can_be_reached(scope: Scope, without: str, within: str) -> None:
    assert counts(without, scope) != counts(within, scope)


@pytest.mark.parametrize(
    "name",
    ["pr161+era2480", "pr161+era2539", "pr166+era2539"],
)
def test_pruning_aware_query_and_bad_signatures_matter_only_where_they_occur(name: str) -> None:
    assert counts(name, JOINED) == counts(f"{name}+prune_aware", JOINED)


def test_monotone_numbers_are_never_refused() -> None:
    """With the start of PR 2539 the refusal of PR 167 changes nothing, as long as the chain does not fork."""
    assert counts("pr166+era2539", JOINED) == counts("pr167+era2539", JOINED)


PINNED = {
    ("pr165+era2480", JOINED): (33, 61, 5),
    ("pr166+era2480", JOINED): (1_462, 3_887, 35),
    ("pr167+era2480", JOINED): (1_262, 3_211, 37),
    ("pr169+era2480", JOINED): (1_298, 3_316, 37),
    ("pr166+era2539", JOINED): (115, 223, 31),
    ("pr161+era2480+start_kept", OWN): (2_177, 5_559, 41),
    ("pr161+era2539", PRUNED): (127, 259, 23),
    ("pr161+era2539", FORKED): (301, 822, 26),
    ("pr167+era2539", FORKED): (255, 631, 26),
    ("pr169+era2539", BAD): (151, 434, 14),
    ("pr170+era2539", BAD): (919, 2_503, 36),
}


@pytest.mark.parametrize(("name", "scope"), PINNED)
def test_states_transitions_and_depth(name: str, scope: Scope) -> None:
    assert counts(name, scope) == PINNED[name, scope]
