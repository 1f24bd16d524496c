from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.feature_extraction.text import CountVectorizer

from textclf import features
from textclf.errors import UserError
from textclf.params import Vectorize

SPLITS = {
    "train": pd.DataFrame(
        {
            "id": ["c:3", "c:1", "c:10"],
            "text": ["Good food, good place", "bad\x85food", "not a GOOD place"],
            "label": ["pos", "neg", "neg"],
        }
    ),
    "test": pd.DataFrame({"id": ["c:2", "c:4"], "text": ["good new words", "?"], "label": ["neg", "pos"]}),
}


def params(**changes: object) -> Vectorize:
    lesson: dict[str, object] = {
        "lowercase": True,
        "ngram_range": (1, 1),
        "min_df": 1,
        "max_df": 1.0,
        "max_features": None,
        "binary": False,
        "token_pattern": r"(?u)\b\w\w+\b",
    }
    return Vectorize.model_validate(lesson | changes)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"lowercase": False},
        {"ngram_range": (1, 2)},
        {"min_df": 2},
        {"max_df": 0.5},
        {"max_features": 2},
        {"binary": True},
        {"token_pattern": "o+"},
        {"token_pattern": "g(oo)d"},
    ],
    ids=str,
)
def test_vectors_are_those_of_count_vectorizer(changes: dict[str, object]) -> None:
    parts, vocabulary = features.vectorize(SPLITS, params(**changes))
    counter = CountVectorizer(**changes)
    assert np.array_equal(parts["train"].X.toarray(), counter.fit_transform(SPLITS["train"]["text"]).toarray())
    assert np.array_equal(parts["test"].X.toarray(), counter.transform(SPLITS["test"]["text"]).toarray())
    assert vocabulary == counter.get_feature_names_out().tolist()


def test_counts_stand_in_the_column_of_their_word() -> None:
    parts, vocabulary = features.vectorize(SPLITS, params())
    assert vocabulary == ["bad", "food", "good", "not", "place"]
    assert parts["train"].X.toarray().tolist() == [[0, 1, 2, 0, 1], [1, 1, 0, 0, 0], [0, 0, 1, 1, 1]]
    assert all(part.X.has_sorted_indices and part.X.format == "csr" for part in parts.values())


def test_the_vocabulary_is_that_of_the_training_rows_alone() -> None:
    elsewhere = SPLITS | {"test": SPLITS["test"].assign(text="others"), "validation": SPLITS["test"]}
    parts, vocabulary = features.vectorize(elsewhere, params())
    assert vocabulary == features.vectorize(SPLITS, params())[1]
    assert parts["test"].X.nnz == 0
    assert parts["validation"].X.toarray().tolist() == [[0, 0, 1, 0, 0], [0, 0, 0, 0, 0]]


def test_labels_are_positions_among_the_sorted_classes() -> None:
    parts, _ = features.vectorize(SPLITS, params())
    assert parts["train"].classes.tolist() == parts["test"].classes.tolist() == ["neg", "pos"]
    assert parts["train"].y.tolist() == [1, 0, 0]
    assert parts["test"].y.tolist() == [0, 1]
    assert parts["test"].y.dtype == np.int64
    assert parts["train"].ids.tolist() == ["c:3", "c:1", "c:10"]


def test_shape_counts_rows_columns_and_nonzeros() -> None:
    parts, _ = features.vectorize(SPLITS, params())
    assert features.shape(parts["train"]) == {"rows": 3, "features": 5, "nonzeros": 8}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"token_pattern": "xyz"}, "empty vocabulary; perhaps the documents only contain stop words"),
        ({"min_df": 4}, "max_df corresponds to < documents than min_df"),
        ({"min_df": 3}, "After pruning, no terms remain. Try a lower min_df or a higher max_df."),
    ],
    ids=str,
)
def test_settings_that_leave_no_word_are_an_error(changes: dict[str, object], reason: str) -> None:
    with pytest.raises(UserError) as error:
        features.vectorize(SPLITS, params(**changes))
    assert error.value.lines == (f"no vocabulary under the settings of vectorize: {reason}",)


def test_written_features_read_back_and_repeat_byte_for_byte(tmp_path: Path) -> None:
    parts, _ = features.vectorize(SPLITS, params())
    for name in ("test", "train"):
        features.write(parts[name], tmp_path / f"{name}.npz")
    first = (tmp_path / "train.npz").read_bytes()
    features.write(parts["train"], tmp_path / "train.npz")
    assert (tmp_path / "train.npz").read_bytes() == first
    read = features.read(tmp_path)
    assert list(read) == ["train", "test"]
    for name, part in read.items():
        for field in ("ids", "y", "classes"):
            mine, theirs = getattr(part, field), getattr(parts[name], field)
            assert mine.dtype == theirs.dtype
            assert np.array_equal(mine, theirs)
        assert part.X.dtype == parts[name].X.dtype
        assert part.X.indices.dtype == parts[name].X.indices.dtype
        assert np.array_equal(part.X.toarray(), parts[name].X.toarray())


def test_written_features_need_no_pickle(tmp_path: Path) -> None:
    parts, _ = features.vectorize(SPLITS, params())
    features.write(parts["train"], tmp_path / "train.npz")
    with np.load(tmp_path / "train.npz", allow_pickle=False) as stored:
        assert sorted(stored) == ["classes", "data", "ids", "indices", "indptr", "shape", "y"]
        assert all(stored[name].dtype.kind in "iU" for name in stored)
