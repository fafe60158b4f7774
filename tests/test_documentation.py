"""Nothing in the docs is out of date: generated parts are fresh, examples run, links lead somewhere."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from docs.generator import pages
from docs.generator.pages import DOCS, REGION, made
from properties.cli import main

ROOT = DOCS.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted(DOCS.rglob("*.md"))]
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]


GENERATED = [
    pytest.param(
        region["name"],
        region["text"],
        id=f"{page.relative_to(ROOT)}: {region['name']}",
        marks=pytest.mark.deep if region["cost"] else [],
    )
    for page in PAGES
    for region in REGION.finditer(page.read_text(encoding="utf-8"))
]


@pytest.mark.parametrize(("name", "text"), GENERATED)
def test_generated_parts_are_up_to_date(name: str, text: str) -> None:
    assert made(name) == text, "run: make docs"


def test_a_check_names_what_is_out_of_date_and_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "docs" / "page.md"
    page.parent.mkdir()
    monkeypatch.setattr(pages, "DOCS", page.parent)
    stale = "<!-- generated: exit statuses -->\nstale\n<!-- end -->"
    page.write_text(stale)
    assert list(pages.write([], deeply=False, is_check=True)) == ["docs/page.md"]
    assert page.read_text() == stale
    assert list(pages.write([], deeply=False)) == ["docs/page.md"]
    assert made("exit statuses") in page.read_text()
    assert list(pages.write([], deeply=False, is_check=True)) == []


def test_a_word_that_is_in_no_name_is_refused() -> None:
    command = [sys.executable, "-m", "docs.generator", "--check", "exit statusses"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert "no page or name of a generated part has 'exit statusses' in it" in ended.stderr


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


def console(page: Path) -> list[tuple[str, str]]:
    """The commands that a page shows, with what it says that they print; `...` stands for any lines."""
    shown = re.findall(r"^```console\n(.*?)^```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    parts = [part.partition("\n") for block in shown for part in block.removeprefix("$ ").split("\n$ ")]
    return [(command, output) for command, _, output in parts]


def test_what_a_newcomer_types_prints_what_the_page_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    commands = console(DOCS / "start-here.md")
    assert len(commands) == 5
    for command, output in commands:
        main(shlex.split(command)[1:])
        pattern = re.escape(output).replace(re.escape("...\n"), "(?:.*\n)*?")
        assert re.fullmatch(pattern, capsys.readouterr().out), command
    assert (tmp_path / "report.md").read_text(encoding="utf-8").startswith("# `progress_possible` is violated")


@pytest.mark.slow
def test_the_site_is_built_without_warnings_and_has_every_page(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path)]
    quiet = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    built = subprocess.run(command, cwd=ROOT, env=quiet, capture_output=True, text=True, check=False)
    assert (built.returncode, built.stdout, built.stderr) == (0, "", "")
    pages = {page.relative_to(DOCS) for page in DOCS.rglob("*.md")}
    wanted = {page.with_stem(page.stem.replace("README", "index")).with_suffix(".html") for page in pages}
    assert wanted <= {page.relative_to(tmp_path) for page in tmp_path.rglob("*.html")}
    named = re.findall(r"[\w./-]+\.md", (ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    assert set(map(Path, named)) == pages
