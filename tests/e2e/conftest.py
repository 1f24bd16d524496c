"""The pipeline, run once in a copy of the project, and copies to go on from there."""

import csv
import dataclasses
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from tests import verify, wheel
from tests.conftest import once
from tests.verify import Copy


class Alone(NamedTuple):
    """A stage that ran in a folder with nothing but its deps and params.yaml."""

    folder: Path
    printed: str


@pytest.fixture(scope="session")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """A copy of the project after `dvc repro`, with a remote storage; tests don't change it."""

    def make(folder: Path) -> Copy:
        copy = verify.make_first_copy(folder)
        copy.dvc("repro")
        copy.dvc("remote", "add", "--local", "--default", "storage", str(folder / "storage"))
        copy.dvc("push")
        return copy

    return once(tmp_path_factory, "pipeline", make)


@pytest.fixture(scope="session")
def elsewhere(pipeline: Copy, tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """A copy run by force with another user, folder, time zone, locale, umask and so on.

    Its hash seed and its number of cores differ too.
    """

    def make(folder: Path) -> Copy:
        copy = verify.make_second_copy(folder, verify.corpus_folder(pipeline))
        copy.dvc("repro", "--force")
        return copy

    return once(tmp_path_factory, "elsewhere", make)


@pytest.fixture(scope="session")
def alone(pipeline: Copy, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Alone]:
    """Every stage, run alone. It printed the modules that it loaded."""
    # -v rather than -X importtime, which does not show what importlib.import_module loads.
    return once(
        tmp_path_factory, "alone", lambda folder: _run_alone(pipeline, folder, sys.executable, "-v")
    )


@pytest.fixture(scope="session")
def emulated(pipeline: Copy, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Alone]:
    """Every stage, run alone on an emulated CPU."""
    if shutil.which(verify.EMULATOR[0]) is None:
        pytest.skip("needs the emulator qemu-x86_64 (Debian: apt install qemu-user)")
    command = (*verify.EMULATOR, sys.executable)
    return once(tmp_path_factory, "emulated", lambda folder: _run_alone(pipeline, folder, *command))


def _run_alone(pipeline: Copy, folder: Path, *python: str) -> dict[str, Alone]:
    return {
        stage: Alone(place, printed)
        for stage, place, printed in verify.run_all_alone(pipeline, folder, python)
    }


@pytest.fixture(scope="session")
def clone(pipeline: Copy, tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """A Git clone of the pipeline's copy, data pulled from a remote; tests don't change it."""

    def make(folder: Path) -> Copy:
        clone = dataclasses.replace(pipeline, folder=folder / "textclf")
        pipeline.run("git", "clone", "--quiet", str(pipeline.folder), str(clone.folder))
        storage = pipeline.folder.parents[1] / "storage"
        clone.dvc("remote", "add", "--local", "--default", "storage", str(storage))
        clone.dvc("pull")
        return clone

    return once(tmp_path_factory, "clone", make)


@pytest.fixture(scope="session")
def workshop(clone: Copy, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Copy]:
    """Makes a copy of the clone to work in."""

    def make() -> Copy:
        folder = tmp_path_factory.mktemp("workshop") / "textclf"
        return dataclasses.replace(clone, folder=Path(shutil.copytree(clone.folder, folder)))

    return make


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the installed wheel."""
    return once(tmp_path_factory, "installed", wheel.install)


@pytest.fixture
def empty_folder(installed: Path, pipeline: Copy, tmp_path: Path) -> Callable[[], Copy]:
    """Makes an empty folder in which the commands of the wheel run."""

    def make() -> Copy:
        folder = tmp_path / f"project{len(list(tmp_path.iterdir()))}"
        return _empty_folder(installed, pipeline, folder)

    return make


def _empty_folder(installed: Path, pipeline: Copy, folder: Path) -> Copy:
    variables = {
        **pipeline.variables,
        **{
            f"GIT_{who}_{what}": "textclf@example.org"
            for who in ("AUTHOR", "COMMITTER")
            for what in ("NAME", "EMAIL")
        },
        "PATH": f"{installed / 'bin'}:{pipeline.variables['PATH']}",
        "PYTHONPATH": str(installed),
        "TEXTCLF_CORPUS": str(verify.corpus_folder(pipeline)),
    }
    folder.mkdir()
    return dataclasses.replace(pipeline, folder=folder, variables=variables)


@pytest.fixture(scope="session")
def project_of(
    installed: Path, pipeline: Copy, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Copy]:
    """Make a copy of the project that the wheel's `textclf init` makes, after one run."""

    def make(arguments: str) -> Copy:
        def first(place: Path) -> Copy:
            copy = _empty_folder(installed, pipeline, place / "first")
            rows = (
                line.rpartition("\t")
                for line in _corpus(pipeline).read_text(encoding="utf-8").splitlines()
            )
            with (copy.folder / "sentences.csv").open("w", encoding="utf-8", newline="") as table:
                csv.writer(table).writerows(
                    [("text", "label"), *((text, label) for text, _, label in rows)]
                )
            for command in (
                f"textclf init {arguments}",
                "dvc repro",
                "git add .",
                "git commit --quiet --message project",
                "git branch --move main",
                f"git remote add origin {copy.folder}",
                "git fetch --quiet origin",
                f"dvc remote add --local --default storage {place / 'storage'}",
            ):
                copy.run(*command.split())
            return copy

        copy = once(tmp_path_factory, re.sub(r"\W", "", arguments), first)
        folder = tmp_path_factory.mktemp("project") / "project"
        return dataclasses.replace(copy, folder=Path(shutil.copytree(copy.folder, folder)))

    return make


def _corpus(pipeline: Copy) -> Path:
    (path,) = verify.corpus_folder(pipeline).iterdir()
    return path
