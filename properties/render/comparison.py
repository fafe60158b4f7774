"""What changes between two revisions: for a terminal, as a review comment, and for machines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from textwrap import fill
from typing import Any

from model.revisions import compose
from model.votes import NONE
from properties.commands.usage import counted
from properties.render.command import scope_options
from properties.results.comparison import FEW_STATES, Compared, NewRun, shortest, worsens
from properties.results.trace import as_json as trace_as_json
from properties.results.verdicts import NotApplicable

FORMAT = "attestation-diff/1"

SILENT = {NotApplicable("").word, "VACUOUS"}
"""Verdicts that say nothing."""

Change = tuple[str, str, str]
"""A property, and its verdict before and after."""


@dataclass(frozen=True)
class Diff:
    """Two revisions, what was compared of them in so many `planned` scopes, and the command that repeats it."""

    revisions: tuple[str, str]
    compared: list[Compared]
    planned: int
    command: str

    @property
    def is_complete(self) -> bool:
        """Whether all that was planned was compared to its end."""
        done = all(each.complete and (each.is_whole or not each.is_seen) for each in self.compared)
        return len(self.compared) == self.planned and done

    @property
    def states(self) -> int:
        """How many states were searched, of both."""
        return sum(sum(each.states) for each in self.compared)

    @property
    def changes(self) -> dict[Change, list[Compared]]:
        """Every verdict that changes, and where; what is or becomes silent last."""
        found: dict[Change, list[Compared]] = {}
        for each in self.compared:
            for name, (before, after) in each.changed.items():
                found.setdefault((name, before, after), []).append(each)
        return dict(sorted(found.items(), key=lambda item: (_weight(item[0]), -len(item[1]), item[0])))

    @property
    def seen(self) -> list[Compared]:
        return [each for each in self.compared if each.is_seen or each.is_same_system]

    @property
    def transitions(self) -> dict[str, tuple[int, int]]:
        """How many transitions each action has gained and lost, over all scopes."""
        gained, lost = Counter[str](), Counter[str]()
        for each in self.compared:
            gained.update(each.gained)
            lost.update(each.lost)
        return {name: (gained[name], lost[name]) for name in sorted(gained.keys() | lost.keys())}

    @property
    def is_equal(self) -> bool:
        """Whether everything was compared, and nothing differs."""
        return self.is_complete and not self.changes and all(each.is_equal for each in self.compared)

    @property
    def verdict(self) -> str:
        """All of it in a sentence."""
        scopes = f"{counted(len(self.compared), 'scope')}, {counted(self.states, 'state')}"
        if not self.compared:
            return "CUT SHORT: nothing was compared" if self.planned else "there is no scope that both are in"
        if not self.is_complete:
            done = f"{len(self.compared)} of {counted(self.planned, 'scope')} compared"
            return f"CUT SHORT: {done}, or a bound or the end of memory was met"
        if all(each.is_same_system for each in self.compared):
            return f"the same systems, expression by expression ({scopes})"
        if self.is_equal:
            return f"no verdict changes, and nothing that can be seen ({scopes})"
        count = counted(len(self.changes), "change")
        return f"{count} of verdicts ({scopes})" if self.changes else f"no verdict changes ({scopes})"


def _weight(change: Change) -> int:
    """What matters most comes first: what gets worse, what gets better, the rest, and then what says nothing."""
    _, before, after = change
    if {before, after} & SILENT:
        return 3
    return 0 if worsens(before, after) else 1 if worsens(after, before) else 2


def _where(scopes: list[Compared]) -> str:
    smallest = min(scopes, key=lambda each: sum(each.states))
    more = f" and {counted(len(scopes) - 1, 'more scope')}" if len(scopes) > 1 else ""
    return f"{smallest.plan.name}{more}"


def _behaviour(diff: Diff) -> str:
    """What was compared besides verdicts, and what was not."""
    seen = counted(len(diff.seen), "scope")
    left = len(diff.compared) - len(diff.seen)
    without = f"; {left} with more states, or where attesters in any order count once, were not" if left else ""
    whole = all(each.has_same_variables for each in diff.seen if each.is_seen)
    counts = f"; transitions are counted over {'the whole state' if whole else 'what can be seen'}"
    return f"{seen} with at most {FEW_STATES:,} states in each revision were compared step by step{without}{counts}"


HEADS = {
    True: "possible in {1}, and not in {0}",
    False: "possible in {0}, and not in {1}",
}


def _runs(diff: Diff) -> Iterator[tuple[str, NewRun | None]]:
    for newly, head in HEADS.items():
        yield head.format(*diff.revisions), shortest(diff.compared, newly)


def _none(diff: Diff) -> str:
    """What it means that there is no such run."""
    return (
        "nothing that can be seen" if all(each.is_whole or each.is_same_system for each in diff.seen) else "not known"
    )


def text(diff: Diff) -> str:
    return "\n".join(_text(diff))


def _text(diff: Diff) -> Iterator[str]:
    yield f"{' → '.join(diff.revisions)}: {diff.verdict}"
    for (name, before, after), scopes in diff.changes.items():
        yield fill(f"{name}: {before} → {after}", 80, initial_indent="  ", subsequent_indent="    ")
        yield fill(_where(scopes), 80, initial_indent="      ", subsequent_indent="      ")
    if not diff.seen or diff.is_equal:
        yield f"to repeat: {diff.command}"
        return
    yield fill(f"behaviour: {_behaviour(diff)}", 80, subsequent_indent="  ")
    for name, (gained, lost) in diff.transitions.items():
        yield f"  {name.ljust(28)} {f'+{gained:,}':>8} {f'-{lost:,}':>8} transitions"
    for head, run in _runs(diff):
        if run is None:
            yield fill(f"{head}: {_none(diff)}", 80, subsequent_indent="  ")
            continue
        yield fill(f"{head}, for instance in {_scope(run)}:", 80, subsequent_indent="  ")
        for number, (step, sight) in enumerate(zip(run.trace.steps, run.sights, strict=True), 1):
            yield f"  {number:3} {step.node.ljust(4)} {step.call}"
            yield from (f"             {line}" for line in words_of(sight))
    yield f"to repeat: {diff.command}"


def _scope(run: NewRun) -> str:
    return ", ".join(" ".join(option) for option in scope_options(run.trace.scope))


def words_of(sight: dict[str, int]) -> list[str]:
    """What is seen to change, in words."""
    return [_told(text, value) for text, value in sight.items()]


def _told(text: str, value: int) -> str:
    if "{}" not in text:
        return text if value else f"{text} no more"
    return text.replace("batch {}", "no batch") if value == NONE else text.format(value)


def markdown(diff: Diff) -> str:
    """A review comment."""
    return "\n".join(_markdown(diff)) + "\n"


def _markdown(diff: Diff) -> Iterator[str]:
    before, after = diff.revisions
    yield f"### What `{after}` changes, compared with `{before}`"
    yield f"\n{diff.verdict[:1].upper()}{diff.verdict[1:]}."
    yield from (f"* `{name}`: {compose(name).about}" for name in diff.revisions)
    spoken = {change: scopes for change, scopes in diff.changes.items() if _weight(change) < 3}
    if spoken:
        yield f"\n| property | `{before}` | `{after}` | where |\n| --- | --- | --- | --- |"
        for (name, old, new), scopes in spoken.items():
            yield f"| `{name}` | {old} | {new} | {_where(scopes)} |"
    silent = sorted({name for name, _, _ in diff.changes.keys() - spoken.keys()})
    if silent:
        yield f"\nThese say something about one of the two only: {', '.join(f'`{name}`' for name in silent)}."
    if diff.seen and not diff.is_equal:
        yield f"\n**Behaviour.** {_behaviour(diff)[:1].upper()}{_behaviour(diff)[1:]}."
        yield from _table_of_transitions(diff)
        for head, run in _runs(diff):
            yield from _run_in_markdown(head, run, diff)
    yield f"\nTo repeat: `{diff.command}`"


def _table_of_transitions(diff: Diff) -> Iterator[str]:
    if diff.transitions:
        yield "\n| action | transitions gained | lost |\n| --- | ---: | ---: |"
    yield from (f"| `{name}` | {gained:,} | {lost:,} |" for name, (gained, lost) in diff.transitions.items())


def _run_in_markdown(head: str, run: NewRun | None, diff: Diff) -> Iterator[str]:
    if run is None:
        yield f"\n**{head[:1].upper()}{head[1:]}:** {_none(diff)}."
        return
    yield f"\n**{head[:1].upper()}{head[1:]}**, for instance ({_scope(run)}):\n"
    for number, (step, sight) in enumerate(zip(run.trace.steps, run.sights, strict=True), 1):
        seen = f": {'; '.join(words_of(sight))}" if sight else ""
        yield f"{number}. `{step.node}` `{step.call}`{seen}"


def as_json(diff: Diff) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "command": diff.command,
        "revisions": list(diff.revisions),
        "complete": diff.is_complete,
        "equal": diff.is_equal,
        "scopes": [_scope_as_json(each) for each in diff.compared],
        "newly_possible": _run_as_json(shortest(diff.compared, True)),
        "no_longer_possible": _run_as_json(shortest(diff.compared, False)),
    }


def _scope_as_json(each: Compared) -> dict[str, Any]:
    return {
        "scope": each.plan.name,
        "states": list(each.states),
        "complete": each.complete,
        "same_system": each.is_same_system,
        "behaviour_compared": each.is_seen,
        "behaviour_complete": each.is_whole,
        "equal": each.is_equal and not each.changed,
        "verdicts": {name: list(pair) for name, pair in each.changed.items()},
        "gained": dict(each.gained),
        "lost": dict(each.lost),
    }


def _run_as_json(run: NewRun | None) -> dict[str, Any] | None:
    return None if run is None else {"trace": trace_as_json(run.trace), "seen": list(run.sights)}
