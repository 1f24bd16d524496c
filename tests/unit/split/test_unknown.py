"""Texts of no class: where the split leaves them."""

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.refusal import refusal
from tests.unit.split.rows import split_table, write_csv
from textclf.artifacts import splits
from textclf.core.errors import UserError
from textclf.split.settings import Split
from textclf.tables.settings import Data

ROWS = [(f"text {number}", ("0", "1", "oos")[number % 3]) for number in range(90)]
SPLITS = {
    "random": Split(validation_size=0.2, seed=1),
    "hash": Split(method="hash", validation_size=0.2, seed=1),
}


def run(folder: Path, split: Split = SPLITS["random"], **changes: Any) -> Any:
    folder.mkdir(exist_ok=True)
    write_csv(folder / "rows.csv", ROWS)
    return split_table(folder, Data(path=str(folder / "rows.csv"), **changes), split)


@pytest.mark.parametrize("method", SPLITS)
def test_held_out_rows_leave_the_others_where_they_are_and_stand_beside_them(
    method: str, tmp_path: Path
) -> None:
    plain = run(tmp_path / "plain", SPLITS[method])
    report = run(tmp_path / "held_out", SPLITS[method], unknown="oos")
    assert splits.read_classes(tmp_path / "held_out" / "splits") == ["0", "1"]
    counts = {name: plain[name]["classes"]["oos"] for name in ("train", "validation", "test")}
    assert report["unknown"] == {"oos": counts}
    whole, known = (splits.read(tmp_path / folder / "splits") for folder in ("plain", "held_out"))
    for name, rows in whole.items():
        is_unknown = rows["label"] == "oos"
        assert sorted(known[name]["id"]) == sorted(rows["id"][~is_unknown])
        path = tmp_path / "held_out" / "splits" / f"{name}_unknown.parquet"
        assert path.exists() == (name != "train")
        if name != "train":
            beside = pq.read_table(path)
            assert sorted(beside["id"].to_pylist()) == sorted(rows["id"][is_unknown])
            assert set(beside["label"].to_pylist()) == {-1}


def test_rows_that_train_are_a_class_and_counted(tmp_path: Path) -> None:
    plain, report = (
        run(tmp_path / "plain"),
        run(tmp_path / "class", unknown="oos", train_unknown=True),
    )
    assert report.pop("unknown")["oos"] == {
        name: plain[name]["classes"]["oos"] for name in ("train", "validation", "test")
    }
    assert report == plain
    for path in (tmp_path / "plain" / "splits").glob("*.parquet"):
        assert path.read_bytes() == (tmp_path / "class" / "splits" / path.name).read_bytes()


def test_a_label_that_no_row_has_is_refused_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(
        UserError,
        match=r"data\.unknown must be a label in the table; got 'oss'; did you mean oos\?",
    ):
        run(tmp_path, unknown="oss")


def test_no_training_row_needs_the_label_of_no_class(tmp_path: Path) -> None:
    lines = [
        f"{text},{label},{'test' if label == 'oos' or n < 40 else 'train'}"
        for n, (text, label) in enumerate(ROWS)
    ]
    (tmp_path / "rows.csv").write_text(
        "\n".join(["text,label,part", *lines]) + "\n", encoding="utf-8"
    )
    report = split_table(
        tmp_path, Data(path=str(tmp_path / "rows.csv"), unknown="oos", split="part"), Split()
    )
    assert report["unknown"]["oos"] == {"train": 0, "test": 30}


def test_a_table_whose_test_rows_all_have_a_class_is_refused(tmp_path: Path) -> None:
    rows = [
        (text, label if number < 60 or label != "oos" else "0")
        for number, (text, label) in enumerate(ROWS)
    ]
    table = tmp_path / "rows.csv"
    lines = [
        f"{text},{label},{'train' if number < 60 else 'test'}"
        for number, (text, label) in enumerate(rows)
    ]
    table.write_text("\n".join(["text,label,part", *lines]) + "\n", encoding="utf-8")
    data = Data(path=str(table), unknown="oos", split="part")
    assert "got none of 'oos'; add some to the test rows of the table" in refusal(
        split_table, tmp_path, data, Split()
    )


def test_classes_may_leave_out_the_label_and_must_if_it_is_held_out(tmp_path: Path) -> None:
    run(tmp_path, classes=["1", "0"], unknown="oos")
    assert splits.read_classes(tmp_path / "splits") == ["1", "0"]
    for changes in ({"classes": ["0", "1", "oos"], "unknown": "oos"}, {"train_unknown": True}):
        with pytest.raises(ValueError, match=r"unknown must (not )?be"):
            Data.model_validate(changes)
