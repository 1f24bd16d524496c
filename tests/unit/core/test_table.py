from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textclf.core.table import Table, concatenate, from_records

RECORDS = st.lists(
    st.builds(lambda model, rows: {"model": model, "rows": rows}, st.sampled_from("abc"), st.integers(-9, 9))
)


def test_a_column_is_an_array_of_numbers_or_of_objects() -> None:
    table = Table({"text": ["a", "b"], "whole": [1, 2], "part": [0.5, float("nan")]})
    assert [table[name].dtype for name in table.keys()] == [np.dtype(object), np.int64, np.float64]  # noqa: SIM118
    assert type(table["text"][0]) is str
    with pytest.raises(KeyError):
        table["missing"]


@pytest.mark.parametrize(
    ("columns", "records"),
    [
        ({}, []),
        ({"a": []}, []),
        ({"a": "x"}, [{"a": "x"}]),
        ({"a": "x", "b": [1, 2]}, [{"a": "x", "b": 1}, {"a": "x", "b": 2}]),
        ({"a": 0, "b": []}, []),
    ],
)
def test_a_single_value_stands_in_every_row(columns: dict[str, Any], records: list[dict[str, Any]]) -> None:
    table = Table(columns)
    assert table.records() == records
    assert len(table) == len(records)


def test_columns_of_other_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match=r"must have one length; got \[1, 2\]"):
        Table({"a": [1], "b": [1, 2]})


def test_a_table_does_not_change() -> None:
    table = Table({"a": [1, 2]})
    changed = table.assign(a=[3, 4], b="x")
    assert table.records() == [{"a": 1}, {"a": 2}]
    assert changed.records() == [{"a": 3, "b": "x"}, {"a": 4, "b": "x"}]
    assert changed.select(["b", "a"]).keys() == ["b", "a"]


def test_rows_are_taken_by_a_mask_by_positions_or_by_a_slice() -> None:
    table = Table({"a": [1, 2, 3]})
    assert table.where(table["a"] > 1)["a"].tolist() == [2, 3]
    assert table.where(np.array([2, 0]))["a"].tolist() == [3, 1]
    assert table.where(slice(1))["a"].tolist() == [1]
    assert table.where(table["a"] > 9)["a"].dtype == np.int64


@given(RECORDS)
def test_groups_hold_every_row_once_in_the_order_of_their_first_rows(records: list[dict[str, Any]]) -> None:
    groups = list(from_records(records, ["model", "rows"]).groups("model"))
    assert [name for name, _ in groups] == list(dict.fromkeys(record["model"] for record in records))
    for name, rows in groups:
        assert rows.records() == [record for record in records if record["model"] == name]


@given(RECORDS, RECORDS)
def test_tables_are_put_together_in_order(first: list[dict[str, Any]], second: list[dict[str, Any]]) -> None:
    names = ["model", "rows"]
    together = concatenate([from_records(first, names), from_records(second, names)])
    assert together.records() == first + second
    assert together.keys() == names


def test_whole_numbers_stay_whole_beside_a_table_without_rows() -> None:
    empty, one = Table({"a": []}), Table({"a": [1]})
    assert concatenate([empty, one])["a"].dtype == np.int64
    assert concatenate([one, Table({"a": [0.5]})])["a"].tolist() == [1.0, 0.5]
