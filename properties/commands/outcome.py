"""What a run of `attestation check` has found, for people and for machines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from model.revisions import Revision
from model.revisions import revision as by_name
from model.scope import Scope, instance
from properties.claims.catalogue import CATALOGUE, claim
from properties.commands.options import repeating
from properties.commands.statuses import Status
from properties.commands.usage import counted
from properties.engines.explorer import Exploration
from properties.render.words import bounds, left_out
from properties.results.ledger import Entry, left_open, table
from properties.results.summary import as_text, findings, legend
from properties.results.trace import scope_as_json
from properties.results.verdicts import Verdict

FORMAT = "attestation-ledger/1"

FILE_WIDTH = 140
"""The ledger in a file is as wide as this."""


def pairs_of(number: int) -> str:
    """So many pairs of a revision and a scope; revisions that are the same system there share a search."""
    return f"{counted(number, 'pair')} of a revision and a scope"


@dataclass(frozen=True)
class Difference:
    """A verdict that is not the expected one, or a number of states."""

    entry: Entry
    property: str
    expected: str
    found: str


@dataclass(frozen=True)
class Outcome:
    """The entries, of so many that were planned, and the reports of their violations. `command` repeats the run."""

    entries: list[Entry]
    planned: int
    stopped: str
    """Why the run ended before it was done; empty if it was not."""
    reports: list[Path]
    seconds: float
    command: str
    max_states: int | None = None

    @property
    def differences(self) -> list[Difference]:
        """What is not as expected, by property, in the order of the catalogue."""
        order = [each.name for each in CATALOGUE]
        found = [Difference(entry, *each) for entry in self.entries for each in entry.differences()]
        return sorted(found, key=lambda each: order.index(each.property) if each.property in order else len(order))

    @property
    def unlisted(self) -> list[Entry]:
        """The entries of which nothing is expected."""
        return [entry for entry in self.entries if not entry.is_listed]

    @property
    def bounded(self) -> list[Entry]:
        """The entries that a bound or want of memory has cut short."""
        return [entry for entry in self.entries if not entry.complete]

    @property
    def is_complete(self) -> bool:
        """Whether everything that was planned was searched to its end."""
        return not self.stopped and not self.bounded

    @property
    def status(self) -> int:
        if not self.is_complete:
            return Status.CUT_SHORT
        return Status.FOUND if self.differences else Status.DONE

    def summary(self) -> str:
        """What holds, what differs from the table of expectations, and at the end, where one looks first, what goes
        wrong, and what the run comes to."""
        explained, wrong = as_text(self.entries), findings(self.entries)
        parts = [explained, "\n".join([*self._differing(), *self._unexpected()]), wrong]
        end = f"{self.conclusion}\nto repeat: {self.command}"
        return "\n\n".join([*(part for part in parts if part), end])

    def everything(self) -> str:
        """All verdicts, the words that appear in them, and the summary."""
        verdicts = table(self.entries, FILE_WIDTH)
        return "\n\n".join([verdicts, legend(verdicts), self.summary()]) + "\n"

    def _differing(self) -> Iterator[str]:
        """The differences by property, and those that are the same together."""
        for name, of_property in groupby(self.differences, lambda each: each.property):
            together: dict[tuple[str, str], list[Entry]] = {}
            for each in of_property:
                together.setdefault((each.found, each.expected), []).append(each.entry)
            yield f"DIFFERENT: {name}, {counted(sum(map(len, together.values())), 'time')}"
            for (found, expected), entries in together.items():
                yield f"  {found}, and the table expects {expected}:"
                yield from (f"    {entry.revision}, {entry.plan.name}" for entry in entries)

    def _unexpected(self) -> Iterator[str]:
        if self.unlisted:
            yield f"{_verdicts(self.unlisted)} have no expectation, those of:"
            yield from (f"  {entry.revision}, {entry.plan.name}" for entry in self.unlisted)

    @property
    def conclusion(self) -> str:
        """What the run comes to, and how large it was."""
        done = [entry for entry in self.entries if not entry.shared]
        pairs = f" for {pairs_of(len(self.entries))}" * (len(self.entries) > len(done))
        how = "the search is exhaustive" if self.is_complete else "nothing is random"
        states = counted(sum(entry.states for entry in done), "state")
        size = f"{counted(len(done), 'search')}{pairs}, {states}, {self.seconds:.1f} s;"
        end = "\n" if pairs else " "
        return f"{'; '.join(self._findings())};\n{size}{end}no seed: {how}"

    def _findings(self) -> Iterator[str]:
        """What the run comes to, in a sentence; a run that is cut short says nothing of being as expected."""
        if self.stopped:
            yield f"CUT SHORT ({self.stopped}): {len(self.entries)} of {pairs_of(self.planned)}"
        if self.bounded:
            open_ = [verdict for entry in self.bounded for verdict in left_open(entry.verdicts.values())]
            bound = f" (--max-states {self.max_states})" if self.max_states else ""
            cut = f"{len(self.bounded)} of {pairs_of(len(self.entries))} not done to the end{bound}"
            yield f"CUT SHORT: {cut}, {counted(len(open_), 'verdict')} left open" + (f": {open_[0].why}" * bool(open_))
        if not self.entries:
            yield "nothing was checked"
        elif self.differences:
            yield f"{counted(len(self.differences), 'difference')} from what is expected"
        elif self.is_complete and self.unlisted:
            yield f"no verdict differs, but {_verdicts(self.unlisted)} have no expectation"
        elif self.is_complete:
            yield "every verdict is the expected one"

    def as_json(self) -> dict[str, object]:
        return {
            "format": FORMAT,
            "command": self.command,
            "complete": self.is_complete,
            "stopped": self.stopped or None,
            "planned": self.planned,
            "seconds": round(self.seconds, 3),
            "entries": [_entry_as_json(entry, self.max_states) for entry in self.entries],
            "differences": [
                {
                    "revision": each.entry.revision,
                    "plan": each.entry.plan.name,
                    "property": each.property,
                    "expected": each.expected,
                    "found": each.found,
                }
                for each in self.differences
            ],
            "unlisted": [{"revision": entry.revision, "plan": entry.plan.name} for entry in self.unlisted],
            "reports": [str(file) for file in self.reports],
        }


def _verdicts(entries: list[Entry]) -> str:
    return counted(sum(len(entry.verdicts) for entry in entries), "verdict")


def _entry_as_json(entry: Entry, max_states: int | None) -> dict[str, object]:
    plan, revision = entry.plan, by_name(entry.revision)
    return {
        "plan": plan.name,
        "byzantine": instance(plan.instance).byzantine,
        "batches": plan.batches,
        "detail": plan.detail,
        "engine": "explorer",
        "command": repeating("explore", entry.revision, plan.scope, not plan.symmetry, max_states),
        "expected": entry.is_listed,
        **search_as_json(entry, revision, plan.scope, plan.symmetry, entry.complete, entry.verdicts),
    }


def search_as_json(
    search: Entry | Exploration,
    revision: Revision,
    scope: Scope,
    symmetry: bool,
    complete: bool,
    verdicts: Mapping[str, Verdict],
) -> dict[str, object]:
    """A search of one scope, and what came of it, for machines."""
    return {
        "revision": revision.name,
        "instance": scope.instance.name,
        "scope": scope_as_json(scope),
        "bounds": bounds(scope, design=revision.design),
        "left_out": left_out(scope, revision.design),
        "symmetry": symmetry,
        "complete": complete,
        "states": search.states,
        "transitions": search.transitions,
        "depth": search.depth,
        "seconds": round(search.seconds, 3),
        "verdicts": {
            name: {**verdict.as_json(), "assumptions": claim(name).assumptions} for name, verdict in verdicts.items()
        },
    }
