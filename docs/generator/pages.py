"""The generated parts of `docs/`: what stands between `<!-- generated: NAME -->` and `<!-- end -->`.

NAME is a command line of `attestation`, whose output is shown, or one of `REGIONS`. `python -m docs.generator` writes
all parts anew, and a test fails where one is out of date. It is one of the deep tests where the part takes more than a
second or two to make, which is said as `<!-- generated slowly: NAME -->`; continuous integration looks at these with
`python -m docs.generator --check`. Parts that take minutes, `<!-- generated deeply: NAME -->`, are made with `--deep`.
"""

from __future__ import annotations

import io
import os
import re
import shlex
from collections.abc import Callable, Collection, Iterator
from contextlib import redirect_stdout
from functools import partial
from pathlib import Path

from docs.generator import assumptions, diffs, mutants, proofs, redesign, searches, tables, timing
from properties.engines.workers import Workers
from properties.logs.controller_design import rules as controller_rules
from properties.logs.registry_design import rules as registry_rules
from properties.results.findings import FINDINGS
from tests.selfchecks import tables as self_checks

DOCS = Path(__file__).parents[1]

REGION = re.compile(
    r"(?P<begin><!-- generated(?P<cost> slowly| deeply)?: (?P<name>.+?) -->\n)(?P<text>.*?)(?P<end><!-- end -->)",
    re.DOTALL,
)


REGIONS: dict[str, Callable[[], str]] = {
    "properties": tables.properties,
    "kinds": tables.kinds,
    "actions": tables.actions,
    **{f"finding {each.name}": partial(tables.finding, each.name) for each in FINDINGS if each.has_page},
    "parts": tables.parts,
    "details": tables.details,
    "plans": tables.plans,
    "assurance": tables.assurance,
    "ledger": tables.ledger,
    "findings": tables.findings,
    "exit statuses": tables.statuses,
    "claims, last sealed": lambda: tables.claims("era2480"),
    "claims, genesis": lambda: tables.claims("era2539"),
    "thresholds": tables.thresholds,
    "broken models": tables.broken_models,
    "mutants": mutants.totals,
    "mutants by file": mutants.by_file,
    "mutants by operator": mutants.by_operator,
    "mutants that nothing notices": mutants.survivors,
    "mutants by property": mutants.by_property,
    "guards that one check protects": mutants.single,
    "profiles": tables.profiles,
    "log events": lambda: tables.log_events(registry_rules.RULES),
    "controller log events": lambda: tables.log_events(controller_rules.RULES),
    "assumptions": assumptions.sentences,
    "assumptions needed": assumptions.needed,
    "assumptions not needed": assumptions.others,
    "neighbours": diffs.neighbours,
    "bad change": diffs.bad_change,
    "harms": diffs.harms,
    "proposals": searches.proposals,
    "cures": searches.cures,
    "effects of switches": searches.effects,
    "redesign": redesign.redesign,
    "claims, redesign": redesign.claims,
    "finder diagram": searches.finder_diagram,
    "timing parameters": timing.parameters,
    "timing verdicts": timing.verdicts,
    "timing fixed": timing.fixed,
    "timing distribution": timing.distribution,
    "timing backlog": timing.backlog,
    "timing agreement": timing.agreement,
    "timing sensitivity": timing.sensitivity,
    "self-checks": self_checks.compared,
    "broken engines": self_checks.noticed,
    "proof theorems": lambda: proofs.theorems(proofs.PROVED_START, proofs.BROKEN_START),
    "proof theorems, attestation controller": lambda: proofs.theorems(proofs.CONTROLLER, proofs.CONTROLLER_PER_BATCH),
    "proof invariant, attestation controller": proofs.controller_invariants,
    "proof obligations, attestation controller": proofs.controller_obligations,
    "proof invariant": proofs.invariant,
    "proof obligations, genesis start": lambda: proofs.obligations(proofs.PROVED_START),
    "proof obligations, last-sealed start": lambda: proofs.obligations(proofs.BROKEN_START),
    "proof deadlock": proofs.predicate,
    "proof cures": proofs.cures,
    "proof threshold": proofs.threshold,
}


def generate(name: str) -> str:
    """The text of one region. Raises `KeyError` for an unknown name."""
    if not name.startswith("attestation "):
        return REGIONS[name]()
    from properties.cli import main

    printed = io.StringIO()
    with redirect_stdout(printed):
        main(shlex.split(name)[1:])
    text = printed.getvalue()
    return f"```\n{text}```\n" if name.startswith("attestation show ") else _demoted(text)


def _demoted(text: str) -> str:
    """A report as a part of a page: its headings are one level lower, those in code blocks excepted."""
    lines, is_code = [], False
    for line in text.splitlines(keepends=True):
        is_code ^= line.startswith("```")
        lines.append(f"#{line}" if line.startswith("#") and not is_code else line)
    return "".join(lines)


def made(name: str) -> str:
    """What stands between the marks of a region."""
    return f"\n{generate(name)}\n"


def _pages() -> dict[Path, str]:
    return {page: page.read_text(encoding="utf-8") for page in sorted(DOCS.rglob("*.md"))}


def regions(chosen: Collection[str], deeply: bool) -> dict[str, None]:
    """The names of the regions whose page or name has one of these words, or all, in the order of the pages."""
    return {
        region["name"]: None
        for page, text in _pages().items()
        for region in REGION.finditer(text)
        if (deeply or region["cost"] != " deeply")
        and (not chosen or any(word in f"{page.name} {region['name']}" for word in chosen))
    }


def write(chosen: Collection[str], deeply: bool, is_check: bool = False) -> Iterator[str]:
    """Write the regions whose page or name has one of these words anew, or all; those that take longest if wanted.
    Yields the pages that have changed; in a check, those that would, and writes nothing."""
    pages, names = _pages(), regions(chosen, deeply)
    with Workers(os.cpu_count() or 1) as workers:
        texts = dict(zip(names, workers.map(made, names), strict=True))
    for page, before in pages.items():
        after = REGION.sub(lambda each: f"{each['begin']}{texts.get(each['name'], each['text'])}{each['end']}", before)
        if after != before:
            if not is_check:
                page.write_text(after, encoding="utf-8")
            yield str(page.relative_to(DOCS.parent))
