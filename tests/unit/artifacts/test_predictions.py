from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy.sparse import csr_array

from textclf.artifacts import predictions
from textclf.core.errors import UserError
from textclf.vectorize.features import Features

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


def test_classes_of_any_name_come_back_from_the_file(tmp_path: Path) -> None:
    names = ["007", "NA", "true", "1e3", "a,b", 'say "so"', " ", "é😀", "id", "label", "probability_"]
    features = Features(ids=np.array(["c:1", "c:2"]), X=csr_array((2, 2)), y=np.array([10, 0]), classes=np.array(names))
    rows = predictions.table("train", features, np.full((2, 11), 1 / 11))
    predictions.write(rows, tmp_path / "a.parquet")
    read = predictions.read(tmp_path, ("a",))["a"]
    assert predictions.classes(read) == names
    assert read["label"].tolist() == ["probability_", "007"]


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


def test_tables_are_the_row_groups_of_one_file_in_their_order(tmp_path: Path) -> None:
    tables = [table(), table().iloc[:1].assign(id="é"), table().iloc[:2]]
    predictions.write_batches(iter(tables), tmp_path / "a.parquet")
    found = list(predictions.batches(tmp_path / "a.parquet"))
    assert [rows.to_dict("list") for rows in found] == [rows.to_dict("list") for rows in tables]
    together = predictions.read(tmp_path, ("a",))["a"]
    assert pd.concat(found, ignore_index=True).equals(together)
    assert found[0].dtypes.equals(together.dtypes)


def test_a_file_of_one_table_is_what_parquet_writes_at_once(tmp_path: Path) -> None:
    predictions.write_batches([table()], tmp_path / "a.parquet")
    kinds = [pa.string()] * 3 + [pa.float64()] * 2
    schema = pa.schema(list(zip(table().columns, kinds, strict=True)))
    rows = pa.Table.from_pandas(table(), schema=schema, preserve_index=False).replace_schema_metadata(None)
    pq.write_table(rows, tmp_path / "b.parquet", compression="zstd")
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()


def test_batches_have_the_columns_that_are_named(tmp_path: Path) -> None:
    predictions.write_batches([table(), table()], tmp_path / "a.parquet")
    for rows in predictions.batches(tmp_path / "a.parquet", ["probability_neg", "label"]):
        assert sorted(rows.columns) == ["label", "probability_neg"]
        assert rows["label"].tolist() == table()["label"].tolist()


@pytest.mark.parametrize("columns", [None, ["id"]])
def test_batches_of_a_file_that_is_damaged_or_missing_are_an_error(tmp_path: Path, columns: list[str] | None) -> None:
    path = tmp_path / "a.parquet"
    with pytest.raises(UserError, match=r"a\.parquet not found; run dvc repro"):
        list(predictions.batches(path, columns))
    predictions.write(table(), path)
    whole = path.read_bytes()
    for content in (b"", whole[:-20], whole[:4] + b"x" * 30 + whole[34:]):
        path.write_bytes(content)
        with pytest.raises(UserError, match=r"a\.parquet is damaged; "):
            list(predictions.batches(path, columns))
    pq.write_table(pa.table({"x": [1]}), path)
    with pytest.raises(UserError, match=r"a\.parquet is damaged; "):
        list(predictions.batches(path, columns))


def test_predictions_that_are_missing_are_an_error(tmp_path: Path) -> None:
    predictions.write(table(), tmp_path / "a.parquet")
    with pytest.raises(UserError, match=r"b\.parquet not found; run dvc repro"):
        predictions.read(tmp_path, ("a", "b"))


@pytest.mark.parametrize("name", ["b.parquet", "a.txt", "keras", ".a.parquet.x1", "majority.parquet.dvc"])
def test_a_file_of_no_model_is_an_error(tmp_path: Path, name: str) -> None:
    predictions.write(table(), tmp_path / "a.parquet")
    path = tmp_path / name
    path.touch()
    with pytest.raises(UserError) as error:
        predictions.read(tmp_path, ("a",))
    assert error.value.lines == (f"{path} is of no model in train.models (a); remove it: rm -r {path}",)


def test_what_is_left_of_a_model_that_textclf_knows_is_not_read(tmp_path: Path) -> None:
    for name in ("keras", "majority"):
        predictions.write(table(), tmp_path / f"{name}.parquet")
    assert list(predictions.read(tmp_path, ("majority",))) == ["majority"]


def test_what_is_left_of_models_that_are_not_named_is_found_in_both_folders(tmp_path: Path) -> None:
    folder, models = tmp_path / "predictions", tmp_path / "models"
    for name in ("keras", "nb_svm", "majority", "stranger"):
        (models / name).mkdir(parents=True)
    folder.mkdir()
    for name in ("keras", "linear_svm", "majority", "stranger"):
        (folder / f"{name}.parquet").touch()
    assert sorted(predictions.dropped(folder, models, ("majority",))) == [
        models / "keras",
        models / "nb_svm",
        folder / "keras.parquet",
        folder / "linear_svm.parquet",
    ]
    assert predictions.dropped(folder, models, ("majority", "keras", "nb_svm", "linear_svm")) == []
