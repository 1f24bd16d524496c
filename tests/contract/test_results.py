"""The figures of docs/: each comes from a stored result, which says what was measured."""

import runpy
from pathlib import Path

import pytest

from tests.conftest import ROOT


@pytest.mark.lesson
def test_the_pages_show_the_results() -> None:
    names = runpy.run_path(str(ROOT / "docs" / "generate.py"))
    pages: list[Path] = [page for page in names["PAGES"] if page != names["TABLE"]]
    assert [page.name for page in pages if names["filled"](page) != page.read_text(encoding="utf-8")] == []
    text = "\n".join(page.read_text(encoding="utf-8") for page in pages)
    assert [name for name in names["RESULTS"] if f"<!-- /{name} -->" not in text] == []
