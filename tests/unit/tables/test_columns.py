"""The names of a table's columns, and what is in them."""

from datetime import date
from pathlib import Path

import pytest

from tests.refusal import refusal
from tests.unit.tables.tables import SAME, compressed, delimited, excel, parquet
from textclf.tables.columns import Column, column_names, describe_column
from textclf.tables.layout import Layout


@pytest.mark.parametrize("name", SAME)
def test_every_format_names_its_columns(name: str, tmp_path: Path) -> None:
    for ending in ("", ".gz"):
        path = tmp_path / f"{name}{ending}"
        path.write_bytes(compressed(SAME[name], ending))
        assert sorted(column_names(path, Layout({}))) == ["label", "text"]


def test_a_file_without_columns_is_refused(tmp_path: Path) -> None:
    for name in ("a.csv", "a.jsonl"):
        (tmp_path / name).write_text("")
        assert "must have" in refusal(column_names, tmp_path / name, Layout({}))


def test_of_a_folder_the_first_file_names_the_columns(tmp_path: Path) -> None:
    (tmp_path / "b.csv").write_text("c,d\n1,2\n")
    (tmp_path / "a.csv").write_text("a,b\n1,2\n")
    assert column_names(tmp_path, Layout({})) == ["a", "b"]


def test_a_column_is_described_by_its_values_that_are_not_empty(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(
        delimited([("x",), ("two words",), ("é",), ("2024-05-01",), ("1.5",), (" ",), ("1.5",)])
    )
    assert describe_column(path, Layout({}), "x") == Column("x", 5, 4, 26 / 5, 2 / 5, 3 / 5, 0.0)


def test_rows_that_break_a_rule_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("x,y\na,b\na\na,b\n")
    assert describe_column(path, Layout({}), "x") == Column("x", 2, 1, 1.0, 0.0, 0.0, 0.0)


def test_any_number_of_distinct_values_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    path.write_bytes(parquet({"x": [f"v{n}" for n in range(10_000)], "bytes": [b"v"] * 10_000}))
    column = describe_column(path, Layout({}), "x")
    assert column is not None
    assert (column.values, column.distinct) == (10_000, 10_000)
    assert describe_column(path, Layout({}), "bytes") is None


NUMBERS = [("c", "0.5", "2024-05-31"), ("d", "1.5", "2024-06-01"), ("e", "", "")]
DAYS = [date(2024, 5, 31), date(2024, 6, 1), None]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", delimited([("text", "price", "day"), *NUMBERS]).encode()),
        (
            "a.json",
            (
                b'[{"price": 0.5, "day": "2024-05-31"}, {"price": 1.5, "day": "2024-06-01"}, '
                b'{"price": null}]'
            ),
        ),
        ("a.parquet", parquet({"price": [0.5, 1.5, None], "day": DAYS})),
        ("a.xlsx", excel(("price", "day"), *zip([0.5, 1.5, None], DAYS, strict=True))),
    ],
)
def test_numbers_and_dates_look_alike_in_every_format(
    name: str,
    content: bytes,
    tmp_path: Path,
) -> None:
    (tmp_path / name).write_bytes(content)
    for column in ("price", "day"):
        column_kind = describe_column(tmp_path / name, Layout({}), column)
        assert column_kind is not None
        assert (column_kind.values, column_kind.distinct, column_kind.measured) == (2, 2, 1.0)
