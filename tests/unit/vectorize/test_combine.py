"""Two representations side by side."""

from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_array

from stages.combine import combine
from tests.refusal import refusal
from textclf.artifacts import features, shapes
from textclf.artifacts.features import Features
from textclf.artifacts.shapes import Part, Shapes
from textclf.vectorize import representation
from textclf.vectorize.terms.settings import Terms

COUNTS = np.array([[0, 2], [1, 0], [0, 2]])
VECTORS = np.array([[0.5], [0.25], [1.0]], dtype=np.float32)
IDS, Y, CLASSES = np.array(["a", "b", "c"]), np.array([0, 1, 0]), np.array(["no", "yes"])
SCALES = [(3 / 9) ** 0.5, (3 / 1.3125) ** 0.5]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Features of words and of sentences, the training rows in two shards."""
    for name, X, text in (("words", csr_array(COUNTS), "good food"), ("sentences", VECTORS, "fine")):
        (folder := tmp_path / name).mkdir()
        whole = Features(IDS, X, Y, CLASSES)
        for number, rows in (("train-00001", [0, 1]), ("train-00002", [2]), ("test", [1])):
            features.write(whole.take(np.array(rows)), folder / f"{number}.npz")
        representation.write(representation.fit([text], Terms(), tmp_path), folder / "vectorizer.json")
        part = Part(X.shape[1], {"test": {"rows": 1, "features": X.shape[1], "nonzeros": 1}}, {})
        shapes.write_features(Shapes(features.kind_of(X), {name: part}), folder)
    return tmp_path


def made(root: Path, first: str, second: str, name: str = "both") -> Shapes:
    (folder := root / name).mkdir()
    shape = combine(root, (first, second), folder)
    shapes.write_features(shape, folder)
    return shape


def test_training_rows_of_both_have_the_mean_squared_length_1(root: Path) -> None:
    shape = made(root, "words", "sentences")
    assert (shape.kind, shape.columns, list(shape.parts)) == ("sparse", 3, ["words", "sentences"])
    opened = features.open_shards(root / "both")
    assert [len(opened[split]) for split in opened] == [2, 1]
    train = features.concatenate(list(opened["train"]))
    assert train.X.toarray() == pytest.approx(np.hstack([COUNTS * SCALES[0], VECTORS * SCALES[1]]))
    assert train.ids.tolist() == ["a", "b", "c"]
    (test,) = opened["test"]
    assert test.X.toarray() == pytest.approx(np.array([[SCALES[0], 0, 0.25 * SCALES[1]]]))  # with the training rows'


def test_texts_get_the_vectors_of_the_features_that_models_are_trained_on(root: Path) -> None:
    made(root, "words", "sentences")
    union = representation.read(root / "both" / "vectorizer.json", root)
    assert union.terms() == ["words__food", "words__good", "sentences__fine"]
    assert union.transform(["good, fine"]).toarray() == pytest.approx(np.array([[0, SCALES[0], SCALES[1]]]))


def test_a_pair_can_be_combined_again(root: Path) -> None:
    made(root, "words", "sentences")
    letters = root / "letters"
    letters.mkdir()
    for path in (root / "sentences").iterdir():
        (letters / path.name).write_bytes(path.read_bytes())
    made(root, "both", "letters", "all")
    union = representation.read(root / "all" / "vectorizer.json", root)
    assert union.terms() == ["words__food", "words__good", "sentences__fine", "letters__fine"]
    both = np.array([[0, SCALES[0], SCALES[1]]]) / 2**0.5  # two blocks of mean squared length 1
    assert union.transform(["good, fine"]).toarray() == pytest.approx(np.hstack([both, [[SCALES[1]]]]))


def test_damaged_features_are_refused(root: Path) -> None:
    path = root / "sentences" / "shapes.json"
    path.write_bytes(path.read_bytes().replace(b"dense", b"sense"))
    assert "shapes.json is damaged or was edited" in refusal(made, root, "words", "sentences")


def test_rows_that_are_all_empty_have_the_scale_1() -> None:
    assert features.unit_scale(3, 0) == 1.0
