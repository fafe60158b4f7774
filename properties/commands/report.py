"""`attestation report`: one page for a reviewer."""

from __future__ import annotations

import argparse
import sys

from properties.commands import check
from properties.commands.options import workers_of
from properties.commands.usage import folder, is_marked, must_not_replace, must_take_files, write
from properties.render.report import Run, player, render, shown
from properties.results.comparison import changes

PAGE = "report.html"
TITLE = "<title>Batch attestation: what was checked</title>"
"""What a page has in its head, by which it is known for one."""


def configure(parser: argparse.ArgumentParser) -> None:
    check.add_searches(parser)
    parser.add_argument("--out", type=folder, required=True, metavar="DIR", help=f"the folder for {PAGE}")


def run(options: argparse.Namespace) -> int:
    """Search as `attestation check` does, and write the page. The exit status is that of the searches."""
    revisions, plans = check.chosen(options)
    must_take_files(options.out)
    if not is_marked(options.out / PAGE, TITLE):
        must_not_replace([options.out / PAGE], "report")
    done = check.search(options, revisions, plans)
    with workers_of(options, len(done.entries)) as workers:
        players = list(workers.map(player, shown(done.entries)))
    command = done.command.replace("attestation check", f"attestation report --out {options.out}")
    changed = "\n".join(changes(done.entries))
    sections = {"From revision to revision": changed} if changed else {}
    page = render(Run(done.entries, command, done.conclusion, done.is_complete), players, sections)
    write(options.out / PAGE, page)
    print(options.out / PAGE)
    if not done.is_complete:
        print("CUT SHORT: the page says which searches are missing", file=sys.stderr)
    return done.status
