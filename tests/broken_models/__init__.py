"""Models that are broken on purpose: one guard, bound, order or rule of the protocol changed in each.

They are what the checks are checked with: every property of the catalogue is violated by one of them, in a scope where
the true model satisfies it; and the same changes must be noticed by the machines of `properties.stateful`. A broken
model is in force within `with broken.applied():`, for the systems and the conjuncts of properties that are built there.
"""

from tests.broken_models.change import BrokenModel
from tests.broken_models.controller import CONTROLLER
from tests.broken_models.controller_design import CONTROLLER_DESIGN
from tests.broken_models.registry_design import REGISTRY_DESIGN

BROKEN_MODELS: tuple[BrokenModel, ...] = (*REGISTRY_DESIGN, *CONTROLLER, *CONTROLLER_DESIGN)


class UnknownBrokenModel(KeyError):
    """No broken model has this name. `known` lists the names of all."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name
        self.known = [broken.name for broken in BROKEN_MODELS]


def broken_model(name: str) -> BrokenModel:
    """The broken model of this name. Raises `UnknownBrokenModel`."""
    for candidate in BROKEN_MODELS:
        if candidate.name == name:
            return candidate
    raise UnknownBrokenModel(name)
