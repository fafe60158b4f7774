"""What a broken model is: a change of the model, in force for as long as it is applied."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any
from unittest.mock import patch

import model
from model.revisions import REVISIONS
from model.scope import Scope, instance
from model.service import AttestationSystem
from model.system import build
from model.transitions import Transition


@dataclass(frozen=True)
class Change:
    """One attribute of a module or class of the model, and what stands in its place."""

    owner: Any
    attribute: str
    replacement: Any


TWO_HONEST = Scope(instance("n2f0b0"), batches=3)


@dataclass(frozen=True)
class BrokenModel:
    """A change of the model, and where it shows.

    `violates` names the properties of the catalogue that the change takes away in `scope` of `revision`: one of kind
    `sometimes` is unreached there, the others are violated; without the change all of them hold there. There are none
    if no property of the system notices. The machine that `caught_by` names (in `properties.stateful`) does: it fails,
    or its floors miss what can no longer be reached.
    """

    name: str
    about: str
    changes: tuple[Change, ...]
    caught_by: str
    violates: tuple[str, ...] = ()
    revision: str = "pr161+era2539"
    scope: Scope = TWO_HONEST

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Every system, and every conjunct of a property, that is built within is broken in this way."""
        with ExitStack() as stack:
            for change in self.changes:
                stack.enter_context(patch.object(change.owner, change.attribute, change.replacement))
            yield

    def build(self) -> AttestationSystem:
        """The system in the scope where the change shows: broken within `applied`, sound outside."""
        return build(REVISIONS[self.revision], self.scope)


def everywhere(original: Any, replacement: Any, name: str = "") -> tuple[Change, ...]:
    """A function or transition, changed in every module of the model that uses it."""
    name = name or original.__name__
    modules = [importlib.import_module(each.name) for each in pkgutil.walk_packages(model.__path__, "model.")]
    return tuple(Change(module, name, replacement) for module in modules if getattr(module, name, None) is original)


def changed_transition(original: Transition, function: Callable[..., Any]) -> tuple[Change, ...]:
    """A transition that does something else."""
    return everywhere(original, replace(original, function=function), original.name)
