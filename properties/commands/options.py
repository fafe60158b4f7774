"""Options that several commands share: the revision, the instance and the bounds of a scope."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from collections.abc import Iterable, Mapping
from importlib.util import find_spec
from typing import Any

from model.revisions import Revision
from model.scope import Scope
from model.service import AttestationSystem
from properties.commands.usage import UsageError, checked_instance, checked_revision, positive, processes, unknown
from properties.engines.workers import Workers
from properties.render.command import scope_options
from properties.results.ledger import idle_switches
from properties.scopes.details import DETAILS
from properties.scopes.switches import DEFAULTS, BadSwitch, parse, switched

PLAIN: Mapping[str, Any] = {"instance": "n2f0b0", "batches": 3, "detail": "joined", "switches": []}
"""The options of a scope where nothing else is said. Commands that have no such instance demand one."""

CLUSTER = "dask.distributed; install it with: pip install 'attestation-model[cluster]'"

MOST_BATCHES = 100
"""More could not be explored, and numbers stay small."""


def add_scope(parser: argparse.ArgumentParser, instance: str | None = None) -> None:
    """Declare the options of a search of one scope; without a default instance, the instance must be given."""
    add_model(parser, instance)
    parser.add_argument("--no-symmetry", action="store_true", help="do not count permuted attesters as one")
    add_max_states(parser)


def add_model(parser: argparse.ArgumentParser, instance: str | None = None) -> None:
    """Declare the options that name one scope."""
    parser.add_argument("--revision", required=True, metavar="R", help="a revision, such as pr161+era2480")
    parser.add_argument(
        "--instance", default=instance, required=instance is None, metavar="I", help="a committee, such as n2f0b0"
    )
    parser.add_argument(
        "--batches", type=positive, default=PLAIN["batches"], metavar="B", help="how many batches are sealed (3)"
    )
    parser.add_argument(
        "--detail",
        default=PLAIN["detail"],
        metavar="D",
        help="joined, stepwise, own-registries, full or calls (joined)",
    )
    parser.add_argument(
        "--with",
        dest="switches",
        action="append",
        default=PLAIN["switches"],
        metavar="SWITCH=VALUE",
        help="one more switch of the scope, such as restarts=1 or topology=relay (may be repeated)",
    )


def add_max_states(parser: argparse.ArgumentParser) -> None:
    """Declare the bound on the states of a search."""
    parser.add_argument(
        "--max-states",
        type=positive,
        metavar="M",
        help="cut a search short once it has M states; looked at after every 65,536 that are expanded (no bound)",
    )


def add_workers(parser: argparse.ArgumentParser) -> None:
    """Declare who does the work."""
    parser.add_argument("--workers", type=processes, default=os.cpu_count() or 1, metavar="N", help="processes to use")
    parser.add_argument("--cluster", metavar="ADDRESS", help="use the workers of this scheduler of dask.distributed")


def workers_of(options: argparse.Namespace, work: int) -> Workers:
    """Who does the work: no more processes than there are pieces of it, or a cluster. Raises `UsageError` if there is
    no cluster at the address."""
    if options.cluster is None:
        return Workers(min(options.workers, work or 1))
    must_have("distributed", f"--cluster needs {CLUSTER}")
    from properties.engines.cluster import Cluster, NoCluster

    try:
        return Cluster(options.cluster)
    except NoCluster as error:
        raise UsageError(f"--cluster {options.cluster}: {error}") from None


def must_have(package: str, otherwise: str) -> None:
    """Raises `UsageError` with this text where an optional package is not installed."""
    if find_spec(package) is None:
        raise UsageError(otherwise)


def scope_of(options: argparse.Namespace) -> tuple[Revision, Scope]:
    """The revision and the scope that the options name. Raises `UsageError`."""
    if options.detail not in DETAILS:
        raise unknown("detail", options.detail, DETAILS)
    if options.batches > MOST_BATCHES:
        raise UsageError(f"--batches {options.batches} is too many; at most {MOST_BATCHES}")
    chosen = checked_revision(options.revision)
    scope = DETAILS[options.detail].scope(checked_instance(options.instance), options.batches)
    return chosen, _switched(scope, options.switches)


def _switched(scope: Scope, given: list[str]) -> Scope:
    """The scope with the switches that were given as text. Raises `UsageError`."""
    try:
        return switched(scope, [parse(text) for text in given])
    except BadSwitch as error:
        raise (unknown("switch", error.name, DEFAULTS) if error.name else UsageError(str(error))) from None


def say_idle_switches(system: AttestationSystem, given: Iterable[str]) -> None:
    """Say on stderr which of the switches that were given as text change nothing, as those of the other design do."""
    for name in idle_switches(system, dict.fromkeys(parse(text)[0] for text in given)):
        print(f"{name} changes nothing in this scope: without it the system is the same", file=sys.stderr)


def repeating(
    command: str,
    revision: str,
    scope: Scope,
    exact: bool = False,
    max_states: int | None = None,
    more: Iterable[tuple[str, str]] = (),
) -> str:
    """The command line that repeats a search; `exact` is without symmetry."""
    given = [("revision", revision), *scope_options(scope), *more]
    given += [("max-states", str(max_states))] if max_states else []
    words = [f"--{name} {shlex.quote(value)}" for name, value in given]
    return " ".join([f"attestation {command}", *words, *(["--no-symmetry"] if exact else [])])


def again(command: str, options: argparse.Namespace, *names: str) -> str:
    """The command line that repeats a run: the command, and those of these options that were given."""
    words = ["attestation", *command.split()]
    for name in names:
        given = getattr(options, name.replace("-", "_"))
        for value in given if isinstance(given, list) else [given]:
            words += [f"--{name}"] * bool(value) + [str(value)] * (value not in (None, False, True))
    return shlex.join(words)
