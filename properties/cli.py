"""The console script `attestation`."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence
from typing import NoReturn

from model.scope import BadScope
from properties.commands.usage import UsageError

COMMANDS = {
    "check": "the main job: check every property on every revision and print the ledger",
    "explore": "search one scope exhaustively",
    "prove": "prove properties with Z3, and search to a bound",
    "trace": "print the shortest counterexample or witness of a property",
    "replay": "check a recording of the real system against the model",
    "revisions": "list the revisions of the protocol",
    "instances": "list the instances of the ledger, and say how instances are named",
    "properties": "list the properties",
}

USAGE = 2


class _Parser(argparse.ArgumentParser):
    """Reports wrong usage as one line."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}; see '{self.prog} --help'")


def parser() -> argparse.ArgumentParser:
    """The command line. Modules of commands are imported, but nothing heavy with them."""
    main = _Parser(prog="attestation", description="A formally checked model of zkSync's batch attestation.")
    commands = main.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, about in COMMANDS.items():
        module = importlib.import_module(f"properties.commands.{name}")
        sub = commands.add_parser(name, help=about, description=about[0].upper() + about[1:] + ".")
        module.configure(sub)
        sub.set_defaults(run=module.run)
    return main


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit status."""
    try:
        options = parser().parse_args(arguments)
        status: int = options.run(options)
    except (UsageError, BadScope) as error:
        print(f"attestation: {error}", file=sys.stderr)
        return USAGE
    except BrokenPipeError:
        sys.stderr.close()
        return 1
    return status


if __name__ == "__main__":
    sys.exit(main())
