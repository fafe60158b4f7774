"""What a run of the ledger comes to, for who has a minute: what goes wrong, where, how short, and what holds."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from textwrap import wrap

from properties.claims.catalogue import CATALOGUE
from properties.claims.kinds import Kind
from properties.results.findings import COLUMNS, FINDINGS, RAN, Column, Finding, Severity, finding_of
from properties.results.ledger import Entry, reports
from properties.results.places import is_tolerated, plainness, precedence
from properties.results.trace import Trace

WIDTH = 80
INDENT = 17
"""Where the meanings of the legend begin."""
MOST_ROWS = 16
"""With its heads the table of findings has at most 20 lines."""


HARM: Mapping[Severity, str] = {
    Severity.STUCK: "the main node certifies nothing more, until somebody restarts nodes",
    Severity.GAP: "a batch stays without certificate",
    Severity.INVALID: "a certificate is no good",
    Severity.NOTE: "no harm by itself",
}


@dataclass(frozen=True)
class Shown:
    """A run that shows a finding, and the entry that it comes from."""

    entry: Entry
    trace: Trace

    @property
    def finding(self) -> Finding | None:
        """What the run shows."""
        return finding_of(self.trace.claim, self.trace.kind, self.entry.revision)

    @property
    def length(self) -> str:
        """How long the run is. A fair loop is not the shortest there is, so its length would say nothing."""
        return "loop" if self.trace.loop is not None else str(len(self.trace.steps))

    @property
    def place(self) -> str:
        """The revision and the scope."""
        return f"{self.entry.revision} in {self.entry.plan.name}"


@dataclass(frozen=True)
class Row:
    """A finding, and the run that shows it best in each column that has one."""

    finding: Finding
    shown: Mapping[Column, Shown]

    @property
    def ran(self) -> bool:
        """Whether it is found on a revision that ran."""
        return any(each.entry.revision in RAN for each in self.shown.values())

    @property
    def best(self) -> Shown:
        """The run to look at first: on a revision that ran, if there is one."""
        return min(self.shown.values(), key=lambda each: precedence(each.entry.revision))


def rows(entries: list[Entry]) -> list[Row]:
    """The findings that the entries show with no more Byzantine weight than is tolerated: what ran first, of that the
    worst first."""
    tolerated = [entry for entry in entries if is_tolerated(entry.plan)]
    runs = [Shown(entry, trace) for entry, trace in reports(tolerated)]
    found = ((finding, dict(_by_column(finding, runs))) for finding in FINDINGS)
    return sorted((Row(finding, shown) for finding, shown in found if shown), key=lambda row: not row.ran)


def _by_column(finding: Finding, runs: list[Shown]) -> Iterator[tuple[Column, Shown]]:
    order = finding.shown_by

    def rank(run: Shown) -> tuple[object, ...]:
        entry = run.entry
        first = entry.revision != finding.shown_on, precedence(entry.revision), plainness(entry.plan, entry.states)
        return order.index((run.trace.claim, run.trace.kind)), *first

    for column in COLUMNS:
        of_it = [run for run in runs if run.finding is finding and column.has(run.entry.revision)]
        if of_it:
            yield column, min(of_it, key=rank)


def columns(entries: list[Entry]) -> list[Column]:
    """The columns that the entries have something to say to."""
    return [column for column in COLUMNS if any(column.has(entry.revision) for entry in entries)]


def findings(entries: list[Entry]) -> str:
    """The table of what goes wrong, in 80 columns; or that nothing does."""
    harmful = _harmful(rows(entries))
    return _table(harmful, entries) if harmful else "\n".join(none_found(entries))


def as_text(entries: list[Entry]) -> str:
    """The commands that print the runs of the findings, the findings that are not in their table, what holds, and what
    the words of all this mean; in 80 columns."""
    found = rows(entries)
    harmful = _harmful(found)
    parts = [_commands(harmful)] if harmful else []
    others = [row.finding for row in found if row not in [*harmful]]
    if others:
        how = "Besides these" if harmful else "Without harm by itself"
        parts.append(_filled(f"{how}: " + "; ".join(f"{each.summary} ({each.name})" for each in others) + "."))
    text = "\n\n".join([*parts, *holding(entries)])
    return "\n\n".join(part for part in (text, legend(f"{findings(entries)}\n{text}")) if part)


def _harmful(found: list[Row]) -> list[Row]:
    return [row for row in found if row.finding.severity is not Severity.NOTE][:MOST_ROWS]


def none_found(entries: list[Entry]) -> list[str]:
    """What is said where no finding shows: nothing if a search was cut short, which may have been before one."""
    tolerated = [entry for entry in entries if is_tolerated(entry.plan)]
    if not tolerated:
        return ["All searches have more Byzantine weight than is tolerated: no finding is told."]
    return ["No finding shows in these searches."] if all(entry.complete for entry in tolerated) else []


def _table(found: list[Row], entries: list[Entry]) -> str:
    shown = columns(entries)
    head = ["", "what goes wrong", "harm", *(column.title for column in shown)]
    lines = [
        [str(number), row.finding.summary, row.finding.severity, *(_cell(row, column, entries) for column in shown)]
        for number, row in enumerate(found, 1)
    ]
    widths = [max(map(len, cells)) for cells in zip(head, *lines, strict=True)]
    ruled = [head, ["-" * width for width in widths], *lines]
    aligned = ([cells[0].rjust(widths[0]), *map(str.ljust, cells[1:], widths[1:])] for cells in ruled)
    top, rule, *rest = ["  ".join(cells).rstrip() for cells in aligned]
    ran = sum(row.ran for row in found)
    parts = [("on revisions that ran in a release:", rest[:ran]), ("on others only:", rest[ran:])]
    return "\n".join([top, rule, *(line for title, part in parts if part for line in (title, *part))])


def _cell(row: Row, column: Column, entries: list[Entry]) -> str:
    """The length of the run that shows the finding; or that no search did, or that one was cut short."""
    if column in row.shown:
        return row.shown[column].length
    return "-" if all(entry.complete for entry in entries if column.has(entry.revision)) else "?"


def _commands(found: list[Row]) -> str:
    width = max(len(row.finding.name) for row in found)
    lines = ["attestation trace NAME prints the run of a finding, which is the shortest where", "it is found:"]
    for number, row in enumerate(found, 1):
        first, *more = wrap(row.best.place, WIDTH - width - 6)
        lines.append(f"{number:2}  {row.finding.name.ljust(width)}  {first}")
        lines += [f"{' ' * (width + 6)}{line}" for line in more]
    return "\n".join(lines)


def holding(entries: list[Entry]) -> Iterator[str]:
    """What no search has refuted, and how far that goes."""
    tolerated = [entry for entry in entries if is_tolerated(entry.plan)]
    if not tolerated:
        return
    everywhere = set.intersection(*(_unrefuted(tolerated, column) for column in columns(tolerated)))
    sentences = [f"Holds in all of these searches: {_names(everywhere)}"]
    for column in columns(tolerated):
        more = _unrefuted(tolerated, column) - everywhere
        sentences += [f"With {column.title}, also: {_names(more)}"] if more else []
    how = "every reachable state of every scope was examined"
    if not all(entry.complete for entry in tolerated):
        how = "CUT SHORT: not every state was examined"
    yield _filled(f"{'. '.join(sentences)}. ({how}; what is proved beyond these scopes: attestation prove)")


def _unrefuted(entries: list[Entry], column: Column) -> set[str]:
    """The claims that speak about these revisions somewhere, and are found to hold wherever they do."""
    words = {
        claim.name: {entry.verdicts[claim.name].word for entry in entries if column.has(entry.revision)}
        for claim in CATALOGUE
        if claim.kind is not Kind.SOMETIMES
    }
    silent = {"VACUOUS", "NOT_APPLICABLE", "NOT_CHECKED"}
    return {name for name, found in words.items() if "EXHAUSTED" in found and found <= {"EXHAUSTED", *silent}}


def _names(names: Iterable[str]) -> str:
    return ", ".join(claim.name for claim in CATALOGUE if claim.name in {*names}) or "nothing"


LEGEND: tuple[tuple[str, str], ...] = (
    *((severity, about) for severity, about in HARM.items()),
    *((column.title, column.about) for column in COLUMNS),
    (r"(?<=  )\d+$", "the run has so many steps; there is no shorter one in its scope"),
    (r"(?<=  )-(?=  |$)", "found in none of the scopes searched"),
    (r"(?<=  )\?(?=  |$)", "not found, but a search was cut short"),
    ("loop", "a run that goes round for ever, in which every machine takes its turns"),
    ("EXHAUSTED", "every reachable state of the scope was examined, and none violates the property"),
    (r"VIOLATED in \d+", "the property fails, and the shortest run to that has so many steps"),
    ("VIOLATED by a loop", "a fair run stays for ever where the property fails"),
    (r"REACHED in \d+", "the situation occurs, and the shortest run to it has so many steps"),
    ("UNREACHED", "every reachable state of the scope was examined, and the situation does not occur"),
    ("VACUOUS", "no reachable state has what the property speaks about, so that it says nothing here"),
    ("NOT_APPLICABLE", "the property does not speak about scopes of this kind"),
    ("NOT_CHECKED", "the property applies, but this search is no way to check it"),
    ("UNKNOWN", "nothing is established: the search was cut short"),
    (
        r"\bn(\d+)f(\d+)b(\d+)\b",
        "{0} attesters, of which {1} may be faulty by the threshold rule and {2} are Byzantine",
    ),
    (r"\bw(\d[\d,]*)b(\d+)\b", "attesters of weights {0}, of which the last {1} are Byzantine"),
    ("joined", "steps that follow each other count as one (docs/detail.md)"),
    ("stepwise", "every step is a step of its own"),
    (r"(?<= )calls(?=,|$)", "joined, and the four steps of a call of attestation controllers are told apart"),
    ("own-registries", "stepwise, and each attester's own QC finder sets its own registry's minimum"),
    ("full", "own-registries and calls, votes are pushed both ways, and each node gets batches in its own time"),
    (
        r"\b\w+=\w+",
        "a switch of the scope: a fault or a topology (docs/detail.md); M: the main node; a, b, ...: attesters; X, Y: "
        "external nodes that attest nothing",
    ),
    (
        r"\bpr(\d+)\+era(\d+)",
        "the revision with era-consensus PR {0} and zksync-era PR {1} (docs/revisions.md); words after them are our "
        "proposals",
    ),
)
"""Words that a newcomer cannot know, as patterns, and what they mean; `{0}` is the first group of the pattern."""


def legend(text: str) -> str:
    """What those words of the text mean that need it."""
    found = ((re.search(_alone(pattern), text, re.MULTILINE), meaning) for pattern, meaning in LEGEND)
    return "\n".join(_explained(match[0], meaning.format(*match.groups())) for match, meaning in found if match)


def _alone(pattern: str) -> str:
    """A plain word is meant where it stands by itself."""
    return rf"(?<![\w-]){pattern}(?![\w-])" if re.fullmatch(r"[\w -]+", pattern) else pattern


def _explained(word: str, meaning: str) -> str:
    first, *more = wrap(meaning, WIDTH - INDENT)
    return "\n".join([f"{word.ljust(INDENT - 2)}  {first}", *(" " * INDENT + line for line in more)])


def _filled(text: str) -> str:
    return "\n".join(wrap(text, WIDTH))
