"""The stages vectorize and train on a split with texts of no class."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.unit.models.stages import run_stages
from textclf.artifacts import layers, predictions, splits
from textclf.artifacts.predictions import HELD_OUT, Predictions
from textclf.vectorize import representation

WORDS = ("good great fine", "bad poor awful", "tree river stone")
ROWS = [
    (
        " ".join([*np.random.default_rng(n).choice(WORDS[n % 3].split(), 3), f"x{n % 7}"]),
        ("pos", "neg", "oos")[n % 3],
    )
    for n in range(120)
]


def trained(folder: Path, settled: bool, **data: Any) -> Predictions:
    """Return the predictions for all rows."""
    return run_stages(folder, "logistic_regression", ROWS, settled=settled, **data)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_texts_of_no_class_are_predicted_with_a_score_and_train_nothing(folder: Path) -> None:
    rows = trained(folder, settled=True, unknown="oos")
    assert list(dict.fromkeys(rows.split)) == ["train", "test", "test_unknown"]
    assert (rows.y < 0).tolist() == (rows.split == "test_unknown").tolist()
    model = layers.read(folder / "trained" / "model")
    assert model.classes == ("neg", "pos")
    vectorizer = representation.read(
        folder / "features" / "words" / representation.VECTORIZER, folder
    )
    assert not {"tree", "river", "stone"} & set(vectorizer.parts[0].vocabulary)
    texts = splits.read_column(folder / "splits" / "test_unknown.parquet", "text")
    unknown = rows.take(rows.y < 0)
    assert unknown.scores["energy"].tolist() == model.log_sum(vectorizer.transform(texts)).tolist()
    assert not (folder / "trained" / "model" / HELD_OUT).exists()


def test_held_out_training_rows_have_the_scores_too(folder: Path) -> None:
    trained(folder, settled=False, unknown="oos")
    held_out = predictions.read(folder / "trained" / "model" / HELD_OUT)
    assert list(held_out.scores) == ["energy"]
    assert (held_out.y >= 0).all()


@pytest.mark.parametrize("data", [{}, {"unknown": "oos", "train_unknown": True}])
def test_other_runs_have_no_scores(folder: Path, data: dict[str, object]) -> None:
    rows = trained(folder, settled=True, **data)
    assert (rows.scores, rows.classes) == ({}, ("neg", "oos", "pos"))
