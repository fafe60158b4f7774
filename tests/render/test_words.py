"""Values are shown in words, and no scope, phase or variable is without them."""

from __future__ import annotations

from dataclasses import fields
from types import ModuleType

import pytest

from model.controller_design import gossip, task
from model.registry_design import qc_finder
from model.revisions import CONTROLLER, REGISTRY, revision
from model.scope import Scope, instance
from model.system import build
from properties.render import controller_design, registry_design
from properties.render.story import ASKED, Story
from properties.render.vocabulary import vocabulary_of
from properties.render.words import Change, Words, bounds, committee, left_out, vote
from properties.results.trace import Trace
from properties.scopes.details import DETAILS


@pytest.mark.parametrize(
    ("module", "names"),
    [
        (qc_finder, registry_design.words.PHASES),
        (task, controller_design.words.TASKS),
        (gossip, controller_design.words.CALLS),
    ],
)
def test_every_phase_has_a_name(module: ModuleType, names: dict[int, str]) -> None:
    phases = {value for name, value in vars(module).items() if name.isupper() and isinstance(value, int)}
    assert phases - {-1} == set(names)


def test_every_switch_says_what_it_leaves_out() -> None:
    coarse = {name for design in (REGISTRY, CONTROLLER) for name in vocabulary_of(design).coarse}
    assert {name for each in DETAILS.values() for name in each.switches} <= coarse
    assert {field.name for field in fields(Scope) if field.type == "bool"} - {
        "prunes_after_status",
        "prunes_certified",
        "handed_on",
        "main_attests",
        "replays",
        "some_bad_votes",
    } == coarse


@pytest.mark.parametrize(
    ("number", "variant", "genesis", "words"),
    [
        (-1, 0, 0, "none"),
        (1, 0, 0, "batch 1"),
        (1, 1, 0, "batch 1 with the hash of batch 0"),
        (1, 4, 0, "batch 1 with a hash of no batch"),
        (1, -1, 0, "batch 1 with a hash of no batch"),
        (2, 0, 1, "batch 2 of fork 1"),
    ],
)
def test_a_vote_in_words(number: int, variant: int, genesis: int, words: str) -> None:
    assert vote(number, variant, genesis, batches=3) == words


def test_a_number_and_its_hash_are_one_field(bad_certificate: Trace) -> None:
    forged = [number for number, step in enumerate(bad_certificate.steps, 1) if step.action == "forge_vote"]
    (change,) = Story(bad_certificate).changes(forged[0])
    assert change == Change("M.registry.b", "none", "batch 1 with the hash of batch 0")


def test_every_variable_has_a_meaning() -> None:
    finest = DETAILS["full"].scope(instance("n2f0b1"), 2)
    rare = {"errors": 1, "stale_answers": 1, "restores": 1, "fallbacks": 1, "divergences": 1, "astray": "X"}
    called = {"call_steps": True, "certificate_steps": True, "late_answers": True, "late_batches": True}
    scopes = [
        ("pr161+era2539", Scope(instance("n2f0b1"), 2, topology="relay", restarts=1, disconnects=1, pruned="M")),
        ("pr161+era2539", Scope(instance("n2f0b0"), 2, regeneses=1)),
        ("pr161+era2539", finest),
        ("pr175+era2684", Scope(instance("n2f0b1"), 2, regeneses=1)),
        ("pr175+era2684", Scope(instance("n2f0b1"), 2, topology="relay", pruned="M", **rare, **called)),
    ]
    for name, scope in scopes:
        system = build(revision(name), scope)
        words = Words(system)
        for field in (*words.values(system.initial), ASKED):
            assert words.legend([field]), f"{field} has no meaning"


def test_the_committee_and_the_scope_in_words() -> None:
    scope = Scope(instance("w3,2,1b1"), 2, disconnects=None, restarts=1)
    assert committee(scope) == "3 attesters of weights 3, 2, 1, of which 1 Byzantine"
    assert bounds(scope) == (
        "batches 0 … 1; topology direct; at most 1 certificate waiting to be inserted; any number of disconnects; "
        "at most 1 restarts"
    )
    assert "no node restarts" not in left_out(scope)
    assert "the chain never forks" in left_out(scope)
