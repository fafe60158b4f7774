"""The tables and diagrams of the docs that small exhaustive searches make."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache

from docs.generator.tables import table
from model.registry_design.qc_finder import PERSISTING, SETTING_MINIMUM, WAITING_FOR_QUORUM, WAITING_FOR_STATUS
from model.revisions import PROPOSALS, REVISIONS
from model.revisions import revision as by_name
from model.scope import Scope, instance
from model.system import build
from model.topology import MAIN
from properties.claims.catalogue import CATALOGUE, claim
from properties.claims.kinds import Kind
from properties.engines.checking import Check
from properties.engines.stepper import Stepper
from properties.results.cures import CURES, ONE, OWN
from properties.results.ledger import summary
from properties.results.verdicts import Verdict, Violated
from properties.scopes.details import DETAILS, STEPS
from properties.scopes.switches import differing, switched, texts


def cures() -> str:
    """The cures, with the verdicts before and after."""
    rows = (
        (
            cure.defect,
            f"`{cure.change.parts}`",
            cure.change.where,
            f"`{cure.claim}`",
            f"`{cure.before}`: {verdict(cure.before, cure.scope, cure.claim)}",
            f"`{cure.after}`: {verdict(cure.after, cure.scope, cure.claim)}",
            f"{cure.scope.instance.name}, {cure.scope.name}",
            cure.change.price,
        )
        for cure in CURES
    )
    return table(("defect", "change", "where", "property", "before", "after", "scope of both", "price"), rows)


def verdict(revision: str, scope: Scope, name: str) -> str:
    """A verdict with its figures, from a search of the scope."""
    return str(Check(build(by_name(revision), scope)).verdict(claim(name)))


WITH_RESTARTS = replace(ONE, restarts=None, restarting=MAIN)

SWITCHED = (
    *(switched(ONE, [(name, True)]) for name in (*STEPS, "own_finders", "echo", "late_batches")),
    switched(ONE, [(name, True) for name in STEPS]),
    replace(ONE, queue=0),
    replace(ONE, queue=2),
    replace(WITH_RESTARTS, echo=True),
    replace(WITH_RESTARTS, own_finders=True),
)
"""The plain scope with one subtlety more (or with all steps told apart), and the scope with restarts with some."""

COMPARED = ("pr161+era2480", "pr170+era2480", "pr161+era2539")


def effects() -> str:
    """What each switch changes in the verdicts of the claims."""
    rows = (
        (", ".join(f"`{text}`" for text in texts(differing(scope, ONE))), *(_effect(name, scope) for name in COMPARED))
        for scope in SWITCHED
    )
    return table(("switches", *(f"`{name}`" for name in COMPARED)), rows)


def _effect(revision: str, scope: Scope) -> str:
    """The verdicts that differ from those of the same scope without the switches that are not faults."""
    plain = WITH_RESTARTS if scope.restarts is None else ONE
    states, found = _verdicts(revision, scope)
    _, before = _verdicts(revision, plain)
    changes = [
        f"`{name}`: {_change(before[name], found[name])}"
        for name in found
        if summary(found[name]) != summary(before[name])
    ]
    return f"{states:,} states; {'; '.join(changes) or 'no verdict differs'}"


@cache
def _verdicts(revision: str, scope: Scope) -> tuple[int, dict[str, Verdict]]:
    """The states of the scope, and the verdict of every claim. (Witnesses are about the scope, not the protocol.)"""
    checked = Check(build(by_name(revision), scope))
    return checked.search.states, checked.verdicts([each for each in CATALOGUE if each.kind is not Kind.SOMETIMES])


def _change(before: Verdict, after: Verdict) -> str:
    if before.word != after.word:
        return f"{summary(before)} becomes {summary(after)}"
    return "also " + ", ".join(f"`{kind}`" for kind in _kinds(after) if kind not in _kinds(before))


def _kinds(found: Verdict) -> list[str]:
    return [str(trace.kind) for trace in found.kinds] if isinstance(found, Violated) else []


def proposals() -> str:
    """What the proposals cure: the kinds of points of no return without and with them, and whether there are gaps."""
    names = ["pr161+era2480", *(name for name in PROPOSALS if name.startswith("pr161+era2480"))]
    return table(("revision", "points of no return", "gaps"), ((f"`{name}`", *_harm(name, OWN)) for name in names))


def _harm(name: str, scope: Scope) -> Iterator[str]:
    checked = Check(build(by_name(name), scope))
    stuck, gaps = (checked.verdict(claim(each)) for each in ("progress_possible", "no_gaps_on_main_node"))
    yield ", ".join(f"`{kind}`" for kind in _kinds(stuck)) or "none"
    yield "yes" if isinstance(gaps, Violated) else "none"


def finder_diagram() -> str:
    """The QC finder's phases, and the actions between them in the reachable states of a small scope."""
    system = build(next(iter(REVISIONS.values())), DETAILS["stepwise"].scope(instance("n1f0b0"), 2))
    stepper = Stepper(system)
    phase = next(place for place, variable in enumerate(system.variables) if variable.name == "M.finder.phase")
    edges, seen, todo = set(), {stepper.initial}, [stepper.initial]
    while todo:
        state = todo.pop()
        for action, after in stepper.successors(state):
            if state[phase] != after[phase]:
                edges.add((state[phase], stepper.action(action).name, after[phase]))
            if after not in seen:
                seen.add(after)
                todo.append(after)
    names = {
        WAITING_FOR_STATUS: "status",
        WAITING_FOR_QUORUM: "quorum",
        SETTING_MINIMUM: "minimum",
        PERSISTING: "persist",
    }
    words = {"status": "waiting for the status", "quorum": "waiting for a quorum", "minimum": "setting the minimum"}
    lines = ["stateDiagram-v2", *(f"    {name}: {words.get(name, 'persisting')}" for name in names.values())]
    lines += [f"    [*] --> {names[WAITING_FOR_STATUS]}"]
    lines += [f"    {names[before]} --> {names[after]}: {action}" for before, action, after in sorted(edges)]
    return "```mermaid\n" + "\n".join(lines) + "\n```\n"
