"""Conformance: the model's components must do what the real ones were recorded doing.

`scenarios` has what all recordings of one component have in common; a module for each component knows its format and
takes its steps: `registry` is the vote registry, `controller` the attestation controller.
"""

from properties.recordings.controller import replay_controller
from properties.recordings.registry import replay_registry
from properties.recordings.scenarios import Agreement, Difference

__all__ = ["Agreement", "Difference", "replay_controller", "replay_registry"]
