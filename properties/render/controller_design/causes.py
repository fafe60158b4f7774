"""What is told of violations of the attestation-controller design: facts of the run, and what it comes of."""

from __future__ import annotations

from functools import cached_property

from model.controller_design.network import restore_database
from model.controller_design.system import ControllerDesign
from properties.claims.standstills import STANDSTILLS
from properties.render import facts
from properties.render.controller_design.sequence import ERRORS
from properties.render.story import Story
from properties.results.cures import Violation


class Facts(facts.Facts):
    """Names and numbers of a run."""

    errors = ERRORS
    no_error = "it is still to come"

    @cached_property
    def system(self) -> ControllerDesign:
        return self.story.of(ControllerDesign)

    @property
    def ahead(self) -> str:
        """The attesters whose nodes want a later number."""
        return self.attesters(lambda node, _: node.task.next_number > self.asked)

    @property
    def elsewhere(self) -> str:
        """The attesters whose nodes have not started the batch that is asked for."""
        return self.attesters(lambda node, _: node.attestation.batch.number != self.asked)

    @property
    def dead(self) -> str:
        """The attesters whose nodes' tasks have ended."""
        return self.attesters(lambda node, _: ~node.task.is_alive)

    @property
    def restored(self) -> str:
        """How certificates came to be missing."""
        restores = [step for step in self.story.trace.steps if step.action == restore_database.name]
        if not restores:
            return "The main node's task went on with a later batch than its database asks for."
        kept = restores[-1].arguments["kept"]
        return (
            f"The main node's database was restored to a copy without the certificates from batch {kept} on, while its "
            "task went on with a later batch."
        )

    @property
    def ends(self) -> str:
        """What an error on the main node ends."""
        if self.system.revision.error_ends_task_only:
            return "ended its attestation task"
        return "ended its consensus, while its process and its API live on"


def reason(story: Story) -> Violation:
    """What a violation comes of, where its property says only that something follows in the end."""
    if story.claim.name == "every_batch_certified":
        for found in STANDSTILLS:
            if story.value(found.holds(story.system), len(story.trace.steps)):
                return "progress_possible", found.name
    return story.claim.name, story.trace.kind
