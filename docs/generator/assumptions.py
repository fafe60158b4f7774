"""The parts of `docs/assumptions.md`: what becomes of each property without each of its assumptions, as it was kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from docs.generator.tables import table
from properties.claims.assumptions import ASSUMPTIONS
from properties.results.kept import kept


def sentences() -> str:
    """What each of them says."""
    rows = ((f"`{each.name}`", each.sentence, ", ".join(each.designs)) for each in ASSUMPTIONS)
    return table(("name", "assumption", "designs"), rows)


def needed() -> str:
    """For each property what breaks it, by the assumption that is dropped."""
    rows = (
        (f"`{name}`", f"`{assumption}`", _length(found), f"`{found['on']}`", f"`{found['command']}`")
        for name, outcome in kept("dropped").items()
        for assumption, found in outcome["needed"].items()
    )
    return table(("property", "without", "breaks in", "on", "command"), rows)


def _length(found: Mapping[str, Any]) -> str:
    if found["word"] == "UNREACHED":
        return "it does not occur"
    steps = f"{found['steps']} step{'s' if found['steps'] != 1 else ''}"
    return steps + (", a loop among them" if found["loops"] else "")


CLASSES = {
    "held": "holds without each of",
    "silent": "says nothing without",
    "implied": "breaks too, which is implied",
    "open": "search cut short",
}


def others() -> str:
    """For each property, without which assumptions it does not break; and where all that was looked at."""
    rows = (
        (f"`{name}`", *(", ".join(f"`{each}`" for each in outcome.get(kind, ())) for kind in CLASSES))
        for name, outcome in kept("dropped").items()
    )
    return f"{table(('property', *CLASSES.values()), rows)}\n" + "\n".join(_places())


def _places() -> Iterator[str]:
    """Where the properties were looked at, those of one place together."""
    together: dict[tuple[str, ...], list[str]] = {}
    for name, outcome in kept("dropped").items():
        together.setdefault(tuple(outcome["looked_at"]), []).append(f"`{name}`")
    yield "They were looked at where they hold and say something:\n"
    for places, names in together.items():
        revisions, scopes = zip(*(place.split(" in ", 1) for place in places), strict=True)
        on = ", ".join(f"`{revision}`" for revision in revisions)
        yield f"* {'; '.join(dict.fromkeys(scopes))}, on {on}: {', '.join(names)}."
    yield ""
