"""The recorded runs as plain data, to be replayed as they are or edited."""

import copy
import gzip
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from properties.logs.following import Accepted, Rejected, follow
from properties.logs.reading import read_runs

LOGS = Path(__file__).parents[2] / "conformance" / "system-logs.jsonl.gz"

Lines = list[dict[str, Any]]
"""A run: header, events, end."""


def _runs() -> list[Lines]:
    runs: list[Lines] = []
    with gzip.open(LOGS, "rt", encoding="utf-8") as file:
        for line in map(json.loads, file):
            if "format" in line:
                runs.append([])
            runs[-1].append(line)
    return runs


RUNS = _runs()


@pytest.fixture(scope="session")
def recorded() -> list[Lines]:
    """All recorded runs; edit copies only."""
    return RUNS


@pytest.fixture
def run_of(recorded: list[Lines]) -> Callable[[int], Lines]:
    """A copy of the run with this number, from 1."""
    return lambda number: copy.deepcopy(recorded[number - 1])


@pytest.fixture
def replay() -> Callable[[Lines], Accepted | Rejected]:
    """Follow a run given as data."""

    def follow_lines(lines: Lines) -> Accepted | Rejected:
        def texts() -> Iterator[str]:
            yield from map(json.dumps, lines)

        return follow(next(read_runs(texts())))

    return follow_lines
