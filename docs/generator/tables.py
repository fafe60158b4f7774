"""The tables of the docs that repeat what the code has: no search is needed for them."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from model.registry_design import network, node
from model.revisions import CONTROLLER, PARTS, REVISIONS, of_design
from model.rules import threshold
from model.scope import Scope, instance
from model.transitions import Transition
from properties.claims.catalogue import CATALOGUE
from properties.claims.kinds import CounterexampleKind
from properties.commands.statuses import ALWAYS, COMMANDS, MEANINGS
from properties.logs.rules import Rules
from properties.render.command import scope_options
from properties.results.assurance import HEADS, assurances, explained
from properties.results.expected import FIGURES, expectations, plan_of
from properties.results.findings import COLUMNS, FINDINGS, RAN, Finding
from properties.results.history import RELEASES
from properties.results.kept import GROUPS, kept
from properties.results.places import all_places, is_tolerated
from properties.scopes.details import DETAILS
from properties.scopes.plans import PLANS, SHARP
from properties.stateful.profiles import PROFILES, Profile
from tests.broken_models import BROKEN_MODELS


def table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """A Markdown table."""
    lines = [list(head), *([str(cell) for cell in row] for row in rows)]
    lines.insert(1, ["---"] * len(lines[0]))
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def properties() -> str:
    """The catalogue of properties."""
    rows = ((f"`{claim.name}`", claim.kind, claim.sentence, claim.assumptions, claim.source) for claim in CATALOGUE)
    return table(("property", "kind", "sentence", "assumptions", "source"), rows)


def kinds() -> str:
    """The kinds of violations, each with the properties that it violates."""
    violated: dict[CounterexampleKind, list[str]] = {}
    for claim in CATALOGUE:
        for kind in claim.kinds:
            violated.setdefault(kind, []).append(f"`{claim.name}`")
    rows = ((f"`{kind.name}`", kind.sentence, kind.because, ", ".join(names)) for kind, names in violated.items())
    return table(("kind", "what it is", "why it is final", "violates"), rows)


def actions() -> str:
    """Every transition of a node or between nodes, with its source."""
    declared = (each for module in (node, network) for each in vars(module).values())
    found = {each.name: each for each in declared if isinstance(each, Transition)}
    found.pop(node.restart.name)  # a part of `restart_node`
    rows = ((f"`{each.name}`", each.about, each.source) for each in found.values())
    return table(("action", "what happens", "source"), rows)


def details() -> str:
    """The levels of detail."""
    return table(("detail", "what it tells apart"), ((f"`{each.name}`", each.about) for each in DETAILS.values()))


def plans() -> str:
    """The scopes of the ledger."""
    rows = (
        (each.name, "only with `--deep`" if each.deep else "by default", f"`{_options(each.scope)}`") for each in PLANS
    )
    return table(("scope", "checked", "options"), rows)


def _options(scope: Scope) -> str:
    return " ".join(f"--{name} {shlex.quote(value)}" for name, value in scope_options(scope))


def assurance() -> str:
    """What stands behind each property, as the table of expectations and what is kept of longer runs have it."""
    expected = ((name, scope, row) for name, scopes in expectations().items() for scope, row in scopes.items())
    rows = ((name, row) for name, scope, row in expected if (plan := plan_of(name, scope)) and is_tolerated(plan))
    spoken = {(group, name): count for group, of in kept("spoken").items() for name, count in of.items()}
    cells = ((each.group, *each.cells) for each in assurances(rows, spoken))
    return f"{table(('revisions', *HEADS), cells)}\n```text\n{explained(GROUPS)}\n```\n"


def ledger() -> str:
    """The expected verdicts, scope by scope. Revisions with the same verdicts share a column; what is the same on all
    is named below the table."""
    listed = {name for scopes in expectations().values() for name in scopes}
    names = dict.fromkeys(plan.name for plan in PLANS if plan.name in listed)
    return "\n".join(block for name in names for block in _of_scope(name))


def _of_scope(scope: str) -> Iterator[str]:
    found = {name: scopes[scope] for name, scopes in expectations().items() if scope in scopes}
    verdicts = {name: {key: value for key, value in row.items() if key not in FIGURES} for name, row in found.items()}
    columns: dict[tuple[str, ...], list[str]] = {}
    for revision, row in verdicts.items():
        columns.setdefault(tuple(row.values()), []).append(revision)
    names = list(next(iter(verdicts.values())))
    cells = dict(zip(names, zip(*columns, strict=True), strict=True))
    same = {name: row[0] for name, row in cells.items() if len({*row}) == 1}
    states = ("states", *("<br>".join(f"{found[name]['states']:,}" for name in alike) for alike in columns.values()))
    rows = [(f"`{name}`", *row) for name, row in cells.items() if name not in same]
    head = ("property", *("<br>".join(alike) for alike in columns.values()))
    yield f"### {scope}\n\n{table(head, [*rows, states])}"
    for verdict in dict.fromkeys(same.values()):
        alike = ", ".join(f"`{name}`" for name in names if same.get(name) == verdict)
        yield f"{verdict}{' on all' if len(found) > 1 else ''}: {alike}.\n"


def findings() -> str:
    """What is wrong, worst first: where it is found in the scopes of the ledger, and whether such a revision ran."""
    head = ("finding", "severity", *(column.title for column in COLUMNS), "ran", "known since", "cured by")
    return table(head, (tuple(_finding(each)) for each in FINDINGS))


def _finding(finding: Finding) -> Iterator[str]:
    yield f"[{finding.title}]({finding.name}.md)" if finding.has_page else finding.title
    yield finding.severity
    revisions = {place.revision for place in all_places(finding)}
    yield from ("yes" if any(map(column.has, revisions)) else "" for column in COLUMNS)
    yield "yes" if revisions & {*RAN} else "no" if revisions else ""
    yield finding.known_since
    yield finding.cured_by


def statuses() -> str:
    """The exit statuses, and which commands end with each."""
    rows = (
        (
            status.value,
            meaning,
            "any"
            if status in ALWAYS
            else ", ".join(f"`{name}`" for name, (_, ends) in COMMANDS.items() if status in ends),
        )
        for status, meaning in MEANINGS.items()
    )
    return table(("status", "meaning", "commands"), rows)


def finding(name: str) -> str:
    """Since when a finding is known, whether it ran, and what cures it."""
    found = next(each for each in FINDINGS if each.name == name)
    lines = (
        ("Known since", found.known_since),
        ("In a release", _released(found)),
        ("Cured by", "; ".join(filter(None, (found.cured_by, _redesigned(found)))) or "nothing that we know of"),
    )
    return "".join(f"* *{what}*: {text}\n" for what, text in lines)


def _redesigned(finding: Finding) -> str:
    """The redesign, if the ledger speaks of it, and has none of this there."""
    verdicts = [
        str(row.get(name, ""))
        for revision in of_design(CONTROLLER)
        for row in expectations().get(revision, {}).values()
        for name, _ in finding.shown_by
    ]
    is_shown = any(place.revision in of_design(CONTROLLER) for place in all_places(finding))
    speaks = any(not verdict.startswith(("NOT_", "VACUOUS")) for verdict in verdicts if verdict)
    return "the redesign, in the scopes searched" if speaks and not is_shown else ""


def _released(finding: Finding) -> str:
    """The releases with a revision on which the ledger has it."""
    if not finding.shown_by:
        return "nothing that is searched for shows it"
    shown = {place.revision for place in all_places(finding)}
    released = [name for name in RELEASES if name in shown]
    redesign = [name for name in of_design(CONTROLLER) if name in released]
    told = [f"`{name}`, {RELEASES[name]}" for name in released if name not in redesign]
    if len(redesign) == 1:
        told.append(f"`{redesign[0]}`, {RELEASES[redesign[0]]}")
    elif redesign:
        first, last = RELEASES[redesign[0]], RELEASES[redesign[-1]]
        told.append(f"`{redesign[0]}` to `{redesign[-1]}`, core {first.first} to {last.last or last.first}")
    return f"yes: {'; '.join(told)}" if told else "no"


def parts() -> str:
    """The parts that revisions are made of."""
    rows = (
        (f"`{name}`", part.about, f"`{part.after}`" if part.after else "", _switches(part.switches))
        for name, part in PARTS.items()
    )
    return table(("part", "what it does", "after", "switches"), rows)


def _switches(switches: Mapping[str, str | bool]) -> str:
    return ", ".join(f"`{name}`" if value is True else f"`{name}`: {value}" for name, value in switches.items())


def log_events(rules: Rules[Any]) -> str:
    """Which action of a design each event of its logs is, what is compared, and where the real code does it."""
    rows = (
        (
            f"`{rule.event}`",
            "<br>".join(f"`{action.name}`" for action in rule.actions) or "none",
            "<br>".join(rule.sources),
            ", ".join(f"`{field}`" for field in rule.compares),
            rule.note,
        )
        for rule in rules.by_event.values()
    )
    return table(("event", "action of the model", "source", "compared", "and"), rows)


CLAIMS = (
    ("161 (1): a registry has at most one quorum at a time", "at_most_one_quorum", "n2f0b0, 3 batches, joined"),
    ("161 (2): no gaps on the main node, if attesters are honest", "no_gaps_on_main_node", "n2f0b0, 3 batches, joined"),
    ("161 (2): external nodes may have gaps", "external_node_has_gap", "n1f0b0, 3 batches, joined, topology=relay"),
    ("161 (3): there is a start-up deadlock", "progress_possible", "n2f0b0, 3 batches, joined"),
    (
        "161 (3): until the main node is restarted",
        "restarts_help",
        "n1f0b0, 3 batches, joined, restarts=any, restarting=M",
    ),
    (
        "161 (3): the same, where votes flow both ways",
        "restarts_help",
        "n1f0b0, 3 batches, joined, echo=yes, restarts=any, restarting=M",
    ),
    ("161 (4): one batch after the other, without a backlog", "one_batch_at_a_time", "n2f0b0, 3 batches, joined"),
    ("165: the executor never starts, as merged; 166: it does", "executor_can_start", "n2f0b0, 3 batches, joined"),
    ("165: no gossip before the first answer", "gossips_before_first_answer", "n2f0b0, 3 batches, joined"),
    ("167: the number never falls while a node runs", "status_never_falls", "n2f0b0, 3 batches, joined"),
    ("167: a smaller number stops the node", "smaller_number_stops_node", "n2f0b0, 3 batches, joined"),
    ("2539: attestation starts at the genesis", "attestation_starts_at_first_batch", "n2f0b0, 3 batches, joined"),
    ("2539: the deadlock is cured, also in the end", "every_batch_certified", "n2f0b0, 3 batches, joined"),
    ("2544: a pruned main node never attests", "attestation_can_start", "n1f0b0, 3 batches, joined, pruned=M"),
    (
        "170: a bad signature does not cut the connection",
        "connections_survive_bad_votes",
        "n1f0b0, 2 batches, joined, topology=relay, bad_votes=bad signature",
    ),
    (
        "regenesis: no certificate mixes forks",
        "no_certificate_mixes_forks",
        "n1f0b0, 3 batches, joined, regeneses=1",
    ),
)
"""What the pull requests say, the property that says it, and the scope of the ledger in which it is looked up."""


def claims(start: str) -> str:
    """Each claim with its verdicts on all revisions of one start rule."""
    names = [name for name in REVISIONS if name.endswith(start)]
    rows = (
        (sentence, f"`{claim}`", scope, *(expectations()[name][scope][claim] for name in names))
        for sentence, claim, scope in CLAIMS
    )
    return table(("claim", "property", "scope", *(name.removesuffix(start)[:-1] for name in names)), rows)


def thresholds() -> str:
    """For each Byzantine weight, which claims hold."""
    chosen = ("no_gaps_on_main_node", "certificates_match_batches", "certificates_verify", "progress_possible")
    rows = []
    for plan in PLANS:
        if plan.revisions == SHARP:
            committee, found = instance(plan.instance), expectations()[SHARP[0]][plan.name]
            rows.append(
                (
                    f"`{plan.instance}`",
                    f"{committee.byzantine_weight} of {committee.total_weight}",
                    threshold(committee.total_weight),
                    *(found[name] for name in chosen),
                    f"{found['states']:,}",
                )
            )
    return table(("instance", "Byzantine", "quorum", *(f"`{name}`" for name in chosen), "states"), rows)


def broken_models() -> str:
    """What is changed in each broken model, the machine that notices it, and the properties that it violates."""
    rows = (
        (f"`{broken.name}`", broken.about, broken.caught_by, ", ".join(f"`{name}`" for name in broken.violates))
        for broken in BROKEN_MODELS
    )
    return table(("broken model", "what is changed", "machine that notices", "properties that it takes away"), rows)


def profiles() -> str:
    """How much each profile tries."""
    rows = (
        (f"`{each.name}`", f"{each.runs:,}", f"{each.system_runs:,}", f"{each.models:,}", each.seeds, _searched(each))
        for each in PROFILES.values()
    )
    head = ("profile", "runs of a machine", "runs of the system", "random systems", "seeds for a defect", "ledger")
    return table(head, rows)


def _searched(profile: Profile) -> str:
    if profile.larger:
        return "all, as `attestation check --deep`"
    return "a sample"
