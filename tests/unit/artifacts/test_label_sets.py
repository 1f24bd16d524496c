from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from tests.refusal import refusal
from textclf.artifacts import predictions, splits
from textclf.artifacts.decisions import Decision, read_decision, write_decision
from textclf.artifacts.label_sets import count_labels, of_actual, rarest, to_matrix, to_names
from textclf.artifacts.predictions import Predictions
from textclf.core.errors import UserError
from textclf.vectorize.in_memory import encode_labels

LABELS = ("billing", "login", "shipping")
Y = np.array([[1, 0, 1], [0, 0, 0], [0, 1, 0]], np.int8)


def test_lists_and_matrices_are_each_others_inverse() -> None:
    positions = pa.array([[0, 2], [], [1]], pa.list_(pa.int32()))
    assert (to_matrix(positions, 3) == Y).all()
    assert (to_matrix(positions.slice(1), 3) == Y[1:]).all()
    assert to_names(Y, LABELS).to_pylist() == [["billing", "shipping"], [], ["login"]]
    assert encode_labels([["shipping", "billing"], [], ["login"]], LABELS).tolist() == Y.tolist()
    assert count_labels(Y, 3).tolist() == [1, 1, 1]


def test_predictions_of_several_labels_are_read_as_written(tmp_path: Path) -> None:
    ids, split = np.array(["a", "b", "c"]), np.array(["train", "test", "test"])
    probabilities = np.array([[0.9, 0.1, 0.8], [0.2, 0.3, 0.1], [0.4, 0.9, 0.9]])
    path = tmp_path / "model.parquet"
    predictions.write([Predictions(ids, split, Y, probabilities, LABELS)], path)
    read = predictions.read(path)
    assert read.multilabel
    assert read.classes == LABELS
    assert read.y.dtype == np.int8
    assert (read.y == Y).all()
    assert (read.probabilities == probabilities).all()
    assert (next(predictions.batches(path)).y == Y).all()


def test_a_set_with_an_unknown_label_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.parquet"
    one = Predictions(
        np.array(["a"]),
        np.array(["test"]),
        Y[:1],
        np.full((1, 3), 0.5),
        ("billing", "login", "other"),
    )
    predictions.write([one], path)
    table = pa.parquet.read_table(path).drop_columns(["probability_other"])
    pa.parquet.write_table(table, path)
    assert "damaged" in refusal(predictions.read, path)


def test_splits_with_lists_give_labels_by_name(tmp_path: Path) -> None:
    table = pa.table(
        {
            "id": ["a", "b"],
            "text": ["late bill", "hello"],
            "label": pa.array([[0, 2], []], pa.list_(pa.int32())),
            "cluster": pa.array([1, 2], pa.uint64()),
        },
        schema=splits.schema_with([], multilabel=True),
    )
    splits.write_classes(list(LABELS), tmp_path)
    for name in ("train", "test"):
        splits.write_table(table, tmp_path / f"{name}.parquet")
    assert [list(names) for names in splits.read(tmp_path)["train"]["label"]] == [
        ["billing", "shipping"],
        [],
    ]


def test_labels_are_decided_one_by_one_and_the_thresholds_survive_a_file(tmp_path: Path) -> None:
    decision = Decision(thresholds=(0.5, 0.2, 0.9))
    assert decision.decide(np.array([[0.6, 0.1, 0.9], [0.5, 0.3, 0.95]])).tolist() == [
        [1, 0, 0],
        [0, 1, 1],
    ]
    write_decision(decision, tmp_path / "decision.json")
    (tmp_path / "manifest.json").write_text("{}")
    assert read_decision(tmp_path / "decision.json", 3) == decision
    with pytest.raises(UserError):
        read_decision(tmp_path / "decision.json", 2)


def test_the_rarest_label_of_a_row_stands_for_its_set() -> None:
    y = np.array([[1, 1, 1], [1, 1, 0], [1, 0, 0], [0, 0, 0]])
    assert rarest(y).tolist() == [2, 1, 0, 3]
    assert rarest(np.array([1, 0])).tolist() == [1, 0]


def test_the_probability_of_what_is_actual_is_of_a_class_or_of_every_label() -> None:
    probabilities = np.array([[0.2, 0.7, 0.1], [0.6, 0.3, 0.1]])
    assert of_actual(probabilities, np.array([1, 0])).tolist() == [0.7, 0.6]
    assert of_actual(probabilities, np.array([[0, 1, 0], [0, 0, 1]])).tolist() == [
        [0.8, 0.7, 0.9],
        [0.4, 0.7, 0.1],
    ]
