"""The figures of docs/: each comes from a stored result, which says what was measured."""

import runpy
from pathlib import Path

import pytest

from tests.processes import ROOT
from textclf.core import files


@pytest.mark.lesson
def test_the_pages_show_the_results() -> None:
    names = runpy.run_path(str(ROOT / "docs" / "generate.py"))
    pages: list[Path] = [page for page in names["PAGES"] if page != names["TABLE"]]
    assert [
        page.name for page in pages if names["filled"](page) != page.read_text(encoding="utf-8")
    ] == []
    text = "\n".join(page.read_text(encoding="utf-8") for page in pages)
    assert [name for name in names["RESULTS"] if f"<!-- /{name} -->" not in text] == []


@pytest.mark.lesson
def test_the_pages_state_the_difference_in_log_loss_of_the_default_run() -> None:
    comparison = files.read_json(ROOT / "metrics" / "comparisons.json")[
        "keras_vs_logistic_regression"
    ]
    if "metrics" not in comparison:
        pytest.skip("recorded by an older version")
    stated = "{difference:.3f} ({low:.3f} to {high:.3f})".format(
        **comparison["metrics"]["log_loss"]
    )
    assert stated in (ROOT / "docs/lesson.md").read_text(encoding="utf-8")
