"""Results of behavioural tests: damaged files, and files that were left behind."""

import functools
from pathlib import Path
from typing import Any

import pytest

from tests.faults import damage
from tests.faults.campaign import generator
from tests.refusal import refusal
from textclf.behave import results
from textclf.behave.results import Behaviour, Outcome, RecordedCase, RecordedTest
from textclf.core import result_files
from textclf.core.files import write_json

RATE = {"cases": 2, "failures": 1, "failure_rate": 0.5, "low": 0.1, "high": 0.9}
OUTCOME = RATE | {"changes": {"typo": RATE}, "failed": [2]}
CASES = [RecordedCase(text="a", models={})] * 2
TESTS = {"first": RecordedTest(kind="invariance", about="", cases=CASES)}
REMEDY = "remove it and run dvc repro (or dvc pull) to make it"


def written(folder: Path, name: str = "mine") -> tuple[Path, Path]:
    """Write metrics and cases below a folder and return their paths."""
    metrics, cases = folder / "metrics" / f"{name}.json", folder / "cases" / f"{name}.json"
    for path in (metrics, cases):
        path.parent.mkdir(parents=True, exist_ok=True)
    results.write(metrics, cases, {"keras": {"first": Outcome.model_validate(OUTCOME)}}, TESTS)
    return metrics, cases


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        ({"models": {}, "sha256": ""}, "models must be a list of 1 or more; got {}"),
        ({"models": {"keras": {"first": OUTCOME}}}, "sha256 is missing; it must be set"),
    ],
)
def test_damaged_metrics_are_refused_in_a_line(
    tmp_path: Path, content: dict[str, Any], rule: str
) -> None:
    write_json(tmp_path / "mine.json", content)
    said = refusal(result_files.read, tmp_path / "mine.json", Behaviour)
    assert said == f"{tmp_path / 'mine.json'}: {rule}; {REMEDY}"


def test_cases_of_other_metrics_are_refused(tmp_path: Path) -> None:
    metrics, cases = written(tmp_path)
    read = result_files.read(metrics, Behaviour)
    assert results.read_cases(cases, read)["first"].cases[0].text == "a"
    cases.write_bytes(cases.read_bytes().replace(b'"a"', b'"b"'))
    assert refusal(results.read_cases, cases, read) == f"{cases} is damaged; {REMEDY}"


@pytest.mark.parametrize(
    "outcomes", [{"bert": {"first": OUTCOME}}, {"keras": {}}, {"keras": {"second": OUTCOME}}]
)
def test_results_of_another_run_are_refused(tmp_path: Path, outcomes: dict[str, Any]) -> None:
    metrics, cases = written(tmp_path)
    results.write(
        metrics, cases, Behaviour.model_validate({"models": outcomes, "sha256": ""}).models, TESTS
    )
    said = refusal(results.read, metrics.parent, cases.parent, "mine", ["keras"])
    assert said == f"{metrics} must have the tests of the run's models (keras); run dvc repro"


def test_the_files_of_dropped_tests_are_left_over(tmp_path: Path) -> None:
    kept, _ = written(tmp_path, "kept")
    dropped = written(tmp_path, "dropped")
    (kept.parent / results.PLACEHOLDER).write_text("# Behaviour")
    (kept.parent / ".dropped.json.x.scratch").mkdir()
    assert results.leftovers(kept.parent, dropped[1].parent, ["kept"]) == [*dropped]
    assert results.leftovers(kept.parent, dropped[1].parent, ["kept", "dropped"]) == []
    assert results.leftovers(tmp_path / "none", tmp_path / "none", ["kept"]) == []


@pytest.mark.parametrize("name", ["notes.txt", "notes.json"])
def test_a_file_that_no_test_wrote_is_refused(tmp_path: Path, name: str) -> None:
    metrics, cases = written(tmp_path)
    (path := metrics.parent / name).write_text("{}")
    said = refusal(results.leftovers, metrics.parent, cases.parent, ["mine"])
    assert said == f"{path} belongs to no tests in behave.tests; remove it: rm -r {path}"


def test_results_with_random_damage_are_refused_in_a_line_or_read(tmp_path: Path) -> None:
    metrics, cases = written(tmp_path)
    read = functools.partial(results.read, metrics.parent, cases.parent, "mine", ["keras"])
    assert damage.defects([metrics], read, 300, generator()) == []
