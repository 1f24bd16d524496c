"""The pipeline, run once in a copy of the project, and the copies in which the tests go on from there."""

import dataclasses
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from tests import verify
from tests.verify import Copy


class Alone(NamedTuple):
    """A stage that ran in a folder with nothing but its deps and params.yaml."""

    folder: Path
    printed: str


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give all tests that need the pipeline's run to one process, so that it runs once."""
    for item in items:
        if "pipeline" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.xdist_group("pipeline"))


@pytest.fixture(scope="session")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """A copy of the project in which `dvc repro` ran. Tests leave it as it is."""
    copy = verify.make_first_copy(tmp_path_factory.mktemp("pipeline"))
    copy.dvc("repro")
    return copy


@pytest.fixture(scope="session")
def elsewhere(pipeline: Copy, tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """A copy with another folder, user, time zone, locale, umask, hash seed and number of cores; all ran by force."""
    copy = verify.make_second_copy(tmp_path_factory.mktemp("elsewhere"), verify.corpus_folder(pipeline))
    copy.dvc("repro", "--force")
    return copy


@pytest.fixture(scope="session")
def alone(pipeline: Copy, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Alone]:
    """Every stage, run alone. It printed the modules that it loaded."""
    # -v rather than -X importtime, which does not show what importlib.import_module loads.
    runs = verify.run_all_alone(pipeline, tmp_path_factory.mktemp("alone"), (sys.executable, "-v"))
    return {stage: Alone(folder, printed) for stage, folder, printed in runs}


@pytest.fixture(scope="session")
def emulated(pipeline: Copy, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Alone]:
    """Every stage, run alone on an emulated CPU."""
    if shutil.which(verify.EMULATOR[0]) is None:
        pytest.skip("needs the emulator qemu-x86_64 (Debian: apt install qemu-user)")
    runs = verify.run_all_alone(pipeline, tmp_path_factory.mktemp("emulated"), (*verify.EMULATOR, sys.executable))
    return {stage: Alone(folder, printed) for stage, folder, printed in runs}


@pytest.fixture(scope="session")
def clone(pipeline: Copy, tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """A Git clone of the pipeline's copy with the data that it pulled from a remote. Tests leave it as it is."""
    place = tmp_path_factory.mktemp("clone")
    clone = dataclasses.replace(pipeline, folder=place / "textclf")
    pipeline.run("git", "clone", "--quiet", str(pipeline.folder), str(clone.folder))
    for copy in (pipeline, clone):
        copy.dvc("remote", "add", "--local", "--default", "storage", str(place / "storage"))
    pipeline.dvc("push")
    clone.dvc("pull")
    return clone


@pytest.fixture(scope="session")
def workshop(clone: Copy, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Copy]:
    """Makes a copy of the clone to work in."""

    def make() -> Copy:
        folder = tmp_path_factory.mktemp("workshop") / "textclf"
        return dataclasses.replace(clone, folder=Path(shutil.copytree(clone.folder, folder)))

    return make
