"""The generated tests: that for the model runs, that for era-consensus tells its registry what the trace says."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from model.committee import Committee
from model.messages import Batch, SignedBatch
from model.registry_design.batch_votes import BatchVotes
from model.revisions import revision
from model.system import build
from properties.engines.stepper import Stepper
from properties.render import FORMATS, CannotRender
from properties.results.trace import BadTrace, Trace, record


def run(source: str) -> None:
    """Run the one test of a generated module."""
    module: dict[str, Any] = {}
    exec(compile(source, "<generated>", "exec"), module)
    (test,) = (value for name, value in module.items() if name.startswith("test_"))
    test()


@pytest.mark.slow
def test_the_module_runs_as_it_is(vote_lost: Trace, tmp_path: Path) -> None:
    path = tmp_path / "test_vote_lost.py"
    path.write_text(FORMATS["pytest"](vote_lost), encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(tmp_path), str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2])
    assert "1 passed" in done.stdout, done.stdout + done.stderr


def test_every_violation_and_witness_makes_a_test_that_passes(
    stuck: dict[str | None, Trace], gap: Trace, witness: Trace, bad_certificate: Trace
) -> None:
    for trace in (*stuck.values(), gap, witness, bad_certificate):
        run(FORMATS["pytest"](trace))


def test_it_fails_where_the_violation_is_gone(vote_lost: Trace) -> None:
    source = FORMATS["pytest"](vote_lost)
    with pytest.raises(AssertionError):
        run(source.replace('    ("M", "insert_qc()"),\n', ""))
    with pytest.raises(AssertionError):
        run(source.replace('FALSE = "batch 1', 'FALSE = "batch 2'))
    with pytest.raises(BadTrace, match="step"):
        run(source.replace("pr161+era2480", "pr161+era2539"))


VOTE = re.compile(r"vote\((\d+), (\d+), (\d+)\)")


def play(source: str) -> tuple[BatchVotes, Committee]:
    """The generated calls on the registry in full fidelity, which was compared with the real one."""
    weights = re.search(r"new_with_weights\(rng, vec!\[(.+)\]\)", source)
    assert weights is not None
    committee = Committee((f"key {key}", int(weight)) for key, weight in enumerate(weights[1].split(", ")))
    votes = BatchVotes()
    _, _, body = re.sub(r"\s+", " ", source).partition("BatchVotes::default();")
    for call in body.split(";"):
        if ".update(" in call:
            message = [
                SignedBatch(f"key {key}", Batch(int(number), f"hash {hash_}", "genesis"))
                for key, number, hash_ in VOTE.findall(call)
            ]
            assert message
            outcome = votes.update(committee, "genesis", message)
            assert outcome.error is None
            votes = outcome.registry
        elif "set_min_batch_number" in call:
            votes = votes.set_min_batch_number(int(re.findall(r"BatchNumber\((\d+)\)", call)[0]))
    return votes, committee


def test_the_rust_calls_lead_the_real_registry_to_a_bad_certificate(bad_certificate: Trace) -> None:
    votes, committee = play(FORMATS["rust"](bad_certificate))
    certificate = votes.find_quorum(committee, "genesis")
    assert certificate is not None
    assert not certificate.verifies(committee)
    assert {key: vote.batch.number for key, vote in votes.votes.items()} == {"key 0": 0, "key 1": 1}


def test_the_rust_test_is_made_of_their_own_test_module(bad_certificate: Trace) -> None:
    source = FORMATS["rust"](bad_certificate)
    assert source.count("#[test]") == 1
    assert "let rng = &mut ctx::test_root(&ctx::RealClock).rng();" in source
    assert source.count("{") == source.count("}")
    assert source.count("(") == source.count(")")
    assert "qc.verify(&setup.genesis)" in source


def test_a_hash_below_all_others_makes_no_rust_test(bad_certificate: Trace) -> None:
    stepper = Stepper(build(revision(bad_certificate.revision), replace(bad_certificate.scope, lesser_hashes=1)))
    calls = [("b", "forge_vote(at=M, number=0, variant=-1)"), *((s.node, s.call) for s in bad_certificate.steps)]
    trace = record(stepper, [stepper.index[call] for call in calls], bad_certificate.claim)
    with pytest.raises(CannotRender, match="less than those of all batches"):
        FORMATS["rust"](trace.about(failed=bad_certificate.failed))


def test_other_properties_make_no_rust_test(vote_lost: Trace) -> None:
    with pytest.raises(CannotRender, match="certificates_verify; for progress_possible ask for markdown or pytest"):
        FORMATS["rust"](vote_lost)
