"""The command line: exit statuses, one clear line for bad input, nothing half-written."""

from __future__ import annotations

import io
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from unittest.mock import patch

import pytest

from model.revisions import PARTS, REVISIONS, Part
from properties.claims.catalogue import CATALOGUE
from properties.cli import main, parser
from properties.commands.check import plans_of
from properties.commands.options import scope_of
from properties.engines import checking, explorer
from properties.engines.memory import NotEnoughMemory
from properties.render.command import scope_options
from properties.scopes.plans import PLANS, Plan

Capture = pytest.CaptureFixture[str]

ONE = ["--revision", "pr161+era2539", "--instance", "w7b0"]
"""One small search, in which all is as expected."""

TRACE = ["trace", "progress_possible", "--instance", "n1f0b0", "--revision"]
PER_BATCH = "explore --instance n2f0b0 --batches 1 --revision pr175+era2684"
ONE_COMMITTEE = "explore --instance n2f0b0 --batches 1 --revision pr175+era2657"
EXPORT = "export --revision pr161+era2480 --instance n1f0b0"
BAD = {
    "check --revision pr161+era248": "unknown revision 'pr161+era248'; did you mean pr161+era2480",
    "check --instance n0f0b0": "a committee needs at least one attester",
    "check --instance n2f0b3": "3 Byzantine of 2 attesters; at most 2",
    "check --instance w3,0b0": "a weight of 0 is refused",
    "check --instance w18446744073709551615,1b0": "beyond u64",
    "check --instance n6f0b0": "6 attesters tolerate f = 1, not 0; write n6f1b0",
    "check --instance n06f1b1": "'n06f1b1' is neither like n6f1b1",
    "check --instance n\u0666f1b1": "is neither like n6f1b1",
    "check --instance w03,2b1": "is neither like n6f1b1",
    "check --workers 100000": "100000 processes are too many; at most 256",
    "check --max-states 99999999999999999999": "is not a whole number of at most 18 digits",
    "explore --revision pr161+era2480 --instance n1f0b0 --batches \u0662": "is not a whole number",
    "explore --revision pr161+era2480 --instance n1f0b0 --batches 02": "'02' is not a whole number",
    "explore --revision pr161+era2480 --instance n1f0b0 --with restarts=01": "a number from 0 to 9, or any",
    "explore --revision pr161+era2480 --instance n1f0b0 --with queue=\u0661": "queue is a number from 0 to 9",
    "": "name a COMMAND: check, ",
    "check --instance six": "is neither like n6f1b1",
    "check --instance n27f5b0": "at most 26",
    "explore --revision pr161+era2480": "required: --instance",
    "explore --revision pr161+era2480 --instance n1f0b0 --batches 0": "0 is not 1 or more",
    "explore --revision pr161+era2480 --instance n1f0b0 --batches 1000": "at most 100",
    "explore --revision pr161+era2480 --instance n1f0b0 --detail jointed": "did you mean joined?",
    "explore --revision pr161+era2480 --instance n1f0b0 --with restart=1": "unknown switch 'restart'; did you mean",
    "explore --revision pr161+era2480 --instance n1f0b0 --with restarts": "has no value; write restarts=0",
    "explore --revision pr161+era2480 --instance n1f0b0 --with restarts=10": "a number from 0 to 9, or any",
    "explore --revision pr161+era2480 --instance n1f0b0 --with queue=any": "queue is a number from 0 to 9",
    "explore --revision pr161+era2480 --instance n1f0b0 --with echo=1": "echo is yes or no",
    "explore --revision pr161+era2480 --instance n1f0b0 --with topology=star": "unknown topology 'star'; there are",
    "explore --revision pr161+era2480 --instance n1f0b0 --with pruned_batches=2": "pruned says of which node",
    "explore --revision pr161+era2480 --instance n1f0b0 --with pruned=M --with pruned_batches=3": "none of 3 batches",
    "mutate --save --file votes.py": "leave out --file and --name",
    "explore --revision pr161+era2480 --instance n1f0b0 --with pruned=Q": "no node 'Q' to prune; the nodes are M, a",
    "explore --revision pr161+era2480 --instance n1f0b0 --with bad_votes=x": "come from an external node",
    f"{PER_BATCH} --with committees=99999999999999999999,1": "sum to 100000000000000000000, beyond u64",
    "explore --revision pr161+era2480 --instance n1f0b0 --with committees=|<b>": "a value has letters and digits",
    "replay \x1b[31m\u200b": r"cannot read \x1b[31m\u200b: No such file",
    f"{PER_BATCH} --with committees=\uff11,1": "a value has letters and digits",
    f"{PER_BATCH} --with committees=01,1": "neither a weight for each of the 2 attesters",
    f"{PER_BATCH} --with split=zz": "no node 'zz' with committees of its own; the nodes are M, a, b",
    f"{PER_BATCH} --with failing=q": "no node 'q' whose task fails",
    f"{PER_BATCH} --with message_limit=-1": "message_limit is a number from 0 to 9",
    f"{PER_BATCH} --with message_limit=1 --with call_steps=yes": "a message_limit needs echo",
    f"{PER_BATCH} --with divergences=1": "astray says to which nodes",
    f"{ONE_COMMITTEE} --with committees=1,2": "pr175+era2657 has one committee for all batches",
    f"{ONE_COMMITTEE} --with split=a --with call_steps=yes": "pr175+era2657 has one committee for all batches",
    f"{ONE_COMMITTEE} --with fallbacks=1 --with astray=a --with call_steps=yes": "pr175+era2657 has one committee",
    "trace progres --revision pr161+era2480": "unknown property 'progres'",
    "trace progress_possible --revision pr161+era2480 --kind registry": "unknown kind of progress_possible",
    "trace no_gaps_on_main_node --revision pr161+era2480 --kind x": "has no kinds of violations",
    "trace gap --instance n1f0b0": "gap is a finding, with a scope of its own",
    "trace gap --kind overtaken": "gap is a finding, with a scope of its own",
    "trace no_gaps_on_main_node --revision pr161+era2480 --format pdf": "unknown format 'pdf'",
    f"{EXPORT} --format pml": "unknown format 'pml'; did you mean",
    f"{EXPORT}": "required: --format",
    f"{EXPORT} --format tla --depth 3": "--property and --depth are for smt2",
    f"{EXPORT} --format smt2 --depth 101": "--depth 101 is too deep; at most 100",
    f"{EXPORT} --format smt2 --property no_gap": "unknown property of states in this scope 'no_gap'",
    f"{EXPORT} --format smt2 --property progress_possible": "unknown property of states in this scope",
    f"{EXPORT} --format smt2 --property vote_replaced": "give --depth to search for it",
    f"{EXPORT} --format tla --out 3.tla": "a module is named like its file",
    f"{EXPORT} --format promela --out /dev/null/x": "cannot write /dev/null/x",
    "export --format promela --revision pr161+era2539 --instance w4294967296,1b0": "Promela has numbers of 32 bits",
    "check --out ''": "the name of the folder is empty",
    "report --out ''": "the name of the folder is empty",
    "replay --out '' log": "the name of the folder is empty",
    "prove --smt2 ''": "the name of the folder is empty",
    "check --json --toml": "--toml writes the table, and no reports or verdicts; leave out --json",
    "check --toml --all --out evidence": "; leave out --out and --all",
    "diff pr161+era2480 pr161+era2539 --json --format markdown": "leave out --format, or --json",
    "fly": "invalid choice: 'fly'",
}


@pytest.mark.parametrize("line", BAD)
def test_bad_input_is_one_clear_line_and_status_2(line: str, capsys: Capture) -> None:
    assert main(shlex.split(line)) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    assert BAD[line] in printed.err


def test_a_trace_that_cannot_be_written_leaves_nothing(tmp_path: Path, capsys: Capture) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    assert main([*TRACE, "pr161+era2480", "--out", str(blocked / "trace.md")]) == 2
    assert "cannot write" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_check_refuses_a_folder_that_cannot_be_written_before_it_searches(tmp_path: Path, capsys: Capture) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    assert main(["check", "--out", str(blocked)]) == 2
    assert "cannot write" in capsys.readouterr().err


OWN = {
    "check": ("README.md", "ledger.txt", "pr161+era2539/progress_possible.vote_lost.md"),
    "report": ("report.html",),
}
"""What the commands write, and others may have written."""


@pytest.mark.parametrize(("command", "name"), [(each, name) for each, names in OWN.items() for name in names])
def test_a_file_of_another_stands_in_the_way_before_anything_is_changed(
    command: str, name: str, tmp_path: Path, capsys: Capture
) -> None:
    for file in (tmp_path / name, tmp_path / "pr161+era2539" / "no_gaps_on_main_node.json"):
        file.parent.mkdir(exist_ok=True)
        file.write_text("mine")
    before = {path: path.read_text() for path in tmp_path.rglob("*.*") if path.is_file()}
    words = [command, *ONE, "--out", str(tmp_path)]
    assert main(words) == 2
    printed = capsys.readouterr()
    assert (printed.out, printed.err.count("\n")) == ("", 1)
    assert f" was not written by 'attestation {command}'; name another folder" in printed.err
    assert {path: path.read_text() for path in tmp_path.rglob("*.*") if path.is_file()} == before


@pytest.mark.parametrize("command", OWN)
def test_a_folder_of_its_own_is_written_anew(command: str, tmp_path: Path, capsys: Capture) -> None:
    words = [command, *ONE, "--out", str(tmp_path / "out")]
    assert main(words) == 0
    first = {path.name for path in (tmp_path / "out").iterdir()}
    assert main(words) == 0
    assert {path.name for path in (tmp_path / "out").iterdir()} == first
    assert (tmp_path / "out" / OWN[command][0]).exists()


def test_a_check_that_does_not_end_leaves_a_folder_that_says_so_and_can_be_used_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    with monkeypatch.context() as fails:
        fails.setattr(checking, "explore", lambda *_, **__: 1 / 0)
        assert checked(tmp_path, *ONE) == 5
    assert (tmp_path / "README.md").read_text().endswith("`, which has not ended.\n")
    assert checked(tmp_path, *ONE) == 0


def test_trace_prints_the_deadlock_and_ends_with_0(capsys: Capture) -> None:
    assert main([*TRACE, "pr161+era2480", "--kind", "registry_minimum"]) == 0
    printed = capsys.readouterr().out
    for expected in ("registry_minimum", "insert_qc", "set_min_batch_number", "restart"):
        assert expected in printed


def test_a_part_that_changes_nothing_is_said_to_change_nothing(capsys: Capture) -> None:
    again = Part("proposal: refuse what is refused already", {"refuses_smaller_number": True})
    with patch.dict(PARTS, {"again": again}):
        main(["explore", "--revision", "pr167+era2480+again", "--instance", "n1f0b0", "--batches", "1"])
    assert capsys.readouterr().err.startswith("again changes nothing in pr167+era2480+again: ")
    one = ["explore", "--instance", "n1f0b0", "--batches", "1", "--revision"]
    main([*one, "pr161+era2539+prune_aware"])
    assert "prune_aware changes nothing in this scope" in capsys.readouterr().err
    main([*one, "pr161+era2539+prune_aware", "--with", "pruned=M"])
    assert "changes nothing" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("command", "switches", "idle"),
    [
        ("explore --revision pr175+era2684", "queue=2 unanswered=a failing=a", "queue unanswered failing"),
        ("show --revision pr175+era2684", "restarts=1 replays=yes restarting=a", "replays"),
        ("trace progress_possible --revision pr170+era2539", "restores=1 committees=2 pruned=a", "restores committees"),
    ],
)
def test_a_switch_that_changes_nothing_is_said_to_change_nothing(
    command: str, switches: str, idle: str, capsys: Capture
) -> None:
    given = [word for switch in switches.split() for word in ("--with", switch)]
    main([*command.split(), "--instance", "n1f0b0", "--batches", "1", *given])
    said = capsys.readouterr().err.splitlines()
    assert [line.split()[0] for line in said if "changes nothing in this scope" in line] == idle.split()


def test_trace_ends_with_4_where_there_is_none(capsys: Capture) -> None:
    assert main([*TRACE, "pr161+era2539"]) == 4
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "EXHAUSTED(121 states, depth 31)" in printed.err


def test_where_there_is_no_trace_a_scope_is_named_that_has_one(capsys: Capture) -> None:
    """The default instance has no Byzantine attester, so that nobody spoils a certificate there."""
    assert main(["trace", "certificates_verify", "--revision", "pr170+era2539"]) == 4
    said = capsys.readouterr().err.splitlines()
    assert said[1] == "there is one on pr170+era2539 in w5,1b1, 2 batches, joined:"
    assert main([*shlex.split(said[2])[1:], "--format", "mermaid"]) == 0
    assert capsys.readouterr().out.startswith("sequenceDiagram")


def test_where_the_revision_has_no_trace_at_all_another_is_named(capsys: Capture) -> None:
    assert main([*TRACE, "pr161+era2539", "--kind", "registry_minimum"]) == 4
    assert "there is one on pr161+era2480 in n2f0b0, 3 batches, joined:\n" in capsys.readouterr().err


def test_where_nothing_is_known_to_have_a_trace_no_scope_is_named(capsys: Capture) -> None:
    assert main(["trace", "no_vote_below_minimum", "--revision", "pr161+era2539"]) == 4
    assert "there is one" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("registry-minimum", "--revision pr161+era2480"),
        ("refusal-is-no-cure", "--revision pr167+era2480"),
        ("registry-minimum --revision pr166+era2480", "--revision pr166+era2480"),
    ],
)
def test_a_finding_can_be_named_in_place_of_a_property_and_a_scope(words: str, expected: str, capsys: Capture) -> None:
    assert main(["trace", *words.split()]) == 0
    assert expected in capsys.readouterr().out


def test_a_finding_that_a_revision_does_not_have_is_said_to_be_none_there(capsys: Capture) -> None:
    assert main(["trace", "gap", "--revision", "pr170+era2539"]) == 4
    assert "no search of the ledger shows gap on pr170+era2539" in capsys.readouterr().err
    assert main(["trace", "subscribers"]) == 4


def test_trace_ends_with_3_where_the_search_was_cut_short(capsys: Capture) -> None:
    assert main([*TRACE, "pr161+era2539", "--max-states", "10"]) == 3
    assert "cut short" in capsys.readouterr().err


def test_trace_writes_a_file_that_replays(tmp_path: Path) -> None:
    from properties.results.trace import from_json, replay

    file = tmp_path / "new" / "trace.json"
    assert main([*TRACE, "pr161+era2480", "--format", "json", "--out", str(file)]) == 0
    trace = from_json(json.loads(file.read_text()))
    replay(trace)
    assert trace.claim == "progress_possible"


@pytest.mark.parametrize(
    ("revision", "more", "status"),
    [("pr161+era2480", [], 1), ("pr161+era2539", [], 0), ("pr161+era2539", ["--max-states", "10"], 3)],
)
def test_explore_says_how_it_ended(revision: str, more: list[str], status: int, capsys: Capture) -> None:
    assert main(["explore", "--revision", revision, "--instance", "n1f0b0", "--json", *more]) == status
    found = json.loads(capsys.readouterr().out)
    assert {"states", "transitions", "depth", "seconds", "symmetry", "verdicts"} <= set(found)
    assert found["complete"] is (status != 3)


@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: plan.name)
def test_every_scope_of_the_ledger_can_be_named_on_the_command_line(plan: Plan) -> None:
    words = [word for name, value in scope_options(plan.scope) for word in (f"--{name}", value)]
    words = ["explore", "--revision", "pr161+era2480", *words]
    options = parser(words).parse_args(words)
    assert scope_of(options)[1] == plan.scope


@pytest.mark.parametrize("file", ["", ".", "/", "/proc/nope", "/dev/full"])
def test_a_trace_that_cannot_be_written_is_one_line_that_names_it(file: str, capsys: Capture) -> None:
    assert main([*TRACE, "pr161+era2480", "--out", file]) == 2
    printed = capsys.readouterr().err
    assert f"cannot write {Path(file)}:" in printed
    assert printed.count("\n") == 1


def test_what_can_be_written_is_found_out_before_the_search(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def searched(*_: object) -> None:
        raise AssertionError("it has searched")

    monkeypatch.setattr(explorer, "explore", searched)
    monkeypatch.setattr(checking, "explore", searched)
    assert main([*TRACE, "pr161+era2480", "--out", str(tmp_path)]) == 2
    assert main([*TRACE, "pr161+era2480", "--out", "/proc/nope"]) == 2
    assert main(["check", "--out", "/proc/nope"]) == 2


def test_a_trace_to_a_device_does_not_replace_it() -> None:
    assert main([*TRACE, "pr161+era2480", "--out", "/dev/null"]) == 0
    assert Path("/dev/null").is_char_device()


def test_no_trace_says_how_to_repeat_the_search(capsys: Capture) -> None:
    assert main([*TRACE, "pr161+era2539", "--kind", "vote_lost", "--max-states", "500"]) == 4
    last = capsys.readouterr().err.splitlines()[-1]
    command = last.removeprefix("to repeat: attestation ").split()
    assert main(command) == 4
    assert capsys.readouterr().err.splitlines()[-1] == last


def test_explore_ends_with_its_bounds_and_the_command_that_repeats_it(capsys: Capture) -> None:
    given = ["explore", "--revision", "pr161+era2539", "--instance", "n1f0b0", "--batches", "1"]
    assert main([*given, "--with", "restarts=1", "--max-states", "9999"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "pr161+era2539, n1f0b0, 1 batch, joined, restarts=1: exhausted"
    assert lines[-3].startswith("bounds: batches 0 … 0; ")
    assert lines[-2].startswith("left out: asking the main node")
    assert lines[-1] == (
        "to repeat: attestation explore --revision pr161+era2539 --instance n1f0b0 --batches 1 --detail joined "
        "--with restarts=1 --max-states 9999; no seed: the search is exhaustive"
    )


def test_check_writes_evidence_and_ends_with_0(tmp_path: Path, capsys: Capture) -> None:
    one = ["check", "--instance", "n3f0b0", "--revision", "pr161+era2480", "--workers", "1", "--out", str(tmp_path)]
    assert main(one) == 0
    assert "every verdict is the expected one" in capsys.readouterr().out
    written = {path.name for path in tmp_path.rglob("*.md")}
    assert {"progress_possible.registry_minimum.md", "no_gaps_on_main_node.md"} <= written


def checked(out: Path, *words: str) -> int:
    return main(["check", "--workers", "1", "--out", str(out), *words])


def test_an_instance_without_a_listed_scope_is_checked_all_the_same(tmp_path: Path, capsys: Capture) -> None:
    assert checked(tmp_path, "--instance", "n1f0b1", "--revision", "pr165+era2480", "--json") == 1
    found = json.loads(capsys.readouterr().out)
    assert [entry["plan"] for entry in found["entries"]] == ["n1f0b1, 3 batches, joined"]
    assert found["unlisted"] == [{"revision": "pr165+era2480", "plan": "n1f0b1, 3 batches, joined"}]


@pytest.mark.parametrize(
    ("words", "plans"),
    [
        (["--instance", "n4f0b0"], {("n4f0b0, 3 batches, joined", name) for name in REVISIONS}),
        (["--instance", "n6f1b1", "--revision", "pr165+era2480"], {("n6f1b1, 2 batches, joined", "pr165+era2480")}),
        (
            ["--instance", "n6f1b1", "--revision", "pr165+era2480", "--revision", "pr170+era2480"],
            {("n6f1b1, 2 batches, joined", name) for name in ("pr165+era2480", "pr170+era2480")},
        ),
        (
            ["--instance", "n6f1b1"],
            {
                ("n6f1b1, 2 batches, joined", f"{consensus}+{era}")
                for consensus in ("pr161", "pr170")
                for era in ("era2480", "era2539")
            },
        ),
        (
            ["--instance", "w7b0", "--instance", "w7b0", "--deep"],
            {("w7b0, 3 batches, joined", each) for each in REVISIONS},
        ),
    ],
)
def test_every_instance_and_every_revision_that_is_named_is_checked(words: list[str], plans: set[object]) -> None:
    options = parser(["check"]).parse_args(["check", *words])
    revisions = options.revision or list(REVISIONS)
    chosen = [(plan.name, name) for plan in plans_of(options, revisions) for name in revisions if plan.is_for(name)]
    assert len(chosen) == len(set(chosen))
    assert set(chosen) == plans


def test_check_ends_with_1_where_a_verdict_differs(tmp_path: Path, capsys: Capture) -> None:
    assert checked(tmp_path, "--instance", "w7b0", "--revision", "pr161+era2480") == 1
    printed = capsys.readouterr().out
    kinds = "vote_lost, overtaken, newer_vote_at_main"
    assert "DIFFERENT: progress_possible, 1 time\n  VIOLATED: registry_minimum, newer_vote, " + kinds in printed
    assert ", and the table expects nothing of this scope:\n    pr161+era2480, w7b0, 3 batches, joined\n" in printed
    assert f"{len(CATALOGUE)} verdicts have no expectation, those of:\n  pr161+era2480, w7b0, 3 batches" in printed
    assert "every verdict is the expected one" not in printed


def test_check_without_expectations_does_not_say_that_they_are_met(tmp_path: Path, capsys: Capture) -> None:
    assert checked(tmp_path, "--instance", "w7b0", "--revision", "pr161+era2539") == 0
    printed = capsys.readouterr().out
    assert f"no verdict differs, but {len(CATALOGUE)} verdicts have no expectation;\n1 search," in printed


def test_check_with_a_bound_says_what_was_cut_short(tmp_path: Path, capsys: Capture) -> None:
    words = ["--instance", "n3f0b0", "--revision", "pr161+era2539", "--max-states", "50"]
    assert checked(tmp_path, *words) == 3
    lines = capsys.readouterr().out.splitlines()
    assert lines[-3].startswith(
        "CUT SHORT: 1 of 1 pair of a revision and a scope not done to the end (--max-states 50), "
    )
    assert lines[-1] == f"to repeat: attestation check {' '.join([*words[2:4], *words[:2], *words[4:]])}"


def test_check_without_memory_for_a_verdict_is_cut_short_and_not_different(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: Capture
) -> None:
    """All states are searched, and the transitions between them find no room."""

    def short(_: object) -> None:
        raise NotEnoughMemory("1 MB more are needed, and 0 MB are left")

    monkeypatch.setattr(checking.Check, "graph", property(short))
    words = ["--instance", "w7b0", "--revision", "pr161+era2539"]
    assert checked(tmp_path, *words) == 3
    printed = capsys.readouterr().out
    assert "CUT SHORT: 1 of 1 pair of a revision and a scope not done to the end, " in printed
    assert " left open: out of memory: 1 MB more are needed, and 0 MB are left;\n" in printed
    assert "every reachable state of every scope was examined" not in " ".join(printed.split())
    assert "DIFFERENT" not in printed
    assert "exhaustive" not in printed
    checked(tmp_path, *words, "--json")
    found = json.loads(capsys.readouterr().out)
    assert (found["complete"], found["entries"][0]["complete"], found["differences"]) == (False, False, [])


def test_a_run_that_is_cut_short_calls_nothing_expected_and_no_search_exhaustive(
    tmp_path: Path, capsys: Capture
) -> None:
    words = ["--instance", "n3f0b0", "--revision", "pr161+era2480", "--max-states", "1", "--all"]
    assert checked(tmp_path, *words) == 3
    printed = capsys.readouterr().out
    assert "(search cut short; attesters in any order count once)" in printed
    assert "UNKNOWN" in printed
    assert "expect" not in printed
    assert "exhaustive" not in printed
    assert "EXHAUSTED" not in printed


def test_check_prints_first_what_stands_behind_each_property(tmp_path: Path, capsys: Capture) -> None:
    words = ["--instance", "w2b0", "--revision", "pr161+era2539"]
    checked(tmp_path, *words)
    short = capsys.readouterr().out
    checked(tmp_path, *words, "--all")
    long = capsys.readouterr().out
    assert all(printed.startswith("genesis: ") for printed in (short, long))
    assert "certificate_stored  " not in short
    assert "certificate_stored  " in long.partition("\nfails ")[0]
    said = [line for line in short.partition("\nto repeat: ")[0].splitlines() if str(tmp_path) not in line]
    assert max(map(len, said)) <= 80


def test_check_prints_last_what_goes_wrong(tmp_path: Path, capsys: Capture) -> None:
    checked(tmp_path, "--instance", "w2b0", "--revision", "pr161+era2480")
    last = capsys.readouterr().out.splitlines()[-20:]
    wrong = next(number for number, line in enumerate(last) if line.split()[:3] == ["what", "goes", "wrong"])
    assert any("A gap, although all attesters are honest" in line for line in last[wrong:])
    assert last[-1].startswith("to repeat: ")


def test_check_removes_its_earlier_reports_and_nothing_else(tmp_path: Path) -> None:
    stale = ["pr161+era2480/no_gaps_on_main_node.md", "pr161+era2480/progress_possible.old_kind.json"]
    kept = ["pr161+era2480/notes.md", "pr161+era2480/no_gaps_on_main_node.txt", "pr161+era2539/no_gaps_on_main_node.md"]
    for name in (*stale, *kept):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("of an earlier run")
    (tmp_path / "README.md").write_text("# What goes wrong\n\nWritten by `attestation check`.")
    assert checked(tmp_path, "--instance", "w7b0", "--revision", "pr161+era2480", "--max-states", "9") == 3
    left = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert left == {*kept, "README.md", "ledger.txt"}


def test_check_prints_json(tmp_path: Path, capsys: Capture) -> None:
    one = ["check", "--instance", "n3f0b0", "--revision", "pr161+era2539", "--workers", "1", "--out", str(tmp_path)]
    assert main([*one, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["complete"] is True
    assert found["differences"] == []
    assert found["entries"][0]["verdicts"]["progress_possible"]["verdict"] == "EXHAUSTED"


@pytest.mark.parametrize("command", ["revisions", "instances", "properties"])
def test_lists_are_for_people_and_for_machines(command: str, capsys: Capture) -> None:
    assert main([command]) == 0
    assert capsys.readouterr().out.count("\n") > 1
    assert main([command, "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)) > 1


def test_version_is_printed(capsys: Capture) -> None:
    assert main(["--version"]) == 0
    assert re.fullmatch(r"attestation \d\S*, Python 3\.\d+\.\d+\S*\n", capsys.readouterr().out)


def test_a_trace_is_read_from_the_standard_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    file = tmp_path / "trace.json"
    assert main([*TRACE, "pr161+era2480", "--format", "json", "--out", str(file)]) == 0
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(file.read_bytes())))
    assert main(["trace", "--from", "-", "--format", "mermaid"]) == 0
    assert capsys.readouterr().out.startswith("sequenceDiagram")


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from properties.cli import parser; parser([]).format_help();"
        "print([name for name in ('numpy', 'z3', 'hypothesis', 'networkx') if name in sys.modules])"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert printed.stdout.strip() == "[]"
