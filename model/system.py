"""The system of a revision within a scope, in the design that the revision is of."""

from __future__ import annotations

from model.registry_design.system import assemble, build

__all__ = ["assemble", "build"]
