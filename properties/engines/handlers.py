"""Methods by transition: for classes that follow a run step by step, and do something else for each transition."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, TypeVar

from model.transitions import Transition

F = TypeVar("F", bound=Callable[..., Any])

MARK = "handled_transitions"


def handles(*transitions: Transition) -> Callable[[F], F]:
    """The method is for steps of these transitions."""

    def marked(method: F) -> F:
        setattr(method, MARK, [transition.name for transition in transitions])
        return method

    return marked


class Handlers:
    """A class whose marked methods, its own and inherited ones, are in `handlers`, by the name of the transition."""

    handlers: ClassVar[Mapping[str, Callable[..., Any]]] = {}

    def __init_subclass__(cls) -> None:
        marked = {name: method for method in vars(cls).values() for name in getattr(method, MARK, ())}
        cls.handlers = {**cls.handlers, **marked}
