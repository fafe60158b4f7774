"""One page for a reviewer, without a network: what goes wrong, each claim with its verdicts and evidence, and the runs
to step through. `report.html` has its styles and its script."""

from __future__ import annotations

import html
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

from model.revisions import PARTS, REVISIONS
from properties.claims.catalogue import CATALOGUE
from properties.claims.kinds import Kind, Property
from properties.commands.usage import counted
from properties.render.html import page
from properties.render.story import Story
from properties.results.findings import RAN, Severity, finding_of
from properties.results.history import MERGES, ran
from properties.results.ledger import Entry
from properties.results.places import plainness
from properties.results.summary import HARM, Row, columns, holding, legend, none_found, rows
from properties.results.trace import Trace
from properties.results.verdicts import Violated

FAILS, SILENT = frozenset({"VIOLATED", "UNREACHED"}), frozenset({"VACUOUS", "NOT_APPLICABLE", "NOT_CHECKED"})
"""How verdicts are counted: what fails, and what says nothing; the others hold."""


@dataclass(frozen=True)
class Run:
    """What was searched: the entries; `command` repeats it; `conclusion` is what it comes to."""

    entries: list[Entry]
    command: str
    conclusion: str
    is_complete: bool


def shown(entries: list[Entry]) -> list[Trace]:
    """The runs that the page lets step through: the one that shows each finding best."""
    return [row.best.trace for row in rows(entries)]


def player(trace: Trace) -> dict[str, Any]:
    """All that the player shows of a run: a search or two, which can be done in another process."""
    return page(Story(trace))


def render(run: Run, players: Sequence[Mapping[str, Any]], sections: Mapping[str, str]) -> str:
    """The page. `players` are of `shown`, in its order; `sections` are further ones, by title, in plain text."""
    frame, template = (_packaged(name) for name in ("report.html", "player.html"))
    found = rows(run.entries)
    told = dict(zip((row.finding.name for row in found), players, strict=True))
    body = "\n".join(
        [
            *_head(run),
            *_navigation([title for title, _ in _sections(run, found, told)] + list(sections)),
            *(_section(title, parts) for title, parts in _sections(run, found, told)),
            *(_section(title, [f'<pre tabindex="0">{html.escape(text)}</pre>']) for title, text in sections.items()),
        ]
    )
    data = json.dumps({"player": template, "runs": told}, ensure_ascii=False).replace("<", "\\u003c")
    return frame.replace("@BODY@", body).replace("@DATA@", data)


@lru_cache
def _packaged(name: str) -> str:
    return files("properties.render").joinpath(name).read_text(encoding="utf-8")


def _sections(run: Run, found: list[Row], told: Mapping[str, Any]) -> Iterator[tuple[str, list[str]]]:
    yield "What goes wrong", [*_overview(run.entries, found), *(_paragraph(each) for each in holding(run.entries))]
    yield "Findings", [_finding(row, told[row.finding.name]) for row in found]
    yield "Claims, verdicts, evidence", [_claim(claim, run.entries) for claim in CATALOGUE]
    yield "Revisions", list(_revisions({entry.revision for entry in run.entries}))
    yield "Words", [f'<pre tabindex="0">{html.escape(_legend(run.entries))}</pre>']


def _head(run: Run) -> Iterator[str]:
    yield "<header><h1>Batch attestation: what was checked, and what came out</h1>"
    mark = "" if run.is_complete else ' class="bad"'
    yield f"<p{mark}>{html.escape(run.conclusion)}</p>"
    yield f"<p>To repeat it: {_command(run.command)}</p></header>"


def _navigation(titles: Iterable[str]) -> Iterator[str]:
    links = " ".join(f'<a href="#{_anchor(title)}">{html.escape(title)}</a>' for title in titles)
    yield f'<nav aria-label="Sections">{links}</nav>'


def _section(title: str, parts: Iterable[str]) -> str:
    anchor = _anchor(title)
    heading = f'<h2 id="{anchor}-title">{html.escape(title)}</h2>'
    return "\n".join([f'<section id="{anchor}" aria-labelledby="{anchor}-title">{heading}', *parts, "</section>"])


def _anchor(title: str) -> str:
    return "".join(letter if letter.isalnum() else "-" for letter in title.lower())


def _overview(entries: list[Entry], found: list[Row]) -> Iterator[str]:
    """A row a finding: where it shows, and in how many steps."""
    if not found:
        yield from (f"<p>{sentence}</p>" for sentence in none_found(entries))
        return
    shown = columns(entries)
    head = ["finding", "harm", "it ran", *(column.title for column in shown)]
    lines = [
        [
            f'<a href="#finding-{row.finding.name}">{html.escape(row.finding.title)}</a>',
            html.escape(row.finding.severity),
            "yes" if row.ran else "no",
            *(row.shown[column].length if column in row.shown else "–" for column in shown),
        ]
        for row in found
    ]
    yield _table("The findings; the figures are the steps of the shortest runs", head, lines)
    yield "<dl>"
    severities: dict[Severity, None] = dict.fromkeys(row.finding.severity for row in found)
    yield from (f"<dt>{severity}</dt><dd>{html.escape(HARM[severity])}</dd>" for severity in severities)
    yield from (f"<dt>{column.title}</dt><dd>{html.escape(column.about)}</dd>" for column in shown)
    yield "</dl>"


def _finding(row: Row, told: Mapping[str, Any]) -> str:
    finding, best = row.finding, row.best
    steps = [
        [str(number), html.escape(step["node"]), f"<code>{html.escape(step['call'])}</code>", _rich(step["about"])]
        for number, step in enumerate(told["steps"], 1)
    ]
    facts = {
        "Harm": HARM[finding.severity],
        "Known since": finding.known_since,
        "In a release": ran(best.entry.revision) or "no",
        "Cured by": finding.cured_by,
        "Shown on": best.place,
    }
    return "\n".join(
        [
            f'<article id="finding-{finding.name}"><h3>{html.escape(finding.title)}</h3>',
            *(_paragraph(text, label) for label, text in told["opening"].items()),
            _pairs(facts),
            f'<p class="tools"><button type="button" data-run="{finding.name}">Step through the run</button> '
            f"{_command(f'attestation trace {finding.name}')}</p>",
            f"<details><summary>The run: {counted(len(steps), 'step')}</summary>",
            _table(f"The run that shows it: {finding.title}", ["step", "node", "action", "what happens"], steps),
            _paragraph(told["result"]),
            _paragraph(told["because"]) if told["because"] else "",
            "</details></article>",
        ]
    )


def _claim(claim: Property, entries: list[Entry]) -> str:
    """A claim, and what came out on each revision; the plainest scope in which it fails."""
    of = dict.fromkeys(entry.revision for entry in entries)
    lines = [_verdicts(claim, [entry for entry in entries if entry.revision == revision]) for revision in of]
    head = ["revision", "fails in", "holds in", "says nothing in", "states looked at", "fails, for instance, in"]
    facts = {"Kind": f"{claim.kind}: {_kind(claim.kind)}", "Assumed": claim.assumptions, "From": claim.source}
    return "\n".join(
        [
            f'<article id="claim-{claim.name}"><h3><code>{claim.name}</code></h3>',
            _paragraph(claim.sentence),
            _pairs(facts),
            _table(f"Verdicts on {claim.name}, by revision", head, lines),
            "</article>",
        ]
    )


def _kind(kind: Kind) -> str:
    return {
        Kind.ALWAYS: "in every reachable state",
        Kind.POSSIBLE: "can still come true from every reachable state",
        Kind.EVENTUALLY: "comes true on every fair run",
        Kind.SOMETIMES: "in some reachable state",
    }[kind]


def _verdicts(claim: Property, entries: list[Entry]) -> list[str]:
    words = [entry.verdicts[claim.name].word for entry in entries]
    failing = [entry for entry, word in zip(entries, words, strict=True) if word in FAILS]
    silent = sum(word in SILENT for word in words)
    open_ = sum(word == "UNKNOWN" for word in words)
    plainest = min(failing, key=lambda entry: plainness(entry.plan, entry.states), default=None)
    holds = f"{len(words) - len(failing) - silent - open_}" + (f", and {open_} not known" if open_ else "")
    states = sum(entry.states for entry, word in zip(entries, words, strict=True) if word not in SILENT)
    mark = f'<span class="bad">{len(failing)}</span>' if failing else "0"
    return [
        f"<code>{entries[0].revision}</code>",
        mark,
        holds,
        str(silent),
        f"{states:,}",
        "" if plainest is None else _failure(claim, plainest),
    ]


def _failure(claim: Property, entry: Entry) -> str:
    """The scope, and the findings that the violation there shows."""
    verdict = entry.verdicts[claim.name]
    kinds = [trace.kind for trace in verdict.traces] if isinstance(verdict, Violated) else []
    found = dict.fromkeys(finding_of(claim.name, kind, entry.revision) for kind in kinds)
    links = [f'<a href="#finding-{each.name}">{html.escape(each.name)}</a>' for each in found if each is not None]
    return html.escape(entry.plan.name) + (f": {', '.join(links)}" if links else "")


def _revisions(chosen: set[str]) -> Iterator[str]:
    lines = []
    for part in dict.fromkeys(part for name in REVISIONS if name in chosen for part in name.split("+")):
        merge = MERGES.get(part)
        link = ""
        if merge is not None:
            link = f'<a href="https://github.com/{merge.repository}/commit/{merge.commit}">{merge.day}</a>'
        lines.append([f"<code>{part}</code>", html.escape(PARTS[part].about), link])
    yield _table("The pull requests that revisions are made of", ["part", "what it does", "merged"], lines)
    releases = {name: ran(name) for name in RAN if name in chosen}
    if releases:
        yield _table(
            "The revisions that ran in a release",
            ["revision", "release"],
            [[f"<code>{name}</code>", html.escape(text)] for name, text in releases.items()],
        )


def _legend(entries: list[Entry]) -> str:
    """What words of verdicts and names of scopes mean."""
    words = {verdict.word for entry in entries for verdict in entry.verdicts.values()}
    return legend("\n".join([*sorted(words), *dict.fromkeys(entry.plan.name for entry in entries)]))


def _table(caption: str, head: Iterable[str], lines: Iterable[Iterable[str]]) -> str:
    """A table of cells that are HTML; the first of each line names it."""
    top = "".join(f'<th scope="col">{each}</th>' for each in head)
    rows = "\n".join(
        f'<tr><th scope="row">{first}</th>{"".join(f"<td>{cell}</td>" for cell in rest)}</tr>' for first, *rest in lines
    )
    name = html.escape(caption)
    inner = f"<caption>{name}</caption><thead><tr>{top}</tr></thead><tbody>\n{rows}\n</tbody>"
    return f'<div class="wide" role="region" aria-label="{name}" tabindex="0"><table>{inner}</table></div>'


def _pairs(facts: Mapping[str, str]) -> str:
    return f"<dl>{''.join(f'<dt>{term}</dt><dd>{_rich(text)}</dd>' for term, text in facts.items() if text)}</dl>"


def _paragraph(text: str, label: str = "") -> str:
    strong = f"<strong>{html.escape(label)}.</strong> " if label else ""
    return f"<p>{strong}{_rich(text)}</p>"


def _rich(text: str) -> str:
    """What stands between backticks is code."""
    parts = enumerate(html.escape(text).split("`"))
    return "".join(f"<code>{part}</code>" if number % 2 else part for number, part in parts)


def _command(text: str) -> str:
    return f"<code>{html.escape(text)}</code>"
