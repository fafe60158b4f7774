"""Which recording the tests of this design are about."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def recording() -> Path:
    return Path(__file__).parents[2] / "conformance" / "system-logs.jsonl.gz"
