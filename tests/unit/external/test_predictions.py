"""Predictions made elsewhere, read and joined with the rows of a run."""

import io
import json
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages import external as stage
from tests import approved, stored_splits
from tests.faults import damage
from tests.refusal import refusal
from textclf.artifacts import predictions, splits
from textclf.artifacts.external import read
from textclf.artifacts.predictions import Predictions, concatenate, in_batches
from textclf.artifacts.shards import Shards
from textclf.core.errors import UserError
from textclf.external.predictions import join

CLASSES = ("no", "yes")
IDS = {"train": ["a:1", "a:2"], "test": ["a:3", "007", "a:5"]}
LABELS = {"train": ["yes", "no"], "test": ["no", "no", "yes"]}
Parts = dict[str, Shards[pd.DataFrame]]


def write(path: Path, columns: Mapping[str, Any]) -> Path:
    rows = pd.DataFrame(dict(columns))
    if path.suffix == ".csv":
        rows.to_csv(path, index=False)
    else:
        rows.to_parquet(path)
    return path


@pytest.fixture
def parts(tmp_path: Path) -> Parts:
    folder = tmp_path / "splits"
    folder.mkdir()
    for split, ids in IDS.items():
        stored_splits.write(
            pd.DataFrame({"id": ids, "text": "t", "label": LABELS[split]}),
            folder / f"{split}.parquet",
        )
    return splits.open_shards(folder)


def joined(path: Path, parts: Parts) -> Predictions:
    return concatenate(list(join(read(path, CLASSES), parts, CLASSES)))


# Reading


@pytest.mark.parametrize("ending", [".csv", ".parquet"])
def test_probabilities_are_read_in_the_order_of_the_classes(tmp_path: Path, ending: str) -> None:
    columns = {
        "probability_yes": [0.9, 0.2],
        "id": ["007", "NA"],
        "text": ["", ""],
        "probability_no": [0.1, 0.8],
    }
    made = read(write(tmp_path / f"made{ending}", columns), CLASSES)
    assert made.ids.tolist() == ["007", "NA"]
    np.testing.assert_array_equal(made.probabilities, [[0.1, 0.9], [0.8, 0.2]])
    assert not made.labels_only


@pytest.mark.parametrize(
    ("ending", "ids", "classes"),
    [
        (".csv", ["1", "2"], CLASSES),
        (".parquet", ["1", "2"], CLASSES),
        (".parquet", [1, 2], (0, 1)),
    ],
)
def test_a_label_gets_probability_1(
    tmp_path: Path, ending: str, ids: list[Any], classes: tuple[Any, Any]
) -> None:
    path = write(tmp_path / f"made{ending}", {"id": ids, "label": [classes[1], classes[0]]})
    made = read(path, tuple(map(str, classes)))
    assert made.ids.tolist() == ["1", "2"]
    np.testing.assert_array_equal(made.probabilities, [[0, 1], [1, 0]])
    assert made.labels_only


@given(st.lists(st.floats(0, 1), min_size=1, max_size=10))
def test_rounded_probabilities_are_made_to_sum_to_1(
    tmp_path_factory: pytest.TempPathFactory, yes: list[float]
) -> None:
    rounded = {
        "probability_yes": np.round(yes, 2),
        "probability_no": np.round(1 - np.array(yes), 2),
    }
    path = tmp_path_factory.mktemp("made") / "made.parquet"
    made = read(write(path, {"id": [str(n) for n in range(len(yes))], **rounded}), CLASSES)
    np.testing.assert_allclose(made.probabilities.sum(axis=1), 1, atol=1e-12)
    np.testing.assert_allclose(made.probabilities[:, 1], yes, atol=0.02)


def both(
    yes: Sequence[Any], no: Sequence[Any], ids: Sequence[str] = ("a", "b")
) -> dict[str, Sequence[Any]]:
    return {"id": ids, "probability_no": no, "probability_yes": yes}


def test_a_file_that_is_wrong_is_refused_with_the_approved_line(
    tmp_path: Path, parts: Parts
) -> None:
    def say(case: str) -> list[str]:
        """Return what is said of a CSV file, of labels or of lists of them."""
        kind, _, content = case.partition(" ")
        path = tmp_path / "made.csv"
        path.write_text(content.replace(r"\n", "\n"), encoding="utf-8")
        call = (joined, path, parts) if kind == "joined" else (read, path, CLASSES, kind == "lists")
        return [refusal(*call).replace(str(path), "made.csv")]

    approved.check_cases(Path(__file__).with_name("refused.txt"), say)


# Several labels per text


def test_probabilities_of_labels_need_not_sum_to_1(tmp_path: Path) -> None:
    made = read(
        write(tmp_path / "made.csv", both([0.9, 0.1], [0.8, 0.2])), CLASSES, multilabel=True
    )
    np.testing.assert_array_equal(made.probabilities, [[0.8, 0.9], [0.2, 0.1]])


@pytest.mark.parametrize("ending", [".csv", ".parquet"])
def test_each_label_of_a_list_gets_probability_1(tmp_path: Path, ending: str) -> None:
    lists: list[Any] = [["yes", "no"], [], ["yes"], ["yes", "yes"]]
    path = write(tmp_path / f"made{ending}", {"id": list("abcd"), "label": map(json.dumps, lists)})
    made = read(path, CLASSES, multilabel=True)
    np.testing.assert_array_equal(made.probabilities, [[1, 1], [0, 0], [0, 1], [0, 1]])
    assert made.labels_only
    as_pandas = write(tmp_path / f"pandas{ending}", {"id": list("abcd"), "label": map(str, lists)})
    np.testing.assert_array_equal(
        read(as_pandas, CLASSES, multilabel=True).probabilities, made.probabilities
    )
    nested = tmp_path / "nested.parquet"
    pq.write_table(
        pa.table({"id": list("abcd"), "label": pa.array(lists, pa.list_(pa.string()))}), nested
    )
    np.testing.assert_array_equal(
        read(nested, CLASSES, multilabel=True).probabilities, made.probabilities
    )


def test_joined_rows_have_the_sets_of_the_splits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    schema = splits.schema_with([], multilabel=True)
    splits.write_classes(list(CLASSES), tmp_path)
    for split, labels in {"train": [[0, 1], []], "test": [[], [1], [0]]}.items():
        columns = {
            "id": IDS[split],
            "text": ["t"] * len(labels),
            "label": labels,
            "cluster": range(len(labels)),
        }
        splits.write_table(pa.table(columns, schema), tmp_path / f"{split}.parquet")
    table = write(
        tmp_path / "made.csv", {"id": IDS["test"], "label": ["[]", '["yes"]', '["no", "yes"]']}
    )
    made = read(table, CLASSES, multilabel=True)
    rows = concatenate(list(join(made, splits.open_shards(tmp_path), CLASSES)))
    assert rows.multilabel
    assert rows.y.tolist() == [[1, 1], [0, 0], [0, 0], [0, 1], [1, 0]]
    assert rows.probabilities[2:].tolist() == [[0, 0], [0, 1], [1, 1]]
    monkeypatch.chdir(tmp_path)  # the stage knows by the splits that the file has lists
    Path("params.yaml").write_text("evaluate: {external: {mine: made.csv}}\n")
    for name in ("trained", "predictions"):
        Path(name).mkdir()
    stage.run(
        item="mine", splits=tmp_path, trained=Path("trained"), predictions=Path("predictions")
    )
    written = predictions.read(Path("predictions/mine.parquet"))
    np.testing.assert_array_equal(written.probabilities, rows.probabilities)
    assert written.y.tolist() == rows.y.tolist()


TWICE = io.BytesIO()
pq.write_table(pa.table([pa.array(["a"])] * 4, ["id", "label", "id", "label"]), TWICE)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("made.json", b"{}", "must be a file that ends in .csv or .parquet"),
        ("made.csv", b"", "must have a column id with the ids of the rows; got no columns"),
        ("made.csv", b"id,label\n\xff,yes\n", "must contain text in UTF-8; got byte 0xff"),
        ("made.parquet", b"id,label\n", "must be a whole Parquet file; "),
        ("made.parquet", TWICE.getvalue(), "must have each column once; repeated are id, label"),
    ],
)
def test_a_file_that_cannot_be_read_is_an_error(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    assert refusal(read, path, CLASSES).startswith(f"{path} {message}")


def test_a_csv_file_may_have_a_byte_order_mark_blank_lines_and_other_columns_twice(
    tmp_path: Path,
) -> None:
    path = tmp_path / "made.csv"
    path.write_bytes(b'\xef\xbb\xbfid,note,note,label\r\n\r\n"a,1\nb",,,yes\r\n')
    made = read(path, CLASSES)
    assert (made.ids.tolist(), made.probabilities.tolist()) == (["a,1\nb"], [[0.0, 1.0]])


def test_an_id_that_pandas_wrote_as_an_index_is_a_column(tmp_path: Path) -> None:
    path = tmp_path / "made.parquet"
    pd.DataFrame({"id": ["a", "b"], "label": ["yes", "no"]}).set_index("id").to_parquet(path)
    assert read(path, CLASSES).ids.tolist() == ["a", "b"]


def test_a_flipped_bit_in_a_foreign_file_gives_predictions_or_one_line(tmp_path: Path) -> None:
    path = write(tmp_path / "made.parquet", both([0.25, 1], [0.75, 0]))
    content, rng = path.read_bytes(), random.Random(0)  # noqa: S311 (no secret)
    for _ in range(300):
        path.write_bytes(damage.flip(content, rng))
        try:
            read(path, CLASSES)
        except UserError as error:
            (line,) = error.lines
            assert line.startswith(str(path))


# Joining


def test_a_file_with_some_training_rows_is_measured_on_the_others_and_may_know_more_ids(
    tmp_path: Path, parts: Parts
) -> None:
    ids = ["007", "a:5", "a:1", "a:3", "b:1"]  # as of a teacher, which has seen a pool of texts
    with pytest.warns(UserWarning, match=r"made\.csv has 1 id of no row: b:1"):
        rows = joined(write(tmp_path / "made.csv", {"id": ids, "label": ["yes"] * 5}), parts)
    assert np.isnan(rows.probabilities).all(axis=1).tolist() == [True, True, False, False, False]


def test_predictions_are_joined_by_id(tmp_path: Path, parts: Parts) -> None:
    ids = ["007", "a:5", "a:1", "a:3", "a:2"]
    rows = joined(
        write(tmp_path / "made.csv", {"id": ids, "label": ["yes", "yes", "no", "no", "yes"]}), parts
    )
    assert rows.ids.tolist() == IDS["train"] + IDS["test"]
    assert rows.split.tolist() == ["train"] * 2 + ["test"] * 3
    assert rows.y.tolist() == [1, 0, 0, 0, 1]
    assert rows.probabilities[:, 1].tolist() == [0, 1, 0, 1, 1]


def test_training_rows_may_be_left_out_together(tmp_path: Path, parts: Parts) -> None:
    rows = joined(write(tmp_path / "made.csv", {"id": IDS["test"], "label": LABELS["test"]}), parts)
    assert np.isnan(rows.probabilities).all(axis=1).tolist() == [True, True, False, False, False]


@pytest.mark.usefixtures("parts")
def test_rows_of_no_class_may_be_left_out_together_or_have_predictions(tmp_path: Path) -> None:
    rows = pd.DataFrame({"id": ["a:8", "a:9"], "text": "t", "label": "no"})
    stored_splits.write(rows, tmp_path / "splits" / "test_unknown.parquet")
    every = splits.open_shards(tmp_path / "splits", unknown=True)
    for others, absent in (([], True), (["a:8", "a:9"], False)):
        ids = [*IDS["test"], *others]
        made = joined(write(tmp_path / "made.csv", {"id": ids, "label": ["yes"] * len(ids)}), every)
        assert made.split.tolist() == ["train"] * 2 + ["test"] * 3 + ["test_unknown"] * 2
        assert np.isnan(made.probabilities[-2:]).all() == absent
    path = write(tmp_path / "made.csv", {"id": [*IDS["test"], "a:8"], "label": ["yes"] * 4})
    message = "must have all or none of the test_unknown rows; 1 of 2 ids are missing: a:9"
    assert refusal(joined, path, every) == f"{path} {message}"


def test_the_rows_of_several_shards_stay_apart(tmp_path: Path, parts: Parts) -> None:
    one = tmp_path / "more"
    one.mkdir()
    for number, label in enumerate(IDS["test"], start=1):
        stored_splits.write(
            pd.DataFrame({"id": [label], "text": "t", "label": "no"}),
            one / f"test-{number:05d}.parquet",
        )
    stored_splits.write(
        pd.DataFrame({"id": IDS["train"], "text": "t", "label": "no"}), one / "train.parquet"
    )
    opened = splits.open_shards(one)
    made = read(write(tmp_path / "made.csv", {"id": IDS["test"], "label": ["yes"] * 3}), CLASSES)
    batches = list(in_batches(join(made, opened, CLASSES), opened))
    assert [rows.ids.tolist() for rows in batches] == [
        IDS["train"],
        *([label] for label in IDS["test"]),
    ]
    assert len(list(in_batches(join(made, parts, CLASSES), parts))) == 1
