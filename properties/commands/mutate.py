"""`attestation mutate`: every mechanical mistake in the model, and what notices it."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING

from properties.commands.options import must_have, workers_of
from properties.commands.statuses import Status
from properties.commands.terminal import Progress
from properties.commands.usage import MOST_DIGITS, UsageError, counted, positive, processes, unknown, write

if TYPE_CHECKING:
    from properties.mutation.operators import Mutant
    from properties.mutation.survey import Finding

FORMAT = "attestation-mutants/1"

FEW = 5
"""For so many mutants it is not worth finding out all that the true model says: each process does so when it must."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--file", metavar="F", help="only mistakes in this file, such as registry_design/registry.py")
    parser.add_argument("--name", metavar="N", help="only this one, by its name as it is printed; shows its run")
    parser.add_argument("--sample", type=positive, metavar="K", help="so many of them, chosen at random (all)")
    parser.add_argument("--seed", type=_seed, default=1, metavar="S", help="for the choice (1)")
    parser.add_argument("--list", action="store_true", help="name them, and run nothing")
    parser.add_argument("--json", action="store_true", help="what was found for machines (docs/json.md)")
    parser.add_argument(
        "--save", action="store_true", help="keep what was found for docs/mutants.md, after an interrupt as a sample"
    )
    parser.add_argument("--workers", type=processes, default=2, metavar="N", help="processes to use (2)")
    parser.set_defaults(cluster=None)


def run(options: argparse.Namespace) -> int:
    """Look at the mutants, and print what becomes of each; the status tells whether one has no reason to survive."""
    if options.save and (options.file or options.name):
        raise UsageError("--save keeps what was found in all files; leave out --file and --name")
    mutants = _chosen(options)
    if options.list:
        print("\n".join(mutant.key for mutant in mutants))
        return Status.DONE
    must_have("pytest", "mutate runs tests; install them with: pip install -e '.[test]'")
    from properties.mutation.survey import survey
    from properties.mutation.truth import ROOT, prepare

    if not (ROOT / "tests").is_dir():
        raise UsageError(f"mutate needs a checkout with its tests; there are none in {ROOT}")
    if len(mutants) > FEW:
        prepare()
    found: list[Finding] = []
    is_stopped = False
    with workers_of(options, len(mutants)) as workers, Progress() as progress:
        try:
            for finding in survey(mutants, workers):
                found.append(finding)
                progress.show(f"{len(found)} of {counted(len(mutants), 'mutant')}")
        except KeyboardInterrupt:
            workers.stop()
            is_stopped = True
    _print(options, found, len(mutants))
    if options.save and found:
        # They come in the order in which a seed chooses them, so the first ones are a sample, too.
        options.sample = len(found) if is_stopped else options.sample
        _save(options, found)
    return Status.CUT_SHORT if is_stopped else Status.FOUND if _unexplained(found) else Status.DONE


def _seed(text: str) -> int:
    if not re.fullmatch(r"0|[1-9][0-9]*", text) or len(text) > MOST_DIGITS:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0 on, of at most {MOST_DIGITS} digits")
    return int(text)


def _chosen(options: argparse.Namespace) -> list[Mutant]:
    """The mutants that the options are about. Raises `UsageError`."""
    from properties.mutation.operators import files
    from properties.mutation.survey import chosen

    named = options.file or (options.name or "").partition(": ")[0] or None
    named = named.removeprefix("model/") if named else None
    if named is not None and named not in files():
        raise unknown("file with mutants", named, files())
    mutants = chosen(named, options.sample if options.name is None else None, options.seed)
    if options.name is None:
        return mutants
    found = [mutant for mutant in mutants if mutant.key == options.name]
    if not found:
        raise unknown("mutant", options.name, [mutant.key for mutant in mutants])
    return found


def _unexplained(found: list[Finding]) -> list[Finding]:
    from properties.mutation.survey import UNEXPLAINED

    return [finding for finding in found if finding.outcome == UNEXPLAINED]


def _print(options: argparse.Namespace, found: list[Finding], planned: int) -> None:
    command = _command(options)
    if options.json:
        results = [finding.as_json() for finding in found]
        said = {"format": FORMAT, "command": command, "complete": len(found) == planned, "mutants": results}
        print(json.dumps(said, indent=2))
        return
    outcomes = Counter(finding.outcome for finding in found)
    cut = "" if len(found) == planned else f" of {planned}: CUT SHORT"
    print(f"{counted(len(found), 'mutant')}{cut}: {', '.join(f'{count} {name}' for name, count in outcomes.items())}")
    for finding in found if options.name else _unexplained(found):
        print(f"\n{finding.mutant.key}\n  {told(finding)}")
        print("".join(f"    {number:3} {step}\n" for number, step in enumerate(finding.run, 1)), end="")
    print(f"to repeat: {command}")


def _save(options: argparse.Namespace, found: list[Finding]) -> None:
    from properties.mutation.survey import SAVED, chosen

    total = len(chosen(None, None, 0))
    lines = ",\n".join(json.dumps(asdict(finding), ensure_ascii=False) for finding in found)
    head = json.dumps({"command": _command(options), "total": total}).removesuffix("}")
    write(SAVED, f'{head}, "mutants": [\n{lines}\n]}}\n')
    print(f"kept in {SAVED}", file=sys.stderr)


def told(finding: Finding) -> str:
    """What became of a mutant, on one line."""
    if not finding.how:
        return finding.why or "nothing notices it, and there is no reason in properties/mutation/reasons.toml"
    where = f" ({finding.where})" if finding.where else ""
    return f"{finding.how}: {', '.join(finding.checks)}{where}"


def _command(options: argparse.Namespace) -> str:
    words = [f"--file {options.file}"] if options.file else []
    words += [f"--name '{options.name}'"] if options.name else []
    words += [f"--sample {options.sample} --seed {options.seed}"] if options.sample else []
    return " ".join(["attestation mutate", *words])
