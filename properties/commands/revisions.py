"""`attestation revisions`."""

from __future__ import annotations

import argparse
import json

from model.revisions import REVISIONS
from properties.commands.statuses import Status


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="a JSON list of {name, about}")


def run(options: argparse.Namespace) -> int:
    if options.json:
        print(json.dumps([{"name": item.name, "about": item.about} for item in REVISIONS.values()], indent=2))
        return Status.DONE
    width = max(map(len, REVISIONS))
    for item in REVISIONS.values():
        print(f"{item.name.ljust(width)}  {item.about}")
    return Status.DONE
