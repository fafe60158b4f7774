"""The explorer is honest: cut short is said, collisions and values outside their domain stop it, runs repeat."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from multiprocessing import active_children
from pathlib import Path

import numpy as np
import pytest

from model.algebra import TRUE, const, int_variable
from model.registry_design.system import RegistryDesign
from model.revisions import revision
from model.scope import Scope, instance
from model.service import AttestationSystem
from model.system import build
from model.transitions import Action, ModelError, Namespace, Step, TransitionSystem, Variable, transition, updates
from properties.claims.catalogue import claim
from properties.engines import explorer, memory, packing, storage, visited
from properties.engines import graph as graphs
from properties.engines import room as rooms
from properties.engines.checking import Check
from properties.engines.explorer import Expansion, Exploration, explore
from properties.engines.graph import IncompleteSearch, graph
from properties.engines.memory import NotEnoughMemory
from properties.engines.stepper import Stepper
from properties.engines.storage import Stored
from properties.engines.visited import HashCollision, Recent, Run
from properties.engines.workers import ProcessLost
from properties.results.verdicts import Unknown
from tests.engines.test_storage import storage_of


def system() -> RegistryDesign:
    return build(revision("pr161+era2480"), Scope(instance("n2f0b0"), 2))


def test_a_search_cut_short_says_so_and_establishes_nothing() -> None:
    check = Check(system(), max_states=100)
    assert not check.search.complete
    assert check.search.states >= 100
    for name in ("at_most_one_quorum", "progress_possible", "two_certificates_in_a_row"):
        assert isinstance(check.verdict(claim(name)), Unknown)
    with pytest.raises(ValueError, match="cut short"):
        graph(check.search)


def test_a_bound_is_looked_at_after_each_chunk_and_changes_nothing_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = explore(system())
    monkeypatch.setattr(explorer, "CHUNK", 8)
    cut = explore(system(), max_states=500)
    assert not cut.complete
    # Eight states have fewer than 80 successors here.
    assert 500 <= cut.states < 580
    for one, other in zip(cut.levels[:-1], whole.levels, strict=False):
        assert np.array_equal(one[0], other[0])
    assert set(cut.levels[-1][0].tolist()) < set(whole.levels[cut.depth][0].tolist())
    unbounded = explore(system(), max_states=whole.states + 1)
    assert unbounded.complete
    assert [len(level[0]) for level in unbounded.levels] == [len(level[0]) for level in whole.levels]


def test_an_interrupt_leaves_a_search_cut_short_only_where_somebody_watches(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def interrupt(search: Exploration) -> None:
        seen.append(search.depth)
        if search.depth == 3:
            raise KeyboardInterrupt

    search = explore(system(), watch=interrupt)
    assert (search.complete, search.depth, seen) == (False, 3, [0, 1, 2, 3])

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Expansion, "next_level", interrupted)
    with pytest.raises(KeyboardInterrupt):
        explore(system())


def test_two_searches_give_the_same_states_in_the_same_order() -> None:
    first, second = explore(system()), explore(system())
    for one, other in zip(first.levels, second.levels, strict=True):
        assert all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def test_small_chunks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = explore(system())
    monkeypatch.setattr(explorer, "CHUNK", 7)
    monkeypatch.setattr(visited, "RECENT", 2)
    pieces = explore(system())
    assert (pieces.states, pieces.transitions, pieces.depth) == (whole.states, whole.transitions, whole.depth)


def columns(*numbers: list[int]) -> Stored:
    return tuple(np.array(column, dtype=np.uint64) for column in numbers)


def test_two_states_with_one_key_stop_the_search() -> None:
    with pytest.raises(HashCollision):
        Run.of(columns([4, 4], [0, 1]))
    with pytest.raises(HashCollision):
        Run.of(columns([2, 4], [0, 0])).places(columns([4], [1]))
    assert len(Run.of(columns([4, 4], [1, 1]))) == 1


def test_the_table_of_recent_states_knows_no_state_that_it_was_not_given() -> None:
    for sizes in ([4], [1 << 40, 1 << 40]):
        storage = storage_of(sizes)[1]
        numbers = np.arange(5_000, dtype=np.uint64)
        given = tuple((numbers if not place else np.zeros_like(numbers)) for place in range(storage.columns))
        assert len(Recent(storage).unknown(given)[0]) == len(numbers)


@transition("a test")
def grow(record: object) -> Step[object]:
    """A counter goes beyond its domain."""
    raise AssertionError


def overflowing() -> TransitionSystem[tuple[object, ...]]:
    space = Namespace()
    number = space.within("counter").number("value", 0, 2, 0)
    state = (number,)
    changes = updates(state, (number + 1,), {variable.expression: variable for variable in space.declared})
    return TransitionSystem("counter", state, tuple(space.declared), (Action(grow, "M", (), TRUE, changes),))


def test_a_search_that_has_missed_a_state_has_no_graph() -> None:
    search = explore(system())
    search.levels.pop(5)
    with pytest.raises(IncompleteSearch, match="leads out of what was searched"):
        graph(search)


def test_a_system_that_engines_would_understand_differently_is_none() -> None:
    good = overflowing()
    (variable,), (action,) = good.variables, good.actions
    with pytest.raises(ModelError, match=r"counter\.value twice"):
        replace(good, variables=(variable, variable))
    with pytest.raises(ModelError, match=r"grow\(\) of M twice"):
        replace(good, actions=(action, action))
    with pytest.raises(ModelError, match=r"counter\.value twice"):
        replace(good, actions=(replace(action, updates=(*action.updates, (variable, const(0)))),))
    with pytest.raises(ModelError, match="starts at 3, outside"):
        replace(good, variables=(replace(variable, initial=3),))


def test_a_value_outside_its_domain_is_an_error_in_both_engines() -> None:
    with pytest.raises(ModelError, match="outside its domain"):
        explore(overflowing())
    stepper = Stepper(overflowing())
    with pytest.raises(ModelError, match="outside"):
        stepper.apply((2,), 0)


def test_a_state_outside_its_domains_and_a_domain_beyond_a_word_are_errors() -> None:
    with pytest.raises(ModelError, match=r"counter\.value is 4, outside"):
        explore(overflowing(), start=(4,))
    large = replace(overflowing(), variables=(Variable(int_variable("counter.value", 0, 2**65), 0),), actions=())
    with pytest.raises(ValueError, match=r"counter\.value needs 66 bits"):
        explore(large)


def test_an_action_that_changes_what_the_scope_holds_fixed_is_an_error() -> None:
    with pytest.raises(ModelError, match="holds fixed"):
        updates((const(0),), (const(1),), {})


SHARED = {
    "one word": ("pr161+era2480", Scope(instance("n2f0b0"), 2), False),
    "permuted attesters count once": ("pr170+era2480", Scope(instance("n3f0b0"), 2), True),
    "several words": ("pr175+era2657", Scope(instance("n2f0b0"), 2), False),
}


def shared_model(name: str, monkeypatch: pytest.MonkeyPatch) -> AttestationSystem:
    """The system of that name, in words as small as it wants them."""
    revision_name, scope, _ = SHARED[name]
    if name == "several words":
        monkeypatch.setattr(packing, "WORD", 16)
        monkeypatch.setattr(storage, "NUMBERS", 1 << 16)
    return build(revision(revision_name), scope)


def are_the_same(one: Check, other: Check) -> None:
    """The same states in the same order, the same transitions between them, and the same verdicts and traces."""
    assert (one.search.transitions, one.search.complete) == (other.search.transitions, True)
    for ours, theirs in zip(one.search.levels, other.search.levels, strict=True):
        assert all(np.array_equal(a, b) for a, b in zip(ours, theirs, strict=True))
    for edges, others in zip(one.graph.edges, other.graph.edges, strict=True):
        assert (edges.action, edges.start) == (others.action, others.start)
        assert np.array_equal(edges.places, others.places)
        assert np.array_equal(edges.after, others.after)
    assert one.verdicts() == other.verdicts()


@pytest.mark.parametrize("name", SHARED)
@pytest.mark.parametrize("processes", [2, *(pytest.param(more, marks=pytest.mark.slow) for more in (3, 8))])
def test_several_processes_find_what_one_does(name: str, processes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    model, symmetry = shared_model(name, monkeypatch), SHARED[name][2]
    alone = Check(model, symmetry)
    assert (alone.search.storage.columns > 1) is (name == "several words")
    monkeypatch.setattr(explorer, "MANY", 50)
    monkeypatch.setattr(graphs, "MANY", 50)
    are_the_same(alone, Check(model, symmetry, processes=processes))


def test_a_process_that_is_lost_or_fails_ends_the_search(monkeypatch: pytest.MonkeyPatch) -> None:
    """And what is left of it ends, too."""
    monkeypatch.setattr(explorer, "MANY", 50)
    parent, successors = os.getpid(), Expansion.successors

    def lost(self: Expansion, frontier: Stored, one_by_one: bool = False) -> Iterator[Run]:
        if os.getpid() != parent:
            os._exit(9)
        return successors(self, frontier, one_by_one)

    monkeypatch.setattr(Expansion, "successors", lost)
    with pytest.raises(ProcessLost):
        explore(system(), processes=2)

    def starved(self: Expansion, frontier: Stored, one_by_one: bool = False) -> Iterator[Run]:
        if os.getpid() != parent:
            raise MemoryError("more is needed")
        return successors(self, frontier, one_by_one)

    monkeypatch.setattr(Expansion, "successors", starved)
    with pytest.raises(MemoryError, match="more is needed"):
        explore(system(), processes=2)
    cut = explore(system(), watch=lambda _: None, processes=2)
    assert (cut.complete, cut.out_of_memory) == (False, "more is needed")
    assert not active_children()


def starve(monkeypatch: pytest.MonkeyPatch, left: Callable[[], int | None]) -> None:
    """Let little memory be left from the start, and everything be done in small pieces."""
    monkeypatch.setattr(memory, "available", left)
    monkeypatch.setattr(memory, "LITTLE", 0)
    monkeypatch.setattr(rooms, "SMALL", 0)
    monkeypatch.setattr(rooms, "BLOCK", 1 << 12)
    monkeypatch.setattr(explorer, "CHUNK", 64)
    monkeypatch.setattr(visited, "SHARD", 256)
    monkeypatch.setattr(visited, "RECENT", 4)


@pytest.mark.parametrize("many", range(19, 23))
def test_a_process_may_have_no_state_at_first(many: int, monkeypatch: pytest.MonkeyPatch) -> None:
    small = build(revision("pr161+era2480"), Scope(instance("n1f0b0"), 1))
    alone = explore(small)
    monkeypatch.setattr(explorer, "MANY", many)
    shared = explore(small, processes=2)
    assert (shared.states, shared.transitions, shared.depth) == (alone.states, alone.transitions, alone.depth)


@pytest.mark.parametrize("processes", [1, 2])
@pytest.mark.parametrize("name", SHARED)
def test_a_search_that_memory_has_no_room_for_goes_on_on_disk(
    name: str, processes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Be it that the first process has too little memory, or that those have that were to have a share."""
    model = shared_model(name, monkeypatch)
    in_memory = Check(model, SHARED[name][2])
    parent = os.getpid()
    starve(monkeypatch, lambda: None if processes > 1 and os.getpid() == parent else memory.MARGIN)
    monkeypatch.setattr(explorer, "MANY", 50)
    on_disk = Check(model, SHARED[name][2], processes=processes)
    assert (in_memory.search.room.on_disk, on_disk.search.processes) == (0, processes)
    assert on_disk.search.room.on_disk > sum(column.nbytes for level in on_disk.search.levels[-9:] for column in level)
    are_the_same(in_memory, on_disk)


def test_a_search_on_disk_leaves_nothing_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    starve(monkeypatch, lambda: memory.MARGIN)
    search = explore(system(), watch=lambda _: any(tmp_path.iterdir()) and pytest.fail("a file has a name"))
    room = search.room
    assert room.on_disk
    del search
    gc.collect()
    room._block = np.empty(0, dtype=np.uint8)
    assert not room.on_disk


def test_a_search_that_no_disk_has_room_for_says_what_is_lacking(monkeypatch: pytest.MonkeyPatch) -> None:
    nowhere = Path(os.devnull) / "nowhere"
    monkeypatch.setenv("TMPDIR", str(nowhere))
    starve(monkeypatch, lambda: memory.MARGIN)
    cut = explore(system(), watch=lambda _: None)
    assert (cut.complete, cut.out_of_memory) == (
        False,
        f"memory is short, and {nowhere} has no room for more: Not a directory",
    )
    starve(monkeypatch, lambda: rooms.PIECE - 1)
    with pytest.raises(NotEnoughMemory, match="34 MB more are needed, and 34 MB are left"):
        explore(system())
