"""`attestation properties`."""

from __future__ import annotations

import argparse
import json

from properties.claims.catalogue import CATALOGUE
from properties.claims.kinds import Property
from properties.commands.statuses import Status


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--json", action="store_true", help="a JSON list with kind, sentence, assumptions, source, kinds"
    )


def run(options: argparse.Namespace) -> int:
    if options.json:
        print(json.dumps([as_json(claim) for claim in CATALOGUE], indent=2))
        return Status.DONE
    width = max(len(claim.name) for claim in CATALOGUE)
    for claim in CATALOGUE:
        print(f"{claim.name.ljust(width)}  {claim.kind.ljust(9)}  {claim.sentence}")
    return Status.DONE


def as_json(claim: Property) -> dict[str, object]:
    return {
        "name": claim.name,
        "kind": claim.kind,
        "sentence": claim.sentence,
        "assumptions": claim.assumptions,
        "source": claim.source,
        "kinds": {kind.name: kind.sentence for kind in claim.kinds},
    }
