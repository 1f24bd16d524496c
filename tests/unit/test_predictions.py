from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from scipy.sparse import csr_array

from textclf import predictions
from textclf.errors import UserError
from textclf.features import Features

FEATURES = Features(
    ids=np.array(["c:3", "c:1", "c:2"]),
    X=csr_array((3, 2)),
    y=np.array([1, 0, 1]),
    classes=np.array(["neg", "probability_x"]),
)
PROBABILITIES = np.array([[0.1, 0.9], [1 / 3, 2 / 3], [0.5, 0.5]])


def table() -> pd.DataFrame:
    return predictions.table("test", FEATURES, PROBABILITIES)


def test_a_table_has_a_row_a_row_and_a_column_a_class() -> None:
    rows = table()
    assert rows.columns.tolist() == ["id", "split", "label", "probability_neg", "probability_probability_x"]
    assert rows["id"].tolist() == ["c:3", "c:1", "c:2"]
    assert rows["split"].tolist() == ["test"] * 3
    assert rows["label"].tolist() == ["probability_x", "neg", "probability_x"]
    assert np.array_equal(rows[["probability_neg", "probability_probability_x"]].to_numpy(), PROBABILITIES)


def test_classes_are_named_by_the_columns() -> None:
    assert predictions.classes(table()) == ["neg", "probability_x"]


def test_written_predictions_read_back_to_the_bit_and_repeat(tmp_path: Path) -> None:
    for name in ("a", "b"):
        predictions.write(table(), tmp_path / f"{name}.parquet")
    read = predictions.read(tmp_path, ("b", "a"))
    assert list(read) == ["b", "a"]
    assert read["a"].equals(table())
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()


def test_written_predictions_are_text_and_doubles_and_name_no_version_of_pandas(tmp_path: Path) -> None:
    predictions.write(table(), tmp_path / "a.parquet")
    schema = pq.read_schema(tmp_path / "a.parquet")
    assert [str(kind) for kind in schema.types] == ["string"] * 3 + ["double"] * 2
    assert not schema.metadata


def test_predictions_that_are_missing_are_an_error(tmp_path: Path) -> None:
    predictions.write(table(), tmp_path / "a.parquet")
    with pytest.raises(UserError, match=r"b\.parquet not found; run dvc repro"):
        predictions.read(tmp_path, ("a", "b"))


def test_predictions_that_nobody_asked_for_are_an_error(tmp_path: Path) -> None:
    for name in ("a", "b"):
        predictions.write(table(), tmp_path / f"{name}.parquet")
    with pytest.raises(UserError) as error:
        predictions.read(tmp_path, ("a",))
    path = tmp_path / "b.parquet"
    assert error.value.lines == (f"{path} is of no model in train.models (a); remove it: rm -r {path}",)
