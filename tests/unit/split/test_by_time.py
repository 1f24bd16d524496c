"""Splits by time, through the stage split: which rows are the latest, and what is told of them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests import approved
from tests.unit.split.rows import split_table, write_csv
from textclf.artifacts import splits
from textclf.core.errors import UserError
from textclf.split.draw import rank_times, take_latest
from textclf.split.settings import Split
from textclf.tables.corpus import read
from textclf.tables.settings import Data

HEADER = ("text", "label", "opened", "who")
ORDER = [7, 1, 8, 2, 3, 4, 5, 6, 9, 10]
DAYS = [f"2024-05-{day:02d}" for day in ORDER]


def rows(times: Sequence[str], who: Sequence[str] = ()) -> list[tuple[str, ...]]:
    return [
        (f"text {n}", "ab"[n // 2 % 2], time, (who or times)[n]) for n, time in enumerate(times)
    ]


def run(
    folder: Path,
    table: Sequence[tuple[str, ...]],
    header: Sequence[str] = HEADER,
    /,
    **changes: Any,
) -> tuple[dict[str, set[int]], dict[str, Any]]:
    """Run the stage; return the numbers of the texts of each split, and its report."""
    path = write_csv(folder / "c.csv", table, tuple(header))
    sizes = {"test_size": 0.2, "validation_size": 0.2} | {
        key: changes.pop(key) for key in ("test_size",) & changes.keys()
    }
    report = split_table(
        folder, Data(path=str(path), time="opened", **changes), Split(method="time", **sizes)
    )
    parts = splits.read(folder / "splits")
    return {name: {int(t.split()[1]) for t in part["text"]} for name, part in parts.items()}, report


@pytest.mark.parametrize(
    ("times", "first"),
    [
        (DAYS, "2024-05-09"),
        ([f"{day}T10:00:00" for day in DAYS], "2024-05-09 10:00:00"),
        ([f"{day}T10:00:00+02:00" for day in DAYS], "2024-05-09 08:00:00+00:00"),
        ([str(day) for day in ORDER], "9"),  # 10 is later than 9, though not as text
        # Times that differ in their last digit are no ties.
        ([f"2024-05-01T10:00:00.{n:09}" for n in ORDER], "2024-05-01 10:00:00.000000009"),
        (
            [f"2024-05-01T10:00:00,{n:012}+02:00" for n in ORDER],
            "2024-05-01 08:00:00.000000000009+00:00",
        ),
        ([str(1_700_000_000_000_000_000 + n) for n in ORDER], "1700000000000000009"),
        ([f"1700000000.{n:09}" for n in ORDER], "1700000000.000000009"),
    ],
    ids=[
        "dates",
        "times",
        "zones",
        "numbers",
        "nanoseconds",
        "picoseconds",
        "since 1970",
        "decimals",
    ],
)
def test_the_latest_rows_test_and_those_before_them_validate(
    tmp_path: Path, times: Sequence[str], first: str
) -> None:
    parts, report = run(tmp_path, rows(times))
    assert parts == {"train": {1, 3, 4, 5, 6, 7}, "validation": {0, 2}, "test": {8, 9}}
    assert report["test"]["time"]["first"] == first


def test_times_of_other_zones_are_compared(tmp_path: Path) -> None:
    zones = ["Z", "-09:00"] * 3
    hours = [
        f"2024-05-01T{hour:02d}:00:00{zone}"
        for hour, zone in zip([0, 1, 2, 9, 8, 7], zones, strict=True)
    ]
    parts, _ = run(tmp_path, rows(hours), test_size=0.3)  # in UTC 0, 10, 2, 18, 8, 16
    assert parts["test"] == {3, 5}


def test_nanoseconds_of_parquet_are_kept(tmp_path: Path) -> None:
    stamps = pa.array([1_714_557_600_000_000_000 + n for n in ORDER], pa.timestamp("ns"))
    columns = {
        "text": [f"text {n}" for n in range(10)],
        "label": list("abab" * 2 + "ab"),
        "opened": stamps,
    }
    pq.write_table(pa.table(columns), tmp_path / "c.parquet")
    corpus = read(tmp_path / "c.parquet", Data(time="opened"))
    assert rank_times(corpus.table["time"]).tolist() == ORDER


@pytest.mark.parametrize(("count", "late"), [(1, 1), (2, 1), (3, 4), (4, 4), (5, 4), (9, 4)])
def test_equal_times_stay_on_the_side_that_is_nearer_to_the_size(count: int, late: int) -> None:
    ranks = np.array([0, 1, 1, 1, 2, 0])
    earlier, latest = take_latest(ranks, np.arange(6), count)
    assert sorted([*earlier, *latest]) == list(range(6))
    assert len(latest) == late
    assert ranks[earlier].max() < ranks[latest].min()


def test_the_rows_are_shuffled_the_same_way_each_time(tmp_path: Path) -> None:
    table = rows([str(n) for n in range(40)])
    orders = []
    for name in "ab":
        (tmp_path / name).mkdir()
        run(tmp_path / name, table)
        orders.append(splits.read(tmp_path / name / "splits")["train"]["text"].tolist())
    assert orders[0] == orders[1] != sorted(orders[0], key=lambda text: int(text.split()[1]))


def test_what_leaks_across_time_is_told_and_not_repaired(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = rows([str(n) for n in range(10)], who=["ann", "bo"] * 5)
    table[9] = ("Text 0", *table[9][1:])
    parts, report = run(tmp_path, table, group="who")
    assert parts["test"] == {8, 0}
    assert report["leaks"]["group"] == {
        "validation_in_train": 2,
        "test_in_train": 2,
        "test_in_validation": 2,
    }
    printed = capsys.readouterr().out
    assert "train: 6 rows, 0 to 5\nvalidation: 2 rows, 6 to 7\ntest: 2 rows, 8 to 9\n" in printed
    assert "warning: 1 test row has a text that is also in train; the latest rows test\n" in printed
    assert (
        "warning: 2 test rows have a group that is also in validation; the latest rows test\n"
        in printed
    )


def test_of_given_splits_only_training_rows_are_divided(tmp_path: Path) -> None:
    given = ["test", *["train"] * 9]  # the earliest row
    table = [
        (*row, split) for row, split in zip(rows([str(n) for n in range(10)]), given, strict=True)
    ]
    parts, report = run(tmp_path, table, (*HEADER, "split"), split="split")
    assert parts == {"train": set(range(1, 8)), "validation": {8, 9}, "test": {0}}
    assert report["test"]["time"] == {"first": "0", "last": "0"}


BROKEN: list[list[tuple[str, ...]]] = [
    [*rows([str(n) for n in range(9)]), ("text 9", "new", "9", "")],
    rows(["1"] * 8),
    rows(["2024-05-01", "2024-05-02", "yesterday"]),
    rows(["2024-05-01", "20", "2024-05-02T10:00:00"]),
    rows(["2024-05-01T10:00:00", "2024-05-01T10:00:00Z"]),
    rows(["1", " "]),
]


def test_tables_that_time_cannot_split_are_refused_with_the_approved_lines(tmp_path: Path) -> None:
    said = ""
    for table in BROKEN:
        with pytest.raises(UserError) as error:
            run(tmp_path, table)
        lines = [line.replace(f"{tmp_path}/", "") for line in error.value.lines]
        said += "".join([f"{[row[2] for row in table]}\n", *(f"> {line}\n" for line in lines)])
    approved.check(said, Path(__file__).with_name("broken_times.txt"))


def test_rows_without_time_are_left_out_on_request(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    parts, report = run(tmp_path, rows([*DAYS, ""]), missing="drop")
    assert (parts["test"], report["dropped"]) == (
        {8, 9},
        {"rows": 1, "text": 0, "label": 0, "time": 1},
    )
    assert "warning: left out: 1 row without text, label or time\n" in capsys.readouterr().out
