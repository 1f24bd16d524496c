import csv
import io
import json
import os
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import IO, Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from textclf.core.errors import UserError
from textclf.predict import outputs
from textclf.predict.outputs import FORMATS, Columns, PredictedBatch
from textclf.predict.predictor import Term

CLASSES = ("100%s", 'say "hi", he\nsaid', "größe ☃\u2028")
TEXTS = [
    "plain",
    'a, "b"',
    "two\nlines",
    "lone\rCR",
    "CR and\r\nLF",
    "",
    " ",
    "☃\u2028\x85",
    "\0nul\x1b",
    "{}%d\\",
]


def batch(start: int = 0, explanation: bool = True) -> PredictedBatch:
    generator = np.random.default_rng(start)
    probabilities = generator.dirichlet([1, 1, 1], len(TEXTS))
    terms = [[('the "term", \n%', 1.25), ("☃", -0.1234567)], *([[]] * (len(TEXTS) - 1))]
    labels = [CLASSES[place] for place in probabilities.argmax(axis=1)]
    ids = [f"{start + n},\"'" for n in range(len(TEXTS))]
    sets = [[label, CLASSES[1]] for label in labels]
    return PredictedBatch(ids, TEXTS, labels, probabilities, terms if explanation else None, sets)


def written(batches: Sequence[PredictedBatch], kind: str, columns: Columns) -> bytes:
    stream = io.BytesIO()
    outputs.write(iter(batches), stream, kind, columns)
    return stream.getvalue()


def parsed(content: bytes, kind: str) -> list[dict[str, Any]]:
    """Return the rows as other libraries read them: numbers, and explanations as pairs."""
    result: list[dict[str, Any]]
    if kind == "jsonl":
        assert content.endswith(b"\n") or not content
        result = [json.loads(line) for line in content.decode().split("\n")[:-1]]
    elif kind == "csv":
        numbers = ("probability_", "confidence", "explanation", "set")
        result = [
            {
                name: json.loads(value) if name.startswith(numbers) else value
                for name, value in row.items()
            }
            for row in csv.DictReader(io.StringIO(content.decode(), newline=""), strict=True)
        ]
    else:
        result = pq.read_table(io.BytesIO(content)).to_pylist()
    for row in result:
        if "explanation" in row:
            row["explanation"] = [
                (term["term"], round(term["weight"], 6)) for term in row["explanation"]
            ]
    return result


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("text", [True, False])
@pytest.mark.parametrize("explanation", [True, False])
def test_other_libraries_read_every_format(kind: str, text: bool, explanation: bool) -> None:
    batches = [batch(0, explanation), batch(100, explanation)]
    columns = Columns(CLASSES, text, explanation, sets=0.9 if explanation else None)
    result = parsed(written(batches, kind, columns), kind)
    expected = [row for one in batches for row in rows_of(one)]
    assert result == [{name: row[name] for name in columns.names()} for row in expected]
    assert all(list(row) == columns.names() for row in result)


def rows_of(one: PredictedBatch) -> Iterator[dict[str, Any]]:
    """Yield the row of each text with all columns, as `parsed` returns it."""
    for place, label in enumerate(one.labels):
        terms = cast("list[Term]", (one.explanations or [[]] * len(TEXTS))[place])
        numbers = [float(number) for number in one.probabilities[place]]
        rounded = [pytest.approx(number, abs=5.1e-7) for number in (max(numbers), *numbers)]
        names = ("confidence", *(f"probability_{name}" for name in CLASSES))
        yield {
            "id": one.ids[place],
            "text": TEXTS[place],
            "label": label,
            "set": [label, CLASSES[1]],
            "explanation": [(term, round(weight, 6)) for term, weight in terms],
            **dict(zip(names, rounded, strict=True)),
        }


def test_no_batches_give_a_table_without_rows() -> None:
    columns = Columns(("a", "b"), True, True)
    assert written([], "jsonl", columns) == b""
    header = b"id,text,label,confidence,probability_a,probability_b,explanation\n"
    assert written([], "csv", columns) == header
    table = pq.read_table(io.BytesIO(written([], "parquet", columns)))
    assert table.schema.names == columns.names()


@pytest.mark.parametrize(
    ("classes", "every", "named"), [(10, False, 10), (11, False, 0), (11, True, 11)]
)
def test_many_classes_have_no_probability_each_unless_a_program_reads_them(
    classes: int, every: bool, named: int
) -> None:
    names = Columns(
        tuple(f"class {n}" for n in range(classes)), text=False, explanation=None, every=every
    ).names()
    assert names == ["id", "label", "confidence", *(f"probability_class {n}" for n in range(named))]


def test_parquet_keeps_all_digits_and_types() -> None:
    content = written([batch()], "parquet", Columns(CLASSES, True, True))
    table = pq.read_table(io.BytesIO(content))
    assert table.column("probability_100%s").to_pylist() == batch().probabilities[:, 0].tolist()
    assert [str(table.schema.field(name).type) for name in ("id", "text", "label")] == [
        "string"
    ] * 3


@pytest.mark.parametrize(
    ("limit", "value", "rows"), [("ROWS", 25, [30, 30, 10]), ("BYTES", 1, [10] * 7)]
)
def test_small_batches_share_row_groups_of_parquet(
    monkeypatch: pytest.MonkeyPatch, limit: str, value: int, rows: list[int]
) -> None:
    monkeypatch.setattr(outputs, f"GROUP_{limit}", value)
    content = written([batch(n, False) for n in range(7)], "parquet", Columns(CLASSES, True, False))
    metadata = pq.ParquetFile(io.BytesIO(content)).metadata
    assert [metadata.row_group(n).num_rows for n in range(metadata.num_row_groups)] == rows


@pytest.mark.parametrize("kind", ["jsonl", "csv"])
def test_each_batch_is_written_at_once(kind: str) -> None:
    stream = io.BufferedWriter(raw := io.BytesIO())

    def one_by_one() -> Iterator[PredictedBatch]:
        yield batch(0)
        assert len(parsed(raw.getvalue(), kind)) == len(TEXTS)
        yield batch(1)

    outputs.write(one_by_one(), cast("IO[bytes]", stream), kind, Columns(CLASSES, True, True))
    assert len(parsed(raw.getvalue(), kind)) == 2 * len(TEXTS)


def test_an_aborted_parquet_file_is_not_readable() -> None:
    stream = io.BytesIO()

    def broken() -> Iterator[PredictedBatch]:
        yield batch()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        outputs.write(broken(), stream, "parquet", Columns(CLASSES, True, True))
    with pytest.raises(pa.ArrowInvalid):
        pq.read_table(io.BytesIO(stream.getvalue()))


# Where it goes


def test_a_file_is_replaced_through_a_link_with_its_permissions_when_the_new_one_is_complete(
    tmp_path: Path,
) -> None:
    (tmp_path / "folder").mkdir()
    (path := tmp_path / "folder" / "file").write_bytes(b"old")
    path.chmod(0o600)
    (link := tmp_path / "link").symlink_to("folder/file")
    with outputs.open_output(link) as stream:
        stream.write(b"new")
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"
    assert (link.is_symlink(), path.stat().st_mode & 0o777) == (True, 0o600)
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("error", [UserError, KeyboardInterrupt, BrokenPipeError])
def test_an_error_leaves_what_was_there(tmp_path: Path, error: type[BaseException]) -> None:
    path = tmp_path / "out"
    path.write_bytes(b"old")
    # The file must be begun.
    with pytest.raises(error), outputs.open_output(path) as stream:  # noqa: PT012
        stream.write(b"new")
        raise error
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_device_or_pipe_is_not_replaced(tmp_path: Path) -> None:
    outputs.require_other_files({}, {"--output": Path(os.devnull), "--page": Path(os.devnull)})
    with outputs.open_output(Path(os.devnull)) as stream:
        stream.write(b"new")
    assert Path(os.devnull).is_char_device()
    os.mkfifo(tmp_path / "pipe")
    result: list[bytes] = []
    reader = threading.Thread(
        target=lambda: result.append((tmp_path / "pipe").read_bytes()), daemon=True
    )
    reader.start()
    with outputs.open_output(tmp_path / "pipe") as stream:
        stream.write(b"new")
    reader.join()
    assert result == [b"new"]


IN_FOLDER = "in an existing folder that is writable; got"


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("missing/out", IN_FOLDER),
        ("file/out", IN_FOLDER),
        ("closed/out", IN_FOLDER),
        ("closed", "a file; got the folder"),
    ],
)
def test_a_folder_and_a_file_in_a_missing_or_closed_one_are_refused(
    tmp_path: Path, name: str, rule: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "closed").mkdir()
    may = lambda path, mode: not (Path(path).name == "closed" and mode & os.X_OK)  # noqa: E731
    # As root, who may enter every folder, may not.
    monkeypatch.setattr("os.access", may)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(UserError) as error, outputs.open_output(tmp_path / name):
        raise AssertionError
    assert error.value.lines == (f"--output must be {rule} {tmp_path / name}",)
    assert sorted(tmp_path.rglob("*")) == before


FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\uff1d1+1"]
PLAIN = ["", " =1", "'=1", "1-1", "a=b"]


@pytest.mark.parametrize("formulas", [True, False])
def test_without_formulas_an_apostrophe_stands_before_cells_that_a_spreadsheet_would_compute(
    formulas: bool,
) -> None:
    texts = FORMULAS + PLAIN
    labels = ["-1"] * (len(texts) - 1) + [None]
    one = PredictedBatch(texts, texts, labels, np.full((len(texts), 2), 0.5), None)
    rows = parsed(written([one], "csv", Columns(("-1", "1"), True, False, formulas)), "csv")
    expected = texts if formulas else [f"'{text}" for text in FORMULAS] + PLAIN
    assert [row["id"] for row in rows] == [row["text"] for row in rows] == expected
    assert {row["label"] for row in rows} == {"-1" if formulas else "'-1", ""}


def test_rows_without_a_prediction_have_no_values() -> None:
    whole = replace(batch(), sets=[["100%s"]] * len(TEXTS), reasons=[None] * len(TEXTS))
    left = whole.without([1, 3])
    columns = Columns(CLASSES, text=False, explanation=2, sets=0.9, reasons=True)
    assert [left.labels[row] for row in (1, 3)] == [None, None]
    stream = io.BytesIO()
    outputs.write_parquet([left], stream, columns)
    rows = pq.read_table(io.BytesIO(stream.getvalue())).to_pylist()
    empty: dict[str, Any] = {
        "label": None,
        "reason": "no text",
        "set": [],
        "confidence": None,
        "explanation": [],
    }
    probabilities = dict.fromkeys([f"probability_{name}" for name in CLASSES])
    for row in (1, 3):
        assert rows[row] == {"id": whole.ids[row], **empty, **probabilities}
    assert rows[0]["label"] == whole.labels[0]
    several = replace(left, labels=[None if label is None else [label] for label in left.labels])
    stream = io.BytesIO()
    outputs.write_json_lines([several], stream, replace(columns, multilabel=True))
    written = [json.loads(line) for line in stream.getvalue().decode().split("\n")[:-1]]
    assert (written[1]["label"], written[1]["confidence"]) == (None, None)
    assert written[0]["label"] == [whole.labels[0]]


@pytest.mark.parametrize("kind", ["jsonl", "csv", "parquet"])
def test_ordered_classes_that_are_numbers_have_an_expected_number(kind: str) -> None:
    columns = Columns(CLASSES, text=False, explanation=None, scale=(1, 2, 5))
    given = batch(explanation=False)
    rows = parsed(written([given], kind, columns), kind)
    expected = given.probabilities @ [1, 2, 5]
    assert [float(row["expected"]) for row in rows] == pytest.approx(expected.tolist(), abs=1e-6)


def test_a_row_without_text_has_no_expected_number() -> None:
    columns = Columns(CLASSES, text=False, explanation=None, scale=(1, 2, 5))
    given = batch(explanation=False).without([1])
    rows = parsed(written([given], "jsonl", columns), "jsonl")
    assert rows[1]["expected"] is None
