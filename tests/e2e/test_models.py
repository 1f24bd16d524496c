"""The default run's models: every form predicts what was measured; none is a pickle."""

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

import textclf
from tests import verify
from tests.verify import ROOT, Copy
from textclf.artifacts import splits
from textclf.export import onnx_model
from textclf.predict.predictor import Predictor

MODELS = ("majority", "logistic_regression", "keras")
PROBABILITIES = ["probability_0", "probability_1"]
PICKLES = tuple(b"\x80" + bytes([protocol]) for protocol in range(2, 6))  # how a pickle begins
PYTHON_BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
each_model = pytest.mark.parametrize("model", MODELS)


@pytest.fixture(scope="module")
def rows(pipeline: Copy) -> pd.DataFrame:
    """Return id, text, label and split of every row."""
    parts = splits.read(pipeline.folder / "data/splits")
    return pd.concat([part.assign(split=name) for name, part in parts.items()], ignore_index=True)


@pytest.fixture(scope="module")
def recorded(pipeline: Copy, rows: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return the predictions of the stage train by model, in the order of `rows`."""
    read = {
        model: pd.read_parquet(pipeline.folder / f"data/predictions/{model}.parquet")
        for model in MODELS
    }
    return {
        model: table.set_index("id").loc[rows["id"]].reset_index() for model, table in read.items()
    }


@pytest.fixture(scope="module")
def predictors(pipeline: Copy) -> dict[str, Predictor]:
    return {model: textclf.load(pipeline.folder / "models" / model) for model in MODELS}


def through_onnx(
    path: Path, predictor: Predictor, texts: list[str]
) -> tuple[Any, NDArray[np.float32]]:
    """Return labels and probabilities from onnxruntime."""
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    vectors = predictor.vectorizer.transform(texts).toarray().astype(np.float32)
    label, probabilities = session.run(None, {"features": vectors})
    return label, probabilities


# Every form of a model predicts what was measured


@each_model
def test_a_loaded_model_and_onnx_predict_what_was_measured(
    pipeline: Copy,
    rows: pd.DataFrame,
    recorded: dict[str, pd.DataFrame],
    predictors: dict[str, Predictor],
    model: str,
) -> None:
    expected, texts = recorded[model][PROBABILITIES].to_numpy(), rows["text"].tolist()
    assert np.abs(predictors[model].predict_proba(texts) - expected).max() < 1e-12
    path = pipeline.folder / "models" / model / onnx_model.ONNX
    labels, probabilities = through_onnx(path, predictors[model], texts)
    assert np.abs(probabilities - expected).max() < 1e-5
    assert labels.tolist() == predictors[model].predict(texts).tolist()


def test_the_python_examples_of_the_page_give_what_it_says(
    pipeline: Copy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(pipeline.folder)
    blocks = PYTHON_BLOCK.findall((ROOT / "docs/predict.md").read_text(encoding="utf-8"))
    assert len(blocks) == 2
    for block in blocks:
        names: dict[str, Any] = {}
        for line in block.splitlines():
            statement, _, expected = line.partition("  # ")
            if expected:
                # A page of the project.
                assert repr(eval(statement, names)) == expected  # noqa: S307
            else:
                exec(statement, names)  # noqa: S102 (the same)
    assert names["label"].tolist() == ["1"]


# Adding a word to a linear model moves every row the same way; a network only has to do so for
# most. Files


def files_within(path: Path) -> Iterator[tuple[str, bytes]]:
    """Yield name and bytes of a file, or of each member of a zip, as npz and keras are."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            yield from ((name, archive.read(name)) for name in archive.namelist())
    else:
        yield path.name, path.read_bytes()


def test_no_output_is_or_holds_a_pickle(pipeline: Copy) -> None:
    names = {name for files in verify.file_hashes(pipeline.folder).values() for name in files}
    kinds = {".csv", ".json", ".keras", ".npz", ".onnx", ".parquet", ".txt"}
    assert {Path(name).suffix for name in names} == {*kinds, "", ".html", ".md", ".svg"}
    for name in names:
        for member, data in files_within(pipeline.folder / name):
            assert not data.startswith(PICKLES), (name, member)
            assert not member.endswith((".pkl", ".pickle", ".joblib")), (name, member)
        if name.endswith(".npz"):
            with np.load(pipeline.folder / name, allow_pickle=False) as arrays:
                assert [arrays[key].dtype.hasobject for key in arrays] == [False] * len(
                    arrays.files
                )
