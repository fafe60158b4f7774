"""A test for era-consensus: what a trace did to one component, played to the real one. Each design has its own."""

from __future__ import annotations

import textwrap
from importlib import import_module
from importlib.resources import files
from string import Template

from model.revisions import CONTROLLER, REGISTRY, revision
from properties.render.command import repeat
from properties.results.trace import Trace

COMMENT_WIDTH = 95

MODULES = {REGISTRY: "registry_design", CONTROLLER: "controller_design"}
"""By design, the package of `properties.render` that makes its tests."""


def render(trace: Trace) -> str:
    """The test, ready to be pasted into era-consensus. Raises `CannotRender` if the violation is not one of a single
    component."""
    text: str = import_module(f"properties.render.{MODULES[revision(trace.revision).design]}.rust_test").render(trace)
    return text


def filled(package: str, **parts: object) -> str:
    """The test of a design, `test.rs`, with these parts in their places."""
    return Template(files(package).joinpath("test.rs").read_text(encoding="utf-8")).substitute(parts)


def comment(trace: Trace, sentences: str, place: str) -> str:
    """The comment before a test: what is wrong, where the test belongs, and how it was found."""
    lines = [*textwrap.wrap(sentences, COMMENT_WIDTH), "", f"To be pasted into {place}."]
    command = repeat(trace, "rust")
    if command:
        lines += ["", "Found with", "", *(f"    {line}" for line in command.splitlines())]
    return "\n".join(f"/// {line}".rstrip() for line in lines)
