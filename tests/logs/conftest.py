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

CONFORMANCE = Path(__file__).parents[1] / "conformance"

Lines = list[dict[str, Any]]
"""A run: header, events, end."""


@pytest.fixture(scope="session")
def runs_in() -> Callable[[str], list[Lines]]:
    """The runs of a recording, by the name of its file."""

    def read(name: str) -> list[Lines]:
        runs: list[Lines] = []
        with gzip.open(CONFORMANCE / name, "rt", encoding="utf-8") as file:
            for line in map(json.loads, file):
                if "format" in line:
                    runs.append([])
                runs[-1].append(line)
        return runs

    return read


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
