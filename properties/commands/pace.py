"""`attestation pace`: how long certificates take, by exhaustive search and by simulation."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from model.rules import max_faulty_weight
from model.topology import TOPOLOGIES
from properties.commands.options import add_workers, must_have, workers_of
from properties.commands.statuses import Status
from properties.commands.terminal import Progress
from properties.commands.usage import (
    UsageError,
    checked_instance,
    checked_revision,
    counted,
    must_be_writable,
    positive,
    unknown,
    write,
)
from properties.timing.bounds import Broken, Holds, largest_poll
from properties.timing.plots import plot
from properties.timing.report import aligned, as_csv, columns, row
from properties.timing.setting import Setting
from properties.timing.sweep import Answer, Question, answer, polls

FORMAT = "attestation-pace/1"
STEP = 500
"""Intervals are whole multiples of so many milliseconds, which is the unit of the search."""
LONGEST, MOST_BACKLOG = 3600, 30_000
LAST_STEPS = 20
PLOTS = "matplotlib; install it with: pip install 'attestation-model[plot]'"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--revision", default="pr161+era2539", metavar="R", help="a revision (pr161+era2539)")
    parser.add_argument(
        "--poll", type=intervals, default=[5000], metavar="S", help="poll interval in seconds, or first:last[:step] (5)"
    )
    parser.add_argument("--batch-time", type=interval, default=60_000, metavar="S", help="seconds between batches (60)")
    parser.add_argument("--attesters", type=positive, default=2, metavar="N", help="honest, all of one weight (2)")
    parser.add_argument("--topology", default="direct", metavar="T", help=f"{', '.join(TOPOLOGIES)} (direct)")
    parser.add_argument("--backlog", type=positive, metavar="B", help="catch up with so many batches")
    parser.add_argument("--runs", type=positive, metavar="K", help="simulated runs (10,000; with a backlog 256)")
    parser.add_argument("--seed", type=natural, default=0, metavar="S", help="of the simulation (0)")
    parser.add_argument(
        "--max-states", type=positive, default=3_000_000, metavar="M", help="of each search (3,000,000)"
    )
    parser.add_argument(
        "--largest", action="store_true", help="find the largest interval for which the claim holds, too"
    )
    add_workers(parser)
    parser.add_argument("--json", action="store_true", help="what was found for machines (docs/json.md)")
    parser.add_argument("--csv", type=Path, metavar="F", help="write the table to this file")
    parser.add_argument("--plot", type=Path, metavar="F", help="draw the figures to this file, F.svg")


def interval(text: str) -> int:
    """Seconds, as milliseconds, for argparse."""
    try:
        milliseconds = float(text) * 1000
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds") from None
    if not STEP <= milliseconds <= LONGEST * 1000 or milliseconds % STEP:
        raise argparse.ArgumentTypeError(f"{text} is not a multiple of 0.5 s, from 0.5 to {LONGEST}")
    return int(milliseconds)


def intervals(text: str) -> list[int]:
    """One interval, or `first:last` or `first:last:step`, for argparse; the step is 1 s."""
    parts = [interval(part) for part in text.split(":")]
    if len(parts) > 3:
        raise argparse.ArgumentTypeError(f"{text!r} is neither one interval nor first:last nor first:last:step")
    first, last, step = (parts[0], parts[-1] if len(parts) == 1 else parts[1], parts[2] if len(parts) == 3 else 1000)
    if last < first:
        raise argparse.ArgumentTypeError(f"{text!r} ends before it begins")
    return list(range(first, last + 1, step))


def natural(text: str) -> int:
    """A whole number from 0 on, for argparse."""
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0 on")
    return int(text)


def run(options: argparse.Namespace) -> int:
    """Search and simulate at every interval, and print what was found. An interrupt leaves what is finished."""
    questions = _questions(options)
    answers: list[Answer] = []
    with Progress() as progress, workers_of(options, len(questions)) as workers:
        complete = False
        try:
            progress.show(f"0 of {counted(len(questions), 'interval')}")
            for found in workers.map(answer, questions):
                answers.append(found)
                progress.show(f"{len(answers)} of {counted(len(questions), 'interval')}")
            complete = True
        except KeyboardInterrupt:
            workers.stop()
            progress.show(f"interrupted after {len(answers)} of {counted(len(questions), 'interval')}")
    largest = _largest(questions[0]) if options.largest and complete else None
    if options.csv:
        write(options.csv, as_csv(answers))
    if options.plot and answers:
        write(options.plot, plot(answers))
    command = _repeating(options, questions[0])
    if options.json:
        printed = {"complete": complete, "largest": largest, "answers": [each.as_json() for each in answers]}
        print(json.dumps({"format": FORMAT, "command": command, **printed}, indent=2))
    else:
        _print(questions, answers, complete, largest)
        print(f"to repeat: {command}")
    if not all(each.holds for each in answers):
        return Status.FOUND
    is_known = all(each.found.word != "UNKNOWN" for each in answers)
    return Status.DONE if complete and is_known else Status.CUT_SHORT


def _questions(options: argparse.Namespace) -> list[Question]:
    """What is asked, all of it checked before any work. Raises `UsageError`."""
    revision = checked_revision(options.revision)
    faulty = max_faulty_weight(options.attesters)
    instance = checked_instance(f"n{options.attesters}f{faulty}b0")
    if options.topology not in TOPOLOGIES:
        raise unknown("topology", options.topology, TOPOLOGIES)
    if options.backlog and options.backlog > MOST_BACKLOG:
        raise UsageError(f"--backlog {options.backlog} is too many; at most {MOST_BACKLOG}")
    for file in (options.csv, options.plot):
        if file:
            must_be_writable(file)
    if options.plot:
        if options.plot.suffix != ".svg":
            raise UsageError(f"--plot {options.plot}: plots are SVG; name a file that ends in .svg")
        must_have("matplotlib", f"--plot needs {PLOTS}")
    setting = Setting.of(revision, instance, options.topology).changed(batch_time=options.batch_time)
    runs = options.runs or (256 if options.backlog else 10_000)
    return polls(Question(setting, runs, options.seed, options.backlog or 0, options.max_states), options.poll)


def _repeating(options: argparse.Namespace, question: Question) -> str:
    """The command line that gives the same answers."""
    first, last = (f"{milliseconds / 1000:g}" for milliseconds in (options.poll[0], options.poll[-1]))
    step = f":{(options.poll[1] - options.poll[0]) / 1000:g}" if len(options.poll) > 1 else ""
    given = {
        "revision": question.setting.revision.name,
        "poll": f"{first}:{last}{step}" if step else first,
        "batch-time": f"{options.batch_time / 1000:g}",
        "attesters": options.attesters,
        "topology": options.topology,
        **({"backlog": options.backlog} if options.backlog else {}),
        "runs": question.runs,
        "seed": question.seed,
        "max-states": options.max_states,
    }
    words = [f"--{name} {value}" for name, value in given.items()]
    return " ".join(["attestation pace", *words, *(["--largest"] if options.largest else [])])


def _largest(question: Question) -> float | None:
    """The largest poll interval for which the claim holds, in seconds; none if it holds for none, or is not known."""
    poll, found = largest_poll(question.setting, most=question.most_states)
    return poll / 1000 if isinstance(found, Holds) else None


def _print(asked: Sequence[Question], answers: Sequence[Answer], complete: bool, largest: float | None) -> None:
    question = asked[0]
    setting, runs = question.setting, counted(question.runs, "run")
    task = (
        f"catching up with {counted(question.backlog, 'batch')}" if question.backlog else "from sealing to certificate"
    )
    every = f"a batch every {setting.parameters.batch_time / 1000:g} s"
    print(f"{setting.revision.name}, {setting.instance.name}, {setting.topology}, {every}: {task}")
    if answers:
        print(aligned(columns(answers), [row(each) for each in answers]))
    broken = next((each.found for each in answers if isinstance(each.found, Broken)), None)
    if broken is not None:
        print("the end of a run that breaks the claim, at the first interval that is too long:")
        print("\n".join(f"  {time / 1000:8g} s  {what}" for time, what in broken.run[-LAST_STEPS:]))
    if largest is not None:
        print(f"the claim holds for poll intervals up to {largest:g} s")
    events = counted(sum(each.measured.events for each in answers), "event")
    cut = "" if complete else "CUT SHORT; "
    print(f"{cut}{runs} each, {events}, seed {question.seed}; docs/timing.md says what is assumed")
