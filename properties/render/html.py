"""One self-contained page to step through a trace, without a network. `player.html` has its styles and its script."""

from __future__ import annotations

import html
import json
from dataclasses import asdict
from importlib.resources import files
from typing import Any

from properties.claims.kinds import Kind
from properties.render.command import repeat
from properties.render.explanations import explain, opening
from properties.render.sequence import Form, events
from properties.render.sources import FILE, file_url
from properties.render.story import Standing, Story
from properties.render.words import bounds, committee, left_out
from properties.render.words import loop as words_of_loop
from properties.results.findings import known_since
from properties.results.history import ran
from properties.results.trace import Trace


def render(trace: Trace) -> str:
    story = Story(trace)
    frame = files("properties.render").joinpath("player.html").read_text(encoding="utf-8")
    # Within a script element nothing but "<" could end it or begin a comment.
    data = json.dumps(page(story), ensure_ascii=False).replace("<", "\\u003c")
    return frame.replace("@TITLE@", html.escape(_title(trace))).replace("@TRACE@", data)


def _title(trace: Trace) -> str:
    kind = f" ({trace.kind})" if trace.kind else ""
    return f"{trace.claim} {'happens' if trace.failed is None else 'is violated'}{kind}"


def page(story: Story) -> dict[str, Any]:
    """All that the page shows. `standings` is by state and conjunct."""
    trace = story.trace
    values = [story.fields(number) for number in range(len(story.states))]
    return {
        "title": _title(trace),
        "result": _result(story),
        "opening": opening(story) or {"It happens.": story.claim.sentence},
        "because": f"Why it is final: {story.kind.because}" if story.kind else explain(story),
        "about": _about(story),
        "steps": _steps(story),
        "loop": trace.loop,
        "loopText": "" if trace.loop is None else words_of_loop(trace),
        "fields": list(values[0]),
        "states": values,
        "conjuncts": [conjunct.sentence for conjunct in story.conjuncts],
        "standings": [[standing.name for standing in standings] for standings in story.standings()],
        "standingTexts": {standing.name: str(standing) for standing in Standing},
        "people": [{"name": name, "what": what} for name, what in story.words.cast()],
        "events": _events(story),
    }


def _result(story: Story) -> str:
    trace = story.trace
    if not trace.steps:
        return "It is so from the start on." if trace.failed is None else f"From the start on: not so: {trace.failed}."
    if trace.failed is None:
        return f"This run of {len(trace.steps)} steps shows that it happens."
    no_longer = "not" if story.claim.kind is Kind.ALWAYS else "no longer"
    return f"After {len(trace.steps)} steps it is {no_longer} true that {trace.failed}."


def _about(story: Story) -> list[dict[str, str]]:
    """What the run is of, as pairs."""
    scope = story.trace.scope
    pairs = {
        "Revision": f"{story.trace.revision}: {story.system.revision.about}",
        "Instance": f"{scope.instance.name}: {committee(scope)}",
        "Scope": bounds(scope, story.trace.arrangement, story.system.revision.design),
        "Left out": "; ".join(left_out(scope, story.system.revision.design)),
        "Assumed": story.claim.assumptions,
        "Known since": known_since(story.claim.name, story.trace.kind, story.trace.revision)
        if story.trace.failed
        else "",
        "Ran in a release": ran(story.trace.revision),
        "Property": f"{story.claim.sentence} From: {story.claim.source}",
        "Repeat it with": repeat(story.trace, "html"),
    }
    return [{"term": term, "text": text} for term, text in pairs.items() if text]


def _steps(story: Story) -> list[dict[str, Any]]:
    steps = []
    for step in story.trace.steps:
        transition = story.transition(step)
        file = FILE.search(transition.source)
        steps.append(
            {
                "node": step.node,
                "call": step.call,
                "about": transition.about,
                "source": transition.source,
                "url": file_url(file[1], story.trace.revision) if file else None,
            }
        )
    return steps


def _events(story: Story) -> list[dict[str, Any]]:
    """The events of the diagram; what arrives, or does not, has the position of the event that sent it."""
    told: list[dict[str, Any]] = []
    sent: dict[tuple[str, str, str], int] = {}
    for event in events(story):
        ends = (event.source, event.target, event.line)
        if event.form is Form.SEND:
            sent[ends] = len(told)
        travels = event.form in (Form.RECEIVE, Form.SKIP, Form.LOSS) and event.source != event.target
        told.append({**asdict(event), "sent": sent.get(ends) if travels else None})
    return told
