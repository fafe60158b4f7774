"""A cluster of dask.distributed in place of this machine's processes: the same results, in the same order."""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from properties.cli import main
from properties.engines import cluster as clusters
from properties.engines.cluster import Cluster, NoCluster

distributed = pytest.importorskip("distributed")
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default")]

COMMANDS = {
    "check": ("check", "--revision", "pr161+era2480", "--revision", "pr175+era2684", "--instance", "w5,1b1", "--json"),
    "pace": ("pace", "--poll", "1:2", "--attesters", "2", "--runs", "64", "--json"),
}


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Two processes and a scheduler, on this machine."""
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as local:
        yield local


def printed(*words: str) -> Any:
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()):
        assert main(words) == 0
    return json.loads(out.getvalue())


def without_times(data: Any) -> Any:
    if isinstance(data, dict):
        return {name: without_times(each) for name, each in data.items() if name not in {"seconds", "files"}}
    return [without_times(each) for each in data] if isinstance(data, list) else data


@pytest.mark.parametrize("name", COMMANDS)
def test_the_results_are_the_same(name: str, cluster: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    elsewhere = printed(*COMMANDS[name], "--cluster", cluster.scheduler_address)
    assert without_times(elsewhere) == without_times(printed(*COMMANDS[name]))


def test_the_work_of_a_lost_worker_is_done_again(cluster: Any, tmp_path: Path) -> None:
    """The first process that takes the work is killed in the middle of it."""
    mark = tmp_path / "taken"
    with Cluster(cluster.scheduler_address) as workers:
        assert list(workers.map(die_once, [mark, mark])) == ["done", "done"]
    assert mark.exists()


def die_once(mark: Path) -> str:
    try:
        mark.touch(exist_ok=False)
    except FileExistsError:
        return "done"
    threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGKILL)).start()
    time.sleep(60)
    return "not killed"


def test_workers_with_another_program_are_refused(cluster: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """They would answer another question."""
    monkeypatch.setattr(clusters, "fingerprint", lambda: "another")
    theirs = staticmethod(lambda *_: {"tcp://there": "one"})
    monkeypatch.setattr(distributed.Client, "run", theirs)
    with pytest.raises(NoCluster, match="tcp://there has another version"):
        Cluster(cluster.scheduler_address)


def test_a_cluster_without_workers_is_refused() -> None:
    with (
        distributed.LocalCluster(n_workers=0, dashboard_address=None) as empty,
        pytest.raises(NoCluster, match="no worker"),
    ):
        Cluster(empty.scheduler_address)


@pytest.mark.parametrize("address", ["nonsense", "", "foo://bar", "tcp://127.0.0.1:x", "tls://127.0.0.1:1"])
def test_an_address_that_is_none_is_one_line_to_the_end_of_the_process(address: str) -> None:
    """A client that was made in part would complain later, with a traceback."""
    command = [sys.executable, "-m", "properties", "pace", "--cluster", address]
    ended = subprocess.run(command, capture_output=True, text=True)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith(f"attestation: --cluster {address}: no scheduler answers there (")
    assert ended.stderr.count("\n") == 1
