"""Whole projects from outside: people read what scikit-learn computes from predict's answers."""

import re
from collections.abc import Callable

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
