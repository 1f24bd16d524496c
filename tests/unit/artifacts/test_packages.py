"""The versions of packages that computed a model are recorded with those of the features that it was trained on."""

import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from tests.refusal import refusal
from textclf.artifacts import packages
from textclf.artifacts.checksums import write_manifest


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
