from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.refusal import refusal
from textclf.artifacts.predictions import (
    RECORD,
    Predictions,
    batches,
    concatenate,
    leftovers,
    open_models,
    read,
    write,
)
from textclf.core.files import SPLITS

ROWS = Predictions(
    ids=np.array(["c:3", "c:1", "c:2"], dtype=object),
    split=np.array(["train", "train", "test"], dtype=object),
    y=np.array([1, 0, 1]),
    probabilities=np.array([[0.1, 0.9], [1 / 3, 2 / 3], [0.5, 0.5]]),
    classes=("neg", "probability_x"),
)


def assert_equal(actual: Predictions, expected: Predictions) -> None:
    assert actual.classes == expected.classes
    for name in ("ids", "split", "y", "probabilities"):
        assert getattr(actual, name).dtype == getattr(expected, name).dtype
        assert np.array_equal(getattr(actual, name), getattr(expected, name))


def test_a_file_has_a_row_per_row_with_labels_as_text_and_a_column_per_class(
    tmp_path: Path,
) -> None:
    write([ROWS], tmp_path / "a.parquet")
    table = pq.read_table(tmp_path / "a.parquet")
    assert table.to_pydict() == {
        "id": ["c:3", "c:1", "c:2"],
        "split": ["train", "train", "test"],
        "label": ["probability_x", "neg", "probability_x"],
        "probability_neg": [0.1, 1 / 3, 0.5],
        "probability_probability_x": [0.9, 2 / 3, 0.5],
    }
    assert [str(kind) for kind in table.schema.types] == ["string"] * 3 + ["double"] * 2
    assert not table.schema.metadata  # no version of pandas


def test_written_predictions_are_read_back_to_the_bit_and_repeat(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write([ROWS], tmp_path / f"{name}.parquet")
    assert_equal(read(tmp_path / "a.parquet"), ROWS)
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()


def test_batches_are_the_row_groups_of_one_file_in_their_order(tmp_path: Path) -> None:
    parts = [ROWS, ROWS.take(slice(1)), ROWS.take(slice(1, 3))]
    write(iter(parts), tmp_path / "a.parquet")
    for actual, expected in zip(batches(tmp_path / "a.parquet"), parts, strict=True):
        assert_equal(actual, expected)
    assert_equal(read(tmp_path / "a.parquet"), concatenate(parts))


@pytest.mark.parametrize("split", SPLITS)
def test_row_groups_without_rows_of_a_split_are_not_read(tmp_path: Path, split: str) -> None:
    parts = [
        ROWS.take(slice(2)),
        ROWS.take(slice(0)),
        ROWS.take(slice(2, 3)),
        ROWS,
    ]  # train, none, test, both
    write(iter(parts), tmp_path / "a.parquet")
    result = [len(rows) for rows in open_models(tmp_path, ("a",), split)["a"]]
    assert [rows for rows in result if rows] == {"train": [2, 3], "validation": [], "test": [1, 3]}[
        split
    ]


def test_a_model_is_read_again_in_every_iteration_and_refused_if_it_is_damaged(
    tmp_path: Path,
) -> None:
    write([ROWS, ROWS], tmp_path / "a.parquet")
    models = open_models(tmp_path, ("a",))
    assert list(models) == ["a"]
    assert [len(rows) for _ in range(2) for rows in models["a"]] == [3, 3, 3, 3]
    data = bytearray((tmp_path / "a.parquet").read_bytes())
    data[-9] ^= 1
    (tmp_path / "a.parquet").write_bytes(data)
    rows = open_models(tmp_path, ("a",))["a"]
    for _ in range(2):
        assert " is damaged; " in refusal(list, rows)


def test_a_file_that_is_damaged_or_missing_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    assert refusal(list, open_models(tmp_path, ("a",))["a"]).startswith(
        f"{path} not found; run dvc repro"
    )
    write([ROWS], path)
    whole = path.read_bytes()
    label = pa.table({"id": ["a"], "split": ["test"], "label": ["c"], "probability_a": [1.0]})
    for content in (
        b"",
        whole[:-20],
        whole[:4] + b"x" * 30 + whole[34:],
        pa.table({"x": [1]}),
        label,
    ):
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            pq.write_table(content, path)
        for call in (read, lambda path: list(batches(path))):
            assert refusal(call, path).startswith(f"{path} is damaged; ")


# What earlier runs have left


def trained(folder: Path, *models: str) -> Path:
    for name in models:
        (folder / "trained" / name).mkdir(parents=True)
        (folder / "trained" / name / RECORD).touch()
    return folder / "trained"


@pytest.mark.parametrize(
    "name", ["b.parquet", "a.txt", "keras", ".a.parquet.x1", "majority.parquet.dvc"]
)
def test_a_file_of_no_model_is_an_error(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "predictions"
    folder.mkdir()
    (folder / "a.parquet").touch()
    path = folder / name
    path.touch()
    line = refusal(leftovers, folder, trained(tmp_path, "a", "keras", "majority"), ("a",))
    assert (
        line
        == f"{path} belongs to no model in train or evaluate.external (a); remove it: rm -r {path}"
    )


def test_leftovers_of_dropped_models_are_recognised_by_their_trained_folder(tmp_path: Path) -> None:
    folder, models = (
        tmp_path / "predictions",
        trained(tmp_path, "keras", "nb_svm", "majority", "mine"),
    )
    (models / "notes").mkdir()
    folder.mkdir()
    for name in ("keras", "majority"):
        (folder / f"{name}.parquet").touch()
    (folder / ".keras.parquet.12.scratch").mkdir()
    assert leftovers(folder, models, ("majority", "mine")) == [
        folder / "keras.parquet",
        models / "keras",
        models / "nb_svm",
    ]
    assert leftovers(folder, models, ("majority", "keras", "nb_svm", "mine")) == []


def test_ids_of_fixed_width_are_written_as_those_of_objects(tmp_path: Path) -> None:
    ids = np.array(["a:1", "", "é" * 300, "b", "c", "中文"])
    for part in (ids, ids[::2], ids[:0]):
        rows = Predictions(
            part,
            np.full(len(part), "test"),
            np.arange(len(part)) % 2,
            np.eye(2)[np.arange(len(part)) % 2],
            ("é" * 2000, ""),
        )
        write([rows], tmp_path / "fixed.parquet")
        write([replace(rows, ids=part.astype(object))], tmp_path / "objects.parquet")
        assert (tmp_path / "fixed.parquet").read_bytes() == (
            tmp_path / "objects.parquet"
        ).read_bytes()
        assert read(tmp_path / "fixed.parquet").ids.tolist() == part.tolist()
