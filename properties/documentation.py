"""The generated parts of `docs/`: what stands between `<!-- generated: NAME -->` and `<!-- end -->`.

NAME is a command line of `attestation`, whose output is shown, or one of `REGIONS`. `python -m
properties.documentation` writes all parts anew, and a test fails where one is out of date.
"""

from __future__ import annotations

import io
import re
import shlex
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import redirect_stdout
from pathlib import Path

from model import network, node
from model.qc_finder import PERSISTING, SETTING_MINIMUM, WAITING_FOR_QUORUM, WAITING_FOR_STATUS
from model.revisions import PARTS, PROPOSALS, REVISIONS
from model.revisions import revision as by_name
from model.rules import threshold
from model.scope import Scope, instance
from model.system import build
from model.transitions import Transition
from properties.checking import Check
from properties.claims.catalogue import CATALOGUE, claim
from properties.details import DETAILS
from properties.engines.stepper import Stepper
from properties.ledger import PLANS, SHARP, expectations
from properties.logs.rules import RULES
from properties.proofs import tables as proof_tables
from properties.render.command import scope_options
from properties.verdicts import Violated

DOCS = Path(__file__).parent.parent / "docs"

REGION = re.compile(r"(<!-- generated: (?P<name>.+?) -->\n).*?(<!-- end -->)", re.DOTALL)


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
    """The kinds of violations, of those properties that have kinds."""
    rows = (
        (f"`{claim.name}`", f"`{kind.name}`", kind.sentence, kind.because)
        for claim in CATALOGUE
        for kind in claim.kinds
    )
    return table(("property", "kind", "what it is", "why it is final"), rows)


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


def ledger() -> str:
    """The expected verdicts."""
    blocks = []
    for plan in PLANS:
        columns = {name: scopes[plan.name] for name, scopes in expectations().items() if plan.name in scopes}
        if columns:
            names = list(next(iter(columns.values())))
            rows = ((f"`{name}`", *(column[name] for column in columns.values())) for name in names)
            blocks.append(f"### {plan.name}\n\n{table(('property', *columns), rows)}")
    return "\n".join(blocks)


def parts() -> str:
    """The parts that revisions are made of."""
    rows = (
        (f"`{name}`", part.about, f"`{part.after}`" if part.after else "", _switches(part.switches))
        for name, part in PARTS.items()
    )
    return table(("part", "what it does", "after", "switches"), rows)


def _switches(switches: Mapping[str, str | bool]) -> str:
    return ", ".join(f"`{name}`" if value is True else f"`{name}`: {value}" for name, value in switches.items())


def proposals() -> str:
    """What the proposals cure: the kinds of points of no return without and with them, and whether there are gaps."""
    scope = Scope(instance("n1f0b0"), batches=3, own_finders=True)
    names = ["pr161+era2480", *(name for name in PROPOSALS if name.startswith("pr161+era2480"))]
    return table(("revision", "points of no return", "gaps"), ((f"`{name}`", *_harm(name, scope)) for name in names))


def _harm(name: str, scope: Scope) -> Iterator[str]:
    checked = Check(build(by_name(name), scope))
    stuck, gaps = (checked.verdict(claim(each)) for each in ("progress_possible", "no_gaps_on_main_node"))
    kinds = [f"`{trace.kind}`" for trace in stuck.kinds] if isinstance(stuck, Violated) else []
    yield ", ".join(kinds) or "none"
    yield "yes" if isinstance(gaps, Violated) else "none"


def finder_diagram() -> str:
    """The QC finder's phases, and the actions between them in the reachable states of a small scope."""
    system = build(next(iter(REVISIONS.values())), DETAILS["stepwise"].scope(instance("n1f0b0"), 2))
    stepper = Stepper(system)
    phase = next(place for place, variable in enumerate(system.variables) if variable.name == "M.finder.phase")
    edges, seen, todo = set(), {stepper.initial}, [stepper.initial]
    while todo:
        state = todo.pop()
        for action, after in stepper.successors(state):
            if state[phase] != after[phase]:
                edges.add((state[phase], stepper.action(action).name, after[phase]))
            if after not in seen:
                seen.add(after)
                todo.append(after)
    names = {
        WAITING_FOR_STATUS: "status",
        WAITING_FOR_QUORUM: "quorum",
        SETTING_MINIMUM: "minimum",
        PERSISTING: "persist",
    }
    words = {"status": "waiting for the status", "quorum": "waiting for a quorum", "minimum": "setting the minimum"}
    lines = ["stateDiagram-v2", *(f"    {name}: {words.get(name, 'persisting')}" for name in names.values())]
    lines += [f"    [*] --> {names[WAITING_FOR_STATUS]}"]
    lines += [f"    {names[before]} --> {names[after]}: {action}" for before, action, after in sorted(edges)]
    return "```mermaid\n" + "\n".join(lines) + "\n```\n"


def log_events() -> str:
    """Which action of the model each event of a log is, what is compared, and where the real code does it."""
    rows = (
        (
            f"`{rule.event}`",
            "<br>".join(f"`{action.name}`" for action in rule.actions) or "none",
            "<br>".join(rule.sources),
            ", ".join(f"`{field}`" for field in rule.compares),
            rule.note,
        )
        for rule in RULES.values()
    )
    return table(("event", "action of the model", "source", "compared", "and"), rows)


CLAIMS = (
    ("161 (1): at most one quorum is ever found", "at_most_one_quorum", "n2f0b0, 3 batches, joined"),
    ("161 (2): no gaps on the main node, if attesters are honest", "no_gaps_on_main_node", "n2f0b0, 3 batches, joined"),
    ("161 (2): external nodes may have gaps", "external_node_has_gap", "n1f0b0, 3 batches, joined, topology=relay"),
    ("161 (3): there is a start-up deadlock", "progress_possible", "n2f0b0, 3 batches, joined"),
    (
        "161 (3): until the main node is restarted",
        "restarts_help",
        "n1f0b0, 3 batches, joined, restarts=any, restarting=M",
    ),
    ("161 (4): one batch after the other, without a backlog", "one_batch_at_a_time", "n2f0b0, 3 batches, joined"),
    ("165: the executor never starts, as merged; 166: it does", "executor_can_start", "n2f0b0, 3 batches, joined"),
    ("165: no gossip before the first answer", "gossips_before_first_answer", "n2f0b0, 3 batches, joined"),
    ("167: the number never falls while a node runs", "status_never_falls", "n2f0b0, 3 batches, joined"),
    ("167: a smaller number stops the node", "smaller_number_stops_node", "n2f0b0, 3 batches, joined"),
    ("2539: attestation starts at the genesis", "attestation_starts_at_first_batch", "n2f0b0, 3 batches, joined"),
    ("2539: the deadlock is cured, also in the end", "every_batch_certified", "n2f0b0, 3 batches, joined"),
    ("2544: a pruned main node never attests", "attestation_can_start", "n1f0b0, 2 batches, joined, pruned=M"),
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
        (sentence, f"`{claim}`", scope, *(expectations().get(name, {}).get(scope, {}).get(claim, "") for name in names))
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


REGIONS: dict[str, Callable[[], str]] = {
    "properties": properties,
    "kinds": kinds,
    "actions": actions,
    "parts": parts,
    "proposals": proposals,
    "details": details,
    "plans": plans,
    "ledger": ledger,
    "claims, last sealed": lambda: claims("era2480"),
    "claims, genesis": lambda: claims("era2539"),
    "thresholds": thresholds,
    "finder diagram": finder_diagram,
    "log events": log_events,
    "proof theorems": lambda: table(*proof_tables.theorems()),
    "proof invariant": lambda: table(*proof_tables.invariant()),
    "proof obligations, genesis start": lambda: table(*proof_tables.obligations(proof_tables.PROVED_START)),
    "proof obligations, last-sealed start": lambda: table(*proof_tables.obligations(proof_tables.BROKEN_START)),
    "proof deadlock": lambda: table(*proof_tables.predicate()),
    "proof cures": lambda: table(*proof_tables.cures()),
    "proof threshold": lambda: table(*proof_tables.threshold()),
}


def generate(name: str) -> str:
    """The text of one region. Raises `KeyError` for an unknown name."""
    if not name.startswith("attestation "):
        return REGIONS[name]()
    from properties.cli import main

    printed = io.StringIO()
    with redirect_stdout(printed):
        main(shlex.split(name)[1:])
    return printed.getvalue()


def refresh(text: str) -> str:
    """The page with every region generated anew."""
    return REGION.sub(lambda match: f"{match[1]}\n{generate(match['name'])}\n{match[3]}", text)


def main() -> int:
    """Write all pages anew; say which have changed."""
    for page in sorted(DOCS.rglob("*.md")):
        before = page.read_text(encoding="utf-8")
        after = refresh(before)
        if after != before:
            page.write_text(after, encoding="utf-8")
            print(f"{page.relative_to(DOCS.parent)} is new")
    return 0


if __name__ == "__main__":
    sys.exit(main())
