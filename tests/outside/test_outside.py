"""Whole projects from outside: people read what scikit-learn computes from predict's answers."""

import dataclasses
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import wheel
from tests.conftest import once
from tests.outside.checks import CHECKS, Check, Measured
from tests.outside.projects import PROJECTS
from tests.outside.runs import make

Measure = Callable[[str], Measured]

# Three projects in each CI run, all of them by night.
NAMES = [
    pytest.param(
        name, marks=pytest.mark.slow if project.every_commit else pytest.mark.nightly, id=name
    )
    for name, project in PROJECTS.items()
]


@pytest.fixture(scope="module")
def measure(tmp_path_factory: pytest.TempPathFactory) -> Measure:
    """Makes, runs and measures the project of a name; each once."""
    measured: dict[str, Measured] = {}

    def run(name: str) -> Measured:
        if name not in measured:
            installed = once(tmp_path_factory, "installed", wheel.install)
            folder = tmp_path_factory.mktemp(re.sub(r"\W+", "_", name))
            measured[name] = Measured(make(name, folder, installed))
        return measured[name]

    return run


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", NAMES)
def test_what_people_read_is_what_predict_does(name: str, check: Check, measure: Measure) -> None:
    lines = list(check(measure(name)))
    assert lines == [], "\n".join(lines)


FILES = {  # pages that are files, by the name that the checks give them
    "the report": "reports/report.html",
    "the card of logistic_regression": "models/logistic_regression/README.md",
    "metrics/evaluation.json": "metrics/evaluation.json",
}


@pytest.mark.slow
@pytest.mark.parametrize("page", [*FILES, "dvc repro", "textclf metrics", "textclf pr-report"])
def test_a_wrong_number_is_found_on_each_page(page: str, measure: Measure, tmp_path: Path) -> None:
    right = measure("6% of one class")
    run = right.run
    (number, *_) = [
        said.number
        for said in right.said
        if said.page.startswith(page) and (said.model, said.metric) == (right.default, "accuracy")
    ]
    other = number.replace("9", "8")
    if page in FILES:
        folder = Path(shutil.copytree(run.folder, tmp_path / "project", symlinks=True))
        text = (folder / FILES[page]).read_text(encoding="utf-8")
        (folder / FILES[page]).write_text(text.replace(number, other), encoding="utf-8")
        run = dataclasses.replace(run, folder=folder)
    else:
        printed = run.printed | {page: run.printed[page].replace(number, other)}
        run = dataclasses.replace(run, printed=printed)
    lines = [line for check in CHECKS for line in check(Measured(run))]
    assert [line for line in lines if other in line and page in line]
