"""A finished bug report, for readers who know GitHub and not this project."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import version
from itertools import zip_longest

from properties.claims.kinds import Kind
from properties.render import sources
from properties.render.command import repeat
from properties.render.explanations import opening
from properties.render.mermaid import diagram
from properties.render.sequence import told
from properties.render.story import Story
from properties.render.words import bounds, committee, left_out
from properties.render.words import loop as words_of_loop
from properties.results.findings import known_since
from properties.results.history import ran
from properties.results.trace import Trace, TraceStep

Lines = Iterator[str]
PACKAGE = "attestation-model"


def render(trace: Trace) -> str:
    """The report."""
    story = Story(trace)
    lines = [line for section in SECTIONS for line in section(story)]
    return "\n".join(lines).rstrip() + "\n"


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _result(story: Story) -> Lines:
    """The title, and cause, effect and cure."""
    trace, claim = story.trace, story.claim
    length = _count(len(trace.steps), "step") if trace.steps else "from the start on"
    kind = f" ({trace.kind})" if trace.kind else ""
    yield f"# `{claim.name}` {'happens' if trace.failed is None else f'is violated{kind}'}: {length}"
    yield ""
    if trace.failed is None:
        shown = "It is so from the start on." if not trace.steps else f"This run of {length} shows that it does."
        yield from (f"**{claim.sentence}** {shown}", "")
        return
    for what, sentence in opening(story).items():
        yield from (f"**{what}.** {sentence}", "")
    no_longer = "not" if claim.kind is Kind.ALWAYS else "no longer"
    when = f"After {length} it is {no_longer} true that" if trace.steps else "From the start on it is not true that"
    yield from (f"**{when} {trace.failed}.**", "")


def _what(story: Story) -> Lines:
    """What was found where, since when it is known, and whether it ever ran."""
    scope, claim, trace = story.trace.scope, story.claim, story.trace
    yield "| | |"
    yield "|---|---|"
    yield f"| Property | `{claim.name}` ({claim.kind}): {claim.sentence} From: {_linked(story, claim.source)} |"
    yield f"| Revision | `{trace.revision}`: {'; '.join(sources.decided(trace.revision))} |"
    if trace.failed is not None:
        yield f"| Known since | {known_since(claim.name, trace.kind, trace.revision)} |"
    yield f"| Ran in a release | {ran(trace.revision)} |"
    threshold = story.system.electorate.threshold.value
    yield f"| Committee | `{scope.instance.name}`: {committee(scope)}; a quorum needs weight {threshold} |"
    yield ""


def _linked(story: Story, source: str) -> str:
    return sources.linked(source, story.trace.revision)


def _table(story: Story) -> Lines:
    """The steps, with the fields that each changes, and how to read them; without steps, the state at the start."""
    if not story.trace.steps:
        yield from _start(story)
        return
    yield "## The run, step by step"
    yield ""
    yield from ("| step | node | action | changed |", "|---:|---|---|---|")
    fields: dict[str, None] = {}
    for number, step in enumerate(story.trace.steps, 1):
        changes = story.changes(number)
        fields.update(dict.fromkeys(change.field for change in changes))
        cell = "<br>".join(f"`{change.field}`: {change.before} → **{change.after}**" for change in changes)
        yield f"| {number} | {step.node} | `{step.call}` | {cell} |"
    yield ""
    if story.trace.loop is not None:
        yield f"{words_of_loop(story.trace)}."
        yield ""
    yield from _reading(story, list(fields))


def _start(story: Story) -> Lines:
    """The initial state."""
    yield from ("## The state at the start", "")
    values = story.fields(0)
    yield from _fields(values)
    yield ""
    if story.trace.loop is not None:
        yield f"{words_of_loop(story.trace)}."
        yield ""
    yield "<details><summary>What this stands for</summary>"
    yield ""
    yield from (f"* `{field}`: {meaning}" for field, meaning in story.words.legend(list(values)).items())
    yield from ("", "</details>", "")


def _reading(story: Story, fields: list[str]) -> Lines:
    """Who and what the table speaks of."""
    yield "<details><summary>How to read the table</summary>"
    yield ""
    names = {step.node for step in story.trace.steps}
    yield from (f"* `{name}`: {what}" for name, what in story.words.cast() if name in names)
    yield from (f"* `{field}`: {meaning}" for field, meaning in story.words.legend(fields).items())
    yield ""
    yield from ("| action | what happens | source |", "|---|---|---|")
    transitions = {step.action: story.transition(step) for step in story.trace.steps}
    for name, transition in transitions.items():
        yield f"| `{name}` | {transition.about} | {_linked(story, transition.source)} |"
    yield ""
    yield "</details>"
    yield ""


def _diagram(story: Story) -> Lines:
    """The run as a sequence diagram."""
    if not story.trace.steps:
        return
    yield "## The run as a diagram"
    yield ""
    yield "```mermaid"
    yield from diagram(story)
    yield "```"
    yield ""


def _false(story: Story) -> Lines:
    """The conjunct that is false, where that shows, and why it stays so."""
    conjunct = story.false_conjunct
    if conjunct is None:
        return
    yield "## What is false"
    yield ""
    yield f"> {conjunct.sentence}"
    yield ""
    witnesses = story.witnesses(conjunct.when) | story.witnesses(conjunct.holds)
    if story.kind is not None:
        yield f"**{story.kind.sentence}** {story.kind.because}"
        yield ""
        witnesses |= story.witnesses(story.kind.holds(story.system))
    if witnesses:
        yield "It shows in the last state:"
        yield ""
        yield from _fields(witnesses)
        yield ""
    yield from _aftermath(story)


def _fields(values: Mapping[str, str]) -> Lines:
    yield from (f"* `{field}`: {value}" for field, value in values.items())


def _aftermath(story: Story) -> Lines:
    """What can still happen."""
    after, conjunct = story.aftermath, story.false_conjunct
    if after is None or conjunct is None:
        return
    states = _count(after.states, "state") + _up_to(after.symmetry)
    if after.is_final:
        never = ", ".join(f"`{field}` is {value}" for field, value in story.witnesses(conjunct.holds).items())
        yield (
            f"{_without(story)}{states} can be reached from the last state, itself among them. "
            f"All of them were looked at, and {f'in all of them {never}' if never else 'it is so in all of them'}."
        )
    else:
        yield (
            f"Of what can be reached from the last state, only {states} were looked at, which does not show by itself "
            "that it is final."
        )
    yield ""


def _without(story: Story) -> str:
    """The steps that do not count as a way out."""
    actions = {action.name for action in story.system.actions}
    names = ", ".join(f"`{name}`" for name in sorted(story.claim.without & actions))
    return f"Without faults to the rescue ({names}), " if names else ""


def _up_to(symmetry: int | None) -> str:
    return " (up to the order of interchangeable attesters)" if symmetry else ""


def _searched(story: Story) -> Lines:
    """In which scope, what that leaves out, and why there is no shorter run."""
    yield "## What was searched"
    yield ""
    yield f"* Scope: {bounds(story.trace.scope, story.trace.arrangement, story.system.revision.design)}."
    yield f"* Assumed: {story.claim.assumptions}."
    yield f"* Left out: {'; '.join(left_out(story.trace.scope, story.system.revision.design)) or 'nothing'}."
    yield ""
    yield from _minimal(story)


def _minimal(story: Story) -> Lines:
    if story.trace.loop is not None:
        yield "That the run is minimal is not claimed: of runs that go on for ever, some other may be shorter."
        yield ""
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
        f"{_count(len(story.trace.steps), 'step')} reaches {what} in this scope."
    )
    yield ""


def _passing(story: Story) -> Lines:
    """The nearest run that goes well, beside this one."""
    passing = story.passing
    if passing is None:
        return
    shared = passing.shared
    yield "## The nearest run that goes well"
    yield ""
    same = f"Up to step {shared} both runs are the same. " if shared else ""
    yield (
        f"{same}**Step {shared + 1} is the first difference:** before it, the violation could be avoided for the last "
        "time. Both runs go on as follows."
    )
    yield ""
    yield from ("| step | this run | the run that goes well |", "|---:|---|---|")
    ours = zip(story.trace.steps, told(story), strict=True)
    theirs = zip(passing.trace.steps, told(Story(passing.trace, story.system)), strict=True)
    beside = list(zip_longest(ours, theirs))[shared:]
    for number, (here, there) in enumerate(beside, shared + 1):
        mark = "**→** " if number == shared + 1 else ""
        yield f"| {mark}{number} | {_cell(here, 'ends here')} | {_cell(there, 'has gone well')} |"
    yield ""


def _cell(step: tuple[TraceStep, list[str]] | None, otherwise: str) -> str:
    if step is None:
        return f"*{otherwise}*"
    return f"{step[0].node} `{step[0].call}`<br>{'<br>'.join(step[1])}"


def _package() -> str:
    return f"`{PACKAGE}` {version(PACKAGE)}"


def _repeat(story: Story) -> Lines:
    """How to find it again."""
    if story.trace.arrangement is not None:
        yield from ("## How to repeat it", "")
        yield (
            "The run comes from a log: `attestation replay LOG --out DIR` follows one and writes such runs as JSON, of "
            f"which `attestation trace --from FILE` made this report ({_package()}). That the model allows the run and "
            "that it violates the property was checked anew. That it was recorded, the file alone cannot show."
        )
        yield ""
        return
    command = repeat(story.trace, "markdown")
    if not command:
        return
    yield "## How to repeat it"
    yield ""
    yield f"In a checkout of {_package()}, with Python 3.11 or later:"
    yield ""
    yield "```sh"
    yield "pip install ."
    yield command
    yield "```"
    yield ""
    yield (
        "With `--format pytest` the same command writes a test that replays these very steps, with `--format html` a "
        "page to step through them."
    )
    yield ""


def _missed(story: Story) -> Lines:
    """Why the tests of the real code do not meet it."""
    reasons = sources.MISSED_BY.get(story.claim.name, ()) if story.trace.failed is not None else ()
    if not reasons:
        return
    yield "## Why era-consensus' own tests miss it"
    yield ""
    yield f"As read at `{sources.COMMIT[:8]}` (PR 161).{sources.since_then(story.trace.revision)}"
    yield ""
    yield from (f"* {_linked(story, reason)}" for reason in reasons)
    yield ""


SECTIONS: tuple[Callable[[Story], Lines], ...] = (
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
