"""`attestation instances`."""

from __future__ import annotations

import argparse
import json

from model.revisions import REVISIONS
from model.rules import threshold
from model.scope import instance
from properties.commands.statuses import Status
from properties.results.trace import scope_as_json
from properties.scopes.plans import PLANS, Plan


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="a JSON list of the scopes of the ledger")


def run(options: argparse.Namespace) -> int:
    """List the scopes of the ledger by instance."""
    if options.json:
        print(json.dumps([as_json(plan) for plan in PLANS], indent=2))
        return Status.DONE
    print("n6f1b1: 6 attesters of weight 1, f = 1 tolerated, 1 Byzantine; w3,2,1b1: these weights, the last Byzantine.")
    print("Any such name will do. The ledger has:")
    for plan in PLANS:
        committee = instance(plan.instance)
        quorum = threshold(committee.total_weight)
        when = "only with --deep" if plan.deep else "by default"
        print(f"  {plan.name}: quorum {quorum} of {committee.total_weight}, {when}")
    return Status.DONE


def as_json(plan: Plan) -> dict[str, object]:
    return {
        "plan": plan.name,
        "instance": plan.instance,
        "batches": plan.batches,
        "detail": plan.detail,
        "deep": plan.deep,
        "symmetry": plan.symmetry,
        "revisions": [name for name in REVISIONS if plan.is_for(name)],
        "scope": scope_as_json(plan.scope),
    }
