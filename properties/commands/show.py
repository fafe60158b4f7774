"""`attestation show`: the built system as a specification."""

from __future__ import annotations

import argparse

from model.system import build
from properties.commands.options import add_model, say_idle_switches, scope_of
from properties.commands.statuses import Status
from properties.render.specification import specification


def configure(parser: argparse.ArgumentParser) -> None:
    add_model(parser)


def run(options: argparse.Namespace) -> int:
    """Print what every engine runs on: variables, definitions, actions, fairness."""
    system = build(*scope_of(options))
    say_idle_switches(system, options.switches)
    print(specification(system), end="")
    return Status.DONE
