"""How the trained models behave, and that their files make the predictions on record."""

import warnings
import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from tests import verify
from tests.verify import Copy
from textclf.artifacts import layers
from textclf.vectorize import representation

MODELS = ("majority", "logistic_regression", "keras")
LEARNED = MODELS[1:]
PROBABILITIES = ["probability_0", "probability_1"]
PICKLES = tuple(b"\x80" + bytes([protocol]) for protocol in range(2, 6))  # how a pickle begins

Predict = Callable[[Iterable[str]], NDArray[np.float64]]  # texts to the probability of class 1
each_model = pytest.mark.parametrize("model", MODELS)
each_learned = pytest.mark.parametrize("model", LEARNED)


@pytest.fixture(scope="module")
def rows(pipeline: Copy) -> pd.DataFrame:
    """Return id, text, label and split of every row."""
    paths = (pipeline.folder / "data/splits").glob("*.parquet")
    return pd.concat([pd.read_parquet(path).assign(split=path.stem) for path in paths], ignore_index=True)


@pytest.fixture(scope="module")
def predictions(pipeline: Copy) -> dict[str, pd.DataFrame]:
    return {model: pd.read_parquet(pipeline.folder / f"data/predictions/{model}.parquet") for model in MODELS}


@pytest.fixture(scope="module")
def counts(pipeline: Copy) -> Callable[[Iterable[str]], Any]:
    """Turns texts into vectors with the vectorizer of the pipeline."""
    folder = pipeline.folder / "data/features/words"
    transform: Callable[[Iterable[str]], Any] = representation.read(folder / "vectorizer.json", folder).transform
    return transform


@pytest.fixture(scope="module")
def network(pipeline: Copy) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what TensorFlow's own imports deprecate
        import keras

        return keras.saving.load_model(pipeline.folder / "models/keras/model.keras", safe_mode=True)


@pytest.fixture(scope="module")
def predict(pipeline: Copy, counts: Callable[[Iterable[str]], Any], network: Any) -> dict[str, Predict]:
    """Return the models read from their files."""
    folder = pipeline.folder / "models/logistic_regression"

    def logistic_regression(texts: Iterable[str]) -> NDArray[np.float64]:
        probabilities: NDArray[np.float64] = layers.read(folder).predict_proba(counts(texts))[:, 1]
        return probabilities

    def keras(texts: Iterable[str]) -> NDArray[np.float64]:
        probabilities: NDArray[np.float64] = network.predict(counts(texts).toarray(), verbose=0)[:, 0]
        return probabilities

    return {"logistic_regression": logistic_regression, "keras": keras}


def accuracy(table: pd.DataFrame) -> float:
    test = table[table["split"] == "test"]
    return float((test[PROBABILITIES].to_numpy().argmax(axis=1) == test["label"].astype(int)).mean())


@each_learned
def test_a_model_that_learns_beats_the_majority_on_the_test_rows(
    predictions: dict[str, pd.DataFrame], model: str
) -> None:
    assert accuracy(predictions[model]) > accuracy(predictions["majority"]) + 0.2


@each_model
def test_probabilities_are_shares_of_one(predictions: dict[str, pd.DataFrame], model: str) -> None:
    values = predictions[model][PROBABILITIES].to_numpy()
    assert values.min() >= 0
    assert values.max() <= 1
    assert np.abs(values.sum(axis=1) - 1).max() < 1e-12


@each_model
def test_every_row_is_predicted_once(predictions: dict[str, pd.DataFrame], rows: pd.DataFrame, model: str) -> None:
    columns = ["split", "id", "label"]
    predicted, expected = (
        table[columns].sort_values(columns).to_numpy().tolist() for table in (predictions[model], rows)
    )
    assert predicted == expected


def test_a_row_id_names_the_line_of_the_corpus_that_holds_its_text_and_label(
    pipeline: Copy, rows: pd.DataFrame
) -> None:
    (corpus,) = verify.corpus_folder(pipeline).iterdir()
    lines = corpus.read_bytes().decode("utf-8").split("\n")
    named = {f"{corpus.name}:{number}": line for number, line in enumerate(lines, start=1) if line}
    assert {row.id: f"{row.text}\t{row.label}" for row in rows.itertuples()} == named
    assert len(rows) == len(named) == 1000


@each_learned
def test_the_files_of_a_model_give_the_predictions_on_record(
    predictions: dict[str, pd.DataFrame], rows: pd.DataFrame, predict: dict[str, Predict], model: str
) -> None:
    expected = predictions[model].set_index("id")["probability_1"].loc[rows["id"]].to_numpy()
    assert np.abs(predict[model](rows["text"]) - expected).max() < 1e-5


def reversed_words(text: str) -> str:
    return " ".join(reversed(text.split()))


@pytest.mark.parametrize("change", [reversed_words, str.upper, str.lower])
@each_learned
def test_the_order_and_case_of_words_change_no_prediction(
    rows: pd.DataFrame, predict: dict[str, Predict], model: str, change: Callable[[str], str]
) -> None:
    changed = rows["text"].map(change)
    assert (changed != rows["text"]).mean() > 0.7
    assert predict[model](changed).tolist() == predict[model](rows["text"]).tolist()


@pytest.mark.parametrize(
    ("model", "word", "sign", "share"),
    [
        # Adding a word to a linear model moves every row the same way; a network only has to do so for most.
        ("logistic_regression", "great", 1, 1.0),
        ("logistic_regression", "terrible", -1, 1.0),
        ("keras", "great", 1, 0.95),
        ("keras", "terrible", -1, 0.95),
    ],
)
def test_praise_raises_and_blame_lowers_the_probability_of_a_good_review(
    rows: pd.DataFrame, predict: dict[str, Predict], model: str, word: str, sign: int, share: float
) -> None:
    test = rows.loc[rows["split"] == "test", "text"]
    moves = sign * (predict[model](test + f" {word}") - predict[model](test))
    assert (moves > 0).mean() >= share


def test_the_network_is_a_plain_stack_of_dense_layers(network: Any) -> None:
    import keras

    assert type(network) is keras.Sequential
    assert [(type(layer), layer.units, layer.activation.__name__) for layer in network.layers] == [
        (keras.layers.Dense, 10, "relu"),
        (keras.layers.Dense, 1, "sigmoid"),
    ]
    assert network.count_params() == 17161


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
