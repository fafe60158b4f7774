"""What holds for every format."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from properties.render import FORMATS, CannotRender
from properties.results.trace import BadTrace, Trace


def test_there_is_every_format() -> None:
    assert list(FORMATS) == ["markdown", "mermaid", "itf", "json", "html", "pytest", "rust"]


@pytest.mark.parametrize("name", [name for name in FORMATS if name != "rust"])
def test_every_kind_of_trace_is_rendered_the_same_each_time(
    name: str, vote_lost: Trace, gap: Trace, witness: Trace, bad_certificate: Trace, restored: Trace
) -> None:
    texts = [FORMATS[name](trace) for trace in (vote_lost, gap, witness, bad_certificate, restored)]
    assert len(set(texts)) == len(texts)
    assert texts[0] == FORMATS[name](vote_lost)
    assert all(text.endswith("\n") for text in texts)


@pytest.mark.parametrize("name", ["markdown", "mermaid", "itf", "html", "pytest", "rust"])
def test_a_trace_that_is_no_run_of_the_model_is_refused(name: str, bad_certificate: Trace) -> None:
    lame = bad_certificate.about(steps=bad_certificate.steps[1:])
    with pytest.raises(BadTrace, match="step"):
        FORMATS[name](lame)


@pytest.mark.parametrize("name", ["markdown", "mermaid", "itf", "html"])
def test_a_loop_to_another_state_is_refused(name: str, vote_lost: Trace) -> None:
    with pytest.raises(BadTrace, match="after step 3"):
        FORMATS[name](vote_lost.about(loop=3))


def test_a_lasso_shows_its_loop(vote_lost: Trace) -> None:
    stays = vote_lost.about(loop=len(vote_lost.steps))
    assert json.loads(FORMATS["itf"](stays))["loop"] == 21
    assert "nothing that must happen changes anything any more" in FORMATS["markdown"](stays)
    assert "nothing that must happen changes anything any more" in FORMATS["html"](stays)


def test_only_what_is_used_is_imported() -> None:
    script = (
        "import sys, properties.render\n"
        "print([name for name in sys.modules if name == 'numpy' or name.startswith('properties.render.')])"
    )
    printed = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert printed == "[]\n"


def test_a_violation_that_its_last_state_does_not_show_makes_no_test(vote_lost: Trace) -> None:
    with pytest.raises(CannotRender, match="does not show by itself"):
        FORMATS["pytest"](vote_lost.about(failed="batch 2 can still be certified when the main node asks for it"))
