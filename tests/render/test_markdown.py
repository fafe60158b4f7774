"""The report has what a reader needs who knows GitHub only."""

from __future__ import annotations

import re

import pytest

from properties.render import FORMATS
from properties.render.sources import since_then
from properties.trace import Trace


@pytest.fixture(scope="module")
def report(vote_lost: Trace) -> str:
    return FORMATS["markdown"](vote_lost)


def test_the_result_is_one_sentence_at_the_top(report: str) -> None:
    title, _, result, *_ = report.splitlines()
    assert title == "# `progress_possible` is violated (vote_lost): 21 steps"
    assert result == (
        "**After 21 steps it is no longer true that batch 1 can still be certified when the main node asks for it.**"
    )


def test_the_sections_are_complete(report: str) -> None:
    assert re.findall(r"^## (.+)$", report, re.MULTILINE) == [
        "The run as a diagram",
        "The run, step by step",
        "What is false",
        "Why it is minimal",
        "The nearest run that goes well",
        "How to repeat it",
        "Why era-consensus' own tests miss it",
    ]


def test_the_table_has_the_changed_fields_only(report: str, vote_lost: Trace) -> None:
    rows = re.findall(r"^\| (\d+) \| (\w+) \| `(.+?)` \| (.+) \|$", report, re.MULTILINE)
    assert [(node, call) for _, node, call, _ in rows] == [(step.node, step.call) for step in vote_lost.steps]
    for (_, _, _, cell), step in zip(rows, vote_lost.steps, strict=True):
        shown = {match.removesuffix(".number") for match in re.findall(r"`(.+?)`:", cell)}
        assert shown == {name.removesuffix(".number") for name in step.changes}
        assert "-1" not in cell


def test_what_is_false_is_named_with_its_witnesses(report: str, bad_certificate: Trace) -> None:
    assert "> batch 1 can still be certified when the main node asks for it" in report
    assert "The main node asks for votes on batch 1, which has no certificate." in report
    assert "10 states can be reached from the last state" in report
    assert (
        "If the finder of the main node looks now, it makes a certificate over batch 0 with the signatures of "
        "a, b; that of b is over batch 1 with the hash of batch 0."
    ) in FORMATS["markdown"](bad_certificate)


def test_minimality_is_claimed_only_of_what_was_searched(report: str, vote_lost: Trace) -> None:
    facts = vote_lost.facts
    assert facts is not None
    assert (
        f"looked at {facts['states in all']:,} states, {facts['states of this kind']:,} of them of this kind. "
        "No run of fewer than 21 steps"
    ) in report
    assert "minimal" not in FORMATS["markdown"](vote_lost.about(facts=None))


def test_the_first_difference_is_marked_once(report: str) -> None:
    (row,) = re.findall(r"^\| \*\*→\*\* .+$", report, re.MULTILINE)
    assert row.startswith("| **→** 17 | M `set_min_batch_number()`<br>finder: minimum 2")


def test_links_lead_to_the_commit_that_was_read(report: str) -> None:
    links = re.findall(r"https://[^)\s]+", report)
    assert links
    for link in links:
        assert re.fullmatch(
            r"https://github\.com/matter-labs/"
            r"(era-consensus/blob/bce5e3e8[0-9a-f]{32}/node/(actors|libs)/[\w/]+\.rs|(era-consensus|zksync-era)/pull/\d+)",
            link,
        )


def test_what_their_tests_miss_is_said_of_the_commit_that_was_read(report: str) -> None:
    assert "As read at `bce5e3e8` (PR 161).\n" in report
    assert since_then("pr161+era2480") == ""
    assert "test_attestation_status_runner" in since_then("pr166+era2539")


def test_batches_with_a_certificate_are_listed_as_one_reads_them(gap: Trace) -> None:
    text = FORMATS["markdown"](gap)
    told = re.search(r"On the main node, .*", text)
    assert told is not None
    assert told[0] == "On the main node, batches 0 and 2 have a certificate and batch 1 has none."


def test_a_witness_is_no_bug_report(witness: Trace) -> None:
    text = FORMATS["markdown"](witness)
    assert text.startswith("# `certificate_stored` happens:")
    assert "What is false" not in text
    assert "goes well" not in text


def test_the_command_repeats_the_trace(report: str, vote_lost: Trace) -> None:
    command = re.search(r"attestation trace .*?(?=\n```)", report, re.DOTALL)
    assert command is not None
    words = command[0].replace("\\\n", " ").split()
    assert words == [
        *("attestation", "trace", "progress_possible", "--revision", "pr161+era2480", "--instance", "n2f0b0"),
        *("--batches", "3", "--detail", "joined", "--kind", "vote_lost", "--format", "markdown"),
    ]


def test_what_is_so_from_the_start_on_has_no_steps_to_show(witness: Trace) -> None:
    text = FORMATS["markdown"](witness.about(steps=(), facts={"states in all": 1}))
    assert text.startswith("# `certificate_stored` happens: from the start on")
    assert "## The state at the start\n\n* `sealed`: 0\n" in text
    for absent in ("0 steps", "```mermaid", "| step |", "Why it is minimal"):
        assert absent not in text


def test_a_lasso_is_not_said_to_be_minimal(vote_lost: Trace) -> None:
    text = FORMATS["markdown"](vote_lost.about(loop=len(vote_lost.steps)))
    assert "## Why it is minimal\n\nThat is not claimed" in text
