"""The report has what a reader needs who knows GitHub only."""

from __future__ import annotations

import re

import pytest

from model.revisions import REVISIONS
from properties.engines.stepper import Stepper
from properties.render import FORMATS
from properties.render.sources import file_url, since_then
from properties.results.history import MERGES
from properties.results.trace import Trace, record, system_of


@pytest.fixture(scope="module")
def report(vote_lost: Trace) -> str:
    return FORMATS["markdown"](vote_lost)


def test_it_opens_with_cause_effect_and_cure(report: str) -> None:
    title, _, cause, _, effect, _, cure, _, result, *_ = report.splitlines()
    assert title == "# `progress_possible` is violated (vote_lost): 21 steps"
    assert cause.startswith(
        "**Cause.** The main node asked for the last sealed batch, 2, while it had no certificate; "
    )
    assert "skipped or dropped the vote of a on batch 1" in cause
    assert effect.startswith("**Effect.** The main node asks for batch 1, which can get no certificate any more")
    assert cure.startswith("**Cure.** Start attestation at the batch of the genesis, as zksync-era PR 2539 does")
    assert cure.endswith("In this very scope `pr161+era2539` has no such run (exhaustive search).")
    assert result == (
        "**After 21 steps it is no longer true that batch 1 can still be certified when the main node asks for it.**"
    )


def test_when_and_where_it_lived_is_said(report: str, bad_certificate: Trace) -> None:
    assert "| Known since | this model; the race that it begins with: zksync-era PR 2480" in report
    assert "| Ran in a release | no: these pull requests were never in one release |" in report
    calls = [("M", "produce_first_block()"), *((step.node, step.call) for step in bad_certificate.steps)]
    stepper = Stepper(system_of("pr170+era2539", bad_certificate.scope))
    released = record(stepper, [stepper.index[call] for call in calls], "certificates_verify")
    text = FORMATS["markdown"](released.about(failed=bad_certificate.failed))
    assert "| Ran in a release | yes: zksync-era's core 24.15.0 to 24.18.0 (7 August 2024 to 14 August 2024), " in text


def test_the_sections_are_complete(report: str) -> None:
    assert re.findall(r"^## (.+)$", report, re.MULTILINE) == [
        "The run as a diagram",
        "The run, step by step",
        "What is false",
        "What was searched",
        "The nearest run that goes well",
        "How to repeat it",
        "Why era-consensus' own tests miss it",
    ]


def test_the_table_has_the_changed_fields_only(report: str, vote_lost: Trace) -> None:
    rows = re.findall(r"^\| (\d+) \| (\w+) \| `(.+?)` \| (.+) \|$", report, re.MULTILINE)
    assert [(node, call) for _, node, call, _ in rows] == [(step.node, step.call) for step in vote_lost.steps]
    for (_, _, _, cell), step in zip(rows, vote_lost.steps, strict=True):
        shown = {match.removesuffix(".number") for match in re.findall(r"`(.+?)`:", cell)}
        assert shown - {"next_batch_to_attest"} == {name.removesuffix(".number") for name in step.changes}
        assert "-1" not in cell


def test_what_is_asked_for_is_shown_where_it_changes(report: str) -> None:
    rows = re.findall(
        r"^\| (\d+) \| \w+ \| `\w+\(.*?\)` \| .*?`next_batch_to_attest`: (\S+ → \S+?)(?:<br>| )", report, re.M
    )
    assert rows == [("13", "0 → **1**"), ("15", "1 → **2**"), ("21", "2 → **1**")]
    assert "* `next_batch_to_attest`: the batch that the main node's database asks for now" in report


def test_no_field_is_shown_twice(stuck: dict[str | None, Trace], gap: Trace, bad_certificate: Trace) -> None:
    for trace in (*stuck.values(), gap, bad_certificate):
        told = FORMATS["markdown"](trace).partition("## What is false")[2].partition("\n## ")[0]
        fields = re.findall(r"^\* `(.+?)`: ", told, re.MULTILINE)
        assert fields
        assert len(set(fields)) == len(fields)


def test_what_is_false_is_named_with_its_witnesses(report: str, bad_certificate: Trace) -> None:
    assert "> batch 1 can still be certified when the main node asks for it" in report
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
    assert "No run of fewer" not in FORMATS["markdown"](vote_lost.about(facts=None))


def test_the_first_difference_is_marked_once(report: str) -> None:
    (row,) = re.findall(r"^\| \*\*→\*\* .+$", report, re.MULTILINE)
    assert row.startswith("| **→** 17 | M `set_min_batch_number()`<br>finder: minimum 2")


def test_links_lead_to_the_commits_of_the_revision(report: str) -> None:
    links = re.findall(r"https://[^)\s]+", report)
    assert links
    for link in links:
        assert re.fullmatch(
            r"https://github\.com/matter-labs/(era-consensus/blob/bce5e3e8[0-9a-f]{32}/node/(actors|libs)/[\w/]+\.rs"
            r"|zksync-era/blob/c6b3adf3[0-9a-f]{32}/core/[\w/]+\.rs|(era-consensus|zksync-era)/pull/\d+)",
            link,
        )
    assert any(link.endswith("/core/lib/dal/src/consensus_dal.rs") for link in links), "the query that is at fault"


@pytest.mark.parametrize("name", REVISIONS)
def test_a_file_is_linked_at_the_commit_of_its_part(name: str) -> None:
    consensus, era = name.split("+")
    network, dal = "network/src/gossip/batch_votes.rs", "core/lib/dal/src/consensus_dal.rs"
    assert file_url(network, name).split("/")[4:7] == ["era-consensus", "blob", MERGES[consensus].commit]
    assert file_url(dal, f"{name}+votes_kept").split("/")[4:7] == ["zksync-era", "blob", MERGES[era].commit]
    assert all(re.fullmatch(r"[0-9a-f]{40}", MERGES[part].commit) for part in (consensus, era))


def test_what_their_tests_miss_is_said_of_the_commit_that_was_read(report: str) -> None:
    assert "As read at `bce5e3e8` (PR 161).\n" in report
    assert since_then("pr161+era2480") == ""
    assert "test_attestation_status_runner" in since_then("pr166+era2539")


def test_batches_with_a_certificate_are_listed_as_one_reads_them(gap: Trace) -> None:
    text = FORMATS["markdown"](gap)
    assert text.count("On the main node, batches 0 and 2 have a certificate and batch 1 has none.") == 1


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
    assert "## The state at the start\n\n* `next_batch_to_attest`: 0\n" in text
    for absent in ("0 steps", "```mermaid", "| step |", "No run of fewer"):
        assert absent not in text


def test_a_lasso_is_not_said_to_be_minimal(vote_lost: Trace) -> None:
    text = FORMATS["markdown"](vote_lost.about(loop=len(vote_lost.steps)))
    assert "That the run is minimal is not claimed" in text
