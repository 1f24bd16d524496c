"""A purpose of a column: how its values are read, checked and written."""

from typing import Any

import pyarrow as pa
import pytest

from tests.refusal import refusal
from textclf.tables import purposes
from textclf.tables.corpus import Corpus
from textclf.tables.given import layout_of
from textclf.tables.purposes import KINDS, Purpose, Repeated, purposes_of
from textclf.tables.settings import Data

COLUMNS: dict[str, Any] = {
    "text": "body",
    "label": "kind",
    "id": "key",
    "group": "user",
    "time": "at",
    "split": "part",
    "slices": ["site"],
    "columns": ["price"],
}
# A value of each purpose, and what batches have of it.
VALUES: dict[str, tuple[object, object]] = {
    "text": ("good\tfood", "good\tfood"),
    "label": (1, "1"),
    "id": ("k1", "k1"),
    "group": (7, "7"),
    "time": ("2024-05-31", "2024-05-31 00:00:00"),
    "split": ("dev", "validation"),
    "slice_site": ("web", "web"),
    "column_price": (2.5, "2.5"),
}
# A value that each purpose refuses; slices and features may hold any text.
WRONG = {
    "text": " ",
    "label": "c",
    "id": "",
    "group": "",
    "time": "tomorrow",
    "split": "later",
}


def purpose(name: str) -> Purpose:
    settings = Data(**COLUMNS, classes=("0", "1"))
    return purposes_of(layout_of(settings), settings)[name]


@pytest.mark.parametrize("name", VALUES)
def test_a_value_is_written_alike_row_by_row_and_in_a_column(name: str) -> None:
    own = purpose(name)
    value, expected = VALUES[name]
    assert own.write({own.columns[0]: value}) == expected
    values, valid = own.check([own.read([value, value])])
    assert (values.to_pylist(), valid.tolist()) == ([expected] * 2, [True] * 2)


@pytest.mark.parametrize("name", WRONG)
def test_what_a_purpose_refuses_in_a_column_it_refuses_in_a_row_and_names_its_column(
    name: str,
) -> None:
    own = purpose(name)
    values = [VALUES[name][0], WRONG[name]]
    _, valid = own.check([own.read(values)])
    assert valid.tolist() == [True, False]
    with pytest.raises(ValueError, match=own.columns[0]):
        own.write({own.columns[0]: WRONG[name]})


class Level(Repeated):
    """The level of each row, from 1 to 3."""

    type = pa.int8()

    def parse(self, value: str) -> int:
        if value not in {"1", "2", "3"}:
            raise ValueError(f"{self.columns[0]} must be 1, 2 or 3; got {value}")
        return int(value)


def test_a_new_kind_of_column_is_one_class(here: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(KINDS, "group", Level)
    settings = Data(path="t.csv", group="level", split=None)
    table = here / "t.csv"
    table.write_text("text,label,level\ngood,a,3\nbad,b,1\n")
    rows = Corpus(table, settings)
    rows.load()
    assert rows.table["group"].to_pylist() == [3, 1]
    assert rows.table["group"].type == pa.int8()
    table.write_text("text,label,level\ngood,a,3\nbad,b,4\n")
    assert refusal(lambda: Corpus(table, settings).load()).startswith(
        f"{table}:3: level must be 1, 2 or 3; got 4"
    )


def test_each_purpose_of_a_layout_has_its_class() -> None:
    settings = Data(**COLUMNS)
    layout = layout_of(settings)
    assert [*purposes_of(layout, settings)] == [*layout.columns] == [*VALUES]
    assert {*purposes.KINDS} == {name for name in VALUES if "_" not in name}
