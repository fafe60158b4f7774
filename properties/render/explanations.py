"""What a violation means, in a few plain sentences: what is false, what led there, what follows, and what cures it."""

from __future__ import annotations

from collections.abc import Mapping

from properties.render.story import Story
from properties.results.cures import Violation, advice

NO_CAUSE = "None that we can name: the last state is no point of no return of a kind that we know."


def explain(story: Story) -> str:
    """One or two sentences about the last state; nothing for a property without words of its own."""
    sentence = story.vocabulary.explanations.get(story.claim.name, "") if story.false_conjunct is not None else ""
    return sentence.format_map(story.vocabulary.facts(story))


def opening(story: Story) -> dict[str, str]:
    """Cause, effect and cure of a violation."""
    trace, words = story.trace, story.vocabulary
    if trace.failed is None:
        return {}
    violated, reason = (trace.claim, trace.kind), words.reason(story)
    return {
        "Cause": _told(story, words.causes, reason) or (story.kind.sentence if story.kind else NO_CAUSE),
        "Effect": _told(story, words.effects, violated) or f"It is not true that {trace.failed}.",
        "Cure": advice(trace.revision, trace.scope, violated, reason),
    }


def _told(story: Story, sentences: Mapping[str, str], about: Violation) -> str:
    """The sentence for the kind of counterexample, or else for the property."""
    claim, kind = about
    sentence = sentences.get(kind or "") or sentences.get(claim, "")
    return sentence.format_map(story.vocabulary.facts(story))
