"""The parts of `docs/diffs.md` and `docs/harms.md`: what changes from revision to revision, and with each proposal."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import lru_cache
from itertools import chain
from unittest.mock import patch

from docs.generator.tables import table
from model.revisions import CONTROLLER, PARTS, PROPOSALS, REVISIONS, Part, proposals_in, without_proposals
from properties.commands.diff import scopes_of
from properties.render.comparison import Diff, markdown, words_of
from properties.results.comparison import NEIGHBOURS, Behaviour, Compared, compare, shortest, worsens


def diffs(pairs: Collection[tuple[str, str]], instance: str = "") -> list[Diff]:
    """The comparisons that `attestation diff` makes. One scope is looked at after the other, as pairs that follow each
    other have a revision in common."""
    instances = [instance] if instance else []
    plans = {pair: scopes_of(pair, instances) for pair in pairs}
    found: dict[tuple[str, str], list[Compared]] = {pair: [] for pair in pairs}
    known = lru_cache(maxsize=2)(Behaviour)
    for plan in dict.fromkeys(chain(*plans.values())):
        for pair in pairs:
            if plan in plans[pair] and (compared := compare(pair, plan, behaviour=known)) is not None:
                found[pair].append(compared)
    option = f" --instance {instance}" if instance else ""
    return [Diff(pair, found[pair], len(plans[pair]), f"attestation diff {' '.join(pair)}{option}") for pair in pairs]


def neighbours() -> str:
    """Every neighbouring pair, a row each."""
    heads = ("from", "to", "scopes", "verdicts that get worse", "better", "newly possible", "no longer possible")
    return table(heads, (tuple(_row(found)) for found in diffs(NEIGHBOURS)))


def _row(found: Diff) -> Iterator[str]:
    yield from (f"`{name}`" for name in found.revisions)
    yield f"{len(found.compared)}, of these {len(found.seen)} step by step"
    worse = {name for name, before, after in found.changes if worsens(before, after)}
    better = {name for name, before, after in found.changes if worsens(after, before)}
    yield from (", ".join(f"`{name}`" for name in sorted(names)) or "none" for names in (worse, better - worse))
    for newly in (True, False):
        run = shortest(found.compared, newly)
        if run is None:
            yield "nothing" if found.is_complete else "not known"
        else:
            steps = [f"`{step.node}` `{step.call}`" for step in run.trace.steps]
            yield f"{', '.join(steps)}: {'; '.join(words_of(run.sights[-1]))}"


BAD = Part(
    "a number is remembered only once it has been started, on the main node as elsewhere",
    {"ignores_at_once": False},
    design=CONTROLLER,
)
"""A change that looks like a simplification."""


def bad_change() -> str:
    """The review comment on it."""
    with patch.dict(PARTS, {"remember_once_started": BAD}):
        (found,) = diffs([("pr175+era3512", "pr175+era3512+remember_once_started")], "n1f0b0")
        return markdown(found).replace("### ", "#### ")


def harms() -> str:
    """What gets worse with each proposal, and under which circumstances."""
    heads = ("proposal", "on", "scopes", "states", "gets worse", "where")
    pairs = [(without_proposals(name), name) for name in PROPOSALS if name not in REVISIONS]
    return table(heads, (row for found in diffs(pairs) for row in _harms(found)))


def _harms(found: Diff) -> Iterator[tuple[str, ...]]:
    base, name = found.revisions
    proposal = " + ".join(f"`{part}`" for part in proposals_in(name))
    head = (proposal, f"`{base}`", str(len(found.compared)), f"{found.states:,}")
    worse: dict[tuple[str, str, str], list[Compared]] = {
        change: scopes for change, scopes in found.changes.items() if worsens(*change[1:])
    }
    if not worse:
        yield (*head, "nothing" if found.is_complete else "not known", "")
    for (claim, before, after), scopes in worse.items():
        yield (*head, f"`{claim}`: {before} → {after}", "; ".join(each.plan.name for each in scopes))
