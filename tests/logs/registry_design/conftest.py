"""The recorded runs that the tests of this design are about."""

from collections.abc import Callable
from typing import Any

import pytest

Lines = list[dict[str, Any]]


@pytest.fixture(scope="session")
def recorded(runs_in: Callable[[str], list[Lines]]) -> list[Lines]:
    """All recorded runs; edit copies only."""
    return runs_in("system-logs.jsonl.gz")
