"""The page on traces names every format and every field."""

from __future__ import annotations

import re
from pathlib import Path

from properties.render import FORMATS
from properties.render.interchange import schema

PAGE = Path(__file__).parents[2] / "docs" / "traces.md"


def test_the_page_names_every_format_and_field() -> None:
    names = re.findall(r"^\| `(\w+)` \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert names == [*FORMATS, *schema()["properties"]]
