"""Rows of a corpus: columns, labels, missing values; error texts are in tests/contract."""

import ast
import json
from collections.abc import Callable
from datetime import datetime, time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from tests import approved
from tests.refusal import refusal
from tests.unit.tables.tables import (
    COMPRESSIONS,
    compressed,
    data,
    delimited,
    excel,
    frame_of,
    pairs,
    parquet,
)
from textclf.core.arrow import array_of
from textclf.core.errors import UserError
from textclf.tables import corpus, limits
from textclf.tables.corpus import Corpus
from textclf.tables.values import CONTROL, NUL, are_valid, to_array

# Columns

KEYED = (
    '{"n": 7, "who": "Ann", "text": "a", "label": 0}\n{"n": "x", "who": true, "text": "b", '
    '"label": 1}\n'
)
ODD_SOURCE = '{"text": "a", "source": "x"}\n{"text": "b"}\n{"text": "c", "source": "y"}\n'
OWN_SOURCE: dict[str, bytes | str] = {
    "a.csv": "text,source\nx,1\ny,2\n",
    "b.csv": "text\nz\n",
    "c.jsonl": '{"text": "w", "source": "3"}\n',
    "d.parquet": parquet({"source": [True], "text": ["v"]}),
}


@pytest.mark.parametrize(
    ("files", "changed", "rows"),
    [
        (
            {"c.csv": 'when,"the label",x,when,review\n1,no,,2,a\n,yes,"q,\n",,b\n'},
            {"text": "review", "label": "the label"},
            ["c.csv:2|a|no", "c.csv:3|b|yes"],
        ),
        ({"c.jsonl": KEYED}, {"id": "n", "group": "who"}, ["7|a|0|Ann", "x|b|1|true"]),
        (
            OWN_SOURCE,
            {"label": "source"},
            ["a.csv:2|x|1", "a.csv:3|y|2", "b.csv:2|z|b", "c.jsonl:1|w|3", "d.parquet:1|v|true"],
        ),
        (
            {"c.jsonl": ODD_SOURCE, "d.csv": "text,source\n\nd,x\n"},
            {"label": "source", "missing": "drop"},
            ["c.jsonl:1|a|x", "c.jsonl:3|c|y", "d.csv:3|d|x"],
        ),
    ],
)
def test_columns_are_found_by_name_and_source_is_the_name_of_a_file_that_lacks_it(
    read: Callable[..., Corpus],
    files: dict[str, bytes | str],
    changed: dict[str, Any],
    rows: list[str],
) -> None:
    got = read(files, **changed)
    assert ["|".join(row) for row in frame_of(got).itertuples(index=False)] == rows
    assert got.dropped == dict(
        zip(
            ("rows", "text", "label"), (2, 1, 2) if "missing" in changed else (0, 0, 0), strict=True
        )
    )


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_source_is_the_name_of_the_file_without_endings(
    read: Callable[..., Corpus], compression: str
) -> None:
    files = {
        "v1.0 pos.csv": b"text\na\n",
        "sub/neg.parquet": parquet({"text": ["b"]}),
        "neg.jsonl": b'{"text": "c"}\n',
    }
    files = {
        f"{name}{compression}": compressed(content, compression) for name, content in files.items()
    }
    got = read(files, label="source", group="source")
    assert pairs(got) == [("c", "neg"), ("b", "neg"), ("a", "v1.0 pos")]
    assert frame_of(got)["group"].tolist() == frame_of(got)["label"].tolist()


# Texts in several columns

TITLED = [("t", "b"), ("", "b"), ("t", " "), (" t ", "b\n")]


@pytest.mark.parametrize(
    "files",
    [
        {
            "c.csv": delimited(
                [("title", "body", "label"), *((*row, str(n % 2)) for n, row in enumerate(TITLED))]
            )
        },
        {
            "c.parquet": parquet(
                {
                    "title": ["t", None, "t", " t "],
                    "body": ["b", "b", " ", "b\n"],
                    "label": [0, 1, 0, 1],
                }
            )
        },
        {
            "c.jsonl": '{"title": "t", "body": "b", "label": 0}\n{"body": "b", "label": 1}\n'
            '{"title": "t", "body": null, "label": 0}\n{"title": " t ", "body": "b\\n", "label": '
            "1}\n"
        },
    ],
    ids=list("cpj"),
)
@pytest.mark.parametrize("separator", ["\n", " | "])
def test_texts_of_several_columns_are_joined_without_those_that_are_blank(
    read: Callable[..., Corpus], files: dict[str, bytes | str], separator: str
) -> None:
    got = read(files, text=["title", "body"], text_separator=separator)
    assert frame_of(got)["text"].tolist() == [f"t{separator}b", "b", "t", f" t {separator}b\n"]


def test_a_row_is_without_text_only_if_all_its_columns_are_blank(
    read: Callable[..., Corpus],
) -> None:
    table = {"c.csv": "title,body,label\n,b,0\n, ,0\nt,,1\n"}
    got = read(table, text=["title", "body"], missing="drop")
    assert (frame_of(got)["text"].tolist(), got.dropped["text"]) == (["b", "t"], 1)
    with pytest.raises(
        UserError,
        match=r"c.csv:3: text must not be empty; got '' in columns title, body; fill it in",
    ):
        read(table, text=["title", "body"])


def test_the_column_of_a_wrong_text_and_a_missing_column_are_named(
    read: Callable[..., Corpus],
) -> None:
    rows = [{"title": "t", "body": body, "label": n} for n, body in enumerate(["b", 1, "\0"])]
    with pytest.raises(UserError) as error:
        read({"c.jsonl": "".join(json.dumps(row) + "\n" for row in rows)}, text=["title", "body"])
    assert [line.partition(": ")[2] for line in error.value.lines] == [
        "body must be text; got 1",
        "body must not contain NUL; got one at offset 0",
    ]
    with pytest.raises(
        UserError, match=r"data.text must be one of its columns \(title, label\); got 'body'"
    ):
        read({"c.csv": "title,label\na,0\nb,1\n"}, text=["title", "body"])


# Times

# As Excel and Parquet have them.
WHEN = [datetime(2024, 5, 31, 10), datetime(2024, 6, 1)]  # noqa: DTZ001


@pytest.mark.parametrize(
    ("files", "times"),
    [
        (
            {
                "c.xlsx": excel(
                    ("text", "label", "t"), *((*"ab"[n], n, when) for n, when in enumerate(WHEN))
                )
            },
            WHEN,
        ),
        ({"c.parquet": parquet({"text": ["a", "b"], "label": [0, 1], "t": WHEN})}, WHEN),
        (
            {
                "c.parquet": parquet(
                    {"text": ["a", "b"], "label": [0, 1], "t": pa.array(WHEN, pa.date32())}
                )
            },
            "dates",
        ),
        (
            {"c.parquet": parquet({"text": ["a", "b"], "label": [0, 1], "t": [1.5, 2.0]})},
            [1.5, 2.0],
        ),
        ({"c.jsonl": '{"text":"a","label":0,"t":1.5}\n{"text":"b","label":1,"t":2}\n'}, [1.5, 2.0]),
        ({"c.csv": "text,label,t\na,0,2024-05-31 10:00\nb,1,2024-06-01\n"}, WHEN),
    ],
    ids=["excel", "timestamps", "dates", "floats", "json", "csv"],
)
def test_times_are_read_as_the_formats_have_them(
    read: Callable[..., Corpus], files: dict[str, bytes | str], times: Any
) -> None:
    expected = (
        [datetime.combine(when.date(), time()) for when in WHEN] if times == "dates" else times
    )
    got = frame_of(read(files, time="t"))["time"].tolist()
    assert [
        datetime.fromisoformat(each) if isinstance(each, str) else float(each) for each in got
    ] == expected


# Labels


def test_labels_of_a_csv_stay_as_they_are_and_classes_are_in_order_or_as_given(
    read: Callable[..., Corpus],
) -> None:
    def say(case: str) -> list[str]:
        """Return the classes of labels, of which some cases name the order after a bar."""
        written, given = map(ast.literal_eval, (*case.split(" | "), "None")[:2])
        got = read(
            {"c.csv": delimited([("text", "label"), *(("x", label) for label in written)])},
            classes=given,
        )
        assert frame_of(got)["label"].tolist() == written
        return [repr(got.classes)]

    approved.check_cases(Path(__file__).with_name("classes.txt"), say)
    long = ["9" * 5000, "1" + "0" * 5000]
    assert (
        read({"c.csv": delimited([("text", "label"), *(("x", label) for label in long)])}).classes
        == long[::-1]
    )


@pytest.mark.parametrize(
    ("written", "labels", "classes"),
    [
        ([1, 10, 9], ["1", "10", "9"], ["1", "9", "10"]),
        ([True, False, True], ["true", "false", "true"], ["false", "true"]),
        ([1, "1", "01"], ["1", "1", "01"], ["01", "1"]),
        ([2**80, -1], [str(2**80), "-1"], ["-1", str(2**80)]),
        (["True", True], ["True", "true"], ["True", "true"]),
    ],
    ids=str,
)
def test_integers_and_booleans_of_json_become_text(
    read: Callable[..., Corpus], written: list[object], labels: list[str], classes: list[str]
) -> None:
    lines = [json.dumps({"text": "x", "label": label}) for label in written]
    got = read({"c.jsonl": "\n".join(lines)})
    assert (frame_of(got)["label"].tolist(), got.classes) == (labels, classes)


@pytest.mark.parametrize(
    ("column", "labels"),
    [
        (pa.array([1, 0], pa.int8()), ["1", "0"]),
        (pa.array([2**64 - 1, 0], pa.uint64()), [str(2**64 - 1), "0"]),
        (pa.array([True, False]), ["true", "false"]),
        (pa.array(["b", "a"], pa.large_string()), ["b", "a"]),
        (pa.array(["b", "a"], pa.string_view()), ["b", "a"]),
        (pa.array(["b", "a"]).dictionary_encode(), ["b", "a"]),
        (pa.array(pd.Categorical([5, 3])), ["5", "3"]),
    ],
    ids=lambda value: str(value.type) if isinstance(value, pa.Array) else "",
)
def test_parquet_keeps_text_integers_and_booleans(
    read: Callable[..., Corpus], column: pa.Array, labels: list[str]
) -> None:
    assert (
        frame_of(read({"c.parquet": parquet({"text": ["x", "y"], "label": column})}))[
            "label"
        ].tolist()
        == labels
    )


# Missing text and labels


@pytest.mark.parametrize(
    ("name", "content", "rows", "dropped"),
    [
        ("c.csv", "text,label\na,0\n,1\nb,\n \t,\u3000\n\nc,1\n", [2, 7], (4, 3, 3)),
        (
            "c.jsonl",
            (
                '{"text": "a", "label": 0}\n{"text": null, "label": 1}\n{"label": 1}\n\n'
                '{"text": "b", "label": 1}'
            ),
            [1, 5],
            (3, 3, 1),
        ),
        (
            "c.parquet",
            parquet({"text": ["a", None, "", None, "b"], "label": [0, 1, 1, None, 1]}),
            [1, 5],
            (3, 3, 1),
        ),
        ("c.txt", "a\t0\n\t1\n  \t1\n\nb\t1\n", [1, 5], (3, 3, 1)),
        ("c.tsv", 'text\tlabel\na\t0\n\t1\n \t1\n\nb\t1\n"\t\r\n', [2, 6], (4, 3, 2)),
    ],
)
def test_rows_without_text_or_label_are_dropped_and_counted(
    read: Callable[..., Corpus],
    name: str,
    content: bytes | str,
    rows: list[int],
    dropped: tuple[int, ...],
) -> None:
    got = read({name: content}, missing="drop")
    assert frame_of(got)["id"].tolist() == [f"{name}:{row}" for row in rows]
    assert tuple(got.dropped.values()) == dropped


def test_only_blank_text_is_missing(read: Callable[..., Corpus]) -> None:
    texts = ["NA", "null", "nan", "None", "-", "0", "\u200b", "\ufeff", "#N/A"]
    got = read(
        {
            "c.csv": delimited(
                [("text", "label"), *((text, str(n % 2)) for n, text in enumerate(texts))]
            )
        }
    )
    assert frame_of(got)["text"].tolist() == texts


# Errors


@pytest.mark.parametrize("wrong", [1, 5, 6])
def test_the_first_five_wrong_rows_are_shown_and_all_are_counted(
    read: Callable[..., Corpus], tmp_path: Path, wrong: int
) -> None:
    path = tmp_path / "data"
    with pytest.raises(UserError) as error:
        read({"a.txt": "good\t1\n" + "bad\n" * (wrong - 1), "b.csv": "text,label\n,0\na,0\n"})
    assert [line.split(": ")[0] for line in error.value.lines[:5]] == [
        *(f"{path}/a.txt:{number}" for number in range(2, min(wrong, 6) + 1)),
        *([f"{path}/b.csv:2"] if wrong <= 5 else []),
    ]
    total = (f"{path}: {wrong} of {wrong + 2} rows are wrong, 5 shown",) if wrong > 5 else ()
    assert error.value.lines[5:] == total


# Batches


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_a_wrong_row_in_any_batch_is_named_by_file_and_line(
    read: Callable[..., Corpus], tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "BLOCK_ROWS", 10)
    texts, labels = [f"text {number}" for number in range(1000)], ["0", "1"] * 500
    texts[729] = "\0"  # in the 73rd batch of 100
    rows = list(zip(texts, labels, strict=True))
    content: dict[str, bytes | str] = {
        "csv": delimited([("text", "label"), *rows]),
        "jsonl": "".join(json.dumps({"text": text, "label": label}) + "\n" for text, label in rows),
        "parquet": parquet({"text": texts, "label": labels}),
    }
    line = (
        f"c.{kind}:{731 if kind == 'csv' else 730}: text must not contain NUL; got one at offset 0"
    )
    assert refusal(read, {f"c.{kind}": content[kind]}) == f"{tmp_path}/data/{line}"


# Ids


def keyed(rows: list[tuple[str, str, str]]) -> str:
    return delimited([("text", "label", "key"), *rows])


def test_repeated_ids_are_reported_in_order_among_the_other_errors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "BLOCK_ROWS", 7)
    rows = [(f"text {number}", str(number % 2), f"k{number}") for number in range(40)]
    rows[3] = ("", "0", "k1")
    rows[9], rows[30], rows[31] = (("t", "0", "k7"), ("t", "0", "k7"), ("t", "1", "k2"))
    path = tmp_path / "c.csv"
    path.write_text(keyed(rows))
    with pytest.raises(UserError) as error:
        for _ in corpus.Corpus(path, data(id="key")):
            pass
    assert error.value.lines == (
        (
            f"{path}:5: text must not be empty; got '' in column text; fill it in, "
            "or set data.missing to drop"
        ),
        f"{path}:11: key must be unique; got 'k7', as in {path}:9",
        f"{path}:32: key must be unique; got 'k7', as in {path}:9",
        f"{path}:33: key must be unique; got 'k2', as in {path}:4",
    )


def test_ids_that_only_share_a_fingerprint_are_no_error(
    read: Callable[..., Corpus], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(corpus, "hash_texts", lambda texts: np.full(len(texts), 7, np.uint64))
    assert frame_of(read({"c.csv": keyed([("a", "0", "k1"), ("b", "1", "k2")])}, id="key"))[
        "id"
    ].tolist() == [
        "k1",
        "k2",
    ]


def test_every_character_is_blank_or_forbidden_as_python_says() -> None:
    every = [chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000]
    assert are_valid(array_of(every), NUL).tolist() == [
        bool(each.strip("\0").strip()) for each in every
    ]
    after_a_letter = array_of([f"a{each}" for each in every])
    assert are_valid(after_a_letter, CONTROL).tolist() == [
        not CONTROL.search(each) for each in every
    ]


def test_integers_and_booleans_become_text_where_labels_may_be_and_others_are_refused() -> None:
    values: list[object] = ["a", "é", None, 1, -7, 2**70, True, False, 1.5, [1], "a\ud800", "b\0"]
    labels = to_array(values, numbers=True)
    written = ["a", "é", "", "1", "-7", str(2**70), "true", "false"]
    assert labels.to_pylist()[:8] == written
    assert are_valid(labels, CONTROL).tolist() == [bool(text) for text in written] + [False] * 4
    assert are_valid(to_array(values, numbers=False), NUL).tolist() == [True, True, *[False] * 10]
