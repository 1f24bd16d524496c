"""Tables with several labels per text: their four forms in several formats; refusals."""

import ast
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from tests import approved
from tests.unit.tables.tables import arrow, delimited, frame_of, parquet
from textclf.core.errors import UserError
from textclf.tables import limits
from textclf.tables.corpus import Corpus
from textclf.tables.rare_labels import doubts
from textclf.tables.several import form_of

SETS = [["late", "wet"], [], ["late"], ["lost", "wet"]]
TEXTS = list("abcd")
PAIRS = list(zip(TEXTS, SETS, strict=True))
LIST = pa.list_(pa.string())
NAMES = ["late", "lost", "wet"]
POSITIONS = [[NAMES.index(label) for label in labels] for labels in SETS]
FEATURES = {
    "text": {"_type": "Value"},
    "label": {"_type": "Sequence", "feature": {"_type": "ClassLabel", "names": NAMES}},
}


def objects(labels: Callable[[list[str]], object]) -> str:
    return "".join(
        json.dumps({"text": text, "label": labels(names)}) + "\n" for text, names in PAIRS
    )


def dataset() -> bytes:
    """Return the rows as datasets stores a sequence of ClassLabels."""
    table = pa.table({"text": TEXTS, "label": POSITIONS})
    stream = pa.BufferOutputStream()
    with pa.ipc.new_stream(
        stream,
        table.schema.with_metadata({"huggingface": json.dumps({"info": {"features": FEATURES}})}),
    ) as writer:
        writer.write_table(table)
    return bytes(stream.getvalue().to_pybytes())


FORMS: dict[str, tuple[dict[str, bytes | str], dict[str, Any]]] = {
    "separator": (
        {
            "c.csv": delimited(
                [
                    ("text", "label"),
                    *((text, " | ".join([*names, *names[:1]])) for text, names in PAIRS),
                ]
            )
        },
        {"label_separator": "|"},
    ),
    "objects": ({"c.jsonl": objects(lambda names: names[::-1] or None)}, {}),
    "JSON in cells": (
        {"c.csv": delimited([("text", "label"), *((t, json.dumps(names)) for t, names in PAIRS)])},
        {},
    ),
    "lists of Python in cells": (
        {"c.csv": delimited([("text", "label"), *((t, str(names)) for t, names in PAIRS)])},
        {},
    ),
    "Parquet": ({"c.parquet": parquet({"text": TEXTS, "label": pa.array(SETS, LIST)})}, {}),
    "Arrow": (
        {"c.arrow": arrow({"text": TEXTS, "label": pa.array([*SETS[:1], None, *SETS[2:]], LIST)})},
        {},
    ),
    "datasets": ({"c.arrow": dataset()}, {}),
    "columns": (
        {
            "c.csv": delimited(
                [
                    ("text", *NAMES),
                    *((t, *(str(int(n in names)) for n in NAMES)) for t, names in PAIRS),
                ]
            )
        },
        {"label": NAMES},
    ),
    "columns of booleans": (
        {
            "c.parquet": parquet(
                {"text": TEXTS, **{name: [name in names for names in SETS] for name in NAMES}}
            )
        },
        {"label": NAMES},
    ),
    "one row per label": (
        {"c.csv": "text,label,n\na,wet,1\nb,,2\nc,late,3\nd,wet,4\na,late,1\nd,lost,4\na,wet,1\n"},
        {"id": "n"},
    ),
}


@pytest.mark.parametrize("rows", [1, 3, 4096])
@pytest.mark.parametrize("form", FORMS)
def test_the_labels_of_a_text_are_read_in_each_form(
    read: Callable[..., Corpus], monkeypatch: pytest.MonkeyPatch, form: str, rows: int
) -> None:
    monkeypatch.setattr(limits, "BLOCK_ROWS", rows)
    files, changed = FORMS[form]
    got = read(files, task="multilabel", **changed)
    assert got.table.schema.field("label").type == LIST
    assert list(zip(frame_of(got)["text"], frame_of(got)["label"], strict=True)) == PAIRS
    assert got.classes == NAMES
    assert got.dropped == {"rows": 0, "text": 0, "label": 0}


def test_columns_of_labels_and_data_classes_order_the_labels(read: Callable[..., Corpus]) -> None:
    files, _ = FORMS["columns"]
    assert read(files, task="multilabel", label=["wet", "late", "lost"]).classes == [
        "wet",
        "late",
        "lost",
    ]
    changed = {"task": "multilabel", "label_separator": "|", "classes": ["wet", "lost", "late"]}
    assert read(FORMS["separator"][0], **changed).classes == ["wet", "lost", "late"]


def test_lists_and_floats_as_pandas_writes_them_are_read(read: Callable[..., Corpus]) -> None:
    got = read({"c.csv": """text,label\na,"['b', ""it's""]"\nb,['b']\n"""}, task="multilabel")
    assert frame_of(got)["label"].tolist() == [["b", "it's"], ["b"]]
    got = read({"c.csv": "text,x,y\na,1.0,0.0\nb,1.0,1.0\n"}, task="multilabel", label=["x", "y"])
    assert frame_of(got)["label"].tolist() == [["x"], ["x", "y"]]


def test_files_of_splits_may_not_share_an_id(read: Callable[..., Corpus]) -> None:
    tables = {
        "train.csv": "text,label,n\na,x,1\nb,y,2\n",
        "test.csv": "text,label,n\na,y,1\nb,x,3\n",
    }
    names = {"train": "train.csv", "test": "test.csv"}
    with pytest.raises(UserError, match=r"n must have one split; got .1., as in .*test\.csv:2"):
        read(tables, task="multilabel", id="n", files=names)


def test_a_separator_in_most_classes_is_told() -> None:
    assert (
        doubts({"a": 1, "b": 1, "c|d": 1}, False)
        == doubts({"a|b": 1, "b|a": 1, "c": 1}, True)
        == []
    )
    (line,) = doubts({"a|b": 1, "b|a": 1, "c": 1}, False)
    assert line.startswith(
        "'|' is in many labels; if it separates labels of a text, set data.task to multilabel and "
    )


def test_numbers_are_labels_in_order(read: Callable[..., Corpus]) -> None:
    got = read(
        {"c.jsonl": '{"text": "a", "label": [10, 9]}\n{"text": "b", "label": [true]}\n'},
        task="multilabel",
    )
    assert frame_of(got)["label"].tolist() == [["10", "9"], ["true"]]


def test_given_splits_count_texts_and_not_their_rows(read: Callable[..., Corpus]) -> None:
    table = "text,label,n,split\na,x,1,train\na,y,1,train\nb,,2,test\n"
    assert read({"c.csv": table}, task="multilabel", id="n", split="split").given == {
        "train": 1,
        "test": 1,
    }


def test_labels_that_break_a_rule_are_refused_with_the_approved_lines(
    read: Callable[..., Corpus], tmp_path: Path
) -> None:
    def say(case: str) -> list[str]:
        """Return the lines that refuse a table, as its text and its settings."""
        content, changed = map(ast.literal_eval, case.split(" | "))
        with pytest.raises(UserError) as error:
            read({"c.csv": content}, task="multilabel", **changed)
        return [line.replace(f"{tmp_path}/data/", "") for line in error.value.lines]

    approved.check_cases(Path(__file__).with_name("broken_label_sets.txt"), say)


def test_the_form_of_a_column_is_seen_in_its_cells() -> None:
    def say(case: str) -> list[str]:
        cells = set(ast.literal_eval(case))
        assert form_of(cells, 1) in {"", "01"}  # labels repeat
        return [form_of(cells, 100) or "none"]

    approved.check_cases(Path(__file__).with_name("label_forms.txt"), say)
