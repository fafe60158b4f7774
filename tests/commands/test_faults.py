"""The table of `docs/faults.md`, cell by cell: how each command ends under each fault, what it says, what it leaves."""

from __future__ import annotations

import json
import os
import random
import re
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from properties.commands.statuses import COMMANDS, Status
from properties.engines.workers import cores

PAGE = Path(__file__).parents[2] / "docs" / "faults.md"
LOGS = str(Path(__file__).parents[1] / "conformance" / "system-logs.jsonl.gz")

SMALL = "--revision pr161+era2480 --instance n1f0b0"
ONE = "--revision pr161+era2539 --instance w7b0"
"""The ledger has one search of these."""

LARGE = "--revision pr161+era2480 --instance n3f0b0 --detail full"
"""A search that would take hours."""

SHORT = {
    "check": f"check --workers 1 {ONE} --out DIR/out",
    "report": f"report --workers 1 {ONE} --out DIR/out",
    "explore": f"explore {SMALL}",
    "diff": "diff pr161+era2480 pr161+era2539 --instance w5,1b1 --workers 1",
    "prove": "prove --revision pr161+era2539 --property at_most_one_quorum --attesters 2 --smt2 DIR/out",
    "mutate": "mutate --file rules.py --sample 1 --seed 1 --workers 1",
    "trace": f"trace progress_possible {SMALL}",
    "pace": "pace --runs 10 --workers 1",
    "show": f"show {SMALL}",
    "export": f"export --format tla {SMALL}",
    "replay": f"replay {LOGS}",
    "revisions": "revisions",
    "instances": "instances",
    "properties": "properties",
}
LONG = SHORT | {
    "check": "check --workers 2 --out DIR/out --json",
    "report": "report --workers 2 --out DIR/out",
    "explore": f"explore {LARGE} --json",
    "diff": "diff pr161+era2480 pr161+era2539 --workers 2 --json",
    "prove": "prove --json",
    "mutate": "mutate --file registry_design/system.py --sample 5 --workers 2 --json",
    "trace": f"trace progress_possible {LARGE}",
    "pace": "pace --poll 1:20 --runs 100000000 --workers 2 --json",
    "replay": f"replay {LOGS} --json",
}
"""What takes longer than a test waits, where the command has such work."""

UNPREPARED = LONG | {"mutate": "mutate --workers 2 --json"}
"""The same, of which a signal may come before there are workers: `mutate` first finds out what the true model says."""

BOUND = {
    "check": f"check --workers 1 {ONE} --max-states 1 --out DIR/out",
    "report": f"report --workers 1 {ONE} --max-states 1 --out DIR/out",
    "explore": f"explore {SMALL} --batches 4 --detail full --max-states 1",
    "diff": "diff pr161+era2480 pr161+era2539 --instance w5,1b1 --workers 1 --max-states 1",
    "prove": "prove --revision pr161+era2539 --property status_never_falls --depth 40 --timeout 1",
    "trace": f"trace progress_possible {LARGE} --max-states 1",
    "pace": "pace --runs 10 --workers 1 --max-states 1",
}
OUTPUT = {
    "trace": f"trace progress_possible {SMALL} --out DIR/out",
    "pace": "pace --runs 10 --workers 1 --csv DIR/out",
    "export": f"export --format promela {SMALL} --out DIR/out",
    "replay": f"replay {LOGS} --out DIR/out",
}
"""What writes files, besides what does so in any case."""

INPUT = {"trace": "trace --from DIR/file", "replay": "replay DIR/file"}

MOST_SECONDS = 300
"""A command that has not ended by then waits for work that takes hours."""

LIMIT = 700 << 20
"""Bytes of memory: enough to begin with, and not for the searches of `LONG`."""


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    status: int
    stdout: str
    stderr: str


@contextmanager
def started(words: str, folder: Path, **options: object) -> Iterator[subprocess.Popen[str]]:
    """A command, in a group of processes of its own, of which nothing is left."""
    command = [each.replace("DIR", str(folder)) for each in words.split()]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
    begun = [sys.executable, "-m", "properties", *command]
    process = subprocess.Popen(begun, text=True, start_new_session=True, **pipes)  # type: ignore[call-overload]
    try:
        yield process
        assert ends_alone(process.pid)
    finally:
        for each in others_of(process.pid):
            os.kill(each, signal.SIGKILL)


def end_of(process: subprocess.Popen[str]) -> Ended:
    """How it ended, as a shell tells it."""
    stdout, stderr = process.communicate(timeout=MOST_SECONDS)
    return Ended(
        process.returncode if process.returncode >= 0 else 128 - process.returncode, stdout or "", stderr or ""
    )


def run(words: str, folder: Path, **options: object) -> Ended:
    """A command, to its end."""
    with started(words, folder, **options) as process:
        return end_of(process)


def others_of(group: int) -> list[int]:
    """The processes of a group that still run."""
    found = []
    for each in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, process_group = each.read_text().rpartition(")")[2].split()[:3]
        except OSError:
            continue
        if int(process_group) == group and state != "Z":
            found.append(int(each.parent.name))
    return found


def ends_alone(group: int) -> bool:
    """Whether no process of a group is left within a second."""
    until = time.monotonic() + 1
    while others_of(group) and time.monotonic() < until:
        time.sleep(0.05)
    return not others_of(group)


def seconds_of(process: int) -> float:
    """Seconds of processor time that a process has had, which do not depend on what else the machine does."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def wait(process: subprocess.Popen[str], workers: bool) -> None:
    """Until a command is at work: it has workers, or is long past the loading of the program; and some moments more."""
    until = time.monotonic() + 120
    while process.poll() is None and time.monotonic() < until:
        if len(others_of(process.pid)) > 1 or (not workers and seconds_of(process.pid) > 2):
            break
        time.sleep(0.05)
    time.sleep(random.uniform(0, 1))


def bad_option(command: str, folder: Path) -> Ended:
    return run(f"{SHORT[command]} --no-such-option", folder)


def unreadable_input(command: str, folder: Path) -> Ended:
    (folder / "file").write_bytes(b"\x1f\x8bnot what it looks like")
    return run(INPUT[command], folder)


def unwritable_output(command: str, folder: Path) -> Ended:
    # Not by permissions, which mean nothing to an administrator.
    (folder / "out").write_text("a file, and no folder")
    return run(OUTPUT.get(command, SHORT[command]).replace("DIR/out", "DIR/out/in"), folder)


def full_output(command: str, folder: Path) -> Ended:
    with Path("/dev/full").open("w") as full:
        return run(SHORT[command], folder, stdout=full)


def closed_reader(command: str, folder: Path) -> Ended:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer) as output:
        return run(SHORT[command], folder, stdout=output)


def closed_stderr(command: str, folder: Path) -> Ended:
    return run(SHORT[command], folder, stderr=None, preexec_fn=lambda: os.close(2))


def bound(command: str, folder: Path) -> Ended:
    return run(BOUND[command], folder)


def signalled(command: str, folder: Path, number: int) -> Ended:
    with started(LONG[command], folder) as process:
        wait(process, workers="--workers 2" in LONG[command])
        process.send_signal(number)
        return end_of(process)


def interrupt(command: str, folder: Path) -> Ended:
    return signalled(command, folder, signal.SIGINT)


def term(command: str, folder: Path) -> Ended:
    return signalled(command, folder, signal.SIGTERM)


def worker_killed(command: str, folder: Path) -> Ended:
    with started(LONG[command], folder) as process:
        wait(process, workers=True)
        os.kill(max(set(others_of(process.pid)) - {process.pid}), signal.SIGKILL)
        return end_of(process)


def parent_killed(command: str, folder: Path) -> Ended:
    with started(LONG[command], folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        wait(process, workers=True)
        process.kill()
        return end_of(process)


def no_memory(command: str, folder: Path) -> Ended:
    return run(LONG[command], folder, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (LIMIT, LIMIT)))


def full_disk(command: str, folder: Path) -> Ended:
    """No file may be larger than its beginning, and memory is short."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_DATA, (LIMIT, LIMIT))
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))

    ended = run(LONG[command], folder, preexec_fn=limit)
    assert "memory is short, and " in ended.stdout + ended.stderr
    return ended


FAULTS: dict[str, Callable[[str, Path], Ended]] = {
    "bad option": bad_option,
    "unreadable input": unreadable_input,
    "unwritable output": unwritable_output,
    "full output": full_output,
    "closed reader": closed_reader,
    "closed stderr": closed_stderr,
    "bound": bound,
    "interrupt": interrupt,
    "TERM": term,
    "worker killed": worker_killed,
    "parent killed": parent_killed,
    "no memory": no_memory,
    "full disk": full_disk,
}

SAYS = {
    "bad option": "unrecognized arguments: --no-such-option",
    "unreadable input": "/file: ",
    "unwritable output": "cannot write",
    "full output": "cannot write the output: No space left on device",
    "interrupt": "interrupted",
    "TERM": "ended by SIGTERM",
    "worker killed": "the program failed, and there is no result",
}
"""What is said of the fault, where it is no result."""

QUICK = {"bad option", "unreadable input"}
"""Faults that are met before a command has begun to work."""


def table() -> Iterator[tuple[str, str, str]]:
    """Each cell of the page: command, fault, what is said of them."""
    rows = [
        line.strip("| \n").split(" | ") for line in PAGE.read_text(encoding="utf-8").splitlines() if line[:1] == "|"
    ]
    heads = rows[0]
    assert heads[1:] == list(FAULTS)
    for command, *cells in rows[2:]:
        yield from ((command.strip("`"), fault, cell) for fault, cell in zip(heads[1:], cells, strict=True))


CELLS = [
    pytest.param(command, fault, cell, id=f"{command}, {fault}", marks=[] if fault in QUICK else [pytest.mark.slow])
    for command, fault, cell in table()
    if cell != "-"
]


@pytest.mark.parametrize(("command", "fault", "cell"), CELLS)
def test_a_command_ends_as_the_page_says(command: str, fault: str, cell: str, tmp_path: Path) -> None:
    if command in ("explore", "trace") and fault in ("worker killed", "parent killed") and cores() == 1:
        pytest.skip("a search is shared among cores, and there is one")
    ended = FAULTS[fault](command, tmp_path)
    assert str(ended.status) in re.findall(r"\d+", cell), ended
    if ended.status not in (Status.DONE, Status.FOUND, Status.CUT_SHORT):
        assert not ended.stderr or SAYS.get(fault, "") in ended.stderr
        assert ended.stderr or ended.status >= 128
    if ended.status < 128:
        is_in_order(ended, tmp_path)


def is_in_order(ended: Ended, folder: Path) -> None:
    """Nothing looks like a result that is none."""
    assert "Traceback" not in ended.stderr
    said = ended.stdout + ended.stderr
    if ended.status not in (Status.DONE, Status.FOUND):
        assert any(mark in said for mark in ("attestation: ", "CUT SHORT", "UNKNOWN", '"complete": false')), said
    if ended.status in (Status.USAGE, Status.FAILED):
        assert ended.stderr.count("attestation: ") == 1
        assert not ended.stdout
    left = [path for path in folder.rglob("*") if path.is_file()]
    assert not [path for path in left if "partial" in path.name]
    for path in left:
        if path.suffix == ".json":
            json.loads(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("limit", [resource.RLIMIT_AS, resource.RLIMIT_DATA])
def test_with_very_little_memory_a_command_ends_at_once(limit: int, tmp_path: Path) -> None:
    few = 250 << 20
    ended = run(SHORT["explore"], tmp_path, preexec_fn=lambda: resource.setrlimit(limit, (few, few)))
    assert (ended.status, ended.stdout) == (Status.USAGE, "")
    assert ended.stderr == "attestation: a process may have 250 MB of memory here (ulimit); 400 are needed\n"


def test_every_command_has_a_row() -> None:
    assert list(dict.fromkeys(command for command, _, _ in table())) == list(COMMANDS)


@pytest.mark.parametrize(
    "number",
    [
        pytest.param(signal.SIGINT, id="interrupt"),
        pytest.param(signal.SIGTERM, id="TERM", marks=pytest.mark.deep),
        pytest.param(signal.SIGHUP, id="HUP", marks=pytest.mark.deep),
    ],
)
@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.slow
def test_at_any_moment_a_signal_leaves_no_result_that_is_none(
    command: str, number: signal.Signals, tmp_path: Path, moments: int
) -> None:
    ended_early = {130, Status.CUT_SHORT} if number == signal.SIGINT else {128 + number}
    for _ in range(moments):
        with started(UNPREPARED[command], tmp_path) as process:
            time.sleep(random.uniform(0, 2))
            process.send_signal(number)
            ended = end_of(process)
        whole = process.returncode in (Status.DONE, Status.FOUND)
        assert whole or ended.status in ended_early, ended
        if not whole and ended.status < 128:
            is_in_order(ended, tmp_path)
        if whole and "--json" in LONG[command]:
            assert json.loads(ended.stdout.splitlines()[-1] if command == "replay" else ended.stdout)


@pytest.fixture
def moments(request: pytest.FixtureRequest) -> int:
    """How many moments are tried: chosen at random, and anew in each run."""
    return 5 if request.config.getoption("--hypothesis-profile") == "deep" else 1
