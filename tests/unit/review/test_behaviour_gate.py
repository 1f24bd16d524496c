"""Limits on behavioural tests, and the results of a revision that they are applied to."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from textclf.behave.results import Behaviour
from textclf.core.errors import UserError
from textclf.review.gate import check_behaviour
from textclf.review.revisions import Revision
from textclf.review.settings import Gate

TREE = Revision("0" * 40, tree=True)
PIPELINE = (
    "stages: {behave: {foreach: x, do: {outs: ['data/cases/${key}.json', {'numbers/${key}.json': {cache: false}}]}}}"
)


def results(**failures: int) -> dict[str, Any]:
    """The results of keras in tests of ten cases."""
    tests = {
        name: {"cases": 10, "failures": number, "failure_rate": number / 10, "low": 0.0, "high": 1.0, "failed": []}
        for name, number in failures.items()
    }
    return {"models": {"keras": tests}, "sha256": ""}


def behaviour(**failures: int) -> dict[str, Behaviour]:
    return {"mine": Behaviour.model_validate(results(**failures))}


def gate(model: str, file: str, test: str, limit: float) -> Gate:
    return Gate.model_validate({"behaviour": {model: {file: {test: limit}}}})


@pytest.mark.parametrize(
    ("failures", "limit", "reason"),
    [
        (3, 0.3, ""),
        (0, 0.0, ""),
        (4, 0.3, "is 0.400 (4 of 10 cases), more than 0.3"),
        (1, 0.0, "is 0.100 (1 of 10 cases), more than 0.0"),
        (10, 1.0, ""),
    ],
)
def test_a_limit_fails_only_above_it(failures: int, limit: float, reason: str) -> None:
    (check,) = check_behaviour(gate("keras", "mine", "typos", limit), {}, behaviour(typos=failures))
    assert (check.reason, check.outcome) == (reason, "failed" if reason else "passed")
    assert (check.change.name, check.change.base, check.change.head) == ("keras.mine.typos", None, failures / 10)


def test_a_check_has_the_rate_of_the_base_too() -> None:
    (check,) = check_behaviour(gate("keras", "mine", "typos", 0.5), behaviour(typos=2), behaviour(typos=4))
    assert (check.change.base, check.change.head) == (0.2, 0.4)


@pytest.mark.parametrize(
    ("names", "hint"),
    [
        (("keras", "mine", "typo"), "did you mean typos?"),
        (("kera", "mine", "typos"), "did you mean keras?"),
        (("bert", "mine", "typos"), "known here: keras"),
        (
            ("keras", "yours", "typos"),
            "behave.tests has no results of yours; add the file there and run dvc repro",
        ),
    ],
)
def test_a_limit_on_a_test_that_the_run_does_not_have_is_an_error(names: tuple[str, str, str], hint: str) -> None:
    with pytest.raises(UserError) as error:
        check_behaviour(gate(*names, 0.1), {}, behaviour(typos=0))
    rule = "params.yaml: gate.behaviour must name a test of the run"
    assert error.value.lines == (f"{rule}; got {'.'.join(names)}; {hint}",)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with the results of one of two files of tests."""
    monkeypatch.chdir(tmp_path)
    subprocess.run(["git", "init", "--quiet"], check=True)
    (tmp_path / "numbers").mkdir()
    (tmp_path / "numbers" / "mine.json").write_text(json.dumps(results(typos=3)))
    (tmp_path / "numbers" / "dropped.json").write_text("[")
    (tmp_path / "data" / "cases").mkdir(parents=True)
    (tmp_path / "data" / "cases" / "mine.json").write_text("{}")
    (tmp_path / "dvc.yaml").write_text(PIPELINE)
    (tmp_path / "params.yaml").write_text("behave: {tests: {mine: a.yaml, new: b.yaml}}")
    return tmp_path


def test_the_results_of_a_revision_are_those_of_its_params_where_dvc_yaml_says(project: Path) -> None:
    assert TREE.behaviour() == behaviour(typos=3)
    assert Revision("0" * 40).behaviour() == {}  # no such commit
    (project / "params.yaml").write_text("behave: {tests: {}}")
    assert Revision("0" * 40, tree=True).behaviour() == {}


@pytest.mark.parametrize("params", ["{}", "behave: 1", "behave: {tests: [a]}"])
def test_params_without_tests_have_no_results(project: Path, params: str) -> None:
    (project / "params.yaml").write_text(params)
    assert Revision("0" * 40, tree=True).behaviour() == {}


def test_damaged_results_are_named_with_their_revision(project: Path) -> None:
    (project / "numbers" / "mine.json").write_text("[")
    with pytest.raises(UserError) as error:
        Revision("0" * 40, tree=True).behaviour()
    (line,) = error.value.lines
    assert line.startswith("numbers/mine.json of the working tree must be JSON with finite numbers; got something else")
