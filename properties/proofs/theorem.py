"""What a theorem is: a name, a function that proves it in a session, and for which numbers of attesters."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from model.revisions import Revision
from properties.proofs.results import Result


@dataclass(frozen=True)
class Theorem:
    """A theorem, or one for each of several numbers of attesters.

    `prove` gives its results in a session of its design. `sizes`: the numbers of attesters that are proved by default;
    `few`: the same where many revisions are proved at once; `most`: up to how many attesters the solver is fast enough.
    `takes_long`: left out where many revisions are proved. `depends`: what of a revision it depends on (none: it is
    proved for each); revisions for which that is the same share it.
    """

    name: str
    prove: Callable[[Any, Sequence[int]], Iterator[Result]]
    sizes: tuple[int, ...] = ()
    few: tuple[int, ...] = ()
    most: int = 12
    takes_long: bool = False
    depends: Callable[[Revision], object] | None = None

    def chosen(self, asked: tuple[int, ...] | None, among_many: bool) -> tuple[int, ...]:
        """The numbers of attesters: those asked for, as far as the theorem goes; else its own."""
        if asked is None:
            return (among_many and self.few) or self.sizes
        return tuple(dict.fromkeys(min(size, self.most) for size in asked))


Theorems = Mapping[str, tuple[Theorem, ...]]
"""The theorems about each property, by its name."""
