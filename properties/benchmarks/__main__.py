"""Run the benchmarks that are named, or all."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

NAMES = sorted(path.stem for path in Path(__file__).parent.glob("[a-z]*.py"))


def main(names: list[str]) -> int:
    """Print each benchmark's figures."""
    for name in names or NAMES:
        if name not in NAMES:
            print(f"benchmarks: there is no {name!r}; there are: {', '.join(NAMES)}", file=sys.stderr)
            return 2
        import_module(f"properties.benchmarks.{name}").run()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
