"""The semantics of the delay laws, against what is known in closed form, in the search and in the simulation."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from model.algebra import TRUE, all_of
from model.transitions import TransitionSystem
from properties.engines.explorer import explore
from properties.engines.stepper import Stepper
from properties.timing.clocks import TICK, Clockwork
from properties.timing.laws import Delay, Law, Limit, Never, Poll
from properties.timing.simulation import Sample, Simulation

AT_ONCE = (Delay(0, 0), Delay(0, 0))


def both(law: Law) -> tuple[Law, Law]:
    return law, law


def searched(toy: Any, laws: dict[str, tuple[Law, Law]], fixed: bool = False) -> set[int]:
    """Every time at which a certificate can come, in units since the sealing."""
    timed = Clockwork(toy, laws, Stepper(toy).initial, 1, fixed=fixed, window=toy.variables[0].high).build()
    search = explore(timed, max_states=50_000)
    assert search.complete or toy.variables[0].high is not None
    read = search.vectorised.compile([timed.certifies, timed.stopwatch])
    times: set[int] = set()
    for level in search.levels:
        certifies, waited = read(*level)
        times |= set(waited[np.broadcast_to(certifies, level[0].shape)].tolist())
    return times


def simulated(toy: Any, laws: dict[str, tuple[Law, Law]], runs: int = 4000) -> Sample:
    return Simulation(toy, laws, Stepper(toy).initial, runs, np.random.default_rng(0)).run(1)


def test_a_chain_of_fixed_delays_takes_their_sum(maker: Any) -> None:
    made = maker()
    steps = [made.flag(f"step{n}") for n in range(3)]
    made.seals(step0=0, step1=0, step2=0)
    busy = made.sealed > made.certified
    made.action("first", "a", busy & ~steps[0], step0=1)
    made.action("second", "b", busy & steps[0] & ~steps[1], step1=1)
    made.action("third", "a", busy & steps[1] & ~steps[2], step2=1)
    made.certifies(steps[2])
    laws = {"seal_batch": both(Delay(1, 1)), "insert_qc": both(Delay(2, 2))}
    laws |= {name: both(Delay(n, n)) for name, n in (("first", 3), ("second", 5), ("third", 7))}
    assert searched(made.system, laws) == {17}
    assert set(simulated(made.system, laws).took.tolist()) == {17}


@pytest.mark.parametrize("pollers", [1, 2])
def test_the_slowest_of_some_polls_is_the_maximum_of_their_phases(maker: Any, pollers: int) -> None:
    made = maker()
    seen = [made.flag(f"seen{n}") for n in range(pollers)]
    made.seals(**{f"seen{n}": 0 for n in range(pollers)})
    for n in range(pollers):
        made.action("poll", "ab"[n], (made.sealed > made.certified) & ~seen[n], **{f"seen{n}": 1})
    made.certifies(all_of(seen))
    laws = {"seal_batch": both(Delay(1, 1)), "insert_qc": AT_ONCE, "poll": both(Poll(6))}
    assert searched(made.system, laws) == searched(made.system, laws, fixed=True) == set(range(7))
    period = 6000
    took = simulated(made.system, {**laws, "poll": both(Poll(period))}).took
    error = took.std() / len(took) ** 0.5
    assert abs(took.mean() - period * pollers / (pollers + 1)) < 4 * error
    assert 0 <= took.min() <= took.max() <= period


def test_a_limited_link_sends_a_burst_and_then_at_its_rate(maker: Any) -> None:
    made = maker()
    sent = made.number("sent", 5)
    made.seals(sent=0)
    made.action("push", "a", (made.sealed > made.certified) & (sent < 5), sent=sent + 1)
    made.certifies(sent == 5)
    laws = {"seal_batch": both(Delay(40, 40)), "insert_qc": AT_ONCE, "push": both(Limit(2, 4))}
    # Two at once; then one with each refreshing, the first of which comes after 0 … 4.
    assert searched(made.system, laws) == {8, 9, 10, 11, 12}
    took = simulated(made.system, {**laws, "seal_batch": both(Delay(4000, 4000)), "push": both(Limit(2, 400))}).took
    assert 800 <= took.min() < 820
    assert 1180 < took.max() <= 1200


def test_a_limit_of_one_in_a_tick_has_the_same_times(maker: Any) -> None:
    made = maker()
    sent = made.number("sent", 5)
    made.seals(sent=0)
    made.action("push", "a", (made.sealed > made.certified) & (sent < 5), sent=sent + 1)
    made.certifies(sent == 5)
    laws = {"seal_batch": both(Delay(10, 10)), "insert_qc": AT_ONCE, "push": both(Limit(2, 1))}
    assert searched(made.system, laws) == {2, 3}


def interrupted(maker: Any, away: int) -> Any:
    """What takes 5 is disabled after 3, for so long."""
    made = maker()
    allowed, ended = made.flag("allowed", True), made.flag("ended")
    made.seals(allowed=1, ended=0)
    busy = made.sealed > made.certified
    made.action("forbid", "a", busy & ~ended & allowed, allowed=0, ended=1)
    made.action("allow", "a", busy & ~allowed, allowed=1)
    made.certifies(allowed)
    laws = {"seal_batch": both(Delay(1, 1)), "forbid": both(Delay(3, 3)), "allow": both(Delay(away, away))}
    return made.system, {**laws, "insert_qc": both(Delay(5, 5))}


@pytest.mark.parametrize(("away", "time"), [(1, 9), (2, 10), (0, 5)])
def test_a_clock_starts_anew_if_time_passed_while_it_was_disabled(maker: Any, away: int, time: int) -> None:
    toy, laws = interrupted(maker, away)
    assert searched(toy, laws) == {time}
    assert set(simulated(toy, laws).took.tolist()) == {time}


def test_ties_are_searched_in_every_order_and_drawn_in_the_simulation(maker: Any) -> None:
    made = maker()
    first, is_open = made.flag("a_was_first"), made.flag("open", True)
    made.seals(open=1)
    busy = made.sealed > made.certified
    made.action("left", "a", busy & is_open, a_was_first=1, open=0)
    made.action("right", "b", busy & is_open, a_was_first=0, open=0)
    made.action("slow", "a", busy & ~is_open & first, open=0, a_was_first=0)
    made.certifies(~is_open & ~first)
    laws = {"seal_batch": both(Delay(1, 1)), "insert_qc": AT_ONCE, "slow": both(Delay(7, 7))}
    laws |= {"left": both(Delay(2, 2)), "right": both(Delay(2, 2))}
    assert searched(made.system, laws) == {2, 9}
    took = simulated(made.system, laws).took
    assert set(took.tolist()) == {2, 9}
    assert 0.45 < (took == 2).mean() < 0.55


def test_what_never_happens_is_left_out(maker: Any) -> None:
    made = maker()
    made.seals()
    made.action("fault", "a", TRUE, certified=0)
    made.certifies(TRUE)
    laws = {"seal_batch": both(Delay(1, 1)), "insert_qc": both(Delay(2, 3)), "fault": both(Never())}
    assert searched(made.system, laws) == {2, 3}


def test_an_action_without_a_law_is_an_error(maker: Any) -> None:
    made = maker()
    made.seals()
    with pytest.raises(KeyError, match="seal_batch"):
        Clockwork(made.system, {}, Stepper(made.system).initial, 1).build()


def test_time_stands_still_where_a_clock_is_full(maker: Any) -> None:
    made = maker()
    made.seals()
    made.certifies(TRUE)
    laws = {"seal_batch": both(Delay(1, 1)), "insert_qc": both(Delay(2, 3))}
    timed: TransitionSystem[Any] = Clockwork(made.system, laws, Stepper(made.system).initial, 1).build()
    tick = next(action for action in timed.actions if action.transition is TICK)
    stepper = Stepper(timed)
    state = stepper.initial
    while tick in map(stepper.action, stepper.enabled(state)):
        state = stepper.apply(state, stepper.index["time", "tick()"])
    names = {stepper.action(place).name for place in stepper.enabled(state)}
    assert names == {"seal_batch"}
