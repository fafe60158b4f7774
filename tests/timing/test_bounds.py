"""Exact bounds and simulation of the protocol: they agree with each other, and with what can be reckoned."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import numpy as np
import pytest
import z3

from model.algebra import Bool, Expression, any_of
from model.revisions import REVISIONS
from model.scope import instance
from model.votes import NONE
from properties.engines.explorer import explore, first_where
from properties.engines.smt import Terms, WholeNumbers
from properties.engines.stepper import Stepper
from properties.timing.bounds import Broken, Holds, catching_up, certified_before_next_batch, largest_poll, latest_run
from properties.timing.columns import Runs
from properties.timing.laws import CAUSES, FAULTS, SECOND, Parameters
from properties.timing.setting import Setting
from properties.timing.simulation import NOT_DUE
from properties.timing.sweep import Question, measure

P161 = REVISIONS["pr161+era2539"]
DIRECT = Setting(P161, instance("n2f0b0"))
RELAY = replace(DIRECT, topology="relay")
SMALL = pytest.mark.parametrize("setting", [DIRECT, RELAY], ids=["direct", "relay"])


def reckoned(setting: Setting) -> tuple[int, int]:
    """The least and the greatest time from sealing to certificate: a batch comes to the attesters' nodes, their votes
    hop to the main node, the certificate is stored. A relay that is busy with the first vote sends the second later."""
    given, hops = setting.parameters, 3 if setting.topology == "relay" else 1
    latest = given.batch_latest + given.batch_polls
    return given.batch_earliest, latest + hops * given.hop + given.insertion


@SMALL
def test_search_and_closed_form_agree(setting: Setting) -> None:
    found = certified_before_next_batch(setting)
    assert isinstance(found, Holds)
    assert (found.best, found.worst) == reckoned(setting)


@SMALL
def test_every_simulated_run_lies_within_the_bounds(setting: Setting) -> None:
    best, worst = reckoned(setting)
    sample = setting.simulation(3000, np.random.default_rng(5)).run(3)
    assert best <= sample.took.min() < best + SECOND
    assert worst - SECOND < sample.took.max() <= worst
    assert np.array_equal(sample.causes.sum(axis=1), sample.took)


@pytest.mark.slow
def test_catching_up_lies_within_the_bounds() -> None:
    found = catching_up(DIRECT)
    given = DIRECT.parameters
    assert isinstance(found, Holds)
    assert found.worst == given.poll + given.answer + given.hop + given.insertion
    sample = DIRECT.simulation(1000, np.random.default_rng(5), backlog=20).run(20)
    assert found.best <= sample.took.min()
    assert sample.took.max() <= found.worst
    # Whatever the delays, a poll sees one batch at a time.
    assert sample.lasted.min() > 18 * given.poll


@pytest.mark.slow
def test_polls_with_a_fixed_period_have_no_other_bounds() -> None:
    loose, fixed = certified_before_next_batch(DIRECT), certified_before_next_batch(DIRECT, fixed=True)
    assert isinstance(loose, Holds)
    assert isinstance(fixed, Holds)
    assert (loose.best, loose.worst) == (fixed.best, fixed.worst)


@pytest.mark.slow
@SMALL
def test_the_largest_poll_interval_is_what_the_rest_leaves_of_the_batch_time(setting: Setting) -> None:
    poll, found = largest_poll(setting)
    given, hops = setting.parameters, 3 if setting.topology == "relay" else 1
    assert poll == given.batch_time - given.answer - hops * given.hop - given.insertion
    assert isinstance(found, Holds)
    assert latest_run(setting.polling(poll + given.tick).timed()) is not None


@pytest.mark.slow
def test_a_run_that_breaks_the_claim_is_a_run_and_none_is_earlier() -> None:
    setting = replace(DIRECT, instance=instance("n1f0b0")).polling(125 * SECOND)
    found = certified_before_next_batch(setting)
    assert isinstance(found, Broken)
    assert (found.after, found.batches, found.is_shortest) == (180 * SECOND, 3, True)
    timed = setting.timed()
    run, stepper = latest_run(timed), Stepper(timed)
    assert run is not None
    state = stepper.initial
    for place in run:
        assert stepper.is_enabled(state, place)
        state = stepper.apply(state, place)
    assert stepper.evaluator(timed.waiting)(state) == (2,)


@pytest.mark.parametrize("era", ["era2480", "era2539"])
def test_a_node_that_never_starts_never_certifies(era: str) -> None:
    setting = Setting(REVISIONS[f"pr165+{era}"], instance("n1f0b0"))
    assert isinstance(certified_before_next_batch(setting), Broken)
    assert set(setting.simulation(10, np.random.default_rng(0)).run(1, longest=10**6).took) == {NOT_DUE}


def shifted(number: z3.ArithRef) -> z3.ArithRef:
    return z3.If(number == NONE, number, number + 1)


@pytest.mark.parametrize("revision", ["pr161+era2480", "pr167+era2539", "pr175+era2657", "pr175+era3040"])
@SMALL
def test_no_guard_and_no_effect_notices_a_shift_of_all_batch_numbers(setting: Setting, revision: str) -> None:
    """What lets `tick` take one from every batch number; for any numbers, once there is a certificate."""
    setting = replace(setting, revision=REVISIONS[revision])
    system, numbers = setting.system, WholeNumbers()
    before: dict[Expression, z3.ExprRef] = {}
    for variable in system.variables:
        is_flag = isinstance(variable.expression, Bool)
        before[variable.expression] = z3.Bool(variable.name) if is_flag else z3.Int(variable.name)
    batches = {variable.expression for variable in system.variables if variable.high is None}
    taken = [action for action in system.actions if action.name not in {*FAULTS, *ERRORS}]
    changed = {variable.expression for action in taken for variable, _ in action.updates}
    after = {place: shifted(term) if place in batches & changed else term for place, term in before.items()}
    one, other = Terms(numbers, before), Terms(numbers, after)
    least = system.revision.least_attested
    within = z3.And([z3.Or(before[place] == place.low, before[place] >= least) for place in batches & changed])
    certified = one(system.main.store.certified.largest) >= 0
    solver = z3.Solver()
    solver.add(within, certified)
    start = dict(zip((variable.expression for variable in system.variables), setting.start(), strict=True))
    solver.add(z3.And([before[place] == start[place] for place in batches - changed]))
    differences = []
    for action in taken:
        guard = one(action.guard)
        differences.append(guard != other(action.guard))
        for variable, value in action.updates:
            if variable.name.endswith(("smallest_certified", "had_gap")):
                continue  # no guard depends on these, so the system with clocks does not have them
            expected = shifted(one(value)) if variable.expression in batches else one(value)
            differences.append(z3.And(guard, other(value) != expected))
    solver.add(z3.Or(differences))
    assert solver.check() == z3.unsat


ERRORS = ("refuse_status", "fail_to_start", "fail_to_certify", "refuse_genesis", "restart_on_new_genesis")
"""They begin anew with numbers of 0."""


@pytest.mark.parametrize(("revision", "count"), [("pr167+era2539", 2), ("pr175+era2657", 3)])
def test_there_is_no_error_where_nothing_fails(revision: str, count: int) -> None:
    timed = Setting.of(REVISIONS[revision], instance("n1f0b0")).timed()
    refusals = [action.guard for action in timed.actions if action.name in ERRORS]
    search = explore(timed)
    assert search.complete
    assert len(refusals) == count
    assert first_where(search, any_of(refusals)) is None


@pytest.mark.slow
def test_the_redesign_has_bounds_and_its_runs_lie_within_them() -> None:
    setting = Setting.of(REVISIONS["pr175+era2657"], instance("n2f0b0"))
    found, given = certified_before_next_batch(setting), setting.parameters
    assert isinstance(found, Holds)
    # A vote that the main node has no use for yet is pulled later: a call and its answer.
    assert found.worst == given.batch_latest + given.batch_polls + 2 * given.hop + given.insertion
    sample = setting.simulation(3000, np.random.default_rng(5)).run(3)
    assert found.best <= sample.took.min() <= sample.took.max() <= found.worst
    assert found.worst < certified_before_next_batch(DIRECT).worst  # type: ignore[union-attr]


@SMALL
def test_columns_are_the_same_text_as_the_stepper(setting: Setting) -> None:
    system, random = setting.system, Random(3)
    stepper, runs = Stepper(system), Runs(system, setting.start(), 2)
    guards = runs.compile([action.guard for action in system.actions])
    state, rows = setting.start(), np.array([1])
    for _ in range(200):
        enabled = stepper.enabled(state)
        assert [place for place, holds in enumerate(guards()) if np.broadcast_to(holds, 2)[1]] == enabled
        place = random.choice(enabled)
        state = stepper.apply(state, place)
        runs.apply(place, rows)
        assert tuple(int(column[1]) for column in runs.columns) == state
        assert tuple(int(column[0]) for column in runs.columns) == setting.start()


def test_a_question_has_one_answer() -> None:
    question = Question(DIRECT, 500, 11)
    assert measure(question) == measure(question)
    assert measure(question) != measure(replace(question, seed=12))


def test_what_time_is_lost_to_sums_to_the_time_that_a_batch_takes() -> None:
    measured = measure(Question(DIRECT, 200, 0, backlog=30))
    assert set(measured.causes) == set(CAUSES)
    assert measured.per_hour is not None
    assert sum(measured.causes.values()) == pytest.approx(3600 / measured.per_hour.value, rel=0.02)
    assert max(measured.causes, key=lambda name: measured.causes[name]) == "poll"


def test_the_tick_is_the_largest_that_fits() -> None:
    assert Parameters().tick == 500
    assert Parameters(hop=300).tick == 100
