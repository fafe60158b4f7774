"""Traces to render, real counterexamples that are searched for once; and a real browser, where there is one."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from model.revisions import revision
from model.scope import Scope, instance
from model.system import build
from properties.claims.catalogue import claim
from properties.engines.checking import Check
from properties.results.trace import Trace
from properties.results.verdicts import Reached, Violated

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Skipped where there is no Chromium with its driver (Debian: chromium, chromium-driver) or no selenium."""
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if chromium is None or driver is None:
        pytest.skip("no Chromium with its driver: install chromium and chromium-driver")
    webdriver = pytest.importorskip("selenium.webdriver")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for flag in (*FLAGS, "--window-size=1280,1200", f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    running = webdriver.Chrome(options, webdriver.ChromeService(executable_path=driver))
    yield running
    running.quit()


@pytest.fixture(scope="session")
def small() -> Check:
    """The smallest committee that is stuck for good."""
    return Check(build(revision("pr161+era2480"), Scope(instance("n2f0b0"))))


@pytest.fixture(scope="session")
def stuck(small: Check) -> dict[str | None, Trace]:
    """Points of no return, by kind."""
    verdict = small.verdict(claim("progress_possible"))
    assert isinstance(verdict, Violated)
    return {trace.kind: trace for trace in verdict.kinds}


@pytest.fixture(scope="session")
def vote_lost(stuck: dict[str | None, Trace]) -> Trace:
    """A point of no return in which a vote is skipped."""
    return stuck["vote_lost"]


@pytest.fixture(scope="session")
def gap(small: Check) -> Trace:
    """A gap on the main node."""
    verdict = small.verdict(claim("no_gaps_on_main_node"))
    assert isinstance(verdict, Violated)
    return verdict.trace


@pytest.fixture(scope="session")
def witness(small: Check) -> Trace:
    """A run in which all goes well."""
    verdict = small.verdict(claim("certificate_stored"))
    assert isinstance(verdict, Reached)
    return verdict.trace


@pytest.fixture(scope="session")
def bad_certificate() -> Trace:
    """A certificate that does not verify: a's vote is a quorum, and b, of tolerated weight, is Byzantine."""
    system = build(revision("pr161+era2480"), Scope(instance("w5,1b1"), batches=2))
    verdict = Check(system).verdict(claim("certificates_verify"))
    assert isinstance(verdict, Violated)
    return verdict.trace


@pytest.fixture(scope="session")
def restored() -> Trace:
    """A gap in the redesign: the main node's database is restored while a call is on its way."""
    scope = Scope(instance("n1f0b0"), batches=3, restores=1, call_steps=True)
    verdict = Check(build(revision("pr175+era2657"), scope)).verdict(claim("no_gaps_on_main_node"))
    assert isinstance(verdict, Violated)
    return verdict.trace
