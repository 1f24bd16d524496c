"""What tests of faults share: they are slow, and a failure names the seed to repeat it."""

import dataclasses
import shutil
from collections.abc import Generator
from pathlib import Path

import pytest

from tests import verify
from tests.conftest import once
from tests.faults.campaign import seed
from tests.verify import Copy

HERE = Path(__file__).parent
SMALL = (
    *verify.only("majority", "logistic_regression"),
    "train.logistic_regression.C=1.0",  # which tests change
)


@pytest.hookimpl(tryfirst=True)  # before -m is applied
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark all tests of this folder as slow."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.slow)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add the seed to the report of a failure."""
    report = yield
    if report.failed:
        report.sections.append(("Repeat with", f"FAULTS_SEED={seed()}"))
    return report


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """A copy of the project after `dvc repro`, with two models that train in a second."""

    def make(folder: Path) -> Copy:
        copy = verify.make_first_copy(folder, SMALL)
        copy.dvc("repro")
        copy.run("git", "add", "--all")
        copy.run("git", "commit", "--quiet", "--message=run")
        return copy

    copy = once(tmp_path_factory, "small", make)
    folder = tmp_path_factory.mktemp("small") / "textclf"
    return dataclasses.replace(copy, folder=Path(shutil.copytree(copy.folder, folder)))
