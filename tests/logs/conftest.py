"""The recorded runs of a design as plain data, to be replayed as they are or edited."""

import copy
import gzip
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from properties.logs.following import Accepted, Rejected, follow
from properties.logs.reading import read_runs

Lines = list[dict[str, Any]]
"""A run: header, events, end."""


@pytest.fixture(scope="session")
def recorded(recording: Path) -> list[Lines]:
    """All runs of the recording that a design's tests name; edit copies only."""
    runs: list[Lines] = []
    with gzip.open(recording, "rt", encoding="utf-8") as file:
        for line in map(json.loads, file):
            if "format" in line:
                runs.append([])
            runs[-1].append(line)
    return runs


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
