"""What a check can say. A verdict is never a boolean: it says how far it reaches."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from properties.results.trace import Trace


@dataclass(frozen=True)
class Verdict:
    """One of the verdicts below. `holds` tells whether the property is established within what the verdict names."""

    word: ClassVar[str]
    holds: ClassVar[bool] = False
    says: ClassVar[str] = ""

    def __init_subclass__(cls, word: str = "", says: str = "", holds: bool = False) -> None:
        """`says` tells the detail, with the fields in braces. What is not given is as in the class above."""
        cls.word, cls.says, cls.holds = word or cls.word, says or cls.says, holds or cls.holds

    @property
    def detail(self) -> str:
        """What stands behind the word: sizes, depth, reason."""
        return self.says.format(**vars(self))

    def __str__(self) -> str:
        return f"{self.word}({self.detail})" if self.detail else self.word

    def as_json(self) -> dict[str, Any]:
        """The verdict for machines; traces are written to files of their own."""
        return {"verdict": self.word, "detail": self.detail}

    def of(self, revision: str) -> Verdict:
        """The verdict on another revision that is the same system: its traces are runs of that one."""
        return self


@dataclass(frozen=True)
class Exhausted(Verdict, word="EXHAUSTED", holds=True):
    """Every reachable state of the scope was examined. `spoken_of` has each conjunct of the property, in words, and in
    how many states it had something to say."""

    states: int
    depth: int
    spoken_of: tuple[tuple[str, int], ...] = field(default=(), compare=False)

    @property
    def never_spoken_of(self) -> tuple[str, ...]:
        """The conjuncts that no reachable state gave anything to say: of these, nothing was established."""
        return tuple(sentence for sentence, states in self.spoken_of if not states)

    @property
    def detail(self) -> str:
        figures = f"{self.states:,} states, depth {self.depth}"
        silent = self.never_spoken_of
        if not silent:
            return figures
        first, *others = silent
        more = f", and {len(others)} more of {len(self.spoken_of)}" if others else f", 1 of {len(self.spoken_of)}"
        return f"{figures}; never spoken of: {first}{more}"

    def as_json(self) -> dict[str, Any]:
        conjuncts = [{"sentence": sentence, "states": states} for sentence, states in self.spoken_of]
        return {**super().as_json(), "conjuncts": conjuncts}


@dataclass(frozen=True)
class Proved(Verdict, word="PROVED", says="{how}; {sizes}", holds=True):
    """Proved for all of the named sizes, by the named method."""

    how: str
    sizes: str


@dataclass(frozen=True)
class HoldsToDepth(Verdict, word="HOLDS_TO_DEPTH", says="{depth}"):
    """No violation within this many steps; nothing is known beyond."""

    depth: int


@dataclass(frozen=True)
class Violated(Verdict, word="VIOLATED"):
    """A reachable state violates the property; `kinds` has the shortest trace of each kind of violation. Of a fair run
    that never gets where it should, the trace is a lasso."""

    trace: Trace
    kinds: tuple[Trace, ...] = ()

    @property
    def traces(self) -> tuple[Trace, ...]:
        """The trace of each kind, or the one trace where there are no kinds."""
        return self.kinds or (self.trace,)

    @property
    def loop(self) -> int:
        """How many steps of the trace go round for ever: none where a single state violates the property, or where a
        fair run may end."""
        return 0 if self.trace.loop is None else len(self.trace.steps) - self.trace.loop

    @property
    def is_shortest(self) -> bool:
        """Whether no run to a violation is shorter. Of a lasso only the way to its loop is the shortest."""
        return self.loop == 0

    def of(self, revision: str) -> Violated:
        kinds = tuple(trace.about(revision=revision) for trace in self.kinds)
        return Violated(self.trace.about(revision=revision), kinds)

    @property
    def detail(self) -> str:
        names = [trace.kind for trace in self.kinds if trace.kind]
        shortest = f"{len(self.trace.steps)} steps"
        if not self.is_shortest:
            return f"{shortest}: a lasso, stem {self.trace.loop}, loop {self.loop}, not necessarily the shortest"
        return f"{shortest}: {', '.join(names)}" if names else shortest

    def as_json(self) -> dict[str, Any]:
        lengths = {trace.kind: len(trace.steps) for trace in self.kinds if trace.kind}
        return {**super().as_json(), "steps": len(self.trace.steps), "loop": self.loop, "kinds": lengths}


@dataclass(frozen=True)
class NotInductive(
    Verdict,
    word="NOT_INDUCTIVE",
    says="{action} breaks {conjunct}, from a state that is possibly unreachable",
):
    """The induction step fails; the counterexample's first state is perhaps unreachable."""

    action: str
    conjunct: str
    before: dict[str, int] = field(default_factory=dict)
    after: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Reached(Verdict, word="REACHED", holds=True):
    """A witness of a `sometimes` property."""

    trace: Trace

    def of(self, revision: str) -> Reached:
        return Reached(self.trace.about(revision=revision))

    @property
    def detail(self) -> str:
        return f"{len(self.trace.steps)} steps"

    def as_json(self) -> dict[str, Any]:
        return {**super().as_json(), "steps": len(self.trace.steps)}


@dataclass(frozen=True)
class Unreached(Verdict, word="UNREACHED", says="{states:,} states"):
    """Every reachable state of the scope was examined, and none is a witness."""

    states: int


@dataclass(frozen=True)
class Vacuous(Verdict, word="VACUOUS", says="{states:,} states, and none that the property speaks about"):
    """No reachable state satisfies what the property speaks about, so that it says nothing here."""

    states: int


@dataclass(frozen=True)
class Unknown(Verdict, word="UNKNOWN", says="{why}"):
    """Nothing is established: the search was cut short, or the solver gave up."""

    why: str


@dataclass(frozen=True)
class NotChecked(Verdict, word="NOT_CHECKED", says="{why}"):
    """The property speaks about this system, but this search is no way to check it; the reason says why."""

    why: str


@dataclass(frozen=True)
class NotApplicable(Verdict, word="NOT_APPLICABLE", says="{why}"):
    """The property says nothing about systems of this kind; the reason says what it needs."""

    why: str
