"""Behavioural tests in the whole pipeline."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests import verify
from tests.settings import put
from tests.verify import Copy

MINE = """
classes: {bad: "0", good: "1"}
tests:
  words: {kind: minimum_function, texts: {good: [I loved it., The best place.], bad: [The worst place.]}}
  case: {kind: invariance, texts: [I loved it.], perturbations: [upper_case]}
"""


def set_tests(copy: Copy, value: str) -> None:
    path = copy.folder / "params.yaml"
    path.write_text(put("behave.tests", value, text=path.read_text(encoding="utf-8")), encoding="utf-8")


def rates(folder: Path, name: str) -> dict[str, Any]:
    """Return the failure rates of each model by test."""
    content = json.loads((folder / "metrics" / "behaviour" / f"{name}.json").read_text())
    return {
        model: {test: of["failure_rate"] for test, of in tests.items()} for model, tests in content["models"].items()
    }


@pytest.mark.slow
def test_tests_run_only_if_they_are_named_and_leave_nothing_behind(workshop: Callable[[], Copy]) -> None:
    copy = workshop()
    folder = copy.folder
    before = (folder / "reports" / "report.html").read_bytes()
    assert "Behavioural tests" not in before.decode()
    (folder / "mine.yaml").write_text(MINE)
    set_tests(copy, "{sentiment: behaviour/sentiment.yaml, mine: mine.yaml}")
    # Which tests are on is among the settings that export and report depend on.
    assert sorted(verify.stages_run(copy.dvc("repro"))) == [
        "behave@mine",
        "behave@sentiment",
        "check",
        "export",
        "report",
    ]
    assert verify.stages_run(copy.dvc("repro")) == []
    assert rates(folder, "mine")["majority"] == {"words": 0.666667, "case": 0.0}
    assert rates(folder, "sentiment").keys() == {"majority", "logistic_regression", "keras"}
    page = (folder / "reports" / "report.html").read_text()
    assert "Behavioural tests" in page
    assert "behaviour/sentiment.yaml" in page
    written = {
        path: (folder / path).read_bytes() for path in ("metrics/behaviour/mine.json", "data/behaviour/mine.json")
    }
    copy.dvc("repro", "--force", "--single-item", "behave@mine")
    assert {path: (folder / path).read_bytes() for path in written} == written
    set_tests(copy, "{mine: mine.yaml}")
    printed = copy.dvc("repro")
    assert "metrics/behaviour/sentiment.json removed: its tests are no longer in behave.tests" in printed
    assert not (folder / "data" / "behaviour" / "sentiment.json").exists()
    set_tests(copy, "{}")
    assert verify.stages_run(copy.dvc("repro")) == ["check", "export", "report"]
    assert verify.stages_run(copy.dvc("repro")) == []
    assert [path.name for path in (folder / "metrics" / "behaviour").iterdir()] == ["README.md"]
    assert (folder / "reports" / "report.html").read_bytes() == before


def test_a_file_of_tests_for_other_labels_stops_the_run_with_its_reason(workshop: Callable[[], Copy]) -> None:
    copy = workshop()
    (copy.folder / "mine.yaml").write_text(MINE.replace('good: "1"', 'good: "yes"'))
    set_tests(copy, "{mine: mine.yaml}")
    with pytest.raises(verify.VerifyError) as error:
        copy.dvc("repro", "behave@mine")
    reason = "classes.good must be a class of the model majority (0, 1); got yes; give the labels of your data under"
    assert str(error.value) == f"behave: mine.yaml: {reason} classes"
