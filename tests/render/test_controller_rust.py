"""The test for era-consensus' own controller: it tells the controller what the trace says, and ends as that does."""

from __future__ import annotations

import re

import pytest

from model.committee import Committee
from model.controller_design.controller import Controller, Info
from model.messages import Batch, SignedBatch
from model.revisions import revision
from model.scope import Scope, instance
from model.system import build
from properties.claims.catalogue import claim
from properties.engines.stepper import Stepper
from properties.render import FORMATS, CannotRender
from properties.results.trace import Trace, record

SCOPE = Scope(instance("n2f0b0"), batches=2, topology="chain", committees="1,1;0,1", split="a", call_steps=True)
"""The main node and b go by the committee of b alone, and a, between them, by another one that it is in itself."""

CUT_OFF = (
    ("M", "seal_batch()"),
    ("M", "seal_batch()"),
    ("M", "start_attestation()"),
    ("b", "start_attestation()"),
    ("a", "start_attestation(committee=0)"),
    ("b", "call_peer(to=a)"),
    ("a", "receive_call(from=b)"),
    ("a", "call_peer(to=M)"),
)
"""The list that is on its way to the main node has the votes of a, a non-member there, and b."""


def traced(name: str, calls: tuple[tuple[str, str], ...]) -> Trace:
    stepper = Stepper(build(revision("pr175+era2684"), SCOPE))
    return record(stepper, [stepper.index[call] for call in calls], name)


@pytest.fixture
def cut_off() -> Trace:
    return traced("list_cut_off", CUT_OFF)


@pytest.fixture
def standstill() -> Trace:
    trace = traced("progress_possible", (*CUT_OFF, ("M", "receive_call(from=a, before_error=)")))
    sentence = claim("progress_possible").conjuncts(trace.system)[1].sentence
    return trace.about(kind="votes_cut_off", failed=sentence)


VOTE = re.compile(r"vote\((\d+), (\d+), (\d+)\)")


def play(source: str) -> Controller:
    """The generated calls on the controller in full fidelity, which was compared with the real one."""
    committees = [
        Committee((f"key {key}", int(weight)) for key, weight in re.findall(r"\((\d+), (\d+)\)", members))
        for members in re.findall(r"committee\(&\[(.*?)\]\)", source)
    ]
    _, _, body = re.sub(r"\s+", " ", source).partition("Controller::new(")
    own = re.match(r"Some\(keys\[(\d+)\]", body)
    controller = Controller(f"key {own[1]}" if own else None)
    for call in body.split(";"):
        if started := re.search(r"info\((\d+), (\d+), (\d+)\)", call):
            number, hash_, committee = map(int, started.groups())
            controller = controller.start_attestation(Info(Batch(number, str(hash_), "g"), committees[committee]))
        elif "insert_votes" in call:
            votes = [
                SignedBatch(f"key {key}", Batch(int(number), hash_, "g")) for key, number, hash_ in VOTE.findall(call)
            ]
            inserted = controller.insert_votes(votes)
            assert (inserted.error is not None) == ("unwrap_err" in call)
            controller = inserted.controller
    return controller


def test_the_calls_lead_the_real_controller_to_the_loss_of_a_vote(cut_off: Trace) -> None:
    source = FORMATS["rust"](cut_off)
    controller = play(source)
    assert controller.votes(Batch(1, "0", "g")) == ()
    assert "let lost = vote(1, 1, 0);" in source
    assert "attestation trace list_cut_off" in source


def test_a_standstill_asks_for_the_certificate_that_there_should_be(standstill: Trace) -> None:
    source = FORMATS["rust"](standstill)
    controller = play(source)
    assert controller.cert() is None
    assert 'cert.expect("there should be a certificate")' in source
    assert "unwrap_err" in source


def test_it_is_made_of_their_own_test_module(cut_off: Trace, standstill: Trace) -> None:
    for source in map(FORMATS["rust"], (cut_off, standstill)):
        assert source.count("#[tokio::test]") == 1
        assert "gossip/attestation/tests.rs at b9c5fa7b (PR 175)" in source
        assert all(source.count(opening) == source.count(closing) for opening, closing in ("{}", "()", "[]"))
        assert all(len(line) <= 100 for line in source.splitlines())


@pytest.mark.parametrize("cut", [3, 5, 7])
def test_a_run_that_cuts_off_no_list_makes_no_test(cut_off: Trace, cut: int) -> None:
    with pytest.raises(CannotRender, match="in no list of this run"):
        FORMATS["rust"](traced("list_cut_off", CUT_OFF[:cut]))


def test_what_is_not_within_one_controller_makes_no_test(standstill: Trace) -> None:
    other = standstill.about(kind="byzantine_weight")
    with pytest.raises(CannotRender, match="for progress_possible of the kind byzantine_weight ask for markdown"):
        FORMATS["rust"](other)
