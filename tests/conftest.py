"""Profiles of Hypothesis, the folder for failing runs, and the distribution of what the machines did."""

from __future__ import annotations

import gc
from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import SystemRandom
from typing import Any

import pytest
from hypothesis import settings

from properties.commands.usage import UsageError, unknown
from properties.stateful.evidence import CannotWrite, check_writable
from properties.stateful.profiles import PROFILES, Profile

DEFAULT_PROFILE = "dev"
PROFILE_OPTION, SEED_OPTION = "--hypothesis-profile", "--hypothesis-seed"
PROFILE, SEED = pytest.StashKey[Profile](), pytest.StashKey[int]()
DISTRIBUTION, WORKER_SEED = "distribution", "attestation_seed"

for _profile in PROFILES.values():
    settings.register_profile(
        _profile.name,
        max_examples=_profile.examples,
        derandomize=_profile.derandomize,
        print_blob=True,
        deadline=None,
    )
settings.load_profile(DEFAULT_PROFILE)

# Expressions stay, and to look for garbage among all of them again and again takes a twentieth of the time.
gc.set_threshold(100_000, 20, 100)


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("attestation")
    group.addoption(
        "--trace-dir",
        type=Path,
        default=Path("evidence"),
        metavar="D",
        help="where failing runs are written (evidence)",
    )
    group.addoption(
        "--distribution", action="store_true", help="print how often every rule fired and every phase was reached"
    )


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """The whole suite takes all cores. Tests that are named run in this process, as does what wants the terminal
    (`--pdb`, `-s`); `-n` decides otherwise, and `-p no:xdist` leaves pytest-xdist out. Each process has a stretch of
    the tests, so that what those of a file share is made once, and takes from the others when it has none left."""
    is_whole = config.args_source is not pytest.Config.ArgsSource.ARGS
    is_interactive = config.getoption("usepdb") or config.getoption("capture") == "no"
    if is_whole and not is_interactive and getattr(config.option, "numprocesses", 0) is None:
        is_one_of_them = hasattr(config, "workerinput")
        config.option.numprocesses = 0 if is_one_of_them else "auto"
        if config.option.dist == "no" and not is_one_of_them:
            config.option.dist = "worksteal"


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Refuse bad configuration before Hypothesis' own plugin, which would end in a traceback, sees it."""
    name = config.getoption(PROFILE_OPTION) or DEFAULT_PROFILE
    try:
        if name not in PROFILES:
            raise unknown("profile", name, PROFILES)
        check_writable(config.getoption("--trace-dir"))
        config.stash[PROFILE], config.stash[SEED] = PROFILES[name], _seed(config, PROFILES[name])
    except CannotWrite as error:
        raise pytest.UsageError(f"{error}; --trace-dir FOLDER names another place") from None
    except UsageError as error:
        raise pytest.UsageError(str(error)) from None


def _seed(config: pytest.Config, profile: Profile) -> int:
    """The seed of the machines' runs: the one given; in deep a new one; else always the same, so that the floors of few
    runs are met every time. Raises `UsageError` for one that is no natural number."""
    given = config.getoption(SEED_OPTION)
    if given is not None:
        if not (given.isascii() and given.isdigit()):
            raise UsageError(f"{SEED_OPTION}={given}: a seed is a whole number from 0 on")
        return int(given)
    if hasattr(config, "workerinput"):
        return int(config.workerinput[WORKER_SEED])
    return 0 if profile.derandomize or profile.quick else SystemRandom().randrange(2**32)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """The processes of pytest-xdist have the seed of the one that starts them."""
    node.workerinput[WORKER_SEED] = node.config.stash[SEED]


def pytest_report_header(config: pytest.Config) -> str:
    """The profile, and the seed, which a run of `deep` is repeated with."""
    return f"attestation: profile {config.stash[PROFILE].name}, seed {config.stash[SEED]}"


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Leave slow tests out of the quick profile, and the slowest out of all but the deep one, visibly."""
    profile = item.config.stash[PROFILE]
    if profile.quick and item.get_closest_marker("slow"):
        pytest.skip("slow: --hypothesis-profile=ci and deep run it")
    if not profile.larger and item.get_closest_marker("deep"):
        pytest.skip("deep: --hypothesis-profile=deep runs it")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """The distributions, on demand: they come with the tests' reports, from whichever process ran them."""
    if config.getoption("--distribution"):
        for report in terminalreporter.getreports("passed") + terminalreporter.getreports("failed"):
            for name, table in report.user_properties:
                if name == DISTRIBUTION:
                    terminalreporter.write_line(table)


@pytest.fixture(scope="session")
def profile(pytestconfig: pytest.Config) -> Profile:
    """How much to try."""
    return pytestconfig.stash[PROFILE]


@pytest.fixture(scope="session")
def seed(pytestconfig: pytest.Config) -> int:
    """The seed of the machines' runs."""
    return pytestconfig.stash[SEED]


@pytest.fixture
def trace_dir(pytestconfig: pytest.Config) -> Path:
    """Where failing runs are written."""
    folder: Path = pytestconfig.getoption("--trace-dir")
    return folder


@pytest.fixture
def show(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Print a text at the end, with `--distribution`."""
    return partial(record_property, DISTRIBUTION)
