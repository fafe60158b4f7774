"""Nothing in the docs is out of date: generated parts are fresh, examples run, links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from properties.documentation.pages import DOCS, REGION, made

ROOT = DOCS.parent
PAGES = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]


COST = {None: [], " slowly": [pytest.mark.slow], " deeply": [pytest.mark.slow, pytest.mark.deep]}

GENERATED = [
    pytest.param(
        region["name"],
        region["text"],
        id=f"{page.relative_to(ROOT)}: {region['name']}",
        marks=COST[region["cost"]],
    )
    for page in PAGES
    for region in REGION.finditer(page.read_text(encoding="utf-8"))
]


@pytest.mark.parametrize(("name", "text"), GENERATED)
def test_generated_parts_are_up_to_date(name: str, text: str) -> None:
    assert made(name) == text, "run: make docs"


def test_every_mark_begins_or_ends_a_generated_part() -> None:
    """A misspelt one would leave what stands there as it is for ever."""
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        regions = list(REGION.finditer(text))
        assert text.count("<!-- generated") == text.count("<!-- end") == len(regions), page.name
        assert all("<!--" not in region["text"] for region in regions), page.name


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text):
        assert (page.parent / target).exists(), f"{target} is missing"


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_examples_run(page: Path, capsys: pytest.CaptureFixture[str]) -> None:
    examples = re.findall(r"^```python\n(.*?)^```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    for number, example in enumerate(examples, 1):
        exec(compile(example, f"{page.name}, example {number}", "exec"), {"__name__": "example"})
    capsys.readouterr()
