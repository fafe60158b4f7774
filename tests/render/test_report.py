"""The page for reviewers: it says what was found, its links lead somewhere, and its runs can be stepped through."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from properties.cli import main
from properties.commands.report import PAGE
from properties.results.expected import expectations
from properties.scopes.plans import PLANS

SEARCHES = ("--instance", "n1f0b0", "--revision", "pr170+era2539", "--revision", "pr175+era2657")
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    assert main(["report", *SEARCHES, "--out", str(folder)]) == 0
    return folder / PAGE


class Addresses(HTMLParser):
    """Collects what the page would load, its links and their places."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.links: list[str] = []
        self.places: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if value and name == "id":
                self.places.append(value)
            elif value and name == "href" and tag == "a":
                self.links.append(value)
            elif value and name in ("src", "srcset", "href", "data"):
                self.loaded.append(value)


def test_it_loads_nothing_and_its_links_lead_somewhere(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    found = Addresses(text)
    assert found.loaded == ["data:,"]
    assert len({*found.places}) == len(found.places)
    assert {link[1:] for link in found.links if link.startswith("#")} <= {*found.places}
    assert "default-src 'none'" in text


def test_the_verdicts_are_those_of_the_table_of_expectations(file: Path) -> None:
    """In how many scopes each claim fails, for each revision: counted here in another way."""
    text = re.sub(r"<[^>]*>", " ", file.read_text(encoding="utf-8"))
    for claim in ("progress_possible", "no_gaps_on_main_node", "certificate_stored"):
        part = text.partition(f"Verdicts on {claim}, by revision ")[2]
        for revision in SEARCHES[3::2]:
            plans = [plan for plan in PLANS if plan.instance == "n1f0b0" and plan.is_for(revision) and not plan.deep]
            rows = [expectations()[revision][plan.name] for plan in plans]
            failing = sum(str(row[claim]).startswith(("VIOLATED", "UNREACHED")) for row in rows)
            row = re.search(rf"{re.escape(revision)}\s+(\d+)\s+(\d+)\s+(\d+)", part)
            assert row is not None
            assert int(row[1]) == failing


def test_a_run_is_stepped_through_within_the_page(browser: Any, file: Path) -> None:
    browser.get(file.as_uri())
    browser.get_log("browser")
    browser.find_element("css selector", "[data-run=consensus-ends]").click()
    browser.switch_to.frame(browser.find_element("css selector", "dialog iframe"))
    browser.find_element("id", "last").click()
    assert browser.find_element("id", "where").text == "2 / 2"
    assert "False now" in browser.find_element("id", "step").text
    browser.switch_to.default_content()
    browser.find_element("id", "close").click()
    assert not browser.find_elements("tag name", "iframe")
    assert browser.get_log("browser") == []


@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_itself_never_scrolls_sideways(browser: Any, file: Path, width: int) -> None:
    browser.set_window_size(width, 900)
    browser.get(file.as_uri())
    assert browser.execute_script("return document.documentElement.scrollWidth <= window.innerWidth")


def test_a_report_that_is_cut_short_says_so(tmp_path: Path) -> None:
    assert main(["report", *SEARCHES, "--max-states", "1", "--out", str(tmp_path)]) == 3
    assert "CUT SHORT" in (tmp_path / PAGE).read_text(encoding="utf-8")
