"""Identifiers for what other languages have no dots and brackets for."""

from __future__ import annotations

import re
from collections.abc import Collection

from model.transitions import Action


class Names:
    """An identifier for each name, the same each time, and different ones for different names."""

    def __init__(self, reserved: Collection[str]) -> None:
        self._taken = set(reserved)
        self._given: dict[str, str] = {}

    def __call__(self, name: str) -> str:
        """The name with underscores for all that is no letter, digit or underscore; numbered if that is taken."""
        if name not in self._given:
            plain = re.sub(r"\W+", "_", name).strip("_")
            free = plain
            number = 1
            while free in self._taken:
                number += 1
                free = f"{plain}_{number}"
            self._taken.add(free)
            self._given[name] = free
        return self._given[name]

    def action(self, action: Action) -> str:
        """The name of an action with its node and arguments."""
        words = [f"{name} {value}" for name, value in action.arguments]
        return self(" ".join([f"{action.name} of {action.node}", *words]))
