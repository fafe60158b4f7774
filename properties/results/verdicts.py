"""What a check can say. A verdict is never a boolean: it says how far it reaches."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from properties.results.trace import Trace


@dataclass(frozen=True)
class Verdict:
    """One of the verdicts below. `holds` tells whether the property is established within what the verdict names."""

    word: ClassVar[str]
    holds: ClassVar[bool]

    @property
    def detail(self) -> str:
        """What stands behind the word: sizes, depth, reason."""
        return ""

    def __str__(self) -> str:
        return f"{self.word}({self.detail})" if self.detail else self.word

    def as_json(self) -> dict[str, Any]:
        """The verdict for machines; traces are written to files of their own."""
        return {"verdict": self.word, "detail": self.detail}

    def of(self, revision: str) -> Verdict:
        """The verdict on another revision that is the same system: its traces are runs of that one."""
        return self


@dataclass(frozen=True)
class Exhausted(Verdict):
    """Every reachable state of the scope was examined. `spoken_of` has each conjunct of the property, in words, and in
    how many states it had something to say."""

    word = "EXHAUSTED"
    holds = True
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
class Proved(Verdict):
    """Proved for all of the named sizes, by the named method."""

    word = "PROVED"
    holds = True
    how: str
    sizes: str

    @property
    def detail(self) -> str:
        return f"{self.how}; {self.sizes}"


@dataclass(frozen=True)
class HoldsToDepth(Verdict):
    """No violation within this many steps; nothing is known beyond."""

    word = "HOLDS_TO_DEPTH"
    holds = False
    depth: int

    @property
    def detail(self) -> str:
        return str(self.depth)


@dataclass(frozen=True)
class Violated(Verdict):
    """A reachable state violates the property; `kinds` has the shortest trace of each kind of violation. Of a fair run
    that never gets where it should, the trace is a lasso."""

    word = "VIOLATED"
    holds = False
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
class NotInductive(Verdict):
    """The induction step fails; the counterexample's first state is perhaps unreachable."""

    word = "NOT_INDUCTIVE"
    holds = False
    action: str
    conjunct: str
    before: dict[str, int] = field(default_factory=dict)
    after: dict[str, int] = field(default_factory=dict)

    @property
    def detail(self) -> str:
        return f"{self.action} breaks {self.conjunct}, from a state that is possibly unreachable"


@dataclass(frozen=True)
class Reached(Verdict):
    """A witness of a `sometimes` property."""

    word = "REACHED"
    holds = True
    trace: Trace

    def of(self, revision: str) -> Reached:
        return Reached(self.trace.about(revision=revision))

    @property
    def detail(self) -> str:
        return f"{len(self.trace.steps)} steps"

    def as_json(self) -> dict[str, Any]:
        return {**super().as_json(), "steps": len(self.trace.steps)}


@dataclass(frozen=True)
class Unreached(Verdict):
    """Every reachable state of the scope was examined, and none is a witness."""

    word = "UNREACHED"
    holds = False
    states: int

    @property
    def detail(self) -> str:
        return f"{self.states:,} states"


@dataclass(frozen=True)
class Vacuous(Verdict):
    """No reachable state satisfies what the property speaks about, so that it says nothing here."""

    word = "VACUOUS"
    holds = False
    states: int

    @property
    def detail(self) -> str:
        return f"{self.states:,} states, and none that the property speaks about"


@dataclass(frozen=True)
class Unknown(Verdict):
    """Nothing is established: the search was cut short, or the solver gave up."""

    word = "UNKNOWN"
    holds = False
    why: str

    @property
    def detail(self) -> str:
        return self.why


@dataclass(frozen=True)
class NotChecked(Verdict):
    """The property speaks about this system, but this search is no way to check it; the reason says why."""

    word = "NOT_CHECKED"
    holds = False
    why: str

    @property
    def detail(self) -> str:
        return self.why


@dataclass(frozen=True)
class NotApplicable(Verdict):
    """The property says nothing about systems of this kind; the reason says what it needs."""

    word = "NOT_APPLICABLE"
    holds = False
    why: str

    @property
    def detail(self) -> str:
        return self.why
