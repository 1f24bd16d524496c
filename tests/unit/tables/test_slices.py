"""Columns of data.slices: their values as they are, "" where there is none, in every format."""

import json
from collections.abc import Callable, Mapping, Sequence

import pyarrow as pa
import pytest
from pydantic import ValidationError

from tests.unit.tables.tables import arrow, data, delimited, excel, parquet, sqlite
from textclf.core.errors import UserError
from textclf.tables.corpus import Corpus

HEADER = ("text", "label", "platform")
ROWS = [("good", "1", "web"), ("bad, café", "0", ""), ("fine", "1", "ios 17"), ("poor", "0", "web")]
VALUES = ["web", "", "ios 17", "web"]
COLUMNS = {name: list(values) for name, values in zip(HEADER, zip(*ROWS, strict=True), strict=True)}
WITH_NULLS = COLUMNS | {"platform": [value or None for value in COLUMNS["platform"]]}


def as_json(rows: Sequence[Mapping[str, object]]) -> str:
    return "".join(json.dumps({name: value for name, value in row.items() if value is not None}) + "\n" for row in rows)


RECORDS = [dict(zip(HEADER, row, strict=True)) for row in ROWS]
TABLES = {
    "c.csv": delimited([HEADER, *ROWS]).encode(),
    "c.tsv": delimited([HEADER, *ROWS], delimiter="\t", lineterminator="\n").encode(),
    "c.jsonl": as_json([record | {"platform": record["platform"] or None} for record in RECORDS]).encode(),
    "c.json": json.dumps([record | {"platform": record["platform"] or None} for record in RECORDS]).encode(),
    "c.parquet": parquet(COLUMNS),
    "nulls.parquet": parquet(WITH_NULLS),
    "c.arrow": arrow(WITH_NULLS, rows=2),
    "c.feather": arrow(COLUMNS, rows=2, file=True),
    "c.db": sqlite(ROWS, "text, label, platform"),
    "c.xlsx": excel(HEADER, *ROWS),
}
Read = Callable[..., Corpus]


def values_of(corpus: Corpus, column: str = "platform") -> list[str]:
    values: list[str] = corpus.table[f"slice_{column}"].to_pylist()
    return values


@pytest.mark.parametrize("name", TABLES)
def test_every_format_gives_the_values_and_an_empty_one_where_there_is_none(read: Read, name: str) -> None:
    assert values_of(read({name: TABLES[name]}, slices=["platform"])) == VALUES


def test_blank_values_are_the_empty_one_and_others_keep_their_spaces(read: Read) -> None:
    table = "text,label,platform\na,0,  \nb,1, web \n"
    assert values_of(read({"c.csv": table}, slices=["platform"])) == ["", " web "]
    arrays = parquet({"text": ["a", "b"], "label": ["0", "1"], "platform": ["\u00a0 ", " web "]})
    assert values_of(read({"c.parquet": arrays}, slices=["platform"])) == ["", " web "]


def test_numbers_and_booleans_are_written_as_labels_are(read: Read) -> None:
    numbers = pa.array([12, None, 3], pa.int64())
    table = parquet({"text": ["a", "b", "c"], "label": ["0", "1", "0"], "age": numbers, "paid": [True, False, None]})
    corpus = read({"c.parquet": table}, slices=["age", "paid"])
    assert values_of(corpus, "age") == ["12", "", "3"]
    assert values_of(corpus, "paid") == ["true", "false", ""]


def test_the_name_of_a_file_and_the_columns_of_other_settings_may_be_slices(read: Read) -> None:
    files = {"web.csv": "text,label,user\na,0,u1\n", "ios.csv": "text,label,user\nb,1,u2\n"}
    corpus = read(files, slices=["source", "user"], group="user")
    assert values_of(corpus, "source") == ["ios", "web"]
    assert values_of(corpus, "user") == corpus.table["group"].to_pylist()


def test_without_slices_a_table_has_no_such_column(read: Read) -> None:
    assert read({"c.csv": TABLES["c.csv"]}).table.column_names == ["id", "text", "label"]


@pytest.mark.parametrize(
    ("table", "error"),
    [
        ("text,label\na,0\n", "data.slices must be one of its columns (text, label); got 'platform'"),
        ("text,label,platform,platform\na,0,b,c\n", "got 2 columns named 'platform'"),
        ("text,label,platform\na,0,b\x07\nb,1,c\n", ":2: platform must not contain control characters; got 'b\\x07'"),
    ],
)
def test_an_error_names_the_setting_or_the_row(read: Read, table: str, error: str) -> None:
    with pytest.raises(UserError) as raised:
        read({"c.csv": table}, slices=["platform"])
    assert len(raised.value.lines) == 1
    assert error in raised.value.lines[0]


def test_values_of_another_type_are_reported_by_row(read: Read) -> None:
    rows: list[dict[str, object]] = [
        {"text": "a", "label": "0", "platform": [1]},
        {"text": "b", "label": "1", "platform": 1.5},
    ]
    with pytest.raises(UserError) as raised:
        read({"c.jsonl": as_json(rows)}, slices=["platform"])
    assert len(raised.value.lines) == 2
    assert "must be text, an integer or a boolean; got" in raised.value.lines[1]


@pytest.mark.parametrize("column", ["text", "label"])
def test_a_slice_is_another_column_than_text_and_label(column: str) -> None:
    with pytest.raises(ValidationError, match=f"slices must be other columns than text and label; got {column}"):
        data(slices=["platform", column])
    with pytest.raises(ValidationError, match="without repetitions"):
        data(slices=["platform", "platform"])
