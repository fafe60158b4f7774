"""A finished bug report, for readers who know GitHub and not this project."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import version
from itertools import zip_longest

from properties.claims.kinds import Conjunct, Kind
from properties.commands.usage import counted
from properties.render import sources
from properties.render.command import repeat
from properties.render.explanations import opening
from properties.render.mermaid import diagram
from properties.render.sequence import told
from properties.render.story import Aftermath, Story
from properties.render.words import bounds, committee, left_out
from properties.render.words import loop as words_of_loop
from properties.results.findings import known_since
from properties.results.history import ran
from properties.results.trace import Trace, TraceStep

Blocks = Iterator[str]
"""Paragraphs, headings, lists and tables, between which a line is left blank."""

PACKAGE = f"`attestation-model` {version('attestation-model')}"


def render(trace: Trace) -> str:
    story = Story(trace)
    return "\n\n".join(block for section in SECTIONS for block in section(story)) + "\n"


def _rows(*lines: str) -> str:
    """The lines of a list or of a table."""
    return "\n".join(lines)


def _result(story: Story) -> Blocks:
    """The title, and cause, effect and cure."""
    trace, claim = story.trace, story.claim
    length = counted(len(trace.steps), "step") if trace.steps else "from the start on"
    kind = f" ({trace.kind})" if trace.kind else ""
    yield f"# `{claim.name}` {'happens' if trace.failed is None else f'is violated{kind}'}: {length}"
    if trace.failed is None:
        shown = "It is so from the start on." if not trace.steps else f"This run of {length} shows that it does."
        yield f"**{claim.sentence}** {shown}"
        return
    for what, sentence in opening(story).items():
        yield f"**{what}.** {sentence}"
    no_longer = "not" if claim.kind is Kind.ALWAYS else "no longer"
    when = f"After {length} it is {no_longer} true that" if trace.steps else "From the start on it is not true that"
    yield f"**{when} {trace.failed}.**"


def _what(story: Story) -> Blocks:
    """What was found where, since when it is known, and whether it ever ran."""
    scope, claim, trace = story.trace.scope, story.claim, story.trace
    threshold = story.system.electorate.threshold.value
    facts = {
        "Property": f"`{claim.name}` ({claim.kind}): {claim.sentence} From: {_linked(story, claim.source)}",
        "Revision": f"`{trace.revision}`: {'; '.join(sources.decided(trace.revision))}",
        "Known since": trace.failed and known_since(claim.name, trace.kind, trace.revision),
        "Ran in a release": ran(trace.revision),
        "Committee": f"`{scope.instance.name}`: {committee(scope)}; a quorum needs weight {threshold}",
    }
    yield _rows("| | |", "|---|---|", *(f"| {name} | {fact} |" for name, fact in facts.items() if fact is not None))


def _linked(story: Story, source: str) -> str:
    return sources.linked(source, story.trace.revision)


def _table(story: Story) -> Blocks:
    """The steps, with the fields that each changes, and how to read them; without steps, the state at the start."""
    if not story.trace.steps:
        yield from _start(story)
        return
    yield "## The run, step by step"
    lines: list[str] = []
    fields: dict[str, None] = {}
    for number, step in enumerate(story.trace.steps, 1):
        changes = story.changes(number)
        fields.update(dict.fromkeys(change.field for change in changes))
        cell = "<br>".join(f"`{change.field}`: {change.before} → **{change.after}**" for change in changes)
        lines.append(f"| {number} | {step.node} | `{step.call}` | {cell} |")
    yield _rows("| step | node | action | changed |", "|---:|---|---|---|", *lines)
    yield from _loop(story)
    yield from _reading(story, list(fields))


def _start(story: Story) -> Blocks:
    values = story.fields(0)
    yield "## The state at the start"
    yield _fields(values)
    yield from _loop(story)
    yield "<details><summary>What this stands for</summary>"
    yield _legend(story, list(values))
    yield "</details>"


def _loop(story: Story) -> Blocks:
    if story.trace.loop is not None:
        yield f"{words_of_loop(story.trace)}."


def _legend(story: Story, fields: list[str]) -> str:
    return _rows(*(f"* `{field}`: {meaning}" for field, meaning in story.words.legend(fields).items()))


def _reading(story: Story, fields: list[str]) -> Blocks:
    """Who and what the table speaks of."""
    names = {step.node for step in story.trace.steps}
    transitions = {step.action: story.transition(step) for step in story.trace.steps}
    told = (f"| `{name}` | {each.about} | {_linked(story, each.source)} |" for name, each in transitions.items())
    yield "<details><summary>How to read the table</summary>"
    yield _rows(*(f"* `{name}`: {what}" for name, what in story.words.cast() if name in names), _legend(story, fields))
    yield _rows("| action | what happens | source |", "|---|---|---|", *told)
    yield "</details>"


def _diagram(story: Story) -> Blocks:
    if story.trace.steps:
        yield "## The run as a diagram"
        yield _rows("```mermaid", *diagram(story), "```")


def _false(story: Story) -> Blocks:
    """The conjunct that is false, where that shows, and why it stays so."""
    conjunct = story.false_conjunct
    if conjunct is None:
        return
    yield "## What is false"
    yield f"> {conjunct.sentence}"
    witnesses = story.witnesses(conjunct.when) | story.witnesses(conjunct.holds)
    if story.kind is not None:
        yield f"**{story.kind.sentence}** {story.kind.because}"
        witnesses |= story.witnesses(story.kind.holds(story.system))
    if witnesses:
        yield "It shows in the last state:"
        yield _fields(witnesses)
    if story.aftermath is not None:
        yield _aftermath(story, story.aftermath, conjunct)


def _fields(values: Mapping[str, str]) -> str:
    return _rows(*(f"* `{field}`: {value}" for field, value in values.items()))


def _aftermath(story: Story, after: Aftermath, conjunct: Conjunct) -> str:
    """What can still happen."""
    states = counted(after.states, "state") + _up_to(after.symmetry)
    if not after.is_final:
        return (
            f"Of what can be reached from the last state, only {states} were looked at, which does not show by itself "
            "that it is final."
        )
    never = ", ".join(f"`{field}` is {value}" for field, value in story.witnesses(conjunct.holds).items())
    return (
        f"{_without(story)}{states} can be reached from the last state, itself among them. "
        f"All of them were looked at, and {f'in all of them {never}' if never else 'it is so in all of them'}."
    )


def _without(story: Story) -> str:
    """The steps that do not count as a way out."""
    actions = {action.name for action in story.system.actions}
    names = ", ".join(f"`{name}`" for name in sorted(story.claim.without & actions))
    return f"Without faults to the rescue ({names}), " if names else ""


def _up_to(symmetry: int | None) -> str:
    return " (up to the order of interchangeable attesters)" if symmetry else ""


def _searched(story: Story) -> Blocks:
    """In which scope, what that leaves out, and why there is no shorter run."""
    design = story.system.revision.design
    yield "## What was searched"
    yield _rows(
        f"* Scope: {bounds(story.trace.scope, story.trace.arrangement, design)}.",
        f"* Assumed: {story.claim.assumptions}.",
        f"* Left out: {'; '.join(left_out(story.trace.scope, design)) or 'nothing'}.",
    )
    if story.trace.loop is not None:
        yield "That the run is minimal is not claimed: of runs that go on for ever, some other may be shorter."
        return
    facts = story.trace.facts or {}
    states, of_kind = facts.get("states in all"), facts.get("states of this kind")
    if states is None or not story.trace.steps:
        return
    among = f", {of_kind:,} of them of this kind" if of_kind is not None else ""
    what = f"a state of the kind `{story.trace.kind}`" if story.trace.kind else "such a state"
    yield (
        "The search goes breadth-first: all runs of one step, then all runs of two, and so on. It looked at "
        f"{states:,} states{_up_to(facts.get('symmetry'))}{among}. No run of fewer than "
        f"{counted(len(story.trace.steps), 'step')} reaches {what} in this scope."
    )


def _passing(story: Story) -> Blocks:
    """The nearest run that goes well, beside this one."""
    passing = story.passing
    if passing is None:
        return
    shared = passing.shared
    same = f"Up to step {shared} both runs are the same. " if shared else ""
    yield "## The nearest run that goes well"
    yield (
        f"{same}**Step {shared + 1} is the first difference:** before it, the violation could be avoided for the last "
        "time. Both runs go on as follows."
    )
    ours = zip(story.trace.steps, told(story), strict=True)
    theirs = zip(passing.trace.steps, told(Story(passing.trace, story.system)), strict=True)
    lines = [
        f"| {'' if number else '**→** '}{shared + 1 + number} | {_cell(here, 'ends here')} "
        f"| {_cell(there, 'has gone well')} |"
        for number, (here, there) in enumerate(list(zip_longest(ours, theirs))[shared:])
    ]
    yield _rows("| step | this run | the run that goes well |", "|---:|---|---|", *lines)


def _cell(step: tuple[TraceStep, list[str]] | None, otherwise: str) -> str:
    if step is None:
        return f"*{otherwise}*"
    return f"{step[0].node} `{step[0].call}`<br>{'<br>'.join(step[1])}"


def _repeat(story: Story) -> Blocks:
    """How to find it again."""
    command = repeat(story.trace, "markdown")
    if story.trace.arrangement is not None:
        yield "## How to repeat it"
        yield (
            "The run comes from a log: `attestation replay LOG --out DIR` follows one and writes such runs as JSON, of "
            f"which `attestation trace --from FILE` made this report ({PACKAGE}). That the model allows the run and "
            "that it violates the property was checked anew. That it was recorded, the file alone cannot show."
        )
    elif command:
        yield "## How to repeat it"
        yield f"In a checkout of {PACKAGE}, with Python 3.11 or later:"
        yield _rows("```sh", "pip install .", command, "```")
        yield (
            "With `--format pytest` the same command writes a test that replays these very steps, with `--format html` "
            "a page to step through them."
        )


def _missed(story: Story) -> Blocks:
    """Why the tests of the real code do not meet it."""
    reasons = sources.MISSED_BY.get(story.claim.name, ()) if story.trace.failed is not None else ()
    if reasons:
        yield "## Why era-consensus' own tests miss it"
        yield f"As read at `{sources.COMMIT[:8]}` (PR 161).{sources.since_then(story.trace.revision)}"
        yield _rows(*(f"* {_linked(story, reason)}" for reason in reasons))


SECTIONS: tuple[Callable[[Story], Blocks], ...] = (
    _result,
    _what,
    _diagram,
    _table,
    _false,
    _searched,
    _passing,
    _repeat,
    _missed,
)
"""The report, from top to bottom."""
