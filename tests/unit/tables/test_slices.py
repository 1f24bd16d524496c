"""Columns of data.slices: their values as they are, "" where there is none."""

from collections.abc import Callable

import pyarrow as pa
import pytest

from tests.unit.tables.tables import arrow, parquet
from textclf.core.errors import UserError
from textclf.tables.corpus import Corpus

Read = Callable[..., Corpus]


def values_of(corpus: Corpus, column: str = "platform") -> list[str]:
    values: list[str] = corpus.table[f"slice_{column}"].to_pylist()
    return values


@pytest.mark.parametrize(
    ("name", "table"),
    [
        ("c.jsonl", '{"text": "a", "label": 0, "platform": "web"}\n{"text": "b", "label": 1}\n'),
        ("c.arrow", arrow({"text": ["a", "b"], "label": ["0", "1"], "platform": ["web", None]})),
    ],
)
def test_a_row_without_a_value_has_an_empty_one(read: Read, name: str, table: bytes | str) -> None:
    assert values_of(read({name: table}, slices=["platform"])) == ["web", ""]
    assert read({name: table}).table.column_names == ["id", "text", "label"]


def test_numbers_and_booleans_are_written_as_labels_are(read: Read) -> None:
    numbers = pa.array([12, None, 3], pa.int64())
    table = parquet(
        {
            "text": ["a", "b", "c"],
            "label": ["0", "1", "0"],
            "age": numbers,
            "paid": [True, False, None],
        }
    )
    corpus = read({"c.parquet": table}, slices=["age", "paid"])
    assert (values_of(corpus, "age"), values_of(corpus, "paid")) == (
        ["12", "", "3"],
        ["true", "false", ""],
    )


def test_the_name_of_a_file_and_the_columns_of_other_settings_may_be_slices(read: Read) -> None:
    files = {"web.csv": "text,label,user\na,0,u1\n", "ios.csv": "text,label,user\nb,1,u2\n"}
    corpus = read(files, slices=["source", "user"], group="user")
    assert values_of(corpus, "source") == ["ios", "web"]
    assert values_of(corpus, "user") == corpus.table["group"].to_pylist()


TYPE = "platform must be text, an integer or a boolean; got"


@pytest.mark.parametrize(
    ("name", "table", "errors"),
    [
        (
            "c.csv",
            "text,label\na,0\n",
            ["data.slices must be one of its columns (text, label); got 'platform'"],
        ),
        (
            "c.csv",
            "text,label,platform,platform\na,0,b,c\n",
            ["got 2 columns named 'platform'; rename one"],
        ),
        (
            "c.csv",
            "text,label,platform\na,0,b\x07\nb,1,c\n",
            [":2: platform must not contain control characters; got"],
        ),
        (
            "c.jsonl",
            (
                '{"platform": [1], "text": "a", "label": 1}\n'
                '{"platform": 1.5, "text": "a", "label": 1}'
            ),
            [TYPE] * 2,
        ),
    ],
)
def test_an_error_names_the_setting_or_the_row(
    read: Read, name: str, table: str, errors: list[str]
) -> None:
    with pytest.raises(UserError) as raised:
        read({name: table}, slices=["platform"])
    assert [error in line for error, line in zip(errors, raised.value.lines, strict=True)] == [
        True
    ] * len(errors)
