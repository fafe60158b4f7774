"""The generated parts of `docs/`: what stands between `<!-- generated: NAME -->` and `<!-- end -->`.

NAME is a command line of `attestation`, whose output is shown, or one of `REGIONS`. `python -m
properties.documentation` writes all parts anew, and a test fails where one is out of date.
"""

from __future__ import annotations

import io
import re
import shlex
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path

from properties.documentation import searches, tables
from properties.documentation.tables import table
from properties.logs.controller_design import rules as controller_rules
from properties.logs.registry_design import rules as registry_rules
from properties.proofs import tables as proof_tables

DOCS = Path(__file__).parents[2] / "docs"

REGION = re.compile(r"(<!-- generated: (?P<name>.+?) -->\n).*?(<!-- end -->)", re.DOTALL)


REGIONS: dict[str, Callable[[], str]] = {
    "properties": tables.properties,
    "kinds": tables.kinds,
    "actions": tables.actions,
    "parts": tables.parts,
    "details": tables.details,
    "plans": tables.plans,
    "ledger": tables.ledger,
    "findings": tables.findings,
    "claims, last sealed": lambda: tables.claims("era2480"),
    "claims, genesis": lambda: tables.claims("era2539"),
    "thresholds": tables.thresholds,
    "broken models": tables.broken_models,
    "profiles": tables.profiles,
    "log events": lambda: tables.log_events(registry_rules.RULES),
    "controller log events": lambda: tables.log_events(controller_rules.RULES),
    "proposals": searches.proposals,
    "cures": searches.cures,
    "effects of switches": searches.effects,
    "finder diagram": searches.finder_diagram,
    "proof theorems": lambda: table(*proof_tables.theorems()),
    "proof invariant": lambda: table(*proof_tables.invariant()),
    "proof obligations, genesis start": lambda: table(*proof_tables.obligations(proof_tables.PROVED_START)),
    "proof obligations, last-sealed start": lambda: table(*proof_tables.obligations(proof_tables.BROKEN_START)),
    "proof deadlock": lambda: table(*proof_tables.predicate()),
    "proof cures": lambda: table(*proof_tables.cures()),
    "proof threshold": lambda: table(*proof_tables.threshold()),
}


def generate(name: str) -> str:
    """The text of one region. Raises `KeyError` for an unknown name."""
    if not name.startswith("attestation "):
        return REGIONS[name]()
    from properties.cli import main

    printed = io.StringIO()
    with redirect_stdout(printed):
        main(shlex.split(name)[1:])
    return _demoted(printed.getvalue())


def _demoted(text: str) -> str:
    """A report as a part of a page: its headings are one level lower, those in code blocks excepted."""
    lines, is_code = [], False
    for line in text.splitlines(keepends=True):
        is_code ^= line.startswith("```")
        lines.append(f"#{line}" if line.startswith("#") and not is_code else line)
    return "".join(lines)


def refresh(text: str) -> str:
    """The page with every region generated anew."""
    return REGION.sub(lambda match: f"{match[1]}\n{generate(match['name'])}\n{match[3]}", text)


def main() -> int:
    """Write all pages anew; say which have changed."""
    for page in sorted(DOCS.rglob("*.md")):
        before = page.read_text(encoding="utf-8")
        after = refresh(before)
        if after != before:
            page.write_text(after, encoding="utf-8")
            print(f"{page.relative_to(DOCS.parent)} is new")
    return 0
