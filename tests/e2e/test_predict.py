"""Exported models predict what was measured, in every form: layers, ONNX and the command, on every row."""

import csv
import io
import re
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

import textclf
from tests.vectorized import vectorize_terms
from tests.verify import ROOT, Copy
from textclf.artifacts.decisions import Decision
from textclf.export import onnx_model
from textclf.models.common.fitting import fit_model
from textclf.models.settings import Train
from textclf.predict.predictor import Predictor
from textclf.split.draw import draw_splits
from textclf.split.settings import Split
from textclf.tables import corpus
from textclf.tables.settings import Data
from textclf.vectorize.terms.settings import Terms

MODELS = ("majority", "logistic_regression", "keras")
PROBABILITIES = ["probability_0", "probability_1"]
EPOCHS = 10
PYTHON_BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
each_model = pytest.mark.parametrize("model", MODELS)


def recorded(pipeline: Copy, model: str) -> pd.DataFrame:
    """Return the predictions of the stage train for every row, with the row's text."""
    rows = pd.read_parquet(pipeline.folder / f"data/predictions/{model}.parquet")
    texts = pd.concat([pd.read_parquet(path) for path in (pipeline.folder / "data/splits").glob("*.parquet")])
    return rows.merge(texts[["id", "text"]], on="id", validate="one_to_one")


def through_onnx(path: Path, predictor: Predictor, texts: list[str]) -> tuple[Any, NDArray[np.float32]]:
    """Return labels and probabilities from onnxruntime."""
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    vectors = predictor.vectorizer.transform(texts).toarray().astype(np.float32)
    label, probabilities = session.run(None, {"features": vectors})
    return label, probabilities


@each_model
def test_a_loaded_model_predicts_what_was_measured(pipeline: Copy, model: str) -> None:
    rows = recorded(pipeline, model)
    probabilities = textclf.load(pipeline.folder / "models" / model).predict_proba(rows["text"])
    assert len(probabilities) == 1000
    assert np.abs(probabilities - rows[PROBABILITIES].to_numpy()).max() < 1e-12


@each_model
def test_onnx_predicts_what_was_measured(pipeline: Copy, model: str) -> None:
    rows = recorded(pipeline, model)
    folder = pipeline.folder / "models" / model
    predictor = textclf.load(folder)
    label, probabilities = through_onnx(folder / onnx_model.ONNX, predictor, rows["text"].tolist())
    assert np.abs(probabilities - rows[PROBABILITIES].to_numpy()).max() < 1e-5
    assert label.tolist() == predictor.predict(rows["text"])


@each_model
def test_the_command_prints_the_rows_of_a_table_in_order(pipeline: Copy, model: str) -> None:
    command = [sys.executable, "-m", "textclf.cli", "predict", "--path", "data/raw", "--model", model, "--to", "csv"]
    printed = subprocess.run(command, cwd=pipeline.folder, capture_output=True, check=True).stdout
    rows = list(csv.DictReader(io.StringIO(printed.decode("utf-8"))))
    expected = recorded(pipeline, model).set_index("id").loc[[row["id"] for row in rows]]
    assert [row["id"] for row in rows] == [f"yelp_labelled.txt:{number}" for number in range(1, 1001)]
    assert [row["text"] for row in rows] == expected["text"].tolist()
    probabilities = np.array([[float(row[name]) for name in PROBABILITIES] for row in rows])
    assert np.abs(probabilities - expected[PROBABILITIES].to_numpy()).max() < 1e-5


def test_the_python_examples_of_the_page_give_what_it_says(pipeline: Copy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(pipeline.folder)
    blocks = PYTHON_BLOCK.findall((ROOT / "docs/predict.md").read_text(encoding="utf-8"))
    assert len(blocks) == 2
    for block in blocks:
        names: dict[str, Any] = {}
        for line in block.splitlines():
            statement, _, expected = line.partition("  # ")
            if expected:
                assert repr(eval(statement, names)) == expected  # noqa: S307 (a page of the project)
            else:
                exec(statement, names)  # noqa: S102 (the same)
    assert names["label"].tolist() == ["1"]


@pytest.fixture(scope="module")
def corpora(workshop: Callable[[], Copy]) -> Path:
    """Return a folder with all three corpora, as the stage fetch writes them."""
    copy = workshop()
    text = (copy.folder / "params.yaml").read_text(encoding="utf-8")
    changed = re.sub(r"^  corpus: yelp\b", "  corpus: [yelp, amazon, imdb]", text, flags=re.MULTILINE)
    assert changed != text
    (copy.folder / "params.yaml").write_text(changed, encoding="utf-8")
    copy.dvc("repro", "fetch")
    return copy.folder / "data/raw"


@pytest.mark.parametrize("name", ["yelp", "amazon_cells", "imdb"])
def test_layers_and_onnx_predict_like_keras_on_each_corpus(corpora: Path, tmp_path: Path, name: str) -> None:
    table = corpus.read(corpora / f"{name}_labelled.txt", Data())
    splits = draw_splits(table.rows, Split())
    features, vectorizer = vectorize_terms(splits, Terms(), table.classes)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # deprecations in TensorFlow's own imports
        settings = Train().keras.model_copy(update={"epochs": EPOCHS})
        fitted = fit_model("keras", features, settings)
        from keras.saving import load_model

        fitted.files["model.keras"](tmp_path / "model.keras")
        network: Any = load_model(tmp_path / "model.keras")
    predictor = Predictor(vectorizer, fitted.layers, Decision(0.5))
    onnx_model.write(vectorizer, fitted.layers, predictor.decision, tmp_path / "model.onnx")
    for split, rows in splits.items():
        by_keras = network.predict(features[split].X.toarray(), verbose=0)[:, 0]
        by_layers = predictor.predict_proba(rows["text"])[:, 1]
        _, by_onnx = through_onnx(tmp_path / "model.onnx", predictor, rows["text"].tolist())
        assert np.abs(by_layers - by_keras).max() < 1e-5
        assert np.abs(by_onnx[:, 1] - by_keras).max() < 1e-5
