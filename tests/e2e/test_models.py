"""The models of the default run: how they behave, and that every form of them predicts what was measured."""

import csv
import io
import re
import subprocess
import sys
import warnings
import zipfile
from collections.abc import Callable, Iterator
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
EPOCHS = 10
PICKLES = tuple(b"\x80" + bytes([protocol]) for protocol in range(2, 6))  # how a pickle begins
PYTHON_BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
each_model = pytest.mark.parametrize("model", MODELS)
each_learned = pytest.mark.parametrize("model", MODELS[1:])


@pytest.fixture(scope="module")
def rows(pipeline: Copy) -> pd.DataFrame:
    """Return id, text, label and split of every row."""
    parts = splits.read(pipeline.folder / "data/splits")
    return pd.concat([part.assign(split=name) for name, part in parts.items()], ignore_index=True)


@pytest.fixture(scope="module")
def recorded(pipeline: Copy, rows: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return the predictions of the stage train by model, in the order of `rows`."""
    read = {model: pd.read_parquet(pipeline.folder / f"data/predictions/{model}.parquet") for model in MODELS}
    return {model: table.set_index("id").loc[rows["id"]].reset_index() for model, table in read.items()}


@pytest.fixture(scope="module")
def predictors(pipeline: Copy) -> dict[str, Predictor]:
    return {model: textclf.load(pipeline.folder / "models" / model) for model in MODELS}


@pytest.fixture(scope="module")
def network(pipeline: Copy) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what TensorFlow's own imports deprecate
        import keras

        return keras.saving.load_model(pipeline.folder / "models/keras/model.keras", safe_mode=True)


def through_onnx(path: Path, predictor: Predictor, texts: list[str]) -> tuple[Any, NDArray[np.float32]]:
    """Return labels and probabilities from onnxruntime."""
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    vectors = predictor.vectorizer.transform(texts).toarray().astype(np.float32)
    label, probabilities = session.run(None, {"features": vectors})
    return label, probabilities


# The rows


@each_model
def test_every_row_is_predicted_once_with_shares_of_one(
    pipeline: Copy, rows: pd.DataFrame, recorded: dict[str, pd.DataFrame], model: str
) -> None:
    assert len(pd.read_parquet(pipeline.folder / f"data/predictions/{model}.parquet")) == len(rows) == 1000
    predicted, given = (table[["split", "label"]].to_numpy().tolist() for table in (recorded[model], rows))
    assert predicted == given
    values = recorded[model][PROBABILITIES].to_numpy()
    assert values.min() >= 0
    assert values.max() <= 1
    assert np.abs(values.sum(axis=1) - 1).max() < 1e-12


def test_a_row_id_names_the_line_of_the_corpus_with_its_text_and_label(pipeline: Copy, rows: pd.DataFrame) -> None:
    (table,) = verify.corpus_folder(pipeline).iterdir()
    lines = table.read_bytes().decode("utf-8").split("\n")
    named = {f"{table.name}:{number}": line for number, line in enumerate(lines, start=1) if line}
    assert {row.id: f"{row.text}\t{row.label}" for row in rows.itertuples()} == named


# Every form of a model predicts what was measured


@each_model
def test_a_loaded_model_and_onnx_predict_what_was_measured(
    pipeline: Copy, rows: pd.DataFrame, recorded: dict[str, pd.DataFrame], predictors: dict[str, Predictor], model: str
) -> None:
    expected, texts = recorded[model][PROBABILITIES].to_numpy(), rows["text"].tolist()
    assert np.abs(predictors[model].predict_proba(texts) - expected).max() < 1e-12
    path = pipeline.folder / "models" / model / onnx_model.ONNX
    labels, probabilities = through_onnx(path, predictors[model], texts)
    assert np.abs(probabilities - expected).max() < 1e-5
    assert labels.tolist() == predictors[model].predict(texts).tolist()


def test_keras_opens_a_plain_stack_of_dense_layers_that_predicts_what_was_measured(
    rows: pd.DataFrame, recorded: dict[str, pd.DataFrame], predictors: dict[str, Predictor], network: Any
) -> None:
    import keras

    assert type(network) is keras.Sequential
    assert [(type(layer), layer.units, layer.activation.__name__) for layer in network.layers] == [
        (keras.layers.Dense, 10, "relu"),
        (keras.layers.Dense, 1, "sigmoid"),
    ]
    assert network.count_params() == 17161
    vectors = predictors["keras"].vectorizer.transform(rows["text"]).toarray()
    assert network.predict(vectors, verbose=0)[:, 0] == pytest.approx(recorded["keras"]["probability_1"], abs=1e-5)


def test_the_command_prints_the_rows_of_a_table_in_order(
    pipeline: Copy, rows: pd.DataFrame, recorded: dict[str, pd.DataFrame]
) -> None:
    command = [sys.executable, "-m", "textclf.cli", "predict", "--path", "data/raw", "--model", "keras", "--to", "csv"]
    printed = subprocess.run(command, cwd=pipeline.folder, capture_output=True, check=True).stdout
    found = list(csv.DictReader(io.StringIO(printed.decode("utf-8"))))
    assert [row["id"] for row in found] == [f"yelp_labelled.txt:{number}" for number in range(1, 1001)]
    expected = recorded["keras"].assign(text=rows["text"]).set_index("id").loc[[row["id"] for row in found]]
    assert [row["text"] for row in found] == expected["text"].tolist()
    probabilities = np.array([[float(row[name]) for name in PROBABILITIES] for row in found])
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


# Behaviour


def reversed_words(text: str) -> str:
    return " ".join(reversed(text.split()))


@pytest.mark.parametrize("change", [reversed_words, str.upper])
@each_learned
def test_the_order_and_case_of_words_change_no_prediction(
    rows: pd.DataFrame, predictors: dict[str, Predictor], model: str, change: Callable[[str], str]
) -> None:
    changed = rows["text"].map(change)
    assert (changed != rows["text"]).mean() > 0.7
    assert np.array_equal(predictors[model].predict_proba(changed), predictors[model].predict_proba(rows["text"]))


# Adding a word to a linear model moves every row the same way; a network only has to do so for most.
@pytest.mark.parametrize(("model", "share"), [("logistic_regression", 1.0), ("keras", 0.95)])
def test_praise_raises_and_blame_lowers_the_probability_of_a_good_review(
    rows: pd.DataFrame, predictors: dict[str, Predictor], model: str, share: float
) -> None:
    test = rows.loc[rows["split"] == "test", "text"]
    before, praised, blamed = (
        predictors[model].predict_proba(test + word)[:, 1] for word in ("", " great", " terrible")
    )
    assert (praised > before).mean() >= share
    assert (blamed < before).mean() >= share


# Files


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
                assert [arrays[key].dtype.hasobject for key in arrays] == [False] * len(arrays.files)
