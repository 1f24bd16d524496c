"""Versions of the packages that computed a model or its features are recorded."""

import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from tests.refusal import refusal
from textclf.artifacts import packages
from textclf.artifacts.checksums import combine_checksums, write_manifest


@pytest.fixture
def features(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of features that were computed with an own numpy and onnxruntime."""
    loaded = {name: SimpleNamespace(__version__="9") for name in ("numpy", "onnxruntime")}
    folder = tmp_path / "features"
    folder.mkdir()
    with monkeypatch.context() as patch:
        patch.setattr(sys, "modules", loaded | {"scipy": SimpleNamespace(__version__="1")})
        packages.write(folder)
    write_manifest(folder)
    return folder


def test_a_model_has_the_versions_that_are_loaded_and_those_of_its_features(
    features: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "tokenizers", raising=False)
    packages.write(tmp_path, features)
    write_manifest(tmp_path)
    versions = packages.read(tmp_path)
    assert versions["numpy"] == sorted([np.__version__, "9"])
    assert versions["onnxruntime"][-1:] == ["9"]
    assert "scipy" in versions  # even if it is workers that import it
    assert not {"tokenizers", "pytest"} & versions.keys()


def test_a_file_of_versions_that_is_damaged_is_named(features: Path) -> None:
    path = features / packages.FILE
    path.write_text(path.read_text().replace("9", "8"))
    assert refusal(packages.read, features).startswith(f"{path} is damaged or was edited")


def test_a_combined_checksum_depends_on_names_and_contents_but_not_on_their_order() -> None:
    combined, *others = map(
        combine_checksums, ({"a": "1", "b": "2"}, {"a": "2", "b": "1"}, {"a": "1", "c": "2"})
    )
    assert combined == combine_checksums({"b": "2", "a": "1"})
    assert len({combined, *others}) == 3
    assert combine_checksums({"a": "1"}) == "1"


def test_the_locked_versions_are_those_of_packages_that_change_results() -> None:
    lock = (
        'numpy==2.4.6 \\\n    --hash=sha256:00\ndvc==3.67.1 ; python_version < "3.14"\nother==1\n'
    )
    assert packages.locked_versions(lock) == {"dvc": "3.67.1", "numpy": "2.4.6"}


def test_versions_that_computed_are_told_from_those_that_are_only_locked() -> None:
    computed = {"keras": ["3"], "numpy": ["2.0", "2.1"], "own": ["1", "2"]}
    locked = {"numpy": "2.0", "keras": "3", "dvc": "3.67"}
    assert list(packages.describe_versions(computed, locked).items()) == [
        ("dvc, as locked", "3.67"),
        ("keras", "3"),
        ("numpy", "2.0 and 2.1 (locked: 2.0)"),
        ("own", "1 and 2"),
    ]
    (line,) = packages.unlocked(computed, locked)
    assert line.startswith("the stages computed with 1 package of another version than is locked")
    (line,) = packages.unlocked(computed, locked | {"keras": "2"})
    assert line.startswith("the stages computed with 2 packages of another version than is locked")
    assert not [*packages.unlocked({"numpy": ["2.0"], "own": ["1"]}, locked)]
