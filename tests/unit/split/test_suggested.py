"""Rows whose texts `textclf suggest` chose: they train, and never test nor validate."""

from pathlib import Path
from typing import Any

import pytest

from tests.refusal import refusal
from tests.unit.split.rows import rows_of, split_table, write_csv
from textclf.artifacts.splits import read_rounds
from textclf.split.settings import Split
from textclf.tables.labelled import COLUMNS
from textclf.tables.settings import Data

METHODS: dict[str, Any] = {"random": {}, "hash": {"method": "hash"}, "time": {"method": "time"}}
SIZES = {"test_size": 0.2, "validation_size": 0.2}


def split(
    folder: Path, marks: list[str], labelled: bool = False, **changes: Any
) -> tuple[Any, dict[str, Any]]:
    """Split 120 rows with these marks in turn; return the report and the rows of each split."""
    rows = [
        (f"text {n}", str(n // 7 % 2), f"c{n}", str(2000 + n), marks[n % len(marks)])
        for n in range(120)
    ]
    table = write_csv(folder / "c.csv", rows, ("text", "label", "id", "year", "split"))
    time = "year" if changes.get("method") == "time" else None
    data = Data(path=str(table), id="id", split="split", time=time)
    beside = {
        "labelled": write_csv(folder / "mine.csv", [("n", "new", "1", "random", "1")], COLUMNS)
    }
    report = split_table(folder, data, Split(seed=1, **changes), **(beside if labelled else {}))
    return report, rows_of(folder)


@pytest.mark.parametrize("labelled", [False, True])
@pytest.mark.parametrize("method", METHODS)
def test_suggested_rows_train_and_are_marked_and_others_are_drawn(
    tmp_path: Path, method: str, labelled: bool
) -> None:
    report, rows = split(tmp_path, ["train", "Suggested"], labelled, **METHODS[method], **SIZES)
    assert report["given"] == {"train": 120}
    numbers = {
        name: {int(row["id"][1:]) for row in part if row["id"] != "n"}
        for name, part in rows.items()
    }
    assert sum(map(len, numbers.values())) == 120
    assert all(number % 2 == 0 for name in ("validation", "test") for number in numbers[name])
    assert numbers["validation"]
    assert numbers["test"]
    rounds = read_rounds(tmp_path / "splits")
    assert rounds is not None
    assert {*rounds.suggested} == {f"c{n}" for n in range(1, 120, 2)}
    assert {*rounds.rounds} == ({0, 1} if labelled else {0})


@pytest.mark.parametrize("method", ["random", "hash"])
def test_all_training_rows_may_be_suggested(tmp_path: Path, method: str) -> None:
    report, rows = split(tmp_path, ["suggested", "test"], **METHODS[method])
    assert report["given"] == {"train": 60, "test": 60}
    assert [len(rows[name]) for name in ("train", "test")] == [60, 60]


@pytest.mark.parametrize("method", ["random", "hash"])
def test_suggested_rows_alone_cannot_test(tmp_path: Path, method: str) -> None:
    assert refusal(split, tmp_path, ["suggested"], **METHODS[method])


def test_a_table_without_suggested_rows_has_no_rounds(tmp_path: Path) -> None:
    split(tmp_path, ["train", "test"])
    assert read_rounds(tmp_path / "splits") is None
