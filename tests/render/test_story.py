"""What is worked out about a trace is true: checked with the one-step engine, without the explorer."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from properties.claims.catalogue import claim
from properties.engines.checking import Check
from properties.engines.stepper import State, Stepper
from properties.render.story import Standing, Story
from properties.results.trace import Trace, replay
from properties.results.verdicts import Violated


def reachable(stepper: Stepper, start: State) -> set[State]:
    """All states that can be reached, by a plain search."""
    seen, todo = {start}, [start]
    while todo:
        for _, after in stepper.successors(todo.pop()):
            if after not in seen:
                seen.add(after)
                todo.append(after)
    return seen


def goal_of(story: Story) -> Callable[[State], bool]:
    assert story.false_conjunct is not None
    holds = story.stepper.evaluator(story.false_conjunct.holds)
    return lambda state: bool(holds(state)[0])


def test_the_aftermath_is_all_that_can_still_happen(stuck: dict[str | None, Trace]) -> None:
    for trace in stuck.values():
        story = Story(trace)
        states = reachable(story.stepper, story.state(len(trace.steps)))
        assert story.aftermath is not None
        assert (story.aftermath.states, story.aftermath.is_final) == (len(states), True)
        assert not any(map(goal_of(story), states))


def test_the_passing_run_leaves_the_trace_as_late_as_it_can(stuck: dict[str | None, Trace]) -> None:
    for trace in stuck.values():
        story = Story(trace)
        assert story.passing is not None
        shared, passing = story.passing
        assert passing.steps[:shared] == trace.steps[:shared]
        assert passing.steps[shared] != trace.steps[shared]
        assert goal_of(story)(replay(passing, story.stepper))
        doomed = reachable(story.stepper, story.state(shared + 1))
        assert not any(map(goal_of(story), doomed)), "the violation could have been avoided later"


def test_the_passing_run_of_a_gap_has_no_gap(gap: Trace) -> None:
    story = Story(gap)
    assert story.passing is not None
    _, passing = story.passing
    conjunct = story.false_conjunct
    assert conjunct is not None
    last = story.stepper.evaluator(conjunct.when & conjunct.holds)
    assert last(replay(passing, story.stepper)) == (1,)
    never = story.stepper.evaluator(conjunct.when & ~conjunct.holds)
    states = [tuple(state[variable.name] for variable in story.system.variables) for state in passing.states]
    assert not any(never(state)[0] for state in states)


def test_a_conjunct_fails_from_the_first_state_without_a_way_out(vote_lost: Trace) -> None:
    story = Story(vote_lost)
    standings = [row[1] for row in story.standings()]
    assert story.conjuncts[1].sentence == vote_lost.failed
    assert standings[-1] is Standing.FAILS
    assert Standing.FAILS not in standings[:-1]
    batch_0 = [row[0] for row in story.standings()]
    assert set(batch_0) == {Standing.OPEN, Standing.SILENT}, "batch 0 is asked for, and certified in the end"


def test_a_conjunct_about_states_fails_in_the_last_state_only(bad_certificate: Trace) -> None:
    standings = [row[0] for row in Story(bad_certificate).standings()]
    assert standings[-1] is Standing.FAILS
    assert set(standings[:-1]) == {Standing.SILENT, Standing.HOLDS}, "the quorum was there, and true, before"


def test_a_conjunct_that_never_comes_true_fails_in_the_loop(small: Check) -> None:
    verdict = small.verdict(claim("every_batch_certified"))
    assert isinstance(verdict, Violated)
    trace = verdict.trace
    assert trace.loop is not None
    story = Story(trace)
    place = [conjunct.sentence for conjunct in story.conjuncts].index(str(trace.failed))
    standings = [row[place] for row in story.standings()]
    assert set(standings[trace.loop :]) == {Standing.FAILS}
    assert Standing.FAILS not in standings[: trace.loop]


def test_a_trace_is_confirmed_by_its_last_state_alone(
    vote_lost: Trace, gap: Trace, witness: Trace, bad_certificate: Trace
) -> None:
    for trace in (vote_lost, gap, witness, bad_certificate):
        assert Story(trace).is_confirmed
        assert not Story(trace.about(steps=trace.steps[:-1])).is_confirmed


def test_a_trace_of_another_kind_is_not_confirmed(vote_lost: Trace) -> None:
    assert not Story(vote_lost.about(kind="overtaken")).is_confirmed


def test_witnesses_are_those_of_the_false_parts(bad_certificate: Trace) -> None:
    story = Story(bad_certificate)
    assert story.false_conjunct is not None
    witnesses = story.witnesses(story.false_conjunct.holds)
    assert witnesses["M.registry.b"] == "batch 1 with the hash of batch 0"
    assert witnesses["M.registry.a"] == "batch 0"


@pytest.mark.parametrize("name", ["certificates_verify", "no_gaps_on_main_node"])
def test_a_property_about_states_has_no_aftermath(name: str, bad_certificate: Trace, gap: Trace) -> None:
    trace = {trace.claim: trace for trace in (bad_certificate, gap)}[name]
    assert Story(trace).aftermath is None
