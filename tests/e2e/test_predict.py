"""That what is handed on predicts as the trained models do: portable, ONNX, and the command, on every row."""

import csv
import io
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
from tests.settings import TEXT
from tests.verify import Copy
from textclf import params
from textclf.export import onnx_model as exchange
from textclf.models import fitting as training
from textclf.predict import predictor as prediction
from textclf.split import splitting
from textclf.tables import corpus
from textclf.vectorize import features

MODELS = ("majority", "logistic_regression", "keras")
PROBABILITIES = ["probability_0", "probability_1"]
EPOCHS = 10  # a network that is sure of itself, sooner than the lesson's
each_model = pytest.mark.parametrize("model", MODELS)


def recorded(pipeline: Copy, model: str) -> pd.DataFrame:
    """What train predicted for every row, with the row's text."""
    rows = pd.read_parquet(pipeline.folder / f"data/predictions/{model}.parquet")
    texts = pd.concat([pd.read_parquet(path) for path in (pipeline.folder / "data/splits").glob("*.parquet")])
    return rows.merge(texts[["id", "text"]], on="id", validate="one_to_one")


def through_onnx(path: Path, predictor: prediction.Predictor, texts: list[str]) -> tuple[Any, NDArray[np.float32]]:
    """Labels and probabilities as onnxruntime has them."""
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    vectors = predictor.vectorizer.transform(texts).toarray().astype(np.float32)
    label, probabilities = session.run(None, {"features": vectors})
    return label, probabilities


@each_model
def test_a_model_that_is_loaded_predicts_as_it_did_when_it_was_trained(pipeline: Copy, model: str) -> None:
    rows = recorded(pipeline, model)
    predictor = textclf.load(pipeline.folder / "models" / model)
    found = predictor.predict_proba(rows["text"])
    assert len(found) == 1000
    assert np.abs(found - rows[PROBABILITIES].to_numpy()).max() < (1e-6 if model == "keras" else 1e-12)


@each_model
def test_onnx_predicts_as_the_model_does(pipeline: Copy, model: str) -> None:
    rows = recorded(pipeline, model)
    folder = pipeline.folder / "models" / model
    predictor = textclf.load(folder)
    label, probabilities = through_onnx(folder / exchange.FILE, predictor, rows["text"].tolist())
    assert np.abs(probabilities - rows[PROBABILITIES].to_numpy()).max() < 1e-5
    assert label.tolist() == predictor.predict(rows["text"])


@each_model
def test_the_command_gives_the_rows_of_a_table_in_order(pipeline: Copy, model: str) -> None:
    command = [sys.executable, "-m", "textclf.cli", "predict", "--path", "data/raw", "--model", model, "--to", "csv"]
    printed = subprocess.run(command, cwd=pipeline.folder, capture_output=True, check=True).stdout
    found = list(csv.DictReader(io.StringIO(printed.decode("utf-8"))))
    wanted = recorded(pipeline, model).set_index("id").loc[[row["id"] for row in found]]
    assert [row["id"] for row in found] == [f"yelp_labelled.txt:{number}" for number in range(1, 1001)]
    assert [row["text"] for row in found] == wanted["text"].tolist()
    values = np.array([[float(row[name]) for name in PROBABILITIES] for row in found])
    assert np.abs(values - wanted[PROBABILITIES].to_numpy()).max() < 1e-5


@pytest.fixture(scope="module")
def corpora(workshop: Callable[[], Copy]) -> Path:
    """A folder with all three corpora, as fetch brings them."""
    copy = workshop()
    changed = (copy.folder / "params.yaml").read_text(encoding="utf-8")
    changed = changed.replace("corpus: yelp ", "corpus: [yelp, amazon, imdb] ")
    (copy.folder / "params.yaml").write_text(changed, encoding="utf-8")
    copy.dvc("repro", "fetch")
    return copy.folder / "data/raw"


@pytest.mark.parametrize("name", ["yelp", "amazon_cells", "imdb"])
def test_portable_and_onnx_are_the_network_on_all_rows_of_each_corpus(corpora: Path, tmp_path: Path, name: str) -> None:
    settings = params.parse(TEXT)
    read = corpus.read(corpora / f"{name}_labelled.txt", settings.data)
    parts = splitting.split(read.rows, settings.split)
    vectors, vectorizer = features.vectorize(parts, settings.vectorize, read.classes)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what TensorFlow's own imports deprecate
        network = settings.train.keras.model_copy(update={"epochs": EPOCHS})
        model: Any = training.train("keras", vectors, network).model
    predictor = prediction.Predictor(vectorizer, model.portable(), threshold=0.5)
    exchange.write(predictor, tmp_path / "model.onnx")
    for split, rows in parts.items():
        by_keras = model.plain.predict(vectors[split].X.toarray(), verbose=0)[:, 0]
        by_portable = predictor.predict_proba(rows["text"])[:, 1]
        _, by_onnx = through_onnx(tmp_path / "model.onnx", predictor, rows["text"].tolist())
        assert np.abs(by_portable - by_keras).max() < 1e-5
        assert np.abs(by_onnx[:, 1] - by_keras).max() < 1e-5
