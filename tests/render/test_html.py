"""The page in a real browser: stepping, marking, following, on a phone, in the dark, without a network.

Skipped where there is no Chromium with its driver (Debian: chromium, chromium-driver) or no selenium.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from properties.render import FORMATS
from properties.results.trace import Trace

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def page(vote_lost: Trace) -> str:
    return FORMATS["html"](vote_lost)


@pytest.fixture
def opened(browser: Any, page: str, tmp_path: Path) -> Any:
    """The page, at its start."""
    return show(browser, page, tmp_path)


def show(browser: Any, page: str, folder: Path, at: str = "") -> Any:
    path = folder / "trace.html"
    path.write_text(page, encoding="utf-8")
    browser.get(f"{path.as_uri()}{at}")
    return browser


def press(browser: Any, *keys: str) -> None:
    from selenium.webdriver.common.keys import Keys

    for key in keys:
        browser.switch_to.active_element.send_keys(getattr(Keys, key))


def wait(browser: Any, until: Callable[[], bool]) -> None:
    from selenium.webdriver.support.wait import WebDriverWait

    WebDriverWait(browser, 5).until(lambda _: until())


def text(browser: Any, selector: str) -> str:
    return str(browser.find_element("css selector", selector).get_property("textContent"))


def texts(browser: Any, selector: str) -> list[str]:
    return [str(found.get_property("textContent")) for found in browser.find_elements("css selector", selector)]


class Addresses(HTMLParser):
    """Collects what a browser would load."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attrs if name in ("src", "srcset", "href", "data") and value]


def test_the_page_loads_nothing(page: str) -> None:
    addresses = Addresses()
    addresses.feed(page)
    assert addresses.found == ["data:,"]
    assert "default-src 'none'" in page
    assert "@import" not in page
    assert "url(" not in page


def test_the_data_cannot_end_its_script(vote_lost: Trace, page: str) -> None:
    data = re.search(r'<script type="application/json" id="trace">(.*?)</script>', page, re.DOTALL)
    assert data is not None
    assert "<" not in data[1]


def colours(page: str) -> Iterator[dict[str, str]]:
    """The colours by name, in the light and in the dark."""
    light, dark = re.findall(r":root \{(.*?)\}", page, re.DOTALL)
    base = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", light))
    yield base
    yield base | dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", dark))


def luminance(colour: str) -> float:
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize(
    ("front", "back"),
    [
        *(("text", back) for back in ("page", "card", "changed", "note", "note-now")),
        *(("quiet", back) for back in ("page", "card", "changed")),
        *(("accent", back) for back in ("page", "card")),
        ("accent-text", "accent"),
        ("good", "card"),
        ("bad", "card"),
        ("bad", "bad-fill"),
        ("bad", "changed"),
    ],
)
def test_the_contrast_is_that_of_wcag_aa(page: str, front: str, back: str) -> None:
    for palette in colours(page):
        light, dark = sorted((luminance(palette[front]), luminance(palette[back])), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5


def test_stepping_forward_and_back_by_key(opened: Any) -> None:
    assert text(opened, "#where") == "0 / 21"
    press(opened, "ARROW_RIGHT", "ARROW_RIGHT")
    assert text(opened, "#where") == "2 / 21"
    assert "2 of 21: b update_status()" in text(opened, "#step")
    press(opened, "ARROW_LEFT")
    assert text(opened, "#where") == "1 / 21"
    press(opened, "END", "ARROW_RIGHT")
    assert text(opened, "#where") == "21 / 21"
    press(opened, "HOME", "ARROW_LEFT")
    assert text(opened, "#where") == "0 / 21"


def test_the_buttons_the_slider_and_the_address_step_too(opened: Any, page: str, tmp_path: Path) -> None:
    opened.find_element("id", "next").click()
    assert text(opened, "#where") == "1 / 21"
    opened.find_element("id", "last").click()
    assert opened.find_element("id", "next").get_property("disabled")
    opened.find_element("id", "slider").send_keys("\ue012")  # arrow left
    assert text(opened, "#where") == "20 / 21"
    assert opened.execute_script("return location.hash") == "#step=20"
    opened.get("about:blank")
    assert text(show(opened, page, tmp_path, "#step=17"), "#where") == "17 / 21"


def test_the_address_steps_in_an_open_tab(opened: Any) -> None:
    press(opened, "ARROW_RIGHT")
    opened.execute_script("location.hash = 'step=17'")
    wait(opened, lambda: text(opened, "#where") == "17 / 21")
    opened.execute_script("location.hash = 'elsewhere'")
    press(opened, "ARROW_RIGHT")
    assert text(opened, "#where") == "18 / 21"


def test_the_changes_come_first_and_are_marked(opened: Any, vote_lost: Trace) -> None:
    asked = {13, 15, 21}
    for number, step in enumerate(vote_lost.steps, 1):
        opened.execute_script(f"show({number})")
        marked = {name.removesuffix(".number") for name in step.changes}
        changed = texts(opened, "tr.changed th")
        assert set(changed) == marked | ({"next_batch_to_attest"} if number in asked else set())
        assert texts(opened, "#state th")[: len(changed)] == changed
    assert all("(changed)" in cell for cell in texts(opened, "tr.changed td:last-child"))


def test_the_conjunct_turns_red_where_it_fails(opened: Any, vote_lost: Trace) -> None:
    colour = "return getComputedStyle(document.querySelectorAll('#conjuncts li')[1]).color"
    shown = []
    for number in range(22):
        opened.execute_script(f"show({number})")
        shown.append(texts(opened, "#conjuncts .FAILS"))
    assert shown[:21] == [[]] * 21
    assert shown[21] == [f"✗{vote_lost.failed}: fails"]
    red, green, blue = map(int, re.findall(r"\d+", opened.execute_script(colour))[:3])
    assert red > 2 * max(green, blue)
    assert f"False now: {vote_lost.failed}" in text(opened, "#step")


def test_the_diagram_follows_along(opened: Any) -> None:
    opened.execute_script("show(19)")
    assert len(texts(opened, "#diagram .now")) == 1
    assert opened.find_elements("css selector", "#diagram .now .dashed"), "the vote is on its way"
    assert not opened.find_elements("css selector", "#diagram .cross")
    opened.execute_script("show(20)")
    assert not opened.find_elements("css selector", "#diagram .now .dashed")
    assert opened.find_elements("css selector", "#diagram .now .cross"), "the vote is skipped"
    assert "skipped: below minimum 2" in joined(texts(opened, "#diagram .now tspan"))


def joined(lines: list[str]) -> str:
    """Text that the diagram has broken into lines."""
    return " ".join(lines)


IN_SIGHT = """
const controls = document.querySelector(".controls").getBoundingClientRect().top;
const heads = document.querySelector("svg.heads").getBoundingClientRect();
const diagram = document.getElementById("diagram").getBoundingClientRect();
const table = document.getElementById("table").getBoundingClientRect();
const head = document.querySelector("thead th").getBoundingClientRect();
const now = [...document.querySelectorAll("#diagram .band")].map(row => row.getBoundingClientRect());
const changed = document.querySelector("#state tr.changed").getBoundingClientRect();
const step = document.querySelector("#step strong").getBoundingClientRect();
return {
  headsStick: Math.abs(heads.top - diagram.top) <= 1 && Math.abs(head.top - table.top) <= 1,
  row: now.length > 0 && now[0].top >= heads.bottom - 1 && now[0].bottom <= Math.min(diagram.bottom, controls) + 1,
  changed: changed.top >= head.bottom - 1 && changed.bottom <= Math.min(table.bottom, controls) + 1,
  step: step.top >= 0 && step.bottom <= controls,
  still: scrollY === 0,
}"""


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (390, 844)])
@pytest.mark.parametrize("design", ["vote_lost", "restored"])
def test_step_row_and_change_stay_in_sight(
    browser: Any, tmp_path: Path, request: pytest.FixtureRequest, design: str, width: int, height: int
) -> None:
    """The page itself does not move."""
    trace: Trace = request.getfixturevalue(design)
    show(browser, FORMATS["html"](trace), tmp_path)
    with_size(browser, width, height)
    for number in range(1, len(trace.steps) + 1):
        press(browser, "ARROW_RIGHT")
        seen = browser.execute_script(IN_SIGHT)
        assert all(seen.values()), (number, seen)
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def with_size(browser: Any, width: int, height: int) -> None:
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    browser.execute_script("dispatchEvent(new Event('resize'))")


def test_a_click_on_the_diagram_does_not_end_the_arrow_keys(opened: Any) -> None:
    press(opened, "ARROW_RIGHT")
    for box in ("diagram", "table"):
        opened.find_element("id", box).click()
        press(opened, "ARROW_RIGHT")
    assert text(opened, "#where") == "3 / 21"
    press(opened, "END")
    assert text(opened, "#where") == "21 / 21"


def test_a_box_that_has_the_focus_scrolls(opened: Any) -> None:
    with_size(opened, 1280, 720)
    opened.execute_script("show(21); document.getElementById('diagram').focus()")
    before = opened.execute_script("return document.getElementById('diagram').scrollTop")
    press(opened, "PAGE_UP")
    scrolled = "return document.getElementById('diagram').scrollTop"
    wait(opened, lambda: opened.execute_script(scrolled) < before)
    assert text(opened, "#where") == "21 / 21"
    opened.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_a_note_stays_in_the_column_of_its_node(opened: Any) -> None:
    opened.execute_script("show(21)")
    notes = opened.execute_script(
        """const people = [...document.querySelectorAll("svg.heads rect")].map(rect => rect.getBoundingClientRect());
        const heads = new Map(people.map((rect, index) => [trace.people[index].name, rect]));
        const rows = [...document.querySelectorAll("#diagram g")].map(row => row.querySelector(".note"));
        return trace.events.map((event, index) => [event, rows[index]]).filter(([, note]) => note)
            .map(([event, note]) => [heads.get(event.source), note.getBoundingClientRect()])
            .map(([head, note]) => [note.left - head.left, head.right - note.right])"""
    )
    assert len(notes) > 10
    for left, right in notes:
        assert abs(left - right) < 2, "it is in the middle"
        assert min(left, right) > -2, "it is no wider"


def test_it_opens_with_cause_effect_and_cure(opened: Any) -> None:
    assert texts(opened, ".opening strong") == ["Cause", "Effect", "Cure"]
    assert opened.find_element("css selector", ".opening").is_displayed()
    press(opened, "ARROW_RIGHT")
    assert not texts(opened, ".opening")


def test_why_it_is_final_is_in_the_open(opened: Any) -> None:
    assert not opened.find_elements("css selector", "details")
    press(opened, "END")
    assert "Why it is final: A vote is pushed once on a connection" in text(opened, "#step")
    assert opened.find_element("xpath", "//p[contains(text(), 'Why it is final')]").is_displayed()


def test_what_stands_between_backticks_is_shown_as_code(opened: Any) -> None:
    for number in range(22):
        opened.execute_script(f"show({number})")
        assert "`" not in opened.execute_script("return document.body.innerText")
    assert "network.stop_on_mismatch" in texts(opened, "#step code")


def test_the_loop_is_shown_and_gone_through(browser: Any, vote_lost: Trace, tmp_path: Path) -> None:
    show(browser, FORMATS["html"](vote_lost.about(loop=21)), tmp_path, "#step=21")
    assert "nothing that must happen changes anything any more" in text(browser, ".loop")
    # The player's part alone: no run of the model returns to an earlier state in so small a scope.
    browser.execute_script("trace.loop = 18; trace.loopText = 'After the last step it repeats'; show(21)")
    assert browser.find_elements("css selector", "#diagram .loopline")
    press(browser, "ARROW_RIGHT")
    assert text(browser, "#where") == "18 / 21"


def test_readers_of_the_screen_are_told(opened: Any) -> None:
    live = opened.find_element("id", "step")
    assert (live.get_attribute("aria-live"), live.get_attribute("aria-atomic")) == ("polite", "true")
    named = "button, input, [role=region], svg:not([aria-hidden]), section, nav"
    unnamed = f"""return [...document.querySelectorAll('{named}')].filter(
        made => !(made.getAttribute('aria-label') || made.getAttribute('aria-labelledby') || made.labels?.length || made
        .textContent && made.tagName === 'BUTTON')).length"""
    assert opened.execute_script(unnamed) == 0
    press(opened, "TAB")
    outline = "const style = getComputedStyle(document.activeElement); return style.outlineStyle + style.outlineWidth"
    assert opened.execute_script(outline) == "solid3px"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_phone(opened: Any, scheme: str) -> None:
    opened.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride", {"width": 360, "height": 740, "deviceScaleFactor": 2, "mobile": True}
    )
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    opened.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    opened.execute_script("show(20)")
    assert opened.execute_script("return document.documentElement.scrollWidth") <= 360
    small = """return [...document.querySelectorAll('button')].filter(made => made.offsetParent
        && (made.offsetWidth < 44 || made.offsetHeight < 44)).length"""
    assert opened.execute_script(small) == 0
    background = opened.execute_script("return getComputedStyle(document.body).backgroundColor")
    assert background == {"light": "rgb(255, 255, 255)", "dark": "rgb(18, 22, 27)"}[scheme]
    opened.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    opened.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def test_nothing_goes_wrong_in_the_browser(opened: Any) -> None:
    press(opened, "END", "HOME")
    assert opened.get_log("browser") == []
    assert opened.execute_script("return performance.getEntriesByType('resource').length") == 0


def test_every_landmark_has_a_name_of_its_own(opened: Any) -> None:
    names = opened.execute_script(
        """return [...document.querySelectorAll("section, nav, [role=region]")].map(landmark =>
            landmark.getAttribute("aria-label") ||
            document.getElementById(landmark.getAttribute("aria-labelledby")).textContent)"""
    )
    assert len(set(names)) == len(names) == 9
