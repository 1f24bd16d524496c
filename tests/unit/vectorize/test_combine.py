"""Two representations side by side."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array

from stages.combine import combine
from tests.refusal import refusal
from tests.unit.vectorize.lengths import Lengths
from textclf.artifacts import features, shapes
from textclf.artifacts.features import Features
from textclf.artifacts.shapes import Part, Shapes
from textclf.core.errors import UserError
from textclf.vectorize import in_memory, representation
from textclf.vectorize.in_memory import vectorize_splits
from textclf.vectorize.representation import Block, Union
from textclf.vectorize.settings import Combine, Vectorize
from textclf.vectorize.terms.settings import Terms
from textclf.vectorize.terms.vectorizer import Vectorizer

COUNTS = np.array([[0, 2], [1, 0], [0, 2]])
VECTORS = np.array([[0.5], [0.25], [1.0]], dtype=np.float32)
IDS, Y, CLASSES = np.array(["a", "b", "c"]), np.array([0, 1, 0]), np.array(["no", "yes"])
SCALES = [(3 / 9) ** 0.5, (3 / 1.3125) ** 0.5]
NEWER = {"settings": {"method": "stemming"}}
TEXTS = ["good food", "bad food", "good good place"]
SPLITS = {
    "train": pd.DataFrame({"id": ["a", "b"], "text": ["good food", "bad"], "label": ["yes", "no"]}),
    "test": pd.DataFrame({"id": ["c", "d"], "text": ["good", "good food"], "label": ["yes", "no"]}),
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Features of words and of sentences, the training rows in two shards."""
    for name, X, text in (
        ("words", csr_array(COUNTS), "good food"),
        ("sentences", VECTORS, "fine"),
    ):
        (folder := tmp_path / name).mkdir()
        whole = Features(IDS, X, Y, CLASSES)
        for number, rows in (("train-00001", [0, 1]), ("train-00002", [2]), ("test", [1])):
            features.write(whole.take(np.array(rows)), folder / f"{number}.npz")
        representation.write(
            representation.fit([text], Terms(), tmp_path), folder / "vectorizer.json"
        )
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
    # Scaled as the training rows are.
    assert test.X.toarray() == pytest.approx(np.array([[SCALES[0], 0, 0.25 * SCALES[1]]]))


def test_texts_get_the_vectors_of_the_features_that_models_are_trained_on(root: Path) -> None:
    made(root, "words", "sentences")
    union = representation.read(root / "both" / "vectorizer.json", root)
    assert union.terms() == ["words__food", "words__good", "sentences__fine"]
    assert union.transform(["good, fine"]).toarray() == pytest.approx(
        np.array([[0, SCALES[0], SCALES[1]]])
    )


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
    assert union.transform(["good, fine"]).toarray() == pytest.approx(
        np.hstack([both, [[SCALES[1]]]])
    )


def test_damaged_features_are_refused(root: Path) -> None:
    path = root / "sentences" / "shapes.json"
    path.write_bytes(path.read_bytes().replace(b"dense", b"sense"))
    assert "shapes.json is damaged or was edited" in refusal(made, root, "words", "sentences")


def test_rows_that_are_all_empty_have_the_scale_1() -> None:
    assert features.unit_scale(3, 0) == 1.0


def words(**settings: object) -> Vectorizer:
    return Vectorizer.fit(TEXTS, Terms.model_validate(settings))


def test_a_union_multiplies_each_block_and_names_its_columns() -> None:
    both = Union([Block("words", 0.5, words()), Block("lengths", 0.1, Lengths())])
    assert both.columns == 5
    assert both.transform(["good good"]).toarray().tolist() == [[0, 0, 1.0, 0, pytest.approx(0.9)]]
    assert both.terms() == ["words__bad", "words__food", "words__good", "words__place", None]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            {"blocks": [{"name": "a", "scale": 1.0, "vectorizer": NEWER}]},
            "was made by a newer textclf",
        ),
        ({"blocks": None}, "is damaged"),
        (
            {"blocks": [{"name": "words", "scale": 0.0, "vectorizer": words().to_json()}]},
            "is damaged",
        ),
        (
            {"blocks": [{"name": "words", "scale": True, "vectorizer": words().to_json()}]},
            "is damaged",
        ),
        ({"blocks": [{"name": "words", "scale": 1.0, "vectorizer": {}}]}, "is damaged"),
    ],
)
def test_a_union_that_is_damaged_or_newer_is_refused(
    tmp_path: Path, change: dict[str, Any], reason: str
) -> None:
    path = tmp_path / "vectorizer.json"
    union = Union([Block("words", 0.5, words()), Block("letters", 2.0, words(analyzer="char"))])
    path.write_text(json.dumps({"format": 1} | union.to_json() | change))
    with pytest.raises(UserError, match=reason):
        representation.read(path, tmp_path)


def test_representations_stand_side_by_side_scaled_by_the_training_rows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lengths, fit = Lengths(), representation.fit

    def fit_either(texts: Iterable[str], settings: Any, pretrained: Path) -> Any:
        return lengths if settings.method == "encoder" else fit(texts, settings, pretrained)

    monkeypatch.setattr(representation, "fit", fit_either)
    in_memory._remembering.cache_clear()
    vectorize = Vectorize.model_validate({"words": {}, "sentences": {"method": "encoder"}})
    combine = Combine.model_validate({"both": {"first": "words", "second": "sentences"}})
    for _ in range(2):
        features = vectorize_splits(SPLITS, "both", vectorize, combine, ["no", "yes"], Path())
        train = features["train"].X.toarray()
        assert (train[:, :3] ** 2).sum(axis=1).mean() == pytest.approx(1)
        assert train[:, 3] == pytest.approx(np.array([9, 3]) / (90 / 2) ** 0.5)
        assert features["test"].y.tolist() == [1, 0]
    assert lengths.seen == ["good food", "bad", "good"]
    in_memory._remembering.cache_clear()
