"""Puts a mutant in force: the whole program anew, with one module compiled from the mutated tree.

Only the language of the model stays as it is, so that equal expressions are one object in the true and in the mutated
model, and systems can be compared without running anything.
"""

from __future__ import annotations

import ast
import importlib.abc
import importlib.util
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.machinery import ModuleSpec
from types import ModuleType

from properties.mutation.operators import Mutant

SHARED = ("model.algebra", "model.transitions")
"""What both models are written in."""

ANEW = ("model", "properties", "tests")


class Mutated(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds and makes the one module that is mutated."""

    def __init__(self, mutant: Mutant) -> None:
        self.module = mutant.module
        self.code = compile(ast.fix_missing_locations(mutant.source()), f"<{mutant.file}, mutated>", "exec")

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The module, if it is that one."""
        return importlib.util.spec_from_loader(fullname, self) if fullname == self.module else None

    def exec_module(self, module: ModuleType) -> None:
        """Run the mutated module."""
        exec(self.code, module.__dict__)


@contextmanager
def in_force(mutant: Mutant | None) -> Iterator[None]:
    """Within, every module that is imported is new, and the mutant is in force; without one, the model as it is."""
    before = {name: module for name, module in sys.modules.items() if name.split(".")[0] in ANEW}
    finder = Mutated(mutant) if mutant else None
    for name in before.keys() - set(SHARED):
        del sys.modules[name]
    if finder:
        sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        if finder:
            sys.meta_path.remove(finder)
        for name in [name for name in sys.modules if name.split(".")[0] in ANEW]:
            del sys.modules[name]
        sys.modules.update(before)
