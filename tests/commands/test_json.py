"""`docs/json.md` has every field that `--json` prints, and no other."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from docs.generator.pages import DOCS
from properties.cli import main
from properties.mutation.survey import SEMANTIC, VERDICT
from properties.render.interchange import schema

Capture = pytest.CaptureFixture[str]

CONFORMANCE = Path(__file__).parents[1] / "conformance"

TABLES = [
    set(re.findall(r"^\| `(\S+)` \|", table, re.MULTILINE))
    for table in re.findall(
        r"^\| field \|.*?(?:\n\n|\Z)", (DOCS / "json.md").read_text("utf-8"), re.DOTALL | re.MULTILINE
    )
]
(
    LEDGER,
    EXPLORATION,
    PROOFS,
    ACCEPTED,
    REJECTED,
    AGREEMENT,
    DIFFERENCE,
    INSTANCES,
    REVISIONS,
    PROPERTIES,
    PACE,
    MUTANTS,
    DIFF,
) = TABLES


def paths(value: Any, documented: set[str], path: str = "") -> Iterator[str]:
    """The path of every field of the output; what the documentation tells as a whole is not looked into."""
    inner = (f"{path}[", f"{path}." if path else "")
    if path in documented:
        yield path
    if not isinstance(value, dict | list) or not any(each.startswith(inner) for each in documented):
        if path not in documented and value not in ([], {}):
            yield path
        return
    if isinstance(value, list):
        for item in value:
            yield from paths(item, documented, f"{path}[]")
        return
    any_name = f"{path}.*"
    for name, item in value.items():
        told = any(each == any_name or each.startswith(f"{any_name}.") for each in documented)
        below = any_name if told else f"{path}.{name}".removeprefix(".")
        yield from paths(item, documented, below)


def assert_documented(outputs: list[Any], documented: set[str]) -> None:
    assert {path for output in outputs for path in paths(output, documented)} == documented


def printed(capsys: Capture, *arguments: str | Path) -> Any:
    main([*map(str, arguments), "--json"])
    return json.loads(capsys.readouterr().out)


def test_a_field_that_is_not_documented_is_noticed() -> None:
    assert set(paths({"a": {"x": {"b": 1, "c": 2}}}, {"a.*.b"})) == {"a.*.b", "a.*.c"}
    assert set(paths([{"a": {"b": 1}, "c": [1]}], {"[].a"})) == {"[].a", "[].c"}


def test_check(tmp_path: Path, capsys: Capture) -> None:
    found = printed(capsys, "check", "--instance", "w7b0", "--revision", "pr161+era2480", "--out", tmp_path)
    assert_documented([found], LEDGER)
    assert found["format"] == "attestation-ledger/1"
    assert found["complete"] is True
    assert all(Path(file).is_file() for file in found["reports"])
    assert {Path(file).suffix for file in found["reports"]} == {".md", ".json"}
    (entry,) = found["entries"]
    assert entry["left_out"][-1] == "the chain never forks"
    again = printed(capsys, *entry["command"].split()[1:])
    assert again["verdicts"] == entry["verdicts"]
    assert again["scope"] == entry["scope"]


def test_explore(capsys: Capture) -> None:
    found = printed(capsys, "explore", "--instance", "n1f0b0", "--revision", "pr161+era2480")
    assert_documented([found], EXPLORATION)
    assert found["format"] == "attestation-exploration/1"
    jsonschema.validate(found["scope"], {**schema(), **schema()["properties"]["scope"]})
    again = printed(capsys, *found["command"].split()[1:])
    assert {**again, "seconds": found["seconds"]} == found


@pytest.mark.slow
def test_prove(capsys: Capture) -> None:
    asked = (("pr161+era2480", "progress_possible"), ("pr161+era2539", "no_gaps_on_main_node"))
    found = [
        printed(capsys, "prove", "--revision", name, "--attesters", "1", "--property", claim) for name, claim in asked
    ]
    assert_documented(found, PROOFS)


@pytest.fixture
def runs() -> list[str]:
    """The first two runs of the logs."""
    with gzip.open(CONFORMANCE / "system-logs.jsonl.gz", "rt", encoding="utf-8") as file:
        lines = list(file)
    return lines[: [at for at, line in enumerate(lines) if '"format"' in line][2]]


@pytest.mark.slow
def test_replay_of_a_system_log(tmp_path: Path, runs: list[str], capsys: Capture) -> None:
    log = tmp_path / "log"
    log.write_text("".join(runs), encoding="utf-8")
    main(["replay", str(log), "--json"])
    accepted = capsys.readouterr().out.splitlines()
    main(["replay", str(log), "--json", "--revision", "pr161+era2539"])
    rejected = capsys.readouterr().out.splitlines()
    runs[9] = json.dumps({**json.loads(runs[9]), "number": 1}) + "\n"
    log.write_text("".join(runs), encoding="utf-8")
    main(["replay", str(log), "--json"])
    rejected += capsys.readouterr().out.splitlines()[:1]
    assert_documented([json.loads(line) for line in accepted], ACCEPTED)
    assert_documented([json.loads(line) for line in rejected], REJECTED)


def test_replay_of_registry_scenarios(tmp_path: Path, capsys: Capture) -> None:
    with gzip.open(CONFORMANCE / "vote-registry.jsonl.gz", "rt", encoding="utf-8") as file:
        scenario = json.loads(next(file))
    file = tmp_path / "scenarios"
    file.write_text(json.dumps(scenario), encoding="utf-8")
    assert_documented([printed(capsys, "replay", file)], AGREEMENT)
    scenario["steps"][0]["state"]["min_batch_number"] += 1
    file.write_text(json.dumps(scenario), encoding="utf-8")
    assert_documented([printed(capsys, "replay", file)], DIFFERENCE)


@pytest.mark.parametrize(
    ("command", "documented"), [("instances", INSTANCES), ("revisions", REVISIONS), ("properties", PROPERTIES)]
)
def test_lists(command: str, documented: set[str], capsys: Capture) -> None:
    assert_documented([printed(capsys, command)], documented)


@pytest.mark.slow
def test_pace(capsys: Capture) -> None:
    few = ("--attesters", 1, "--runs", 20)
    found = [
        printed(capsys, "pace", *few),
        printed(capsys, "pace", *few, "--poll", "70"),
        printed(capsys, "pace", *few, "--backlog", "3"),
    ]
    assert_documented(found, PACE)
    again = printed(capsys, *found[0]["command"].split()[1:])
    assert again == found[0]


@pytest.mark.slow
def test_mutate(capsys: Capture) -> None:
    names = (
        "rules.py: reaches: bound: weight >= quorum → weight > quorum",
        "registry_design/network.py: refuse_status: negation: ~here.runner.is_idle → here.runner.is_idle",
    )
    found = [printed(capsys, "mutate", "--workers", "1", "--name", name) for name in names]
    assert_documented(found, MUTANTS)
    by_verdict = found[1]["mutants"][0]
    assert (by_verdict["how"], by_verdict["outcome"]) == (VERDICT, SEMANTIC)
    assert by_verdict["run"]


@pytest.mark.slow
def test_diff(capsys: Capture) -> None:
    found = [
        printed(capsys, "diff", *pair, "--workers", "1", "--instance", "w5,1b1")
        for pair in (("pr161+era2480", "pr161+era2539"), ("pr161+era2539", "pr161+era2480"))
    ]
    assert_documented(found, DIFF)
