"""What a sentence about the last state of a run may name: the facts that all designs have."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Any, ClassVar

from model.algebra import Bool, Expression
from properties.render.sequence import told
from properties.render.story import Story


class Facts:
    """Names and numbers of a run, as sentences name them in braces. `errors` are the actions that are an error of a
    node, `no_error` is to be said where there was none yet."""

    errors: ClassVar[Collection[str]]
    no_error: ClassVar[str]

    def __init__(self, story: Story) -> None:
        self.story, self.last = story, len(story.trace.steps)

    def __getitem__(self, name: str) -> str:
        return str(getattr(self, name))

    def value(self, expression: Expression) -> int:
        return self.story.value(expression, self.last)

    @property
    def asked(self) -> int:
        return self.value(self.story.system.next_batch_to_attest)

    @property
    def error(self) -> str:
        """The last error, in words."""
        steps = zip(self.story.trace.steps, told(self.story), strict=True)
        errors = [(step.node, texts[0]) for step, texts in steps if step.action in self.errors]
        return " ".join(errors[-1]) if errors else self.no_error

    @property
    def weights(self) -> str:
        """The weights that matter."""
        committee, threshold = self.story.trace.scope.instance, self.story.system.electorate.threshold.value
        honest = committee.total_weight - committee.byzantine_weight
        return f"of the weight {committee.total_weight}, {honest} is honest, and a quorum needs {threshold}"

    def attesters(self, condition: Callable[[Any, int], Bool]) -> str:
        """The attesters that have a node, and of it and their key this is true."""
        system = self.story.system
        return listed(
            place.name
            for place, node in zip(system.topology.places, system.state.nodes, strict=True)
            if place.key is not None and self.value(condition(node, place.key))
        )


def listed(names: Iterable[str]) -> str:
    """`a`, `a and b`, `a, b and c`; without any, `some attesters`."""
    *most, last = [*names] or ["some attesters"]
    return f"{', '.join(most)} and {last}" if most else last
