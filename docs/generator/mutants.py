"""The parts of `docs/mutants.md`, from the survey that was kept (`attestation mutate --save`)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby

from docs.generator.tables import table
from properties.commands.mutate import told
from properties.mutation.operators import files, mutants
from properties.mutation.survey import (
    EQUIVALENT,
    EXPLAINED,
    OTHERWISE,
    SEMANTIC,
    UNEXPLAINED,
    UNSEEN,
    UNUSED,
    VERDICT,
    Finding,
    saved,
)

OUTCOMES = (SEMANTIC, OTHERWISE, EQUIVALENT, UNUSED, UNSEEN, EXPLAINED, UNEXPLAINED)


def totals() -> str:
    """How many there are, how many were looked at, and what became of them."""
    command, total, found = saved()
    today = {mutant.key for file in files() for mutant in mutants(file)}
    known = sum(finding.mutant.key in today for finding in found)
    by = Counter(
        (finding.outcome, "" if finding.outcome == EXPLAINED else finding.how or finding.why) for finding in found
    )
    rows = [
        (outcome, how, str(count)) for (outcome, how), count in sorted(by.items(), key=lambda each: _order(each[0]))
    ]
    looked_at = f"all {total:,}" if len(found) == total else f"{len(found):,} of {total:,}"
    since = "" if known == len(today) else f" The model has {len(today):,} now, of which {known:,} were among them."
    said = table(("what becomes of it", "by", "mutants"), rows)
    return f"`{command}` looked at {looked_at} mutants.{since}\n\n{said}"


def _order(each: tuple[str, str]) -> tuple[int, str]:
    return OUTCOMES.index(each[0]), each[1]


def by_file() -> str:
    """The totals for each file."""
    return _counted("file", lambda finding: f"`{finding.mutant.file}`")


def by_operator() -> str:
    """The totals for each operator."""
    return _counted("operator", lambda finding: finding.mutant.operator)


def _counted(what: str, key: Callable[[Finding], str]) -> str:
    found = sorted(saved()[2], key=key)
    rows = []
    for name, group in groupby(found, key):
        outcomes = Counter(finding.outcome for finding in group)
        rows.append((name, str(outcomes.total()), *(str(outcomes[each] or "") for each in OUTCOMES)))
    return table((what, "mutants", *OUTCOMES), rows)


def survivors() -> str:
    """Each that nothing notices and that changes an expression, and why that is right, if there is a reason."""
    order = (UNEXPLAINED, EXPLAINED, UNSEEN)
    left = [finding for finding in saved()[2] if finding.outcome in order]
    left.sort(key=lambda finding: order.index(finding.outcome))
    return table(("mutant", "what becomes of it"), ((_code(each), _outcome(each)) for each in left))


def _outcome(finding: Finding) -> str:
    return f"{finding.outcome}: {finding.why}" if finding.outcome == EXPLAINED else finding.outcome


def by_property() -> str:
    """For each property: how many mutants it notices, and of how many it alone has another verdict."""
    every: Counter[str] = Counter()
    alone: Counter[str] = Counter()
    for finding in _by_verdict():
        every.update(finding.checks)
        alone.update(finding.checks if len(finding.checks) == 1 else ())
    rows = sorted(every, key=lambda name: (alone[name], every[name], name))
    return table(
        ("property", "it notices", "it alone"), ((f"`{name}`", str(every[name]), str(alone[name])) for name in rows)
    )


def single() -> str:
    """The guards, and parts of guards, whose removal a single property notices."""
    rows = [(_code(each), told(each)) for each in _by_verdict() if each.mutant.is_guard and len(each.checks) == 1]
    return table(("guard, or part of one, that is removed", "what notices it"), rows)


def _by_verdict() -> Iterator[Finding]:
    found: Iterable[Finding] = saved()[2]
    return (finding for finding in found if finding.how == VERDICT)


def _code(finding: Finding) -> str:
    text = finding.mutant.key.replace("|", "\\|")
    return f"`{text}`"
