"""What notices a mutant: the cheapest checks first, up to the first that says something else than of the true model.

1. *Recordings* of the real vote registry and attestation controller, if the mutated file is part of these.
2. *Verdicts.* Of the scopes with at most `FEW_STATES` states for which the true model calls the mutated function, and
   where the mutant does something else in a state that the true model reaches, or a property says something else there,
   the smallest of each plan, until a verdict differs from the table of expectations; and `MORE` of them after it, to
   see which properties notice.
3. *Expressions.* Where no guard, effect or property has changed in any system of the ledger or of the proofs, nothing
   more is asked.
4. *Logs* of the real system, the first `RUNS` runs of each design: one is rejected.
5. *Tests* of the model that call the mutated function; and those of the refinement for what is in full fidelity.
6. *Z3*: whether every changed action has the same guard and effect in every state of its variables' domains. What it
   proves equal is not looked at further.
7. *Proofs*, their environment included, of one early and one late revision of each design, if the open systems that
   they are about have changed, or if they call a mutated function that is in no system.
8. *Verdicts* of the other small scopes; and *larger scopes*, one for each plan, of those with at most `LARGER_STATES`
   states where an expression or what a property says has changed: verdicts, and all states and transitions.

A number of states or transitions is not a verdict. A mutant that is noticed by that alone, or by a crash, is told
apart.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any

from model.revisions import CONTROLLER, REGISTRY, design_of
from properties.engines.workers import ProcessLost
from properties.mutation.equivalence import are_equal, behave_the_same, do_the_same
from properties.mutation.loading import in_force
from properties.mutation.operators import Mutant
from properties.mutation.survey import (
    COUNT,
    CRASH,
    LOG,
    PROOF,
    RECORDING,
    SAME,
    SAME_RUNS,
    SAME_THEOREMS,
    SAME_VERDICTS,
    SEMANTIC_CHECKS,
    TEST,
    TIME,
    UNCHANGED,
    VERDICT,
)
from properties.mutation.truth import (
    PROVED,
    REFINEMENT,
    ROOT,
    Case,
    Place,
    all_proved,
    built,
    cases,
    conditions,
    explored,
    fresh,
    matters,
    open_systems,
    proved,
    run_tests,
    tested,
    theorems,
    true,
)
from properties.results.expected import FIGURES, expectations
from properties.scopes.plans import PLANS

RECORDINGS = ROOT / "tests" / "conformance"

MORE, MOST_STATES, RUNS = 2, 100_000, 5
CRASHES, COUNTS = 3, 10
"""After so many systems that crash, or that have another number of states and the same verdicts, the next kind of check
is asked."""

SECONDS = 120
"""So much of processor time a mutant gets in one process; one that is not done by then does not end."""

FULL_FIDELITY = {
    "registry": ("registry_design/batch_votes.py", "rules.py", "committee.py", "messages.py"),
    "controller": (
        "controller_design/controller.py",
        "controller_design/rules.py",
        "rules.py",
        "committee.py",
        "messages.py",
    ),
}
"""The files of what recordings of a component are held against."""

IN_THE_SYSTEM = ("rules.py", "controller_design/rules.py")
"""Those of them that the systems decide by, too."""


REFINED = ("registry_design/registry.py", "controller_design/attestation.py", "votes.py")
"""The files of the machines in the system that those in full fidelity refine."""


@dataclass(frozen=True)
class Kill:
    """What notices a mutant: the kind of check, which ones, where, and the shortest run that shows it."""

    how: str
    checks: tuple[str, ...]
    where: str = ""
    run: tuple[str, ...] = ()


class TakesTooLong(Exception):
    """The mutant has used up its time."""


def _recordings(mutant: Mutant) -> Iterator[Kill]:
    for component, files in FULL_FIDELITY.items():
        if mutant.file in files:
            replay = getattr(fresh(f"properties.recordings.{component}"), f"replay_{component}")
            name = "vote-registry" if component == "registry" else component
            with fresh("properties.recordings.format").open_recording(RECORDINGS / f"{name}.jsonl.gz") as lines:
                try:
                    outcome = replay(lines)
                except Exception as error:
                    yield _crashed(error, f"recordings of the {component}")
                    continue
            if type(outcome).__name__ == "Difference":
                yield Kill(RECORDING, (f"{component}, {outcome.field}",), f"{outcome.scenario}, step {outcome.step}")


def _first_verdicts(mutant: Mutant) -> Iterator[Kill]:
    return _verdicts(_searched(mutant)[0])


def _other_verdicts(mutant: Mutant) -> Iterator[Kill]:
    return _verdicts(_searched(mutant)[1])


def _searched(mutant: Mutant) -> tuple[list[Case], list[Case]]:
    """The searched systems that the mutant can be part of: the smallest in each scope, and the others."""
    searched = [case for case in _cases_of(mutant) if case.is_searched]
    first = list({case.plan: case for case in reversed(searched)}.values())[::-1]
    return first, [case for case in searched if case not in first]


def _verdicts(cases: Iterable[Case]) -> Iterator[Kill]:
    """From these scopes: what differs in the first that has another verdict, and in a few after it."""
    first, left, crashes, counts = "", MORE, 0, 0
    names: dict[str, None] = {}
    run: tuple[str, ...] = ()
    for case in cases:
        if not left:
            break
        if first:
            left -= 1
        try:
            if not _has_changed(case) or _is_never_seen(case):
                continue
            entry = fresh("properties.results.ledger").check(
                case.revision, fresh("properties.scopes.plans").PLANS[case.plan], MOST_STATES
            )
        except TakesTooLong:
            raise
        except Exception as error:
            yield _crashed(error, case.where)
            crashes += 1
            if crashes == CRASHES:
                return
            continue
        differing = _differing(case, entry)
        if differing:
            first = first or case.where
            run = run or _shortest(entry, differing)
            names |= dict.fromkeys(differing)
        elif not first:
            for kill in _miscounted(case, entry):
                yield kill
                counts += 1
            if counts == COUNTS:
                return
    if first:
        yield Kill(VERDICT, tuple(names), first, run)


_changed: dict[Case, bool] = {}
_never_seen: dict[Case, bool] = {}
"""What is known of the mutant that is in force."""


def _has_changed(case: Case) -> bool:
    if case not in _changed:
        _changed[case] = _says_something_else(case)
    return _changed[case]


def _says_something_else(case: Case) -> bool:
    system = built((case.revision, case.plan), fresh)
    return bool(hash(fresh("properties.results.ledger").expressions_of(system)) != case.expressions)


def _is_never_seen(case: Case) -> bool:
    """Whether in every state that the true model reaches there the mutant does what that does, and properties say the
    same: so no verdict differs."""
    if case not in _never_seen:
        system = built((case.revision, case.plan), fresh)
        search, before = explored((case.revision, case.plan))
        after = fresh("properties.results.ledger").conditions_of(system)
        is_alike = len(before) == len(after)
        _never_seen[case] = is_alike and do_the_same(search, system, [*zip(before, after, strict=True)])
    return _never_seen[case]


def _larger(mutant: Mutant) -> Iterator[Kill | str]:
    """From scopes of all sizes: another verdict, or another number of states; or that no run is another."""
    changed = {case.plan: case for case in _cases_of(mutant) if case.can_be_compared and _has_changed(case)}
    said_otherwise = {case.plan: case for case in cases() if case.can_be_compared and _is_said_otherwise(case, mutant)}
    for case in {**said_otherwise, **changed}.values():
        if _is_never_seen(case):
            continue
        plan = fresh("properties.scopes.plans").PLANS[case.plan]
        entry = fresh("properties.results.ledger").check(case.revision, plan, MOST_STATES)
        differing = _differing(case, entry)
        if differing:
            yield Kill(VERDICT, tuple(differing), case.where, _shortest(entry, differing))
        else:
            yield from _miscounted(case, entry)
    if not changed and (_is_in_full_fidelity(mutant) or any(map(_has_changed, _cases_of(mutant)))):
        return
    if all(_is_never_seen(case) or _behaves_the_same(case) for case in changed.values()):
        yield SAME_VERDICTS if said_otherwise else SAME_RUNS if changed else SAME_THEOREMS


def _behaves_the_same(case: Case) -> bool:
    place = case.revision, case.plan
    return behave_the_same(built(place, true), built(place, fresh))


def _is_said_otherwise_anywhere(mutant: Mutant) -> bool:
    return any(_is_said_otherwise(case, mutant) for case in cases())


def _is_said_otherwise(case: Case, mutant: Mutant) -> bool:
    """Whether a property says something else there, so far as that was looked at."""
    before, calls = conditions().get((case.revision, case.plan), (0, frozenset()))
    if not matters(calls, mutant):
        return False
    system = built((case.revision, case.plan), fresh)
    return bool(hash(fresh("properties.results.ledger").conditions_of(system)) != before)


def _miscounted(case: Case, entry: Any) -> Iterator[Kill]:
    expected = _expected(case)
    for each in FIGURES:
        if entry.row[each] != expected.get(each, entry.row[each]):
            yield Kill(COUNT, (f"{entry.row[each]:,} {each} and not {expected[each]:,}",), case.where)
            return


def _expected(case: Case) -> dict[str, Any]:
    return expectations()[case.revision][PLANS[case.plan].name]


def _differing(case: Case, entry: Any) -> list[str]:
    expected = _expected(case)
    return [
        name
        for name, verdict in entry.row.items()
        if name not in FIGURES and verdict != expected.get(name) and (entry.complete or verdict != "UNKNOWN")
    ]


def _shortest(entry: Any, differing: list[str]) -> tuple[str, ...]:
    """The shortest run that belongs to one of these verdicts."""
    traces = [trace for name in differing if (trace := getattr(entry.verdicts[name], "trace", None)) is not None]
    shortest = min(traces, key=lambda trace: len(trace.steps), default=None)
    return tuple(f"{step.node}: {step.call}" for step in shortest.steps) if shortest else ()


def _crashed(error: Exception, where: str) -> Kill:
    if isinstance(error, TakesTooLong):
        raise error
    return Kill(CRASH, (f"{type(error).__name__}: {error}"[:120],), where)


def _is_in_full_fidelity(mutant: Mutant) -> bool:
    """Whether the file is, or is part of, a machine that no system of the ledger has in it."""
    alone = "registry_design/registry_with_support.py"
    return mutant.file == alone or any(mutant.file in files for files in FULL_FIDELITY.values())


def _unchanged(mutant: Mutant) -> Iterator[str]:
    """Says so if the model has the same expressions in all systems of the ledger, in the open systems of the proofs in
    every topology, and in all that properties say."""
    if not _is_in_full_fidelity(mutant):
        is_changed = any(map(_has_changed, _cases_of(mutant))) or next(_open_changes(mutant), None) is not None
        if not is_changed and not _is_said_otherwise_anywhere(mutant):
            yield UNCHANGED


def _equal(mutant: Mutant) -> Iterator[str]:
    """Says so if Z3 proves the same of the expressions that have changed."""
    if _is_in_full_fidelity(mutant) or _is_said_otherwise_anywhere(mutant):
        return
    changed: list[Place] = [(case.revision, case.plan) for case in _cases_of(mutant) if _has_changed(case)]
    if all(are_equal(built(place, true), built(place, fresh)) for place in chain(changed, _open_changes(mutant))):
        yield SAME


def _open_changes(mutant: Mutant) -> Iterator[Place]:
    """The open systems that say something else."""
    said = fresh("properties.results.ledger").expressions_of
    for place, (before, calls) in open_systems().items():
        is_part = design_of(place[0]) in mutant.designs and matters(calls, mutant)
        if is_part and hash(said(built(place, fresh))) != before:
            yield place


def _cases_of(mutant: Mutant) -> list[Case]:
    """The systems of the ledger that the file can be part of."""
    return [case for case in cases() if design_of(case.revision) in mutant.designs and matters(case.calls, mutant)]


def proofs(mutant: Mutant) -> Iterator[Kill]:
    """A theorem that has another verdict with this mutant, which is in force."""
    changed = set() if _is_in_full_fidelity(mutant) else {name for name, _ in _open_changes(mutant)}
    for name in chain(*(PROVED[design] for design in mutant.designs)):
        try:
            said, calls = proved(name)
            if not matters(calls, mutant) or not (_is_in_full_fidelity(mutant) or name in changed):
                continue
            pairs = zip(said, theorems(name, fresh), strict=False)
            differing = next((theorem for (theorem, word), found in pairs if found != (theorem, word)), "")
        except Exception as error:
            yield _crashed(error, f"proofs about {name}")
            continue
        if differing:
            yield Kill(PROOF, (differing,), name)
            return


def _logs(mutant: Mutant) -> Iterator[Kill]:
    for design, name in ((REGISTRY, "system-logs"), (CONTROLLER, "controller-logs")):
        if design not in mutant.designs:
            continue
        reading, following = fresh("properties.logs.reading"), fresh("properties.logs.following")
        with fresh("properties.recordings.format").open_recording(RECORDINGS / f"{name}.jsonl.gz") as lines:
            try:
                for recorded in islice(reading.read_runs(lines), RUNS):
                    if type(following.follow(recorded, None)).__name__ != "Accepted":
                        yield Kill(LOG, (f"run {recorded.number} is rejected",), f"{name}.jsonl.gz")
                        return
            except Exception as error:
                yield _crashed(error, f"{name}.jsonl.gz")


def _tests(mutant: Mutant) -> Iterator[Kill]:
    is_refined = mutant.file in REFINED or _is_in_full_fidelity(mutant)
    files = [
        each.name
        for each in tested()
        if {*each.designs} & {*mutant.designs}
        and matters(each.calls, mutant)
        and (is_refined or each.name not in REFINEMENT)
    ]
    try:
        failed, is_assertion = run_tests(files, mutant) if files else ("", False)
    except ProcessLost:
        yield Kill(TIME, ("the tests",))
        return
    if failed:
        yield Kill(TEST if is_assertion else CRASH, (failed,))


Search = Callable[[Mutant], Iterator[Kill | str]]

SEARCHES: tuple[tuple[tuple[Callable[[], object], ...], tuple[Search, ...]], ...] = (
    ((), (_recordings,)),
    ((cases,), (_first_verdicts,)),
    ((open_systems, conditions, tested, all_proved), (_unchanged, _logs, _tests, _equal, proofs)),
    ((), (_other_verdicts, _larger)),
)
"""The checks, the cheapest first, in groups: the mutant is put in force once for each. Before it, what the true model
says must be known."""


def examine(mutant: Mutant) -> tuple[Kill | None, str]:
    """What notices the mutant; or else, why it is the same as the true model, if it is known to be. What has been
    noticed otherwise than by what it does is not looked for in the last group."""
    weaker: list[Kill] = []
    _changed.clear()
    _never_seen.clear()
    for known, group in SEARCHES:
        if [kill.how for kill in weaker].count(CRASH) >= CRASHES or (weaker and _larger in group):
            break
        for ask in known:
            ask()
        try:
            with _time_limit(), in_force(mutant):
                for found in chain.from_iterable(search(mutant) for search in group):
                    if isinstance(found, str):
                        return None, found
                    if found.how in SEMANTIC_CHECKS:
                        return found, ""
                    weaker.append(found)
        except TakesTooLong:
            weaker.append(Kill(TIME, (f"after {SECONDS} s",)))
        except Exception as error:
            weaker.append(_crashed(error, ""))
    return (weaker[0] if weaker else None), ""


@contextmanager
def _time_limit() -> Iterator[None]:
    def stop(*_: object) -> None:
        raise TakesTooLong

    before: Callable[..., Any] | int | None = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
