"""A text of each class as a row that fits see, and nothing else."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests import samples, tiny_bert
from tests.conftest import run_stage
from tests.settings import models, put
from textclf.artifacts import predictions
from textclf.core.settings import show
from textclf.export.refit import refit
from textclf.vectorize.settings import Combine, Vectorize

MODEL, TEXTS = "logistic_regression", {"0": "bad service", "1": "good food"}
ROWS = pd.DataFrame(
    {"id": [*"abcd"], "text": ["good", "bad", "food", "service"], "label": ["1", "0", "1", "0"]}
)


@pytest.fixture
def section(tmp_path: Path) -> dict[str, Any]:
    own = tiny_bert.write_folder(tmp_path / "tiny")
    return {
        "method": "encoder",
        "pretrained": None,
        "path": str(own),
        "sha256": tiny_bert.checksum(own),
        "length": 16,
    }


def run(project: Path, section: dict[str, Any], texts: dict[str, str]) -> list[object]:
    settings = {"kind": MODEL, "features": "sentences", "C": 10.0}
    own = shutil.copytree(section["path"], project / "data/external/tiny", dirs_exist_ok=True)
    section = section | {"path": own.relative_to(project).as_posix()}
    text = put(
        *models("majority", MODEL), "export.model", "null", f"train.{MODEL}", show(settings, 10**4)
    )
    text = put("vectorize.sentences", show(section | {"class_texts": texts}, 10**4), text=text)
    text = put("evaluate.calibration", "temperature", text=text)
    (project / "params.yaml").write_text(text, encoding="utf-8")
    stages = ("check", "vectorize@sentences", f"train@{MODEL}")
    return [run_stage(project, stage) or 0 for stage in stages]


def test_fits_see_them_and_nothing_else_does(
    project: Path, section: dict[str, Any], capfd: pytest.CaptureFixture[str]
) -> None:
    files, rows = [], []
    for texts in ({}, TEXTS):
        assert run(project, section, texts) == [0, 0, 0]
        data, features = project / "data", project / "data/features/sentences"
        files.append(
            [
                (features / name).read_bytes()
                for name in ("shapes.json", "vectorizer.json", "train.npz")
            ]
        )
        paths = (
            data / "trained" / MODEL / predictions.HELD_OUT,
            data / f"predictions/{MODEL}{predictions.SUFFIX}",
        )
        rows.append([predictions.read(path) for path in paths])
    assert files[0] == files[1]
    for before, after in zip(*rows, strict=True):
        assert before.ids.tolist() == after.ids.tolist()
        assert np.abs(before.probabilities - after.probabilities).max() > 1e-3
    assert run(project, section, {"good": "good food"})[1] == 2
    line = (
        "params.yaml: vectorize.sentences.class_texts must name classes; got good; known here: 0, 1"
    )
    assert line in capfd.readouterr().err


def test_the_exported_model_is_fitted_on_them_too(section: dict[str, Any]) -> None:
    vectorize = Vectorize.model_validate({"sentences": section | {"class_texts": TEXTS}})

    def probabilities(model: str, rows: pd.DataFrame, vectorize: Vectorize) -> Any:
        settings = samples.settings(model, features="sentences")
        made, features = refit(rows, ["0", "1"], settings, {}, vectorize, Combine(), Path())
        return made.model.predict_proba(features.X[:4])

    added = pd.DataFrame({"id": [*"ef"], "text": TEXTS.values(), "label": TEXTS.keys()})
    plain, both = Vectorize.model_validate({"sentences": section}), pd.concat([ROWS, added])
    np.testing.assert_allclose(
        probabilities(MODEL, ROWS, vectorize), probabilities(MODEL, both, plain), rtol=1e-6
    )
    for model in ("linear_svm", "majority"):  # which leave them out
        np.testing.assert_array_equal(
            probabilities(model, ROWS, vectorize), probabilities(model, ROWS, plain)
        )
