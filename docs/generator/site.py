"""Hooks of MkDocs: what the pages link to outside `docs/`, source files above all, is a part of the site, as text."""

from __future__ import annotations

import os
import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

LINK = re.compile(r"\]\((?P<target>(?:\.\./)[^)#:]+)(?P<place>#[^)]*)?\)")
ROOT = Path(__file__).parents[2]


def on_files(files: Files, config: Any) -> Files:
    """Add every file that a page links to and that is no page."""
    for page in list(files.documentation_pages()):
        for link in LINK.finditer(page.content_string):
            target = _outside(link, page.src_uri)
            if target and files.get_file_from_path(_shown(target)) is None:
                text = (ROOT / target).read_text(encoding="utf-8")
                files.append(File.generated(config, _shown(target), content=text))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Let the links lead there."""

    def led(link: re.Match[str]) -> str:
        target = _outside(link, page.file.src_uri)
        if target is None:
            return link[0]
        return f"]({posixpath.relpath(_shown(target), posixpath.dirname(page.file.src_uri) or '.')})"

    return LINK.sub(led, markdown)


def _outside(link: re.Match[str], page: str) -> str | None:
    """The path of the file below the root of the repository, if the link of the page leads out of `docs/`."""
    path = posixpath.normpath(posixpath.join("docs", posixpath.dirname(page), link["target"]))
    return None if path.startswith("docs" + os.sep) else path


def _shown(target: str) -> str:
    return f"source/{target}.txt"
